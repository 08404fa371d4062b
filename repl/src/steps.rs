//! A search at work: what comes out of each of its pipes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use futures::StreamExt;
use spelunk_engine::values::{self, Cell};
use spelunk_engine::{Error, Language, Session};

use crate::escape;
use crate::exit::Failure;
use crate::render::{fit, grid, plain, record};
use crate::report;

/// How many rows of each pipe are shown.
const SAMPLE: usize = 2;
/// How many fields that came or went are named.
const FIELDS_NAMED: usize = 12;

/// What comes out of a pipe.
pub struct Step {
    text: String,
    rows: u64,
    elapsed: Duration,
    columns: Vec<String>,
    sample: Vec<Vec<Cell>>,
    gained: Vec<String>,
    lost: Vec<String>,
    events: bool,
}

/// Runs a search up to each of its pipes.
///
/// # Errors
/// Whatever stops one of them.
pub async fn run(session: &Session, language: Language, text: &str) -> Result<Vec<Step>, Failure> {
    let failed = |error: Error| Failure::Search(error, text.to_owned());
    let zone = session.context().time_zone;
    let mut steps: Vec<Step> = Vec::new();
    for stage in session.stages(language, text).map_err(failed)? {
        let started = Instant::now();
        let mut search = session.probe(language, &stage.prefix).await.map_err(failed)?;
        let columns: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
        let (mut rows, mut sample) = (0_u64, Vec::new());
        while let Some(batch) = search.stream.next().await {
            let batch = batch.map_err(|error| failed(error.into()))?;
            for row in 0..batch.num_rows().min(SAMPLE.saturating_sub(sample.len())) {
                sample.push(batch.columns().iter().map(|column| values::cell(column, row, &zone)).collect());
            }
            rows = rows.saturating_add(batch.num_rows() as u64);
        }
        let before: BTreeSet<&String> = steps.last().map(|step| step.columns.iter().collect()).unwrap_or_default();
        let after: BTreeSet<&String> = columns.iter().collect();
        let differ = |from: &BTreeSet<&String>, other: &BTreeSet<&String>| -> Vec<String> {
            if steps.is_empty() { Vec::new() } else { from.difference(other).map(|name| (*name).clone()).collect() }
        };
        let (gained, lost) = (differ(&after, &before), differ(&before, &after));
        let (text, elapsed, events) = (stage.text, started.elapsed(), search.events);
        steps.push(Step { text, rows, elapsed, columns, sample, gained, lost, events });
    }
    Ok(steps)
}

/// For people, in lines of that width; samples without lines if they are to be `plain`.
pub fn render(steps: &[Step], width: usize, colour: bool, plain: bool) -> String {
    let width = width.max(fit::LEAST);
    let mut out = String::new();
    let mut before = Duration::ZERO;
    for (number, step) in (1_u64..).zip(steps) {
        let title = format!("{number}  | {}", step.text);
        for line in fit::wrap(&escape::line(&title), width, 3) {
            let _ = match colour {
                true => writeln!(out, "\x1b[1m{line}\x1b[0m"),
                false => writeln!(out, "{line}"),
            };
        }
        // Each prefix runs anew, so the time up to here holds that of the pipes before.
        let more = step.elapsed.saturating_sub(before).as_millis();
        before = before.max(step.elapsed);
        let fields = report::count(step.columns.len() as u64, "field");
        let mut told = vec![format!("   {} · {fields} · +{more} ms", report::count(step.rows, "row"))];
        for (mark, names) in [("+", &step.gained), ("-", &step.lost)] {
            if !names.is_empty() {
                let rest = names.len().saturating_sub(FIELDS_NAMED);
                let named = names.iter().take(FIELDS_NAMED).cloned().collect::<Vec<_>>().join(", ");
                let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
                told.push(format!("   {mark} {named}{rest}"));
            }
        }
        for line in told.iter().flat_map(|text| fit::wrap(&escape::line(text), width, 3)) {
            let _ = writeln!(out, "{line}");
        }
        if step.sample.is_empty() || step.columns.is_empty() {
            continue;
        }
        if plain {
            out.push_str(&step.plain());
            continue;
        }
        let drawn = match step.events {
            true => step.telling(width, colour),
            false => grid::draw(&step.columns, &step.sample, Some(width), colour),
        };
        out.push_str(&drawn.unwrap_or_else(|| {
            let records = (1..).zip(&step.sample);
            records.map(|(n, row)| record::draw(n, &step.columns, row, Some(width), true, colour)).collect()
        }));
    }
    out
}

impl Step {
    /// The fields that have a value in the sample, with tabs between them.
    fn plain(&self) -> String {
        let present =
            |place: &usize| self.sample.iter().any(|row| row.get(*place).is_some_and(|cell| *cell != Cell::Null));
        let places: Vec<usize> = (0..self.columns.len()).filter(present).collect();
        let columns: Vec<String> = places.iter().filter_map(|place| self.columns.get(*place).cloned()).collect();
        let pick = |row: &Vec<Cell>| places.iter().filter_map(|place| row.get(*place).cloned()).collect();
        plain::draw(&columns, &self.sample.iter().map(pick).collect::<Vec<_>>())
    }

    /// A grid of the fields that came here, and of others of the events as far as there is room.
    fn telling(&self, width: usize, colour: bool) -> Option<String> {
        let came = |name: &String| !self.gained.contains(name);
        let mut places: Vec<usize> = (0..self.columns.len()).collect();
        places.sort_by_key(|place| self.columns.get(*place).is_none_or(came));
        let columns: Vec<String> = places.iter().filter_map(|place| self.columns.get(*place).cloned()).collect();
        let pick = |row: &Vec<Cell>| places.iter().filter_map(|place| row.get(*place).cloned()).collect();
        let sample: Vec<Vec<Cell>> = self.sample.iter().map(pick).collect();
        let first = columns.iter().take_while(|name| self.gained.contains(name)).count();
        grid::draw_first(&columns, &sample, first, Some(width), colour).map(|(drawn, _)| drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{any_table, names, number, text};
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn step(query: &str, columns: Vec<String>, sample: Vec<Vec<Cell>>, events: bool) -> Step {
        let (gained, lost) = (names(&["count"]), names(&["CommandLine", "a\x1bb"]));
        Step { text: query.into(), rows: 1_204, elapsed: Duration::ZERO, columns, sample, gained, lost, events }
    }

    #[test]
    fn every_width() {
        let image = || text(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe");
        let found = [
            step(
                "search EventCode=1 Image=*powershell.exe",
                names(&["Image", "n"]),
                vec![vec![image(), number("1")]],
                true,
            ),
            step("stats count BY Image", names(&["Image", "count"]), vec![vec![image(), number("1204")]], false),
        ];
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(format!("steps_{width}"), render(&found, width, false, false));
        }
    }

    proptest! {
        #[test]
        fn every_line_fits((columns, sample) in any_table(), query in any::<String>(), width in 0usize..160) {
            let found = [step(&query, columns, sample, width % 2 == 0)];
            let shown = fit::narrow(&render(&found, width, false, false), width);
            for line in shown.lines() {
                prop_assert!(line.width() <= width.max(1), "{line:?}");
                prop_assert!(!line.chars().any(|c| escape::is_unsafe(c) || c == '\t'), "{line:?}");
            }
        }
    }
}
