//! Digests of values.

use std::collections::HashMap;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::{number_at, some_number, some_text, text_at};
use crate::functions::kernel::{Returns, Row};
use crate::values::Value;

/// The kernels.
pub const ROWS: &[Row] = &[HASH, TOKEN_HASH, ENTROPY, COMMUNITY, SAMPLED];

/// Fowler, Noll and Vo's hash of 32 bits (FNV-1a). Which one the vendor computes is not documented.
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// `cql_hash(seed, limit, values...)`: a number below the limit.
pub const HASH: Row = Row {
    name: "cql_hash",
    returns: Returns::Number,
    evaluate: |values| {
        let [seed, limit, values @ ..] = values else { return Value::Null };
        let texts: Vec<_> = values.iter().map(|value| value.text().unwrap_or_default()).collect();
        let seed = seed.text().unwrap_or_default();
        let parts = std::iter::once(seed.as_bytes()).chain(texts.iter().map(|text| text.as_bytes()));
        // A byte that no text holds keeps "a", "bc" apart from "ab", "c".
        let hash = hash(parts.flat_map(|part| part.iter().copied().chain([0xff])));
        let limit = limit.number().filter(|limit| *limit >= 1.0);
        some_number(Some(limit.map_or(f64::from(hash), |limit| f64::from(hash) % limit.floor())))
    },
};

/// `cql_token_hash(text)`: the same whatever the order of the words.
pub const TOKEN_HASH: Row = Row {
    name: "cql_token_hash",
    returns: Returns::Text,
    evaluate: |values| {
        let sum = |text: &str| text.split_whitespace().fold(0_u32, |sum, word| sum.wrapping_add(hash(word.bytes())));
        some_text(text_at(values, 0).map(|text| format!("{:08x}", sum(&text))))
    },
};

/// `cql_entropy(text)`: bits a character.
pub const ENTROPY: Row = Row {
    name: "cql_entropy",
    returns: Returns::Number,
    evaluate: |values| {
        let entropy = |text: &str| {
            let mut counts: HashMap<char, f64> = HashMap::new();
            let mut length = 0.0;
            for letter in text.chars() {
                *counts.entry(letter).or_default() += 1.0;
                length += 1.0;
            }
            let mut counts: Vec<f64> = counts.into_values().collect();
            // The sum of numbers with fractions depends on their order.
            counts.sort_by(f64::total_cmp);
            -counts.into_iter().map(|count| count / length).map(|share| share * share.log2()).sum::<f64>() + 0.0
        };
        some_number(text_at(values, 0).map(|text| entropy(&text)))
    },
};

/// `cql_sampled(value, percentage)`: whether a value belongs to a sample; equal values do so together.
pub const SAMPLED: Row = Row {
    name: "cql_sampled",
    returns: Returns::Boolean,
    evaluate: |values| {
        let (Some(text), Some(percentage)) = (text_at(values, 0), number_at(values, 1)) else {
            return Value::Boolean(false);
        };
        let share = f64::from(hash(text.bytes())) / f64::from(u32::MAX);
        Value::Boolean(share * 100.0 < percentage || percentage >= 100.0)
    },
};

/// The number of a protocol that has one.
fn protocol(name: &str) -> Option<u8> {
    name.parse().ok().or_else(|| {
        Some(match name.to_ascii_lowercase().as_str() {
            "icmp" => 1,
            "igmp" => 2,
            "tcp" => 6,
            "udp" => 17,
            "rsvp" => 46,
            "gre" => 47,
            "esp" => 50,
            "ah" => 51,
            "icmp6" | "icmpv6" | "ipv6-icmp" => 58,
            "ospf" | "ospfigp" => 89,
            "pim" => 103,
            "sctp" => 132,
            _ => return None,
        })
    })
}

/// The type of the answer to a type of ICMP (or of ICMP of version 6), where there is one.
fn answer(protocol: u8, kind: u16) -> Option<u16> {
    let pairs: &[(u16, u16)] = match protocol {
        1 => &[(0, 8), (9, 10), (13, 14), (15, 16), (17, 18)],
        _ => &[(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)],
    };
    pairs.iter().find_map(|(left, right)| match kind {
        kind if kind == *left => Some(*right),
        kind if kind == *right => Some(*left),
        _ => None,
    })
}

/// `cql_community(proto, source, source port, destination, destination port, icmp type, icmp code, seed)`
///
/// Source: Community ID flow hashing specification, version 1. What is invalid gives the empty text, as documented.
pub const COMMUNITY: Row = Row {
    name: "cql_community",
    returns: Returns::Text,
    evaluate: |values| match values
        .iter()
        .take(4)
        .step_by(1)
        .enumerate()
        .any(|(i, value)| i != 2 && *value == Value::Null)
    {
        true => Value::Null,
        false => some_text(Some(community(values).unwrap_or_default())),
    },
};

fn community(values: &[Value<'_>]) -> Option<String> {
    let port = |position: usize| match values.get(position) {
        None | Some(Value::Null) => Some(None),
        Some(value) => value.text()?.parse::<u16>().ok().map(Some),
    };
    let protocol = protocol(&text_at(values, 0)?)?;
    let mut source: IpAddr = text_at(values, 1)?.parse().ok()?;
    let mut destination: IpAddr = text_at(values, 3)?.parse().ok()?;
    let mut ports = match protocol {
        1 | 58 => match (port(5)?, port(6)?) {
            (Some(kind), Some(code)) => Some((kind, answer(protocol, kind).unwrap_or(code))),
            _ => None,
        },
        _ => match (port(2)?, port(4)?) {
            (Some(source), Some(destination)) => Some((source, destination)),
            _ => None,
        },
    };
    let one_way = matches!(protocol, 1 | 58) && ports.is_some_and(|(kind, _)| answer(protocol, kind).is_none());
    let ordered = source < destination || (source == destination && ports.is_none_or(|(from, to)| from <= to));
    if !ordered && !one_way {
        (source, destination) = (destination, source);
        ports = ports.map(|(from, to)| (to, from));
    }
    let seed = port(7)?.unwrap_or(0);
    let mut digest = Sha1::new();
    digest.update(seed.to_be_bytes());
    for address in [source, destination] {
        match address {
            IpAddr::V4(v4) => digest.update(v4.octets()),
            IpAddr::V6(v6) => digest.update(v6.octets()),
        }
    }
    digest.update([protocol, 0]);
    if let Some((from, to)) = ports {
        digest.update(from.to_be_bytes());
        digest.update(to.to_be_bytes());
    }
    Some(format!("1:{}", STANDARD.encode(digest.finalize())))
}
