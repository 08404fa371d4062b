//! The tables of `chart` and `timechart`: rows by one key, columns by another.
//!
//! The aggregation by row and series is a DataFusion plan; its result is laid out in memory.

use std::collections::{BTreeMap, HashSet};

use arrow::array::RecordBatch;
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};
use spelunk_grammar::spl::commands::bins::BinOptions;
use spelunk_grammar::spl::commands::series::{SeriesOptions, Split};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::bins::{Bins, MOST_BINS, Range, too_many};
use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, is_hidden};
use super::grid::{Grid, MOST_COLUMNS, owned};
use super::terms::{Rows, Terms};
use super::{PlanResult, Planner, barrier, existing, select};
use crate::functions::{multivalue, series};
use crate::time;
use crate::values::{self, Value};

/// How many cells a table may have; all of it is in memory.
const MOST_CELLS: usize = 20_000_000;

/// A chart that is ready to be computed.
pub struct Pivot<'q> {
    /// What tells the rows apart; `None` for a single row.
    pub row: Option<Key>,
    /// What tells the series apart.
    pub column: Option<Key>,
    /// The columns, each once for every series.
    pub terms: Terms,
    /// Which series there are.
    pub series: &'q SeriesOptions,
    /// Whether a series whose name starts with `_` gets another.
    pub renames_internal: bool,
    /// What rows of time have to reach over.
    pub range: Option<Range>,
    /// Where the chart is written.
    pub place: Span,
}

/// A field that rows or series are told apart by.
pub struct Key {
    /// The name of the field.
    pub name: String,
    /// The hidden column that holds its values, or their bins.
    pub column: String,
    /// The bins.
    pub bins: Option<Bins>,
}

impl Key {
    /// Puts the values of a field into a hidden column: binned, one row for each of several values.
    ///
    /// # Errors
    /// DataFusion's own.
    pub fn add(frame: &mut Frame, split: &Split, value: Typed, bins: Option<Bins>, distinct: bool) -> PlanResult<Key> {
        let value = bins.as_ref().map_or(value.clone(), |bins| bins.apply(&value));
        let hidden = frame.hidden_name();
        frame.set(vec![(hidden.clone(), value.expr)])?;
        if value.kind == Kind::Many {
            if distinct {
                frame.set(vec![(hidden.clone(), multivalue::distinct(column(&hidden)))])?;
            }
            let plan = LogicalPlanBuilder::new(frame.plan().clone())
                .unnest_column(Column::new_unqualified(&hidden))?
                .build()?;
            frame.extend(plan);
        }
        Ok(Key { name: split.field.text.clone(), column: hidden, bins })
    }

    /// Turns the column into plain text, which is what groups are made of fastest.
    fn plain(&self, frame: &mut Frame) -> PlanResult<()> {
        let kind = kind_of(frame, &self.column);
        if !kind.is_number() {
            let text = cast(column(&self.column), arrow::datatypes::DataType::Utf8View);
            frame.set(vec![(self.column.clone(), text)])?;
        }
        Ok(())
    }
}

/// The kind of any column, hidden ones too.
pub fn kind_of(frame: &Frame, name: &str) -> Kind {
    let schema = frame.plan().schema();
    let field = schema.fields().iter().find(|field| field.name() == name);
    field.map_or(Kind::Null, |field| Kind::of(field.data_type()))
}

/// The value of the field that a chart splits by.
pub fn split_value(frame: &Frame, split: &Split) -> PlanResult<Typed> {
    if split.field.text.contains('*') {
        let message = format!("BY and OVER take field names, not the wildcard `{}`", split.field.text);
        return Err(Diagnostic::error(Code::InvalidArgument, message, split.field.span).into());
    }
    Ok(match existing(frame, &split.field.text, split.field.span) {
        Some(_) => ExpressionPlanner::new(frame).field(&split.field.text, split.field.span),
        None => Typed::null(split.field.span),
    })
}

