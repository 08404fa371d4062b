//! `rex`: extracts fields with a regular expression, or edits a field with a sed script.
//!
//! Source: Splunk Search Reference, "rex".

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::spl::commands::rex::Rex;
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use crate::functions::comparison::invalid_pattern;
use crate::functions::pattern::Pattern;
use crate::functions::{extraction, sed};

/// Plans the command. A group that does not match leaves its field as it was.
pub fn plan(frame: &mut Frame, command: &Rex) -> PlanResult<()> {
    let Rex { field, pattern, sed, max_match, offset_field } = command;
    if *sed {
        return edit(frame, command);
    }
    let compiled = Pattern::new(&pattern.node).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
    let names: Vec<String> = compiled.names().into_iter().flatten().collect();
    if names.is_empty() {
        return Err(Diagnostic::error(Code::InvalidPattern, "the pattern names no group to extract", pattern.span)
            .with_help("name a group, such as `(?<user>\\w+)`")
            .into());
    }
    let planner = ExpressionPlanner::new(frame);
    let source = match field {
        Some(field) => planner.field(&field.text, field.span),
        None => planner.field("_raw", pattern.span),
    };
    let limit = max_match.unwrap_or(1);
    let udf = if limit == 1 { extraction::first() } else { extraction::every() };
    let mut assignments = Vec::new();
    for name in names {
        if assignments.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let found = Typed::new(
            extract(&udf, &source, &pattern.node, &name, limit),
            if limit == 1 { Kind::Text } else { Kind::Many },
            pattern.span,
        );
        let value = or_as_before(frame, &name, found);
        assignments.push((name, value));
    }
    if let Some(offset_field) = offset_field {
        let (udf, kind) = match limit {
            1 => (extraction::first_place(), Kind::Text),
            _ => (extraction::places(), Kind::Many),
        };
        let arguments = vec![source.text(), lit(pattern.node.clone()), matches(limit)];
        let places = Typed::new(udf.call(arguments), kind, pattern.span);
        let value = or_as_before(frame, &offset_field.text, places);
        assignments.push((offset_field.text.clone(), value));
    }
    frame.set(assignments)?;
    Ok(())
}

/// The value where there is one, else what the field had before.
fn or_as_before(frame: &Frame, name: &str, found: Typed) -> Expr {
    let planner = ExpressionPlanner::new(frame);
    match frame.data_type(name) {
        Some(_) => {
            let (span, exists) = (found.span, found.expr.clone().is_not_null());
            let before = planner.field(name, span);
            planner.choice(vec![(exists, found)], Some(before), span).expr
        }
        None => found.expr,
    }
}

/// `mode=sed`: edits the field in place.
fn edit(frame: &mut Frame, command: &Rex) -> PlanResult<()> {
    let Rex { field, pattern, sed: _, max_match, offset_field } = command;
    let without_sense = [("max_match", max_match.is_some()), ("offset_field", offset_field.is_some())]
        .into_iter()
        .find(|(_, set)| *set);
    if let Some((option, _)) = without_sense {
        let message = format!("`{option}` means nothing with `mode=sed`");
        return Err(Diagnostic::error(Code::InvalidOption, message, pattern.span)
            .with_help("a number behind `s/.../.../` says which match is replaced, g all of them")
            .into());
    }
    sed::Script::parse(&pattern.node).map_err(|reason| {
        Diagnostic::error(Code::InvalidPattern, format!("invalid sed script: {reason}"), pattern.span)
    })?;
    let (name, span) = field.as_ref().map_or(("_raw", pattern.span), |field| (field.text.as_str(), field.span));
    let value = ExpressionPlanner::new(frame).field(name, span);
    if value.kind == Kind::Null {
        return Ok(());
    }
    let edited = sed::sed(value.text(), &pattern.node);
    frame.set(vec![(name.to_string(), edited)])?;
    Ok(())
}

fn extract(udf: &Arc<ScalarUDF>, source: &Typed, pattern: &str, group: &str, limit: u64) -> Expr {
    udf.call(vec![source.text(), lit(pattern), lit(group), matches(limit)])
}

fn matches(limit: u64) -> Expr {
    lit(i64::try_from(limit).unwrap_or(i64::MAX))
}
