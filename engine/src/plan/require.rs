//! `require`: a search without results fails.
//!
//! Source: Splunk Search Reference, "require".

use arrow::array::RecordBatch;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{PlanResult, Planner, barrier};

/// Plans the command: runs what comes before, and goes on with its rows.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, span: Span) -> PlanResult<()> {
    match barrier::materialise(planner, frame).await? {
        Some(batches) if batches.iter().map(RecordBatch::num_rows).all(|rows| rows == 0) => {
            let message = "the search before `require` has no results";
            Err(Diagnostic::error(Code::InvalidArgument, message, span).into())
        }
        _ => Ok(()),
    }
}
