//! Cuts a stream into blocks that hold whole records, so that workers can read them side by side.

use std::io::{self, Read};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is read at once.
pub(crate) const BLOCK: usize = 2 << 20;

/// A record that is longer is skipped, because a damaged or hostile file must not take all memory.
pub(crate) const MAX_RECORD: usize = 256 << 20;

/// A piece of a text file.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    /// The number of its first line in the file, from 1.
    pub(crate) first_line: u64,
    /// Where its room goes back to.
    pub(crate) spare: Spare,
}

/// Room for further blocks: new room would cost more than what is read into it, because the system clears it first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    /// More is not kept.
    const MOST: usize = 16;

    /// Room with what was there before.
    pub(crate) fn take_used(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn take(&self) -> Vec<u8> {
        let mut bytes = self.take_used().unwrap_or_else(|| Vec::with_capacity(BLOCK.saturating_mul(2)));
        bytes.clear();
        bytes
    }

    pub(crate) fn give(&self, bytes: Vec<u8>) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A record that was very long is no measure for others.
        if spare.len() < Self::MOST && bytes.capacity() <= BLOCK.saturating_mul(4) {
            spare.push(bytes);
        }
    }
}

/// The text of a block.
#[derive(Debug)]
pub(crate) struct Text {
    text: String,
    spare: Spare,
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Lines {
    /// The text, if it is text, for readers that otherwise spend little on a byte.
    pub(crate) fn as_text(&self) -> Option<&str> {
        simdutf8::basic::from_utf8(&self.bytes).ok()
    }

    /// How many lines end in it.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(memchr::memchr_iter(b'\n', &self.bytes).count()).unwrap_or(0)
    }

    /// Gives the room back.
    pub(crate) fn recycle(self) {
        self.spare.give(self.bytes);
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.spare.give(std::mem::take(&mut self.text).into_bytes());
    }
}

/// Finds the ends of records.
pub(crate) trait Cutter {
    /// Looks at what `bytes` holds beyond what it has looked at before, and says where the last whole record
    /// ends that does, if any does.
    fn scan(&mut self, bytes: &[u8]) -> Option<usize>;

    /// Bytes were cut off the front.
    fn advance(&mut self, cut: usize);
}

/// What [`Blocks::next`] found.
#[derive(Debug)]
pub(crate) enum Next {
    Block(Lines),
    /// A place that cannot be read, and why; there may be more after it.
    Problem(String, String),
    End,
}

/// A stream in blocks.
pub(crate) struct Blocks {
    reader: Box<dyn Read + Send>,
    /// Read, but not yet part of a block.
    rest: Vec<u8>,
    line: u64,
    offset: u64,
    at_end: bool,
    error: Option<io::Error>,
    /// Whether a record that is too long is being skipped.
    is_skipping: bool,
    spare: Spare,
}

impl Blocks {
    /// `head` was read from `reader` before.
    pub(crate) fn new(head: Vec<u8>, reader: Box<dyn Read + Send>) -> Self {
        let spare = Spare::default();
        Blocks { reader, rest: head, line: 1, offset: 0, at_end: false, error: None, is_skipping: false, spare }
    }

    /// A stream that goes on where so many bytes and lines were read.
    pub(crate) fn behind(self, offset: u64, lines: u64) -> Self {
        Blocks { offset, line: lines.saturating_add(1), ..self }
    }

