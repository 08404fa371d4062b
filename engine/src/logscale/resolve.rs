//! What a query names and does not say itself: the values of parameters and the texts of saved queries, put in their
//! places before it is planned.

use std::collections::{BTreeMap, BTreeSet};

use spelunk_grammar::logscale::query::{
    Argument, Call, Comparator, Expression, ExpressionKind, Filter, Parameter, Pipeline, Query, SavedQuery, Step,
    StepKind, Value, ValueKind,
};
use spelunk_grammar::logscale::walk::{self, Walk};
use spelunk_grammar::{Code, Diagnostic, Span, logscale};

use super::arguments;
use super::published::{self, Published};
use crate::knowledge::queries::{Definitions, SavedQueries};
use crate::plan::suggest;

/// How many calls of saved queries a query may come to.
const MOST_CALLS: usize = 500;

/// Puts values and saved queries in their places. What is not given is an error, or is assumed with a warning.
///
/// # Errors
/// Every finding.
pub fn resolve(
    mut query: Query,
    definitions: &Definitions,
    assume: bool,
) -> Result<(Query, Vec<Diagnostic>), Vec<Diagnostic>> {
    let given = &definitions.parameters;
    // The arguments of saved queries may be parameters.
    let mut arguments = Values::of(given);
    arguments.pipeline(&mut query.pipeline);
    let mut calls = Calls {
        saved: &definitions.saved_queries,
        assume,
        running: Vec::new(),
        left: MOST_CALLS,
        errors: Vec::new(),
        notes: Vec::new(),
    };
    calls.pipeline(&mut query.pipeline);
    let Calls { mut errors, mut notes, .. } = calls;
    let mut values = Values { missing: Some(Vec::new()), ..Values::of(given) };
    values.pipeline(&mut query.pipeline);
    values.named.append(&mut arguments.named);
    for name in given.keys().filter(|name| !assume && !values.named.contains(*name)) {
        let warning = Diagnostic::warning(Code::Note, format!("the query has no parameter `?{name}`"), query.span);
        let near = suggest::nearest(name, values.named.iter().map(String::as_str));
        notes.push(
            near.into_iter().fold(warning, |warning, near| warning.with_help(format!("did you mean `?{near}`?"))),
        );
    }
    for (name, span) in values.missing.unwrap_or_default() {
        if assume {
            let message = format!("the parameter `?{name}` has no value; one is assumed");
            notes.push(Diagnostic::warning(Code::UnknownMacro, message, span));
            continue;
        }
        let error = Diagnostic::error(Code::InvalidArgument, format!("the parameter `?{name}` has no value"), span);
        let near = suggest::nearest(&name, given.keys().map(String::as_str));
        errors.push(error.with_help(match near {
            Some(near) => format!("a value is given for `?{near}`; give this one with --param {name}=VALUE"),
            None => format!("give it one with --param {name}=VALUE, or in the query: ?{{{name}=\"*\"}}"),
        }));
    }
    if assume {
        Assumed { wanted: "*" }.pipeline(&mut query.pipeline);
    }
    if errors.is_empty() { Ok((query, notes)) } else { Err(errors) }
}

/// Gives parameters their values.
struct Values<'v> {
    given: &'v BTreeMap<String, String>,
    /// The names of all parameters.
    named: BTreeSet<String>,
    /// Those that have none, each once.
    missing: Option<Vec<(String, Span)>>,
}

impl<'v> Values<'v> {
    fn of(given: &'v BTreeMap<String, String>) -> Self {
        Self { given, named: BTreeSet::new(), missing: None }
    }
}

impl Walk for Values<'_> {
    fn parameter(&mut self, parameter: &mut Parameter, place: Span) {
        self.named.insert(parameter.name.clone());
        if let Some(value) = self.given.get(&parameter.name) {
            parameter.default = Some(value.clone());
        }
        if let (None, Some(missing)) = (&parameter.default, &mut self.missing)
            && missing.iter().all(|(known, _)| *known != parameter.name)
        {
            missing.push((parameter.name.clone(), place));
        }
    }
}

/// Gives parameters that have no value one that their places take.
struct Assumed {
    wanted: &'static str,
}

impl Assumed {
    fn wanting(&mut self, wanted: &'static str, walk: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.wanted, wanted);
        walk(self);
        self.wanted = before;
    }
}

