//! Lookups row by row: the function behind the command, and the eval function `lookup`.
//!
//! The table travels with the function, so those that look something up are made for one plan and not registered by name.
//!
//! Source: Splunk Search Reference, "lookup"; "Comparison and Conditional functions", "lookup".

mod json;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayBuilder as _, ArrayRef, AsArray, DictionaryArray, Int32Array, ListBuilder, StringBuilder, StructArray,
    UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use spelunk_grammar::spl::expression::{Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::Function;
use super::kernel::{dictionary_type, many_type};
use super::part;
use crate::documents;
use crate::lookups::matcher::Matcher;
use crate::plan::expression::{Call, Kind, Typed};
use crate::plan::lookup as plan;
use crate::values::{Value, text_at};

/// The function of this family.
pub const FUNCTIONS: &[Function] = &[Function {
    name: "lookup",
    summary: "The columns of the rows of a lookup table that agree, as a JSON object; null where none does.",
    syntax: r#"lookup("table", json_object("column", value, ...), json_array("column", ...))"#,
    arity: (3, 3),
    example: (
        r#"lookup("http_status.csv", json_object("status", 404), json_array("status_description"))"#,
        r#"{"status_description":"Not Found"}"#,
    ),
    plan: eval,
}];

/// A column of the table that comes out: its place, and whether it may have several values.
type Column = (usize, bool);

/// How columns of a table are added to rows.
#[derive(Debug, Clone)]
pub struct Outputs {
    matcher: Arc<Matcher>,
    /// The columns, and whether each may have several values.
    columns: Vec<Column>,
    whole: Arc<ScalarUDF>,
}

impl Outputs {
    /// For these columns; `several` if the fields of an event may have several values.
    pub fn new(matcher: Matcher, columns: &[usize], several: bool) -> Self {
        let matcher = Arc::new(matcher);
        let several = matcher.max_matches.max(matcher.min_matches) > 1 && (several || matcher.finds_several());
        let columns: Vec<Column> =
            columns.iter().map(|column| (*column, several || matcher.table.holds_several(*column))).collect();
        let udf = LookUp {
            matcher: Arc::clone(&matcher),
            columns: columns.clone(),
            signature: Signature::variadic_any(Volatility::Immutable),
        };
        Self { matcher, columns, whole: Arc::new(ScalarUDF::new_from_impl(udf)) }
    }

    /// The values of the output at that position, for key fields as text and the time in seconds.
    pub fn output(&self, position: usize, keys: &[Expr], time: Expr) -> (Expr, Kind) {
        let mut arguments = keys.to_vec();
        if self.matcher.needs_time() {
            arguments.push(time);
        }
        let several = self.columns.get(position).is_some_and(|(_, several)| *several);
        let part = part::of(self.whole.call(arguments), position);
        (part, if several { Kind::Many } else { Kind::Text })
    }
}

/// All outputs of a lookup as one struct, so that a row is looked up once.
#[derive(Debug)]
struct LookUp {
    matcher: Arc<Matcher>,
    columns: Vec<Column>,
    signature: Signature,
}

impl PartialEq for LookUp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.matcher, &other.matcher) && self.columns == other.columns
    }
}

impl Eq for LookUp {}

impl Hash for LookUp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.matcher).hash(state);
        self.columns.hash(state);
    }
}

/// What the function of a lookup holds, if a function is one: the table, and the outputs.
#[cfg(feature = "cluster")]
pub(crate) fn held(function: &ScalarUDF) -> Option<(&Arc<Matcher>, &[Column])> {
    let lookup = (function.inner().as_ref() as &dyn std::any::Any).downcast_ref::<LookUp>()?;
    Some((&lookup.matcher, &lookup.columns))
}

/// The function that holds that.
#[cfg(feature = "cluster")]
pub(crate) fn holding(matcher: Matcher, columns: Vec<Column>) -> ScalarUDF {
    let signature = Signature::variadic_any(Volatility::Immutable);
    ScalarUDF::new_from_impl(LookUp { matcher: Arc::new(matcher), columns, signature })
}

