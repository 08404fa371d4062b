//! `anomalydetection`: rows whose values are improbable together.
//!
//! Sources: Splunk Search Reference, "anomalydetection", "outlier"; J. W. Tukey, "Exploratory Data Analysis" (1977),
//! for the fences; the histogram as in [`quantiles`](crate::methods::quantiles).

use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::anomalousvalue::Action;
use spelunk_grammar::spl::commands::anomalydetection::{Anomalydetection, Method};

use super::annotated::{Added, Annotated};
use super::anomalousvalue::{self, Judging};
use super::frame::Frame;
use super::grid::Grid;
use super::totals::named;
use super::{PlanResult, Planner};
use crate::functions::kernel::Returns;
use crate::methods::coded::Coded;
use crate::methods::quantiles::Multiset;
use crate::values::{Value, format_number};

/// How many interquartile ranges from a quartile the inner and the outer fence stand.
const INNER_FENCE: f64 = 1.5;
const OUTER_FENCE: f64 = 3.0;

/// Plans the command.
pub async fn plan(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    command: &Anomalydetection,
    span: Span,
) -> PlanResult<()> {
    let Anomalydetection { method, fields } = command;
    let fields = named(frame, fields);
    match method {
        Method::Histogram { action, pthresh, cutoff } => {
            let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
            let judged = judge(&rows, &fields);
            let threshold = match pthresh {
                Some(probability) => probability.ln(),
                None => judged.fence(if cutoff.unwrap_or(true) { OUTER_FENCE } else { INNER_FENCE }),
            };
            match action.unwrap_or(Action::Filter) {
                Action::Summary => judged.summary(threshold).replace(frame, span),
                Action::Annotate => judged.resume(rows, frame, threshold, false),
                Action::Filter => judged.resume(rows, frame, threshold, true),
            }
        }
        Method::Zscore { action, pthresh, support } => {
            let judging = Judging { action: *action, pthresh: *pthresh, support, fields };
            anomalousvalue::apply(planner, frame, &judging, span).await
        }
        Method::Iqr { remove, mark, param, uselower } => {
            let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
            let fences = Fences {
                remove: remove.unwrap_or(false),
                mark: mark.unwrap_or(false),
                param: param.unwrap_or(2.5),
                lower: uselower.unwrap_or(false),
            };
            fences.apply(rows, frame, &fields)
        }
    }
}

/// What was found about the rows.
struct Judged {
    rows: Vec<Row>,
    logarithms: Multiset,
}

#[derive(Clone)]
struct Row {
    /// The natural logarithm of its probability.
    logarithm: f64,
    /// Its least frequent value: the field and the frequency.
    cause: Option<(String, f64)>,
    /// The frequency of its most frequent value.
    most: Option<f64>,
}

/// The probability of each row: the product of the frequencies of its values. What a row lacks does not count.
fn judge(rows: &Annotated, fields: &[String]) -> Judged {
    let total = rows.rows() as f64;
    let mut judged = vec![Row { logarithm: 0.0, cause: None, most: None }; rows.rows()];
    for field in fields {
        let coded = rows.coded(field);
        let frequencies: Vec<f64> = counts(&coded).into_iter().map(|count| count as f64 / total).collect();
        for (row, code) in judged.iter_mut().zip(&coded.codes) {
            let Some(frequency) = code.and_then(|code| frequencies.get(code as usize)).copied() else { continue };
            row.logarithm += frequency.ln();
            if row.cause.as_ref().is_none_or(|(_, least)| frequency < *least) {
                row.cause = Some((field.clone(), frequency));
            }
            row.most = Some(row.most.map_or(frequency, |most| most.max(frequency)));
        }
    }
    let logarithms = Multiset::new(judged.iter().map(|row| (row.logarithm, 1)));
    Judged { rows: judged, logarithms }
}

/// How often each distinct value occurs, or, of a numeric field, values in the same bin of the histogram.
fn counts(coded: &Coded) -> Vec<u64> {
    let Some(numbers) = &coded.numbers else { return coded.counts.clone() };
    let histogram = Multiset::new(numbers.iter().copied().zip(coded.counts.iter().copied())).histogram();
    histogram.map_or_else(
        || coded.counts.clone(),
        |histogram| numbers.iter().map(|number| histogram.count(*number)).collect(),
    )
}

