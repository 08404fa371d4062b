//! A call of an eval function whose arguments are planned, as the function's entry sees it.

use std::ops::Range;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use spelunk_grammar::spl::expression::Expression;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::Setting;
use super::expression::ExpressionPlanner;
use super::typed::{Kind, Typed};

/// A call of a function whose arguments are planned.
pub struct Call<'a, 'f> {
    /// The name as written.
    pub name: &'a Spanned<String>,
    /// The arguments.
    pub arguments: Vec<Typed>,
    /// The arguments as written.
    pub expressions: &'a [Expression],
    /// The whole call.
    pub span: Span,
    /// Where it is planned.
    pub planner: &'a ExpressionPlanner<'f>,
}

impl Call<'_, '_> {
    /// An argument by position. The arity was checked, so only optional ones are missing.
    pub fn argument(&self, position: usize) -> Typed {
        self.arguments.get(position).cloned().unwrap_or_else(|| Typed::null(self.span))
    }

    /// The clock and the like.
    pub fn setting(&self) -> &Setting {
        &self.planner.frame().setting
    }

    /// Refuses what can be no number among the arguments at these positions.
    ///
    /// # Errors
    /// The first one that is a condition, or a string literal that does not look like a number.
    pub fn numbers(&self, positions: Range<usize>) -> Result<(), Diagnostic> {
        let wrong = self.arguments.iter().take(positions.end).skip(positions.start).find(|argument| {
            let text = argument.literal();
            argument.kind == Kind::Boolean || text.is_some_and(|text| crate::values::parse_number(text).is_none())
        });
        match wrong {
            Some(argument) => Err(Diagnostic::error(
                Code::TypeMismatch,
                format!("`{}` takes a number here", self.name.node.to_lowercase()),
                argument.span,
            )),
            None => Ok(()),
        }
    }

    /// Refuses conditions among the arguments.
    ///
    /// # Errors
    /// The first argument that is true or false.
    pub fn values(&self) -> Result<(), Diagnostic> {
        match self.arguments.iter().find(|argument| argument.kind == Kind::Boolean) {
            Some(condition) => Err(Diagnostic::error(
                Code::TypeMismatch,
                format!("`{}` takes a value here, not a condition", self.name.node.to_lowercase()),
                condition.span,
            )
            .with_help("write a condition as text with `tostring(condition)`")),
            None => Ok(()),
        }
    }

    /// An argument that has to be a string literal.
    ///
    /// # Errors
    /// It is not one.
    pub fn literal(&self, position: usize, what: &str) -> Result<String, Diagnostic> {
        let argument = self.argument(position);
        argument.literal().map(str::to_string).ok_or_else(|| {
            Diagnostic::error(
                Code::InvalidArgument,
                format!("`{}` takes {what} written as a string in double quotes", self.name.node),
                argument.span,
            )
        })
    }

    /// A call of a DataFusion function with the arguments as text.
    pub fn udf(&self, udf: &Arc<ScalarUDF>, kind: Kind) -> Typed {
        Typed::new(udf.call(self.arguments.iter().map(|a| a.expr.clone()).collect()), kind, self.span)
    }
}
