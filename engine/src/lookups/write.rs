//! Writing rows to files. A file is made beside the one it becomes and takes its place at once, so that nobody reads
//! half of it, and nothing is lost where writing fails.
//!
//! Source: Splunk Search Reference, "outputlookup", "outputcsv".

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Schema, TimestampMicrosecondType};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use spelunk_grammar::Diagnostic;

use super::stash::Stash;
use super::table::{SEVERAL, Table, encode, is_text};
use super::{Lookups, target};
use crate::values::{Value, format_epoch, text_at};

/// Rows that a search writes when it runs.
#[derive(Debug)]
pub struct Write {
    /// The rows, in their order.
    pub plan: LogicalPlan,
    /// The folder.
    pub folder: PathBuf,
    /// The name of the file in it.
    pub name: String,
    /// What the file holds.
    pub form: Form,
    /// What the user is told of it.
    pub note: Diagnostic,
}

/// What a file holds.
#[derive(Debug)]
pub enum Form {
    /// A table.
    Table(TableForm),
    /// Events, below those that are there.
    Stash(Stash),
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableForm {
    /// Below the rows that are there, and with their columns.
    pub append: bool,
    /// Whether no rows make a file too.
    pub create_empty: bool,
    /// Whether no rows take the place of a file.
    pub override_if_empty: bool,
    /// Whether several values stay several.
    pub several: bool,
}

impl Write {
    /// Writes the rows.
    ///
    /// # Errors
    /// The search fails, or the file cannot be written.
    pub async fn run(self, state: &SessionState, lookups: &Lookups) -> Result<(), String> {
        let path = target::path(&self.folder, &self.name).map_err(|reason| self.failed(&reason))?;
        let physical = state.create_physical_plan(&self.plan).await.map_err(|error| error.strip_backtrace())?;
        let schema = physical.schema();
        let context = Arc::new(TaskContext::from(state));
        let mut rows = execute_stream(physical, context).map_err(|error| error.strip_backtrace())?;
        let mut open: Option<Open> = None;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(|error| error.strip_backtrace())?;
            if batch.num_rows() == 0 {
                continue;
            }
            let file = match &mut open {
                Some(file) => file,
                None => open.insert(self.open(&path, &schema).map_err(|reason| self.failed(&reason))?),
            };
            file.write(&batch).map_err(|error| self.failed(&error))?;
        }
        let done = match open {
            Some(file) => file.finish(&path),
            None => self.without_rows(&path, &schema),
        };
        lookups.forget(&path);
        done.map_err(|reason| self.failed(&reason))
    }

    fn failed(&self, reason: &str) -> String {
        format!("cannot write {:?} in {}: {reason}", self.name, self.folder.display())
    }

    fn without_rows(&self, path: &Path, schema: &Schema) -> Result<(), String> {
        let Form::Table(form) = &self.form else { return Ok(()) };
        let there = path.is_file();
        if there && (form.append || !form.override_if_empty) {
            return Ok(());
        }
        if form.create_empty {
            return self.open(path, schema)?.finish(path);
        }
        if there {
            fs::remove_file(path).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn open(&self, path: &Path, schema: &Schema) -> Result<Open, String> {
        let temporary = Temporary::new(&self.folder, &self.name)?;
        let file = temporary.file.try_clone().map_err(|error| error.to_string())?;
        let out = match self.name.to_ascii_lowercase().ends_with(".gz") {
            true => Out::Gzip(Box::new(GzEncoder::new(BufWriter::new(file), Compression::default()))),
            false => Out::Plain(BufWriter::new(file)),
        };
        let fields: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let kind = match &self.form {
            Form::Stash(stash) => {
                let mut out = out;
                if path.is_file() {
                    let mut before = File::open(path).map_err(|error| error.to_string())?;
                    std::io::copy(&mut before, &mut out).map_err(|error| error.to_string())?;
                }
                Kind::Stash(out, stash.clone())
            }
            Form::Table(form) => Kind::Table(Box::new(TableWriter::new(out, path, *form, &fields)?)),
        };
        Ok(Open { temporary, fields, kind })
    }
}

/// A file that is not yet what it will be called.
struct Open {
    temporary: Temporary,
    fields: Vec<String>,
    kind: Kind,
}

enum Kind {
    Table(Box<TableWriter>),
    Stash(Out, Stash),
}

impl Open {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), String> {
        match &mut self.kind {
            Kind::Table(table) => table.write(batch, &self.fields),
            Kind::Stash(out, stash) => {
                for row in 0..batch.num_rows() {
                    let values: Vec<Value<'_>> =
                        batch.columns().iter().map(|column| Value::read(column.as_ref(), row)).collect();
                    let line = stash.line(&self.fields, &values);
                    writeln!(out, "{line}").map_err(|error| error.to_string())?;
                }
                Ok(())
            }
        }
    }

    fn finish(self, path: &Path) -> Result<(), String> {
        let out = match self.kind {
            Kind::Table(table) => table.csv.into_inner().map_err(|error| error.to_string())?,
            Kind::Stash(out, _) => out,
        };
        out.finish().map_err(|error| error.to_string())?;
        self.temporary.become_file(path)
    }
}

enum Out {
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

impl Out {
    fn finish(self) -> std::io::Result<()> {
        match self {
            Out::Plain(mut out) => out.flush(),
            Out::Gzip(out) => out.finish()?.flush(),
        }
    }
}

impl std::io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Out::Plain(out) => out.write(bytes),
            Out::Gzip(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Out::Plain(out) => out.flush(),
            Out::Gzip(out) => out.flush(),
        }
    }
}

