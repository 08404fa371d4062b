//! `fromjson`: the members of a JSON object as fields.
//!
//! Source: Splunk Search Reference, "fromjson".

use spelunk_grammar::spl::commands::fromjson::Fromjson;

use super::barrier::{self, Existing};
use super::frame::Frame;
use super::{PlanResult, Planner, spath};
use crate::documents::Fields;
use crate::documents::json::{self, Json};

/// Plans the command. Arrays become several values, nested objects stay JSON.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Fromjson) -> PlanResult<()> {
    let Fromjson { field, prefix } = command;
    let source = spath::source(frame, Some(field), field.span);
    let prefix = prefix.as_deref().unwrap_or_default();
    barrier::extract(planner, frame, &source, Existing::Replaced, &|text| members(text, prefix)).await
}

fn members(text: &str, prefix: &str) -> Fields {
    let Some(Json::Object(members)) = json::parse_nested(text) else { return Fields::new() };
    members
        .into_iter()
        .map(|(key, value)| {
            let values = match value {
                Json::Array(elements) => elements.iter().filter_map(Json::native).collect(),
                single => single.native().into_iter().collect(),
            };
            (format!("{prefix}{key}"), values)
        })
        .filter(|(_, values): &(String, Vec<String>)| !values.is_empty())
        .collect()
}
