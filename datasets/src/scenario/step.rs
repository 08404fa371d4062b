//! The vocabulary in which the scenarios are written down.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::ScenarioEvent;
use crate::action::{Account, Action, Endpoint, Process, process_guid};
use crate::catalogue::programs::{EXPLORER, POWERSHELL, Program, SVCHOST};

/// 2024-05-24 10:00 UTC, from which the steps count their milliseconds.
const START: Timestamp = Timestamp::constant(1_716_544_800, 0);

pub(super) const ALICE: &str = r"LAB\alice";
pub(super) const BUILDER: &str = r"LAB\svc-build";
pub(super) const LOCAL_SYSTEM: &str = r"NT AUTHORITY\LOCAL_SYSTEM";
pub(super) const NETWORK_SERVICE: &str = r"NT AUTHORITY\NETWORK SERVICE";

pub(super) const SUSPICIOUS_CHILD: &str = "COM_SuspiciousChild";
pub(super) const CONFIG_TOOL: &str = "DCOM_ConfigTool";
pub(super) const COMMAND_LINE: &str = "DCOM_CommandLineRef";
pub(super) const OTHER: &str = "DCOM_Other";

/// A process of the story.
#[derive(Clone, Copy)]
pub(super) struct Actor {
    program: &'static Program,
    pid: u32,
    command_line: &'static str,
    directory: &'static str,
    user: &'static str,
    integrity: &'static str,
}

