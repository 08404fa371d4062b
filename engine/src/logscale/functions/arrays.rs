//! Arrays: fields named `name[0]`, `name[1]` and so on.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::balanced;
use super::super::rows::Rows;
use super::{Function, Makes};
use crate::functions::logscale;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "array:contains", parameters: &["array", "value"], makes: Makes::Filter(contains) },
    Function { name: "array:length", parameters: &["array", "as"], makes: Makes::Value("_length", length) },
    Function {
        name: "concatArray",
        parameters: &["field", "separator", "prefix", "suffix", "as"],
        makes: Makes::Value("_concatArray", concatenated),
    },
];

/// The elements of an array that any row has, in their order.
pub fn elements(rows: &Rows<'_>, array: &Spanned<String>) -> Vec<Typed> {
    let name = array.node.trim_end_matches("[]");
    let names = (0_usize..).map(|index| format!("{name}[{index}]"));
    names.map_while(|name| rows.frame.data_type(&name).map(|_| rows.field(&name, array.span))).collect()
}

fn contains(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let array = a.need_text("array")?;
    let wanted = a.need_text("value")?;
    let tests = elements(rows, &array).into_iter().map(|value| is_true(value.text().eq(lit(&wanted.node))));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(rows.frame.open)))
}

fn length(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let array = a.need_text("array")?;
    let present = elements(rows, &array).into_iter().map(|value| value.text()).collect();
    Ok(logscale::present(present, a.span()))
}

fn concatenated(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let separator = a.text("separator")?.map_or_else(String::new, |text| text.node);
    let around = |name: &str| a.text(name).map(|text| lit(text.map_or_else(String::new, |text| text.node)));
    let (prefix, suffix) = (around("prefix")?, around("suffix")?);
    let texts = elements(rows, &field).into_iter().map(|element| element.text()).collect();
    let joined = logscale::join(&separator, texts, a.span());
    let whole = logscale::concatenate(vec![prefix, joined.expr.clone(), suffix], a.span()).expr;
    let whole = datafusion::logical_expr::when(joined.expr.is_not_null(), whole).end().unwrap_or(lit(""));
    Ok(Typed::new(whole, Kind::Text, a.span()))
}
