//! What a file is, and its parts one after another: chunks of an event log, blocks of lines, ranges of a file.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use ::parquet::file::reader::ChunkReader;

use super::Problem;
use super::archive::{self, Archive};
use super::blocks::{Blocks, Cutter, LineCutter, Lines, Next};
use super::csv::{CsvCutter, Header};
use super::decode::Peeked;
use super::event::FileContext;
use super::evtx::{Chunk, Chunks, MAGIC};
use super::parquet;
use super::ranges::{self, Range, Ranges};
use super::scan::JsonCutter;
use super::sniff::{Format, NOT_A_LOG, sniff};
use super::text::Kind;
use super::xml::XmlCutter;
use super::{w3c, zeek};
use crate::store::bucket::Object;

/// Why an object is not read.
const NOT_IN_BUCKETS: &str =
    "of a bucket, stores and Parquet files are searched: index logs into a store there, or copy them to this machine";

/// A part of a file.
#[derive(Debug)]
pub(crate) enum Payload {
    Evtx(Vec<Chunk>),
    Xml(Lines),
    JsonLines(Lines),
    JsonStream(Lines, bool),
    Csv(Lines, Arc<Header>),
    Zeek(Lines, Arc<zeek::Header>),
    W3c(Lines, Arc<w3c::Header>),
    Text(Lines, Kind),
    /// Lines that are still to be read.
    Range(Range, LineForm),
    /// A place that could not be read.
    Problem(Problem),
}

/// What lines are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LineForm {
    Json,
    Text(Kind),
}

impl Payload {
    /// How many bytes it is.
    pub(crate) fn size(&self) -> usize {
        match self {
            Payload::Evtx(chunks) => chunks.iter().map(Chunk::size).sum(),
            Payload::Xml(lines)
            | Payload::JsonLines(lines)
            | Payload::JsonStream(lines, _)
            | Payload::Csv(lines, _)
            | Payload::Zeek(lines, _)
            | Payload::W3c(lines, _)
            | Payload::Text(lines, _) => lines.bytes.len(),
            Payload::Range(range, _) => range.length(),
            Payload::Problem(_) => 0,
        }
    }
}

/// A file that is being read.
pub(super) enum Open {
    /// With an error that came up after the last chunks that were handed out.
    Evtx(Chunks, Option<io::Error>),
    Text(Blocks, TextFormat),
    Ranges(Option<Ranges>, LineForm),
}

/// Text that is cut into records.
pub(super) enum TextFormat {
    Xml(XmlCutter),
    JsonLines(LineCutter),
    JsonStream(JsonCutter),
    Csv(CsvCutter, Arc<Header>),
    Zeek(LineCutter, Arc<zeek::Header>),
    W3c(LineCutter, Arc<w3c::Header>),
    Text(LineCutter, Kind),
}

/// Where the bytes of a file come from.
pub(super) enum Source {
    /// Of which only Parquet is searched.
    Object(Object),
    File(File),
    Stream(Box<dyn Read + Send>),
}

pub(super) fn open_file(path: &Path) -> io::Result<(Source, Option<Metadata>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let source = if metadata.is_file() { Source::File(file) } else { Source::Stream(Box::new(file)) };
    Ok((source, Some(metadata)))
}

