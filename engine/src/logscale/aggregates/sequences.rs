//! Runs of events in their order: `series`, `session`, `partition`.
//!
//! A window function numbers the runs; what is computed of each is an aggregate by that number.

use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::functions_aggregate::min_max::{max, min};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, lit, when};
use spelunk_grammar::logscale::query::{Argument, Call};
use spelunk_grammar::{Code, Diagnostic};

use super::super::arguments::Arguments;
use super::super::functions::Makes;
use super::super::rows::{Rows, settled};
use super::super::{Run, as_number};
use super::{Computed, Part, combine, condition, length, parts_of};
use crate::functions::windows::segment;
use crate::functions::{aggregates, rows as row_functions};
use crate::plan::PlanResult;
use crate::plan::frame::{Frame, column};
use crate::plan::window;

/// The pause between events that ends a session where the query does not say, in milliseconds.
const PAUSE: f64 = 900_000.0;
/// The arguments of `series`.
pub const SERIES: &[&str] = &["collect", "separator", "startmatch", "endmatch", "maxpause", "maxduration", "memlimit"];
/// Without an argument that divides the events, they are one series.
pub const SERIES_MAKES: Makes = Makes::With("startmatch", &DIVIDED, &UNLESS_END);
const UNLESS_END: Makes = Makes::With("endmatch", &DIVIDED, &UNLESS_PAUSE);
const UNLESS_PAUSE: Makes = Makes::With("maxpause", &DIVIDED, &UNLESS_DURATION);
const UNLESS_DURATION: Makes = Makes::With("maxduration", &DIVIDED, &Makes::Aggregate(one_series));
const DIVIDED: Makes = Makes::Step(|run, frame, a| Box::pin(several_series(run, frame, a)));

/// Where a run of events begins and ends.
struct Division {
    /// Begins one; what comes before the first is in none.
    starts: Option<Expr>,
    /// Ends one.
    ends: Expr,
    /// The longest pause in one, in milliseconds.
    pause: Option<f64>,
    /// How long one is at most, in milliseconds.
    duration: Option<f64>,
    /// Whether what comes before the first start is a run too.
    lead: bool,
}

/// `series` as an aggregate: the values of the fields, in the order of time.
fn one_series(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let fields = a.need_names("collect")?;
    let separator = a.text("separator")?.map_or_else(|| "\n".to_owned(), |text| text.node);
    if let Some(limit) = a.text("memlimit")? {
        let message = "`memlimit` guards the vendor's servers; all values are kept here";
        rows.frame.note(Diagnostic::note(Code::Note, message, limit.span));
    }
    let time = as_number(&rows.field("@timestamp", a.span()));
    let mut order = vec![Sort::new(time.clone(), true, false)];
    order.extend(rows.frame.as_read_expressions(false).into_iter().filter(|key| key.expr != time));
    let hidden = |what: &str| format!("__series_{position}_{what}");
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    all.aggregates.push(min(time.clone()).alias(hidden("start")));
    all.aggregates.push(max(time).alias(hidden("end")));
    let (start, end) = (column(&hidden("start")), column(&hidden("end")));
    all.results.push(("@timestamp".to_owned(), start.clone()));
    all.results.push(("_duration".to_owned(), end - start));
    for (index, field) in fields.iter().enumerate() {
        let text = cast(settled(&rows.field(&field.node, field.span)).text(), arrow::datatypes::DataType::Utf8);
        let listed = array_agg(text.clone()).order_by(order.clone()).filter(text.is_not_null()).build()?;
        let name = hidden(&index.to_string());
        all.aggregates.push(listed.alias(&name));
        let values = aggregates::flatten(column(&name), i64::MAX as usize);
        let joined = row_functions::single(values, &separator);
        if !all.results.iter().any(|(known, _)| *known == field.node) {
            all.results.push((field.node.clone(), when(column(&name).is_not_null(), joined).end()?));
        }
    }
    Ok(all)
}

