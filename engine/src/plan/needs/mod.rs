//! Which fields of the events a query can need, so that reading can leave out the others.
//!
//! A command such as `table` or `stats` closes the set: what it does not name cannot reach the result.

mod commands;
mod parts;

use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::from::DatasetKind;
use spelunk_grammar::spl::commands::return_::ReturnItem;
use spelunk_grammar::spl::commands::tstats::Tstats;
use spelunk_grammar::spl::expression::Expression;
use spelunk_grammar::spl::search::SearchExpression;
use spelunk_grammar::spl::{Command, Query};

use crate::ingest::FieldSelection;
use crate::operators::transaction::LINES;

/// What a name of a field begins with that stands for those fields of a data model that are named too.
pub const MODEL: &str = "datamodel=";
/// What a name of a field begins with that stands for all fields of a data model.
pub const WHOLE_MODEL: &str = "datamodel*=";

/// Whether a query reads events anywhere but where it begins.
pub fn has_subsearches(query: &Query) -> bool {
    let mut needs = Needs::of(query);
    query.commands.iter().for_each(|command| needs.command(command));
    needs.conditions || !needs.subsearches.is_empty()
}

/// The fields to read for a query. Subsearches that are not resolved yet count with the fields that they read and
/// those that their results can be expected to name; what they do name shows when they are resolved.
pub fn of(query: &Query) -> FieldSelection {
    let mut needs = Needs::of(query);
    for command in &query.commands {
        needs.command(command);
    }
    let own = if needs.everything {
        FieldSelection::All
    } else if needs.closed {
        FieldSelection::Only(needs.names)
    } else if needs.names.iter().any(|name| name == "_raw") {
        FieldSelection::All
    } else {
        FieldSelection::AllButRaw
    };
    needs.subsearches.into_iter().fold(own, FieldSelection::and)
}

/// The fields that a query names, whatever it needs besides.
pub fn names(query: &Query) -> Vec<String> {
    let mut needs = Needs::of(query);
    for command in &query.commands {
        needs.command(command);
    }
    let mut names = needs.names;
    for inner in needs.subsearches {
        if let FieldSelection::Only(more) = inner {
            names.extend(more);
        }
    }
    names
}

/// The fields that a subsearch reads, and those that its result can be expected to name.
fn of_subsearch(query: &Query) -> FieldSelection {
    let generates = matches!(
        query.commands.first().map(|c| &c.kind),
        Some(
            CommandKind::Gentimes(_)
                | CommandKind::Makeresults(_)
                | CommandKind::Inputlookup(_)
                | CommandKind::Inputcsv(_)
        )
    );
    let mut named = Needs::default();
    for command in &query.commands {
        // What comes after a closing command still tells what rows are made of.
        named.closed = false;
        named.command(command);
        match &command.kind {
            CommandKind::Eval(eval) => {
                eval.assignments
                    .iter()
                    .filter_map(|a| crate::plan::eval::plain_name(&a.target))
                    .for_each(|n| named.name(&n));
            }
            CommandKind::Lookup(lookup) => {
                let outputs = lookup.output.iter().flat_map(|output| &output.fields);
                outputs.for_each(|field| named.name(&field.field().text));
            }
            CommandKind::Rename(rename) => rename.pairs.iter().for_each(|(_, new)| named.name(&new.text)),
            CommandKind::Return(returned) => {
                for item in &returned.items {
                    if let ReturnItem::Alias(alias, _) = item {
                        named.name(&alias.text);
                    }
                }
            }
            _ => {}
        }
    }
    let inner = std::mem::take(&mut named.subsearches);
    // Only what rows are made of is worth guessing: a pattern would read everything.
    named.names.retain(|name| !name.contains('*') && name != "_raw");
    let named = FieldSelection::Only(named.names);
    let read = if generates { named } else { of(query).and(named) };
    inner.into_iter().fold(read, FieldSelection::and)
}

/// Whether a first command makes its rows itself, rather than of all events.
fn generates(first: &Command) -> bool {
    if let CommandKind::From(from) = &first.kind {
        return from.dataset.kind != DatasetKind::Datamodel;
    }
    matches!(
        first.kind,
        CommandKind::Append(_)
            | CommandKind::Appendcols(_)
            | CommandKind::Appendpipe(_)
            | CommandKind::Loadjob(_)
            | CommandKind::Makeresults(_)
            | CommandKind::Multisearch(_)
            | CommandKind::Savedsearch(_)
            | CommandKind::Set(_)
            | CommandKind::Union(_)
    )
}

/// What a command needs for a whole search inside it, and whether the rows of that can have any field of the events.
fn of_source(query: &Query) -> (FieldSelection, bool) {
    let mut needs = Needs::of(query);
    for command in &query.commands {
        needs.command(command);
    }
    // What a subsearch among its conditions names shows only when all is read.
    let selection = if needs.conditions { FieldSelection::All } else { of(query) };
    (selection, !needs.closed)
}

/// The fields that a search expression names.
pub fn search_fields(expression: &SearchExpression) -> Vec<String> {
    let mut needs = Needs::default();
    needs.search(expression);
    needs.names
}

/// The fields that `tstats` names.
pub fn tstats_fields(tstats: &Tstats) -> Vec<String> {
    let mut needs = Needs::default();
    needs.tstats(tstats);
    let names = needs.subsearches.into_iter().filter_map(|selection| match selection {
        FieldSelection::Only(names) => Some(names),
        FieldSelection::All | FieldSelection::AllButRaw => None,
    });
    names.flatten().collect()
}

/// The fields that a list of commands names.
pub fn command_fields(commands: &[Command]) -> Vec<String> {
    let mut needs = Needs::default();
    commands.iter().for_each(|command| needs.command(command));
    needs.names
}

/// The fields that an expression names.
pub fn expression_fields(expression: &Expression, into: &mut Vec<String>) {
    let mut needs = Needs { names: std::mem::take(into), ..Needs::default() };
    needs.expression(expression);
    *into = needs.names;
}

#[derive(Default)]
struct Needs {
    names: Vec<String>,
    closed: bool,
    /// Whether a command takes every field there is, or compares whole rows.
    everything: bool,
    /// Whether what a subsearch finds is a condition of a search.
    conditions: bool,
    /// Whether `linecount` is how many lines the events of a transaction have.
    counts_lines: bool,
    /// What the subsearches among the commands need.
    subsearches: Vec<FieldSelection>,
}

impl Needs {
    /// Before the first command, which may make rows that are no events.
    fn of(query: &Query) -> Self {
        Self { closed: query.commands.first().is_some_and(generates), ..Self::default() }
    }

    /// A field that the command at hand takes. Behind a command that closes the set it is none of the events'.
    fn name(&mut self, name: &str) {
        if !self.closed && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_string());
            if self.counts_lines && name == LINES {
                self.name("_raw");
            }
        }
    }
}
