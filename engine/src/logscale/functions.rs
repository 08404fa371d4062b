//! The registry of functions, and those that work on each row by itself.

use datafusion::logical_expr::{Expr, is_true, lit, when};
use spelunk_grammar::logscale::query::ExpressionKind;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::arguments::{Arguments, names};
use super::as_number;
use super::filter::{balanced, captures, compile, text_of};
use super::rows::{Effect, Rows};
use crate::functions::comparison::pattern_matches;
use crate::functions::logscale;
use crate::functions::pattern::cidr;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};
use crate::plan::suggest;

/// The arguments of a function; the name of the first may be left out.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// Their names.
    pub names: &'static [&'static str],
    /// Whether any other name is one too.
    pub any: bool,
}

/// A function of LogScale that is supported.
struct Function {
    name: &'static str,
    parameters: Parameters,
    /// Whether it works on all rows, or makes fields that depend on data.
    step: bool,
}

const fn row_function(name: &'static str, names: &'static [&'static str]) -> Function {
    Function { name, parameters: Parameters { names, any: false }, step: false }
}

const fn step(name: &'static str, names: &'static [&'static str]) -> Function {
    Function { name, parameters: Parameters { names, any: false }, step: true }
}

/// The registry: a line a function.
const FUNCTIONS: &[Function] = &[
    row_function("array:contains", &["array", "value"]),
    row_function("array:length", &["array", "as"]),
    step("avg", &["field", "as"]),
    step("bucket", &["field", "span", "function", "limit"]),
    row_function("cidr", &["field", "subnet"]),
    row_function("coalesce", &["expressions", "ignoreEmpty", "as"]),
    step("collect", &["fields", "separator", "limit", "multival"]),
    row_function("concat", &["field", "as"]),
    row_function("concatArray", &["field", "separator", "prefix", "suffix", "as"]),
    step("count", &["field", "distinct", "as"]),
    step("createEvents", &["rawstring"]),
    row_function("default", &["value", "field", "replaceEmpty"]),
    row_function("drop", &["fields"]),
    Function { name: "eval", parameters: Parameters { names: &[], any: true }, step: false },
    row_function("format", &["format", "field", "as"]),
    row_function("formatTime", &["format", "field", "as", "timezone", "locale", "unit"]),
    row_function("formatDuration", &["field", "from", "precision", "as"]),
    row_function("getField", &["source", "as"]),
    step("groupBy", &["field", "function", "limit"]),
    step("head", &["limit"]),
    row_function("if", &["condition", "then", "else", "as"]),
    row_function("in", &["field", "values", "ignoreCase"]),
    step("kvParse", &["field", "as", "prefix", "override", "onDuplicate"]),
    row_function("length", &["field", "as"]),
    row_function("lower", &["field", "as", "locale"]),
    row_function("lowercase", &["field", "as"]),
    step("max", &["field", "as"]),
    step("min", &["field", "as"]),
    row_function("now", &["as"]),
    step("parseJson", &["field", "prefix", "handleNull"]),
    row_function("parseTimestamp", &["format", "field", "timezone", "as"]),
    step("percentile", &["field", "percentiles", "as"]),
    step("range", &["field", "as"]),
    row_function("regex", &["regex", "field", "flags", "strict"]),
    row_function("rename", &["field", "as"]),
    row_function("replace", &["regex", "with", "replacement", "field", "as", "flags"]),
    row_function("round", &["field", "how", "as"]),
    step("select", &["fields"]),
    step("selectLast", &["fields"]),
    step("sort", &["field", "order", "type", "limit", "reverse"]),
    step("split", &["field", "strip"]),
    step("splitString", &["field", "by", "as", "index"]),
    step("stats", &["function"]),
    step("stdDev", &["field", "as"]),
    step("sum", &["field", "as"]),
    step("table", &["fields", "limit", "sortby", "order", "type"]),
    step("tail", &["limit"]),
    row_function("test", &["expression"]),
    row_function("time:hour", &["field", "as", "timezone"]),
    step("top", &["field", "limit", "sum", "max", "as"]),
    row_function("upper", &["field", "as", "locale"]),
    row_function("wildcard", &["pattern", "field", "ignoreCase", "includeEverythingOnAsterisk"]),
];

/// The function of that name, in any letter case.
///
/// # Errors
/// There is none, or none yet.
pub fn find(name: &Spanned<String>) -> Result<(&'static str, Parameters), Diagnostic> {
    if let Some(function) = FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(&name.node)) {
        return Ok((function.name, function.parameters));
    }
    let message = format!("the function `{}` is unknown or not supported yet", name.node);
    let error = Diagnostic::error(Code::UnknownFunction, message, name.span);
    Err(match suggest::nearest(&name.node, FUNCTIONS.iter().map(|function| function.name)) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error,
    })
}

