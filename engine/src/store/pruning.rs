//! Which files of a store can have events that a search keeps, told from the manifest alone.
//!
//! A condition is taken apart at its ANDs and ORs. What is left is about one field mostly. It is asked of null, which
//! stands for a field that a file lacks; of each value that a file has of a field whose values are known; and, if it
//! bounds the time, of the first and last time. Whatever the condition, it is computed as the search would compute it,
//! so nothing here has to know what its functions mean.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};

use super::disk::manifest::{StoredFile, TRACKED};
use super::disk::opened::StoredEvents;
use super::table::needed_column;
use crate::functions::operators;

/// What a condition does to the events of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It keeps none, for this reason.
    Never(Reason),
    /// It keeps all.
    Always,
    /// It has to be asked of each.
    Sometimes,
}

/// Why a file cannot have an event that is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// No event there has the field.
    Field(String),
    /// The field has other values there.
    Value(String),
    /// The events are of another time.
    Time,
    /// None of several conditions can be met.
    Several,
    /// What is made of the fields there cannot be what is wanted.
    Made,
}

/// A condition made ready for asking.
#[derive(Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Leaf(Leaf),
}

/// A condition that is neither AND nor OR.
#[derive(Debug, Default)]
pub(crate) struct Leaf {
    /// The fields that it is about.
    fields: BTreeSet<String>,
    /// A field without which it is never true.
    needed: Option<String>,
    /// What it gives where it is asked of nulls, if that is known.
    of_null: Option<bool>,
    /// What it gives for each value of a tracked field.
    of_values: Option<(usize, Vec<bool>)>,
    /// The first and last time for which it is true.
    times: Option<(i64, i64)>,
}

impl Test {
    /// A condition over the fields of a store, which have these types in the table.
    pub(crate) fn new(condition: &Expr, events: &StoredEvents, table: &Schema, session: &dyn Session) -> Self {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                Test::All([left, right].map(|part| Test::new(part, events, table, session)).into())
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                Test::Any([left, right].map(|part| Test::new(part, events, table, session)).into())
            }
            leaf => Test::Leaf(Leaf::new(leaf, events, table, session)),
        }
    }

    /// What it does to the events of a file.
    pub(crate) fn of(&self, events: &StoredEvents, file: &StoredFile) -> Verdict {
        match self {
            Test::All(parts) => {
                let mut always = true;
                for part in parts {
                    match part.of(events, file) {
                        Verdict::Never(reason) => return Verdict::Never(reason),
                        Verdict::Sometimes => always = false,
                        Verdict::Always => {}
                    }
                }
                if always { Verdict::Always } else { Verdict::Sometimes }
            }
            Test::Any(parts) => {
                let mut reasons = BTreeSet::new();
                let mut never = true;
                for part in parts {
                    match part.of(events, file) {
                        Verdict::Always => return Verdict::Always,
                        Verdict::Sometimes => never = false,
                        Verdict::Never(reason) => {
                            reasons.insert(reason);
                        }
                    }
                }
                match (never, reasons.len()) {
                    (false, _) => Verdict::Sometimes,
                    (true, 1) => Verdict::Never(reasons.pop_first().unwrap_or(Reason::Several)),
                    (true, _) => Verdict::Never(Reason::Several),
                }
            }
            Test::Leaf(leaf) => leaf.of(events, file),
        }
    }

    /// Whether events between two times can be kept.
    pub(crate) fn meets(&self, times: Option<(i64, i64)>) -> bool {
        match self {
            Test::All(parts) => parts.iter().all(|part| part.meets(times)),
            Test::Any(parts) => parts.iter().any(|part| part.meets(times)),
            Test::Leaf(leaf) => leaf.times.is_none_or(|wanted| times.is_some_and(|times| overlap(wanted, times))),
        }
    }
}

fn overlap(one: (i64, i64), other: (i64, i64)) -> bool {
    one.0 <= other.1 && other.0 <= one.1
}

