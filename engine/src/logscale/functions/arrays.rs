//! Arrays: fields named `name[0]`, `name[1]` and so on. An array ends at its first gap.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::logscale::query::{Element, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::filter::{balanced, compile, text_of};
use super::super::rows::{Effect, List, Rows, settled};
use super::super::unsupported;
use super::support::whole;
use super::{Function, Makes};
use crate::functions::comparison::pattern_matches;
use crate::functions::logscale::{self, lists};
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "array:append", parameters: &["array", "values"], makes: Makes::Row(append) },
    Function { name: "array:contains", parameters: &["array", "value"], makes: Makes::Filter(contains) },
    Function { name: "array:dedup", parameters: &["array", "asArray"], makes: Makes::Row(dedup) },
    Function { name: "array:drop", parameters: &["array"], makes: Makes::Row(drop) },
    Function { name: "array:length", parameters: &["array", "as"], makes: Makes::Value("_length", length) },
    Function {
        name: "array:reduceRow",
        parameters: &["array", "var", "function", "as"],
        makes: Makes::Value("_reduceRow", super::array_blocks::reduce_row),
    },
    Function { name: "array:regex", parameters: &["array", "regex", "flags"], makes: Makes::Filter(regex) },
    Function { name: "array:rename", parameters: &["array", "asArray"], makes: Makes::Row(rename) },
    Function { name: "array:reverse", parameters: &["array", "asArray"], makes: Makes::Row(reverse) },
    Function { name: "array:sort", parameters: &["array", "asArray", "order", "type"], makes: Makes::Row(sort) },
    Function {
        name: "concatArray",
        parameters: &["field", "separator", "prefix", "suffix", "from", "to", "as"],
        makes: Makes::Value("_concatArray", concatenated),
    },
];

/// The name of an array without its brackets.
pub fn base(array: &str) -> &str {
    array.strip_suffix("[]").unwrap_or(array)
}

/// The array that a call works on.
///
/// # Errors
/// It is no name of an array, or has no fields `name[0]`, `name[1]` although there is an array of that name.
pub fn array_of(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Spanned<String>, Diagnostic> {
    let array = a.need_text("array")?;
    refuse_in_one_column(rows, a, &array)?;
    if base(&array.node).contains("[]") {
        let message = format!("`{}` is no array: `[]` stands at the end of the name", array.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, array.span)
            .with_help("`objectArray:exists` and `objectArray:eval` look at the members of the elements"));
    }
    Ok(array)
}

/// Refuses an array of which a file has made one column, instead of finding no element.
///
/// # Errors
/// It is one.
pub fn refuse_in_one_column(rows: &Rows<'_>, a: &Arguments<'_>, array: &Spanned<String>) -> Result<(), Diagnostic> {
    let name = base(&array.node);
    let members = format!("{name}.");
    let in_one =
        rows.is_list(name) || rows.names().iter().any(|field| field.starts_with(&members) && rows.is_list(field));
    if !in_one || rows.names().iter().any(|field| field.starts_with(&format!("{name}["))) {
        return Ok(());
    }
    let message = format!("`{}` of the values that a file has in the one field {name:?}", a.function.name);
    Err(unsupported(&message, array.span).with_help(format!(
        "`parseJson()` before it makes the fields `{name}[0]`, `{name}[1]` of the text of the event"
    )))
}

/// The names of the elements of an array that any row has, in their order.
pub fn element_names(rows: &Rows<'_>, array: &str) -> Vec<String> {
    let name = base(array);
    let names = (0_usize..).map(|index| format!("{name}[{index}]"));
    names.take_while(|name| rows.has(name)).collect()
}

/// The elements of an array that any row has, in their order.
pub fn elements(rows: &Rows<'_>, array: &Spanned<String>) -> Vec<Typed> {
    element_names(rows, &array.node).iter().map(|name| rows.field(name, array.span)).collect()
}

/// The names of as many elements as an array may get, and of those that it has.
pub fn output_names(rows: &Rows<'_>, array: &Spanned<String>, most: usize) -> Vec<String> {
    let name = base(&array.node);
    let known = element_names(rows, &array.node).len();
    (0..most.max(known)).map(|index| format!("{name}[{index}]")).collect()
}

