//! What the values of one telemetry are in the terms of another: Windows' events and those of CrowdStrike's sensor.
//!
//! Each takes the text of a field, some a literal besides, and gives text; what cannot be told gives null.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;
use md5::{Digest, Md5};
use sha2::Sha256;

use super::kernel::{Returns, Row};
use crate::ingest::EventClock;
use crate::values::Value;

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [
        ACCOUNT,
        ADDRESSES,
        AGENT,
        BASE_NAME,
        DECIMAL,
        DEVICE_PATH,
        DIGEST,
        DIGESTS,
        DOMAIN,
        DRIVE_PATH,
        FILE_EVENT,
        FOLDER,
        HEXADECIMAL,
        IDENTIFIER,
        IN_FOLDERS,
        INTEGRITY,
        INTEGRITY_NAME,
        MILLISECONDS,
        NETWORK_EVENT,
        PROTOCOL,
        PROTOCOL_NAME,
        REGISTRY_EVENT,
        REGISTRY_OBJECT,
        REGISTRY_OPERATION,
        REGISTRY_OPERATION_NAME,
        REGISTRY_PATH,
        SECONDS,
        SHORT_HOST,
        UTC_TIME,
    ]
    .iter()
    .map(Row::udf)
    .collect()
}

/// A function of texts.
const fn row(name: &'static str, evaluate: fn(&[Value<'_>]) -> Value<'static>) -> Row {
    Row { name, returns: Returns::Text, evaluate }
}

fn of(values: &[Value<'_>], make: impl FnOnce(&str) -> Option<String>) -> Value<'static> {
    let made = values.first().and_then(Value::text).and_then(|text| make(&text));
    made.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
}

/// The device that stands for a drive where the drive is all that is known. Its number is arbitrary.
const DEVICE: &str = r"\Device\HarddiskVolume3";

/// The part of a path behind its last separator. Windows takes both kinds.
fn base_name(path: &str) -> &str {
    path.rsplit_once(['\\', '/']).map_or(path, |(_, name)| name)
}

/// A path with the device in place of the drive.
fn device_path(path: &str) -> String {
    let mut letters = path.chars();
    match (letters.next(), letters.next()) {
        (Some(drive), Some(':')) if drive.is_ascii_alphabetic() => [DEVICE, letters.as_str()].concat(),
        _ => path.to_owned(),
    }
}

/// A path with its device in place of the drive: `C:\Windows` as `\Device\HarddiskVolume3\Windows`.
pub const DEVICE_PATH: Row = row("view_device_path", |values| of(values, |path| Some(device_path(path))));

/// The opposite of [`DEVICE_PATH`]; every volume is taken for `C:`.
pub const DRIVE_PATH: Row = row("view_drive_path", |values| {
    of(values, |path| {
        const PREFIX: &str = r"\device\harddiskvolume";
        let numbered = path.get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX));
        let rest = numbered.and_then(|_| path.get(PREFIX.len()..)).unwrap_or_default();
        let tail = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        Some(match tail.len() < rest.len() {
            true => ["C:", tail].concat(),
            false => path.to_owned(),
        })
    })
});

/// The part of a path behind its last separator.
pub const BASE_NAME: Row =
    row("view_base_name", |values| of(values, |path| Some(base_name(path).to_owned()).filter(|name| !name.is_empty())));

/// The part of a path up to its last separator, with the device in place of the drive.
pub const FOLDER: Row = row("view_folder", |values| {
    of(values, |path| {
        let path = device_path(path);
        let end = path.len().saturating_sub(base_name(&path).len());
        path.get(..end).filter(|folder| !folder.is_empty()).map(str::to_owned)
    })
});

/// A name as a path that ends with it, so that conditions on the end of paths hold for it.
pub const IN_FOLDERS: Row = row("view_in_folders", |values| {
    of(values, |name| match name {
        "" => None,
        name if name.contains('\\') => Some(name.to_owned()),
        name => Some(["\\", name].concat()),
    })
});

/// A number of 63 bits that stands for a text, in decimal digits: the same wherever the text is. Letter case does not
/// count, since it does not in a GUID.
pub const IDENTIFIER: Row = row("view_identifier", |values| {
    of(values, |text| {
        let digest = Sha256::digest(text.to_ascii_lowercase().as_bytes());
        let bytes: [u8; 8] = digest.get(..8)?.try_into().ok()?;
        Some((u64::from_be_bytes(bytes) & (u64::MAX >> 1)).to_string())
    })
});