impl Judged {
    fn fence(&self, factor: f64) -> f64 {
        self.logarithms.quartiles().map_or(f64::NEG_INFINITY, |(first, third)| first - factor * (third - first))
    }

    /// Sums of logarithms in another order differ by rounding, which is no anomaly.
    fn is_anomalous(row: &Row, threshold: f64) -> bool {
        row.logarithm < threshold - 1e-9 * threshold.abs()
    }

    fn summary(&self, threshold: f64) -> Grid {
        let anomalies = self.rows.iter().filter(|row| Self::is_anomalous(row, threshold)).count();
        let number = |number: Option<f64>| number.map_or(Value::Null, Value::Number);
        let mut grid =
            Grid::new(["num_anomalies", "thresh", "max_logprob", "min_logprob", "1st_quartile", "3rd_quartile"]);
        let (ends, quartiles) = (self.logarithms.ends(), self.logarithms.quartiles());
        grid.rows.push(vec![
            Value::Number(anomalies as f64),
            number((self.logarithms.total() > 0).then(|| threshold.exp())),
            number(ends.map(|(_, most)| most)),
            number(ends.map(|(least, _)| least)),
            number(quartiles.map(|(first, _)| first)),
            number(quartiles.map(|(_, third)| third)),
        ]);
        grid
    }

    fn resume(self, rows: Annotated, frame: &mut Frame, threshold: f64, filter: bool) -> PlanResult<()> {
        let anomalous: Vec<bool> = self.rows.iter().map(|row| Self::is_anomalous(row, threshold)).collect();
        let causes: Vec<Option<(String, f64)>> =
            self.rows.iter().zip(&anomalous).map(|(row, anomalous)| row.cause.clone().filter(|_| *anomalous)).collect();
        let added = vec![
            Added::numbers("log_event_prob", self.rows.iter().map(|row| Some(row.logarithm))),
            Added::texts("probable_cause", causes.iter().map(|cause| cause.as_ref().map(|(field, _)| field.clone()))),
            Added::numbers(
                "probable_cause_freq",
                causes.iter().map(|cause| cause.as_ref().map(|(_, frequency)| *frequency)),
            ),
            Added::numbers("max_freq", self.rows.iter().map(|row| row.most)),
        ];
        rows.resume(frame, added, filter.then_some(anomalous.as_slice()))
    }
}

/// How outliers are found and what becomes of them.
struct Fences {
    remove: bool,
    mark: bool,
    param: f64,
    lower: bool,
}

impl Fences {
    fn apply(&self, rows: Annotated, frame: &mut Frame, fields: &[String]) -> PlanResult<()> {
        let mut keep = vec![true; rows.rows()];
        let mut added = Vec::new();
        for field in fields {
            let values: Vec<Value<'_>> = rows.column(field).collect();
            let numbers = Multiset::new(values.iter().filter_map(Value::number).map(|number| (number, 1)));
            let Some((first, third)) = numbers.quartiles() else { continue };
            let (low, high) = (first - self.param * (third - first), third + self.param * (third - first));
            let fence = |value: &Value<'_>| {
                let number = value.number()?;
                if number > high { Some(high) } else { (self.lower && number < low).then_some(low) }
            };
            let moved: Vec<Option<f64>> = values.iter().map(fence).collect();
            keep.iter_mut().zip(&moved).for_each(|(keep, moved)| *keep &= moved.is_none());
            if self.remove || moved.iter().all(Option::is_none) {
                continue;
            }
            let changed = |(value, moved): (&Value<'_>, Option<f64>)| match moved {
                Some(fence) if self.mark => Value::Text(format!("000{}", format_number(fence)).into()),
                Some(fence) => Value::Number(fence),
                None => super::grid::owned(value.clone()),
            };
            let changed: Vec<Value<'static>> = values.iter().zip(moved).map(changed).collect();
            let returns = if changed.iter().any(|value| matches!(value, Value::Many(_))) {
                Returns::Many
            } else if changed.iter().all(|value| matches!(value, Value::Number(_) | Value::Null)) {
                Returns::Number
            } else {
                Returns::Text
            };
            added.push(Added { name: field.clone(), returns, values: changed });
        }
        rows.resume(frame, added, self.remove.then_some(keep.as_slice()))
    }
}
