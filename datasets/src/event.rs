//! A Windows event: what kind it is, when and where it was written, and its named values.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// Text that is either part of this crate's tables or made for one event.
pub type Text = Cow<'static, str>;

/// The named values of an event, in the order in which Windows writes them.
pub type Data = Vec<(&'static str, Text)>;

/// One event of a Windows event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What all events of this provider and code have in common.
    pub kind: &'static Kind,
    /// The record number in the log.
    pub record: u64,
    /// When the event was written.
    pub time: Timestamp,
    /// Fully qualified name of the computer that wrote it.
    pub computer: Text,
    /// The process that wrote it; for Sysmon that is the Sysmon service, not the process it tells of.
    pub process_id: u32,
    /// The thread that wrote it.
    pub thread_id: u32,
    /// SID of the account that wrote it; Security and most System events have none.
    pub user_id: Option<Text>,
    /// The values under `EventData`: always text, `-` where Windows shows nothing.
    pub data: Data,
}

impl Event {
    /// The value of one field of the event data, by its exact name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.data.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }
}

/// The part of an event's header that its provider and code determine.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The log it is written to.
    pub channel: &'static str,
    /// The provider that writes it.
    pub provider: &'static str,
    /// The provider's GUID, in braces.
    pub provider_guid: &'static str,
    /// The name of the classic event source, for providers that have one.
    pub event_source: Option<&'static str>,
    /// The qualifiers of a classic event's code.
    pub qualifiers: Option<u16>,
    /// The event code.
    pub event_id: u32,
    /// Version of the event's field set.
    pub version: u8,
    /// Severity: 0 always, 4 information, 5 verbose.
    pub level: u8,
    /// Task category.
    pub task: u16,
    /// Operation code.
    pub opcode: u8,
    /// Keyword mask, as hexadecimal text.
    pub keywords: &'static str,
}

/// The kinds of event that scenarios and generator know.
pub mod kinds {
    use super::Kind;

    const fn sysmon(event_id: u32, version: u8) -> Kind {
        Kind {
            channel: "Microsoft-Windows-Sysmon/Operational",
            provider: "Microsoft-Windows-Sysmon",
            provider_guid: "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
            event_source: None,
            qualifiers: None,
            event_id,
            version,
            level: 4,
            task: event_id as u16,
            opcode: 0,
            keywords: "0x8000000000000000",
        }
    }

    const fn security(event_id: u32, version: u8, task: u16) -> Kind {
        Kind {
            channel: "Security",
            provider: "Microsoft-Windows-Security-Auditing",
            provider_guid: "{54849625-5478-4994-a5ba-3e3b0328c30d}",
            event_source: None,
            qualifiers: None,
            event_id,
            version,
            level: 0,
            task,
            opcode: 0,
            keywords: "0x8020000000000000",
        }
    }

    const fn service_control(event_id: u32) -> Kind {
        Kind {
            channel: "System",
            provider: "Service Control Manager",
            provider_guid: "{555908d1-a6d7-4695-8e1e-26931d2012f4}",
            event_source: Some("Service Control Manager"),
            qualifiers: Some(16384),
            event_id,
            version: 0,
            level: 4,
            task: 0,
            opcode: 0,
            keywords: "0x8080000000000000",
        }
    }

    /// Sysmon 1: a process started.
    pub static PROCESS_CREATE: Kind = sysmon(1, 5);
    /// Sysmon 3: a network connection.
    pub static NETWORK_CONNECT: Kind = sysmon(3, 5);
    /// Sysmon 5: a process ended.
    pub static PROCESS_TERMINATE: Kind = sysmon(5, 3);
    /// Sysmon 7: a module was loaded.
    pub static IMAGE_LOAD: Kind = sysmon(7, 3);
    /// Sysmon 10: one process opened another.
    pub static PROCESS_ACCESS: Kind = sysmon(10, 3);
    /// Sysmon 11: a file was created.
    pub static FILE_CREATE: Kind = sysmon(11, 2);
    /// Sysmon 12: a registry key was created or deleted.
    pub static REGISTRY_KEY: Kind = sysmon(12, 2);
    /// Sysmon 13: a registry value was set.
    pub static REGISTRY_VALUE: Kind = sysmon(13, 2);
    /// Sysmon 22: a DNS query.
    pub static DNS_QUERY: Kind = sysmon(22, 5);
    /// Security 4624: an account logged on.
    pub static LOGON: Kind = security(4624, 2, 12544);
    /// Security 4634: an account logged off.
    pub static LOGOFF: Kind = security(4634, 0, 12545);
    /// Security 4663: an object was accessed.
    pub static OBJECT_ACCESS: Kind = security(4663, 1, 12800);
    /// Security 4672: a logon was given special privileges.
    pub static PRIVILEGES: Kind = security(4672, 0, 12548);
    /// Security 4688: a process started.
    pub static AUDIT_PROCESS: Kind = security(4688, 2, 13312);
    /// Security 5156: the filtering platform let a connection pass.
    pub static PACKET_PERMIT: Kind = security(5156, 1, 12810);
    /// PowerShell 4104: the text of a script block.
    pub static SCRIPT_BLOCK: Kind = Kind {
        channel: "Microsoft-Windows-PowerShell/Operational",
        provider: "Microsoft-Windows-PowerShell",
        provider_guid: "{a0c1853b-5c40-4b15-8766-3cf1c58f985a}",
        event_source: None,
        qualifiers: None,
        event_id: 4104,
        version: 1,
        level: 5,
        task: 2,
        opcode: 15,
        keywords: "0x0",
    };
    /// System 7036: a service changed its state.
    pub static SERVICE_STATE: Kind = service_control(7036);
    /// System 7045: a service was installed.
    pub static SERVICE_INSTALLED: Kind = service_control(7045);
}

/// Sysmon's way of writing a time: UTC to the millisecond, a blank between date and time, no zone.
pub(crate) fn utc_text(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3)).separator(b' ');
    let mut text = String::with_capacity(24);
    // Writing into a String cannot fail.
    let _ = PRINTER.print_timestamp(&time, &mut text);
    text.truncate(text.trim_end_matches('Z').len());
    text
}
