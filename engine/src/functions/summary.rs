//! What `fieldsummary` says of a field: an aggregate over its values.
//!
//! Source: Splunk Search Reference, "fieldsummary".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};

use super::aggregates::{TallyAccumulator, tally_state};
use super::kernel::many_type;
use crate::values::{Value, format_number, parse_number};

static SUMMARY: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(FieldSummary { signature }))
});

/// The aggregates of this file.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::clone(&SUMMARY)]
}

/// The statistics of a field with so many of its values at most (0 for all), to be read by [`Summary::read`].
pub fn summary(value: Expr, most: Expr) -> Expr {
    SUMMARY.call(vec![value, most])
}

/// The statistics of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many values it has.
    pub count: f64,
    /// How many distinct ones.
    pub distinct: f64,
    /// Whether all of them are in `values`.
    pub exact: bool,
    /// The greatest number.
    pub max: Option<f64>,
    /// The mean of the numbers.
    pub mean: Option<f64>,
    /// The least number.
    pub min: Option<f64>,
    /// How many values are numbers.
    pub numbers: f64,
    /// The standard deviation of the numbers as a sample.
    pub deviation: Option<f64>,
    /// The values and how often each occurs, the most frequent first, as JSON.
    pub values: String,
}

impl Summary {
    /// The statistics of counted texts; `None` where there are none.
    fn of(counts: &BTreeMap<String, i64>, most: usize) -> Option<Summary> {
        if counts.is_empty() {
            return None;
        }
        let numbers: Vec<(f64, f64)> = counts
            .iter()
            .filter_map(|(text, count)| Some((parse_number(text).filter(|number| !number.is_nan())?, *count as f64)))
            .collect();
        let number: f64 = numbers.iter().map(|(_, count)| count).sum();
        let mean = numbers.iter().map(|(value, count)| value * count).sum::<f64>() / number;
        let squares: f64 = numbers.iter().map(|(value, count)| (value - mean).powi(2) * count).sum();
        let deviation = if number > 1.0 { (squares / (number - 1.0)).sqrt() } else { 0.0 };
        let some = |statistic: f64| (number > 0.0).then_some(statistic);
        let mut ranked: Vec<(&String, i64)> = counts.iter().map(|(text, count)| (text, *count)).collect();
        // Stable, so that equally frequent values stay in the order of their characters.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let shown = if most == 0 { ranked.len() } else { most };
        let values: Vec<String> = ranked
            .into_iter()
            .take(shown)
            .map(|(text, count)| format!("{{\"value\":{},\"count\":{count}}}", serde_json::Value::String(text.clone())))
            .collect();
        Some(Summary {
            count: counts.values().sum::<i64>() as f64,
            distinct: counts.len() as f64,
            exact: counts.len() <= shown,
            max: some(numbers.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max)),
            mean: some(mean),
            min: some(numbers.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min)),
            numbers: number,
            deviation: some(deviation),
            values: format!("[{}]", values.join(",")),
        })
    }

    fn texts(&self) -> Vec<String> {
        let optional = |number: Option<f64>| number.map(format_number).unwrap_or_default();
        vec![
            format_number(self.count),
            format_number(self.distinct),
            u8::from(self.exact).to_string(),
            optional(self.max),
            optional(self.mean),
            optional(self.min),
            format_number(self.numbers),
            optional(self.deviation),
            self.values.clone(),
        ]
    }

    /// What the aggregate found; `None` where the field has no value.
    pub fn read(found: &Value<'_>) -> Option<Summary> {
        let texts = found.texts();
        let [count, distinct, exact, max, mean, min, numbers, deviation, values] =
            <&[Cow<'_, str>; 9]>::try_from(texts.as_slice()).ok()?;
        Some(Summary {
            count: parse_number(count)?,
            distinct: parse_number(distinct)?,
            exact: exact == "1",
            max: parse_number(max),
            mean: parse_number(mean),
            min: parse_number(min),
            numbers: parse_number(numbers)?,
            deviation: parse_number(deviation),
            values: values.clone().into_owned(),
        })
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FieldSummary {
    signature: Signature,
}

impl AggregateUDFImpl for FieldSummary {
    fn name(&self) -> &str {
        "spl_field_summary"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(many_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let mut fields = tally_state(args.name);
        fields.push(Arc::new(Field::new(format_state_name(args.name, "most"), DataType::Int64, true)));
        Ok(fields)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(SummaryAccumulator::default()))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug, Default)]
struct SummaryAccumulator {
    tally: TallyAccumulator,
    /// How many values are listed; known from the first row on.
    most: Option<i64>,
}

impl SummaryAccumulator {
    fn learn(&mut self, most: &dyn Array) {
        let known = (0..most.len()).find_map(|row| Value::read(most, row).number());
        self.most = self.most.or(known.map(|most| most as i64));
    }
}

impl Accumulator for SummaryAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [column, most] = values else { return exec_err!("a summary needs a column and a length") };
        self.learn(most.as_ref());
        self.tally.update_batch(std::slice::from_ref(column))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [texts, counts, most] = states else { return exec_err!("a summary has three state columns") };
        self.learn(most.as_ref());
        self.tally.merge_batch(&[Arc::clone(texts), Arc::clone(counts)])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut state = self.tally.state()?;
        state.push(ScalarValue::Int64(self.most));
        Ok(state)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let most = usize::try_from(self.most.unwrap_or(0)).unwrap_or(0);
        let Some(summary) = Summary::of(self.tally.counts(), most) else {
            return ScalarValue::try_from(&many_type());
        };
        let texts: StringArray = summary.texts().into_iter().map(Some).collect();
        Ok(SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.tally.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_values_come_first() {
        let counts = BTreeMap::from([("2".to_string(), 1), ("a\"".to_string(), 1), ("4".to_string(), 3)]);
        let summary = Summary::of(&counts, 2).unwrap();
        assert_eq!(summary.values, r#"[{"value":"4","count":3},{"value":"2","count":1}]"#);
        assert_eq!((summary.count, summary.distinct, summary.numbers, summary.exact), (5.0, 3.0, 4.0, false));
        assert_eq!((summary.mean, summary.deviation), (Some(3.5), Some(1.0)));
        assert_eq!(Summary::read(&Value::Many(summary.texts().into_iter().map(Into::into).collect())), Some(summary));
    }
}
