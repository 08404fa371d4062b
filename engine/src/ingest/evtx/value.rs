//! The text of a value, as the XML of its event has it.

use std::fmt::Write;

use encoding_rs::WINDOWS_1252;

/// A value of an event: its type as a number of the format, and its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'d> {
    pub(super) kind: u8,
    /// Where it is in the chunk.
    pub(super) at: usize,
    pub(super) bytes: &'d [u8],
}

const NULL: u8 = 0x00;
const UTF16: u8 = 0x01;
const ANSI: u8 = 0x02;
const BINARY: u8 = 0x0e;
const FILETIME: u8 = 0x11;
const SID: u8 = 0x13;
/// Binary XML inside of binary XML.
pub(super) const FRAGMENT: u8 = 0x21;
/// Texts that repeat the element which holds them.
pub(super) const TEXTS: u8 = 0x81;

/// The first moment of 1970 in units of 100 ns since 1601.
const EPOCH: u64 = 116_444_736_000_000_000;
/// Some day of the year 9998, before times stop being writable with four digits of a year.
const LATEST: u64 = 2_650_000_000_000_000_000;

impl<'d> Value<'d> {
    /// Whether a value of this type and size is one that is read here. Others, such as numbers of a wrong size, are left
    /// to the crate, whose reading of them is what counts.
    pub(super) fn is_usual(self) -> bool {
        let size = self.bytes.len();
        match self.kind {
            NULL | ANSI | BINARY | FRAGMENT => true,
            UTF16 => size.is_multiple_of(2),
            TEXTS => size.is_multiple_of(2) && (size == 0 || self.bytes.ends_with(&[0, 0])),
            0x03 | 0x04 => size == 1,
            0x05 | 0x06 => size == 2,
            0x07 | 0x08 | 0x0d | 0x14 => size == 4,
            0x09 | 0x0a | 0x15 => size == 8,
            0x0f => size == 16,
            FILETIME => self.filetime().is_some(),
            SID => self
                .bytes
                .get(1)
                .is_some_and(|&parts| size == 8_usize.saturating_add(usize::from(parts).saturating_mul(4))),
            _ => false,
        }
    }

    /// Whether it is no value at all.
    pub(super) fn is_null(self) -> bool {
        self.kind == NULL || (self.kind == FRAGMENT && self.bytes.is_empty())
    }

    /// Whether it is more than one text: binary XML, or a list.
    pub(super) fn is_composed(self) -> bool {
        matches!(self.kind, FRAGMENT | TEXTS)
    }

    /// Whether its text is empty, without making it.
    pub(super) fn is_empty(self) -> bool {
        match self.kind {
            NULL => true,
            UTF16 => self.bytes.first_chunk().is_none_or(|unit| *unit == [0, 0]),
            ANSI => self.bytes.iter().all(|&byte| byte == 0),
            _ => self.bytes.is_empty(),
        }
    }

