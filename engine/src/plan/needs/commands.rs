//! What each command takes of the fields before it, and whether it closes the set.

use spelunk_grammar::spl::Command;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::from::DatasetKind;
use spelunk_grammar::spl::commands::join::Keys;
use spelunk_grammar::spl::commands::map::MapSearch;
use spelunk_grammar::spl::commands::pivot::Element;
use spelunk_grammar::spl::commands::rare::Rare;
use spelunk_grammar::spl::commands::return_::ReturnItem;
use spelunk_grammar::spl::commands::sichart::Sichart;
use spelunk_grammar::spl::commands::sirare::Sirare;
use spelunk_grammar::spl::commands::sistats::Sistats;
use spelunk_grammar::spl::commands::sitimechart::Sitimechart;
use spelunk_grammar::spl::commands::sitop::Sitop;
use spelunk_grammar::spl::commands::strcat::Source;
use spelunk_grammar::spl::commands::top::Top;
use spelunk_grammar::spl::commands::transaction::Filter;

use super::{MODEL, Needs, of_source};
use crate::ingest::FieldSelection;

impl Needs {
    /// Adds what a command takes.
    pub(super) fn command(&mut self, command: &Command) {
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
                        crate::plan::map::Template::read(&text.node).names().for_each(|name| self.name(name));
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
                crate::plan::metadata::listed(&metadata.kind.node).into_iter().for_each(|field| self.name(field));
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
}
