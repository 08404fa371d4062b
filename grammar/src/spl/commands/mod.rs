//! The commands: one file each, with its syntax node, its building from pest's pairs, its printing and its
//! documentation. The table at the end of this file registers them, one line a command.

use std::fmt::{self, Display, Formatter};

use pest::iterators::{Pair, Pairs};

use super::expression::Name;
use super::parser::builder::Builder;
use super::parser::{Rule, words};

pub mod bins;
mod refused;
pub mod series;
mod substituted;
mod unexpanded;

pub(crate) use refused::refused;
pub use refused::{Refused, refused_commands};
pub(crate) use substituted::LIKELY;
pub use substituted::{Piece, Substituted};
pub use unexpanded::Unexpanded;

/// What the user is told about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandDoc {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What its arguments mean.
    pub arguments: &'static [ArgumentDoc],
    /// Whole queries that need no data.
    pub examples: &'static [&'static str],
}

/// What an argument means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentDoc {
    /// The argument as it stands in the syntax.
    pub name: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
}

/// How a command is parsed.
pub(crate) struct Syntax {
    pub doc: &'static CommandDoc,
    pub rule: Rule,
    pub build: fn(&mut Builder<'_>, Pair<'_, Rule>) -> Option<CommandKind>,
}

macro_rules! commands {
    ($($module:ident => $variant:ident, $rule:ident;)*) => {
        $(pub mod $module;)*

        /// A command with its arguments.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum CommandKind {
            $($variant($module::$variant),)*
            Refused(Refused),
            Substituted(Substituted),
            Unexpanded(Unexpanded),
        }

        impl CommandKind {
            /// What the user is told about the command.
            pub fn doc(&self) -> &'static CommandDoc {
                match self {
                    $(Self::$variant(_) => &$module::DOC,)*
                    Self::Refused(_) => &refused::DOC,
                    Self::Substituted(_) => &substituted::DOC,
                    Self::Unexpanded(_) => &unexpanded::DOC,
                }
            }
        }

        impl Display for CommandKind {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(command) => command.fmt(f),)*
                    Self::Refused(command) => command.fmt(f),
                    Self::Substituted(command) => command.fmt(f),
                    Self::Unexpanded(command) => command.fmt(f),
                }
            }
        }

        static SYNTAXES: &[Syntax] = &[$(Syntax {
            doc: &$module::DOC,
            rule: Rule::$rule,
            build: |b, pair| $module::build(b, pair).map(CommandKind::$variant),
        },)*];

        static DOCS: &[CommandDoc] = &[$($module::DOC,)*];
    };
}

/// The commands that can be parsed, in the order of their names.
pub fn commands() -> &'static [CommandDoc] {
    DOCS
}

/// Other names of commands.
const ALIASES: &[(&str, &str)] = &[
    ("af", "analyzefields"),
    ("bucket", "bin"),
    ("common", "top"),
    ("counttable", "contingency"),
    ("ctable", "contingency"),
    ("discretize", "bin"),
    ("hilite", "highlight"),
    ("kv", "extract"),
    ("maketable", "xyseries"),
    ("savedsplunk", "savedsearch"),
    ("stash", "collect"),
    ("sumindex", "collect"),
    ("summaryindex", "collect"),
    ("transam", "transaction"),
];

/// The command of that name, in any letter case.
pub(crate) fn find(name: &str) -> Option<&'static Syntax> {
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
    let name = alias.map_or(name, |(_, name)| *name);
    SYNTAXES.iter().find(|syntax| syntax.doc.name.eq_ignore_ascii_case(name))
}

/// What the user is told about the command of that name.
pub fn doc(name: &str) -> Option<&'static CommandDoc> {
    find(name).map(|syntax| syntax.doc)
}

/// Whether the command can be parsed.
pub fn is_supported(name: &str) -> bool {
    find(name).is_some()
}

/// Whether the language has a command of that name.
pub fn is_known(name: &str) -> bool {
    is_supported(name) || refused::reason(name).is_some()
}

/// The names in a list of pairs.
fn names(b: &Builder<'_>, pairs: Pairs<'_, Rule>) -> Vec<Name> {
    pairs
        .filter(|pair| matches!(pair.as_rule(), Rule::quoted | Rule::single_quoted | Rule::list_word))
        .map(|pair| words::name(b, &pair))
        .collect()
}

/// The one field that a command takes; anything else is an error.
fn single_field(b: &mut Builder<'_>, found: Vec<Name>, place: crate::Span) -> Option<Name> {
    let message = match found.as_slice() {
        [field] => return Some(field.clone()),
        [] => format!("`{}` needs a field name", b.doc.name),
        several => format!("`{}` takes one field, not {}", b.doc.name, several.len()),
    };
    b.error(crate::Code::InvalidArgument, message, place);
    None
}

/// The one table or file that a command takes; anything else is an error.
fn single_table(b: &mut Builder<'_>, found: Vec<Name>, place: crate::Span) -> Option<Name> {
    let message = match found.as_slice() {
        [table] => return Some(table.clone()),
        [] => format!("`{}` needs a table", b.doc.name),
        several => format!("`{}` takes one table, not {}", b.doc.name, several.len()),
    };
    b.error(crate::Code::InvalidArgument, message, place);
    None
}

