//! The operator of `eventstats` and `streamstats`: adds aggregates to every row, and keeps the rows.
//!
//! The rows come in one partition, in their order. DataFusion's accumulators do the counting, so that a
//! statistical function means the same here as in `stats`; which rows they see is decided in [`super::whole`]
//! and [`super::stream`].

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, Result, exec_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::aggregate::{AggregateFunctionExpr, LoweredAggregateBuilder};
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, create_physical_expr, create_physical_sort_exprs,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, Partitioning,
    PhysicalExpr, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};

use super::{stream, whole};
use crate::values::Value;

/// What is computed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Specification {
    /// The new columns: their names and the aggregates.
    pub aggregates: Vec<(String, Expr)>,
    /// The columns that make a group. A row in which one is null gets nothing.
    pub by: Vec<String>,
    /// The order in which the rows come.
    pub order: Vec<Sort>,
    /// Which rows an aggregate sees.
    pub scope: Scope,
}

/// Which rows an aggregate sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All rows of the group.
    Whole,
    /// The rows of the group so far.
    Stream(Box<Stream>),
}

/// Which of the rows so far an aggregate sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The row itself too.
    pub current: bool,
    /// The last so many rows only.
    pub window: Option<usize>,
    /// The window counts the rows of all groups.
    pub global: bool,
    /// The rows of the last so many microseconds only, by the column `_time`.
    pub time_window: Option<i64>,
    /// The rows since the group last changed only.
    pub reset_on_change: bool,
    /// The rows since this was last true only, that row included. Over the columns of the input.
    pub reset_before: Option<Expr>,
    /// The rows since this was last true only, that row excluded. Over the columns of the input and the new ones.
    pub reset_after: Option<Expr>,
}

/// The node of the logical plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Running {
    input: LogicalPlan,
    specification: Arc<Specification>,
    schema: DFSchemaRef,
}

impl PartialOrd for Running {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input).filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl Running {
    /// Over the rows of a plan.
    ///
    /// # Errors
    /// An expression whose types do not fit.
    pub fn new(input: LogicalPlan, mut specification: Specification) -> Result<Self> {
        for (_, aggregate) in &mut specification.aggregates {
            *aggregate = coerced(aggregate.clone(), input.schema())?;
        }
        let schema = extended(&input, &specification)?;
        if let Scope::Stream(stream) = &mut specification.scope {
            if let Some(condition) = stream.reset_before.take() {
                stream.reset_before = Some(coerced(condition, input.schema())?);
            }
            if let Some(condition) = stream.reset_after.take() {
                stream.reset_after = Some(coerced(condition, &schema)?);
            }
        }
        Ok(Self { input, specification: Arc::new(specification), schema })
    }

    /// The columns of the input that it looks at.
    fn columns(&self) -> BTreeSet<String> {
        let Specification { aggregates, by, order, scope } = self.specification.as_ref();
        let mut expressions: Vec<&Expr> = aggregates.iter().map(|(_, aggregate)| aggregate).collect();
        expressions.extend(order.iter().map(|key| &key.expr));
        let mut names: BTreeSet<String> = by.iter().cloned().collect();
        if let Scope::Stream(stream) = scope {
            expressions.extend(stream.reset_before.iter().chain(&stream.reset_after));
            if stream.time_window.is_some() {
                names.insert("_time".into());
            }
        }
        names.extend(expressions.into_iter().flat_map(Expr::column_refs).map(|column| column.name.clone()));
        names
    }

    /// The node of the physical plan.
    ///
    /// # Errors
    /// An aggregate that cannot be computed.
    pub fn execution(&self, input: Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let properties = session.execution_props();
        let context = PhysicalPlanningContext::default();
        let (logical, physical) = (self.input.schema(), input.schema());
        let mut aggregates = Vec::new();
        for (name, aggregate) in &self.specification.aggregates {
            let lowered = LoweredAggregateBuilder::new(aggregate, logical, &physical, properties, &context)
                .with_name(name)
                .build()?;
            aggregates.push(Lowered { aggregate: lowered.aggregate, filter: lowered.filter });
        }
        let condition = |condition: Option<&Expr>, schema: &DFSchema| {
            condition.map(|condition| create_physical_expr(condition, schema, properties, &context)).transpose()
        };
        let (reset_before, reset_after) = match &self.specification.scope {
            Scope::Whole => (None, None),
            Scope::Stream(stream) => (
                condition(stream.reset_before.as_ref(), logical)?,
                condition(stream.reset_after.as_ref(), &self.schema)?,
            ),
        };
        let mut fields: Vec<FieldRef> = physical.fields().iter().cloned().collect();
        fields.extend(aggregates.iter().map(|lowered| {
            let field = lowered.aggregate.field();
            Arc::new(Field::new(lowered.aggregate.name(), field.data_type().clone(), true))
        }));
        let order = create_physical_sort_exprs(&self.specification.order, logical, properties, &context)?;
        let computation = Computation {
            specification: Arc::clone(&self.specification),
            aggregates,
            reset_before,
            reset_after,
            schema: Arc::new(Schema::new(fields)),
        };
        Ok(Arc::new(RunningExec::new(input, LexOrdering::new(order), Arc::new(computation))))
    }
}