/// 32 hexadecimal digits that stand for a text.
pub const AGENT: Row = row("view_agent", |values| {
    of(values, |text| Some(Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()))
});

/// One of the digests that Sysmon lists, in small letters: of `SHA1=..,MD5=..` and `MD5` the second.
pub const DIGEST: Row = row("view_digest", |values| {
    let name = values.get(1).and_then(Value::text).unwrap_or_default();
    of(values, |list| {
        let pairs = list.split(',').filter_map(|digest| digest.trim().split_once('='));
        let mut found = pairs.filter(|(known, _)| known.eq_ignore_ascii_case(&name));
        found.next().map(|(_, digits)| digits.to_ascii_lowercase())
    })
});

/// Digests as Sysmon lists them; one of nothing but zeros was not computed.
pub const DIGESTS: Row = row("view_digests", |values| {
    let known = |digits: &Cow<'_, str>| digits.chars().any(|digit| digit != '0');
    let digests = ["SHA1", "MD5", "SHA256"].iter().zip(values).filter_map(|(name, digits)| {
        let digits = digits.text().filter(known)?;
        Some(format!("{name}={}", digits.to_ascii_uppercase()))
    });
    let list = digests.collect::<Vec<_>>().join(",");
    if list.is_empty() { Value::Null } else { Value::Text(Cow::Owned(list)) }
});

/// The account of `DOMAIN\account`.
pub const ACCOUNT: Row = row("view_account", |values| {
    of(values, |user| {
        let name = user.rsplit_once('\\').map_or(user, |(_, name)| name);
        Some(name.to_owned()).filter(|name| !name.is_empty() && name != "-")
    })
});

/// The domain of `DOMAIN\account`.
pub const DOMAIN: Row = row("view_domain", |values| of(values, |user| Some(user.rsplit_once('\\')?.0.to_owned())));

/// A host's name without its domain.
pub const SHORT_HOST: Row = row("view_short_host", |values| {
    // The dots of an address belong to it.
    of(values, |host| match host.parse::<std::net::IpAddr>() {
        Ok(_) => Some(host.to_owned()),
        Err(_) => host.split('.').next().filter(|name| !name.is_empty()).map(str::to_owned),
    })
});

const LEVELS: [(&str, &str); 5] =
    [("Untrusted", "0"), ("Low", "4096"), ("Medium", "8192"), ("High", "12288"), ("System", "16384")];

/// The number of an integrity level, of its name or its SID.
pub const INTEGRITY: Row = row("view_integrity", |values| {
    of(values, |level| match level.strip_prefix("S-1-16-") {
        Some(number) => Some(number.to_owned()),
        None => {
            LEVELS.iter().find(|(name, _)| level.eq_ignore_ascii_case(name)).map(|(_, number)| (*number).to_owned())
        }
    })
});

/// The name of an integrity level, of its number.
pub const INTEGRITY_NAME: Row = row("view_integrity_name", |values| {
    of(values, |level| match level {
        // A little more than medium has no name of its own in Sysmon.
        "8448" => Some("Medium".to_owned()),
        level => LEVELS.iter().find(|(_, number)| *number == level).map(|(name, _)| (*name).to_owned()),
    })
});

/// Hexadecimal digits behind `0x` as decimal ones; others stay.
pub const DECIMAL: Row = row("view_decimal", |values| {
    of(values, |text| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|number| number.to_string()),
        None => Some(text.to_owned()).filter(|text| text.bytes().all(|digit| digit.is_ascii_digit())),
    })
});

/// The opposite of [`DECIMAL`].
pub const HEXADECIMAL: Row =
    row("view_hexadecimal", |values| of(values, |text| text.parse::<u64>().ok().map(|number| format!("{number:#x}"))));

/// The number of a protocol of the internet.
pub const PROTOCOL: Row = row("view_protocol", |values| {
    of(values, |name| PROTOCOLS.iter().find(|(_, known)| name == *known).map(|(number, _)| (*number).to_owned()))
});

/// The name of a protocol of the internet.
pub const PROTOCOL_NAME: Row = row("view_protocol_name", |values| {
    of(values, |number| PROTOCOLS.iter().find(|(known, _)| number == *known).map(|(_, name)| (*name).to_owned()))
});

