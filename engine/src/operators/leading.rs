//! The operator that thins out rows for `dedup`: of each combination of values it keeps rows that may be the first.
//!
//! Every partition keeps the first rows that it has seen; which of these are the first of all is decided by what
//! comes after. So it may give up at any time: when memory is short, or when nearly every row is the first of its
//! kind, it lets the rows pass.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{SortOptions, filter_record_batch, interleave_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{DFSchemaRef, Result, exec_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::{StreamExt, TryStreamExt};

use super::groups::{Groups, NONE};
use super::passing::{Passing, PassingExec};
use crate::memory::Sizes;

/// Rows of a result batch.
const BATCH: usize = 8_192;
/// How many rows are looked at before it shows whether thinning out is worth it.
const TRIAL: usize = 200_000;
/// How many rows that are no first ones any more are held.
const SLACK: usize = 32 * BATCH;

/// Which rows are kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct Choice {
    /// The columns whose values make a kind of row.
    pub keys: Vec<String>,
    /// The columns that order the rows, and whether from great to small. Missing values come last.
    pub order: Vec<(String, bool)>,
    /// How many rows of a kind.
    pub count: usize,
    /// Whether rows that lack one of the values are kept, all of them, rather than left out.
    pub keep_empty: bool,
}

/// The node of the logical plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd)]
pub struct Leading {
    input: LogicalPlan,
    choice: Choice,
}

impl Leading {
    /// Thins out the rows of a plan.
    pub fn new(input: LogicalPlan, choice: Choice) -> Self {
        Self { input, choice }
    }

    /// The node of the physical plan.
    pub fn execution(&self, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        LeadingExec::over(input, self.choice.clone())
    }
}

impl UserDefinedLogicalNodeCore for Leading {
    fn name(&self) -> &str {
        "Leading"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    /// None: the columns are named.
    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Leading: {}", self.choice)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return exec_err!("the node Leading has one input") };
        Ok(Self::new(input, self.choice.clone()))
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let used = |name: &String| self.choice.keys.contains(name) || self.choice.order.iter().any(|(n, _)| n == name);
        let fields = self.input.schema().fields().iter().enumerate();
        let kept = fields.filter(|(index, field)| output.contains(index) || used(field.name()));
        Some(vec![kept.map(|(index, _)| index).collect()])
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order: Vec<String> =
            self.order.iter().map(|(name, down)| format!("{}{name}", if *down { "-" } else { "" })).collect();
        write!(f, "{} of [{}] by [{}]", self.count, self.keys.join(", "), order.join(", "))?;
        if self.keep_empty { f.write_str(" keep_empty") } else { Ok(()) }
    }
}

/// The node of the physical plan, over a plan.
#[cfg(feature = "cluster")]
pub(crate) fn execution(input: Arc<dyn ExecutionPlan>, choice: Choice) -> Arc<dyn ExecutionPlan> {
    LeadingExec::over(input, choice)
}

/// Which rows an operator keeps, if it is this one.
#[cfg(feature = "cluster")]
pub(crate) fn choice(plan: &dyn ExecutionPlan) -> Option<&Choice> {
    plan.downcast_ref::<LeadingExec>().map(PassingExec::passing)
}

/// The node of the physical plan.
type LeadingExec = PassingExec<Choice>;

impl Passing for Choice {
    const NAME: &'static str = "LeadingExec";
    const KEEPS_ORDER: bool = false;

    fn properties(input: &Arc<dyn ExecutionPlan>) -> Arc<PlanProperties> {
        Arc::new(PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Both,
            Boundedness::Bounded,
        ))
    }

    fn described(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn execute(
        &self,
        input: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = input.execute(partition, Arc::clone(&context))?;
        let schema = input.schema();
        let held = MemoryConsumer::new("dedup").with_can_spill(true).register(context.memory_pool());
        let state = State::new(&schema, self, held)?;
        // The end of the input is a step of its own, in which the rows that were kept come out.
        let steps = input.map(Some).chain(futures::stream::iter([None]));
        let output = steps.scan(state, |state, step| {
            let step: Result<Vec<RecordBatch>> = match step {
                Some(batch) => batch.and_then(|batch| state.add(batch)),
                None => state.take(),
            };
            futures::future::ready(Some(step))
        });
        let output = output.map_ok(|batches| futures::stream::iter(batches.into_iter().map(Ok))).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, output)))
    }
}

/// A row that is held.
struct Entry {
    /// What orders it, as bytes that compare as the rows do.
    order: Vec<u8>,
    batch: usize,
    row: usize,
}

struct State {
    choice: Choice,
    keys: Vec<usize>,
    order: Vec<usize>,
    converter: RowConverter,
    groups: Groups,
    /// The rows that are held of each group, in order.
    kept: Vec<Vec<Entry>>,
    batches: Vec<RecordBatch>,
    /// How many rows `batches` have, and how many of these are kept.
    held_rows: usize,
    kept_rows: usize,
    seen: usize,
    passes: bool,
    sizes: Sizes,
    bytes: usize,
    reservation: MemoryReservation,
}

impl State {
    fn new(schema: &SchemaRef, choice: &Choice, reservation: MemoryReservation) -> Result<Self> {
        let keys: Vec<usize> =
            choice.keys.iter().map(|name| schema.index_of(name)).collect::<std::result::Result<_, _>>()?;
        let order: Vec<usize> =
            choice.order.iter().map(|(name, _)| schema.index_of(name)).collect::<std::result::Result<_, _>>()?;
        let fields = order.iter().zip(&choice.order).map(|(&index, (_, descending))| {
            let options = SortOptions { descending: *descending, nulls_first: false };
            SortField::new_with_options(schema.field(index).data_type().clone(), options)
        });
        Ok(Self {
            choice: choice.clone(),
            converter: RowConverter::new(fields.collect())?,
            groups: Groups::new(keys.iter().map(|&index| schema.field(index).data_type()))?,
            keys,
            order,
            kept: Vec::new(),
            batches: Vec::new(),
            held_rows: 0,
            kept_rows: 0,
            seen: 0,
            passes: false,
            sizes: Sizes::default(),
            bytes: 0,
            reservation,
        })
    }

