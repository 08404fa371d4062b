//! The fields that apps make of events: extractions, aliases, expressions and lookups of `props.conf`, put between the
//! events and what a search does with them. Only what a search can name is made.

mod maker;
mod stanzas;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use datafusion::logical_expr::lit;
use spelunk_grammar::spl::Query;
use spelunk_grammar::{Code, Diagnostic, Span};

use self::maker::Maker;
use self::stanzas::Stanzas;
use super::expression::ExpressionPlanner;
use super::frame::Frame;
use super::{METADATA, PlanResult, Planner, datamodel, needs};
use crate::ingest::FieldSelection;
use crate::knowledge::Knowledge;
use crate::knowledge::apps::Apps;
use crate::knowledge::apps::labels::Labels;
use crate::knowledge::apps::props::{FieldLookup, Phase, expression};

/// The most event types or tags that are told apart in one field.
const MOST_LABELS: usize = 2_000;

/// What to read for a query, and the fields that it can name.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What to read.
    pub fields: FieldSelection,
    /// The names, with `*` where a command takes patterns; more than it does name where that cannot be known.
    pub named: Vec<String>,
}

/// What to read for a query so that what apps make of the events is there too.
pub fn reading(query: &Query, knowledge: Knowledge<'_>, clock: &super::Clock) -> Reading {
    let apps = knowledge.apps;
    let lookups = knowledge.lookups.map(Arc::as_ref);
    let fields = needs::of(query);
    let FieldSelection::Only(mut names) = fields else {
        // Which fields it names cannot be told from those that it takes along, so every word counts as one.
        let text = query.to_string();
        let mut named: BTreeSet<String> = words(&text).collect();
        // The text of a saved search stands elsewhere.
        let mut left: Vec<String> = vec![text];
        let mut seen = BTreeSet::new();
        while let Some(text) = left.pop() {
            let saved = knowledge.saved_searches.names().filter(|name| text.contains(name));
            for saved in saved.filter_map(|name| knowledge.saved_searches.get(name).filter(|_| seen.insert(name))) {
                let expanded = knowledge.macros.expand(&saved.text, clock).text;
                named.extend(words(&expanded));
                left.push(expanded);
            }
        }
        // A search for labels is no wish for a field of them.
        let said = needs::command_fields(&query.commands);
        named.retain(|name| !Labels::is_label(name) || said.contains(name));
        let wanted = |name: &str| named.contains(name);
        let selected = apps.props.selected(wanted, |_| true, lookups);
        let raw = selected.inputs.contains("_raw") || apps.labels.event_types().any(|name| named.contains(name));
        let fields = if raw { FieldSelection::All } else { fields };
        return Reading { fields, named: named.into_iter().collect() };
    };
    let mut read = Vec::new();
    let mut next = 0;
    while let Some(name) = names.get(next).cloned() {
        next = next.saturating_add(1);
        let mut found = Vec::new();
        if let Some(model) = name.strip_prefix(needs::MODEL) {
            found = datamodel::inputs(apps, model, &|field| names.iter().any(|known| known == field), clock);
        } else if let Some(model) = name.strip_prefix(needs::WHOLE_MODEL) {
            found = datamodel::inputs(apps, model, &|_| true, clock);
        } else if let Some((field, value)) = name.split_once('=')
            && Labels::is_label(field)
        {
            // Events may have a field of that name of their own.
            read.push(field.to_owned());
            if let Ok(Some(expression)) = apps.labels.search(field, value, &apps.macros, clock, Span::default()) {
                found = needs::search_fields(&expression);
            }
        } else if Labels::is_label(&name) {
            let labels: Vec<String> = labels_of(apps, &name).map(|label| format!("{name}={label}")).collect();
            found = labels;
        }
        for field in found {
            if !names.contains(&field) {
                names.push(field);
            }
        }
    }
    let selected = apps.props.selected(wanted(&names), |_| true, lookups);
    if !selected.steps.is_empty() {
        read.extend(selected.inputs.iter().cloned());
        // What the stanzas of `props.conf` look at.
        read.extend(["source", "sourcetype", "host"].map(str::to_owned));
    }
    names.retain(|name| !is_question(name));
    Reading { fields: FieldSelection::Only(names.clone()).and(FieldSelection::Only(read)), named: names }
}

/// Whether a name stands for fields that only the apps know.
fn is_question(name: &str) -> bool {
    let label = |name: &str| name.split_once('=').is_some_and(|(field, _)| Labels::is_label(field));
    name.starts_with(needs::MODEL) || name.starts_with(needs::WHOLE_MODEL) || label(name)
}

/// The words of a query, whole and between their dots.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let inside = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | ':' | '-' | '{' | '}');
    let whole = text.split(move |letter: char| !inside(letter)).filter(|word| !word.is_empty());
    whole.flat_map(|word| std::iter::once(word).chain(word.split('.'))).map(str::to_owned)
}

/// Whether a name is one of the names, or fits one of those that are patterns; one that everything fits asks for no field
/// that apps make.
fn wanted(names: &[String]) -> impl Fn(&str) -> bool + '_ {
    let known: HashSet<&str> = names.iter().map(String::as_str).collect();
    let patterns = names.iter().filter(|name| name.contains('*') && !name.chars().all(|letter| letter == '*'));
    let patterns: Vec<String> = patterns.cloned().collect();
    let patterns = (!patterns.is_empty()).then_some(FieldSelection::Only(patterns));
    move |name| known.contains(name) || patterns.as_ref().is_some_and(|patterns| patterns.wants(name))
}

