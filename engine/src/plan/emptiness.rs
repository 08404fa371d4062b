//! Whether a plan gives no rows, told from the conditions next to the events alone.
//!
//! Of a pack of detections most find nothing, and DataFusion would optimize and lay out the whole plan of each to see
//! it. Many commands give no rows of no rows. Where all above the first conditions is such, these are asked first,
//! with the few columns that they name; only a plan that something passes into is worth the rest.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use futures::StreamExt;

use super::frame::column;
use crate::operators::{leading::Leading, running::Running, transaction::Transactions};
use crate::watch::Watch;
use crate::watch::exec::watched;

/// A condition with more nodes is left out: put in terms of the events' own columns, conditions multiply.
const LARGEST: usize = 512;

/// Whether the plan certainly gives no rows. What cannot be told is no.
///
/// # Errors
/// DataFusion's own, while conditions are looked at.
pub(crate) async fn is_certain(plan: &LogicalPlan, state: &SessionState, watch: &Arc<Watch>) -> Result<bool> {
    let Some(decisive) = decisive(plan) else { return Ok(false) };
    for selection in decisive {
        if !selection.finds_nothing(state, watch).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The parts of a plan that are next to its tables, all of which are empty only if the plan is; `None` if it may give
/// rows nevertheless.
fn decisive(plan: &LogicalPlan) -> Option<Vec<Selection<'_>>> {
    if let Some(selection) = Selection::of(plan) {
        return Some(vec![selection]);
    }
    match plan {
        LogicalPlan::EmptyRelation(relation) if !relation.produce_one_row => Some(Vec::new()),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Distinct(_) => decisive(plan.inputs().first()?),
        LogicalPlan::Aggregate(aggregate) => {
            // Without groups, or with sets of them, there is a row for no rows.
            let grouped = !aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)));
            (grouped && !aggregate.group_expr.is_empty()).then(|| decisive(&aggregate.input)).flatten()
        }
        LogicalPlan::Union(union) => {
            let inputs = union.inputs.iter().map(|input| decisive(input)).collect::<Option<Vec<_>>>()?;
            Some(inputs.into_iter().flatten().collect())
        }
        LogicalPlan::Join(join) => match join.join_type {
            JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => {
                decisive(&join.left).or_else(|| decisive(&join.right))
            }
            JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => decisive(&join.left),
            JoinType::Right | JoinType::RightAnti | JoinType::RightMark => decisive(&join.right),
            JoinType::Full => {
                let (mut left, right) = (decisive(&join.left)?, decisive(&join.right)?);
                left.extend(right);
                Some(left)
            }
        },
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any();
            let known = node.is::<Leading>() || node.is::<Running>() || node.is::<Transactions>();
            known.then(|| plan.inputs().first().and_then(|input| decisive(input))).flatten()
        }
        _ => None,
    }
}

/// Conditions on the columns of a table.
struct Selection<'p> {
    scan: &'p TableScan,
    /// All have to be true; those nearest to the table first.
    conditions: Vec<Expr>,
}

impl<'p> Selection<'p> {
    /// Of a plan that only computes columns of a table and filters by them.
    fn of(plan: &'p LogicalPlan) -> Option<Self> {
        let mut conditions: Vec<Expr> = Vec::new();
        let mut node = plan;
        let scan = loop {
            node = match node {
                LogicalPlan::Filter(filter) => {
                    conditions.push(filter.predicate.clone());
                    &filter.input
                }
                LogicalPlan::Projection(projection) => {
                    let names = projection.schema.fields().iter().map(|field| field.name().as_str());
                    let made: HashMap<&str, &Expr> = names.zip(&projection.expr).collect();
                    // Fewer conditions leave more rows, so what is left out makes nothing wrong.
                    conditions = conditions.into_iter().filter_map(|condition| written_out(condition, &made)).collect();
                    &projection.input
                }
                LogicalPlan::TableScan(scan) => break scan,
                _ => return None,
            };
        };
        conditions.reverse();
        let unqualified = conditions.into_iter().filter(|condition| !condition.is_volatile()).filter_map(unqualified);
        let conditions: Vec<Expr> = unqualified.collect();
        (!conditions.is_empty()).then_some(Self { scan, conditions })
    }

    async fn finds_nothing(self, state: &SessionState, watch: &Arc<Watch>) -> Result<bool> {
        let provider = source_as_provider(&self.scan.source)?;
        let schema = provider.schema();
        let mut named: BTreeSet<usize> = BTreeSet::new();
        for condition in &self.conditions {
            for column in condition.column_refs() {
                named.insert(schema.index_of(&column.name)?);
            }
        }
        let columns: Vec<usize> = named.into_iter().collect();
        let narrow: Schema = schema.project(&columns)?;
        let narrow = Arc::new(DFSchema::try_from(narrow)?);
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&narrow))
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        let simplifier = ExprSimplifier::new(context);
        let mut conditions = Vec::new();
        for condition in self.conditions {
            let condition = simplifier.simplify(simplifier.coerce(condition, &narrow)?)?;
            if let Expr::Literal(ScalarValue::Boolean(truth), _) = &condition {
                match truth {
                    Some(true) => continue,
                    Some(false) | None => return Ok(true),
                }
            }
            conditions.extend(split_conjunction_owned(condition));
        }
        let Some(all) = conditions.iter().cloned().reduce(Expr::and) else { return Ok(false) };
        let condition = state.create_physical_expr(all, &narrow)?;
        let rows = watched(provider.scan(state, Some(&columns), &conditions, None).await?, watch, false)?;
        let found = any(rows, condition, state).await?;
        // A scan that was ended says nothing of the events behind.
        Ok(!found && !watch.has_ended() && !watch.stops())
    }
}

/// Whether the condition is true of some row.
async fn any(rows: Arc<dyn ExecutionPlan>, condition: Arc<dyn PhysicalExpr>, state: &SessionState) -> Result<bool> {
    let context = Arc::new(TaskContext::from(state));
    for partition in 0..rows.properties().output_partitioning().partition_count() {
        let mut stream = rows.execute(partition, Arc::clone(&context))?;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let truth = condition.evaluate(&batch)?.into_array(batch.num_rows())?;
            if truth.as_boolean_opt().is_none_or(|truth| truth.true_count() > 0) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A condition with what makes its columns in their place; `None` if it gets too large.
fn written_out(condition: Expr, made: &HashMap<&str, &Expr>) -> Option<Expr> {
    let replaced = condition.transform_up(|part| match &part {
        Expr::Column(Column { name, .. }) => Ok(match made.get(name.as_str()) {
            Some(expression) => Transformed::yes((*expression).clone().unalias()),
            None => Transformed::no(part),
        }),
        _ => Ok(Transformed::no(part)),
    });
    let condition = replaced.ok()?.data;
    let mut nodes: usize = 0;
    let counted = condition.apply(|_| {
        nodes = nodes.saturating_add(1);
        Ok(if nodes > LARGEST { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    (counted.is_ok() && nodes <= LARGEST).then_some(condition)
}

/// A condition on the columns of one table by their names alone.
fn unqualified(condition: Expr) -> Option<Expr> {
    let named = condition.transform_up(|part| match part {
        Expr::Column(Column { name, relation: Some(_), .. }) => Ok(Transformed::yes(column(&name))),
        other => Ok(Transformed::no(other)),
    });
    named.ok().map(|named| named.data)
}
