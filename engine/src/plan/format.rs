//! `format`: all rows as search text.
//!
//! Source: Splunk Search Reference, "format".

use spelunk_grammar::spl::commands::format::Format;

use super::frame::Frame;
use super::{PlanResult, Planner, rows};

/// The pieces around rows and columns where the search gives none.
const DEFAULT: [&str; 6] = ["(", "(", "AND", ")", "OR", ")"];
/// The text for no rows with fields.
const EMPTY: &str = "NOT( )";

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Format) -> PlanResult<()> {
    let Format { mvsep, maxresults, pieces, emptystr } = command;
    let pieces: [&str; 6] = match pieces {
        Some(pieces) => std::array::from_fn(|position| pieces.get(position).map_or("", |piece| piece.node.as_str())),
        None => DEFAULT,
    };
    let [row_prefix, column_prefix, column_separator, column_end, row_separator, row_end] = pieces;
    let mvsep = mvsep.as_deref().unwrap_or("OR");
    let empty = emptystr.as_deref().unwrap_or(EMPTY);
    let most = match maxresults.unwrap_or(0) {
        0 => usize::MAX,
        most => usize::try_from(most).unwrap_or(usize::MAX),
    };
    rows::replace_by_text(planner, frame, most, |found| {
        let texts: Vec<String> = found
            .iter()
            .map(|(batch, row)| {
                let columns: Vec<String> =
                    rows::fields(batch, *row).into_iter().map(|(name, values)| column(&name, &values, mvsep)).collect();
                format!("{column_prefix} {} {column_end}", columns.join(&format!(" {column_separator} ")))
            })
            .collect();
        // Rows of internal fields alone are none.
        if found.iter().all(|(batch, row)| rows::fields(batch, *row).is_empty()) {
            return empty.to_string();
        }
        format!("{row_prefix} {} {row_end}", texts.join(&format!(" {row_separator} ")))
    })
    .await
}

fn column(name: &str, values: &[String], mvsep: &str) -> String {
    let alternatives: Vec<String> = values
        .iter()
        .map(|value| match name {
            "search" | "query" => value.clone(),
            _ => format!("{name}={}", rows::quoted(value)),
        })
        .collect();
    match alternatives.as_slice() {
        [single] => single.clone(),
        several => format!("( {} )", several.join(&format!(" {mvsep} "))),
    }
}