fn coerced(expression: Expr, schema: &DFSchemaRef) -> Result<Expr> {
    let context = SimplifyContext::builder().with_schema(Arc::clone(schema)).build();
    let simplifier = ExprSimplifier::new(context);
    let coerced = simplifier.coerce(expression, schema)?;
    // Some functions, such as `coalesce`, are only there to be simplified, and the optimizer does not do it here.
    let simplified = coerced.transform_down(|part| match part {
        Expr::AggregateFunction(_) | Expr::Alias(_) => Ok(Transformed::no(part)),
        other => Ok(Transformed::new(simplifier.simplify(other)?, true, TreeNodeRecursion::Jump)),
    })?;
    Ok(simplified.data)
}

/// The columns of the input, then the new ones.
fn extended(input: &LogicalPlan, specification: &Specification) -> Result<DFSchemaRef> {
    let schema = input.schema();
    let mut fields: Vec<_> = schema.iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
    for (name, aggregate) in &specification.aggregates {
        fields.push((None, Arc::new(Field::new(name, aggregate.get_type(schema.as_ref())?, true))));
    }
    Ok(Arc::new(DFSchema::new_with_metadata(fields, HashMap::new())?))
}

impl UserDefinedLogicalNodeCore for Running {
    fn name(&self) -> &str {
        "Running"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// None: they are coerced here, and mean columns by name, so no rule of the optimizer has to see them.
    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.specification)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return exec_err!("the node Running has one input") };
        // The optimizer may have narrowed the input.
        let schema = extended(&input, &self.specification)?;
        Ok(Self { input, specification: Arc::clone(&self.specification), schema })
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let wanted = self.columns();
        let fields = self.input.schema().fields().iter().enumerate();
        let kept = fields.filter(|(index, field)| output.contains(index) || wanted.contains(field.name()));
        Some(vec![kept.map(|(index, _)| index).collect()])
    }
}

impl fmt::Display for Specification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aggregates: Vec<String> = self.aggregates.iter().map(|(_, aggregate)| aggregate.to_string()).collect();
        write!(f, "Running: {} by=[{}]", aggregates.join(", "), self.by.join(", "))?;
        let Scope::Stream(stream) = &self.scope else { return f.write_str(" whole") };
        let Stream { current, window, global, time_window, reset_on_change, reset_before, reset_after } = &**stream;
        write!(f, " current={current} global={global} reset_on_change={reset_on_change}")?;
        window.map_or(Ok(()), |window| write!(f, " window={window}"))?;
        time_window.map_or(Ok(()), |window| write!(f, " time_window={window}us"))?;
        reset_before.as_ref().map_or(Ok(()), |condition| write!(f, " reset_before={condition}"))?;
        reset_after.as_ref().map_or(Ok(()), |condition| write!(f, " reset_after={condition}"))
    }
}

/// What a running operator computes with.
#[derive(Debug)]
pub(super) struct Computation {
    pub specification: Arc<Specification>,
    pub aggregates: Vec<Lowered>,
    pub reset_before: Option<Arc<dyn PhysicalExpr>>,
    pub reset_after: Option<Arc<dyn PhysicalExpr>>,
    pub schema: SchemaRef,
}

/// An aggregate and the rows it counts.
#[derive(Debug)]
pub(super) struct Lowered {
    pub aggregate: Arc<AggregateFunctionExpr>,
    filter: Option<Arc<dyn PhysicalExpr>>,
}

