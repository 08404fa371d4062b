//! Which series a chart keeps: by `limit`, `agg` or a `where` clause.
//!
//! Source: Splunk Search Reference, "chart" and "timechart" (limit, agg, where).

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use spelunk_grammar::spl::commands::series::{Rank, SeriesAggregate, SeriesTest};
use spelunk_grammar::spl::commands::stats::Aggregate;
use spelunk_grammar::{Code, Diagnostic};

use super::aggregate::{self, Manner};
use super::expression::{Kind, Typed};
use super::frame::{Frame, column};
use super::grid::{Grid, MOST_COLUMNS};
use super::pivot::{Key, Pivot, kind_of, order_key, start_of};
use super::terms::{Column, term};
use super::{PlanResult, Planner};
use crate::values::{Value, text_at};

/// How many series are kept where the search does not say.
const DEFAULT: Rank = Rank { count: 10, bottom: false };

/// The most cells that are looked at where those without events count.
const MOST_CELLS: usize = 20_000_000;

const SERIES: &str = "__series";
const SCORE: &str = "__score";

/// The names of the series that are kept, in the order of their characters.
pub async fn series(pivot: &Pivot<'_>, planner: &Planner<'_>, frame: &Frame, key: &Key) -> PlanResult<Vec<String>> {
    let Some(runner) = planner.runner else { return Ok(Vec::new()) };
    let mut all = frame.clone();
    let kind = kind_of(&all, &key.column);
    let text = match kind {
        // DataFusion writes integers as SPL does, and faster.
        Kind::Integer => column(&key.column),
        _ => Typed::new(column(&key.column), kind, pivot.place).text(),
    };
    all.set(vec![(SERIES.into(), cast(text, DataType::Utf8View))])?;
    let mut frame = all.clone();
    frame.filter(column(SERIES).is_not_null())?;
    let options = pivot.series;
    let rank = options.limit.as_ref().map_or(DEFAULT, |limit| limit.node);
    let (scored, test) = match (&options.filter, &options.agg) {
        (Some(filter), _) => {
            (by_function(pivot, planner, [&all, &frame], &filter.aggregate).await?, filter.test.clone())
        }
        (None, _) if rank.count == 0 => (by_events(&frame)?, SeriesTest::Greater(0.0)),
        (None, Some(agg)) => (by_function(pivot, planner, [&all, &frame], agg).await?, SeriesTest::In(rank)),
        (None, None) => (by_default(pivot, &frame)?, SeriesTest::In(rank)),
    };
    let (_, batches) = runner.collect(chosen(scored, &test)?).await?;
    let mut names: Vec<String> = texts(&batches).collect();
    names.sort_unstable();
    Ok(names)
}

/// The texts of the first column.
fn texts(batches: &[RecordBatch]) -> impl Iterator<Item = String> {
    batches.iter().flat_map(|batch| {
        let names = batch.column_by_name(SERIES);
        (0..batch.num_rows()).filter_map(move |row| Some(text_at(names?.as_ref(), row)?.into_owned()))
    })
}

/// The series that the test keeps. Of equal scores the one whose name comes first wins.
fn chosen(scored: LogicalPlan, test: &SeriesTest) -> PlanResult<LogicalPlan> {
    // One more than there may be tells that there are too many.
    let most = MOST_COLUMNS + 1;
    let by_name = || Sort::new(column(SERIES), true, false);
    let builder = LogicalPlanBuilder::new(scored);
    let ranked = |builder: LogicalPlanBuilder, rank: &Rank| {
        builder.sort(vec![Sort::new(column(SCORE), rank.bottom, false), by_name()])
    };
    let count = |rank: &Rank| usize::try_from(rank.count).unwrap_or(usize::MAX);
    let builder = match test {
        SeriesTest::In(rank) => ranked(builder, rank)?.limit(0, Some(count(rank).min(most)))?,
        SeriesTest::NotIn(rank) => ranked(builder, rank)?.limit(count(rank), Some(most))?,
        SeriesTest::Greater(bound) => {
            builder.filter(column(SCORE).gt(lit(*bound)))?.sort(vec![by_name()])?.limit(0, Some(most))?
        }
        SeriesTest::Less(bound) => {
            builder.filter(column(SCORE).lt(lit(*bound)))?.sort(vec![by_name()])?.limit(0, Some(most))?
        }
    };
    Ok(builder.build()?)
}