impl Leaf {
    fn new(condition: &Expr, events: &StoredEvents, table: &Schema, session: &dyn Session) -> Self {
        let fields: BTreeSet<String> = condition.column_refs().into_iter().map(|column| column.name.clone()).collect();
        let mut leaf =
            Leaf { needed: needed_column(condition).map(str::to_owned), times: times_of(condition), ..Leaf::default() };
        let is_fixed = !condition.is_volatile() && !condition.contains_outer();
        if is_fixed && !fields.is_empty() {
            let name = if fields.len() == 1 { fields.first() } else { None };
            let tracked = name.and_then(|name| TRACKED.iter().position(|known| known == name));
            let values = tracked.and_then(|at| Some((at, events.manifest.values.get(at)?)));
            let texts = values.map_or(&[][..], |(_, texts)| texts.as_slice());
            if let Some(mut answers) = asked(condition, &fields, texts, table, session) {
                leaf.of_null = answers.pop();
                leaf.of_values = values.map(|(at, _)| (at, answers));
            }
        }
        leaf.fields = fields;
        leaf
    }

    fn of(&self, events: &StoredEvents, file: &StoredFile) -> Verdict {
        let lacks = |name: &str| name != "_time" && name != "_serial" && events.column(file, name).is_none();
        if let Some(name) = self.needed.as_deref().filter(|name| lacks(name)) {
            return Verdict::Never(Reason::Field(name.to_owned()));
        }
        if self.times.is_some() {
            return self.of_times(file);
        }
        if !self.fields.is_empty() && self.fields.iter().all(|name| lacks(name)) {
            return match (self.of_null, self.fields.first()) {
                (Some(true), _) => Verdict::Always,
                (Some(false), Some(name)) if self.fields.len() == 1 => Verdict::Never(Reason::Field(name.clone())),
                (Some(false), _) => Verdict::Never(Reason::Several),
                (None, _) => Verdict::Sometimes,
            };
        }
        self.of_known_values(file).unwrap_or(Verdict::Sometimes)
    }

    fn of_times(&self, file: &StoredFile) -> Verdict {
        let Some(wanted) = self.times else { return Verdict::Sometimes };
        match file.times() {
            // Null is before no time and after none.
            None => Verdict::Never(Reason::Time),
            Some(times) if !overlap(wanted, times) => Verdict::Never(Reason::Time),
            Some((first, last)) if !file.untimed && wanted.0 <= first && last <= wanted.1 => Verdict::Always,
            Some(_) => Verdict::Sometimes,
        }
    }

    fn of_known_values(&self, file: &StoredFile) -> Option<Verdict> {
        let (at, answers) = self.of_values.as_ref()?;
        let of_null = self.of_null?;
        let values = file.values.get(*at)?.as_ref()?;
        let answer = |value: &Option<u32>| match value {
            Some(value) => answers.get(usize::try_from(*value).ok()?).copied(),
            None => Some(of_null),
        };
        let found: Vec<bool> = values.iter().map(answer).collect::<Option<_>>()?;
        Some(match (found.contains(&true), found.contains(&false)) {
            (true, false) => Verdict::Always,
            (false, true) => Verdict::Never(Reason::Value(TRACKED.get(*at)?.to_string())),
            _ => Verdict::Sometimes,
        })
    }
}

/// Whether a condition is true for each of the values of its only field, and last for nulls in all its fields.
fn asked(
    condition: &Expr,
    fields: &BTreeSet<String>,
    texts: &[String],
    table: &Schema,
    session: &dyn Session,
) -> Option<Vec<bool>> {
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut schema: Vec<Field> = Vec::new();
    for name in fields {
        let field = table.field_with_name(name).ok()?;
        let null = new_null_array(field.data_type(), 1);
        columns.push(match texts.is_empty() {
            true => null,
            false => concat(&[&values_as(texts, field.data_type())?, &null]).ok()?,
        });
        schema.push(Field::new(name, field.data_type().clone(), true));
    }
    let schema = Arc::new(Schema::new(schema));
    let rows = texts.len().saturating_add(1);
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).ok()?;
    let physical = session.create_physical_expr(condition.clone(), &DFSchema::try_from(schema).ok()?).ok()?;
    let answers = physical.evaluate(&batch).ok()?.into_array(rows).ok()?;
    let answers = answers.as_boolean_opt()?;
    Some(answers.iter().map(|answer| answer == Some(true)).collect())
}

