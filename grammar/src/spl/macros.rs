//! Macro calls in a text that is not parsed yet.
//!
//! A macro may stand for a term, for a command or for half a pipeline, so calls are found and replaced before the
//! text can be parsed. Between double quotes and in comments a backtick is a character like any other.

use super::parser::words;
use crate::{Code, Diagnostic, Span};

/// A macro call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The macro's name.
    pub name: String,
    /// The arguments, without the quotes around them; `m()` and `m` have none.
    pub arguments: Vec<String>,
    /// From backtick to backtick.
    pub span: Span,
}

/// The macro calls of a text in order, or what is wrong with them. What is never closed is left to the parser.
pub fn calls(text: &str) -> Vec<Result<Call, Diagnostic>> {
    const FENCE: &str = "```";
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(skipped) = rest.find(['"', '\\', '`'])
    {
        let start = at + skipped;
        let from = rest.get(skipped..).unwrap_or_default();
        let length = match from.as_bytes() {
            [b'\\', b'"' | b'\\' | b'|', ..] => Some(2),
            [b'\\', ..] => Some(1),
            [b'"', ..] => words::quoted_length(from),
            _ if from.starts_with(FENCE) => {
                from.get(FENCE.len()..).and_then(|body| body.find(FENCE)).map(|end| end + 2 * FENCE.len())
            }
            _ => words::macro_length(from),
        };
        let Some(length) = length else { break };
        at = start + length;
        if from.starts_with('`') && !from.starts_with(FENCE) {
            found.push(call(from.get(..length).unwrap_or_default(), Span::new(start, at)));
        }
    }
    found
}

fn call(text: &str, span: Span) -> Result<Call, Diagnostic> {
    let inside = text.trim_matches('`').trim();
    let (name, rest) = inside.split_once('(').map_or((inside, None), |(name, rest)| (name.trim_end(), Some(rest)));
    if name.is_empty() {
        return Err(Diagnostic::error(Code::Syntax, "expected the name of a macro between the backticks", span)
            .with_help("a macro call is written `name` or `name(argument, \"argument\")`"));
    }
    let arguments = match rest.map(|rest| rest.strip_suffix(')')) {
        None => Vec::new(),
        Some(Some(rest)) => words::macro_arguments(rest).map(words::macro_argument).collect(),
        Some(None) => {
            let message = format!("the arguments of the macro `{name}` do not end in a parenthesis");
            return Err(Diagnostic::error(Code::Syntax, message, span));
        }
    };
    Ok(Call { name: name.to_owned(), arguments, span })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |call: Result<Call, Diagnostic>| match call {
            Ok(call) => format!("{}{:?}", call.name, call.arguments),
            Err(finding) => finding.message,
        };
        calls(text).into_iter().map(show).collect()
    }

    #[test]
    fn calls_stand_outside_quotes_and_comments() {
        assert_eq!(shown("`a` x=\"`b`\" ```the `c` ``` | ` d ` [search `e`] \\\" `f`"), ["a[]", "d[]", "e[]", "f[]"]);
        assert_eq!(shown("eval x=split(y, \"`\") | `a`"), ["a[]"]);
        assert_eq!(shown("`a``b`"), ["a[]", "b[]"]);
        // A quoted argument may call macros, which are replaced where it is put.
        assert_eq!(shown("`a(\"`b`\")` `c`"), ["a[\"`b`\"]", "c[]"]);
        assert_eq!(shown("`a(\"| `b` (`c(1)`)\", 2)`"), ["a[\"| `b` (`c(1)`)\", \"2\"]"]);
        let found = calls("x `a` y").remove(0).unwrap();
        assert_eq!(found.span.range(), 2..5);
    }

    #[test]
    fn what_is_never_closed_holds_no_calls() {
        assert_eq!(shown("`a` \"open `b`"), ["a[]"]);
        assert_eq!(shown("`a` `b"), ["a[]"]);
        assert_eq!(shown("`a` ```open `b`"), ["a[]"]);
        assert_eq!(shown("a\\"), [] as [&str; 0]);
    }

    #[test]
    fn arguments() {
        assert_eq!(shown("`m(a, b c ,f(x, y))`"), [r#"m["a", "b c", "f(x, y)"]"#]);
        assert_eq!(
            shown(r#"`m("a, b", "say \"x\"", "C:\\a", "p"."q")`"#),
            [r#"m["a, b", "say \"x\"", "C:\\\\a", "\"p\".\"q\""]"#]
        );
        assert_eq!(shown("`m()` `m( )` `m(,)` `m(\"\")`"), ["m[]", "m[]", r#"m["", ""]"#, r#"m[""]"#]);
    }

    #[test]
    fn wrong_calls() {
        assert_eq!(
            shown("`m(a` ` `"),
            [
                "the arguments of the macro `m` do not end in a parenthesis",
                "expected the name of a macro between the backticks",
            ]
        );
    }
}
