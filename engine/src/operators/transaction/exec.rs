//! How transactions are found: the node of the physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Int32Type, SchemaRef, TimestampMicrosecondType};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, OrderingRequirements};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements, Partitioning,
    PhysicalExpr, PlanProperties,
};
use futures::StreamExt;

use super::Specification;
use super::pool::{Event, Key, Outcome, Pool, Transaction};
use super::rendering::Renderer;
use super::rows::{Place, Rows, relocate};
use crate::operators::running::is_true;
use crate::values::Value;

/// So many rows of the result are given on at once.
const BATCH_ROWS: usize = 1_024;

/// The node of the physical plan.
#[derive(Debug)]
pub struct TransactionExec {
    input: Arc<dyn ExecutionPlan>,
    order: Option<LexOrdering>,
    specification: Arc<Specification>,
    properties: Arc<PlanProperties>,
}

impl TransactionExec {
    /// Over the rows of an input that come in that order.
    pub fn new(input: Arc<dyn ExecutionPlan>, order: Option<LexOrdering>, specification: Arc<Specification>) -> Self {
        let schema = Arc::new(specification.schema(&input.schema()));
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { input, order, specification, properties }
    }
}

impl DisplayAs for TransactionExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionExec: {}", self.specification)
    }
}

impl ExecutionPlan for TransactionExec {
    fn name(&self) -> &str {
        "TransactionExec"
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

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return exec_err!("TransactionExec has one input") };
        Ok(Arc::new(Self::new(input, self.order.clone(), Arc::clone(&self.specification))))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let schema = Arc::clone(self.properties.eq_properties.schema());
        let reservation = MemoryConsumer::new("transaction").register(context.memory_pool());
        let mut state = State::new(Arc::clone(&self.specification), Arc::clone(&schema), reservation);
        let batches = input.map(Some).chain(futures::stream::once(async { None }));
        let output = batches.filter_map(move |batch| {
            let made = match batch {
                Some(Ok(batch)) => state.batch(&batch),
                Some(Err(error)) => Err(error),
                None => state.end(),
            };
            futures::future::ready(made.transpose())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output.boxed())))
    }
}

/// What has been seen so far.
struct State {
    specification: Arc<Specification>,
    pool: Pool,
    rows: Rows,
    renderer: Renderer,
    reservation: MemoryReservation,
    /// How many events have been seen.
    seen: u64,
}

impl State {
    fn new(specification: Arc<Specification>, schema: SchemaRef, reservation: MemoryReservation) -> Self {
        Self {
            pool: Pool::new(Arc::clone(&specification)),
            rows: Rows::default(),
            renderer: Renderer::new(Arc::clone(&specification), schema),
            reservation,
            specification,
            seen: 0,
        }
    }

    /// Looks at more events, and gives the rows that are finished, if there are enough of them.
    fn batch(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let columns = self.renderer.sources().map(|name| of(batch, name).map(Arc::clone)).collect::<Result<_>>()?;
        let number = self.rows.add(columns, batch.num_rows());
        let Some(times) = of(batch, "_time")?.as_primitive_opt::<TimestampMicrosecondType>() else {
            return exec_err!("`transaction` needs times in `_time`");
        };
        let flag = |name: &Option<String>| name.as_ref().map(|name| flags(batch, name)).transpose();
        let (starts, ends) = (flag(&self.specification.starts)?, flag(&self.specification.ends)?);
        let mut keys = Vec::new();
        for name in &self.specification.fields {
            keys.push(values(of(batch, name)?));
        }
        for row in 0..batch.num_rows() {
            let place = self.rows.hold(number, row);
            self.event(row, place, times, &keys, [&starts, &ends]);
            self.settle();
        }
        self.tidy()?;
        if self.renderer.size().0 < BATCH_ROWS { Ok(None) } else { self.renderer.batch().map(Some) }
    }

    fn event(
        &mut self,
        row: usize,
        place: Place,
        times: &TimestampMicrosecondArray,
        keys: &[Vec<Option<Arc<str>>>],
        [starts, ends]: [&Option<BooleanArray>; 2],
    ) {
        let number = self.seen;
        self.seen = self.seen.saturating_add(1);
        if times.is_null(row) {
            return self.pool.orphan(number, place);
        }
        let key: Key = keys.iter().map(|column| column.get(row).cloned().flatten()).collect();
        let holds = |flags: &Option<BooleanArray>| flags.as_ref().is_some_and(|flags| is_true(flags, row));
        let time = times.value(row);
        self.pool.add(Event { number, place, time, key, starts: holds(starts), ends: holds(ends) });
    }

    /// Makes rows of what is finished.
    fn settle(&mut self) {
        for outcome in self.pool.outcomes() {
            match outcome {
                Outcome::Finished(transaction, closed) => {
                    self.renderer.transaction(&transaction, closed, &self.rows);
                    self.rows.release(&transaction.events);
                }
                Outcome::Orphans(events) => {
                    for (number, place) in events {
                        self.renderer.orphan(number, place, &self.rows);
                        self.rows.release(&[place]);
                    }
                }
                Outcome::Dropped(places) => self.rows.release(&places),
            }
        }
    }

