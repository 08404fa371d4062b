//! What `spelunk check` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::LintArgs;
use super::values::parse_parameter;

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
