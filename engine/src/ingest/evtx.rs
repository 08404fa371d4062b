//! Event log files, chunk by chunk.
//!
//! The chunks are found here rather than by the crate, so that a damaged file header does not matter, a last
//! chunk that is cut short is still read, and a compressed file needs no seeking.
//!
//! Writing the XML of every record and reading it again costs far more than a search needs. So where a chunk is what
//! Windows wrote, by its checksums, and no one asked for the events' text, `evtx/record.rs` takes the values right out
//! of the records. It reads what is usual; at the first record that is not, the rest of the chunk goes through the crate.
//! Records that the search cannot want are not even read so far (`evtx/header.rs`).

mod cursor;
mod header;
mod record;
mod template;
mod templates;
mod value;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use evtx::err::EvtxError;
use evtx::{ChunkFlags, EvtxChunk, EvtxChunkData, EvtxChunkHeader, EvtxRecord, ParserSettings};

use super::event::{Defaults, EventBuilder};
use super::xml::XmlState;
use record::{Outcome, Records, Window};
pub(crate) use templates::Templates;

const FILE_HEADER: u64 = 4096;
const CHUNK: usize = 65_536;
const CHUNK_HEADER: usize = 512;

const SOURCETYPE: &str = "XmlWinEventLog";

/// How many chunks a worker reads at a time.
const CHUNKS_AT_ONCE: usize = 16;

/// The bytes that every event log file begins with.
pub(crate) const MAGIC: &[u8; 8] = b"ElfFile\0";

/// A chunk as it is in the file; a last one may be shorter than a whole chunk.
#[derive(Debug)]
pub(crate) struct Chunk {
    number: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    /// How many bytes it is.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// The chunks of a file.
pub(crate) enum Chunks {
    /// In the order in which they were written: a full log overwrites its oldest chunk first, so that chunk may
    /// be anywhere.
    File { file: File, next: u64, first: u64, count: u64, left: u64 },
    /// In the order in which they come.
    Stream { reader: Box<dyn Read + Send>, next: u64 },
}

impl Chunks {
    pub(crate) fn of_file(mut file: File) -> io::Result<Self> {
        let size = file.seek(SeekFrom::End(0))?.saturating_sub(FILE_HEADER);
        let count = size.div_ceil(chunk_size());
        let mut oldest = (u64::MAX, 0);
        for number in 0..count {
            let mut header = [0; CHUNK_HEADER];
            file.seek(SeekFrom::Start(offset_of(number)))?;
            if file.read_exact(&mut header).is_err() {
                break;
            }
            if let Ok(header) = EvtxChunkHeader::from_bytes(&header)
                // Ids that run backwards say nothing about the order.
                && header.first_event_record_id <= header.last_event_record_id
                && header.first_event_record_id < oldest.0
            {
                oldest = (header.first_event_record_id, number);
            }
        }
        Ok(Chunks::File { file, next: oldest.1, first: oldest.1, count, left: count })
    }

    /// `head` was read from `reader` before.
    pub(crate) fn of_stream(head: Vec<u8>, reader: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(reader));
        io::copy(&mut reader.by_ref().take(FILE_HEADER), &mut io::sink())?;
        Ok(Chunks::Stream { reader, next: 0 })
    }

    /// The next chunks for one worker; none at the end. An error comes with those that were read before it.
    pub(crate) fn next(&mut self) -> (Vec<Chunk>, Option<io::Error>) {
        let mut chunks = Vec::new();
        while chunks.len() < CHUNKS_AT_ONCE {
            match self.read_chunk() {
                Ok(Some(chunk)) => chunks.push(chunk),
                Ok(None) => break,
                Err(error) => return (chunks, Some(error)),
            }
        }
        (chunks, None)
    }

    fn read_chunk(&mut self) -> io::Result<Option<Chunk>> {
        let most = chunk_size();
        let mut bytes = Vec::with_capacity(CHUNK);
        match self {
            Chunks::File { file, next, first, count, left } => {
                if *left == 0 {
                    return Ok(None);
                }
                *left = left.saturating_sub(1);
                let number = *next;
                *next = number.saturating_add(1);
                if *next >= *count && *first > 0 {
                    *next = 0;
                }
                file.seek(SeekFrom::Start(offset_of(number)))?;
                file.by_ref().take(most).read_to_end(&mut bytes)?;
                Ok(Some(Chunk { number, bytes }))
            }
            Chunks::Stream { reader, next } => {
                let outcome = reader.by_ref().take(most).read_to_end(&mut bytes);
                let number = *next;
                *next = number.saturating_add(1);
                if bytes.is_empty() {
                    outcome?;
                    return Ok(None);
                }
                // The rest of a chunk that is cut off is reported with the chunk.
                Ok(Some(Chunk { number, bytes }))
            }
        }
    }
}

