//! What `spelunk hunt`, `spelunk coverage` and `spelunk test` take.

use std::path::PathBuf;

use clap::Args;

use super::DataArgs;
use crate::pack::about::Severity;
use crate::pack::forms::PackForm;

const RULES_HELP: &str = "\
Detections are read from:
  .yml .yaml           Splunk's security content: a `search:` key, with tags and tests
  savedsearches.conf   the `search` of every stanza
  .spl .cql .logscale  the whole file is one search
  .jsonl               lines of {\"id\", \"query\", \"lang\"}
A folder is read recursively. A folder with macros or lookups, or in the layout of an app, and a packed app are loaded \
as with --app too.";

const HUNT_HELP: &str = "\
The logs are read once, with the fields that any of the detections needs; objects of data models that several of them \
search are computed once; the detections run side by side on all cores. They write nothing.

The table has the detections that found something, the most severe first: how many rows, from when to when, on which \
hosts, as far as the rows say. A detection that could not be run is named with the reason, and those without a hit are \
counted; --output csv, json and jsonl have every detection. Severities are those of Splunk's risk scores.

Exit codes:
  0    no detection found anything, and all were run over all of the logs
  1    a detection found something (with --fail-on: of that severity or above), or the hunt failed
  2    the command line is wrong
  3    nothing was found, but a detection could not be run, or part of the logs could not be read
  130  interrupted

Examples:
  spelunk hunt --rules ./security_content ./logs
  spelunk hunt --rules ./rules --app ./TA-windows --output html --out report.html ./logs
  spelunk hunt --rules ./rules --save ./hits --fail-on high ./store";

/// `spelunk hunt`
#[derive(Debug, Args)]
#[command(after_help = format!("{RULES_HELP}\n\n{HUNT_HELP}"))]
pub struct HuntArgs {
    /// The detections: a file, a folder, or a packed app; may be repeated
    #[arg(long, required = true, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Files and folders of logs, and stores
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Save the rows of each hit to a file of its own in DIR, as JSON lines
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Exit with 1 only for hits of that severity or above
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
}

/// How a report is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct ReportArgs {
    /// The form of the report [default: by the name of --out, else table]
    #[arg(short, long, value_enum, value_name = "FORM")]
    pub output: Option<PackForm>,
    /// Write the report to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also write a layer for the ATT&CK Navigator to FILE
    #[arg(long, value_name = "FILE")]
    pub attack_layer: Option<PathBuf>,
    /// Leave out the progress and the summary line
    #[arg(short, long)]
    pub quiet: bool,
}

const COVERAGE_HELP: &str = "\
Whether a detection can find anything is told from what it demands of the events whatever the values of other fields \
are: sources, sourcetypes, event types, event codes, data models, and the fields that its conditions name. Each demand \
is searched for. A detection is
  ready      if events fulfil all of it, and some event has each field that it reads
  partly     if events fulfil all of it, and no event has a field that it reads further on
  blind      if no event fulfils all of it; what is missing is named
  free       if it makes its rows itself, from a lookup for example
  not run    if it cannot be planned

Of LogScale's queries only the fields are looked at. `spelunk coverage` exits with 0, whatever is missing; with 1 if it \
failed, 2 if the command line is wrong, and 3 if part of the logs could not be read.

Examples:
  spelunk coverage --rules ./security_content ./logs
  spelunk coverage --rules ./rules --attack-layer layer.json --output markdown ./store";

/// `spelunk coverage`
#[derive(Debug, Args)]
#[command(after_help = format!("{RULES_HELP}\n\n{COVERAGE_HELP}"))]
pub struct CoverageArgs {
    /// The detections: a file, a folder, or a packed app; may be repeated
    #[arg(long, required = true, value_name = "PATH")]
    pub rules: Vec<PathBuf>,
    /// Files and folders of logs, and stores
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
}

const TEST_HELP: &str = "\
A test of a detection names files of attack data, with the source and the sourcetype of their events; Windows events \
have those of their channels. A path is looked for beside the detection, then in the current folder. An address is \
never fetched: --attack-data DIR maps its path, or the end of it, to a file below DIR, such as a clone of Splunk's \
attack_data.

A test passes if the detection finds rows, and one of the first 100 has every field that is at risk, with a value other \
than \"null\"; the fields of threats may be in other rows. A row before it that lacks a field at risk fails the test. \
These are the rules of Splunk's contentctl. Which fields these are, `rba` says, or the observables of `tags`.

Exit codes:
  0    every test passed
  1    a test failed, or a detection could not be run
  2    the command line is wrong
  3    no test failed, but the data of one is not there, or a detection has no test
  130  interrupted

Examples:
  spelunk test ./security_content/detections/endpoint/a.yml --app ./security_content --attack-data ./attack_data
  spelunk test ./detections --output junit > report.xml";

/// `spelunk test`
#[derive(Debug, Args)]
#[command(after_help = TEST_HELP)]
pub struct TestArgs {
    /// Detections in YAML, and folders of them
    #[arg(required = true, value_name = "DETECTION")]
    pub detections: Vec<PathBuf>,
    /// Where local copies of attack data are
    #[arg(long, value_name = "DIR")]
    pub attack_data: Option<PathBuf>,
    /// How the report is written.
    #[command(flatten)]
    pub report: ReportArgs,
    /// What the detections need to run.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What `spelunk check` looks for besides mistakes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Lint")]
pub struct LintArgs {
    /// Tell too what is right and seldom meant: OR and AND without parentheses, values that end at a blank, doubtful
    /// backslashes, macros in quotes
    #[arg(long)]
    pub lint: bool,
    /// Lint over the events of PATH too: sources and fields that none has, groups by fields that many lack; may be repeated
    #[arg(long, value_name = "PATH")]
    pub data: Vec<PathBuf>,
}
