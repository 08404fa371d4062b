//! The aggregates of one field, or of a few.

use arrow::datatypes::DataType;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::functions_aggregate::min_max::{max, min};
use datafusion::functions_aggregate::regr::{regr_count, regr_intercept, regr_r2, regr_slope};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{ExprFunctionExt, cast, lit, when};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::as_number;
use super::super::rows::{Rows, settled, stored};
use super::{Computed, counted, through};
use crate::functions::{aggregates, rows as row_functions};
use crate::plan::PlanResult;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::column;

/// How many values `collect` keeps where the query does not say.
const COLLECTED: usize = 2_000;

/// An aggregate of one field's numbers, which SPL has too.
fn of_number(
    rows: &Rows<'_>,
    a: &Arguments<'_>,
    position: usize,
    function: &str,
    default: &str,
) -> PlanResult<Computed> {
    let value = number(rows, a)?;
    let name = a.output(default)?;
    through(rows.frame, function, Some(value), &name, a.span(), position)
}

fn number(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let field = a.need_field()?;
    Ok(Typed::new(as_number(&rows.field(&field.node, field.span)), Kind::Number, field.span))
}

/// `avg`
pub fn average(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "avg", "_avg")
}

/// `stdDev`
pub fn deviation(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "stdev", "_stddev")
}

/// `max`
pub fn greatest(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "max", "_max")
}

/// `min`
pub fn least(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "min", "_min")
}

/// `range`
pub fn range(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "range", "_range")
}

/// `sum`
pub fn sum(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    of_number(rows, a, position, "sum", "_sum")
}

/// `count`
pub fn count(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let field = a.field()?;
    let distinct = a.flag("distinct", false)?;
    let value = field.map(|field| settled(&rows.field(&field.node, field.span)));
    let name = a.output("_count")?;
    match distinct {
        true => through(rows.frame, "dc", value, &name, a.span(), position),
        false => counted(rows.frame, value, &name, a.span(), position),
    }
}

/// `percentile`
pub fn percentile(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let span = a.span();
    let value = number(rows, a)?;
    let given = a.names("percentiles")?;
    let given = given.unwrap_or_else(|| ["50", "75", "99"].map(|n| Spanned::new(n.to_owned(), span)).to_vec());
    let prefix = a.output("")?;
    // What is computed is exact, and so within any accuracy.
    if let Some(accuracy) = a.text("accuracy")?
        && !accuracy.node.parse::<f64>().is_ok_and(|accuracy| accuracy > 0.0 && accuracy < 1.0)
    {
        return Err(expected("an accuracy between 0 and 1, such as 0.01", accuracy.span).into());
    }
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (index, percent) in given.iter().enumerate() {
        if percent.node.parse::<f64>().is_err() {
            return Err(expected("a number between 0 and 100", percent.span).into());
        }
        let name = format!("{prefix}_{}", percent.node);
        let place = position.saturating_mul(1_000).saturating_add(index).saturating_add(1_000);
        let function = format!("perc{}", percent.node);
        let made = through(rows.frame, &function, Some(value.clone()), &name, span, place)?;
        all.aggregates.extend(made.aggregates);
        all.results.extend(made.results);
    }
    Ok(all)
}

/// `collect`
pub fn collect(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let fields = a.need_names("fields")?;
    let separator = a.text("separator")?.map_or_else(|| "\n".to_owned(), |text| text.node);
    let limit = u64::try_from(a.count("limit")?.unwrap_or(COLLECTED)).unwrap_or(u64::MAX);
    if !a.flag("multival", true)? {
        return newest(rows, a, &fields, position);
    }
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (index, field) in fields.iter().enumerate() {
        let hidden = format!("__collected_{position}_{index}");
        let value = settled(&rows.field(&field.node, field.span));
        all.aggregates.push(aggregates::values(value.text()).alias(&hidden));
        let values = row_functions::first_values(column(&hidden), limit);
        all.results.push((field.node.clone(), row_functions::single(values, &separator)));
    }
    Ok(all)
}

/// `selectLast`: of each field the value of the newest row that has one.
pub fn select_last(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let fields = a.need_names("fields")?;
    newest(rows, a, &fields, position)
}

/// Of each field the value of the newest row that has one.
fn newest(rows: &Rows<'_>, a: &Arguments<'_>, fields: &[Spanned<String>], position: usize) -> PlanResult<Computed> {
    let time = as_number(&rows.field("@timestamp", a.span()));
    let others = rows.frame.as_read_expressions(true);
    first_by(rows, &Sort::new(time, false, false), others, fields, true, position)
}