/// The number of events of each series.
fn by_events(frame: &Frame) -> PlanResult<LogicalPlan> {
    let counted = count(lit(1_i64)).alias(SCORE);
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(vec![column(SERIES)], vec![counted])?;
    let score = cast(column(SCORE), DataType::Float64).alias(SCORE);
    Ok(plan.project(vec![column(SERIES), score])?.build()?)
}

/// The sum of the values of each series, or its events where there are several columns.
fn by_default(pivot: &Pivot<'_>, frame: &Frame) -> PlanResult<LogicalPlan> {
    match pivot.terms.columns.as_slice() {
        [only] if only.adds_up => {
            let plan = pivot.terms.over(&frame.setting, frame.plan().clone(), &[SERIES], None)?;
            let inner = Frame::new(plan.clone(), Vec::new(), frame.setting.clone());
            let score = value(&inner, &term(0)).alias(SCORE);
            Ok(LogicalPlanBuilder::new(plan).project(vec![column(SERIES), score])?.build()?)
        }
        [_] => {
            let cells = cells(pivot, frame, 0)?;
            Ok(aggregated(&cells, "sum", pivot)?)
        }
        _ => by_events(frame),
    }
}

/// A function of the values of each series. The first frame has the events without a series too.
async fn by_function(
    pivot: &Pivot<'_>,
    planner: &Planner<'_>,
    [all, frame]: [&Frame; 2],
    wanted: &SeriesAggregate,
) -> PlanResult<LogicalPlan> {
    let function = wanted.function.node.to_ascii_lowercase();
    if !aggregate::is_function(&function) || aggregate::rate(&function).is_some() {
        let message = format!("there is no statistical function `{}` to rank series by", wanted.function.node);
        return Err(Diagnostic::error(Code::UnknownFunction, message, wanted.function.span).into());
    }
    // Every series would have about as many values as there are rows; how many events it has is what is meant.
    if aggregate::counts(&function) && wanted.field.is_none() {
        return by_events(frame);
    }
    let (position, found) = the_column(pivot, wanted)?;
    // Cells without events count as 0 where the column counts; that makes no sum and no maximum another.
    if !found.counts || matches!(function.as_str(), "sum" | "max") {
        return aggregated(&cells(pivot, frame, position)?, &function, pivot);
    }
    let cells = with_zeros(pivot, planner, &cells(pivot, all, position)?).await?;
    aggregated(&cells, &function, pivot)
}

/// The column that a function of the series is about: that over the same field, else the first.
fn the_column<'p>(pivot: &'p Pivot<'_>, wanted: &SeriesAggregate) -> PlanResult<(usize, &'p Column)> {
    let columns = || pivot.terms.columns.iter().enumerate();
    let found = match &wanted.field {
        None => columns().next(),
        Some(field) => {
            columns().find(|(_, column)| column.field.as_ref() == Some(&field.text) || column.name == field.text)
        }
    };
    found.ok_or_else(|| {
        let field = wanted.field.as_ref();
        let message = format!("no column of the chart is computed over `{}`", field.map_or("", |field| &field.text));
        let span = field.map_or(wanted.function.span, |field| field.span);
        Diagnostic::error(Code::InvalidArgument, message, span)
            .with_help(format!(
                "write `{}` alone, which is computed over the values of the series",
                wanted.function.node
            ))
            .into()
    })
}

