//! Which fields of the events a query can need, so that reading can leave out the others.
//!
//! A command such as `table` or `stats` closes the set: what it does not name cannot reach the result.

use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::eval::{Target, TargetPart};
use spelunk_grammar::spl::commands::return_::ReturnItem;
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::commands::strcat::Source;
use spelunk_grammar::spl::expression::{Expression, ExpressionKind, Name};
use spelunk_grammar::spl::search::{Operand, SearchExpression};
use spelunk_grammar::spl::{Command, Query};

use crate::functions::comparison;
use crate::ingest::FieldSelection;

/// The fields to read for a query. Subsearches that are not resolved yet count with the fields that they read and
/// those that their results can be expected to name; what they do name shows when they are resolved.
pub fn of(query: &Query) -> FieldSelection {
    let mut needs = Needs::default();
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

/// The fields that a subsearch reads, and those that its result can be expected to name.
fn of_subsearch(query: &Query) -> FieldSelection {
    let generates = matches!(query.commands.first().map(|c| &c.kind), Some(CommandKind::Makeresults(_)));
    let mut named = Needs::default();
    for command in &query.commands {
        // What comes after a closing command still tells what rows are made of.
        named.closed = false;
        named.command(command);
        match &command.kind {
            CommandKind::Eval(eval) => {
                eval.assignments.iter().filter_map(|a| super::eval::plain_name(&a.target)).for_each(|n| named.name(&n));
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
    /// What the subsearches among the commands need.
    subsearches: Vec<FieldSelection>,
}

impl Needs {
    /// A field that the command at hand takes. Behind a command that closes the set it is none of the events'.
    fn name(&mut self, name: &str) {
        if !self.closed && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_string());
        }
    }

    fn command(&mut self, command: &Command) {
        match &command.kind {
            CommandKind::Search(search) => {
                if let Some(expression) = &search.expression {
                    self.search(expression);
                }
            }
            CommandKind::Where(condition) => self.expression(&condition.condition),
            CommandKind::Eval(eval) => {
                for assignment in &eval.assignments {
                    self.target(&assignment.target);
                    self.expression(&assignment.value);
                }
            }
            CommandKind::Extract(_) | CommandKind::Multikv(_) => self.name("_raw"),
            CommandKind::Fromjson(fromjson) => self.name(&fromjson.field.text),
            CommandKind::Spath(spath) => {
                self.name(spath.input.as_ref().map_or("_raw", |field| &field.text));
                spath.output.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Tojson(tojson) => {
                self.everything |= tojson.fields.is_empty() && !self.closed;
                if tojson.fields.is_empty() && tojson.include_internal.unwrap_or(false) {
                    self.name("_raw");
                }
                tojson.fields.iter().for_each(|typed| self.name(&typed.field.text));
            }
            CommandKind::Xmlkv(xmlkv) => self.name(xmlkv.field.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Xpath(xpath) => {
                self.name(xpath.field.as_ref().map_or("_raw", |field| &field.text));
                xpath.outfield.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Table(table) => {
                table.fields.iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Fields(fields) => {
                if !fields.remove {
                    fields.fields.iter().for_each(|field| self.name(&field.text));
                    self.closed = true;
                }
            }
            CommandKind::Accum(accum) => self.name(&accum.field.text),
            CommandKind::Addcoltotals(totals) => {
                self.names_or_all(&totals.fields);
                totals.labelfield.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Addtotals(totals) => {
                self.names_or_all(&totals.fields);
                totals.labelfield.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Analyzefields(analyzefields) => {
                self.name("*");
                self.name(&analyzefields.classfield.text);
                self.closed = true;
            }
            CommandKind::Anomalies(anomalies) => {
                self.name(anomalies.field.as_ref().map_or("_raw", |field| &field.text));
                anomalies.by.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Anomalousvalue(anomalousvalue) => self.names_or_all(&anomalousvalue.fields),
            CommandKind::Anomalydetection(anomalydetection) => self.names_or_all(&anomalydetection.fields),
            CommandKind::Arules(arules) => {
                arules.fields.iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Associate(associate) => {
                self.names_or_all(&associate.fields);
                self.closed = true;
            }
            CommandKind::Autoregress(autoregress) => self.name(&autoregress.field.text),
            CommandKind::Cluster(cluster) => self.name(cluster.field.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Cofilter(cofilter) => {
                self.name(&cofilter.user.text);
                self.name(&cofilter.item.text);
                self.closed = true;
            }
            CommandKind::Delta(delta) => self.name(&delta.field.text),
            CommandKind::Erex(erex) => self.name(erex.fromfield.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Eventstats(eventstats) => {
                self.aggregates(&eventstats.aggregates);
                eventstats.by.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Foreach(foreach) => {
                // The template is text, and its fields are known only when it is read.
                self.name("*");
                foreach.fields.iter().for_each(|field| self.name(&field.text));
                let only_eval = foreach.template.node.starts_with("eval") && !foreach.template.node.contains('|');
                if !only_eval || foreach.template.node.contains("_raw") {
                    self.name("_raw");
                }
            }
            CommandKind::Iplocation(iplocation) => self.name(&iplocation.field.text),
            CommandKind::Kmeans(kmeans) => self.names_or_all(&kmeans.fields),
            CommandKind::Predict(predict) => {
                self.name("_time");
                for group in &predict.groups {
                    group.fields.iter().for_each(|field| self.name(&field.field.text));
                    group.options.correlate.iter().for_each(|field| self.name(&field.text));
                }
            }
            CommandKind::Relevancy(_) => self.name("_raw"),
            CommandKind::Streamstats(streamstats) => {
                self.aggregates(&streamstats.aggregates);
                streamstats.by.iter().for_each(|field| self.name(&field.text));
                let options = &streamstats.options;
                options.reset_before.iter().chain(&options.reset_after).for_each(|c| self.expression(c));
            }
            CommandKind::Reverse(_) | CommandKind::Tail(_) => {}
            CommandKind::Stats(stats) => {
                self.aggregates(&stats.aggregates);
                stats.by.iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Sort(sort) => sort.keys.iter().for_each(|key| self.name(&key.field.text)),
            CommandKind::Dedup(dedup) => {
                dedup.fields.iter().for_each(|field| self.name(&field.text));
                dedup.sortby.iter().for_each(|key| self.name(&key.field.text));
            }
            CommandKind::Head(head) => head.condition.iter().for_each(|condition| self.expression(condition)),
            CommandKind::Rename(rename) => rename.pairs.iter().for_each(|(old, _)| self.name(&old.text)),
            CommandKind::Rex(rex) => self.name(rex.field.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Return(returned) => {
                for item in &returned.items {
                    let (ReturnItem::Field(field) | ReturnItem::Alias(_, field) | ReturnItem::Value(field)) = item;
                    self.name(&field.text);
                }
                self.closed = true;
            }
            CommandKind::Convert(convert) => convert.conversions.iter().for_each(|c| self.name(&c.field.text)),
            CommandKind::Fieldformat(format) => {
                self.name(&format.field.text);
                self.expression(&format.value);
            }
            CommandKind::Filldown(filldown) => filldown.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::Fillnull(fillnull) => fillnull.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::Makemv(makemv) => self.name(&makemv.field.text),
            CommandKind::Mvexpand(mvexpand) => self.name(&mvexpand.field.text),
            CommandKind::Nomv(nomv) => self.name(&nomv.field.text),
            CommandKind::Rangemap(rangemap) => self.name(&rangemap.field.text),
            CommandKind::Regex(regex) => self.name(regex.field.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Replace(replace) => replace.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::Strcat(strcat) => {
                for source in &strcat.sources {
                    match source {
                        Source::Field(field) => self.name(&field.text),
                        Source::Text(_) => {}
                    }
                }
            }
            CommandKind::Mvcombine(_) | CommandKind::Uniq(_) => self.everything |= !self.closed,
            CommandKind::Format(_) | CommandKind::Makeresults(_) | CommandKind::Refused(_) => {}
        }
    }

    fn aggregates(&mut self, aggregates: &[Aggregate]) {
        for aggregate in aggregates {
            match &aggregate.argument {
                Some(AggregateArgument::Field(field)) => self.name(&field.text),
                Some(AggregateArgument::Eval(expression)) => self.expression(expression),
                None => {}
            }
        }
    }

    /// The fields of a list, or all fields where it is empty.
    fn names_or_all(&mut self, fields: &[Name]) {
        match fields.is_empty() {
            true => self.name("*"),
            false => fields.iter().for_each(|field| self.name(&field.text)),
        }
    }

    fn target(&mut self, target: &Target) {
        for part in &target.parts {
            match part {
                TargetPart::FieldValue(field) => self.name(field),
                TargetPart::Text(_) => {}
            }
        }
    }

    fn search(&mut self, expression: &SearchExpression) {
        match expression {
            SearchExpression::And(parts) | SearchExpression::Or(parts) => {
                parts.iter().for_each(|part| self.search(part));
            }
            SearchExpression::Not(inner) => self.search(inner),
            SearchExpression::Comparison(comparison) => {
                self.name(&comparison.field.text);
                if let Operand::Subsearch(subsearch) = &comparison.value {
                    self.subsearches.push(of_subsearch(&subsearch.query));
                }
            }
            SearchExpression::In(list) => self.name(&list.field.text),
            SearchExpression::Term(literal) => {
                if literal.text != "*" {
                    self.name("_raw");
                }
            }
            SearchExpression::Subsearch(subsearch) => self.subsearches.push(of_subsearch(&subsearch.query)),
            SearchExpression::Macro(_) => {}
        }
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Field(name) => self.name(name),
            ExpressionKind::Unary(_, operand) => self.expression(operand),
            ExpressionKind::Binary(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
            ExpressionKind::In(needle, haystack) => {
                self.expression(needle);
                haystack.iter().for_each(|member| self.expression(member));
            }
            ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("searchmatch") => {
                for argument in arguments {
                    if let ExpressionKind::String(text) = &argument.kind
                        && let Ok(Some(expression)) = comparison::search_expression(text)
                    {
                        self.search(&expression);
                    }
                }
            }
            ExpressionKind::Call(_, arguments) => arguments.iter().for_each(|argument| self.expression(argument)),
            ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Subsearch(_)
            | ExpressionKind::Macro(_) => {}
        }
    }
}
