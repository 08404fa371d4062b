//! Coverage: which detections can find anything in these logs, and what the others miss.
//!
//! [`looking`] searches for what each detection demands of the events; the rest shows it.

pub mod looking;
pub mod rows;

use serde_json::{Value, json};

use crate::hunt::{layer as hunted, sarif as hits};
use crate::pack::forms::{Reported, Rows};
use crate::pack::{Rule, attack};
use crate::report::{count, thousands};
use crate::validate::junit::{attribute, content};
use crate::validate::layer::{GOOD, layer};
use crate::validate::sarif::log;
use crate::validate::table::Look;

/// Whether a detection can find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All is there.
    Ready,
    /// Events are there, a field that it reads is not.
    Partly,
    /// No event fulfils what it demands.
    Blind,
    /// It makes its rows itself.
    Free,
    /// It cannot be planned.
    NotRun,
}

impl State {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Partly => "partly",
            State::Blind => "blind",
            State::Free => "free",
            State::NotRun => "not run",
        }
    }

    /// Every state, in the order of reports.
    pub const ALL: [State; 5] = [State::Ready, State::Partly, State::Blind, State::Free, State::NotRun];
}

/// What a detection finds of what it demands.
#[derive(Debug, Clone)]
pub struct Covered {
    /// Whether it can find anything.
    pub state: State,
    /// How many events fulfil all that it demands.
    pub events: u64,
    /// The demands that some event fulfils, and those that none does.
    pub present: Vec<String>,
    /// See [`Covered::present`].
    pub missing: Vec<String>,
    /// The fields that it reads and that no event has.
    pub fields: Vec<String>,
    /// Why it cannot be run.
    pub reason: Option<String>,
}

/// What was looked at.
#[derive(Debug)]
pub struct Report {
    /// The detections, each with what it finds of what it demands.
    pub covered: Vec<(Rule, Covered)>,
    /// How many events there were.
    pub events: u64,
}

impl Report {
    /// How many detections of a tactic, or of all, are in a state.
    pub fn count(&self, tactic: Option<&str>, state: State) -> usize {
        let of = |rule: &Rule| tactic.is_none_or(|tactic| attack::tactics(&rule.about.techniques).contains(&tactic));
        self.covered.iter().filter(|(rule, covered)| covered.state == state && of(rule)).count()
    }

    /// One line about all.
    fn summary(&self) -> String {
        let each: Vec<String> = State::ALL
            .iter()
            .map(|state| (state, self.count(None, *state)))
            .filter(|(_, count)| *count > 0)
            .map(|(state, count)| format!("{} {}", thousands(count as u64), state.name()))
            .collect();
        let rules = count(self.covered.len() as u64, "rule");
        format!("{rules} over {}: {}", count(self.events, "event"), each.join(", "))
    }
}

/// What a detection misses, in a sentence.
fn sentence(covered: &Covered) -> String {
    match covered.state {
        State::Ready => format!("{} fulfil what it demands", count(covered.events, "event")),
        State::Partly => format!(
            "{} fulfil what it demands; no event has {}",
            count(covered.events, "event"),
            covered.fields.join(", ")
        ),
        State::Blind if covered.missing.is_empty() => "no event fulfils all that it demands".to_owned(),
        State::Blind => format!("no event with {}", covered.missing.join("; ")),
        State::Free => "it makes its rows itself".to_owned(),
        State::NotRun => covered.reason.clone().unwrap_or_default(),
    }
}