/// Texts as values of a field of that type.
pub(super) fn values_as(texts: &[String], data_type: &DataType) -> Option<ArrayRef> {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
    let values = cast(&texts, data_type).ok()?;
    // What became null on the way is another value than the text.
    (values.null_count() == 0).then_some(values)
}

/// The times for which a condition is true, if it is about nothing else.
fn times_of(condition: &Expr) -> Option<(i64, i64)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let micros = |literal: &Expr| match literal {
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(time), _), _) => Some(*time),
        _ => None,
    };
    let is_time = |side: &Expr| matches!(side, Expr::Column(column) if column.name == "_time");
    let (bound, op) = match (is_time(left), is_time(right)) {
        (true, _) => (micros(right)?, *op),
        (_, true) => (micros(left)?, op.swap()?),
        _ => return None,
    };
    match op {
        Operator::Eq => Some((bound, bound)),
        Operator::Lt => Some((i64::MIN, bound.checked_sub(1)?)),
        Operator::LtEq => Some((i64::MIN, bound)),
        Operator::Gt => Some((bound.checked_add(1)?, i64::MAX)),
        Operator::GtEq => Some((bound, i64::MAX)),
        _ => None,
    }
}

/// The condition with comparisons of the seconds of `_time` as comparisons of the time itself, which files and row
/// groups are chosen by. Nothing else changes: the bound is the first time for which the comparison is true.
pub(crate) fn with_native_times(condition: &Expr) -> Vec<Expr> {
    split_conjunction(condition).into_iter().map(|part| native_time(part).unwrap_or_else(|| part.clone())).collect()
}

fn native_time(condition: &Expr) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return None };
    let time = Expr::Column(datafusion::common::Column::new_unqualified("_time"));
    let seconds = operators::to_number(time);
    let is_seconds = |side: &Expr| match (side, &seconds) {
        (Expr::ScalarFunction(call), Expr::ScalarFunction(wanted)) => {
            call.func == wanted.func && matches!(call.args.as_slice(), [Expr::Column(column)] if column.name == "_time")
        }
        _ => false,
    };
    let number = |side: &Expr| match side {
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => Some(*number),
        Expr::Literal(ScalarValue::Int64(Some(number)), _) => Some(*number as f64),
        _ => None,
    };
    let (column, bound, op) = if is_seconds(left) {
        (left, number(right)?, *op)
    } else if is_seconds(right) {
        (right, number(left)?, op.swap()?)
    } else {
        return None;
    };
    let holds = |micros: i64| {
        let seconds = micros as f64 / 1e6;
        match op {
            Operator::Lt => seconds < bound,
            Operator::LtEq => seconds <= bound,
            Operator::Gt => seconds > bound,
            _ => seconds >= bound,
        }
    };
    // Where a double holds every microsecond; and Arrow takes the negative zero for less than zero.
    let near = (bound * 1e6).round();
    if near.is_nan() || near.abs() >= 9e15 || (bound == 0.0 && bound.is_sign_negative()) {
        return None;
    }
    let near = near as i64;
    let (first, last) = (near.saturating_sub(4), near.saturating_add(4));
    let (op, bound) = match op {
        Operator::Gt | Operator::GtEq if !holds(first) => (Operator::GtEq, (first..=last).find(|time| holds(*time))?),
        Operator::Lt | Operator::LtEq if !holds(last) => (Operator::LtEq, (first..=last).rfind(|time| holds(*time))?),
        _ => return None,
    };
    let Expr::ScalarFunction(call) = column.as_ref() else { return None };
    let time = call.args.first()?.clone();
    let bound = lit(ScalarValue::TimestampMicrosecond(Some(bound), Some("UTC".into())));
    Some(Expr::BinaryExpr(BinaryExpr { left: Box::new(time), op, right: Box::new(bound) }))
}
