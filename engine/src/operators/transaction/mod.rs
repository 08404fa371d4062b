//! The operator of `transaction`: groups of events that belong together, in one row each.
//!
//! The rows come in one partition, from the newest to the oldest. Which events make a transaction is decided in
//! [`pool`], their rows are kept in [`rows`], and [`rendering`] makes the row of a finished transaction.

mod exec;
mod pool;
mod rendering;
mod rows;

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, DFSchemaRef, Result, exec_err};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::{LexOrdering, create_physical_sort_exprs};
use datafusion::physical_plan::ExecutionPlan;

use super::occurrences::Occurrences;
use crate::functions::kernel::many_type;
use crate::values::time_type;

/// What makes a transaction, and what its row holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Specification {
    /// The fields on which the events of a transaction agree.
    pub fields: Vec<String>,
    /// The column that says whether an event is the first of a transaction.
    pub starts: Option<String>,
    /// The column that says whether an event is the last of a transaction.
    pub ends: Option<String>,
    /// What limits a transaction.
    pub limits: Limits,
    /// What happens to events that belong to none, or to half of one.
    pub manner: Manner,
    /// The columns of the result that come from the events.
    pub columns: Vec<(String, Rendering)>,
    /// What stands in a list for an event that lacks the field.
    pub gap: String,
    /// Whether the lines of `_raw` are counted.
    pub lines: bool,
    /// The column that tells transactions of the same time apart.
    pub number: String,
    /// The order in which the rows come.
    pub order: Vec<Sort>,
    /// Counts transactions that had to make room.
    pub evicted: Occurrences,
}

/// What limits a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The span in microseconds that it stays below.
    pub span: Option<i64>,
    /// The longest pause in microseconds.
    pub pause: Option<i64>,
    /// The most events.
    pub events: Option<usize>,
    /// The most open transactions.
    pub open: usize,
    /// The most events in open transactions.
    pub open_events: usize,
}

/// What happens to events that belong to no transaction, or to half of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Manner {
    /// An event needs a field in common with the transaction.
    pub connected: bool,
    /// One that starts or ends a transaction needs one too.
    pub unify_ends: bool,
    /// Transactions without their start or end are kept.
    pub keep_evicted: bool,
    /// Events that belong to no transaction are kept.
    pub keep_orphans: bool,
    /// Nothing but the fields says what a transaction is, so that every one is complete.
    pub unconditional: bool,
}

/// What a column of the result makes of the values of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rendering {
    /// The time of the earliest event.
    Time,
    /// The one value that all have.
    Agreed,
    /// The value of the earliest event.
    Earliest,
    /// The distinct values in the order of their characters.
    Distinct,
    /// The values of all events, the earliest first.
    Listed,
    /// The same, without gaps.
    Present,
    /// The same, as lines of one text.
    Lines,
}

impl Rendering {
    /// The type of the column, made of values of that type.
    fn data_type(self, values: &DataType) -> DataType {
        match self {
            Rendering::Time => time_type(),
            Rendering::Agreed | Rendering::Earliest => match values {
                DataType::Int64 | DataType::Float64 => values.clone(),
                DataType::Timestamp(..) => time_type(),
                _ => DataType::Utf8,
            },
            Rendering::Distinct | Rendering::Listed | Rendering::Present => many_type(),
            Rendering::Lines => DataType::Utf8,
        }
    }
}

/// Whether a transaction was closed, rather than still open at the end.
pub const CLOSED: &str = "closed_txn";
/// The seconds between its first and its last event.
pub const DURATION: &str = "duration";
/// How many events it has.
pub const EVENT_COUNT: &str = "eventcount";
/// How often its events agreed on a field.
pub const MATCHES: &str = "field_match_sum";
/// How many lines its events have.
pub const LINES: &str = "linecount";
/// Whether the row is an event that belongs to no transaction.
pub const ORPHAN: &str = "_txn_orphan";

impl Specification {
    /// The columns of the result that are computed, with their types.
    pub fn computed(&self) -> Vec<(&str, DataType)> {
        let mut columns = vec![
            (CLOSED, DataType::Int64),
            (DURATION, DataType::Float64),
            (EVENT_COUNT, DataType::Int64),
            (MATCHES, DataType::Int64),
        ];
        if self.lines {
            columns.push((LINES, DataType::Int64));
        }
        if self.manner.keep_orphans {
            columns.push((ORPHAN, DataType::Int64));
        }
        columns.push((self.number.as_str(), DataType::Int64));
        columns
    }