/// Whether the function works on all rows, or makes fields that depend on data.
pub fn is_step(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.step && function.name.eq_ignore_ascii_case(name))
}

/// What a function that works on each row does to it. `output` is the field that gets its value, where one is.
///
/// # Errors
/// What is wrong with the arguments.
pub fn row(rows: &Rows<'_>, arguments: Arguments<'_>, output: &str) -> Result<Effect, Diagnostic> {
    let a = &arguments;
    let span = a.span();
    let effect = match a.function {
        "array:contains" => {
            let array = a.need_text("array")?;
            let wanted = a.need_text("value")?;
            let tests = elements(rows, &array).into_iter().map(|value| is_true(value.text().eq(lit(&wanted.node))));
            Effect::keep(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(rows.frame.open)))
        }
        "array:length" => {
            let array = a.need_text("array")?;
            let present = elements(rows, &array).into_iter().map(|value| value.text()).collect();
            Effect::set(&a.output("_length")?, logscale::present(present, span))
        }
        "formatDuration" => {
            let field = a.need_field()?;
            let unit = a.choice("from", &["ms", "s", "m", "h", "d", "us", "ns"])?;
            let precision = a.count("precision")?.unwrap_or(usize::MAX);
            let value = as_number(&rows.field(&field.node, field.span));
            let text = logscale::duration(value, unit, i64::try_from(precision).unwrap_or(i64::MAX), span);
            Effect::set(&a.output(&field.node)?, text)
        }
        "cidr" => {
            let field = a.need_field()?;
            let value = rows.field(&field.node, field.span);
            let subnets = a.need_names("subnet")?;
            if let Some(wrong) = subnets.iter().find(|subnet| cidr(&subnet.node).is_none()) {
                let message = format!("{:?} is no block of addresses such as 10.0.0.0/8", wrong.node);
                return Err(Diagnostic::error(Code::InvalidArgument, message, wrong.span));
            }
            let tests = subnets.iter().map(|subnet| is_true(logscale::in_network(text_of(&value), &subnet.node)));
            Effect::keep(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
        }
        "coalesce" => {
            let ignore = a.flag("ignoreEmpty", true)?;
            let ExpressionKind::Array(elements) = &a.need("expressions")?.kind else {
                return Err(super::arguments::expected("a list of expressions", span));
            };
            let mut branches = Vec::new();
            for element in elements {
                let spelunk_grammar::logscale::query::Element::Value(value) = element else {
                    return Err(super::arguments::expected("a list of expressions", span));
                };
                let value = rows.expression(value)?;
                let value = Typed::new(super::rows::stored(&value), super::rows::stored_kind(value.kind), value.span);
                let mut present = value.expr.clone().is_not_null();
                if ignore {
                    present = present.and(value.text().not_eq(lit("")));
                }
                branches.push((present, value));
            }
            let value = ExpressionPlanner::new(rows.frame).choice(branches, None, span);
            Effect::set(&a.output("_coalesce")?, value)
        }
        "concat" => {
            let fields = a.need_names("field")?;
            let texts = fields.iter().map(|field| rows.field(&field.node, field.span).text()).collect();
            Effect::set(&a.output("_concat")?, logscale::concatenate(texts, span))
        }
        "concatArray" => {
            let field = a.need_field()?;
            let separator = a.text("separator")?.map_or_else(String::new, |text| text.node);
            let around = ["prefix", "suffix"].map(|name| a.text(name));
            let [prefix, suffix] = around;
            let name = field.node.trim_end_matches("[]");
            let texts: Vec<Expr> = (0..)
                .map(|index| format!("{name}[{index}]"))
                .take_while(|element| rows.frame.data_type(element).is_some())
                .map(|element| rows.field(&element, field.span).text())
                .collect();
            let joined = logscale::join(&separator, texts, span);
            let text = |part: Option<Spanned<String>>| lit(part.map_or_else(String::new, |part| part.node));
            let (prefix, suffix) = (text(prefix?), text(suffix?));
            let whole = logscale::concatenate(vec![prefix, joined.expr.clone(), suffix], span).expr;
            let whole = when(joined.expr.is_not_null(), whole).end().unwrap_or(lit(""));
            Effect::set(&a.output("_concatArray")?, Typed::new(whole, Kind::Text, span))
        }
        "default" => {
            let value = rows.expression(a.need("value")?);
            let given = match a.call.arguments.iter().find_map(|argument| match argument {
                spelunk_grammar::logscale::query::Argument::Named(name, value) if name.node == "value" => Some(value),
                _ => None,
            }) {
                Some(written) if matches!(written.kind, ExpressionKind::Word(_)) => {
                    Typed::new(lit(super::arguments::text(written)?.node), Kind::Text, span)
                }
                _ => value?,
            };
            let empty = a.flag("replaceEmpty", false)?;
            let mut effect = Effect::default();
            for field in a.need_names("field")? {
                let before = rows.field(&field.node, field.span);
                let given = Typed::new(given.expr.clone(), super::rows::stored_kind(given.kind), span);
                let mut present = before.expr.clone().is_not_null();
                if empty {
                    present = present.and(before.text().not_eq(lit("")));
                }
                let value = match before.kind {
                    Kind::Null => given,
                    _ => ExpressionPlanner::new(rows.frame).choice(vec![(present, before)], Some(given), span),
                };
                effect.replace.push((field.node, value));
            }
            effect
        }
        "drop" => {
            let fields = a.need_names("fields")?;
            Effect { remove: fields.into_iter().map(|field| field.node).collect(), ..Effect::default() }
        }
        "format" => {
            let format = a.need_text("format")?;
            let fields = a.names("field")?.unwrap_or_default();
            let (_, order) = logscale::numbered(&format.node);
            if let Some(position) = order.iter().find(|position| **position >= fields.len()) {
                let message =
                    format!("the format has a place for field {}, and there are {}", position + 1, fields.len());
                return Err(Diagnostic::error(Code::InvalidArgument, message, format.span));
            }
            let values = fields.iter().map(|field| super::rows::stored(&rows.field(&field.node, field.span)));
            Effect::set(&a.output("_format")?, logscale::format(&format.node, values.collect(), span))
        }
        "formatTime" | "time:hour" => {
            let hour = a.function == "time:hour";
            let format = if hour { Spanned::new("%H".to_owned(), span) } else { a.need_text("format")? };
            let field = a.field()?.unwrap_or_else(|| Spanned::new("@timestamp".to_owned(), span));
            let zone = a.text("timezone")?.unwrap_or_else(|| Spanned::new("UTC".to_owned(), span));
            if logscale::time_zone(&zone.node).is_none() {
                let message = format!("there is no time zone {:?}", zone.node);
                return Err(Diagnostic::error(Code::InvalidArgument, message, zone.span));
            }
            let unit = if hour { "auto" } else { a.choice("unit", &["auto", "seconds", "milliseconds"])? };
            let value = rows.field(&field.node, field.span);
            let mut text = logscale::format_time(as_number(&value), &format.node, &zone.node, unit, span);
            if hour {
                text = Typed::new(text.number(), Kind::Number, span);
            }
            let default = if hour { "_hour" } else { "_formatTime" };
            if !hour && output.is_empty() && !a.has("as") {
                let message = "`formatTime` needs the argument `as`, or `field := formatTime(...)`";
                return Err(Diagnostic::error(Code::InvalidArgument, message, span));
            }
            Effect::set(&a.output(default)?, text)
        }
        "getField" => {
            let name = a.need_text("source")?;
            let value = rows.field(&name.node, name.span);
            Effect::set(&a.output("_getField")?, value)
        }
        "if" => {
            let condition = is_true(rows.truth(a.need("condition")?)?);
            let branch = |name: &str| -> Result<Typed, Diagnostic> {
                let value = rows.expression(a.need(name)?)?;
                Ok(Typed::new(super::rows::stored(&value), super::rows::stored_kind(value.kind), value.span))
            };
            let (then, otherwise) = (branch("then")?, branch("else")?);
            let value = ExpressionPlanner::new(rows.frame).choice(vec![(condition, then)], Some(otherwise), span);
            Effect::set(&a.output("_if")?, value)
        }
        "in" => {
            let field = a.need_field()?;
            let value = rows.field(&field.node, field.span);
            let any_case = a.flag("ignoreCase", false)?;
            let tests = a.need_names("values")?.into_iter().map(|wanted| {
                let fits = logscale::glob(text_of(&value), &wanted.node, any_case);
                match crate::values::parse_number(&wanted.node) {
                    Some(number) if number.is_finite() => fits.or(is_true(as_number(&value).eq(lit(number)))),
                    _ => fits,
                }
            });
            Effect::keep(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
        }
        "length" => {
            let field = a.need_field()?;
            let value = logscale::length(text_of(&rows.field(&field.node, field.span)), span);
            Effect::set(&a.output("_length")?, value)
        }
        "lower" | "lowercase" | "upper" => {
            let field = a.need_field()?;
            let value = logscale::cased(text_of(&rows.field(&field.node, field.span)), a.function == "upper", span);
            Effect::set(&a.output(&format!("_{}", a.function))?, value)
        }
        "now" => {
            let milliseconds = rows.frame.setting.clock.now.as_millisecond();
            Effect::set(&a.output("_now")?, Typed::new(lit(milliseconds), Kind::Integer, span))
        }
        "parseTimestamp" => {
            let format = a.need_text("format")?;
            let field = a.need_field()?;
            let value = as_number(&rows.field(&field.node, field.span));
            let milliseconds = match format.node.as_str() {
                "millis" | "unixtimeMillis" => value,
                "seconds" | "unixtime" => value * lit(1_000.0_f64),
                "nanos" => value / lit(1e6_f64),
                _ => return Err(super::unsupported("a pattern of `parseTimestamp`", format.span)),
            };
            a.text("timezone")?;
            Effect::set(&a.output("@timestamp")?, Typed::new(milliseconds, Kind::Number, span))
        }
        "regex" => {
            let pattern = a.need_text("regex")?;
            let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
            let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), span));
            let strict = a.flag("strict", true)?;
            let compiled = compile(&pattern.node, &flags, pattern.span)?;
            let text = text_of(&rows.field(&field.node, field.span));
            let keep = strict.then(|| pattern_matches(text.clone(), &compiled.pattern));
            Effect { keep, set: captures(&compiled, &text, span), ..Effect::default() }
        }
        "rename" => {
            let value = a.need("field")?;
            let mut pairs: Vec<(Spanned<String>, String)> = Vec::new();
            match (&value.kind, a.has("as") || !output.is_empty()) {
                (ExpressionKind::Array(elements), false) => {
                    for element in elements {
                        let pair = match element {
                            spelunk_grammar::logscale::query::Element::Value(pair) => names(pair)?,
                            _ => Vec::new(),
                        };
                        let [old, new] = pair.as_slice() else {
                            return Err(super::arguments::expected("a list of pairs [[old, new], ...]", value.span));
                        };
                        pairs.push((old.clone(), new.node.clone()));
                    }
                }
                _ => {
                    let name = super::arguments::text(value)?;
                    if !a.has("as") && output.is_empty() {
                        let message = "`rename` needs the argument `as`";
                        return Err(Diagnostic::error(Code::InvalidArgument, message, span));
                    }
                    pairs.push((name, a.output("")?));
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
            effect
        }
        "replace" => {
            let pattern = a.need_text("regex")?;
            let with = match a.text("with")? {
                Some(with) => Some(with),
                None => a.text("replacement")?,
            };
            let with = with.map_or_else(String::new, |with| with.node);
            let flags = a.text("flags")?.map_or_else(String::new, |flags| flags.node);
            let compiled = compile(&pattern.node, &flags, pattern.span)?;
            let field = a.field()?.unwrap_or_else(|| Spanned::new("@rawstring".to_owned(), span));
            let text = text_of(&rows.field(&field.node, field.span));
            let value = logscale::replace(text, &compiled.pattern, &with, span);
            Effect::set(&a.output(&field.node)?, value)
        }
        "round" => {
            let field = a.need_field()?;
            let number = as_number(&rows.field(&field.node, field.span));
            let number = match a.choice("how", &["round", "floor", "ceil"])? {
                "floor" => datafusion::functions::expr_fn::floor(number),
                "ceil" => datafusion::functions::expr_fn::ceil(number),
                _ => datafusion::functions::expr_fn::floor(number + lit(0.5_f64)),
            };
            Effect::set(&a.output(&field.node)?, Typed::new(number, Kind::Number, span))
        }
        "test" => Effect::keep(rows.truth(a.need("expression")?)?),
        "wildcard" => {
            let pattern = a.need_text("pattern")?;
            let any_case = a.flag("ignoreCase", false)?;
            let everything = a.flag("includeEverythingOnAsterisk", false)? && pattern.node == "*";
            let fields = match a.names("field")? {
                Some(fields) => fields,
                None => rows.frame.fields().into_iter().map(|name| Spanned::new(name, span)).collect(),
            };
            let tests = fields.iter().map(|field| {
                let value = rows.field(&field.node, field.span);
                is_true(logscale::glob(text_of(&value), &pattern.node, any_case))
            });
            let tests = tests.chain(everything.then(|| lit(true)));
            Effect::keep(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
        }
        other => return Err(super::unsupported(&format!("`{other}` at this place"), a.call.name.span)),
    };
    if let Some(locale) = a.text("locale")?
        && !locale.node.to_ascii_lowercase().starts_with("en")
    {
        return Err(super::unsupported("a locale other than English", locale.span));
    }
    a.done()?;
    Ok(effect)
}

/// The elements of an array that any row has, in their order.
fn elements(rows: &Rows<'_>, array: &Spanned<String>) -> Vec<Typed> {
    let name = array.node.trim_end_matches("[]");
    let names = (0_usize..).map(|index| format!("{name}[{index}]"));
    names.map_while(|name| rows.frame.data_type(&name).map(|_| rows.field(&name, array.span))).collect()
}
