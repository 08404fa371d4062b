//! `key=value` pairs and `<key>value</key>` pairs in loose text.
//!
//! Source: Splunk Search Reference, "extract" and "xmlkv".

use std::borrow::Cow;

use quick_xml::escape::unescape;

use super::{Fields, Index, add};

/// How pairs are written and which of them are taken.
#[derive(Debug, Clone)]
pub struct Options<'o> {
    /// The characters of which each ends a pair; `None` for blanks, commas, semicolons and bars.
    pub pair_delimiters: Option<&'o str>,
    /// The characters of which each stands between a key and its value; `None` for the equals sign.
    pub key_delimiters: Option<&'o str>,
    /// How many pairs are taken.
    pub limit: usize,
    /// How many characters of the text are looked at.
    pub characters: usize,
    /// Whether letters and digits are all that names keep.
    pub clean_keys: bool,
}

/// The pairs of a text in their order; a key may come several times.
pub fn pairs(text: &str, options: &Options<'_>) -> Vec<(String, String)> {
    let text = match text.char_indices().nth(options.characters) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    };
    let mut found = match (options.pair_delimiters, options.key_delimiters) {
        (None, None) => automatic(text, options.limit),
        (pair, key) => delimited(text, pair.unwrap_or(" \t\r\n,;|"), key.unwrap_or("="), options.limit),
    };
    for (key, _) in &mut found {
        if options.clean_keys {
            *key = clean(key);
        }
    }
    found.retain(|(key, _)| !key.is_empty());
    found
}

/// `key=value` and `key="quoted value"` anywhere in the text.
fn automatic(text: &str, limit: usize) -> Vec<(String, String)> {
    let is_key =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | ':' | '{' | '}' | '@' | '$');
    let mut found = Vec::new();
    let mut at = 0;
    while found.len() < limit
        && let Some(sign) = text.get(at..).and_then(|rest| rest.find('=')).and_then(|offset| at.checked_add(offset))
    {
        let before = text.get(at..sign).unwrap_or_default().trim_end_matches([' ', '\t']);
        let key = before.get(before.trim_end_matches(is_key).len()..).unwrap_or_default();
        let after = text.get(sign.saturating_add(1)..).unwrap_or_default();
        let value_text = after.trim_start_matches([' ', '\t']);
        let blanks = after.len().saturating_sub(value_text.len());
        // A blank on one side only is no part of a pair: `a= b=c` has no value for `a`.
        let (value, length) = match quoted(value_text) {
            Some((value, length)) => (value, length.saturating_add(blanks)),
            None => {
                let end =
                    after.find(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '|' | '&' | '"'));
                let value = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
                (value.trim_end_matches([')', ']', '}', '>']).to_string(), value.len())
            }
        };
        if !key.is_empty() && !value.is_empty() {
            found.push((key.to_string(), value));
        }
        at = sign.saturating_add(1).saturating_add(length);
    }
    found
}

/// The text in quotes at the beginning, and how long it is with them.
fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    let mut value = String::new();
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => {
                if letter != quote && letter != '\\' {
                    value.push('\\');
                }
                value.push(letter);
                escaped = false;
            }
            '\\' => escaped = true,
            _ if letter == quote => return Some((value, at.saturating_add(1))),
            _ => value.push(letter),
        }
    }
    None
}

/// Pairs between delimiters. A value that holds a delimiter of keys is not taken.
fn delimited(text: &str, pair: &str, key: &str, limit: usize) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for piece in split_outside_quotes(text, pair) {
        if found.len() >= limit {
            break;
        }
        let Some(at) = piece.find(|letter| key.contains(letter)) else { continue };
        let (name, rest) = piece.split_at_checked(at).unwrap_or((piece, ""));
        let mut letters = rest.chars();
        letters.next();
        let value = letters.as_str().trim();
        let name = name.trim().trim_matches('"');
        let value = match quoted(value) {
            Some((inner, length)) if length == value.len() => inner,
            _ if value.contains(|letter| key.contains(letter)) => continue,
            _ => value.to_string(),
        };
        if !name.is_empty() && !value.is_empty() {
            found.push((name.to_string(), value));
        }
    }
    found
}

