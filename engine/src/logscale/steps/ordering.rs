//! Steps that order, cut and lay out the rows: `sort`, `table`, `head`, `tail`, `select`.
//!
//! Where the query sets no limit, the vendor shows 200 rows and drops the others without a word. Here they are kept,
//! and a note says so.

use datafusion::common::ScalarValue;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, lit};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::Rows;
use super::super::{Run, as_number};
use crate::functions::{logscale, ordering};
use crate::plan::PlanResult;
use crate::plan::expression::Kind;
use crate::plan::frame::{Frame, column};
use crate::plan::window;

/// How many rows the vendor keeps where the query does not say.
const VENDOR_ROWS: usize = 200;

/// `select`: these fields of every row.
pub fn select(frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.need_names("fields")?;
    a.done()?;
    keep_columns(frame, &fields)
}

/// `table`: these fields of the rows in an order.
pub fn table(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.need_names("fields")?;
    let by = a.names("sortby")?;
    let by = by.unwrap_or_else(|| vec![Spanned::new("@timestamp".to_owned(), a.span())]);
    order(frame, a, &by)?;
    cut(run, frame, a)?;
    frame.events = false;
    keep_columns(frame, &fields)
}

/// `sort`: the rows in an order.
pub fn sort(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let fields = a.names("field")?;
    let fields = fields.unwrap_or_else(|| vec![Spanned::new("_count".to_owned(), a.span())]);
    order(frame, a, &fields)?;
    cut(run, frame, a)
}

/// `head` and `tail`: the oldest rows, or the newest.
pub fn first_rows(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>, newest: bool) -> PlanResult<()> {
    let time = Rows::of(frame).field("@timestamp", a.span());
    if time.kind != Kind::Null {
        frame.order_by(vec![(as_number(&time), newest)])?;
        // Of events of the same time, or of none, the last that was read is the newest.
        frame.as_read(newest);
    }
    cut(run, frame, a)?;
    if newest && time.kind != Kind::Null {
        // The newest are chosen, and go on from old to new.
        frame.reverse()?;
    }
    Ok(())
}

/// Keeps as many rows as the argument `limit` says.
fn cut(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let limit = a.count("limit")?;
    a.done()?;
    match limit {
        Some(limit) => keep_first(run, frame, limit)?,
        None if run.planner.runner.is_some() => {
            let message = format!("without `limit` every row is kept; the vendor keeps {VENDOR_ROWS}");
            // Once is enough for a query.
            if !run.planner.diagnostics.iter().any(|known| known.message == message) {
                let note = Diagnostic::note(Code::Note, message, a.call.name.span);
                run.planner.diagnostics.push(note.with_help(format!("`limit={VENDOR_ROWS}` gives the vendor's rows")));
            }
        }
        None => {}
    }
    run.aggregated = true;
    Ok(())
}

/// Keeps the first rows in their order, in each group that the run has.
///
/// # Errors
/// DataFusion's own.
pub fn keep_first(run: &Run<'_, '_>, frame: &mut Frame, limit: usize) -> PlanResult<()> {
    if limit == usize::MAX {
        return Ok(());
    }
    if run.keys.is_empty() {
        frame.limit(limit)?;
        return Ok(());
    }
    let keys = run.keys.iter().map(|key| column(key)).collect();
    let number = row_number().partition_by(keys).order_by(frame.sort_expressions()).build()?;
    let number = window::add(frame, number)?;
    frame.filter(number.lt_eq(lit(i64::try_from(limit).unwrap_or(i64::MAX))))?;
    Ok(())
}

/// Keeps these fields in this order; one that no row has is an empty column.
pub fn keep_columns(frame: &mut Frame, fields: &[Spanned<String>]) -> PlanResult<()> {
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for field in fields {
        let value = Rows::of(frame).field(&field.node, field.span);
        let value = match value.kind {
            Kind::Null => lit(ScalarValue::Utf8(None)),
            _ => value.expr,
        };
        if !columns.iter().any(|(known, _)| *known == field.node) {
            columns.push((field.node.clone(), value));
        }
    }
    frame.select(columns)?;
    Ok(())
}

/// Orders the rows as the arguments `order` and `type` say: by numbers, from great to small, where they do not.
fn order(frame: &mut Frame, a: &Arguments<'_>, fields: &[Spanned<String>]) -> PlanResult<()> {
    let orders = a.names("order")?.unwrap_or_default();
    let types = a.names("type")?.unwrap_or_default();
    let reverse = a.flag("reverse", false)?;
    let mut keys = Vec::new();
    for (position, field) in fields.iter().enumerate() {
        let value = Rows::of(frame).field(&field.node, field.span);
        let order = orders.get(position).or(orders.first());
        let descending = match order.map(|order| order.node.to_ascii_lowercase()).as_deref() {
            // `des` stands in dashboards of the vendor.
            None | Some("des" | "desc" | "descending") => true,
            Some("asc" | "ascending") => false,
            Some(other) => {
                let message = format!("`order` is asc or desc, not `{other}`");
                return Err(Diagnostic::error(Code::InvalidOption, message, field.span).into());
            }
        };
        let kind = types.get(position).or(types.first()).map(|kind| kind.node.to_ascii_lowercase());
        let key = match kind.as_deref() {
            _ if value.kind == Kind::Null => continue,
            None | Some("number") => as_number(&value),
            Some("string") => ordering::text_key(value.text()),
            Some("hex") => logscale::hexadecimal(value.text()),
            Some("any") => ordering::auto_key(value.text()),
            Some(other) => {
                let message = format!("`type` is number, string, hex or any, not `{other}`");
                return Err(Diagnostic::error(Code::InvalidOption, message, field.span).into());
            }
        };
        keys.push((key, descending != reverse));
    }
    frame.order_by(keys)?;
    Ok(())
}
