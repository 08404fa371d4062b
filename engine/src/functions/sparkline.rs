//! `sparkline()`: a value for each stretch of time, behind a marker that tells a user interface to draw them.
//!
//! Source: Splunk Search Reference, "stats"; `limits.conf`, `[stats]`.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility, lit};
use jiff::tz::TimeZone;

use super::buckets::{Step, zone_name};
use super::datetime::in_zone;
use super::kernel::many_type;
use super::numbers::Moments;
use crate::time::microseconds;
use crate::values::{self, Value};

static SPARKLINE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    let signature = Signature::any(7, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Sparkline { signature }))
});

/// The aggregates of this file.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::clone(&SPARKLINE)]
}

/// What stands before the values.
const MARKER: &str = "##__SPARKLINE__##";

/// How many values a sparkline has at most where no step is given (`sparkline_maxsize`).
const MOST_BY_ITSELF: i64 = 100;
/// How many it has at most in any case.
const MOST: i64 = 10_000;

/// The steps to choose from (`sparkline_time_steps`).
const STEPS: &[&str] = &["1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "1d", "1mon"];

/// The functions whose values a sparkline can show.
pub const FUNCTIONS: &[&str] = &[
    "c",
    "count",
    "dc",
    "distinct_count",
    "estdc",
    "mean",
    "avg",
    "stdev",
    "stdevp",
    "var",
    "varp",
    "sum",
    "sumsq",
    "min",
    "max",
    "range",
];

/// The function of the values for each stretch of time between the two bounds, all in seconds. An empty step lets
/// the bounds decide.
pub fn sparkline(value: Expr, time: Expr, bounds: (Expr, Expr), function: &str, step: &str, zone: &TimeZone) -> Expr {
    SPARKLINE.call(vec![value, time, bounds.0, bounds.1, lit(function), lit(step), lit(zone_name(zone))])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sparkline {
    signature: Signature,
}

impl AggregateUDFImpl for Sparkline {
    fn name(&self) -> &str {
        "spl_sparkline"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(many_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "points"), many_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Points>::default())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// How the time is cut.
#[derive(Debug, Clone)]
struct Cut {
    function: String,
    step: Step,
    first: i64,
    last: i64,
}

#[derive(Debug, Default)]
struct Point {
    values: u64,
    numbers: Moments,
    texts: HashSet<String>,
}

#[derive(Debug, Default)]
struct Points {
    cut: Option<Cut>,
    points: BTreeMap<i64, Point>,
    bytes: usize,
}

/// The step that is given, or the shortest that makes few enough points.
fn cut(low: f64, high: f64, function: &str, step: &str, zone: &TimeZone) -> Option<Cut> {
    let (low, high) = (microseconds(low)?, microseconds(high)?);
    let between = |text: &str| {
        let step = Step::parse(text).ok()?;
        Some(Cut { function: function.to_string(), step, first: step.index(low, zone)?, last: step.index(high, zone)? })
    };
    if !step.is_empty() {
        return between(step);
    }
    let fits = |cut: &Cut| cut.last.saturating_sub(cut.first) < MOST_BY_ITSELF;
    STEPS.iter().filter_map(|step| between(step)).find(fits).or_else(|| between("1y"))
}

impl Points {
    fn add(&mut self, value: &Value<'_>, index: i64, function: &str) {
        let point = self.points.entry(index).or_default();
        self.bytes += size_of::<Point>() / 4;
        let texts = value.texts();
        point.values = point.values.saturating_add(texts.len() as u64);
        match function {
            "c" | "count" => {}
            "dc" | "distinct_count" | "estdc" => {
                for text in texts {
                    if !point.texts.contains(text.as_ref()) {
                        self.bytes += text.len() + size_of::<String>() * 2;
                        point.texts.insert(text.into_owned());
                    }
                }
            }
            _ => {
                for number in texts.iter().filter_map(|text| values::parse_number(text)) {
                    point.numbers.count_in(number);
                }
            }
        }
    }

    /// A point in a text: its number, its count, what is kept of its numbers, then its texts.
    fn parse(&mut self, text: &str) -> Option<()> {
        let mut parts = text.split('\u{1}');
        let index: i64 = parts.next()?.parse().ok()?;
        let point = self.points.entry(index).or_default();
        let values: u64 = parts.next()?.parse().ok()?;
        point.values = point.values.saturating_add(values);
        let kept: Vec<f64> = parts.next()?.split(' ').filter_map(|number| number.parse().ok()).collect();
        point.numbers.put_together(&kept);
        for text in parts {
            self.bytes += text.len() + size_of::<String>() * 2;
            point.texts.insert(text.to_string());
        }
        Some(())
    }
}

impl Accumulator for Points {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [column, time, low, high, function, step, zone] = columns else {
            return exec_err!("a sparkline has seven arguments");
        };
        if time.is_empty() {
            return Ok(());
        }
        let text = |column: &ArrayRef| Value::read(column.as_ref(), 0).text().map(|text| text.into_owned());
        let (Some(function), Some(step), Some(zone)) = (text(function), text(step), text(zone)) else {
            return exec_err!("a sparkline takes literal parameters");
        };
        if self.cut.is_none() {
            let bounds = (Value::read(low.as_ref(), 0).number(), Value::read(high.as_ref(), 0).number());
            if let (Some(low), Some(high)) = bounds {
                self.cut = in_zone(&zone, |zone| cut(low, high, &function, &step, zone));
            }
        }
        let Some(cut) = self.cut.clone() else { return Ok(()) };
        if cut.last.saturating_sub(cut.first) >= MOST {
            let count = cut.last.saturating_sub(cut.first);
            return exec_err!("a sparkline with the span {step} has {count} points; the most is {MOST}");
        }
        for row in 0..time.len() {
            let time = Value::read(time.as_ref(), row).number().and_then(microseconds);
            let Some(index) = time.and_then(|time| in_zone(&zone, |zone| cut.step.index(time, zone))) else { continue };
            self.add(&Value::read(column.as_ref(), row), index, &cut.function);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(states) = states.first() else { return exec_err!("a sparkline has one state column") };
        for list in states.as_list::<i32>().iter().flatten() {
            let mut texts = list.as_string::<i32>().iter().flatten();
            let Some(head) = texts.next() else { continue };
            if let [function, first, last] = head.split(' ').collect::<Vec<_>>().as_slice()
                && let (Ok(first), Ok(last)) = (first.parse(), last.parse())
                && self.cut.is_none()
            {
                // The points have numbers already, so the step does not matter any more.
                self.cut = Some(Cut { function: function.to_string(), step: Step::Fixed(1), first, last });
            }
            for text in texts {
                self.parse(text);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut texts = Vec::new();
        if let Some(cut) = &self.cut {
            texts.push(format!("{} {} {}", cut.function, cut.first, cut.last));
            for (index, Point { values, numbers, texts: distinct }) in &self.points {
                let kept: Vec<String> = numbers.kept().iter().map(f64::to_string).collect();
                let mut text = format!("{index}\u{1}{values}\u{1}{}", kept.join(" "));
                for value in distinct {
                    text.push('\u{1}');
                    text.push_str(value);
                }
                texts.push(text);
            }
        }
        let texts: StringArray = texts.into_iter().map(Some).collect();
        Ok(vec![SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Some(cut) = &self.cut else { return ScalarValue::try_from(&many_type()) };
        let mut shown = vec![MARKER.to_string()];
        for index in cut.first..=cut.last {
            let number = self.points.get(&index).and_then(|point| match cut.function.as_str() {
                "c" | "count" => Some(point.values as f64),
                "dc" | "distinct_count" | "estdc" => Some(point.texts.len() as f64),
                function => point.numbers.statistic(function),
            });
            shown.push(values::format_number(number.unwrap_or(0.0)));
        }
        let texts: StringArray = shown.into_iter().map(Some).collect();
        Ok(SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }
}
