//! Which rows of a table agree with the values of an event.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::definition::{Definition, MatchType};
use super::patterns::{Blocks, Glob, Wildcards};
use super::table::Table;
use crate::functions::strptime;
use crate::values;

/// Up to so many rows that agree in the exact columns are compared one by one with the patterns.
const FEW: usize = 64;

/// The most combinations of the values of several fields that are looked up for one event.
const MOST_COMBINATIONS: usize = 10_000;

/// A table with an index over its key columns.
#[derive(Debug)]
pub struct Matcher {
    /// The table.
    pub table: Arc<Table>,
    /// How many rows an event finds at most.
    pub max_matches: usize,
    /// How many values an output has at least.
    pub min_matches: usize,
    /// The value that makes up for those that are missing, if any does.
    pub default_match: Option<String>,
    keys: Vec<Key>,
    /// The rows by the text of their exact columns; `None` if there are none.
    exact: Option<HashMap<Box<str>, Vec<u32>>>,
    fold: bool,
    time: Option<Times>,
    /// What it was made of besides the table: the definition, and the key columns.
    #[cfg(feature = "cluster")]
    made_of: (Definition, Vec<usize>),
}

#[derive(Debug)]
enum Key {
    Exact,
    Wildcard(Wildcards),
    Cidr(Blocks),
}

impl Key {
    fn matches(&self, row: u32, text: &str) -> bool {
        match self {
            Key::Exact => true,
            Key::Wildcard(wildcards) => wildcards.matches(row, text),
            Key::Cidr(blocks) => blocks.matches(row, text),
        }
    }

    fn find(&self, text: &str) -> Option<Vec<u32>> {
        match self {
            Key::Exact => None,
            Key::Wildcard(wildcards) => Some(wildcards.find(text)),
            Key::Cidr(blocks) => Some(blocks.find(text)),
        }
    }
}

#[derive(Debug)]
struct Times {
    /// The seconds of each row.
    seconds: Vec<Option<f64>>,
    least: f64,
    most: f64,
}

impl Matcher {
    /// Indexes a table.
    ///
    /// # Errors
    /// The column that holds the time is not there.
    pub fn new(
        table: Arc<Table>,
        definition: &Definition,
        columns: &[usize],
        zone: &TimeZone,
        now: Timestamp,
    ) -> Result<Self, String> {
        let fold = !definition.case_sensitive;
        let folded = |text: Cow<'_, str>| if fold { text.to_lowercase() } else { text.into_owned() };
        let time = definition.time.as_ref().map(|bounds| {
            let column = table.position(&bounds.field).ok_or_else(|| {
                format!("it has no column {:?}, which its definition names as the time", bounds.field)
            })?;
            let seconds = (0..table.rows).map(|row| {
                let text = table.texts(column, row).into_iter().next()?;
                match &bounds.format {
                    Some(format) => strptime::parse(&text, format, zone, now).map(|micros| micros as f64 / 1e6),
                    None => values::parse_number(text.trim()),
                }
            });
            Ok::<_, String>(Times { seconds: seconds.collect(), least: bounds.least, most: bounds.most })
        });
        let time = time.transpose()?;
        let mut keys = Vec::with_capacity(columns.len());
        for column in columns {
            let name = table.columns.get(*column).map_or("", |(name, _)| name);
            let cell = |row| table.texts(*column, row).into_iter().next();
            keys.push(match definition.match_type(name) {
                MatchType::Exact => Key::Exact,
                MatchType::Wildcard => {
                    let globs = (0..table.rows).map(|row| cell(row).map(|text| Glob::new(&folded(text))));
                    Key::Wildcard(Wildcards::new(globs.collect()))
                }
                MatchType::Cidr => {
                    let texts: Vec<Option<String>> = (0..table.rows).map(|row| cell(row).map(folded)).collect();
                    Key::Cidr(Blocks::new(texts.iter().map(Option::as_deref)))
                }
            });
        }
        let exact: Vec<usize> =
            columns.iter().zip(&keys).filter(|(_, key)| matches!(key, Key::Exact)).map(|(column, _)| *column).collect();
        let mut rows: Option<HashMap<Box<str>, Vec<u32>>> = (!exact.is_empty()).then(HashMap::new);
        if let Some(rows) = &mut rows {
            for row in 0..table.rows {
                let cells: Vec<_> = exact.iter().map(|column| table.texts(*column, row)).collect();
                combinations(&cells, &mut |texts| {
                    let texts: Vec<String> = texts.iter().map(|text| folded(Cow::Borrowed(text))).collect();
                    rows.entry(joined(texts.iter().map(String::as_str)).into()).or_default().push(row as u32);
                    true
                });
            }
            // Rows that agree with an event in all but the time are looked at from the latest.
            if let Some(times) = time.as_ref().filter(|_| exact.len() == keys.len()) {
                for rows in rows.values_mut() {
                    rows.retain(|row| times.of(*row).is_some());
                    rows.sort_by(|a, b| f64::total_cmp(&times.of(*a).unwrap_or(0.0), &times.of(*b).unwrap_or(0.0)));
                }
            }
        }
        Ok(Self {
            max_matches: definition.max_matches,
            min_matches: definition.min_matches,
            default_match: Some(definition.default_match.clone()).filter(|default| !default.is_empty()),
            table,
            keys,
            exact: rows,
            fold,
            time,
            #[cfg(feature = "cluster")]
            made_of: (definition.clone(), columns.to_vec()),
        })
    }

