//! Which fields of the events a query can need, so that reading can leave out the others.
//!
//! A command such as `table` or `stats` closes the set: what it does not name cannot reach the result.

use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::eval::{Target, TargetPart};
use spelunk_grammar::spl::commands::from::{self, Dataset, DatasetKind};
use spelunk_grammar::spl::commands::join::Keys;
use spelunk_grammar::spl::commands::map::MapSearch;
use spelunk_grammar::spl::commands::pivot::Element;
use spelunk_grammar::spl::commands::rare::Rare;
use spelunk_grammar::spl::commands::return_::ReturnItem;
use spelunk_grammar::spl::commands::series::ChartTerm;
use spelunk_grammar::spl::commands::sichart::Sichart;
use spelunk_grammar::spl::commands::sirare::Sirare;
use spelunk_grammar::spl::commands::sistats::Sistats;
use spelunk_grammar::spl::commands::sitimechart::Sitimechart;
use spelunk_grammar::spl::commands::sitop::Sitop;
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::commands::strcat::Source;
use spelunk_grammar::spl::commands::top::Top;
use spelunk_grammar::spl::commands::transaction::Filter;
use spelunk_grammar::spl::commands::tstats::{self, Tstats};
use spelunk_grammar::spl::expression::{Expression, ExpressionKind, Name};
use spelunk_grammar::spl::search::{ComparisonOperator, Operand, SearchExpression};
use spelunk_grammar::spl::{Command, Query};

