//! Moving averages, as window functions.
//!
//! Source: Splunk Search Reference, "trendline".

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Expr, PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl, lit,
};

use crate::values::Value;

static TREND: LazyLock<Arc<WindowUDF>> =
    LazyLock::new(|| Arc::new(WindowUDF::new_from_impl(Trend { signature: Signature::any(3, Volatility::Immutable) })));

/// The window functions of this file.
pub fn udwfs() -> Vec<Arc<WindowUDF>> {
    vec![Arc::clone(&TREND)]
}

/// The moving average of that name (`sma`, `wma` or `ema`) over so many numbers. Rows without a number have none, and
/// are passed over.
pub fn trend(name: &str, period: Expr, number: Expr) -> Expr {
    let definition = WindowFunctionDefinition::WindowUDF(Arc::clone(&TREND));
    Expr::from(WindowFunction::new(definition, vec![lit(name), period, number]))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Trend {
    signature: Signature,
}

impl WindowUDFImpl for Trend {
    fn name(&self) -> &str {
        "spl_trend"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Averages))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Float64, true)))
    }
}

#[derive(Debug)]
struct Averages;

impl PartitionEvaluator for Averages {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let [name, period, numbers] = values else {
            return exec_err!("spl_trend takes a name, a period and a number");
        };
        if rows == 0 {
            return Ok(Arc::new(Float64Array::from(Vec::<f64>::new())));
        }
        let name = Value::read(name.as_ref(), 0);
        let period = Value::read(period.as_ref(), 0).number().unwrap_or(1.0).max(1.0) as usize;
        let mut average = match name.text().as_deref() {
            Some("ema") => Moving::Exponential { seen: 0, average: 0.0 },
            Some("wma") => Moving::Window { weighted: true, last: VecDeque::new() },
            _ => Moving::Window { weighted: false, last: VecDeque::new() },
        };
        let averages = (0..numbers.len()).map(|row| {
            let number = Value::read(numbers.as_ref(), row).number().filter(|number| !number.is_nan())?;
            average.next(number, period)
        });
        Ok(Arc::new(averages.collect::<Float64Array>()))
    }
}

/// A moving average on its way through the numbers.
enum Moving {
    Window { weighted: bool, last: VecDeque<f64> },
    Exponential { seen: usize, average: f64 },
}

impl Moving {
    /// The average after the next number; `None` before there have been enough.
    fn next(&mut self, number: f64, period: usize) -> Option<f64> {
        match self {
            Moving::Window { weighted, last } => {
                last.push_back(number);
                if last.len() > period {
                    last.pop_front();
                }
                let weight = |position: usize| if *weighted { position as f64 + 1.0 } else { 1.0 };
                // Summed anew each time: what is added and taken away again leaves rounding errors behind.
                let sum: f64 = last.iter().enumerate().map(|(position, number)| weight(position) * number).sum();
                let weights: f64 = (0..last.len()).map(weight).sum();
                (last.len() >= period).then_some(sum / weights)
            }
            Moving::Exponential { seen, average } => {
                let share = 2.0 / (period as f64 + 1.0);
                *average = if *seen == 0 { number } else { share * *average + (1.0 - share) * number };
                *seen = seen.saturating_add(1);
                (*seen >= period).then_some(*average)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn averages(mut moving: Moving, numbers: &[f64]) -> Vec<Option<f64>> {
        numbers.iter().map(|number| moving.next(*number, 3)).collect()
    }

    #[test]
    fn averages_move() {
        let numbers = [1.0, 4.0, 7.0, 10.0];
        let simple = Moving::Window { weighted: false, last: VecDeque::new() };
        assert_eq!(averages(simple, &numbers), [None, None, Some(4.0), Some(7.0)]);
        let weighted = Moving::Window { weighted: true, last: VecDeque::new() };
        assert_eq!(averages(weighted, &numbers), [None, None, Some(5.0), Some(8.0)]);
        let exponential = Moving::Exponential { seen: 0, average: 0.0 };
        assert_eq!(averages(exponential, &numbers), [None, None, Some(4.75), Some(7.375)]);
    }
}
