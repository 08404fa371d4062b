//! Fields out of a text: pairs, JSON, parts.

use datafusion::logical_expr::{Expr, lit, when};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::filter::compile;
use super::super::rows::{Effect, List, Rows};
use super::reading::{self, Null};
use super::support::{optional, over_text, whole};
use super::{Function, Makes, Reading};
use crate::functions::kernel::Row;
use crate::functions::logscale::{self, documents, lists};
use crate::plan::barrier::Existing;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "json:prettyPrint",
        parameters: &["field", "as", "step", "strict"],
        makes: Makes::Value("", |rows, a| pretty(rows, a, &documents::JSON_PRETTY)),
    },
    Function {
        name: "kvParse",
        parameters: &[
            "field",
            "as",
            "prefix",
            "override",
            "onDuplicate",
            "separator",
            "separatorPadding",
            "excludeEmpty",
        ],
        makes: Makes::Fields(pairs),
    },
    Function {
        name: "parseCEF",
        parameters: &["field", "headerprefix", "keeplabels", "labelprefix", "prefix"],
        makes: Makes::Fields(cef),
    },
    Function {
        name: "parseCsv",
        parameters: &["field", "columns", "delimiter", "excludeEmpty", "trim"],
        makes: Makes::Row(cells),
    },
    Function {
        name: "parseFixedWidth",
        parameters: &["field", "columns", "trim", "widths"],
        makes: Makes::Row(by_width),
    },
    Function {
        name: "parseJson",
        parameters: &["field", "prefix", "handleNull", "exclude", "excludeEmpty", "include", "removePrefixes"],
        makes: Makes::Fields(json),
    },
    Function {
        name: "parseLEEF",
        parameters: &[
            "field",
            "delimiter",
            "headerprefix",
            "keeplabels",
            "labelprefix",
            "parsetime",
            "prefix",
            "timezone",
        ],
        makes: Makes::Fields(leef),
    },
    Function { name: "parseUri", parameters: &["field", "defaultBase", "prefix"], makes: Makes::Row(uri) },
    Function { name: "parseUrl", parameters: &["field", "as"], makes: Makes::Row(url) },
    Function { name: "parseXml", parameters: &["field", "prefix", "strict"], makes: Makes::Fields(xml) },
    Function {
        name: "splitString",
        parameters: &["field", "by", "as", "index"],
        makes: Makes::With("index", &Makes::Value("_splitstring", part), &Makes::Fields(parts)),
    },
    Function {
        name: "xml:prettyPrint",
        parameters: &["field", "as", "step", "strict", "width"],
        makes: Makes::Value("", |rows, a| pretty(rows, a, &documents::XML_PRETTY)),
    },
];

fn pretty(rows: &Rows<'_>, a: &Arguments<'_>, kernel: &Row) -> Result<Typed, Diagnostic> {
    let step = whole(a, "step", 0, 64)?.unwrap_or(2);
    let strict = a.flag("strict", false)?;
    // Lines are broken at elements, however long they are.
    whole(a, "width", 1, i64::from(u32::MAX))?;
    over_text(rows, a, kernel, vec![lit(step), lit(strict)])
}

/// The names of the columns, of which one that is empty is left out.
fn columns(a: &Arguments<'_>) -> Result<Vec<String>, Diagnostic> {
    Ok(a.need_names("columns")?.into_iter().map(|column| column.node).collect())
}

/// `parseCsv`: the cells of one line.
fn cells(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let names = columns(a)?;
    let delimiter = a.text("delimiter")?.unwrap_or_else(|| Spanned::new(",".to_owned(), a.span()));
    if delimiter.node.len() != 1 {
        let message = format!("`delimiter` is one ASCII character, not {:?}", delimiter.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, delimiter.span));
    }
    let exclude = a.flag("excludeEmpty", false)?;
    let trim = a.flag("trim", false)?;
    let text = source(rows, a)?.text();
    let values = lists::cells(text, &delimiter.node, trim, a.span());
    Ok(into_columns(names, values, exclude, a.span()))
}

fn into_columns(names: Vec<String>, values: Expr, exclude: bool, span: Span) -> Effect {
    if !exclude {
        return Effect { lists: vec![List { names, values, keeps_rest: true, span }], ..Effect::default() };
    }
    let set = names.into_iter().enumerate().map(|(position, name)| {
        let cell = lists::element(values.clone(), position, span).expr;
        let cell = when(cell.clone().not_eq(lit("")), cell).end().unwrap_or_else(|_| lit(""));
        (name, Typed::new(cell, Kind::Text, span))
    });
    Effect { set: set.collect(), ..Effect::default() }
}

/// `parseFixedWidth`: parts of given lengths.
fn by_width(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let names = columns(a)?;
    let mut widths = Vec::new();
    for width in a.need_names("widths")? {
        match width.node.parse::<usize>() {
            Ok(number) if number > 0 => widths.push(number),
            _ => return Err(expected("a width, which is a whole number above 0", width.span)),
        }
    }
    if widths.len() != names.len() {
        let message = format!("there are {} columns and {} widths", names.len(), widths.len());
        return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()));
    }
    let trim = a.flag("trim", true)?;
    let values = lists::parts_by_width(source(rows, a)?.text(), &widths, trim, a.span());
    Ok(into_columns(names, values, false, a.span()))
}