/// Leaves out the rows whose value lies outside of `start` and `end`.
pub fn keep_extent(frame: &mut Frame, value: &Typed, options: &BinOptions) -> PlanResult<()> {
    let BinOptions { bins: _, minspan: _, span: _, start, end, aligntime: _ } = options;
    if let Some(start) = start {
        frame.filter(value.number().gt_eq(datafusion::logical_expr::lit(start.node)))?;
    }
    if let Some(end) = end {
        frame.filter(value.number().lt_eq(datafusion::logical_expr::lit(end.node)))?;
    }
    Ok(())
}

impl Pivot<'_> {
    /// Computes the chart; `None` without data.
    ///
    /// # Errors
    /// A result that is too large, or DataFusion's own error.
    pub async fn table(&self, planner: &Planner<'_>, frame: &Frame) -> PlanResult<Option<Table>> {
        let Some(runner) = planner.runner else { return Ok(None) };
        if self.terms.columns.is_empty() && self.row.is_none() {
            // Patterns that fit no field.
            return Ok(Some(Table { lines: BTreeMap::new(), width: 0, names: Vec::new() }));
        }
        let mut frame = frame.clone();
        if let Some(row) = &self.row {
            row.plain(&mut frame)?;
            frame.filter(column(&row.column).is_not_null())?;
        }
        let (mut slots, mut names) = (1, Vec::new());
        if let Some(key) = &self.column {
            if self.series.usenull == Some(false) {
                frame.filter(column(&key.column).is_not_null())?;
            }
            if costs(frame.plan()) {
                self.hold(planner, &mut frame).await?;
            }
            names = select::series(self, planner, &frame, key).await?;
            let kind = kind_of(&frame, &key.column);
            let text = Typed::new(column(&key.column), kind, self.place).text();
            let text = match self.series.usenull {
                // A value of that name joins those that have none.
                None | Some(true) if names.iter().any(|name| name == self.null_name()) => {
                    let text = cast(text, arrow::datatypes::DataType::Utf8);
                    datafusion::functions::expr_fn::nullif(text, datafusion::logical_expr::lit(self.null_name()))
                }
                // Its digits are looked up as the number that they are.
                _ if kind == Kind::Integer => column(&key.column),
                _ => text,
            };
            names.retain(|name| name != self.null_name() || self.series.usenull == Some(false));
            names.retain(|name| name != self.other_name() || self.series.useother == Some(false));
            let position = series::series(text, names.iter().map(String::as_str));
            frame.set(vec![(key.column.clone(), position)])?;
            slots = names.len() + 2;
        }
        let mut groups: Vec<&str> = self.row.iter().map(|row| row.column.as_str()).collect();
        groups.extend(self.column.iter().map(|key| key.column.as_str()));
        let plan = self.terms.over(&frame.setting, frame.plan().clone(), &groups, self.rows().as_ref())?;
        let most = self.most_rows().saturating_mul(slots).min(MOST_CELLS);
        let plan = LogicalPlanBuilder::new(plan).limit(0, Some(most + 1))?.build()?;
        let (_, batches) = runner.collect(plan).await?;
        let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if found > most {
            return Err(self.too_large().into());
        }
        let mut table = Table { lines: BTreeMap::new(), width: slots * self.terms.columns.len(), names };
        for batch in &batches {
            self.read(batch, slots, &mut table)?;
        }
        if self.series.cont != Some(false) {
            self.fill(&mut table)?;
        }
        Ok(Some(table))
    }

    /// What the aggregates of a row have to know of it.
    pub fn rows(&self) -> Option<Rows<'_>> {
        let row = self.row.as_ref()?;
        let bins = match &row.bins {
            Some(Bins::Time(bins)) => Some(bins),
            _ => None,
        };
        Some(Rows { column: &row.column, bins })
    }

    fn most_rows(&self) -> usize {
        match self.row.as_ref().map(|row| &row.bins) {
            Some(Some(_)) => MOST_BINS as usize,
            _ => MOST_CELLS,
        }
    }

    fn too_large(&self) -> Diagnostic {
        match self.row.as_ref().map(|row| &row.bins) {
            Some(Some(_)) => too_many(&format!("more than {MOST_BINS}"), self.place),
            _ => {
                let message = format!("the result would have more than {MOST_CELLS} cells");
                Diagnostic::error(Code::TooLarge, message, self.place)
                    .with_help("keep fewer series with `limit`, or put the values of the rows into bins")
            }
        }
    }

    /// Computes once what is looked at twice, without the fields that no one looks at.
    async fn hold(&self, planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<()> {
        let mut needed: HashSet<String> = frame.order().iter().map(|key| key.column.clone()).collect();
        needed.extend(self.row.iter().chain(&self.column).map(|key| key.column.clone()));
        for aggregate in self.terms.aggregates() {
            needed.extend(aggregate.column_refs().into_iter().map(|column| column.name.clone()));
        }
        let fields = frame.plan().schema().fields().iter();
        let kept: Vec<Expr> = fields.filter(|f| needed.contains(f.name())).map(|f| column(f.name())).collect();
        let plan = LogicalPlanBuilder::new(frame.plan().clone()).project(kept)?.build()?;
        frame.extend(plan);
        barrier::materialise(planner, frame).await?;
        Ok(())
    }

    /// Puts the aggregates of a batch into their cells.
    fn read(&self, batch: &RecordBatch, slots: usize, table: &mut Table) -> PlanResult<()> {
        let keys = usize::from(self.row.is_some());
        let first_term = keys + usize::from(self.column.is_some());
        let terms = self.terms.columns.len();
        for row in 0..batch.num_rows() {
            let at = |position: usize| {
                batch.columns().get(position).map_or(Value::Null, |column| Value::read(column.as_ref(), row))
            };
            let value = if self.row.is_some() { owned(at(0)) } else { Value::Null };
            let slot = match self.column {
                Some(_) => at(keys).number().map_or(0, |slot| slot as usize),
                None => 0,
            };
            let bins = self.row.as_ref().and_then(|row| row.bins.as_ref());
            let cells = table.line(order_key(&value, bins), value);
            if cells.is_empty() {
                cells.resize(slots * terms, Value::Null);
            }
            for term in 0..terms {
                if let Some(cell) = cells.get_mut(term * slots + slot) {
                    *cell = owned(at(first_term + term));
                }
            }
            if table.lines.len().saturating_mul(table.width) > MOST_CELLS {
                return Err(self.too_large().into());
            }
        }
        Ok(())
    }

    /// Adds the rows of bins in between that have no events.
    fn fill(&self, table: &mut Table) -> PlanResult<()> {
        let Some(bins) = self.row.as_ref().and_then(|row| row.bins.as_ref()) else { return Ok(()) };
        // The manual's example of a logarithmic span leaves empty bins out.
        if matches!(bins, Bins::Power { .. }) {
            return Ok(());
        }
        let mut extent: Option<(f64, f64)> = None;
        for start in table.lines.values().filter_map(|line| start_of(&line.value, bins)) {
            let (least, greatest) = extent.unwrap_or((start, start));
            extent = Some((least.min(start), greatest.max(start)));
        }
        let Some((least, greatest)) = extent else { return Ok(()) };
        // The start of a bin may lie before the range that the events in it are in.
        let widened = match (self.range, bins) {
            (Some(range), Bins::Time(bins)) => {
                let start = |time: f64| time::microseconds(time).and_then(|time| bins.start(time));
                let earliest = range.earliest.and_then(start).map(|time| time as f64 / 1e6);
                Some(Range { earliest, latest: range.latest }.around(least, greatest))
            }
            _ => None,
        };
        // Rather the rows of the events alone than none at all.
        let widened = widened.and_then(|(least, greatest)| bins.between(least, greatest));
        let Some(starts) = widened.or_else(|| bins.between(least, greatest)) else {
            return Err(self.too_large().into());
        };
        for (start, text) in starts {
            let value = match bins {
                Bins::Time(_) => Value::Number(start),
                Bins::Range(_) | Bins::Power { .. } => Value::Text(text.into()),
            };
            table.line(order_key(&value, Some(bins)), value);
        }
        Ok(())
    }

    /// The name of the series of events without one.
    pub fn null_name(&self) -> &str {
        self.series.nullstr.as_deref().unwrap_or("NULL")
    }

    /// The name of the series of all others.
    pub fn other_name(&self) -> &str {
        self.series.otherstr.as_deref().unwrap_or("OTHER")
    }

    /// Lays the table out: the row's field, then the columns of each term, the series by name and at last those
    /// of events without a name and of all others.
    ///
    /// # Errors
    /// More columns than there may be.
    pub fn grid(&self, table: Table) -> PlanResult<Grid> {
        let Table { lines, width, names } = table;
        let terms = self.terms.columns.len();
        let slots = width.checked_div(terms).unwrap_or_default();
        let mut seen = vec![self.column.is_none(); slots];
        for cells in lines.values().map(|line| &line.cells) {
            for (position, cell) in cells.iter().enumerate() {
                if let (true, Some(seen)) = (*cell != Value::Null, seen.get_mut(position % slots.max(1))) {
                    *seen = true;
                }
            }
        }
        // A series that was found has events, even where its aggregates are missing.
        seen.iter_mut().take(names.len()).for_each(|seen| *seen = true);
        if self.series.useother == Some(false)
            && self.column.is_some()
            && let Some(other) = seen.get_mut(names.len() + 1)
        {
            *other = false;
        }
        let kept: Vec<(usize, usize)> = (0..terms)
            .flat_map(|term| (0..slots).map(move |slot| (term, slot)))
            .filter(|(_, s)| seen.get(*s) == Some(&true))
            .collect();
        if kept.len() >= MOST_COLUMNS {
            let message = format!("the result would have {} columns; the most is {MOST_COLUMNS}", kept.len() + 1);
            let error = Diagnostic::error(Code::TooLarge, message, self.place);
            return Err(error.with_help("keep fewer series with `limit`").into());
        }
        let mut grid = Grid::new(self.row.iter().map(|row| row.name.as_str()));
        for (term, slot) in &kept {
            let name = self.column_name(*term, *slot, &names, &grid.names);
            grid.names.push(name);
        }
        for Line { value, mut cells } in lines.into_values() {
            cells.resize(width, Value::Null);
            let mut row: Vec<Value<'static>> = self.row.iter().map(|_| value.clone()).collect();
            for (term, slot) in &kept {
                let cell =
                    cells.get_mut(term * slots + slot).map_or(Value::Null, |cell| std::mem::replace(cell, Value::Null));
                let counts = self.terms.columns.get(*term).is_some_and(|column| column.counts);
                row.push(if cell == Value::Null && counts { Value::Number(0.0) } else { cell });
            }
            grid.rows.push(row);
        }
        Ok(grid)
    }

    fn column_name(&self, term: usize, slot: usize, names: &[String], taken: &[String]) -> String {
        let term = self.terms.columns.get(term).map_or("", |column| column.name.as_str());
        if self.column.is_none() {
            return term.to_string();
        }
        let series = match names.get(slot) {
            Some(name) => name.as_str(),
            None if slot == names.len() => self.null_name(),
            None => self.other_name(),
        };
        let mut name = match self.terms.columns.len() {
            1 => series.to_string(),
            _ => match &self.series.format {
                Some(format) => format.node.replace("$AGG$", term).replace("$VAL$", series),
                None => format!("{term}{}{series}", self.series.sep.as_deref().unwrap_or(": ")),
            },
        };
        if self.renames_internal && name.starts_with('_') || is_hidden(&name) {
            name.insert_str(0, "VALUE");
        }
        // What a series is named like stays, and so does the series.
        while taken.contains(&name) {
            name.insert_str(0, "VALUE_");
        }
        name
    }
}

