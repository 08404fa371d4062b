//! `outputtext`: the text of each event in the field `_xml`.
//!
//! Source: Splunk Search Reference, "outputtext".

use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::outputtext::Outputtext;

use super::PlanResult;
use super::expression::ExpressionPlanner;
use super::frame::Frame;
use crate::functions::text;

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Outputtext, place: Span) -> PlanResult<()> {
    let Outputtext { usexml } = command;
    let raw = ExpressionPlanner::new(frame).field("_raw", place);
    let value = match usexml.unwrap_or(true) {
        true => text::ESCAPE_XML.call(vec![raw.text()], place).expr,
        false => raw.text(),
    };
    frame.set(vec![("_xml".to_owned(), value)])?;
    Ok(())
}
