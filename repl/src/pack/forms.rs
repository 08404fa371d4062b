//! Writes the report of a pack in every form.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::Value;
use spelunk_engine::values::Cell;

use crate::exit::{self, Failure};
use crate::render::RowRenderer;
use crate::render::csv::Csv;
use crate::render::html::{self, Html};
use crate::render::json::{self, Json, Layout};
use crate::render::markdown::{self, Markdown};
use crate::terminal;
use crate::validate::table::Look;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PackForm {
    /// Fitted to the terminal
    Table,
    /// A line a detection
    Csv,
    /// One object
    Json,
    /// One object a detection
    Jsonl,
    /// Tables for issues and reports
    Markdown,
    /// A page that needs nothing else
    Html,
    /// JUnit XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// A layer for the ATT&CK Navigator
    Navigator,
}

/// Rows with the names of their columns.
pub struct Rows {
    /// The names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Rows {
    /// These rows.
    pub fn new(columns: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        Self { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }
}

/// A report that can be written in every form.
pub trait Reported {
    /// Its title on a page.
    fn title(&self) -> &'static str;
    /// For people at a terminal.
    fn text(&self, look: Look) -> String;
    /// The table that people look at.
    fn shown(&self) -> Rows;
    /// What is told besides, line by line.
    fn notes(&self) -> Vec<String>;
    /// Every detection.
    fn all(&self) -> Rows;
    /// As one object.
    fn json(&self) -> Value;
    /// As JUnit XML.
    fn junit(&self) -> String;
    /// As SARIF.
    fn sarif(&self) -> Value;
    /// As a layer for the ATT&CK Navigator.
    fn layer(&self) -> Value;
}

/// Where a report goes.
pub struct Target {
    /// Its form; by the name of the file, else a table.
    pub form: Option<PackForm>,
    /// Its file, instead of standard output.
    pub file: Option<PathBuf>,
    /// A file for a layer of the ATT&CK Navigator besides.
    pub layer: Option<PathBuf>,
}

impl Target {
    /// Writes the report.
    ///
    /// # Errors
    /// What the output says.
    pub fn write(&self, report: &dyn Reported) -> Result<(), Failure> {
        if let Some(file) = &self.layer {
            std::fs::write(file, json::document(&report.layer())).map_err(|error| exit::at(file, &error))?;
        }
        match &self.file {
            Some(path) => {
                let file = File::create(path).map_err(|error| exit::at(path, &error))?;
                let mut out = BufWriter::new(file);
                write(&mut out, report, self.form(), None).map_err(|error| exit::at(path, &error))?;
                out.flush().map_err(|error| exit::at(path, &error))
            }
            None => {
                let look = Look { width: terminal::stdout_width(), colour: terminal::stdout_colour() };
                let mut out = BufWriter::new(io::stdout().lock());
                write(&mut out, report, self.form(), Some(look))?;
                Ok(out.flush()?)
            }
        }
    }

    fn form(&self) -> PackForm {
        let ending = self.file.as_ref().and_then(|file| file.extension()).and_then(|ending| ending.to_str());
        let named = match ending.unwrap_or_default() {
            "csv" => PackForm::Csv,
            "json" => PackForm::Json,
            "jsonl" => PackForm::Jsonl,
            "md" => PackForm::Markdown,
            "html" => PackForm::Html,
            "xml" => PackForm::Junit,
            "sarif" => PackForm::Sarif,
            _ => PackForm::Table,
        };
        self.form.unwrap_or(named)
    }
}

/// Writes a report in a form. `look` is that of standard output.
fn write(out: &mut impl Write, report: &dyn Reported, form: PackForm, look: Option<Look>) -> io::Result<()> {
    match form {
        PackForm::Table => out.write_all(report.text(look.unwrap_or(Look { width: None, colour: false })).as_bytes()),
        PackForm::Csv => {
            let Rows { columns, rows } = report.all();
            let on_terminal = look.is_some() && terminal::stdout_is_terminal();
            // Texts of logs and of packs from elsewhere end in spreadsheets.
            all(&mut Csv::guarded(out, &columns, on_terminal, true)?, &rows)
        }
        PackForm::Jsonl => {
            let Rows { columns, rows } = report.all();
            all(&mut Json::new(out, &columns, Layout::Lines), &rows)
        }
        PackForm::Json => out.write_all(json::document(&report.json()).as_bytes()),
        PackForm::Junit => out.write_all(report.junit().as_bytes()),
        PackForm::Sarif => out.write_all(json::document(&report.sarif()).as_bytes()),
        PackForm::Navigator => out.write_all(json::document(&report.layer()).as_bytes()),
        PackForm::Markdown => {
            let Rows { columns, rows } = report.shown();
            writeln!(out, "# {}\n", report.title())?;
            all(&mut Markdown::new(&mut *out, &columns)?, &rows)?;
            for line in report.notes() {
                writeln!(out, "\n{}", markdown::text(&line))?;
            }
            Ok(())
        }
        PackForm::Html => {
            let Rows { columns, rows } = report.shown();
            let mut page = Vec::new();
            all(&mut Html::new(&mut page, &columns)?, &rows)?;
            let page = String::from_utf8_lossy(&page);
            let page = page.strip_suffix(html::FOOT).unwrap_or(&page);
            let page = page.strip_prefix(html::HEAD).unwrap_or(page);
            write!(out, "{}<h1>{}</h1>\n{page}", html::HEAD, html::text(report.title()))?;
            for line in report.notes() {
                writeln!(out, "<p>{}</p>", html::text(&line))?;
            }
            out.write_all(html::FOOT.as_bytes())
        }
    }
}

fn all(renderer: &mut impl RowRenderer, rows: &[Vec<Cell>]) -> io::Result<()> {
    rows.iter().try_for_each(|row| renderer.row(row))?;
    renderer.finish()
}
