//! Fields as such: named, renamed, filled, removed.

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::logscale::query::{Argument, Element, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::{self, Arguments, expected, names};
use super::super::filter::text_of;
use super::super::rows::{Effect, Rows, settled};
use super::super::unsupported;
use super::{Function, Makes};
use crate::functions::logscale::documents;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "default", parameters: &["value", "field", "replaceEmpty"], makes: Makes::Row(default) },
    Function { name: "drop", parameters: &["fields"], makes: Makes::Row(drop) },
    Function { name: "eval", parameters: &[], makes: Makes::Assignments },
    Function { name: "eventFieldCount", parameters: &["as"], makes: Makes::Value("_eventFieldCount", field_count) },
    Function { name: "eventSize", parameters: &["as"], makes: Makes::Value("_eventSize", size) },
    Function { name: "getField", parameters: &["source", "as"], makes: Makes::Value("_getField", get) },
    Function { name: "rename", parameters: &["field", "as"], makes: Makes::Row(rename) },
    Function { name: "setField", parameters: &["target", "value"], makes: Makes::Row(set) },
    Function { name: "writeJson", parameters: &["field", "as"], makes: Makes::Value("_json", write_json) },
];

/// How many fields a row has, tags apart.
fn field_count(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let names = rows.names().into_iter().filter(|name| !name.starts_with('#'));
    let values: Vec<Expr> = names.map(|name| rows.field(&name, a.span()).expr).collect();
    Ok(documents::COUNT.call(values, a.span()))
}

/// The bytes of all values of a row.
fn size(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let values: Vec<Expr> = rows.names().iter().map(|name| text_of(&rows.field(name, a.span()))).collect();
    Ok(documents::SIZE.call(values, a.span()))
}

/// The fields under the names, as one object.
fn write_json(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let wanted = a.names("field")?.unwrap_or_else(|| vec![Spanned::new("@rawstring".to_owned(), a.span())]);
    let mut pairs = Vec::new();
    for name in rows.names() {
        let chosen = wanted.iter().any(|prefix| {
            let prefix = prefix.node.strip_suffix("[*]").unwrap_or(&prefix.node);
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || prefix.ends_with('.') || rest.starts_with(['.', '[']))
        });
        if chosen {
            pairs.extend([lit(name.as_str()), text_of(&rows.field(&name, a.span()))]);
        }
    }
    match pairs.is_empty() {
        true => Ok(Typed::null(a.span())),
        false => Ok(documents::WRITE_JSON.call(pairs, a.span())),
    }
}

/// A field whose name is known; one whose name is in the data is a step of its own.
fn set(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let target = a.need("target")?;
    let ExpressionKind::Text(name) = &target.kind else {
        let message = "`setField` with a target that depends on data at this place";
        return Err(unsupported(message, target.span)
            .with_help("write the name in quotes, or `` `field` := value `` where a field holds it"));
    };
    let value = rows.expression(a.need("value")?)?;
    Ok(Effect::set(&name.unescaped(), value))
}

fn default(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let value = a.need("value")?;
    // An unnamed value is an expression; a word after `value=` is that word.
    let named = a
        .call
        .arguments
        .iter()
        .any(|argument| matches!(argument, Argument::Named(name, _) if name.node.eq_ignore_ascii_case("value")));
    let given = match &value.kind {
        ExpressionKind::Word(_) if named => Typed::new(lit(arguments::text(value)?.node), Kind::Text, value.span),
        _ => settled(&rows.expression(value)?),
    };
    let empty = a.flag("replaceEmpty", false)?;
    let mut effect = Effect::default();
    for field in a.need_names("field")? {
        let before = rows.before(&field.node, field.span);
        let mut present = before.expr.clone().is_not_null();
        if empty {
            present = present.and(before.text().not_eq(lit("")));
        }
        let value = match before.kind {
            Kind::Null => given.clone(),
            _ => ExpressionPlanner::new(rows.frame).choice(vec![(present, before)], Some(given.clone()), a.span()),
        };
        effect.replace.push((field.node, value));
    }
    Ok(effect)
}

fn drop(_: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let fields = a.need_names("fields")?;
    Ok(Effect { remove: fields.into_iter().map(|field| field.node).collect(), ..Effect::default() })
}

fn get(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let source = a.need("source")?;
    if let ExpressionKind::Text(name) = &source.kind {
        return Ok(rows.field(&name.unescaped(), source.span));
    }
    let wanted = settled(&rows.expression(source)?);
    let names = rows.names();
    let pairs = names.iter().flat_map(|name| [lit(name.as_str()), text_of(&rows.field(name, source.span))]);
    Ok(documents::PICKED.call(std::iter::once(text_of(&wanted)).chain(pairs).collect(), a.span()))
}

fn rename(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let value = a.need("field")?;
    let mut pairs: Vec<(Spanned<String>, String)> = Vec::new();
    match (&value.kind, a.is_named()) {
        (ExpressionKind::Array(elements), false) => {
            for element in elements {
                let pair = match element {
                    Element::Value(pair) => names(pair)?,
                    _ => Vec::new(),
                };
                let [old, new] = pair.as_slice() else {
                    return Err(expected("a list of pairs [[old, new], ...]", value.span));
                };
                pairs.push((old.clone(), new.node.clone()));
            }
        }
        (_, true) => pairs.push((arguments::text(value)?, a.output("")?)),
        (_, false) => {
            let message = "`rename` needs the argument `as`";
            return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()));
        }
    }
    let mut effect = Effect::default();
    for (old, new) in pairs {
        if old.node != new {
            let value = rows.field(&old.node, old.span);
            effect.set.push((new, value));
            effect.remove.push(old.node);
        }
    }
    Ok(effect)
}
