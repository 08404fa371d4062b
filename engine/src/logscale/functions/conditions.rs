//! Conditions: what keeps a row, and what chooses a value.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::logscale::query::{Element, ExpressionKind};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::as_number;
use super::super::filter::{balanced, text_of};
use super::super::rows::{Rows, settled};
use super::super::tables::Manner;
use super::{Function, Makes, lookups};
use crate::functions::logscale;
use crate::lookups::definition::MatchType;
use crate::plan::expression::{ExpressionPlanner, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "coalesce",
        parameters: &["expressions", "ignoreEmpty", "as"],
        makes: Makes::Value("_coalesce", coalesce),
    },
    Function { name: "dropEvent", parameters: &[], makes: Makes::Filter(|_, _| Ok(lit(false))) },
    Function { name: "if", parameters: &["condition", "then", "else", "as"], makes: Makes::Value("_if", choice) },
    Function {
        name: "in",
        parameters: &["field", "values", "ignoreCase", "file", "column"],
        makes: Makes::Filter(member),
    },
    Function { name: "test", parameters: &["expression"], makes: Makes::Filter(test) },
    Function {
        name: "wildcard",
        parameters: &["pattern", "field", "ignoreCase", "includeEverythingOnAsterisk"],
        makes: Makes::Filter(wildcard),
    },
];

fn coalesce(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let ignore = a.flag("ignoreEmpty", true)?;
    let list = a.need("expressions")?;
    let ExpressionKind::Array(elements) = &list.kind else {
        return Err(expected("a list of expressions", list.span));
    };
    let mut branches = Vec::new();
    for element in elements {
        let Element::Value(value) = element else {
            return Err(expected("a list of expressions", list.span));
        };
        let value = settled(&rows.expression(value)?);
        let mut present = value.expr.clone().is_not_null();
        if ignore {
            present = present.and(value.text().not_eq(lit("")));
        }
        branches.push((present, value));
    }
    Ok(ExpressionPlanner::new(rows.frame).choice(branches, None, a.span()))
}

fn choice(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let condition = is_true(rows.truth(a.need("condition")?)?);
    let then = settled(&rows.expression(a.need("then")?)?);
    let otherwise = settled(&rows.expression(a.need("else")?)?);
    Ok(ExpressionPlanner::new(rows.frame).choice(vec![(condition, then)], Some(otherwise), a.span()))
}

fn member(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let field = a.need_field()?;
    let value = rows.field(&field.node, field.span);
    let any_case = a.flag("ignoreCase", false)?;
    let manner = Manner { mode: MatchType::Exact, any_case };
    if let Some(found) = lookups::in_file(rows, a, &field, manner)? {
        return Ok(found);
    }
    let tests = a.need_names("values")?.into_iter().map(|wanted| {
        let fits = logscale::glob(text_of(&value), &wanted.node, any_case);
        match crate::values::parse_number(&wanted.node) {
            Some(number) if number.is_finite() => fits.or(is_true(as_number(&value).eq(lit(number)))),
            _ => fits,
        }
    });
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
}

fn test(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    rows.truth(a.need("expression")?)
}

fn wildcard(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let pattern = a.need_text("pattern")?;
    let any_case = a.flag("ignoreCase", false)?;
    let everything = a.flag("includeEverythingOnAsterisk", false)? && pattern.node == "*";
    let fields = match a.names("field")? {
        Some(fields) => fields,
        None => rows.frame.fields().into_iter().map(|name| Spanned::new(name, a.span())).collect(),
    };
    let tests = fields.iter().map(|field| {
        let value = rows.field(&field.node, field.span);
        is_true(logscale::glob(text_of(&value), &pattern.node, any_case))
    });
    let tests = tests.chain(everything.then(|| lit(true)));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
}
