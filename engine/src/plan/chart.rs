//! `chart`: a table of aggregates by one or two fields.
//!
//! Source: Splunk Search Reference, "chart".

use spelunk_grammar::spl::commands::chart::Chart;
use spelunk_grammar::spl::commands::series::{ChartTerm, SeriesOptions, Split};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::bins::{Binned, Bins};
use super::frame::{Frame, column};
use super::pivot::{self, Key, Pivot, Table};
use super::terms::Terms;
use super::{PlanResult, Planner, sparkline};

/// How many rows there are at most before numbers are put into bins.
const MOST_ROWS: u64 = 300;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Chart, place: Span) -> PlanResult<()> {
    let Chart { terms, row, column, series } = command;
    check(terms, row.as_ref(), column.as_ref(), series)?;
    let mut bins = None;
    if let Some(row) = row
        && (row.bins.span.is_some())
    {
        bins = row_bins(planner, frame, row).await?;
    }
    let Some((pivot, table)) = compute(planner, frame, command, bins, place).await? else {
        frame.open = true;
        frame.events = false;
        return Ok(());
    };
    // Only the result tells whether a field has too many values, all of them numbers.
    let (pivot, table) = match row {
        Some(row) if pivot.row.as_ref().is_some_and(|row| row.bins.is_none()) && crowded(row, &table) => {
            let bins = row_bins(planner, frame, row).await?;
            compute(planner, frame, command, bins, place).await?.unwrap_or((pivot, table))
        }
        _ => (pivot, table),
    };
    pivot.grid(table)?.replace(frame, place)
}

fn crowded(row: &Split, table: &Table) -> bool {
    let most = row.bins.bins.as_ref().map_or(MOST_ROWS, |bins| bins.node);
    table.rows() as u64 > most && table.is_numeric()
}

async fn row_bins(planner: &Planner<'_>, frame: &Frame, row: &Split) -> PlanResult<Option<Bins>> {
    let mut frame = frame.clone();
    let value = pivot::split_value(&frame, row)?;
    pivot::keep_extent(&mut frame, &value, &row.bins)?;
    Binned { name: &row.field.text, value: &value, options: &row.bins, most: MOST_ROWS, range: None }
        .bins(planner, &frame)
        .await
}

/// Computes the table; `None` without data.
async fn compute<'q>(
    planner: &Planner<'_>,
    frame: &Frame,
    command: &'q Chart,
    bins: Option<Bins>,
    place: Span,
) -> PlanResult<Option<(Pivot<'q>, Table)>> {
    let Chart { terms, row, column: by, series } = command;
    let mut frame = frame.clone();
    sparkline::prepare(&mut frame, aggregates(terms))?;
    let distinct = series.dedup_splitvals.unwrap_or(false);
    let mut row_key = None;
    if let Some(row) = row {
        let value = pivot::split_value(&frame, row)?;
        pivot::keep_extent(&mut frame, &value, &row.bins)?;
        let key = Key::add(&mut frame, row, value, bins, distinct)?;
        frame.filter(column(&key.column).is_not_null())?;
        row_key = Some(key);
    }
    let column_key = match by {
        Some(by) => Some(column_key(planner, &mut frame, by, distinct).await?),
        None => None,
    };
    let names: Vec<Name> = row.iter().chain(by).map(|split| split.field.clone()).collect();
    let row_name = row.as_ref().map(|row| row.field.text.as_str());
    // A column that is named like the rows' field is a mistake only where it keeps that name.
    let terms = Terms::plan(&frame, terms, &names, row_name.filter(|_| by.is_none()), false)?;
    let pivot = Pivot { row: row_key, column: column_key, terms, series, renames_internal: false, range: None, place };
    Ok(pivot.table(planner, &frame).await?.map(|table| (pivot, table)))
}

/// The terms that are aggregates.
pub fn aggregates(terms: &[ChartTerm]) -> impl Iterator<Item = &Aggregate> {
    terms.iter().filter_map(|term| match term {
        ChartTerm::Aggregate(aggregate) => Some(aggregate),
        ChartTerm::Eval(_) => None,
    })
}

/// The key of the series. Numbers are put into bins where a width is given, or how many there are at most.
pub async fn column_key(planner: &Planner<'_>, frame: &mut Frame, by: &Split, distinct: bool) -> PlanResult<Key> {
    let value = pivot::split_value(frame, by)?;
    pivot::keep_extent(frame, &value, &by.bins)?;
    let mut bins = None;
    if by.bins.span.is_some() || by.bins.bins.is_some() || by.bins.minspan.is_some() {
        let binned = Binned { name: &by.field.text, value: &value, options: &by.bins, most: MOST_ROWS, range: None };
        bins = binned.bins(planner, frame).await?;
    }
    Key::add(frame, by, value, bins, distinct)
}

/// Refuses what contradicts itself.
pub fn check(
    terms: &[ChartTerm],
    row: Option<&Split>,
    column: Option<&Split>,
    series: &SeriesOptions,
) -> Result<(), Diagnostic> {
    for term in terms {
        match term {
            ChartTerm::Aggregate(aggregate) => {
                let counts = super::aggregate::counts(&aggregate.function.node);
                if let (Some(AggregateArgument::Field(field)), Some(row), false) = (&aggregate.argument, row, counts)
                    && field.text == row.field.text
                {
                    let message = format!("`chart` cannot aggregate `{}` and have it tell the rows apart", field.text);
                    return Err(Diagnostic::error(Code::InvalidArgument, message, field.span)
                        .with_help("copy the field with `eval` and aggregate the copy"));
                }
            }
            ChartTerm::Eval(eval) if eval.alias.is_none() && column.is_none() => {
                let message = "an expression over aggregates needs a name where there are no series";
                return Err(Diagnostic::error(Code::InvalidArgument, message, eval.span)
                    .with_help("name it with `AS`, or split with `BY`"));
            }
            ChartTerm::Eval(_) => {}
        }
    }
    if let (Some(row), Some(column)) = (row, column)
        && row.field.text == column.field.text
    {
        let message = format!("`{}` cannot tell apart both the rows and the columns", row.field.text);
        return Err(Diagnostic::error(Code::InvalidArgument, message, column.field.span));
    }
    if let Some(format) = &series.format
        && !(format.node.contains("$AGG$") && format.node.contains("$VAL$"))
    {
        let message = "`format` names a column for each aggregate and series: it needs both `$AGG$` and `$VAL$`";
        return Err(Diagnostic::error(Code::InvalidOption, message, format.span));
    }
    Ok(())
}
