//! The fields that apps make of events: extractions, aliases, expressions and lookups of `props.conf`, put between the
//! events and what a search does with them. Only what a search can name is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, is_not_true, lit};
use spelunk_grammar::spl::Query;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{METADATA, PlanResult, Planner, datamodel, needs};
use crate::functions::{extraction, multivalue};
use crate::ingest::FieldSelection;
use crate::knowledge::Knowledge;
use crate::knowledge::apps::Apps;
use crate::knowledge::apps::labels::Labels;
use crate::knowledge::apps::props::{Action, FieldLookup, Phase, Props, expression};
use crate::knowledge::apps::transform::{Extraction, elements};
use crate::lookups::Lookups;
use crate::lookups::matcher::Matcher;

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
    let wanted = |name: &str| names.iter().any(|known| known == name) || patterns(&names, name);
    let selected = apps.props.selected(wanted, |_| true, lookups);
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

/// Whether a name fits one of the names that are patterns; one that everything fits asks for no field that apps make.
fn patterns(names: &[String], name: &str) -> bool {
    let patterns = names.iter().filter(|pattern| pattern.contains('*') && !pattern.chars().all(|letter| letter == '*'));
    let patterns: Vec<String> = patterns.cloned().collect();
    !patterns.is_empty() && FieldSelection::Only(patterns).wants(name)
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
    let wanted = |name: &str| named.iter().any(|known| known == name) || patterns(named, name);
    let lookups = planner.lookups.as_deref();
    let selected = apps.props.selected(wanted, |stanza| stanzas.condition(stanza).is_some(), lookups);
    let names: BTreeSet<&str> =
        named.iter().chain(&selected.inputs).map(String::as_str).filter(|name| is_field(name)).collect();
    let mut maker = Maker { planner, lookups, stanzas: &stanzas, names, findings: Vec::new() };
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
        if !made.is_empty() {
            frame.set(made)?;
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

/// Which loaded events the stanzas of `props.conf` describe.
struct Stanzas {
    conditions: Vec<Option<Expr>>,
}

impl Stanzas {
    fn of(props: &Props, frame: &Frame) -> Self {
        let of = |stanza: &crate::knowledge::apps::props::Described| {
            let field = stanza.spec.field.name();
            let known = frame.metadata.get(field)?;
            let renamed = |value: &str| props.renamed(value).is_some_and(|new| stanza.spec.matches(new));
            let fits = |value: &&String| match props.renamed(value) {
                Some(_) if field == "sourcetype" => renamed(value),
                _ => stanza.spec.matches(value),
            };
            let found: Vec<&String> = known.iter().filter(fits).collect();
            match found.len() {
                0 => None,
                all if all == known.len() && field != "host" => Some(lit(true)),
                _ => Some(column(field).in_list(found.into_iter().map(|value| lit(value.as_str())).collect(), false)),
            }
        };
        let given = props.stanzas.iter().filter(|stanza| !stanza.own && stanza.particular).filter_map(of);
        let given = given.reduce(Expr::or);
        let conditions = props.stanzas.iter().map(|stanza| match (of(stanza), &given) {
            // Spelunk's own app is silent about events that another describes in particular.
            (Some(condition), Some(given)) if stanza.yields() => match given {
                given if *given == lit(true) => None,
                given if condition == lit(true) => Some(is_not_true(given.clone())),
                given => Some(condition.and(is_not_true(given.clone()))),
            },
            (condition, _) => condition,
        });
        Self { conditions: conditions.collect() }
    }

    /// For which events the stanza is; `None` if for none.
    fn condition(&self, stanza: usize) -> Option<&Expr> {
        self.conditions.get(stanza).and_then(Option::as_ref)
    }
}

/// Makes fields.
struct Maker<'m> {
    planner: &'m Planner<'m>,
    lookups: Option<&'m Lookups>,
    stanzas: &'m Stanzas,
    /// The fields that may be looked for in texts that hold names.
    names: BTreeSet<&'m str>,
    findings: Vec<String>,
}

/// The values of fields for the events of each stanza.
type Branches = Vec<(String, Vec<(Expr, Typed)>)>;

impl Maker<'_> {
    /// What an operation makes of the fields as they are.
    fn step(&mut self, frame: &Frame, alternatives: &[(usize, Action)]) -> PlanResult<Vec<(String, Expr)>> {
        let mut branches: Branches = Vec::new();
        for (stanza, action) in alternatives {
            let Some(condition) = self.stanzas.condition(*stanza) else { continue };
            for (field, value) in self.action(frame, action, condition)? {
                let value = plain(value);
                match branches.iter_mut().find(|(known, _)| *known == field) {
                    Some((_, values)) => values.push((condition.clone(), value)),
                    None => branches.push((field, vec![(condition.clone(), value)])),
                }
            }
        }
        let mut made = Vec::new();
        for (field, mut values) in branches {
            let before = before(frame, &field);
            if before.is_none() && values.iter().all(|(_, value)| value.kind == Kind::Null) {
                continue;
            }
            let value = match values.as_slice() {
                [(condition, _)] if *condition == lit(true) => values.pop().map(|(_, value)| value.expr),
                _ => {
                    let otherwise = before.unwrap_or_else(|| Typed::null(Span::default()));
                    let choice = ExpressionPlanner::new(frame).choice(values, Some(otherwise), Span::default());
                    Some(choice.expr)
                }
            };
            made.extend(value.map(|value| (field, value)));
        }
        Ok(made)
    }

    fn action(&mut self, frame: &Frame, action: &Action, condition: &Expr) -> PlanResult<Vec<(String, Typed)>> {
        let planner = ExpressionPlanner::new(frame);
        Ok(match action {
            Action::Extract(extractions) => {
                let mut found: Vec<(String, Typed)> = Vec::new();
                for extraction in extractions {
                    for (field, value) in self.extraction(frame, extraction)? {
                        // What is there stays, whether the event brought it or an extraction before.
                        let earlier = found.iter().find(|(known, _)| *known == field).map(|(_, value)| value.clone());
                        let adds = matches!(
                            extraction,
                            Extraction::Groups { several: true, .. } | Extraction::Pairs { several: true, .. }
                        );
                        let value = match earlier.or_else(|| before(frame, &field)) {
                            Some(earlier) if adds => {
                                multivalue::append(vec![earlier.text(), value.text()], Span::default())
                            }
                            Some(earlier) => prefer(&planner, earlier, value),
                            None => value,
                        };
                        found.retain(|(known, _)| *known != field);
                        found.push((field, value));
                    }
                }
                found
            }
            Action::Alias(pairs) => {
                let mut found: Vec<(String, Typed)> = Vec::new();
                for (from, to, only_new) in pairs {
                    let value = planner.field(from, Span::default());
                    let value = match before(frame, to).filter(|_| *only_new) {
                        Some(before) => prefer(&planner, before, value),
                        None => value,
                    };
                    found.retain(|(known, _)| known != to);
                    found.push((to.clone(), value));
                }
                found
            }
            Action::Eval(field, expression) => match expression.get() {
                Ok(expression) => vec![(field.clone(), planner.plan(expression)?)],
                Err(_) => Vec::new(),
            },
            Action::Lookup(lookup) => self.lookup(frame, lookup, condition)?,
        })
    }

    fn extraction(&self, frame: &Frame, extraction: &Extraction) -> PlanResult<Vec<(String, Typed)>> {
        let planner = ExpressionPlanner::new(frame);
        let text = |source: &str| Some(planner.field(source, Span::default())).filter(|field| field.kind != Kind::Null);
        let group = |source: &Typed, pattern: &str, group: &str, several: bool| {
            let (udf, kind) = match several {
                true => (extraction::every(), Kind::Many),
                false => (extraction::first(), Kind::Text),
            };
            let limit = lit(i64::from(!several));
            Typed::new(udf.call(vec![source.text(), lit(pattern), lit(group), limit]), kind, Span::default())
        };
        let mut found = Vec::new();
        match extraction {
            Extraction::Groups { source, pattern, fields, several } => {
                let Some(there) = text(source) else { return Ok(found) };
                let source = self.written_out(frame, source, pattern)?.unwrap_or(there);
                for (field, name) in fields {
                    found.push((field.clone(), group(&source, pattern, name, *several)));
                }
            }
            Extraction::Positions { source, separators, fields } => {
                let Some(source) = text(source) else { return Ok(found) };
                let class: String = separators.chars().flat_map(|letter| ['\\', letter]).collect();
                for (position, field) in fields.iter().enumerate() {
                    let pattern = format!("^(?:[^{class}]*[{class}]){{{position}}}([^{class}]*)");
                    found.push((field.clone(), group(&source, &pattern, "1", false)));
                }
            }
            Extraction::Pairs { source, pattern, groups: (key, value), several } => {
                let Some(source) = text(source) else { return Ok(found) };
                for name in &self.names {
                    let arguments = [pattern, key, value].map(|text| lit(text.as_str()));
                    let [pattern, key, value] = arguments;
                    let (udf, kind) = match several {
                        true => (extraction::every_paired(), Kind::Many),
                        false => (extraction::paired(), Kind::Text),
                    };
                    let expr = udf.call(vec![source.text(), pattern, key, value, lit(*name)]);
                    found.push(((*name).to_owned(), Typed::new(expr, kind, Span::default())));
                }
            }
            Extraction::Document => {
                if text("_raw").is_none() {
                    return Ok(found);
                }
                for name in &self.names {
                    let Ok(expression) = expression(&format!("spath(_raw, \"{name}\")")) else { continue };
                    found.push(((*name).to_owned(), planner.plan(&expression)?));
                }
            }
        }
        Ok(found)
    }

    /// What a pattern for the XML of event logs looks at: the text of the event, and where that is not XML, because a tool
    /// exported the event as JSON or CSV, the elements that the pattern names, of what was read of the event.
    fn written_out(&self, frame: &Frame, source: &str, pattern: &str) -> PlanResult<Option<Typed>> {
        if source != "_raw" || frame.data_type("source").is_none() {
            return Ok(None);
        }
        let single = |name: &&str| before(frame, name).is_some_and(|field| field.kind != Kind::Many);
        let elements = elements(pattern).into_iter().filter(single).map(|name| {
            let value = format!("replace(replace('{name}', \"&\", \"&amp;\"), \"<\", \"&lt;\")");
            let written = format!("\"<{name}>\" . {value} . \"</{name}><Data Name='{name}'>\" . {value} . \"</Data>\"");
            format!("if(isnull('{name}'), \"\", {written})")
        });
        let elements: Vec<String> = elements.collect();
        if elements.is_empty() {
            return Ok(None);
        }
        let is_other = "match(source, \"(?i)WinEventLog:\") AND NOT match(_raw, \"<Event\")";
        let text = format!("if({is_other}, {}, _raw)", elements.join(" . "));
        let Ok(parsed) = expression(&text) else { return Ok(None) };
        Ok(Some(ExpressionPlanner::new(frame).plan(&parsed)?))
    }

    fn lookup(&mut self, frame: &Frame, lookup: &FieldLookup, condition: &Expr) -> PlanResult<Vec<(String, Typed)>> {
        let FieldLookup { table: name, keys, outputs, only_new } = lookup;
        let Some(lookups) = self.lookups else { return Ok(Vec::new()) };
        let opened = match lookups.open(name) {
            Ok(opened) => opened,
            Err(missing) => {
                self.findings.push(missing.message);
                return Ok(Vec::new());
            }
        };
        let table = &opened.table;
        let planner = ExpressionPlanner::new(frame);
        let mut key_columns = Vec::new();
        let mut values = Vec::new();
        let mut several = false;
        for (column, field) in keys {
            let Some(position) = table.position(column) else {
                self.findings.push(format!("the lookup {name:?} has no column {column:?}"));
                return Ok(Vec::new());
            };
            let field = planner.field(field, Span::default());
            several |= field.kind == Kind::Many;
            key_columns.push(position);
            // Of events that the stanza is not about nothing is looked up.
            let nothing = Typed::null(Span::default());
            values.push(planner.choice(vec![(condition.clone(), field)], Some(nothing), Span::default()).text());
        }
        let outputs: Vec<(String, String)> = match outputs.is_empty() {
            false => outputs.clone(),
            true => {
                let others = table.names().enumerate().filter(|(position, _)| !key_columns.contains(position));
                others.map(|(_, name)| (name.to_owned(), name.to_owned())).collect()
            }
        };
        let mut columns = Vec::new();
        for (column, _) in &outputs {
            match table.position(column) {
                Some(position) => columns.push(position),
                None => {
                    self.findings.push(format!("the lookup {name:?} has no column {column:?}"));
                    return Ok(Vec::new());
                }
            }
        }
        let clock = self.planner.clock;
        let matcher = Matcher::new(Arc::clone(table), &opened.definition, &key_columns, &clock.time_zone, clock.now);
        let matcher = match matcher {
            Ok(matcher) => matcher,
            Err(reason) => {
                self.findings.push(format!("the lookup {name:?} cannot be used: {reason}"));
                return Ok(Vec::new());
            }
        };
        let time = match frame.data_type("_time") {
            Some(_) if matcher.needs_time() => planner.field("_time", Span::default()).number(),
            _ => lit(ScalarValue::Float64(None)),
        };
        let rows = crate::functions::lookup::Outputs::new(matcher, &columns, several);
        let mut found = Vec::new();
        for (position, (_, field)) in outputs.iter().enumerate() {
            let (value, kind) = rows.output(position, &values, time.clone());
            let value = Typed::new(value, kind, Span::default());
            let value = match before(frame, field).filter(|_| *only_new) {
                Some(before) => prefer(&planner, before, value),
                None => value,
            };
            found.push((field.clone(), value));
        }
        Ok(found)
    }
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
    let mut maker = Maker { planner, lookups, stanzas: &stanzas, names: BTreeSet::new(), findings: Vec::new() };
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

/// The field as it is, if there is one.
fn before(frame: &Frame, name: &str) -> Option<Typed> {
    frame.data_type(name).map(|data_type| Typed::new(column(name), Kind::of(&data_type), Span::default()))
}

/// The first value where there is one, else the second.
fn prefer(planner: &ExpressionPlanner<'_>, first: Typed, second: Typed) -> Typed {
    planner.choice(vec![(first.expr.clone().is_not_null(), first)], Some(second), Span::default())
}

/// A value as fields hold it: truth as text, times in seconds.
fn plain(value: Typed) -> Typed {
    match value.kind {
        Kind::Boolean => Typed::new(value.text(), Kind::Text, value.span),
        Kind::Time => Typed::new(value.number(), Kind::Number, value.span),
        _ => value,
    }
}
