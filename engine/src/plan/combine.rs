//! Whole searches inside a search: their rows as a frame, and frames put one below the other.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use spelunk_grammar::spl::{Command, Query, Subsearch};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::barrier::Collected;
use super::expression::{ExpressionPlanner, Kind, Typed, as_kind, common_kind};
use super::frame::{Frame, OrderKey, column};
use super::grid::Grid;
use super::{PlanError, PlanResult, Planner, subsearch};
use crate::functions::opaque::opaque;
use crate::functions::operators;
use crate::values::time_type;

/// Plans a search in brackets as a frame of its own.
///
/// # Errors
/// Every finding in it.
pub async fn frame_of(planner: &mut Planner<'_>, subsearch: &Subsearch) -> PlanResult<Frame> {
    frame_of_query(planner, &subsearch.query).await
}

/// Plans a whole search as a frame of its own.
///
/// # Errors
/// Every finding in it.
pub async fn frame_of_query(planner: &mut Planner<'_>, query: &Query) -> PlanResult<Frame> {
    let mut query = query.clone();
    let planned = async {
        subsearch::resolve(planner, &mut query).await?;
        planner.plan(&query).await
    };
    Box::pin(planned).await.map_err(PlanError::Several)
}

/// How many rows are used of a search whose rows are put beside or below others (`maxout` of `limits.conf`).
pub const MOST_ROWS: u64 = 50_000;

/// The first rows of a frame, which is run for them; with a warning where there are more. Without data all of them.
///
/// # Errors
/// DataFusion's own.
pub async fn first_rows(
    planner: &mut Planner<'_>,
    mut frame: Frame,
    most: u64,
    command: &str,
    span: Span,
) -> PlanResult<Frame> {
    let Some(runner) = planner.runner else { return Ok(frame) };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    // One more tells whether anything is cut.
    frame.limit(most.saturating_add(1))?;
    let (schema, batches) = runner.collect(frame.plan().clone()).await?;
    let mut left = most;
    let mut kept = Vec::with_capacity(batches.len());
    let mut cut = false;
    for batch in batches {
        cut |= batch.num_rows() > left;
        let batch = batch.slice(0, left.min(batch.num_rows()));
        left = left.saturating_sub(batch.num_rows());
        kept.push(batch);
    }
    if cut {
        let message = format!("the search of `{command}` found more than {most} rows; the first {most} are used");
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, span));
    }
    Collected { schema, batches: kept }.resume(&mut frame)?;
    Ok(frame)
}

/// A frame without rows and without fields.
///
/// # Errors
/// DataFusion's own.
pub fn nothing(planner: &Planner<'_>) -> PlanResult<Frame> {
    Grid::default().into_frame(planner, Span::default())
}

/// Two values for a field, the second where the first is missing.
pub fn either(frame: &Frame, name: &str, first: Typed, second: Typed) -> Expr {
    let timely = |value: Typed| match (name, value.kind) {
        ("_time", Kind::Integer | Kind::Number) => {
            Typed::new(operators::to_time(value.number()), Kind::Time, value.span)
        }
        _ => value,
    };
    let (first, second) = (timely(first), timely(second));
    let span = first.span;
    ExpressionPlanner::new(frame).choice(vec![(first.expr.clone().is_not_null(), first)], Some(second), span).expr
}

/// Plans commands that work on the rows of a frame.
///
/// # Errors
/// Every finding in them.
pub async fn pipe(planner: &mut Planner<'_>, frame: Frame, commands: &[Command]) -> PlanResult<Frame> {
    let mut query = Query { commands: commands.to_vec(), span: Default::default() };
    let planned = async {
        subsearch::resolve(planner, &mut query).await?;
        planner.pipe(frame, &query.commands).await
    };
    Box::pin(planned).await.map_err(PlanError::Several)
}

