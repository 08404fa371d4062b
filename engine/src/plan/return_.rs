//! `return`: the first rows as search text.
//!
//! Source: Splunk Search Reference, "return".

use spelunk_grammar::spl::commands::return_::{Return, ReturnItem};

use super::frame::Frame;
use super::{PlanResult, Planner, existing, rows};

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Return) -> PlanResult<()> {
    for item in &command.items {
        let (ReturnItem::Field(field) | ReturnItem::Alias(_, field) | ReturnItem::Value(field)) = item;
        existing(frame, &field.text, field.span);
    }
    let most = usize::try_from(command.count.unwrap_or(1)).unwrap_or(usize::MAX);
    rows::replace_by_text(planner, frame, most, |found| {
        let texts: Vec<String> = found
            .iter()
            .map(|(batch, row)| {
                let items: Vec<String> = command
                    .items
                    .iter()
                    .filter_map(|item| {
                        let pair = |name: &str, field: &str| {
                            let value = rows::texts(batch, field, *row)?.join(" ");
                            Some(format!("{name}={}", rows::quoted(&value)))
                        };
                        match item {
                            ReturnItem::Field(field) => pair(&field.text, &field.text),
                            ReturnItem::Alias(alias, field) => pair(&alias.text, &field.text),
                            ReturnItem::Value(field) => Some(rows::texts(batch, &field.text, *row)?.join(" ")),
                        }
                    })
                    .collect();
                items.join(" ")
            })
            .filter(|text| !text.is_empty())
            .collect();
        match texts.as_slice() {
            [single] => single.clone(),
            several => several.iter().map(|text| format!("({text})")).collect::<Vec<_>>().join(" OR "),
        }
    })
    .await
}
