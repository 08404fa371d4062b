//! The command line: what can be said, and how it is explained.

mod packs;
mod trials;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub use packs::{CoverageArgs, HuntArgs, LintArgs, TestArgs};
pub use trials::{CompareArgs, CompareForm, ValidateArgs, ValidateForm};

const EXIT_CODES: &str = "\
Exit codes:
  0    it worked; a closed pipe counts as that
  1    it failed while running, or a checked query has an error
  2    the command line or the query is wrong
  3    the result is there, but part of the input could not be read
  130  interrupted";

const EXAMPLES: &str = "\
Examples:
  spelunk run 'EventCode=1 | stats count by Image' ./logs
  spelunk run --file detection.spl ./logs --output csv > result.csv
  zcat events.jsonl.gz | spelunk run 'error | top host' -
  spelunk run '| makeresults | eval a=1'
  spelunk index -o ./store ./logs
  spelunk check ./detections
  spelunk validate detection.spl --output junit > report.xml
  spelunk compare old.spl new.spl ./logs
  spelunk help stats
  spelunk demo
  spelunk ./logs

Exit codes:
  0    it worked; a closed pipe counts as that
  1    it failed while running, or a checked query has an error
  2    the command line or the query is wrong
  3    the result is there, but part of the input could not be read
  130  interrupted";

/// Runs published Splunk searches on your log files, without Splunk.
///
/// Name a search and some files or folders: EVTX, Windows event XML, JSON, CSV, Parquet and text logs are recognised by
/// what is in them, compressed or not. Without a command, PATHs are opened in the shell, with the options of
/// `spelunk repl`.
#[derive(Debug, Parser)]
#[command(
    name = "spelunk",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The shell, where no command is named.
    #[command(flatten)]
    pub shell: ShellArgs,
}

impl Cli {
    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// A wrong command line, or a request for help; both print themselves.
    pub fn read() -> Result<Self, clap::Error> {
        Cli::from_arg_matches(&Cli::definition().try_get_matches()?)
    }

    /// What can be said.
    pub fn definition() -> clap::Command {
        // The help of `spelunk repl` shows the shell's options; here they would bury the commands.
        Cli::command().mut_args(|arg| {
            let shown = ["help", "version", "paths"].contains(&arg.get_id().as_str());
            arg.hide(!shown)
        })
    }
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a search over logs and print its result
    Run(RunArgs),
    /// Open logs in the interactive shell
    Repl(ShellArgs),
    /// Parse and plan searches without running them
    Check(CheckArgs),
    /// Run a pack of detections over logs, and report what they find
    Hunt(HuntArgs),
    /// Say which detections of a pack can find anything in logs, and what the others miss
    Coverage(CoverageArgs),
    /// Run the tests that detections bring along
    Test(TestArgs),
    /// Put detections on trial against known attacks and look-alikes
    Validate(ValidateArgs),
    /// Show what one detection finds and another does not, and why
    Compare(CompareArgs),
    /// Show how a search would be run
    Explain(ExplainArgs),
    /// Load logs into a store, which is searched at the speed of the machine
    Index(IndexArgs),
    /// Run a published detection on a bundled attack scenario
    Demo(DemoArgs),
    /// Write generated Windows telemetry
    Generate(GenerateArgs),
    /// Explain a command or function of SPL, a function of LogScale, or a command of spelunk
    Help(HelpArgs),
}

const RUN_HELP: &str = "\
QUERY is the first argument, unless --file names a file that holds it (`--file -` reads standard input).
Every further argument is a PATH: a file, a folder (read recursively) or `-` for standard input.
Without a PATH there is no data, which suits searches that begin with `| makeresults`.

The result goes to standard output. Warnings, the summary line and what could not be read go to standard error.

Examples:
  spelunk run 'EventCode=4688 | stats count by NewProcessName | sort - count' Security.evtx
  spelunk run --file detection.spl --index main=./logs --earliest -7d@d --now 2019-06-21T07:35:37Z
  spelunk run '* | table _time host Image' ./logs --output parquet --out result.parquet
  spelunk run --why 'image=*cmd.exe' ./logs
  spelunk run 'EventCode=1' ./logs --output timesketch --out timeline.csv
  cat app.log | spelunk run 'level=error | timechart count' -";

