//! What the families share: fields, expressions and kernels as arguments.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::logscale::query::{Element, Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::arguments::{Arguments, expected, text};
use super::super::as_number;
use super::super::filter::text_of;
use super::super::rows::{Rows, settled};
use crate::functions::kernel::Row;
use crate::functions::logscale;
use crate::plan::expression::Typed;

/// No value.
pub fn null() -> Expr {
    lit(ScalarValue::Utf8(None))
}

/// A text, or no value.
pub fn optional(text: Option<&str>) -> Expr {
    lit(ScalarValue::Utf8(text.map(str::to_owned)))
}

/// A kernel over the text of the field that a call names, and further arguments.
pub fn over_field(rows: &Rows<'_>, a: &Arguments<'_>, kernel: &Row, further: Vec<Expr>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    let value = text_of(&rows.field(&field.node, field.span));
    Ok(kernel.call(std::iter::once(value).chain(further).collect(), a.span()))
}

/// The same over the text of the event where no field is named.
pub fn over_text(rows: &Rows<'_>, a: &Arguments<'_>, kernel: &Row, further: Vec<Expr>) -> Result<Typed, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let value = text_of(&rows.field(&field.node, field.span));
    Ok(kernel.call(std::iter::once(value).chain(further).collect(), a.span()))
}

/// The number of a field that an argument names.
pub fn number_of(rows: &Rows<'_>, name: &Spanned<String>) -> Expr {
    as_number(&rows.field(&name.node, name.span))
}

/// The value of an argument that is an expression.
pub fn expression(rows: &Rows<'_>, a: &Arguments<'_>, name: &str) -> Result<Option<Typed>, Diagnostic> {
    a.take(name).map(|value| Ok(settled(&rows.expression(value)?))).transpose()
}

/// The value of an argument that is an expression and has to be there.
pub fn need_expression(rows: &Rows<'_>, a: &Arguments<'_>, name: &str) -> Result<Typed, Diagnostic> {
    Ok(settled(&rows.expression(a.need(name)?)?))
}

/// A whole number in a range.
pub fn whole(a: &Arguments<'_>, name: &str, least: i64, most: i64) -> Result<Option<i64>, Diagnostic> {
    let Some(value) = a.text(name)? else { return Ok(None) };
    match value.node.parse::<i64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let message = format!(
                "`{name}` of `{}` is a whole number from {least} to {most}, not `{}`",
                a.function.name, value.node
            );
            Err(Diagnostic::error(Code::InvalidOption, message, value.span))
        }
    }
}

/// A number.
pub fn number(a: &Arguments<'_>, name: &str) -> Result<Option<Spanned<f64>>, Diagnostic> {
    let Some(value) = a.text(name)? else { return Ok(None) };
    match crate::values::parse_number(&value.node).filter(|number| number.is_finite()) {
        Some(number) => Ok(Some(Spanned::new(number, value.span))),
        None => {
            let message = format!("`{name}` of `{}` is a number, not `{}`", a.function.name, value.node);
            Err(Diagnostic::error(Code::InvalidOption, message, value.span))
        }
    }
}

/// The name of a zone that there is.
pub fn zone(a: &Arguments<'_>) -> Result<Option<Spanned<String>>, Diagnostic> {
    let Some(zone) = a.text("timezone")? else { return Ok(None) };
    if logscale::time_zone(&zone.node).is_none() {
        let message = format!("there is no time zone {:?}", zone.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, zone.span));
    }
    Ok(Some(zone))
}

/// The pairs of a list `[[0, name], ...]`: bits and names.
pub fn bits_and_names(list: &Expression) -> Result<Vec<(u32, String, Span)>, Diagnostic> {
    let ExpressionKind::Array(elements) = &list.kind else {
        return Err(expected("a list of pairs [[bit, name], ...]", list.span));
    };
    let mut pairs: Vec<(u32, String, Span)> = Vec::new();
    for element in elements {
        let Element::Value(pair) = element else { return Err(expected("a pair [bit, name]", list.span)) };
        let ExpressionKind::Array(parts) = &pair.kind else { return Err(expected("a pair [bit, name]", pair.span)) };
        let [Element::Value(bit), Element::Value(name)] = parts.as_slice() else {
            return Err(expected("a pair [bit, name]", pair.span));
        };
        let (bit, name) = (text(bit)?, text(name)?);
        let Some(number) = bit.node.parse::<u32>().ok().filter(|bit| *bit < 64) else {
            let message = format!("a bit is a whole number from 0 to 63, not `{}`", bit.node);
            return Err(Diagnostic::error(Code::InvalidArgument, message, bit.span));
        };
        if pairs.iter().any(|(known, other, _)| *known == number || *other == name.node) {
            let message = format!("the bit {number} or the name `{}` stands twice in the list", name.node);
            return Err(Diagnostic::error(Code::InvalidArgument, message, pair.span));
        }
        pairs.push((number, name.node, name.span));
    }
    Ok(pairs)
}