    /// Drops rows that nothing needs any more, and accounts for the others.
    fn tidy(&mut self) -> Result<()> {
        let moved = self.rows.tidy(|| Box::new(self.pool.places()))?;
        if !moved.is_empty() {
            relocate(&moved, self.pool.places_mut());
        }
        let (open, events) = self.pool.size();
        // A transaction is in several indices, with its values.
        let open = open.saturating_mul(size_of::<Transaction>().saturating_add(512));
        let events = events.saturating_mul(size_of::<Place>());
        let bytes = [self.rows.bytes(), open, events, self.renderer.size().1];
        self.reservation.try_resize(bytes.into_iter().fold(0, usize::saturating_add))
    }

    /// The rest.
    fn end(&mut self) -> Result<Option<RecordBatch>> {
        self.pool.end();
        self.settle();
        self.reservation.free();
        self.renderer.batch().map(Some)
    }
}

fn of<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    match batch.column_by_name(name) {
        Some(column) => Ok(column),
        None => exec_err!("the column {name:?} is missing"),
    }
}

fn flags(batch: &RecordBatch, name: &str) -> Result<BooleanArray> {
    match of(batch, name)?.as_boolean_opt() {
        Some(flags) => Ok(flags.clone()),
        None => exec_err!("a condition of `transaction` is no truth value"),
    }
}

/// The texts of a column. Each value of a dictionary is read once.
fn values(column: &ArrayRef) -> Vec<Option<Arc<str>>> {
    if let DataType::Dictionary(..) = column.data_type()
        && let Some(dictionary) = column.as_dictionary_opt::<Int32Type>()
        && dictionary.values().len() <= dictionary.len()
    {
        let texts = values(dictionary.values());
        return (0..dictionary.len()).map(|row| texts.get(dictionary.key(row)?).cloned().flatten()).collect();
    }
    let text = |row| match Value::read(column.as_ref(), row).texts().as_slice() {
        [] => None,
        [text] => Some(Arc::from(text.as_ref())),
        several => Some(Arc::from(several.join("\n"))),
    };
    (0..column.len()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{Field, Schema};
    use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};

    use super::super::{Limits, Manner, Rendering};
    use super::*;
    use crate::values::time_type;

    fn state(open_events: usize, memory: usize) -> State {
        let limits = Limits { span: None, pause: None, events: None, open: 5_000, open_events };
        let manner =
            Manner { connected: true, unify_ends: true, keep_evicted: false, keep_orphans: false, unconditional: true };
        let specification = Arc::new(Specification {
            fields: vec!["id".into()],
            starts: None,
            ends: None,
            limits,
            manner,
            columns: vec![("_time".into(), Rendering::Time), ("text".into(), Rendering::Distinct)],
            gap: "NULL".into(),
            lines: false,
            number: "number".into(),
            order: Vec::new(),
            evicted: Default::default(),
        });
        let schema = Arc::new(specification.schema(&batch(0, 0).schema()));
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(memory));
        State::new(specification, schema, MemoryConsumer::new("transaction").register(&pool))
    }

    /// Rows of 100 bytes, each with an `id` of its own every `step` rows.
    fn batch(start: i64, step: usize) -> RecordBatch {
        let rows = if step == 0 { 0 } else { 8_192 };
        let times = TimestampMicrosecondArray::from_iter_values((0..rows).map(|row| -start - row)).with_timezone("UTC");
        let ids = Int64Array::from_iter_values((0..rows).map(|row| (start + row) / step.max(1) as i64));
        let texts = StringArray::from_iter_values((0..rows).map(|row| format!("{:0100}", start + row)));
        let schema = Schema::new(vec![
            Field::new("_time", time_type(), true),
            Field::new("id", DataType::Int64, true),
            Field::new("text", DataType::Utf8, true),
        ]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(times), Arc::new(ids), Arc::new(texts)]).unwrap()
    }

    #[test]
    fn memory_follows_the_open_transactions() {
        let mut state = state(10_000, 16 << 20);
        let mut rows = 0;
        for round in 0..100 {
            rows += state.batch(&batch(round * 8_192, 2)).unwrap().map_or(0, |batch| batch.num_rows());
        }
        rows += state.end().unwrap().unwrap().num_rows();
        assert_eq!(rows, 100 * 8_192 / 2);
    }

    #[test]
    fn too_little_memory_is_an_error_that_names_the_command() {
        let mut state = state(1_000_000, 4 << 20);
        let failed = (0..100).find_map(|round| state.batch(&batch(round * 8_192, 1 << 20)).err()).unwrap();
        assert!(failed.to_string().contains("transaction"), "{failed}");
    }
}