impl Lowered {
    /// What its accumulator takes: the arguments, then what it orders by.
    pub fn values(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let order = self.aggregate.order_bys().iter().map(|key| Arc::clone(&key.expr));
        let expressions = self.aggregate.expressions().into_iter().chain(order);
        expressions.map(|expression| expression.evaluate(batch)?.into_array(batch.num_rows())).collect()
    }

    /// Which rows it counts; `None` for all.
    pub fn mask(&self, batch: &RecordBatch) -> Result<Option<BooleanArray>> {
        self.filter.as_ref().map(|filter| truth(filter, batch)).transpose()
    }

    pub fn data_type(&self) -> DataType {
        self.aggregate.field().data_type().clone()
    }
}

/// A condition for every row of a batch.
pub(super) fn truth(condition: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    let array = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    match array.as_boolean_opt() {
        Some(truth) => Ok(truth.clone()),
        None => exec_err!("a condition is no truth value"),
    }
}

/// Whether a condition is true in a row; null is not.
pub(super) fn is_true(truth: &BooleanArray, row: usize) -> bool {
    use arrow::array::Array;
    row < truth.len() && truth.is_valid(row) && truth.value(row)
}

impl Computation {
    /// The group of each row of a batch; `None` where a value is missing. Values are compared as text.
    pub fn keys(&self, batch: &RecordBatch) -> Result<Vec<Option<String>>> {
        let mut columns = Vec::new();
        for name in &self.specification.by {
            match batch.column_by_name(name) {
                Some(column) => columns.push((name, column)),
                None => return exec_err!("the column {name:?} is missing"),
            }
        }
        let mut keys = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut key = Some(String::new());
            for (name, column) in &columns {
                let value = Value::read(column.as_ref(), row);
                match (value.texts().as_slice(), &mut key) {
                    ([], _) => key = None,
                    ([text], Some(key)) => {
                        // The length keeps `ab`, `c` and `a`, `bc` apart.
                        key.push_str(&format!("{}:", text.len()));
                        key.push_str(text);
                    }
                    ([_], None) => {}
                    _ => return exec_err!("the BY field {name:?} has several values in a row; use one row for each"),
                }
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// A batch with the new columns.
    pub fn extend(&self, batch: &RecordBatch, new: Vec<ArrayRef>) -> Result<RecordBatch> {
        let columns = batch.columns().iter().cloned().chain(new).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// The node of the physical plan.
#[derive(Debug)]
struct RunningExec {
    input: Arc<dyn ExecutionPlan>,
    order: Option<LexOrdering>,
    computation: Arc<Computation>,
    properties: Arc<PlanProperties>,
}

impl RunningExec {
    fn new(input: Arc<dyn ExecutionPlan>, order: Option<LexOrdering>, computation: Arc<Computation>) -> Self {
        let emission = match computation.specification.scope {
            Scope::Whole => EmissionType::Final,
            Scope::Stream(_) => EmissionType::Incremental,
        };
        let properties = Arc::new(PlanProperties::new(
            // The columns of the input keep their places, and so the order keeps its meaning.
            EquivalenceProperties::new_with_orderings(Arc::clone(&computation.schema), order.clone()),
            Partitioning::UnknownPartitioning(1),
            emission,
            Boundedness::Bounded,
        ));
        Self { input, order, computation, properties }
    }
}

impl DisplayAs for RunningExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunningExec: {}", self.computation.specification)
    }
}

impl ExecutionPlan for RunningExec {
    fn name(&self) -> &str {
        "RunningExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.order.clone().map(OrderingRequirements::from)]
    }

    /// It does, as its properties say; but an order that is wanted above must not be moved below, where it would
    /// change which rows come before a row.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for condition in self.computation.reset_before.iter().chain(&self.computation.reset_after) {
            if visit(condition)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return exec_err!("RunningExec has one input") };
        Ok(Arc::new(Self::new(input, self.order.clone(), Arc::clone(&self.computation))))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let computation = Arc::clone(&self.computation);
        let schema = Arc::clone(&computation.schema);
        let output = match &self.computation.specification.scope {
            Scope::Whole => {
                let batches = whole::compute(computation, input, Arc::clone(context.memory_pool()));
                futures::stream::once(batches).try_flatten().boxed()
            }
            Scope::Stream(stream) => {
                let mut state = stream::State::new(computation, (**stream).clone());
                input.map(move |batch| state.batch(&batch?)).boxed()
            }
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }
}
