//! `transaction`: groups events that belong together.
//!
//! Source: Splunk Search Reference, "transaction"; Splunk Admin Manual, "transactiontypes.conf", "limits.conf".

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Extension, LogicalPlan, lit};
use spelunk_grammar::spl::commands::transaction::{Filter, Transaction, TransactionOptions, ValueLists};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, OrderKey, column};
use super::possible::Possible;
use super::{PlanResult, Planner, existing, search};
use crate::functions::operators;
use crate::operators::transaction::{
    CLOSED, DURATION, EVENT_COUNT, LINES, Limits, MATCHES, Manner, ORPHAN, Rendering, Specification, Transactions,
};
use crate::time;
use crate::values::time_type;

/// The most events of a transaction where the search does not say.
const MOST_EVENTS: i64 = 1_000;

/// The most open transactions where the search does not say (`maxopentxn` of `limits.conf`).
const MOST_OPEN: u64 = 5_000;

/// The most events in open transactions where the search does not say (`maxopenevents` of `limits.conf`).
const MOST_OPEN_EVENTS: u64 = 100_000;

/// What stands between several values where they are made one value and the search does not say.
const DELIMITER: &str = " ";

/// The fields that tell the parts of an event's time.
const DATE_FIELDS: [&str; 8] =
    ["date_hour", "date_mday", "date_minute", "date_month", "date_second", "date_wday", "date_year", "date_zone"];

/// Plans the command. The rows are looked at from the newest to the oldest, and so are the results.
pub fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Transaction, place: Span) -> PlanResult<()> {
    let Transaction { fields, options } = command;
    let TransactionOptions {
        name,
        startswith,
        endswith,
        maxspan,
        maxpause,
        maxevents,
        connected,
        unifyends,
        keeporphans,
        keepevicted,
        maxopentxn,
        maxopenevents,
        mvlist,
        mvraw,
        nullstr,
        delim,
    } = options.as_ref();
    if let Some(name) = name {
        let message = format!("the transaction type {:?} is not known: transactiontypes.conf is not read", name.node);
        return Err(Diagnostic::error(Code::Unsupported, message, name.span)
            .with_help("write what it says as options, such as `maxspan=5m`")
            .into());
    }
    let limits = Limits {
        span: length("maxspan", maxspan.as_ref())?,
        pause: length("maxpause", maxpause.as_ref())?,
        events: usize::try_from(maxevents.as_ref().map_or(MOST_EVENTS, |most| most.node)).ok(),
        open: count(maxopentxn.as_ref(), MOST_OPEN),
        open_events: count(maxopenevents.as_ref(), MOST_OPEN_EVENTS),
    };
    let connected = connected.unwrap_or(true);
    let manner = Manner {
        connected,
        unify_ends: unifyends.unwrap_or(connected),
        keep_evicted: keepevicted.unwrap_or(false),
        keep_orphans: keeporphans.unwrap_or(false),
        unconditional: startswith.is_none()
            && endswith.is_none()
            && limits.span.is_none()
            && limits.pause.is_none()
            && maxevents.is_none(),
    };
    newest_first(frame, place)?;
    let starts = condition(frame, startswith.as_ref())?;
    let ends = condition(frame, endswith.as_ref())?;
    let mut listed: Vec<String> = Vec::new();
    for field in fields {
        if existing(frame, &field.text, field.span).is_some() && !listed.contains(&field.text) {
            listed.push(field.text.clone());
        }
    }
    if let (true, Some(field)) = (listed.is_empty(), fields.first()) {
        // No event has any of them, so that none belongs to a transaction.
        frame.set(vec![(field.text.clone(), lit(ScalarValue::Utf8(None)))])?;
        listed.push(field.text.clone());
    }
    let columns = columns(frame, &listed, mvlist.as_ref(), mvraw.unwrap_or(false), manner);
    let specification = Specification {
        fields: listed,
        starts,
        ends,
        limits,
        manner,
        gap: nullstr.clone().unwrap_or_else(|| "NULL".into()),
        // Of events whose text was not read the lines are not known.
        lines: !frame.events || frame.data_type("_raw").is_some(),
        number: frame.hidden_name(),
        order: frame.sort_expressions(),
        evicted: Default::default(),
        columns,
    };
    planner.possible.push(crowded(&specification, place));
    let separators: Vec<String> =
        specification.columns.iter().filter(|(_, r)| is_many(*r)).map(|(name, _)| name.clone()).collect();
    let (number, events) = (specification.number.clone(), frame.events);
    let node = Arc::new(Transactions::new(frame.plan().clone(), specification)?);
    let order =
        vec![OrderKey { column: "_time".into(), descending: true }, OrderKey { column: number, descending: false }];
    frame.replace(LogicalPlan::Extension(Extension { node }), order);
    frame.events = events;
    let delimiter = delim.as_deref().unwrap_or(DELIMITER);
    frame.delimiters.extend(separators.into_iter().map(|name| (name, delimiter.to_string())));
    Ok(())
}

