//! Addresses and networks.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::{Code, Diagnostic};

use super::super::arguments::Arguments;
use super::super::filter::{balanced, text_of};
use super::super::rows::Rows;
use super::super::tables::Manner;
use super::{Function, Makes, lookups};
use crate::functions::logscale;
use crate::functions::pattern;
use crate::lookups::definition::MatchType;

/// The family.
pub const FUNCTIONS: &[Function] =
    &[Function { name: "cidr", parameters: &["field", "subnet", "file", "column"], makes: Makes::Filter(cidr) }];

fn cidr(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let field = a.need_field()?;
    let value = rows.field(&field.node, field.span);
    let manner = Manner { mode: MatchType::Cidr, any_case: false };
    if let Some(found) = lookups::in_file(rows, a, &field, manner)? {
        return Ok(found);
    }
    let subnets = a.need_names("subnet")?;
    if let Some(wrong) = subnets.iter().find(|subnet| pattern::cidr(&subnet.node).is_none()) {
        let message = format!("{:?} is no block of addresses such as 10.0.0.0/8", wrong.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, wrong.span));
    }
    let tests = subnets.iter().map(|subnet| is_true(logscale::in_network(text_of(&value), &subnet.node)));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
}