/// The values of a column by row and series: [`SERIES`], the row's key, [`SCORE`].
fn cells(pivot: &Pivot<'_>, frame: &Frame, position: usize) -> PlanResult<Frame> {
    let mut groups = vec![SERIES];
    groups.extend(pivot.row.iter().map(|row| row.column.as_str()));
    let plan = pivot.terms.over(&frame.setting, frame.plan().clone(), &groups, pivot.rows().as_ref())?;
    let inner = Frame::new(plan.clone(), Vec::new(), frame.setting.clone());
    let mut columns: Vec<Expr> = groups.iter().map(|name| column(name)).collect();
    columns.push(value(&inner, &term(position)).alias(SCORE));
    let plan = LogicalPlanBuilder::new(plan).project(columns)?.build()?;
    Ok(Frame::new(plan, Vec::new(), frame.setting.clone()))
}

/// A column as a number.
fn value(frame: &Frame, name: &str) -> Expr {
    Typed::new(column(name), kind_of(frame, name), Default::default()).number()
}

/// A function of the values of each series.
fn aggregated(cells: &Frame, function: &str, pivot: &Pivot<'_>) -> PlanResult<LogicalPlan> {
    let aggregate = Aggregate {
        function: spelunk_grammar::Spanned::new(function.to_string(), pivot.place),
        argument: None,
        alias: None,
        text: String::new(),
        span: pivot.place,
    };
    let argument = Typed::new(column(SCORE), Kind::Number, pivot.place);
    let manner = Manner { in_order: false, allnum: false };
    let computed = aggregate::plan_in(cells, &aggregate, Some(argument), SCORE.into(), 0, manner)?;
    let plan = LogicalPlanBuilder::new(cells.plan().clone())
        .aggregate(vec![column(SERIES)], computed.aggregates)?
        .project(vec![column(SERIES), computed.result.alias(SCORE)])?
        .build()?;
    let inner = Frame::new(plan.clone(), Vec::new(), cells.setting.clone());
    let score = value(&inner, SCORE).alias(SCORE);
    Ok(LogicalPlanBuilder::new(plan).project(vec![column(SERIES), score])?.build()?)
}

/// The same values with a 0 for each row in which a series has no events.
async fn with_zeros(pivot: &Pivot<'_>, planner: &Planner<'_>, cells: &Frame) -> PlanResult<Frame> {
    let Some(runner) = planner.runner else { return Ok(cells.clone()) };
    let (_, batches) = runner.collect(cells.plan().clone()).await?;
    let bins = pivot.row.as_ref().and_then(|row| row.bins.as_ref());
    let mut starts: BTreeMap<Vec<u8>, Option<f64>> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<Value<'static>>> = BTreeMap::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let at = |position: usize| {
                batch.columns().get(position).map_or(Value::Null, |column| Value::read(column.as_ref(), row))
            };
            if pivot.row.is_some() {
                let start = bins.and_then(|bins| start_of(&at(1), bins));
                starts.insert(order_key(&at(1), bins), start);
            }
            let score = at(usize::from(pivot.row.is_some()) + 1).number();
            if let Some(name) = at(0).text() {
                found.entry(name.into_owned()).or_default().push(Value::Number(score.unwrap_or(0.0)));
            }
        }
    }
    let present = || starts.values().filter_map(|start| *start);
    let rows = match (bins, present().reduce(f64::min), present().reduce(f64::max)) {
        (Some(bins), Some(least), Some(greatest)) if pivot.series.cont != Some(false) => {
            let in_bins = present().count();
            let filled = bins.between(least, greatest).map_or(in_bins, |starts| starts.len());
            starts.len().saturating_sub(in_bins).saturating_add(filled)
        }
        _ => starts.len(),
    };
    if found.len().saturating_mul(rows) > MOST_CELLS {
        let message = format!("ranking the series would take more than {MOST_CELLS} values");
        return Err(Diagnostic::error(Code::TooLarge, message, pivot.place).into());
    }
    let mut grid = Grid::new([SERIES, SCORE]);
    for (name, mut scores) in found {
        scores.resize(scores.len().max(rows), Value::Number(0.0));
        grid.rows.extend(scores.into_iter().map(|score| vec![Value::Text(name.clone().into()), score]));
    }
    let mut frame = grid.into_frame(planner, pivot.place)?;
    // Without any series the scores would be texts.
    frame.set(vec![(SCORE.into(), value(&frame, SCORE))])?;
    Ok(frame)
}
