//! Fields as such: named, renamed, filled, removed.

use datafusion::logical_expr::lit;
use spelunk_grammar::logscale::query::{Argument, Element, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::{self, Arguments, expected, names};
use super::super::rows::{Effect, Rows, settled};
use super::{Function, Makes};
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "default", parameters: &["value", "field", "replaceEmpty"], makes: Makes::Row(default) },
    Function { name: "drop", parameters: &["fields"], makes: Makes::Row(drop) },
    Function { name: "eval", parameters: &[], makes: Makes::Assignments },
    Function { name: "getField", parameters: &["source", "as"], makes: Makes::Value("_getField", get) },
    Function { name: "rename", parameters: &["field", "as"], makes: Makes::Row(rename) },
];

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
    let name = a.need_text("source")?;
    Ok(rows.field(&name.node, name.span))
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
