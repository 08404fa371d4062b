//! `convert`: turns values into numbers, and times into text.
//!
//! Source: Splunk Search Reference, "convert".

use jiff::fmt::temporal::DateTimePrinter;
use spelunk_grammar::spl::commands::convert::{Conversion, Convert, ConvertFunction};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, matching};
use super::rename::transfer;
use super::{PlanResult, Planner};
use crate::functions::convert;

/// Plans the command: one conversion after the other.
pub fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Convert) -> PlanResult<()> {
    let Convert { timeformat, conversions } = command;
    if let Some(format) = timeformat {
        convert::check_format(&format.node).map_err(|reason| {
            Diagnostic::error(Code::InvalidPattern, format!("invalid time format: {reason}"), format.span)
        })?;
    }
    let format = timeformat.as_ref().map_or(convert::DEFAULT_FORMAT, |format| &format.node);
    let known = frame.fields();
    let excluded: Vec<&String> = conversions
        .iter()
        .filter(|conversion| conversion.function == ConvertFunction::None)
        .flat_map(|conversion| matching(&conversion.field.text, &known))
        .collect();
    for conversion in conversions.iter().filter(|conversion| conversion.function != ConvertFunction::None) {
        let zone = match conversion.function {
            ConvertFunction::Ctime | ConvertFunction::Mktime => zone(planner, conversion)?,
            _ => String::new(),
        };
        let now = planner.clock.now;
        for (source, target) in targets(frame, conversion, &excluded)? {
            let value = ExpressionPlanner::new(frame).field(&source, conversion.field.span);
            let converted = match conversion.function {
                // Text that looks like a number is one already, and auto() leaves other text as it is.
                ConvertFunction::Auto | ConvertFunction::None => value.stored()?,
                _ if value.kind == Kind::Null => value.stored()?,
                function => convert::convert(value.text(), function.name(), format, &zone, now),
            };
            frame.set(vec![(target, converted)])?;
        }
    }
    Ok(())
}

/// The fields that a conversion reads, and where it writes what becomes of each.
fn targets(frame: &Frame, conversion: &Conversion, excluded: &[&String]) -> PlanResult<Vec<(String, String)>> {
    let Conversion { function, field, alias, span } = conversion;
    let pattern = field.text.contains('*');
    let known = frame.fields();
    let mut found = matching(&field.text, &known);
    if pattern {
        found.retain(|name| !excluded.contains(name));
    } else if found.is_empty() && !frame.open {
        frame.note_missing(&field.text, field.span);
    }
    let mut targets = Vec::new();
    for name in found {
        let target = match alias {
            Some(alias) if alias.text.matches('*').count() != field.text.matches('*').count() => {
                return Err(Diagnostic::error(
                    Code::InvalidArgument,
                    "both names need the same number of wildcards",
                    *span,
                )
                .into());
            }
            Some(alias) => transfer(&field.text, &alias.text, name).unwrap_or_else(|| alias.text.clone()),
            None if *function == ConvertFunction::Auto => continue,
            None => name.clone(),
        };
        targets.push((name.clone(), target));
    }
    Ok(targets)
}

/// The session's zone as text, because parameters travel as literals.
fn zone(planner: &Planner<'_>, conversion: &Conversion) -> PlanResult<String> {
    DateTimePrinter::new().time_zone_to_string(&planner.clock.time_zone).map_err(|_| {
        Diagnostic::error(Code::InvalidTime, "the time zone of this computer has no name", conversion.span)
            .with_help("name the time zone to use, such as Europe/Berlin")
            .into()
    })
}
