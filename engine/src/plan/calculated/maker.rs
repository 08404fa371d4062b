//! What the operations of `props.conf` make of the fields of events.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::Span;

use super::stanzas::Stanzas;
use crate::functions::pairs::{self, Asked};
use crate::functions::{extraction, multivalue, operators};
use crate::knowledge::apps::props::{Action, FieldLookup, expression};
use crate::knowledge::apps::transform::{Extraction, Piece, Taken, elements};
use crate::lookups::Lookups;
use crate::lookups::matcher::Matcher;
use crate::plan::expression::{ExpressionPlanner, Kind, Typed};
use crate::plan::frame::{self, Frame, column};
use crate::plan::{PlanResult, Planner};

/// Makes fields.
pub(super) struct Maker<'m> {
    pub(super) planner: &'m Planner<'m>,
    pub(super) lookups: Option<&'m Lookups>,
    pub(super) stanzas: &'m Stanzas,
    /// The fields that may be looked for in texts that hold names.
    pub(super) names: BTreeSet<&'m str>,
    /// The fields that the reader found in events.
    pub(super) read: BTreeSet<String>,
    /// Columns that what a step makes is taken from, each made of those before it.
    pub(super) helpers: Vec<(String, Expr)>,
    pub(super) findings: Vec<String>,
}

/// The values of fields for the events of each stanza.
type Branches = Vec<(String, Vec<(Expr, Typed)>)>;

impl Maker<'_> {
    /// What an operation makes of the fields as they are.
    pub(super) fn step(&mut self, frame: &Frame, alternatives: &[(usize, Action)]) -> PlanResult<Vec<(String, Expr)>> {
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
                    for (field, value) in self.extraction(frame, extraction, &found, condition)? {
                        // What is there stays, whether the event brought it or an extraction before.
                        let earlier = found.iter().find(|(known, _)| *known == field).map(|(_, value)| value.clone());
                        // Where Splunk extracts, nothing has read the event yet: what our reader found is no value
                        // that others are added to.
                        let adds = !self.read.contains(&field)
                            && matches!(
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

    /// The fields that are taken out of what there is, `earlier` extractions of the same list among it.
    fn extraction(
        &mut self,
        frame: &Frame,
        extraction: &Extraction,
        earlier: &[(String, Typed)],
        condition: &Expr,
    ) -> PlanResult<Vec<(String, Typed)>> {
        let planner = ExpressionPlanner::new(frame);
        let text = |source: &str| {
            let made = earlier.iter().find(|(field, _)| field == source).map(|(_, value)| value.clone());
            let field = made.unwrap_or_else(|| planner.field(source, Span::default()));
            Some(field).filter(|field| field.kind != Kind::Null)
        };
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
                for (field, taken) in fields {
                    let value = match taken {
                        Taken::Group(name) => group(&source, pattern, name, *several),
                        Taken::Written(pieces) => {
                            let part = |piece: &Piece| match piece {
                                Piece::Text(text) => text_of(text),
                                Piece::Group(name) => {
                                    prefer(&planner, group(&source, pattern, name, false), text_of(""))
                                }
                            };
                            let written = pieces.iter().map(|piece| part(piece).text());
                            let written = written.reduce(operators::concatenate).unwrap_or_else(|| lit(""));
                            let written = Typed::new(written, Kind::Text, Span::default());
                            let is_there = group(&source, pattern, "0", false).expr.is_not_null();
                            planner.choice(vec![(is_there, written)], None, Span::default())
                        }
                    };
                    found.push((field.clone(), value));
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
            Extraction::Pairs { .. } if self.names.is_empty() => {}
            Extraction::Pairs { source, pattern, groups: (key, value), several } => {
                let Some(source) = text(source) else { return Ok(found) };
                let names: Vec<&str> = self.names.iter().copied().collect();
                let asked = Asked { pattern, key, value, several: *several, names: &names };
                // Of events that the stanza is not about nothing is extracted.
                let nothing = Typed::null(Span::default());
                let source = planner.choice(vec![(condition.clone(), source)], Some(nothing), Span::default());
                // A column of its own, so that a text is looked at once, however many fields are taken from it.
                let helper = frame::hidden(&format!("pairs_{}", self.helpers.len()));
                self.helpers.push((helper.clone(), asked.of(source.text())));
                for (position, name) in names.iter().enumerate() {
                    let kind = if *several { Kind::Many } else { Kind::Text };
                    let value = pairs::named(column(&helper), position);
                    found.push(((*name).to_owned(), Typed::new(value, kind, Span::default())));
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
        let elements = elements(pattern).into_iter().filter_map(|name| {
            let kind = before(frame, &name)?.kind;
            let value = format!("replace(replace('{name}', \"&\", \"&amp;\"), \"<\", \"&lt;\")");
            // A value an element.
            let between = |begin: &str, end: &str| match kind {
                Kind::Many => format!("mvjoin(mvmap('{name}', {value}), \"{end}{begin}\")"),
                _ => value.clone(),
            };
            let forms =
                [(format!("<{name}>"), format!("</{name}>")), (format!("<Data Name='{name}'>"), "</Data>".to_owned())];
            let written = forms.map(|(begin, end)| format!("\"{begin}\" . {} . \"{end}\"", between(&begin, &end)));
            Some(format!("if(isnull('{name}'), \"\", {})", written.join(" . ")))
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

    pub(super) fn lookup(
        &mut self,
        frame: &Frame,
        lookup: &FieldLookup,
        condition: &Expr,
    ) -> PlanResult<Vec<(String, Typed)>> {
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
        // An event that lacks a field to look up keeps what it has.
        let is_asked = values.iter().cloned().map(Expr::is_not_null).reduce(Expr::and).unwrap_or_else(|| lit(true));
        let rows = crate::functions::lookup::Outputs::new(matcher, &columns, several);
        let mut found = Vec::new();
        for (position, (_, field)) in outputs.iter().enumerate() {
            let (value, kind) = rows.output(position, &values, time.clone());
            let value = Typed::new(value, kind, Span::default());
            let value = match before(frame, field) {
                Some(before) if *only_new => prefer(&planner, before, value),
                Some(before) => planner.choice(vec![(is_asked.clone(), value)], Some(before), Span::default()),
                None => value,
            };
            found.push((field.clone(), value));
        }
        Ok(found)
    }
}

/// The field as it is, if there is one.
fn before(frame: &Frame, name: &str) -> Option<Typed> {
    frame.data_type(name).map(|data_type| Typed::new(column(name), Kind::of(&data_type), Span::default()))
}

fn text_of(text: &str) -> Typed {
    Typed::new(lit(text), Kind::Text, Span::default())
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
