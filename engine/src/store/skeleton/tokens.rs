//! Where the values in a text stand.
//!
//! This is no parser: what it takes for a value only has to be one mostly, because the text is put together again
//! before it is believed.

use super::{MOST_TEXT, Style};

/// A value in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    /// Where it begins and ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// The key that it has there.
    pub(super) key: &'t str,
    /// How it may be written.
    pub(super) styles: &'static [Style],
}

const JSON: &[Style] = &[Style::Json, Style::AsciiJson, Style::SlashedJson];
const BARE: &[Style] = &[Style::Verbatim];
const XML: &[Style] = &[Style::Xml, Style::QuotedXml];
/// A text with more values is kept as it is.
const MOST_TOKENS: usize = 512;

/// The values in a text, in order; nothing where it is of no known form.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    if text.len() > MOST_TEXT {
        return Vec::new();
    }
    let found = match text.as_bytes().first() {
        Some(b'{') => json(text),
        Some(b'<') => xml(text),
        _ => Vec::new(),
    };
    if found.len() > MOST_TOKENS { Vec::new() } else { found }
}

/// What a text has from one place to another.
fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// Where the next byte is that one is looked for by.
fn next(text: &str, from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    rest.iter().position(|byte| wanted(*byte)).and_then(|at| from.checked_add(at))
}

fn json(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut key = "";
    let mut at = 0_usize;
    while let Some(start) =
        next(text, at, |byte| !matches!(byte, b'{' | b'}' | b'[' | b']' | b',' | b':') && !byte.is_ascii_whitespace())
    {
        if text.as_bytes().get(start) != Some(&b'"') {
            let is_end = |byte: u8| matches!(byte, b',' | b'}' | b']' | b':') || byte.is_ascii_whitespace();
            let end = next(text, start, is_end).unwrap_or(text.len());
            found.push(Token { start, end, key, styles: BARE });
            at = end;
            continue;
        }
        let start = start.saturating_add(1);
        let mut from = start;
        let end = loop {
            match next(text, from, |byte| matches!(byte, b'"' | b'\\')) {
                Some(escape) if text.as_bytes().get(escape) == Some(&b'\\') => from = escape.saturating_add(2),
                Some(end) => break end,
                None => return found,
            }
        };
        at = end.saturating_add(1);
        let is_key = next(text, at, |byte| !byte.is_ascii_whitespace())
            .is_some_and(|after| text.as_bytes().get(after) == Some(&b':'));
        match is_key {
            true => key = between(text, start, end),
            false => found.push(Token { start, end, key, styles: JSON }),
        }
    }
    found
}

fn xml(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0_usize;
    while let Some(open) = next(text, at, |byte| byte == b'<') {
        let Some(close) = next(text, open, |byte| byte == b'>') else { return found };
        let name_end =
            next(text, open.saturating_add(1), |byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        let mut key = between(text, open.saturating_add(1), name_end.unwrap_or(close));
        let mut from = name_end.unwrap_or(close);
        while let Some(equals) = next(text, from, |byte| byte == b'=').filter(|equals| *equals < close) {
            let attribute = between(text, from, equals).trim();
            let quote_at = equals.saturating_add(1);
            let quote = text.as_bytes().get(quote_at).copied().filter(|byte| matches!(byte, b'\'' | b'"'));
            let start = quote_at.saturating_add(1);
            let Some(end) = quote.and_then(|quote| next(text, start, |byte| byte == quote)) else { break };
            if attribute == "Name" && key == "Data" {
                key = between(text, start, end);
            } else if attribute != "xmlns" {
                found.push(Token { start, end, key: attribute, styles: XML });
            }
            from = end.saturating_add(1);
        }
        let start = close.saturating_add(1).max(from);
        let Some(end) = next(text, start, |byte| byte == b'<') else { return found };
        if !between(text, start, end).trim().is_empty() {
            found.push(Token { start, end, key, styles: XML });
        }
        at = end;
    }
    found
}