/// The array that a call works on, and the one that it makes.
fn input_and_output(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<(Spanned<String>, Spanned<String>), Diagnostic> {
    let input = array_of(rows, a)?;
    let output = a.text("asArray")?.unwrap_or_else(|| input.clone());
    Ok((input, output))
}

/// The elements as one list, and how many there may be.
fn list(rows: &Rows<'_>, array: &Spanned<String>) -> (Expr, usize) {
    let texts: Vec<Expr> = elements(rows, array).iter().map(text_of).collect();
    let count = texts.len();
    (lists::appended(texts, Vec::new(), array.span), count)
}

fn becomes(rows: &Rows<'_>, output: &Spanned<String>, values: Expr, most: usize, keeps_rest: bool) -> Effect {
    let names = output_names(rows, output, most);
    Effect { lists: vec![List { names, values, keeps_rest, span: output.span }], ..Effect::default() }
}

fn append(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let array = array_of(rows, a)?;
    let given = a.need("values")?;
    let given = match &given.kind {
        ExpressionKind::Array(elements) => elements
            .iter()
            .map(|element| match element {
                Element::Value(value) => Ok(value),
                _ => Err(expected("a list of expressions", given.span)),
            })
            .collect::<Result<Vec<_>, _>>()?,
        _ => vec![given],
    };
    let mut further = Vec::new();
    for value in given {
        further.push(text_of(&settled(&rows.expression(value)?)));
    }
    let before: Vec<Expr> = elements(rows, &array).iter().map(text_of).collect();
    let most = before.len().saturating_add(further.len());
    Ok(becomes(rows, &array, lists::appended(before, further, a.span()), most, true))
}

fn contains(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let array = array_of(rows, a)?;
    let wanted = a.need_text("value")?;
    let tests = elements(rows, &array).into_iter().map(|value| is_true(text_of(&value).eq(lit(&wanted.node))));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(rows.frame.open)))
}

fn dedup(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (input, output) = input_and_output(rows, a)?;
    let (values, most) = list(rows, &input);
    Ok(becomes(rows, &output, lists::distinct(values, a.span()), most, false))
}

fn drop(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let array = array_of(rows, a)?;
    let name = base(&array.node).to_owned();
    let fields = rows.names();
    let of_element = |index: usize| {
        let element = format!("{name}[{index}]");
        let members = fields.iter().filter(move |field| {
            field.strip_prefix(element.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        members.cloned().collect::<Vec<_>>()
    };
    let remove = (0_usize..).map(of_element).take_while(|members| !members.is_empty()).flatten().collect();
    Ok(Effect { remove, ..Effect::default() })
}

fn length(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let array = array_of(rows, a)?;
    let present = elements(rows, &array).into_iter().map(|value| value.text()).collect();
    Ok(logscale::present(present, a.span()))
}

fn regex(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let array = array_of(rows, a)?;
    let pattern = super::text::pattern(a)?;
    let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
    let compiled = compile(&pattern.node, &flags, pattern.span)?;
    let tests = elements(rows, &array).into_iter();
    let tests = tests.map(|value| is_true(pattern_matches(text_of(&value), &compiled.pattern)));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(rows.frame.open)))
}

fn rename(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let array = array_of(rows, a)?;
    let target = a.need_text("asArray")?;
    if base(&array.node) == base(&target.node) {
        return Ok(Effect::default());
    }
    let (values, most) = list(rows, &array);
    let remove = element_names(rows, &array.node);
    Ok(Effect { remove, ..becomes(rows, &target, values, most, false) })
}

fn reverse(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (input, output) = input_and_output(rows, a)?;
    let (values, most) = list(rows, &input);
    Ok(becomes(rows, &output, lists::reversed(values, a.span()), most, false))
}

/// Elements of the target beyond those of the array stay, as documented.
fn sort(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (input, output) = input_and_output(rows, a)?;
    let descending = matches!(a.choice("order", &["asc", "ascending", "desc", "descending"])?, "desc" | "descending");
    let numbers = a.choice("type", &["string", "number"])? == "number";
    let (values, most) = list(rows, &input);
    Ok(becomes(rows, &output, lists::sorted(values, numbers, descending, a.span()), most, true))
}

fn concatenated(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    refuse_in_one_column(rows, a, &field)?;
    let separator = a.text("separator")?.map_or_else(String::new, |text| text.node);
    let around = |name: &str| a.text(name).map(|text| lit(text.map_or_else(String::new, |text| text.node)));
    let (prefix, suffix) = (around("prefix")?, around("suffix")?);
    let position =
        |name| Ok::<_, Diagnostic>(whole(a, name, 0, i64::from(u32::MAX))?.and_then(|n| usize::try_from(n).ok()));
    let (from, to) = (position("from")?.unwrap_or(0), position("to")?.unwrap_or(usize::MAX));
    if to < from {
        let message = format!("`to` ({to}) is before `from` ({from})");
        return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()));
    }
    let name = base(&field.node).to_owned();
    let names = (from..=to).map(|index| format!("{name}[{index}]")).take_while(|name| rows.has(name));
    let texts: Vec<Expr> = names.map(|name| text_of(&rows.field(&name, field.span))).collect();
    let joined = logscale::join(&separator, texts, a.span());
    let whole = logscale::concatenate(vec![prefix, joined.expr.clone(), suffix], a.span()).expr;
    let whole = datafusion::logical_expr::when(joined.expr.is_not_null(), whole).end().unwrap_or(lit(""));
    Ok(Typed::new(whole, Kind::Text, a.span()))
}
