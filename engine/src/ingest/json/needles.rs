//! Short texts that are looked for in a block all at once.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use memchr::memmem;

/// Texts of which a block may have any. How fast they are looked for does not depend on how frequent their letters are:
/// looked for one by one, `\u00` stops at every backslash, of which the logs of Windows are full.
#[derive(Debug)]
pub(super) struct Needles {
    /// None where the processor has no instructions for it.
    searcher: Option<Searcher>,
    texts: &'static [&'static str],
}

impl Needles {
    pub(super) fn new(texts: &'static [&'static str]) -> Self {
        let searcher = Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(texts).build();
        Self { searcher, texts }
    }

    /// Whether any is there.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        match &self.searcher {
            Some(searcher) => searcher.find(bytes).is_some(),
            None => self.texts.iter().any(|text| memmem::find(bytes, text.as_bytes()).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_wherever_it_stands() {
        let needles = Needles::new(&["\\u00", "_raw"]);
        let plain = "C:\\users\\u0 raw_ ".repeat(40);
        assert!(!needles.are_in(plain.as_bytes()) && !needles.are_in(b""));
        for at in [0, 1, 63, 64, 300, plain.len()] {
            for needle in ["\\u00", "_raw"] {
                let text = [&plain[..at], needle, &plain[at..]].concat();
                assert!(needles.are_in(text.as_bytes()), "{needle} at {at}");
            }
        }
    }
}
