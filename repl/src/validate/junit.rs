//! The report as JUnit XML: a suite a detection, a case a signal. What is documented as missed is skipped, so that a
//! build shows it and passes.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::verdict::{Status, sentence};
use super::{Outcome, Report};
use crate::escape as safe;
use crate::why;

/// The whole report.
pub fn document(report: &Report) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut skipped) = (0_usize, 0_usize, 0_usize);
    for trial in &report.trials {
        let mut body = String::new();
        let findings = trial.findings(&report.cases);
        let (mut failed, mut left) = (0_usize, 0_usize);
        for finding in &findings {
            let name = attribute(&format!("{} {}", finding.signal.id, finding.signal.name));
            let class = attribute(&format!("{}.{}", trial.detection.name, finding.case.name));
            let _ = write!(body, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
            let message = attribute(&sentence(finding, trial));
            let why = match finding.outcome {
                Outcome::Missed(Some(verdict)) => content(&why::sentence(verdict)),
                _ => String::new(),
            };
            if report.fails(finding.status) {
                failed = failed.saturating_add(1);
                let kind = finding.status.name();
                let _ = writeln!(
                    body,
                    ">\n      <failure type=\"{kind}\" message=\"{message}\">{why}</failure>\n    </testcase>"
                );
            } else if matches!(finding.status, Status::Gap | Status::Known | Status::Noise) {
                left = left.saturating_add(1);
                let _ = writeln!(body, ">\n      <skipped message=\"{message}\"/>");
                if !why.is_empty() {
                    let _ = writeln!(body, "      <system-out>{why}</system-out>");
                }
                body.push_str("    </testcase>\n");
            } else {
                let _ = writeln!(
                    body,
                    ">\n      <system-out>{}</system-out>\n    </testcase>",
                    content(&sentence(finding, trial))
                );
            }
        }
        let name = attribute(&trial.detection.name);
        let count = findings.len();
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\" errors=\"0\" skipped=\"{left}\" \
             time=\"0\">"
        );
        let telemetry = attribute(&trial.telemetry);
        let scenarios = attribute(&report.scenarios);
        let _ = writeln!(
            suites,
            "    <properties>\n      <property name=\"scenarios\" value=\"{scenarios}\"/>\n      \
             <property name=\"telemetry\" value=\"{telemetry}\"/>\n    </properties>"
        );
        suites.push_str(&body);
        suites.push_str("  </testsuite>\n");
        tests = tests.saturating_add(count);
        failures = failures.saturating_add(failed);
        skipped = skipped.saturating_add(left);
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spelunk validate\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"0\">\n{suites}</testsuites>\n"
    )
}

/// The value of an attribute. XML has no form for control characters; they are shown as everywhere.
pub fn attribute(text: &str) -> String {
    content(text)
}

/// The content of an element.
pub fn content(text: &str) -> String {
    // Two code points are no characters of XML.
    escape(safe::line(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}").as_str()).into_owned()
}
