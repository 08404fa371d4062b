//! `xmlunescape`: XML's entities as the characters that they stand for.
//!
//! Source: Splunk's search assistant, "xmlunescape".

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::replace;
use datafusion::logical_expr::{cast, lit};
use spelunk_grammar::Span;

use super::expression::Kind;
use super::frame::Frame;
use super::{PlanResult, existing};
use crate::functions::rows;

/// The entities. The ampersand comes last, so that `&amp;lt;` gives `&lt;`.
const ENTITIES: [(&str, &str); 3] = [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];

/// Plans the command.
pub fn plan(frame: &mut Frame, span: Span) -> PlanResult<()> {
    let Some(raw) = existing(frame, "_raw", span) else { return Ok(()) };
    // Several texts are one event.
    let raw = match frame.data_type("_raw").map(|data_type| Kind::of(&data_type)) {
        Some(Kind::Many) => rows::single(raw, rows::SINGLE_VALUE_DELIMITER),
        _ => raw,
    };
    let text = ENTITIES
        .into_iter()
        .fold(cast(raw, DataType::Utf8), |text, (entity, character)| replace(text, lit(entity), lit(character)));
    frame.set(vec![("_raw".into(), text)])?;
    Ok(())
}
