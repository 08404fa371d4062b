//! `fields`: keeps or removes fields.

use spelunk_grammar::spl::commands::fields::Fields;

use super::PlanResult;
use super::frame::{Frame, column, matching};

/// Plans the command. `_time` and `_raw` stay unless they are removed by name.
pub fn plan(frame: &mut Frame, command: &Fields) -> PlanResult<()> {
    let fields = frame.fields();
    let mut named: Vec<&String> = Vec::new();
    for pattern in &command.fields {
        let found = matching(&pattern.text, &fields);
        if found.is_empty() && !command.remove && !pattern.text.contains('*') {
            frame.note_missing(&pattern.text, pattern.span);
        }
        for name in found {
            if !named.contains(&name) {
                named.push(name);
            }
        }
    }
    let kept: Vec<&String> = if command.remove {
        fields.iter().filter(|name| !named.contains(name)).collect()
    } else {
        let internal = fields.iter().filter(|name| matches!(name.as_str(), "_time" | "_raw") && !named.contains(name));
        named.iter().copied().chain(internal).collect()
    };
    let columns = kept.into_iter().map(|name| (name.clone(), column(name))).collect();
    frame.select(columns)?;
    Ok(())
}
