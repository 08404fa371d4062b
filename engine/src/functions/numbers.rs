//! Statistics of numbers that DataFusion's own aggregates have no form for: those of several values a row, and
//! percentiles to the last digit.
//!
//! Source: Splunk Search Reference, "Aggregate functions".

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility, lit};

use crate::values::Value;

static MOMENTS: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Numbers::udaf("spl_moments", 2));
static PERCENTILE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Numbers::udaf("spl_percentile", 2));

/// The aggregates of this file.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::clone(&MOMENTS), Arc::clone(&PERCENTILE)]
}

/// `stdev`, `stdevp`, `var`, `varp`, `sumsq` or `range` of the numbers of all rows.
pub fn moments(values: Expr, function: &str) -> Expr {
    MOMENTS.call(vec![values, lit(function)])
}

/// The percentile (0 to 100) of the numbers of all rows, interpolated between the nearest ranks. DataFusion's own
/// rounds the share of the upper rank.
pub fn percentile(values: Expr, percent: f64) -> Expr {
    PERCENTILE.call(vec![values, lit(percent)])
}

/// The second argument, a literal, says what is computed.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Numbers {
    name: &'static str,
    signature: Signature,
}

impl Numbers {
    fn udaf(name: &'static str, arguments: usize) -> Arc<AggregateUDF> {
        let signature = Signature::any(arguments, Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Self { name, signature }))
    }
}

