//! The first value that is not null, in an expression that says each of them once.
//!
//! DataFusion writes its own `coalesce` as a CASE, in which each value but the last stands twice: a coalesce in a coalesce
//! in a coalesce grows with the power of two.

use std::sync::{Arc, LazyLock};

use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, is_not_null};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

static COALESCE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::new_from_impl(Coalesce { signature: Signature::user_defined(Volatility::Immutable) }))
});

/// The DataFusion functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&COALESCE)]
}

/// The first of them that is not null. What is only a column or a constant may stand twice, so that the optimizer can
/// see through it.
pub fn coalesce(values: Vec<Expr>) -> Expr {
    let simple = |value: &Expr| matches!(value, Expr::Column(_) | Expr::Literal(..) | Expr::LambdaVariable(_));
    match values.split_last() {
        Some((_, twice)) if !twice.iter().all(simple) => COALESCE.call(values),
        _ => datafusion::functions::expr_fn::coalesce(values),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Coalesce {
    signature: Signature,
}

impl ScalarUDFImpl for Coalesce {
    fn name(&self) -> &str {
        "spl_coalesce"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match type_union_resolution(types) {
            Some(common) => Ok(vec![common; types.len()]),
            None => plan_err!("spl_coalesce takes values of one type"),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let returned = args.return_field.data_type();
        let mut values = args.args.into_iter();
        let Some(first) = values.next() else { return exec_err!("spl_coalesce takes a value") };
        let mut found = cast(&first.into_array(args.number_rows)?, returned)?;
        for value in values {
            if found.logical_null_count() == 0 {
                break;
            }
            let next = cast(&value.into_array(args.number_rows)?, returned)?;
            found = zip(&is_not_null(&found)?, &found, &next)?;
        }
        Ok(ColumnarValue::Array(found))
    }
}
