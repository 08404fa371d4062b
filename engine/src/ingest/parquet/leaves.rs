//! The values in the rows of a file.

use std::sync::Arc;

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::{coalesce, get_field};
use datafusion::logical_expr::{Expr, cast, lit, try_cast};

use crate::functions::kernel::many_type;
use crate::functions::restored;
use crate::store::align::{converted, dictionary_type, merged};
use crate::store::skeleton;
use crate::values::time_type;

/// A value in each row of the file: a column, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// Its name, dotted inside of structures.
    pub(super) name: String,
    /// The column of the file.
    pub(super) root: String,
    pub(super) value: Expr,
    /// What `value` is.
    pub(super) data_type: DataType,
    /// Whether a row may lack it.
    pub(super) nullable: bool,
}

/// The columns in the types in which they are read: text as dictionary where the file has dictionaries only.
pub(super) fn read_schema(schema: &SchemaRef, is_dictionary: &dyn Fn(usize) -> bool) -> SchemaRef {
    let fields: Fields = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(position, field)| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let data_type = if is_dictionary(position) { dictionary_type() } else { DataType::Utf8 };
                Arc::new(field.as_ref().clone().with_data_type(data_type))
            }
            DataType::Dictionary(_, values) if is_text(values) => {
                Arc::new(field.as_ref().clone().with_data_type(dictionary_type()))
            }
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// The values in a column, in types that fields have.
pub(super) fn collect(
    field: &Field,
    root: &str,
    name: &str,
    value: Expr,
    nullable: bool,
    leaves: &mut Vec<Leaf>,
    refused: &mut Vec<String>,
) {
    let data_type = field.data_type();
    let leaf = |value: Expr, data_type: DataType| Leaf {
        name: name.to_owned(),
        root: root.to_owned(),
        value,
        data_type,
        nullable,
    };
    leaves.push(match data_type {
        DataType::Null => return,
        DataType::Struct(members) => {
            for member in members {
                let inner = get_field(value.clone(), member.name().as_str());
                let name = format!("{name}.{}", member.name());
                collect(member, root, &name, inner, true, leaves, refused);
            }
            return;
        }
        DataType::Utf8 | DataType::Int64 | DataType::Float64 => leaf(value, data_type.clone()),
        text if *text == dictionary_type() => leaf(value, dictionary_type()),
        text if is_text(text) => leaf(cast(value, DataType::Utf8), DataType::Utf8),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            leaf(cast(value, DataType::Int64), DataType::Int64)
        }
        DataType::Float16
        | DataType::Float32
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => leaf(cast(value, DataType::Float64), DataType::Float64),
        DataType::Timestamp(_, None) => leaf(value, data_type.clone()),
        DataType::Timestamp(..) if *data_type == time_type() => leaf(value, time_type()),
        DataType::Timestamp(..) => leaf(cast(value, time_type()), time_type()),
        DataType::List(inner) | DataType::LargeList(inner) | DataType::FixedSizeList(inner, _)
            if !inner.data_type().is_nested() && can_cast_types(data_type, &many_type()) =>
        {
            leaf(try_cast(value, many_type()), many_type())
        }
        other if !other.is_nested() && can_cast_types(other, &DataType::Utf8) => {
            leaf(try_cast(value, DataType::Utf8), DataType::Utf8)
        }
        other => {
            refused.push(format!("{name} ({other})"));
            return;
        }
    });
}

/// Puts `_raw` in the place of what a file of a store has of it.
pub(super) fn restore_text(leaves: &mut Vec<Leaf>, names: &[String]) {
    let mut taken = |name: &str| {
        let at = leaves.iter().position(|leaf| leaf.name == name)?;
        Some(leaves.remove(at).value)
    };
    let nothing = lit(ScalarValue::Utf8(None));
    let whole = taken("_raw").unwrap_or_else(|| nothing.clone());
    let gaps = taken(skeleton::GAPS).unwrap_or(nothing);
    let Some(skeletons) = taken(skeleton::SKELETON) else { return };
    let value = restored::text(cast(skeletons, dictionary_type()), gaps, whole, names.iter().map(String::as_str));
    let (name, root) = ("_raw".to_owned(), skeleton::SKELETON.to_owned());
    leaves.push(Leaf { name, root, value, data_type: DataType::Utf8, nullable: true });
}

/// The first of several columns that has a value.
pub(super) fn first_of(columns: &[&Leaf]) -> Option<(Expr, DataType)> {
    let mut used = Vec::new();
    for leaf in columns {
        used.push(*leaf);
        if !leaf.nullable {
            break;
        }
    }
    let data_type = used.iter().map(|leaf| leaf.data_type.clone()).reduce(|one, other| merged(&one, &other))?;
    let mut values: Vec<Expr> =
        used.iter().map(|leaf| converted(leaf.value.clone(), &leaf.data_type, &data_type)).collect();
    let value = if values.len() == 1 { values.remove(0) } else { coalesce(values) };
    Some((value, data_type))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