/// Puts the rows of a frame below those of another. The fields are those of both; where their types differ
/// they become what both can be. The upper rows keep their order, and so do the lower ones.
///
/// # Errors
/// DataFusion's own.
pub fn stack(upper: &mut Frame, lower: Frame) -> PlanResult<()> {
    let mut lower = lower;
    upper.open |= lower.open;
    let upper_names = shown(upper);
    let mut names = upper_names.clone();
    names.extend(shown(&lower).into_iter().filter(|name| !upper_names.contains(name)));
    let types: Vec<DataType> = names.iter().map(|name| shared_type(name, upper, &lower)).collect();
    let part = upper.hidden_name();
    let mut order = vec![OrderKey { column: part.clone(), descending: false }];
    let above: Vec<(OrderKey, String, DataType)> = keys(upper, upper.order().to_vec(), &mut order);
    let below: Vec<(OrderKey, String, DataType)> = keys(upper, lower.order().to_vec(), &mut order)
        .into_iter()
        .map(|(key, hidden, _)| {
            let data_type = type_of(&lower, &key.column);
            (key, hidden, data_type)
        })
        .collect();
    let side = |frame: &Frame, number: i64| -> PlanResult<_> {
        let mut columns: Vec<Expr> = Vec::new();
        for (name, data_type) in names.iter().zip(&types) {
            columns.push(converted(frame, name, data_type)?.alias(name));
        }
        let some = frame.plan().schema().fields().last().map_or_else(|| lit(number), |field| column(field.name()));
        let hiding = |value: Expr, position: usize| opaque(value, some.clone(), position);
        columns.push(hiding(lit(number), columns.len()).alias(&part));
        for (own, keys) in [(number == 0, &above), (number == 1, &below)] {
            for (key, hidden, data_type) in keys {
                let value = if own { column(&key.column) } else { lit(ScalarValue::try_from(data_type)?) };
                columns.push(hiding(value, columns.len()).alias(hidden));
            }
        }
        Ok(LogicalPlanBuilder::new(frame.plan().clone()).project(columns)?.build()?)
    };
    let plan = LogicalPlanBuilder::new(side(upper, 0)?).union(side(&lower, 1)?)?.build()?;
    let formats = std::mem::take(&mut upper.formats);
    for (name, span) in lower.take_missing() {
        upper.note_missing(&name, span);
    }
    for finding in lower.take_findings() {
        upper.note(finding);
    }
    upper.replace(plan, order);
    upper.formats = formats;
    upper.formats.append(&mut lower.formats);
    Ok(())
}

/// The fields of a frame that a result shows.
pub fn shown(frame: &Frame) -> Vec<String> {
    frame.fields().into_iter().filter(|name| !(frame.events && name == "_file")).collect()
}

/// A hidden name in the result for each key, with its type in `frame`.
fn keys(frame: &mut Frame, keys: Vec<OrderKey>, order: &mut Vec<OrderKey>) -> Vec<(OrderKey, String, DataType)> {
    keys.into_iter()
        .map(|key| {
            let hidden = frame.hidden_name();
            order.push(OrderKey { column: hidden.clone(), descending: key.descending });
            let data_type = type_of(frame, &key.column);
            (key, hidden, data_type)
        })
        .collect()
}

/// The type of any column, hidden ones too.
pub fn type_of(frame: &Frame, name: &str) -> DataType {
    let schema = frame.plan().schema();
    let field = schema.fields().iter().find(|field| field.name() == name);
    field.map_or(DataType::Null, |field| field.data_type().clone())
}

/// The type that a field has in both frames together.
fn shared_type(name: &str, upper: &Frame, lower: &Frame) -> DataType {
    match (upper.data_type(name), lower.data_type(name)) {
        (Some(above), Some(below)) if above == below => above,
        (Some(above), Some(below)) => {
            let (above, below) = (Kind::of(&above), Kind::of(&below));
            if name == "_time" && [above, below].iter().all(|kind| kind.is_number() || *kind == Kind::Null) {
                return time_type();
            }
            let [above, below] = [above, below].map(|kind| Typed::new(column(name), kind, Default::default()));
            match common_kind(&[&above, &below]) {
                Kind::Null => DataType::Utf8,
                Kind::Boolean => DataType::Boolean,
                Kind::Integer => DataType::Int64,
                Kind::Number => DataType::Float64,
                Kind::Time => time_type(),
                Kind::Literal | Kind::Text => DataType::Utf8,
                Kind::Many => crate::functions::kernel::many_type(),
            }
        }
        (Some(only), None) | (None, Some(only)) => only,
        (None, None) => DataType::Utf8,
    }
}

/// A field of a frame in another type; null where the frame does not have it.
fn converted(frame: &Frame, name: &str, data_type: &DataType) -> PlanResult<Expr> {
    let Some(own) = frame.data_type(name) else { return Ok(lit(ScalarValue::try_from(data_type)?)) };
    if own == *data_type {
        return Ok(column(name));
    }
    let value = Typed::new(column(name), Kind::of(&own), Default::default());
    let value = match Kind::of(data_type) {
        Kind::Time if value.kind != Kind::Null => operators::to_time(value.number()),
        kind => as_kind(&value, kind),
    };
    Ok(cast(value, data_type.clone()))
}