/// `series` with an argument that divides the events.
async fn several_series(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let starts = match a.take("startmatch") {
        Some(value) => Some(condition(run, frame, value).await?),
        None => None,
    };
    let ends = match a.take("endmatch") {
        Some(value) => condition(run, frame, value).await?,
        None => lit(false),
    };
    let pause = a.text("maxpause")?.map(|text| length(&text)).transpose()?;
    let duration = a.text("maxduration")?.map(|text| length(&text)).transpose()?;
    // The rest of the arguments are those of a single series.
    let left = a.call.arguments.iter().filter(|argument| match argument {
        Argument::Named(name, _) => !["startmatch", "endmatch", "maxpause", "maxduration"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(&name.node)),
        _ => true,
    });
    let call = Call { name: a.call.name.clone(), arguments: left.cloned().collect(), span: a.call.span };
    let division = Division { starts, ends, pause, duration, lead: false };
    order_by_time(frame, a)?;
    each(run, frame, a, division, vec![Part::call(&call, None)]).await
}

/// `session`: the functions of each run of events without a long pause.
pub async fn session(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let parts = parts_of(a, "function")?;
    let pause = a.text("maxpause")?.map(|text| length(&text)).transpose()?.unwrap_or(PAUSE);
    a.done()?;
    let division = Division { starts: None, ends: lit(false), pause: Some(pause), duration: None, lead: true };
    order_by_time(frame, a)?;
    each(run, frame, a, division, parts).await
}

/// `partition`: the functions of each run of events between those that a condition is true for.
pub async fn partition(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    ordered(run, a)?;
    let parts = parts_of(a, "function")?;
    let split = condition(run, frame, a.need("condition")?).await?;
    let before = a.choice("split", &["before", "after"])? == "before";
    a.done()?;
    let (starts, ends) = if before { (Some(split), lit(false)) } else { (None, split) };
    each(run, frame, a, Division { starts, ends, pause: None, duration: None, lead: true }, parts).await
}

/// Refuses a function of sequences before anything has ordered the events.
pub fn ordered(run: &Run<'_, '_>, a: &Arguments<'_>) -> Result<(), Diagnostic> {
    if run.aggregated {
        return Ok(());
    }
    let message = format!("`{}` needs events that an aggregate has put in order", a.function.name);
    let error = Diagnostic::error(Code::InvalidArgument, message, a.call.name.span);
    Err(error.with_help("put `head()` before it for the order of time, or `sort(...)`"))
}

fn order_by_time(frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let time = as_number(&Rows::of(frame).field("@timestamp", a.span()));
    frame.order_by(vec![(time, false)])?;
    frame.as_read(false);
    Ok(())
}

async fn each(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    a: &Arguments<'_>,
    division: Division,
    parts: Vec<Part<'_>>,
) -> PlanResult<()> {
    let Division { starts, ends, pause, duration, lead } = division;
    let time = as_number(&Rows::of(frame).field("@timestamp", a.span()));
    let needs_start = starts.is_some() && !lead;
    let limit = |limit: Option<f64>| lit(ScalarValue::Float64(limit));
    let arguments = vec![
        starts.unwrap_or_else(|| lit(false)),
        ends,
        cast(time, arrow::datatypes::DataType::Float64),
        limit(pause),
        limit(duration),
        lit(needs_start),
    ];
    let keys = run.keys.iter().map(|key| column(key)).collect();
    let number = segment(arguments).partition_by(keys).order_by(frame.sort_expressions()).build()?;
    let number = window::add(frame, number)?;
    let Expr::Column(hidden) = &number else { return Ok(()) };
    frame.filter(number.clone().is_not_null())?;
    let mut inner_keys = run.keys.clone();
    inner_keys.push(hidden.name.clone());
    let mut inner = Run { planner: &mut *run.planner, aggregated: run.aggregated, preamble: false, keys: inner_keys };
    Box::pin(combine(&mut inner, frame, &[], parts, None)).await?;
    run.aggregated = true;
    frame.order_by(vec![(number, false)])?;
    Ok(())
}
