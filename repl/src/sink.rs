//! Where results go: the form, the file, the pager, and the last result, which a shell looks at again.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use jiff::tz::TimeZone;
use spelunk_engine::Language;
use spelunk_engine::values::Cell;

use crate::cli::{Colour, Form, OutputArgs};
use crate::exit::{self, Failure};
use crate::pager::Paged;
use crate::render::csv::Csv;
use crate::render::html::Html;
use crate::render::json::{Json, Layout};
use crate::render::markdown::Markdown;
use crate::render::parquet::Parquet;
use crate::render::plain::{self, Plain};
use crate::render::table::{self, Look, Table, VIEWS, View};
use crate::render::timesketch::{self, Timesketch};
use crate::render::{Renderer, Rows};
use crate::render::{fit, grid};
use crate::terminal;

/// Where a result goes, and how.
#[derive(Debug)]
pub struct Sink {
    pub(crate) form: Form,
    pub(crate) file: Option<PathBuf>,
    pub(crate) limit: Option<u64>,
    pub(crate) quiet: bool,
    /// Whether what could not be read is told after each search; the shell tells it when it opens.
    pub(crate) tell_damage: bool,
    /// How wide a table may be where there is no terminal; `None` where nothing needs to be cut.
    width: Option<usize>,
    /// How many rows a table shows.
    table_rows: usize,
    csv_safe: bool,
    pub(crate) plain: bool,
    /// How the rows of a table are laid out.
    view: View,
    /// Whether what is longer than the screen goes through a pager.
    pager: bool,
    /// The last result, where a shell wants to look at it again.
    pub(crate) last: Option<Mutex<Option<Kept>>>,
}

/// How many bytes of a result are kept.
pub(crate) const KEPT_BYTES: usize = 256 << 20;

/// A result that is looked at again.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The search that gave it.
    pub query: String,
    /// Its language.
    pub language: Language,
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// How many rows it had, kept or not.
    pub rows: u64,
    /// Whether rows were left out to keep memory small.
    pub cut: bool,
    /// Whether the search was ended before it had all rows.
    pub ended: bool,
    /// Whether the rows are raw events.
    pub events: bool,
    /// What was said of the search: warnings and notes, one line each.
    pub findings: Vec<String>,
}

/// The values of `_time` in rows, in microseconds.
pub fn times(rows: &RecordBatch) -> Vec<i64> {
    let times = rows.column_by_name("_time").and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    times.map_or_else(Vec::new, |times| times.iter().flatten().collect())
}

/// How many times of events are remembered, for a timeline of the session.
const TIMES: usize = 100_000;

impl Kept {
    /// When its events happened, in microseconds; none where it has other rows, or too many.
    pub fn times(&self) -> Vec<i64> {
        if !self.events || self.cut || self.rows > TIMES as u64 {
            return Vec::new();
        }
        self.all_times()
    }

    /// The values of `_time` in its rows, in microseconds.
    pub fn all_times(&self) -> Vec<i64> {
        self.batches.iter().flat_map(times).collect()
    }

    /// The names of its columns.
    pub fn columns(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }
}

impl Sink {
    /// As the user said.
    ///
    /// # Errors
    /// Parquet on a terminal.
    pub fn new(args: OutputArgs) -> Result<Self, Failure> {
        match args.color {
            // Who wants no lines wants no colours either.
            Colour::Auto if args.plain => terminal::decide_colour(false),
            Colour::Auto => {}
            Colour::Always => terminal::decide_colour(true),
            Colour::Never => terminal::decide_colour(false),
        }
        let plain = args.plain.then_some(Form::Table);
        let form = args.output.or(plain).unwrap_or_else(|| default_form(args.out.as_deref()));
        if args.plain && form != Form::Table {
            return Err(Failure::Usage("--plain is a form of tables: leave out --output".into()));
        }
        if args.csv_safe && !matches!(form, Form::Csv | Form::Timesketch) {
            return Err(Failure::Usage("--csv-safe guards cells of CSV: add --output csv".into()));
        }
        if form == Form::Parquet && args.out.is_none() && terminal::stdout_is_terminal() {
            return Err(Failure::Usage("Parquet is not for terminals: name a file with --out, or use a pipe".into()));
        }
        Ok(Self {
            form,
            file: args.out,
            limit: args.limit,
            quiet: args.quiet,
            tell_damage: true,
            width: None,
            table_rows: table::ROWS,
            csv_safe: args.csv_safe,
            plain: args.plain,
            view: View::Auto,
            pager: !args.no_pager,
            last: None,
        })
    }