/// `spelunk run`
#[derive(Debug, Args)]
#[command(after_help = format!("{RUN_HELP}\n\n{EXIT_CODES}"))]
pub struct RunArgs {
    /// The search, then what to search
    #[arg(value_name = "QUERY] [PATH")]
    pub words: Vec<OsString>,
    /// Read the search from FILE (`-`: standard input); then every argument is a PATH
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Tell on standard error how many rows get through each pipe, and what takes the last one; the logs stay in
    /// memory for that
    #[arg(long)]
    pub why: bool,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
    /// How the result is written.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What is searched, and how it is read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// The language of the search
    #[arg(long, value_enum, default_value_t = Language::Spl)]
    pub lang: Language,
    /// Show the events of one telemetry under the names of another
    #[arg(long, value_enum, default_value_t = View::Auto)]
    pub view: View,
    /// Search PATH as the index NAME; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse_index)]
    pub index: Vec<Index>,
    /// The sourcetype of all events, instead of the one their format suggests
    #[arg(long, value_name = "NAME")]
    pub sourcetype: Option<String>,
    /// The host of all events, instead of the one they name
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// Search events from this time on, where the search names none: `-24h@h`, `2019-06-20T00:00:00`, epoch seconds
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub earliest: Option<String>,
    /// Search events before this time, where the search names none
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub latest: Option<String>,
    /// The time that `now()` and relative times mean: RFC 3339, `real` for the clock's, or `latest` for that of the
    /// latest event
    #[arg(long, value_name = "TIME", default_value = "real", hide_default_value = true, value_parser = parse_now)]
    pub now: Now,
    /// The zone in which times are read and shown: `UTC`, `local`, `Europe/Berlin`, `+02:00`
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true, value_parser = parse_zone)]
    pub tz: jiff::tz::TimeZone,
    /// Read the knowledge of an app from the folder PATH: macros, event types, tags, fields, lookups, saved searches and
    /// data models; or a folder of published detections with its macros and lookups; may be repeated
    #[arg(long, value_name = "PATH")]
    pub app: Vec<PathBuf>,
    /// Read search macros from FILE: a macros.conf, the folder of an app, or YAML files; may be repeated
    #[arg(long, value_name = "FILE")]
    pub macros: Vec<PathBuf>,
    /// Read saved searches from FILE: a savedsearches.conf, or the folder of an app; may be repeated
    #[arg(long, value_name = "FILE")]
    pub savedsearches: Vec<PathBuf>,
    /// Give the parameter ?NAME of a LogScale query a value; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub param: Vec<(String, String)>,
    /// Read saved queries of LogScale from PATH: a .cql file, an exported query in YAML, or a folder of them, in which
    /// `$package:query()` is package/query.cql; may be repeated
    #[arg(long, value_name = "PATH")]
    pub saved_queries: Vec<PathBuf>,
    /// Read lookups from PATH: a CSV file, a folder of them, the folder of an app, or definitions in YAML; may be repeated
    #[arg(long, value_name = "PATH")]
    pub lookups: Vec<PathBuf>,
    /// Let `outputlookup`, `outputcsv` and `collect` write files to DIR, where later searches find them
    #[arg(long, value_name = "DIR")]
    pub allow_write: Option<PathBuf>,
    /// The MaxMind database that `iplocation` asks, such as GeoLite2-City.mmdb [default: the file $SPELUNK_GEOIP names]
    #[arg(long, value_name = "FILE")]
    pub geoip: Option<PathBuf>,
    /// Use at most so much memory, such as 800MB or 2GiB; sorts and aggregates then write to files [default: 60% of
    /// the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The folder for these files [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub temp: Option<PathBuf>,
    /// Forgive nothing: damaged input is an error, index and sourcetype mean what they say, extensions of LogScale's
    /// language are refused
    #[arg(long)]
    pub strict: bool,
}

/// A query language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Splunk's Search Processing Language
    Spl,
    /// CrowdStrike's LogScale (CQL)
    Logscale,
}

