//! Texts in other writings: Base64, hexadecimal digits, URLs, other radices, terminal codes.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{self, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{UTF_16BE, UTF_16LE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::Regex;

use super::{number_at, some_text, text_at};
use crate::functions::kernel::{Returns, Row};

/// The kernels.
pub const ROWS: &[Row] =
    &[BASE64_ENCODE, BASE64_DECODE, HEX_DECODE, URL_DECODE, URL_ENCODE, PARSE_INTEGER, WITHOUT_CODES];

/// The names of character sets that the vendor has.
pub const CHARSETS: &[&str] = &["UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1"];

/// Decodes what others have written, who leave out the padding or the last bits.
static LENIENT: LazyLock<GeneralPurpose> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, config)
});

/// The characters that bytes stand for; what is none becomes a replacement character.
fn characters(bytes: &[u8], charset: &str) -> String {
    match charset {
        "UTF-16LE" => UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
        "UTF-16BE" => UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
        "ISO-8859-1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// `cql_base64_encode(text)`
pub const BASE64_ENCODE: Row = Row {
    name: "cql_base64_encode",
    returns: Returns::Text,
    evaluate: |values| some_text(text_at(values, 0).map(|text| general_purpose::STANDARD.encode(text.as_bytes()))),
};

/// `cql_base64_decode(text, charset)`: characters outside of the alphabet do not count.
pub const BASE64_DECODE: Row = Row {
    name: "cql_base64_decode",
    returns: Returns::Text,
    evaluate: |values| {
        let decoded = || {
            let (text, charset) = (text_at(values, 0)?, text_at(values, 1)?);
            let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
            let digits: Vec<u8> = text.bytes().filter(in_alphabet).collect();
            Some(characters(&LENIENT.decode(digits).ok()?, &charset))
        };
        some_text(decoded())
    },
};

/// What digits may be prefixed with.
fn without_prefix(text: &str) -> &str {
    let text = text.trim();
    ["0x", "0X", "16#"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text)
}

/// `cql_hex_decode(text, charset)`: characters that are no digits do not count.
pub const HEX_DECODE: Row = Row {
    name: "cql_hex_decode",
    returns: Returns::Text,
    evaluate: |values| {
        let decoded = || {
            let (text, charset) = (text_at(values, 0)?, text_at(values, 1)?);
            let digits: Vec<u32> = without_prefix(&text).chars().filter_map(|letter| letter.to_digit(16)).collect();
            let bytes: Vec<u8> = digits
                .chunks_exact(2)
                .filter_map(|pair| match pair {
                    [high, low] => u8::try_from(high.checked_mul(16)?.checked_add(*low)?).ok(),
                    _ => None,
                })
                .collect();
            Some(characters(&bytes, &charset))
        };
        some_text(decoded())
    },
};

/// What stays as it is in a URL, as in Java.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'*').remove(b'_');

/// `cql_url_encode(text)`
pub const URL_ENCODE: Row = Row {
    name: "cql_url_encode",
    returns: Returns::Text,
    evaluate: |values| {
        some_text(text_at(values, 0).map(|text| utf8_percent_encode(&text, KEPT).to_string().replace("%20", "+")))
    },
};

/// `cql_url_decode(text)`
pub const URL_DECODE: Row = Row {
    name: "cql_url_decode",
    returns: Returns::Text,
    evaluate: |values| {
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        some_text(text_at(values, 0).map(|text| decoded(&text)))
    },
};

/// `cql_parse_integer(text, radix, endian)`: an unsigned number.
pub const PARSE_INTEGER: Row = Row {
    name: "cql_parse_integer",
    returns: Returns::Text,
    evaluate: |values| {
        let parsed = || {
            let (text, radix, endian) = (text_at(values, 0)?, number_at(values, 1)? as u32, text_at(values, 2)?);
            let digits = if radix == 16 { without_prefix(&text) } else { text.trim() };
            if digits.starts_with(['+', '-']) || !(2..=36).contains(&radix) {
                return None;
            }
            let number = match &*endian {
                "little" => {
                    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
                    let mut pairs: Vec<&[u8]> = padded.as_bytes().chunks(2).collect();
                    pairs.reverse();
                    u64::from_str_radix(&String::from_utf8(pairs.concat()).ok()?, radix).ok()?
                }
                _ => u64::from_str_radix(digits, radix).ok()?,
            };
            Some(number.to_string())
        };
        some_text(parsed())
    },
};

/// The control sequences of terminals: colours and movements.
static CODES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("\u{1b}(?:\\[[0-?]*[ -/]*[@-~]|[@-Z\\\\-_])").ok());

/// `cql_without_codes(text)`: a text without the codes that terminals take for colours and movements.
pub const WITHOUT_CODES: Row = Row {
    name: "cql_without_codes",
    returns: Returns::Text,
    evaluate: |values| {
        let stripped = || Some(CODES.as_ref()?.replace_all(&text_at(values, 0)?, "").into_owned());
        some_text(stripped())
    },
};