commands! {
    accum => Accum, accum_arguments;
    addcoltotals => Addcoltotals, addcoltotals_arguments;
    addinfo => Addinfo, addinfo_arguments;
    addtotals => Addtotals, addtotals_arguments;
    analyzefields => Analyzefields, analyzefields_arguments;
    anomalies => Anomalies, anomalies_arguments;
    anomalousvalue => Anomalousvalue, anomalousvalue_arguments;
    anomalydetection => Anomalydetection, anomalydetection_arguments;
    append => Append, append_arguments;
    appendcols => Appendcols, appendcols_arguments;
    appendpipe => Appendpipe, appendpipe_arguments;
    arules => Arules, arules_arguments;
    associate => Associate, associate_arguments;
    autoregress => Autoregress, autoregress_arguments;
    bin => Bin, bin_arguments;
    chart => Chart, chart_arguments;
    cluster => Cluster, cluster_arguments;
    cofilter => Cofilter, cofilter_arguments;
    collect => Collect, collect_arguments;
    concurrency => Concurrency, concurrency_arguments;
    contingency => Contingency, contingency_arguments;
    convert => Convert, convert_arguments;
    correlate => Correlate, correlate_arguments;
    datamodel => Datamodel, datamodel_arguments;
    dedup => Dedup, dedup_arguments;
    delta => Delta, delta_arguments;
    diff => Diff, diff_arguments;
    erex => Erex, erex_arguments;
    eval => Eval, eval_arguments;
    eventcount => Eventcount, eventcount_arguments;
    eventstats => Eventstats, eventstats_arguments;
    extract => Extract, extract_arguments;
    fieldformat => Fieldformat, fieldformat_arguments;
    fields => Fields, fields_arguments;
    fieldsummary => Fieldsummary, fieldsummary_arguments;
    filldown => Filldown, filldown_arguments;
    fillnull => Fillnull, fillnull_arguments;
    foreach => Foreach, foreach_arguments;
    format => Format, format_arguments;
    from => From, from_arguments;
    fromjson => Fromjson, fromjson_arguments;
    gauge => Gauge, gauge_arguments;
    gentimes => Gentimes, gentimes_arguments;
    geostats => Geostats, geostats_arguments;
    head => Head, head_arguments;
    highlight => Highlight, highlight_arguments;
    iconify => Iconify, iconify_arguments;
    inputcsv => Inputcsv, inputcsv_arguments;
    inputlookup => Inputlookup, inputlookup_arguments;
    iplocation => Iplocation, iplocation_arguments;
    join => Join, join_arguments;
    kmeans => Kmeans, kmeans_arguments;
    loadjob => Loadjob, loadjob_arguments;
    localize => Localize, localize_arguments;
    localop => Localop, localop_arguments;
    lookup => Lookup, lookup_arguments;
    makecontinuous => Makecontinuous, makecontinuous_arguments;
    makejson => Makejson, makejson_arguments;
    makemv => Makemv, makemv_arguments;
    makeresults => Makeresults, makeresults_arguments;
    map => Map, map_arguments;
    metadata => Metadata, metadata_arguments;
    metasearch => Metasearch, metasearch_arguments;
    multikv => Multikv, multikv_arguments;
    multisearch => Multisearch, multisearch_arguments;
    mvcombine => Mvcombine, mvcombine_arguments;
    mvexpand => Mvexpand, mvexpand_arguments;
    nomv => Nomv, nomv_arguments;
    noop => Noop, noop_arguments;
    outlier => Outlier, outlier_arguments;
    outputcsv => Outputcsv, outputcsv_arguments;
    outputlookup => Outputlookup, outputlookup_arguments;
    outputtext => Outputtext, outputtext_arguments;
    pivot => Pivot, pivot_arguments;
    predict => Predict, predict_arguments;
    rangemap => Rangemap, rangemap_arguments;
    rare => Rare, rare_arguments;
    regex => Regex, regex_arguments;
    relevancy => Relevancy, relevancy_arguments;
    reltime => Reltime, reltime_arguments;
    rename => Rename, rename_arguments;
    replace => Replace, replace_arguments;
    require => Require, require_arguments;
    return_ => Return, return_arguments;
    reverse => Reverse, reverse_arguments;
    rex => Rex, rex_arguments;
    savedsearch => Savedsearch, savedsearch_arguments;
    search => Search, search_arguments;
    selfjoin => Selfjoin, selfjoin_arguments;
    set => Set, set_arguments;
    setfields => Setfields, setfields_arguments;
    sichart => Sichart, chart_arguments;
    sirare => Sirare, sirare_arguments;
    sistats => Sistats, sistats_arguments;
    sitimechart => Sitimechart, timechart_arguments;
    sitop => Sitop, sitop_arguments;
    sort => Sort, sort_arguments;
    spath => Spath, spath_arguments;
    stats => Stats, stats_arguments;
    strcat => Strcat, strcat_arguments;
    streamstats => Streamstats, streamstats_arguments;
    table => Table, table_arguments;
    tags => Tags, tags_arguments;
    tail => Tail, tail_arguments;
    timechart => Timechart, timechart_arguments;
    timewrap => Timewrap, timewrap_arguments;
    tojson => Tojson, tojson_arguments;
    top => Top, top_arguments;
    transaction => Transaction, transaction_arguments;
    transpose => Transpose, transpose_arguments;
    trendline => Trendline, trendline_arguments;
    tstats => Tstats, tstats_arguments;
    union => Union, union_arguments;
    uniq => Uniq, uniq_arguments;
    untable => Untable, untable_arguments;
    where_ => Where, where_arguments;
    x11 => X11, x11_arguments;
    xmlkv => Xmlkv, xmlkv_arguments;
    xmlunescape => Xmlunescape, xmlunescape_arguments;
    xpath => Xpath, xpath_arguments;
    xyseries => Xyseries, xyseries_arguments;
}
