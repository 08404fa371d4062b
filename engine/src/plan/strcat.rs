//! `strcat`: joins fields and texts.
//!
//! Source: Splunk Search Reference, "strcat".

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::strcat::{Source, Strcat};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use crate::functions::rows;

/// Plans the command. A missing field counts as empty, unless all are required.
pub fn plan(frame: &mut Frame, command: &Strcat) -> PlanResult<()> {
    let Strcat { allrequired, sources, target } = command;
    let planner = ExpressionPlanner::new(frame);
    let mut pieces: Vec<Expr> = Vec::new();
    let mut present = lit(true);
    for source in sources {
        match source {
            Source::Text(text) => pieces.push(lit(text.clone())),
            Source::Field(field) => {
                let value = planner.field(&field.text, field.span);
                present = present.and(value.expr.clone().is_not_null());
                pieces.push(value.text());
            }
        }
    }
    let joined = Typed::new(rows::join(pieces), Kind::Text, target.span);
    let value = if allrequired.unwrap_or(false) {
        let before = match frame.data_type(&target.text) {
            Some(_) => planner.field(&target.text, target.span),
            None => Typed::null(target.span),
        };
        planner.choice(vec![(present, joined)], Some(before), target.span)
    } else {
        joined
    };
    frame.set(vec![(target.text.clone(), value.expr)])?;
    Ok(())
}
