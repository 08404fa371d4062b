//! `pivot`: a table over an object of a data model. It is written as the commands that mean the same.
//!
//! Source: Splunk Search Reference, "pivot".

use std::fmt::Write;

use spelunk_grammar::spl;
use spelunk_grammar::spl::commands::pivot::{Cell, Element, Filter, Key, Pivot, Split};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::super::frame::Frame;
use super::super::{PlanError, PlanResult, Planner};
use super::{Form, events};

/// Plans the command. Its columns depend on the data, so without any every field may be there.
pub async fn plan(planner: &mut Planner<'_>, command: &Pivot) -> PlanResult<Frame> {
    let Pivot { model, object, elements } = command;
    let name = format!("{}.{}", model.text, object.text);
    let mut frame = events(planner, &name, Form::Plain, model.span).await?;
    if planner.events.is_none() {
        frame.events = false;
        return Ok(frame);
    }
    let text = commands(elements, &object.text)?;
    let moved = |finding: Diagnostic| {
        let message = format!("in `{}`, which this pivot means: {}", text.trim(), finding.message);
        PlanError::from(Diagnostic { span: model.span, message, label: None, ..finding })
    };
    let query = spl::parse(&format!("| makeresults {text}"))
        .map_err(|findings| PlanError::Several(findings.into_iter().map(moved).collect()))?;
    let known = planner.diagnostics.len();
    let commands = query.commands.get(1..).unwrap_or_default();
    let piped = Box::pin(planner.pipe(frame, commands)).await;
    for finding in planner.diagnostics.iter_mut().skip(known) {
        finding.span = model.span;
        finding.label = None;
    }
    piped.map_err(|errors| {
        let errors = errors.into_iter().map(|error| match error {
            PlanError::Query(finding) => moved(finding),
            other => other,
        });
        PlanError::Several(errors.collect())
    })
}

/// A name or a value in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn refused(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::Unsupported, format!("{what} is not supported in `pivot`"), span)
        .with_help("`| from datamodel:MODEL.OBJECT` gives the events, for `stats` or `chart`")
}

/// The commands that a pivot means.
fn commands(elements: &[Element], object: &str) -> Result<String, Diagnostic> {
    let mut text = String::new();
    let mut cells = Vec::new();
    let (mut rows, mut columns): (Vec<&Split>, Vec<&Split>) = (Vec::new(), Vec::new());
    let mut sort = None;
    let mut chart_options = String::new();
    for element in elements {
        match element {
            Element::Filter(filter) => text.push_str(&filtered(filter)),
            Element::Cell(cell, label) => {
                let label = match label {
                    Some(label) => label.text.clone(),
                    None => usual_label(cell, object)?,
                };
                cells.push(format!("{} AS {}", aggregate(cell, object), quoted(&label)));
            }
            Element::Split(split) => {
                text.push_str(&binned(split)?);
                if split.columns { columns.push(split) } else { rows.push(split) }
            }
            Element::Limit(field, _) => return Err(refused("LIMIT", field.span)),
            Element::Best(best) => return Err(refused("TOP or BOTTOM", best.count.span)),
            Element::Sort(count, keys) => sort = Some((count.node, keys)),
            Element::Setting(name, value) => match *name {
                "NUMCOLS" => drop(write!(chart_options, " limit={}", value.node)),
                "SHOWOTHER" => drop(write!(chart_options, " useother={}", value.node)),
                _ if matches!(value.node.as_str(), "0" | "f" | "false") => {}
                name => return Err(refused(&format!("{name} other than 0"), value.span)),
            },
        }
    }
    let alone = cells.is_empty();
    if alone {
        cells.push("count".to_owned());
    }
    let fields = |splits: &[&Split]| splits.iter().map(|split| quoted(&split.field.text)).collect::<Vec<_>>().join(" ");
    let cells = cells.join(" ");
    match (rows.as_slice(), columns.as_slice()) {
        ([], []) => drop(write!(text, "| stats {cells} ")),
        (rows, []) => drop(write!(text, "| stats {cells} by {} ", fields(rows))),
        ([row], [column]) => drop(write!(
            text,
            "| chart{chart_options} {cells} over {} by {} ",
            quoted(&row.field.text),
            quoted(&column.field.text)
        )),
        ([], [column]) => drop(write!(text, "| chart{chart_options} {cells} by {} ", quoted(&column.field.text))),
        (_, [column, ..]) => return Err(refused("SPLITCOL beside several rows or columns", column.field.span)),
    }
    if alone && columns.is_empty() {
        text.push_str("| fields - count ");
    }
    for split in rows {
        if let Some(label) = &split.label {
            let _ = write!(text, "| rename {} AS {} ", quoted(&split.field.text), quoted(&label.text));
        }
    }
    if let Some((count, keys)) = sort {
        let key = |key: &Key| format!("{}{}", if key.descending { "-" } else { "+" }, quoted(&key.field.text));
        match keys.is_empty() {
            true if count == 0 => {}
            true => drop(write!(text, "| head {count} ")),
            false => drop(write!(text, "| sort {count} {} ", keys.iter().map(key).collect::<Vec<_>>().join(", "))),
        }
    }
    Ok(text)
}

