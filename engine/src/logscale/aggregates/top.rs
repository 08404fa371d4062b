//! `top`.

use spelunk_grammar::{Code, Diagnostic};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::super::{Run, as_number};
use super::{finish, through};
use crate::plan::PlanResult;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::{Frame, column};

/// How many rows `top` gives where the query does not say.
const TOP_ROWS: usize = 10;

/// `top`: the most frequent values, or those with the greatest sum or maximum of another field.
pub fn plan(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let groups = a.need_names("field")?;
    let limit = a.count("limit")?.unwrap_or(TOP_ROWS);
    let (sum, max) = (a.text("sum")?, a.text("max")?);
    let (function, field) = match (sum, max) {
        (Some(both), Some(_)) => {
            let message = "`top` takes `sum` or `max`, not both";
            return Err(Diagnostic::error(Code::InvalidArgument, message, both.span).into());
        }
        (Some(field), None) => ("sum", Some(field)),
        (None, Some(field)) => ("max", Some(field)),
        (None, None) => ("count", None),
    };
    let name = a.output(&format!("_{function}"))?;
    a.done()?;
    for group in &groups {
        let value = Rows::of(frame).field(&group.node, group.span);
        frame.filter(value.expr.is_not_null())?;
    }
    let value = field
        .map(|field| Typed::new(as_number(&Rows::of(frame).field(&field.node, field.span)), Kind::Number, field.span));
    let computed = through(frame, function, value, &name, a.span(), 0)?;
    finish(frame, &groups, vec![computed], None)?;
    frame.order_by(vec![(column(&name), true)])?;
    frame.limit(limit)?;
    run.aggregated = true;
    Ok(())
}
