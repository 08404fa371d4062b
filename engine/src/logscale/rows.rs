//! What works on each row by itself: the fields in scope, and what a step does to a row.

use std::collections::HashMap;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, is_true, lit, when};
use spelunk_grammar::Span;

use crate::plan::PlanResult;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};
use crate::plan::frame::{Frame, column};

/// The rows that an expression is planned over.
#[derive(Clone, Copy)]
pub struct Rows<'r> {
    /// The rows.
    pub frame: &'r Frame,
    /// The arm of a `case` that the expression stands in.
    pub arm: Option<&'r Arm>,
}

/// An arm of a `case`: it sees the row as it was before the `case`, and its own assignments.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Whether the arm has kept the row so far.
    pub guard: Expr,
    /// The fields that the arm has assigned.
    pub assigned: HashMap<String, (Expr, Kind)>,
}

/// What a step does to a row.
#[derive(Debug, Default)]
pub struct Effect {
    /// Keeps the rows for which it is true.
    pub keep: Option<Expr>,
    /// The fields that it makes; a null leaves the field as it is.
    pub set: Vec<(String, Typed)>,
    /// The fields that it makes, null or not.
    pub replace: Vec<(String, Typed)>,
    /// The fields that it removes.
    pub remove: Vec<String>,
}

impl Effect {
    /// Keeps the rows for which the condition is true.
    pub fn keep(condition: Expr) -> Self {
        Self { keep: Some(condition), ..Self::default() }
    }

    /// Makes a field.
    pub fn set(name: &str, value: Typed) -> Self {
        Self { set: vec![(name.to_owned(), value)], ..Self::default() }
    }
}

impl<'r> Rows<'r> {
    /// All rows of a frame.
    pub fn of(frame: &'r Frame) -> Self {
        Self { frame, arm: None }
    }

    /// A field's value; the tag `#x` is the field `x` where there is no other.
    pub fn field(&self, name: &str, span: Span) -> Typed {
        if let Some((value, kind)) = self.arm.and_then(|arm| arm.assigned.get(name)) {
            return Typed::new(value.clone(), *kind, span);
        }
        if let Some(data_type) = self.frame.data_type(name) {
            return Typed::new(column(name), Kind::of(&data_type), span);
        }
        match name.strip_prefix('#') {
            Some(plain) => self.field(plain, span),
            None if self.frame.open => Typed::new(lit(ScalarValue::Utf8(None)), Kind::Text, span),
            None => Typed::null(span),
        }
    }
}

/// A value as a field holds it: truth as text, times as numbers.
pub fn stored(value: &Typed) -> Expr {
    match value.kind {
        Kind::Boolean => {
            let text = when(value.expr.clone(), lit("true")).when(!value.expr.clone(), lit("false")).end();
            text.unwrap_or_else(|_| value.text())
        }
        Kind::Time => value.number(),
        _ => value.expr.clone(),
    }
}

/// The kind of a value once a field holds it.
pub fn stored_kind(kind: Kind) -> Kind {
    match kind {
        Kind::Boolean | Kind::Literal => Kind::Text,
        Kind::Time => Kind::Number,
        other => other,
    }
}

/// The same value as a field holds it.
pub fn settled(value: &Typed) -> Typed {
    Typed::new(stored(value), stored_kind(value.kind), value.span)
}

/// Does to the rows what a step does.
pub fn apply(frame: &mut Frame, arm: Option<&mut Arm>, effect: Effect) -> PlanResult<()> {
    let Effect { keep, set, replace, remove } = effect;
    let mut assignments: Vec<(String, Typed)> = Vec::new();
    {
        let rows = Rows { frame, arm: arm.as_deref() };
        let expressions = ExpressionPlanner::new(rows.frame);
        for (name, value) in set {
            let span = value.span;
            let new = settled(&value);
            let before = rows.field(&name, span);
            let value = match (new.kind, before.kind) {
                (Kind::Null, Kind::Null) | (_, Kind::Null) => new,
                (Kind::Null, _) => before,
                _ => expressions.choice(vec![(new.expr.clone().is_not_null(), new)], Some(before), span),
            };
            assignments.push((name, value));
        }
        for (name, value) in replace {
            assignments.push((name, settled(&value)));
        }
    }
    match arm {
        None => {
            if !assignments.is_empty() {
                // A filter that extracts sees the row before: the values first, under hidden names where both do it.
                if let Some(keep) = keep {
                    frame.filter(is_true(keep))?;
                }
                frame.set(assignments.into_iter().map(|(name, value)| (name, value.expr)).collect())?;
            } else if let Some(keep) = keep {
                frame.filter(is_true(keep))?;
            }
            if !remove.is_empty() {
                let kept = frame.fields().into_iter().filter(|name| !remove.contains(name));
                let kept = kept.map(|name| (name.clone(), column(&name))).collect();
                frame.select(kept)?;
            }
        }
        Some(arm) => {
            for name in remove {
                assignments.push((name, Typed::null(Span::default())));
            }
            if let Some(keep) = keep {
                arm.guard = small(frame, arm.guard.clone().and(is_true(keep)), true)?;
            }
            for (name, value) in assignments {
                let expr = small(frame, value.expr, false)?;
                arm.assigned.insert(name, (expr, value.kind));
            }
        }
    }
    Ok(())
}

/// How large an expression may get before it becomes a column of its own.
const LARGEST: usize = 64;

/// The expression, or a hidden column that holds its value. A column for each step would make planning slow, and
/// an expression inside an expression for each step could double it every time.
fn small(frame: &mut Frame, expr: Expr, condition: bool) -> PlanResult<Expr> {
    let mut nodes = 0_usize;
    expr.apply(|_| {
        nodes = nodes.saturating_add(1);
        Ok(if nodes > LARGEST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if nodes <= LARGEST {
        return Ok(expr);
    }
    let hidden = frame.hidden_name();
    let expr = if condition { held(expr)? } else { expr };
    frame.set(vec![(hidden.clone(), expr)])?;
    Ok(column(&hidden))
}

/// A condition as a column: true or null. DataFusion takes `x IS TRUE` for never null in a logical plan and for
/// possibly null in the physical one, and an aggregate over such a column fails.
pub fn held(condition: Expr) -> PlanResult<Expr> {
    Ok(when(condition, lit(true)).end()?)
}
