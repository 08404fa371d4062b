//! What commands do to the names of fields.

use spelunk_engine::Language;

use super::alive::{Alive, Segment};
use super::lexer::{Kind, Token};

/// Applies what a command does.
pub fn apply(alive: &mut Alive, segment: &Segment<'_>, language: Language) {
    let words: Vec<Token<'_>> = segment.words().copied().collect();
    match language {
        Language::Spl => spl(alive, segment, &words),
        Language::LogScale => logscale(alive, &words),
    }
}

/// Commands that leave the names of fields as they are.
const NEUTRAL: [&str; 26] = [
    "abstract",
    "arules",
    "dedup",
    "fieldformat",
    "filldown",
    "fillnull",
    "head",
    "highlight",
    "makemv",
    "mvcombine",
    "mvexpand",
    "nomv",
    "noop",
    "outlier",
    "outputcsv",
    "outputlookup",
    "regex",
    "replace",
    "require",
    "reverse",
    "search",
    "sort",
    "tail",
    "tags",
    "uniq",
    "where",
];

fn spl(alive: &mut Alive, segment: &Segment<'_>, words: &[Token<'_>]) {
    let Some(command) = segment.command() else {
        // A macro may do anything; nothing at all does nothing.
        alive.open |= !words.is_empty();
        return;
    };
    let arguments = if segment.implied { words } else { words.get(1..).unwrap_or_default() };
    match command.as_str() {
        "search" => alive.open |= words.iter().any(|word| word.kind == Kind::Macro),
        command if NEUTRAL.contains(&command) => {}
        "eval" => assigned(arguments).for_each(|name| alive.add(name)),
        "rename" => {
            for (from, to) in renamed(arguments) {
                alive.remove(from);
                alive.add(to);
            }
        }
        "table" => alive.only(plain(arguments)),
        "fields" => {
            let (less, names): (Vec<_>, Vec<_>) = plain(arguments).partition(|name| *name == "-");
            match less.is_empty() {
                false => names.into_iter().for_each(|name| alive.remove(name.trim_start_matches('-'))),
                true if names.first().is_some_and(|first| first.starts_with('-')) => {
                    names.into_iter().for_each(|name| alive.remove(name.trim_start_matches('-')));
                }
                true => alive.only(names.into_iter().filter(|name| *name != "+").chain(["_time", "_raw"])),
            }
        }
        "stats" | "sistats" | "tstats" | "mstats" => {
            let (outputs, by) = aggregates(arguments);
            alive.only([]);
            outputs.iter().chain(&by).for_each(|name| alive.add(name));
        }
        "eventstats" | "streamstats" => aggregates(arguments).0.iter().for_each(|name| alive.add(name)),
        "chart" | "timechart" | "sichart" | "sitimechart" => {
            let (outputs, by) = aggregates(arguments);
            let time = command.ends_with("timechart");
            let split = by.len() > usize::from(!time);
            alive.only(time.then_some("_time"));
            let rows = if time { &[] } else { by.get(..1).unwrap_or_default() };
            rows.iter().for_each(|name| alive.add(name));
            if split {
                alive.open = true;
            } else {
                outputs.iter().for_each(|name| alive.add(name));
            }
        }
        "top" | "rare" | "sitop" | "sirare" => {
            let named = |option: &str| option_value(arguments, option);
            let (count, percent) = (named("countfield").unwrap_or("count"), named("percentfield").unwrap_or("percent"));
            let fields = plain(arguments).filter(|name| name.parse::<u64>().is_err() && !is_by(name));
            alive.only(fields.chain([count, percent]));
        }
        "rex" => arguments.iter().filter(|word| word.kind == Kind::Text).for_each(|text| groups(alive, text.text)),
        "lookup" => {
            let outputs = arguments.iter().position(|word| word.is("output") || word.is("outputnew"));
            match outputs.and_then(|at| arguments.get(at.saturating_add(1)..)) {
                Some(outputs) => targets(outputs).for_each(|name| alive.add(name)),
                None => alive.open = true,
            }
        }
        "makeresults" | "gentimes" => {
            alive.only(["_time"]);
            alive.open = option_value(arguments, "data").is_some() || command == "gentimes";
        }
        "inputlookup" | "inputcsv" | "from" | "datamodel" | "metadata" | "eventcount" | "rest" | "loadjob"
        | "savedsearch" | "pivot" | "transpose" | "xyseries" | "untable" | "fieldsummary" | "contingency"
        | "walklex" => {
            alive.only([]);
            alive.open = true;
        }
        "transaction" => ["duration", "eventcount"].into_iter().for_each(|name| alive.add(name)),
        "iplocation" => {
            let prefix = option_value(arguments, "prefix").unwrap_or_default();
            ["City", "Country", "Region", "lat", "lon"].iter().for_each(|name| alive.add(&format!("{prefix}{name}")));
        }
        "spath" if option_value(arguments, "output").is_some() => {
            alive.add(option_value(arguments, "output").unwrap_or_default());
        }
        "strcat" => plain(arguments).last().into_iter().for_each(|name| alive.add(name)),
        "addtotals" => alive.add(option_value(arguments, "fieldname").unwrap_or("Total")),
        "rangemap" => alive.add("range"),
        "addinfo" => {
            let facts = ["info_min_time", "info_max_time", "info_search_time", "info_sid"];
            facts.into_iter().for_each(|name| alive.add(name));
        }
        "bin" | "bucket" | "discretize" | "convert" | "accum" | "delta" => {
            renamed(arguments).for_each(|(_, to)| alive.add(to));
        }
        // What is not known may make anything.
        _ => alive.open = true,
    }
}

