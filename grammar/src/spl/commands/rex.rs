//! `rex`: extracts fields with a regular expression, or edits text with a sed script.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, OptionPair, pattern_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `rex [field=FIELD] "PATTERN" [max_match=N] [offset_field=FIELD]` or `rex [field=FIELD] mode=sed "SCRIPT"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rex {
    /// The field to look at; default `_raw`.
    pub field: Option<Name>,
    /// The regular expression or the sed script, escapes resolved.
    pub pattern: Spanned<String>,
    /// `mode=sed`.
    pub sed: bool,
    /// How many matches; default 1, 0 for all.
    pub max_match: Option<u64>,
    /// The field that receives the offsets of the groups.
    pub offset_field: Option<Name>,
}

/// The documentation of `rex`.
pub const DOC: CommandDoc = CommandDoc {
    name: "rex",
    summary: "Extracts fields with a regular expression, or edits a field with a sed script",
    syntax: "rex [field=<field>] \"<pattern>\" [max_match=<count>] [offset_field=<field>], or rex [field=<field>] mode=sed \"<script>\"",
    arguments: &[
        ArgumentDoc { name: "<pattern>", meaning: "a regular expression; each named group `(?<name>...)` becomes a field" },
        ArgumentDoc { name: "field=<field>", meaning: "the field to look at; default _raw" },
        ArgumentDoc { name: "max_match=<count>", meaning: "how many matches to take; default 1, 0 for all" },
        ArgumentDoc { name: "offset_field=<field>", meaning: "a field that receives where the groups matched" },
        ArgumentDoc {
            name: "mode=sed",
            meaning: "edits the field in place: `s/pattern/replacement/flags` replaces the first match, every match with the \
                      flag g, or the Nth with a number; \\1 is the first group. `y/characters/others/` replaces characters. \
                      Several of them may follow each other, and any character may take the place of the slash",
        },
    ],
    examples: &[
        r#"| makeresults | eval line="port 22 closed" | rex field=line "port (?<port>\d+)""#,
        r#"| makeresults | eval card="1234-5678" | rex field=card mode=sed "s/\d{4}-/XXXX-/g""#,
    ],
};

const OPTIONS: &[&str] = &["field", "max_match", "offset_field", "mode"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Rex> {
    let (mut field, mut pattern, mut sed, mut max_match, mut offset_field) = (None, None, false, None, None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "field" => field = Some(option.field()),
                    "max_match" => max_match = Some(option.number(b)?),
                    "offset_field" => offset_field = Some(option.field()),
                    "mode" => sed = is_sed(b, &option)?,
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::pattern if pattern.is_none() => {
                pattern = Some(Spanned::new(pattern_text(part.as_str().trim_end()), b.span(&part)));
            }
            Rule::pattern => {
                b.error(Code::Syntax, "`rex` takes one pattern only, in double quotes", b.span(&part));
                return None;
            }
            _ => {}
        }
    }
    let Some(pattern) = pattern else {
        b.error(Code::InvalidArgument, "`rex` needs a pattern in double quotes", place);
        return None;
    };
    Some(Rex { field, pattern, sed, max_match, offset_field })
}

fn is_sed(b: &mut Builder<'_>, option: &OptionPair) -> Option<bool> {
    if option.value.eq_ignore_ascii_case("sed") { Some(true) } else { option.invalid(b, "sed") }
}

impl Display for Rex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("rex")?;
        option(f, "field", self.field.as_ref())?;
        option(f, "mode", self.sed.then_some("sed"))?;
        option(f, "max_match", self.max_match)?;
        option(f, "offset_field", self.offset_field.as_ref())?;
        write!(f, " {}", Quoted(&self.pattern.node))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::CommandKind;
    use crate::spl::testing::{canonical, errors, last};

    #[test]
    fn options_stand_before_or_after() {
        assert_eq!(
            canonical(r#"| rex "(?<a>\d+)\"" max_match=0 field="b c" offset_field=o"#),
            r#"| rex field="b c" max_match=0 offset_field=o "(?<a>\d+)\"""#
        );
        assert_eq!(canonical("| rex mode=sed field=x \"s/a/b/g\""), "| rex field=x mode=sed \"s/a/b/g\"");
    }

    #[test]
    fn backslashes_before_quotes_and_backslashes_are_escapes() {
        let CommandKind::Rex(rex) = last(r#"| rex "\\\\(?<f>[^\\]+)\.exe""#) else { panic!() };
        assert_eq!(rex.pattern.node, r"\\(?<f>[^\]+)\.exe");
    }

    #[test]
    fn an_escaped_bar_stays_one() {
        let CommandKind::Rex(rex) = last(r#"| rex "^\s*\|?(?<f>a|b)""#) else { panic!() };
        assert_eq!(rex.pattern.node, r"^\s*\|?(?<f>a|b)");
    }

    #[test]
    fn needs_one_pattern() {
        assert!(errors("| rex field=x").contains("`rex` needs a pattern"));
        assert!(errors("| rex \"a\" \"b\"").contains("one pattern only"));
        assert!(errors("| rex mode=awk \"a\"").contains("`mode` takes sed, not `awk`"));
    }
}
