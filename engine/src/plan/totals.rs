//! `addtotals` and `addcoltotals`: sums of rows and columns.
//!
//! Source: Splunk Search Reference, "addtotals", "addcoltotals".

use datafusion::common::ScalarValue;
use datafusion::functions_aggregate::expr_fn::sum;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use spelunk_grammar::spl::commands::addcoltotals::Addcoltotals;
use spelunk_grammar::spl::commands::addtotals::Addtotals;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed, as_kind};
use super::frame::{Frame, column, matching};
use super::{PlanResult, Planner, barrier};
use crate::functions::mathematical;

/// The name of the field with the sums, and the label of the row with the sums, where the search names none.
const TOTAL: &str = "Total";

/// Plans `addtotals`.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Addtotals) -> PlanResult<()> {
    let Addtotals { row, col, fieldname, labelfield, label, fields } = command;
    let mut summed = named(frame, fields);
    if row.unwrap_or(true) {
        let name = fieldname.as_ref().map_or(TOTAL, |name| &name.text).to_string();
        let values: Vec<Expr> = summed.iter().map(|name| column(name)).collect();
        let total = match values.is_empty() {
            true => lit(ScalarValue::Float64(None)),
            false => mathematical::total(values),
        };
        frame.set(vec![(name.clone(), total)])?;
        if !summed.contains(&name) {
            summed.push(name);
        }
    }
    if col.unwrap_or(false) {
        append_sums(planner, frame, &summed, labelfield.as_ref(), label.as_deref()).await?;
    }
    Ok(())
}

/// Plans `addcoltotals`.
pub async fn plan_columns(planner: &mut Planner<'_>, frame: &mut Frame, command: &Addcoltotals) -> PlanResult<()> {
    let Addcoltotals { labelfield, label, fieldname, fields } = command;
    if let Some(field) = fieldname {
        let message = "`fieldname` names the sums of rows, which `addcoltotals` does not make";
        let warning = Diagnostic::warning(Code::Note, message, field.span);
        planner.diagnostics.push(warning.with_help("`addtotals col=t` makes the sums of rows and columns"));
    }
    let summed = named(frame, fields);
    append_sums(planner, frame, &summed, labelfield.as_ref(), label.as_deref()).await
}

/// The fields that the patterns name; without patterns all but the internal ones.
pub(super) fn named(frame: &Frame, patterns: &[Name]) -> Vec<String> {
    let fields = frame.fields();
    if patterns.is_empty() {
        return fields.into_iter().filter(|name| !name.starts_with('_')).collect();
    }
    let mut found: Vec<String> = Vec::new();
    for pattern in patterns {
        let names = matching(&pattern.text, &fields);
        if names.is_empty() && !pattern.text.contains('*') {
            frame.note_missing(&pattern.text, pattern.span);
        }
        for name in names {
            if !found.contains(name) {
                found.push(name.clone());
            }
        }
    }
    found
}

/// Appends a row with the sums of the fields.
async fn append_sums(
    planner: &Planner<'_>,
    frame: &mut Frame,
    summed: &[String],
    labelfield: Option<&Name>,
    label: Option<&str>,
) -> PlanResult<()> {
    if let Some(field) = labelfield {
        // Whatever the field held, it holds text now.
        let before = match frame.data_type(&field.text) {
            Some(_) => ExpressionPlanner::new(frame).field(&field.text, field.span),
            None => Typed::null(field.span),
        };
        frame.set(vec![(field.text.clone(), as_kind(&before, Kind::Text))])?;
    }
    // The rows are looked at twice, and have to be the same both times.
    barrier::materialise(planner, frame).await?;
    let label = labelfield.map(|field| (field.text.as_str(), label.unwrap_or(TOTAL)));
    frame.append(|plan| {
        let (mut sums, mut row) = (Vec::new(), Vec::new());
        for field in plan.schema().fields() {
            let (name, data_type) = (field.name(), field.data_type());
            let typed = Typed::new(column(name), Kind::of(data_type), Default::default());
            let value: Expr = match label {
                Some((labelled, text)) if labelled == name => lit(text),
                _ if summed.contains(name) && typed.kind != Kind::Time => {
                    let hidden = format!("__sum_{}", sums.len());
                    let number = match typed.kind {
                        Kind::Many => mathematical::sum_of_many(typed.expr.clone()),
                        _ => typed.number(),
                    };
                    sums.push(sum(number).alias(&hidden));
                    let total = Typed::new(column(&hidden), Kind::Number, Default::default());
                    match typed.kind {
                        Kind::Integer | Kind::Number | Kind::Many | Kind::Text => as_kind(&total, typed.kind),
                        _ => lit(ScalarValue::Null),
                    }
                }
                _ => lit(ScalarValue::Null),
            };
            row.push(cast(value, data_type.clone()).alias(name));
        }
        // A row comes of it even where there is nothing to sum.
        sums.push(datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias("__rows"));
        LogicalPlanBuilder::new(plan.clone()).aggregate(Vec::<Expr>::new(), sums)?.project(row)?.build()
    })?;
    Ok(())
}
