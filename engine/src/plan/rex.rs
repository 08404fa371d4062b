//! `rex`: extracts fields with a regular expression.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::spl::commands::rex::Rex;
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use crate::functions::comparison::invalid_pattern;
use crate::functions::extraction;
use crate::functions::pattern::Pattern;

/// Plans the command. A group that does not match leaves its field as it was.
pub fn plan(frame: &mut Frame, command: &Rex) -> PlanResult<()> {
    let Rex { field, pattern, sed, max_match, offset_field } = command;
    if *sed {
        let message = "`rex mode=sed` is not supported yet";
        return Err(Diagnostic::error(Code::Unsupported, message, pattern.span)
            .with_help("use `eval field=replace(field, \"regex\", \"replacement\")`")
            .into());
    }
    if let Some(offset_field) = offset_field {
        let message = "the option `offset_field` is not supported yet";
        return Err(Diagnostic::error(Code::Unsupported, message, offset_field.span).into());
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
        let value = match frame.data_type(&name) {
            Some(_) => {
                let before = planner.field(&name, pattern.span);
                let matched = found.expr.clone().is_not_null();
                planner.choice(vec![(matched, found)], Some(before), pattern.span)
            }
            None => found,
        };
        assignments.push((name, value.expr));
    }
    frame.set(assignments)?;
    Ok(())
}

fn extract(udf: &Arc<ScalarUDF>, source: &Typed, pattern: &str, group: &str, limit: u64) -> Expr {
    udf.call(vec![source.text(), lit(pattern), lit(group), lit(i64::try_from(limit).unwrap_or(i64::MAX))])
}
