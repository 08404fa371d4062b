//! A chunk of an event log file: records, and the tables by which their names and templates are found.

use std::collections::HashMap;
use std::io;

use jiff::Timestamp;

use super::templates;
use crate::event::Event;

/// The size of every chunk.
pub(super) const SIZE: usize = 65_536;
const HEADER: usize = 512;
/// The part of the header that comes before its tables.
const HEADER_USED: u32 = 128;
const NAME_BUCKETS: usize = 64;
const TEMPLATE_BUCKETS: usize = 32;
const RECORD_MAGIC: [u8; 4] = [b'*', b'*', 0, 0];

/// Where names and templates are. The entries of a bucket are a list, the newest first.
#[derive(Clone)]
pub(super) struct Tables {
    names: HashMap<String, u32>,
    name_heads: [u32; NAME_BUCKETS],
    templates: HashMap<u128, u32>,
    template_heads: [u32; TEMPLATE_BUCKETS],
}

/// A chunk being filled. An offset in it is a position in `data`.
pub(super) struct Chunk {
    pub(super) data: Vec<u8>,
    tables: Tables,
    first: u64,
    last: Option<u64>,
    last_record_at: u32,
}

impl Chunk {
    pub(super) fn new() -> Self {
        let tables = Tables {
            names: HashMap::new(),
            name_heads: [0; NAME_BUCKETS],
            templates: HashMap::new(),
            template_heads: [0; TEMPLATE_BUCKETS],
        };
        let mut data = Vec::with_capacity(SIZE + (SIZE >> 1));
        data.resize(HEADER, 0);
        Self { data, tables, first: 0, last: None, last_record_at: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Adds a record, if there is room for it.
    pub(super) fn add(&mut self, event: &Event, number: u64) -> io::Result<bool> {
        let start = self.data.len();
        // Only an event that brings a template changes the tables.
        let before = (!templates::are_known(self, event)).then(|| self.tables.clone());
        self.record(event, number)?;
        // libevtx does not see the last record of a chunk that is full to its last byte.
        if self.data.len() >= SIZE {
            self.data.truncate(start);
            if let Some(before) = before {
                self.tables = before;
            }
            return Ok(false);
        }
        if self.last.is_none() {
            self.first = number;
        }
        self.last = Some(number);
        self.last_record_at = offset(start);
        Ok(true)
    }

    fn record(&mut self, event: &Event, number: u64) -> io::Result<()> {
        let start = self.data.len();
        self.data.extend(RECORD_MAGIC);
        self.u32(0);
        self.u64(number);
        self.u64(filetime(event.time));
        templates::write_event(self, event)?;
        // Records begin at multiples of eight bytes.
        let end = (self.data.len() + 4).next_multiple_of(8) - 4;
        self.data.resize(end, 0);
        let size = offset(end + 4 - start);
        self.u32(size);
        self.patch(start + 4, size);
        Ok(())
    }

    /// The chunk as it is in the file.
    pub(super) fn finish(&mut self) -> &[u8] {
        let free = offset(self.data.len());
        let records = crc32fast::hash(&self.data[HEADER..]);
        let last = self.last.unwrap_or(u64::MAX);
        let first = if self.last.is_some() { self.first } else { 1 };
        let mut header = b"ElfChnk\0".to_vec();
        // The numbers of the records in the file and in the log are the same here.
        for number in [first, last, first, last] {
            header.extend(number.to_le_bytes());
        }
        for number in [HEADER_USED, self.last_record_at, free, records] {
            header.extend(number.to_le_bytes());
        }
        // 64 bytes of unknown meaning, the flags, and the checksum of the header, which leaves out itself.
        header.resize(HEADER_USED as usize, 0);
        for head in self.tables.name_heads.iter().chain(&self.tables.template_heads) {
            header.extend(head.to_le_bytes());
        }
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&header[..120]);
        checksum.update(&header[HEADER_USED as usize..]);
        header[124..128].copy_from_slice(&checksum.finalize().to_le_bytes());
        self.data[..HEADER].copy_from_slice(&header);
        self.data.resize(SIZE, 0);
        &self.data
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.data.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.data.extend(value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.data.extend(value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.data.extend(value.to_le_bytes());
    }

    pub(super) fn utf16(&mut self, text: &str) {
        self.data.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    }

    /// Writes a size or an offset that was not known before.
    pub(super) fn patch(&mut self, at: usize, value: u32) {
        self.data[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Writes where a name is, and the name itself where it is used for the first time.
    pub(super) fn name(&mut self, name: &str) {
        if let Some(&at) = self.tables.names.get(name) {
            return self.u32(at);
        }
        let at = offset(self.data.len() + 4);
        self.u32(at);
        let hash = name_hash(name);
        let head = &mut self.tables.name_heads[usize::from(hash) % NAME_BUCKETS];
        let next = std::mem::replace(head, at);
        self.tables.names.insert(name.to_owned(), at);
        self.u32(next);
        self.u16(hash);
        self.u16(name.encode_utf16().count() as u16);
        self.utf16(name);
        self.u16(0);
    }

    pub(super) fn has_template(&self, id: u128) -> bool {
        self.tables.templates.contains_key(&id)
    }

    /// Writes where a template is, and the template itself where it is used for the first time.
    pub(super) fn template(&mut self, id: u128, write: impl FnOnce(&mut Chunk)) {
        // The first part of the identifier, which is a GUID, stands in each instance.
        self.u32(id as u32);
        if let Some(&at) = self.tables.templates.get(&id) {
            return self.u32(at);
        }
        let at = offset(self.data.len() + 4);
        self.u32(at);
        let head = &mut self.tables.template_heads[id as u32 as usize % TEMPLATE_BUCKETS];
        let next = std::mem::replace(head, at);
        self.tables.templates.insert(id, at);
        self.u32(next);
        self.data.extend(id.to_le_bytes());
        let size_at = self.data.len();
        self.u32(0);
        write(self);
        self.patch(size_at, offset(self.data.len() - size_at - 4));
    }
}

/// Chunks are small; a record that does not fit is taken back.
fn offset(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

fn name_hash(name: &str) -> u16 {
    name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(unit.into())) as u16
}

/// Windows' time: units of 100 ns since 1601.
pub(super) fn filetime(time: Timestamp) -> u64 {
    const EPOCH: i128 = 116_444_736_000_000_000;
    u64::try_from(time.as_nanosecond().div_euclid(100) + EPOCH).unwrap_or(0)
}
