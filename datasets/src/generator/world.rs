//! The generated network: hosts with their people and their running processes.

use std::sync::Arc;

use fastrand::Rng;

use super::chance::{Choice, fill, skewed_index};
use crate::action::{Account, Endpoint, Process, process_guid};
use crate::catalogue::habits::{DCOM_LAUNCH, Habit, RESIDENTS, RPC_MAPPER, Who};
use crate::catalogue::programs::{EXPLORER, Program};
use crate::event::Text;

/// How many processes a host keeps in mind, beyond those that run from start-up.
const REMEMBERED: usize = 48;

const GIVEN: &[&str] = &[
    "anna", "bram", "chloe", "david", "elif", "farid", "grace", "hugo", "ines", "jonas", "kira", "lars", "maria",
    "nils", "olga", "pavel", "quinn", "rosa", "sven", "tara", "umar", "vera", "wim", "yara", "zeno",
];
const FAMILY: &[&str] = &[
    "abel", "baum", "fox", "gray", "hale", "ito", "jansen", "klein", "lopez", "novak", "park", "rossi", "sato", "weber",
];

/// One host and what runs on it.
pub(super) struct Host {
    pub name: String,
    pub ip: String,
    number: u32,
    person: Arc<Account>,
    /// Running processes: those of start-up first, then in the order in which they started.
    pub processes: Vec<Arc<Process>>,
    started: u32,
}

impl Host {
    /// The host's name without its domain.
    pub fn short_name(&self) -> &str {
        self.name.split('.').next().unwrap_or(&self.name)
    }

    pub fn person(&self) -> &Arc<Account> {
        &self.person
    }

    /// Whatever runs: processes of start-up more often than others.
    pub fn any(&self, rng: &mut Rng) -> Arc<Process> {
        Arc::clone(&self.processes[skewed_index(rng, self.processes.len())])
    }

    /// A running process of a program: best one of the same account, else one of start-up.
    fn running(&self, program: &Program, account: &Account) -> Option<&Arc<Process>> {
        let of_program = |process: &&Arc<Process>| std::ptr::eq(process.program, program);
        let same = self.processes.iter().rev().filter(of_program).find(|process| *process.account == *account);
        same.or_else(|| self.processes[..RESIDENTS.len()].iter().find(of_program))
    }

    /// The service host that starts COM servers.
    pub fn dcom_launch(&self) -> Arc<Process> {
        Arc::clone(&self.processes[DCOM_LAUNCH])
    }

    /// The service host that answers on port 135.
    pub fn rpc_mapper(&self) -> Arc<Process> {
        Arc::clone(&self.processes[RPC_MAPPER])
    }

    /// Ends a process that has not run from start-up.
    pub fn exit(&mut self, rng: &mut Rng) -> Option<Arc<Process>> {
        let later = self.processes.len() - RESIDENTS.len();
        (later > 0).then(|| self.processes.swap_remove(RESIDENTS.len() + rng.usize(..later)))
    }

    /// This host's end of a connection.
    pub fn endpoint(&self, port: u16) -> Endpoint {
        Endpoint { ip: self.ip.clone().into(), port, host: self.name.clone().into() }
    }
}

/// What a new process is to be.
pub(super) struct Launch {
    pub program: &'static Program,
    pub command_line: Text,
    pub who: Who,
}

/// All hosts.
pub(super) struct World {
    hosts: Vec<Host>,
    choice: Choice,
    system: Arc<Account>,
    local_service: Arc<Account>,
    network_service: Arc<Account>,
}

impl World {
    pub fn new(rng: &mut Rng, hosts: usize, users: usize, now: i64) -> Self {
        let (hosts, users) = (hosts.max(1), users.max(1));
        let mut world = Self {
            hosts: Vec::with_capacity(hosts),
            choice: Choice::zipf(hosts, 0.4),
            system: Account::system(),
            local_service: Account::local_service(),
            network_service: Account::network_service(),
        };
        for index in 0..hosts {
            // One domain controller, a server for every eight hosts, workstations.
            let name = match index {
                0 => "dc01.corp.example".to_owned(),
                _ if index % 8 == 1 => format!("srv{:02}.corp.example", index / 8 + 1),
                _ => format!("ws{index:04}.corp.example"),
            };
            let mut host = Host {
                name,
                ip: format!("10.20.{}.{}", index / 200 % 256, index % 200 + 10),
                number: rng.u32(..),
                person: account(rng, index % users),
                processes: Vec::with_capacity(RESIDENTS.len() + REMEMBERED + 1),
                started: 0,
            };
            for resident in RESIDENTS {
                let process =
                    world.process(&mut host, rng, launch(resident, resident.command_lines[0].into()), now - 7200);
                host.processes.push(process);
            }
            world.hosts.push(host);
        }
        world
    }

