//! Units of measure.

use datafusion::logical_expr::lit;
use spelunk_grammar::{Code, Diagnostic};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::support::{optional, over_field};
use super::{Function, Makes};
use crate::functions::logscale::units;
use crate::plan::expression::Typed;

/// The family.
pub const FUNCTIONS: &[Function] = &[Function {
    name: "unit:convert",
    parameters: &["field", "as", "binary", "from", "keepUnit", "to", "unit"],
    makes: Makes::Value("", convert),
}];

fn convert(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let (from, to, unit) = (a.text("from")?, a.text("to")?, a.text("unit")?);
    for given in [&from, &to].into_iter().flatten() {
        if !units::is_unit(&given.node, None) {
            let message = format!("{:?} is no unit; rates are by s, min, h, day or week", given.node);
            return Err(Diagnostic::error(Code::InvalidArgument, message, given.span));
        }
    }
    let (binary, keep) = (a.flag("binary", false)?, a.flag("keepUnit", false)?);
    let text =
        |given: Option<spelunk_grammar::Spanned<String>>| optional(given.as_ref().map(|given| given.node.as_str()));
    over_field(rows, a, &units::CONVERT, vec![text(from), text(to), text(unit), lit(binary), lit(keep)])
}
