//! `arules`: values that come with other values.
//!
//! Source: Splunk Search Reference, "arules"; the method as in [`rules`](crate::methods::rules).

use spelunk_grammar::spl::commands::arules::Arules;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::Annotated;
use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner};
use crate::methods::rules::{MOST_SETS, rules};
use crate::values::Value;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Arules, span: Span) -> PlanResult<()> {
    let Arules { sup, conf, fields } = command;
    let mut names: Vec<&str> = Vec::new();
    for field in fields {
        super::existing(frame, &field.text, field.span);
        if !names.contains(&field.text.as_str()) {
            names.push(&field.text);
        }
    }
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    // An item is a field and a value.
    let (mut items, mut item_rows) = (Vec::new(), Vec::new());
    for name in names {
        let coded = rows.coded(name);
        let mut of_value: Vec<Vec<u32>> = vec![Vec::new(); coded.values.len()];
        for (row, code) in (0..).zip(&coded.codes) {
            if let Some(list) = code.and_then(|code| of_value.get_mut(code as usize)) {
                list.push(row);
            }
        }
        items.extend(coded.values.iter().map(|value| format!("{name}={value}")));
        item_rows.extend(of_value);
    }
    let found = rules(&item_rows, sup.unwrap_or(3), conf.unwrap_or(0.5)).map_err(|_| {
        let message = format!("more than {MOST_SETS} sets of values are frequent, or too many to look at");
        Diagnostic::error(Code::TooLarge, message, span).with_help("raise `sup`, or name fewer fields")
    })?;
    let mut grid =
        Grid::new(["Given fields", "Implied fields", "Strength", "Given fields support", "Implied fields support"]);
    let item = |item: &u32| items.get(*item as usize).cloned().unwrap_or_default();
    for rule in found {
        let given: Vec<String> = rule.given.iter().map(item).collect();
        grid.rows.push(vec![
            Value::Text(given.join(", ").into()),
            Value::Text(item(&rule.implied).into()),
            Value::Number(rule.confidence),
            Value::Number(rule.given_support as f64),
            Value::Number(rule.implied_support as f64),
        ]);
    }
    grid.replace(frame, span)
}
