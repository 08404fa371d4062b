//! `loadjob`: the result of a search that ran before.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `loadjob (SID | savedsearch="USER:APP:NAME") [OPTION ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Loadjob {
    /// Whose result.
    pub job: Job,
    /// `events=`
    pub events: Option<Spanned<bool>>,
    /// `job_delegate=`
    pub job_delegate: Option<String>,
    /// `artifact_offset=`
    pub artifact_offset: Option<Spanned<u64>>,
    /// `ignore_running=`
    pub ignore_running: Option<bool>,
}

/// Whose result is loaded.
#[derive(Debug, Clone, PartialEq)]
pub enum Job {
    /// That of a job on a server.
    Sid(Spanned<String>),
    /// That of the last run of a saved search: `USER:APP:NAME`.
    Saved(Spanned<String>),
}

/// The documentation of `loadjob`.
pub const DOC: CommandDoc = CommandDoc {
    name: "loadjob",
    summary: "Runs a saved search, where Splunk would load the result of its last run",
    syntax: "loadjob savedsearch=\"<user>:<app>:<name>\" [ignore_running=<bool>] [job_delegate=<text>]",
    arguments: &[
        ArgumentDoc { name: "savedsearch=\"<user>:<app>:<name>\"", meaning: "the saved search; who owns it and the app that it belongs to make no difference here" },
        ArgumentDoc { name: "<sid>", meaning: "the id of a job on a server; refused, as there are none" },
        ArgumentDoc { name: "events=<bool>", meaning: "the events instead of the result; only false, as events of former runs are not kept" },
        ArgumentDoc { name: "artifact_offset=<count>", meaning: "the result of a run before the last; only 0, as former results are not kept" },
        ArgumentDoc { name: "ignore_running=<bool>", meaning: "whether jobs that still run are passed over; without effect here" },
        ArgumentDoc { name: "job_delegate=<text>", meaning: "whose jobs on the server count; without effect here" },
    ],
    examples: &["| loadjob savedsearch=\"nobody:search:spelunk:example\" | table user"],
};

const OPTIONS: &[&str] = &["savedsearch", "events", "job_delegate", "artifact_offset", "ignore_running"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Loadjob> {
    let place = b.span(&arguments);
    let (mut jobs, mut events, mut job_delegate) = (Vec::new(), None, None);
    let (mut artifact_offset, mut ignore_running) = (None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "savedsearch" => jobs.push(Job::Saved(option.text())),
                    "events" => events = Some(option.at(option.boolean(b)?)),
                    "job_delegate" => job_delegate = Some(option.value),
                    "artifact_offset" => artifact_offset = Some(option.at(option.number(b)?)),
                    "ignore_running" => ignore_running = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => {
                let name = words::name(b, &part);
                jobs.push(Job::Sid(Spanned::new(name.text, name.span)));
            }
        }
    }
    match (jobs.pop(), jobs.is_empty()) {
        (Some(job), true) => Some(Loadjob { job, events, job_delegate, artifact_offset, ignore_running }),
        _ => {
            b.error(Code::InvalidArgument, "`loadjob` needs the id of a job, or a saved search", place);
            None
        }
    }
}

impl Display for Loadjob {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { job, events, job_delegate, artifact_offset, ignore_running } = self;
        match job {
            Job::Sid(sid) => write!(f, "loadjob {}", Quoted(&sid.node))?,
            Job::Saved(name) => write!(f, "loadjob savedsearch={}", Quoted(&name.node))?,
        }
        option(f, "events", events.as_ref().map(|value| value.node))?;
        option(f, "job_delegate", job_delegate.as_deref().map(Quoted))?;
        option(f, "artifact_offset", artifact_offset.as_ref().map(|value| value.node))?;
        option(f, "ignore_running", *ignore_running)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn jobs() {
        assert_eq!(
            canonical("| loadjob savedsearch=\"nobody:app:A Name - x\" ignore_running=t"),
            "| loadjob savedsearch=\"nobody:app:A Name - x\" ignore_running=true"
        );
        assert_eq!(canonical("| loadjob 1233886270.2 events=t"), "| loadjob \"1233886270.2\" events=true");
        assert!(errors("| loadjob").contains("needs the id of a job"));
        assert!(errors("| loadjob a b").contains("needs the id of a job"));
    }
}