/// Which view serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// The one whose names the search uses, where it names fields that only the other telemetry has; a note says so
    Auto,
    /// None: events have the fields that they were recorded with
    None,
    /// Windows events (Sysmon, Security and others) always have Falcon's names too: ImageFileName, ParentBaseFileName
    Falcon,
    /// Falcon events always have Sysmon's names too: EventCode, Image, ParentImage
    Sysmon,
}

/// What `now()` and relative times mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// The clock's time.
    Real,
    /// The time of the latest event, for old evidence.
    Latest,
    /// That time.
    At(jiff::Timestamp),
}

/// `--index NAME=PATH`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The index.
    pub name: String,
    /// What it holds.
    pub path: PathBuf,
}

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

const CHECK_HELP: &str = "\
Reads searches from:
  .spl                 the whole file is one search
  .cql .logscale       the whole file is one LogScale query
  .yml .yaml           a detection with a `search:` key
  savedsearches.conf   the `search` of every stanza (any .conf file that is named itself)
  .jsonl               lines of {\"id\", \"query\", \"lang\"}
A folder is read recursively. No data is needed: without --data, every field is assumed to exist.

With --output jsonl, each search gives a line
  {\"id\",\"file\",\"parse\":\"ok|error\",\"plan\":\"ok|error|skipped\",\"code\",\"message\",\"line\",\"column\"}
where line and column count within the search; with --lint or --data also \"warnings\", a list of
  {\"code\",\"message\",\"line\",\"column\"}
`spelunk check` exits with 1 if any search has an error; warnings change nothing.

Examples:
  spelunk check detection.spl
  spelunk check --app ./security_content ./security_content/detections
  spelunk check --lint --data ./logs detection.spl
  spelunk check ./security_content/detections --output jsonl | jq -c 'select(.plan==\"error\")'";

/// `spelunk check`
#[derive(Debug, Args)]
#[command(after_help = CHECK_HELP)]
pub struct CheckArgs {
    /// Files and folders of searches
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Read the knowledge of an app from the folder PATH: macros, event types, tags, fields, lookups, saved searches and
    /// data models; or a folder of published detections with its macros and lookups; may be repeated
    #[arg(long, value_name = "PATH")]
    pub app: Vec<PathBuf>,
    /// Read search macros from FILE: a macros.conf, the folder of an app, or YAML files; may be repeated
    #[arg(long, value_name = "FILE")]
    pub macros: Vec<PathBuf>,
    /// Read saved searches from FILE: a savedsearches.conf, or the folder of an app; without any, every saved search is assumed to exist; may be repeated
    #[arg(long, value_name = "FILE")]
    pub savedsearches: Vec<PathBuf>,
    /// Give the parameter ?NAME of LogScale queries a value; without, one is assumed; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub param: Vec<(String, String)>,
    /// Read saved queries of LogScale from PATH; those that are not there are assumed to exist; may be repeated
    #[arg(long, value_name = "PATH")]
    pub saved_queries: Vec<PathBuf>,
    /// Refuse what is no part of the vendor's LogScale language
    #[arg(long)]
    pub strict: bool,
    /// Read lookups from PATH; without any, every lookup is assumed to exist; may be repeated
    #[arg(long, value_name = "PATH")]
    pub lookups: Vec<PathBuf>,
    /// How the findings are written
    #[arg(short, long, value_enum, default_value_t = CheckForm::Text, value_name = "FORM")]
    pub output: CheckForm,
    /// What is looked for besides mistakes.
    #[command(flatten)]
    pub lint: LintArgs,
}

/// How the findings of a check are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// What is wrong, with the place, and a summary
    Text,
    /// One object a search
    Jsonl,
}

const EXPLAIN_HELP: &str = "\
Shows the search in canonical form, DataFusion's optimised logical plan, and its physical plan; of stores also which
files the search opens, and why it leaves out the others.

Example:
  spelunk explain 'EventCode=1 | stats count by Image' ./logs";

/// `spelunk explain`
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_HELP)]
pub struct ExplainArgs {
    /// The search, then what it would search
    #[arg(value_name = "QUERY] [PATH")]
    pub words: Vec<OsString>,
    /// Read the search from FILE (`-`: standard input); then every argument is a PATH
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
}

