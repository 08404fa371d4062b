//! `replace`: replaces whole values.
//!
//! Source: Splunk Search Reference, "replace".

use spelunk_grammar::spl::commands::replace::{Replace, Replacement};
use spelunk_grammar::{Code, Diagnostic};

use super::PlanResult;
use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, matching};
use crate::functions::comparison::invalid_pattern;
use crate::functions::replacing::{self, Replacements};
use crate::values;

/// Plans the command. Without a list it looks at all fields but the internal ones.
pub fn plan(frame: &mut Frame, command: &Replace) -> PlanResult<()> {
    let Replace { pairs, fields } = command;
    for Replacement { value, replacement } in pairs {
        let stars = |text: &str| text.matches('*').count();
        if !matches!(stars(&replacement.node), 0) && stars(&replacement.node) != stars(&value.node) {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                "the replacement needs as many wildcards as the value, or none",
                replacement.span,
            )
            .into());
        }
        Replacements::new(std::iter::once((value.node.as_str(), replacement.node.as_str())))
            .map_err(|reason| invalid_pattern(&reason, value.span))?;
    }
    let known = frame.fields();
    let mut names: Vec<&String> = Vec::new();
    for field in fields {
        let found = matching(&field.text, &known);
        if found.is_empty() && !field.text.contains('*') && !frame.open {
            frame.note_missing(&field.text, field.span);
        }
        names.extend(found);
    }
    if fields.is_empty() {
        names.extend(known.iter().filter(|name| !name.starts_with('_')));
    }
    let any_number =
        pairs.iter().any(|pair| pair.value.node.contains('*') || values::parse_number(&pair.value.node).is_some());
    let mut assignments = Vec::new();
    for name in names {
        let typed = ExpressionPlanner::new(frame).field(name, Default::default());
        // A column of numbers that cannot change stays one.
        if matches!(typed.kind, Kind::Integer | Kind::Number | Kind::Time) && !any_number {
            continue;
        }
        let pairs = pairs.iter().map(|pair| (pair.value.node.as_str(), pair.replacement.node.as_str()));
        assignments.push((name.clone(), replacing::replace_values(typed.text(), pairs)));
    }
    frame.set(assignments)?;
    Ok(())
}
