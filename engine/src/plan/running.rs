//! What `eventstats` and `streamstats` share: aggregates as new fields of every row.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, lit};
use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::stats::Aggregate;
use spelunk_grammar::spl::expression::{Expression, Name};

use super::aggregate::{self, Computed, Manner};
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, existing, stats};
use crate::operators::running::{Running, Scope, Specification};

/// What a row in which a BY field is missing has in the new fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ungrouped {
    /// Nothing.
    Null,
    /// What it had before.
    Unchanged,
}

/// The aggregates of the command at hand.
pub struct Aggregates<'c> {
    computed: Vec<Computed>,
    by: Vec<String>,
    /// A BY field that no row has: no row belongs to a group.
    groupless: bool,
    span: Span,
    names: &'c [Name],
}

/// Plans the aggregates.
pub fn aggregates<'c>(
    frame: &Frame,
    aggregates: &[Aggregate],
    by: &'c [Name],
    allnum: bool,
) -> PlanResult<Aggregates<'c>> {
    let computed = stats::compute(frame, aggregates, by, Manner { in_order: true, allnum })?;
    let (mut present, mut groupless) = (Vec::new(), false);
    for field in by {
        stats::no_wildcard(field)?;
        match existing(frame, &field.text, field.span) {
            Some(_) if present.contains(&field.text) => {}
            Some(_) => present.push(field.text.clone()),
            None => groupless = !frame.open,
        }
    }
    let span = aggregates.first().map_or_else(Span::default, |first| first.span);
    Ok(Aggregates { computed, by: present, groupless, span, names: by })
}

impl Aggregates<'_> {
    /// A condition over a row and its new fields, as an expression over what the operator makes.
    ///
    /// # Errors
    /// What is wrong with the condition.
    pub fn condition(&self, frame: &Frame, condition: &Expression) -> PlanResult<Expr> {
        let mut probe = frame.clone();
        let specification = self.specification(frame, Scope::Whole);
        probe.extend(extension(frame, specification)?);
        probe.set(self.computed.iter().map(|computed| (computed.name.clone(), computed.result.clone())).collect())?;
        let planned = ExpressionPlanner::new(&probe).condition(condition)?;
        let results: HashMap<&str, &Expr> =
            self.computed.iter().map(|computed| (computed.name.as_str(), &computed.result)).collect();
        let replaced = planned.transform(|expression| {
            Ok(match &expression {
                Expr::Column(column) => match results.get(column.name.as_str()) {
                    Some(result) => Transformed::yes((*result).clone()),
                    None => Transformed::no(expression),
                },
                _ => Transformed::no(expression),
            })
        })?;
        Ok(replaced.data)
    }

    /// Adds the fields.
    ///
    /// # Errors
    /// What DataFusion refuses.
    pub fn add(self, frame: &mut Frame, scope: Scope, ungrouped: Ungrouped) -> PlanResult<()> {
        if self.groupless {
            return self.add_nothing(frame, ungrouped);
        }
        let specification = self.specification(frame, scope);
        let plan = extension(frame, specification)?;
        frame.extend(plan);
        // The results get columns of their own first, so that their types are known.
        let results: Vec<(String, Expr, String)> =
            self.computed.into_iter().map(|computed| (frame.hidden_name(), computed.result, computed.name)).collect();
        frame.set(results.iter().map(|(hidden, result, _)| (hidden.clone(), result.clone())).collect())?;
        let grouped =
            self.by.iter().map(|name| column(name).is_not_null()).reduce(Expr::and).unwrap_or_else(|| lit(true));
        let mut assignments = Vec::new();
        for (hidden, _, name) in results {
            let data_type = frame.plan().schema().field_with_unqualified_name(&hidden)?.data_type().clone();
            let result = Typed::new(column(&hidden), Kind::of(&data_type), self.span);
            let value = match self.by.is_empty() {
                true => result.expr,
                false => {
                    let before = match frame.data_type(&name) {
                        Some(before) if ungrouped == Ungrouped::Unchanged => {
                            Typed::new(column(&name), Kind::of(&before), self.span)
                        }
                        _ => Typed::null(self.span),
                    };
                    let planner = ExpressionPlanner::new(frame);
                    planner.choice(vec![(grouped.clone(), result)], Some(before), self.span).expr
                }
            };
            assignments.push((name, value));
        }
        frame.set(assignments)?;
        let kept = frame.fields().into_iter().filter(|name| !aggregate::is_hidden(name));
        let kept = kept.map(|name| (name.clone(), column(&name))).collect();
        frame.select(kept)?;
        Ok(())
    }

    fn add_nothing(self, frame: &mut Frame, ungrouped: Ungrouped) -> PlanResult<()> {
        let span = self.names.first().map_or(self.span, |name| name.span);
        let missing = self
            .computed
            .into_iter()
            .filter(|computed| ungrouped == Ungrouped::Null || frame.data_type(&computed.name).is_none())
            .map(|computed| (computed.name, Typed::null(span).expr))
            .collect();
        frame.set(missing)?;
        Ok(())
    }

    fn specification(&self, frame: &Frame, scope: Scope) -> Specification {
        let aggregates = self.computed.iter().flat_map(|computed| &computed.aggregates);
        let named = aggregates.map(|aggregate| match aggregate {
            Expr::Alias(alias) => (alias.name.clone(), alias.expr.as_ref().clone()),
            other => (other.schema_name().to_string(), other.clone()),
        });
        Specification { aggregates: named.collect(), by: self.by.clone(), order: frame.sort_expressions(), scope }
    }
}

fn extension(frame: &Frame, specification: Specification) -> PlanResult<LogicalPlan> {
    let node = Arc::new(Running::new(frame.plan().clone(), specification)?);
    Ok(LogicalPlan::Extension(Extension { node }))
}
