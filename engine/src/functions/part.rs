//! One field of a struct: how a function that finds several things at once gives each of them to a field of its own.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![part()]
}

/// `spl_part(struct, position)`: the field at that position.
pub fn of(whole: Expr, position: usize) -> Expr {
    part().call(vec![whole, lit(i64::try_from(position).unwrap_or(i64::MAX))])
}

/// One field of a struct, by its position.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Part {
    signature: Signature,
}

fn part() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Part { signature: Signature::any(2, Volatility::Immutable) }))
}

impl ScalarUDFImpl for Part {
    fn name(&self) -> &str {
        "spl_part"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        exec_err!("spl_part has no type without its arguments")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let (Some(all), Some(Some(ScalarValue::Int64(Some(position))))) =
            (args.arg_fields.first(), args.scalar_arguments.get(1))
        else {
            return exec_err!("spl_part takes a struct and a position");
        };
        match all.data_type() {
            DataType::Struct(fields) => fields
                .get(usize::try_from(*position).unwrap_or(usize::MAX))
                .map(|field| Arc::new(Field::new(self.name(), field.data_type().clone(), true)))
                .ok_or_else(|| exec_datafusion_err!("spl_part has no field {position}")),
            other => exec_err!("spl_part takes a struct, not {other}"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [all, ColumnarValue::Scalar(ScalarValue::Int64(Some(position)))] = args.args.as_slice() else {
            return exec_err!("spl_part takes a struct and a position");
        };
        let literal = matches!(all, ColumnarValue::Scalar(_));
        let array = all.to_array(if literal { 1 } else { args.number_rows })?;
        let column = array
            .as_struct_opt()
            .and_then(|all| all.columns().get(usize::try_from(*position).unwrap_or(usize::MAX)))
            .ok_or_else(|| exec_datafusion_err!("spl_part has no field {position}"))?;
        match literal {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(column, 0)?)),
            false => Ok(ColumnarValue::Array(Arc::clone(column))),
        }
    }
}
