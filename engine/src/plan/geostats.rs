//! `geostats`: aggregates over the cells of a grid on the map, for several depths of zoom.
//!
//! A row belongs to one cell of each grid. The cells are named `bin_id_zl_<zoom>_y_<row>_x_<column>`, counted from
//! the south and the west. Where in a cell its values are drawn is not published: here at the mean place of its rows.
//!
//! Source: Splunk Search Reference, "geostats".

use std::collections::HashMap;

use datafusion::functions::expr_fn::{floor, least};
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::bins::BinOptions;
use spelunk_grammar::spl::commands::geostats::{Geostats, GeostatsOptions};
use spelunk_grammar::spl::commands::series::{ChartTerm, Rank, SeriesOptions, Split};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::expression::{ExpressionPlanner, Typed};
use super::frame::{Frame, column};
use super::grid::Grid;
use super::pivot::{Key, Pivot};
use super::terms::Terms;
use super::{PlanResult, Planner, chart, existing};
use crate::functions::{multivalue, operators};
use crate::values::Value;

/// The name of the cells' column.
const CELL: &str = "geobin";

/// How many values of the BY field there are where the search does not say.
const LIMIT: u64 = 10;

/// The number of the last grid where the search does not say.
const LAST_LEVEL: u64 = 9;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Geostats, place: Span) -> PlanResult<()> {
    let Geostats { aggregates, by, options } = command;
    let GeostatsOptions {
        translatetoxy,
        latfield,
        longfield,
        globallimit,
        locallimit,
        outputlatfield,
        outputlongfield,
        binspanlat,
        binspanlong,
        maxzoomlevel,
    } = options.as_ref();
    let named = |given: &Option<Name>, usual: &str| {
        given.clone().unwrap_or_else(|| Name { text: usual.to_string(), span: place })
    };
    let fields = [named(latfield, "lat"), named(longfield, "lon")];
    let outputs = [named(outputlatfield, "latitude"), named(outputlongfield, "longitude")];
    let spans =
        [binspanlat.as_ref().map_or(22.5, |span| span.node), binspanlong.as_ref().map_or(45.0, |span| span.node)];
    let levels = maxzoomlevel.as_ref().map_or(LAST_LEVEL, |level| level.node);

    let mut rows = frame.clone();
    let [latitude, longitude] = places(&mut rows, &fields)?;
    let cells = cells(&latitude, &longitude, spans, levels, place);
    let field = Name { text: CELL.into(), span: place };
    let split = Split { field: field.clone(), bins: BinOptions::default() };
    let row = Key::add(&mut rows, &split, cells, None, false)?;
    let key = |column: &str| Key { name: CELL.into(), column: column.into(), bins: None };

    let mut means: Vec<ChartTerm> = fields.iter().zip(&outputs).map(|(field, output)| mean(field, output)).collect();
    let wanted = aggregates.iter().cloned().map(ChartTerm::Aggregate);
    let limit = globallimit.unwrap_or(LIMIT);
    let series = SeriesOptions {
        limit: Some(Spanned::new(Rank { count: limit, bottom: false }, place)),
        ..SeriesOptions::default()
    };
    let pivot = |row: Key, column: Option<Key>, terms: Terms| Pivot {
        row: Some(row),
        column,
        terms,
        series: &series,
        renames_internal: false,
        range: None,
        place,
    };
    let Some(by) = by else {
        means.extend(wanted);
        let terms = Terms::plan(&rows, &means, &[field], Some(CELL), false)?;
        let pivot = pivot(row, None, terms);
        let Some(table) = pivot.table(planner, &rows).await? else { return open(frame) };
        let mut grid = pivot.grid(table)?;
        grid.rows.sort_by_cached_key(|row| position(row.first()));
        return grid.replace(frame, place);
    };
    let column_split = Split { field: by.clone(), bins: BinOptions::default() };
    let column_key = chart::column_key(planner, &mut rows, &column_split, false).await?;
    let wanted: Vec<ChartTerm> = wanted.collect();
    let terms = Terms::plan(&rows, &wanted, &[field.clone(), by.clone()], None, false)?;
    let titles: Vec<String> = terms.columns.iter().map(|column| column.name.clone()).collect();
    let adds_up = terms.columns.iter().all(|column| column.adds_up);
    let middle = Terms::plan(&rows, &means, &[field], Some(CELL), false)?;
    let middle = pivot(key(&row.column), None, middle);
    let values = pivot(row, Some(column_key), terms);
    let (Some(middles), Some(table)) = (middle.table(planner, &rows).await?, values.table(planner, &rows).await?)
    else {
        return open(frame);
    };
    let mut laid = Laid { grid: values.grid(table)?, terms: titles, other: values.other_name().to_string() };
    let most = locallimit.as_ref().map_or(LIMIT, |limit| limit.node);
    if most > 0 && laid.crowded(most) {
        if !adds_up {
            let message = "cells have more values than `locallimit`, and only counts and sums can be added to OTHER";
            let span = locallimit.as_ref().map_or(place, |limit| limit.span);
            let error = Diagnostic::error(Code::InvalidOption, message, span);
            return Err(error.with_help("set `locallimit=0`, or a lower `globallimit`").into());
        }
        laid.join_least(most);
    }
    let mut grid = laid.beside(&middle.grid(middles)?);
    if translatetoxy == &Some(false) {
        grid = laid.as_rows(grid, &by.text);
    }
    grid.rows.sort_by_cached_key(|row| position(row.first()));
    grid.replace(frame, place)
}

