//! `convert`: turns values into numbers, and times into text.
//!
//! Source: Splunk Search Reference, "convert".

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};
use jiff::fmt::temporal::DateTimePrinter;
use spelunk_grammar::spl::commands::convert::{Conversion, Convert, ConvertFunction};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, matching};
use super::rename::Transfer;
use super::{PlanResult, Planner};
use crate::functions::convert;
use crate::values::Value;

/// Plans the command: one conversion after the other.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Convert) -> PlanResult<()> {
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
                ConvertFunction::None => value.stored()?,
                _ if value.kind == Kind::Null => value.stored()?,
                // Numbers are what they are, and what cannot be converted throughout stays as a whole.
                ConvertFunction::Auto if !is_convertible(planner, frame, &value).await? => value.stored()?,
                function => convert::convert(value.text(), function.name(), format, &zone, now),
            };
            frame.set(vec![(target, converted)])?;
        }
    }
    Ok(())
}

/// Whether every value of a field of texts is a number, or means one. Texts that are numbers already need no change,
/// so that one other is looked for as well.
async fn is_convertible(planner: &Planner<'_>, frame: &Frame, value: &Typed) -> PlanResult<bool> {
    let (Kind::Text, Some(runner)) = (value.kind, planner.runner) else { return Ok(false) };
    let converted = convert::convert(value.text(), "auto", convert::DEFAULT_FORMAT, "", planner.clock.now);
    let other = value.expr.clone().is_not_null().and(value.number().is_null());
    let counted = [other.clone(), other.and(converted.is_null())].into_iter().enumerate();
    let counts = counted
        .map(|(position, odd)| Ok(count(when(odd, lit(true)).end()?).alias(format!("count_{position}"))))
        .collect::<PlanResult<Vec<Expr>>>()?;
    let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(Vec::<Expr>::new(), counts)?.build()?;
    let (_, batches) = runner.collect(plan).await?;
    let number = |column: usize| {
        let batch = batches.iter().find(|batch| batch.num_rows() > 0)?;
        Value::read(batch.columns().get(column)?.as_ref(), 0).number()
    };
    Ok(number(0) > Some(0.0) && number(1) == Some(0.0))
}

/// The fields that a conversion reads, and where it writes what becomes of each.
fn targets(frame: &Frame, conversion: &Conversion, excluded: &[&String]) -> PlanResult<Vec<(String, String)>> {
    let Conversion { function: _, field, alias, span } = conversion;
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
            Some(alias) => Transfer::new(&field.text, &alias.text).of(name).unwrap_or_else(|| alias.text.clone()),
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
