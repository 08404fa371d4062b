//! Generated events are the same for a seed, in order, well mixed, and labelled right.

#![allow(clippy::unwrap_used)]

mod evaluator;

use std::collections::{BTreeMap, HashSet};

use spelunk_datasets::{Format, Generated, Generator, GeneratorOptions, generate};

fn options(events: u64, attack_rate: f64) -> GeneratorOptions {
    GeneratorOptions { events, attack_rate, ..GeneratorOptions::default() }
}

#[test]
fn the_text_of_a_seed_never_changes() {
    let mut text = Vec::new();
    generate(&mut text, Format::JsonLines, 42, 5).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), include_str!("fixtures/seed_42.jsonl"));
}

#[test]
fn equal_seeds_give_equal_events() {
    let events = |seed| -> Vec<Generated> { Generator::new(seed, options(3000, 0.01)).collect() };
    assert_eq!(events(7), events(7));
    assert_ne!(events(7), events(8));
}

#[test]
fn labels_are_what_the_detections_say() {
    let mut labels = BTreeMap::new();
    for Generated { event, spl, logscale } in Generator::new(3, options(60_000, 0.02)) {
        assert_eq!(evaluator::spl(&event), spl, "{}", event.to_json());
        assert_eq!(evaluator::logscale(&event), logscale, "{}", event.to_json());
        *labels.entry(spl).or_insert(0) += 1;
    }
    for label in ["COM_SuspiciousChild", "DCOM_ConfigTool", "DCOM_CommandLineRef", "DCOM_Other"] {
        assert!(labels[&Some(label)] > 50, "{labels:?}");
    }
}

#[test]
fn everyday_events_are_never_found() {
    for Generated { event, .. } in Generator::new(11, options(100_000, 0.0)) {
        assert_eq!((evaluator::spl(&event), evaluator::logscale(&event)), (None, None), "{}", event.to_json());
    }
}

#[test]
fn attacks_come_at_the_rate_asked_for() {
    for (events, rate, hits) in
        [(20_000, 0.01, 200), (20_000, 0.3, 6000), (1000, 1.0, 1000), (5000, 0.0002, 1), (0, 0.5, 0)]
    {
        let found = Generator::new(5, options(events, rate)).filter(|generated| generated.spl.is_some()).count() as i64;
        assert!((found - hits).abs() <= 1, "{found} of {events} at {rate}");
    }
}

#[test]
fn times_and_records_increase() {
    for events_per_second in [0.1, 50.0, 500.0, 1e9] {
        let options = GeneratorOptions { events_per_second, first_record: 77, ..options(2000, 0.001) };
        let events: Vec<_> = Generator::new(1, options).map(|generated| generated.event).collect();
        assert_eq!(events[0].record, 77);
        for pair in events.windows(2) {
            assert_eq!(pair[0].record + 1, pair[1].record);
            assert!(pair[1].time.as_millisecond() > pair[0].time.as_millisecond());
        }
    }
}

#[test]
fn all_kinds_of_event_occur_and_some_more_than_others() {
    let mut codes = BTreeMap::new();
    let (mut images, mut lines) = (BTreeMap::new(), HashSet::new());
    let mut bytes = 0;
    for Generated { event, .. } in Generator::new(9, options(50_000, 0.001)) {
        bytes += event.to_json().len();
        *codes.entry((event.kind.channel, event.kind.event_id)).or_insert(0) += 1;
        if event.kind.event_id == 1 {
            *images.entry(event.field("Image").unwrap().to_owned()).or_insert(0) += 1;
            lines.insert(event.field("CommandLine").unwrap().to_owned());
        }
    }
    let ids: HashSet<u32> = codes.keys().map(|(_, id)| *id).collect();
    for id in [1, 3, 5, 7, 10, 11, 12, 13, 22, 4104, 4624, 4634, 4663, 4672, 4688, 5156, 7036, 7045] {
        assert!(ids.contains(&id), "{id} is missing: {codes:?}");
    }
    let creations: i32 = images.values().sum();
    assert!(*images.values().max().unwrap() > creations / 10, "{images:?}");
    assert!(images.len() > 40 && lines.len() as i32 > creations / 4, "{} {}", images.len(), lines.len());
    let mean = bytes / 50_000;
    assert!((700..1200).contains(&mean), "{mean} bytes an event");
}

#[test]
fn absurd_options_do_no_harm() {
    let options = GeneratorOptions { hosts: 0, users: 0, attack_rate: 7.0, events_per_second: 0.0, ..options(50, 0.0) };
    assert_eq!(Generator::new(0, options).count(), 50);
    let options = GeneratorOptions { attack_rate: f64::NAN, events_per_second: f64::NAN, ..self::options(50, 0.0) };
    assert_eq!(Generator::new(0, options).count(), 50);
}