fn open(frame: &mut Frame) -> PlanResult<()> {
    frame.open = true;
    frame.events = false;
    Ok(())
}

/// The latitude and the longitude, of the rows that have a place on the map.
fn places(rows: &mut Frame, fields: &[Name; 2]) -> PlanResult<[Expr; 2]> {
    let [latitude, longitude] = fields;
    let mut found = Vec::new();
    for (field, most) in [(latitude, 90.0), (longitude, 180.0)] {
        existing(rows, &field.text, field.span);
        let value = ExpressionPlanner::new(rows).field(&field.text, field.span).number();
        let hidden = rows.hidden_name();
        rows.set(vec![(hidden.clone(), value)])?;
        rows.filter(column(&hidden).between(lit(-most), lit(most)))?;
        found.push(column(&hidden));
    }
    let mut found = found.into_iter();
    let missing = || lit(datafusion::common::ScalarValue::Float64(None));
    Ok([found.next().unwrap_or_else(missing), found.next().unwrap_or_else(missing)])
}

/// The names of the cells that a place is in, one for each grid.
fn cells(latitude: &Expr, longitude: &Expr, spans: [f64; 2], levels: u64, place: Span) -> Typed {
    let [height, width] = spans;
    let names = (0..=levels).map(|level| {
        let scale = 2f64.powi(i32::try_from(level).unwrap_or(i32::MAX));
        // The north pole and the date line belong to the last cells.
        let index = |value: &Expr, half: f64, span: f64| {
            let last = (2.0 * half / span).ceil() - 1.0;
            operators::to_text(least(vec![floor((value.clone() + lit(half)) / lit(span)), lit(last)]))
        };
        let start = operators::concatenate(lit(format!("bin_id_zl_{level}_y_")), index(latitude, 90.0, height / scale));
        let end = operators::concatenate(lit("_x_"), index(longitude, 180.0, width / scale));
        operators::concatenate(start, end)
    });
    multivalue::append(names.collect(), place)
}

/// `avg(FIELD) AS OUTPUT`.
fn mean(field: &Name, output: &Name) -> ChartTerm {
    let function = Spanned::new("avg".to_string(), field.span);
    let text = format!("avg({})", field.text);
    let argument = Some(AggregateArgument::Field(field.clone()));
    ChartTerm::Aggregate(Aggregate { function, argument, alias: Some(output.clone()), text, span: output.span })
}

/// What orders the cells: their grid, then from the south and the west.
fn position(cell: Option<&Value<'static>>) -> [u64; 3] {
    let text = cell.and_then(|cell| cell.text().map(|text| text.to_string())).unwrap_or_default();
    let mut numbers = text.split('_').filter_map(|piece| piece.parse().ok());
    [(); 3].map(|()| numbers.next().unwrap_or_default())
}

/// Values by cell, with columns for each term and series.
struct Laid {
    grid: Grid,
    terms: Vec<String>,
    other: String,
}

impl Laid {
    /// How many columns each term has.
    fn width(&self) -> usize {
        self.grid.names.len().saturating_sub(1).checked_div(self.terms.len()).unwrap_or_default()
    }

    /// The name of a series.
    fn series(&self, position: usize) -> String {
        let name = self.grid.names.get(position.saturating_add(1)).cloned().unwrap_or_default();
        match self.terms.as_slice() {
            [_] => name,
            terms => {
                let start = terms.first().map(|term| format!("{term}: ")).unwrap_or_default();
                name.strip_prefix(&start).map_or(name.clone(), str::to_string)
            }
        }
    }

