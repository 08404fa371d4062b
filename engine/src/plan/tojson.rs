//! `tojson`: the fields of each row as a JSON object.
//!
//! Source: Splunk Search Reference, "tojson".

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::tojson::{JsonType, Tojson, TypedField};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, matching};
use crate::functions::json;

/// Plans the command. Members come in the order in which the fields are named, or stand.
pub fn plan(frame: &mut Frame, command: &Tojson) -> PlanResult<()> {
    let Tojson { fields, default_type, fill_null, include_internal, output_field } = command;
    let default_type = default_type.unwrap_or(JsonType::None);
    let internal = include_internal.unwrap_or(false);
    let all = frame.fields();
    let mut chosen: Vec<(String, JsonType)> = Vec::new();
    let mut choose = |name: &str, wanted: JsonType| {
        if !chosen.iter().any(|(known, _)| known == name) {
            chosen.push((name.to_string(), wanted));
        }
    };
    if fields.is_empty() {
        for name in all.iter().filter(|name| internal || !name.starts_with('_')) {
            choose(name, default_type);
        }
    }
    for TypedField { wanted, field } in fields {
        let wanted = wanted.unwrap_or(default_type);
        if !field.text.contains('*') {
            choose(&field.text, wanted);
            // Notes the field where no event has it.
            let _ = super::existing(frame, &field.text, field.span);
            continue;
        }
        for name in matching(&field.text, &all) {
            choose(name, wanted);
        }
        if internal {
            for name in matching(&format!("_{}", field.text), &all) {
                choose(name, wanted);
            }
        }
    }
    let planner = ExpressionPlanner::new(frame);
    let mut arguments: Vec<Expr> = vec![lit(fill_null.unwrap_or(false))];
    for (name, wanted) in chosen {
        let value = planner.field(&name, spelunk_grammar::Span::default());
        let expr = if value.kind == Kind::Time { value.number() } else { value.expr };
        arguments.extend([lit(name), lit(wanted.name()), expr]);
    }
    let output = output_field.as_ref().map_or("_raw", |field| &field.text);
    let object = json::to_json().call(arguments);
    frame.set(vec![(output.to_string(), object)])?;
    Ok(())
}
