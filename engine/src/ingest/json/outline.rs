//! What a block of lines looks like from outside, told in one pass over its bytes.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

use crate::ingest::words::Pair;

/// How many bytes are looked at together.
const STEP: usize = 64;

/// The bit that all of other scripts have, and no ASCII character.
const OTHERS: u8 = 0x80;

/// What is taken for an ASCII letter in any letter case, as bytes: the sign of Kelvin and the long s.
const TAKEN_FOR_ASCII: [&[u8]; 2] = ["\u{212a}".as_bytes(), "\u{17f}".as_bytes()];

/// The lines of a block of text in which no character is that JSON never has, as there may be where a disk lost a sector.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outline {
    /// Where they end.
    pub(super) ends: Vec<usize>,
    /// A place in each line that has a text which was looked for, or more places, line by line.
    pub(super) hits: Vec<usize>,
}

impl Outline {
    /// That of a block, if it is such text.
    pub(super) fn of(bytes: &[u8], pairs: &[Pair]) -> Option<Self> {
        // More than lines usually are many.
        let ends = Vec::with_capacity(bytes.len() / 256);
        let outline = Outline { ends, hits: Vec::new() };
        let mut seen = Seen { bytes, pairs, outline, begin: 0, is_ascii: true, is_text: true, in_order: true };
        match *pairs {
            [] => seen.look([]),
            [ref a] => seen.look([a]),
            [ref a, ref b] => seen.look([a, b]),
            [ref a, ref b, ref c] => seen.look([a, b, c]),
            [ref a, ref b, ref c, ref d] => seen.look([a, b, c, d]),
            _ => return None,
        }
        seen.end_line(bytes.len());
        if !seen.in_order {
            seen.outline.hits.sort_unstable();
        }
        seen.is_text.then_some(seen.outline)
    }
}

/// What was seen of a block so far.
#[derive(Debug)]
struct Seen<'b> {
    bytes: &'b [u8],
    pairs: &'b [Pair],
    outline: Outline,
    /// Where the line at hand begins.
    begin: usize,
    /// Whether that line is ASCII so far; it may be where this is false.
    is_ascii: bool,
    is_text: bool,
    /// Whether hits were found line by line: where a step has the ends of several lines, they may not be.
    in_order: bool,
}

/// What a pair is looked for with.
#[derive(Clone, Copy)]
struct Letters<S: Simd> {
    fold: u8x64<S>,
    first: u8x64<S>,
    second: u8x64<S>,
    apart: u32,
    /// Where the first letter was in the step before, a bit each.
    before: u64,
}

/// Compiled for each kind of processor, for which it has to stand where it is called from.
#[inline(always)]
fn look<S: Simd, const N: usize>(simd: S, pairs: [&Pair; N], seen: &mut Seen<'_>) {
    let all = |byte: u8| u8x64::splat(simd, byte);
    let mut letters = pairs.map(|pair| {
        let [first, second] = pair.letters.map(all);
        Letters { fold: all(pair.fold), first, second, apart: pair.apart, before: 0 }
    });
    let (steps, rest) = seen.bytes.as_chunks::<STEP>();
    let mut begin = 0_usize;
    for step in steps {
        look_at(simd, step, begin, &mut letters, seen);
        begin = begin.saturating_add(STEP);
    }
    let mut last = [b' '; STEP];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    look_at(simd, &last, begin, &mut letters, seen);
}

#[inline(always)]
fn look_at<S: Simd, const N: usize>(
    simd: S,
    step: &[u8; STEP],
    begin: usize,
    letters: &mut [Letters<S>; N],
    seen: &mut Seen<'_>,
) {
    let vector = u8x64::from_slice(simd, step);
    let mut may_be_there = 0;
    for pair in letters {
        let folded = vector | pair.fold;
        let first = folded.simd_eq(pair.first).to_bitmask();
        let second = folded.simd_eq(pair.second).to_bitmask();
        // By 1 to 63 places.
        let behind = first.wrapping_shl(pair.apart) | pair.before.wrapping_shr(pair.apart.wrapping_neg());
        pair.before = first;
        may_be_there |= second & behind;
    }
    // With that bit turned over, control characters and other scripts alike come before the others.
    let is_rare = (vector ^ u8x64::splat(simd, OTHERS)).simd_lt(u8x64::splat(simd, b' ' ^ OTHERS)).to_bitmask();
    if is_rare != 0 {
        let controls = vector.simd_lt(u8x64::splat(simd, b' ')).to_bitmask();
        seen.rare(begin, controls, controls != is_rare);
    }
    if may_be_there != 0 {
        seen.compare(begin, may_be_there);
    }
}

/// The places of bits, and the number of the first.
fn places(begin: usize, mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = usize::try_from((bits != 0).then(|| bits.trailing_zeros())?).ok()?;
        // All but the lowest.
        bits &= bits.wrapping_sub(1);
        Some(begin.saturating_add(place))
    })
}

fn has_taken_for_ascii(line: &[u8]) -> bool {
    let [[kelvin, ..], [long, ..]] = TAKEN_FOR_ASCII else { return false };
    let begins =
        |at: usize| line.get(at..).is_some_and(|rest| TAKEN_FOR_ASCII.iter().any(|text| rest.starts_with(text)));
    memchr::memchr2_iter(*kelvin, *long, line).any(begins)
}

