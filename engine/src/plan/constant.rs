//! Eval expressions without rows: over named texts and nothing else.

use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::{self, Command, Query};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Typed};
use super::{Clock, PlanError, PlanResult, Planner, makeresults};

/// Plans an expression in which the variables stand for their texts; any other field is missing.
///
/// # Errors
/// The first thing wrong with it; its place says nothing to the user.
pub fn plan(expression: &str, variables: &[(&str, &str)], clock: &Clock) -> PlanResult<Typed> {
    // The line breaks keep a backslash at the end from reaching further.
    let text = format!("| makeresults | eval value=\n{expression}\n");
    let query = spl::parse(&text).map_err(|findings| first(findings, "the expression cannot be read"))?;
    let value = match query.commands.as_slice() {
        [_, Command { kind: CommandKind::Eval(eval), .. }] => match eval.assignments.as_slice() {
            [assignment] => &assignment.value,
            _ => return Err(several(&query)),
        },
        _ => return Err(several(&query)),
    };
    let planner = Planner {
        events: None,
        clock,
        strict: false,
        assume_macros: false,
        bounds: (None, None),
        geoip: None,
        lookups: Some(Default::default()),
        tables: Default::default(),
        writes: Vec::new(),
        written: Vec::new(),
        runner: None,
        knowledge: None,
        running: Vec::new(),
        diagnostics: Vec::new(),
        possible: Vec::new(),
        trace: None,
        trail: Default::default(),
    };
    let frame = makeresults::rows(&planner, 1)?;
    let mut scope = ExpressionPlanner::new(&frame);
    for (name, value) in variables {
        scope = scope.binding(name, lit(*value));
    }
    Ok(scope.plan(value)?)
}

fn several(query: &Query) -> PlanError {
    Diagnostic::error(Code::Syntax, "expected one expression", query.span).into()
}

fn first(findings: Vec<Diagnostic>, otherwise: &str) -> PlanError {
    let unknown = || Diagnostic::error(Code::Syntax, otherwise, Default::default());
    findings.into_iter().next().unwrap_or_else(unknown).into()
}