/// `selectFromMax` and `selectFromMin`: fields of the row with the greatest or the least number.
fn select_from(rows: &Rows<'_>, a: &Arguments<'_>, position: usize, greatest: bool) -> PlanResult<Computed> {
    let field = a.need_field()?;
    let include = a.need_names("include")?;
    let key = as_number(&rows.field(&field.node, field.span));
    first_by(rows, &Sort::new(key, !greatest, false), rows.frame.sort_expressions(), &include, false, position)
}

/// `selectFromMax`
pub fn select_from_max(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    select_from(rows, a, position, true)
}

/// `selectFromMin`
pub fn select_from_min(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    select_from(rows, a, position, false)
}

/// The values of the row that comes first, among those that have each field or among those that have a key.
fn first_by(
    rows: &Rows<'_>,
    key: &Sort,
    others: Vec<Sort>,
    fields: &[Spanned<String>],
    each: bool,
    position: usize,
) -> PlanResult<Computed> {
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (index, field) in fields.iter().enumerate() {
        let hidden = format!("__selected_{position}_{index}");
        let value = stored(&rows.field(&field.node, field.span));
        let mut order = vec![key.clone()];
        // No key twice: DataFusion drops the second where rows are grouped, and then misses it.
        order.extend(others.iter().filter(|other| other.expr != key.expr).cloned());
        let kept = if each { value.clone().is_not_null() } else { key.expr.clone().is_not_null() };
        let first = first_value_udaf().call(vec![value]).order_by(order).filter(kept);
        all.aggregates.push(first.build()?.alias(&hidden));
        if !all.results.iter().any(|(name, _)| *name == field.node) {
            all.results.push((field.node.clone(), column(&hidden)));
        }
    }
    Ok(all)
}

/// `counterAsRate`: by how much a counter grew in a second; nothing where it began anew, or was read only once.
pub fn counter_as_rate(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let value = number(rows, a)?;
    let name = a.output("_rate")?;
    let time = as_number(&rows.field("@timestamp", a.span()));
    let hidden = |what: &str| format!("__rate_{position}_{what}");
    let present = value.expr.clone().is_not_null();
    let at = |ascending: bool| {
        let order = vec![Sort::new(time.clone(), ascending, false)];
        first_value_udaf().call(vec![value.expr.clone()]).order_by(order).filter(present.clone()).build()
    };
    let times = when(present.clone(), time.clone()).end()?;
    let aggregates = vec![
        at(true)?.alias(hidden("first")),
        at(false)?.alias(hidden("last")),
        min(times.clone()).alias(hidden("start")),
        max(times).alias(hidden("end")),
    ];
    let [first, last, start, end] = ["first", "last", "start", "end"].map(|what| column(&hidden(what)));
    let grew = last.clone().gt_eq(first.clone()).and(end.clone().gt(start.clone()));
    let rate = when(grew, (last - first) * lit(1_000.0_f64) / (end - start)).end()?;
    Ok(Computed { aggregates, results: vec![(name, rate)], drops: true })
}

/// `linReg`: the straight line that fits two fields best, by least squares. Of values through which there is no line
/// nothing is known. `_r2` is the adjusted one, which takes the number of values into account.
pub fn linear_regression(rows: &Rows<'_>, a: &Arguments<'_>, position: usize) -> PlanResult<Computed> {
    let (x, y) = (a.need_text("x")?, a.need_text("y")?);
    let prefix = a.text("prefix")?.map_or_else(String::new, |prefix| prefix.node);
    let number = |field: &Spanned<String>| as_number(&rows.field(&field.node, field.span));
    let (x, y) = (number(&x), number(&y));
    let made = [
        ("_slope", regr_slope(y.clone(), x.clone())),
        ("_intercept", regr_intercept(y.clone(), x.clone())),
        ("_r2", regr_r2(y.clone(), x.clone())),
        // DataFusion counts without a sign, which no value of a field has.
        ("_n", regr_count(y, x)),
    ];
    let hidden = |name: &str| column(&format!("__line_{position}{name}"));
    let count = cast(hidden("_n"), DataType::Int64);
    let number = cast(count.clone(), DataType::Float64);
    let loss = (lit(1.0_f64) - hidden("_r2")) * (number.clone() - lit(1.0_f64)) / (number.clone() - lit(2.0_f64));
    let mut all = Computed { aggregates: Vec::new(), results: Vec::new(), drops: true };
    for (name, aggregate) in made {
        all.aggregates.push(aggregate.alias(format!("__line_{position}{name}")));
        let value = match name {
            "_n" => when(hidden("_slope").is_not_null(), count.clone()).end()?,
            "_r2" => when(number.clone().gt(lit(2.0_f64)), lit(1.0_f64) - loss.clone()).end()?,
            _ => hidden(name),
        };
        all.results.push((format!("{prefix}{name}"), value));
    }
    Ok(all)
}
