//! The aggregates of one field, or of a few.

use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::ExprFunctionExt;
use datafusion::logical_expr::expr::Sort;
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::rows::{Rows, settled, stored};
use super::super::{as_number, unsupported};
use super::{Computed, counted, through};
use crate::functions::{aggregates, rows as row_functions};
use crate::plan::PlanResult;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::{Frame, column};

/// How many values `collect` keeps where the query does not say.
const COLLECTED: usize = 2_000;

/// An aggregate of one field's numbers, which SPL has too.
fn of_number(frame: &Frame, a: &Arguments<'_>, position: usize, function: &str, default: &str) -> PlanResult<Computed> {
    let value = number(frame, a)?;
    let name = a.output(default)?;
    through(frame, function, Some(value), &name, a.span(), position)
}

fn number(frame: &Frame, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(Typed::new(as_number(&Rows::of(frame).field(&field.node, field.span)), Kind::Number, field.span))
}

/// `avg`
pub fn average(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "avg", "_avg")
}

/// `stdDev`
pub fn deviation(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "stdev", "_stddev")
}

/// `max`
pub fn greatest(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "max", "_max")
}

/// `min`
pub fn least(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "min", "_min")
}

/// `range`
pub fn range(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "range", "_range")
}

/// `sum`
pub fn sum(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(frame, a, position, "sum", "_sum")
}

/// `count`
pub fn count(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let field = a.field()?;
    let distinct = a.flag("distinct", false)?;
    let value = field.map(|field| settled(&Rows::of(frame).field(&field.node, field.span)));
    let name = a.output("_count")?;
    match distinct {
        true => through(frame, "dc", value, &name, a.span(), position),
        false => counted(frame, value, &name, a.span(), position),
    }
}

/// `percentile`
pub fn percentile(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let span = a.span();
    let value = number(frame, a)?;
    let given = a.names("percentiles")?;
    let given = given.unwrap_or_else(|| ["50", "75", "99"].map(|n| Spanned::new(n.to_owned(), span)).to_vec());
    let prefix = a.output("")?;
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (index, percent) in given.iter().enumerate() {
        if percent.node.parse::<f64>().is_err() {
            return Err(expected("a number between 0 and 100", percent.span).into());
        }
        let name = format!("{prefix}_{}", percent.node);
        let place = position.saturating_mul(1_000).saturating_add(index).saturating_add(1_000);
        let function = format!("perc{}", percent.node);
        let made = through(frame, &function, Some(value.clone()), &name, span, place)?;
        all.aggregates.extend(made.aggregates);
        all.results.extend(made.results);
    }
    Ok(all)
}

/// `collect`
pub fn collect(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let fields = a.need_names("fields")?;
    let separator = a.text("separator")?.map_or_else(|| "\n".to_owned(), |text| text.node);
    let limit = u64::try_from(a.count("limit")?.unwrap_or(COLLECTED)).unwrap_or(u64::MAX);
    let multival = a.flag("multival", true)?;
    if !multival {
        return Err(unsupported("`multival=false`", a.span()).into());
    }
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (index, field) in fields.iter().enumerate() {
        let hidden = format!("__collected_{position}_{index}");
        let value = settled(&Rows::of(frame).field(&field.node, field.span));
        all.aggregates.push(aggregates::values(value.text()).alias(&hidden));
        all.results.push((
            field.node.clone(),
            row_functions::single(row_functions::first_values(column(&hidden), limit), &separator),
        ));
    }
    Ok(all)
}

/// `selectLast`: of each field the value of the newest row that has one.
pub fn select_last(frame: &Frame, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let rows = Rows::of(frame);
    let fields = a.need_names("fields")?;
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    let time = rows.field("@timestamp", a.span());
    for (index, field) in fields.iter().enumerate() {
        let hidden = format!("__selected_{position}_{index}");
        let value = stored(&rows.field(&field.node, field.span));
        let mut order = vec![Sort::new(as_number(&time), false, false)];
        order.extend(frame.sort_expressions());
        let last = first_value_udaf().call(vec![value.clone()]).order_by(order).filter(value.is_not_null());
        all.aggregates.push(last.build()?.alias(&hidden));
        all.results.push((field.node.clone(), column(&hidden)));
    }
    Ok(all)
}