impl Walk for Assumed {
    fn parameter(&mut self, parameter: &mut Parameter, _: Span) {
        parameter.default.get_or_insert_with(|| self.wanted.to_owned());
    }

    fn pipeline(&mut self, pipeline: &mut Pipeline) {
        self.wanting("*", |inner| walk::pipeline_parts(inner, pipeline));
    }

    fn filter(&mut self, filter: &mut Filter) {
        use Comparator::{Greater, GreaterOrEqual, Less, LessOrEqual};
        match filter {
            Filter::Comparison(comparison)
                if matches!(comparison.comparator.node, Less | LessOrEqual | Greater | GreaterOrEqual) =>
            {
                self.wanting("1", |inner| inner.value(&mut comparison.value));
            }
            _ => walk::filter_parts(self, filter),
        }
    }

    fn call(&mut self, call: &mut Call) {
        for argument in &mut call.arguments {
            let wanted = match argument {
                Argument::Named(name, _) => match name.node.to_ascii_lowercase().as_str() {
                    "limit" | "max" | "nrows" | "buckets" | "precision" | "percentiles" | "index" => "10",
                    "span" | "start" | "end" | "window" | "maxpause" => "1h",
                    "ignorecase" | "strict" => "true",
                    "timezone" => "UTC",
                    "subnet" => "10.0.0.0/8",
                    _ => "assumed",
                },
                _ if call.name.node.eq_ignore_ascii_case("cidr") => "10.0.0.0/8",
                _ => "assumed",
            };
            self.wanting(wanted, |inner| walk::argument_parts(inner, argument));
        }
    }
}

/// Lays a tree at one place: the text of a saved query is not the user's.
struct Placed(Span);

impl Walk for Placed {
    fn span(&mut self, span: &mut Span) {
        *span = self.0;
    }
}

/// Puts the texts of saved queries in the places of their calls.
struct Calls<'s> {
    saved: &'s SavedQueries,
    assume: bool,
    /// The saved queries around, the innermost last.
    running: Vec<String>,
    left: usize,
    errors: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
}

impl Calls<'_> {
    /// What a call stands for; `None` after an error.
    fn expanded(&mut self, saved: &SavedQuery) -> Option<Pipeline> {
        let (name, place) = (saved.name.node.trim().to_owned(), saved.span);
        let refuse = |code, message: String| Diagnostic::error(code, message, place);
        if self.running.contains(&name) {
            self.errors.push(refuse(Code::TooLarge, format!("the saved query `${name}()` calls itself")));
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.errors.push(refuse(Code::TooLarge, format!("more than {MOST_CALLS} calls of saved queries")));
            return None;
        };
        self.left = left;
        let given = match arguments_of(saved) {
            Ok(given) => given,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let text = match self.saved.get(&name) {
            Some(text) => text.to_owned(),
            None => match published::find(&name, given.get("field").map(String::as_str)) {
                Some(Ok(Published::Query(text))) => {
                    let message = format!("`${name}()` is not given: its codes get spelunk's own names");
                    self.note(Diagnostic::note(Code::Note, message, place));
                    text
                }
                Some(Ok(Published::Nothing(reason))) => {
                    let message = format!("`${name}()` does nothing here: {reason}");
                    self.note(Diagnostic::note(Code::Note, message, place));
                    return Some(Pipeline::default());
                }
                Some(Err(reason)) if self.assume => {
                    self.note(Diagnostic::warning(
                        Code::UnknownMacro,
                        format!("`${name}()` is assumed: {reason}"),
                        place,
                    ));
                    return Some(Pipeline::default());
                }
                Some(Err(reason)) => {
                    let error =
                        refuse(Code::UnknownMacro, format!("the saved query `${name}()` is not given: {reason}"));
                    self.errors.push(error.with_help("name the file that holds it with --saved-queries"));
                    return None;
                }
                None => return self.unknown(&name, place),
            },
        };
        let mut query = match logscale::parse(&text) {
            Ok(query) => query,
            Err(found) => {
                let reason = found.first().map(|first| first.message.clone()).unwrap_or_default();
                self.errors.push(refuse(Code::Syntax, format!("the saved query `${name}()` cannot be read: {reason}")));
                return None;
            }
        };
        Placed(place).pipeline(&mut query.pipeline);
        Values::of(&given).pipeline(&mut query.pipeline);
        self.running.push(name);
        self.pipeline(&mut query.pipeline);
        self.running.pop();
        Some(query.pipeline)
    }

    fn unknown(&mut self, name: &str, place: Span) -> Option<Pipeline> {
        if self.assume {
            let message = format!("the saved query `${name}()` is not given; it is assumed");
            self.note(Diagnostic::warning(Code::UnknownMacro, message, place));
            return Some(Pipeline::default());
        }
        let error = Diagnostic::error(Code::UnknownMacro, format!("the saved query `${name}()` is not defined"), place);
        self.errors.push(match self.saved.nearest(name) {
            Some(near) => error.with_help(format!("did you mean `$\"{near}\"()`?")),
            None => error.with_help("name the file or folder that holds it with --saved-queries"),
        });
        None
    }

    fn note(&mut self, finding: Diagnostic) {
        if self.notes.iter().all(|known| known.message != finding.message) {
            self.notes.push(finding);
        }
    }

    fn add(&mut self, steps: &mut Vec<Step>, mut step: Step) {
        if let StepKind::Filter(Filter::Saved(saved)) = &step.kind {
            steps.extend(self.expanded(saved).into_iter().flat_map(|pipeline| pipeline.steps));
            return;
        }
        self.step(&mut step);
        steps.push(step);
    }
}