/// The field before each `=` that is no comparison: the first, and those after a comma outside of brackets.
fn assigned<'t>(words: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    let (mut depth, mut begins, mut names) = (0_usize, true, Vec::new());
    for (word, next) in words.iter().zip(words.iter().skip(1).map(Some).chain([None])) {
        match word.kind {
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if begins && word.is_name() && next.is_some_and(|next| next.text == "=") {
            names.push(word.name());
        }
        begins = word.kind == Kind::Comma && depth == 0;
    }
    names.into_iter()
}

/// The pairs around `AS`.
fn renamed<'t>(words: &[Token<'t>]) -> impl Iterator<Item = (&'t str, &'t str)> {
    let thirds = words.iter().zip(words.iter().skip(1)).zip(words.iter().skip(2));
    let pairs = thirds.filter(|((from, middle), to)| middle.is("as") && from.is_name() && to.is_name());
    pairs.map(|((from, _), to)| (from.name(), to.name())).collect::<Vec<_>>().into_iter()
}

/// The names of `a AS b, c`: `b` and `c`.
fn targets<'t>(words: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    let next = words.iter().skip(1).map(Some).chain([None]);
    let names = words
        .iter()
        .zip(next)
        .filter(|(word, next)| word.is_name() && !word.is("as") && !next.is_some_and(|next| next.is("as")));
    names.map(|(word, _)| word.name()).collect::<Vec<_>>().into_iter()
}

/// The value of an option.
fn option_value<'t>(words: &[Token<'t>], option: &str) -> Option<&'t str> {
    let at = words.iter().position(|word| word.is(option))?;
    let is_option = words.get(at.checked_add(1)?).is_some_and(|sign| sign.text == "=");
    words.get(at.checked_add(2)?).filter(|value| is_option && value.is_name()).map(Token::name)
}

fn is_by(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("over")
}

/// The names that are neither options nor their values.
fn plain<'t>(words: &[Token<'t>]) -> impl Iterator<Item = &'t str> {
    let mut names = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if words.peek().is_some_and(|next| next.text == "=") {
            words.next();
            words.next();
        } else if word.is_name() {
            names.push(word.name());
        }
    }
    names.into_iter()
}

/// The columns of `function(field) AS name ... BY field`: what is computed, and by what.
fn aggregates(words: &[Token<'_>]) -> (Vec<String>, Vec<String>) {
    let (mut outputs, mut by) = (Vec::new(), Vec::new());
    let mut grouping = false;
    let mut at = 0_usize;
    while let Some(word) = words.get(at) {
        let next = at.saturating_add(1);
        let following = words.get(next);
        if word.kind == Kind::Word && is_by(word.text) {
            grouping = true;
        } else if word.is("from") || word.is("where") {
            // Of tstats and chart: conditions up to BY are no columns.
            at = words
                .iter()
                .enumerate()
                .skip(next)
                .find(|(_, word)| is_by(word.text))
                .map_or(words.len(), |(at, _)| at);
            continue;
        } else if following.is_some_and(|sign| sign.text == "=") {
            at = at.saturating_add(3);
            continue;
        } else if word.is_name() && grouping {
            by.push(word.name().to_owned());
        } else if word.is_name() {
            let mut end = next;
            if following.is_some_and(|open| open.text == "(" && open.start == word.end()) {
                end = closing(words, next);
            }
            if words.get(end).is_some_and(|word| word.is("as"))
                && let Some(alias) = words.get(end.saturating_add(1)).filter(|alias| alias.is_name())
            {
                outputs.push(alias.name().to_owned());
                end = end.saturating_add(2);
            } else {
                outputs.push(source(words.get(at..end).unwrap_or_default()));
            }
            at = end;
            continue;
        }
        at = next;
    }
    (outputs, by)
}

/// The position behind the bracket that closes the one at a position.
fn closing(words: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        match word.kind {
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at.saturating_add(1);
        }
    }
    words.len()
}

