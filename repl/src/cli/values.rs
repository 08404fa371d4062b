//! How the values of options are read.

use std::path::PathBuf;

use super::{Index, Now};

/// `main=./logs`
///
/// # Errors
/// Anything else.
pub fn parse_index(text: &str) -> Result<Index, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok(Index { name: name.to_owned(), path: PathBuf::from(path) })
        }
        _ => Err("expected NAME=PATH, for example main=./logs".to_owned()),
    }
}

/// `name=value`; the value may be empty.
///
/// # Errors
/// Anything else.
pub fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().trim_start_matches('?').to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE, for example user=admin*".to_owned()),
    }
}

/// `800MB`, `1.5 GiB`, `1073741824`
///
/// # Errors
/// Anything else, and less than an engine needs.
pub fn parse_size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, f64); 8] = [
        ("kib", 1024.0),
        ("mib", 1_048_576.0),
        ("gib", 1_073_741_824.0),
        ("tib", 1_099_511_627_776.0),
        ("kb", 1e3),
        ("mb", 1e6),
        ("gb", 1e9),
        ("tb", 1e12),
    ];
    let lower = text.trim().to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(name, bytes)| Some((lower.strip_suffix(name)?, *bytes)));
    let (number, bytes) = unit.unwrap_or((lower.strip_suffix('b').unwrap_or(&lower), 1.0));
    let size = number.trim_end().parse::<f64>().map(|number| number * bytes);
    let least = spelunk_engine::LEAST_MEMORY;
    match size {
        Ok(size) if size >= least as f64 && size < 1e18 => Ok(size as usize),
        Ok(size) if size.is_finite() && size < 1e18 => {
            Err(format!("the least is {}", crate::report::bytes(least as u64)))
        }
        _ => Err("expected a number of bytes, or one with a unit: 800MB, 2GiB".to_owned()),
    }
}

/// `real`, `latest`, `2019-06-21T07:35:37Z`
///
/// # Errors
/// Anything else.
pub fn parse_now(text: &str) -> Result<Now, String> {
    match text {
        "real" => Ok(Now::Real),
        "latest" => Ok(Now::Latest),
        _ => text
            .parse()
            .map(Now::At)
            .map_err(|error| format!("expected real, latest or a time like 2019-06-21T07:35:37Z: {error}")),
    }
}

/// A zone by name or offset.
///
/// # Errors
/// A name that is not known.
pub fn parse_zone(text: &str) -> Result<jiff::tz::TimeZone, String> {
    use jiff::tz::TimeZone;
    if text.eq_ignore_ascii_case("local") {
        return Ok(TimeZone::system());
    }
    if let Some(offset) = parse_offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(text)
        .map_err(|_| "expected UTC, local, an IANA name like Europe/Berlin, or an offset like +02:00".to_owned())
}

/// `+02:00`, `-0530`, `+2`
fn parse_offset(text: &str) -> Option<jiff::tz::Offset> {
    let (sign, digits) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let hours: i32 = hours.parse().ok().filter(|hours| (0..=25).contains(hours))?;
    let minutes: i32 = minutes.parse().ok().filter(|minutes| (0..60).contains(minutes))?;
    jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        assert!(parse_zone("Europe/Berlin").is_ok());
        assert!(parse_zone("local").is_ok());
        assert!(parse_zone("Nowhere/Land").is_err());
        for text in ["+02:00", "+0200", "+2"] {
            assert_eq!(parse_offset(text).unwrap().seconds(), 7200, "{text}");
        }
        assert_eq!(parse_offset("-05:30").unwrap().seconds(), -19800);
        assert_eq!(parse_offset("+99:00"), None);
        assert_eq!(parse_offset("+1:-5"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("800MB"), Ok(800_000_000));
        assert_eq!(parse_size("1.5 gib"), Ok(3 << 29));
        assert_eq!(parse_size("1073741824"), Ok(1 << 30));
        for text in ["", "GiB", "-1GiB", "1 GiB of it", "inf", "nan", "1e30GiB", "12", "1MB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn indexes() {
        assert_eq!(parse_index("a=b=c").unwrap(), Index { name: "a".into(), path: "b=c".into() });
        assert!(parse_index("a").is_err());
        assert!(parse_index("=b").is_err());
    }
}
