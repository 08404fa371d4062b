//! `makecontinuous`: fills the gaps in the values of a field.
//!
//! Source: Splunk Search Reference, "makecontinuous".

use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::bins::BinOptions;
use spelunk_grammar::spl::commands::makecontinuous::Makecontinuous;
use spelunk_grammar::spl::expression::Name;

use super::bins::{Binned, Bins, DEFAULT_BINS, too_many};
use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::grid::Grid;
use super::pivot::order_key;
use super::{PlanResult, Planner, existing};
use crate::functions::bins::{power_index, range_index, tidy};
use crate::time;
use crate::values::Value;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Makecontinuous, place: Span) -> PlanResult<()> {
    let Makecontinuous { field, options } = command;
    let field = field.clone().unwrap_or(Name { text: "_time".into(), span: place });
    if existing(frame, &field.text, field.span).is_none() {
        return Ok(());
    }
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    let binned = Binned { name: &field.text, value: &value, options, most: DEFAULT_BINS, range: None };
    let bins = binned.bins(planner, frame).await?;
    let Some(mut grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    let (Some(bins), Some(position)) = (bins, grid.position(&field.text)) else { return Ok(()) };
    let width = grid.names.len();
    let mut rows: Vec<(Option<f64>, Vec<Value<'static>>)> = Vec::with_capacity(grid.rows.len());
    for mut row in std::mem::take(&mut grid.rows) {
        let start = row.get(position).and_then(Value::number).and_then(|number| start(&bins, number));
        if let (Some(start), Some(value)) = (start, row.get_mut(position)) {
            *value = Value::Number(start);
        }
        rows.push((start, row));
    }
    let BinOptions { bins: _, minspan: _, span: _, start: first, end: last, aligntime: _ } = options.as_ref();
    let present = || rows.iter().filter_map(|(start, _)| *start);
    let ends = (present().reduce(f64::min), present().reduce(f64::max));
    if let (Some(mut least), Some(mut greatest)) = ends {
        least = first.as_ref().map_or(least, |first| first.node.min(least));
        greatest = last.as_ref().map_or(greatest, |last| last.node.max(greatest));
        let Some(all) = bins.between(least, greatest) else { return Err(too_many("too many", place).into()) };
        let key = |start: f64| order_key(&Value::Number(start), None);
        let known: std::collections::BTreeSet<Vec<u8>> = present().map(key).collect();
        for (start, _) in all.into_iter().filter(|(start, _)| !known.contains(&key(*start))) {
            let mut row = vec![Value::Null; width];
            if let Some(value) = row.get_mut(position) {
                *value = Value::Number(start);
            }
            rows.push((Some(start), row));
        }
    }
    // What has no number comes last, in its order.
    rows.sort_by(|(a, _), (b, _)| {
        a.is_none().cmp(&b.is_none()).then_with(|| a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0)))
    });
    grid.rows = rows.into_iter().map(|(_, row)| row).collect();
    grid.replace(frame, place)
}

/// Where the bin of a number starts.
fn start(bins: &Bins, number: f64) -> Option<f64> {
    match bins {
        Bins::Time(bins) => Some(bins.start(time::microseconds(number)?)? as f64 / 1e6),
        Bins::Range(width) => Some(tidy(range_index(number, *width) * width)),
        Bins::Power { coefficient, base } => {
            (number > 0.0).then(|| tidy(coefficient * base.powf(power_index(number, *coefficient, *base))))
        }
    }
}
