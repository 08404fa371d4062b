//! `stats`: aggregates over all rows, or by group.
//!
//! Source: Splunk Search Reference, "stats".

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument, Stats};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::aggregate::{self, Computed, Manner};
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, matching};
use super::{PlanResult, existing};
use crate::functions::{multivalue, operators, ordering};

/// Plans the command. Groups come in the order of their values, columns as written: BY fields, aggregates.
pub fn plan(frame: &mut Frame, command: &Stats) -> PlanResult<()> {
    let Stats { aggregates, by, allnum, delim, partitions: _, dedup_splitvals } = command;
    // `partitions` only says how many threads a Splunk server should use.
    if let Some(delim) = delim {
        return Err(Diagnostic::error(Code::Unsupported, "`delim` is not supported yet", delim.span).into());
    }
    let groups = group_fields(frame, by, dedup_splitvals.as_ref().is_some_and(|dedup| dedup.node))?;
    let manner = Manner { in_order: false, allnum: allnum.as_ref().is_some_and(|allnum| allnum.node) };
    let computed = compute(frame, aggregates, by, manner)?;
    let mut columns: Vec<Expr> = groups.iter().map(|name| column(name)).collect();
    columns.extend(computed.iter().map(|c| c.result.clone().alias(&c.name)));
    let mut aggregated: Vec<Expr> = computed.into_iter().flat_map(|c| c.aggregates).collect();
    let nothing = columns.is_empty();
    if nothing {
        // Patterns that fit no field. DataFusion has to compute something all the same.
        let rows = frame.hidden_name();
        aggregated.push(count(lit(1_i64)).alias(&rows));
        columns.push(column(&rows));
    }
    let plan = LogicalPlanBuilder::new(frame.plan().clone())
        .aggregate(groups.iter().map(|name| column(name)).collect::<Vec<_>>(), aggregated)?
        .project(columns)?
        .build()?;
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
    order_by_groups(frame, &groups)
}

/// Orders the groups by their values.
fn order_by_groups(frame: &mut Frame, groups: &[String]) -> PlanResult<()> {
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
fn group_fields(frame: &mut Frame, by: &[Name], distinct: bool) -> PlanResult<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for field in by {
        if field.text.contains('*') {
            let message = format!("BY takes field names, not the wildcard `{}`", field.text);
            return Err(Diagnostic::error(Code::InvalidArgument, message, field.span).into());
        }
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

/// The aggregates of `stats` and its relatives, with the names of their results.
pub fn compute(frame: &Frame, aggregates: &[Aggregate], by: &[Name], manner: Manner) -> PlanResult<Vec<Computed>> {
    let mut computed: Vec<Computed> = Vec::new();
    for aggregate in aggregates {
        for (argument, name) in expand(frame, aggregate, by)? {
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

/// The argument and the result's name; one pair for each field that a wildcard stands for.
pub fn expand(frame: &Frame, aggregate: &Aggregate, by: &[Name]) -> PlanResult<Vec<(Option<Typed>, String)>> {
    let planner = ExpressionPlanner::new(frame);
    let function = &aggregate.function.node;
    let alias = aggregate.alias.as_ref().map(|alias| alias.text.clone());
    match &aggregate.argument {
        None if aggregate::counts(function) => Ok(vec![(None, alias.unwrap_or_else(|| aggregate.text.clone()))]),
        None => Err(Diagnostic::error(
            Code::InvalidArgument,
            format!("`{function}` needs a field"),
            aggregate.function.span,
        )
        .with_help(format!("write `{function}(field)`"))
        .into()),
        Some(AggregateArgument::Eval(expression)) => {
            let typed = planner.plan(expression)?;
            Ok(vec![(Some(typed), alias.unwrap_or_else(|| aggregate.text.clone()))])
        }
        Some(AggregateArgument::Field(field)) if field.text.contains('*') => {
            let fields: Vec<String> =
                frame.fields().into_iter().filter(|name| !by.iter().any(|group| group.text == *name)).collect();
            let found = matching(&field.text, &fields);
            Ok(found
                .into_iter()
                .map(|name| {
                    let result = match &alias {
                        Some(alias) => {
                            super::rename::transfer(&field.text, alias, name).unwrap_or_else(|| alias.clone())
                        }
                        None => format!("{function}({name})"),
                    };
                    (Some(planner.field(name, field.span)), result)
                })
                .collect())
        }
        Some(AggregateArgument::Field(field)) => {
            let name = alias.unwrap_or_else(|| format!("{function}({})", field.text));
            Ok(vec![(Some(planner.field(&field.text, field.span)), name)])
        }
    }
}
