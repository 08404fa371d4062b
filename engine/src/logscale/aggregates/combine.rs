//! Several functions by group, and their rows put together.
//!
//! The rows of the functions combine as a Cartesian product within a group; a function that gives no row of a
//! group counts as one row without values.

use datafusion::common::{Column, JoinType, NullEquality};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::Run;
use super::super::rows::{Rows, stored};
use super::parts::{Fused, Part, Results};
use crate::functions::ordering;
use crate::plan::PlanResult;
use crate::plan::barrier;
use crate::plan::combine::type_of;
use crate::plan::expression::Kind;
use crate::plan::frame::{Frame, OrderKey, column};

/// The rows of a group, where a limit asks for the biggest ones.
const GROUP_ROWS: &str = "__order_group_rows";

/// A field of the group, and the hidden column that holds its value.
struct Key {
    name: Option<String>,
    hidden: String,
}

/// A part that runs by itself: its columns are renamed, so that they are no one else's.
struct Alone {
    frame: Frame,
    keys: Vec<String>,
    fields: Vec<(String, String)>,
    /// Is there where the part has a row.
    there: String,
}

/// Runs the functions by group, in each group that the run has. The biggest groups are kept.
///
/// # Errors
/// What is wrong with a function.
pub async fn combine(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    groups: &[Spanned<String>],
    parts: Vec<Part<'_>>,
    limit: Option<usize>,
) -> PlanResult<()> {
    let keys = keys(run, frame, groups)?;
    let mut fused = Vec::new();
    let mut others = Vec::new();
    // Where the results of a part stand among those of the others.
    let mut places: Vec<Place> = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        match part.fuse(run, frame, position.saturating_add(1)).await? {
            Some(one) => {
                places.push(Place::Fused(fused.len()));
                fused.push(one);
            }
            None => {
                places.push(Place::Alone(others.len()));
                others.push(part);
            }
        }
    }
    if keys.is_empty() && parts.is_empty() {
        return Err(super::expected("an aggregate", Span::default()).into());
    }
    let mut alone = Vec::new();
    if !others.is_empty() {
        // The rows would stand in the plan several times.
        barrier::materialise(run.planner, frame).await?;
        for (position, part) in others.into_iter().enumerate() {
            alone.push(by_itself(run, frame, &keys, part, position).await?);
        }
    }
    let limit = limit.filter(|limit| *limit < usize::MAX);
    together(frame, &keys, &fused, limit.is_some())?;
    let mut results: Vec<Results> = Vec::new();
    // When each part has a row; `None` where it always has.
    let mut rows: Vec<Option<Expr>> = Vec::new();
    for one in &fused {
        // Of a group the row stays although nothing could be computed.
        let computed = if keys.is_empty() { one.present() } else { None };
        let (fields, kept) = one.results(run, frame).await?;
        results.push(fields);
        rows.push(computed.into_iter().chain(kept).reduce(Expr::and));
    }
    let mut order = Vec::new();
    for (position, other) in alone.iter().enumerate() {
        beside(frame, &keys, other, position)?;
        order.extend(other.frame.order().iter().cloned());
        rows.push(Some(column(&other.there).is_not_null()));
    }
    // Where no part has a row there is none.
    if let Some(rows) = rows.into_iter().collect::<Option<Vec<Expr>>>()
        && let Some(some) = rows.into_iter().reduce(Expr::or)
    {
        frame.filter(some)?;
    }
    if let Some(limit) = limit {
        frame.order_by(vec![(column(GROUP_ROWS), true)])?;
        super::super::steps::keep_first(run, frame, limit)?;
    }
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for key in &keys {
        if let Some(name) = &key.name {
            columns.push((name.clone(), column(&key.hidden)));
        }
    }
    let grouped = columns.len();
    for place in places {
        let fields: Vec<(String, Expr)> = match place {
            Place::Fused(index) => results.get(index).cloned().unwrap_or_default(),
            Place::Alone(index) => {
                let fields = alone.get(index).map(|other| other.fields.clone()).unwrap_or_default();
                fields.into_iter().map(|(name, hidden)| (name, column(&hidden))).collect()
            }
        };
        for (name, value) in fields {
            match columns.iter().position(|(known, _)| *known == name) {
                None => columns.push((name, value)),
                // A group's own field, collected once more: all rows of the group have that value.
                Some(known) if known < grouped => {}
                Some(known) if columns.get(known).is_some_and(|(_, first)| *first == value) => {}
                Some(_) => return Err(twice(&name, groups).into()),
            }
        }
    }
    finish(run, frame, &keys, columns, order)
}

enum Place {
    Fused(usize),
    Alone(usize),
}

fn twice(name: &str, groups: &[Spanned<String>]) -> Diagnostic {
    let message = format!("two fields of the result would be named {name:?}");
    let place = groups.first().map(|group| group.span).unwrap_or_default();
    Diagnostic::error(Code::InvalidArgument, message, place).with_help("give one of them another name with `as=`")
}

