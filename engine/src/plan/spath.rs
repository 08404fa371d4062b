//! `spath`: fields out of JSON or XML.
//!
//! Source: Splunk Search Reference, "spath".

use datafusion::logical_expr::lit;
use spelunk_grammar::Span;
use spelunk_grammar::spl::commands::spath::Spath;
use spelunk_grammar::spl::expression::Name;

use super::barrier::{self, Existing};
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, Planner};
use crate::documents;
use crate::functions::{json, operators};

/// Plans the command. A path that leads nowhere leaves the field as it was.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Spath, span: Span) -> PlanResult<()> {
    let Spath { input, output, path } = command;
    let source = source(frame, input.as_ref(), span);
    let Some(path) = path else {
        return barrier::extract(planner, frame, &source, Existing::Replaced, &documents::flatten).await;
    };
    json::path(&path.node, path.span)?;
    let name = output.as_ref().map_or(&path.node, |output| &output.text);
    let found = json::spath().call(vec![source.text(), lit(path.node.clone())]);
    assign(frame, name, Typed::new(found, Kind::Many, path.span))
}

/// The field that a command reads, `_raw` where it names none.
pub fn source(frame: &Frame, field: Option<&Name>, span: Span) -> Typed {
    let expressions = ExpressionPlanner::new(frame);
    match field {
        Some(field) => expressions.field(&field.text, field.span),
        None => expressions.field("_raw", span),
    }
}

/// Sets a field where there is a new value for it.
pub fn assign(frame: &mut Frame, name: &str, new: Typed) -> PlanResult<()> {
    let new = match name {
        "_time" => Typed::new(operators::to_time(operators::to_number(new.expr)), Kind::Time, new.span),
        _ => new,
    };
    let value = match frame.data_type(name) {
        Some(data_type) => {
            let before = Typed::new(column(name), Kind::of(&data_type), new.span);
            barrier::merged(frame, new, before, Existing::Replaced)
        }
        None => new,
    };
    frame.set(vec![(name.to_string(), value.expr)])?;
    Ok(())
}
