//! How results are written: what `run` and the shell take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the result is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The form of the result [default: by the name of --out, else table on a terminal, jsonl in a pipe]
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub output: Option<Form>,
    /// Write the result to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print at most N rows, and say so
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Leave out the summary line
    #[arg(short, long)]
    pub quiet: bool,
    /// Begin cells of CSV that a spreadsheet would run as a formula with `'`
    #[arg(long)]
    pub csv_safe: bool,
    /// Tables without lines and colours: tabs between the cells
    #[arg(long)]
    pub plain: bool,
    /// Do not page tables that are longer than the screen [default: $SPELUNK_PAGER, $PAGER or `less -RFXS` pages them]
    #[arg(long)]
    pub no_pager: bool,
    /// When to use colours [default: on terminals, unless NO_COLOR is set]
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, hide_default_value = true)]
    pub color: Colour,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On terminals, unless NO_COLOR is set
    Auto,
    /// Also in files and pipes
    Always,
    /// Not at all
    Never,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Fitted to the terminal
    Table,
    /// A header, then a line a row; null is empty, the empty string is "", values of a multivalue field are one a line
    Csv,
    /// One array of objects
    Json,
    /// One object a line
    Jsonl,
    /// Apache Parquet with zstd, to a file or a pipe
    Parquet,
    /// A table for issues and reports
    Markdown,
    /// A page that needs nothing else
    Html,
    /// CSV for Timesketch (JSON lines where --out ends in .jsonl): message, datetime, timestamp_desc, then the others
    Timesketch,
}