impl AggregateUDFImpl for Numbers {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        Ok(vec![
            Arc::new(Field::new(format_state_name(args.name, "numbers"), list, true)),
            Arc::new(Field::new(format_state_name(args.name, "what"), DataType::Utf8, true)),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(match self.name {
            "spl_moments" => Box::new(Collected { answer: Moments::default() }) as Box<dyn Accumulator>,
            _ => Box::new(Collected { answer: Ranks::default() }),
        })
    }
}

/// What is kept of the numbers seen so far.
trait Answer: std::fmt::Debug + Send + Sync {
    fn parameter(&mut self, what: &str);
    fn parameter_text(&self) -> String;
    fn add(&mut self, number: f64);
    fn merge(&mut self, state: &[f64]);
    fn state(&self) -> Vec<f64>;
    fn evaluate(&mut self) -> Option<f64>;
    fn bytes(&self) -> usize;
}

#[derive(Debug)]
struct Collected<A> {
    answer: A,
}

impl<A: Answer + 'static> Accumulator for Collected<A> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [column, what] = values else { return exec_err!("a statistic of numbers has two arguments") };
        if what.is_empty() {
            return Ok(());
        }
        if let Some(what) = Value::read(what.as_ref(), 0).text() {
            self.answer.parameter(&what);
        }
        if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
            numbers.iter().flatten().for_each(|number| self.answer.add(number));
            return Ok(());
        }
        for row in 0..column.len() {
            let value = Value::read(column.as_ref(), row);
            if let Some(number) = value.number() {
                self.answer.add(number);
                continue;
            }
            for number in value.texts().iter().filter_map(|text| crate::values::parse_number(text)) {
                self.answer.add(number);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [numbers, what] = states else { return exec_err!("a statistic of numbers has two state columns") };
        for (row, state) in numbers.as_list::<i32>().iter().enumerate() {
            if let Some(what) = Value::read(what.as_ref(), row).text().filter(|what| !what.is_empty()) {
                self.answer.parameter(&what);
            }
            if let Some(state) = state {
                self.answer.merge(state.as_primitive::<Float64Type>().values());
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let numbers: Float64Array = self.answer.state().into_iter().map(Some).collect();
        Ok(vec![
            SingleRowListArrayBuilder::new(Arc::new(numbers)).build_list_scalar(),
            ScalarValue::Utf8(Some(self.answer.parameter_text())),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.answer.evaluate()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.answer.bytes()
    }
}

/// Count, mean, squared deviations, squares, least and greatest of numbers; two of them can be put together.
#[derive(Debug, Clone)]
pub struct Moments {
    function: String,
    /// How many numbers.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    mean: f64,
    deviation: f64,
    squares: f64,
    least: f64,
    greatest: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            function: String::new(),
            count: 0.0,
            sum: 0.0,
            mean: 0.0,
            deviation: 0.0,
            squares: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    /// Counts a number (Welford's way).
    pub fn count_in(&mut self, number: f64) {
        self.count += 1.0;
        self.sum += number;
        let delta = number - self.mean;
        self.mean += delta / self.count;
        self.deviation += delta * (number - self.mean);
        self.squares += number * number;
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }

    /// Adds what was kept of other numbers.
    pub fn put_together(&mut self, state: &[f64]) {
        let [count, sum, mean, deviation, squares, least, greatest] = state else { return };
        if *count == 0.0 {
            return;
        }
        let total = self.count + count;
        let delta = mean - self.mean;
        self.mean += delta * count / total;
        self.deviation += deviation + delta * delta * self.count * count / total;
        self.count = total;
        self.sum += sum;
        self.squares += squares;
        self.least = self.least.min(*least);
        self.greatest = self.greatest.max(*greatest);
    }

    /// What [`Moments::put_together`] takes.
    pub fn kept(&self) -> [f64; 7] {
        [self.count, self.sum, self.mean, self.deviation, self.squares, self.least, self.greatest]
    }

    /// The statistic of that name; `None` of no numbers.
    pub fn statistic(&self, function: &str) -> Option<f64> {
        if self.count == 0.0 {
            return None;
        }
        // A single value does not vary.
        let sample = if self.count > 1.0 { self.deviation / (self.count - 1.0) } else { 0.0 };
        Some(match function {
            "avg" | "mean" => self.sum / self.count,
            "sum" => self.sum,
            "sumsq" => self.squares,
            "min" => self.least,
            "max" => self.greatest,
            "range" => self.greatest - self.least,
            "stdev" => sample.sqrt(),
            "var" => sample,
            "stdevp" => (self.deviation / self.count).sqrt(),
            _ => self.deviation / self.count,
        })
    }
}

impl Answer for Moments {
    fn parameter(&mut self, what: &str) {
        if self.function != what {
            self.function = what.to_string();
        }
    }

    fn parameter_text(&self) -> String {
        self.function.clone()
    }

    fn add(&mut self, number: f64) {
        self.count_in(number);
    }

    fn merge(&mut self, state: &[f64]) {
        self.put_together(state);
    }

    fn state(&self) -> Vec<f64> {
        self.kept().to_vec()
    }

    fn evaluate(&mut self) -> Option<f64> {
        self.statistic(&self.function)
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// All numbers, for percentiles.
#[derive(Debug, Default)]
struct Ranks {
    percent: String,
    numbers: Vec<f64>,
}

impl Answer for Ranks {
    fn parameter(&mut self, what: &str) {
        if self.percent != what {
            self.percent = what.to_string();
        }
    }

    fn parameter_text(&self) -> String {
        self.percent.clone()
    }

    fn add(&mut self, number: f64) {
        self.numbers.push(number);
    }

    fn merge(&mut self, state: &[f64]) {
        self.numbers.extend_from_slice(state);
    }

    fn state(&self) -> Vec<f64> {
        self.numbers.clone()
    }

    fn evaluate(&mut self) -> Option<f64> {
        let percent: f64 = self.percent.parse().ok()?;
        self.numbers.sort_unstable_by(f64::total_cmp);
        let last = self.numbers.len().checked_sub(1)?;
        let rank = percent * last as f64 / 100.0;
        let (below, above) = (self.numbers.get(rank.floor() as usize)?, self.numbers.get(rank.ceil() as usize)?);
        // Of two infinite numbers there is no difference.
        Some(if below == above { *below } else { below + (above - below) * (rank - rank.floor()) })
    }

    fn bytes(&self) -> usize {
        self.numbers.capacity() * size_of::<f64>()
    }
}