/// Tokens as they were written.
fn source(words: &[Token<'_>]) -> String {
    let (mut text, mut end) = (String::new(), None);
    for word in words {
        if end.is_some_and(|end| end < word.start) {
            text.push(' ');
        }
        text.push_str(word.text);
        end = Some(word.end());
    }
    text
}

/// The named groups of a pattern.
fn groups(alive: &mut Alive, pattern: &str) {
    for piece in pattern.split("(?").skip(1) {
        let piece = piece.strip_prefix('P').unwrap_or(piece);
        let Some(name) = piece.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(name, _)| name) else {
            continue;
        };
        if !name.starts_with(['=', '!']) {
            alive.add(name);
        }
    }
}

/// Functions of LogScale whose fields are those that their calls name.
const NAMED: [&str; 30] = [
    "avg",
    "cidr",
    "concat",
    "count",
    "default",
    "drop",
    "dropEvent",
    "eval",
    "format",
    "formatTime",
    "groupBy",
    "head",
    "if",
    "in",
    "length",
    "lower",
    "max",
    "min",
    "regex",
    "rename",
    "replace",
    "select",
    "sort",
    "sum",
    "table",
    "tail",
    "test",
    "top",
    "upper",
    "wildcard",
];

/// Functions that give one value of all events.
const AGGREGATES: [&str; 5] = ["avg", "count", "max", "min", "sum"];

fn logscale(alive: &mut Alive, words: &[Token<'_>]) {
    for text in words.iter().filter(|word| word.kind == Kind::Text) {
        groups(alive, text.text);
    }
    let pairs = || words.iter().zip(words.iter().skip(1));
    let calls: Vec<&str> =
        pairs().filter(|(name, open)| name.kind == Kind::Word && open.text == "(").map(|(name, _)| name.text).collect();
    let called = |names: &[&str], call: &str| names.iter().any(|name| name.eq_ignore_ascii_case(call));
    let mut outputs: Vec<&str> = pairs().filter(|(_, sign)| sign.text == ":=").map(|(name, _)| name.name()).collect();
    outputs.extend(option_value(words, "as"));
    let defaults: Vec<String> = calls
        .iter()
        .filter(|call| called(&AGGREGATES, call) || outputs.is_empty())
        .filter(|call| !matches!(call.to_ascii_lowercase().as_str(), "groupby" | "table" | "select" | "drop" | "sort"))
        .map(|call| format!("_{call}"))
        .collect();
    let first = calls.first().filter(|call| words.first().is_some_and(|word| word.text == **call)).copied();
    match first.map(str::to_ascii_lowercase).as_deref() {
        Some("groupby" | "table" | "select" | "top") => {
            alive.only(listed(words));
            let top = first.is_some_and(|call| call.eq_ignore_ascii_case("groupby")) && calls.len() == 1;
            if top {
                alive.add("_count");
            }
        }
        Some("drop") => listed(words).into_iter().for_each(|name| alive.remove(name)),
        Some(call) if called(&AGGREGATES, call) => alive.only([]),
        _ => {}
    }
    // With a name of its own an aggregate has no other.
    let aggregate = calls.iter().any(|call| called(&AGGREGATES, call));
    let named = aggregate && option_value(words, "as").is_some();
    if !named && !first.is_some_and(is_filter) {
        defaults.iter().for_each(|name| alive.add(name));
    }
    outputs.into_iter().for_each(|name| alive.add(name));
    alive.open |= calls.iter().any(|call| !called(&NAMED, call));
}

fn is_filter(call: &str) -> bool {
    ["in", "cidr", "test", "wildcard", "regex", "head", "tail", "rename", "default"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(call))
}

/// The fields that are the first argument of a call, one or a list.
fn listed<'t>(words: &[Token<'t>]) -> Vec<&'t str> {
    let mut arguments = words.iter().skip(2).peekable();
    if arguments.peek().is_some_and(|word| word.is("field") || word.is("fields")) {
        arguments.next();
        arguments.next();
    }
    match arguments.peek() {
        Some(open) if open.text == "[" => {
            let inside = arguments.skip(1).take_while(|word| word.text != "]");
            inside.filter(|word| word.is_name()).map(Token::name).collect()
        }
        Some(name) if name.is_name() => vec![name.name()],
        _ => Vec::new(),
    }
}
