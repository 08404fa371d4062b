//! Things that happen on a host, and the event that each of them leaves behind.

mod fields;

use std::sync::Arc;

use jiff::Timestamp;

use crate::catalogue::artifacts::Module;
use crate::catalogue::programs::Program;
use crate::event::{Data, Event, Kind, Text, kinds, utc_text};
use fields::*;

/// The process id of the Sysmon service, which writes all Sysmon events.
const SYSMON_PID: u32 = 2684;
const SYSTEM_SID: &str = "S-1-5-18";

/// An account with a logon session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// `DOMAIN\name`.
    pub user: Text,
    pub sid: Text,
    pub logon_id: u64,
    pub session: u32,
}

impl Account {
    pub fn new(user: impl Into<Text>, sid: impl Into<Text>, logon_id: u64, session: u32) -> Arc<Self> {
        Arc::new(Self { user: user.into(), sid: sid.into(), logon_id, session })
    }

    pub fn system() -> Arc<Self> {
        Self::new(r"NT AUTHORITY\SYSTEM", SYSTEM_SID, 0x3e7, 0)
    }

    pub fn local_service() -> Arc<Self> {
        Self::new(r"NT AUTHORITY\LOCAL SERVICE", "S-1-5-19", 0x3e5, 0)
    }

    pub fn network_service() -> Arc<Self> {
        Self::new(r"NT AUTHORITY\NETWORK SERVICE", "S-1-5-20", 0x3e4, 0)
    }

    pub fn domain(&self) -> &str {
        self.user.split_once('\\').map_or("", |(domain, _)| domain)
    }

    pub fn name(&self) -> &str {
        self.user.split_once('\\').map_or(self.user.as_ref(), |(_, name)| name)
    }

    fn logon_text(&self) -> Text {
        format!("0x{:x}", self.logon_id).into()
    }
}

/// A running process.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub program: &'static Program,
    pub pid: u32,
    pub guid: String,
    pub command_line: Text,
    pub directory: Text,
    pub integrity: &'static str,
    pub account: Arc<Account>,
}

/// Sysmon's process identifier: host, start time in seconds, and a number that is unique on the host.
pub(crate) fn process_guid(host: u32, started: i64, number: u32) -> String {
    format!("{{{host:08x}-{:04x}-{:04x}-{number:04x}-000000001700}}", started & 0xffff, started >> 16 & 0xffff)
}

/// One end of a network connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub ip: Text,
    pub port: u16,
    pub host: Text,
}

