//! What happens on an ordinary day.

use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;

use super::Draft;
use super::chance::{Choice, fill, guid, skewed, skewed_index};
use super::world::{World, command_line, launch};
use crate::action::{Account, Action, Endpoint, Process};
use crate::catalogue::artifacts::*;
use crate::catalogue::habits::{HABITS, Who};
use crate::catalogue::programs::POWERSHELL;
use crate::event::Text;

/// What can happen, and how often among a thousand events.
const MIXTURE: &[(Happening, f64)] = &[
    (Happening::Start, 90.0),
    (Happening::Connect, 100.0),
    (Happening::Exit, 70.0),
    (Happening::Load, 210.0),
    (Happening::Access, 80.0),
    (Happening::File, 90.0),
    (Happening::RegistryKey, 50.0),
    (Happening::RegistryValue, 90.0),
    (Happening::Resolve, 45.0),
    (Happening::Logon, 25.0),
    (Happening::Logoff, 20.0),
    (Happening::Object, 20.0),
    (Happening::Permit, 65.0),
    (Happening::Script, 25.0),
    (Happening::ServiceState, 6.0),
    (Happening::ServiceInstalled, 0.5),
];

#[derive(Clone, Copy)]
enum Happening {
    Start,
    Connect,
    Exit,
    Load,
    Access,
    File,
    RegistryKey,
    RegistryValue,
    Resolve,
    Logon,
    Logoff,
    Object,
    Permit,
    Script,
    ServiceState,
    ServiceInstalled,
}

/// Makes up what happens next.
pub(super) struct Activity {
    mixture: Choice,
    habits: Choice,
}

impl Activity {
    pub fn new() -> Self {
        Self {
            mixture: Choice::weighted(MIXTURE.iter().map(|(_, weight)| *weight)),
            habits: Choice::zipf(HABITS.len(), 0.9),
        }
    }

    /// The next thing that happens, on some host. What follows from it is put into `later`.
    pub fn next(&self, world: &mut World, rng: &mut Rng, now: i64, later: &mut VecDeque<Draft>) -> Draft {
        let host = world.pick(rng);
        let (happening, _) = MIXTURE[self.mixture.pick(rng)];
        let action = match happening {
            Happening::Start => return self.start(world, host, rng, now, later),
            Happening::Exit => match world.host_mut(host).exit(rng) {
                Some(process) => Action::Exit { process },
                None => return self.start(world, host, rng, now, later),
            },
            Happening::Logon => return logon(world, host, rng, later),
            _ => quiet(happening, world, host, rng, now),
        };
        Draft::new(host, action)
    }

    fn start(&self, world: &mut World, host: usize, rng: &mut Rng, now: i64, later: &mut VecDeque<Draft>) -> Draft {
        let habit = &HABITS[self.habits.pick(rng)];
        let parent = world.find_or_start(host, rng, habit.parent, habit.who, now);
        let line = command_line(habit.command_lines, rng, world.host(host));
        let process = world.start(host, rng, launch(habit, line), now);
        // Half of the hosts also audit process creation.
        if host.is_multiple_of(2) {
            let (process, parent) = (Arc::clone(&process), Arc::clone(&parent));
            later.push_back(Draft::new(host, Action::AuditStart { process, parent }));
        }
        Draft::new(host, Action::Start { process, parent })
    }
}