/// A process of alice's elevated session, started in her home folder.
pub(super) const fn actor(program: &'static Program, pid: u32, command_line: &'static str) -> Actor {
    Actor { program, pid, command_line, directory: r"C:\Users\alice\", user: ALICE, integrity: "High" }
}

impl Actor {
    /// The same, running as another user.
    pub const fn by(mut self, user: &'static str) -> Self {
        self.user = user;
        self
    }

    /// The same, running as one of the accounts of services.
    pub const fn service(mut self, user: &'static str) -> Self {
        self.integrity = "System";
        self.by(user)
    }

    /// The same, not elevated.
    pub const fn medium(mut self) -> Self {
        self.integrity = "Medium";
        self
    }

    /// The same, in another folder.
    pub const fn at(mut self, directory: &'static str) -> Self {
        self.directory = directory;
        self
    }

    fn process(&self, host: &str) -> Arc<Process> {
        Arc::new(Process {
            program: self.program,
            pid: self.pid,
            // One process id, one process: the start time follows from it.
            guid: process_guid(host_number(host), START.as_second() + i64::from(self.pid / 4), self.pid),
            command_line: self.command_line.into(),
            directory: self.directory.into(),
            integrity: self.integrity,
            account: account(self.user),
        })
    }
}

pub(super) const SYSTEM_FOLDER: &str = r"C:\Windows\system32\";

pub(super) const ALICE_POWERSHELL: Actor =
    actor(&POWERSHELL, 3900, r#""C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe""#);
pub(super) const ALICE_EXPLORER: Actor = actor(&EXPLORER, 4012, r"C:\Windows\Explorer.EXE").medium();
pub(super) const DCOM_LAUNCH: Actor =
    actor(&SVCHOST, 780, r"C:\Windows\system32\svchost.exe -k DcomLaunch -p").service(LOCAL_SYSTEM).at(SYSTEM_FOLDER);
pub(super) const RPC_MAPPER: Actor =
    actor(&SVCHOST, 932, r"C:\Windows\system32\svchost.exe -k RPCSS -p").service(NETWORK_SERVICE).at(SYSTEM_FOLDER);

/// What a step shows.
pub(super) enum What {
    /// A process starts: Sysmon 1.
    Start(Actor, Actor),
    /// The same in the Security log: 4688.
    Audit(Actor, Actor),
    /// A connection: Sysmon 3. Whether this side opened it; where from; where to.
    Connect(Actor, bool, (&'static str, u16), (&'static str, u16)),
    /// A file is created: Sysmon 11.
    File(Actor, &'static str),
    /// PowerShell compiles a script block: 4104.
    Script(Actor, &'static str),
    /// Alice logs on over the network: Security 4624.
    Logon(&'static str, u16),
    /// Her logon is privileged: Security 4672.
    Privileges,
}

/// One event of the story.
pub(super) struct Step {
    record: u64,
    millis: i64,
    test: &'static str,
    signal: &'static str,
    what: What,
    host: &'static str,
    spl: Option<&'static str>,
    logscale: Option<&'static str>,
}

/// A step on the workstation that no detection returns.
pub(super) const fn step(record: u64, millis: i64, test: &'static str, signal: &'static str, what: What) -> Step {
    Step { record, millis, test, signal, what, host: "WS01", spl: None, logscale: None }
}

impl Step {
    /// The same, on another host.
    pub const fn on(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }

    /// The same, returned by both detections with one label.
    pub const fn found(self, label: &'static str) -> Self {
        self.spl(label).logscale(label)
    }

    /// The same, returned by the SPL detection.
    pub const fn spl(mut self, label: &'static str) -> Self {
        self.spl = Some(label);
        self
    }

    /// The same, returned by the LogScale detection.
    pub const fn logscale(mut self, label: &'static str) -> Self {
        self.logscale = Some(label);
        self
    }

    pub fn event(&self) -> ScenarioEvent {
        let time = START + SignedDuration::from_millis(self.millis);
        let thread = 1380 + (self.record % 7) as u32 * 4;
        let event = self.action().event(self.record, time, full_name(self.host).into(), thread);
        let Self { test, signal, spl, logscale, .. } = *self;
        ScenarioEvent { test, signal, event, spl, logscale }
    }

    fn action(&self) -> Action {
        let process = |actor: &Actor| actor.process(self.host);
        match &self.what {
            What::Start(child, parent) => Action::Start { process: process(child), parent: process(parent) },
            What::Audit(child, parent) => Action::AuditStart { process: process(child), parent: process(parent) },
            What::Connect(actor, initiated, source, destination) => Action::Connect {
                process: process(actor),
                initiated: *initiated,
                source: self.endpoint(*source),
                destination: self.endpoint(*destination),
            },
            What::File(actor, path) => Action::CreateFile { process: process(actor), path: (*path).into() },
            What::Script(actor, text) => Action::Script {
                process: process(actor),
                text: (*text).into(),
                path: "".into(),
                block: format!("5f3c9a10-7d2e-4b61-9c04-{:012x}", self.record),
            },
            What::Logon(ip, port) => Action::Logon {
                account: account(ALICE),
                logon_type: 3,
                from: Endpoint { ip: (*ip).into(), port: *port, host: "-".into() },
                guid: format!("{{2c91e6b4-03fd-4e77-a5d2-{:012x}}}", self.record),
            },
            What::Privileges => Action::Privileges { account: account(ALICE) },
        }
    }

    fn endpoint(&self, (ip, port): (&'static str, u16)) -> Endpoint {
        let host = match ip {
            "127.0.0.1" => full_name(self.host),
            "172.18.39.5" => full_name("WS01"),
            "172.18.39.6" => full_name("FS01"),
            _ => "-",
        };
        Endpoint { ip: ip.into(), port, host: host.into() }
    }
}

fn full_name(host: &str) -> &'static str {
    match host {
        "FS01" => "FS01.lab.local",
        "BUILD01" => "BUILD01.lab.local",
        _ => "WS01.lab.local",
    }
}

fn host_number(host: &str) -> u32 {
    match host {
        "FS01" => 0x51d0_77a2,
        "BUILD01" => 0x7e42_90c5,
        _ => 0x8a4b_7c10,
    }
}

fn account(user: &'static str) -> Arc<Account> {
    match user {
        LOCAL_SYSTEM => Account::system(),
        NETWORK_SERVICE => Account::network_service(),
        BUILDER => Account::new(user, "S-1-5-21-1004336348-1177238915-682003330-1127", 0x6d13c, 0),
        _ => Account::new(user, "S-1-5-21-1004336348-1177238915-682003330-1104", 0x4f2a1, 1),
    }
}
