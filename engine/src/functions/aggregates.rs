//! The aggregates that DataFusion lacks: `values()`, `dc()` of texts and `mode()`, and `list()` over rows in order.
//!
//! Source: Splunk Search Reference, "Multivalue stats and chart functions", "Aggregate functions".

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, GroupsAccumulator, ScalarUDF, Signature, Volatility, lit,
};
use spelunk_grammar::Span;

use super::distinct::{Distinct, Outcome};
use super::kernel::{Returns, Row, many_type};
use super::operators::into_owned;
use crate::values::{Value, text_at};

static VALUES: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Tally::udaf("spl_values", Answer::All));
static MODE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Tally::udaf("spl_mode", Answer::MostFrequent));
static COUNT: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Tally::udaf("spl_dc", Answer::Count));
static LIST: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(List { signature }))
});

/// The aggregates of this file.
pub fn udafs() -> Vec<Arc<AggregateUDF>> {
    [&VALUES, &MODE, &COUNT, &LIST].map(|udaf| Arc::clone(udaf)).to_vec()
}

/// The scalar functions that finish an aggregate.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [FLATTEN, SIX_DECIMALS].iter().map(Row::udf).collect()
}

/// The distinct values in the order of their characters.
pub fn values(value: Expr) -> Expr {
    VALUES.call(vec![value])
}

/// How many distinct texts there are.
pub fn distinct_count(value: Expr) -> Expr {
    COUNT.call(vec![value])
}

/// The most frequent value; of equally frequent ones the least.
pub fn mode(value: Expr) -> Expr {
    MODE.call(vec![value])
}

/// The first values of rows that come in order, `most` of them.
pub fn list(value: Expr, most: usize) -> Expr {
    LIST.call(vec![value, lit(most as i64)])
}

/// The values of all lists of a list, `most` of them.
pub fn flatten(lists: Expr, most: usize) -> Expr {
    FLATTEN.call(vec![lists, lit(most as i64)], Span::default()).expr
}

/// A number of seconds with six decimals.
pub fn six_decimals(seconds: Expr) -> Expr {
    SIX_DECIMALS.call(vec![seconds], Span::default()).expr
}

const FLATTEN: Row = Row {
    name: "spl_flatten",
    returns: Returns::Many,
    evaluate: |values| match values {
        [lists, most] => {
            let most = most.number().map_or(usize::MAX, |most| most as usize);
            Value::Many(lists.texts().into_iter().take(most).map(into_owned).collect())
        }
        _ => Value::Null,
    },
};

const SIX_DECIMALS: Row = Row {
    name: "spl_six_decimals",
    returns: Returns::Text,
    evaluate: |values| match values.first().and_then(Value::number) {
        Some(seconds) => Value::Text(Cow::Owned(format!("{seconds:.6}"))),
        None => Value::Null,
    },
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Answer {
    #[default]
    All,
    MostFrequent,
    Count,
}

/// Counts each distinct text. The state is the texts and their counts.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Tally {
    name: &'static str,
    answer: Answer,
    signature: Signature,
}

impl Tally {
    fn udaf(name: &'static str, answer: Answer) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::new_from_impl(Self {
            name,
            answer,
            signature: Signature::any(1, Volatility::Immutable),
        }))
    }
}

/// The columns of a [`TallyAccumulator`]'s state.
pub(super) fn tally_state(name: &str) -> Vec<FieldRef> {
    vec![
        Arc::new(Field::new(format_state_name(name, "texts"), many_type(), true)),
        Arc::new(Field::new(format_state_name(name, "counts"), counts_type(), true)),
    ]
}

/// The type of the counts in the state of a tally.
pub(super) fn counts_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

