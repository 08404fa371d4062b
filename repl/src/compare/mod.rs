//! Two detections side by side: which rows only one of them finds, and which condition of the other one stands in the
//! way.

pub mod json;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spelunk_engine::{Session, Unchosen, Verdict};

use crate::detections::Detection;
use crate::exit::Failure;
use crate::traced::{self, Found};

/// How many events a side are asked why they are missed.
const MOST_EXPLAINED: usize = 1_000;

/// A detection and the logs that it runs over.
pub struct Side {
    /// The detection.
    pub detection: Detection,
    /// In what form it sees the events.
    pub telemetry: String,
    /// The logs.
    pub session: Arc<Session>,
    /// What both sides call an event, by serial number; none where both run over the same logs.
    pub names: Option<BTreeMap<i64, i64>>,
}

/// A row that only one detection finds, or that both find under different labels.
#[derive(Debug)]
pub struct Difference {
    /// The time of the event, where the row tells.
    pub time: Option<String>,
    /// The fields of the row, but its time and label.
    pub fields: Vec<(String, String)>,
    /// The labels that the first detection gives, where it finds it.
    pub first: Option<Vec<String>>,
    /// The same for the second.
    pub second: Option<Vec<String>>,
    /// Why the other one does not find it.
    pub why: Why,
    /// The labels that each of them does not give.
    pub unchosen: [Vec<Unchosen>; 2],
}

/// Why a detection does not find a row.
#[derive(Debug, PartialEq)]
pub enum Why {
    /// It does.
    Found,
    /// The event's way through it.
    Judged(Verdict),
    /// Its telemetry has no such event.
    Absent,
    /// Nobody asked.
    Unknown,
}