fn split_outside_quotes<'t>(text: &'t str, delimiters: &str) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    let (mut start, mut in_quotes, mut escaped) = (0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if !delimiters.contains('"') => in_quotes = !in_quotes,
            _ if !in_quotes && delimiters.contains(letter) => {
                pieces.push(text.get(start..at).unwrap_or_default());
                start = at.saturating_add(letter.len_utf8());
            }
            _ => {}
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

/// Letters, digits and underscores; anything else is an underscore. Names begin with a letter.
fn clean(key: &str) -> String {
    let cleaned: String = key.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    cleaned.trim_start_matches(|letter: char| letter == '_' || letter.is_ascii_digit()).to_string()
}

/// `<tag>text</tag>` anywhere in the text, also if the text as a whole is no XML.
pub fn tags(text: &str) -> Fields {
    let (mut fields, mut index) = (Fields::new(), Index::new());
    let mut at = 0;
    while let Some(start) = find(text, at, "<") {
        at = start.saturating_add(1);
        let Some(end) = find(text, at, ">") else { break };
        let inside = text.get(at..end).unwrap_or_default();
        // An earlier `<` was none of a tag.
        if let Some(later) = inside.rfind('<') {
            at = at.saturating_add(later);
            continue;
        }
        at = end.saturating_add(1);
        let name = inside.split(char::is_whitespace).next().unwrap_or_default();
        let is_name = name.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
        if !is_name || inside.ends_with('/') {
            continue;
        }
        let Some(close) = find(text, at, "<") else { break };
        let rest = text.get(close..).unwrap_or_default();
        let closes = rest.strip_prefix("</").and_then(|rest| rest.strip_prefix(name)).map(str::trim_start);
        if closes.is_some_and(|rest| rest.starts_with('>')) {
            let value = text.get(at..close).unwrap_or_default();
            let value = unescape(value).unwrap_or(Cow::Borrowed(value));
            if !value.is_empty() {
                add(&mut fields, &mut index, name, value.into_owned());
            }
        }
        at = close;
    }
    fields
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    from.checked_add(text.get(from..)?.find(what)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AUTOMATIC: Options<'_> =
        Options { pair_delimiters: None, key_delimiters: None, limit: 50, characters: 10_240, clean_keys: true };

    fn shown(found: &[(String, String)]) -> String {
        found.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn pairs_are_found_without_delimiters() {
        for (text, found) in [
            ("a=1 b=\"x y\", c.d=2;e='f g'", "a=1|b=x y|c_d=2|e=f g"),
            ("[user=ann] (n=3)", "user=ann|n=3"),
            ("a= b=c", "b=c"),
            ("q=\"say \\\"hi\\\"\" _z9=1", "q=say \"hi\"|z9=1"),
            ("x=a=b", "x=a=b"),
            ("no pairs", ""),
        ] {
            assert_eq!(shown(&pairs(text, &AUTOMATIC)), found, "{text}");
        }
    }

    #[test]
    fn delimiters_are_sets_of_characters() {
        let options = Options { pair_delimiters: Some("|;"), key_delimiters: Some("=:"), ..AUTOMATIC };
        assert_eq!(shown(&pairs("a=1|b:2; c = \"x|y\"|d=http://x", &options)), "a=1|b=2|c=x|y");
    }

    #[test]
    fn tags_are_found_in_loose_text() {
        let found = tags("x <a>1</a> < 2 <b n='1'>c &amp; d</b><e><f>g</f><f>h</f></e><i/></j>");
        let found: Vec<String> = found.iter().map(|(name, values)| format!("{name}={}", values.join("+"))).collect();
        assert_eq!(found, ["a=1", "b=c & d", "f=g+h"]);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in r#"[a= "'\\<>/é|;]{0,30}"#) {
            pairs(&text, &AUTOMATIC);
            pairs(&text, &Options { pair_delimiters: Some("é|"), key_delimiters: Some("é="), ..AUTOMATIC });
            tags(&text);
        }
    }
}
