//! `collect`: writes the rows to a file that stands for a summary index.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Spanned;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `collect OPTION ...`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Collect {
    /// The index; default `summary`.
    pub index: Option<Spanned<String>>,
    /// The file; default the index and an ending.
    pub file: Option<Spanned<String>>,
    /// Text at the end of each event.
    pub marker: Option<String>,
    /// The host of the events.
    pub host: Option<String>,
    /// The source of the events.
    pub source: Option<String>,
    /// The sourcetype of the events.
    pub sourcetype: Option<String>,
    /// Whether an event begins with its time; default true.
    pub addtime: Option<bool>,
    /// How that time is written.
    pub timeformat: Option<Spanned<String>>,
    /// Whether an event tells of the search that made it; default true for raw events.
    pub addinfo: Option<bool>,
    /// Whether nothing is written, and the rows show what would be; default false.
    pub testmode: Option<bool>,
    /// The form of the events.
    pub output_format: Option<CollectFormat>,
    /// `spool=`, which tells a server where it waits for them.
    pub spool: Option<bool>,
    /// `uselb=`, which tells a server how to break them.
    pub uselb: Option<bool>,
    /// `run_in_preview=`, which tells a server when.
    pub run_in_preview: Option<bool>,
}

/// The form of collected events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectFormat {
    /// A line of text with the fields.
    Raw,
    /// A line of JSON.
    Hec,
}

/// The documentation of `collect`.
pub const DOC: CommandDoc = CommandDoc {
    name: "collect",
    summary: "Appends the rows as events to a file of the folder that `--allow-write` names, and passes them on",
    syntax: "collect [index=<name>] [file=<name>] [marker=<text>] [host=<text>] [source=<text>] [sourcetype=<text>] [addtime=<bool>] [timeformat=<format>] [addinfo=<bool>] [testmode=<bool>] [output_format=raw|hec]",
    arguments: &[
        ArgumentDoc { name: "index=<name>", meaning: "the index that the file stands for; default summary" },
        ArgumentDoc { name: "file=<name>", meaning: "the file; `$timestamp$` and `$random$` in it are replaced; default the index with .log for raw and .jsonl for hec" },
        ArgumentDoc { name: "marker=<text>", meaning: "text at the end of each event, such as report=\"daily\"" },
        ArgumentDoc { name: "host=<text>, source=<text>, sourcetype=<text>", meaning: "what the events say of their origin" },
        ArgumentDoc { name: "addtime=<bool>", meaning: "begin each event that has no `_raw` with its time, or that of the search; default true" },
        ArgumentDoc { name: "timeformat=<format>", meaning: "how that time is written; default %m/%d/%Y %H:%M:%S %z" },
        ArgumentDoc { name: "addinfo=<bool>", meaning: "tell in each event the time of the search and its range; default true for raw, false for hec" },
        ArgumentDoc { name: "testmode=<bool>", meaning: "write nothing, and show what would be written in `_raw`; default false" },
        ArgumentDoc { name: "output_format=raw|hec", meaning: "a line of text with `name=value` pairs, or of JSON, an event; default raw" },
        ArgumentDoc { name: "spool=<bool>, uselb=<bool>, run_in_preview=<bool>", meaning: "how a server takes the events in; without effect here" },
    ],
    examples: &["| makeresults | eval user=\"ann\" | collect index=daily marker=\"report=logins\" testmode=true"],
};

const OPTIONS: &[&str] = &[
    "index",
    "file",
    "marker",
    "host",
    "source",
    "sourcetype",
    "addtime",
    "timeformat",
    "addinfo",
    "testmode",
    "output_format",
    "spool",
    "uselb",
    "run_in_preview",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Collect> {
    let mut collect = Collect::default();
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "index" => collect.index = Some(option.text()),
            "file" => collect.file = Some(option.text()),
            "marker" => collect.marker = Some(option.value),
            "host" => collect.host = Some(option.value),
            "source" => collect.source = Some(option.value),
            "sourcetype" => collect.sourcetype = Some(option.value),
            "addtime" => collect.addtime = Some(option.boolean(b)?),
            "timeformat" => collect.timeformat = Some(option.text()),
            "addinfo" => collect.addinfo = Some(option.boolean(b)?),
            "testmode" => collect.testmode = Some(option.boolean(b)?),
            "output_format" => {
                collect.output_format = Some(match option.value.to_ascii_lowercase().as_str() {
                    "raw" => CollectFormat::Raw,
                    "hec" => CollectFormat::Hec,
                    _ => return option.invalid(b, "raw or hec"),
                });
            }
            "spool" => collect.spool = Some(option.boolean(b)?),
            "uselb" => collect.uselb = Some(option.boolean(b)?),
            "run_in_preview" => collect.run_in_preview = Some(option.boolean(b)?),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(collect)
}

impl Display for CollectFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CollectFormat::Raw => "raw",
            CollectFormat::Hec => "hec",
        })
    }
}

impl Display for Collect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("collect")?;
        let placed = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.node.clone());
        for (name, value) in [
            ("index", placed(&self.index)),
            ("file", placed(&self.file)),
            ("marker", self.marker.clone()),
            ("host", self.host.clone()),
            ("source", self.source.clone()),
            ("sourcetype", self.sourcetype.clone()),
        ] {
            option(f, name, value.as_deref().map(Quoted))?;
        }
        option(f, "addtime", self.addtime)?;
        option(f, "timeformat", self.timeformat.as_ref().map(|format| Quoted(&format.node)))?;
        option(f, "addinfo", self.addinfo)?;
        option(f, "testmode", self.testmode)?;
        option(f, "output_format", self.output_format)?;
        option(f, "spool", self.spool)?;
        option(f, "uselb", self.uselb)?;
        option(f, "run_in_preview", self.run_in_preview)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn spellings_of_published_searches() {
        for (written, canonically) in [
            ("| collect index=a", "| collect index=\"a\""),
            (
                "| stash index=a marker=\"type=\\\"x\\\", y=1\" addtime=t",
                "| collect index=\"a\" marker=\"type=\\\"x\\\", y=1\" addtime=true",
            ),
            ("| summaryindex index=\"cache\" testmode=false", "| collect index=\"cache\" testmode=false"),
            ("| sumindex marker=debug=x output_format=HEC", "| collect marker=\"debug=x\" output_format=hec"),
            ("| collect index=<x> sourcetype=\"a b\"", "| collect index=\"<x>\" sourcetype=\"a b\""),
            (
                "| collect index=a addtime=true timeformat=\"%s%3N\" source=b uselb=false",
                "| collect index=\"a\" source=\"b\" addtime=true timeformat=\"%s%3N\" uselb=false",
            ),
        ] {
            assert_eq!(canonical(written), canonically, "{written}");
        }
        assert!(errors("| collect indx=a").contains("did you mean `index`?"));
        assert!(errors("| collect output_format=csv").contains("takes raw or hec"));
    }
}