impl AggregateUDFImpl for Tally {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.answer {
            Answer::All => many_type(),
            Answer::MostFrequent => DataType::Utf8,
            Answer::Count => DataType::Int64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(tally_state(args.name))
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(TallyAccumulator { answer: self.answer, counts: BTreeMap::new(), bytes: 0 }))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        self.answer != Answer::MostFrequent
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match self.answer {
            Answer::All => Ok(Box::new(Distinct::new(Outcome::Texts))),
            Answer::Count => Ok(Box::new(Distinct::new(Outcome::Count))),
            Answer::MostFrequent => exec_err!("the counts of a tally are not kept group by group"),
        }
    }

    /// How many there are of nothing is none, not unknown.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.answer {
            Answer::Count => Ok(ScalarValue::Int64(Some(0))),
            _ => ScalarValue::try_from(data_type),
        }
    }

    fn is_nullable(&self) -> bool {
        self.answer != Answer::Count
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Counts each distinct text.
#[derive(Debug, Default)]
pub(super) struct TallyAccumulator {
    answer: Answer,
    counts: BTreeMap<String, i64>,
    bytes: usize,
}

impl TallyAccumulator {
    /// The texts and their counts.
    pub(super) fn counts(&self) -> &BTreeMap<String, i64> {
        &self.counts
    }

    fn add(&mut self, text: &str, count: i64) {
        match self.counts.get_mut(text) {
            Some(known) => *known = known.saturating_add(count),
            None => {
                self.bytes += text.len() + size_of::<(String, i64)>() * 2;
                self.counts.insert(text.to_string(), count);
            }
        }
    }
}

impl Accumulator for TallyAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(column) = values.first() else { return exec_err!("a tally needs a column") };
        if let Some(dictionary) = column.as_dictionary_opt::<Int32Type>() {
            // Each text once, however often its key stands there.
            let mut counts = vec![0_i64; dictionary.values().len()];
            for key in dictionary.keys().iter().flatten() {
                if let Some(count) = usize::try_from(key).ok().and_then(|key| counts.get_mut(key)) {
                    *count = count.saturating_add(1);
                }
            }
            for (key, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                if let Some(text) = text_at(dictionary.values().as_ref(), key) {
                    self.add(&text, count);
                }
            }
            return Ok(());
        }
        for row in 0..column.len() {
            for text in Value::read(column.as_ref(), row).texts() {
                self.add(&text, 1);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [texts, counts] = states else { return exec_err!("a tally has two state columns") };
        let (texts, counts): (&ListArray, &ListArray) = (texts.as_list(), counts.as_list());
        for (texts, counts) in texts.iter().zip(counts.iter()) {
            let Some(texts) = texts else { continue };
            let Some(counts) = counts else {
                texts.as_string::<i32>().iter().flatten().for_each(|text| self.add(text, 1));
                continue;
            };
            let pairs = texts.as_string::<i32>().iter().zip(counts.as_primitive::<Int64Type>().iter());
            for (text, count) in pairs {
                if let (Some(text), Some(count)) = (text, count) {
                    self.add(text, count);
                }
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let texts: StringArray = self.counts.keys().map(Some).collect();
        let counts: Int64Array = self.counts.values().copied().map(Some).collect();
        Ok(vec![
            SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar(),
            SingleRowListArrayBuilder::new(Arc::new(counts)).build_list_scalar(),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(match self.answer {
            Answer::All if self.counts.is_empty() => ScalarValue::try_from(&many_type())?,
            Answer::All => {
                let texts: StringArray = self.counts.keys().map(Some).collect();
                SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar()
            }
            Answer::Count => ScalarValue::Int64(Some(self.counts.len() as i64)),
            Answer::MostFrequent => {
                let most = self.counts.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
                ScalarValue::Utf8(most.map(|(text, _)| text.clone()))
            }
        })
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }
}

/// Collects the first texts. The second argument says how many.
#[derive(Debug, PartialEq, Eq, Hash)]
struct List {
    signature: Signature,
}

impl AggregateUDFImpl for List {
    fn name(&self) -> &str {
        "spl_list"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(many_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "texts"), many_type(), true))])
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(ListAccumulator::default()))
    }
}

#[derive(Debug, Default)]
struct ListAccumulator {
    texts: Vec<String>,
    bytes: usize,
}

impl ListAccumulator {
    fn extend(&mut self, column: &dyn Array, most: usize) {
        for row in 0..column.len() {
            for text in Value::read(column, row).texts() {
                if self.texts.len() >= most {
                    return;
                }
                self.bytes += text.len() + size_of::<String>();
                self.texts.push(text.into_owned());
            }
        }
    }
}

impl Accumulator for ListAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [column, most] = values else { return exec_err!("a list needs a column and a length") };
        if most.is_empty() {
            return Ok(());
        }
        let most = Value::read(most.as_ref(), 0).number().map_or(usize::MAX, |most| most as usize);
        self.extend(column.as_ref(), most);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(texts) = states.first() else { return exec_err!("a list has one state column") };
        self.extend(texts.as_ref(), usize::MAX);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.texts.is_empty() {
            return ScalarValue::try_from(&many_type());
        }
        let texts: StringArray = self.texts.iter().map(Some).collect();
        Ok(SingleRowListArrayBuilder::new(Arc::new(texts)).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }
}
