//! The first pass over a query: comments, quotes, brackets, parentheses, pipes.
//!
//! It finds what must be balanced and where the pipes are, so that each command can be parsed by itself and a
//! mistake in one does not hide the mistakes in the next.

use super::words;
use crate::spl::commands;
use crate::{Code, Diagnostic, Span};

/// How deep parentheses and brackets may nest. A level costs an unoptimised build up to 16 KiB of stack, and a
/// thread may have no more than 2 MiB of it. Published searches go down to 20.
pub const MAX_NESTING: usize = 64;

/// How many subsearches a query may have: each is a search of its own.
const MAX_SUBSEARCHES: usize = 500;

/// The longest text that is looked at.
pub const MAX_LENGTH: usize = 16 << 20;

/// A character that shapes the query.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// Its offset.
    pub at: usize,
    /// What it is.
    pub kind: MarkKind,
}

/// What a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// `|` between two commands.
    Pipe,
    /// `[`, with the index of the mark that closes it.
    Open(usize),
    /// `]`
    Close,
    /// A macro call, up to this offset.
    Macro(usize),
}

/// A query text taken apart.
#[derive(Debug)]
pub struct Structure {
    /// The text with comments blanked; offsets are those of the original.
    pub text: String,
    /// The marks in the order of the text.
    pub marks: Vec<Mark>,
    /// Parentheses without a partner: their places, in order. The rest of the query can still be parsed.
    pub unbalanced: Vec<Diagnostic>,
}

impl Structure {
    /// Takes a text apart, or says what is never closed.
    pub fn of(text: &str) -> Result<Self, Diagnostic> {
        if text.len() > MAX_LENGTH {
            let message = format!("the query is too long: {} bytes, the limit is {MAX_LENGTH}", text.len());
            return Err(Diagnostic::error(Code::TooLarge, message, Span::new(0, 0)));
        }
        let blanked = blank_comments(text)?;
        let mut scanner = Scanner::new(&blanked);
        scanner.run()?;
        let Scanner { marks, unbalanced, .. } = scanner;
        Ok(Self { text: blanked, marks, unbalanced })
    }
}

