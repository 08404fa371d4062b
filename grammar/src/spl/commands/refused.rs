//! Commands of the language that need what spelunk is not: a Splunk server, a user interface, a cluster. They are
//! read, so that a search with one is known to be well-formed, and refused with their reason when it is planned.

use std::fmt::{self, Display, Formatter};

use super::CommandDoc;

/// A command that is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Why, as the end of a sentence.
    pub reason: &'static str,
    /// Its arguments as written.
    pub arguments: String,
}

/// What is said of all of them.
pub(super) const DOC: CommandDoc = CommandDoc {
    name: "refused",
    summary: "A command that needs a Splunk server",
    syntax: "",
    arguments: &[],
    examples: &[],
};

const METRICS: &str = "it reads a metrics index, which only a Splunk server has";
const SECURITY: &str = "it reads what Splunk Enterprise Security keeps on a server";
const SERVER: &str = "it asks a Splunk server about itself";
const MAPS: &str = "it prepares rows for a map, and spelunk draws none";
const MODEL: &str = "it needs the models that Splunk's learning commands keep on a server";
const TYPES: &str = "it needs event types, which spelunk does not have yet";
const UNPUBLISHED: &str = "what it does is not published";
const OUTSIDE: &str = "it acts outside of the search";

/// The commands and their reasons, in order of their names.
const REFUSED: &[(&str, &str)] = &[
    ("abstract", "how it scores the lines of an event is not published"),
    ("apply", MODEL),
    ("audit", SERVER),
    ("bucketdir", "how it groups paths is not published exactly"),
    ("crawl", SERVER),
    ("cyberchef", "it is a program of the app CyberChef for Splunk"),
    ("datamodelsimple", "it lists the data models that a Splunk server keeps"),
    ("dbinspect", SERVER),
    ("delete", "it removes events, and spelunk never changes what it reads"),
    ("deletemodel", MODEL),
    ("dispatch", SERVER),
    ("dump", "it writes on a Splunk server"),
    ("entitymerge", SECURITY),
    ("findtypes", TYPES),
    ("fit", MODEL),
    ("folderize", "how it groups names is not published exactly"),
    ("geom", MAPS),
    ("geomfilter", MAPS),
    ("hide", UNPUBLISHED),
    ("history", SERVER),
    ("inputintelligence", SECURITY),
    ("kvform", "it reads form files, which are kept on a Splunk server"),
    ("listmodels", MODEL),
    ("mcatalog", METRICS),
    ("mcollect", "it writes to a metrics index, which only a Splunk server has"),
    ("meventcollect", "it writes to a metrics index, which only a Splunk server has"),
    ("mpreview", METRICS),
    ("msearch", METRICS),
    ("mstats", METRICS),
    ("outputraw", "the text form that it writes is not published"),
    ("outputtelemetry", "it sends data to Splunk"),
    ("overlap", "it checks a summary index, which only a Splunk server has"),
    ("redistribute", "it tells a cluster of Splunk servers where to run"),
    ("rest", SERVER),
    ("rtorder", "it orders the events of a real-time search, and searches here have an end"),
    ("run", OUTSIDE),
    ("runshellscript", OUTSIDE),
    ("script", OUTSIDE),
    ("scrub", "it needs the dictionaries of names and terms that are kept on a Splunk server"),
    ("searchtxn", "it needs the transaction types that a Splunk server has configured"),
    ("select", UNPUBLISHED),
    ("sendalert", OUTSIDE),
    ("sendemail", OUTSIDE),
    ("summary", MODEL),
    ("surrounding", UNPUBLISHED),
    ("tee", UNPUBLISHED),
    ("tscollect", "it writes to a namespace on a Splunk server"),
    ("typeahead", SERVER),
    ("typelearner", TYPES),
    ("typer", TYPES),
    ("walklex", "it reads the index files of a Splunk server"),
];

/// The commands that need what spelunk is not, and why each is refused, in order of their names.
pub fn refused_commands() -> &'static [(&'static str, &'static str)] {
    REFUSED
}

/// Why a command is refused; `None` if it is not.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, reason)| *reason)
}

/// The command of that name, if it is one that is refused.
pub(crate) fn refused(name: &str, arguments: &str) -> Option<Refused> {
    let (name, reason) = REFUSED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(Refused { name, reason, arguments: arguments.to_owned() })
}

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.arguments.is_empty() { Ok(()) } else { write!(f, " {}", self.arguments) }
    }
}
