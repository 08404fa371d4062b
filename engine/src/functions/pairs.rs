//! Fields out of text that holds their names too: all that a search asks for, in one look at each text.
//!
//! Source: Splunk Admin Manual, transforms.conf, "FORMAT" with `$1::$2` and "CLEAN_KEYS".

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder, StructArray, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use memchr::memmem;

use super::kernel::many_type;
use super::part;
use super::pattern::Pattern;
use crate::values::Value;

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![udf()]
}

/// The values behind names, where a pattern finds names and values in a text.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The pattern.
    pub pattern: &'a str,
    /// The group that holds a name.
    pub key: &'a str,
    /// The group that holds its value; of several from it on, the first that took part counts.
    pub value: &'a str,
    /// Whether a name that stands there several times has several values, rather than the first.
    pub several: bool,
    /// The names that are asked for.
    pub names: &'a [&'a str],
}

impl Asked<'_> {
    /// `spl_pairs(text, regex, key group, value group, several, names)`: a struct of a field for each name.
    pub fn of(&self, text: Expr) -> Expr {
        let names: Vec<ScalarValue> = self.names.iter().map(|name| ScalarValue::from(*name)).collect();
        let names = ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8));
        udf().call(vec![text, lit(self.pattern), lit(self.key), lit(self.value), lit(self.several), lit(names)])
    }
}

/// The values behind the name at that position.
pub fn named(all: Expr, position: usize) -> Expr {
    part::of(all, position)
}