/// What a file turned out to be.
pub(super) enum Opened {
    Reading(Open, &'static str),
    Archive(Archive),
    Ignored(&'static str),
    /// It is not read now.
    Parquet(Option<Object>),
}

/// Finds out what a file is, and begins to read it.
pub(super) fn open_source(
    source: Source,
    file: &FileContext,
    is_named: bool,
    temp: Option<&Path>,
) -> io::Result<Opened> {
    let mut plain = None;
    let reader: Box<dyn Read + Send> = match source {
        Source::Object(object) => {
            let is_parquet =
                ChunkReader::get_bytes(&object, 0, parquet::MAGIC.len()).map_err(io::Error::other)? == parquet::MAGIC;
            return Ok(if is_parquet { Opened::Parquet(Some(object)) } else { Opened::Ignored(NOT_IN_BUCKETS) });
        }
        Source::File(mut source) => {
            let mut magic = Vec::new();
            source.by_ref().take(8).read_to_end(&mut magic)?;
            if magic == MAGIC {
                return Ok(Opened::Reading(Open::Evtx(Chunks::of_file(source)?, None), "evtx"));
            }
            if magic.starts_with(parquet::MAGIC) {
                return Ok(Opened::Parquet(None));
            }
            source.rewind()?;
            if archive::is_zip(&magic) {
                return Ok(Opened::Archive(Archive::Zip(source)));
            }
            plain = source.try_clone().ok();
            Box::new(source)
        }
        Source::Stream(reader) => reader,
    };
    let peeked = Peeked::new(reader)?;
    let begins = peeked.head.len();
    let peeked = peeked.decompressed()?;
    if peeked.head.starts_with(parquet::MAGIC) {
        return Ok(Opened::Ignored("Parquet is read from files only, not compressed once more or from a pipe"));
    }
    if peeked.head.starts_with(MAGIC) {
        return Ok(Opened::Reading(Open::Evtx(Chunks::of_stream(peeked.head, peeked.reader)?, None), "evtx"));
    }
    if archive::is_zip(&peeked.head) {
        return Ok(Opened::Archive(Archive::Zip(archive::spooled(peeked.into_reader(), temp)?)));
    }
    if archive::is_tar(&peeked.head) {
        return Ok(Opened::Archive(Archive::Tar(peeked.into_reader())));
    }
    let peeked = peeked.decoded()?;
    let (format, name, header_length) = match sniff(&peeked, &file.clock, &file.path) {
        Format::Xml => (TextFormat::Xml(XmlCutter::default()), "xml", 0),
        Format::JsonLines => (TextFormat::JsonLines(LineCutter::default()), "json", 0),
        Format::JsonStream => (TextFormat::JsonStream(JsonCutter::new()), "json", 0),
        Format::Csv(header, length) => (TextFormat::Csv(CsvCutter::new(&header), header), "csv", length),
        Format::Zeek(header) => (TextFormat::Zeek(LineCutter::default(), header), "zeek", 0),
        Format::W3c(header) => (TextFormat::W3c(LineCutter::default(), header), "w3c", 0),
        Format::Text { kind, has_times } if has_times || is_named || peeked.head.is_empty() => {
            (TextFormat::Text(LineCutter::default(), kind), kind.name(), 0)
        }
        Format::Text { .. } => return Ok(Opened::Ignored(NOT_A_LOG)),
        Format::Unknown(reason) => return Ok(Opened::Ignored(reason)),
    };
    // The mark of UTF-8 is taken off its head.
    let mark = begins.saturating_sub(peeked.head.len());
    if let (true, Some(form), Some(file)) = (peeked.is_plain, format.of_lines(), plain)
        && let Some(ranges) = Ranges::of(Arc::new(file), u64::try_from(mark).unwrap_or(0))
    {
        return Ok(Opened::Reading(Open::Ranges(Some(ranges), form), name));
    }
    let mut blocks = Blocks::new(peeked.head, peeked.reader);
    blocks.take(header_length);
    Ok(Opened::Reading(Open::Text(blocks, format), name))
}

impl Open {
    /// The next part, and whether it is known to be the last.
    pub(super) fn next(&mut self) -> (Option<Payload>, bool) {
        match self {
            Open::Evtx(chunks, failed) => {
                let problem = |error: io::Error| {
                    (Some(Payload::Problem(Problem { place: String::new(), reason: error.to_string() })), true)
                };
                if let Some(error) = failed.take() {
                    return problem(error);
                }
                let (found, error) = chunks.next();
                match error {
                    Some(error) if found.is_empty() => problem(error),
                    None if found.is_empty() => (None, true),
                    error => {
                        *failed = error;
                        (Some(Payload::Evtx(found)), false)
                    }
                }
            }
            Open::Ranges(ranges, form) => match ranges.as_mut().map_or(ranges::Next::End, Ranges::next) {
                ranges::Next::Range(range) => (Some(Payload::Range(range, *form)), false),
                ranges::Next::End => (None, true),
                ranges::Next::Rest => match ranges.take().map(streamed) {
                    Some(Ok(blocks)) => {
                        *self = Open::Text(blocks, form.format());
                        self.next()
                    }
                    Some(Err(error)) => {
                        (Some(Payload::Problem(Problem { place: String::new(), reason: error.to_string() })), true)
                    }
                    None => (None, true),
                },
            },
            Open::Text(blocks, format) => match blocks.next(format.cutter()) {
                Next::Block(lines) => (Some(format.payload(lines)), false),
                Next::Problem(place, reason) => (Some(Payload::Problem(Problem { place, reason })), false),
                Next::End => (None, true),
            },
        }
    }
}

/// What is left of a file, as a stream.
fn streamed(ranges: Ranges) -> io::Result<Blocks> {
    let (file, from, lines) = ranges.rest()?;
    let mut file = file.try_clone()?;
    file.seek(io::SeekFrom::Start(from))?;
    Ok(Blocks::new(Vec::new(), Box::new(file)).behind(from, lines))
}

impl LineForm {
    fn format(self) -> TextFormat {
        match self {
            LineForm::Json => TextFormat::JsonLines(LineCutter::default()),
            LineForm::Text(kind) => TextFormat::Text(LineCutter::default(), kind),
        }
    }
}

impl TextFormat {
    /// Of lines, what these are.
    fn of_lines(&self) -> Option<LineForm> {
        match self {
            TextFormat::JsonLines(_) => Some(LineForm::Json),
            TextFormat::Text(_, kind) => Some(LineForm::Text(*kind)),
            _ => None,
        }
    }

    fn cutter(&mut self) -> &mut dyn Cutter {
        match self {
            TextFormat::Xml(cutter) => cutter,
            TextFormat::JsonLines(cutter)
            | TextFormat::Zeek(cutter, _)
            | TextFormat::W3c(cutter, _)
            | TextFormat::Text(cutter, _) => cutter,
            TextFormat::JsonStream(cutter) => cutter,
            TextFormat::Csv(cutter, _) => cutter,
        }
    }

    fn payload(&mut self, lines: Lines) -> Payload {
        match self {
            TextFormat::Xml(_) => Payload::Xml(lines),
            TextFormat::JsonLines(_) => Payload::JsonLines(lines),
            TextFormat::JsonStream(cutter) => Payload::JsonStream(lines, cutter.begins_in_array()),
            TextFormat::Csv(_, header) => Payload::Csv(lines, Arc::clone(header)),
            TextFormat::Zeek(_, header) => {
                let after = header.after(&lines.bytes);
                Payload::Zeek(lines, std::mem::replace(header, after))
            }
            TextFormat::W3c(_, header) => {
                let after = header.after(&lines.bytes);
                Payload::W3c(lines, std::mem::replace(header, after))
            }
            TextFormat::Text(_, kind) => Payload::Text(lines, *kind),
        }
    }
}
