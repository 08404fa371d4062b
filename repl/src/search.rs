//! Runs one search and writes its result: what `run`, `demo` and the shell share.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use spelunk_engine::functions::pattern;
use spelunk_engine::ingest::ReadReport;
use spelunk_engine::plan::possible::Possible;
use spelunk_engine::store::scans::Scans;
use spelunk_engine::{Error, Search, Session};

use crate::cli::{Form, OutputArgs};
use crate::diagnostics;
use crate::exit::{self, Exit, Failure};
use crate::interrupt::Interrupt;
use crate::render::csv::Csv;
use crate::render::json::{Json, Layout};
use crate::render::parquet::Parquet;
use crate::render::table::{self, Look, Table};
use crate::render::{Renderer, Rows};
use crate::report::{self, Cost};
use crate::terminal;

/// Where a result goes, and how.
#[derive(Debug)]
pub struct Sink {
    form: Form,
    file: Option<PathBuf>,
    limit: Option<u64>,
    quiet: bool,
    /// Whether what could not be read is told after each search; the shell tells it when it opens.
    tell_damage: bool,
    /// How wide a table may be where there is no terminal; `None` where nothing needs to be cut.
    width: Option<usize>,
    /// How many rows a table shows.
    table_rows: usize,
}

impl Sink {
    /// As the user said.
    ///
    /// # Errors
    /// Parquet on a terminal.
    pub fn new(args: OutputArgs) -> Result<Self, Failure> {
        let form = args.output.unwrap_or_else(|| default_form(args.out.as_deref()));
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
        Ok(Self { table_rows, tell_damage: false, ..Self::new(args)? })
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
        }
    }

    fn renderer(&self, search: &Search, session: &Session) -> Result<Box<dyn Renderer + Send>, Failure> {
        let out: Box<dyn Write + Send> = match &self.file {
            Some(path) => Box::new(File::create(path).map_err(|error| exit::at(path, &error))?),
            None => Box::new(io::stdout()),
        };
        let out = BufWriter::with_capacity(64 << 10, out);
        let to_terminal = self.file.is_none() && terminal::stdout_is_terminal();
        let columns: Vec<String> = search.schema.fields().iter().map(|field| field.name().clone()).collect();
        let zone = session.options().time_zone.clone();
        Ok(match self.form {
            Form::Table => {
                let look = Look {
                    width: if self.file.is_none() { terminal::stdout_width().or(self.width) } else { None },
                    colour: self.file.is_none() && terminal::stdout_colour(),
                    rows: self.table_rows,
                    events: search.events,
                };
                Box::new(Rows::new(Table::new(out, columns, look), zone))
            }
            Form::Csv => Box::new(Rows::new(Csv::new(out, &columns, to_terminal)?, zone)),
            Form::Json => Box::new(Rows::new(Json::new(out, &columns, Layout::Array), zone)),
            Form::Jsonl => Box::new(Rows::new(Json::new(out, &columns, Layout::Lines), zone)),
            Form::Parquet => Box::new(Parquet::new(out, Arc::clone(&search.schema))?),
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
        Some("txt") => Form::Table,
        _ => Form::Jsonl,
    }
}

/// Runs a search, writes its result, and says what it cost and what could not be read.
///
/// # Errors
/// A wrong query, an input that cannot be read at all, a failure while running or writing, Ctrl-C.
pub async fn run(
    session: &Arc<Session>,
    query: &str,
    sink: &Arc<Sink>,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let started = Instant::now();
    let given_up = pattern::given_up();
    let (searched, text, target) = (Arc::clone(session), query.to_owned(), Arc::clone(sink));
    let done = interrupt.guard(move || write(searched, text, target)).await??;
    if done.cut {
        let limit = report::count(done.rows, "row");
        terminal::say(&format!("the first {limit}; --limit left out the others"));
    }
    let stores = done.scans.read();
    let cost =
        Cost { rows: done.rows, elapsed: started.elapsed(), read: done.read, stores, peak: report::peak_memory() };
    if !sink.quiet && (terminal::stderr_is_terminal() || !done.report.files.is_empty()) {
        terminal::summary(&report::summary(&cost, &done.report));
    }
    let given_up = pattern::given_up().saturating_sub(given_up);
    if given_up > 0 {
        let values = report::count(given_up, "value");
        terminal::warning(&format!("a regular expression needed too many steps on {values}, which count as no match"));
    }
    if !session.inputs().is_empty() && done.report.files.is_empty() {
        terminal::warning("there is no file in the folders that were named");
    }
    if sink.tell_damage {
        tell_damage(&done.report);
    }
    // What shows only when a file of a store is opened is told whenever it is.
    if let Some(warning) = report::torn(&done.scans) {
        if session.options().strict {
            return Err(Failure::Runtime(warning));
        }
        terminal::warning(&warning);
        return Ok(Exit::Partial);
    }
    Ok(completeness(&done.report))
}

/// Warns of what could not be read.
pub fn tell_damage(report: &ReadReport) {
    for warning in report::warnings(report) {
        terminal::warning(&warning);
    }
}

/// Whether all input could be read.
pub fn completeness(report: &ReadReport) -> Exit {
    if report::damaged(report).next().is_some() { Exit::Partial } else { Exit::Ok }
}

struct Done {
    rows: u64,
    /// Whether the limit left out rows.
    cut: bool,
    report: Arc<ReadReport>,
    scans: Arc<Scans>,
    read: Duration,
}

async fn write(session: Arc<Session>, query: String, sink: Arc<Sink>) -> Result<Done, Failure> {
    let failed = |error: Error| Failure::Search(error, query.clone());
    let found = match sink.form {
        Form::Table => session.listing(&query).await,
        Form::Parquet => session.export(&query).await,
        Form::Csv | Form::Json | Form::Jsonl => session.search(&query).await,
    };
    let mut search = found.map_err(failed)?;
    diagnostics::print_all(&search.diagnostics, &query);
    let mut renderer = sink.renderer(&search, &session)?;
    let (mut rows, mut cut) = (0, false);
    while let Some(batch) = search.stream.next().await {
        let batch = batch.map_err(|error| failed(error.into()))?;
        let room = usize::try_from(sink.limit.unwrap_or(u64::MAX) - rows).unwrap_or(usize::MAX);
        let taken = batch.num_rows().min(room);
        cut = taken < batch.num_rows();
        if taken > 0 {
            renderer.batch(&batch.slice(0, taken))?;
            rows += taken as u64;
        }
        if cut {
            break;
        }
    }
    renderer.finish()?;
    let late: Vec<_> = search.possible.iter().filter_map(Possible::found).collect();
    diagnostics::print_all(&late, &query);
    Ok(Done { rows, cut, report: search.report, scans: search.scans, read: search.read_time })
}
