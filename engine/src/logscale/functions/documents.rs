//! Fields out of a text: pairs, JSON, parts.

use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::filter::compile;
use super::super::rows::Rows;
use super::reading::{self, Null};
use super::{Function, Makes, Reading};
use crate::functions::logscale;
use crate::plan::barrier::Existing;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "kvParse",
        parameters: &["field", "as", "prefix", "override", "onDuplicate"],
        makes: Makes::Fields(pairs),
    },
    Function { name: "parseJson", parameters: &["field", "prefix", "handleNull"], makes: Makes::Fields(json) },
    Function {
        name: "splitString",
        parameters: &["field", "by", "as", "index"],
        makes: Makes::With("index", &Makes::Value("_splitstring", part), &Makes::Fields(parts)),
    },
];

/// The text that is read: that of the event where no field is named.
fn source(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let value = rows.field(&field.node, field.span);
    Ok(Typed::new(value.text(), if value.kind == Kind::Null { Kind::Null } else { Kind::Text }, field.span))
}

fn pairs(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let prefix = match a.text("prefix")? {
        Some(prefix) => Some(prefix),
        None => a.text("as")?,
    };
    let prefix = prefix.map_or_else(String::new, |prefix| match prefix.node.ends_with('.') {
        true => prefix.node,
        false => format!("{}.", prefix.node),
    });
    let existing = if a.flag("override", false)? { Existing::Replaced } else { Existing::Kept };
    let first = a.choice("onDuplicate", &["keepLast", "keepFirst"])? == "keepFirst";
    let read = move |text: &str| {
        let found = reading::pairs(text, first);
        found.into_iter().map(|(name, values)| (format!("{prefix}{name}"), values)).collect()
    };
    Ok(Reading { source: source(rows, a)?, existing, read: Box::new(read) })
}

fn json(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let prefix = a.text("prefix")?.map_or_else(String::new, |prefix| prefix.node);
    let null = match a.choice("handleNull", &["keep", "discard", "empty"])? {
        "discard" => Null::Discard,
        "empty" => Null::Empty,
        _ => Null::Keep,
    };
    let read = move |text: &str| reading::flatten(text, &prefix, null);
    Ok(Reading { source: source(rows, a)?, existing: Existing::Replaced, read: Box::new(read) })
}

/// `splitString(index=)`: one part.
fn part(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let by = a.need_text("by")?;
    let compiled = compile(&by.node, "", by.span)?;
    let index = a.need_text("index")?;
    let Ok(position) = index.node.parse::<i64>() else {
        return Err(expected("a whole number", index.span));
    };
    Ok(logscale::split(source(rows, a)?.text(), &compiled.pattern, position, a.span()))
}

/// `splitString()`: all parts, as an array.
fn parts(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let by = a.need_text("by")?;
    let compiled = compile(&by.node, "", by.span)?;
    let name = a.output("_splitstring")?;
    let read = move |text: &str| {
        let parts = logscale::parts(text, &compiled.pattern).unwrap_or_default().into_iter().enumerate();
        parts.map(|(index, part)| (format!("{name}[{index}]"), vec![part.to_owned()])).collect()
    };
    Ok(Reading { source: source(rows, a)?, existing: Existing::Replaced, read: Box::new(read) })
}