    /// For a shell, which runs several searches.
    ///
    /// # Errors
    /// A form or file that has room for one result only.
    pub fn for_shell(args: OutputArgs) -> Result<Self, Failure> {
        if args.out.is_some() || args.output == Some(Form::Parquet) {
            return Err(Failure::Usage("--out and --output parquet are for one search: use `spelunk run`".into()));
        }
        let table_rows = if terminal::stdout_is_terminal() { table::SHELL_ROWS } else { table::ROWS };
        Ok(Self { table_rows, tell_damage: false, last: Some(Mutex::default()), ..Self::new(args)? })
    }

    /// A table on standard output, which is read by people even where it is no terminal.
    pub fn table() -> Self {
        Self {
            width: Some(100),
            form: Form::Table,
            file: None,
            limit: None,
            quiet: false,
            tell_damage: true,
            table_rows: table::ROWS,
            csv_safe: false,
            plain: false,
            view: View::Auto,
            pager: true,
            last: None,
        }
    }

    /// How results are shown, as `.set` names it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        vec![
            ("rows", self.table_rows.to_string()),
            ("limit", self.limit.map_or("none".to_owned(), |limit| limit.to_string())),
            ("quiet", switch(self.quiet)),
            ("csv-safe", switch(self.csv_safe)),
            ("pager", switch(self.pager)),
            ("view", self.view_name().to_owned()),
        ]
    }

    /// How rows are laid out, as `.set` names it.
    pub fn view_name(&self) -> &'static str {
        VIEWS.iter().find(|(_, view)| *view == self.view).map_or("auto", |(name, _)| *name)
    }

    /// Changes how results are shown.
    ///
    /// # Errors
    /// A name or value that is not known.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let switch = || match value {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(format!("{name} is on or off")),
        };
        match name {
            "rows" => match value.parse() {
                Ok(rows) if rows > 0 => self.table_rows = rows,
                _ => return Err("rows is how many rows a table shows, such as 200".to_owned()),
            },
            "limit" if value == "none" => self.limit = None,
            "limit" => match value.parse() {
                Ok(limit) => self.limit = Some(limit),
                Err(_) => return Err("limit is a number of rows, or none".to_owned()),
            },
            "quiet" => self.quiet = switch()?,
            "csv-safe" => self.csv_safe = switch()?,
            "pager" => self.pager = switch()?,
            "view" => match VIEWS.iter().find(|(name, _)| *name == value) {
                Some((_, view)) => self.view = *view,
                None => return Err("view is auto, grid, records or list".to_owned()),
            },
            _ => {
                let known: Vec<&str> = self.settings().iter().map(|(name, _)| *name).collect();
                return Err(format!("there is no setting {}: {}", crate::escape::line(name), known.join(", ")));
            }
        }
        Ok(())
    }

    /// The last result, where it is kept.
    pub fn last(&self) -> Option<Kept> {
        self.kept().and_then(|kept| kept.clone())
    }

    /// The last result, or the place for it.
    pub(crate) fn kept(&self) -> Option<MutexGuard<'_, Option<Kept>>> {
        Some(self.last.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A table that the shell has to say, as results are shown.
    pub fn sheet(&self, columns: &[String], rows: &[Vec<Cell>]) -> String {
        match self.plain {
            true => plain::draw(columns, rows),
            false => grid::draw_all(columns, rows, terminal::stdout_width(), terminal::stdout_colour()),
        }
    }

    /// Shows a text for people, as tables are shown: through the pager if it is longer than the screen.
    ///
    /// # Errors
    /// What the output says.
    pub fn say(&self, text: &str) -> io::Result<()> {
        let narrow = terminal::stdout_width().filter(|width| terminal::stdout_is_terminal() && *width < fit::LEAST);
        let text = narrow.map_or_else(|| text.to_owned(), |width| fit::narrow(text, width));
        let mut out: Box<dyn Write> = match self.pager && terminal::stdout_is_terminal() {
            true => Box::new(Paged::default()),
            false => Box::new(io::stdout()),
        };
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Shows a kept result again.
    ///
    /// # Errors
    /// What the output says.
    pub fn show(&self, kept: &Kept, zone: TimeZone) -> Result<(), Failure> {
        let mut renderer = self.renderer(&kept.schema, kept.events, zone)?;
        for batch in &kept.batches {
            renderer.batch(batch)?;
        }
        Ok(renderer.finish()?)
    }

    /// Writes a kept result to a file, in the form that its name asks for; one that is there stays as it is.
    ///
    /// # Errors
    /// A name without a form, a file that is there, what the output says.
    pub fn save(&self, kept: &Kept, path: &Path, zone: TimeZone) -> Result<(), Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        let form = match ending.as_str() {
            "csv" => Form::Csv,
            "json" => Form::Json,
            "jsonl" => Form::Jsonl,
            "parquet" => Form::Parquet,
            "md" => Form::Markdown,
            "html" => Form::Html,
            "txt" => Form::Table,
            _ => {
                let message = "the name of the file tells its form: .csv, .json, .jsonl, .parquet, .md, .html or .txt";
                return Err(Failure::Usage(message.into()));
            }
        };
        // Evidence and earlier results are not written over.
        drop(File::create_new(path).map_err(|error| exit::at(path, &error))?);
        let sink = Self {
            form,
            file: Some(path.to_owned()),
            last: None,
            plain: false,
            width: None,
            view: View::Auto,
            ..*self
        };
        sink.show(kept, zone)
    }

    /// What draws a result of these columns.
    ///
    /// # Errors
    /// What the output says.
    pub(crate) fn renderer(
        &self,
        schema: &SchemaRef,
        events: bool,
        zone: TimeZone,
    ) -> Result<Box<dyn Renderer + Send>, Failure> {
        let out: Box<dyn Write + Send> = match &self.file {
            Some(path) => Box::new(File::create(path).map_err(|error| exit::at(path, &error))?),
            None if self.form == Form::Table && self.pager && terminal::stdout_is_terminal() => {
                Box::new(Paged::default())
            }
            None => Box::new(io::stdout()),
        };
        let out = BufWriter::with_capacity(64 << 10, out);
        let to_terminal = self.file.is_none() && terminal::stdout_is_terminal();
        let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let as_lines = self.file.as_ref().and_then(|path| path.extension()).is_some_and(|ending| ending == "jsonl");
        Ok(match self.form {
            Form::Table if self.plain => Box::new(Rows::new(Plain::new(out, &columns)?, zone)),
            Form::Table => {
                let look = Look {
                    width: if self.file.is_none() { terminal::stdout_width().or(self.width) } else { None },
                    colour: self.file.is_none() && terminal::stdout_colour(),
                    rows: self.table_rows,
                    events,
                    numbered: self.last.is_some() && to_terminal,
                    view: self.view,
                };
                let table = Table::new(out, columns, look);
                let table = if to_terminal { table.with_timeline(zone.clone()) } else { table };
                Box::new(Rows::new(table, zone))
            }
            Form::Csv => Box::new(Rows::new(Csv::guarded(out, &columns, to_terminal, self.csv_safe)?, zone)),
            Form::Json => Box::new(Rows::new(Json::new(out, &columns, Layout::Array), zone)),
            Form::Jsonl => Box::new(Rows::new(Json::new(out, &columns, Layout::Lines), zone)),
            Form::Parquet => Box::new(Parquet::new(out, Arc::clone(schema))?),
            Form::Markdown => Box::new(Rows::new(Markdown::new(out, &columns)?, zone)),
            Form::Html if events => {
                Box::new(Rows::new(Html::new(out, &columns)?.with_timeline(&columns, zone.clone()), zone))
            }
            Form::Html => Box::new(Rows::new(Html::new(out, &columns)?, zone)),
            Form::Timesketch => {
                let asked = timesketch::columns(&columns);
                if as_lines {
                    let json = Json::new(out, &asked, Layout::Lines);
                    Box::new(Rows::new(Timesketch::new(json, &columns), zone))
                } else {
                    let csv = Csv::guarded(out, &asked, to_terminal, self.csv_safe)?;
                    Box::new(Rows::new(Timesketch::new(csv, &columns), zone))
                }
            }
        })
    }
}

/// The form that the file's name asks for; a table for people, lines for programs.
fn default_form(file: Option<&Path>) -> Form {
    let Some(file) = file else {
        return if terminal::stdout_is_terminal() { Form::Table } else { Form::Jsonl };
    };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Form::Csv,
        Some("json") => Form::Json,
        Some("parquet") => Form::Parquet,
        Some("md") => Form::Markdown,
        Some("html") => Form::Html,
        Some("txt") => Form::Table,
        _ => Form::Jsonl,
    }
}