const INDEX_HELP: &str = "\
Every event is kept with all its fields and its text. The store is a folder of Parquet files, one folder a shape of
events, sorted by time, and a manifest. A search names it like a folder of logs, gives the same result as over the
logs, and opens only the files that can matter; `spelunk explain` shows which these are.

Indexing into a store that is there adds to it. A file whose content was added before adds nothing, whatever it is
called. What was interrupted leaves the store as it was at the last commit. The logs are only read.

Examples:
  spelunk index -o ./store ./logs
  spelunk index -o ./store --index firewall=./fw --tz Europe/Berlin ./more-logs
  spelunk run 'EventCode=1 Image=*\\\\powershell.exe' ./store";

/// `spelunk index`
#[derive(Debug, Args)]
#[command(after_help = format!("{INDEX_HELP}\n\n{EXIT_CODES}"))]
pub struct IndexArgs {
    /// The folder of the store, which is made if it is not there
    #[arg(short, long, value_name = "STORE")]
    pub output: PathBuf,
    /// Files and folders of logs
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Give the events of PATH the index NAME; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = parse_index)]
    pub index: Vec<Index>,
    /// The sourcetype of all events, instead of the one their format suggests
    #[arg(long, value_name = "NAME")]
    pub sourcetype: Option<String>,
    /// The host of all events, instead of the one they name
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The zone of times that name none: `UTC`, `local`, `Europe/Berlin`, `+02:00`
    #[arg(long, value_name = "ZONE", default_value = "UTC", allow_hyphen_values = true, value_parser = parse_zone)]
    pub tz: jiff::tz::TimeZone,
    /// Use about so much memory, such as 800MB or 2GiB; more of it makes fewer, larger files [default: 60% of the
    /// machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The most events of a row group: fewer are left out more precisely, more are compressed better [default: 131072]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub row_group: Option<u32>,
    /// Forgive nothing: damaged input is an error, and nothing is added
    #[arg(long)]
    pub strict: bool,
    /// Leave out the summary line
    #[arg(short, long)]
    pub quiet: bool,
}

/// `spelunk demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Use at most so much memory, such as 800MB or 2GiB [default: 60% of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The folder for what does not fit into that [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub temp: Option<PathBuf>,
    /// Write the logs to DIR and keep them, instead of a temporary folder
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

const GENERATE_HELP: &str = "\
The same seed gives the same events.

Example:
  spelunk generate --events 1000000 --seed 7 --format jsonl --out events.jsonl";

/// `spelunk generate`
#[derive(Debug, Args)]
#[command(after_help = GENERATE_HELP)]
pub struct GenerateArgs {
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub events: u64,
    /// What the random choices begin with
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The form of the events
    #[arg(long, value_enum, default_value_t = Telemetry::Jsonl)]
    pub format: Telemetry,
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A form of generated events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Telemetry {
    /// A Windows event log
    Evtx,
    /// Windows event XML, one event a line
    Xml,
    /// JSON, one event a line
    Jsonl,
    /// Apache Parquet, with the columns that searches see
    Parquet,
}

const NAME_HELP: &str = "\
Examples:
  spelunk help stats
  spelunk help mvindex
  spelunk help groupBy
  spelunk help run";

/// `spelunk help`
#[derive(Debug, Args)]
#[command(after_help = NAME_HELP)]
pub struct HelpArgs {
    /// What to explain
    pub name: Option<String>,
}

const SHELL_HELP: &str = "\
A search may span lines: Enter continues it while a quote or bracket is open or it ends in `|`, `\\`, a comma or an
operator, and submits it otherwise; Enter on an empty line, Ctrl-J and F5 always submit. Alt-Enter begins a new line, Tab
completes, F1 explains the word at the cursor, Ctrl-X Ctrl-E opens the search in $VISUAL or $EDITOR. Ctrl-C cancels the
running search, Ctrl-D leaves.

When standard input is not a terminal, searches are read from it without a prompt: a line that ends in `;`, an empty
line or the end of input ends a search. The exit code is that of the last search.

Words that begin with a dot are commands of the shell; `.help` names them: .why, .step, .fields, .show, .save and others.

Examples:
  spelunk repl ./logs
  spelunk repl --now latest ./old-evidence
  spelunk repl ./logs < searches.txt";

/// `spelunk repl`
#[derive(Debug, Args)]
#[command(after_help = SHELL_HELP)]
pub struct ShellArgs {
    /// Files and folders to search
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
    /// How the result is written.
    #[command(flatten)]
    pub output: OutputArgs,
}

fn parse_index(text: &str) -> Result<Index, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok(Index { name: name.to_owned(), path: PathBuf::from(path) })
        }
        _ => Err("expected NAME=PATH, for example main=./logs".to_owned()),
    }
}