/// The texts that a call gives the parameters of a saved query.
fn arguments_of(saved: &SavedQuery) -> Result<BTreeMap<String, String>, Diagnostic> {
    let mut given = BTreeMap::new();
    for argument in &saved.arguments {
        match argument {
            Argument::Named(name, value) => {
                given.insert(name.node.clone(), arguments::text(value)?.node);
            }
            Argument::Unnamed(value) => {
                let message = "a saved query takes arguments with names";
                return Err(Diagnostic::error(Code::InvalidArgument, message, value.span).with_help("write name=value"));
            }
            Argument::Labelled(labelled) => {
                let message = "a saved query takes no subquery with a name";
                return Err(Diagnostic::error(Code::InvalidArgument, message, labelled.name.span));
            }
        }
    }
    Ok(given)
}

impl Walk for Calls<'_> {
    fn pipeline(&mut self, pipeline: &mut Pipeline) {
        let mut steps = Vec::with_capacity(pipeline.steps.len());
        for step in std::mem::take(&mut pipeline.steps) {
            match step.kind {
                // An AND of steps is a pipe.
                StepKind::Filter(Filter::And(parts)) if parts.iter().any(|part| matches!(part, Filter::Saved(_))) => {
                    for part in parts {
                        self.add(&mut steps, Step { kind: StepKind::Filter(part), span: step.span });
                    }
                }
                _ => self.add(&mut steps, step),
            }
        }
        pipeline.steps = steps;
    }

    fn filter(&mut self, filter: &mut Filter) {
        let Filter::Saved(saved) = filter else { return walk::filter_parts(self, filter) };
        let place = saved.span;
        let Some(pipeline) = self.expanded(saved) else { return };
        let mut parts = Vec::new();
        for step in pipeline.steps {
            let StepKind::Filter(part) = step.kind else {
                let message = "a saved query that does more than filter cannot stand under `or` or `not`";
                self.errors.push(Diagnostic::error(Code::InvalidArgument, message, place));
                return;
            };
            parts.push(part);
        }
        *filter = match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                parts.push(last);
                Filter::And(parts)
            }
            // It keeps everything.
            (_, None) => Filter::Text(Value { kind: ValueKind::Pattern("*".to_owned()), span: place }),
        };
    }

    fn expression(&mut self, expression: &mut Expression) {
        let ExpressionKind::Saved(saved) = &expression.kind else { return walk::expression_parts(self, expression) };
        let Some(mut pipeline) = self.expanded(saved) else { return };
        expression.kind = match (pipeline.steps.len(), pipeline.steps.pop().map(|step| step.kind)) {
            (1, Some(StepKind::Filter(Filter::Call(call)))) => ExpressionKind::Call(call),
            (_, None) => ExpressionKind::Word("true".to_owned()),
            _ => {
                let message = "a saved query that is not one call of a function gives no value";
                self.errors.push(Diagnostic::error(Code::InvalidArgument, message, expression.span));
                return;
            }
        };
    }
}
