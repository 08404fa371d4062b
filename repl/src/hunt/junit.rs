//! The report as JUnit XML: a case a detection, which fails where it found something.

use std::fmt::Write as _;

use super::{Outcome, Report};
use crate::pack::{Rule, attack};
use crate::report::count;
use crate::validate::junit::{attribute, content};

/// The whole report: a suite for each first tactic.
pub fn document(report: &Report) -> String {
    let tactic = |rule: &Rule| attack::tactics(&rule.about.techniques).first().copied().unwrap_or(attack::NO_TACTIC);
    let mut suites = String::new();
    let (mut tests, mut failures, mut errors) = (0_usize, 0_usize, 0_usize);
    for name in attack::all() {
        let of_tactic: Vec<&(Rule, Outcome)> =
            report.outcomes.iter().filter(|(rule, _)| tactic(rule) == name).collect();
        if of_tactic.is_empty() {
            continue;
        }
        let (mut body, mut failed, mut broken) = (String::new(), 0_usize, 0_usize);
        for (rule, outcome) in &of_tactic {
            let case = format!("    <testcase classname=\"{}\" name=\"{}\" time=\"0\"", name, attribute(&rule.name));
            match outcome {
                Outcome::Ran(ran) if ran.seen.rows > 0 => {
                    failed = failed.saturating_add(1);
                    let severity = rule.about.severity.map_or("hit", |severity| severity.name());
                    let message = attribute(&told(ran));
                    let _ = writeln!(
                        body,
                        "{case}>\n      <failure type=\"{severity}\" message=\"{message}\">{}</failure>\n    </testcase>",
                        content(&rule.file)
                    );
                }
                Outcome::Ran(_) => {
                    let _ = writeln!(body, "{case}/>");
                }
                Outcome::NotRun(not_run) => {
                    broken = broken.saturating_add(1);
                    let kind = attribute(not_run.code.as_deref().unwrap_or("not run"));
                    let message = attribute(&not_run.reason);
                    let _ = writeln!(
                        body,
                        "{case}>\n      <error type=\"{kind}\" message=\"{message}\">{}</error>\n    </testcase>",
                        content(&rule.file)
                    );
                }
            }
        }
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"{broken}\" skipped=\"0\" \
             time=\"0\">\n{body}  </testsuite>",
            of_tactic.len()
        );
        tests = tests.saturating_add(of_tactic.len());
        failures = failures.saturating_add(failed);
        errors = errors.saturating_add(broken);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spelunk hunt\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\" time=\"0\">\n{suites}</testsuites>\n"
    )
}

/// What a detection found, in a sentence.
pub fn told(ran: &super::Ran) -> String {
    let mut text = count(ran.seen.rows, "row");
    if let Some((first, last)) = ran.seen.range {
        text.push_str(&format!(" from {first:.0} to {last:.0}"));
    }
    if !ran.seen.hosts.is_empty() {
        let hosts: Vec<&str> = ran.seen.hosts.iter().take(10).map(String::as_str).collect();
        text.push_str(&format!(" on {}", hosts.join(", ")));
        if ran.seen.hosts.len() > hosts.len() {
            text.push_str(" and others");
        }
    }
    text
}