fn aggregate(cell: &Cell, object: &str) -> String {
    let counts = cell.function.node.eq_ignore_ascii_case("count") || cell.function.node.eq_ignore_ascii_case("c");
    match counts && cell.field.text.eq_ignore_ascii_case(object) {
        true => "count".to_owned(),
        false => format!("{}({})", cell.function.node, quoted(&cell.field.text)),
    }
}

/// What a column is called that has no name.
fn usual_label(cell: &Cell, object: &str) -> Result<String, Diagnostic> {
    let what = match cell.function.node.to_ascii_lowercase().as_str() {
        "c" | "count" => "Count",
        "dc" | "distinct_count" => "Distinct Count",
        "sum" => "Sum",
        "avg" | "mean" => "Average",
        "min" => "Minimum",
        "max" => "Maximum",
        "stdev" => "Standard Deviation",
        "median" => "Median",
        _ => {
            let message = format!("`{}` needs a name in `pivot`: add AS", cell.function.node);
            return Err(Diagnostic::error(Code::InvalidArgument, message, cell.function.span));
        }
    };
    let field = if cell.field.text.eq_ignore_ascii_case(object) { object } else { &cell.field.text };
    Ok(format!("{what} of {field}"))
}

fn filtered(filter: &Filter) -> String {
    let field = quoted(&filter.field.text);
    let value = filter.values.first().map_or("", |value| &value.text);
    let compare = |operator: &str, before: &str, after: &str| {
        format!("| search {field}{operator}{} ", quoted(&format!("{before}{value}{after}")))
    };
    match filter.comparison {
        "is" | "=" => compare("=", "", ""),
        "isNot" | "!=" => compare("!=", "", ""),
        "contains" => compare("=", "*", "*"),
        "doesNotContain" => compare("!=", "*", "*"),
        "startsWith" => compare("=", "", "*"),
        "endsWith" => compare("=", "*", ""),
        "isNull" => format!("| where isnull('{}') ", filter.field.text),
        "isNotNull" => format!("| where isnotnull('{}') ", filter.field.text),
        "in" => {
            let values: Vec<String> = filter.values.iter().map(|value| quoted(&value.text)).collect();
            format!("| search {field} IN ({}) ", values.join(", "))
        }
        "regex" => format!("| regex {field}={} ", quoted(value)),
        order => compare(order, "", ""),
    }
}

/// Times put into stretches.
fn binned(split: &Split) -> Result<String, Diagnostic> {
    let Split { columns: _, field, label: _, period, range, truelabel, falselabel } = split;
    if let Some((name, _)) = range.first() {
        return Err(refused("RANGE", name.span));
    }
    if let Some(label) = truelabel.as_ref().or(falselabel.as_ref()) {
        return Err(refused("TRUELABEL or FALSELABEL", label.span));
    }
    let Some(period) = period else { return Ok(String::new()) };
    let span = match period.node.as_str() {
        "year" => "1y",
        "month" => "1mon",
        "day" => "1d",
        "hour" => "1h",
        "minute" => "1m",
        "second" => "1s",
        _ => return Err(refused("PERIOD auto", period.span)),
    };
    Ok(format!("| bin {} span={span} ", quoted(&field.text)))
}
