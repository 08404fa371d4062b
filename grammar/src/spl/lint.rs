//! What is right as SPL and seldom what was meant.

use super::commands::CommandKind;
use super::search::{Literal, Operand, SearchExpression};
use super::{Command, Query};
use crate::{Code, Diagnostic, Span};

/// Fields that are usually followed by words to look for.
const METADATA: [&str; 4] = ["index", "source", "sourcetype", "host"];

/// What is doubtful about a query; `text` is what it was parsed from.
pub fn doubts(query: &Query, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for expression in query.commands.iter().filter_map(condition) {
        walk(expression, text, &mut found);
    }
    // The search of `map` stands in quotes, and is read when it runs.
    let mapped = |finding: &Diagnostic| {
        let mut of_map = query.commands.iter().filter(|command| matches!(command.kind, CommandKind::Map(_)));
        of_map.any(|map| map.span.start <= finding.span.start && finding.span.end <= map.span.end)
    };
    found.extend(quoted_macros(text).into_iter().filter(|finding| !mapped(finding)));
    found.sort_by_key(|finding| finding.span.start);
    found
}

fn condition(command: &Command) -> Option<&SearchExpression> {
    match &command.kind {
        CommandKind::Search(search) => search.expression.as_ref(),
        CommandKind::Tstats(tstats) => tstats.condition.as_ref(),
        _ => None,
    }
}

fn warning(message: String, span: Span, help: &str) -> Diagnostic {
    Diagnostic::warning(Code::Note, message, span).with_help(help)
}

fn walk(expression: &SearchExpression, text: &str, found: &mut Vec<Diagnostic>) {
    match expression {
        SearchExpression::And(all) => {
            for pair in all.windows(2) {
                if let [value, word] = pair {
                    found.extend(two_terms(value, word));
                }
            }
            for alternatives in all.iter().filter(|one| matches!(one, SearchExpression::Or(_))) {
                if let Some(span) = span(alternatives).filter(|span| !in_parentheses(*span, text)) {
                    let message = "OR binds tighter than AND here, unlike in `where` and `eval`".to_owned();
                    found.push(warning(message, span, "put what belongs together in parentheses"));
                }
            }
            all.iter().for_each(|one| walk(one, text, found));
        }
        SearchExpression::Or(any) => any.iter().for_each(|one| walk(one, text, found)),
        SearchExpression::Not(inner) => walk(inner, text, found),
        SearchExpression::Comparison(comparison) => {
            if let Operand::Literal(literal) = &comparison.value {
                found.extend(backslash(literal, text));
            }
        }
        SearchExpression::In(list) => found.extend(list.values.iter().filter_map(|value| backslash(value, text))),
        SearchExpression::Term(literal) => found.extend(backslash(literal, text)),
        SearchExpression::Subsearch(subsearch) => {
            subsearch.query.commands.iter().filter_map(condition).for_each(|inner| walk(inner, text, found));
        }
        SearchExpression::Macro(_) => {}
    }
}

/// A value without quotes that ends at a blank, and a word that may have been its rest.
fn two_terms(value: &SearchExpression, word: &SearchExpression) -> Option<Diagnostic> {
    let (SearchExpression::Comparison(comparison), SearchExpression::Term(rest)) = (value, word) else { return None };
    let Operand::Literal(value) = &comparison.value else { return None };
    let field = &comparison.field.text;
    let bare = !value.quoted && !rest.quoted && !METADATA.contains(&field.as_str());
    // `status=404 error` is two conditions; a pattern or a path that is cut is not.
    let cut = |text: &str| text.contains(['*', '\\', '/']);
    if !bare || !(cut(&value.text) || cut(&rest.text)) {
        return None;
    }
    let message =
        format!("the value of {field} ends at the blank: {:?} is looked for in the text of events", rest.text);
    Some(warning(message, Span::new(comparison.span.start, rest.span.end), "put a value with blanks in quotes"))
}

/// A backslash that does something else than it seems to.
fn backslash(literal: &Literal, text: &str) -> Option<Diagnostic> {
    let written = text.get(literal.span.start..literal.span.end)?;
    let mut run = 0_usize;
    for (at, letter) in written.char_indices() {
        if letter == '\\' {
            run = run.saturating_add(1);
            continue;
        }
        let start = literal.span.start.saturating_add(at).saturating_sub(1);
        let span = Span::new(start, start.saturating_add(2));
        let rest = written.get(at..).unwrap_or_default();
        match letter {
            '*' if run == 1 && literal.quoted => {
                let message = "this is a backslash and anything: an asterisk cannot be looked for".to_owned();
                return Some(warning(message, span, "write `\\\\*` where a backslash before anything is meant"));
            }
            // A path that was meant to end here.
            '"' if run % 2 == 1 && rest.starts_with("\" ") => {
                let message = "this backslash keeps the quote from ending the value".to_owned();
                return Some(warning(message, span, "write `\\\\\"` where the value ends with a backslash"));
            }
            _ => {}
        }
        run = 0;
    }
    None
}