/// `name=value`; the value may be empty.
fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().trim_start_matches('?').to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE, for example user=admin*".to_owned()),
    }
}

/// `800MB`, `1.5 GiB`, `1073741824`
fn parse_size(text: &str) -> Result<usize, String> {
    const UNITS: [(&str, f64); 8] = [
        ("kib", 1024.0),
        ("mib", 1_048_576.0),
        ("gib", 1_073_741_824.0),
        ("tib", 1_099_511_627_776.0),
        ("kb", 1e3),
        ("mb", 1e6),
        ("gb", 1e9),
        ("tb", 1e12),
    ];
    let lower = text.trim().to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(name, bytes)| Some((lower.strip_suffix(name)?, *bytes)));
    let (number, bytes) = unit.unwrap_or((lower.strip_suffix('b').unwrap_or(&lower), 1.0));
    let size = number.trim_end().parse::<f64>().map(|number| number * bytes);
    let least = spelunk_engine::memory::LEAST;
    match size {
        Ok(size) if size >= least as f64 && size < 1e18 => Ok(size as usize),
        Ok(size) if size.is_finite() && size < 1e18 => {
            Err(format!("the least is {}", crate::report::bytes(least as u64)))
        }
        _ => Err("expected a number of bytes, or one with a unit: 800MB, 2GiB".to_owned()),
    }
}

/// `real`, `latest`, `2019-06-21T07:35:37Z`
///
/// # Errors
/// Anything else.
pub fn parse_now(text: &str) -> Result<Now, String> {
    match text {
        "real" => Ok(Now::Real),
        "latest" => Ok(Now::Latest),
        _ => text
            .parse()
            .map(Now::At)
            .map_err(|error| format!("expected real, latest or a time like 2019-06-21T07:35:37Z: {error}")),
    }
}

/// A zone by name or offset.
///
/// # Errors
/// A name that is not known.
pub fn parse_zone(text: &str) -> Result<jiff::tz::TimeZone, String> {
    use jiff::tz::TimeZone;
    if text.eq_ignore_ascii_case("local") {
        return Ok(TimeZone::system());
    }
    if let Some(offset) = parse_offset(text) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(text)
        .map_err(|_| "expected UTC, local, an IANA name like Europe/Berlin, or an offset like +02:00".to_owned())
}

/// `+02:00`, `-0530`, `+2`
fn parse_offset(text: &str) -> Option<jiff::tz::Offset> {
    let (sign, digits) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let hours: i32 = hours.parse().ok().filter(|hours| (0..=25).contains(hours))?;
    let minutes: i32 = minutes.parse().ok().filter(|minutes| (0..60).contains(minutes))?;
    jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn zones() {
        assert!(parse_zone("Europe/Berlin").is_ok());
        assert!(parse_zone("local").is_ok());
        assert!(parse_zone("Nowhere/Land").is_err());
        for text in ["+02:00", "+0200", "+2"] {
            assert_eq!(parse_offset(text).unwrap().seconds(), 7200, "{text}");
        }
        assert_eq!(parse_offset("-05:30").unwrap().seconds(), -19800);
        assert_eq!(parse_offset("+99:00"), None);
        assert_eq!(parse_offset("+1:-5"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("800MB"), Ok(800_000_000));
        assert_eq!(parse_size("1.5 gib"), Ok(3 << 29));
        assert_eq!(parse_size("1073741824"), Ok(1 << 30));
        for text in ["", "GiB", "-1GiB", "1 GiB of it", "inf", "nan", "1e30GiB", "12", "1MB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn indexes() {
        assert_eq!(parse_index("a=b=c").unwrap(), Index { name: "a".into(), path: "b=c".into() });
        assert!(parse_index("a").is_err());
        assert!(parse_index("=b").is_err());
    }
}