    /// The texts of a list of texts.
    pub(super) fn texts(self) -> impl Iterator<Item = Value<'d>> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let units = rest.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
            let (text, after) = rest.split_at_checked(units.checked_mul(2)?)?;
            rest = after.get(2..).unwrap_or_default();
            Some(Value { kind: UTF16, at: self.at, bytes: text })
        })
    }

    /// A time, in units of 100 ns since 1601, from 1970 on.
    fn filetime(self) -> Option<u64> {
        let time = u64::from_le_bytes(self.bytes.try_into().ok()?);
        (self.kind == FILETIME && is_time(time)).then_some(time)
    }

    /// A time in microseconds since 1970.
    pub(super) fn micros(self) -> Option<i64> {
        i64::try_from(self.filetime()?.checked_sub(EPOCH)?.checked_div(10)?).ok()
    }

    /// Appends its text; says nothing for types that have none here.
    pub(super) fn write(self, text: &mut String) -> Option<()> {
        match self.kind {
            NULL => Some(()),
            UTF16 => {
                write_utf16(self.bytes, text);
                Some(())
            }
            ANSI => {
                let bytes: Vec<u8> = self.bytes.iter().copied().filter(|&byte| byte != 0).collect();
                let (decoded, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
                text.extend(decoded.chars().map(allowed));
                Some(())
            }
            0x03 => self.number(text, i8::from_le_bytes),
            0x04 => self.number(text, u8::from_le_bytes),
            0x05 => self.number(text, i16::from_le_bytes),
            0x06 => self.number(text, u16::from_le_bytes),
            0x07 => self.number(text, i32::from_le_bytes),
            0x08 => self.number(text, u32::from_le_bytes),
            0x09 => self.number(text, i64::from_le_bytes),
            0x0a => self.number(text, u64::from_le_bytes),
            0x0d => match i32::from_le_bytes(self.bytes.try_into().ok()?) {
                0 => text.write_str("false").ok(),
                1 => text.write_str("true").ok(),
                // Windows keeps masks of bits in some of them.
                bits => write!(text, "{bits}").ok(),
            },
            BINARY => self.bytes.iter().try_for_each(|byte| write!(text, "{byte:02X}").ok()),
            0x0f => self.guid(text),
            FILETIME => self.time(text),
            SID => self.sid(text),
            0x14 => write!(text, "{:#x}", u32::from_le_bytes(self.bytes.try_into().ok()?)).ok(),
            0x15 => write!(text, "{:#x}", u64::from_le_bytes(self.bytes.try_into().ok()?)).ok(),
            _ => None,
        }
    }

    fn number<const N: usize, T: std::fmt::Display>(self, text: &mut String, read: fn([u8; N]) -> T) -> Option<()> {
        write!(text, "{}", read(self.bytes.try_into().ok()?)).ok()
    }

    fn guid(self, text: &mut String) -> Option<()> {
        let bytes: [u8; 16] = self.bytes.try_into().ok()?;
        let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
        let first = u32::from_le_bytes([a, b, c, d]);
        let (second, third) = (u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
        let [fourth, fifth, sixth @ ..] = rest;
        write!(text, "{{{first:08x}-{second:04x}-{third:04x}-{fourth:02x}{fifth:02x}-").ok()?;
        sixth.iter().try_for_each(|byte| write!(text, "{byte:02x}").ok())?;
        text.push('}');
        Some(())
    }

    fn time(self, text: &mut String) -> Option<()> {
        let ticks = i128::from(self.filetime()?.checked_sub(EPOCH)?);
        let time = jiff::Timestamp::from_nanosecond(ticks.checked_mul(100)?).ok()?;
        let time = jiff::tz::Offset::UTC.to_datetime(time);
        let fraction = time.subsec_nanosecond().checked_div(100)?;
        let (year, month, day) = (time.year(), time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z").ok()
    }

    fn sid(self, text: &mut String) -> Option<()> {
        let (&[revision, _, a, b, c, d, e, f], parts) = self.bytes.split_first_chunk::<8>()?;
        write!(text, "S-{revision}-{}", u64::from_be_bytes([0, 0, a, b, c, d, e, f])).ok()?;
        parts.as_chunks::<4>().0.iter().try_for_each(|part| write!(text, "-{}", u32::from_le_bytes(*part)).ok())
    }
}

/// Whether a time in units of 100 ns since 1601 is one that any reader can tell.
pub(super) fn is_time(time: u64) -> bool {
    (EPOCH..LATEST).contains(&time)
}

/// Whether a number stands for a type of values.
pub(super) fn is_kind(kind: u8) -> bool {
    matches!(kind, 0x00..=0x15 | 0x20 | 0x21 | 0x23 | 0x81..=0x95)
}

/// Appends text up to its first NUL.
pub(super) fn write_utf16(bytes: &[u8], text: &mut String) {
    let units = bytes.as_chunks::<2>().0;
    // Nearly all text is plain.
    let plain = units.iter().take_while(|unit| matches!(unit, [b' '..=b'~', 0])).count();
    let (plain, rest) = units.split_at_checked(plain).unwrap_or((&[], units));
    text.extend(plain.iter().map(|&[letter, _]| char::from(letter)));
    let units = rest.iter().map(|unit| u16::from_le_bytes(*unit)).take_while(|&unit| unit != 0);
    for decoded in char::decode_utf16(units) {
        text.push(decoded.map_or('_', allowed));
    }
}

/// What Windows writes where XML has no such character.
fn allowed(character: char) -> char {
    match character {
        '\t' | '\n' | '\r' => character,
        '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => '_',
        _ => character,
    }
}
