//! Text: letters, parts, formats, patterns.

use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::{captures, compile, text_of};
use super::super::rows::{Effect, Rows, stored};
use super::{Function, Makes};
use crate::functions::comparison::pattern_matches;
use crate::functions::logscale;
use crate::plan::expression::Typed;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "concat", parameters: &["field", "as"], makes: Makes::Value("_concat", concatenated) },
    Function { name: "format", parameters: &["format", "field", "as"], makes: Makes::Value("_format", formatted) },
    Function { name: "length", parameters: &["field", "as"], makes: Makes::Value("_length", length) },
    Function { name: "lower", parameters: &["field", "as", "locale"], makes: Makes::Value("_lower", lower) },
    Function { name: "lowercase", parameters: &["field", "as"], makes: Makes::Value("_lowercase", lower) },
    Function { name: "regex", parameters: &["regex", "field", "flags", "strict"], makes: Makes::Row(regex) },
    Function {
        name: "replace",
        parameters: &["regex", "with", "replacement", "field", "as", "flags"],
        makes: Makes::Row(replace),
    },
    Function { name: "upper", parameters: &["field", "as", "locale"], makes: Makes::Value("_upper", upper) },
];

fn concatenated(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let fields = a.need_names("field")?;
    let texts = fields.iter().map(|field| rows.field(&field.node, field.span).text()).collect();
    Ok(logscale::concatenate(texts, a.span()))
}

fn formatted(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let format = a.need_text("format")?;
    let fields = a.names("field")?.unwrap_or_default();
    let (_, order) = logscale::numbered(&format.node);
    if let Some(position) = order.iter().find(|position| **position >= fields.len()) {
        let place = position.saturating_add(1);
        let message = format!("the format has a place for field {place}, and there are {}", fields.len());
        return Err(Diagnostic::error(Code::InvalidArgument, message, format.span));
    }
    let values = fields.iter().map(|field| stored(&rows.field(&field.node, field.span)));
    Ok(logscale::format(&format.node, values.collect(), a.span()))
}

fn length(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(logscale::length(text_of(&rows.field(&field.node, field.span)), a.span()))
}

fn lower(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(logscale::cased(text_of(&rows.field(&field.node, field.span)), false, a.span()))
}

fn upper(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(logscale::cased(text_of(&rows.field(&field.node, field.span)), true, a.span()))
}

fn regex(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let pattern = a.need_text("regex")?;
    let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let strict = a.flag("strict", true)?;
    let compiled = compile(&pattern.node, &flags, pattern.span)?;
    let text = text_of(&rows.field(&field.node, field.span));
    let keep = strict.then(|| pattern_matches(text.clone(), &compiled.pattern));
    Ok(Effect { keep, set: captures(&compiled, &text, a.span()), ..Effect::default() })
}

fn replace(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let pattern = a.need_text("regex")?;
    let with = match a.text("with")? {
        Some(with) => Some(with),
        None => a.text("replacement")?,
    };
    let with = with.map_or_else(String::new, |with| with.node);
    let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
    let compiled = compile(&pattern.node, &flags, pattern.span)?;
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let text = text_of(&rows.field(&field.node, field.span));
    let value = logscale::replace(text, &compiled.pattern, &with, a.span());
    Ok(Effect::set(&a.output(&field.node)?, value))
}
