//! Pieces of text, looked for in many texts at once.

use std::ops::Range;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use regex::bytes::{Regex, RegexBuilder};

/// Finds pieces, of which any may stand anywhere.
#[derive(Debug)]
pub(super) enum Finder {
    Infixes(Infixes),
    /// Where there are too many of them, or one has but one letter.
    Regex(Regex),
}

impl Finder {
    /// For pieces that are not empty; without regard to letter case they are of ASCII. `None` if they are too much for
    /// the regex engine.
    pub(super) fn new(pieces: &[String], case: bool) -> Option<Self> {
        let regex = || {
            let either = pieces.iter().map(|piece| regex::escape(piece)).collect::<Vec<_>>().join("|");
            RegexBuilder::new(&either).unicode(case).case_insensitive(!case).build().ok()
        };
        Infixes::new(pieces, case).map(Self::Infixes).or_else(|| regex().map(Self::Regex))
    }

    /// Where a piece stands from a byte on. In texts that are joined, those inside one text come before those inside the
    /// next; one that stands in both may come at any time.
    pub(super) fn find_at(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        match self {
            Self::Infixes(infixes) => infixes.find_at(bytes, from),
            Self::Regex(regex) => regex.find_at(bytes, from).map(|found| found.range()),
        }
    }
}

/// How much of a piece is looked for before the rest of it is compared.
const INFIX: usize = 3;
/// In more forms they are no faster to look for than the pieces.
const MOST_FORMS: usize = 48;
/// What stands in paths and command lines, from the frequent to the rare. The regex engine would begin with a backslash,
/// which is rare elsewhere.
const FREQUENT: &[u8] = b"e\\onitsrac. mdwlpx-h\"3u2f/g:b_v14y=0k,5q;'867j9z";

/// The rarest part of each piece.
#[derive(Debug)]
pub(super) struct Infixes {
    searcher: Searcher,
    /// The pieces, and where in each its infix begins.
    pieces: Vec<(Box<[u8]>, usize)>,
    case: bool,
}

impl Infixes {
    fn new(pieces: &[String], case: bool) -> Option<Self> {
        let (mut forms, mut places) = (Vec::new(), Vec::new());
        for piece in pieces.iter().map(|piece| piece.as_bytes()) {
            let rarity = |byte: &u8| {
                let place = FREQUENT.iter().position(|known| *known == byte.to_ascii_lowercase());
                place.unwrap_or(FREQUENT.len())
            };
            let infixes = piece.windows(INFIX.min(piece.len())).enumerate();
            let rarest = infixes.max_by_key(|(_, infix)| infix.iter().map(rarity).sum::<usize>());
            let (at, infix) = rarest.filter(|(_, infix)| infix.len() > 1)?;
            forms.extend(if case { vec![infix.to_vec()] } else { in_any_case(infix) });
            places.push((piece.into(), at));
        }
        let searcher = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(&forms).build();
        Some(Self { searcher: searcher.filter(|_| forms.len() <= MOST_FORMS)?, pieces: places, case })
    }

    fn find_at(&self, bytes: &[u8], from: usize) -> Option<Range<usize>> {
        let mut at = from;
        while at < bytes.len() {
            let infix = self.searcher.find_in(bytes, Span::from(at..bytes.len()))?.start();
            if let Some(piece) = self.piece(bytes, infix, from) {
                return Some(piece);
            }
            at = infix.saturating_add(1);
        }
        None
    }

    /// The piece whose infix may begin at a byte. It begins behind another byte.
    fn piece(&self, bytes: &[u8], infix: usize, from: usize) -> Option<Range<usize>> {
        self.pieces.iter().find_map(|(piece, at)| {
            let begin = infix.checked_sub(*at).filter(|begin| *begin >= from)?;
            let range = begin..begin.checked_add(piece.len())?;
            let there = bytes.get(range.clone())?;
            let same = if self.case { there == &**piece } else { there.eq_ignore_ascii_case(piece) };
            same.then_some(range)
        })
    }
}

/// Letters in each combination of great and small.
fn in_any_case(letters: &[u8]) -> Vec<Vec<u8>> {
    letters.iter().fold(vec![Vec::new()], |forms, letter| {
        let (small, great) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        let of = |letter: u8| forms.iter().map(move |form: &Vec<u8>| [form.as_slice(), &[letter]].concat());
        let mut all: Vec<Vec<u8>> = of(small).collect();
        if great != small {
            all.extend(of(great));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pieces: &[&str], case: bool, text: &str) -> Option<Range<usize>> {
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        Finder::new(&pieces, case).unwrap().find_at(text.as_bytes(), 1)
    }

    #[test]
    fn pieces_are_found_by_their_rarest_part() {
        let long = "C:\\Windows\\".repeat(20);
        for before in ["x", long.as_str()] {
            let text = format!("{before} -Enc QUJD");
            let at = before.len() + 1;
            assert_eq!(found(&["-enc"], false, &text), Some(at..at + 4));
            assert_eq!(found(&["-enc"], true, &text), None);
            assert_eq!(found(&["-Enc"], true, &text), Some(at..at + 4));
            // Several pieces may have the same rarest part, and one may be a part of another.
            assert_eq!(found(&["xenc q", "enc", "-enc q"], false, &text), Some(at + 1..at + 4));
            assert_eq!(found(&["c:\\windows\\qujd", "qujd"], false, &text), Some(at + 5..at + 9));
            assert_eq!(found(&["nowhere", "n"], false, &format!("{text}N")).map(|piece| piece.len()), Some(1));
        }
        assert_eq!(found(&["enc"], false, "enc"), None);
        assert_eq!(found(&["xenc", "enc"], false, "xenc"), Some(1..4));
        assert_eq!(found(&["enc"], false, ""), None);
    }

    #[test]
    fn many_pieces_are_left_to_the_regex_engine() {
        let pieces: Vec<String> = (b'a'..=b'z').map(|letter| format!("x{}y", char::from(letter))).collect();
        assert!(matches!(Finder::new(&pieces, false), Some(Finder::Regex(_))));
        assert!(matches!(Finder::new(&["/".to_owned()], true), Some(Finder::Regex(_))));
        // Other processors have no instructions for looking for several texts at once.
        if cfg!(target_arch = "x86_64") {
            assert!(matches!(Finder::new(&pieces, true), Some(Finder::Infixes(_))));
        }
    }
}
