//! `predict`: continues a time series.
//!
//! Source: Splunk Search Reference, "predict"; the models as in [`series`](crate::methods::series).

use spelunk_grammar::spl::commands::predict::{Algorithm, Predict, PredictField, PredictGroup, PredictOptions};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner};
use crate::methods::normal;
use crate::methods::series::{self, Prediction, Predictions, Shape};
use crate::values::Value;

/// How many values beyond the last one are predicted where the search does not say.
const FUTURE: u64 = 5;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Predict, span: Span) -> PlanResult<()> {
    let Predict { groups } = command;
    groups.iter().try_for_each(check)?;
    super::existing(frame, "_time", span);
    for group in groups {
        let fields = group.fields.iter().map(|field| &field.field);
        for field in fields.chain(&group.options.correlate) {
            super::existing(frame, &field.text, field.span);
        }
    }
    let Some(mut grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    let several = groups.iter().map(|group| group.fields.len()).sum::<usize>() > 1;
    let rows = grid.rows.len();
    let mut columns = Vec::new();
    for group in groups {
        let found = match rows {
            0 => group.fields.iter().map(|_| Predictions::new()).collect(),
            _ => predictions(&grid, group)?,
        };
        for (field, predictions) in group.fields.iter().zip(found) {
            let hidden = group.options.suppress.as_ref().is_some_and(|name| is_named(field, name));
            if !hidden {
                columns.extend(named(field, &group.options, predictions, several));
            }
        }
    }
    let longest = columns.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    extend(planner, &mut grid, longest, span)?;
    for (name, values) in columns {
        match grid.position(&name) {
            Some(position) => {
                let mut values = values.into_iter();
                for row in &mut grid.rows {
                    let value = values.next().unwrap_or(Value::Null);
                    row.get_mut(position).into_iter().for_each(|cell| cell.clone_from(&value));
                }
            }
            None => grid.add_column(name, values),
        }
    }
    grid.replace(frame, span)
}

/// Whether a name is that of a field or of its prediction.
fn is_named(field: &PredictField, name: &Name) -> bool {
    field.field.text == name.text || field.alias.as_ref().is_some_and(|alias| alias.text == name.text)
}

/// Options that do not go together.
fn check(group: &PredictGroup) -> PlanResult<()> {
    let PredictGroup { fields, options } = group;
    let PredictOptions { algorithm, correlate, future_timespan, holdback: _, period, suppress, upper: _, lower: _ } =
        options;
    let model = algorithm.as_ref().map_or(Algorithm::Llp5, |algorithm| algorithm.node);
    let refuse = |message: String, span: Span| Err(Diagnostic::error(Code::InvalidOption, message, span).into());
    let place = algorithm.as_ref().map_or_else(Span::default, |algorithm| algorithm.span);
    match (model, correlate) {
        (Algorithm::Llb, None) => {
            return refuse("`algorithm=LLB` needs a field to go by: `correlate=<field>`".into(), place);
        }
        (Algorithm::Llb, Some(_)) => {}
        (_, Some(field)) => return refuse(format!("`correlate` means nothing with `algorithm={model}`"), field.span),
        (_, None) => {}
    }
    if let (Algorithm::Llb, Some(count)) = (model, future_timespan)
        && count.node > 0
    {
        let message = "`algorithm=LLB` predicts no values beyond the last, because it goes by those of the other field";
        return refuse(message.into(), count.span);
    }
    if let (Algorithm::BiLl, [_] | [_, _, _, ..]) = (model, fields.as_slice()) {
        return refuse(format!("`algorithm=BiLL` predicts two fields together, not {}", fields.len()), place);
    }
    if let (Algorithm::Ll | Algorithm::Llt | Algorithm::Llb | Algorithm::BiLl, Some(period)) = (model, period) {
        return refuse(format!("`period` means nothing with `algorithm={model}`"), period.span);
    }
    if let Some(name) = suppress
        && !fields.iter().any(|field| is_named(field, name))
    {
        return refuse(
            format!("`suppress` takes one of the fields that are predicted, not `{}`", name.text),
            name.span,
        );
    }
    Ok(())
}

/// The predictions of the fields of a group, from the first row on.
fn predictions(grid: &Grid, group: &PredictGroup) -> PlanResult<Vec<Predictions>> {
    let PredictGroup { fields, options } = group;
    let count = |option: &Option<spelunk_grammar::Spanned<u64>>, default: u64| {
        usize::try_from(option.as_ref().map_or(default, |count| count.node)).unwrap_or(usize::MAX)
    };
    let model = options.algorithm.as_ref().map_or(Algorithm::Llp5, |algorithm| algorithm.node);
    let (more, held) = (count(&options.future_timespan, FUTURE), count(&options.holdback, 0));
    let used = grid.rows.len().saturating_sub(held);
    let given = options.period.as_ref().map(|_| count(&options.period, 2));
    let mut all: Vec<Vec<Option<f64>>> = Vec::new();
    for field in fields {
        let values: Vec<Option<f64>> = values(grid, &field.field).into_iter().take(used).collect();
        let known = values.iter().flatten().count();
        let least = match (model, given) {
            (Algorithm::Ll | Algorithm::Llb | Algorithm::BiLl, _) => 2,
            (Algorithm::Llt | Algorithm::Llp5, _) => 3,
            (Algorithm::Llp, period) => period.unwrap_or(2).saturating_mul(2),
        };
        if known < least {
            let name = &field.field.text;
            let message =
                format!("`algorithm={model}` needs at least {least} values of `{name}`, and there are {known}");
            return Err(Diagnostic::error(Code::InvalidArgument, message, field.field.span).into());
        }
        all.push(values);
    }
    if let (Algorithm::BiLl, [first, second]) = (model, all.as_slice()) {
        return Ok(series::together([first, second], more).into());
    }
    let mut found = Vec::new();
    for (field, values) in fields.iter().zip(all) {
        let period = || given.or_else(|| series::period(&values));
        found.push(match model {
            Algorithm::Ll | Algorithm::BiLl => series::local(Shape::Level, &values, more),
            Algorithm::Llt => series::local(Shape::Trend, &values, more),
            Algorithm::Llp => match period() {
                Some(period) => series::seasonal(&values, period, more),
                None => {
                    let message = format!("no period was found in the values of `{}`", field.field.text);
                    return Err(Diagnostic::error(Code::InvalidArgument, message, field.field.span)
                        .with_help("give one with `period`, or choose `algorithm=LLP5`")
                        .into());
                }
            },
            Algorithm::Llp5 => {
                let trend = series::local(Shape::Trend, &values, more);
                match period().filter(|period| values.iter().flatten().count() >= period.saturating_mul(2)) {
                    Some(period) => series::combined(&values, &trend, &series::seasonal(&values, period, more)),
                    None => trend,
                }
            }
            Algorithm::Llb => {
                let by = options.correlate.as_ref().map(|by| self::values(grid, by)).unwrap_or_default();
                series::explained(&values, &by)
            }
        });
    }
    Ok(found)
}

/// The numbers of a field.
fn values(grid: &Grid, field: &Name) -> Vec<Option<f64>> {
    match grid.position(&field.text) {
        Some(position) => grid.column(position).map(|value| value.number().filter(|n| n.is_finite())).collect(),
        None => vec![None; grid.rows.len()],
    }
}

type Named = (String, Vec<Value<'static>>);

/// The columns of a field: the prediction and its bounds.
fn named(field: &PredictField, options: &PredictOptions, predictions: Predictions, several: bool) -> Vec<Named> {
    let name = match &field.alias {
        Some(alias) => alias.text.clone(),
        None => format!("prediction({})", field.field.text),
    };
    let bound = |side: &str, sign: f64, bound: &Option<(u8, Name)>| {
        let percent = bound.as_ref().map_or(95, |(percent, _)| *percent);
        let written = format!("{side}{percent}");
        let column = match bound {
            // `upper95=upper95` keeps the name that it would have anyway, as published searches expect.
            Some((_, own)) if own.text != written && !several => own.text.clone(),
            Some((_, own)) => format!("{}({name})", own.text),
            None => format!("{written}({name})"),
        };
        let deviations = match percent {
            0 => 0.0,
            percent => normal::quantile(0.5 + f64::from(percent) / 200.0),
        };
        let value = |Prediction { mean, variance }: Prediction| {
            let away = if variance > 0.0 { sign * deviations * variance.sqrt() } else { 0.0 };
            Value::Number(shown(mean + away))
        };
        (column, predictions.iter().map(|found| found.map_or(Value::Null, value)).collect())
    };
    let means =
        predictions.iter().map(|found| found.map_or(Value::Null, |found| Value::Number(shown(found.mean)))).collect();
    let (upper, lower) = (bound("upper", 1.0, &options.upper), bound("lower", -1.0, &options.lower));
    vec![(name, means), upper, lower]
}

/// Without the last digits, which are rounding of the filter's many steps.
fn shown(number: f64) -> f64 {
    format!("{number:.12e}").parse().unwrap_or(number)
}

/// Adds rows up to so many, whose times go on.
fn extend(planner: &Planner<'_>, grid: &mut Grid, rows: usize, span: Span) -> PlanResult<()> {
    if grid.rows.is_empty() {
        return Ok(());
    }
    let position = grid.position("_time");
    let times: Option<Vec<f64>> = position.and_then(|position| grid.column(position).map(Value::number).collect());
    let (Some(position), Some(times)) = (position, times) else {
        return Err(Diagnostic::error(
            Code::InvalidArgument,
            "`predict` needs a time series: rows with a `_time`",
            span,
        )
        .with_help("make one with `timechart`")
        .into());
    };
    if times.windows(2).any(|pair| matches!(pair, [before, after] if after < before)) {
        return Err(Diagnostic::error(Code::InvalidArgument, "`predict` needs rows in the order of time", span)
            .with_help("put `sort 0 _time` before it")
            .into());
    }
    let mut next = Next::new(planner, &times);
    while grid.rows.len() < rows {
        let mut row = vec![Value::Null; grid.names.len()];
        row.get_mut(position).into_iter().for_each(|cell| *cell = Value::Number(next.time()));
        grid.rows.push(row);
    }
    Ok(())
}

/// The times that follow.
struct Next {
    last: f64,
    step: f64,
    /// Where rows are months apart: the last time, in its zone, and how many months so far.
    months: Option<(jiff::Zoned, i32)>,
}

impl Next {
    fn new(planner: &Planner<'_>, times: &[f64]) -> Self {
        let last = times.last().copied().unwrap_or(0.0);
        let step = match times.get(times.len().saturating_sub(2)..) {
            Some([before, after]) => after - before,
            _ => 0.0,
        };
        let zone = &planner.clock.time_zone;
        let zoned = |time: &f64| {
            let timestamp = jiff::Timestamp::from_microsecond((time * 1e6).round() as i64).ok()?;
            Some(timestamp.to_zoned(zone.clone()))
        };
        let days: Option<Vec<(i8, jiff::civil::Time)>> =
            times.iter().map(|time| zoned(time).map(|zoned| (zoned.day(), zoned.time()))).collect();
        let monthly = times.len() > 1
            && times.windows(2).all(|pair| {
                matches!(pair, [before, after] if (27.9 * 86_400.0..=31.1 * 86_400.0).contains(&(after - before)))
            })
            && days.is_some_and(|days| days.windows(2).all(|pair| matches!(pair, [before, after] if before == after)));
        Self { last, step, months: zoned(&last).filter(|_| monthly).map(|last| (last, 0)) }
    }

    fn time(&mut self) -> f64 {
        if let Some((start, months)) = &mut self.months {
            *months = months.saturating_add(1);
            if let Ok(next) = start.checked_add(jiff::Span::new().months(*months)) {
                return next.timestamp().as_microsecond() as f64 / 1e6;
            }
        }
        self.last += self.step;
        self.last
    }
}