/// Two results side by side.
pub struct Comparison {
    /// The detections.
    pub sides: [Side; 2],
    /// How many rows or events each finds.
    pub found: [usize; 2],
    /// How many both find.
    pub both: usize,
    /// What differs, in the order of the events.
    pub differences: Vec<Difference>,
    /// The columns by which rows are compared, where they come from no single events.
    pub by_columns: Option<Vec<String>>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Runs both detections and compares what they find.
///
/// # Errors
/// Whatever stops one of the searches, or results that have nothing in common.
pub async fn compare(sides: [Side; 2], label: &str) -> Result<Comparison, Failure> {
    let [first, second] = &sides;
    let found = [
        traced::find(&first.session, &first.detection).await?,
        traced::find(&second.session, &second.detection).await?,
    ];
    for (side, found) in sides.iter().zip(&found) {
        traced::tell(&side.detection, &found.diagnostics);
    }
    if found.iter().all(|found| found.by_event) {
        by_event(sides, found, label).await
    } else {
        by_columns(sides, found)
    }
}

/// An event of a result: the first of its rows, and its labels.
struct Event {
    row: usize,
    labels: Vec<String>,
}

fn events(side: &Side, found: &Found, label: &str) -> BTreeMap<i64, Event> {
    let mut labels = found.labels(label);
    let mut events = BTreeMap::new();
    for (row, serial) in found.rows.iter().enumerate().filter_map(|(row, found)| Some((row, found.event?))) {
        let name = side.names.as_ref().map_or(Some(serial), |names| names.get(&serial).copied());
        if let (Some(name), Some(labels)) = (name, labels.remove(&serial)) {
            events.insert(name, Event { row, labels });
        }
    }
    events
}

async fn by_event(sides: [Side; 2], found: [Found; 2], label: &str) -> Result<Comparison, Failure> {
    let mut notes = Vec::new();
    let [first, second] = &sides;
    let [in_first, in_second] = &found;
    let one = events(first, in_first, label);
    let other = events(second, in_second, label);
    let has_labels = |found: &Found| found.columns.iter().any(|column| column == label);
    let labelled = has_labels(in_first) && has_labels(in_second);
    let renamed = |event: &i64| {
        labelled && one.get(event).zip(other.get(event)).is_some_and(|(one, other)| one.labels != other.labels)
    };
    let asked = |events: &BTreeMap<i64, Event>, found: &BTreeMap<i64, Event>| -> Vec<i64> {
        events.keys().copied().filter(|event| !found.contains_key(event) || renamed(event)).collect()
    };
    let mut why_second = reasons(second, asked(&one, &other), label, &mut notes).await?;
    let mut why_first = reasons(first, asked(&other, &one), label, &mut notes).await?;
    let mut differences = Vec::new();
    let all: BTreeSet<i64> = one.keys().chain(other.keys()).copied().collect();
    for event in all {
        let (a, b) = (one.get(&event), other.get(&event));
        let labels = |event: Option<&Event>| event.map(|event| event.labels.clone());
        let unknown = || (Why::Unknown, Vec::new());
        let (of_first, not_first) = why_first.remove(&event).unwrap_or_else(unknown);
        let (of_second, not_second) = why_second.remove(&event).unwrap_or_else(unknown);
        let (row, of, why) = match (a, b) {
            (Some(a), Some(_)) if renamed(&event) => (a.row, in_first, Why::Found),
            (Some(a), None) => (a.row, in_first, of_second),
            (None, Some(b)) => (b.row, in_second, of_first),
            _ => continue,
        };
        let (time, fields) = shown(of, row, label);
        let unchosen = [not_first, not_second];
        differences.push(Difference { time, fields, first: labels(a), second: labels(b), why, unchosen });
    }
    let both = one.keys().filter(|event| other.contains_key(event)).count();
    let found = [one.len(), other.len()];
    Ok(Comparison { sides, found, both, differences, by_columns: None, notes })
}

/// Why a side does not find events, and the labels that it does not give them.
async fn reasons(
    side: &Side,
    events: Vec<i64>,
    label: &str,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<i64, (Why, Vec<Unchosen>)>, Failure> {
    let mut reasons = BTreeMap::new();
    let mut asked: BTreeMap<i64, i64> = BTreeMap::new();
    let serials: Option<BTreeMap<i64, i64>> =
        side.names.as_ref().map(|names| names.iter().map(|(serial, name)| (*name, *serial)).collect());
    let mut left = 0_u64;
    for event in events {
        let serial = serials.as_ref().map_or(Some(event), |serials| serials.get(&event).copied());
        match serial {
            None => drop(reasons.insert(event, (Why::Absent, Vec::new()))),
            Some(_) if asked.len() >= MOST_EXPLAINED => left = left.saturating_add(1),
            Some(serial) => drop(asked.insert(serial, event)),
        }
    }
    if left > 0 {
        let rows = crate::report::count(left, "row");
        notes.push(format!(
            "why {} misses or renames {rows} beyond the first {MOST_EXPLAINED} is not told",
            side.detection.name
        ));
    }
    let verdicts = traced::judge(&side.session, &side.detection, asked.keys().copied().collect()).await?;
    for (serial, judged) in verdicts {
        if let Some(event) = asked.get(&serial) {
            let unchosen = judged.unchosen.into_iter().filter(|unchosen| unchosen.field == label).collect();
            reasons.insert(*event, (Why::Judged(judged.verdict), unchosen));
        }
    }
    Ok(reasons)
}

/// The time of a row, and its other fields.
fn shown(found: &Found, row: usize, label: &str) -> (Option<String>, Vec<(String, String)>) {
    let (mut time, mut fields) = (None, Vec::new());
    let cells = found.rows.get(row).map_or(&[][..], |row| row.cells.as_slice());
    for (name, cell) in found.columns.iter().zip(cells) {
        let Some(text) = traced::text(cell) else { continue };
        match name.as_str() {
            "_time" => time = Some(text),
            "@timestamp" => time = Some(instant(&text).unwrap_or(text)),
            "_raw" | "@rawstring" => {}
            name if name == label => {}
            _ => fields.push((name.clone(), text)),
        }
    }
    (time, fields)
}

/// LogScale's milliseconds as a time.
fn instant(text: &str) -> Option<String> {
    let millis = text.parse::<f64>().ok().filter(|millis| millis.is_finite())?;
    let time = jiff::Timestamp::from_millisecond(millis as i64).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

/// Rows that come from many events: those with the same values in the columns that both results have are the same.
fn by_columns(sides: [Side; 2], found: [Found; 2]) -> Result<Comparison, Failure> {
    let [first, second] = &found;
    let common: Vec<String> = first.columns.iter().filter(|column| second.columns.contains(column)).cloned().collect();
    if common.is_empty() {
        return Err(Failure::Usage(
            "the rows of a detection come from many events, and the two results have no column in common by which \
             to compare them"
                .into(),
        ));
    }
    let mut counts: BTreeMap<Vec<Option<String>>, [usize; 2]> = BTreeMap::new();
    for (side, found) in found.iter().enumerate() {
        let places: Vec<Option<usize>> =
            common.iter().map(|name| found.columns.iter().position(|column| column == name)).collect();
        for row in &found.rows {
            let value = |place: &Option<usize>| place.and_then(|place| row.cells.get(place)).and_then(traced::text);
            let key = places.iter().map(value).collect();
            if let Some(count) = counts.entry(key).or_default().get_mut(side) {
                *count = count.saturating_add(1);
            }
        }
    }
    let (mut differences, mut both) = (Vec::new(), 0_usize);
    for (key, [a, b]) in counts {
        both = both.saturating_add(a.min(b));
        let fields: Vec<(String, String)> =
            common.iter().cloned().zip(key).filter_map(|(name, value)| Some((name, value?))).collect();
        let labels = |there: bool| there.then(Vec::new);
        for _ in 0..a.abs_diff(b) {
            let (first, second) = (labels(a > b), labels(b > a));
            differences.push(Difference {
                time: None,
                fields: fields.clone(),
                first,
                second,
                why: Why::Unknown,
                unchosen: Default::default(),
            });
        }
    }
    let notes = vec![format!(
        "rows that come from many events are compared by the columns that both results have ({}), and no condition \
         is named",
        common.join(", ")
    )];
    let counts = [first.rows.len(), second.rows.len()];
    Ok(Comparison { sides, found: counts, both, differences, by_columns: Some(common), notes })
}
