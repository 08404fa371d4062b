//! What detections find, row by row, with the events that the rows come from.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use futures::StreamExt;
use spelunk_engine::Possible;
use spelunk_engine::session::EVENT;
use spelunk_engine::values::{self, Cell};
use spelunk_engine::{Error, Judged, Language, Session, Verdict};
use spelunk_grammar::Diagnostic;

use crate::detections::Detection;
use crate::diagnostics;
use crate::escape;
use crate::exit::Failure;
use crate::terminal;

/// The field that holds a row's label, where the user names no other.
pub const LABEL: &str = "DetectionPattern";

/// What a detection found.
pub struct Found {
    /// The columns of its result.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Row>,
    /// Whether each row comes from one event.
    pub by_event: bool,
    /// Warnings and notes about the query.
    pub diagnostics: Vec<Diagnostic>,
}

/// A row of a result.
pub struct Row {
    /// The serial number of its event.
    pub event: Option<i64>,
    /// Its values.
    pub cells: Vec<Cell>,
}

impl Found {
    /// The labels of the events that were found.
    pub fn labels(&self, field: &str) -> BTreeMap<i64, Vec<String>> {
        let position = self.columns.iter().position(|column| column == field);
        let mut found: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for row in &self.rows {
            let Some(event) = row.event else { continue };
            let labels = found.entry(event).or_default();
            let label = position.and_then(|position| row.cells.get(position)).and_then(text);
            if let Some(label) = label.filter(|label| !labels.contains(label)) {
                labels.push(label);
            }
        }
        found
    }
}

/// A value as text; none for null.
pub fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text.clone()),
        Cell::Many(texts) => Some(texts.join(", ")),
    }
}

/// Runs a detection and keeps its rows.
///
/// # Errors
/// Whatever stops the search; the detection is named.
pub async fn find(session: &Session, detection: &Detection) -> Result<Found, Failure> {
    let search = session.trace(detection.language, &detection.text).await;
    let mut search = search.map_err(|error| blame(detection, error))?;
    let columns: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
    // The event's number comes last; a column of that name elsewhere is the query's own.
    let by_event = columns.last().is_some_and(|last| last == EVENT);
    let shown = columns.len().saturating_sub(usize::from(by_event));
    let time_zone = session.context().time_zone;
    let mut rows = Vec::new();
    while let Some(batch) = search.stream.next().await {
        let batch = batch.map_err(|error| blame(detection, error.into()))?;
        for row in 0..batch.num_rows() {
            let zone = &time_zone;
            let cells = batch.columns().iter().take(shown).map(|column| values::cell(column, row, zone)).collect();
            rows.push(Row { event: if by_event { serial(&batch, row) } else { None }, cells });
        }
    }
    let columns = columns.into_iter().take(shown).collect();
    let mut diagnostics = search.diagnostics;
    diagnostics.extend(search.possible.iter().filter_map(Possible::found));
    Ok(Found { columns, rows, by_event, diagnostics })
}

fn serial(batch: &RecordBatch, row: usize) -> Option<i64> {
    let serials = batch.columns().last()?.as_primitive_opt::<Int64Type>()?;
    (row < serials.len() && serials.is_valid(row)).then(|| serials.value(row))
}

/// The serial numbers of the events that an SPL search finds, from the first read to the last.
///
/// # Errors
/// Whatever stops the search.
pub async fn events(session: &Session, search: &str) -> Result<Vec<i64>, Failure> {
    let query = format!("{search}\n| fields _time");
    let detection = Detection { name: search.to_owned(), path: None, language: Language::Spl, text: query };
    let mut found: Vec<i64> = find(session, &detection).await?.rows.iter().filter_map(|row| row.event).collect();
    found.sort_unstable();
    Ok(found)
}

/// Why events are not in the result of a detection, or not under another label.
///
/// # Errors
/// Whatever stops the search.
pub async fn judge(
    session: &Session,
    detection: &Detection,
    events: Vec<i64>,
) -> Result<BTreeMap<i64, Judged>, Failure> {
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let judged = session.judge(detection.language, &detection.text, events).await;
    let judged = judged.map_err(|error| blame(detection, error))?;
    let mut verdicts: BTreeMap<i64, Judged> = BTreeMap::new();
    for one in judged {
        // An event may have become several rows: what one of them passes, the event passes.
        let better = verdicts.get(&one.serial).is_none_or(|known| matches!(known.verdict, Verdict::Fails(_)));
        if better {
            verdicts.insert(one.serial, one);
        }
    }
    Ok(verdicts)
}

/// Tells what was found about a detection's query.
pub fn tell(detection: &Detection, findings: &[Diagnostic]) {
    if !findings.is_empty() {
        terminal::say(&format!("in {}:", escape::line(&detection.name)));
        diagnostics::print_all(findings, &detection.text);
    }
}

/// The failure of a detection, which is named on standard error before, where its query is at fault.
fn blame(detection: &Detection, error: Error) -> Failure {
    if matches!(error, Error::Query(_) | Error::Memory(_)) {
        terminal::say(&format!("in {}:", escape::line(&detection.name)));
    }
    Failure::Search(error, detection.text.clone())
}
