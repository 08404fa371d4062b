//! Process creations as the CrowdStrike Falcon sensor would report them.

use serde_json::{Map, Value};

use crate::event::{Event, kinds};

impl Event {
    /// A Sysmon process creation as a flat Falcon `ProcessRollup2` record; none for other events.
    ///
    /// As in Falcon's exports every value is text, times are milliseconds, paths name the device, and process
    /// identifiers are numbers unique to the sensor. `FileName`, `ComputerName` and `UserName` are there, as LogScale
    /// shows them after enrichment; so is `ParentCommandLine`, which the sensor may not send.
    pub fn to_falcon(&self) -> Option<String> {
        if self.kind != &kinds::PROCESS_CREATE {
            return None;
        }
        let text = |name: &str| self.field(name).unwrap_or_default();
        let millis = self.time.as_millisecond();
        let host = self.computer.split('.').next().unwrap_or_default();
        let (domain, user) = text("User").split_once('\\').unwrap_or_default();
        let integrity = match text("IntegrityLevel") {
            "System" => "16384",
            "High" => "12288",
            "Low" => "4096",
            _ => "8192",
        };
        let logon = u64::from_str_radix(text("LogonId").trim_start_matches("0x"), 16).unwrap_or_default();
        let hash = |name: &str| {
            let found = text("Hashes").split(',').find_map(|hash| hash.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_default().to_ascii_lowercase()
        };
        let fields = [
            ("#event_simpleName", "ProcessRollup2".to_owned()),
            ("event_simpleName", "ProcessRollup2".to_owned()),
            ("event_platform", "Win".to_owned()),
            ("timestamp", millis.to_string()),
            ("ProcessStartTime", format!("{}.{:03}", millis / 1000, millis % 1000)),
            ("aid", format!("{:032x}", u128::from(number(&self.computer)))),
            ("ComputerName", host.to_owned()),
            ("UserName", user.to_owned()),
            ("LogonDomain", domain.to_owned()),
            ("FileName", base_name(text("Image")).to_owned()),
            ("ImageFileName", text("Image").replacen("C:", r"\Device\HarddiskVolume3", 1)),
            ("CommandLine", text("CommandLine").to_owned()),
            ("ParentBaseFileName", base_name(text("ParentImage")).to_owned()),
            ("ParentCommandLine", text("ParentCommandLine").to_owned()),
            ("RawProcessId", text("ProcessId").to_owned()),
            ("TargetProcessId", number(text("ProcessGuid")).to_string()),
            ("ParentProcessId", number(text("ParentProcessGuid")).to_string()),
            ("SourceProcessId", number(text("ParentProcessGuid")).to_string()),
            ("AuthenticationId", logon.to_string()),
            ("SessionId", text("TerminalSessionId").to_owned()),
            ("IntegrityLevel", integrity.to_owned()),
            ("MD5HashData", hash("MD5")),
            ("SHA256HashData", hash("SHA256")),
        ];
        let mut object = Map::from_iter([("@timestamp".to_owned(), Value::from(millis))]);
        object.extend(fields.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))));
        Some(Value::Object(object).to_string())
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('\\').next().unwrap_or(path)
}

/// A 63-bit number that stands for a text: the same wherever the text occurs.
fn number(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash & (u64::MAX >> 1)
}
