//! `transpose`: rows become columns.
//!
//! Source: Splunk Search Reference, "transpose".

use spelunk_grammar::spl::commands::transpose::Transpose;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::grid::{Grid, MOST_COLUMNS};
use super::{PlanResult, Planner, existing};
use crate::values::Value;

/// How many rows become columns where the search does not say.
const DEFAULT_LIMIT: u64 = 5;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Transpose, span: Span) -> PlanResult<()> {
    let Transpose { limit, column_name, header_field, include_empty } = command;
    if let Some(field) = header_field {
        existing(frame, &field.text, field.span);
    }
    let limit = match limit.unwrap_or(DEFAULT_LIMIT) {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    // So many rows are more than a result may have columns, which is an error rather than a shorter result.
    frame.limit(limit.min(MOST_COLUMNS))?;
    // Of events every field is known that any of them has; of a table those that it shows.
    let only_present = frame.events || !include_empty.unwrap_or(true);
    let Some(grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    if grid.rows.len() >= MOST_COLUMNS {
        let message = format!("`transpose` makes fewer than {MOST_COLUMNS} columns of rows");
        let help = "keep fewer rows first, such as with `head`";
        return Err(Diagnostic::error(Code::TooLarge, message, span).with_help(help).into());
    }
    let first = column_name.as_deref().unwrap_or("column");
    let header = header_field.as_ref().and_then(|field| grid.position(&field.text));
    let mut names = vec![first.to_string()];
    for number in 0..grid.rows.len() {
        let texts = header.map(|header| grid.value(number, header).texts()).unwrap_or_default();
        let name = match texts.as_slice() {
            [] => format!("row {}", number.saturating_add(1)),
            texts => texts.join(" "),
        };
        let known = names.iter().position(|known| *known == name);
        if known.is_some() {
            let place = header_field.as_ref().map_or(span, |field| field.span);
            let message = match known {
                Some(0) => format!("a row has the name of the first column, {name:?}"),
                _ => format!("two rows have the name {name:?}"),
            };
            return Err(Diagnostic::error(Code::InvalidArgument, message, place)
                .with_help(
                    "choose another field for `header_field`, another `column_name`, or leave `header_field` out",
                )
                .into());
        }
        names.push(name);
    }
    let mut result = Grid::new(names);
    for (position, field) in grid.names.iter().enumerate().filter(|(position, _)| Some(*position) != header) {
        if only_present && grid.column(position).all(is_empty) {
            continue;
        }
        let mut row = vec![Value::Text(field.clone().into())];
        row.extend(grid.column(position).cloned());
        if !grid.rows.is_empty() {
            result.rows.push(row);
        }
    }
    result.replace(frame, span)
}

fn is_empty(value: &Value<'_>) -> bool {
    value.texts().iter().all(|text| text.is_empty())
}
