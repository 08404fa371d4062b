//! What `spelunk validate` and `spelunk compare` take.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DataArgs;

const VALIDATE_HELP: &str = "\
A word that ends in .spl, .cql or .logscale is a detection, every other one a PATH of your own logs, over which the \
detections run too. `dcom.spl` and `dcom.cql`, the published detections, are bundled: they are taken where no such \
file is there, and where no detection is named.

Scenarios are tests of a technique; a test has signals: events that show an attack, probes, and benign look-alikes. \
`--scenarios DIR` reads your own; docs/scenarios.md has the layout. The bundled ones are written as the telemetry that \
the language of a detection is made for: Windows events for SPL, Falcon's process starts for LogScale. The report \
names the telemetry, and for each signal that is missed the first condition that it fails.

What counts as a failure:
  missed  a signal that is documented as caught; of a detection that nothing documents, each signal of a test of \
which it catches none
  label   a signal that is caught under another label than the documented one
  noise   with --fail-on-noise: a look-alike that is flagged, and not documented as such

Documented misses, misses in a test of which another signal is caught, and probes do not fail. The outcomes of the \
bundled detections are documented. `--known FILE` documents those of yours, in YAML:
  my.spl:
    T2: missed            # a test: all of its signals
    \"1022\": DCOM_Other  # a signal, and its label; or caught, or missed

JUnit: a suite a detection, a case a signal; what is documented or no failure is skipped. SARIF: results stand at the \
condition that fails; documented ones are suppressed.

Exit codes:
  0    nothing failed
  1    something failed, as above, or could not be run
  2    the command line, a detection or a scenario is wrong
  3    nothing failed, but part of your own logs could not be read
  130  interrupted

Examples:
  spelunk validate
  spelunk validate my.spl my.cql --known known.yml --output sarif > report.sarif
  spelunk validate my.spl --scenarios ./scenarios --attack-layer layer.json ./logs";

/// `spelunk validate`
#[derive(Debug, Args)]
#[command(after_help = VALIDATE_HELP)]
pub struct ValidateArgs {
    /// Detections, and your own logs to run them over too
    #[arg(value_name = "DETECTION]... [PATH")]
    pub words: Vec<OsString>,
    /// A detection in a file with any other ending, in the language that --lang names; may be repeated
    #[arg(short, long, value_name = "FILE")]
    pub detection: Vec<PathBuf>,
    /// The folder of the scenarios, or `builtin`
    #[arg(long, value_name = "DIR", default_value = "builtin")]
    pub scenarios: PathBuf,
    /// What is documented of the detections; may be repeated
    #[arg(long, value_name = "FILE")]
    pub known: Vec<PathBuf>,
    /// The field of the results that holds the label
    #[arg(long, value_name = "FIELD", default_value = crate::traced::LABEL)]
    pub label: String,
    /// Count look-alikes that are flagged, and not documented as such, as failures
    #[arg(long)]
    pub fail_on_noise: bool,
    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = ValidateForm::Table, value_name = "FORM")]
    pub output: ValidateForm,
    /// Also write a layer for the ATT&CK Navigator to FILE
    #[arg(long, value_name = "FILE")]
    pub attack_layer: Option<PathBuf>,
    /// Your own logs, and what the detections need to run.
    #[command(flatten)]
    pub data: DataArgs,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidateForm {
    /// Fitted to the terminal
    Table,
    /// One object
    Json,
    /// JUnit XML
    Junit,
    /// SARIF 2.1.0
    Sarif,
}

const COMPARE_HELP: &str = "\
A and B are files of queries, whose language their endings say (.spl; .cql, .logscale) or --lang. `dcom.spl` and \
`dcom.cql` are bundled. Without a PATH, both run over the bundled scenarios, each in the telemetry of its language.

Rows are the same if they come from the same event. For a row that only one detection finds, the first condition of \
the other one is named that the event fails; of several alternatives the one that comes closest. Where the labels \
differ, the condition is named that keeps one detection from giving the other's. Rows that come from many events \
(`stats`) are compared by the columns that both results have. `spelunk compare` exits with 0 whether or not the \
results differ.

Examples:
  spelunk compare dcom.spl dcom.cql
  spelunk compare old.spl new.spl ./logs --output json";

/// `spelunk compare`
#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArgs {
    /// One detection
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// What they run over
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The field of the results that holds the label
    #[arg(long, value_name = "FIELD", default_value = crate::traced::LABEL)]
    pub label: String,
    /// The form of the comparison
    #[arg(short, long, value_enum, default_value_t = CompareForm::Table, value_name = "FORM")]
    pub output: CompareForm,
    /// What is searched.
    #[command(flatten)]
    pub data: DataArgs,
}

/// The form of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CompareForm {
    /// Fitted to the terminal
    Table,
    /// One object
    Json,
}