fn is_many(rendering: Rendering) -> bool {
    matches!(rendering, Rendering::Distinct | Rendering::Listed | Rendering::Present)
}

/// A length of time in microseconds; `None` where there is no limit.
fn length(name: &str, span: Option<&Spanned<String>>) -> PlanResult<Option<i64>> {
    let Some(span) = span else { return Ok(None) };
    let text = span.node.trim();
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    match time::span(text) {
        Ok(_) if negative => Ok(None),
        Ok(length) => Ok(Some(length)),
        Err(reason) => {
            let message = format!("`{name}` takes a span such as 30s, 5m, 1h or 1d, or -1 for any: {reason}");
            Err(Diagnostic::error(Code::InvalidOption, message, span.span).into())
        }
    }
}

fn count(most: Option<&Spanned<u64>>, default: u64) -> usize {
    usize::try_from(most.map_or(default, |most| most.node)).unwrap_or(usize::MAX)
}

/// Puts the rows in the order in which they are looked at, with times in `_time`.
fn newest_first(frame: &mut Frame, place: Span) -> PlanResult<()> {
    let sorted = frame.order().first().is_some_and(|key| key.column == "_time" && key.descending);
    let time = match frame.data_type("_time") {
        Some(_) => ExpressionPlanner::new(frame).field("_time", place),
        None if frame.open => {
            let none = ScalarValue::try_from(&time_type())?;
            frame.set(vec![("_time".into(), lit(none))])?;
            ExpressionPlanner::new(frame).field("_time", place)
        }
        None => {
            let message = "`transaction` needs the field `_time`, which no row has";
            return Err(Diagnostic::error(Code::InvalidArgument, message, place).into());
        }
    };
    if time.kind != Kind::Time {
        frame.set(vec![("_time".into(), operators::to_time(time.number()))])?;
    }
    if !sorted {
        let message = "`transaction` looks at the rows from the newest to the oldest, and sorts them for that";
        frame.note(Diagnostic::note(Code::Note, message, place));
        frame.order_by(vec![(column("_time"), true)])?;
    }
    Ok(())
}

/// Adds a column that says which rows pass a filter.
fn condition(frame: &mut Frame, filter: Option<&Filter>) -> PlanResult<Option<String>> {
    let condition = match filter {
        None => return Ok(None),
        Some(Filter::Search(expression)) => search::condition(frame, expression)?,
        Some(Filter::Eval(expression)) => ExpressionPlanner::new(frame).condition(expression)?,
    };
    let name = frame.hidden_name();
    frame.set(vec![(name.clone(), condition)])?;
    Ok(Some(name))
}

/// The columns of the result that come from the events, in their order.
fn columns(
    frame: &Frame,
    listed: &[String],
    mvlist: Option<&ValueLists>,
    mvraw: bool,
    manner: Manner,
) -> Vec<(String, Rendering)> {
    let is_list = |name: &String| match mvlist {
        None => false,
        Some(ValueLists::All(all)) => *all,
        Some(ValueLists::Fields(fields)) => fields.iter().any(|field| field.text == *name),
    };
    let computed = |name: &str| {
        [CLOSED, DURATION, EVENT_COUNT, MATCHES, LINES].contains(&name) || (name == ORPHAN && manner.keep_orphans)
    };
    let several = |name: &str| frame.data_type(name).is_some_and(|data_type| Kind::of(&data_type) == Kind::Many);
    let rendering = |name: &String| match name.as_str() {
        "_time" => Rendering::Time,
        "_raw" if mvraw => Rendering::Present,
        "_raw" => Rendering::Lines,
        _ if is_list(name) => Rendering::Listed,
        single if listed.contains(name) && !several(single) => Rendering::Agreed,
        date if DATE_FIELDS.contains(&date) && !several(date) => Rendering::Earliest,
        _ => Rendering::Distinct,
    };
    let names = frame.fields().into_iter().filter(|name| !computed(name));
    names.map(|name| (name.clone(), rendering(&name))).collect()
}

/// What to say if transactions have to make room.
fn crowded(specification: &Specification, place: Span) -> Possible {
    let Specification { limits, manner, evicted, .. } = specification;
    let (fate, remedy) = match manner.keep_evicted || manner.unconditional {
        true => ("were ended early", ""),
        false => ("were left out", ", or keep them with `keepevicted=true`"),
    };
    let message = format!(
        "transactions {fate}, because more than {} transactions or {} events were open",
        limits.open, limits.open_events
    );
    let help = format!("raise `maxopentxn` and `maxopenevents`{remedy}");
    let finding = Diagnostic::warning(Code::Truncated, message, place).with_help(help);
    Possible { finding, occurrences: evicted.clone() }
}