/// Hidden columns for what the rows are grouped by.
fn keys(run: &Run<'_, '_>, frame: &mut Frame, groups: &[Spanned<String>]) -> PlanResult<Vec<Key>> {
    let outer = run.keys.iter().map(|hidden| Key { name: None, hidden: hidden.clone() });
    let mut keys: Vec<Key> = outer.collect();
    let mut made = Vec::new();
    let mut present: Option<Expr> = None;
    for group in groups {
        if keys.iter().any(|key| key.name.as_ref() == Some(&group.node)) {
            continue;
        }
        let value = Rows::of(frame).field(&group.node, group.span);
        let there = value.expr.clone().is_not_null();
        present = Some(present.map_or(there.clone(), |before| before.or(there)));
        let hidden = frame.hidden_name();
        made.push((hidden.clone(), stored(&value)));
        keys.push(Key { name: Some(group.node.clone()), hidden });
    }
    // A row that has none of the fields belongs to no group.
    if let Some(present) = present {
        frame.filter(present)?;
    }
    frame.set(made)?;
    Ok(keys)
}

/// The aggregate of all parts that give one row of a group: the keys, and what is computed.
fn together(frame: &mut Frame, keys: &[Key], fused: &[Fused<'_>], sized: bool) -> PlanResult<()> {
    let mut aggregates: Vec<Expr> =
        fused.iter().flat_map(|one| &one.computed).flat_map(|one| one.aggregates.clone()).collect();
    if sized || (keys.is_empty() && aggregates.is_empty()) {
        aggregates.push(count(lit(1_i64)).alias(GROUP_ROWS));
    }
    let group: Vec<Expr> = keys.iter().map(|key| column(&key.hidden)).collect();
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(group, aggregates)?.build()?;
    let open = frame.open;
    frame.replace(plan, Vec::new());
    frame.open = open;
    Ok(())
}

/// Plans a part on its own, with its columns under names that no one else has.
async fn by_itself(
    run: &mut Run<'_, '_>,
    frame: &Frame,
    keys: &[Key],
    part: &Part<'_>,
    position: usize,
) -> PlanResult<Alone> {
    let mut own = frame.clone();
    let hidden = keys.iter().map(|key| key.hidden.clone()).collect();
    let mut inner = Run { planner: &mut *run.planner, aggregated: run.aggregated, preamble: false, keys: hidden };
    Box::pin(part.alone(&mut inner, &mut own)).await?;
    let name = |what: &str, index: usize| format!("__order_part_{position}_{what}_{index}");
    let mut columns = Vec::new();
    let mut key_names = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        columns.push(column(&key.hidden).alias(name("key", index)));
        key_names.push(name("key", index));
    }
    let mut fields = Vec::new();
    for (index, field) in crate::plan::combine::shown(&own).into_iter().enumerate() {
        columns.push(column(&field).alias(name("field", index)));
        fields.push((field, name("field", index)));
    }
    let mut order = Vec::new();
    for (index, key) in own.order().iter().enumerate() {
        columns.push(column(&key.column).alias(name("order", index)));
        order.push(OrderKey { column: name("order", index), descending: key.descending });
    }
    let there = name("there", 0);
    columns.push(lit(1_i64).alias(&there));
    let plan = LogicalPlanBuilder::new(own.plan().clone()).project(columns)?.build()?;
    let mut result = Frame::new(plan, order, own.setting.clone());
    result.open = own.open;
    for finding in own.take_findings() {
        frame.note(finding);
    }
    Ok(Alone { frame: result, keys: key_names, fields, there })
}

/// Puts the rows of a part beside those of the same group.
fn beside(frame: &mut Frame, keys: &[Key], other: &Alone, position: usize) -> PlanResult<()> {
    let mut left: Vec<Column> = keys.iter().map(|key| Column::new_unqualified(&key.hidden)).collect();
    let mut right: Vec<Column> = other.keys.iter().map(Column::new_unqualified).collect();
    if keys.is_empty() {
        let one = format!("__order_one_{position}");
        frame.set(vec![(one.clone(), lit(1_i64))])?;
        left.push(Column::new_unqualified(one));
        right.push(Column::new_unqualified(&other.there));
    }
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).join_detailed(
        other.frame.plan().clone(),
        JoinType::Left,
        (left, right),
        None,
        NullEquality::NullEqualsNull,
    )?;
    frame.extend(plan.build()?);
    frame.open |= other.frame.open;
    Ok(())
}

/// Leaves the fields of the result, ordered by the groups.
fn finish(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    keys: &[Key],
    columns: Vec<(String, Expr)>,
    within: Vec<OrderKey>,
) -> PlanResult<()> {
    let mut expressions: Vec<Expr> = columns.into_iter().map(|(name, value)| value.alias(name)).collect();
    let mut order = Vec::new();
    let mut hidden: Vec<String> = run.keys.clone();
    for (index, key) in keys.iter().filter(|key| key.name.is_some()).enumerate() {
        let value = column(&key.hidden);
        let sorted = match Kind::of(&type_of(frame, &key.hidden)) {
            Kind::Integer | Kind::Number | Kind::Time => value,
            _ => ordering::auto_key(value),
        };
        let name = format!("__order_group_{index}");
        expressions.push(sorted.alias(&name));
        order.push(OrderKey { column: name, descending: false });
    }
    hidden.extend(within.iter().map(|key| key.column.clone()));
    expressions.extend(hidden.iter().map(|name| column(name)));
    order.extend(within);
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).project(expressions)?.build()?;
    let open = frame.open;
    frame.replace(plan, order);
    frame.open = open;
    run.aggregated = true;
    Ok(())
}
