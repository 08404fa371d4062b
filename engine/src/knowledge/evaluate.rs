//! What the eval expressions of macros give: the text of one with `iseval`, the verdict of its validation.

use std::cell::OnceCell;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;

use crate::error::Error;
use crate::plan::expression::Kind;
use crate::plan::{Clock, PlanError, constant};
use crate::session::session_state;
use crate::values::{Cell, cell};

/// The value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false, or neither.
    Boolean(Option<bool>),
    /// One text.
    Text(String),
    /// A number, a time or several values.
    Other,
}

/// Evaluates expressions; what it needs of DataFusion is set up with the first one.
pub struct Evaluator<'a> {
    clock: &'a Clock,
    state: OnceCell<SessionState>,
}

impl<'a> Evaluator<'a> {
    /// At that time.
    pub fn new(clock: &'a Clock) -> Self {
        Self { clock, state: OnceCell::new() }
    }

    /// The value of an expression in which the variables stand for their texts.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub fn value(&self, expression: &str, variables: &[(&str, &str)]) -> Result<Value, String> {
        let typed = constant::plan(expression, variables, self.clock).map_err(reason)?;
        let wanted = if typed.kind == Kind::Boolean { typed.expr.clone() } else { typed.text() };
        let found = self.run(wanted).map_err(|error| Error::from(error).to_string())?;
        Ok(match (found, typed.kind) {
            (Cell::Null, Kind::Boolean) => Value::Boolean(None),
            (Cell::Null, _) => Value::Null,
            (Cell::Text(text) | Cell::Number(text) | Cell::Time(text), Kind::Boolean) => {
                Value::Boolean(Some(text.eq_ignore_ascii_case("true")))
            }
            (Cell::Text(text), Kind::Literal | Kind::Text) => Value::Text(text),
            _ => Value::Other,
        })
    }

    fn run(&self, expression: Expr) -> Result<Cell, DataFusionError> {
        let physical = self.state.get_or_init(session_state).create_physical_expr(expression, &DFSchema::empty())?;
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
        let column = physical.evaluate(&row)?.into_array(1)?;
        Ok(cell(&column, 0, &self.clock.time_zone))
    }
}

/// Why an expression cannot be planned, in a sentence.
fn reason(error: PlanError) -> String {
    match error {
        PlanError::Query(finding) => match finding.help {
            Some(help) => format!("{} ({help})", finding.message),
            None => finding.message,
        },
        PlanError::DataFusion(error) => Error::from(error).to_string(),
        PlanError::Several(errors) => errors.into_iter().next().map(reason).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn values_of_expressions() {
        let clock = Clock { now: Timestamp::UNIX_EPOCH, time_zone: TimeZone::UTC };
        let evaluator = Evaluator::new(&clock);
        let value = |expression: &str| evaluator.value(expression, &[("f", "*"), ("n", "5")]);
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        assert_eq!(value(r#"if(f=="*", "index=*", "host=".f)"#), text("index=*"));
        assert_eq!(value(r#""a" . n . 'f'"#), text("a5*"));
        assert_eq!(value("n"), text("5"));
        assert_eq!(value("strftime(now(), \"%Y\")"), text("1970"));
        assert_eq!(value("mvjoin(split(\"a,b\", \",\"), \" OR \")"), text("a OR b"));
        assert_eq!(value("n > 4 AND isnotnull(f)"), Ok(Value::Boolean(Some(true))));
        assert_eq!(value("n > 5"), Ok(Value::Boolean(Some(false))));
        assert_eq!(value("missing"), Ok(Value::Null));
        assert_eq!(value("missing == 1"), Ok(Value::Boolean(None)));
        assert_eq!(value("1+n"), Ok(Value::Other));
        assert_eq!(value("split(\"a,b\", \",\")"), Ok(Value::Other));
        assert!(value("nosuch(1)").unwrap_err().contains("nosuch"));
        for wrong in ["1 | head 1", "1, b=2", "", "\"", "_time."] {
            assert!(value(wrong).is_err(), "{wrong}");
        }
    }
}