const PROTOCOLS: [(&str, &str); 4] = [("1", "icmp"), ("6", "tcp"), ("17", "udp"), ("58", "icmpv6")];

/// The addresses of one family (`4`, `6`) in the results of a DNS query as Sysmon lists them.
pub const ADDRESSES: Row = row("view_addresses", |values| {
    let wants_6 = values.get(1).and_then(Value::text).is_some_and(|family| family == "6");
    of(values, |results| {
        let items = results.split(';').map(str::trim).filter_map(|item| item.parse::<std::net::IpAddr>().ok());
        let family = items.map(|address| address.to_canonical()).filter(|address| address.is_ipv6() == wants_6);
        let list = family.map(|address| address.to_string()).collect::<Vec<_>>().join(";");
        Some(list).filter(|list| !list.is_empty())
    })
});

/// Microseconds since 1970 of a time that a field of an event holds.
fn microseconds(value: Option<&Value<'_>>) -> Option<i64> {
    /// Sysmon's times are UTC and do not say so.
    static CLOCK: LazyLock<EventClock> = LazyLock::new(|| EventClock::in_zone("UTC"));
    match value? {
        Value::Number(seconds) => Some((seconds * 1e6).round() as i64),
        other => other.text().and_then(|text| CLOCK.read(&text)),
    }
}

/// A time as seconds since 1970 with milliseconds behind the point.
pub const SECONDS: Row = row("view_seconds", |values| {
    let made = microseconds(values.first()).map(|micros| micros.div_euclid(1_000));
    let text = made.map(|millis| format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000)));
    text.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
});

/// A time as milliseconds since 1970.
pub const MILLISECONDS: Row = row("view_milliseconds", |values| {
    let made = microseconds(values.first()).map(|micros| micros.div_euclid(1_000).to_string());
    made.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
});

/// A time as Sysmon writes it.
pub const UTC_TIME: Row = row("view_utc_time", |values| {
    let time = microseconds(values.first()).and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    let text = time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string());
    text.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
});

/// The event that a new file is, by the ending of its name.
pub const FILE_EVENT: Row = row("view_file_event", |values| {
    of(values, |path| {
        let ending = base_name(path).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let event = match ending.as_deref().unwrap_or_default() {
            "exe" | "com" | "scr" => "NewExecutableWritten",
            "dll" | "sys" | "ocx" | "cpl" | "drv" | "efi" => "PeFileWritten",
            "ps1" | "psm1" | "vbs" | "vbe" | "js" | "jse" | "wsf" | "wsh" | "hta" | "bat" | "cmd" | "py" => {
                "NewScriptWritten"
            }
            "pdf" => "PdfFileWritten",
            "docx" | "xlsx" | "pptx" | "docm" | "xlsm" | "pptm" => "OoxmlFileWritten",
            "doc" | "xls" | "ppt" => "OleFileWritten",
            "rtf" => "RtfFileWritten",
            "zip" => "ZipFileWritten",
            "rar" => "RarFileWritten",
            "7z" => "SevenZipFileWritten",
            "msi" => "MsiFileWritten",
            "lnk" => "LnkFileWritten",
            "eml" => "EmailFileWritten",
            _ => "GenericFileWritten",
        };
        Some(event.to_owned())
    })
});

/// The event that a connection is: by the family of its addresses.
pub const NETWORK_EVENT: Row = row("view_network_event", |values| {
    of(values, |address| match address.parse::<std::net::IpAddr>().ok()?.to_canonical().is_ipv6() {
        true => Some("NetworkConnectIP6".to_owned()),
        false => Some("NetworkConnectIP4".to_owned()),
    })
});

/// Where Windows looks for what it starts by itself, in small letters.
const AUTOSTARTS: [&str; 9] = [
    r"\currentversion\run\",
    r"\currentversion\runonce\",
    r"\currentversion\runservices\",
    r"\currentversion\policies\explorer\run\",
    r"\currentversion\winlogon\",
    r"\currentversion\image file execution options\",
    r"\currentversion\windows\appinit_dlls",
    r"\active setup\installed components\",
    r"\control\session manager\bootexecute",
];

