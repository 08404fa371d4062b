//! `table`: these columns, in this order.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::table::Table;

use super::PlanResult;
use super::frame::{Frame, column, matching};

/// Plans the command. A field that no row has becomes an empty column.
pub fn plan(frame: &mut Frame, command: &Table) -> PlanResult<()> {
    let fields = frame.fields();
    let mut columns = Vec::new();
    for pattern in &command.fields {
        let found = matching(&pattern.text, &fields);
        for name in &found {
            if !columns.iter().any(|(known, _)| known == *name) {
                columns.push(((*name).clone(), column(name)));
            }
        }
        if found.is_empty() && !pattern.text.contains('*') && !columns.iter().any(|(known, _)| *known == pattern.text) {
            frame.note_missing(&pattern.text, pattern.span);
            columns.push((pattern.text.clone(), lit(ScalarValue::Utf8(None))));
        }
    }
    frame.select(columns)?;
    frame.events = false;
    Ok(())
}
