//! `stats`: aggregates over all rows, or by group.
//!
//! Source: Splunk Search Reference, "stats".

use std::sync::Arc;

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument, Stats};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::aggregate::{self, Computed, Manner};
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, matching};
use super::rename::Transfer;
use super::{PlanResult, existing, nodes, sparkline};
use crate::functions::{multivalue, operators, ordering};

/// Plans the command. Groups come in the order of their values, columns as written: BY fields, aggregates.
pub fn plan(frame: &mut Frame, command: &Stats) -> PlanResult<()> {
    let Stats { aggregates, by, allnum, delim, partitions: _, dedup_splitvals } = command;
    // `partitions` only says how many threads a Splunk server should use.
    let manner = Manner { in_order: false, allnum: allnum.as_ref().is_some_and(|allnum| allnum.node) };
    let distinct = dedup_splitvals.as_ref().is_some_and(|dedup| dedup.node);
    let made = reduce(frame, Reduction { aggregates, by, distinct, manner, bin: None })?;
    if let Some(delim) = delim {
        for (name, function) in made {
            if function.eq_ignore_ascii_case("list") || function.eq_ignore_ascii_case("values") {
                frame.delimiters.insert(name, delim.node.clone());
            }
        }
    }
    Ok(())
}

/// Aggregates by group.
pub struct Reduction<'c> {
    /// What to compute.
    pub aggregates: &'c [Aggregate],
    /// The group fields.
    pub by: &'c [Name],
    /// Whether several equal values of a BY field in a row count once.
    pub distinct: bool,
    /// How to compute it.
    pub manner: Manner,
    /// What stands for `_time` among the group fields; the aggregates see `_time` itself.
    pub bin: Option<Expr>,
}

/// Plans the reduction; gives the results' names and functions.
///
/// # Errors
/// What is wrong with the aggregates or the group fields.
pub fn reduce(frame: &mut Frame, reduction: Reduction<'_>) -> PlanResult<Vec<(String, String)>> {
    let Reduction { aggregates, by, distinct, manner, bin } = reduction;
    sparkline::prepare(frame, aggregates)?;
    let groups = group_fields(frame, by, distinct)?;
    let computed = compute(frame, aggregates, by, manner)?;
    let made = computed.iter().map(|computed| (computed.name.clone(), computed.function.clone())).collect();
    let mut columns: Vec<Expr> = groups.iter().map(|name| column(name)).collect();
    columns.extend(computed.iter().map(|c| c.result.clone().alias(&c.name)));
    let mut aggregated: Vec<Expr> = computed.into_iter().flat_map(|c| c.aggregates).collect();
    // Patterns that fit no field.
    let nothing = columns.is_empty();
    if groups.is_empty() && aggregated.is_empty() {
        // There may be results that no row has a part in, and DataFusion has to compute something all the same.
        let rows = frame.hidden_name();
        aggregated.push(count(lit(1_i64)).alias(&rows));
        columns.push(column(&rows));
    }
    let keys = groups.iter().map(|name| match &bin {
        Some(bin) if name == "_time" => bin.clone().alias("_time"),
        _ => column(name),
    });
    let plan = nodes::aggregate(Arc::new(frame.plan().clone()), keys.collect(), aggregated)?;
    let plan = nodes::project(Arc::new(plan), columns)?;
    frame.replace(plan, Vec::new());
    if nothing {
        // A row without fields is none.
        frame.filter(lit(false))?;
    }
    // `max(_time) AS _time`: the field of that name holds times.
    let kind = frame.data_type("_time").map_or(Kind::Null, |data_type| Kind::of(&data_type));
    if matches!(kind, Kind::Integer | Kind::Number) {
        let seconds = Typed::new(column("_time"), kind, Span::default());
        frame.set(vec![("_time".into(), operators::to_time(seconds.number()))])?;
    }
    order_by_groups(frame, &groups)?;
    Ok(made)
}

/// Orders the groups by their values.
pub fn order_by_groups(frame: &mut Frame, groups: &[String]) -> PlanResult<()> {
    let mut keys = Vec::new();
    for name in groups {
        let kind = frame.data_type(name).map_or(Kind::Null, |data_type| Kind::of(&data_type));
        let key = match kind {
            Kind::Integer | Kind::Number | Kind::Time => column(name),
            _ => ordering::auto_key(column(name)),
        };
        keys.push((key, false));
    }
    frame.order_by(keys)?;
    Ok(())
}

/// Leaves only rows that belong to a group: all BY fields present, one row for each of several values.
pub fn group_fields(frame: &mut Frame, by: &[Name], distinct: bool) -> PlanResult<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for field in by {
        no_wildcard(field)?;
        if names.contains(&field.text) {
            continue;
        }
        match existing(frame, &field.text, field.span) {
            Some(value) => frame.filter(value.is_not_null())?,
            None => {
                let null = Typed::null(field.span).expr;
                frame.set(vec![(field.text.clone(), null)])?;
                frame.filter(column(&field.text).is_not_null())?;
            }
        }
        if frame.data_type(&field.text).is_some_and(|data_type| Kind::of(&data_type) == Kind::Many) {
            if distinct {
                frame.set(vec![(field.text.clone(), multivalue::distinct(column(&field.text)))])?;
            }
            let plan = LogicalPlanBuilder::new(frame.plan().clone())
                .unnest_column(datafusion::common::Column::new_unqualified(&field.text))?
                .build()?;
            frame.extend(plan);
        }
        names.push(field.text.clone());
    }
    Ok(names)
}