/// The event that a change of the registry is, by what was changed.
pub const REGISTRY_EVENT: Row = row("view_registry_event", |values| {
    of(values, |object| {
        let object = object.to_ascii_lowercase();
        let starts = AUTOSTARTS.iter().any(|known| object.contains(known));
        Some(if starts { "AsepValueUpdate" } else { "RegGenericValueUpdate" }.to_owned())
    })
});

const OPERATIONS: [(&str, &str); 6] = [
    ("SetValue", "1"),
    ("DeleteValue", "2"),
    ("CreateKey", "3"),
    ("DeleteKey", "4"),
    ("RenameKey", "7"),
    ("RenameValue", "7"),
];

/// The number of what was done to the registry.
pub const REGISTRY_OPERATION: Row = row("view_registry_operation", |values| {
    of(values, |name| OPERATIONS.iter().find(|(known, _)| name == *known).map(|(_, number)| (*number).to_owned()))
});

/// The name of what was done to the registry.
pub const REGISTRY_OPERATION_NAME: Row = row("view_registry_operation_name", |values| {
    of(values, |number| OPERATIONS.iter().find(|(_, known)| number == *known).map(|(name, _)| (*name).to_owned()))
});

const ROOTS: [(&str, &str); 2] = [("HKLM", r"\REGISTRY\MACHINE"), ("HKU", r"\REGISTRY\USER")];

/// A path with another root, where it has the first of the two.
fn rooted(path: &str, from: &str, to: &str) -> Option<String> {
    let rest = path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('\\'))?;
    Some([to, rest].concat())
}

/// What Sysmon names with the short names of the registry's roots, with the long ones: all of it (`whole`), or the key
/// (`key`) or the value (`value`) of a key and a value.
pub const REGISTRY_PATH: Row = row("view_registry_path", |values| {
    let part = values.get(1).and_then(Value::text).unwrap_or_default();
    of(values, |object| {
        let path = ROOTS.iter().find_map(|(short, long)| rooted(object, short, long));
        let path = path.unwrap_or_else(|| object.to_owned());
        match (&*part, path.rsplit_once('\\')) {
            ("key", Some((key, _))) => Some(key.to_owned()),
            ("value", Some((_, value))) => Some(value.to_owned()).filter(|name| !name.is_empty()),
            ("whole", _) => Some(path),
            _ => None,
        }
    })
});

/// A key and a value as Sysmon names both.
pub const REGISTRY_OBJECT: Row = row("view_registry_object", |values| {
    let name = values.get(1).and_then(Value::text).filter(|name| !name.is_empty());
    of(values, |key| {
        let path = ROOTS.iter().find_map(|(short, long)| rooted(key, long, short));
        let path = path.unwrap_or_else(|| key.to_owned());
        Some(match &name {
            Some(name) => [&path, "\\", name].concat(),
            None => path,
        })
    })
});

#[cfg(test)]
mod tests {
    use super::*;