/// Macro calls inside of double quotes, where they stay as they are.
fn quoted_macros(text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => quoted = !quoted,
            // A comment holds what it likes.
            '`' if text.get(at..).is_some_and(|rest| rest.starts_with("```")) => {
                let after = at.saturating_add(3);
                let Some(length) = text.get(after..).and_then(|rest| rest.find("```")) else { return found };
                let end = after.saturating_add(length).saturating_add(3);
                while letters.clone().next().is_some_and(|(next, _)| next < end) {
                    letters.next();
                }
            }
            '`' if quoted => {
                let inside = text.get(at.saturating_add(1)..).unwrap_or_default();
                let Some(length) = inside.find('`') else { continue };
                let call = inside.get(..length).unwrap_or_default();
                let name = call.split('(').next().unwrap_or_default();
                let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ':');
                if !name.is_empty() && name.chars().all(is_name) {
                    let end = at.saturating_add(length).saturating_add(2);
                    let message = format!("the macro `{name}` stands in quotes, where it is not replaced");
                    found.push(warning(message, Span::new(at, end), "close the quotes before it"));
                    while letters.clone().next().is_some_and(|(next, _)| next < end) {
                        letters.next();
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Where an expression stands, without parentheses around it.
fn span(expression: &SearchExpression) -> Option<Span> {
    match expression {
        SearchExpression::And(all) | SearchExpression::Or(all) => {
            let (first, last) = (span(all.first()?)?, span(all.last()?)?);
            Some(Span::new(first.start, last.end))
        }
        SearchExpression::Not(inner) => span(inner),
        SearchExpression::Comparison(comparison) => Some(comparison.span),
        SearchExpression::In(list) => Some(list.span),
        SearchExpression::Term(literal) => Some(literal.span),
        SearchExpression::Subsearch(subsearch) => Some(subsearch.span),
        SearchExpression::Macro(_) => None,
    }
}

fn in_parentheses(span: Span, text: &str) -> bool {
    let before = text.get(..span.start).unwrap_or_default().trim_end();
    let before = before.strip_suffix("NOT").unwrap_or(before).trim_end();
    before.ends_with('(') && text.get(span.end..).unwrap_or_default().trim_start().starts_with(')')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn messages(text: &str) -> Vec<(String, String)> {
        let query = crate::spl::parse(text).unwrap();
        let shown = |finding: Diagnostic| (text[finding.span.start..finding.span.end].to_owned(), finding.message);
        doubts(&query, text).into_iter().map(shown).collect()
    }

    fn only(text: &str, place: &str, part: &str) {
        let found = messages(text);
        let [(at, message)] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert!(at == place && message.contains(part), "{text}: {found:?}");
    }

    #[test]
    fn mixed_operators() {
        only("a=1 b=2 OR c=3", "b=2 OR c=3", "OR binds tighter");
        only("| tstats count where a=1 AND b=2 OR c=3", "b=2 OR c=3", "OR binds tighter");
        for clear in ["a=1 (b=2 OR c=3)", "(a=1 OR b=2) AND (c=3 OR d=4)", "a=1 OR b=2", "a=1 NOT (b=2 OR c=3)"] {
            assert!(messages(clear).is_empty(), "{clear}: {:?}", messages(clear));
        }
    }

    #[test]
    fn values_that_are_cut() {
        only("CommandLine=*net user*", "CommandLine=*net user*", "ends at the blank");
        for clear in ["index=main error", "status=404 error", "CommandLine=\"*net user*\"", "a=*b c=*d"] {
            assert!(messages(clear).is_empty(), "{clear}");
        }
    }

    #[test]
    fn backslashes() {
        only(r#"Image="C:\*""#, r"\*", "an asterisk cannot be looked for");
        only(r#"Image="C:\Temp\" OR a="b"#, "\\\"", "keeps the quote");
        for clear in [r#"Image="*\\cmd.exe""#, r#"Image="C:\\*""#, r#"Image="C:\Windows""#] {
            assert!(messages(clear).is_empty(), "{clear}: {:?}", messages(clear));
        }
    }

    #[test]
    fn macros_in_quotes() {
        only("a=1 | eval b=\"`m(1)`\"", "`m(1)`", "stands in quotes");
        assert!(messages("a=1 | map search=\"search `m` b=$c$\"").is_empty());
        assert!(messages("a=1 ```not \"`m`\" here``` | eval b=\"a ` b\"").is_empty());
    }
}
