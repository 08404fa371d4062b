//! `join`: the fields of the rows of a search that agree with a row.
//!
//! A hash join: the other side, which is limited, is held in memory, and the rows stream past it.
//!
//! Source: Splunk Search Reference, "join"; `limits.conf`, `[join]`.

use datafusion::common::{Column, JoinType as Variant};
use datafusion::functions::expr_fn::floor;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit, when};
use spelunk_grammar::spl::commands::join::{Join, JoinType, Keys};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::appendcols::typed;
use super::combine::{self, MOST_ROWS};
use super::expression::ExpressionPlanner;
use super::frame::{Frame, column};
use super::{PlanResult, Planner, dataset, suggest, window};
use crate::functions::rows;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Join) -> PlanResult<()> {
    let Join { join_type, max, overwrite, usetime, earlier, on, source, span } = command;
    let place = dataset::place(source);
    let right = dataset::frame_of_source(planner, source).await?;
    let right = combine::first_rows(planner, right, MOST_ROWS, "join", place).await?;
    let keys = keys(frame, &right, on, place.to(*span))?;
    report_missing(planner, &right, &keys, on);
    frame.open |= right.open;
    let kept = join_type.unwrap_or(JoinType::Inner);
    let max = match max.unwrap_or(1) {
        0 => None,
        most => Some(i64::try_from(most).unwrap_or(i64::MAX)),
    };
    let earlier = earlier.as_ref().is_none_or(|earlier| earlier.node);
    let time = usetime.as_ref().filter(|usetime| usetime.node).map(|usetime| Time { earlier, span: usetime.span });
    let fields = Sides { keys: &keys, kept, max, time }.join(frame, right)?;
    match on {
        Keys::Fields(_) => merge(frame, fields, &keys, overwrite.unwrap_or(true)),
        Keys::Pairs { left, right, pairs: _ } => name_sides(frame, fields, left, right),
    }
}

/// A field of this side and the one of the other side that has to agree with it.
struct Key {
    ours: String,
    theirs: String,
    ours_span: Span,
    theirs_span: Span,
}

fn keys(frame: &Frame, right: &Frame, on: &Keys, span: Span) -> PlanResult<Vec<Key>> {
    let same = |name: &str, span| Key { ours: name.into(), theirs: name.into(), ours_span: span, theirs_span: span };
    match on {
        Keys::Fields(fields) if fields.is_empty() => {
            let theirs = combine::shown(right);
            let common: Vec<String> = combine::shown(frame).into_iter().filter(|name| theirs.contains(name)).collect();
            // What Splunk notes about each event says nothing about what the events have in common.
            let named: Vec<&String> = common.iter().filter(|name| !name.starts_with('_')).collect();
            let chosen: Vec<Key> = match named.is_empty() {
                true => common.iter().filter(|name| *name == "_time").map(|name| same(name, span)).collect(),
                false => named.into_iter().map(|name| same(name, span)).collect(),
            };
            let known = !frame.open && !right.open && !theirs.is_empty();
            if chosen.is_empty() && known {
                let message = "the two sides of `join` have no field in common";
                return Err(Diagnostic::error(Code::InvalidArgument, message, span)
                    .with_help("name fields that both sides have, or write `left=L right=R where L.field = R.field`")
                    .into());
            }
            Ok(chosen)
        }
        Keys::Fields(fields) => Ok(fields.iter().map(|field| same(&field.text, field.span)).collect()),
        Keys::Pairs { left: _, right: _, pairs } => {
            let pair = |(ours, theirs): &(spelunk_grammar::spl::expression::Name, _)| Key {
                ours: ours.text.clone(),
                theirs: {
                    let theirs: &spelunk_grammar::spl::expression::Name = theirs;
                    theirs.text.clone()
                },
                ours_span: ours.span,
                theirs_span: theirs.span,
            };
            Ok(pairs.iter().map(pair).collect())
        }
    }
}

