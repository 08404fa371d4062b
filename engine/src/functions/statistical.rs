//! Statistical eval functions that are not in [`super::mathematical`].
//!
//! Source: Splunk Search Reference, "Statistical eval functions".

use std::sync::{Arc, LazyLock};

use arrow::array::Int64Array;
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use super::Function;
use super::fresh::Fresh;
use crate::plan::expression::{Kind, Typed};

/// The greatest random number.
const GREATEST: i64 = i32::MAX as i64;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[Function {
    name: "random",
    summary: "A random integer from 0 to 2147483647, another one in each row.",
    syntax: "random()",
    arity: (0, 0),
    example: ("if(random() >= 0, 1, 0)", "1"),
    plan: |call| Ok(Typed::new(RANDOM.call(Vec::new()), Kind::Integer, call.span)),
}];

static RANDOM: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Fresh::udf("spl_random", DataType::Int64, |rows| {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|_| fastrand::i64(0..=GREATEST))))
    })
});

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&RANDOM)]
}