/// Replaces every comment by blanks, so that no offset moves.
fn blank_comments(text: &str) -> Result<String, Diagnostic> {
    const FENCE: &str = "```";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(at) = rest.find(['"', '\\', '`']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let mut chars = from.chars();
        let first = chars.next();
        let taken = match first {
            Some('\\') => 1 + chars.next().filter(|next| matches!(next, '"' | '\\')).map_or(0, char::len_utf8),
            Some('"') => {
                quoted = !quoted;
                1
            }
            _ if !quoted && from.starts_with(FENCE) => {
                let body = from.get(FENCE.len()..).unwrap_or_default();
                let Some(end) = body.find(FENCE) else {
                    let start = out.len();
                    return Err(unbalanced("comment", "```", Span::new(start, start + FENCE.len())));
                };
                let length = end + 2 * FENCE.len();
                out.extend(std::iter::repeat_n(' ', length));
                rest = from.get(length..).unwrap_or_default();
                continue;
            }
            _ => 1,
        };
        let (token, after) = from.split_at(taken);
        out.push_str(token);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The error for something that is never closed.
fn unbalanced(what: &str, opener: &str, span: Span) -> Diagnostic {
    // A backtick between backticks is hard to read.
    let opener = if opener.contains('`') { what.to_owned() } else { format!("`{opener}`") };
    Diagnostic::error(Code::Unbalanced, format!("unbalanced {what}: this {opener} is never closed"), span)
        .with_label("opened here")
}

/// The error for something that closes nothing.
fn unopened(what: &str, closer: &str, at: usize) -> Diagnostic {
    Diagnostic::error(
        Code::Unbalanced,
        format!("unbalanced {what}: this `{closer}` closes nothing"),
        Span::new(at, at + 1),
    )
    .with_label("nothing is open here")
}

/// What is open at some point of the scan.
#[derive(Debug)]
enum Open {
    /// `(` at this offset.
    Parenthesis(usize),
    /// `[`: the index of its mark, and the habits of the segment around it.
    Bracket(usize, Habits),
}

/// How the arguments of the command at hand are read.
#[derive(Debug, Clone, Copy)]
struct Habits {
    /// Whether single quotes hold a field name; in `search` they are characters like any other.
    single_quotes: bool,
    /// Whether parentheses must balance; in commands that are not parsed nobody knows.
    parentheses: bool,
}

struct Scanner<'a> {
    text: &'a str,
    marks: Vec<Mark>,
    unbalanced: Vec<Diagnostic>,
    open: Vec<Open>,
    habits: Habits,
    brackets: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let habits = Habits { single_quotes: false, parentheses: true };
        Self { text, marks: Vec::new(), unbalanced: Vec::new(), open: Vec::new(), habits, brackets: 0 }
    }

    fn run(&mut self) -> Result<(), Diagnostic> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let mut next = at + 1;
            match byte {
                b'\\' if matches!(bytes.get(next), Some(b'"' | b'\\' | b'|')) => next += 1,
                b'"' => {
                    next =
                        self.quote_end(at, b'"', b"").ok_or_else(|| unbalanced("quote", "\"", Span::new(at, at + 1)))?
                }
                // An apostrophe is no quote: what it opens is not closed in the same command.
                b'\'' if self.habits.single_quotes => next = self.quote_end(at, b'\'', b"\"|").unwrap_or(next),
                b'`' => {
                    let rest = self.text.get(at..).unwrap_or_default();
                    let Some(length) = words::macro_length(rest) else {
                        return Err(unbalanced("backtick", "`", Span::new(at, at + 1)));
                    };
                    next = at + length;
                    self.marks.push(Mark { at, kind: MarkKind::Macro(next) });
                }
                b'(' => self.push(Open::Parenthesis(at), at)?,
                b')' => self.close_parenthesis(at),
                b'[' => {
                    self.brackets += 1;
                    if self.brackets > MAX_SUBSEARCHES {
                        let message = format!("the query has more than {MAX_SUBSEARCHES} subsearches");
                        return Err(Diagnostic::error(Code::TooLarge, message, Span::new(at, at + 1)));
                    }
                    self.push(Open::Bracket(self.marks.len(), self.habits), at)?;
                    self.marks.push(Mark { at, kind: MarkKind::Open(0) });
                    self.habits = habits_at(self.text.get(next..).unwrap_or_default(), true);
                }
                b']' => self.close_bracket(at)?,
                b'|' => {
                    self.end_segment();
                    self.marks.push(Mark { at, kind: MarkKind::Pipe });
                    self.habits = habits_at(self.text.get(next..).unwrap_or_default(), false);
                }
                _ => {}
            }
            at = next;
        }
        self.end_segment();
        match self.open.pop() {
            Some(Open::Bracket(mark, _)) => {
                let at = self.marks.get(mark).map_or(0, |mark| mark.at);
                Err(unbalanced("bracket", "[", Span::new(at, at + 1)))
            }
            _ => Ok(()),
        }
    }

    /// The offset after the quote that closes the one at `start`, unless one of `forbidden` comes before it.
    fn quote_end(&self, start: usize, quote: u8, forbidden: &[u8]) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            match *bytes.get(at)? {
                b'\\' => at += 2,
                byte if byte == quote => return Some(at + 1),
                byte if forbidden.contains(&byte) => return None,
                _ => at += 1,
            }
        }
    }

    fn push(&mut self, open: Open, at: usize) -> Result<(), Diagnostic> {
        if self.open.len() >= MAX_NESTING {
            let message = format!("the query nests too deeply: more than {MAX_NESTING} parentheses and brackets");
            return Err(Diagnostic::error(Code::TooLarge, message, Span::new(at, at + 1)));
        }
        self.open.push(open);
        Ok(())
    }

    fn close_parenthesis(&mut self, at: usize) {
        if let Some(Open::Parenthesis(_)) = self.open.last() {
            self.open.pop();
        } else if self.habits.parentheses {
            self.unbalanced.push(unopened("parenthesis", ")", at));
        }
    }

    fn close_bracket(&mut self, at: usize) -> Result<(), Diagnostic> {
        self.end_segment();
        let Some(Open::Bracket(opener, habits)) = self.open.pop() else {
            return Err(unopened("bracket", "]", at));
        };
        let closer = self.marks.len();
        if let Some(mark) = self.marks.get_mut(opener) {
            mark.kind = MarkKind::Open(closer);
        }
        self.marks.push(Mark { at, kind: MarkKind::Close });
        self.habits = habits;
        Ok(())
    }

    /// At the end of a segment every parenthesis that it opened must be closed.
    fn end_segment(&mut self) {
        let mut innermost = None;
        while let Some(Open::Parenthesis(at)) = self.open.last() {
            innermost = innermost.or(Some(*at));
            self.open.pop();
        }
        if let Some(at) = innermost.filter(|_| self.habits.parentheses) {
            self.unbalanced.push(unbalanced("parenthesis", "(", Span::new(at, at + 1)));
        }
    }
}

/// How the segment that starts here is read; `first` says that it is the first one of a subsearch, where the
/// word `search` may be left out.
fn habits_at(segment: &str, first: bool) -> Habits {
    let name = first_word(segment.trim_start());
    let search = name.eq_ignore_ascii_case("search") || first && !commands::is_known(name);
    Habits { single_quotes: !search, parentheses: search || commands::is_supported(name) }
}

/// The command name that a segment starts with, if it starts with one.
pub fn first_word(segment: &str) -> &str {
    let end = segment.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(segment.len());
    segment.get(..end).unwrap_or_default()
}
