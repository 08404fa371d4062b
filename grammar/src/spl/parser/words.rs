//! Names, quoted text, options and macro calls, from pest pairs.

use pest::iterators::Pair;

use super::Rule;
use super::builder::Builder;
use crate::spl::expression::{MacroCall, Name};
use crate::{Code, Span, Spanned};

/// Resolves `\"`, `\\` and `\|`; any other backslash stays.
pub fn unescape(text: &str) -> String {
    unescape_with(text, &['"', '\\', '|'])
}

fn unescape_with(text: &str, escapable: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && escapable.contains(next) => {
                out.push(*next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// The text of a token: unquoted and with its escapes resolved.
pub fn token_text(token: &str) -> String {
    let inside = |quote: char| token.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    if let Some(text) = inside('"') {
        unescape(text)
    } else if let Some(text) = inside('\'') {
        unescape_with(text, &['\'', '\\', '"', '|'])
    } else {
        unescape(token)
    }
}

/// The text of a token that holds a regular expression, in which `\|` is a bar and `|` an alternative.
pub fn pattern_text(token: &str) -> String {
    let inside = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    unescape_with(inside.unwrap_or(token), &['"', '\\'])
}

/// The name that a token holds.
pub fn name(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Name {
    Name { text: token_text(pair.as_str().trim_end()), span: b.span(pair) }
}

/// `name=value`.
#[derive(Debug)]
pub struct OptionPair {
    /// The name in lower case.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// The value, unquoted.
    pub value: String,
    /// Where the value stands.
    pub value_span: Span,
}

/// Takes an option apart.
pub fn option(b: &Builder<'_>, pair: Pair<'_, Rule>) -> Option<OptionPair> {
    let mut parts = pair.into_inner();
    let (name, value) = (parts.next()?, parts.next()?);
    Some(OptionPair {
        name: name.as_str().trim_end().to_ascii_lowercase(),
        name_span: b.span(&name),
        value: token_text(value.as_str().trim_end()),
        value_span: b.span(&value),
    })
}

impl OptionPair {
    /// The value as a Boolean.
    pub fn boolean(&self, b: &mut Builder<'_>) -> Option<bool> {
        match self.value.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" => Some(true),
            "f" | "false" | "0" => Some(false),
            _ => self.invalid(b, "true or false"),
        }
    }

    /// The value as a whole number.
    pub fn number(&self, b: &mut Builder<'_>) -> Option<u64> {
        match self.value.parse() {
            Ok(number) => Some(number),
            Err(_) => self.invalid(b, "a whole number"),
        }
    }

    /// The value as a number.
    pub fn decimal(&self, b: &mut Builder<'_>) -> Option<f64> {
        match self.value.parse() {
            Ok(number) if f64::is_finite(number) => Some(number),
            _ => self.invalid(b, "a number"),
        }
    }

    /// The value as a number from 0 to 1.
    pub fn fraction(&self, b: &mut Builder<'_>) -> Option<f64> {
        match self.value.parse() {
            Ok(number) if (0.0..=1.0).contains(&number) => Some(number),
            _ => self.invalid(b, "a number from 0 to 1"),
        }
    }

    /// The value as it stands.
    pub fn text(&self) -> Spanned<String> {
        Spanned::new(self.value.clone(), self.value_span)
    }

    /// Puts a value at the place where it was written.
    pub fn at<T>(&self, value: T) -> Spanned<T> {
        Spanned::new(value, self.value_span)
    }

    /// The value as a field name.
    pub fn field(&self) -> Name {
        Name { text: self.value.clone(), span: self.value_span }
    }

    /// Notes that the value is not what the option takes.
    pub fn invalid<T>(&self, b: &mut Builder<'_>, wanted: &str) -> Option<T> {
        let message = format!("`{}` takes {wanted}, not `{}`", self.name, self.value);
        b.error(Code::InvalidOption, message, self.value_span);
        None
    }

    /// Notes that the command has no such option.
    pub fn unknown<T>(&self, b: &mut Builder<'_>, known: &[&str]) -> Option<T> {
        let message = format!("`{}` has no option `{}`", b.doc.name, self.name);
        let near = super::nearest(&self.name, known.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        let all =
            if known.is_empty() { "it takes none".to_owned() } else { format!("its options are {}", known.join(", ")) };
        let help = format!("{}{all}", near.unwrap_or_default());
        b.diagnostics.push(crate::Diagnostic::error(Code::InvalidOption, message, self.name_span).with_help(help));
        None
    }
}

/// The whole number that a pair holds.
pub fn integer(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<u64> {
    let digits = pair.as_str().trim_end();
    let parsed = digits.parse().ok();
    if parsed.is_none() {
        b.error(Code::InvalidArgument, format!("the number `{digits}` is too large"), b.span(pair));
    }
    parsed
}

/// `` `name(arguments)` ``.
pub fn macro_call(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> MacroCall {
    let span = b.span(pair);
    let call = pair.as_str().trim_end();
    let arguments =
        inside(call).split_once('(').map(|(_, rest)| split_arguments(rest.strip_suffix(')').unwrap_or(rest)));
    MacroCall { name: macro_name(call).to_owned(), arguments, span }
}

/// The length of the macro call that the text starts with, from backtick to backtick, if it does and the call is closed.
/// A backtick in a quoted argument does not end it, unless there is no end then.
pub fn macro_length(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('`')?;
    let first = inner.find('`')?;
    let end = quoting_end(inner).unwrap_or(first);
    Some(end + 2)
}

/// Where the backtick stands that closes a call, past the quoted arguments.
fn quoting_end(inner: &str) -> Option<usize> {
    let stop = inner.find(['`', '(', '"'])?;
    if !inner.get(stop..)?.starts_with('(') {
        return None;
    }
    let mut at = stop;
    loop {
        at += inner.get(at..)?.find(['`', '"'])?;
        let rest = inner.get(at..)?;
        if rest.starts_with('`') {
            return Some(at);
        }
        at += quoted_length(rest)?;
    }
}

/// The name of a macro call.
pub fn macro_name(call: &str) -> &str {
    let inside = inside(call);
    inside.split_once('(').map_or(inside, |(name, _)| name.trim_end())
}

/// What stands between the backticks.
fn inside(call: &str) -> &str {
    call.trim_matches('`').trim()
}

/// The arguments of a macro call as written, split at the commas outside quotes and parentheses.
pub fn macro_arguments(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    let separates = move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => return true,
            _ => {}
        }
        false
    };
    let none = text.trim().is_empty();
    text.split(separates).skip(usize::from(none))
}

/// An argument of a macro call as text to insert: without blanks and without the quotes around the whole of it.
pub fn macro_argument(text: &str) -> String {
    let text = text.trim();
    let whole = quoted_length(text) == Some(text.len());
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).filter(|_| whole) {
        Some(inner) => unescape_quotes(inner),
        None => text.to_owned(),
    }
}

/// The length of the quoted text that the text starts with, if it does and the quote is closed.
pub fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    let inner = text.strip_prefix('"')?;
    let end = inner.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some(end + 2)
}

/// Resolves `\"`. What is inserted is read again, so any other backslash stays, and so does the one it escapes.
fn unescape_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('"')) => {}
            ('\\', Some('\\')) => {
                chars.next();
                out.push_str("\\\\");
            }
            _ => out.push(c),
        }
    }
    out
}

fn split_arguments(text: &str) -> Vec<String> {
    macro_arguments(text).map(argument).collect()
}

fn argument(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => unescape_with(inner, &['"', '\\']),
        None => text.to_owned(),
    }
}