/// Things that start no process and have no consequences.
fn quiet(happening: Happening, world: &mut World, index: usize, rng: &mut Rng, now: i64) -> Action {
    if let Happening::Script = happening {
        let process = world.find_or_start(index, rng, &POWERSHELL, Who::Person, now);
        let (text, path) = skewed(rng, SCRIPTS);
        let text = filled(text, rng, world, index);
        return Action::Script { process, text, path: path.into(), block: guid(rng) };
    }
    let host = world.host(index);
    let process = host.any(rng);
    match happening {
        Happening::Connect => {
            let (initiated, source, destination) = connection(rng, world, index);
            Action::Connect { process, initiated, source, destination }
        }
        Happening::Permit => {
            let (initiated, source, destination) = connection(rng, world, index);
            Action::Permit { process, initiated, source, destination }
        }
        Happening::Access => access(host.any(rng), process, rng, world, index),
        Happening::File => Action::CreateFile { process, path: filled(skewed(rng, FILES), rng, world, index) },
        Happening::RegistryKey => Action::RegistryKey {
            process,
            change: if rng.u8(..4) == 0 { "DeleteKey" } else { "CreateKey" },
            key: filled(skewed(rng, KEYS), rng, world, index),
        },
        Happening::RegistryValue => {
            let (value, details) = skewed(rng, VALUES);
            let value = filled(value, rng, world, index);
            Action::RegistryValue { process, value, details: filled(details, rng, world, index) }
        }
        Happening::Resolve => {
            let (name, results) = skewed(rng, NAMES);
            let name = filled(name, rng, world, index);
            Action::Resolve { process, name, results: filled(results, rng, world, index) }
        }
        Happening::Logoff => Action::Logoff { account: Arc::clone(host.person()), logon_type: logon_type(rng) },
        Happening::Object => {
            let (access, mask) =
                skewed(rng, &[("%%4416", "0x1"), ("%%4423", "0x80"), ("%%4417\n\t\t\t\t%%4418", "0x6")]);
            Action::OpenObject { process, path: filled(skewed(rng, AUDITED), rng, world, index), access, mask }
        }
        Happening::ServiceState => Action::ServiceState {
            service: skewed(rng, SERVICES),
            state: if rng.bool() { "running" } else { "stopped" },
        },
        Happening::ServiceInstalled => {
            let (service, path) = skewed(rng, INSTALLED);
            let service = filled(service, rng, world, index);
            let account = Arc::clone(host.person());
            Action::ServiceInstalled { service, path: filled(path, rng, world, index), account }
        }
        // The others have been dealt with before.
        Happening::Load | Happening::Start | Happening::Exit | Happening::Logon | Happening::Script => {
            Action::Load { process, module: &MODULES[skewed_index(rng, MODULES.len())] }
        }
    }
}

fn access(source: Arc<Process>, target: Arc<Process>, rng: &mut Rng, world: &World, index: usize) -> Action {
    let (granted, trace) = skewed(rng, ACCESSES);
    Action::Access { source, target, granted, trace: filled(trace, rng, world, index) }
}

fn connection(rng: &mut Rng, world: &World, index: usize) -> (bool, Endpoint, Endpoint) {
    let (ip, port, name) = skewed(rng, PEERS);
    let near = world.host(index).endpoint(rng.u16(49_152..65_000));
    let far = Endpoint { ip: filled(ip, rng, world, index), port, host: name.into() };
    // One connection in ten comes in, on the port that went out otherwise.
    if rng.u8(..10) == 0 {
        let (inner, outer) = (near.port, far.port);
        (false, Endpoint { port: inner, ..far }, Endpoint { port: outer, ..near })
    } else {
        (true, near, far)
    }
}

fn logon_type(rng: &mut Rng) -> u8 {
    skewed(rng, &[3, 3, 3, 5, 7, 2, 10])
}

/// A logon; an administrator's is followed by the list of its privileges.
fn logon(world: &World, index: usize, rng: &mut Rng, later: &mut VecDeque<Draft>) -> Draft {
    let logon_type = logon_type(rng);
    let from = world.host(world.pick(rng));
    let account = if logon_type == 5 { Account::system() } else { Arc::clone(from.person()) };
    if rng.u8(..10) < 4 {
        later.push_back(Draft::new(index, Action::Privileges { account: Arc::clone(&account) }));
    }
    let from = match logon_type {
        3 | 10 => from.endpoint(rng.u16(49_152..65_000)),
        _ => Endpoint {
            ip: "127.0.0.1".into(),
            port: 0,
            host: world.host(index).short_name().to_ascii_uppercase().into(),
        },
    };
    Draft::new(index, Action::Logon { account, logon_type, from, guid: format!("{{{}}}", guid(rng)) })
}

fn filled(template: &'static str, rng: &mut Rng, world: &World, index: usize) -> Text {
    let host = world.host(index);
    fill(template, rng, host.person().name(), host.short_name())
}
