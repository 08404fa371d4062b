//! Pieces of words, looked for in the text of many events at once.

use regex::bytes::Regex;

/// More alternatives are not worth looking for all of them at once.
const MOST_WORDS: usize = 16;

/// More are faster to look for by a regex.
pub(crate) const MOST_PAIRS: usize = 4;

/// What stands in events that are written as JSON, from the frequent to the rare.
const FREQUENT: &[u8] = br#""e0soir:tacd,n-m214\pul65f38w.b79gyhvx k{}z=@/j%()+|q_;?$"#;

/// How far apart the letters of a pair are at most.
const FARTHEST: usize = 63;

/// Pieces of words of which an event's text has to have one.
#[derive(Debug)]
pub(crate) struct Words {
    regex: Regex,
    /// The same, where there are few and all are ASCII.
    pairs: Option<Vec<Pair>>,
}

/// A text that is looked for by two of its letters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    text: Box<[u8]>,
    any_case: bool,
    /// The place of the second letter.
    second: usize,
    /// How far behind the first it stands, from 1 to 63.
    pub(crate) apart: u32,
    /// Both, with the bits of `fold`.
    pub(crate) letters: [u8; 2],
    /// Bits that do not matter.
    pub(crate) fold: u8,
}

impl Words {
    /// For pieces that are looked for in any letter case.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        if words.len() > MOST_WORDS {
            return None;
        }
        let are_simple =
            words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric() && !is_others(byte)));
        // Any character may stand in JSON as its number; and the text of an event, where a record has it as a value, in
        // other characters than its own. Both are rare, and looked for at the same time.
        let others: &[&str] = if are_simple { &[r"\u00"] } else { &[r"\u00", "_raw"] };
        let joined = |texts: &[&str]| texts.iter().map(|text| regex::escape(text)).collect::<Vec<_>>().join("|");
        let regex = Regex::new(&format!("(?i:{})|{}", joined(words), joined(others))).ok()?;
        let is_few = words.len().saturating_add(others.len()) <= MOST_PAIRS;
        let pairs = words.iter().map(|word| Pair::new(word, true));
        let pairs = || pairs.chain(others.iter().map(|other| Pair::new(other, false))).collect::<Option<Vec<_>>>();
        Some(Words { regex, pairs: is_few.then(pairs).flatten() })
    }

    /// Where the next one begins, or what may stand for one in JSON.
    pub(crate) fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.regex.find_at(bytes, from.min(bytes.len())).map(|found| found.start())
    }

    /// What to look for instead where that is faster, beside letters of other scripts that are taken for ASCII.
    pub(crate) fn pairs(&self) -> Option<&[Pair]> {
        self.pairs.as_deref()
    }
}

/// How rare a byte is, whether it is a great letter or a small one: more is rarer.
fn rarity(byte: u8) -> usize {
    FREQUENT.iter().position(|known| *known == byte.to_ascii_lowercase()).unwrap_or(FREQUENT.len())
}

/// Whether other scripts have a letter that is taken for it in any letter case.
fn is_others(byte: u8) -> bool {
    matches!(byte, b'k' | b'K' | b's' | b'S')
}

impl Pair {
    fn new(text: &str, any_case: bool) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let bytes = text.as_bytes();
        let fold = if any_case { b' ' } else { 0 };
        let letters = || bytes.iter().copied().enumerate();
        let behind = |place: usize| letters().skip(place.saturating_add(1)).take(FARTHEST);
        let pairs = letters().flat_map(|first| behind(first.0).map(move |second| (first, second)));
        let ((first, letter), (second, other)) =
            pairs.max_by_key(|(first, second)| rarity(first.1).saturating_add(rarity(second.1)))?;
        Some(Pair {
            text: bytes.into(),
            any_case,
            second,
            apart: u32::try_from(second.saturating_sub(first)).ok()?,
            letters: [letter | fold, other | fold],
            fold,
        })
    }

    /// Whether the text may be there with letters of other scripts.
    pub(crate) fn has_letters_of_others(&self) -> bool {
        self.any_case && self.text.iter().copied().any(is_others)
    }

    /// Whether the text is there whose second letter of the pair may be at a place.
    pub(crate) fn is_at(&self, bytes: &[u8], second: usize) -> bool {
        let there = second.checked_sub(self.second).and_then(|begin| bytes.get(begin..)?.get(..self.text.len()));
        there.is_some_and(
            |there| {
                if self.any_case { there.eq_ignore_ascii_case(&self.text) } else { *there == *self.text }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_letters_make_the_pair() {
        let pair = Pair::new("Mimikatz", true).unwrap();
        assert_eq!((pair.letters, pair.second, pair.apart, pair.fold), ([b'k', b'z'], 7, 3, 0x20));
        assert!(pair.is_at(b"a MIMIkatz", 9) && !pair.is_at(b"a MIMIkats", 9));
        assert!(!pair.is_at(b"katz", 3) && !pair.is_at(b"mimikatz", 8));
        let pair = Pair::new(r"\u00", false).unwrap();
        assert_eq!(pair.letters, *br"\u");
        assert!(pair.is_at(br"x\u0041", pair.second + 1) && !pair.is_at(br"x\U0041", pair.second + 1));
    }

    #[test]
    fn what_has_no_pair_is_left_to_the_regex() {
        assert_eq!(Pair::new("x", true), None);
        assert_eq!(Pair::new("straße", true), None);
        assert_eq!(Words::new(&["dcomcnfg"]).unwrap().pairs().map(<[Pair]>::len), Some(2));
        assert_eq!(Words::new(&["mimikatz", "x86"]).unwrap().pairs().map(<[Pair]>::len), Some(4));
        assert_eq!(Words::new(&["a1", "b2", "c3", "d4"]).unwrap().pairs(), None);
        assert!(Words::new(&["word"; 17]).is_none());
    }
}
