//! `associate`: values that make another field less uncertain.
//!
//! Sources: Splunk Search Reference, "associate"; C. E. Shannon, "A Mathematical Theory of Communication" (1948).

use spelunk_grammar::spl::commands::associate::Associate;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::Annotated;
use super::frame::Frame;
use super::grid::Grid;
use super::totals::named;
use super::{PlanResult, Planner};
use crate::methods::coded::Coded;
use crate::values::{Value, sort_key};

/// The most pairs of values that are looked at.
const MOST_PAIRS: u64 = 2_000_000_000;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Associate, span: Span) -> PlanResult<()> {
    let Associate { supcnt, supfreq, improv, fields } = command;
    let fields = named(frame, fields);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let columns: Vec<(String, Coded)> = fields.into_iter().map(|field| (field.clone(), rows.coded(&field))).collect();
    let total = rows.rows() as f64;
    let pairs = (columns.len() as u64).saturating_mul(columns.len() as u64).saturating_mul(rows.rows() as u64);
    if pairs > MOST_PAIRS {
        let message = format!("{} fields of {} rows are too many pairs", columns.len(), rows.rows());
        return Err(Diagnostic::error(Code::TooLarge, message, span).with_help("name fewer fields").into());
    }
    let mut grid = Grid::new([
        "Reference_Key",
        "Reference_Value",
        "Target_Key",
        "Unconditional_Entropy",
        "Conditional_Entropy",
        "Entropy_Improvement",
        "Top_Conditional_Value",
        "Description",
        "Support",
    ]);
    let least = (supcnt.unwrap_or(100) as f64).max(supfreq.unwrap_or(0.1) * total);
    for (key, reference) in &columns {
        let mut codes: Vec<u32> =
            (0..).take(reference.values.len()).filter(|code| reference.count(*code) as f64 >= least).collect();
        codes.sort_by_cached_key(|code| sort_key(reference.value(*code)));
        for (target_key, target) in columns.iter().filter(|(target, _)| target != key) {
            let counts = shared(reference, &codes, target);
            let unconditional = entropy(&target.counts);
            for (code, counts) in codes.iter().zip(&counts) {
                let conditional = entropy(counts);
                let improvement = unconditional - conditional;
                if counts.iter().all(|count| *count == 0) || improvement < improv.unwrap_or(0.5) - 1e-12 {
                    continue;
                }
                let value = reference.value(*code);
                grid.rows.push(vec![
                    Value::Text(key.clone().into()),
                    Value::Text(value.to_owned().into()),
                    Value::Text(target_key.clone().into()),
                    rounded(unconditional),
                    rounded(conditional),
                    rounded(improvement),
                    Value::Text(top(target, counts).into()),
                    Value::Text(
                        format!(
                            "When '{key}' has the value '{value}', the entropy of '{target_key}' decreases from {unconditional:.3} to {conditional:.3}."
                        )
                        .into(),
                    ),
                    Value::Number(reference.count(*code) as f64 / total),
                ]);
            }
        }
    }
    grid.replace(frame, span)
}

/// How often each value of the target comes with each of these values of the reference.
fn shared(reference: &Coded, codes: &[u32], target: &Coded) -> Vec<Vec<u64>> {
    let mut places: Vec<Option<usize>> = vec![None; reference.values.len()];
    for (place, code) in codes.iter().enumerate() {
        if let Some(found) = places.get_mut(*code as usize) {
            *found = Some(place);
        }
    }
    let mut counts: Vec<Vec<u64>> = codes.iter().map(|_| vec![0; target.values.len()]).collect();
    for (one, other) in reference.codes.iter().zip(&target.codes) {
        let (Some(one), Some(other)) = (one, other) else { continue };
        let place = places.get(*one as usize).copied().flatten();
        let count = place.and_then(|place| counts.get_mut(place)?.get_mut(*other as usize));
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
    }
    counts
}

/// In bits.
fn entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)) as f64;
    let parts = counts.iter().filter(|count| **count > 0).map(|count| {
        let share = *count as f64 / total;
        -share * share.log2()
    });
    // Of one value it is minus nothing, which is written with its sign.
    parts.sum::<f64>() + 0.0
}

fn rounded(number: f64) -> Value<'static> {
    Value::Number((number * 1e3).round() / 1e3)
}

/// The most frequent value with its shares of all values and of those that come with the reference.
fn top(target: &Coded, counts: &[u64]) -> String {
    let total = counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)) as f64;
    let mut best: Option<(u64, u32)> = None;
    for (code, count) in (0..).zip(counts) {
        if best.is_none_or(|(most, _)| *count > most) {
            best = Some((*count, code));
        }
    }
    let Some((count, code)) = best else { return String::new() };
    let before = 100.0 * target.count(code) as f64 / (target.present as f64).max(1.0);
    let after = 100.0 * count as f64 / total.max(1.0);
    format!("{} ({before:.2}% -> {after:.2}%)", target.value(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropies_in_bits() {
        assert_eq!(entropy(&[1, 1, 1, 1]), 2.0);
        assert_eq!(format!("{:.3}", entropy(&[5])), "0.000");
        assert_eq!(entropy(&[]), 0.0);
        assert!((entropy(&[1, 3]) - 0.811_278_124_459_132_8).abs() < 1e-12);
    }
}
