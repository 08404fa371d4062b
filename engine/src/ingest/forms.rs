//! The forms in which tools export events as JSON and CSV, beyond the names of their fields.
//!
//! Which forms there can be is looked up once a block, so that records without any cost nothing.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The forms that records of a block can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Forms {
    /// Records inside an object: CloudTrail's files, and Splunk's answers that are one object.
    pub(crate) envelope: bool,
    /// EvtxECmd: what the event says is JSON inside a string.
    pub(crate) payload: bool,
    /// Hayabusa: channels are abbreviated, and what the event says is in `Details` and its kin.
    pub(crate) hayabusa: bool,
    /// Values that have their names beside them: `{"@Name":"Image","#text":"..."}`.
    pub(crate) named: bool,
    /// Perhaps of AWS CloudTrail.
    pub(crate) cloudtrail: bool,
    /// Perhaps of Zeek.
    pub(crate) zeek: bool,
}

impl Forms {
    /// The forms that a text can have.
    pub(crate) fn of(text: &str) -> Forms {
        let has = |needle: &str| memmem::find(text.as_bytes(), needle.as_bytes()).is_some();
        Forms {
            envelope: has("\"Records\"") || has("\"results\""),
            payload: has("\"MapDescription\"") || has("\"ExtraDataOffset\""),
            hayabusa: has("\"RuleTitle\""),
            named: has("\"@Name\""),
            cloudtrail: has("\"eventSource\""),
            zeek: has("\"id.orig_h\"") || has("\"_path\""),
        }
    }

    /// The sourcetype of a record, if its form has one of its own. `path` is that of its file.
    pub(crate) fn sourcetype(self, record: &str, path: &str) -> Option<Cow<'static, str>> {
        let has = |needle: &str| memmem::find(record.as_bytes(), needle.as_bytes()).is_some();
        if self.cloudtrail && has("\"eventSource\"") && has("\"eventVersion\"") && has("\"awsRegion\"") {
            return Some("aws:cloudtrail".into());
        }
        if self.zeek && (has("\"_path\"") || (has("\"ts\"") && has("\"id.orig_h\""))) {
            #[derive(Deserialize)]
            struct Path<'r> {
                #[serde(borrow, rename = "_path")]
                path: Option<Cow<'r, str>>,
            }
            let own = serde_json::from_str::<Path<'_>>(record).ok().and_then(|found| found.path);
            // Where a record does not say which log it is of, its file does.
            let path = own.as_deref().unwrap_or_else(|| log_name(path));
            return Some(format!("zeek:{path}:json").into());
        }
        None
    }

    /// The path of a value under the name that events have for it.
    pub(crate) fn path(self, path: &str) -> Cow<'_, str> {
        if self.payload {
            match path {
                "ProcessId" => return "System.Execution.ProcessID".into(),
                "ThreadId" => return "System.Execution.ThreadID".into(),
                "UserId" => return "System.Security.UserID".into(),
                "EventRecordId" => return "System.EventRecordID".into(),
                // The number of the row, not of the event.
                "RecordNumber" => return "RowNumber".into(),
                _ => {}
            }
        }
        if self.hayabusa {
            let parts = ["Details.", "ExtraFieldInfo.", "AllFieldInfo."];
            if let Some(name) = parts.iter().find_map(|&part| path.strip_prefix(part)) {
                return ["EventData.", detail(name)].concat().into();
            }
        }
        path.into()
    }

    /// The value of a key as events have it.
    pub(crate) fn value<'v>(self, path: &str, value: &'v str) -> &'v str {
        if self.hayabusa && path == "Channel" { channel(value) } else { value }
    }
}