    /// A host by chance: a few are much busier than the others.
    pub fn pick(&self, rng: &mut Rng) -> usize {
        self.choice.pick(rng)
    }

    pub fn host(&self, index: usize) -> &Host {
        &self.hosts[index]
    }

    pub fn host_mut(&mut self, index: usize) -> &mut Host {
        &mut self.hosts[index]
    }

    /// Starts a process, which from now on runs.
    pub fn start(&mut self, index: usize, rng: &mut Rng, launch: Launch, now: i64) -> Arc<Process> {
        let mut host = std::mem::replace(&mut self.hosts[index], Host::placeholder(&self.system));
        let process = self.process(&mut host, rng, launch, now);
        if host.processes.len() >= RESIDENTS.len() + REMEMBERED {
            host.exit(rng);
        }
        host.processes.push(Arc::clone(&process));
        self.hosts[index] = host;
        process
    }

    /// A running process of a program; if there is none, one is started before anyone looks.
    pub fn find_or_start(
        &mut self,
        index: usize,
        rng: &mut Rng,
        program: &'static Program,
        who: Who,
        now: i64,
    ) -> Arc<Process> {
        let host = &self.hosts[index];
        let (account, _) = self.account(host, who);
        if let Some(process) = host.running(program, account) {
            return Arc::clone(process);
        }
        let command_line = format!("\"{}\"", program.image).into();
        self.start(index, rng, Launch { program, command_line, who }, now - 60)
    }

    /// Under which account something runs, and at which integrity level.
    fn account<'a>(&'a self, host: &'a Host, who: Who) -> (&'a Arc<Account>, &'static str) {
        match who {
            Who::System => (&self.system, "System"),
            Who::LocalService => (&self.local_service, "System"),
            Who::NetworkService => (&self.network_service, "System"),
            Who::Person => (&host.person, "Medium"),
            Who::Admin => (&host.person, "High"),
        }
    }

    fn process(&self, host: &mut Host, rng: &mut Rng, launch: Launch, now: i64) -> Arc<Process> {
        host.started += 1;
        let (account, integrity) = self.account(host, launch.who);
        let home = matches!(launch.who, Who::Person) && !std::ptr::eq(launch.program, &EXPLORER);
        Arc::new(Process {
            program: launch.program,
            pid: if launch.program.image == "System" { 4 } else { rng.u32(250..4500) * 4 },
            guid: process_guid(host.number, now, host.started),
            command_line: launch.command_line,
            directory: if home {
                format!(r"C:\Users\{}\", account.name()).into()
            } else {
                r"C:\Windows\system32\".into()
            },
            integrity,
            account: Arc::clone(account),
        })
    }
}

impl Host {
    fn placeholder(account: &Arc<Account>) -> Self {
        let (name, ip) = (String::new(), String::new());
        Self { name, ip, number: 0, person: Arc::clone(account), processes: Vec::new(), started: 0 }
    }
}

pub(super) fn launch(habit: &Habit, command_line: Text) -> Launch {
    Launch { program: habit.program, command_line, who: habit.who }
}

/// One of a habit's command lines, filled in for a host.
pub(super) fn command_line(templates: &'static [&'static str], rng: &mut Rng, host: &Host) -> Text {
    let template = templates[rng.usize(..templates.len())];
    fill(template, rng, host.person().name(), host.short_name())
}

fn account(rng: &mut Rng, index: usize) -> Arc<Account> {
    let given = GIVEN[index % GIVEN.len()];
    let family = FAMILY[index / GIVEN.len() % FAMILY.len()];
    let again = index / (GIVEN.len() * FAMILY.len());
    let number = if again == 0 { String::new() } else { again.to_string() };
    let sid = format!("S-1-5-21-2714103829-1930481102-884263109-{}", 1104 + index);
    Account::new(format!(r"CORP\{given}.{family}{number}"), sid, u64::from(rng.u32(0x2_0000..0xff_ffff)), 1)
}
