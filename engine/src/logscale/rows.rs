//! What works on each row by itself: the fields in scope, and what a step does to a row.

use std::collections::HashMap;

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, is_true, lit, when};
use spelunk_grammar::Span;

use crate::functions::logscale::lists;
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
    /// Fields that are the elements of a list.
    pub lists: Vec<List>,
}

/// A list that becomes fields.
#[derive(Debug)]
pub struct List {
    /// The fields, in the order of the elements.
    pub names: Vec<String>,
    /// The list.
    pub values: Expr,
    /// Whether a field for which there is no element stays as it is.
    pub keeps_rest: bool,
    /// Where it was written.
    pub span: Span,
}

impl List {
    /// The fields and their values, over an expression that is the list.
    fn fields(self, values: &Expr) -> impl Iterator<Item = (String, Typed)> {
        let (values, span) = (values.clone(), self.span);
        let fields = self.names.into_iter().enumerate();
        fields.map(move |(position, name)| (name, lists::element(values.clone(), position, span)))
    }
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

    /// Whether any row can have that field.
    pub fn has(&self, name: &str) -> bool {
        self.frame.data_type(name).is_some() || self.arm.is_some_and(|arm| arm.assigned.contains_key(name))
    }

    /// The names of all fields.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.frame.fields();
        for name in self.arm.iter().flat_map(|arm| arm.assigned.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// A field's value, which the query reads; one that no row has is told.
    pub fn field(&self, name: &str, span: Span) -> Typed {
        let value = self.before(name, span);
        // Spans always compare equal.
        let empty = value.kind == Kind::Null && span.end > span.start;
        if empty && !self.has(name) && !name.strip_prefix('#').is_some_and(|plain| self.has(plain)) {
            self.frame.note_missing(name, span);
        }
        value
    }

    /// What a field holds, if anything; the tag `#x` is the field `x` where there is no other.
    pub fn before(&self, name: &str, span: Span) -> Typed {
        if let Some((value, kind)) = self.arm.and_then(|arm| arm.assigned.get(name)) {
            return Typed::new(value.clone(), *kind, span);
        }
        if let Some(data_type) = self.frame.data_type(name) {
            return Typed::new(column(name), Kind::of(&data_type), span);
        }
        if let Some(element) = self.element(name, span) {
            return element;
        }
        match name.strip_prefix('#') {
            Some(plain) => self.before(plain, span),
            None if self.frame.open => Typed::new(lit(ScalarValue::Utf8(None)), Kind::Text, span),
            None => Typed::null(span),
        }
    }
}

impl Rows<'_> {
    /// Whether a field holds several values: an array that a file has in one column.
    pub fn is_list(&self, name: &str) -> bool {
        self.frame.data_type(name).is_some_and(|data_type| Kind::of(&data_type) == Kind::Many)
    }

    /// The element that `name[0]` stands for, of an array in one column.
    fn element(&self, name: &str, span: Span) -> Option<Typed> {
        let (array, index) = name.strip_suffix(']')?.split_once('[')?;
        let index: usize = index.parse().ok()?;
        self.is_list(array).then(|| lists::element(column(array), index, span))
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

/// What a step does, in terms of single values: the condition, the fields with their values, those without.
struct Changes {
    keep: Option<Expr>,
    assignments: Vec<(String, Typed)>,
    remove: Vec<String>,
}

impl Changes {
    fn of(rows: &Rows<'_>, effect: Effect) -> Self {
        let Effect { keep, mut set, mut replace, remove, lists } = effect;
        for list in lists {
            let values = list.values.clone();
            match list.keeps_rest {
                true => set.extend(list.fields(&values)),
                false => replace.extend(list.fields(&values)),
            }
        }
        let mut assignments: Vec<(String, Typed)> = Vec::new();
        let expressions = ExpressionPlanner::new(rows.frame);
        for (name, value) in set {
            let span = value.span;
            let new = settled(&value);
            let before = rows.before(&name, span);
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
        Self { keep, assignments, remove }
    }
}

/// Does to the rows what a step does.
pub fn apply(frame: &mut Frame, arm: Option<&mut Arm>, mut effect: Effect) -> PlanResult<()> {
    // Each list is computed once.
    for list in &mut effect.lists {
        let hidden = frame.hidden_name();
        frame.set(vec![(hidden.clone(), std::mem::replace(&mut list.values, column(&hidden)))])?;
    }
    let changes = Changes::of(&Rows { frame, arm: arm.as_deref() }, effect);
    let Changes { keep, assignments, remove } = changes;
    match arm {
        None => {
            // A filter that extracts sees the row before: it is applied first.
            if let Some(keep) = keep {
                frame.filter(is_true(keep))?;
            }
            if !assignments.is_empty() {
                frame.set(assignments.into_iter().map(|(name, value)| (name, value.expr)).collect())?;
            }
            if !remove.is_empty() {
                let kept = frame.fields().into_iter().filter(|name| !remove.contains(name));
                let kept = kept.map(|name| (name.clone(), column(&name))).collect();
                frame.select(kept)?;
            }
        }
        Some(arm) => {
            if let Some(keep) = keep {
                arm.guard = small(frame, arm.guard.clone().and(is_true(keep)), true)?;
            }
            for (name, value) in assignments {
                let expr = small(frame, value.expr, false)?;
                arm.assigned.insert(name, (expr, value.kind));
            }
            arm.remove(remove);
        }
    }
    Ok(())
}

impl Arm {
    /// An arm that has kept every row so far that the one around it has.
    pub fn inside(outer: Option<&Arm>) -> Self {
        outer.cloned().unwrap_or_else(|| Self { guard: lit(true), assigned: HashMap::new() })
    }

    /// Does to the arm alone what a step does, where the rows cannot be given columns.
    pub fn apply(&mut self, frame: &Frame, effect: Effect) {
        let Changes { keep, assignments, remove } = Changes::of(&Rows { frame, arm: Some(self) }, effect);
        if let Some(keep) = keep {
            self.guard = self.guard.clone().and(is_true(keep));
        }
        for (name, value) in assignments {
            self.assigned.insert(name, (value.expr, value.kind));
        }
        self.remove(remove);
    }

    fn remove(&mut self, names: Vec<String>) {
        for name in names {
            let null = Typed::null(Span::default());
            self.assigned.insert(name, (null.expr, null.kind));
        }
    }
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