impl Reported for Report {
    fn title(&self) -> &'static str {
        "Coverage"
    }

    fn text(&self, look: Look) -> String {
        rows::text(self, look, &self.summary())
    }

    fn shown(&self) -> Rows {
        Rows::new(&rows::SHOWN, rows::shown(self))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = rows::most_missed(self);
        notes.push(self.summary());
        notes
    }

    fn all(&self) -> Rows {
        Rows::new(&rows::ALL, rows::all(self))
    }

    fn json(&self) -> Value {
        let rules = self.covered.iter().map(|(rule, covered)| {
            json!({
                "rule": rule.name,
                "id": rule.id,
                "file": rule.file,
                "severity": rule.about.severity.map(|severity| severity.name()),
                "techniques": rule.about.techniques,
                "tactics": attack::tactics(&rule.about.techniques),
                "state": covered.state.name(),
                "events": covered.events,
                "present": covered.present,
                "missing": covered.missing,
                "missing_fields": covered.fields,
                "reason": covered.reason,
            })
        });
        let tactics = rows::tactics(self).into_iter().map(|(name, counts)| {
            let counts = State::ALL.iter().zip(counts).map(|(state, count)| (state.name().to_owned(), json!(count)));
            (name.to_owned(), Value::Object(counts.collect()))
        });
        json!({
            "events": self.events,
            "tactics": tactics.collect::<serde_json::Map<_, _>>(),
            "rules": rules.collect::<Vec<_>>(),
        })
    }

    fn junit(&self) -> String {
        let mut body = String::new();
        let (mut skipped, mut errors) = (0_usize, 0_usize);
        for (rule, covered) in &self.covered {
            let name = attribute(&rule.name);
            let class = attribute(attack::tactics(&rule.about.techniques).first().copied().unwrap_or_default());
            let told = attribute(&sentence(covered));
            let inside = match covered.state {
                State::Ready | State::Free => format!("<system-out>{}</system-out>", content(&sentence(covered))),
                State::Partly | State::Blind => {
                    skipped = skipped.saturating_add(1);
                    format!("<skipped message=\"{told}\"/>")
                }
                State::NotRun => {
                    errors = errors.saturating_add(1);
                    format!("<error message=\"{told}\"/>")
                }
            };
            body.push_str(&format!(
                "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\">{inside}</testcase>\n"
            ));
        }
        let counts = format!(
            "tests=\"{}\" failures=\"0\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0\"",
            self.covered.len()
        );
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spelunk coverage\" {counts}>\n  \
             <testsuite name=\"coverage\" {counts}>\n{body}  </testsuite>\n</testsuites>\n"
        )
    }

    fn sarif(&self) -> Value {
        let (mut rules, mut results) = (Vec::new(), Vec::new());
        let lacking = |state| matches!(state, State::Partly | State::Blind | State::NotRun);
        for (rule, covered) in self.covered.iter().filter(|(_, covered)| lacking(covered.state)) {
            let position = rules.len();
            rules.push(hits::described(rule));
            results.push(json!({
                "ruleId": rule.id,
                "ruleIndex": position,
                "level": if covered.state == State::Partly { "note" } else { "warning" },
                "message": {"text": format!("{}: {}", rule.name, sentence(covered))},
                "locations": [hits::location(rule, None)],
                "partialFingerprints": {"coverage/v1": rule.id},
                "properties": {"state": covered.state.name(), "techniques": rule.about.techniques},
            }));
        }
        log(rules, results, Vec::new())
    }

    fn layer(&self) -> Value {
        let mut techniques: std::collections::BTreeMap<&str, (u32, u32, Vec<String>)> = Default::default();
        for (rule, covered) in &self.covered {
            for technique in &rule.about.techniques {
                let (able, all, named) = techniques.entry(technique).or_default();
                *all = all.saturating_add(1);
                if matches!(covered.state, State::Ready | State::Partly) {
                    *able = able.saturating_add(1);
                }
                named.push(format!("{}: {}", rule.name, covered.state.name()));
            }
        }
        let scored = techniques.into_iter().map(|(technique, (able, all, named))| {
            let score = able.saturating_mul(100).checked_div(all).unwrap_or_default();
            (technique.to_owned(), score, format!("{able} of {all} detections can find something"), named)
        });
        let entries = hunted::entries(scored);
        layer("spelunk coverage", "The share of detections that can find something in these logs", entries, GOOD)
    }
}