impl Seen<'_> {
    fn look<const N: usize>(&mut self, pairs: [&Pair; N]) {
        dispatch!(Level::new(), simd => look(simd, pairs, self));
    }

    /// Takes the control characters of a step, a bit each. `has_others` where it has other than ASCII.
    // Like `compare` it stays out of the loop, so that the registers are the loop's.
    #[inline(never)]
    fn rare(&mut self, begin: usize, controls: u64, has_others: bool) {
        self.is_ascii &= !has_others;
        for at in places(begin, controls) {
            match self.bytes.get(at) {
                Some(b'\n') => {
                    self.end_line(at);
                    self.outline.ends.push(at);
                    self.begin = at.saturating_add(1);
                    self.is_ascii = !has_others;
                }
                Some(b'\r' | b'\t') | None => {}
                Some(_) => self.is_text = false,
            }
        }
    }

    fn end_line(&mut self, end: usize) {
        if self.is_ascii {
            return;
        }
        let line = self.bytes.get(self.begin..end).unwrap_or_default();
        self.is_text &= simdutf8::basic::from_utf8(line).is_ok();
        if self.pairs.iter().any(Pair::has_letters_of_others) && has_taken_for_ascii(line) {
            self.outline.hits.push(self.begin);
            self.in_order = false;
        }
    }

    /// Compares texts where the letters of their pairs are, a bit for each second one.
    #[inline(never)]
    fn compare(&mut self, begin: usize, second: u64) {
        let is_of_line = |hit: &usize| *hit >= self.begin;
        if self.begin <= begin && self.outline.hits.last().is_some_and(is_of_line) {
            // One is enough for a line, which may be as long as a file.
            return;
        }
        let is_there = |at: &usize| self.pairs.iter().any(|pair| pair.is_at(self.bytes, *at));
        self.outline.hits.extend(places(begin, second).filter(is_there));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ingest::words::Words;

    /// Where lines end, and whether each has a word, found byte by byte.
    fn naive(bytes: &[u8], words: &Words) -> Option<(Vec<usize>, Vec<bool>)> {
        let is_odd = |byte: &u8| *byte < 0x20 && !b"\n\r\t".contains(byte);
        if bytes.iter().any(is_odd) || std::str::from_utf8(bytes).is_err() {
            return None;
        }
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
        let has_word = |line: &[u8]| words.find(line, 0).is_some();
        Some((ends, bytes.split(|byte| *byte == b'\n').map(has_word).collect()))
    }

    fn outlined(bytes: &[u8], words: &Words) -> Option<(Vec<usize>, Vec<bool>)> {
        let outline = Outline::of(bytes, words.pairs().unwrap())?;
        let begins = [0].into_iter().chain(outline.ends.iter().map(|end| end + 1));
        let lines = begins.zip(outline.ends.iter().copied().chain([bytes.len()]));
        let has_hit = |(begin, end)| outline.hits.iter().any(|hit| (begin..end).contains(hit));
        let has_hits = lines.map(has_hit).collect();
        // One line after the other.
        let line_of = |hit: &usize| outline.ends.partition_point(|end| end < hit);
        assert!(outline.hits.is_sorted_by_key(line_of));
        Some((outline.ends, has_hits))
    }

    #[test]
    fn every_byte_in_every_place_is_seen() {
        let words = Words::new(&["needle"]).unwrap();
        for length in [0, 1, 63, 64, 65, 128, 200] {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    assert_eq!(outlined(&bytes, &words), naive(&bytes, &words), "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_word_is_seen_wherever_it_stands() {
        let far = format!("q{}z", "-".repeat(62));
        for word in ["needle", "nE", "mimikatz", &far] {
            let words = Words::new(&[word]).unwrap();
            for at in 0..200 {
                let mut line = "x".repeat(200);
                line.replace_range(at..at, &word.to_ascii_uppercase());
                let text = format!("\n{line}\nother");
                assert_eq!(outlined(text.as_bytes(), &words), naive(text.as_bytes(), &words), "{word} at {at}");
                assert_eq!(outlined(text.as_bytes(), &words).unwrap().1, [false, true, false]);
            }
        }
    }

    #[test]
    fn letters_that_are_taken_for_ascii_are_seen() {
        let words = Words::new(&["mimikatz"]).unwrap();
        let text = "mimi\u{212a}atz\nmimicatz\nmım\n";
        assert_eq!(outlined(text.as_bytes(), &words).unwrap().1, [true, false, false, false]);
        // In one step, behind a line that has the word itself.
        let words = Words::new(&["task"]).unwrap();
        let text = "task\n\u{212a}\nother\ntask\n";
        assert_eq!(outlined(text.as_bytes(), &words).unwrap().1, [true, true, false, true, false]);
    }

    #[test]
    fn a_long_line_keeps_one_hit_a_step_at_most() {
        let words = Words::new(&["needle"]).unwrap();
        let text = format!("needle\n{}\nneedle\n", "\\u0041".repeat(10_000));
        let outline = Outline::of(text.as_bytes(), words.pairs().unwrap()).unwrap();
        assert!(outline.hits.len() < 40, "{}", outline.hits.len());
        assert_eq!(outlined(text.as_bytes(), &words).unwrap().1, [true, true, true, false]);
    }

    proptest! {
        #[test]
        fn it_is_what_a_regex_finds(
            text in r"([a-z]{0,9}([a-z]{40,90})?([\n\r\tä€😀\x00\x1f\x7f]|needle|TASK|ta\x{17f}k|tas\x{212a}|x86|\\u00|_raw|\n)?){0,16}",
            words in prop::sample::select(vec![vec!["needle"], vec!["x86"], vec!["Task"], vec!["Needle", "x86"]]),
        ) {
            let words = Words::new(&words).unwrap();
            prop_assert_eq!(outlined(text.as_bytes(), &words), naive(text.as_bytes(), &words));
        }
    }
}
