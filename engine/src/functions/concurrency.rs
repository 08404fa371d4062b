//! How many spans hold the start of each: the window function of `concurrency`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl,
};

static CONCURRENCY: LazyLock<Arc<WindowUDF>> = LazyLock::new(|| {
    let types = vec![DataType::Float64, DataType::Float64];
    Arc::new(WindowUDF::new_from_impl(Concurrency { signature: Signature::exact(types, Volatility::Immutable) }))
});

/// The window function of this file.
pub fn udwfs() -> Vec<Arc<WindowUDF>> {
    vec![Arc::clone(&CONCURRENCY)]
}

/// How many rows start at or before this row's start and end at or after it; null where a number is missing.
pub fn concurrency(start: Expr, duration: Expr) -> Expr {
    let definition = WindowFunctionDefinition::WindowUDF(Arc::clone(&CONCURRENCY));
    Expr::from(WindowFunction::new(definition, vec![start, duration]))
}

#[derive(Clone)]
struct Concurrency {
    signature: Signature,
}

impl WindowUDFImpl for Concurrency {
    fn name(&self) -> &str {
        "spl_concurrency"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Sweep))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }
}

#[derive(Debug)]
struct Sweep;

impl PartitionEvaluator for Sweep {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let [starts, durations] = values else { return exec_err!("spl_concurrency needs starts and durations") };
        let (Some(starts), Some(durations)) =
            (starts.as_primitive_opt::<Float64Type>(), durations.as_primitive_opt::<Float64Type>())
        else {
            return exec_err!("spl_concurrency needs numbers");
        };
        Ok(Arc::new(counts(starts, durations)))
    }
}

/// Those that have started by then, without those that have ended before. A span of negative length has none, and
/// still counts itself.
fn counts(starts: &Float64Array, durations: &Float64Array) -> Int64Array {
    let spans = || {
        let pairs = starts.iter().zip(durations.iter());
        pairs.map(|pair| match pair {
            (Some(start), Some(duration)) if start.is_finite() && !duration.is_nan() => {
                Some((start, start + duration.max(0.0)))
            }
            _ => None,
        })
    };
    let mut sorted_starts: Vec<f64> = spans().flatten().map(|(start, _)| start).collect();
    let mut sorted_ends: Vec<f64> = spans().flatten().map(|(_, end)| end).collect();
    sorted_starts.sort_unstable_by(f64::total_cmp);
    sorted_ends.sort_unstable_by(f64::total_cmp);
    spans()
        .map(|span| {
            let (start, _) = span?;
            let started = sorted_starts.partition_point(|other| *other <= start);
            let ended = sorted_ends.partition_point(|end| *end < start);
            i64::try_from(started.saturating_sub(ended)).ok()
        })
        .collect()
}

impl fmt::Debug for Concurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Concurrency")
    }
}

impl PartialEq for Concurrency {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Concurrency {}

impl Hash for Concurrency {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "spl_concurrency".hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_what_comparing_every_pair_gives(spans in proptest::collection::vec((0_u8..20, 0_u8..9), 0..30)) {
            let starts: Float64Array = spans.iter().map(|(start, _)| Some(f64::from(*start))).collect();
            let durations: Float64Array = spans.iter().map(|(_, duration)| Some(f64::from(*duration))).collect();
            let pairs = |start: u8| spans.iter().filter(|(s, d)| *s <= start && start <= s + d).count() as i64;
            let expected: Vec<i64> = spans.iter().map(|(start, _)| pairs(*start)).collect();
            prop_assert_eq!(counts(&starts, &durations).values().to_vec(), expected);
        }
    }
}
