//! Parsing and planning queries without data.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_grammar::logscale;
use spelunk_grammar::spl::Query;
use spelunk_grammar::{Diagnostic, Severity};

use super::Language;
use super::planning::failure;
use crate::error::Error;
use crate::knowledge::{Definitions, Knowledge};
use crate::logscale::tables::Tables;
use crate::plan::frame::Frame;
use crate::plan::{Clock, PlanError, Planner, outputlookup, subsearch};

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It parses and plans; the findings are warnings and notes.
    Ok(Vec<Diagnostic>),
    /// It does not parse.
    ParseError(Vec<Diagnostic>),
    /// It parses, but uses something that cannot be planned.
    PlanError(Vec<Diagnostic>),
}

/// Parses and plans a query without data: every field is assumed to exist, and every macro and lookup where none
/// were given; a macro that was assumed is told as a warning.
pub fn check(text: &str, knowledge: Knowledge<'_>) -> Checked {
    check_in(Language::Spl, text, knowledge)
}

/// The same for a query in any language.
pub fn check_in(language: Language, text: &str, knowledge: Knowledge<'_>) -> Checked {
    if language == Language::LogScale {
        return check_logscale(text, knowledge, &Definitions::default(), false);
    }
    let clock = Clock { now: Timestamp::now(), time_zone: TimeZone::UTC };
    let assumed = !knowledge.macros.given();
    let expanded = knowledge.macros.expand(text, &clock).assuming(assumed);
    let query = match expanded.parse() {
        Ok(query) => query,
        Err(findings) => return Checked::ParseError(findings),
    };
    // Without data nothing waits: the future is ready at its first poll.
    match futures::executor::block_on(plan_without_data(query, &clock, knowledge, assumed)) {
        Ok((_, diagnostics)) if expanded.failed() => Checked::PlanError(expanded.report(diagnostics)),
        Ok((_, diagnostics)) => Checked::Ok(expanded.report(diagnostics)),
        Err(errors) => match refused(errors) {
            Checked::PlanError(findings) => Checked::PlanError(expanded.report(findings)),
            other => other,
        },
    }
}

/// The same for a LogScale query: parameters and saved queries that are not given are assumed, which is told as a
/// warning. A strict check refuses what is not the vendor's language.
pub fn check_logscale(text: &str, knowledge: Knowledge<'_>, definitions: &Definitions, strict: bool) -> Checked {
    let (query, found) = match read_logscale(text, definitions, strict, true) {
        Ok(read) => read,
        Err((true, findings)) => return Checked::ParseError(findings),
        Err((false, findings)) => return Checked::PlanError(findings),
    };
    let clock = Clock { now: Timestamp::now(), time_zone: TimeZone::UTC };
    match futures::executor::block_on(logscale_without_data(&query, &clock, knowledge)) {
        Ok((_, diagnostics)) => Checked::Ok([found, diagnostics].concat()),
        Err(errors) => refused(errors),
    }
}

/// Parses a LogScale query and puts in what it names, or says whether it is the text that is wrong, and why.
pub(super) fn read_logscale(
    text: &str,
    definitions: &Definitions,
    strict: bool,
    assume: bool,
) -> Result<(logscale::Query, Vec<Diagnostic>), (bool, Vec<Diagnostic>)> {
    let (query, warnings) = logscale::parse_with_warnings(text).map_err(|findings| (true, findings))?;
    if strict {
        let found = logscale::strict::deviations(&query, text);
        if !found.is_empty() {
            return Err((true, found));
        }
    }
    let resolved = crate::logscale::resolve(query, definitions, assume);
    let (query, notes) = resolved.map_err(|findings| (false, findings))?;
    Ok((query, [warnings, notes].concat()))
}

/// Why a query cannot be planned.
fn refused(errors: Vec<PlanError>) -> Checked {
    match failure(errors, None) {
        Error::Query(findings) => Checked::PlanError(findings),
        other => Checked::PlanError(vec![Diagnostic {
            severity: Severity::Error,
            ..Diagnostic::error(spelunk_grammar::Code::Unsupported, other.to_string(), Default::default())
        }]),
    }
}

pub(super) async fn logscale_without_data(
    query: &logscale::Query,
    clock: &Clock,
    knowledge: Knowledge<'_>,
) -> Result<(Frame, Vec<Diagnostic>), Vec<PlanError>> {
    let mut planner = without_data(clock, knowledge, false);
    let frame = crate::logscale::plan(&mut planner, query).await?;
    Ok((frame, planner.diagnostics))
}

/// A planner that assumes any field to exist.
fn without_data<'k>(clock: &'k Clock, knowledge: Knowledge<'k>, assume_macros: bool) -> Planner<'k> {
    Planner {
        events: None,
        clock,
        strict: false,
        assume_macros,
        bounds: (None, None),
        geoip: None,
        lookups: knowledge.lookups.map(Arc::clone),
        tables: Tables::default(),
        writes: Vec::new(),
        written: Vec::new(),
        runner: None,
        knowledge: Some(knowledge),
        running: Vec::new(),
        diagnostics: Vec::new(),
        possible: Vec::new(),
        trace: None,
        trail: Arc::default(),
    }
}

pub(super) async fn plan_without_data(
    mut query: Query,
    clock: &Clock,
    knowledge: Knowledge<'_>,
    assume_macros: bool,
) -> Result<(Frame, Vec<Diagnostic>), Vec<PlanError>> {
    let mut planner = without_data(clock, knowledge, assume_macros);
    planner.written = outputlookup::names(&query);
    subsearch::resolve(&mut planner, &mut query).await?;
    let frame = planner.plan(&query).await?;
    Ok((frame, planner.diagnostics))
}