fn udf() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Pairs { signature: Signature::any(6, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Pairs {
    signature: Signature,
}

/// What is asked for, ready to look at texts.
struct Finder<'a> {
    pattern: Arc<Pattern>,
    key: usize,
    value: usize,
    several: bool,
    positions: HashMap<&'a str, usize>,
    /// Where few names are asked for, the longest piece of each: looking for one takes less than matching.
    pieces: Vec<memmem::Finder<'a>>,
}

/// Of more names than that some stands in nearly every text.
const FEW: usize = 8;

impl<'a> Finder<'a> {
    fn new(arguments: [&'a ScalarValue; 4], names: &'a [String]) -> Option<Self> {
        let [pattern, key, value, several] = arguments;
        let text = |scalar: &'a ScalarValue| scalar.try_as_str().flatten();
        let group = |scalar: &'a ScalarValue| text(scalar).and_then(|text| text.parse::<usize>().ok());
        let positions = names.iter().enumerate().map(|(position, name)| (name.as_str(), position)).collect();
        let piece = |name: &'a String| name.split('_').max_by_key(|piece| piece.len()).unwrap_or_default();
        let few = if names.len() <= FEW { names } else { &[] };
        Some(Self {
            pattern: Pattern::new(text(pattern)?).ok()?,
            key: group(key)?,
            value: group(value)?,
            several: *several == ScalarValue::from(true),
            positions,
            pieces: few.iter().map(|name| memmem::Finder::new(piece(name))).collect(),
        })
    }

    /// The values in a text by the positions of their names; an empty value is none. A name counts as it stands, and with
    /// what cannot be part of the name of a field as `_`.
    fn find(&self, text: &str, found: &mut [Vec<String>]) {
        if !self.pieces.is_empty() && self.pieces.iter().all(|piece| piece.find(text.as_bytes()).is_none()) {
            return;
        }
        for captures in self.pattern.captures(text, 0) {
            let Some(key) = captures.get(self.key).copied().flatten().map(str::trim) else { continue };
            let Some(value) = captures.iter().skip(self.value).flatten().next() else { continue };
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            let clean: Cow<'_, str> = match key.chars().all(is_part) {
                true => Cow::Borrowed(key),
                false => Cow::Owned(key.replace(|letter: char| !is_part(letter), "_")),
            };
            let as_it_stands = self.positions.get(key);
            let cleaned =
                self.positions.get(clean.trim_start_matches('_')).filter(|other| Some(*other) != as_it_stands);
            for position in as_it_stands.into_iter().chain(cleaned) {
                if let Some(values) = found.get_mut(*position).filter(|values| self.several || values.is_empty()) {
                    values.push(value.to_owned());
                }
            }
        }
    }
}

/// A field of the result: made once something is found for it.
enum Column {
    Text(StringBuilder),
    Many(ListBuilder<StringBuilder>),
}

impl Column {
    /// With nothing in so many rows.
    fn new(several: bool, rows: usize) -> Self {
        match several {
            true => {
                let mut builder = ListBuilder::new(StringBuilder::new());
                (0..rows).for_each(|_| builder.append_null());
                Self::Many(builder)
            }
            false => {
                let mut builder = StringBuilder::new();
                builder.append_nulls(rows);
                Self::Text(builder)
            }
        }
    }

    fn add(&mut self, values: &mut Vec<String>) {
        match self {
            Self::Text(builder) => builder.append_option(values.drain(..).next()),
            Self::Many(builder) => {
                values.iter().for_each(|value| builder.values().append_value(value));
                builder.append(!values.is_empty());
                values.clear();
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Many(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// The type of the result.
fn fields(names: &[String], several: bool) -> Fields {
    let data_type = if several { many_type() } else { DataType::Utf8 };
    names.iter().map(|name| Field::new(name, data_type.clone(), true)).collect()
}

fn names(scalar: &ScalarValue) -> Option<Vec<String>> {
    let ScalarValue::List(list) = scalar else { return None };
    let names = list.values().as_string_opt::<i32>()?;
    Some(names.iter().flatten().map(str::to_owned).collect())
}

/// What is found in each text.
fn pairs(texts: &ArrayRef, finder: &Finder<'_>, fields: &Fields) -> Result<StructArray> {
    let mut columns: Vec<Option<Column>> = fields.iter().map(|_| None).collect();
    let mut found: Vec<Vec<String>> = vec![Vec::new(); fields.len()];
    for row in 0..texts.len() {
        Value::read(texts.as_ref(), row).texts().iter().for_each(|text| finder.find(text, &mut found));
        for (column, values) in columns.iter_mut().zip(&mut found) {
            match column {
                Some(column) => column.add(values),
                None if values.is_empty() => {}
                None => column.insert(Column::new(finder.several, row)).add(values),
            }
        }
    }
    let finished = columns.into_iter().zip(fields).map(|(column, field)| match column {
        Some(column) => column.finish(),
        None => new_null_array(field.data_type(), texts.len()),
    });
    Ok(StructArray::try_new_with_length(fields.clone(), finished.collect(), None, texts.len())?)
}

impl ScalarUDFImpl for Pairs {
    fn name(&self) -> &str {
        "spl_pairs"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("spl_pairs has no type without its arguments")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let [_, _, _, _, Some(several), Some(list)] = args.scalar_arguments else {
            return exec_err!("spl_pairs takes a list of names");
        };
        let Some(names) = names(list) else { return exec_err!("spl_pairs takes a list of names") };
        let fields = fields(&names, **several == ScalarValue::from(true));
        Ok(Arc::new(Field::new(self.name(), DataType::Struct(fields), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [
            text,
            ColumnarValue::Scalar(pattern),
            ColumnarValue::Scalar(key),
            ColumnarValue::Scalar(value),
            ColumnarValue::Scalar(several),
            ColumnarValue::Scalar(list),
        ] = args.args.as_slice()
        else {
            return exec_err!("spl_pairs takes a text, and literals");
        };
        let Some(names) = names(list) else { return exec_err!("spl_pairs takes a list of names") };
        let Some(finder) = Finder::new([pattern, key, value, several], &names) else {
            return exec_err!("spl_pairs takes a pattern, and numbers of its groups");
        };
        let fields = fields(&names, finder.several);
        let array = match text {
            ColumnarValue::Scalar(scalar) => {
                let all = pairs(&scalar.to_array()?, &finder, &fields)?;
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&all, 0)?));
            }
            ColumnarValue::Array(array) => array,
        };
        // Each distinct value is looked at once.
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>()
            && dictionary.values().len() <= dictionary.len()
        {
            let all = pairs(dictionary.values(), &finder, &fields)?;
            return Ok(ColumnarValue::Array(take(&all, dictionary.keys(), None)?));
        }
        Ok(ColumnarValue::Array(Arc::new(pairs(array, &finder, &fields)?)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int32Array, ListArray, StringArray};

    use super::*;

    /// What is found in texts for names.
    fn found(texts: &ArrayRef, several: bool, names: &[&str]) -> Vec<ArrayRef> {
        let asked = Asked { pattern: r"([\w .]+)=(?:'(\w*)'|(\w+))", key: "1", value: "2", several, names };
        let Expr::ScalarFunction(call) = asked.of(lit("text")) else { unreachable!("a call") };
        let mut args = vec![ColumnarValue::Array(Arc::clone(texts))];
        args.extend(call.args.into_iter().skip(1).map(|argument| match argument {
            Expr::Literal(scalar, _) => ColumnarValue::Scalar(scalar),
            other => unreachable!("{other} is no literal"),
        }));
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let data_type = DataType::Struct(fields(&names, several));
        let args = ScalarFunctionArgs {
            args,
            arg_fields: Vec::new(),
            number_rows: texts.len(),
            return_field: Arc::new(Field::new("all", data_type.clone(), true)),
            config_options: Arc::default(),
        };
        let all = call.func.invoke_with_args(args).unwrap().into_array(texts.len()).unwrap();
        assert_eq!(*all.data_type(), data_type);
        all.as_struct().columns().to_vec()
    }

    const TEXTS: [Option<&str>; 4] = [Some("a='1';b.c=2"), Some("x=1;a='';a=3;a=4"), None, Some("__b c=5;z")];
    const NAMES: [&str; 4] = ["a", "b_c", "z", "b.c"];
    /// With many names nothing is looked for before matching.
    const MANY: [&str; 10] = ["a", "b_c", "z", "b.c", "n1", "n2", "n3", "n4", "n5", "n6"];

    #[test]
    fn the_first_value_of_each_name_is_found_in_one_look() {
        let texts: ArrayRef = Arc::new(StringArray::from(TEXTS.to_vec()));
        let values: ArrayRef = Arc::new(StringArray::from(vec!["__b c=5;z", "a='1';b.c=2", "x=1;a='';a=3;a=4"]));
        let keys = Int32Array::from(vec![Some(1), Some(2), None, Some(0)]);
        let dictionary: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
        for (texts, names) in [(&texts, &NAMES[..]), (&texts, &MANY), (&dictionary, &NAMES), (&dictionary, &MANY)] {
            let columns = found(texts, false, names);
            let of = |at: usize| columns[at].as_string::<i32>().iter().collect::<Vec<_>>();
            assert_eq!(of(0), [Some("1"), Some("3"), None, None]);
            assert_eq!(of(1), [Some("2"), None, None, Some("5")]);
            assert_eq!(of(2), [None; 4]);
            assert_eq!(of(3), [Some("2"), None, None, None]);
        }
    }

    #[test]
    fn all_values_are_found_where_they_are_asked_for() {
        let texts: ArrayRef = Arc::new(StringArray::from(TEXTS.to_vec()));
        let columns = found(&texts, true, &NAMES);
        let list: &ListArray = columns[0].as_list();
        let values = |row: usize| list.value(row).as_string::<i32>().iter().flatten().collect::<Vec<_>>().join("|");
        assert_eq!((values(0), values(1)), ("1".to_owned(), "3|4".to_owned()));
        assert!(list.is_null(2) && list.is_null(3) && columns[2].null_count() == 4);
    }
}
