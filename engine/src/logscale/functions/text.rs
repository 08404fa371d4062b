//! Text: letters, parts, formats, patterns.

use datafusion::logical_expr::{Expr, is_true, lit, when};
use spelunk_grammar::logscale::query::ExpressionKind;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::{Arguments, text};
use super::super::as_number;
use super::super::filter::{captures, compile, text_of};
use super::super::rows::{Effect, Rows, stored};
use super::super::steps::events;
use super::support::{expression, need_expression, null, whole, zone};
use super::{Function, Makes};
use crate::functions::comparison::pattern_matches;
use crate::functions::kernel::Row;
use crate::functions::logscale::{self, positions};
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "concat", parameters: &["field", "as"], makes: Makes::Value("_concat", concatenated) },
    Function {
        name: "format",
        parameters: &["format", "field", "as", "timezone"],
        makes: Makes::Value("_format", formatted),
    },
    Function { name: "length", parameters: &["field", "as"], makes: Makes::Value("_length", length) },
    Function { name: "lower", parameters: &["field", "as", "locale"], makes: Makes::Value("_lower", lower) },
    Function { name: "lowercase", parameters: &["field", "include", "locale"], makes: Makes::Row(lowercase) },
    Function {
        name: "regex",
        parameters: &["regex", "field", "flags", "strict", "repeat", "limit"],
        makes: Makes::With(
            "repeat",
            &Makes::Step(|run, frame, a| Box::pin(events::every_match(run, frame, a))),
            &Makes::Row(regex),
        ),
    },
    Function {
        name: "replace",
        parameters: &["regex", "with", "replacement", "field", "as", "flags"],
        makes: Makes::Row(replace),
    },
    Function {
        name: "text:contains",
        parameters: &["string", "substring"],
        makes: Makes::Filter(|rows, a| holds(rows, a, "any")),
    },
    Function {
        name: "text:editDistance",
        parameters: &["target", "reference", "maxDistance", "ignoreCase", "as"],
        makes: Makes::Value("_distance", edits),
    },
    Function {
        name: "text:endsWith",
        parameters: &["string", "substring"],
        makes: Makes::Filter(|rows, a| holds(rows, a, "end")),
    },
    Function {
        name: "text:length",
        parameters: &["string", "as"],
        makes: Makes::Value("_length", |rows, a| over_string(rows, a, &positions::LENGTH)),
    },
    Function {
        name: "text:positionOf",
        parameters: &["string", "character", "begin", "occurrence", "as"],
        makes: Makes::Value("_position", position),
    },
    Function {
        name: "text:startsWith",
        parameters: &["string", "substring"],
        makes: Makes::Filter(|rows, a| holds(rows, a, "start")),
    },
    Function {
        name: "text:substring",
        parameters: &["string", "begin", "end", "as"],
        makes: Makes::Value("_substring", substring),
    },
    Function {
        name: "text:trim",
        parameters: &["string", "as"],
        makes: Makes::Value("_trim", |rows, a| over_string(rows, a, &positions::TRIMMED)),
    },
    Function { name: "upper", parameters: &["field", "as", "locale"], makes: Makes::Value("_upper", upper) },
];

/// A kernel over the value of `string`, an expression.
fn over_string(rows: &Rows<'_>, a: &Arguments<'_>, kernel: &Row) -> Result<Typed, Diagnostic> {
    let string = need_expression(rows, a, "string")?;
    Ok(kernel.call(vec![text_of(&string)], a.span()))
}

fn holds(rows: &Rows<'_>, a: &Arguments<'_>, place: &str) -> Result<Expr, Diagnostic> {
    let (string, part) = (need_expression(rows, a, "string")?, need_expression(rows, a, "substring")?);
    Ok(is_true(positions::HOLDS.call(vec![text_of(&string), text_of(&part), lit(place)], a.span()).expr))
}

fn edits(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let (target, reference) = (need_expression(rows, a, "target")?, need_expression(rows, a, "reference")?);
    let most = whole(a, "maxDistance", 0, i64::from(u32::MAX))?;
    let (mut target, mut reference) = (text_of(&target), text_of(&reference));
    if a.flag("ignoreCase", false)? {
        target = logscale::cased(target, false, a.span()).expr;
        reference = logscale::cased(reference, false, a.span()).expr;
    }
    let most = most.map_or_else(null, lit);
    Ok(positions::EDITS.call(vec![target, reference, most], a.span()))
}

