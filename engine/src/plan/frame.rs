//! The builder that every command lowers through: a DataFusion plan, the fields in scope, the row order.
//!
//! SPL is ordered and DataFusion is not. A frame remembers which columns order its rows; the plan is sorted
//! only where a command consumes the order, and at the end. A command that overwrites or drops a column that
//! orders the rows leaves a hidden copy behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::fieldformat::Fieldformat;
use spelunk_grammar::{Diagnostic, Span};

use super::{Setting, nodes};
use crate::functions::bins::TimeBins;
use crate::functions::opaque::opaque;

/// The prefix of columns that are no fields: they order rows, or fields are made of them.
const HIDDEN: &str = "__order_";
/// The serial number that every event carries, under a name that no field of a search has.
pub const SERIAL: &str = "__order_serial";

/// A column that orders the rows. Missing values come last in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// The column.
    pub column: String,
    /// From great to small.
    pub descending: bool,
}

/// A plan under construction.
#[derive(Debug, Clone)]
pub struct Frame {
    plan: LogicalPlan,
    order: Vec<OrderKey>,
    hidden: usize,
    /// Whether the rows are still events, rather than a table that a command made.
    pub events: bool,
    /// Whether [`SERIAL`] numbers the events that the rows come from, rather than rows that a command made.
    pub numbered: bool,
    /// Whether fields that are not there are assumed to exist (planning without data).
    pub open: bool,
    /// The distinct values of the metadata fields of loaded events, as long as no command changed them.
    pub metadata: HashMap<String, Vec<String>>,
    /// What `nomv` puts between the values of fields that `mvcombine` made, as long as no command changed them.
    pub delimiters: HashMap<String, String>,
    /// How fields are shown in the end.
    pub formats: Vec<Fieldformat>,
    /// The earliest and latest event time (microseconds, exclusive) of the search that the rows come from.
    pub time_range: (Option<i64>, Option<i64>),
    /// The spans of time that the rows stand for, where `timechart` made them.
    pub spans: Option<TimeBins>,
    /// The words that searches looked for in the text of the events.
    pub keywords: Vec<String>,
    /// The clock and the like, for expressions.
    pub setting: Setting,
    missing: Arc<Mutex<Vec<(String, Span)>>>,
    findings: Arc<Mutex<Vec<Diagnostic>>>,
}

/// A column by its exact name.
pub fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

impl Frame {
    /// A frame over a plan whose columns have no qualifiers.
    pub fn new(plan: LogicalPlan, order: Vec<OrderKey>, setting: Setting) -> Self {
        Self {
            plan,
            order,
            hidden: 0,
            events: false,
            numbered: false,
            open: false,
            metadata: HashMap::new(),
            delimiters: HashMap::new(),
            formats: Vec::new(),
            time_range: (None, None),
            spans: None,
            keywords: Vec::new(),
            setting,
            missing: Arc::default(),
            findings: Arc::default(),
        }
    }

    /// The plan so far, unsorted, hidden columns included.
    pub fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// The names of the fields, in order.
    pub fn fields(&self) -> Vec<String> {
        self.columns().filter(|field| !is_hidden(field.name())).map(|field| field.name().clone()).collect()
    }

    fn columns(&self) -> impl Iterator<Item = &FieldRef> {
        self.plan.schema().fields().iter()
    }

    /// The type of a field; `None` if there is none of that name.
    pub fn data_type(&self, name: &str) -> Option<DataType> {
        if is_hidden(name) {
            return None;
        }
        self.columns().find(|field| field.name() == name).map(|field| field.data_type().clone())
    }