/// `conn` of `logs/conn.2024.log.gz`.
fn log_name(path: &str) -> &str {
    let file = path.rsplit(['/', '\\', '!']).next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

/// The records inside an object, if it is one that holds records and no event itself.
pub(crate) fn enveloped(record: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Envelope<'r> {
        #[serde(borrow, rename = "Records")]
        records: Option<Vec<&'r RawValue>>,
        /// Of Splunk, beside these two.
        #[serde(borrow)]
        results: Option<Vec<&'r RawValue>>,
        #[serde(borrow)]
        preview: Option<&'r RawValue>,
        #[serde(borrow)]
        init_offset: Option<&'r RawValue>,
    }
    let begin = record.strip_prefix('{')?.trim_ascii_start();
    if !["\"Records\"", "\"preview\"", "\"init_offset\"", "\"results\""].iter().any(|key| begin.starts_with(key)) {
        return None;
    }
    let envelope: Envelope<'_> = serde_json::from_str(record).ok()?;
    let is_splunk = envelope.preview.is_some() || envelope.init_offset.is_some();
    let records = envelope.records.or(envelope.results.filter(|_| is_splunk))?;
    records.iter().all(|record| record.get().starts_with('{')).then_some(records)
}

/// A value that has its name beside it.
#[derive(Debug, Deserialize)]
pub(crate) struct Named<'r> {
    #[serde(borrow, rename = "@Name")]
    pub(crate) name: Cow<'r, str>,
    #[serde(borrow, rename = "#text", default)]
    pub(crate) text: Option<Cow<'r, str>>,
}

/// What a finding of Hayabusa says of its event where it is one text: `Cmdline: x ¦ Proc: y`.
pub(crate) fn details(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(" ¦ ").filter_map(|part| {
        let (name, value) = part.split_once(": ")?;
        Some((detail(name.trim()), value.trim()))
    })
}

/// The field of the event that a name in `Details` stands for, where it is always the same one.
fn detail(name: &str) -> &str {
    match name {
        "Cmdline" => "CommandLine",
        "ParentCmdline" => "ParentCommandLine",
        "PGUID" => "ProcessGuid",
        "ParentPGUID" => "ParentProcessGuid",
        "ScriptBlock" => "ScriptBlockText",
        "SrcUser" => "SubjectUserName",
        "TgtUser" => "TargetUserName",
        _ => name,
    }
}

/// The whole name of a channel that Hayabusa abbreviates.
pub(crate) fn channel(abbreviation: &str) -> &str {
    match abbreviation {
        "App" => "Application",
        "BitsCli" => "Microsoft-Windows-Bits-Client/Operational",
        "CodeInteg" => "Microsoft-Windows-CodeIntegrity/Operational",
        "Defender" => "Microsoft-Windows-Windows Defender/Operational",
        "DNS-Svr" => "DNS Server",
        "Firewall" => "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",
        "LSA" => "Microsoft-Windows-LSA/Operational",
        "NTLM" => "Microsoft-Windows-NTLM/Operational",
        "OpenSSH" => "OpenSSH/Operational",
        "PwSh" => "Microsoft-Windows-PowerShell/Operational",
        "PwShClassic" => "Windows PowerShell",
        "Sec" => "Security",
        "SecMitig" => "Microsoft-Windows-Security-Mitigations/KernelMode",
        "SmbCliSec" => "Microsoft-Windows-SmbClient/Security",
        "Sys" => "System",
        "Sysmon" => "Microsoft-Windows-Sysmon/Operational",
        "TaskSch" => "Microsoft-Windows-TaskScheduler/Operational",
        "WinRM" => "Microsoft-Windows-WinRM/Operational",
        "WMI" => "Microsoft-Windows-WMI-Activity/Operational",
        _ => abbreviation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_told_from_events() {
        let inner = |text: &str| enveloped(text).map(|records| records.len());
        assert_eq!(inner("{\"Records\":[{\"a\":1},{\"b\":2}]}"), Some(2));
        assert_eq!(inner("{ \"preview\":false,\"init_offset\":0,\"results\":[{\"a\":1}],\"highlighted\":{}}"), Some(1));
        for text in ["{\"results\":[{\"a\":1}]}", "{\"Records\":[1]}", "{\"a\":1,\"Records\":[{}]}", "{\"Records\":{}}"]
        {
            assert_eq!(inner(text), None, "{text}");
        }
    }

    #[test]
    fn a_log_is_named_by_its_file() {
        assert_eq!(log_name("evidence.zip!zeek/conn.2024-05-24.log.gz"), "conn");
        let record = "{\"ts\":1,\"id.orig_h\":\"a\"}";
        assert_eq!(Forms::of(record).sourcetype(record, "a/dns.log").as_deref(), Some("zeek:dns:json"));
    }
}
