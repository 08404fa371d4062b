//! `multikv`: rows out of tables in text.
//!
//! Source: Splunk Search Reference, "multikv".

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use spelunk_grammar::spl::commands::multikv::Multikv;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::barrier::{self, Collected};
use super::frame::{Frame, OrderKey, is_hidden};
use super::{PlanResult, Planner};
use crate::documents::table::{self, Options};
use crate::values::text_at;

/// How many columns tables may have together.
const MOST_COLUMNS: usize = 4_096;

/// Plans the command. An event without a table stays as it is.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Multikv, span: Span) -> PlanResult<()> {
    let Multikv { forceheader, noheader, multitable, copyattrs, rmorig, conf, fields, filter } = command;
    if let Some(conf) = conf {
        let message = "a stanza of a multikv.conf is not supported";
        return Err(Diagnostic::error(Code::Unsupported, message, conf.span).into());
    }
    let no_header = noheader.unwrap_or(false);
    if let (true, Some(line)) = (no_header, forceheader) {
        let message = "`forceheader` and `noheader` exclude each other";
        return Err(Diagnostic::error(Code::InvalidOption, message, line.span).into());
    }
    let options = Options {
        header: forceheader.as_ref().map(|line| usize::try_from(line.node).unwrap_or(usize::MAX)),
        no_header,
        several: multitable.unwrap_or(true) && !no_header,
    };
    if super::existing(frame, "_raw", span).is_none() && planner.runner.is_some() {
        return Ok(());
    }
    let Some(collected) = barrier::collect(planner, frame).await? else { return Ok(()) };
    let mut reading = Reading {
        options,
        fields,
        filter,
        copy: copyattrs.unwrap_or(true),
        drop: rmorig.unwrap_or(true),
        ..Reading::new()
    };
    for batch in &collected.batches {
        reading.read(batch);
    }
    if reading.cut {
        let message = format!("only the first {MOST_COLUMNS} columns were extracted, the tables have more");
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, span));
    }
    reading.replace(collected, frame)
}

struct Reading<'c> {
    options: Options,
    fields: &'c [Name],
    filter: &'c [Name],
    copy: bool,
    drop: bool,
    /// The columns of the tables.
    names: Vec<String>,
    /// For each batch its new rows.
    rows: Vec<Vec<NewRow>>,
    cut: bool,
}

/// A row of the result: the event that it comes from and, if it is one of a table, its line and cells.
struct NewRow {
    event: u64,
    line: Option<String>,
    cells: Vec<(usize, String)>,
}

impl Reading<'_> {
    fn new() -> Self {
        Self {
            options: Options { header: None, no_header: false, several: true },
            fields: &[],
            filter: &[],
            copy: true,
            drop: true,
            names: Vec::new(),
            rows: Vec::new(),
            cut: false,
        }
    }

    fn read(&mut self, batch: &RecordBatch) {
        let mut new = Vec::new();
        let raw = batch.column_by_name("_raw");
        for (row, event) in (0..batch.num_rows()).zip(0_u64..) {
            let text = raw.and_then(|raw| text_at(raw.as_ref(), row));
            let found = text.as_ref().and_then(|text| table::rows(text, self.options));
            let is_table = found.is_some();
            for row in found.unwrap_or_default() {
                if !self.filter.is_empty() && !self.filter.iter().any(|wanted| row.line.contains(&wanted.text)) {
                    continue;
                }
                let mut cells = Vec::new();
                for (name, values) in row.fields {
                    if let Some(position) = self.position(&name) {
                        cells.push((position, values.join(" ")));
                    }
                }
                new.push(NewRow { event, line: Some(row.line.to_string()), cells });
            }
            if !is_table || !self.drop {
                new.push(NewRow { event, line: None, cells: Vec::new() });
            }
        }
        self.rows.push(new);
    }

    fn position(&mut self, name: &str) -> Option<usize> {
        if is_hidden(name) || (!self.fields.is_empty() && !self.fields.iter().any(|field| field.text == name)) {
            return None;
        }
        if let Some(position) = self.names.iter().position(|known| known == name) {
            return Some(position);
        }
        if self.names.len() >= MOST_COLUMNS {
            self.cut = true;
            return None;
        }
        self.names.push(name.to_string());
        Some(self.names.len().saturating_sub(1))
    }

    /// Puts the new rows into the frame, those of an event in the place of the event.
    fn replace(self, collected: Collected, frame: &mut Frame) -> PlanResult<()> {
        let position_column = frame.hidden_name();
        let is_table_column = |name: &str| self.names.iter().any(|known| known == name);
        // Without copies the columns of the events are gone, unless an event is still among the rows.
        let has_events = self.copy || self.rows.iter().flatten().any(|row| row.line.is_none());
        let kept: Vec<(usize, Arc<Field>)> = collected
            .schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| is_hidden(field.name()) || has_events)
            .filter(|(_, field)| field.name() != "_raw" && !is_table_column(field.name()))
            .map(|(position, field)| (position, Arc::new(field.as_ref().clone().with_nullable(true))))
            .collect();
        let mut schema: Vec<Arc<Field>> = kept.iter().map(|(_, field)| Arc::clone(field)).collect();
        schema.push(Arc::new(Field::new("_raw", DataType::Utf8, true)));
        schema.extend(self.names.iter().map(|name| Arc::new(Field::new(name, DataType::Utf8, true))));
        schema.push(Arc::new(Field::new(&position_column, DataType::Int64, false)));
        let schema = Arc::new(Schema::new(schema));
        let mut batches = Vec::new();
        for (batch, rows) in collected.batches.iter().zip(&self.rows) {
            let every = UInt64Array::from_iter_values(rows.iter().map(|row| row.event));
            let copied: UInt64Array =
                rows.iter().map(|row| (self.copy || row.line.is_none()).then_some(row.event)).collect();
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
            for (position, field) in &kept {
                let indices = if is_hidden(field.name()) { &every } else { &copied };
                columns.push(take(batch.column(*position), indices, None).map_err(DataFusionError::from)?);
            }
            let before = |name: &str, row: &NewRow| {
                let event = usize::try_from(row.event).ok()?;
                text_at(batch.column_by_name(name)?.as_ref(), event).map(String::from)
            };
            let lines = rows.iter().map(|row| row.line.clone().or_else(|| before("_raw", row)));
            columns.push(Arc::new(StringArray::from_iter(lines)));
            for (position, name) in self.names.iter().enumerate() {
                columns.push(Arc::new(StringArray::from_iter(rows.iter().map(|row| {
                    let cell = row.cells.iter().find(|(column, _)| *column == position).map(|(_, cell)| cell.clone());
                    cell.or_else(|| if self.copy || row.line.is_none() { before(name, row) } else { None })
                }))));
            }
            columns.push(Arc::new(Int64Array::from_iter_values((0_i64..).take(rows.len()))));
            batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(DataFusionError::from)?);
        }
        let mut order: Vec<OrderKey> = frame.order().to_vec();
        order.push(OrderKey { column: position_column, descending: false });
        let (events, metadata) = (frame.events, frame.metadata.clone());
        let table = MemTable::try_new(schema, vec![batches])?;
        frame.replace(super::scan_of("tables", Arc::new(table))?, order);
        if self.copy {
            frame.events = events;
            frame.metadata = metadata;
            self.names.iter().for_each(|name| drop(frame.metadata.remove(name)));
        }
        Ok(())
    }
}
