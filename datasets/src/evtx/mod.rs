//! Events as Windows keeps them: event log files (EVTX), whose chunks hold binary XML.
//!
//! The layout is the one that the documentation of libevtx describes: a header of 4 KiB, then chunks of 64 KiB. A chunk
//! stands for itself: the names of elements and the templates of its events are written where they are first used, and
//! found again through hash tables in its header.

mod binary_xml;
mod chunk;
mod templates;

use std::io::{self, Seek, SeekFrom, Write};

use crate::event::Event;
use crate::generator::{Generator, GeneratorOptions, Written};
use chunk::Chunk;

const FILE_HEADER: usize = 4096;
/// The part of the file's header that is used.
const FILE_HEADER_USED: u32 = 128;

/// Writes event log files, chunk by chunk, so that a file may be larger than memory.
///
/// The records of a file are numbered one after the other, as a log numbers what is forwarded to it; `EventRecordID`
/// is the event's own record number.
pub struct EvtxWriter<W: Write + Seek> {
    out: W,
    chunk: Chunk,
    chunks: u64,
    /// The number of the next record; the first is that of the first event.
    next: Option<u64>,
    written: u64,
}

impl<W: Write + Seek> EvtxWriter<W> {
    /// A writer that begins its file where `out` stands.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(mut out: W) -> io::Result<Self> {
        // What the header says is known at the end.
        out.write_all(&[0; FILE_HEADER])?;
        Ok(Self { out, chunk: Chunk::new(), chunks: 0, next: None, written: 0 })
    }

    /// Writes an event.
    ///
    /// # Errors
    /// An event that is larger than a chunk; what the output says.
    pub fn write(&mut self, event: &Event) -> io::Result<()> {
        let number = self.next.unwrap_or(event.record);
        if !self.chunk.add(event, number)? {
            self.flush()?;
            if !self.chunk.add(event, number)? {
                return Err(too_large(event));
            }
        }
        self.next = Some(number + 1);
        self.written += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(self.chunk.finish())?;
        self.chunk = Chunk::new();
        self.chunks += 1;
        Ok(())
    }

    /// Writes what is left, and the header. Returns how many events were written.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<u64> {
        if !self.chunk.is_empty() || self.chunks == 0 {
            self.flush()?;
        }
        let size = FILE_HEADER as u64 + self.chunks * chunk::SIZE as u64;
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(end - size))?;
        self.out.write_all(&self.header())?;
        self.out.seek(SeekFrom::Start(end))?;
        self.out.flush()?;
        Ok(self.written)
    }

    fn header(&self) -> Vec<u8> {
        let mut header = b"ElfFile\0".to_vec();
        // The first chunk, the last one, and the next record.
        for number in [0, self.chunks - 1, self.next.unwrap_or(1)] {
            header.extend(number.to_le_bytes());
        }
        header.extend(FILE_HEADER_USED.to_le_bytes());
        // Version 3.1, then the size of the header.
        for number in [1_u16, 3, 4096] {
            header.extend(number.to_le_bytes());
        }
        // The field is too small for files of more than 4 GiB; readers go by the number of the last chunk and by the size.
        header.extend(u16::try_from(self.chunks).unwrap_or(u16::MAX).to_le_bytes());
        header.resize(124, 0);
        header.extend(crc32fast::hash(&header[..120]).to_le_bytes());
        header
    }
}

fn too_large(event: &Event) -> io::Error {
    let reason = format!("event {} is larger than a chunk of an event log file can hold", event.record);
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Writes events as an event log file. Returns how many were written.
pub fn write_evtx(out: impl Write + Seek, events: impl IntoIterator<Item = Event>) -> io::Result<u64> {
    let mut writer = EvtxWriter::new(out)?;
    for event in events {
        writer.write(&event)?;
    }
    writer.finish()
}

/// Writes `count` generated events as an event log file, made with the default options otherwise.
pub fn generate_evtx(out: impl Write + Seek, seed: u64, count: u64) -> io::Result<Written> {
    let mut writer = EvtxWriter::new(out)?;
    let (mut spl_hits, mut logscale_hits) = (0, 0);
    for generated in Generator::new(seed, GeneratorOptions { events: count, ..GeneratorOptions::default() }) {
        writer.write(&generated.event)?;
        spl_hits += u64::from(generated.spl.is_some());
        logscale_hits += u64::from(generated.logscale.is_some());
    }
    Ok(Written { events: writer.finish()?, spl_hits, logscale_hits })
}
