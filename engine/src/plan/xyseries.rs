//! `xyseries`: a column for each value of a field.
//!
//! Source: Splunk Search Reference, "xyseries". It leaves open which of several rows for one cell counts: the last
//! one that has the field. What is kept in memory is the table that comes out; the rows before it are aggregated.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::RecordBatch;
use datafusion::functions_aggregate::first_last::last_value_udaf;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder};
use spelunk_grammar::spl::commands::xyseries::Xyseries;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::{Frame, column};
use super::grid::{Grid, owned};
use super::{PlanResult, Planner, existing};
use crate::plan::expression::{Kind, Typed};
use crate::values::{self, Value};

/// How many cells the table may have.
const MOST_CELLS: usize = 20_000_000;

/// The columns of the rows that the table is made of.
const X: &str = "x";
const Y: &str = "y";

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Xyseries, span: Span) -> PlanResult<()> {
    let Xyseries { grouped, x, y, data, sep, format } = command;
    let mut narrow = frame.clone();
    let mut columns = vec![(X.to_string(), value(frame, x)), (Y.to_string(), value(frame, y))];
    columns.extend(data.iter().enumerate().map(|(position, name)| (position.to_string(), value(frame, name))));
    let Some(runner) = planner.runner else {
        frame.open = true;
        return Ok(());
    };
    narrow.select(columns)?;
    narrow.events = false;
    narrow.filter(column(X).is_not_null().and(column(Y).is_not_null()))?;
    let plan = match grouped.unwrap_or(false) {
        true => narrow.finish()?,
        false => latest(&narrow, data.len())?,
    };
    let (_, batches) = runner.collect(plan).await?;
    let mut table = Table::default();
    for batch in &batches {
        table.read(batch, data.len(), grouped.unwrap_or(false));
    }
    if !grouped.unwrap_or(false) {
        table.rows.sort_by_cached_key(|row| values::sort_key(&row.key));
    }
    let naming = Naming { data, sep: sep.as_deref().unwrap_or(": "), format: format.as_deref() };
    table.into_grid(x, y, &naming, span)?.replace(frame, span)
}

fn value(frame: &Frame, name: &Name) -> Expr {
    existing(frame, &name.text, name.span).unwrap_or_else(|| Typed::null(name.span).expr)
}

/// One row for each cell: the last values in the order of the rows.
fn latest(narrow: &Frame, data: usize) -> PlanResult<datafusion::logical_expr::LogicalPlan> {
    let kind = narrow.data_type(Y).map_or(Kind::Null, |data_type| Kind::of(&data_type));
    let y = Typed::new(column(Y), kind, Span::default());
    let mut lasts = Vec::new();
    for position in 0..data {
        let name = position.to_string();
        let value = column(&name);
        let present = value.clone().is_not_null();
        let last = last_value_udaf().call(vec![value]).order_by(narrow.sort_expressions()).filter(present).build()?;
        lasts.push(last.alias(&name));
    }
    let groups = vec![column(X), y.text().alias(Y)];
    Ok(LogicalPlanBuilder::new(narrow.plan().clone()).aggregate(groups, lasts)?.build()?)
}

/// How the columns are named.
struct Naming<'c> {
    data: &'c [Name],
    sep: &'c str,
    format: Option<&'c str>,
}

impl Naming<'_> {
    fn name(&self, data: &Name, y: &str) -> String {
        match self.format {
            _ if self.data.len() == 1 => y.to_string(),
            None => format!("{}{}{y}", data.text, self.sep),
            Some(format) => replaced(format, &data.text, y),
        }
    }
}

/// The format with its variables replaced, each once: a value may look like a variable.
fn replaced(format: &str, data: &str, y: &str) -> String {
    let variables = [("$AGG$", data), ("$VALUE$", y), ("$VAL$", y)];
    let mut out = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let found = variables.iter().find_map(|(variable, text)| Some((text, rest.strip_prefix(variable)?)));
        rest = match found {
            Some((text, after)) => {
                out.push_str(text);
                after
            }
            None => {
                out.push(c);
                rest.get(c.len_utf8()..).unwrap_or_default()
            }
        };
    }
    out
}

/// The rows of the table, and the values that make its columns.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    positions: HashMap<String, usize>,
    columns: BTreeSet<String>,
}

struct Row {
    key: String,
    x: Value<'static>,
    cells: HashMap<(usize, String), Value<'static>>,
}

impl Table {
    fn read(&mut self, batch: &RecordBatch, data: usize, grouped: bool) {
        let (Some(xs), Some(ys)) = (batch.column_by_name(X), batch.column_by_name(Y)) else { return };
        for position in 0..batch.num_rows() {
            let x = owned(Value::read(xs.as_ref(), position));
            let key = x.texts().join("\n");
            let known = match grouped {
                true => {
                    self.rows.len().checked_sub(1).filter(|last| self.rows.get(*last).is_some_and(|r| r.key == key))
                }
                false => self.positions.get(&key).copied(),
            };
            let row = known.unwrap_or_else(|| {
                self.positions.insert(key.clone(), self.rows.len());
                self.rows.push(Row { key, x, cells: HashMap::new() });
                self.rows.len().saturating_sub(1)
            });
            let Some(row) = self.rows.get_mut(row) else { continue };
            for y in Value::read(ys.as_ref(), position).texts() {
                if !self.columns.contains(y.as_ref()) {
                    self.columns.insert(y.clone().into_owned());
                }
                for number in 0..data {
                    let Some(values) = batch.column_by_name(&number.to_string()) else { continue };
                    let value = Value::read(values.as_ref(), position);
                    if value != Value::Null {
                        row.cells.insert((number, y.clone().into_owned()), owned(value));
                    }
                }
            }
        }
    }

    fn into_grid(self, x: &Name, y: &Name, naming: &Naming<'_>, span: Span) -> PlanResult<Grid> {
        let mut columns: BTreeMap<String, (usize, &String)> = BTreeMap::new();
        for (number, data) in naming.data.iter().enumerate() {
            for value in &self.columns {
                let name = naming.name(data, value);
                let taken = name == x.text;
                if taken || columns.insert(name.clone(), (number, value)).is_some() {
                    let message = format!("two columns of the result would be named {name:?}");
                    let help = match taken {
                        true => format!("`{}` is a value of {} too: rename the field first", x.text, y.text),
                        false => "let `format` hold both $AGG$ and $VAL$".to_string(),
                    };
                    return Err(Diagnostic::error(Code::InvalidArgument, message, y.span).with_help(help).into());
                }
            }
        }
        if columns.len().saturating_mul(self.rows.len()) > MOST_CELLS {
            let message = format!(
                "the table would have {} rows and {} columns; the most is {MOST_CELLS} cells",
                self.rows.len(),
                columns.len()
            );
            return Err(Diagnostic::error(Code::TooLarge, message, span).into());
        }
        let mut grid = Grid::new(std::iter::once(&x.text).chain(columns.keys()).map(String::as_str));
        for Row { key: _, x, mut cells } in self.rows {
            let mut row = Vec::with_capacity(columns.len().saturating_add(1));
            row.push(x);
            for (number, value) in columns.values() {
                row.push(cells.remove(&(*number, (*value).clone())).unwrap_or(Value::Null));
            }
            grid.rows.push(row);
        }
        Ok(grid)
    }
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn variables_are_replaced_once() {
        assert_eq!(replaced("$VAL$_$AGG$ in $VALUE$", "n", "$AGG$"), "$AGG$_n in $AGG$");
        assert_eq!(replaced("é$x", "n", "v"), "é$x");
    }
}
