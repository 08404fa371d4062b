//! Events that a search cannot want are passed over, and no others; damage is told of all the same.

use super::evtx::{CHUNK, FILE_HEADER, generated, log, sign};
use super::*;
use crate::functions::wildcard::Wildcard;
use crate::ingest::wanted::{Condition, Told};

type Row = BTreeMap<String, String>;

fn field(field: Told, patterns: &[&str]) -> Condition {
    Condition::Header(field, patterns.iter().map(|pattern| Wildcard::any_case(pattern).unwrap()).collect())
}

/// What a search may want, and the same asked of a whole event.
struct Search {
    wanted: fn() -> Condition,
    times: (Option<i64>, Option<i64>),
    fits: fn(&Row) -> bool,
}

const SYSMON: &str = "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational";

fn is(row: &Row, field: &str, values: &[&str]) -> bool {
    row.get(field).is_some_and(|value| values.contains(&value.as_str()))
}

fn searches(middle: i64) -> Vec<Search> {
    vec![
        Search { wanted: || field(Told::Code, &["1"]), times: (None, None), fits: |row| is(row, "EventCode", &["1"]) },
        Search {
            wanted: || Condition::All(vec![field(Told::Sourcetype, &[SYSMON]), field(Told::Code, &["3", "1*"])]),
            times: (Some(middle), None),
            fits: |row| {
                let code = row.get("EventCode").is_some_and(|code| code == "3" || code.starts_with('1'));
                is(row, "source", &[SYSMON]) && code
            },
        },
        Search {
            wanted: || {
                let audited = Condition::All(vec![
                    Condition::Untold,
                    field(Told::Channel, &["security"]),
                    field(Told::Code, &["4624", "4688"]),
                ]);
                Condition::Any(vec![audited, field(Told::Source, &["WinEventLog:System"])])
            },
            times: (None, Some(middle)),
            fits: |row| {
                let is_audited = is(row, "Channel", &["Security"]) && is(row, "EventCode", &["4624", "4688"]);
                is_audited || is(row, "Channel", &["System"])
            },
        },
        Search { wanted: || Condition::Untold, times: (Some(middle), Some(middle + 1_000_000)), fits: |_| true },
    ]
}

fn by_serial(store: &Store) -> BTreeMap<i64, Row> {
    let mut found = BTreeMap::new();
    for batch in store.shapes.iter().flat_map(|shape| &shape.batches) {
        rows(batch, &mut found);
        let serials = batch.column_by_name("_serial").unwrap().as_primitive::<arrow::datatypes::Int64Type>();
        let times = batch.column_by_name("_time").unwrap().as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let event = found.get_mut(&serials.value(row)).unwrap();
            event.insert("_time".to_owned(), times.value(row).to_string());
            event.remove("_file");
        }
    }
    found
}

fn fields() -> Vec<FieldSelection> {
    let only = ["host", "EventCode", "Channel", "source", "Image", "CommandLine"].map(str::to_owned).to_vec();
    vec![FieldSelection::Only(only), FieldSelection::All]
}

/// Reads a log for every search and for none; says how many events were passed over.
fn check(bytes: &[u8], middle: i64, what: &str) -> u64 {
    let mut passed_over = 0;
    for selection in fields() {
        let (store, report) = read_bytes(bytes, &ReadOptions { fields: selection.clone(), ..options() });
        let (all, report) = (by_serial(&store), report.files[0].clone());
        for (number, search) in searches(middle).into_iter().enumerate() {
            let what = format!("{what}, search {number}, {selection:?}");
            let (earliest, latest) = search.times;
            let wanted = Wanted::of((search.wanted)(), earliest, latest);
            let reading = ReadOptions { fields: selection.clone(), wanted, ..options() };
            let (filtered, filtered_report) = read_bytes(bytes, &reading);
            let found = by_serial(&filtered);
            let told = &filtered_report.files[0];
            assert_eq!(told.events, report.events, "{what}");
            assert_eq!((told.skipped, &told.problems), (report.skipped, &report.problems), "{what}");
            assert_eq!(told.events, told.passed_over + found.len() as u64, "{what}");
            passed_over += told.passed_over;
            for (serial, row) in &all {
                let time: i64 = row["_time"].parse().unwrap();
                let in_time = earliest.is_none_or(|from| time >= from) && latest.is_none_or(|to| time < to);
                match found.get(serial) {
                    Some(same) => assert_eq!(same, row, "{what}"),
                    None => assert!(!(in_time && (search.fits)(row)), "{what} lost {row:?}"),
                }
            }
            // What a search could mean is known of events that were passed over, too.
            let values = |rows: &BTreeMap<i64, Row>, name: &str| {
                let values = rows.values().filter_map(|row| row.get(name).cloned());
                values.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(values(&found, "source"), values(&all, "source"), "{what}");
            let mut hosts = values(&found, "host");
            hosts.extend(filtered.noted.metadata.get("host").into_iter().flatten().cloned());
            assert_eq!(hosts, values(&all, "host"), "{what}");
            assert!(filtered.unread.iter().all(|name| store.unread.contains(name)), "{what}");
        }
    }
    passed_over
}

fn middle_of(events: &[spelunk_datasets::Event]) -> i64 {
    events[events.len() / 2].time.as_microsecond()
}

#[test]
fn no_event_is_passed_over_that_a_search_wants() {
    let events = generated(21, 6000);
    let middle = middle_of(&events);
    let passed_over = check(&log(events), middle, "a whole log");
    assert!(passed_over > 20_000, "{passed_over} of 48,000");
}

#[test]
fn a_log_that_was_changed_is_filtered_as_it_is_read() {
    let events = generated(22, 90);
    let middle = middle_of(&events);
    let original = log(events);
    for seed in 0..24_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut changed = original.clone();
        for _ in 0..random.usize(1..6) {
            let at = FILE_HEADER + 512 + random.usize(..changed.len() - FILE_HEADER - 512);
            match random.u8(..4) {
                0 => changed[at] = random.u8(..),
                1 => changed[at] ^= 1 << random.u8(..8),
                2 => changed[at] = random.u8(..0x22),
                // A name or a template that is somewhere else.
                _ => {
                    let from = FILE_HEADER + 512 + random.usize(..CHUNK - 1024);
                    let length = random.usize(1..64).min(changed.len() - at);
                    changed.copy_within(from..from + length, at);
                }
            }
        }
        // Half of them as if they had been written like this.
        if seed % 2 == 0 {
            sign(&mut changed);
        }
        check(&changed, middle, &format!("seed {seed}"));
    }
}

#[test]
fn a_log_that_is_cut_off_is_filtered_as_it_is_read() {
    let events = generated(23, 300);
    let middle = middle_of(&events);
    let whole = log(events);
    for cut in [100, 5_000, CHUNK, CHUNK + 12_345] {
        check(&whole[..whole.len() - cut], middle, &format!("without its last {cut} bytes"));
    }
}

#[test]
fn recorded_logs_are_filtered_as_they_are_read() {
    let Some(folder) = telemetry() else { return };
    for entry in walkdir::WalkDir::new(folder) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "evtx") {
            let bytes = std::fs::read(&path).unwrap();
            let (store, _) = read_bytes(&bytes, &options());
            let times: Vec<i64> = by_serial(&store).values().map(|row| row["_time"].parse().unwrap()).collect();
            check(&bytes, times.get(times.len() / 2).copied().unwrap_or(0), &path.display().to_string());
        }
    }
}
