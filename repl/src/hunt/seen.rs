//! What a report tells of the rows that a detection found: how many, from when to when, on which hosts.
//!
//! Detections call these differently: events have `_time` and `host`, results of `stats` have what their author named.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use spelunk_engine::values::{self, Cell};

/// What fields with the time of a row are called, those that begin a span and those that end it.
const FIRST: [&str; 8] =
    ["_time", "firstTime", "firsttime", "first_time", "earliest", "starttime", "start_time", "min_time"];
const LAST: [&str; 8] = ["_time", "lastTime", "lasttime", "last_time", "latest", "endtime", "end_time", "max_time"];
/// What fields with the host of a row are called, the most telling first.
const HOST: [&str; 10] =
    ["dest", "host", "Computer", "ComputerName", "dvc", "dest_host", "dest_nt_host", "hostname", "Hostname", "src"];

/// How many hosts are told apart.
const MOST_HOSTS: usize = 1_000;
/// Longer names, in characters, are cut.
const LONGEST_HOST: usize = 100;

/// What was seen of a detection's rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// How many.
    pub rows: u64,
    /// The earliest and the latest time.
    pub range: Option<(Timestamp, Timestamp)>,
    /// The hosts.
    pub hosts: BTreeSet<String>,
    /// Whether there were more hosts than are told apart.
    pub more_hosts: bool,
}

/// Looks at the rows of one detection.
pub struct Watcher {
    /// What was seen so far.
    pub seen: Seen,
    first: Option<usize>,
    last: Option<usize>,
    host: Option<usize>,
    zone: TimeZone,
}

impl Watcher {
    /// For rows with these columns.
    pub fn new(schema: &Schema, zone: TimeZone) -> Self {
        // Fields of data models keep the name of their object where nobody drops it.
        let plain = |name: &str| schema.fields().iter().position(|field| field.name().rsplit('.').next() == Some(name));
        let exact = |name: &str| schema.column_with_name(name).map(|(position, _)| position);
        let find = |names: &[&str]| names.iter().find_map(|name| exact(name).or_else(|| plain(name)));
        let (first, last) = (find(&FIRST), find(&LAST));
        Self { seen: Seen::default(), first: first.or(last), last: last.or(first), host: find(&HOST), zone }
    }

    /// Looks at some rows.
    pub fn batch(&mut self, batch: &RecordBatch) {
        for row in 0..batch.num_rows() {
            self.seen.rows = self.seen.rows.saturating_add(1);
            for column in [self.first, self.last].into_iter().flatten() {
                if let Some(column) = batch.columns().get(column) {
                    self.times(&values::cell(column, row, &self.zone));
                }
            }
            if let Some(column) = self.host.and_then(|column| batch.columns().get(column)) {
                self.hosts(values::cell(column, row, &self.zone));
            }
        }
    }

    fn times(&mut self, cell: &Cell) {
        let texts = match cell {
            Cell::Null => &[][..],
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => std::slice::from_ref(text),
            Cell::Many(texts) => texts,
        };
        for time in texts.iter().filter_map(|text| time(text, &self.zone)) {
            let (first, last) = self.seen.range.unwrap_or((time, time));
            self.seen.range = Some((first.min(time), last.max(time)));
        }
    }

    fn hosts(&mut self, cell: Cell) {
        let names = match cell {
            Cell::Null => Vec::new(),
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => vec![text],
            Cell::Many(texts) => texts,
        };
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            let name = name.chars().take(LONGEST_HOST).collect::<String>();
            if self.seen.hosts.len() < MOST_HOSTS {
                self.seen.hosts.insert(name);
            } else if !self.seen.hosts.contains(&name) {
                self.seen.more_hosts = true;
            }
        }
    }
}

/// A time as results show it: RFC 3339, without a zone (then that of the session), or seconds since the epoch.
fn time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return time.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    }
    let seconds: f64 = text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite() && seconds.abs() < 1e11)?;
    Timestamp::from_microsecond((seconds * 1e6) as i64).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn times_in_every_form() {
        let zone = TimeZone::UTC;
        let expected: Timestamp = "2024-05-24T00:00:01Z".parse().unwrap();
        for text in ["2024-05-24T00:00:01+00:00", "2024-05-24T00:00:01", "2024-05-24 00:00:01", "1716508801"] {
            assert_eq!(time(text, &zone), Some(expected), "{text}");
        }
        for text in ["", "soon", "1e300", "NaN"] {
            assert_eq!(time(text, &zone), None, "{text}");
        }
    }

    #[test]
    fn rows_are_counted_and_spanned() {
        let column = |texts: &[Option<&str>]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
        let batch = RecordBatch::try_from_iter([
            ("dest", column(&[Some("a"), Some("b"), None])),
            ("firstTime", column(&[Some("2024-05-24T00:00:01"), None, Some("x")])),
            ("lastTime", column(&[Some("2024-05-25T00:00:01"), None, None])),
        ])
        .unwrap();
        let mut watcher = Watcher::new(batch.schema_ref(), TimeZone::UTC);
        watcher.batch(&batch);
        let Seen { rows, range, hosts, more_hosts } = watcher.seen;
        assert_eq!((rows, hosts.len(), more_hosts), (3, 2, false));
        let (first, last) = range.unwrap();
        assert_eq!(
            (first.to_string(), last.to_string()),
            ("2024-05-24T00:00:01Z".into(), "2024-05-25T00:00:01Z".into())
        );
    }
}