    /// Removes the first line, without its end.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.rest.split_off(length.min(self.rest.len()));
        let taken = std::mem::replace(&mut self.rest, rest);
        self.count(&taken);
        taken
    }

    /// The next block.
    pub(crate) fn next(&mut self, cutter: &mut dyn Cutter) -> Next {
        loop {
            if !self.at_end {
                self.fill();
            }
            if self.at_end {
                let bytes = std::mem::take(&mut self.rest);
                if bytes.is_empty() || self.is_skipping {
                    return match self.error.take() {
                        Some(error) => {
                            self.is_skipping = true;
                            Next::Problem(format!("byte {}", self.offset), error.to_string())
                        }
                        None => Next::End,
                    };
                }
                return Next::Block(self.block(bytes));
            }
            if let Some(cut) = cutter.scan(&self.rest) {
                let mut rest = self.spare.take();
                rest.extend_from_slice(self.rest.get(cut..).unwrap_or_default());
                self.rest.truncate(cut);
                let bytes = std::mem::replace(&mut self.rest, rest);
                cutter.advance(cut);
                let block = self.block(bytes);
                if !std::mem::take(&mut self.is_skipping) {
                    return Next::Block(block);
                }
            } else if self.rest.len() > MAX_RECORD {
                let bytes = std::mem::take(&mut self.rest);
                cutter.advance(bytes.len());
                let place = format!("line {}", self.line);
                self.count(&bytes);
                if !std::mem::replace(&mut self.is_skipping, true) {
                    return Next::Problem(place, format!("a record longer than {} MiB", MAX_RECORD >> 20));
                }
            }
        }
    }

    fn fill(&mut self) {
        let most = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let before = self.rest.len();
        self.rest.reserve(BLOCK);
        // What was read before an error stays in the buffer.
        let outcome = self.reader.by_ref().take(most).read_to_end(&mut self.rest);
        self.at_end = outcome.is_err() || self.rest.len().saturating_sub(before) < BLOCK;
        self.error = outcome.err();
    }

    fn block(&mut self, bytes: Vec<u8>) -> Lines {
        let first_line = self.line;
        self.count(&bytes);
        Lines { bytes, first_line, spare: self.spare.clone() }
    }

    fn count(&mut self, bytes: &[u8]) {
        let lines = u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(0);
        self.line = self.line.saturating_add(lines);
        self.offset = self.offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
    }
}

/// A record is a line.
#[derive(Debug, Default)]
pub(crate) struct LineCutter {
    scanned: usize,
}

impl Cutter for LineCutter {
    fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let from = std::mem::replace(&mut self.scanned, bytes.len());
        let at = memchr::memrchr(b'\n', bytes.get(from..)?)?;
        from.checked_add(at)?.checked_add(1)
    }

    fn advance(&mut self, cut: usize) {
        self.scanned = self.scanned.saturating_sub(cut);
    }
}

/// The text of a block; what is not UTF-8 is replaced, and `bad_line` is told each line where that was.
pub(crate) fn decode(lines: Lines, mut bad_line: impl FnMut(u64)) -> Text {
    let spare = lines.spare;
    let bytes = match String::from_utf8(lines.bytes) {
        Ok(text) => return Text { text, spare },
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len());
    let mut line = lines.first_line;
    let mut last_bad = 0;
    for chunk in bytes.utf8_chunks() {
        let newlines = memchr::memchr_iter(b'\n', chunk.valid().as_bytes()).count();
        line = line.saturating_add(u64::try_from(newlines).unwrap_or(0));
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            if last_bad != line {
                last_bad = line;
                bad_line(line);
            }
        }
    }
    Text { text, spare }
}

/// What is wrong with a line that is not UTF-8.
pub(crate) const NOT_UTF8: &str = "bytes that are not UTF-8 were replaced";

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: &'static [u8]) -> Vec<(u64, Vec<u8>)> {
        let mut blocks = Blocks::new(Vec::new(), Box::new(bytes));
        let mut cutter = LineCutter::default();
        let mut found = Vec::new();
        while let Next::Block(block) = blocks.next(&mut cutter) {
            found.push((block.first_line, block.bytes));
        }
        found
    }

    #[test]
    fn blocks_are_cut_at_line_ends() {
        assert_eq!(blocks(b"a\nb\nc"), [(1, b"a\nb\nc".to_vec())]);
        assert_eq!(blocks(b""), []);
        let long: &'static [u8] = Box::leak("0123456\n".repeat(1_000_000).into_boxed_str()).as_bytes();
        let found = blocks(long);
        assert!(found.len() > 1 && found.iter().all(|(_, block)| block.ends_with(b"\n")));
        assert_eq!(found.concat_bytes(), long);
    }

    trait ConcatBytes {
        fn concat_bytes(&self) -> Vec<u8>;
    }

    impl ConcatBytes for Vec<(u64, Vec<u8>)> {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|(_, block)| block.clone()).collect()
        }
    }

    #[test]
    fn bad_bytes_are_replaced_and_named_by_line() {
        let mut bad = Vec::new();
        let lines = Lines { bytes: b"a\n\xff\xfe b\nc\xff".to_vec(), first_line: 5, spare: Spare::default() };
        let text = decode(lines, |line| bad.push(line));
        assert_eq!(&*text, "a\n\u{fffd}\u{fffd} b\nc\u{fffd}");
        assert_eq!(bad, [6, 7]);
    }
}
