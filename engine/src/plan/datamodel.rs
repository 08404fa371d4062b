//! Data models: their objects become searches over the events, from `tstats`, `datamodel`, `from` and `pivot`.
//!
//! An object is the events that match the constraints of its line of parents, with the fields that these declare: as
//! the events have them, or calculated. Only the fields that a search touches are calculated, from the events: there are
//! no summaries on disk. Where many searches run over the same events, [`super::summary`] keeps an object in memory.
//!
//! Source: Splunk Search Reference, "datamodel", "tstats", "from"; Knowledge Manager Manual, "About data models".

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::datamodel::{Datamodel, Mode};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind};
use spelunk_grammar::spl::search::SearchExpression;
use spelunk_grammar::spl::{self, Query};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{Clock, PlanError, PlanResult, Planner, calculated, needs, search, summary};
use crate::functions::comparison::search_expression;
use crate::functions::extraction;
use crate::functions::pattern::Pattern;
use crate::knowledge::apps::Apps;
use crate::knowledge::apps::models::{Calculation, Model, Object};

mod pivot;

pub use pivot::plan as plan_pivot;

/// The fields that all events have, whatever they mean.
const EVENT_FIELDS: [&str; 6] = ["_time", "_raw", "host", "index", "source", "sourcetype"];

/// The field that says which objects an event belongs to.
pub(super) const NODE: &str = "nodename";

/// Which fields an object gives, and what they are called.
#[derive(Debug, Clone, Copy)]
pub enum Form<'n> {
    /// Those with these names, which begin with the path of the object that declares them.
    Qualified(&'n [String]),
    /// All, with such names.
    AllQualified,
    /// All, with plain names.
    Plain,
}

/// An object of a model with those that it narrows down.
struct Chosen {
    model: Arc<Model>,
    /// The names of the objects, from the root on.
    line: Vec<String>,
}

