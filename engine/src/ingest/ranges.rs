//! Cuts a file of lines into ranges, which workers read side by side: what one thread reads for all of them is as slow as
//! that thread.

use std::fs::File;
use std::io;
use std::sync::Arc;

use super::blocks::{Lines, Spare};

/// Into how many ranges a file is cut: handing one to a worker should cost nothing beside reading it, and none of them
/// should be left with much when the others are done.
const RANGES: u64 = 128;
/// The least and the most bytes of a range, if a line ends there.
const RANGE: (u64, u64) = (1 << 20, 8 << 20);
/// A file with fewer bytes is read in one go.
const LEAST: u64 = 4 << 20;
/// How much of a range is read at once: what is looked at several times should stay in the cache of a core.
const PIECE: u64 = 512 << 10;
/// How much is looked at together to find the end of a line.
const STEP: usize = 4 << 10;
/// A line whose end is farther away makes the file one that is read from its beginning to its end.
const FARTHEST: u64 = 1 << 20;

/// A file, range by range.
#[derive(Debug)]
pub(crate) struct Ranges {
    file: Arc<File>,
    next: u64,
    end: u64,
    /// How long a range is, if a line ends there.
    length: u64,
    spare: Spare,
}

/// Some lines of a file.
#[derive(Debug)]
pub(crate) struct Range {
    file: Arc<File>,
    pub(crate) from: u64,
    length: usize,
    spare: Spare,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    Range(Range),
    /// No line ends for so long that there is no range.
    Rest,
    End,
}

impl Ranges {
    /// The ranges of a file from a byte on, if it is worth it.
    pub(crate) fn of(file: Arc<File>, from: u64) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        let end = metadata.len();
        let length = (end / RANGES).clamp(RANGE.0, RANGE.1);
        (metadata.is_file() && end >= LEAST).then(|| Ranges { file, next: from, end, length, spare: Spare::default() })
    }

    /// The next range.
    pub(crate) fn next(&mut self) -> Next {
        let from = self.next;
        if from >= self.end {
            return Next::End;
        }
        let least = from.saturating_add(self.length);
        let end = if least >= self.end { Some(self.end) } else { self.line_end(least) };
        let Some((end, length)) = end.and_then(|end| Some((end, usize::try_from(end.checked_sub(from)?).ok()?))) else {
            return Next::Rest;
        };
        self.next = end;
        Next::Range(Range { file: Arc::clone(&self.file), from, length, spare: self.spare.clone() })
    }

    /// The byte behind the first line that ends from a byte on.
    fn line_end(&self, from: u64) -> Option<u64> {
        let mut step = [0_u8; STEP];
        let mut at = from;
        while at < from.saturating_add(FARTHEST) {
            let count = read_at(&self.file, &mut step, at).ok().filter(|&count| count > 0)?;
            let found = memchr::memchr(b'\n', step.get(..count)?);
            if let Some(found) = found {
                return Some(at.saturating_add(u64::try_from(found).ok()?).saturating_add(1).min(self.end));
            }
            at = at.saturating_add(u64::try_from(count).ok()?);
        }
        None
    }

    /// Where the rest begins, in bytes and lines, and the file.
    pub(crate) fn rest(self) -> io::Result<(Arc<File>, u64, u64)> {
        // All that came before ends with a line.
        let length = usize::try_from(self.next).unwrap_or(usize::MAX);
        let before = Range { file: Arc::clone(&self.file), from: 0, length, spare: self.spare };
        let (lines, failed) = before.read(|piece| {
            let count = piece.count();
            piece.recycle();
            count
        });
        match failed {
            Some((_, error)) => Err(error),
            None => Ok((self.file, self.next, lines)),
        }
    }
}

