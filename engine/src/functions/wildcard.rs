//! Search values with `*` wildcards.

use std::sync::OnceLock;

use arrow::array::{Array, BooleanArray, StringArray};
use arrow::buffer::BooleanBuffer;
use memchr::memmem;

use super::kernel::TextTest;
use super::pieces::Finder;

/// A search value with `*` wildcards, compared with a whole text.
#[derive(Debug)]
pub enum Wildcard {
    /// Any text at all.
    Anything,
    /// The text itself.
    Exact(String),
    /// A beginning.
    Prefix(String),
    /// An end.
    Suffix(String),
    /// A piece.
    Infix(Box<memmem::Finder<'static>>),
    /// Anything else.
    Regex(regex::Regex),
}

impl Wildcard {
    /// Classifies a pattern that is compared without regard to letter case.
    ///
    /// # Errors
    /// The regex engine's explanation for a pattern too large for it.
    pub fn any_case(pattern: &str) -> Result<Wildcard, String> {
        Self::new(pattern, false)
    }

    /// Classifies a pattern whose letter case counts.
    ///
    /// # Errors
    /// The regex engine's explanation for a pattern too large for it.
    pub fn same_case(pattern: &str) -> Result<Wildcard, String> {
        Self::new(pattern, true)
    }

    fn new(pattern: &str, case: bool) -> Result<Wildcard, String> {
        // The byte-wise tests fold ASCII only; a pattern with other letters takes the engine that folds all.
        let pieces: Vec<&str> = pattern.split('*').collect();
        if pieces.iter().all(|piece| piece.is_empty()) && pieces.len() > 1 {
            return Ok(Wildcard::Anything);
        }
        if !case && pattern.is_ascii() {
            match pieces.as_slice() {
                [text] => return Ok(Wildcard::Exact((*text).to_string())),
                [text, ""] => return Ok(Wildcard::Prefix((*text).to_string())),
                ["", text] => return Ok(Wildcard::Suffix((*text).to_string())),
                ["", text, ""] => {
                    let finder = memmem::Finder::new(&text.to_ascii_lowercase()).into_owned();
                    return Ok(Wildcard::Infix(Box::new(finder)));
                }
                _ => {}
            }
        }
        let body = pieces.iter().map(|piece| regex::escape(piece)).collect::<Vec<_>>().join(".*");
        let flags = if case { "(?s)" } else { "(?si)" };
        regex::Regex::new(&format!("{flags}^{body}$")).map(Wildcard::Regex).map_err(|error| error.to_string())
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        match self {
            Wildcard::Anything => true,
            Wildcard::Exact(exact) => fold_equal(bytes, exact.as_bytes()),
            Wildcard::Prefix(prefix) => {
                bytes.get(..prefix.len()).is_some_and(|start| fold_equal(start, prefix.as_bytes()))
            }
            Wildcard::Suffix(suffix) => bytes
                .len()
                .checked_sub(suffix.len())
                .and_then(|start| bytes.get(start..))
                .is_some_and(|end| fold_equal(end, suffix.as_bytes())),
            Wildcard::Infix(finder) => {
                thread_local! {
                    static LOWER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
                }
                LOWER.with_borrow_mut(|lower| {
                    lower.clear();
                    lower.extend(bytes.iter().map(u8::to_ascii_lowercase));
                    finder.find(lower).is_some()
                })
            }
            Wildcard::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Equality without regard to ASCII letter case.
fn fold_equal(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// From so many bytes on, pieces are looked for in all texts of a column at once.
const WORTHWHILE: usize = 1 << 14;

/// Several wildcards, of which a text is to fit any.
#[derive(Debug)]
pub struct Wildcards {
    each: Vec<Wildcard>,
    /// Where all of them are pieces: the pieces, and whether their letter case counts.
    pieces: Option<(Vec<String>, bool)>,
    /// What looks for the pieces in many texts at once.
    finder: OnceLock<Option<Finder>>,
}

impl Wildcards {
    /// Patterns that are compared without regard to letter case.
    ///
    /// # Errors
    /// As [`Wildcard::any_case`].
    pub fn any_case(patterns: &[&str]) -> Result<Self, String> {
        Self::new(patterns, false)
    }

    /// Patterns whose letter case counts.
    ///
    /// # Errors
    /// As [`Wildcard::same_case`].
    pub fn same_case(patterns: &[&str]) -> Result<Self, String> {
        Self::new(patterns, true)
    }

    fn new(patterns: &[&str], case: bool) -> Result<Self, String> {
        let each = patterns.iter().map(|pattern| Wildcard::new(pattern, case)).collect::<Result<_, _>>()?;
        let piece = |pattern: &&str| {
            let piece = pattern.strip_prefix('*')?.strip_suffix('*')?;
            // Without regard to case, the search in bytes folds ASCII only.
            let is_one = !piece.is_empty() && !piece.contains('*') && (case || piece.is_ascii());
            is_one.then(|| piece.to_owned())
        };
        let pieces = patterns.iter().map(piece).collect::<Option<Vec<_>>>();
        Ok(Self { each, pieces: pieces.map(|pieces| (pieces, case)), finder: OnceLock::new() })
    }

    fn finder(&self) -> Option<&Finder> {
        let (pieces, case) = self.pieces.as_ref()?;
        self.finder.get_or_init(|| Finder::new(pieces, *case)).as_ref()
    }
}

impl TextTest for Wildcards {
    fn passes(&self, text: &str) -> bool {
        self.each.iter().any(|wildcard| wildcard.matches(text))
    }

    fn passing(&self, texts: &StringArray) -> BooleanArray {
        let offsets = texts.value_offsets();
        let bounds = offsets.first().zip(offsets.last());
        let bounds = bounds.and_then(|(&first, &last)| Some(usize::try_from(first).ok()?..usize::try_from(last).ok()?));
        let joined = bounds.filter(|bounds| bounds.len() >= WORTHWHILE);
        let joined = joined.and_then(|bounds| texts.value_data().get(bounds));
        let Some((joined, finder)) = joined.zip(self.finder()) else {
            return texts.iter().map(|text| text.map(|text| self.passes(text))).collect();
        };
        let begin = offsets.first().copied().unwrap_or_default();
        // Where a text ends in what is joined.
        let end = |row: usize| {
            let end = offsets.get(row.saturating_add(1)).and_then(|end| end.checked_sub(begin));
            end.and_then(|end| usize::try_from(end).ok()).unwrap_or(joined.len())
        };
        let mut passing = vec![false; texts.len()];
        let (mut row, mut at) = (0_usize, 0_usize);
        while let Some(found) = finder.find_at(joined, at) {
            let ends = offsets.get(row.saturating_add(1)..).unwrap_or_default();
            row = row.saturating_add(ends.partition_point(|&end| {
                usize::try_from(end.saturating_sub(begin)).is_ok_and(|end| end <= found.start)
            }));
            // What begins in one text and ends in another hides what else is in the one.
            let is_inside = found.end <= end(row);
            let Some(passes) = passing.get_mut(row) else { break };
            *passes = is_inside || self.passes(texts.value(row));
            at = end(row);
            row = row.saturating_add(1);
        }
        BooleanArray::new(BooleanBuffer::from(passing), texts.nulls().cloned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_cover_the_whole_text_in_any_case() {
        for (pattern, text, expected) in [
            (r"*\cmd.exe", r"C:\Windows\CMD.EXE", true),
            (r"*\cmd.exe", r"C:\Windows\xcmd.exe", false),
            ("*-Exec*", "powershell -executionpolicy", true),
            ("a*c*e", "ABCDE", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("straße*", "STRASSE 1", false),
            ("ÄRGER*", "ärger 1", true),
            ("a.c", "abc", false),
            ("*a*", "line\nbreak a", true),
        ] {
            assert_eq!(Wildcard::any_case(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    /// A wildcard match written the obvious way.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((&'*', rest)), None) => naive(rest, text),
            (Some((&'*', rest)), Some((_, tail))) => naive(rest, text) || naive(pattern, tail),
            (Some((a, rest)), Some((b, tail))) => a.eq_ignore_ascii_case(b) && naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_the_naive_twin(pattern in r"[ab*\\.]{0,6}", text in r"[abAB\\.]{0,8}") {
            let twin = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
            prop_assert_eq!(Wildcard::any_case(&pattern).unwrap().matches(&text), twin);
        }

        #[test]
        fn all_at_once_is_one_by_one(
            texts in prop::collection::vec(prop::option::weighted(0.9, "[abxABX*\u{e9}\u{c9}]{0,12}"), 0..40),
            // Of long ones but the rarest letters are looked for first, and one letter is left to the regex engine.
            pieces in prop_oneof![
                prop::collection::vec("[abxABX]{2,6}", 1..4),
                prop::collection::vec("[abAB\u{e9}]{1,3}", 1..4),
            ],
            case in any::<bool>(),
        ) {
            // Enough of them that it is worth it, and a part of a longer column.
            let some: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            let long = "c".repeat(WORTHWHILE);
            let array: StringArray = [Some("ab")].into_iter().chain(some).chain([Some(long.as_str())]).collect();
            let array = array.slice(1, array.len() - 1);
            let patterns: Vec<String> = pieces.iter().map(|piece| format!("*{piece}*")).collect();
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let wildcards = Wildcards::new(&patterns, case).unwrap();
            let one_by_one: BooleanArray =
                array.iter().map(|text| text.map(|text| wildcards.passes(text))).collect();
            prop_assert_eq!(wildcards.passing(&array), one_by_one);
        }
    }
}
