//! One type for a field, whatever the tables that have it say.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast};

use crate::functions::kernel::many_type;
use crate::functions::operators;
use crate::plan::expression::{Kind, Typed, as_kind};
use crate::values::time_type;

/// The type of a text column with few distinct values.
pub fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The type that holds the values of both.
pub fn merged(one: &DataType, other: &DataType) -> DataType {
    if one == other {
        return one.clone();
    }
    match (Kind::of(one), Kind::of(other)) {
        (Kind::Many, _) | (_, Kind::Many) => many_type(),
        (Kind::Integer, Kind::Integer) => DataType::Int64,
        (Kind::Time, Kind::Time) => time_type(),
        (Kind::Integer | Kind::Number, Kind::Integer | Kind::Number) => DataType::Float64,
        _ if *one == DataType::Utf8 || *other == DataType::Utf8 => DataType::Utf8,
        _ => dictionary_type(),
    }
}

/// A value of one type in another that [`merged`] gave.
pub fn converted(value: Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to {
        return value;
    }
    let (before, after) = (Kind::of(from), Kind::of(to));
    let value = match after {
        Kind::Text => Typed::new(value, before, Default::default()).text(),
        Kind::Many => as_kind(&Typed::new(value, before, Default::default()), Kind::Many),
        Kind::Time if before != Kind::Time => operators::to_time(operators::to_number(value)),
        _ => value,
    };
    cast(value, to.clone())
}
