//! What is dimly shown behind the cursor: how the current command goes on, or a search of before that began so.

use rustyline::Context;
use rustyline::hint::Hint;
use rustyline::history::SearchDirection;
use spelunk_engine::Language;
use spelunk_grammar::spl::commands;

use super::alive::segments;
use super::lexer::{Kind, Token, tokens};
use super::words;
use crate::escape;

/// A hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    text: String,
    /// Whether the right arrow takes it over: a form to fill in is no text.
    taken: bool,
}

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.taken.then_some(self.text.as_str())
    }
}

/// Longer texts, in bytes, get no form to fill in, so that no key waits.
const LONGEST: usize = 16 << 10;

/// The hint behind a text.
pub fn hint(text: &str, context: &Context<'_>, language: Language) -> Option<Shown> {
    let form = if text.len() > LONGEST { None } else { form(text, language) };
    let form = form.map(|form| Shown { text: fitted(&form, text), taken: false });
    form.filter(|form| !form.text.is_empty()).or_else(|| earlier(text, context))
}

/// A hint stays on its line.
fn fitted(form: &str, text: &str) -> String {
    /// The prompt, and a column that stays free.
    const AROUND: usize = 7;
    let line = text.rsplit('\n').next().unwrap_or(text).chars().count();
    let width = crate::terminal::stdout_width().unwrap_or(80);
    let left = width.saturating_sub(line).saturating_sub(AROUND);
    match form.char_indices().nth(left) {
        None => form.to_owned(),
        Some(_) if left < 8 => String::new(),
        Some(_) => format!("{}…", form.chars().take(left.saturating_sub(1)).collect::<String>()),
    }
}

/// How the command or function goes on whose name was just typed.
fn form(text: &str, language: Language) -> Option<String> {
    let tokens = tokens(text, language);
    let (_, segment) = segments(&tokens, language);
    let last = segment.tokens.last()?;
    let before = |back: usize| segment.tokens.iter().rev().nth(back);
    if last.text == "(" {
        let name = before(1).filter(|name| name.kind == Kind::Word)?;
        let function = match language {
            Language::LogScale => words::find(&words::LOGSCALE, name.text),
            Language::Spl => {
                let statistic = words::find(&words::STATISTICS, name.text);
                match segment.command().as_deref() {
                    Some("eval" | "where" | "fieldformat") => words::find(&words::EVAL, name.text),
                    _ => statistic,
                }
            }
        }?;
        return function.syntax.split_once('(').map(|(_, arguments)| arguments.to_owned());
    }
    let words: Vec<&Token<'_>> = segment.words().collect();
    if language == Language::Spl && !segment.implied && words.len() == 1 && last.kind == Kind::Blank {
        let doc = commands::doc(words.first()?.text)?;
        let (_, arguments) = doc.syntax.split_once(' ')?;
        return Some(arguments.split('\n').next().unwrap_or(arguments).to_owned());
    }
    None
}

/// The rest of the latest search that began so.
fn earlier(text: &str, context: &Context<'_>) -> Option<Shown> {
    let history = context.history();
    let from = context.history_index().min(history.len().checked_sub(1)?);
    let found = history.starts_with(text, from, SearchDirection::Reverse).ok()??;
    let rest = found.entry.get(text.len()..).filter(|rest| !rest.is_empty())?;
    let unsafe_text = rest.chars().any(|c| escape::is_unsafe(c) || c == '\n');
    (!unsafe_text).then(|| Shown { text: rest.to_owned(), taken: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustyline::history::{DefaultHistory, History};

    #[test]
    fn commands_and_functions_say_how_they_go_on() {
        let form = |text: &str, language| form(text, language);
        assert_eq!(form("| head ", Language::Spl).map(|form| form.contains("limit=")), Some(true));
        assert_eq!(form("x | eval a=substr(", Language::Spl).map(|form| form.starts_with("text")), Some(true));
        assert_eq!(form("| stats dc(", Language::Spl).as_deref(), Some("field)"));
        assert!(form("groupBy(", Language::LogScale).unwrap().starts_with("field, "));
        for text in ["", "| head", "| head 5 ", "| nope ", "a ("] {
            assert_eq!(form(text, Language::Spl), None, "{text}");
        }
    }

    #[test]
    fn earlier_searches_come_back() {
        let mut history = DefaultHistory::new();
        for line in ["User=bob | head 5", "User=alice\n| tail"] {
            history.add(line).unwrap();
        }
        let context = Context::new(&history);
        assert_eq!(earlier("User=b", &context), Some(Shown { text: "ob | head 5".into(), taken: true }));
        assert_eq!(earlier("User=a", &context), None);
        assert_eq!(earlier("x", &context), None);
        assert_eq!(earlier("x", &Context::new(&DefaultHistory::new())), None);
    }

    #[test]
    fn a_hint_stays_on_its_line() {
        assert_eq!(fitted("abc", "x"), "abc");
        assert!(fitted(&"a".repeat(500), "x").ends_with('…'));
        assert_eq!(fitted("abcdefghijk", &"x".repeat(500)), "");
    }
}