/// Tells about fields that the other side does not have; those of this side are reported as those of any command.
fn report_missing(planner: &mut Planner<'_>, right: &Frame, keys: &[Key], on: &Keys) {
    let fields = right.fields();
    if right.open || fields.is_empty() || matches!(on, Keys::Fields(fields) if fields.is_empty()) {
        return;
    }
    for key in keys.iter().filter(|key| !fields.contains(&key.theirs)) {
        let message = format!("no row of the search of `join` has a field {:?}", key.theirs);
        let warning = Diagnostic::warning(Code::UnknownField, message, key.theirs_span);
        planner.diagnostics.push(match suggest::nearest(&key.theirs, fields.iter().map(String::as_str)) {
            Some(near) => warning.with_help(format!("did you mean {near:?}?")),
            None => warning,
        });
    }
}

/// Rows of the other side count only if they are earlier, or later; those of the same second always do.
pub struct Time {
    earlier: bool,
    span: Span,
}

/// How two sides are joined.
struct Sides<'k> {
    keys: &'k [Key],
    kept: JoinType,
    max: Option<i64>,
    time: Option<Time>,
}

/// A field of the other side, and the hidden column of the result that holds it.
pub struct Field {
    /// The field.
    pub name: String,
    /// The column.
    pub hidden: String,
}

/// What a join adds to the rows of this side.
pub struct Joined {
    /// The fields of the other side.
    pub fields: Vec<Field>,
    /// A hidden column that is not null where a row of the other side agrees.
    pub found: String,
}

impl Sides<'_> {
    /// Adds the fields of the rows that agree as hidden columns.
    fn join(self, frame: &mut Frame, mut right: Frame) -> PlanResult<Vec<Field>> {
        let Sides { keys, kept, max, time } = self;
        let ours = key_column(frame, keys.iter().map(|key| (key.ours.as_str(), key.ours_span)))?;
        let theirs = key_column(&mut right, keys.iter().map(|key| (key.theirs.as_str(), key.theirs_span)))?;
        drop(right.take_missing());
        let variant = match kept {
            JoinType::Inner => Variant::Inner,
            JoinType::Left => Variant::Right,
        };
        Ok(agreeing(frame, right, (&ours, &theirs), variant, max, time)?.fields)
    }
}

/// Adds the fields of the rows of another side whose key column is the same as ours, as hidden columns. The rows of
/// this side are the right ones of the variant.
///
/// # Errors
/// DataFusion's own; no time where one is needed.
pub fn agreeing(
    frame: &mut Frame,
    mut right: Frame,
    (ours, theirs): (&str, &str),
    variant: Variant,
    max: Option<i64>,
    time: Option<Time>,
) -> PlanResult<Joined> {
    right.filter(column(theirs).is_not_null())?;
    let order = row_number().order_by(right.sort_expressions()).build()?;
    let place = window::add(&mut right, order)?;
    if let (Some(most), None) = (max, &time) {
        let number = row_number().partition_by(vec![column(theirs)]).order_by(vec![place.clone().sort(true, false)]);
        let number = window::add(&mut right, number.build()?)?;
        right.filter(number.lt_eq(lit(most)))?;
    }
    // Every column gets a name that this side does not have.
    let (key, position) = (frame.hidden_name(), frame.hidden_name());
    let fields: Vec<Field> =
        combine::shown(&right).into_iter().map(|name| Field { hidden: frame.hidden_name(), name }).collect();
    let mut columns = vec![column(theirs).alias(&key), place.alias(&position)];
    columns.extend(fields.iter().map(|field| column(&field.name).alias(&field.hidden)));
    let mut condition = None;
    let mut row = None;
    if let Some(Time { earlier, span }) = time {
        let (ours, theirs) = (seconds(frame, span)?, seconds(&right, span)?);
        let (left, right) = (frame.hidden_name(), frame.hidden_name());
        frame.set(vec![(left.clone(), ours)])?;
        columns.push(theirs.alias(&right));
        condition = Some(match earlier {
            true => column(&right).lt_eq(column(&left)),
            false => column(&right).gt_eq(column(&left)),
        });
        row = Some(window::add(frame, row_number().order_by(frame.sort_expressions()).build()?)?);
    }
    let on = (vec![Column::new_unqualified(&key)], vec![Column::new_unqualified(ours)]);
    // The side that comes first is held in memory.
    let other = LogicalPlanBuilder::new(right.plan().clone()).project(columns)?;
    frame.extend(other.join(frame.plan().clone(), variant, on, condition)?.build()?);
    if variant == Variant::RightAnti {
        return Ok(Joined { fields: Vec::new(), found: key });
    }
    frame.order_within(position.clone());
    if let (Some(row), Some(most)) = (row, max) {
        let number = row_number().partition_by(vec![row]).order_by(vec![column(&position).sort(true, false)]);
        let number = window::add(frame, number.build()?)?;
        frame.filter(number.lt_eq(lit(most)))?;
    }
    Ok(Joined { fields, found: key })
}