impl Range {
    /// How many bytes it has.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Hands over its lines piece by piece, as far as the file still has them, numbered from 1. `take` says how many end
    /// in a piece. Gives their number in all, and the byte that could not be read and why, where that ended it.
    pub(crate) fn read(&self, mut take: impl FnMut(Lines) -> u64) -> (u64, Option<(u64, io::Error)>) {
        let (mut passed, mut ended, mut room) = (0, 0_u64, PIECE);
        let length = u64::try_from(self.length).unwrap_or(u64::MAX);
        while passed < length {
            let most = room.min(length.saturating_sub(passed));
            let from = self.from.saturating_add(passed);
            let mut bytes = match self.bytes(from, most) {
                Ok(bytes) => bytes,
                Err(error) => return (ended, Some((from, error))),
            };
            let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if count == most && passed.saturating_add(count) < length {
                let Some(last) = memchr::memrchr(b'\n', &bytes) else {
                    self.spare.give(bytes);
                    room = room.saturating_mul(2);
                    continue;
                };
                bytes.truncate(last.saturating_add(1));
            } else {
                // The last one, or there is no more.
                passed = length;
            }
            passed = passed.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            let first_line = ended.saturating_add(1);
            ended = ended.saturating_add(take(Lines { bytes, first_line, spare: self.spare.clone() }));
            room = PIECE;
        }
        (ended, None)
    }

    /// The bytes from one on, as many as there are up to `most`.
    fn bytes(&self, from: u64, most: u64) -> io::Result<Vec<u8>> {
        // What is there is written over.
        let mut bytes = self.spare.take_used().unwrap_or_default();
        bytes.resize(usize::try_from(most).unwrap_or(usize::MAX), 0);
        let mut filled = 0_usize;
        while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
            let at = from.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match read_at(&self.file, room, at) {
                Ok(0) => break,
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, offset)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn ranges(text: &[u8]) -> Ranges {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        Ranges::of(Arc::new(file), 0).unwrap()
    }

    #[test]
    fn ranges_are_whole_lines_and_all_of_them() {
        let text: String = (0..700_000).map(|number| format!("line {number}\n")).collect();
        let (mut ranges, mut joined, mut count) = (ranges(text.as_bytes()), Vec::<u8>::new(), 0);
        while let Next::Range(range) = ranges.next() {
            let mut lines = 0;
            let all = range.read(|piece| {
                assert!(piece.bytes.ends_with(b"\n"));
                assert_eq!(piece.first_line, lines + 1);
                joined.extend(&piece.bytes);
                count += 1;
                lines += piece.count();
                piece.count()
            });
            assert!(all.1.is_none() && all.0 == lines);
        }
        assert!(joined == text.as_bytes() && count > 16);
    }

    #[test]
    fn a_line_without_end_leaves_the_rest() {
        let head = "short\n".repeat(200_000);
        let mut ranges = ranges([head.as_bytes(), &vec![b'x'; 5 << 20]].concat().as_slice());
        let Next::Range(first) = ranges.next() else { panic!() };
        assert!(matches!(ranges.next(), Next::Rest));
        let (_, from, lines) = ranges.rest().unwrap();
        assert_eq!(from, u64::try_from(first.length()).unwrap());
        assert_eq!(lines, from / 6);
    }

    #[test]
    fn a_line_longer_than_a_piece_is_one() {
        let long = "x".repeat(700 << 10);
        let text = format!("{}{long}\n{}", "short\n".repeat(1000), "short\n".repeat(1_000_000));
        let Next::Range(range) = ranges(text.as_bytes()).next() else { panic!() };
        assert!(range.length() > 700 << 10);
        let mut pieces = Vec::new();
        let take = |piece: Lines| {
            pieces.push(piece.bytes.clone());
            piece.count()
        };
        assert!(range.read(take).1.is_none());
        assert!(pieces.concat() == text.as_bytes()[..range.length()]);
        assert!(pieces.iter().all(|piece| piece.ends_with(b"\n")));
    }

    #[test]
    fn lines_before_the_rest_are_counted_from_the_beginning() {
        let text = ["\u{feff}".as_bytes(), "short\n".repeat(900_000).as_bytes(), &vec![b'x'; 5 << 20]].concat();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&text).unwrap();
        let mut ranges = Ranges::of(Arc::new(file), 3).unwrap();
        let mut length = 3;
        while let Next::Range(range) = ranges.next() {
            length += u64::try_from(range.length()).unwrap();
        }
        let (_, from, lines) = ranges.rest().unwrap();
        assert_eq!((from, lines), (length, (length - 3) / 6));
    }

    #[test]
    fn small_files_have_none() {
        assert!(Ranges::of(Arc::new(tempfile::tempfile().unwrap()), 0).is_none());
    }
}
