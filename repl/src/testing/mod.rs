//! The tests that detections bring along: whether a detection finds in its attack data what it promises.
//!
//! [`data`] finds the files, [`verdict`] judges the rows, [`running`] does one after the other.

pub mod data;
pub mod running;
pub mod verdict;

use serde_json::{Value, json};
use spelunk_engine::values::Cell;

use crate::hunt::{layer as hunted, sarif as hits};
use crate::pack::Rule;
use crate::pack::forms::{Reported, Rows};
use crate::report::count;
use crate::validate::junit::{attribute, content};
use crate::validate::layer::{GOOD, layer};
use crate::validate::sarif::log;
use crate::validate::table::Look;

/// What became of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Pass,
    /// It failed, and why.
    Fail(String),
    /// The detection could not be run, and why.
    Error(String),
    /// It was not run, and why: data that is not there, or no test at all.
    Skipped(String),
}

impl Outcome {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail(_) => "fail",
            Outcome::Error(_) => "error",
            Outcome::Skipped(_) => "skipped",
        }
    }

    /// Why it did not pass.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Pass => None,
            Outcome::Fail(reason) | Outcome::Error(reason) | Outcome::Skipped(reason) => Some(reason),
        }
    }
}

/// A test that was looked at.
#[derive(Debug, Clone)]
pub struct Tested {
    /// The detection.
    pub rule: Rule,
    /// The test's name.
    pub test: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How many rows the detection found.
    pub rows: u64,
    /// How many events there were.
    pub events: u64,
}

/// All tests.
#[derive(Debug)]
pub struct Report {
    /// In the order of the detections.
    pub tests: Vec<Tested>,
}

/// The columns of [`Reported::shown`].
const SHOWN: [&str; 6] = ["rule", "test", "result", "rows", "events", "why"];
/// The columns of [`Reported::all`].
const ALL: [&str; 8] = ["rule", "id", "file", "test", "result", "rows", "events", "reason"];

impl Report {
    /// How many tests ended so.
    pub fn count(&self, name: &str) -> usize {
        self.tests.iter().filter(|tested| tested.outcome.name() == name).count()
    }

    fn summary(&self) -> String {
        let [passed, failed, errors, skipped] = ["pass", "fail", "error", "skipped"].map(|name| self.count(name));
        let tests = count(self.tests.len() as u64, "test");
        format!("{tests}: {passed} passed, {failed} failed, {errors} could not be run, {skipped} skipped")
    }
}

impl Reported for Report {
    fn title(&self) -> &'static str {
        "Tests of detections"
    }

    fn text(&self, look: Look) -> String {
        let mut out = String::new();
        let Rows { rows, .. } = self.shown();
        crate::hunt::table::draw(&mut out, &SHOWN, &rows, look);
        out.push_str(&format!("\n{}\n", self.summary()));
        out
    }

    fn shown(&self) -> Rows {
        let row = |tested: &Tested| {
            vec![
                Cell::Text(tested.rule.name.clone()),
                Cell::Text(tested.test.clone()),
                Cell::Text(tested.outcome.name().to_owned()),
                Cell::Number(tested.rows.to_string()),
                Cell::Number(tested.events.to_string()),
                tested.outcome.reason().map_or(Cell::Null, |reason| Cell::Text(reason.to_owned())),
            ]
        };
        Rows::new(&SHOWN, self.tests.iter().map(row).collect())
    }

    fn notes(&self) -> Vec<String> {
        vec![self.summary()]
    }

    fn all(&self) -> Rows {
        let row = |tested: &Tested| {
            vec![
                Cell::Text(tested.rule.name.clone()),
                Cell::Text(tested.rule.id.clone()),
                Cell::Text(tested.rule.file.clone()),
                Cell::Text(tested.test.clone()),
                Cell::Text(tested.outcome.name().to_owned()),
                Cell::Number(tested.rows.to_string()),
                Cell::Number(tested.events.to_string()),
                tested.outcome.reason().map_or(Cell::Null, |reason| Cell::Text(reason.to_owned())),
            ]
        };
        Rows::new(&ALL, self.tests.iter().map(row).collect())
    }

    fn json(&self) -> Value {
        let tests = self.tests.iter().map(|tested| {
            json!({
                "rule": tested.rule.name,
                "id": tested.rule.id,
                "file": tested.rule.file,
                "test": tested.test,
                "result": tested.outcome.name(),
                "rows": tested.rows,
                "events": tested.events,
                "reason": tested.outcome.reason(),
            })
        });
        json!({
            "passed": self.count("pass"),
            "failed": self.count("fail"),
            "errors": self.count("error"),
            "skipped": self.count("skipped"),
            "tests": tests.collect::<Vec<_>>(),
        })
    }

    fn junit(&self) -> String {
        let mut body = String::new();
        for tested in &self.tests {
            let (class, name) = (attribute(&tested.rule.name), attribute(&tested.test));
            let told = tested.outcome.reason().map(attribute).unwrap_or_default();
            let file = content(&tested.rule.file);
            let inside = match &tested.outcome {
                Outcome::Pass => String::new(),
                Outcome::Fail(_) => format!("<failure message=\"{told}\">{file}</failure>"),
                Outcome::Error(_) => format!("<error message=\"{told}\">{file}</error>"),
                Outcome::Skipped(_) => format!("<skipped message=\"{told}\"/>"),
            };
            body.push_str(&format!(
                "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\">{inside}</testcase>\n"
            ));
        }
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\"",
            self.tests.len(),
            self.count("fail"),
            self.count("error"),
            self.count("skipped"),
        );
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spelunk test\" {counts}>\n  \
             <testsuite name=\"detections\" {counts}>\n{body}  </testsuite>\n</testsuites>\n"
        )
    }

    fn sarif(&self) -> Value {
        let (mut rules, mut results) = (Vec::new(), Vec::new());
        for tested in &self.tests {
            let Some(reason) = tested.outcome.reason() else { continue };
            let position = rules.len();
            rules.push(hits::described(&tested.rule));
            results.push(json!({
                "ruleId": tested.rule.id,
                "ruleIndex": position,
                "level": if matches!(tested.outcome, Outcome::Skipped(_)) { "note" } else { "error" },
                "message": {"text": format!("{}: {}: {reason}", tested.rule.name, tested.test)},
                "locations": [hits::location(&tested.rule, None)],
                "partialFingerprints": {"test/v1": format!("{}/{}", tested.rule.id, tested.test)},
            }));
        }
        log(rules, results, Vec::new())
    }

    fn layer(&self) -> Value {
        let mut techniques: std::collections::BTreeMap<&str, (u32, u32, Vec<String>)> = Default::default();
        let run = self.tests.iter().filter(|tested| !matches!(tested.outcome, Outcome::Skipped(_)));
        for tested in run {
            for technique in &tested.rule.about.techniques {
                let (passed, all, named) = techniques.entry(technique).or_default();
                *all = all.saturating_add(1);
                *passed = passed.saturating_add(u32::from(tested.outcome == Outcome::Pass));
                named.push(format!("{}: {}", tested.rule.name, tested.outcome.name()));
            }
        }
        let scored = techniques.into_iter().map(|(technique, (passed, all, named))| {
            let score = passed.saturating_mul(100).checked_div(all).unwrap_or_default();
            (technique.to_owned(), score, format!("{passed} of {all} tests passed"), named)
        });
        let entries = hunted::entries(scored);
        layer("spelunk test", "The share of tests of detections that passed", entries, GOOD)
    }
}