/// Refuses a wildcard for a BY field.
pub fn no_wildcard(field: &Name) -> Result<(), Diagnostic> {
    if field.text.contains('*') {
        let message = format!("BY takes field names, not the wildcard `{}`", field.text);
        return Err(Diagnostic::error(Code::InvalidArgument, message, field.span));
    }
    Ok(())
}

/// The aggregates of `stats` and its relatives, with the names of their results.
pub fn compute(frame: &Frame, aggregates: &[Aggregate], by: &[Name], manner: Manner) -> PlanResult<Vec<Computed>> {
    let mut computed: Vec<Computed> = Vec::new();
    let named: Vec<String> = aggregates.iter().filter(|a| !is_wildcard(a)).map(default_name).collect();
    for (position, aggregate) in aggregates.iter().enumerate() {
        renamed_once(aggregates, position)?;
        let wildcard = is_wildcard(aggregate);
        for (argument, name) in expand(frame, aggregate, by)? {
            // What is named wins over what a wildcard finds.
            if wildcard && named.contains(&name) {
                continue;
            }
            if computed.iter().any(|known| known.name == name) || by.iter().any(|field| field.text == name) {
                return Err(Diagnostic::error(
                    Code::InvalidArgument,
                    format!("two columns of the result would be named {name:?}"),
                    aggregate.span,
                )
                .with_help("give one of them another name with `AS`")
                .into());
            }
            let position = computed.len();
            computed.push(aggregate::plan_in(frame, aggregate, argument, name, position, manner)?);
        }
    }
    Ok(computed)
}

/// Whether an aggregate stands for one over each field of a form.
fn is_wildcard(aggregate: &Aggregate) -> bool {
    match &aggregate.argument {
        None => !aggregate::counts(&aggregate.function.node),
        Some(AggregateArgument::Field(field)) => field.text.contains('*'),
        Some(AggregateArgument::Sparkline(sparkline)) => is_wildcard(&sparkline.aggregate),
        Some(AggregateArgument::Eval(_)) => false,
    }
}

/// The name of the result of an aggregate without wildcards.
fn default_name(aggregate: &Aggregate) -> String {
    match (&aggregate.alias, &aggregate.argument) {
        (Some(alias), _) => alias.text.clone(),
        (None, Some(AggregateArgument::Field(field))) => format!("{}({})", aggregate.function.node, field.text),
        (None, _) => aggregate.text.clone(),
    }
}

/// One aggregate has one name.
fn renamed_once(aggregates: &[Aggregate], position: usize) -> Result<(), Diagnostic> {
    let Some((aggregate, before)) = aggregates.get(..=position).and_then(<[Aggregate]>::split_last) else {
        return Ok(());
    };
    let same = |known: &&Aggregate| known.text == aggregate.text && known.alias.is_some() && aggregate.alias.is_some();
    match before.iter().find(same) {
        Some(_) => Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`{}` is given two names", aggregate.text),
            aggregate.span,
        )
        .with_help("name it once, and copy it with `eval` after `stats`")),
        None => Ok(()),
    }
}

/// The argument and the result's name; one pair for each field that a wildcard stands for.
pub fn expand(frame: &Frame, aggregate: &Aggregate, by: &[Name]) -> PlanResult<Vec<(Option<Typed>, String)>> {
    let planner = ExpressionPlanner::new(frame);
    let (call, inner) = match &aggregate.argument {
        Some(AggregateArgument::Sparkline(sparkline)) => (&sparkline.aggregate, true),
        _ => (aggregate, false),
    };
    let whole_name = |field: &str| {
        let name = format!("{}({field})", call.function.node);
        if inner { format!("{}({name})", aggregate.function.node) } else { name }
    };
    let pattern = match &call.argument {
        None if aggregate::counts(&call.function.node) => return Ok(vec![(None, default_name(aggregate))]),
        // A function alone is over every field.
        None => Name { text: "*".into(), span: call.function.span },
        Some(AggregateArgument::Eval(expression)) => {
            let typed = planner.plan(expression)?;
            return Ok(vec![(Some(typed), default_name(aggregate))]);
        }
        Some(AggregateArgument::Field(field)) if field.text.contains('*') => field.clone(),
        Some(AggregateArgument::Field(field)) => {
            return Ok(vec![(Some(planner.field(&field.text, field.span)), default_name(aggregate))]);
        }
        Some(AggregateArgument::Sparkline(_)) => {
            let message = "a sparkline holds no other";
            return Err(Diagnostic::error(Code::InvalidArgument, message, aggregate.span).into());
        }
    };
    let fields: Vec<String> =
        frame.fields().into_iter().filter(|name| !by.iter().any(|group| group.text == *name)).collect();
    let found = matching(&pattern.text, &fields);
    if found.is_empty() && call.argument.is_some() && !frame.open {
        frame.note_missing(&pattern.text, pattern.span);
    }
    let transfer = aggregate.alias.as_ref().map(|alias| (alias, Transfer::new(&pattern.text, &alias.text)));
    Ok(found
        .into_iter()
        .map(|name| {
            let result = match &transfer {
                Some((alias, transfer)) => transfer.of(name).unwrap_or_else(|| alias.text.clone()),
                None => whole_name(name),
            };
            (Some(planner.field(name, pattern.span)), result)
        })
        .collect())
}
