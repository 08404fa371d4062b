//! The two shapes that almost every scalar function has, as DataFusion functions.
//!
//! Both are stateless and found by name, so that plans serialise: parameters travel as literal arguments.
//! Both look at each distinct value of a dictionary column once, where that is cheaper than row by row ([`once`]).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, DictionaryArray, Float64Array, Int32Array, ListBuilder,
    StringArray, StringBuilder,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::eq;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use spelunk_grammar::{Diagnostic, Span};

use super::once;
use crate::plan::expression::{Call, Kind, Typed};
use crate::values::Value;

/// What a row function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// True or false.
    Boolean,
    /// A double.
    Number,
    /// Text; a dictionary where the only column among the arguments is one.
    Text,
    /// Several values.
    Many,
}

/// A function from the values of one row to a value.
#[derive(Clone)]
pub struct RowFunction {
    name: &'static str,
    returns: Returns,
    evaluate: fn(&[Value<'_>]) -> Value<'static>,
    /// The same for the only argument if that is a text: what it becomes is put behind what there is.
    rewrite: Option<fn(&str, &mut String)>,
    signature: Signature,
}

impl RowFunction {
    /// Wraps a kernel.
    pub fn udf(name: &'static str, returns: Returns, evaluate: fn(&[Value<'_>]) -> Value<'static>) -> Arc<ScalarUDF> {
        Self::made(name, returns, evaluate, None)
    }

    fn made(
        name: &'static str,
        returns: Returns,
        evaluate: fn(&[Value<'_>]) -> Value<'static>,
        rewrite: Option<fn(&str, &mut String)>,
    ) -> Arc<ScalarUDF> {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, returns, evaluate, rewrite, signature }))
    }

    fn keeps_dictionary(&self, types: &[(&DataType, bool)]) -> bool {
        let mut columns = types.iter().filter(|(_, literal)| !literal);
        self.returns == Returns::Text
            && matches!(columns.next(), Some((DataType::Dictionary(..), _)))
            && columns.next().is_none()
    }

    /// Whether the function has nothing to say where the argument at that position is null.
    fn is_null_for_null(&self, arguments: &[ColumnarValue], position: usize) -> Result<bool> {
        let mut arguments = arguments.to_vec();
        if let Some(argument) = arguments.get_mut(position) {
            *argument = ColumnarValue::Scalar(ScalarValue::Utf8(None));
        }
        Ok(self.evaluate_rows(&arguments, 1)?.is_null(0))
    }

    fn evaluate_rows(&self, columns: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        if let (Some(rewrite), [ColumnarValue::Array(array)]) = (self.rewrite, columns)
            && let Some(texts) = array.as_string_opt::<i32>()
        {
            return Ok(rewritten(texts, rewrite));
        }
        let scalars: Vec<Option<ArrayRef>> = columns
            .iter()
            .map(|column| match column {
                ColumnarValue::Scalar(scalar) => scalar.to_array().map(Some),
                ColumnarValue::Array(_) => Ok(None),
            })
            .collect::<Result<_>>()?;
        let readers: Vec<(&dyn Array, bool)> = columns
            .iter()
            .zip(&scalars)
            .filter_map(|(column, scalar)| match (column, scalar) {
                (ColumnarValue::Array(array), _) => Some((array.as_ref(), false)),
                (_, Some(array)) => Some((array.as_ref(), true)),
                _ => None,
            })
            .collect();
        let mut values: Vec<Value<'_>> = Vec::with_capacity(readers.len());
        let results = (0..rows).map(|row| {
            values.clear();
            values.extend(readers.iter().map(|(array, literal)| Value::read(*array, if *literal { 0 } else { row })));
            (self.evaluate)(&values)
        });
        Ok(build(self.returns, results, rows))
    }
}

