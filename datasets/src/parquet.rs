//! Generated events as a Parquet file: the columns that the engine makes of the same events as JSON lines.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringDictionaryBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use jiff::fmt::temporal::DateTimePrinter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::event::Event;
use crate::generator::{Generated, Generator, GeneratorOptions, Written};

/// Rows that are handed to the writer together.
const BATCH: usize = 32 << 10;
/// Rows of a row group: enough for a dictionary to pay, few enough for every core to have some.
const ROW_GROUP: usize = 256 << 10;

/// The columns that every event has, before those of its own data.
const HEADER: [(&str, Kind); 21] = [
    ("host", Kind::Text),
    ("index", Kind::Text),
    ("source", Kind::Text),
    ("sourcetype", Kind::Text),
    ("EventCode", Kind::Number),
    ("EventID", Kind::Number),
    ("Channel", Kind::Text),
    ("Computer", Kind::Text),
    ("@timestamp", Kind::Text),
    ("Hostname", Kind::Text),
    ("SourceName", Kind::Text),
    ("ProviderGuid", Kind::Text),
    ("Version", Kind::Number),
    ("Level", Kind::Number),
    ("Task", Kind::Number),
    ("Opcode", Kind::Number),
    ("Keywords", Kind::Text),
    ("RecordNumber", Kind::Number),
    ("EventRecordID", Kind::Number),
    ("ExecutionProcessID", Kind::Number),
    ("ThreadID", Kind::Number),
];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
}

/// Writes `count` generated events, made with the default options otherwise, in the order of their times.
///
/// The generator runs twice: what a column holds shows at the last event.
pub fn generate_parquet(out: impl Write + Send, seed: u64, count: u64) -> io::Result<Written> {
    let events = || Generator::new(seed, GeneratorOptions { events: count, ..GeneratorOptions::default() });
    let mut columns = Columns::of(events().map(|generated| generated.event));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        // Times that follow each other are small differences.
        .set_column_dictionary_enabled(ColumnPath::from("_time"), false)
        .set_column_encoding(ColumnPath::from("_time"), Encoding::DELTA_BINARY_PACKED)
        .build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&columns.schema), Some(properties)).map_err(failed)?;
    let mut written = Written { events: 0, spl_hits: 0, logscale_hits: 0 };
    for Generated { event, spl, logscale } in events() {
        columns.add(&event)?;
        written.events += 1;
        written.spl_hits += u64::from(spl.is_some());
        written.logscale_hits += u64::from(logscale.is_some());
        if columns.rows == BATCH {
            writer.write(&columns.take()?).map_err(failed)?;
        }
    }
    if columns.rows > 0 {
        writer.write(&columns.take()?).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)?.flush()?;
    Ok(written)
}

/// An error of the output keeps its kind, so that a closed pipe is still one.
fn failed(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

/// The columns of the rows to come.
struct Columns {
    schema: SchemaRef,
    times: TimestampMicrosecondBuilder,
    columns: Vec<Column>,
    by_name: HashMap<&'static str, usize>,
    rows: usize,
}

/// A column, and how many of its rows are there; the rest are nulls.
struct Column {
    values: Values,
    rows: usize,
}

enum Values {
    Numbers(Int64Builder),
    Texts(StringDictionaryBuilder<Int32Type>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Number => Values::Numbers(Int64Builder::new()),
            Kind::Text => Values::Texts(StringDictionaryBuilder::new()),
        };
        Self { values, rows: 0 }
    }

    /// Nulls up to a row.
    fn fill(&mut self, row: usize) {
        let missing = row.saturating_sub(self.rows);
        match &mut self.values {
            Values::Numbers(numbers) => numbers.append_nulls(missing),
            Values::Texts(texts) => texts.append_nulls(missing),
        }
        self.rows = row;
    }

    fn set(&mut self, row: usize, value: &str) -> io::Result<()> {
        self.fill(row);
        match &mut self.values {
            Values::Numbers(numbers) => numbers.append_option(value.parse().ok()),
            Values::Texts(texts) => {
                texts.append(value).map_err(io::Error::other)?;
            }
        }
        self.rows = row + 1;
        Ok(())
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.fill(rows);
        self.rows = 0;
        match &mut self.values {
            Values::Numbers(numbers) => Arc::new(numbers.finish()),
            Values::Texts(texts) => Arc::new(texts.finish()),
        }
    }
}

