//! `anomalousvalue`: values that are rare, or far from the mean of their field.
//!
//! Sources: Splunk Search Reference, "anomalousvalue"; F. E. Grubbs, "Procedures for Detecting Outlying Observations
//! in Samples" (1969).

use spelunk_grammar::spl::commands::anomalousvalue::{Action, Anomalousvalue, Support};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::{Added, Annotated};
use super::frame::Frame;
use super::grid::Grid;
use super::totals::named;
use super::{PlanResult, Planner};
use crate::methods::coded::Coded;
use crate::methods::normal;
use crate::values::Value;

/// The most rows of the result.
const MOST_ROWS: usize = 50_000;

/// Plans the command.
pub async fn plan(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    command: &Anomalousvalue,
    span: Span,
) -> PlanResult<()> {
    let Anomalousvalue { action, pthresh, support, fields } = command;
    let fields = named(frame, fields);
    apply(planner, frame, &Judging { action: *action, pthresh: *pthresh, support, fields }, span).await
}

/// How values are judged.
pub struct Judging<'c> {
    /// What becomes of the rows.
    pub action: Option<Action>,
    /// How improbable an anomalous value is.
    pub pthresh: Option<f64>,
    /// Which fields count.
    pub support: &'c Support,
    /// The fields.
    pub fields: Vec<String>,
}

/// Judges the values of all rows.
pub async fn apply(planner: &mut Planner<'_>, frame: &mut Frame, judging: &Judging<'_>, span: Span) -> PlanResult<()> {
    let threshold = judging.pthresh.unwrap_or(0.01);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let total = rows.rows();
    let mut judged = Vec::new();
    for field in &judging.fields {
        judged.push((field, Judged::new(rows.coded(field), total as u64, threshold, judging.support)));
    }
    if judging.action == Some(Action::Summary) {
        return summary(&judged, total as u64).replace(frame, span);
    }
    let mut anomalous = vec![false; total];
    let mut added = Vec::new();
    for (field, judged) in judged {
        let tests = [
            ("Anomaly_Score_Cat", &judged.rarity, judged.use_rarity),
            ("Anomaly_Score_Num", &judged.distance, judged.use_distance),
        ];
        for (prefix, scores, used) in tests {
            if !used {
                continue;
            }
            let score = |code: &Option<u32>| {
                let score = scores.get((*code)? as usize).copied()?;
                (score < threshold).then_some(score)
            };
            let values: Vec<Option<f64>> = judged.coded.codes.iter().map(score).collect();
            if values.iter().any(Option::is_some) {
                anomalous.iter_mut().zip(&values).for_each(|(row, value)| *row |= value.is_some());
                added.push(Added::numbers(format!("{prefix}({field})"), values));
            }
        }
    }
    if judging.action == Some(Action::Annotate) {
        anomalous.fill(true);
    }
    let mut left = MOST_ROWS;
    for keep in anomalous.iter_mut().filter(|keep| **keep) {
        match left.checked_sub(1) {
            Some(less) => left = less,
            None => *keep = false,
        }
    }
    if left == 0 && total > MOST_ROWS {
        let message = format!("the result has at most {MOST_ROWS} rows, more may be anomalous");
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, span));
    }
    rows.resume(frame, added, Some(&anomalous))
}

/// What was found about a field.
struct Judged {
    coded: Coded,
    /// The share of the field's values that each distinct value has.
    rarity: Vec<f64>,
    /// The probability of a value at least as far from the mean, for each distinct value of a numeric field.
    distance: Vec<f64>,
    /// The share of the values that are anomalous, by either test.
    rare: f64,
    far: f64,
    moments: Option<(f64, f64)>,
    use_rarity: bool,
    use_distance: bool,
}

impl Judged {
    fn new(coded: Coded, total: u64, threshold: f64, support: &Support) -> Self {
        let Support { maxanofreq, minnormfreq, minsupcount, minsupfreq } = support;
        let present = (coded.present as f64).max(1.0);
        let rarity: Vec<f64> = coded.counts.iter().map(|count| *count as f64 / present).collect();
        let moments = coded.moments();
        let distance: Vec<f64> = match (moments, &coded.numbers) {
            (Some((mean, deviation)), Some(numbers)) => numbers
                .iter()
                .map(|number| if deviation > 0.0 { normal::two_sided((number - mean) / deviation) } else { 1.0 })
                .collect(),
            _ => Vec::new(),
        };
        let share = |scores: &[f64]| {
            let anomalous = scores.iter().zip(&coded.counts).filter(|(score, _)| **score < threshold);
            anomalous.map(|(_, count)| *count as f64).sum::<f64>() / present
        };
        let (rare, far) = (share(&rarity), share(&distance));
        let supported = coded.present >= minsupcount.unwrap_or(100)
            && coded.present as f64 >= minsupfreq.unwrap_or(0.05) * total as f64;
        let informative =
            |anomalous: f64| anomalous <= maxanofreq.unwrap_or(0.05) && 1.0 - anomalous >= minnormfreq.unwrap_or(0.01);
        let use_rarity = supported && coded.present > 0 && informative(rare);
        let use_distance = supported && !distance.is_empty() && informative(far);
        Self { coded, rarity, distance, rare, far, moments, use_rarity, use_distance }
    }
}

/// A row for each field.
fn summary(judged: &[(&String, Judged)], total: u64) -> Grid {
    let mut grid = Grid::new([
        "fieldname",
        "count",
        "distinct_count",
        "mean",
        "catAnoFreq%",
        "catNormFreq%",
        "numAnoFreq%",
        "stdev",
        "supportFreq%",
        "useCat",
        "useNum",
        "isNum",
    ]);
    let number = |number: f64| Value::Number(number);
    let answer = |yes: bool| Value::Text(if yes { "YES" } else { "NO" }.into());
    for (field, judged) in judged {
        let is_number = judged.coded.numbers.is_some();
        let moment = |part: fn((f64, f64)) -> f64| judged.moments.map_or(Value::Null, |moments| number(part(moments)));
        grid.rows.push(vec![
            Value::Text((*field).clone().into()),
            number(judged.coded.present as f64),
            number(judged.coded.values.len() as f64),
            moment(|(mean, _)| mean),
            number(100.0 * judged.rare),
            number(if judged.coded.present > 0 { 100.0 * (1.0 - judged.rare) } else { 0.0 }),
            if is_number { number(100.0 * judged.far) } else { Value::Null },
            moment(|(_, deviation)| deviation),
            number(if total > 0 { 100.0 * judged.coded.present as f64 / total as f64 } else { 0.0 }),
            answer(judged.use_rarity),
            answer(judged.use_distance),
            answer(is_number),
        ]);
    }
    grid
}
