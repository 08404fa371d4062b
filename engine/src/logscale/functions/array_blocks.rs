//! Functions over arrays that take a block of steps, which sees one element at a time.

use std::collections::BTreeSet;

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::logscale::query::{Argument, Expression, ExpressionKind};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected, text};
use super::super::filter::{balanced, text_of};
use super::super::rows::{Arm, Effect, List, Rows};
use super::super::unsupported;
use super::arrays::{array_of, base, element_names, elements, output_names};
use super::{Function, Makes};
use crate::functions::logscale::lists;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "array:eval", parameters: &["array", "asArray", "function", "var"], makes: Makes::Row(evaluate) },
    Function { name: "array:exists", parameters: &["array", "condition", "var"], makes: Makes::Filter(exists) },
    Function { name: "array:filter", parameters: &["array", "asArray", "function", "var"], makes: Makes::Row(filter) },
    Function {
        name: "objectArray:eval",
        parameters: &["array", "asArray", "function", "var"],
        makes: Makes::Row(evaluate),
    },
    Function { name: "objectArray:exists", parameters: &["array", "condition", "var"], makes: Makes::Filter(exists) },
];

/// An element of an array, and what a block made of it.
struct Taken {
    /// Whether the row has the element.
    present: Expr,
    /// The element's own text.
    value: Expr,
    /// The block after its last step.
    arm: Arm,
}

/// The fields of an element: what follows its name, and the value.
fn members(rows: &Rows<'_>, array: &Spanned<String>, index: usize) -> Vec<(String, Typed)> {
    let name = base(&array.node);
    let element = format!("{name}[{index}]");
    let fields = rows.names();
    let rests = fields.iter().filter_map(|field| {
        let rest = field.strip_prefix(element.as_str())?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then(|| (rest.to_owned(), rows.field(field, array.span)))
    });
    rests.collect()
}

/// Puts every element through the block.
fn through(
    rows: &Rows<'_>,
    a: &Arguments<'_>,
    array: &Spanned<String>,
    block: &Expression,
) -> Result<Vec<Taken>, Diagnostic> {
    let variable = a.text("var")?.unwrap_or_else(|| array.clone());
    let variable = base(&variable.node).to_owned();
    let mut taken = Vec::new();
    let every: Vec<_> = (0..).map(|index| members(rows, array, index)).take_while(|one| !one.is_empty()).collect();
    // What other elements have is no unknown field.
    let known: BTreeSet<&String> = every.iter().flatten().map(|(rest, _)| rest).collect();
    for members in &every {
        let mut arm = rows.block_arm();
        for rest in &known {
            arm.assigned.insert(format!("{variable}{rest}"), (super::support::null(), Kind::Null));
        }
        for (rest, value) in members {
            arm.assigned.insert(format!("{variable}{rest}"), (value.expr.clone(), value.kind));
        }
        let there = members.iter().map(|(_, value)| value.expr.clone().is_not_null()).collect();
        let present = balanced(there, Expr::or).unwrap_or_else(|| lit(false));
        let value = members.iter().find(|(rest, _)| rest.is_empty()).map(|(_, value)| text_of(value));
        taken.push(Taken {
            present,
            value: value.unwrap_or_else(super::support::null),
            arm: rows.through(block, arm)?,
        });
    }
    Ok(taken)
}

fn block<'c>(a: &Arguments<'c>, name: &str) -> Result<&'c Expression, Diagnostic> {
    a.need(name)
}

/// A condition as the text that stands for an element that is there.
fn marker(present: &Expr) -> Expr {
    datafusion::logical_expr::when(present.clone(), lit("")).end().unwrap_or_else(|_| lit(""))
}

fn exists(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let array = array_of(rows, a)?;
    let taken = through(rows, a, &array, block(a, "condition")?)?;
    let tests = taken.into_iter().map(|taken| is_true(taken.present.and(taken.arm.guard)));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(rows.frame.open)))
}

