//! Numbers.

use datafusion::functions::expr_fn::{ceil, floor};
use datafusion::logical_expr::lit;
use spelunk_grammar::Diagnostic;

use super::super::arguments::Arguments;
use super::super::as_number;
use super::super::rows::Rows;
use super::{Function, Makes};
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] =
    &[Function { name: "round", parameters: &["field", "how", "as"], makes: Makes::Value("", round) }];

fn round(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let number = as_number(&rows.field(&field.node, field.span));
    let number = match a.choice("how", &["round", "floor", "ceil"])? {
        "floor" => floor(number),
        "ceil" => ceil(number),
        _ => floor(number + lit(0.5_f64)),
    };
    Ok(Typed::new(number, Kind::Number, a.span()))
}