    /// The position of the series of all others.
    fn others(&self) -> Option<usize> {
        (0..self.width()).find(|position| self.series(*position) == self.other)
    }

    /// Whether a cell has more series than that.
    fn crowded(&self, most: u64) -> bool {
        let (width, other) = (self.width(), self.others());
        self.grid.rows.iter().any(|row| {
            row.get(1..).unwrap_or_default().chunks(width.max(1)).any(|cells| {
                let some = cells.iter().enumerate().filter(|(at, value)| Some(*at) != other && counts(value));
                some.count() as u64 > most
            })
        })
    }

    /// Adds the least series of each cell to those of all others.
    fn join_least(&mut self, most: u64) {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let other = match self.others() {
            Some(other) => other,
            None => {
                self.add_others();
                self.width().saturating_sub(1)
            }
        };
        let width = self.width().max(1);
        for row in &mut self.grid.rows {
            for cells in row.get_mut(1..).unwrap_or_default().chunks_mut(width) {
                let number = |cell: &Value<'static>| cell.number().unwrap_or_default();
                let mut order: Vec<usize> =
                    (0..cells.len()).filter(|at| *at != other && cells.get(*at).is_some_and(counts)).collect();
                order.sort_by(|a, b| {
                    let value = |at: &usize| cells.get(*at).map_or(0.0, number);
                    value(b).total_cmp(&value(a))
                });
                let mut sum = cells.get(other).map_or(0.0, number);
                for at in order.into_iter().skip(most) {
                    if let Some(cell) = cells.get_mut(at) {
                        sum += number(cell);
                        *cell = Value::Number(0.0);
                    }
                }
                if let Some(cell) = cells.get_mut(other) {
                    *cell = Value::Number(sum);
                }
            }
        }
    }

    /// Adds an empty series for all others to each term.
    fn add_others(&mut self) {
        let (width, several) = (self.width(), self.terms.len() > 1);
        let names = std::mem::take(&mut self.grid.names);
        let mut names = names.into_iter();
        self.grid.names.extend(names.next());
        for term in &self.terms {
            self.grid.names.extend(names.by_ref().take(width));
            self.grid.names.push(if several { format!("{term}: {}", self.other) } else { self.other.clone() });
        }
        for row in &mut self.grid.rows {
            let mut old = std::mem::take(row).into_iter();
            row.extend(old.next());
            for _ in &self.terms {
                row.extend(old.by_ref().take(width));
                row.push(Value::Number(0.0));
            }
        }
    }

    /// The same with the place of each cell behind its name.
    fn beside(&self, middles: &Grid) -> Grid {
        let name = |row: &[Value<'static>]| row.first().and_then(|cell| cell.text().map(|text| text.to_string()));
        let known: HashMap<String, &Vec<Value<'static>>> =
            middles.rows.iter().filter_map(|row| Some((name(row)?, row))).collect();
        let columns = middles.names.iter().chain(self.grid.names.iter().skip(1));
        let mut grid = Grid::new(columns.map(String::as_str));
        for row in &self.grid.rows {
            let Some(middle) = name(row).and_then(|name| known.get(&name).copied()) else { continue };
            grid.rows.push(middle.iter().chain(row.iter().skip(1)).cloned().collect());
        }
        grid
    }

    /// A row for each cell and series that has a value.
    fn as_rows(&self, wide: Grid, by: &str) -> Grid {
        const PLACE: usize = 3;
        let width = self.width();
        let names = wide.names.iter().take(PLACE).map(String::as_str);
        let mut grid = Grid::new(names.chain([by]).chain(self.terms.iter().map(String::as_str)));
        let series: Vec<String> = (0..width).map(|position| self.series(position)).collect();
        for row in &wide.rows {
            for (at, name) in series.iter().enumerate() {
                let values: Vec<Value<'static>> =
                    row.iter().skip(PLACE).skip(at).step_by(width.max(1)).cloned().collect();
                if values.iter().any(counts) {
                    let place = row.iter().take(PLACE).cloned();
                    grid.rows.push(place.chain([Value::Text(name.clone().into())]).chain(values).collect());
                }
            }
        }
        grid
    }
}

/// Whether there is a value that is not nothing.
fn counts(value: &Value<'static>) -> bool {
    *value != Value::Null && value.number() != Some(0.0)
}
