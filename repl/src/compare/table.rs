//! The comparison for people: a block a row, since cutting would cut the reason.

use std::fmt::Write as _;

use spelunk_engine::Unchosen;

use super::{Comparison, Difference, Why};
use crate::detections::Detection;
use crate::escape;
use crate::render::table::ROWS;
use crate::report::count;
use crate::why;

/// The whole comparison.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    let [first, second] = &comparison.sides;
    for (letter, side) in ["A", "B"].iter().zip(&comparison.sides) {
        let line = format!("{letter} = {}, over {}", side.detection.name, side.telemetry);
        let _ = writeln!(out, "{}", escape::line(&line));
    }
    let only = |first: bool, second: bool| -> Vec<&Difference> {
        let fits = |found: &&Difference| found.first.is_some() == first && found.second.is_some() == second;
        comparison.differences.iter().filter(fits).collect()
    };
    section(&mut out, "Only A finds", &only(true, false), |found| vec![reason("B", &found.why, &second.detection)]);
    section(&mut out, "Only B finds", &only(false, true), |found| vec![reason("A", &found.why, &first.detection)]);
    let renamed = only(true, true);
    section(&mut out, "Both find, under different labels", &renamed, |found| {
        let [not_first, not_second] = &found.unchosen;
        vec![
            other_label("A", found.second.as_deref(), not_first, &first.detection),
            other_label("B", found.first.as_deref(), not_second, &second.detection),
        ]
    });
    let [a, b] = comparison.found;
    let noun = if comparison.by_columns.is_some() { "row" } else { "event" };
    let _ = write!(out, "\nA finds {}, B {}, both {}", count(a as u64, noun), b, comparison.both);
    if !renamed.is_empty() {
        let _ = write!(out, " ({} of them under different labels)", renamed.len());
    }
    out.push('\n');
    out
}

fn section(out: &mut String, title: &str, found: &[&Difference], why: impl Fn(&Difference) -> Vec<Option<String>>) {
    if found.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}: {}", found.len());
    for difference in found.iter().take(ROWS) {
        let mut head = vec![difference.time.clone().unwrap_or_default()];
        for (letter, labels) in [("A", &difference.first), ("B", &difference.second)] {
            head.extend(
                labels
                    .as_ref()
                    .filter(|labels| !labels.is_empty())
                    .map(|labels| format!("{letter}: {}", labels.join(", "))),
            );
        }
        head.retain(|part| !part.is_empty());
        if !head.is_empty() {
            let _ = writeln!(out, "  {}", escape::line(&head.join("  ")));
        }
        let fields: Vec<String> =
            difference.fields.iter().map(|(name, value)| format!("{name}={}", why::short(value))).collect();
        let _ = writeln!(out, "    {}", escape::line(&fields.join(", ")));
        for why in why(difference).into_iter().flatten() {
            let _ = writeln!(out, "    {}", escape::line(&why));
        }
    }
    if found.len() > ROWS {
        let _ = writeln!(out, "the first {ROWS} of {}; --output json has them all", found.len());
    }
}

/// Why a detection does not give the labels that the other one gives.
fn other_label(
    letter: &str,
    wanted: Option<&[String]>,
    unchosen: &[Unchosen],
    detection: &Detection,
) -> Option<String> {
    let found = wanted?.iter().find_map(|label| unchosen.iter().find(|unchosen| unchosen.value == *label))?;
    let (line, column) = detection.place(why::place(&found.reason));
    Some(format!("{letter} ({line}:{column}): {}", why::label(&found.value, unchosen)?))
}

fn reason(letter: &str, why: &Why, detection: &Detection) -> Option<String> {
    match why {
        Why::Found | Why::Unknown => None,
        Why::Absent => Some(format!("{letter}: its telemetry has no such event")),
        Why::Judged(verdict) => {
            let place = why::span(verdict).map(|span| detection.place(span));
            let place = place.map_or(String::new(), |(line, column)| format!(" ({line}:{column})"));
            Some(format!("{letter}{place}: {}", why::sentence(verdict)))
        }
    }
}
