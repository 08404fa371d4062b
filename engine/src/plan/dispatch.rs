//! The registry of commands: which room plans which command.

use spelunk_grammar::spl::commands::sichart::Sichart;
use spelunk_grammar::spl::commands::sitimechart::Sitimechart;
use spelunk_grammar::spl::commands::{CommandKind, Refused};
use spelunk_grammar::spl::{Command, Query};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{
    PlanResult, Planner, Scope, accum, addinfo, analyzefields, anomalies, anomalousvalue, anomalydetection, append,
    appendcols, appendpipe, arules, associate, autoregress, bin, chart, cluster, cofilter, collect, combine,
    concurrency, contingency, convert, correlate, datamodel, dataset, dedup, delta, diff, erex, eval, eventstats,
    extract, fieldformat, fields, fieldsummary, filldown, fillnull, foreach, format, fromjson, gauge, gentimes,
    geostats, head, iconify, inputlookup, iplocation, join, kmeans, localize, lookup, makecontinuous, makejson, makemv,
    makeresults, map, metadata, multikv, mvcombine, mvexpand, nomv, outlier, outputlookup, outputtext, predict,
    rangemap, regex, relevancy, reltime, rename, replace, require, return_, reverse, rex, saved, search, selfjoin, set,
    setfields, sort, spath, stats, strcat, streamstats, substituted, table, tags, tail, timechart, timewrap, tojson,
    top, totals, transaction, transpose, trendline, tstats, union, uniq, untable, where_, x11, xmlkv, xmlunescape,
    xpath, xyseries,
};

