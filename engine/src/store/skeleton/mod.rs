//! The text of an event without the values that its fields hold already.
//!
//! Most of a line of JSON or of an event's XML is values that are fields too. A store keeps what is left, the skeleton,
//! which thousands of events share: the text with a reference in the place of each value. A value that is no field and
//! changes from event to event is a gap, and is kept beside the skeleton. An event is kept so only if its text comes
//! out again byte for byte; any other keeps its text.
//!
//! `tokens` finds the values in a text, `fold` takes them out, and `functions/restored.rs` puts them back while a
//! search runs. In writing, references stand between two characters 1: how the value is written, then the name of the
//! field. A text that has this character itself is not taken apart.

pub(crate) mod fold;
mod tokens;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Write as _;

/// The column of the skeletons.
pub(crate) const SKELETON: &str = "_raw_skeleton";
/// The column of what fills the gaps of an event, one after the other.
pub(crate) const GAPS: &str = "_raw_gaps";
/// What a file says of itself under this key: the names of the fields that its skeletons refer to, as JSON.
pub(crate) const METADATA: &str = "spelunk:in_text";
/// What stands before and after a reference, and between what fills gaps.
pub(crate) const MARK: char = '\u{1}';
/// A longer text is kept as it is: a batch of events has to fit into an Arrow array when it is put together.
const MOST_TEXT: usize = 64 << 10;

/// How a value stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Verbatim,
    /// In a JSON string, escaped where it has to be.
    Json,
    /// The same in ASCII only, as Python writes it.
    AsciiJson,
    /// The same with escaped slashes, as PHP writes it.
    SlashedJson,
    /// In XML, with `&`, `<` and `>` escaped.
    Xml,
    /// The same with both quotes escaped too.
    QuotedXml,
}

/// Every style with its letter.
const STYLES: [(Style, char); 6] = [
    (Style::Verbatim, 'v'),
    (Style::Json, 'j'),
    (Style::AsciiJson, 'a'),
    (Style::SlashedJson, 's'),
    (Style::Xml, 'x'),
    (Style::QuotedXml, 'q'),
];
/// The letter of a gap.
const GAP: char = 'g';

impl Style {
    fn escapes(self, byte: u8) -> bool {
        match self {
            Style::Verbatim => false,
            Style::Json => byte < 0x20 || byte == b'"' || byte == b'\\',
            Style::AsciiJson => !(0x20..0x80).contains(&byte) || byte == b'"' || byte == b'\\',
            Style::SlashedJson => byte < 0x20 || matches!(byte, b'"' | b'\\' | b'/'),
            Style::Xml => matches!(byte, b'&' | b'<' | b'>'),
            Style::QuotedXml => matches!(byte, b'&' | b'<' | b'>' | b'\'' | b'"'),
        }
    }

    /// The value as it stands in the text.
    pub(crate) fn written(self, value: &str) -> Cow<'_, str> {
        if !value.bytes().any(|byte| self.escapes(byte)) {
            return Cow::Borrowed(value);
        }
        let mut out = String::with_capacity(value.len().saturating_add(16));
        for letter in value.chars() {
            let escaped = match self {
                Style::Verbatim => None,
                Style::Xml | Style::QuotedXml => entity(letter).filter(|_| self.escapes_letter(letter)),
                _ => escape(letter).filter(|_| self.escapes_letter(letter)),
            };
            match escaped {
                Some(escaped) => out.push_str(escaped),
                None if self.escapes_letter(letter) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        // Writing to a text cannot fail.
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                None => out.push(letter),
            }
        }
        Cow::Owned(out)
    }

    fn escapes_letter(self, letter: char) -> bool {
        match u8::try_from(u32::from(letter)) {
            Ok(byte) if byte < 0x80 => self.escapes(byte),
            _ => self == Style::AsciiJson,
        }
    }
}

fn escape(letter: char) -> Option<&'static str> {
    Some(match letter {
        '"' => "\\\"",
        '\\' => "\\\\",
        '/' => "\\/",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        _ => return None,
    })
}

fn entity(letter: char) -> Option<&'static str> {
    Some(match letter {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '\'' => "&apos;",
        '"' => "&quot;",
        _ => return None,
    })
}

/// A part of a skeleton; `F` names a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<F> {
    /// What stands in the text itself; never empty, and never beside another one.
    Text(String),
    /// The value of a field.
    Field(F, Style),
    /// What is kept beside the skeleton.
    Gap,
}

/// A skeleton taken apart.
pub(crate) type Skeleton<F> = Vec<Part<F>>;

/// The skeleton in writing.
pub(crate) fn printed<F>(skeleton: &[Part<F>], name: impl Fn(&F) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    for part in skeleton {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Field(field, style) => {
                let letter = STYLES.iter().find(|(known, _)| known == style)?.1;
                out.extend([MARK, letter]);
                out.push_str(&name(field)?);
                out.push(MARK);
            }
            Part::Gap => out.extend([MARK, GAP, MARK]),
        }
    }
    Some(out)
}

/// Reads a skeleton; `None` where it is none, or names a field that is not there.
pub(crate) fn parsed<F>(text: &str, field: impl Fn(&str) -> Option<F>) -> Option<Skeleton<F>> {
    let mut skeleton = Vec::new();
    let mut pieces = text.split(MARK);
    loop {
        let literal = pieces.next()?;
        if !literal.is_empty() {
            skeleton.push(Part::Text(literal.to_owned()));
        }
        let Some(reference) = pieces.next() else { return Some(skeleton) };
        let mut letters = reference.chars();
        let letter = letters.next()?;
        skeleton.push(match STYLES.iter().find(|(_, known)| *known == letter) {
            Some((style, _)) => Part::Field(field(letters.as_str())?, *style),
            None if reference == "g" => Part::Gap,
            None => return None,
        });
    }
}

/// Puts a text together; false where a value is missing.
pub(crate) fn restore<'v, F>(
    skeleton: &[Part<F>],
    value: impl Fn(&F, Style) -> Option<Cow<'v, str>>,
    gaps: &str,
    out: &mut String,
) -> bool {
    let mut gaps = gaps.split(MARK);
    for part in skeleton {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Gap => match gaps.next() {
                Some(text) => out.push_str(text),
                None => return false,
            },
            Part::Field(field, style) => match value(field, *style) {
                Some(text) => out.push_str(&text),
                None => return false,
            },
        }
    }
    true
}