use crate::functions::comparison;
use crate::ingest::FieldSelection;
use crate::knowledge::apps::labels::Labels;
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
                eval.assignments.iter().filter_map(|a| super::eval::plain_name(&a.target)).for_each(|n| named.name(&n));
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
            CommandKind::Extract(_) | CommandKind::Multikv(_) | CommandKind::Xmlunescape(_) => self.name("_raw"),
            CommandKind::Fromjson(fromjson) => self.name(&fromjson.field.text),
            CommandKind::Spath(spath) => {
                self.name(spath.input.as_ref().map_or("_raw", |field| &field.text));
                spath.output.iter().for_each(|field| self.name(&field.text));
            }
            CommandKind::Makejson(makejson) => {
                self.everything |= makejson.fields.is_empty() && !self.closed;
                makejson.fields.iter().for_each(|typed| self.name(&typed.field.text));
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
            CommandKind::Addinfo(_) => {}
            CommandKind::Append(append) => self.source(&append.subsearch.query),
            CommandKind::Appendcols(appendcols) => self.source(&appendcols.subsearch.query),
            CommandKind::Appendpipe(appendpipe) => self.branch(&appendpipe.subpipe.query),
            CommandKind::Concurrency(concurrency) => {
                self.name(&concurrency.duration.text);
                self.name(concurrency.start.as_ref().map_or("_time", |field| &field.text));
            }
            CommandKind::Autoregress(autoregress) => self.name(&autoregress.field.text),
            CommandKind::Bin(bin) => self.name(&bin.field.text),
            CommandKind::Delta(delta) => self.name(&delta.field.text),
            CommandKind::Diff(diff) => {
                self.name(diff.attribute.as_ref().map_or("_raw", |field| &field.text));
                self.closed = true;
            }
            CommandKind::Chart(chart) | CommandKind::Sichart(Sichart(chart)) => {
                self.terms(&chart.terms);
                chart.row.iter().chain(&chart.column).for_each(|split| self.name(&split.field.text));
                self.closed = true;
            }
            CommandKind::Timechart(chart) | CommandKind::Sitimechart(Sitimechart(chart)) => {
                self.name("_time");
                self.terms(&chart.terms);
                chart.by.iter().for_each(|split| self.name(&split.field.text));
                self.closed = true;
            }
            CommandKind::Makecontinuous(continuous) => {
                self.name(continuous.field.as_ref().map_or("_time", |field| &field.text));
            }
            CommandKind::Timewrap(_) => self.name("_time"),
            CommandKind::Geostats(geostats) => {
                let options = &geostats.options;
                self.name(options.latfield.as_ref().map_or("lat", |field| &field.text));
                self.name(options.longfield.as_ref().map_or("lon", |field| &field.text));
                self.aggregates(&geostats.aggregates);
                geostats.by.iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Pivot(pivot) => {
                self.name(&format!("{MODEL}{}.{}", pivot.model.text, pivot.object.text));
                for element in &pivot.elements {
                    match element {
                        Element::Cell(cell, _) => self.name(&cell.field.text),
                        Element::Split(split) => self.name(&split.field.text),
                        Element::Filter(filter) => self.name(&filter.field.text),
                        Element::Limit(..) | Element::Best(_) | Element::Sort(..) | Element::Setting(..) => {}
                    }
                }
                self.closed = true;
            }
            CommandKind::Tags(tags) => tags.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::X11(x11) => self.name(&x11.field.text),
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
            CommandKind::Cluster(cluster) => self.name(cluster.field.as_ref().map_or("_raw", |field| &field.text)),
            CommandKind::Cofilter(cofilter) => {
                self.name(&cofilter.user.text);
                self.name(&cofilter.item.text);
                self.closed = true;
            }
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
            CommandKind::From(from) if from.dataset.kind == DatasetKind::Datamodel => {
                self.name(&format!("{MODEL}{}", from.dataset.name));
            }
            CommandKind::From(from) => {
                self.closed = true;
                self.dataset(&from.dataset);
            }
            CommandKind::Inputlookup(input) => input.filter.iter().for_each(|filter| self.subsearches_in(filter)),
            CommandKind::Inputcsv(input) => input.filter.iter().for_each(|filter| self.subsearches_in(filter)),
            CommandKind::Lookup(lookup) => {
                lookup.keys.iter().for_each(|key| self.name(&key.field().text));
                // Only the definition says whether the time counts.
                self.name("_time");
                if let Some(output) = lookup.output.as_ref().filter(|output| output.only_new) {
                    output.fields.iter().for_each(|field| self.name(&field.field().text));
                    if output.fields.is_empty() {
                        self.name("*");
                    }
                }
            }
            CommandKind::Outputtext(_) => self.name("_raw"),
            CommandKind::Iplocation(iplocation) => self.name(&iplocation.field.text),
            CommandKind::Join(join) => {
                match &join.on {
                    Keys::Fields(fields) if fields.is_empty() => self.everything |= !self.closed,
                    Keys::Fields(fields) => fields.iter().for_each(|field| self.name(&field.text)),
                    Keys::Pairs { left: _, right: _, pairs } => {
                        pairs.iter().for_each(|(ours, _)| self.name(&ours.text));
                        // Its fields get other names, by which later commands mean them.
                        self.everything |= !self.closed;
                    }
                }
                if join.usetime.is_some() {
                    self.name("_time");
                }
                let closed = self.closed;
                self.either(&join.source);
                if closed && !self.closed && !matches!(&join.on, Keys::Fields(fields) if !fields.is_empty()) {
                    self.everything = true;
                }
            }
            CommandKind::Map(map) => {
                match &map.search {
                    MapSearch::Text(text) => {
                        super::map::Template::read(&text.node).names().for_each(|name| self.name(name));
                        self.subsearches.push(FieldSelection::All);
                    }
                    // Its text is not known here, and may name any field.
                    MapSearch::Saved(_) => self.everything = true,
                }
                self.closed = true;
            }
            CommandKind::Multisearch(multisearch) => {
                self.closed = true;
                multisearch.searches.iter().for_each(|search| self.source(&search.query));
            }
            CommandKind::Savedsearch(_) | CommandKind::Loadjob(_) => self.everything = true,
            CommandKind::Set(set) => {
                self.closed = true;
                for search in [&set.left, &set.right] {
                    let (selection, open) = of_source(&search.query);
                    // Whole rows are compared.
                    self.subsearches.push(if open { FieldSelection::All } else { selection });
                    self.closed &= !open;
                }
            }
            CommandKind::Union(union) => union.sources.iter().for_each(|source| self.either(source)),
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
            CommandKind::Localize(_) => {
                self.name("_time");
                self.closed = true;
            }
            CommandKind::Rare(Rare(frequencies))
            | CommandKind::Sirare(Sirare(frequencies))
            | CommandKind::Sitop(Sitop(frequencies))
            | CommandKind::Top(Top(frequencies)) => {
                frequencies.by.iter().chain(&frequencies.fields).for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Selfjoin(selfjoin) => selfjoin.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::Transaction(transaction) => {
                self.name("_time");
                transaction.fields.iter().for_each(|field| self.name(&field.text));
                for filter in transaction.options.startswith.iter().chain(&transaction.options.endswith) {
                    match filter {
                        Filter::Search(expression) => self.search(expression),
                        Filter::Eval(expression) => self.expression(expression),
                    }
                }
                self.counts_lines |= !self.closed;
            }
            CommandKind::Stats(stats) | CommandKind::Sistats(Sistats { stats }) => {
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
            CommandKind::Collect(_)
            | CommandKind::Mvcombine(_)
            | CommandKind::Outputcsv(_)
            | CommandKind::Outputlookup(_)
            | CommandKind::Uniq(_) => self.everything |= !self.closed,
            CommandKind::Contingency(contingency) => {
                [&contingency.rows, &contingency.columns].into_iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Correlate(_) => {
                self.name("*");
                self.closed = true;
            }
            CommandKind::Eventcount(_) => {
                self.name("index");
                self.closed = true;
            }
            CommandKind::Fieldsummary(fieldsummary) => {
                self.names_or_all(&fieldsummary.fields);
                self.closed = true;
            }
            CommandKind::Gauge(gauge) => {
                self.name(&gauge.value.text);
                gauge.ranges.iter().for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Iconify(iconify) => iconify.fields.iter().for_each(|field| self.name(&field.text)),
            CommandKind::Metadata(metadata) => {
                ["index", "_time"].into_iter().for_each(|field| self.name(field));
                super::metadata::listed(&metadata.kind.node).into_iter().for_each(|field| self.name(field));
                self.closed = true;
            }
            CommandKind::Metasearch(metasearch) => {
                ["_time", "host", "index", "source", "sourcetype"].into_iter().for_each(|field| self.name(field));
                if let Some(expression) = &metasearch.expression {
                    self.search(expression);
                }
                self.closed = true;
            }
            CommandKind::Outlier(outlier) => self.names_or_all(&outlier.fields),
            CommandKind::Reltime(reltime) => {
                self.name("_time");
                reltime.timefields.iter().for_each(|field| self.name(&field.text));
            }
            // Every field becomes a row, the internal ones too.
            CommandKind::Transpose(_) => self.everything |= !self.closed,
            CommandKind::Trendline(trendline) => trendline.trends.iter().for_each(|trend| self.name(&trend.field.text)),
            CommandKind::Untable(untable) => {
                self.name("*");
                self.name(&untable.x.text);
                self.closed = true;
            }
            CommandKind::Xyseries(xyseries) => {
                [&xyseries.x, &xyseries.y].into_iter().chain(&xyseries.data).for_each(|field| self.name(&field.text));
                self.closed = true;
            }
            CommandKind::Highlight(_) | CommandKind::Localop(_) | CommandKind::Noop(_) => {}
            CommandKind::Require(_) | CommandKind::Setfields(_) => {}
            CommandKind::Format(_)
            | CommandKind::Gentimes(_)
            | CommandKind::Makeresults(_)
            | CommandKind::Refused(_)
            | CommandKind::Unexpanded(_) => {}
            // What it names is known only when its subsearches were run.
            CommandKind::Substituted(_) => self.everything = true,
            CommandKind::Tstats(tstats) => self.tstats(tstats),
            CommandKind::Datamodel(datamodel) => {
                if let (Some(model), Some(object)) = (&datamodel.model, &datamodel.object) {
                    self.name(&format!("{MODEL}{}.{}", model.text, object.text));
                }
            }
        }
    }

    /// A whole search whose rows are put to those of this one.
    fn source(&mut self, query: &Query) {
        let (selection, open) = of_source(query);
        self.subsearches.push(selection);
        // What comes after takes fields of its events.
        self.closed &= !open;
    }

    /// Commands that work on the present rows, which stay.
    fn branch(&mut self, query: &Query) {
        let mut branch = Needs { closed: self.closed, ..Needs::default() };
        for command in &query.commands {
            branch.command(command);
        }
        branch.names.iter().for_each(|name| self.name(name));
        self.everything |= branch.everything || branch.conditions;
        self.subsearches.append(&mut branch.subsearches);
    }

    fn either(&mut self, source: &from::Source) {
        match source {
            from::Source::Subsearch(subsearch) => self.source(&subsearch.query),
            from::Source::Dataset(dataset) => self.dataset(dataset),
        }
    }

    fn dataset(&mut self, dataset: &Dataset) {
        match dataset.kind {
            // The text of a saved search is not known here.
            DatasetKind::Savedsearch => self.everything = true,
            // What is taken of its rows shows further on.
            DatasetKind::Datamodel => {
                self.subsearches.push(FieldSelection::Only(vec![format!("{WHOLE_MODEL}{}", dataset.name)]));
            }
            DatasetKind::Inputlookup | DatasetKind::Lookup => {}
        }
    }

    fn terms(&mut self, terms: &[ChartTerm]) {
        for term in terms {
            match term {
                ChartTerm::Aggregate(aggregate) => self.aggregates(std::slice::from_ref(aggregate)),
                ChartTerm::Eval(eval) => {
                    // What stands for a field with dots is read as an operation on several.
                    super::terms::dotted_fields(&eval.expression).iter().for_each(|field| self.name(field));
                    self.expression(&eval.expression);
                }
            }
        }
    }

    fn aggregates(&mut self, aggregates: &[Aggregate]) {
        for aggregate in aggregates {
            match &aggregate.argument {
                Some(AggregateArgument::Field(field)) => self.name(&field.text),
                Some(AggregateArgument::Eval(expression)) => self.expression(expression),
                Some(AggregateArgument::Sparkline(sparkline)) => {
                    self.name("_time");
                    self.aggregates(std::slice::from_ref(&sparkline.aggregate));
                }
                None if super::aggregate::counts(&aggregate.function.node) => {}
                // A function alone is over every field.
                None => self.name("*"),
            }
        }
    }

    /// It reads events of its own, whatever the commands before have left.
    fn tstats(&mut self, tstats: &Tstats) {
        let mut own = Needs::default();
        if let Some(expression) = &tstats.condition {
            own.search(expression);
        }
        if let Some(tstats::Source::DataModel(model)) = &tstats.source {
            own.name(&format!("{MODEL}{}", model.text));
        }
        own.aggregates(&tstats.aggregates);
        tstats.by.iter().for_each(|field| own.name(&field.text));
        if !tstats.prefixes.is_empty() {
            own.name("_raw");
        }
        self.subsearches.append(&mut own.subsearches);
        self.subsearches.push(FieldSelection::Only(own.names));
        self.closed = true;
    }

    /// The fields of a list, or all fields where it is empty.
    fn names_or_all(&mut self, fields: &[Name]) {
        match fields.is_empty() {
            true => self.name("*"),
            false => fields.iter().for_each(|field| self.name(&field.text)),
        }
    }

    /// An event type or a tag: a name for the fields that only the apps know.
    fn label(&mut self, field: &str, operator: ComparisonOperator, value: &str) {
        match operator {
            ComparisonOperator::Equal => self.name(&format!("{field}={value}")),
            _ => self.name(&format!("{field}=*")),
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

    /// What the subsearches in a condition on other rows than the events need.
    fn subsearches_in(&mut self, expression: &SearchExpression) {
        let mut inner = Needs { closed: true, ..Needs::default() };
        inner.search(expression);
        self.subsearches.append(&mut inner.subsearches);
    }

    fn search(&mut self, expression: &SearchExpression) {
        match expression {
            SearchExpression::And(parts) | SearchExpression::Or(parts) => {
                parts.iter().for_each(|part| self.search(part));
            }
            SearchExpression::Not(inner) => self.search(inner),
            SearchExpression::Comparison(comparison) => {
                match &comparison.value {
                    Operand::Literal(literal) if Labels::is_label(&comparison.field.text) => {
                        self.label(&comparison.field.text, comparison.operator, &literal.text);
                    }
                    _ => self.name(&comparison.field.text),
                }
                if let Operand::Subsearch(subsearch) = &comparison.value {
                    self.conditions = true;
                    self.subsearches.push(of_subsearch(&subsearch.query));
                }
            }
            SearchExpression::In(list) if Labels::is_label(&list.field.text) => {
                let values = list.values.iter();
                values.for_each(|value| self.label(&list.field.text, ComparisonOperator::Equal, &value.text));
            }
            SearchExpression::In(list) => self.name(&list.field.text),
            SearchExpression::Term(literal) => {
                if literal.text != "*" {
                    self.name("_raw");
                }
            }
            SearchExpression::Subsearch(subsearch) => {
                self.conditions = true;
                self.subsearches.push(of_subsearch(&subsearch.query));
            }
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
            ExpressionKind::Subsearch(subsearch) => self.subsearches.push(of_subsearch(&subsearch.query)),
            ExpressionKind::Number(_) | ExpressionKind::String(_) | ExpressionKind::Macro(_) => {}
        }
    }
}