impl Planner<'_> {
    /// The registry of commands that work on rows.
    pub(super) async fn command(&mut self, frame: &mut Frame, command: &Command) -> PlanResult<()> {
        match &command.kind {
            CommandKind::Accum(accum) => accum::plan(frame, accum),
            CommandKind::Addcoltotals(addcoltotals) => totals::plan_columns(self, frame, addcoltotals).await,
            CommandKind::Addinfo(_) => addinfo::plan(self, frame),
            CommandKind::Addtotals(addtotals) => totals::plan(self, frame, addtotals).await,
            CommandKind::Analyzefields(analyzefields) => {
                analyzefields::plan(self, frame, analyzefields, command.name_span).await
            }
            CommandKind::Anomalies(anomalies) => anomalies::plan(self, frame, anomalies, command.name_span).await,
            CommandKind::Anomalousvalue(anomalousvalue) => {
                anomalousvalue::plan(self, frame, anomalousvalue, command.name_span).await
            }
            CommandKind::Anomalydetection(anomalydetection) => {
                anomalydetection::plan(self, frame, anomalydetection, command.name_span).await
            }
            CommandKind::Append(append) => append::plan(self, frame, append).await,
            CommandKind::Appendcols(appendcols) => appendcols::plan(self, frame, appendcols).await,
            CommandKind::Appendpipe(appendpipe) => appendpipe::plan(self, frame, appendpipe).await,
            CommandKind::Arules(arules) => arules::plan(self, frame, arules, command.name_span).await,
            CommandKind::Associate(associate) => associate::plan(self, frame, associate, command.name_span).await,
            CommandKind::Autoregress(autoregress) => autoregress::plan(frame, autoregress),
            CommandKind::Bin(bin) => bin::plan(self, frame, bin).await,
            CommandKind::Chart(chart) | CommandKind::Sichart(Sichart(chart)) => {
                chart::plan(self, frame, chart, command.name_span).await
            }
            CommandKind::Cluster(cluster) => cluster::plan(self, frame, cluster, command.name_span).await,
            CommandKind::Cofilter(cofilter) => cofilter::plan(self, frame, cofilter, command.name_span).await,
            CommandKind::Collect(collect) => collect::plan(self, frame, collect, command.name_span).await,
            CommandKind::Concurrency(concurrency) => concurrency::plan(frame, concurrency, command.name_span),
            CommandKind::Contingency(contingency) => contingency::plan(self, frame, contingency, command.span).await,
            CommandKind::Convert(convert) => convert::plan(self, frame, convert).await,
            CommandKind::Correlate(_) => correlate::plan(self, frame, command.span).await,
            CommandKind::Datamodel(_) => Err(not_first(command).into()),
            CommandKind::Dedup(dedup) => dedup::plan(frame, dedup),
            CommandKind::Delta(delta) => delta::plan(frame, delta),
            CommandKind::Diff(diff) => diff::plan(self, frame, diff, command.span).await,
            CommandKind::Erex(erex) => erex::plan(self, frame, erex, command.name_span).await,
            CommandKind::Eval(eval) => eval::plan(self, frame, eval).await,
            CommandKind::Eventcount(_) => Err(not_first(command).into()),
            CommandKind::Eventstats(eventstats) => eventstats::plan(frame, eventstats),
            CommandKind::Extract(extract) => extract::plan(self, frame, extract, command.span).await,
            CommandKind::Fieldformat(format) => fieldformat::plan(frame, format),
            CommandKind::Fields(fields) => fields::plan(frame, fields),
            CommandKind::Fieldsummary(fieldsummary) => {
                fieldsummary::plan(self, frame, fieldsummary, command.span).await
            }
            CommandKind::Filldown(filldown) => filldown::plan(frame, filldown),
            CommandKind::Fillnull(fillnull) => fillnull::plan(self, frame, fillnull).await,
            CommandKind::Foreach(foreach) => foreach::plan(self, frame, foreach).await,
            CommandKind::Format(format) => format::plan(self, frame, format).await,
            CommandKind::From(_) => Err(not_first(command).into()),
            CommandKind::Fromjson(fromjson) => fromjson::plan(self, frame, fromjson).await,
            CommandKind::Gauge(gauge) => gauge::plan(frame, gauge),
            CommandKind::Gentimes(_) => Err(not_first(command).into()),
            CommandKind::Geostats(geostats) => geostats::plan(self, frame, geostats, command.name_span).await,
            CommandKind::Head(head) => head::plan(frame, head),
            CommandKind::Highlight(_) => Ok(()),
            CommandKind::Iconify(iconify) => iconify::plan(frame, iconify),
            CommandKind::Inputcsv(input) => inputlookup::plan_csv(self, frame, input, command.name_span),
            CommandKind::Inputlookup(input) => inputlookup::plan(self, frame, input, command.name_span),
            CommandKind::Iplocation(iplocation) => iplocation::plan(self, frame, iplocation),
            CommandKind::Join(join) => join::plan(self, frame, join).await,
            CommandKind::Kmeans(kmeans) => kmeans::plan(self, frame, kmeans, command.name_span).await,
            CommandKind::Loadjob(_) => Err(not_first(command).into()),
            CommandKind::Localize(localize) => localize::plan(frame, localize, command.name_span),
            CommandKind::Localop(_) => Ok(()),
            CommandKind::Lookup(lookup) => lookup::plan(self, frame, lookup),
            CommandKind::Makecontinuous(continuous) => {
                makecontinuous::plan(self, frame, continuous, command.name_span).await
            }
            CommandKind::Makejson(makejson) => makejson::plan(frame, makejson),
            CommandKind::Makemv(makemv) => makemv::plan(frame, makemv),
            CommandKind::Makeresults(_) => Err(not_first(command).into()),
            CommandKind::Map(map) => map::plan(self, frame, map, command.span).await,
            CommandKind::Metadata(_) => Err(not_first(command).into()),
            CommandKind::Metasearch(_) => Err(not_first(command).into()),
            CommandKind::Multikv(multikv) => multikv::plan(self, frame, multikv, command.span).await,
            CommandKind::Multisearch(_) => Err(not_first(command).into()),
            CommandKind::Mvcombine(mvcombine) => mvcombine::plan(frame, mvcombine),
            CommandKind::Mvexpand(mvexpand) => mvexpand::plan(frame, mvexpand),
            CommandKind::Nomv(nomv) => nomv::plan(frame, nomv),
            CommandKind::Noop(_) => Ok(()),
            CommandKind::Outlier(outlier) => outlier::plan(self, frame, outlier, command.span).await,
            CommandKind::Outputcsv(output) => outputlookup::plan_csv(self, frame, output).await,
            CommandKind::Outputlookup(output) => outputlookup::plan(self, frame, output).await,
            CommandKind::Outputtext(output) => outputtext::plan(frame, output, command.name_span),
            CommandKind::Pivot(_) => Err(not_first(command).into()),
            CommandKind::Predict(predict) => predict::plan(self, frame, predict, command.name_span).await,
            CommandKind::Rangemap(rangemap) => rangemap::plan(frame, rangemap),
            CommandKind::Rare(rare) => top::plan(frame, &rare.0, top::Which::Rare),
            CommandKind::Refused(refused) => Err(refused_command(refused, command.name_span).into()),
            CommandKind::Regex(regex) => regex::plan(frame, regex),
            CommandKind::Relevancy(_) => relevancy::plan(self, frame, command.name_span).await,
            CommandKind::Reltime(reltime) => reltime::plan(frame, reltime),
            CommandKind::Rename(rename) => rename::plan(frame, rename),
            CommandKind::Replace(replace) => replace::plan(frame, replace),
            CommandKind::Require(_) => require::plan(self, frame, command.span).await,
            CommandKind::Return(returned) => return_::plan(self, frame, returned).await,
            CommandKind::Reverse(reverse) => reverse::plan(frame, reverse),
            CommandKind::Rex(rex) => rex::plan(frame, rex),
            CommandKind::Savedsearch(_) => Err(not_first(command).into()),
            CommandKind::Search(search) => search::plan(frame, search),
            CommandKind::Selfjoin(selfjoin) => selfjoin::plan(self, frame, selfjoin, command.name_span).await,
            CommandKind::Set(_) => Err(not_first(command).into()),
            CommandKind::Setfields(setfields) => setfields::plan(frame, setfields),
            CommandKind::Sirare(sirare) => top::plan(frame, &sirare.0, top::Which::Rare),
            CommandKind::Sistats(sistats) => stats::plan(frame, &sistats.stats),
            CommandKind::Sitop(sitop) => top::plan(frame, &sitop.0, top::Which::Top),
            CommandKind::Sort(sort) => sort::plan(frame, sort),
            CommandKind::Spath(spath) => spath::plan(self, frame, spath, command.span).await,
            CommandKind::Stats(stats) => stats::plan(frame, stats),
            CommandKind::Strcat(strcat) => strcat::plan(frame, strcat),
            CommandKind::Streamstats(streamstats) => streamstats::plan(frame, streamstats),
            CommandKind::Substituted(command) => substituted::plan(self, frame, command).await,
            CommandKind::Table(table) => table::plan(frame, table),
            CommandKind::Tags(tags) => tags::plan(self, frame, tags, command.name_span),
            CommandKind::Tail(tail) => tail::plan(frame, tail),
            CommandKind::Timechart(chart) | CommandKind::Sitimechart(Sitimechart(chart)) => {
                timechart::plan(self, frame, chart, command.name_span).await
            }
            CommandKind::Timewrap(timewrap) => timewrap::plan(self, frame, timewrap, command.name_span).await,
            CommandKind::Tojson(tojson) => tojson::plan(frame, tojson),
            CommandKind::Top(top) => top::plan(frame, &top.0, top::Which::Top),
            CommandKind::Transaction(transaction) => transaction::plan(self, frame, transaction, command.name_span),
            CommandKind::Transpose(transpose) => transpose::plan(self, frame, transpose, command.span).await,
            CommandKind::Trendline(trendline) => trendline::plan(frame, trendline),
            CommandKind::Tstats(tstats) => tstats::append(self, frame, tstats, command.name_span).await,
            CommandKind::Unexpanded(command) => self.unexpanded(frame, command),
            CommandKind::Union(union) => union::plan(self, frame, union).await,
            CommandKind::Uniq(_) => uniq::plan(frame),
            CommandKind::Untable(untable) => untable::plan(frame, untable),
            CommandKind::Where(condition) => where_::plan(frame, condition),
            CommandKind::X11(x11) => x11::plan(self, frame, x11, command.name_span).await,
            CommandKind::Xmlkv(xmlkv) => xmlkv::plan(self, frame, xmlkv, command.span).await,
            CommandKind::Xmlunescape(_) => xmlunescape::plan(frame, command.name_span),
            CommandKind::Xpath(xpath) => xpath::plan(frame, xpath),
            CommandKind::Xyseries(xyseries) => xyseries::plan(self, frame, xyseries, command.span).await,
        }
    }

    /// The rows that the first command makes, and the commands that follow.
    pub(super) async fn generate<'q>(&mut self, query: &'q Query) -> PlanResult<(Frame, &'q [Command])> {
        let Some((first, rest)) = query.commands.split_first() else {
            return Err(Diagnostic::error(Code::Syntax, "the query is empty", query.span).into());
        };
        self.runner.inspect(|runner| runner.enter(first));
        match &first.kind {
            // What puts rows beside or below others starts with none.
            CommandKind::Append(_) | CommandKind::Appendcols(_) | CommandKind::Appendpipe(_) => {
                Ok((combine::nothing(self)?, query.commands.as_slice()))
            }
            CommandKind::Datamodel(datamodel) => Ok((datamodel::plan(self, datamodel, first.span).await?, rest)),
            CommandKind::Eventcount(_) | CommandKind::Metadata(_) | CommandKind::Metasearch(_) => {
                let frame = self.scan()?;
                let scope = Scope::of(&frame);
                let frame = match &first.kind {
                    CommandKind::Eventcount(eventcount) => metadata::plan_count(frame, eventcount, first.span)?,
                    CommandKind::Metadata(metadata) => metadata::plan(self, frame, metadata)?,
                    CommandKind::Metasearch(metasearch) => metadata::plan_search(self, frame, metasearch, first.span)?,
                    _ => frame,
                };
                self.report_missing(&frame, &scope);
                Ok((frame, rest))
            }
            CommandKind::From(from) => Ok((dataset::frame_of(self, &from.dataset).await?, rest)),
            CommandKind::Gentimes(gentimes) => Ok((gentimes::plan(self, gentimes, first.span)?, rest)),
            CommandKind::Inputcsv(input) => Ok((self.told(inputlookup::generate_csv(self, input)?), rest)),
            CommandKind::Inputlookup(input) => Ok((self.told(inputlookup::generate(self, input)?), rest)),
            CommandKind::Loadjob(loadjob) => Ok((saved::plan_job(self, loadjob).await?, rest)),
            CommandKind::Makeresults(makeresults) => Ok((makeresults::plan(self, makeresults, first.span)?, rest)),
            CommandKind::Multisearch(multisearch) => Ok((union::plan_multisearch(self, multisearch).await?, rest)),
            CommandKind::Pivot(pivot) => Ok((datamodel::plan_pivot(self, pivot).await?, rest)),
            CommandKind::Refused(refused) => Err(refused_command(refused, first.name_span).into()),
            CommandKind::Savedsearch(savedsearch) => Ok((saved::plan(self, savedsearch).await?, rest)),
            CommandKind::Search(search) => {
                let mut frame = self.scan()?;
                let scope = Scope::of(&frame);
                frame.time_range = addinfo::range(self, search);
                search::plan_first(self, &mut frame, search)?;
                self.report_missing(&frame, &scope);
                Ok((frame, rest))
            }
            CommandKind::Set(set) => Ok((set::plan(self, set).await?, rest)),
            CommandKind::Substituted(command) => Ok((substituted::generate(self, command).await?, rest)),
            CommandKind::Tstats(tstats) => Ok((tstats::plan(self, tstats).await?, rest)),
            CommandKind::Unexpanded(command) => {
                let mut frame = self.open_frame()?;
                self.unexpanded(&mut frame, command)?;
                Ok((frame, rest))
            }
            CommandKind::Union(union) => Ok((union::plan_first(self, union).await?, rest)),
            _ => {
                if self.events.is_some_and(|events| events.rows > 0) {
                    let message = "the search names no events to begin with: it looks at all that were loaded";
                    self.diagnostics.push(Diagnostic::note(Code::Note, message, first.name_span));
                }
                Ok((self.scan()?, query.commands.as_slice()))
            }
        }
    }
}

/// Why a command is refused that does not come first.
fn not_first(command: &Command) -> Diagnostic {
    let name = command.kind.doc().name;
    let message = format!("`{name}` generates rows, so it has to be the first command");
    Diagnostic::error(Code::InvalidArgument, message, command.name_span)
        .with_help("put it first, or into a subsearch such as `append [ ... ]`")
}

/// Why a command is refused that needs what spelunk is not.
fn refused_command(refused: &Refused, place: Span) -> Diagnostic {
    let message = format!("the command \"{}\" is refused: {}", refused.name, refused.reason);
    Diagnostic::error(Code::UnsupportedCommand, message, place)
}
