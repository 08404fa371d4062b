//! `makejson`: the fields of each row as a JSON object.
//!
//! Source: published searches; Splunk Search Reference, "tojson", which took its place.

use spelunk_grammar::spl::commands::makejson::Makejson;
use spelunk_grammar::spl::commands::tojson::Tojson;

use super::frame::Frame;
use super::{PlanResult, tojson};

/// The `tojson` that does the same.
pub fn as_tojson(command: &Makejson) -> Tojson {
    let Makejson { fields, output } = command;
    Tojson {
        fields: fields.clone(),
        default_type: None,
        fill_null: None,
        include_internal: None,
        output_field: output.clone(),
    }
}

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Makejson) -> PlanResult<()> {
    tojson::plan(frame, &as_tojson(command))
}