    /// What it was made of besides the table. Nothing where times in the table are read by a format, in a zone.
    #[cfg(feature = "cluster")]
    pub(crate) fn made_of(&self) -> Option<&(Definition, Vec<usize>)> {
        let time = self.made_of.0.time.as_ref();
        time.is_none_or(|time| time.format.is_none()).then_some(&self.made_of)
    }

    /// Whether the time of an event counts.
    pub fn needs_time(&self) -> bool {
        self.time.is_some()
    }

    /// Whether an event whose fields have one value each may find more than one row.
    pub fn finds_several(&self) -> bool {
        if self.min_matches > 1 {
            return true;
        }
        let patterns = self.keys.iter().any(|key| !matches!(key, Key::Exact));
        let most = if patterns {
            self.table.rows
        } else {
            self.exact.iter().flat_map(HashMap::values).map(Vec::len).max().unwrap_or_default()
        };
        most.min(self.max_matches) > 1
    }

    /// The rows that agree with the values of an event, one list a key field; `None` where a field has no value.
    ///
    /// # Errors
    /// The fields have too many values.
    pub fn find(&self, values: &[Vec<Cow<'_, str>>], time: Option<f64>) -> Result<Option<Vec<u32>>, String> {
        if values.iter().any(Vec::is_empty) {
            return Ok(None);
        }
        let mut found = Vec::new();
        let mut left = MOST_COMBINATIONS;
        combinations(values, &mut |texts| {
            left = left.saturating_sub(1);
            self.find_one(texts, time, &mut found);
            left > 0 && found.len() < self.max_matches
        });
        if left == 0 && found.len() < self.max_matches {
            return Err(format!("the fields of an event have more than {MOST_COMBINATIONS} combinations of values"));
        }
        found.truncate(self.max_matches);
        Ok(Some(found))
    }

    fn find_one(&self, texts: &[&str], time: Option<f64>, found: &mut Vec<u32>) {
        let folded: Vec<Cow<'_, str>> = texts
            .iter()
            .map(|text| if self.fold { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(*text) })
            .collect();
        let mut add = |row: u32| {
            if found.len() < self.max_matches && !found.contains(&row) {
                found.push(row);
            }
        };
        let bucket = match &self.exact {
            Some(rows) => {
                let exact = self.keys.iter().zip(&folded).filter(|(key, _)| matches!(key, Key::Exact));
                let Some(bucket) = rows.get(joined(exact.map(|(_, text)| text.as_ref())).as_str()) else { return };
                Some(bucket)
            }
            None => None,
        };
        let patterns = || self.keys.iter().zip(&folded).filter(|(key, _)| !matches!(key, Key::Exact));
        let Some((first, text)) = patterns().next() else {
            // Only exact columns: what the bucket holds agrees.
            let bucket = bucket.map_or(&[][..], Vec::as_slice);
            match (&self.time, time) {
                (None, _) => bucket.iter().take(self.max_matches).for_each(|row| add(*row)),
                (Some(times), Some(now)) => {
                    let late = bucket.partition_point(|row| times.of(*row).is_some_and(|t| t <= now - times.least));
                    let early = now - times.most;
                    let fitting = bucket.iter().take(late).rev();
                    fitting
                        .take_while(|row| times.of(**row).is_some_and(|t| t >= early))
                        .take(self.max_matches)
                        .for_each(|row| add(*row));
                }
                (Some(_), None) => {}
            }
            return;
        };
        let agrees = |row: u32| patterns().all(|(key, text)| key.matches(row, text));
        let mut rows: Vec<u32> = match bucket {
            Some(bucket) if bucket.len() <= FEW => bucket.iter().copied().filter(|row| agrees(*row)).collect(),
            _ => {
                let mut rows = first.find(text).unwrap_or_default();
                rows.retain(|row| bucket.is_none_or(|bucket| bucket.binary_search(row).is_ok()) && agrees(*row));
                rows
            }
        };
        if let Some(times) = &self.time {
            let Some(now) = time else { return };
            let fits = |t: f64| t <= now - times.least && t >= now - times.most;
            rows.retain(|row| times.of(*row).is_some_and(fits));
            rows.sort_by(|a, b| f64::total_cmp(&times.of(*b).unwrap_or(0.0), &times.of(*a).unwrap_or(0.0)));
        }
        rows.into_iter().for_each(add);
    }
}

impl Times {
    fn of(&self, row: u32) -> Option<f64> {
        self.seconds.get(row as usize).copied().flatten()
    }
}

/// The texts of several columns as one.
fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut all = String::new();
    for text in texts {
        // With the lengths, no two lists of texts give the same.
        let _ = write!(all, "{}:{text}", text.len());
    }
    all
}