/// What one choice of values found: the rows, and how often the default makes up for more.
struct Found {
    rows: Vec<u32>,
    defaults: usize,
}

impl LookUp {
    fn fields(&self) -> Fields {
        let of = |(position, (_, several)): (usize, &(usize, bool))| {
            Field::new(position.to_string(), if *several { many_type() } else { dictionary_type() }, true)
        };
        self.columns.iter().enumerate().map(of).collect()
    }

    fn found(&self, values: &[Vec<Cow<'_, str>>], time: Option<f64>) -> Result<Option<Found>> {
        let rows = self.matcher.find(values, time).map_err(|reason| exec_datafusion_err!("`lookup`: {reason}"))?;
        let Some(rows) = rows else { return Ok(None) };
        let defaults = self.matcher.min_matches.saturating_sub(rows.len());
        Ok((!rows.is_empty() || defaults > 0).then_some(Found { rows, defaults }))
    }

    /// What each row finds, by its number in the list of what was found.
    fn rows(&self, keys: &[ArrayRef], time: Option<&ArrayRef>, rows: usize) -> Result<(Vec<Option<u32>>, Vec<Found>)> {
        let mut list: Vec<Found> = Vec::new();
        let mut add = |found: Option<Found>| {
            found.map(|found| {
                list.push(found);
                list.len() as u32 - 1
            })
        };
        let mut numbers: Vec<Option<u32>> = Vec::with_capacity(rows);
        if let ([key], None) = (keys, time)
            && let Some(dictionary) = key.as_dictionary_opt::<Int32Type>()
        {
            // Each distinct value is looked up once.
            let mut known: Vec<Option<Option<u32>>> = vec![None; dictionary.values().len()];
            for row in 0..rows {
                let number = match dictionary.key(row) {
                    None => None,
                    Some(value) => match known.get(value).copied().flatten() {
                        Some(number) => number,
                        None => {
                            let text = text_at(dictionary.values().as_ref(), value);
                            let number = add(self.found(&[text.into_iter().collect()], None)?);
                            if let Some(known) = known.get_mut(value) {
                                *known = Some(number);
                            }
                            number
                        }
                    },
                };
                numbers.push(number);
            }
            return Ok((numbers, list));
        }
        let mut known: HashMap<Vec<Vec<Cow<'_, str>>>, Option<u32>> = HashMap::new();
        for row in 0..rows {
            let values: Vec<Vec<Cow<'_, str>>> = keys.iter().map(|key| texts(key.as_ref(), row)).collect();
            if let Some(time) = time {
                let seconds = Value::read(time.as_ref(), row).number();
                numbers.push(add(self.found(&values, seconds)?));
                continue;
            }
            let number = match known.get(&values) {
                Some(number) => *number,
                None => {
                    let number = add(self.found(&values, None)?);
                    known.insert(values, number);
                    number
                }
            };
            numbers.push(number);
        }
        Ok((numbers, list))
    }

    fn texts(&self, found: &Found, column: usize) -> Vec<Cow<'_, str>> {
        let rows = found.rows.iter().flat_map(|row| self.matcher.table.texts(column, *row as usize));
        let defaults = (0..found.defaults).filter_map(|_| self.matcher.default_match.as_deref().map(Cow::Borrowed));
        rows.chain(defaults).collect()
    }

