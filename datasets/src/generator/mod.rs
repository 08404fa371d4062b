//! Telemetry of a made-up Windows network, at any scale, the same for the same seed.

mod activity;
mod attacks;
mod chance;
mod world;

use std::collections::VecDeque;
use std::io::{self, Write};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::action::Action;
use crate::event::Event;
use crate::render::{Format, Lines};
use activity::Activity;
use attacks::Attacks;
use world::World;

/// What a [`Generator`] is to make.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratorOptions {
    /// How many events.
    pub events: u64,
    /// What part of the events the SPL detection returns, between 0 and 1: of `events`, `events × attack_rate`, give or
    /// take one. What leads up to such an event comes on top.
    pub attack_rate: f64,
    /// How many hosts; at least one.
    pub hosts: usize,
    /// How many people work at them; at least one.
    pub users: usize,
    /// The time after which the first event happens.
    pub start: Timestamp,
    /// Events in a second on average, at most 500.
    pub events_per_second: f64,
    /// The record number of the first event; the others follow without gaps.
    pub first_record: u64,
}

impl Default for GeneratorOptions {
    /// A million events of 60 hosts, 100 of which are found, in a little more than five hours.
    fn default() -> Self {
        Self {
            events: 1_000_000,
            attack_rate: 0.0001,
            hosts: 60,
            users: 80,
            start: Timestamp::constant(1_716_508_800, 0),
            events_per_second: 50.0,
            first_record: 1,
        }
    }
}

/// One generated event, with the outcome that each detection must have for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// The event.
    pub event: Event,
    /// The `DetectionPattern` that the SPL detection gives it; none if it must not be returned.
    pub spl: Option<&'static str>,
    /// The same for the LogScale detection, over the event as [`Event::to_falcon`] shows it.
    pub logscale: Option<&'static str>,
}

/// Something that will be logged as the next event.
struct Draft {
    host: usize,
    action: Action,
    spl: Option<&'static str>,
    logscale: Option<&'static str>,
}

impl Draft {
    fn new(host: usize, action: Action) -> Self {
        Self { host, action, spl: None, logscale: None }
    }
}

/// A stream of events whose times strictly increase.
///
/// Hosts differ in how busy they are, programs in how common; processes live on and are what later events tell of, so
/// that their GUIDs connect events. Nothing but the state of the hosts is kept in memory.
pub struct Generator {
    options: GeneratorOptions,
    rng: Rng,
    world: World,
    activity: Activity,
    attacks: Attacks,
    /// The rest of an attack that has begun, which goes first.
    attack: VecDeque<Draft>,
    /// Consequences of what happened.
    later: VecDeque<Draft>,
    now: Timestamp,
    made: u64,
}

impl Generator {
    /// A generator that makes the same events for the same seed and options.
    pub fn new(seed: u64, options: GeneratorOptions) -> Self {
        let mut rng = Rng::with_seed(seed);
        let world = World::new(&mut rng, options.hosts, options.users, options.start.as_second());
        let attacks = Attacks::new(&mut rng, options.attack_rate);
        Self {
            now: options.start,
            options,
            rng,
            world,
            activity: Activity::new(),
            attacks,
            attack: VecDeque::new(),
            later: VecDeque::new(),
            made: 0,
        }
    }

    /// Lets a little time pass: a millisecond at least, so that times differ in every log format.
    fn tick(&mut self) {
        const LEAST: i64 = 1_000_000;
        let mean = (1e9 / self.options.events_per_second.max(1e-6)) as i64;
        let spread = (2 * (mean - LEAST)).max(1);
        // Windows counts in units of 100 ns.
        let step = LEAST + self.rng.i64(0..=spread) / 100 * 100;
        self.now = self.now.saturating_add(SignedDuration::from_nanos(step)).unwrap_or(self.now);
    }

    fn draft(&mut self) -> Draft {
        let now = self.now.as_second();
        if self.attacks.due(self.made) {
            self.attack = self.attacks.next(&mut self.world, &mut self.rng, now);
        }
        if let Some(draft) = self.attack.pop_front().or_else(|| self.later.pop_front()) {
            return draft;
        }
        self.activity.next(&mut self.world, &mut self.rng, now, &mut self.later)
    }
}

impl Iterator for Generator {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        if self.made == self.options.events {
            return None;
        }
        self.tick();
        let Draft { host, action, spl, logscale } = self.draft();
        let computer = self.world.host(host).name.clone().into();
        let thread = 1200 + self.rng.u32(..64) * 4;
        let event = action.event(self.options.first_record + self.made, self.now, computer, thread);
        self.made += 1;
        Some(Generated { event, spl, logscale })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.options.events - self.made).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

/// What [`generate`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// All events.
    pub events: u64,
    /// Those that the SPL detection returns.
    pub spl_hits: u64,
    /// Those that the LogScale detection returns.
    pub logscale_hits: u64,
}

/// Writes `count` generated events, made with the default options otherwise.
pub fn generate(out: impl Write, format: Format, seed: u64, count: u64) -> io::Result<Written> {
    let mut lines = Lines::new(out, format);
    let (mut spl_hits, mut logscale_hits) = (0, 0);
    for generated in Generator::new(seed, GeneratorOptions { events: count, ..GeneratorOptions::default() }) {
        lines.write(&generated.event)?;
        spl_hits += u64::from(generated.spl.is_some());
        logscale_hits += u64::from(generated.logscale.is_some());
    }
    Ok(Written { events: lines.finish()?, spl_hits, logscale_hits })
}
