//! Functions without arguments whose value is another one in each row, such as `random()`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// A column of so many rows.
type Column = fn(usize) -> ArrayRef;

/// A function that is called anew for each row.
pub struct Fresh {
    name: &'static str,
    data_type: DataType,
    column: Column,
    signature: Signature,
}

impl Fresh {
    /// Wraps what makes a column of that type.
    pub fn udf(name: &'static str, data_type: DataType, column: Column) -> Arc<ScalarUDF> {
        let signature = Signature::nullary(Volatility::Volatile);
        Arc::new(ScalarUDF::new_from_impl(Self { name, data_type, column, signature }))
    }
}

impl ScalarUDFImpl for Fresh {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Array((self.column)(args.number_rows)))
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fresh({})", self.name)
    }
}

impl PartialEq for Fresh {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Fresh {}

impl Hash for Fresh {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