impl Chosen {
    /// The object that `MODEL`, `MODEL.OBJECT` or `MODEL.ROOT.OBJECT` names; of a model alone the root that the names
    /// of fields begin with.
    fn of(apps: &Apps, name: &str, names: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let (model_name, object) = name.split_once('.').unwrap_or((name, ""));
        let model = apps.models.get(model_name)?;
        let object = object.rsplit('.').next().unwrap_or_default();
        let found = match object {
            "" => {
                let begins = |root: &&Object| {
                    let fields = root.fields.iter().map(|field| format!("{}.{field}", root.name));
                    fields.into_iter().any(|field| names(&field))
                };
                let mut roots: Vec<&Object> = model.roots().collect();
                if roots.len() > 1 {
                    roots.retain(begins);
                }
                match roots.as_slice() {
                    [root] => *root,
                    _ => {
                        let roots: Vec<&str> = model.roots().map(|root| root.name.as_str()).collect();
                        let model = &model.name;
                        return Err(format!(
                            "the data model {model:?} has several roots: name one of {}",
                            roots.join(", ")
                        ));
                    }
                }
            }
            object => model.object(object).ok_or_else(|| {
                let names = model.objects.iter().map(|object| object.name.as_str());
                let near = super::suggest::nearest(object, names.clone());
                let near = near.map_or_else(
                    || format!("it has {}", names.take(20).collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                format!("the data model {:?} has no object {object:?}; {near}", model.name)
            })?,
        };
        let line = model.lineage(found)?.into_iter().map(|object| object.name.clone()).collect();
        Ok(Self { model: Arc::clone(&model), line })
    }

    /// What tells it from other objects, whichever way a search names it.
    fn key(&self) -> String {
        format!("{}.{}", self.model.name, self.line.join("."))
    }

    fn objects(&self) -> impl DoubleEndedIterator<Item = (&Object, String)> {
        self.line.iter().enumerate().filter_map(|(position, name)| {
            let path = self.line.get(..=position).unwrap_or_default().join(".");
            self.model.object(name).map(|object| (object, path))
        })
    }

    /// The fields that are declared, with their plain and their full names; of descendants too, whose events are
    /// among these.
    fn fields(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut add = |object: &Object, path: &str| {
            for field in &object.fields {
                let full = format!("{path}.{field}");
                if !found.iter().any(|(_, known)| *known == full) {
                    found.push((field.clone(), full));
                }
            }
        };
        for (object, path) in self.objects() {
            add(object, &path);
        }
        if let Some((object, path)) = self.objects().next_back() {
            for (path, child) in self.model.descendants(object, &path) {
                add(child, &path);
            }
        }
        found
    }

    /// The calculations of fields that are wanted, in order.
    fn calculations(&self, wanted: &BTreeSet<String>) -> (Vec<Calculation>, BTreeSet<String>) {
        let mut needed = wanted.clone();
        let mut chosen = Vec::new();
        let mut all: Vec<&Calculation> = Vec::new();
        for (object, _) in self.objects() {
            all.extend(&object.calculations);
        }
        let children: Vec<(String, &Object)> = match self.objects().next_back() {
            Some((object, path)) => self.model.descendants(object, &path),
            None => Vec::new(),
        };
        all.extend(children.iter().flat_map(|(_, child)| &child.calculations));
        for calculation in all.into_iter().rev() {
            if !calculation.outputs().iter().any(|output| needed.contains(*output)) {
                continue;
            }
            match calculation {
                Calculation::Eval { expression, .. } => {
                    let mut names = Vec::new();
                    if let Ok(expression) = expression.get() {
                        needs::expression_fields(expression, &mut names);
                    }
                    needed.extend(names);
                }
                Calculation::Rex { input, .. } => drop(needed.insert(input.clone())),
                Calculation::Lookup { keys, .. } => needed.extend(keys.iter().map(|(_, field)| field.clone())),
                Calculation::Other { .. } => {}
            }
            chosen.push(calculation.clone());
        }
        chosen.reverse();
        (chosen, needed)
    }

    /// The text of the search that the events come from.
    fn search_text(&self) -> String {
        let mut text = String::new();
        for (object, _) in self.objects() {
            match &object.base_search {
                Some(base) => text.push_str(base),
                None => {
                    for constraint in &object.constraints {
                        text.push_str(&format!(" ({constraint})"));
                    }
                }
            }
        }
        text
    }

    /// The search that the events come from.
    fn search(&self, apps: &Apps, clock: &Clock) -> Result<Query, String> {
        let text = self.search_text();
        let expanded = apps.macros.expand(&text, clock);
        let first = |findings: Vec<Diagnostic>| {
            let message = findings.into_iter().next().map_or_else(String::new, |finding| finding.message);
            format!("the constraints of {:?} cannot be used: {message}", self.line.join("."))
        };
        if expanded.failed() {
            return Err(first(expanded.report(Vec::new())));
        }
        spl::parse(&expanded.text).map_err(first)
    }

    /// The constraints of objects that narrow this one down, by their paths.
    fn nodes(&self, apps: &Apps, clock: &Clock) -> Vec<(String, Option<SearchExpression>)> {
        let Some((object, path)) = self.objects().next_back() else { return Vec::new() };
        let mut found = vec![(path.clone(), None)];
        for (path, _) in self.model.descendants(object, &path) {
            let mut line = Vec::new();
            let below: Vec<&str> = path.split('.').skip(self.line.len()).collect();
            for name in below {
                line.extend(self.model.object(name).iter().flat_map(|object| object.constraints.iter().cloned()));
            }
            let text = line.iter().map(|constraint| format!("({constraint})")).collect::<Vec<_>>().join(" ");
            let expanded = apps.macros.expand(&text, clock);
            if let Ok(expression) = search_expression(&expanded.text) {
                found.push((path, expression));
            }
        }
        found
    }
}

/// The fields of events that an object of a model is made of, for the fields of it that are named.
pub fn inputs(apps: &Apps, name: &str, named: &dyn Fn(&str) -> bool, clock: &Clock) -> Vec<String> {
    let Ok(chosen) = Chosen::of(apps, name, named) else { return Vec::new() };
    let wanted = wanted(&chosen, named);
    let (_, mut inputs) = chosen.calculations(&wanted);
    if let Ok(query) = chosen.search(apps, clock) {
        inputs.extend(needs::command_fields(&query.commands));
    }
    if named(NODE) {
        let nodes = chosen.nodes(apps, clock);
        inputs.extend(nodes.iter().filter_map(|(_, node)| node.as_ref()).flat_map(needs::search_fields));
    }
    inputs.remove(NODE);
    inputs.into_iter().collect()
}

/// What tells the object that a search names from others; `None` if there is none.
pub fn key(apps: &Apps, name: &str, named: &[String]) -> Option<String> {
    Chosen::of(apps, name, &|field| named.iter().any(|known| known == field)).ok().map(|chosen| chosen.key())
}

/// The plain names of the fields that are named, plainly or in full.
fn wanted(chosen: &Chosen, named: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    let fields = chosen.fields().into_iter().filter(|(plain, full)| named(plain) || named(full));
    fields.map(|(plain, _)| plain).collect()
}

/// Plans `datamodel`.
pub async fn plan(planner: &mut Planner<'_>, command: &Datamodel, span: Span) -> PlanResult<Frame> {
    // Summaries there are none of.
    let Datamodel { model, object, mode, strict_fields, allow_old_summaries: _, summariesonly: _ } = command;
    let form = match mode.as_ref().map(|mode| mode.node) {
        Some(Mode::Search) => Form::AllQualified,
        Some(Mode::Flat) => Form::Plain,
        _ if planner.runner.is_none() => return planner.open_frame(),
        _ => {
            let place = mode.as_ref().map_or(span, |mode| mode.span);
            let error = Diagnostic::error(Code::Unsupported, "`datamodel` gives events only, no descriptions", place);
            return Err(error.with_help("write `| datamodel MODEL OBJECT search`, or `flat`").into());
        }
    };
    if strict_fields == &Some(false) && planner.runner.is_some() {
        let message = "`strict_fields=false` is not supported: only the fields of the model are given";
        return Err(Diagnostic::error(Code::Unsupported, message, span).into());
    }
    match (model, object) {
        (Some(model), Some(object)) => {
            events(planner, &format!("{}.{}", model.text, object.text), form, model.span).await
        }
        _ if planner.runner.is_none() => planner.open_frame(),
        _ => {
            let message = "`datamodel` needs a model and an object of it";
            Err(Diagnostic::error(Code::InvalidArgument, message, span).into())
        }
    }
}

/// Plans `datamodel:MODEL.OBJECT` where a dataset is named: its fields have plain names.
///
/// # Errors
/// As [`events`].
pub async fn dataset(planner: &mut Planner<'_>, name: &str, span: Span) -> PlanResult<Frame> {
    events(planner, name, Form::Plain, span).await
}

/// The events of an object of a data model. Without data every field is assumed to exist.
///
/// # Errors
/// There is no such object, or it cannot be used.
pub async fn events(planner: &mut Planner<'_>, name: &str, form: Form<'_>, span: Span) -> PlanResult<Frame> {
    let wrong = |reason: String| PlanError::from(Diagnostic::error(Code::InvalidArgument, reason, span));
    let apps = planner.knowledge.map(|knowledge| Arc::clone(knowledge.apps)).unwrap_or_else(Apps::own);
    let clock = planner.clock.clone();
    let named = |name: &str| match form {
        Form::Qualified(names) => names.iter().any(|known| known == name),
        Form::AllQualified | Form::Plain => true,
    };
    let Some(events) = planner.events else {
        if let Err(reason) = Chosen::of(&apps, name, &named) {
            let message = format!("{reason}; it is assumed to exist");
            planner.diagnostics.push(Diagnostic::warning(Code::UnknownMetadata, message, span));
        }
        return planner.open_frame();
    };
    let chosen = Chosen::of(&apps, name, &named).map_err(wrong)?;
    if let Form::Qualified(names) = form
        && let Some(frame) = summary::frame(planner, &chosen.key(), names)?
    {
        if events.summarised_empty(&chosen.key()) {
            planner.diagnostics.push(nothing_belongs(&format!("the data model {name:?}"), span));
        }
        return Ok(frame);
    }
    // What the query cannot name need not be made; a query that takes all rows as they are can name anything.
    let closed = match &events.fields {
        crate::ingest::FieldSelection::Only(_) => Some(events.named.clone()),
        _ => None,
    };
    let touched = |plain: &str, full: &str| match (form, &closed) {
        (Form::Qualified(_), _) | (_, None) => named(full),
        (_, Some(names)) => names.iter().any(|known| known == plain || known == full),
    };
    let fields: Vec<(String, String)> =
        chosen.fields().into_iter().filter(|(plain, full)| touched(plain, full)).collect();
    let plain: BTreeSet<String> = fields.iter().map(|(plain, _)| plain.clone()).collect();
    let (calculations, mut inputs) = chosen.calculations(&plain);
    let query = chosen.search(&apps, &clock).map_err(wrong)?;
    inputs.extend(needs::command_fields(&query.commands));
    let with_nodes = match form {
        Form::Qualified(names) => names.iter().any(|name| name == NODE),
        Form::AllQualified | Form::Plain => events.named.iter().any(|name| name == NODE),
    };
    let nodes = if with_nodes { chosen.nodes(&apps, &clock) } else { Vec::new() };
    inputs.extend(nodes.iter().filter_map(|(_, node)| node.as_ref()).flat_map(needs::search_fields));

    let mut frame = planner.scan_as_read()?;
    let inputs: Vec<String> = inputs.into_iter().filter(|input| !input.contains('=')).collect();
    calculated::apply(planner, &mut frame, &inputs)?;
    let problems = frame.take_findings();
    let about = format!("the data model {name:?}");
    constrain(planner, &mut frame, query, &about, span).await?;
    calculate(planner, &mut frame, &calculations, &about, span)?;
    if with_nodes {
        add_nodes(&mut frame, &nodes)?;
    }
    drop((frame.take_missing(), frame.take_findings()));
    problems.into_iter().for_each(|problem| frame.note(Diagnostic { span, ..problem }));
    shape(&mut frame, &fields, form)?;
    Ok(frame)
}

/// Keeps the events that the constraints of an object are about.
async fn constrain(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    query: Query,
    about: &str,
    span: Span,
) -> PlanResult<()> {
    let moved = |error: PlanError| match error {
        PlanError::Query(finding) => {
            let message = format!("{about}: {}", finding.message);
            PlanError::Query(Diagnostic { span, message, label: None, ..finding })
        }
        other => other,
    };
    let mut commands = query.commands.into_iter();
    let mut unknown = Vec::new();
    if let Some(first) = commands.next() {
        let CommandKind::Search(search) = first.kind else {
            let message = format!("{about} does not begin with a search");
            return Err(Diagnostic::error(Code::Unsupported, message, span).into());
        };
        search::plan(frame, &search).map_err(moved)?;
        unknown = frame.take_findings();
    }
    let rest: Vec<_> = commands.collect();
    if !rest.is_empty() {
        let known = planner.diagnostics.len();
        let piped = Box::pin(planner.pipe(frame.clone(), &rest)).await;
        planner.diagnostics.truncate(known);
        *frame = piped.map_err(|errors| PlanError::Several(errors.into_iter().map(moved).collect()))?;
    }
    // A search over what cannot be there would be silently empty.
    for finding in unknown {
        let message = format!("{about}: {}", finding.message);
        planner.diagnostics.push(Diagnostic { span, message, label: None, ..finding });
    }
    if is_empty(frame.plan()) {
        planner.diagnostics.push(nothing_belongs(about, span));
    }
    Ok(())
}

fn nothing_belongs(about: &str, span: Span) -> Diagnostic {
    let message = format!("no loaded event belongs to {about}");
    let warning = Diagnostic::warning(Code::UnknownMetadata, message, span);
    warning.with_help("`--app PATH` reads an app whose event types and tags say which events do")
}

/// Whether a plan filters every row out.
fn is_empty(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Filter(filter) if filter.predicate == lit(false))
}

/// Calculates fields, one after the other.
fn calculate(
    planner: &Planner<'_>,
    frame: &mut Frame,
    calculations: &[Calculation],
    about: &str,
    span: Span,
) -> PlanResult<()> {
    let wrong = |reason: String| Diagnostic::error(Code::InvalidArgument, format!("{about}: {reason}"), span);
    for calculation in calculations {
        match calculation {
            Calculation::Eval { field, expression } => {
                let parsed = expression
                    .get()
                    .map_err(|reason| wrong(format!("the expression of {field:?} cannot be read: {reason}")))?;
                let planner = ExpressionPlanner::new(frame);
                let typed = match filled(&planner, parsed) {
                    Some(filled) => filled.map_err(|finding| wrong(finding.message))?,
                    None => planner.plan(parsed).map_err(|finding| wrong(finding.message))?,
                };
                let value = if typed.kind == Kind::Boolean { typed.text() } else { typed.stored()? };
                frame.set(vec![(field.clone(), value)])?;
            }
            Calculation::Rex { input, pattern, fields } => {
                Pattern::new(pattern).map_err(|reason| wrong(format!("the pattern {pattern:?}: {reason}")))?;
                let source = ExpressionPlanner::new(frame).field(input, span).text();
                let taken = fields.iter().filter(|field| frame.data_type(field).is_none());
                let taken = taken.map(|field| {
                    let arguments = vec![source.clone(), lit(pattern.as_str()), lit(field.as_str()), lit(1_i64)];
                    (field.clone(), extraction::first().call(arguments))
                });
                let taken: Vec<(String, Expr)> = taken.collect();
                if !taken.is_empty() {
                    frame.set(taken)?;
                }
            }
            Calculation::Lookup { name, keys, outputs } => calculated::look_up(planner, frame, name, keys, outputs)?,
            Calculation::Other { kind, fields } => {
                let message = format!("{about}: {} are not calculated, as {kind} is not supported", fields.join(", "));
                frame.note(Diagnostic::warning(Code::Note, message, span));
            }
        }
    }
    Ok(())
}

/// `if(isnull(f) OR f="", otherwise, f)`, which is how data models fill fields, as a function that names the field
/// once. As it is written, every use of a field that is filled from others would multiply their expressions.
fn filled(planner: &ExpressionPlanner<'_>, expression: &Expression) -> Option<Result<Typed, Diagnostic>> {
    let ExpressionKind::Call(name, arguments) = &expression.kind else { return None };
    let [condition, otherwise, value] = arguments.as_slice() else { return None };
    let (ExpressionKind::Field(field), true) = (&value.kind, name.node.eq_ignore_ascii_case("if")) else { return None };
    let ExpressionKind::Binary(BinaryOperator::Or, missing, empty) = &condition.kind else { return None };
    let is_field = |expression: &Expression| matches!(&expression.kind, ExpressionKind::Field(name) if name == field);
    let ExpressionKind::Call(function, of) = &missing.kind else { return None };
    let tests_missing = function.node.eq_ignore_ascii_case("isnull") && matches!(of.as_slice(), [one] if is_field(one));
    let ExpressionKind::Binary(BinaryOperator::Equal, left, right) = &empty.kind else { return None };
    let tests_empty = is_field(left) && matches!(&right.kind, ExpressionKind::String(text) if text.is_empty());
    if !tests_missing || !tests_empty {
        return None;
    }
    let value = planner.field(field, value.span);
    let otherwise = match planner.plan(otherwise) {
        Ok(otherwise) => otherwise,
        Err(finding) => return Some(Err(finding)),
    };
    let textual = |typed: &Typed| matches!(typed.kind, Kind::Text | Kind::Literal);
    match value.kind {
        Kind::Null => Some(Ok(otherwise)),
        _ if textual(&value) && textual(&otherwise) => {
            let expr = crate::functions::filled::filled(value.text(), otherwise.text());
            Some(Ok(Typed::new(expr, Kind::Text, value.span)))
        }
        _ => None,
    }
}

/// The paths of the objects that events belong to as a field.
fn add_nodes(frame: &mut Frame, nodes: &[(String, Option<SearchExpression>)]) -> PlanResult<()> {
    let mut values = Vec::new();
    for (path, constraint) in nodes {
        let path = lit(path.as_str());
        values.push(match constraint {
            None => path,
            Some(expression) => {
                let condition = search::condition(frame, expression)?;
                datafusion::logical_expr::when(condition, path).otherwise(lit(ScalarValue::Utf8(None)))?
            }
        });
    }
    let values = crate::functions::multivalue::append(values, Span::default());
    frame.set(vec![(NODE.to_owned(), values.expr)])?;
    Ok(())
}

/// Gives the fields their names. A field that no event has is there and empty.
fn shape(frame: &mut Frame, fields: &[(String, String)], form: Form<'_>) -> PlanResult<()> {
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for name in EVENT_FIELDS.into_iter().chain([NODE]) {
        if frame.data_type(name).is_some() {
            columns.push((name.to_owned(), column(name)));
        }
    }
    for (plain, full) in fields {
        let value = match frame.data_type(plain) {
            Some(_) => column(plain),
            None => lit(ScalarValue::Utf8(None)),
        };
        let name = if matches!(form, Form::Plain) { plain } else { full };
        if !columns.iter().any(|(known, _)| known == name) {
            columns.push((name.clone(), value));
        }
    }
    frame.select(columns)?;
    Ok(())
}
