//! Values that the optimizer does not look through.
//!
//! DataFusion sorts the halves of a UNION each by itself, leaving out keys that are constant in a half or equal to
//! another key there. For the whole it then no longer knows that it is sorted, and refuses its own plan.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// The DataFusion functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(ScalarUDF::new_from_impl(Opaque { signature: Signature::any(3, Volatility::Immutable) }))]
}

/// The value as it is. The column, whatever it holds, keeps it from being taken for a constant, and the position
/// from being taken for another that is the same.
pub fn opaque(value: Expr, column: Expr, position: usize) -> Expr {
    ScalarUDF::new_from_impl(Opaque { signature: Signature::any(3, Volatility::Immutable) }).call(vec![
        value,
        column,
        lit(position as u64),
    ])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Opaque {
    signature: Signature,
}

impl ScalarUDFImpl for Opaque {
    fn name(&self) -> &str {
        "spl_opaque"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(value) => Ok(value),
            None => exec_err!("spl_opaque takes three arguments"),
        }
    }
}