    /// The columns of the result, as far as the input has what they are made of.
    fn schema(&self, input: &Schema) -> Schema {
        let mut fields = Vec::new();
        for (name, rendering) in &self.columns {
            if let Ok(field) = input.field_with_name(name) {
                fields.push(Field::new(name, rendering.data_type(field.data_type()), true));
            }
        }
        fields.extend(self.computed().into_iter().map(|(name, data_type)| Field::new(name, data_type, true)));
        Schema::new(fields)
    }

    /// The columns of the input without which no transaction can be told from another.
    fn needed(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.fields.iter().map(String::as_str).collect();
        names.extend(self.starts.iter().chain(&self.ends).map(String::as_str));
        names.insert("_time");
        names.extend(self.order.iter().flat_map(|key| key.expr.column_refs()).map(|column| column.name.as_str()));
        names
    }
}

impl fmt::Display for Specification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits { span, pause, events, open, open_events } = &self.limits;
        write!(f, "Transaction: by=[{}]", self.fields.join(", "))?;
        span.map_or(Ok(()), |span| write!(f, " maxspan={span}us"))?;
        pause.map_or(Ok(()), |pause| write!(f, " maxpause={pause}us"))?;
        events.map_or(Ok(()), |events| write!(f, " maxevents={events}"))?;
        write!(f, " maxopentxn={open} maxopenevents={open_events}")?;
        self.starts.as_ref().map_or(Ok(()), |column| write!(f, " startswith={column}"))?;
        self.ends.as_ref().map_or(Ok(()), |column| write!(f, " endswith={column}"))
    }
}

/// The node of the logical plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transactions {
    input: LogicalPlan,
    specification: Arc<Specification>,
    schema: DFSchemaRef,
}

impl PartialOrd for Transactions {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.input.partial_cmp(&other.input).filter(|order| *order != Ordering::Equal || self == other)
    }
}

impl Transactions {
    /// Over the rows of a plan.
    ///
    /// # Errors
    /// Two columns of the same name.
    pub fn new(input: LogicalPlan, specification: Specification) -> Result<Self> {
        let specification = Arc::new(specification);
        let schema = unqualified(&input, &specification)?;
        Ok(Self { input, specification, schema })
    }

    /// The node of the physical plan.
    ///
    /// # Errors
    /// An order that cannot be computed.
    pub fn execution(&self, input: Arc<dyn ExecutionPlan>, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let (properties, context) = (session.execution_props(), PhysicalPlanningContext::default());
        let order = create_physical_sort_exprs(&self.specification.order, self.input.schema(), properties, &context)?;
        Ok(Arc::new(exec::TransactionExec::new(input, LexOrdering::new(order), Arc::clone(&self.specification))))
    }
}

fn unqualified(input: &LogicalPlan, specification: &Specification) -> Result<DFSchemaRef> {
    let schema = specification.schema(input.schema().as_arrow());
    let fields = schema.fields().iter().map(|field| (None, Arc::clone(field))).collect();
    Ok(Arc::new(DFSchema::new_with_metadata(fields, HashMap::new())?))
}

impl UserDefinedLogicalNodeCore for Transactions {
    fn name(&self) -> &str {
        "Transactions"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// None: columns are meant by name, and conditions are columns of the input already.
    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.specification)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return exec_err!("the node Transactions has one input") };
        // The optimizer may have narrowed the input.
        let schema = unqualified(&input, &self.specification)?;
        Ok(Self { input, specification: Arc::clone(&self.specification), schema })
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let mut wanted = self.specification.needed();
        for index in output {
            let Some(field) = self.schema.fields().get(*index) else { continue };
            wanted.insert(if field.name() == LINES { "_raw" } else { field.name() });
        }
        let fields = self.input.schema().fields().iter().enumerate();
        let kept = fields.filter(|(_, field)| wanted.contains(field.name().as_str()));
        Some(vec![kept.map(|(index, _)| index).collect()])
    }
}