/// The parts of a URI, in fields with that prefix.
fn uri_parts(text: &Expr, base: Option<&str>, prefix: &str, parts: &[&str], span: Span) -> Effect {
    let set = parts.iter().map(|part| {
        let arguments = vec![text.clone(), optional(base), lit(*part)];
        (format!("{prefix}.{part}"), documents::URI.call(arguments, span))
    });
    Effect { set: set.collect(), ..Effect::default() }
}

fn uri(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let field = a.need_field()?;
    let base = a.text("defaultBase")?;
    if let Some(base) = &base
        && !base.node.ends_with("//")
    {
        let message = format!("`defaultBase` is `//`, or a scheme and `://`, not {:?}", base.node);
        return Err(Diagnostic::error(Code::InvalidOption, message, base.span));
    }
    let prefix = a.text("prefix")?.unwrap_or_else(|| field.clone());
    if prefix.node.is_empty() {
        return Err(Diagnostic::error(Code::InvalidOption, "`prefix` of `parseUri` is empty", prefix.span));
    }
    let text = super::super::filter::text_of(&rows.field(&field.node, field.span));
    let parts = ["scheme", "host", "port", "path", "query", "fragment"];
    Ok(uri_parts(&text, base.as_ref().map(|base| base.node.as_str()), &prefix.node, &parts, a.span()))
}

fn url(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("url".to_owned(), a.span()));
    let prefix = a.output(&field.node)?;
    let text = super::super::filter::text_of(&rows.field(&field.node, field.span));
    let parts = ["scheme", "username", "password", "host", "port", "path", "query", "fragment"];
    Ok(uri_parts(&text, None, &prefix, &parts, a.span()))
}

fn xml(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let prefix = a.text("prefix")?.map_or_else(String::new, |prefix| prefix.node);
    if a.flag("strict", false)? {
        return Err(super::super::unsupported("`strict=true` of `parseXml`", a.span()));
    }
    let read = move |text: &str| reading::elements(text, &prefix);
    Ok(Reading { source: source(rows, a)?, existing: Existing::Replaced, read: Box::new(read) })
}

/// The prefixes of the fields of a message with a header: of the header, the extensions and their labels.
fn prefixes(a: &Arguments<'_>, format: &str) -> Result<reading::Prefixes, Diagnostic> {
    let text = |name: &str, default: String| a.text(name).map(|text| text.map_or(default, |text| text.node));
    Ok(reading::Prefixes {
        header: text("headerprefix", format!("{format}."))?,
        extension: text("prefix", format!("{format}.ext."))?,
        label: text("labelprefix", format!("{format}.label."))?,
        keeps_labels: a.flag("keeplabels", false)?,
    })
}

fn cef(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let prefixes = prefixes(a, "cef")?;
    let read = move |text: &str| reading::cef(text, &prefixes);
    Ok(Reading { source: source(rows, a)?, existing: Existing::Replaced, read: Box::new(read) })
}

/// `parseLEEF`; the time in `devTime` stays text, so that `parsetime` changes nothing.
fn leef(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Reading, Diagnostic> {
    let prefixes = prefixes(a, "leef")?;
    if a.flag("parsetime", false)? || a.has("timezone") {
        return Err(super::super::unsupported("the parsing of `devTime`", a.span())
            .with_help("read the field with `parseTimestamp`"));
    }
    let delimiter = a.text("delimiter")?.and_then(|delimiter| delimiter.node.chars().next()).unwrap_or('\t');
    let read = move |text: &str| reading::leef(text, delimiter, &prefixes);
    Ok(Reading { source: source(rows, a)?, existing: Existing::Replaced, read: Box::new(read) })
}

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
    let separator = a.text("separator")?.unwrap_or_else(|| Spanned::new("=".to_owned(), a.span()));
    if separator.node.is_empty() {
        return Err(Diagnostic::error(Code::InvalidOption, "`separator` of `kvParse` is empty", separator.span));
    }
    let padding = match a.choice("separatorPadding", &["unknown", "yes", "no"])? {
        "yes" => reading::Padding::Yes,
        "no" => reading::Padding::No,
        _ => reading::Padding::Unknown,
    };
    let exclude = a.flag("excludeEmpty", false)?;
    let separator = separator.node;
    let read = move |text: &str| {
        let options = reading::Pairs { separator: &separator, padding, first, exclude };
        let found = reading::pairs(text, &options);
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
    let list = |name: &str| {
        let names = a.names(name)?.unwrap_or_default();
        Ok::<_, Diagnostic>(names.into_iter().map(|name| name.node).collect::<Vec<String>>())
    };
    let (exclude, include, removed) = (list("exclude")?, list("include")?, list("removePrefixes")?);
    let exclude_empty = a.flag("excludeEmpty", false)?;
    let read = move |text: &str| {
        let found = reading::flatten(text, &prefix, null).into_iter();
        let found = found.filter(|(_, values)| !exclude_empty || values.iter().any(|value| !value.is_empty()));
        let found = found.filter(|(name, _)| !reading::covers(&exclude, name) || reading::covers(&include, name));
        found.map(|(name, values)| (reading::without_prefix(&name, &prefix, &removed), values)).collect()
    };
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
