//! What is searched, and how it is read: what most subcommands take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ClusterArgs;
use super::values::{parse_index, parse_now, parse_parameter, parse_size, parse_zone};

/// What is searched, and how it is read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// The language of the search [default: spl]
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
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
    /// Where searches run, for the commands that take `--cluster`.
    #[arg(skip)]
    pub cluster: ClusterArgs,
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
