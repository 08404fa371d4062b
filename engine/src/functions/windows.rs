//! Functions over the rows before a row.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Int64Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl,
};

use crate::values::Value;

static FILL_DOWN: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| {
    Arc::new(WindowUDF::new_from_impl(FillDown { signature: Signature::any(1, Volatility::Immutable) }))
});

/// Every window function that plans of spelunk may hold and DataFusion does not bring itself.
pub fn udwfs() -> Vec<Arc<WindowUDF>> {
    vec![Arc::clone(&FILL_DOWN), Arc::clone(&SEGMENT)]
}

/// The last value at or before the row. DataFusion's own `last_value` looks through all rows before it each time.
pub fn fill_down(value: Expr) -> Expr {
    let definition = WindowFunctionDefinition::WindowUDF(Arc::clone(&FILL_DOWN));
    Expr::from(WindowFunction::new(definition, vec![value]))
}

#[derive(Clone)]
struct FillDown {
    signature: Signature,
}

impl WindowUDFImpl for FillDown {
    fn name(&self) -> &str {
        "spl_fill_down"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(LastValue))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = args.input_fields().first().map_or(DataType::Null, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(args.name(), data_type, true)))
    }
}

#[derive(Debug)]
struct LastValue;

impl PartitionEvaluator for LastValue {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let column = values.first().ok_or_else(|| exec_datafusion_err!("spl_fill_down needs a column"))?;
        // A dictionary may hold the null among its values.
        let nulls = column.logical_nulls();
        let mut last = None;
        let rows: UInt64Array = (0..column.len())
            .map(|row| {
                if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    last = u64::try_from(row).ok();
                }
                last
            })
            .collect();
        Ok(take(column, &rows, None)?)
    }
}

impl fmt::Debug for FillDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FillDown")
    }
}

impl PartialEq for FillDown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for FillDown {}

impl Hash for FillDown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "spl_fill_down".hash(state);
    }
}

/// The number of the run of rows that a row belongs to; null where it belongs to none.
///
/// The arguments are whether a row starts a run, whether it ends one, its time, the longest pause and the longest
/// duration of a run (null for any), and whether rows outside of what starts are in no run.
pub fn segment(arguments: Vec<Expr>) -> Expr {
    let definition = WindowFunctionDefinition::WindowUDF(Arc::clone(&SEGMENT));
    Expr::from(WindowFunction::new(definition, arguments))
}

static SEGMENT: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| {
    Arc::new(WindowUDF::new_from_impl(Segment { signature: Signature::any(6, Volatility::Immutable) }))
});

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Segment {
    signature: Signature,
}

impl WindowUDFImpl for Segment {
    fn name(&self) -> &str {
        "cql_segment"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Segments))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }
}

#[derive(Debug)]
struct Segments;

impl PartitionEvaluator for Segments {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let [starts, ends, time, pause, duration, needs_start] = values else {
            return Err(exec_datafusion_err!("cql_segment needs six columns"));
        };
        let truth = |column: &ArrayRef, row: usize| Value::read(column.as_ref(), row) == Value::Boolean(true);
        let number = |column: &ArrayRef, row: usize| Value::read(column.as_ref(), row).number();
        let over = |from: Option<f64>, to: Option<f64>, limit: &ArrayRef, row: usize| matches!((from, to, number(limit, row)), (Some(from), Some(to), Some(limit)) if to - from > limit);
        let mut current: i64 = 0;
        // When the run at hand began and when its last row was.
        let mut open: Option<(Option<f64>, Option<f64>)> = None;
        let numbers: Int64Array = (0..rows)
            .map(|row| {
                let now = number(time, row);
                if let Some((began, last)) = open
                    && (over(last, now, pause, row) || over(began, now, duration, row))
                {
                    open = None;
                }
                let start = truth(starts, row);
                if start || (open.is_none() && !truth(needs_start, row)) {
                    current = current.saturating_add(1);
                    open = Some((now, now));
                }
                let (began, _) = open?;
                open = if truth(ends, row) { None } else { Some((began, now)) };
                Some(current)
            })
            .collect();
        Ok(Arc::new(numbers))
    }
}