/// Calls with every choice of one value a list, until it says to stop.
fn combinations(lists: &[Vec<Cow<'_, str>>], use_one: &mut dyn FnMut(&[&str]) -> bool) {
    let mut choice = vec![0_usize; lists.len()];
    let mut texts: Vec<&str> = Vec::with_capacity(lists.len());
    loop {
        texts.clear();
        for (list, position) in lists.iter().zip(&choice) {
            let Some(text) = list.get(*position) else { return };
            texts.push(text);
        }
        if !use_one(&texts) {
            return;
        }
        // The next choice; the last list changes first.
        let mut carry = true;
        for (list, position) in lists.iter().zip(&mut choice).rev() {
            *position = position.saturating_add(1);
            if *position < list.len() {
                carry = false;
                break;
            }
            *position = 0;
        }
        if carry {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::lookups::definition::TimeBounds;

    fn find(csv: &str, change: impl Fn(&mut Definition), values: &[&str], time: Option<f64>) -> Vec<u32> {
        let mut definition = Definition::of_file("x.csv");
        change(&mut definition);
        let columns: Vec<usize> = (0..values.len()).collect();
        let table = Arc::new(Table::parse(csv.as_bytes()).unwrap());
        let matcher = Matcher::new(table, &definition, &columns, &TimeZone::UTC, Timestamp::UNIX_EPOCH).unwrap();
        let values: Vec<Vec<Cow<'_, str>>> =
            values.iter().map(|text| text.split(' ').filter(|t| !t.is_empty()).map(Cow::Borrowed).collect()).collect();
        matcher.find(&values, time).unwrap().unwrap_or_default()
    }

    #[test]
    fn exact_columns_agree_together() {
        let csv = "a,b\nx,1\nx,2\n,1\ny,1\nx,1\n";
        assert_eq!(find(csv, |_| {}, &["x"], None), [0, 1, 4]);
        assert_eq!(find(csv, |_| {}, &["x", "1"], None), [0, 4]);
        assert_eq!(find(csv, |d| d.max_matches = 1, &["x", "1"], None), [0]);
        assert_eq!(find(csv, |_| {}, &["X"], None), [] as [u32; 0]);
        assert_eq!(find(csv, |d| d.case_sensitive = false, &["X"], None), [0, 1, 4]);
        assert_eq!(find(csv, |_| {}, &[""], None), [] as [u32; 0]);
        // Each of several values is looked up, in their order.
        assert_eq!(find(csv, |_| {}, &["y x"], None), [3, 0, 1, 4]);
        assert_eq!(find(csv, |_| {}, &["x x"], None), [0, 1, 4]);
        assert_eq!(find(csv, |_| {}, &["y x", "2 1"], None), [3, 1, 0, 4]);
    }

    #[test]
    fn patterns_with_exact_columns() {
        let mut csv = "a,b\n".to_string();
        for row in 0..200 {
            csv.push_str(&format!("same,*{row}\n"));
        }
        csv.push_str("other,*7\n");
        let wild = |d: &mut Definition| d.match_types.push(("b".into(), MatchType::Wildcard));
        assert_eq!(find(&csv, wild, &["same", "x107"], None), [7, 107]);
        assert_eq!(find(&csv, wild, &["other", "x107"], None), [200]);
    }

    #[test]
    fn the_nearest_earlier_rows() {
        let csv = "mac,t,user\na,100,one\na,200,two\nb,150,three\na,150,four\na,soon,five\n";
        let timed = |least, most, matches| {
            move |d: &mut Definition| {
                d.time = Some(TimeBounds { field: "t".into(), format: None, least, most });
                d.max_matches = matches;
            }
        };
        assert_eq!(find(csv, timed(0.0, 2e9, 1), &["a"], Some(210.0)), [1]);
        assert_eq!(find(csv, timed(0.0, 2e9, 5), &["a"], Some(210.0)), [1, 3, 0]);
        assert_eq!(find(csv, timed(20.0, 100.0, 5), &["a"], Some(210.0)), [3]);
        assert_eq!(find(csv, timed(0.0, 2e9, 5), &["a"], Some(99.0)), [] as [u32; 0]);
        assert_eq!(find(csv, timed(0.0, 2e9, 5), &["a"], None), [] as [u32; 0]);
        let wild = |d: &mut Definition| {
            timed(0.0, 60.0, 5)(d);
            d.match_types.push(("mac".into(), MatchType::Wildcard));
        };
        assert_eq!(find(csv, wild, &["a"], Some(200.0)), [1, 3]);
    }
}