    /// Remembers that a query names a field that no row has.
    pub fn note_missing(&self, name: &str, span: Span) {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_string(), span));
    }

    /// The fields noted by [`Frame::note_missing`] since the last call.
    pub fn take_missing(&self) -> Vec<(String, Span)> {
        std::mem::take(&mut self.missing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers a warning or a note for the user.
    pub fn note(&self, finding: Diagnostic) {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }

    /// What [`Frame::note`] was told since the last call.
    pub fn take_findings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.findings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The columns that order the rows, most important first.
    pub fn order(&self) -> &[OrderKey] {
        &self.order
    }

    /// The order as sort expressions.
    pub fn sort_expressions(&self) -> Vec<Sort> {
        self.order.iter().map(|key| Sort::new(column(&key.column), !key.descending, false)).collect()
    }

    /// The order, with [`Self::as_read`] done to it.
    pub fn as_read_expressions(&self, opposite: bool) -> Vec<Sort> {
        let mut expressions = self.sort_expressions();
        for (sort, key) in expressions.iter_mut().zip(&self.order) {
            if key.column == SERIAL {
                sort.asc = !opposite;
            }
        }
        expressions
    }

    /// The order turned around, for what wants the last row.
    pub fn reversed_sort_expressions(&self) -> Vec<Sort> {
        self.order.iter().map(|key| Sort::new(column(&key.column), key.descending, true)).collect()
    }

    /// Keeps the rows for which the condition is true.
    pub fn filter(&mut self, mut condition: Expr) -> Result<()> {
        if let Some(tracer) = self.setting.trace.clone() {
            return tracer.filter(self, condition);
        }
        if condition.is_volatile() {
            // DataFusion would move it below an aggregate or a window, where it takes away what they look at.
            let hidden = self.hidden_name();
            self.set(vec![(hidden.clone(), condition)])?;
            condition = column(&hidden);
        }
        self.restrict(condition)
    }

    /// Keeps the rows for which the condition is true, whoever looks on.
    pub fn restrict(&mut self, condition: Expr) -> Result<()> {
        self.grow(|input| nodes::filter(input, condition))
    }

    /// Puts a node above the plan, which stays as it is where that fails.
    pub fn grow(&mut self, node: impl FnOnce(Arc<LogicalPlan>) -> Result<LogicalPlan>) -> Result<()> {
        let input = Arc::new(std::mem::take(&mut self.plan));
        match node(Arc::clone(&input)) {
            Ok(plan) => {
                self.plan = plan;
                Ok(())
            }
            Err(error) => {
                self.plan = Arc::unwrap_or_clone(input);
                Err(error)
            }
        }
    }

    /// Sets fields, new or not; all are computed from the row as it is now.
    pub fn set(&mut self, assignments: Vec<(String, Expr)>) -> Result<()> {
        let protected = self.protect(|name| assignments.iter().any(|(target, _)| target == name));
        let mut expressions: Vec<Expr> = Vec::new();
        for field in self.plan.schema().fields() {
            let value = assignments.iter().find(|(target, _)| target == field.name());
            expressions.push(match value {
                Some((target, value)) => value.clone().alias(target),
                None => column(field.name()),
            });
        }
        for (target, value) in &assignments {
            if !self.columns().any(|field| field.name() == target) {
                expressions.push(value.clone().alias(target));
            }
            self.metadata.remove(target);
            self.delimiters.remove(target);
        }
        expressions.extend(protected);
        self.project(expressions)
    }

    /// Keeps these columns, in this order, with these names; the hidden ones stay.
    pub fn select(&mut self, columns: Vec<(String, Expr)>) -> Result<()> {
        let kept = |name: &str| {
            columns.iter().any(|(target, value)| target == name && matches!(value, Expr::Column(c) if c.name == name))
        };
        let protected = self.protect(|name| !is_hidden(name) && !kept(name));
        let hidden: Vec<Expr> =
            self.columns().map(|f| f.name()).filter(|name| is_hidden(name)).map(|n| column(n)).collect();
        self.metadata.retain(|name, _| kept(name));
        self.delimiters.retain(|name, _| kept(name));
        let mut expressions: Vec<Expr> = columns.into_iter().map(|(target, value)| value.alias(target)).collect();
        expressions.extend(hidden);
        expressions.extend(protected);
        self.project(expressions)
    }

    fn project(&mut self, expressions: Vec<Expr>) -> Result<()> {
        let expressions = expressions.into_iter().map(without_needless_alias).collect();
        self.grow(|input| nodes::project(input, expressions))
    }

    /// Hidden copies of the ordering columns that are about to change.
    fn protect(&mut self, changes: impl Fn(&str) -> bool) -> Vec<Expr> {
        let mut copies = Vec::new();
        for key in &mut self.order {
            if changes(&key.column) {
                let hidden = format!("{HIDDEN}{}", self.hidden);
                self.hidden += 1;
                copies.push(column(&key.column).alias(&hidden));
                key.column = hidden;
            }
        }
        copies
    }

    /// Puts keys before the present order. Each is an expression over the present columns.
    pub fn order_by(&mut self, keys: Vec<(Expr, bool)>) -> Result<()> {
        let mut order = Vec::new();
        let mut computed = Vec::new();
        for (key, descending) in keys {
            match key {
                Expr::Column(existing) => order.push(OrderKey { column: existing.name, descending }),
                other => {
                    let hidden = format!("{HIDDEN}{}", self.hidden);
                    self.hidden += 1;
                    computed.push((hidden.clone(), other));
                    order.push(OrderKey { column: hidden, descending });
                }
            }
        }
        if !computed.is_empty() {
            self.set(computed)?;
        }
        for key in std::mem::take(&mut self.order) {
            if !order.iter().any(|known| known.column == key.column) {
                order.push(key);
            }
        }
        self.order = order;
        Ok(())
    }

    /// Puts rows between which the other keys leave it open in the order in which they were read or made, or in the
    /// opposite order.
    pub fn as_read(&mut self, opposite: bool) {
        for key in &mut self.order {
            if key.column == SERIAL {
                key.descending = opposite;
            }
        }
    }

    /// Turns the order of the rows around.
    pub fn reverse(&mut self) -> Result<()> {
        let (mut order, mut missing) = (Vec::new(), Vec::new());
        for OrderKey { column: name, descending } in std::mem::take(&mut self.order) {
            // Missing values come last in both directions; where there may be some, being missing is a key too.
            if self.columns().any(|field| *field.name() == name && field.is_nullable()) {
                let hidden = self.hidden_name();
                missing.push((hidden.clone(), column(&name).is_null()));
                order.push(OrderKey { column: hidden, descending: true });
            }
            order.push(OrderKey { column: name, descending: !descending });
        }
        if !missing.is_empty() {
            self.set(missing)?;
        }
        self.order = order;
        Ok(())
    }

    /// Puts rows after all others. `more` makes them from the present rows: a plan with the same columns.
    pub fn append(&mut self, more: impl FnOnce(&LogicalPlan) -> Result<LogicalPlan>) -> Result<()> {
        let part = self.hidden_name();
        let some = |plan: &LogicalPlan, otherwise: Expr| {
            plan.schema().fields().first().map_or(otherwise, |field| column(field.name()))
        };
        let first = opaque(lit(0_i64), some(&self.plan, lit(0_i64)), &part);
        self.set(vec![(part.clone(), first)])?;
        let added = more(&self.plan)?;
        let any = some(&added, lit(1_i64));
        let columns: Vec<Expr> = added
            .schema()
            .fields()
            .iter()
            .map(|field| match field.name() {
                name if *name == part => opaque(lit(1_i64), any.clone(), name).alias(name),
                name if is_hidden(name) => opaque(column(name), any.clone(), name).alias(name),
                name => column(name),
            })
            .collect();
        let added = nodes::project(Arc::new(added), columns)?;
        self.plan = LogicalPlanBuilder::new(self.plan.clone()).union(added)?.build()?;
        self.order.insert(0, OrderKey { column: part, descending: false });
        self.events = false;
        self.numbered = false;
        Ok(())
    }

    /// Orders by a column what the present order leaves open.
    pub fn order_within(&mut self, column: String) {
        self.order.push(OrderKey { column, descending: false });
    }

    /// Keeps the first rows in the present order.
    pub fn limit(&mut self, rows: usize) -> Result<()> {
        let sort = self.sort_expressions();
        // Of no rows the order does not matter, and DataFusion has no first none of sorted rows.
        self.grow(|input| match sort.is_empty() || rows == 0 {
            true => LogicalPlanBuilder::from(input).limit(0, Some(rows))?.build(),
            false => nodes::sort(input, sort, Some(rows)),
        })
    }

    /// Replaces the plan by one whose rows have another order; fields and order of before are gone.
    pub fn replace(&mut self, plan: LogicalPlan, order: Vec<OrderKey>) {
        self.plan = plan;
        self.order = order;
        self.events = false;
        self.numbered = false;
        self.metadata.clear();
        self.delimiters.clear();
        self.formats.clear();
        self.spans = None;
    }

    /// Replaces the plan by one that has all of its columns and keeps its order.
    pub fn extend(&mut self, plan: LogicalPlan) {
        self.plan = plan;
    }

    /// A name for a hidden column that is not in use.
    pub fn hidden_name(&mut self) -> String {
        let name = format!("{HIDDEN}{}", self.hidden);
        self.hidden += 1;
        name
    }

    /// Takes away hidden columns that nothing is made of any more.
    pub fn forget(&mut self, names: &[String]) -> Result<()> {
        let kept = self.columns().map(|field| field.name()).filter(|name| !names.contains(name));
        let kept = kept.map(|name| column(name)).collect();
        self.project(kept)
    }

    /// The finished plan: sorted, without hidden columns.
    pub fn finish(self) -> Result<LogicalPlan> {
        self.finished(false)
    }

    /// The finished plan, and for events their serial numbers.
    pub fn finish_numbered(self) -> Result<LogicalPlan> {
        let numbered = self.events;
        self.finished(numbered)
    }

    /// The finished plan, and the serial number of the event that each row comes from, where it comes from one.
    pub fn finish_traced(self) -> Result<LogicalPlan> {
        let numbered = self.numbered;
        self.finished(numbered)
    }

    /// All rows in no order, with the columns that only a [`super::trace::Tracer`] knows.
    pub fn finish_judged(self) -> Result<LogicalPlan> {
        let hidden: Vec<Expr> =
            self.columns().map(|field| field.name()).filter(|name| is_hidden(name)).map(|name| column(name)).collect();
        nodes::project(Arc::new(self.plan), hidden)
    }

    fn finished(mut self, numbered: bool) -> Result<LogicalPlan> {
        let sort = self.sort_expressions();
        let sorted = matches!(&self.plan, LogicalPlan::Sort(last) if last.expr == sort);
        if !sort.is_empty() && !sorted {
            self.plan = nodes::sort(Arc::new(self.plan), sort, None)?;
        }
        // Events carry the path of their file; it shows where the query asks for it.
        let shown = |name: &&String| !(self.events && *name == "_file");
        let mut visible: Vec<Expr> = self.fields().iter().filter(shown).map(|name| column(name)).collect();
        if numbered && self.columns().any(|field| field.name() == SERIAL) {
            visible.push(column(SERIAL).alias(super::events::STORED_SERIAL));
        }
        nodes::project(Arc::new(self.plan), visible)
    }
}

/// The name of a hidden column for something that has a name.
pub fn hidden(name: &str) -> String {
    format!("{HIDDEN}{name}")
}

/// Whether the column is none of the user's.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN)
}

fn without_needless_alias(expression: Expr) -> Expr {
    match expression {
        Expr::Alias(alias) => match alias.expr.as_ref() {
            Expr::Column(column) if column.relation.is_none() && column.name == alias.name => *alias.expr,
            _ => Expr::Alias(alias),
        },
        other => other,
    }
}

/// The names that fit a pattern with `*` wildcards, letter case counting.
pub fn matching<'n>(pattern: &str, names: &'n [String]) -> Vec<&'n String> {
    if !pattern.contains('*') {
        return names.iter().filter(|name| *name == pattern).collect();
    }
    let Ok(wildcard) = crate::functions::wildcard::Wildcard::same_case(pattern) else { return Vec::new() };
    let internal = pattern.starts_with('_');
    names.iter().filter(|name| (internal || !name.starts_with('_')) && wildcard.matches(name)).collect()
}