/// A row function as a family's file declares it.
pub struct Row {
    /// Its name in plans.
    pub name: &'static str,
    /// What it returns.
    pub returns: Returns,
    /// From the values of a row to a value.
    pub evaluate: fn(&[Value<'_>]) -> Value<'static>,
}

impl Row {
    /// The DataFusion function.
    pub fn udf(&self) -> Arc<ScalarUDF> {
        RowFunction::udf(self.name, self.returns, self.evaluate)
    }

    /// A planned call with these arguments.
    pub fn call(&self, arguments: Vec<Expr>, span: Span) -> Typed {
        let kind = match self.returns {
            Returns::Boolean => Kind::Boolean,
            Returns::Number => Kind::Number,
            Returns::Text => Kind::Text,
            Returns::Many => Kind::Many,
        };
        Typed::new(self.udf().call(arguments), kind, span)
    }

    /// A planned call with the arguments of an SPL call; times count as seconds.
    pub fn plan(&self, call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
        Ok(self.call(arguments(call), call.span))
    }

    /// The same for a function that takes no conditions.
    pub fn plan_values(&self, call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
        call.values()?;
        self.plan(call)
    }
}

/// A row function that writes a text anew, as a family's file declares it.
pub struct Rewriting {
    /// Its name in plans.
    pub name: &'static str,
    /// From the value of a row to a text.
    pub evaluate: fn(&[Value<'_>]) -> Value<'static>,
    /// The same of a text: what it becomes is put behind what there is, without a text of its own.
    pub rewrite: fn(&str, &mut String),
}

impl Rewriting {
    /// The DataFusion function.
    pub fn udf(&self) -> Arc<ScalarUDF> {
        RowFunction::made(self.name, Returns::Text, self.evaluate, Some(self.rewrite))
    }

    /// A planned call with the arguments of an SPL call, which are no conditions; times count as seconds.
    pub fn plan_values(&self, call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
        call.values()?;
        Ok(Typed::new(self.udf().call(arguments(call)), Kind::Text, call.span))
    }
}

/// The arguments of an SPL call; times count as seconds.
fn arguments(call: &Call<'_, '_>) -> Vec<Expr> {
    let value = |argument: &Typed| if argument.kind == Kind::Time { argument.number() } else { argument.expr.clone() };
    call.arguments.iter().map(value).collect()
}

/// Texts written anew one by one.
fn rewritten(texts: &StringArray, rewrite: fn(&str, &mut String)) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    let mut room = String::new();
    for text in texts {
        match text {
            Some(text) => {
                room.clear();
                rewrite(text, &mut room);
                builder.append_value(&room);
            }
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

/// Collects values into a column.
pub fn build(returns: Returns, values: impl Iterator<Item = Value<'static>>, rows: usize) -> ArrayRef {
    match returns {
        Returns::Boolean => Arc::new(
            values
                .map(|value| match value {
                    Value::Boolean(truth) => Some(truth),
                    _ => None,
                })
                .collect::<BooleanArray>(),
        ),
        Returns::Number => Arc::new(values.map(|value| value.number()).collect::<Float64Array>()),
        Returns::Text => {
            let mut builder = StringBuilder::with_capacity(rows, 0);
            values.for_each(|value| builder.append_option(value.text()));
            Arc::new(builder.finish())
        }
        Returns::Many => {
            let mut builder = ListBuilder::with_capacity(StringBuilder::new(), rows);
            for value in values {
                let texts = value.texts();
                for text in &texts {
                    builder.values().append_value(text);
                }
                builder.append(!texts.is_empty());
            }
            Arc::new(builder.finish())
        }
    }
}

/// The type of a multivalue column.
pub fn many_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

/// The type of a text column as the store has it.
pub fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

impl ScalarUDFImpl for RowFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("{} has no type without its arguments", self.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<_> = args
            .arg_fields
            .iter()
            .zip(args.scalar_arguments)
            .map(|(field, scalar)| (field.data_type(), scalar.is_some()))
            .collect();
        let data_type = match self.returns {
            Returns::Boolean => DataType::Boolean,
            Returns::Number => DataType::Float64,
            Returns::Text if self.keeps_dictionary(&types) => dictionary_type(),
            Returns::Text => DataType::Utf8,
            Returns::Many => many_type(),
        };
        Ok(Arc::new(Field::new(self.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let wanted = args.return_field.data_type();
        if let Some((position, dictionary)) = only_dictionary(&args.args)
            && (dictionary.null_count() == 0 || self.is_null_for_null(&args.args, position)?)
        {
            let evaluate = |values: &ArrayRef| {
                let mut arguments = args.args.clone();
                if let Some(argument) = arguments.get_mut(position) {
                    *argument = ColumnarValue::Array(Arc::clone(values));
                }
                self.evaluate_rows(&arguments, values.len())
            };
            let (values, rows) = (dictionary.values(), dictionary.len());
            if let Some(results) = once::of_values(self.name, &args.args, values, rows, evaluate)? {
                let keeps = self.keeps_dictionary(&[(&dictionary_type(), false)]) && results.len() == values.len();
                let array: ArrayRef = match keeps {
                    // As many values as before, so the keys need no second look.
                    true => Arc::new(dictionary.with_values(results)),
                    false => take(&results, dictionary.keys(), None)?,
                };
                return Ok(ColumnarValue::Array(as_type(array, wanted)?));
            }
        }
        let literal = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if literal { 1 } else { args.number_rows };
        let array = as_type(self.evaluate_rows(&args.args, rows)?, wanted)?;
        if literal {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

fn as_type(array: ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if array.data_type() == wanted { Ok(array) } else { Ok(cast(&array, wanted)?) }
}

/// The only column among the arguments, if it is a dictionary.
fn only_dictionary(arguments: &[ColumnarValue]) -> Option<(usize, DictionaryArray<Int32Type>)> {
    let mut columns = arguments.iter().enumerate().filter_map(|(position, argument)| match argument {
        ColumnarValue::Array(array) => Some((position, array)),
        ColumnarValue::Scalar(_) => None,
    });
    let (position, array) = columns.next()?;
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let usable = columns.next().is_none() && dictionary.values().null_count() == 0;
    usable.then(|| (position, dictionary.clone()))
}

impl fmt::Debug for RowFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowFunction({})", self.name)
    }
}

impl PartialEq for RowFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for RowFunction {}

impl Hash for RowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// A test of texts, made from literal parameters.
pub type Test = Box<dyn TextTest>;

/// What a [`Test`] does.
pub trait TextTest: Send + Sync {
    /// Whether a text passes.
    fn passes(&self, text: &str) -> bool;

    /// Which texts pass, in whatever way takes less than one after the other. Null gives null.
    fn passing(&self, texts: &StringArray) -> BooleanArray {
        texts.iter().map(|text| text.map(|text| self.passes(text))).collect()
    }
}

impl<F: Fn(&str) -> bool + Send + Sync> TextTest for F {
    fn passes(&self, text: &str) -> bool {
        self(text)
    }
}

/// A function from a column of any type to true or false, with literal parameters that are compiled once a
/// batch. Null gives null; several values give true if any of them passes.
#[derive(Clone)]
pub struct TextPredicate {
    name: &'static str,
    compile: fn(&[&str]) -> Result<Test>,
    signature: Signature,
}

impl TextPredicate {
    /// Wraps a compiler of tests.
    pub fn udf(name: &'static str, compile: fn(&[&str]) -> Result<Test>) -> Arc<ScalarUDF> {
        let signature = Signature::variadic_any(Volatility::Immutable);
        Arc::new(ScalarUDF::new_from_impl(Self { name, compile, signature }))
    }
}

/// The argument of a call that makes it null by being null, if all others are literals.
pub(crate) fn strict_argument(call: &ScalarFunction) -> Option<&Expr> {
    if call.func.inner().downcast_ref::<TextPredicate>().is_some() {
        return call.args.first();
    }
    let function = call.func.inner().downcast_ref::<RowFunction>()?;
    let mut others = call.args.iter().enumerate().filter(|(_, argument)| !matches!(argument, Expr::Literal(..)));
    let (position, argument) = others.next().filter(|_| others.next().is_none())?;
    let literal = |argument: &Expr| match argument {
        Expr::Literal(value, _) => ColumnarValue::Scalar(value.clone()),
        _ => ColumnarValue::Scalar(ScalarValue::Utf8(None)),
    };
    let arguments: Vec<ColumnarValue> = call.args.iter().map(literal).collect();
    function.is_null_for_null(&arguments, position).ok()?.then_some(argument)
}

impl ScalarUDFImpl for TextPredicate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, literals)) = args.args.split_first() else {
            return exec_err!("{} needs a column", self.name);
        };
        let mut parameters = Vec::with_capacity(literals.len());
        for literal in literals {
            match literal {
                ColumnarValue::Scalar(
                    ScalarValue::Utf8(Some(text))
                    | ScalarValue::LargeUtf8(Some(text))
                    | ScalarValue::Utf8View(Some(text)),
                ) => parameters.push(text.as_str()),
                _ => return exec_err!("{} takes literal parameters only", self.name),
            }
        }
        let test = once::compiled(self.name, &args.args, || (self.compile)(&parameters))?;
        let array = column.to_array(if matches!(column, ColumnarValue::Scalar(_)) { 1 } else { args.number_rows })?;
        let result = match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => {
                let evaluate = |values: &ArrayRef| Ok(Arc::new(test_column(values, &test)?) as ArrayRef);
                match once::of_values(self.name, &args.args, dictionary.values(), dictionary.len(), evaluate)? {
                    Some(per_value) => spread(per_value.as_boolean(), dictionary.keys())?,
                    // After a filter a dictionary may hold far more values than the batch has rows.
                    None => test_column(&take(dictionary.values(), dictionary.keys(), None)?, &test)?,
                }
            }
            None => test_column(&array, &test)?,
        };
        if matches!(column, ColumnarValue::Scalar(_)) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(result)))
    }
}

/// Tests every value of a column.
pub fn test_column(array: &ArrayRef, test: &Test) -> Result<BooleanArray> {
    let passes = |text: Option<&str>| text.map(|text| test.passes(text));
    match array.data_type() {
        DataType::Dictionary(..) => {
            let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
                return test_column(&cast(array, &DataType::Utf8)?, test);
            };
            // After a filter a dictionary may hold far more values than the batch has rows.
            if dictionary.values().len() > dictionary.len() {
                return test_column(&take(dictionary.values(), dictionary.keys(), None)?, test);
            }
            spread(&test_column(dictionary.values(), test)?, dictionary.keys())
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let per_value = test_column(list.values(), test)?;
            let mut builder = BooleanBuilder::with_capacity(list.len());
            for (row, bounds) in list.value_offsets().windows(2).enumerate() {
                let [start, end] = bounds else { continue };
                if list.is_null(row) {
                    builder.append_null();
                } else {
                    let any = (*start as usize..*end as usize).any(|i| per_value.is_valid(i) && per_value.value(i));
                    builder.append_value(any);
                }
            }
            Ok(builder.finish())
        }
        DataType::Utf8 => Ok(test.passing(array.as_string())),
        DataType::LargeUtf8 => Ok(array.as_string::<i64>().iter().map(passes).collect()),
        DataType::Utf8View => Ok(array.as_string_view().iter().map(passes).collect()),
        _ => {
            let rows = 0..array.len();
            Ok(rows.map(|row| passes(Value::read(array.as_ref(), row).text().as_deref())).collect())
        }
    }
}

/// What is true of each distinct value, row by row.
fn spread(per_value: &BooleanArray, keys: &Int32Array) -> Result<BooleanArray> {
    let mut passing = per_value.values().set_indices();
    match (per_value.null_count(), passing.next(), passing.next()) {
        (0, None, _) => Ok(BooleanArray::new(BooleanBuffer::new_unset(keys.len()), keys.nulls().cloned())),
        // Comparing keys takes many rows at once, looking them up takes one after the other.
        (0, Some(only), None) => Ok(eq(keys, &Int32Array::new_scalar(i32::try_from(only).unwrap_or(-1)))?),
        _ => Ok(take(per_value, keys, None)?.as_boolean().clone()),
    }
}

impl fmt::Debug for TextPredicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextPredicate({})", self.name)
    }
}

impl PartialEq for TextPredicate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextPredicate {}

impl Hash for TextPredicate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_what_is_true_of_their_value() {
        let keys = Int32Array::from(vec![Some(2), None, Some(0), Some(1), Some(2)]);
        for per_value in [
            [Some(false), Some(false), Some(false)],
            [Some(false), Some(false), Some(true)],
            [Some(true), Some(false), Some(true)],
            [Some(true), None, Some(false)],
        ] {
            let expected: BooleanArray =
                keys.iter().map(|key| key.and_then(|key| per_value.get(key as usize).copied().flatten())).collect();
            assert_eq!(spread(&BooleanArray::from(per_value.to_vec()), &keys).unwrap(), expected, "{per_value:?}");
        }
    }
}