    fn text(row: &Row, values: &[&str]) -> Option<String> {
        let values: Vec<Value<'_>> = values.iter().map(|value| Value::Text(Cow::Borrowed(value))).collect();
        (row.evaluate)(&values).text().map(Cow::into_owned)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn paths_change_between_drive_and_device() {
        assert_eq!(text(&DEVICE_PATH, &[r"C:\a\b.exe"]), some(r"\Device\HarddiskVolume3\a\b.exe"));
        assert_eq!(text(&DEVICE_PATH, &["System"]), some("System"));
        assert_eq!(text(&DRIVE_PATH, &[r"\Device\HarddiskVolume12\a\b.exe"]), some(r"C:\a\b.exe"));
        assert_eq!(text(&DRIVE_PATH, &[r"\Device\Mup\host\share\b.exe"]), some(r"\Device\Mup\host\share\b.exe"));
        assert_eq!(text(&DRIVE_PATH, &[r"\Device\HarddiskVolume"]), some(r"\Device\HarddiskVolume"));
        assert_eq!(text(&FOLDER, &[r"C:\a\B.EXE"]), some(r"\Device\HarddiskVolume3\a\"));
        assert_eq!(text(&FOLDER, &["System"]), None);
        assert_eq!(text(&BASE_NAME, &[r"C:\a\B.EXE"]), some("B.EXE"));
        assert_eq!(text(&BASE_NAME, &["C:/a/b.exe"]), some("b.exe"));
        assert_eq!(text(&BASE_NAME, &[r"C:\a\"]), None);
        assert_eq!(text(&IN_FOLDERS, &["mmc.exe"]), some(r"\mmc.exe"));
    }

    #[test]
    fn identifiers_are_decimal_and_ignore_letter_case() {
        let one = text(&IDENTIFIER, &["{A}"]).unwrap();
        assert_eq!(Some(one.clone()), text(&IDENTIFIER, &["{a}"]));
        assert!(one.parse::<i64>().is_ok_and(|number| number >= 0));
        assert_eq!(text(&AGENT, &["host"]).map(|digits| digits.len()), Some(32));
    }

    #[test]
    fn digests_accounts_levels_and_numbers() {
        assert_eq!(text(&DIGEST, &["SHA1=AB,MD5=CD", "MD5"]), some("cd"));
        assert_eq!(text(&DIGEST, &["SHA1=AB", "MD5"]), None);
        assert_eq!(text(&DIGESTS, &["000", "cd", "ef"]), some("MD5=CD,SHA256=EF"));
        assert_eq!(text(&ACCOUNT, &[r"LAB\alice"]), some("alice"));
        assert_eq!(text(&ACCOUNT, &["-"]), None);
        assert_eq!(text(&DOMAIN, &[r"NT AUTHORITY\SYSTEM"]), some("NT AUTHORITY"));
        assert_eq!(text(&DOMAIN, &["alice"]), None);
        assert_eq!(text(&SHORT_HOST, &["ws01.lab.example"]), some("ws01"));
        assert_eq!(text(&SHORT_HOST, &["10.0.0.1"]), some("10.0.0.1"));
        assert_eq!(text(&INTEGRITY, &["High"]), some("12288"));
        assert_eq!(text(&INTEGRITY, &["S-1-16-8448"]), some("8448"));
        assert_eq!(text(&INTEGRITY, &["AppContainer"]), None);
        assert_eq!(text(&DECIMAL, &["0x3e7"]), some("999"));
        assert_eq!(text(&DECIMAL, &["0xffffffffffffffff"]), some("18446744073709551615"));
        assert_eq!(text(&HEXADECIMAL, &["999"]), some("0x3e7"));
    }

    #[test]
    fn times_addresses_files_and_the_registry() {
        assert_eq!(text(&SECONDS, &["2024-05-24 10:01:00.123"]), some("1716544860.123"));
        assert_eq!(text(&MILLISECONDS, &["2024-05-24 10:01:00.123"]), some("1716544860123"));
        assert_eq!(text(&UTC_TIME, &["1716544860.123"]), some("2024-05-24 10:01:00.123"));
        let results = "type:  5 a.example;::ffff:192.0.2.1;2001:db8::1;192.0.2.2;";
        assert_eq!(text(&ADDRESSES, &[results, "4"]), some("192.0.2.1;192.0.2.2"));
        assert_eq!(text(&ADDRESSES, &[results, "6"]), some("2001:db8::1"));
        assert_eq!(text(&ADDRESSES, &["-", "4"]), None);
        assert_eq!(text(&FILE_EVENT, &[r"C:\a.b\c.PS1"]), some("NewScriptWritten"));
        assert_eq!(text(&FILE_EVENT, &[r"C:\a.exe\c"]), some("GenericFileWritten"));
        let run = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\x";
        assert_eq!(text(&REGISTRY_EVENT, &[run]), some("AsepValueUpdate"));
        let key = r"\REGISTRY\MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Run";
        assert_eq!(text(&REGISTRY_PATH, &[run, "key"]), some(key));
        assert_eq!(text(&REGISTRY_PATH, &[run, "value"]), some("x"));
        assert_eq!(text(&REGISTRY_PATH, &["HKLMX", "whole"]), some("HKLMX"));
        assert_eq!(text(&REGISTRY_OBJECT, &[r"\REGISTRY\USER\a", "b"]), some(r"HKU\a\b"));
        assert_eq!(text(&NETWORK_EVENT, &["fe80::1"]), some("NetworkConnectIP6"));
        assert_eq!(text(&PROTOCOL, &["tcp"]), some("6"));
        assert_eq!(text(&PROTOCOL_NAME, &["17"]), some("udp"));
    }
}