/// The rows of a chart in their order.
pub struct Table {
    lines: BTreeMap<Vec<u8>, Line>,
    width: usize,
    names: Vec<String>,
}

struct Line {
    value: Value<'static>,
    /// None, or all of them.
    cells: Vec<Value<'static>>,
}

impl Table {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// Whether every row stands for a number.
    pub fn is_numeric(&self) -> bool {
        self.lines.values().all(|line| line.value.number().is_some_and(f64::is_finite))
    }

    /// The first and the last row's value.
    pub fn ends(&self) -> Option<(&Value<'static>, &Value<'static>)> {
        let mut values = self.lines.values().map(|line| &line.value);
        let first = values.next()?;
        Some((first, values.next_back().unwrap_or(first)))
    }

    /// Takes the first row away.
    pub fn drop_first(&mut self) {
        self.lines.pop_first();
    }

    /// Takes the last row away.
    pub fn drop_last(&mut self) {
        self.lines.pop_last();
    }

    fn line(&mut self, key: Vec<u8>, value: Value<'static>) -> &mut Vec<Value<'static>> {
        &mut self.lines.entry(key).or_insert_with(|| Line { value, cells: Vec::new() }).cells
    }
}

/// What orders the rows: numbers, then addresses, then text; bins by where they start.
pub fn order_key(value: &Value<'_>, bins: Option<&Bins>) -> Vec<u8> {
    let text = value.text().unwrap_or_default();
    let start = bins.and_then(|bins| start_of(value, bins)).map(values::format_number);
    let mut key = values::sort_key(start.as_deref().unwrap_or(&text));
    key.push(0);
    key.extend_from_slice(text.as_bytes());
    key
}

/// Where a bin starts; `None` for a value that is in none.
pub fn start_of(value: &Value<'_>, bins: &Bins) -> Option<f64> {
    match bins {
        Bins::Time(_) => value.number(),
        Bins::Range(_) => label_start(&value.text()?),
        // Zero has no power, and what is below has a text of its own.
        Bins::Power { .. } => label_start(&value.text()?).filter(|start| *start > 0.0),
    }
}

/// The number before the dash of `0-10`, which may be negative or have an exponent.
fn label_start(text: &str) -> Option<f64> {
    let dash = text
        .char_indices()
        .skip(1)
        .find(|(at, letter)| *letter == '-' && !text.get(..*at).is_some_and(|before| before.ends_with(['e', 'E'])));
    let (start, end) = text.split_at_checked(dash?.0)?;
    values::parse_number(end.strip_prefix('-')?)?;
    values::parse_number(start)
}

/// Whether running a plan twice costs more than holding its rows: it does more than read, choose and filter.
fn costs(plan: &LogicalPlan) -> bool {
    let computes = |expr: &Expr| {
        let expr = match expr {
            Expr::Alias(alias) => alias.expr.as_ref(),
            other => other,
        };
        !matches!(expr, Expr::Column(_) | Expr::Literal(..) | Expr::Cast(_))
            && !matches!(expr, Expr::ScalarFunction(call) if call.func.name() == "spl_time_bin")
    };
    match plan {
        LogicalPlan::Projection(projection) => projection.expr.iter().any(computes) || costs(projection.input.as_ref()),
        LogicalPlan::Filter(filter) => filter.predicate.is_volatile() || costs(filter.input.as_ref()),
        LogicalPlan::SubqueryAlias(alias) => costs(alias.input.as_ref()),
        LogicalPlan::TableScan(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_start_with_their_number() {
        for (text, start) in
            [("0-10", Some(0.0)), ("-1-0", Some(-1.0)), ("-4--2", Some(-4.0)), ("1e-7-2e-7", Some(1e-7))]
        {
            assert_eq!(label_start(text), start, "{text}");
        }
        for text in ["", "-", "5", "-5", "a-b", "0", "5-b"] {
            assert_eq!(label_start(text), None, "{text}");
        }
    }
}
