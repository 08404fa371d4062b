//! `makemv`: splits one value into several.
//!
//! Source: Splunk Search Reference, "makemv".

use spelunk_grammar::spl::commands::makemv::Makemv;
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::Frame;
use crate::functions::comparison::invalid_pattern;
use crate::functions::pattern::Pattern;
use crate::functions::rows;

/// What stands between the values where the search does not say.
const DELIMITER: &str = " ";

/// Plans the command.
pub fn plan(frame: &mut Frame, command: &Makemv) -> PlanResult<()> {
    let Makemv { field, delim, tokenizer, allowempty, setsv } = command;
    if let Some(setsv) = setsv.as_ref().filter(|setsv| setsv.node) {
        return Err(Diagnostic::error(
            Code::Unsupported,
            "`setsv=true` is not supported: a field has either one value or several",
            setsv.span,
        )
        .with_help("keep the single value in another field with `eval` before")
        .into());
    }
    let empty = allowempty.unwrap_or(false);
    if let Some(tokenizer) = tokenizer {
        let pattern = Pattern::new(&tokenizer.node).map_err(|reason| invalid_pattern(&reason, tokenizer.span))?;
        if pattern.names().len() < 2 {
            return Err(Diagnostic::error(Code::InvalidPattern, "the tokenizer has no group", tokenizer.span)
                .with_help("put what makes a value in parentheses, such as `([^,]+),?`")
                .into());
        }
    }
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    if value.kind == Kind::Null {
        return Ok(());
    }
    let values = match tokenizer {
        Some(tokenizer) => rows::tokens(value.text(), &tokenizer.node, empty),
        None => rows::split(value.text(), delim.as_ref().map_or(DELIMITER, |delim| &delim.node), empty),
    };
    frame.set(vec![(field.text.clone(), values)])?;
    Ok(())
}
