//! From pest's errors to diagnostics that name things as users do.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use crate::{Code, Diagnostic, Span};

/// The longest stretch of the query that a message repeats.
const LONGEST_QUOTE: usize = 30;

/// The diagnostic for a text that does not parse.
pub fn syntax_error(error: &Error<Rule>, text: &str) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = text.get(at..).unwrap_or_default();
    let skipped = rest.len() - rest.trim_start().len();
    let (at, rest) = (at + skipped, rest.trim_start());
    let found = token(rest);
    let wanted = wanted(error);
    if rest.is_empty() {
        // The caret stands behind the last thing written.
        let end = text.trim_end().len();
        let message = format!("syntax error: expected {wanted}, found the end of the query");
        let finding = Diagnostic::error(Code::Syntax, message, Span::new(end, end));
        let finding = finding.with_label(format!("expected {wanted}"));
        return match unclosed(text) {
            Some(bracket) => finding.with_help(format!("a `{bracket}` is never closed")),
            None => help(text, at, rest).into_iter().fold(finding, Diagnostic::with_help),
        };
    }
    let place = Span::new(at, at + found.len());
    let message = format!("syntax error: expected {wanted}, found `{found}`");
    let finding = Diagnostic::error(Code::Syntax, message, place).with_label(format!("expected {wanted}"));
    if let Some(help) = help(text, at, rest) {
        return finding.with_help(help);
    }
    match (unclosed(text.get(..at).unwrap_or_default()), rest.chars().next()) {
        (Some(bracket), Some('|' | ')' | ']' | '}')) => {
            finding.with_help(format!("a `{bracket}` is not closed before"))
        }
        _ => finding,
    }
}

/// The innermost bracket that is open at the end of a text.
fn unclosed(text: &str) -> Option<char> {
    let mut open = Vec::new();
    let mut quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => open.push(letter),
            ')' | ']' | '}' if !quoted => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// What may have been meant.
fn help(text: &str, at: usize, rest: &str) -> Option<&'static str> {
    let before = text.get(..at)?;
    let trimmed = before.trim_end();
    let word = before.rsplit(|c: char| c.is_whitespace() || "|({[".contains(c)).next()?;
    if rest.starts_with(['=', ':']) && !rest.starts_with("=>") && word.contains('-') {
        return Some("a field whose name has a dash is written in quotes: \"host-name\"=*");
    }
    if rest.starts_with("=>") {
        return Some("`=>` belongs to `field match { value => step; * => * }`; an arm of `case` is `filter | step;`");
    }
    if trimmed.ends_with('<') && rest.starts_with('>') || trimmed.ends_with("=!") {
        return Some("different is written `!=`");
    }
    let compares = trimmed.ends_with(['=', '<', '>']) && !trimmed.ends_with(":=");
    if compares && rest.split_once('(').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == ':')) {
        return Some("a filter compares with text or a number; an expression is compared by test(x >= f() - 1)");
    }
    if compares && rest.starts_with('$') {
        return Some("a filter compares with text or a number; a saved query stands alone");
    }
    if rest.starts_with(',') && matches!(unclosed(before), Some('{')) {
        return Some("the arms of `case` and `match` are divided by `;`");
    }
    if rest.starts_with('(') && word.chars().all(char::is_alphanumeric) && !word.is_empty() {
        return Some("between steps stands a `|`");
    }
    if word.starts_with('$')
        || trimmed.ends_with('"') && trimmed.trim_end_matches('"').contains("$\"") && rest.is_empty()
    {
        return Some("a saved query is called with parentheses: $name()");
    }
    if trimmed.ends_with('/') {
        return Some("a regular expression that is never closed on its line; a `/` in it is written `\\/`");
    }
    if rest.starts_with('\'') {
        return Some("text stands in double quotes");
    }
    if rest.starts_with('"') {
        return Some("a quote that is never closed, or a line break inside of quotes; write `\\n` for one");
    }
    rest.starts_with('/')
        .then_some("a regular expression that is never closed on its line; a `/` in it is written `\\/`")
}

/// The token that stands at the start of the text.
fn token(text: &str) -> &str {
    let word = text.find(|c: char| c.is_whitespace() || "()[]{}\"',=|`".contains(c)).unwrap_or(text.len());
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text.floor_char_boundary(word.max(first).min(LONGEST_QUOTE.max(first)));
    text.get(..end).unwrap_or_default()
}

/// What could have stood there.
fn wanted(error: &Error<Rule>) -> String {
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else { return "something else".to_owned() };
    let mut words: Vec<&str> = Vec::new();
    for word in positives.iter().filter_map(|rule| describe(*rule)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.len() > 1 {
        words.retain(|word| *word != END);
    }
    match words.as_slice() {
        [] => "something else".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] if first.len() < 4 => format!("{} or {last}", first.join(", ")),
        _ => "something else".to_owned(),
    }
}

const END: &str = "the end of the query";

/// The words for a rule; `None` for what is noise in a message.
fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI => END,
        Rule::value | Rule::value_list => "a value",
        Rule::filter | Rule::filter_or | Rule::filter_not | Rule::comparison | Rule::string | Rule::pattern => {
            "a filter"
        }
        Rule::condition | Rule::sum | Rule::product | Rule::unary | Rule::operand_word | Rule::number => {
            "an expression"
        }
        Rule::and_op | Rule::or_op | Rule::compare_op | Rule::expression_compare | Rule::value_op => "an operator",
        Rule::add_op | Rule::multiply_op => "an operator",
        Rule::argument | Rule::named => "an argument",
        Rule::pipeline | Rule::case_step | Rule::match_step | Rule::assignment => "a step",
        Rule::match_arm | Rule::guard => "`value => step`",
        Rule::value_arm => "`condition => value`",
        Rule::element => "an element",
        Rule::block => "a query in braces",
        Rule::target | Rule::word => "a field",
        _ => return None,
    })
}