fn filter(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let array = array_of(rows, a)?;
    let output = a.text("asArray")?.unwrap_or_else(|| array.clone());
    let taken = through(rows, a, &array, block(a, "function")?)?;
    let names = output_names(rows, &output, taken.len());
    let triples = taken.into_iter().map(|taken| [marker(&taken.present), is_true(taken.arm.guard), taken.value]);
    let values = lists::chosen(triples.collect(), a.span());
    Ok(Effect { lists: vec![List { names, values, keeps_rest: false, span: a.span() }], ..Effect::default() })
}

/// `array:eval` and `objectArray:eval`: the block assigns the output array's name, or members of it.
fn evaluate(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let array = array_of(rows, a)?;
    let output = a.text("asArray")?.unwrap_or_else(|| array.clone());
    let name = base(&output.node).to_owned();
    let taken = through(rows, a, &array, block(a, "function")?)?;
    let mut rests: BTreeSet<String> = BTreeSet::new();
    for one in &taken {
        for field in one.arm.assigned.keys() {
            if let Some(rest) = field.strip_prefix(name.as_str())
                && (rest.is_empty() || rest.starts_with('.'))
            {
                rests.insert(rest.to_owned());
            }
        }
    }
    if rests.is_empty() && !taken.is_empty() {
        return Err(expected(&format!("a block that assigns `{name}`, the output array"), a.span()));
    }
    let mut effect = Effect::default();
    if rests.iter().any(|rest| !rest.is_empty()) {
        // Objects: what is missing of one must not move up from the next.
        for (index, one) in taken.iter().enumerate() {
            for rest in &rests {
                let Some((value, kind)) = one.arm.assigned.get(&format!("{name}{rest}")) else { continue };
                let keep = is_true(one.present.clone().and(one.arm.guard.clone()));
                let value = text_of(&Typed::new(value.clone(), *kind, a.span()));
                let value =
                    datafusion::logical_expr::when(keep, value).end().unwrap_or_else(|_| super::support::null());
                effect.replace.push((format!("{name}[{index}]{rest}"), Typed::new(value, Kind::Text, a.span())));
            }
        }
        return Ok(effect);
    }
    let names = output_names(rows, &output, taken.len());
    let triples = taken.into_iter().map(|one| {
        let value =
            one.arm.assigned.get(&name).map(|(value, kind)| text_of(&Typed::new(value.clone(), *kind, a.span())));
        [marker(&one.present), is_true(one.arm.guard), value.unwrap_or_else(super::support::null)]
    });
    let values = lists::chosen(triples.collect(), a.span());
    effect.lists.push(List { names, values, keeps_rest: false, span: a.span() });
    Ok(effect)
}

/// `array:reduceRow`: a statistic of the elements of each row.
pub fn reduce_row(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    const STATISTICS: &[&str] = &["avg", "count", "max", "min", "range", "sum"];
    let array = array_of(rows, a)?;
    let variable = a.need_text("var")?;
    let function = a.need("function")?;
    let ExpressionKind::Call(call) = &function.kind else {
        return Err(expected("an aggregate function", function.span));
    };
    let name = call.name.node.to_ascii_lowercase();
    if !STATISTICS.contains(&name.as_str()) {
        let what = format!("`{}` in `array:reduceRow`, which takes {},", call.name.node, STATISTICS.join(", "));
        return Err(unsupported(&what, call.name.span));
    }
    for argument in &call.arguments {
        let field = match argument {
            Argument::Unnamed(value) => text(value)?,
            Argument::Named(given, value) if given.node == "field" => text(value)?,
            // The name that `as` of `array:reduceRow` gives the result counts.
            Argument::Named(given, _) if given.node == "as" && a.is_named() => continue,
            Argument::Named(given, _) => return Err(unsupported("an argument beside `field`", given.span)),
            Argument::Labelled(other) => return Err(unsupported("a subquery at this place", other.name.span)),
        };
        if base(&field.node) != base(&variable.node) {
            return Err(expected(&format!("`{}`, the variable of the elements,", variable.node), field.span));
        }
    }
    let texts: Vec<Expr> = elements(rows, &array).iter().map(text_of).collect();
    debug_assert_eq!(texts.len(), element_names(rows, &array.node).len());
    Ok(lists::reduced(lists::appended(texts, Vec::new(), a.span()), &name, a.span()))
}