    /// Takes a batch, and gives what need not wait.
    fn add(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        if self.passes || batch.num_rows() == 0 {
            return Ok(vec![batch]);
        }
        let column = |&index: &usize| Arc::clone(batch.column(index));
        let keys: Vec<ArrayRef> = self.keys.iter().map(column).collect();
        let order: Vec<ArrayRef> = self.order.iter().map(column).collect();
        let numbers = self.groups.of(&keys, batch.num_rows())?;
        let order = self.converter.convert_columns(&order)?;
        let mut output = Vec::new();
        if self.choice.keep_empty && numbers.contains(&NONE) {
            let empty: BooleanArray = numbers.iter().map(|&number| Some(number == NONE)).collect();
            output.push(filter_record_batch(&batch, &empty)?);
        }
        let position = self.batches.len();
        let mut used = false;
        for (row, &number) in numbers.iter().enumerate() {
            if number == NONE {
                continue;
            }
            let number = number as usize;
            if self.kept.len() <= number {
                self.kept.resize_with(number.saturating_add(1), Vec::new);
            }
            let Some(kept) = self.kept.get_mut(number) else { continue };
            let bytes = order.row(row);
            let bytes = bytes.as_ref();
            if kept.len() < self.choice.count {
                kept.push(Entry { order: bytes.to_vec(), batch: position, row });
                self.kept_rows = self.kept_rows.saturating_add(1);
            } else {
                match kept.last_mut() {
                    Some(last) if bytes < last.order.as_slice() => {
                        last.order.clear();
                        last.order.extend_from_slice(bytes);
                        (last.batch, last.row) = (position, row);
                    }
                    _ => continue,
                }
            }
            used = true;
            let mut at = kept.len().saturating_sub(1);
            while at > 0 && kept.get(at).map(|e| &e.order) < kept.get(at.saturating_sub(1)).map(|e| &e.order) {
                kept.swap(at, at.saturating_sub(1));
                at = at.saturating_sub(1);
            }
        }
        self.seen = self.seen.saturating_add(batch.num_rows());
        if used {
            self.held_rows = self.held_rows.saturating_add(batch.num_rows());
            self.bytes = self.bytes.saturating_add(self.sizes.add(&batch));
            self.batches.push(batch);
        }
        if self.held_rows > self.kept_rows.saturating_mul(2).saturating_add(SLACK) {
            self.compact()?;
        }
        let worthless = self.seen >= TRIAL && self.kept_rows > self.seen / 2;
        if worthless || self.account().is_err() {
            self.compact()?;
            if worthless || self.account().is_err() {
                self.passes = true;
                output.extend(self.take()?);
            }
        }
        Ok(output)
    }

    /// Asks for the memory that is held now.
    fn account(&self) -> Result<()> {
        let entry = size_of::<Entry>().saturating_add(size_of::<Vec<Entry>>()).saturating_add(32);
        let kept = self.kept_rows.saturating_mul(entry);
        self.reservation.try_resize(self.bytes.saturating_add(kept).saturating_add(self.groups.size()))
    }

    /// Lets go of the rows that are not kept any more.
    fn compact(&mut self) -> Result<()> {
        let batches = self.gather()?;
        let mut rows = (0..batches.len()).flat_map(|batch| {
            let rows = batches.get(batch).map_or(0, RecordBatch::num_rows);
            (0..rows).map(move |row| (batch, row))
        });
        for entry in self.kept.iter_mut().flatten() {
            if let Some((batch, row)) = rows.next() {
                (entry.batch, entry.row) = (batch, row);
            }
        }
        self.held_rows = self.kept_rows;
        self.sizes = Sizes::default();
        self.bytes = batches.iter().map(|batch| self.sizes.add(batch)).fold(0, usize::saturating_add);
        self.batches = batches;
        Ok(())
    }

    /// The rows that are kept, in the order of their groups.
    fn gather(&self) -> Result<Vec<RecordBatch>> {
        let all: Vec<(usize, usize)> = self.kept.iter().flatten().map(|entry| (entry.batch, entry.row)).collect();
        let mut gathered = Vec::new();
        for rows in all.chunks(BATCH) {
            // Only the batches that some row is in: the others' dictionaries need not be merged.
            let mut places = vec![usize::MAX; self.batches.len()];
            let mut batches: Vec<&RecordBatch> = Vec::new();
            let mut indices = Vec::with_capacity(rows.len());
            for &(batch, row) in rows {
                let (Some(place), Some(held)) = (places.get_mut(batch), self.batches.get(batch)) else { continue };
                if *place == usize::MAX {
                    *place = batches.len();
                    batches.push(held);
                }
                indices.push((*place, row));
            }
            gathered.push(interleave_record_batch(&batches, &indices)?);
        }
        Ok(gathered)
    }

    /// Gives out all rows that are kept, and forgets them.
    fn take(&mut self) -> Result<Vec<RecordBatch>> {
        let gathered = self.gather()?;
        self.kept = Vec::new();
        self.batches = Vec::new();
        self.sizes = Sizes::default();
        (self.held_rows, self.kept_rows, self.bytes) = (0, 0, 0);
        self.reservation.free();
        Ok(gathered)
    }
}