impl Columns {
    /// The columns that these events need.
    fn of(events: impl Iterator<Item = Event>) -> Self {
        let mut kinds: Vec<(&'static str, Kind)> = HEADER.to_vec();
        let mut by_name: HashMap<&'static str, usize> =
            kinds.iter().enumerate().map(|(position, (name, _))| (*name, position)).collect();
        for event in events {
            let user = event.user_id.as_deref().map(|user| ("UserID", user));
            let data = event.data.iter().map(|(name, value)| (*name, value.as_ref()));
            for (name, value) in user.into_iter().chain(data).filter(|(_, value)| !value.is_empty()) {
                let position = *by_name.entry(name).or_insert_with(|| {
                    kinds.push((name, Kind::Number));
                    kinds.len() - 1
                });
                if let Some((_, kind)) = kinds.get_mut(position)
                    && *kind == Kind::Number
                    && !is_number(value)
                {
                    *kind = Kind::Text;
                }
            }
        }
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields = vec![Field::new("_time", time, true)];
        fields.extend(kinds.iter().map(|(name, kind)| {
            let text = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Field::new(*name, if *kind == Kind::Number { DataType::Int64 } else { text() }, true)
        }));
        Self {
            schema: Arc::new(Schema::new(fields)),
            times: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            columns: kinds.iter().map(|(_, kind)| Column::new(*kind)).collect(),
            by_name,
            rows: 0,
        }
    }

    fn add(&mut self, event: &Event) -> io::Result<()> {
        let kind = event.kind;
        let mut time = String::with_capacity(24);
        // Writing into a String cannot fail.
        let _ = DateTimePrinter::new().precision(Some(3)).print_timestamp(&event.time, &mut time);
        // The text has milliseconds, and the time is what the text says.
        self.times.append_value(event.time.as_microsecond().div_euclid(1000) * 1000);
        let source = ["XmlWinEventLog:", kind.channel].concat();
        let [code, version, level, task, opcode] =
            [kind.event_id, kind.version.into(), kind.level.into(), kind.task.into(), kind.opcode.into()]
                .map(|number: u32| number.to_string());
        let record = event.record.to_string();
        let (process, thread) = (event.process_id.to_string(), event.thread_id.to_string());
        let values: [&str; HEADER.len()] = [
            &event.computer,
            "wineventlog",
            &source,
            &source,
            &code,
            &code,
            kind.channel,
            &event.computer,
            &time,
            &event.computer,
            kind.provider,
            kind.provider_guid,
            &version,
            &level,
            &task,
            &opcode,
            kind.keywords,
            &record,
            &record,
            &process,
            &thread,
        ];
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.set(self.rows, value)?;
        }
        let user = event.user_id.as_deref().map(|user| ("UserID", user));
        let data = event.data.iter().map(|(name, value)| (*name, value.as_ref()));
        for (name, value) in user.into_iter().chain(data).filter(|(_, value)| !value.is_empty()) {
            if let Some(column) = self.by_name.get(name).and_then(|&position| self.columns.get_mut(position)) {
                column.set(self.rows, value)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far.
    fn take(&mut self) -> io::Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        let times: ArrayRef = Arc::new(self.times.finish());
        let columns = std::iter::once(times).chain(self.columns.iter_mut().map(|column| column.finish(rows)));
        let columns = columns.collect();
        // Finishing takes the zone away with the values.
        self.times = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(io::Error::other)
    }
}

/// Whether the text is how the integer it stands for is printed, and a double holds it exactly.
fn is_number(text: &str) -> bool {
    text.len() <= 17 && text.parse::<i64>().is_ok_and(|number| number.abs() < 1 << 53 && number.to_string() == text)
}