    /// A column of the result: what was found, once, and which of it each row has.
    fn column(&self, column: usize, several: bool, numbers: &[Option<u32>], list: &[Found]) -> Result<ArrayRef> {
        if several {
            let mut builder = ListBuilder::new(StringBuilder::new());
            for found in list {
                let texts = self.texts(found, column);
                texts.iter().for_each(|text| builder.values().append_value(text));
                builder.append(!texts.is_empty());
            }
            return Ok(take(&builder.finish(), &UInt32Array::from(numbers.to_vec()), None)?);
        }
        let mut values = StringBuilder::new();
        let mut places: Vec<Option<i32>> = Vec::with_capacity(list.len());
        for found in list {
            places.push(self.texts(found, column).first().map(|text| {
                values.append_value(text);
                values.len() as i32 - 1
            }));
        }
        let place = |number: &Option<u32>| number.and_then(|number| places.get(number as usize).copied().flatten());
        let keys: Int32Array = numbers.iter().map(place).collect();
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values.finish()))?))
    }
}

/// The values in a row of a key field.
fn texts(column: &dyn Array, row: usize) -> Vec<Cow<'_, str>> {
    if let Some(text) = text_at(column, row) {
        return vec![text];
    }
    match Value::read(column, row) {
        Value::Many(values) => values,
        Value::Text(text) => vec![text],
        other => other.text().map(|text| Cow::Owned(text.into_owned())).into_iter().collect(),
    }
}

impl ScalarUDFImpl for LookUp {
    fn name(&self) -> &str {
        "spl_lookup"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.fields()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let literal = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if literal { 1 } else { args.number_rows };
        let mut keys = args.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let time = if self.matcher.needs_time() { keys.pop() } else { None };
        let (numbers, list) = self.rows(&keys, time.as_ref(), rows)?;
        let columns = self.columns.iter().map(|(column, several)| self.column(*column, *several, &numbers, &list));
        let all = StructArray::try_new_with_length(self.fields(), columns.collect::<Result<_>>()?, None, rows)?;
        match literal {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&all, 0)?)),
            false => Ok(ColumnarValue::Array(Arc::new(all))),
        }
    }
}

/// The columns that a call names, as far as it spells them out.
fn column_names(call: &Call<'_, '_>) -> Vec<Spanned<String>> {
    let literal = |expression: &Expression| match &expression.kind {
        ExpressionKind::String(text) => Some(Spanned::new(text.clone(), expression.span)),
        _ => None,
    };
    let of = |position: usize, function: &str, step: usize| {
        let arguments = match call.expressions.get(position).map(|expression| &expression.kind) {
            Some(ExpressionKind::Call(name, arguments)) if name.node.eq_ignore_ascii_case(function) => {
                arguments.as_slice()
            }
            _ => &[],
        };
        arguments.iter().step_by(step).filter_map(literal).collect::<Vec<_>>()
    };
    [of(1, "json_object", 2), of(2, "json_array", 1)].concat()
}

/// The eval function.
fn eval(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let name = call.literal(0, "the name of a lookup table")?;
    call.values()?;
    let span = call.argument(0).span;
    let frame = call.planner.frame();
    let Some(lookups) = &frame.setting.lookups else {
        frame.note(plan::assumed(span));
        return Ok(Typed::new(lit(ScalarValue::Utf8(None)), Kind::Text, call.span));
    };
    let opened = plan::open(lookups, frame, &name, span)?;
    for name in column_names(call) {
        plan::position(&opened.table, &opened.name, &name.node, name.span)?;
    }
    for position in [1, 2] {
        let argument = call.argument(position);
        if argument.kind.is_number() || argument.literal().is_some_and(|text| documents::json::parse(text).is_none()) {
            let wanted = if position == 1 { "json_object(...)" } else { "json_array(...)" };
            let message = format!("`lookup` takes `{wanted}` here");
            return Err(Diagnostic::error(Code::InvalidArgument, message, argument.span));
        }
    }
    let udf = json::udf(opened, &frame.setting.clock);
    let time = match frame.data_type("_time") {
        Some(_) => call.planner.field("_time", call.span).number(),
        None => lit(ScalarValue::Float64(None)),
    };
    let arguments = vec![call.argument(1).text(), call.argument(2).text(), time];
    Ok(Typed::new(udf.call(arguments), Kind::Text, call.span))
}