/// Something that happens and is logged.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Start { process: Arc<Process>, parent: Arc<Process> },
    AuditStart { process: Arc<Process>, parent: Arc<Process> },
    Exit { process: Arc<Process> },
    Connect { process: Arc<Process>, initiated: bool, source: Endpoint, destination: Endpoint },
    Permit { process: Arc<Process>, initiated: bool, source: Endpoint, destination: Endpoint },
    Load { process: Arc<Process>, module: &'static Module },
    Access { source: Arc<Process>, target: Arc<Process>, granted: &'static str, trace: Text },
    CreateFile { process: Arc<Process>, path: Text },
    RegistryKey { process: Arc<Process>, change: &'static str, key: Text },
    RegistryValue { process: Arc<Process>, value: Text, details: Text },
    Resolve { process: Arc<Process>, name: Text, results: Text },
    Script { process: Arc<Process>, text: Text, path: Text, block: String },
    Logon { account: Arc<Account>, logon_type: u8, from: Endpoint, guid: String },
    Logoff { account: Arc<Account>, logon_type: u8 },
    Privileges { account: Arc<Account> },
    OpenObject { process: Arc<Process>, path: Text, access: &'static str, mask: &'static str },
    ServiceState { service: &'static str, state: &'static str },
    ServiceInstalled { service: Text, path: Text, account: Arc<Account> },
}

impl Action {
    /// The event that the action leaves in the log of `computer`.
    pub fn event(&self, record: u64, time: Timestamp, computer: Text, thread_id: u32) -> Event {
        let (kind, data) = self.data(time);
        let (process_id, user_id) = match self {
            Self::Script { process, .. } => (process.pid, Some(process.account.sid.clone())),
            Self::ServiceInstalled { account, .. } => (712, Some(account.sid.clone())),
            Self::ServiceState { .. } => (712, None),
            _ if kind.channel == "Security" => (4, None),
            _ => (SYSMON_PID, Some(SYSTEM_SID.into())),
        };
        Event { kind, record, time, computer, process_id, thread_id, user_id, data }
    }

    fn data(&self, time: Timestamp) -> (&'static Kind, Data) {
        match self {
            Self::Start { process, parent } => (&kinds::PROCESS_CREATE, start(utc_text(time), process, parent)),
            Self::AuditStart { process, parent } => (&kinds::AUDIT_PROCESS, audit_start(process, parent)),
            Self::Exit { process } => {
                let mut data = sysmon(utc_text(time), process);
                data.push(user(process));
                (&kinds::PROCESS_TERMINATE, data)
            }
            Self::Connect { process, initiated, source, destination } => {
                (&kinds::NETWORK_CONNECT, connect(utc_text(time), process, *initiated, source, destination))
            }
            Self::Permit { process, initiated, source, destination } => {
                (&kinds::PACKET_PERMIT, permit(process, *initiated, source, destination))
            }
            Self::Load { process, module } => (&kinds::IMAGE_LOAD, load(utc_text(time), process, module)),
            Self::Access { source, target, granted, trace } => {
                (&kinds::PROCESS_ACCESS, access(utc_text(time), source, target, granted, trace))
            }
            Self::CreateFile { process, path } => {
                let now = utc_text(time);
                let mut data = sysmon(now.clone(), process);
                data.extend([("TargetFilename", path.clone()), ("CreationUtcTime", now.into()), user(process)]);
                (&kinds::FILE_CREATE, data)
            }
            Self::RegistryKey { process, change, key } => {
                let mut data = sysmon(utc_text(time), process);
                data.insert(1, ("EventType", (*change).into()));
                data.extend([("TargetObject", key.clone()), user(process)]);
                (&kinds::REGISTRY_KEY, data)
            }
            Self::RegistryValue { process, value, details } => {
                let mut data = sysmon(utc_text(time), process);
                data.insert(1, ("EventType", "SetValue".into()));
                data.extend([("TargetObject", value.clone()), ("Details", details.clone()), user(process)]);
                (&kinds::REGISTRY_VALUE, data)
            }
            Self::Resolve { process, name, results } => {
                let mut data = sysmon(utc_text(time), process);
                let image = data.pop();
                let status = if results == "-" { "9003" } else { "0" };
                data.extend([
                    ("QueryName", name.clone()),
                    ("QueryStatus", status.into()),
                    ("QueryResults", results.clone()),
                ]);
                data.extend(image);
                data.push(user(process));
                (&kinds::DNS_QUERY, data)
            }
            Self::Script { text, path, block, .. } => (
                &kinds::SCRIPT_BLOCK,
                vec![
                    ("MessageNumber", "1".into()),
                    ("MessageTotal", "1".into()),
                    ("ScriptBlockText", text.clone()),
                    ("ScriptBlockId", block.clone().into()),
                    ("Path", path.clone()),
                ],
            ),
            Self::Logon { account, logon_type, from, guid } => (&kinds::LOGON, logon(account, *logon_type, from, guid)),
            Self::Logoff { account, logon_type } => {
                let mut data = named("Target", account);
                data.push(("LogonType", logon_type.to_string().into()));
                (&kinds::LOGOFF, data)
            }
            Self::Privileges { account } => {
                let mut data = named("Subject", account);
                data.push(("PrivilegeList", PRIVILEGES.into()));
                (&kinds::PRIVILEGES, data)
            }
            Self::OpenObject { process, path, access, mask } => {
                (&kinds::OBJECT_ACCESS, open_object(process, path, access, mask))
            }
            Self::ServiceState { service, state } => {
                (&kinds::SERVICE_STATE, vec![("param1", (*service).into()), ("param2", (*state).into())])
            }
            Self::ServiceInstalled { service, path, .. } => (
                &kinds::SERVICE_INSTALLED,
                vec![
                    ("ServiceName", service.clone()),
                    ("ImagePath", path.clone()),
                    ("ServiceType", "user mode service".into()),
                    ("StartType", "demand start".into()),
                    ("AccountName", "LocalSystem".into()),
                ],
            ),
        }
    }
}