/// A new file that is deleted unless it takes the place of another.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    fn new(folder: &Path, name: &str) -> Result<Self, String> {
        let mut reason = String::new();
        for _ in 0..8 {
            let path = folder.join(format!(".{name}.{:016x}.part", fastrand::u64(..)));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(reason)
    }

    fn become_file(self, path: &Path) -> Result<(), String> {
        self.file.sync_all().map_err(|error| error.to_string())?;
        fs::rename(&self.path, path).map_err(|error| error.to_string())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Once renamed it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

struct TableWriter {
    csv: csv::Writer<Out>,
    header: Vec<String>,
    several: bool,
}

impl TableWriter {
    fn new(out: Out, path: &Path, form: TableForm, fields: &[String]) -> Result<Self, String> {
        let before = match form.append && path.is_file() {
            true => Some(Table::read(path)?).filter(|table| !table.columns.is_empty()),
            false => None,
        };
        let header: Vec<String> = match &before {
            Some(table) => table.names().map(str::to_owned).collect(),
            None => fields.to_vec(),
        };
        if header.is_empty() {
            return Err("there is no field to write".to_owned());
        }
        // A file keeps the form that it has.
        let kept = before.as_ref().is_some_and(|table| table.columns.iter().any(|(_, values)| !is_text(values)));
        let mut writer = Self { csv: csv::Writer::from_writer(out), header, several: form.several || kept };
        let extra = writer.header.iter().filter(|_| writer.several).map(|name| format!("{SEVERAL}{name}"));
        let names: Vec<String> = writer.header.iter().cloned().chain(extra).collect();
        writer.csv.write_record(&names).map_err(|error| error.to_string())?;
        for row in 0..before.as_ref().map_or(0, |table| table.rows) {
            let cells = (0..writer.header.len()).map(|column| before.as_ref().map(|table| table.texts(column, row)));
            let cells: Vec<_> = cells.map(Option::unwrap_or_default).collect();
            writer.record(&cells)?;
        }
        Ok(writer)
    }

    fn write(&mut self, batch: &RecordBatch, fields: &[String]) -> Result<(), String> {
        let sources: Vec<Option<Arc<dyn Array>>> = self
            .header
            .iter()
            .map(|name| {
                let position = fields.iter().position(|field| field == name)?;
                batch.columns().get(position).map(Arc::clone)
            })
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<Vec<Cow<'_, str>>> = sources
                .iter()
                .map(|source| source.as_ref().map_or_else(Vec::new, |s| texts(s.as_ref(), row)))
                .collect();
            self.record(&cells)?;
        }
        Ok(())
    }

    fn record(&mut self, cells: &[Vec<Cow<'_, str>>]) -> Result<(), String> {
        let plain = cells.iter().map(|values| match values.as_slice() {
            [only] => Cow::Borrowed(only.as_ref()),
            values => Cow::Owned(values.join("\n")),
        });
        let extra = cells.iter().filter(|_| self.several).map(|values| match values.as_slice() {
            [] | [_] => Cow::Borrowed(""),
            values => Cow::Owned(encode(values)),
        });
        let record: Vec<Cow<'_, str>> = plain.chain(extra).collect();
        self.csv.write_record(record.iter().map(|cell| cell.as_bytes())).map_err(|error| error.to_string())
    }
}

/// The values in a cell as a file holds them: times in seconds since the epoch.
fn texts(column: &dyn Array, row: usize) -> Vec<Cow<'_, str>> {
    if column.is_null(row) {
        return Vec::new();
    }
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return vec![Cow::Owned(format_epoch(times.value(row)))];
    }
    if let Some(text) = text_at(column, row) {
        return vec![text];
    }
    match Value::read(column, row) {
        Value::Many(values) => values,
        Value::Text(text) => vec![text],
        other => other.text().map(|text| Cow::Owned(text.into_owned())).into_iter().collect(),
    }
}