fn position(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let (string, sought) = (need_expression(rows, a, "string")?, need_expression(rows, a, "character")?);
    let begin = expression(rows, a, "begin")?.map_or_else(|| lit(0_i64), |begin| as_number(&begin));
    let occurrence = expression(rows, a, "occurrence")?.map_or_else(|| lit(1_i64), |which| as_number(&which));
    Ok(positions::POSITION.call(vec![text_of(&string), text_of(&sought), begin, occurrence], a.span()))
}

fn substring(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let string = need_expression(rows, a, "string")?;
    let begin = expression(rows, a, "begin")?.map_or_else(|| lit(0_i64), |begin| as_number(&begin));
    let (given, end) = match expression(rows, a, "end")? {
        Some(end) => (true, as_number(&end)),
        None => (false, null()),
    };
    let part = positions::SUBSTRING.call(vec![text_of(&string), begin, end.clone()], a.span());
    if !given {
        return Ok(part);
    }
    // An end that has no value is no end.
    let part = when(end.is_not_null(), part.expr).end().unwrap_or_else(|_| null());
    Ok(Typed::new(part, Kind::Text, a.span()))
}

/// `lowercase`: the values of fields, their names, or both, in place.
fn lowercase(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let include = a.choice("include", &["values", "fields", "both"])?;
    let fields = a.need_names("field")?;
    let all = matches!(fields.as_slice(), [only] if only.node == "*");
    let fields = match all {
        true => rows.names().into_iter().map(|name| Spanned::new(name, a.span())).collect(),
        false => fields,
    };
    let mut effect = Effect::default();
    for field in fields {
        let value = rows.field(&field.node, field.span);
        let value = match include {
            "fields" => value,
            _ => logscale::cased(text_of(&value), false, field.span),
        };
        let name = if include == "values" { field.node.clone() } else { field.node.to_lowercase() };
        if name != field.node {
            effect.remove.push(field.node);
        }
        effect.set.push((name, value));
    }
    Ok(effect)
}

fn concatenated(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let fields = a.need_names("field")?;
    let texts = fields.iter().map(|field| rows.field(&field.node, field.span).text()).collect();
    Ok(logscale::concatenate(texts, a.span()))
}

fn formatted(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let format = a.need_text("format")?;
    let fields = a.names("field")?.unwrap_or_default();
    let order = match logscale::formats::positions(&format.node) {
        Ok(order) => order,
        Err(reason) => return Err(Diagnostic::error(Code::InvalidArgument, reason, format.span)),
    };
    if let Some(position) = order.iter().find(|position| **position >= fields.len()) {
        let place = position.saturating_add(1);
        let message = format!("the format has a place for field {place}, and there are {}", fields.len());
        return Err(Diagnostic::error(Code::InvalidArgument, message, format.span));
    }
    let zone = zone(a)?.map_or_else(|| "UTC".to_owned(), |zone| zone.node);
    let values = fields.iter().map(|field| stored(&rows.field(&field.node, field.span)));
    Ok(logscale::format(&format.node, &zone, values.collect(), a.span()))
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

/// The pattern of the argument `regex`: a text, or a regular expression between slashes without flags.
pub fn pattern(a: &Arguments<'_>) -> Result<Spanned<String>, Diagnostic> {
    let value = a.need("regex")?;
    match &value.kind {
        ExpressionKind::Regex(regex) if regex.flags.is_empty() => Ok(Spanned::new(regex.pattern.clone(), value.span)),
        ExpressionKind::Regex(regex) => Ok(Spanned::new(format!("(?{}){}", regex.flags, regex.pattern), value.span)),
        _ => text(value),
    }
}

/// The first match of a regular expression.
///
/// # Errors
/// What is wrong with the arguments.
pub fn regex(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    // Of one match there is nothing to limit.
    a.count("limit")?;
    let pattern = pattern(a)?;
    let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
    let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), a.span()));
    let strict = a.flag("strict", true)?;
    let compiled = compile(&pattern.node, &flags, pattern.span)?;
    let text = text_of(&rows.field(&field.node, field.span));
    let keep = strict.then(|| pattern_matches(text.clone(), &compiled.pattern));
    Ok(Effect { keep, set: captures(&compiled, &text, a.span()), ..Effect::default() })
}

fn replace(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let pattern = pattern(a)?;
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