/// A hidden column that is equal where all of these fields are, and null where one is missing.
fn key_column<'n>(frame: &mut Frame, names: impl Iterator<Item = (&'n str, Span)>) -> PlanResult<String> {
    let planner = ExpressionPlanner::new(frame);
    let values: Vec<Expr> = names.map(|(name, span)| planner.field(name, span).text()).collect();
    key_of(frame, values)
}

/// A hidden column that is equal where all of these texts are, and null where one is missing.
///
/// # Errors
/// DataFusion's own.
pub fn key_of(frame: &mut Frame, values: Vec<Expr>) -> PlanResult<String> {
    let present = values.iter().map(|value| value.clone().is_not_null()).reduce(Expr::and);
    let key = match present {
        Some(present) => when(present, rows::row_key(values)).end()?,
        // Only without data can there be no fields at all.
        None => lit(datafusion::common::ScalarValue::Utf8(None)),
    };
    let hidden = frame.hidden_name();
    frame.set(vec![(hidden.clone(), key)])?;
    Ok(hidden)
}

/// The whole seconds of `_time`.
fn seconds(frame: &Frame, span: Span) -> PlanResult<Expr> {
    if frame.data_type("_time").is_none() && !frame.open {
        let message = "`usetime` needs `_time` on both sides of `join`";
        return Err(Diagnostic::error(Code::InvalidOption, message, span).into());
    }
    Ok(floor(ExpressionPlanner::new(frame).field("_time", span).number()))
}

/// The fields of both sides under their own names.
fn merge(frame: &mut Frame, fields: Vec<Field>, keys: &[Key], overwrite: bool) -> PlanResult<()> {
    let mut assignments = Vec::new();
    for Field { name, hidden } in fields {
        if keys.iter().any(|key| key.ours == name) && frame.data_type(&name).is_some() {
            continue;
        }
        let value = match frame.data_type(&name) {
            None => column(&hidden),
            Some(_) => {
                let (ours, theirs) = (typed(frame, &name), typed(frame, &hidden));
                let (first, second) = if overwrite { (theirs, ours) } else { (ours, theirs) };
                combine::either(frame, &name, first, second)
            }
        };
        assignments.push((name, value));
    }
    frame.set(assignments)?;
    Ok(())
}

/// The fields of both sides, named after their sides. What Splunk notes about each event keeps its name, and is that
/// of this side.
fn name_sides(
    frame: &mut Frame,
    fields: Vec<Field>,
    left: &Spanned<String>,
    right: &Spanned<String>,
) -> PlanResult<()> {
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for name in combine::shown(frame) {
        let target = if name.starts_with('_') { name.clone() } else { format!("{}.{name}", left.node) };
        columns.push((target, column(&name)));
    }
    for Field { name, hidden } in fields.into_iter().filter(|field| !field.name.starts_with('_')) {
        columns.push((format!("{}.{name}", right.node), column(&hidden)));
    }
    frame.select(columns)?;
    Ok(())
}