fn chunk_size() -> u64 {
    u64::try_from(CHUNK).unwrap_or(u64::MAX)
}

fn offset_of(chunk: u64) -> u64 {
    FILE_HEADER.saturating_add(chunk.saturating_mul(chunk_size()))
}

/// Reads the events of some chunks.
pub(crate) fn read_chunks(chunks: Vec<Chunk>, templates: &mut Templates, builder: &mut EventBuilder<'_>) {
    templates.begin();
    let settings = Arc::new(ParserSettings::default().num_threads(1).indent(false));
    let mut state = XmlState::default();
    for chunk in chunks {
        let number = chunk.number;
        // The bytes are anyone's, and the crate is not ours: should it give up, only this chunk is lost.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            read_chunk(chunk, &settings, templates, &mut state, builder);
        }));
        if outcome.is_err() {
            builder.discard();
            builder.result.skip(format!("chunk {number}"), "the chunk is damaged in a way that stopped the reader");
        }
    }
}

fn read_chunk(
    chunk: Chunk,
    settings: &Arc<ParserSettings>,
    templates: &mut Templates,
    state: &mut XmlState,
    builder: &mut EventBuilder<'_>,
) {
    let Chunk { number, mut bytes } = chunk;
    // The room that Windows allocates ahead.
    if bytes.iter().all(|&byte| byte == 0) {
        return;
    }
    let place = || format!("chunk {number} at offset {:#x}", offset_of(number));
    let length = bytes.len();
    if length < CHUNK {
        let reason = format!("the file ends after {length} of {CHUNK} bytes of the chunk");
        builder.result.skip(place(), reason);
        bytes.resize(CHUNK, 0);
    }
    let mut data = match EvtxChunkData::new(bytes, false) {
        Ok(data) => data,
        Err(error) => return builder.result.skip(place(), causes(&error)),
    };
    data.number = Some(number);
    let behind = take_in_newer(&mut data);
    if behind > 0 {
        let reason =
            format!("its header was not brought up to date; {behind} newer records behind its end were read too");
        builder.result.skip(place(), reason);
    }
    // Where something else is wrong with the chunk, that says more.
    let is_intact = behind == 0 && length == CHUNK && data.validate_checksum();
    if behind == 0 && length == CHUNK && !is_intact {
        builder.result.skip(place(), "its checksums are wrong: it was changed, or not brought up to date");
    }
    let has_checksums = !data.header.flags.contains(ChunkFlags::NO_CRC32);
    let is_usual = is_intact && has_checksums && record::has_whole_names(&data.data);
    let read = if is_usual && !builder.wants_raw() { read_values(&data, templates, builder) } else { Some(0) };
    let Some(read) = read else { return };
    let unwanted = if is_usual && builder.wants_raw() { unwanted(&data, templates, builder) } else { Vec::new() };
    let mut unwanted = unwanted.into_iter().peekable();
    let mut chunk = match EvtxChunk::new(&data.data, &data.header, Arc::clone(settings)) {
        Ok(chunk) => chunk,
        Err(error) => return builder.result.skip(place(), causes(&error)),
    };
    for record in chunk.iter().skip(read) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let (place, reason) = describe(&error, number);
                builder.result.skip(place, reason);
                continue;
            }
        };
        if unwanted.next_if(|&start| start == record.binxml_offset).is_some() {
            builder.pass_over();
            continue;
        }
        let id = record.event_record_id;
        let in_chunk = record.binxml_offset.saturating_sub(24);
        let place = || format!("record {id} at offset {:#x}", offset_of(number).saturating_add(in_chunk));
        let end = record.binxml_offset.saturating_add(u64::from(record.binxml_size));
        if usize::try_from(end).is_ok_and(|end| end > length) {
            // The zeros that stand for what is missing would be read as empty fields.
            builder.result.skip(place(), "the file ends inside the record");
            break;
        }
        if let Err(reason) = read_record(record, state, builder) {
            builder.discard();
            builder.result.skip(place(), reason);
        }
    }
}

/// Reads a record by way of its XML.
fn read_record(record: EvtxRecord<'_>, state: &mut XmlState, builder: &mut EventBuilder<'_>) -> Result<(), String> {
    let time = record.timestamp.as_microsecond();
    let xml = record.into_xml_bytes().map_err(|error| causes(&error))?.data;
    let xml = String::from_utf8_lossy(&xml);
    let event = xml.find("<Event").and_then(|at| xml.get(at..)).unwrap_or(&xml);
    let length = state.read_event(event, builder).map_err(|broken| broken.reason)?;
    let raw = event.get(..length).unwrap_or(event);
    let raw = if builder.wants_raw() { single_quoted(raw) } else { Cow::Borrowed(raw) };
    builder.end_windows(&Defaults { sourcetype: SOURCETYPE, raw: &raw, time: Some(time) });
    Ok(())
}