/// The labels that a field can hold.
fn labels_of<'a>(apps: &'a Apps, field: &'a str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    match field {
        "eventtype" => Box::new(apps.labels.event_types()),
        _ => Box::new(apps.labels.tags(field.strip_prefix("tag::"))),
    }
}

/// Adds the fields to events that are named and that apps make.
///
/// # Errors
/// DataFusion's own.
pub fn apply(planner: &Planner<'_>, frame: &mut Frame, named: &[String]) -> PlanResult<()> {
    let Some(knowledge) = planner.knowledge else { return Ok(()) };
    let apps = knowledge.apps;
    let (missing, findings) = (frame.take_missing(), frame.take_findings());
    let stanzas = Stanzas::of(&apps.props, frame);
    let lookups = planner.lookups.as_deref();
    let selected = apps.props.selected(wanted(named), |stanza| stanzas.condition(stanza).is_some(), lookups);
    let names: BTreeSet<&str> =
        named.iter().chain(&selected.inputs).map(String::as_str).filter(|name| is_field(name)).collect();
    let read = frame.fields().into_iter().collect();
    let mut maker =
        Maker { planner, lookups, stanzas: &stanzas, names, read, helpers: Vec::new(), findings: Vec::new() };
    let mut steps = selected.steps.as_slice();
    while let Some(first) = steps.first() {
        // Expressions see what was there before all of them; everything else is done one after the other.
        let together = match first.phase {
            Phase::Eval => steps.iter().take_while(|step| step.phase == Phase::Eval).count(),
            _ => 1,
        };
        let (now, later) = steps.split_at(together.min(steps.len()));
        steps = later;
        let mut made = Vec::new();
        for step in now {
            // Extractions of one step see those before them.
            match maker.step(frame, &step.alternatives) {
                Ok(more) => made.extend(more),
                Err(super::PlanError::Query(finding)) => maker.findings.push(finding.message),
                Err(other) => return Err(other),
            }
        }
        let helpers = std::mem::take(&mut maker.helpers);
        for (helper, value) in &helpers {
            frame.set(vec![(helper.clone(), value.clone())])?;
        }
        if !made.is_empty() {
            frame.set(made)?;
        }
        if !helpers.is_empty() {
            let helpers: Vec<String> = helpers.into_iter().map(|(helper, _)| helper).collect();
            frame.forget(&helpers)?;
        }
    }
    let problems = std::mem::take(&mut maker.findings);
    for field in named.iter().filter(|name| Labels::is_label(name)) {
        label(apps, frame, field)?;
    }
    // What the apps look at and events lack is none of the user's mistakes.
    drop((frame.take_missing(), frame.take_findings()));
    missing.into_iter().for_each(|(name, span)| frame.note_missing(&name, span));
    findings.into_iter().for_each(|finding| frame.note(finding));
    for problem in problems {
        frame.note(Diagnostic::warning(
            Code::Note,
            format!("a field of an app is left out: {problem}"),
            Span::default(),
        ));
    }
    Ok(())
}

/// Whether a name can be that of a field which stands in the text of an event.
fn is_field(name: &str) -> bool {
    let usual = !name.is_empty() && !name.starts_with('_') && !name.contains(['*', '"', '\\']);
    usual && !METADATA.contains(&name) && !Labels::is_label(name)
}

/// The event types or tags of events as a field.
fn label(apps: &Apps, frame: &mut Frame, field: &str) -> PlanResult<()> {
    let labels: Vec<&str> = labels_of(apps, field).collect();
    if labels.is_empty() || labels.len() > MOST_LABELS || frame.data_type(field).is_some() {
        return Ok(());
    }
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let choices = labels.iter().map(|label| {
        let search = quoted(&format!("{field}=\"{}\"", quoted(label)));
        format!("if(searchmatch(\"{search}\"), \"{}\", null())", quoted(label))
    });
    let text = format!("mvappend({})", choices.collect::<Vec<_>>().join(", "));
    let Ok(parsed) = expression(&text) else { return Ok(()) };
    if let Ok(typed) = ExpressionPlanner::new(frame).plan(&parsed) {
        frame.set(vec![(field.to_owned(), typed.expr)])?;
    }
    Ok(())
}

/// Adds what a lookup of a data model finds.
///
/// # Errors
/// DataFusion's own.
pub fn look_up(
    planner: &Planner<'_>,
    frame: &mut Frame,
    table: &str,
    keys: &[(String, String)],
    outputs: &[(String, String)],
) -> PlanResult<()> {
    let stanzas = Stanzas { conditions: Vec::new() };
    let lookups = planner.lookups.as_deref();
    let (names, read) = (BTreeSet::new(), BTreeSet::new());
    let mut maker =
        Maker { planner, lookups, stanzas: &stanzas, names, read, helpers: Vec::new(), findings: Vec::new() };
    let lookup =
        FieldLookup { table: table.to_owned(), keys: keys.to_vec(), outputs: outputs.to_vec(), only_new: false };
    let found = maker.lookup(frame, &lookup, &lit(true))?;
    for problem in maker.findings {
        frame.note(Diagnostic::warning(
            Code::Note,
            format!("a field of a data model is left out: {problem}"),
            Span::default(),
        ));
    }
    frame.set(found.into_iter().map(|(field, value)| (field, value.expr)).collect())?;
    Ok(())
}
