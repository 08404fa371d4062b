//! Compressed and UTF-16 files as the UTF-8 text that they hold.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bzip2::read::MultiBzDecoder;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

/// A stream whose first bytes are known.
pub(crate) struct Peeked {
    pub(crate) head: Vec<u8>,
    pub(crate) reader: Box<dyn Read + Send>,
    /// Whether it is as it is stored, but for a mark of UTF-8.
    pub(crate) is_plain: bool,
}

/// How much of a file is looked at to find out what it is.
pub(crate) const HEAD: usize = 256 << 10;

impl Peeked {
    /// Reads the first bytes of a stream.
    pub(crate) fn new(mut reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut head = Vec::new();
        let most = u64::try_from(HEAD).unwrap_or(u64::MAX);
        match reader.by_ref().take(most).read_to_end(&mut head) {
            // The error comes up again when the rest is read, and what came before it is worth reading.
            Err(error) if head.is_empty() => Err(error),
            Err(error) => Ok(Peeked { head, reader: Box::new(Failing(Some(error))), is_plain: false }),
            Ok(_) => Ok(Peeked { head, reader, is_plain: true }),
        }
    }

    /// The whole stream.
    pub(crate) fn into_reader(self) -> Box<dyn Read + Send> {
        Box::new(io::Cursor::new(self.head).chain(self.reader))
    }

    /// Reads through gzip, bzip2, xz and zstd.
    pub(crate) fn decompressed(self) -> io::Result<Self> {
        let form = match self.head.as_slice() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => return Ok(self),
        };
        let read = Arc::new(AtomicU64::new(0));
        let input = Counted { reader: self.into_reader(), read: Arc::clone(&read) };
        let reader: Box<dyn Read + Send> = match form {
            Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
            Compression::Bzip2 => Box::new(MultiBzDecoder::new(input)),
            Compression::Xz => Box::new(XzReader::new_mem_limit(input, true, MAX_DICTIONARY_KIB)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(input)?),
        };
        let decompressed = Peeked::new(Box::new(Bounded { reader, read, budget: Budget::of(0) }))?;
        Ok(Peeked { is_plain: false, ..decompressed })
    }

    /// Decodes UTF-16 and strips the byte order mark of UTF-8.
    pub(crate) fn decoded(mut self) -> io::Result<Self> {
        let decoder = match self.head.as_slice() {
            [0xef, 0xbb, 0xbf, rest @ ..] => {
                self.head = rest.to_vec();
                return Ok(self);
            }
            [0xff, 0xfe, ..] => UTF_16LE.new_decoder_with_bom_removal(),
            [0xfe, 0xff, ..] => UTF_16BE.new_decoder_with_bom_removal(),
            // No mark, but text that begins with two ASCII characters.
            [b' '..=b'~', 0, b'\t'..=b'~', 0, ..] => UTF_16LE.new_decoder_without_bom_handling(),
            [0, b' '..=b'~', 0, b'\t'..=b'~', ..] => UTF_16BE.new_decoder_without_bom_handling(),
            _ => return Ok(self),
        };
        let input = self.into_reader();
        let text = Utf16 { input, decoder, read: Vec::new(), decoded: String::new(), given: 0, at_end: false };
        Ok(Peeked { is_plain: false, ..Peeked::new(Box::new(text))? })
    }
}

#[derive(Debug, Clone, Copy)]
enum Compression {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

/// What the dictionary of an xz file may take; `xz -9` has 64 MiB.
const MAX_DICTIONARY_KIB: u32 = 256 << 10;

/// What may come out of something compressed: logs shrink to a tenth or a fiftieth, bombs to a thousandth and less.
#[derive(Debug)]
pub(crate) struct Budget {
    given: u64,
    most: u64,
}

/// What may come out whatever went in, because a short file of one repeated line does no harm.
const SURELY: u64 = 1 << 30;

/// How many times its size a compressed file may become.
const MOST_RATIO: u64 = 500;

impl Budget {
    /// That of something that takes so many bytes.
    pub(crate) fn of(compressed: u64) -> Self {
        Budget { given: 0, most: compressed.saturating_mul(MOST_RATIO).max(SURELY) }
    }

    pub(crate) fn unbounded() -> Self {
        Budget { given: 0, most: u64::MAX }
    }

    /// Counts what came out.
    pub(crate) fn spend(&mut self, bytes: u64) -> io::Result<()> {
        self.given = self.given.saturating_add(bytes);
        if self.given <= self.most {
            return Ok(());
        }
        let reason = format!(
            "it became more than {MOST_RATIO} times its size and is taken for a decompression bomb; the rest is not \
             read: decompress it first if it is none"
        );
        Err(io::Error::other(reason))
    }
}

/// Counts what is read.
struct Counted {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

/// Stops a bomb.
struct Bounded {
    reader: Box<dyn Read + Send>,
    /// What was read of the compressed bytes.
    read: Arc<AtomicU64>,
    budget: Budget,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.budget.most = Budget::of(self.read.load(Ordering::Relaxed)).most;
        self.budget.spend(u64::try_from(count).unwrap_or(0))?;
        Ok(count)
    }
}

/// A stream that fails.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

struct Utf16 {
    input: Box<dyn Read + Send>,
    decoder: Decoder,
    read: Vec<u8>,
    decoded: String,
    given: usize,
    at_end: bool,
}

impl Read for Utf16 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given >= self.decoded.len() && !self.at_end {
            self.refill()?;
        }
        let waiting = self.decoded.as_bytes().get(self.given..).unwrap_or_default();
        let length = waiting.len().min(buffer.len());
        if let (Some(from), Some(to)) = (waiting.get(..length), buffer.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        self.given = self.given.saturating_add(length);
        Ok(length)
    }
}

impl Utf16 {
    fn refill(&mut self) -> io::Result<()> {
        self.read.clear();
        self.input.by_ref().take(64 << 10).read_to_end(&mut self.read)?;
        self.at_end = self.read.is_empty();
        self.decoded.clear();
        self.given = 0;
        let mut rest = self.read.as_slice();
        loop {
            self.decoded.reserve(self.decoder.max_utf8_buffer_length(rest.len()).unwrap_or(rest.len()));
            let (result, read, _) = self.decoder.decode_to_string(rest, &mut self.decoded, self.at_end);
            rest = rest.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> String {
        let peeked = Peeked::new(Box::new(io::Cursor::new(bytes))).unwrap().decompressed().unwrap().decoded().unwrap();
        let mut text = String::new();
        peeked.into_reader().read_to_string(&mut text).unwrap();
        text
    }

    fn utf16le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "<Event>ü 😀</Event>\r\n".repeat(20_000);
        assert_eq!(read(text.clone().into_bytes()), text);
        assert_eq!(read([b"\xef\xbb\xbf", text.as_bytes()].concat()), text);
        assert_eq!(read([b"\xff\xfe".to_vec(), utf16le(&text)].concat()), text);
        assert_eq!(read(utf16le(&text)), text);
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read([b"\xfe\xff".to_vec(), big].concat()), text);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let member = gzip.finish().unwrap();
        assert_eq!(read([member.clone(), member].concat()), text.repeat(2));
        assert_eq!(read(zstd::encode_all(text.as_bytes(), 1).unwrap()), text);
    }

    #[test]
    fn a_lone_surrogate_is_replaced() {
        let odd = [b"\xff\xfe".to_vec(), utf16le("a"), vec![0x00, 0xd8], utf16le("b"), vec![b'c']].concat();
        assert_eq!(read(odd), "a\u{fffd}b\u{fffd}");
    }
}