/// Reads the records of a chunk without their XML, up to the first that is not usual. Says how many these were; nothing
/// if they were all.
fn read_values(data: &EvtxChunkData, templates: &mut Templates, builder: &mut EventBuilder<'_>) -> Option<usize> {
    let mut records = Records::new(&data.data, templates);
    let mut read = 0_usize;
    for window in windows(data) {
        match window.and_then(|window| records.read(window, builder)) {
            Some(Outcome::Read(time)) => {
                builder.end_windows(&Defaults { sourcetype: SOURCETYPE, raw: "", time: Some(time) });
            }
            Some(Outcome::PassedOver) => builder.pass_over(),
            None => {
                builder.discard();
                return Some(read);
            }
        }
        read = read.saturating_add(1);
    }
    None
}

/// Where the binary XML begins of records that the search cannot want, in order, up to the first record that is not usual.
fn unwanted(data: &EvtxChunkData, templates: &mut Templates, builder: &mut EventBuilder<'_>) -> Vec<u64> {
    let mut unwanted = Vec::new();
    if builder.wanted().is_some() {
        let mut records = Records::new(&data.data, templates);
        for window in windows(data) {
            let Some(window) = window else { break };
            let Some(is_wanted) = records.judge(window, builder) else { break };
            if !is_wanted {
                unwanted.extend(u64::try_from(window.start));
            }
        }
    }
    unwanted
}

/// The records of a chunk, up to the first that is none in all respects.
fn windows(data: &EvtxChunkData) -> impl Iterator<Item = Option<Window>> {
    let free = usize::try_from(data.header.free_space_offset).unwrap_or(usize::MAX).min(data.data.len());
    let mut at = CHUNK_HEADER;
    std::iter::from_fn(move || {
        if at >= free {
            return None;
        }
        let window = record::window(&data.data, at);
        let is_last = window.is_none_or(|window| window.number == data.header.last_event_record_id);
        at = if is_last { free } else { window.map_or(free, |window| window.next) };
        Some(window)
    })
}

/// A log that was copied while it was in use may hold records that the chunk's header does not know yet: the ones with
/// the next numbers, right behind the last. Says how many.
fn take_in_newer(data: &mut EvtxChunkData) -> u64 {
    let mut newer = 0_u64;
    while let Some(next) = data.header.last_event_record_id.checked_add(1)
        && let Ok(at) = usize::try_from(data.header.free_space_offset)
        && let Some(window) = record::window(&data.data, at).filter(|window| window.number == next)
        && let Ok(free) = u32::try_from(window.next)
    {
        data.header.last_event_record_data_offset = data.header.free_space_offset;
        data.header.free_space_offset = free;
        data.header.last_event_record_id = next;
        newer = newer.saturating_add(1);
    }
    newer
}

/// The XML with its attributes in single quotes, as Windows renders events and published patterns expect them:
/// `<Data Name='Image'>`.
fn single_quoted(xml: &str) -> Cow<'_, str> {
    let mut quoted = String::with_capacity(xml.len());
    let mut in_tag = false;
    for letter in xml.chars() {
        match letter {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ => {}
        }
        match letter {
            '"' if in_tag => quoted.push('\''),
            '\'' if in_tag => quoted.push_str("&apos;"),
            _ => quoted.push(letter),
        }
    }
    Cow::Owned(quoted)
}

/// Where an error is, and what it is.
fn describe(error: &EvtxError, chunk: u64) -> (String, String) {
    match error {
        EvtxError::FailedToParseRecord { record_id, source } => {
            (format!("record {record_id} in chunk {chunk}"), causes(source))
        }
        EvtxError::FailedToReadRecordAt { offset, source, .. } => {
            (format!("offset {:#x} in chunk {chunk}", offset_of(chunk).saturating_add(*offset)), causes(source))
        }
        _ => (format!("chunk {chunk}"), causes(error)),
    }
}

/// An error with what caused it, because the outermost says only that something failed.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod raw {
    use super::single_quoted;

    #[test]
    fn attributes_are_in_single_quotes_and_text_is_not_touched() {
        let xml = r#"<Data Name="it's">say "hi", it's &lt;"x"&gt;</Data>"#;
        assert_eq!(single_quoted(xml), r#"<Data Name='it&apos;s'>say "hi", it's &lt;"x"&gt;</Data>"#);
    }
}
