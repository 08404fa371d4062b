//! What Tab offers.

use std::borrow::Cow;
use std::collections::HashSet;

use rustyline::completion::Candidate;
use spelunk_engine::Language;
use spelunk_grammar::spl::commands;

use super::context::{self, Context, Source};
use super::files;
use super::names::Known;
use super::quoting::{Quoting, unescape};
use super::words::{self, Function};
use crate::escape;
use crate::shell::commands as dot_commands;

/// With more candidates than that, only names are shown.
const EXPLAINED: usize = 24;
/// How near a name has to be to what was typed, if none fits it.
const NEAR: f64 = 0.8;
/// Wider lists are hard to read.
const WIDEST: usize = 110;
/// Between a name and what is said of it.
const GAP: &str = "   ";

/// Something that Tab offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    written: String,
    shown: String,
}

impl Candidate for Offer {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.written
    }
}

/// Where the explanation in what is shown begins.
pub fn explanation(shown: &str) -> Option<usize> {
    shown.find(GAP)
}

/// How well a name fits what was typed: the lower the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Begins,
    BeginsInOtherCase,
    Contains,
    Near,
    HasInOrder,
}

struct Found {
    fit: Fit,
    written: String,
    name: String,
    explained: String,
}

/// Gathers what fits.
struct Collector<'t> {
    typed: &'t str,
    /// What was typed, without quotes and escapes, in lower case.
    meant: String,
    quoted: bool,
    /// Whether names count that only hold what was typed, or are near it: where no other begins so.
    loosely: bool,
    found: Vec<Found>,
}

impl Collector<'_> {
    /// Offers a name: how it is written, what follows it, and what is said of it.
    fn offer(&mut self, name: &str, quoting: Quoting, follows: &str, explained: impl FnOnce() -> String) {
        let Some(fit) = self.fit(name, quoting) else { return };
        if self.found.last().is_some_and(|last| last.fit < fit) {
            return;
        }
        if self.found.last().is_some_and(|last| last.fit > fit) {
            self.found.clear();
        }
        // What a terminal would obey is not put into the line.
        if name.chars().any(|c| escape::is_unsafe(c) || c == '\n' || c == '\t') {
            return;
        }
        let written = quoting.write(name, self.quoted);
        let written = if follows.is_empty() { written.into_owned() } else { format!("{written}{follows}") };
        // With many others it is not shown.
        let explained = if self.found.len() < EXPLAINED { explained() } else { String::new() };
        self.found.push(Found { fit, written, name: format!("{name}{follows}"), explained });
    }

    /// How the name fits. Nothing is made of names that do not begin as what was typed until no other is found.
    fn fit(&self, name: &str, quoting: Quoting) -> Option<Fit> {
        let begins = match self.quoted {
            true => quoting.write(name, true).starts_with(self.typed),
            false => name.starts_with(self.typed),
        };
        if begins {
            return Some(Fit::Begins);
        }
        let begin = name.get(..self.meant.len());
        if begin.is_some_and(|begin| begin.eq_ignore_ascii_case(&self.meant)) {
            return Some(Fit::BeginsInOtherCase);
        }
        if !self.loosely || self.meant.is_empty() {
            return None;
        }
        let lower = name.to_lowercase();
        if lower.contains(&self.meant) {
            return Some(Fit::Contains);
        }
        if self.meant.len() < 3 {
            return None;
        }
        // Names of very different lengths are not near, which is known without comparing them.
        let alike = lower.len().abs_diff(self.meant.len()) <= 2;
        if alike && strsim::normalized_damerau_levenshtein(&self.meant, &lower) >= NEAR {
            return Some(Fit::Near);
        }
        is_subsequence(&self.meant, &lower).then_some(Fit::HasInOrder)
    }

    fn functions(&mut self, functions: &[Function]) {
        for function in functions {
            self.offer(function.name, Quoting::Plain, "(", || function.summary.to_owned());
        }
    }
}

/// Whether all characters of a text are in another, in order.
fn is_subsequence(short: &str, long: &str) -> bool {
    let mut characters = long.chars();
    short.chars().all(|wanted| characters.any(|c| c == wanted))
}

/// What can stand at a position of a text, and where its begin is.
pub fn complete(text: &str, position: usize, language: Language, known: &Known) -> (usize, Vec<Offer>) {
    let before = text.get(..position).unwrap_or(text);
    let after = text.get(position..).unwrap_or_default();
    let context = context::at_end(before, language);
    let mut collector = Collector {
        typed: &context.typed,
        meant: unescape(context.typed.trim_start_matches(['"', '\''])).to_lowercase(),
        quoted: context.typed.starts_with(['"', '\'']),
        loosely: false,
        found: Vec::new(),
    };
    gather(&mut collector, &context, known);
    if collector.found.is_empty() {
        collector.loosely = true;
        gather(&mut collector, &context, known);
    }
    (context.start, offers(collector.found, after))
}

fn gather(collector: &mut Collector<'_>, context: &Context, known: &Known) {
    for source in &context.sources {
        from(collector, source, context, known);
    }
}

fn from(collector: &mut Collector<'_>, source: &Source, context: &Context, known: &Known) {
    let nothing = String::new;
    match source {
        Source::Commands => {
            for doc in commands::commands() {
                collector.offer(doc.name, Quoting::Plain, " ", || doc.summary.to_owned());
            }
        }
        Source::Macros => {
            for (name, arguments) in &known.macros {
                let follows = if arguments.is_empty() { "`" } else { "(" };
                collector.offer(name, Quoting::Plain, follows, || arguments.join(", "));
            }
        }
        Source::Fields { quoting, compared } => {
            for (name, coverage) in context.alive.names(known) {
                let explained = || coverage.map_or_else(nothing, percentage);
                collector.offer(name, *quoting, if *compared { "=" } else { "" }, explained);
            }
        }
        Source::Values { field, quoting } => values(collector, field, *quoting, known),
        Source::EvalFunctions => collector.functions(&words::EVAL),
        Source::Statistics => collector.functions(&words::STATISTICS),
        Source::LogScaleFunctions => collector.functions(&words::LOGSCALE),
        Source::Options(doc) => {
            let (options, keywords) = words::options(doc);
            for option in options {
                collector.offer(&option.name, Quoting::Plain, "=", || option.meaning.to_owned());
            }
            keywords.iter().for_each(|word| collector.offer(word, Quoting::Plain, " ", nothing));
        }
        Source::Parameters(names) => names.iter().for_each(|name| collector.offer(name, Quoting::Plain, "=", nothing)),
        Source::Words(words) => words.iter().for_each(|word| collector.offer(word, Quoting::Plain, "", nothing)),
        Source::Lookups(quoting) => known.lookups.iter().for_each(|name| collector.offer(name, *quoting, "", nothing)),
        Source::Models => {
            for (model, objects) in &known.models {
                collector.offer(model, Quoting::Plain, "", nothing);
                for (object, _) in objects.iter().filter(|_| collector.typed.contains('.')) {
                    collector.offer(&format!("{model}.{object}"), Quoting::Plain, "", nothing);
                }
            }
        }
        Source::Objects(wanted) => {
            let objects = known.models.iter().filter(|(model, _)| model.eq_ignore_ascii_case(wanted));
            for (object, _) in objects.flat_map(|(_, objects)| objects) {
                collector.offer(object, Quoting::Plain, "", nothing);
            }
        }
        Source::Datasets => {
            let models = known.models.iter().flat_map(|(model, objects)| {
                objects.iter().map(move |(object, _)| format!("datamodel:{model}.{object}"))
            });
            let lookups = known.lookups.iter().map(|lookup| format!("inputlookup:{lookup}"));
            let searches = known.saved_searches.iter().map(|name| format!("savedsearch:{name}"));
            for name in models.chain(lookups).chain(searches) {
                collector.offer(&name, Quoting::Plain, "", nothing);
            }
        }
        Source::SavedSearches => {
            known.saved_searches.iter().for_each(|name| collector.offer(name, Quoting::Field, "", nothing));
        }
        Source::SavedQueries => {
            for name in &known.saved_queries {
                collector.offer(&format!("${name}"), Quoting::Plain, "()", nothing);
            }
        }
        Source::DotCommands => {
            for (name, summary) in dot_commands::names() {
                collector.offer(name, Quoting::Plain, "", || summary.to_owned());
            }
        }
        Source::HelpTopics => {
            for doc in commands::commands() {
                collector.offer(doc.name, Quoting::Plain, "", || doc.summary.to_owned());
            }
            for function in words::EVAL.iter().chain(words::STATISTICS.iter()).chain(words::LOGSCALE.iter()) {
                collector.offer(function.name, Quoting::Plain, "", || function.summary.to_owned());
            }
        }
        Source::Files => {
            for name in files::beginning_with(collector.typed) {
                collector.offer(&name, Quoting::Plain, "", nothing);
            }
        }
    }
}

/// A part of the events. All of them is more than nearly all, and few are not none.
fn percentage(part: f64) -> String {
    let shown = if part >= 1.0 { 100.0 } else { (part * 100.0).round().clamp(1.0, 99.0) };
    format!("{shown:.0} %")
}

/// Time modifiers that are often wanted.
const TIMES: [&str; 8] = ["-15m", "-60m", "-4h", "-24h@h", "-7d@d", "-30d@d", "@d", "now"];

fn values(collector: &mut Collector<'_>, field: &str, quoting: Quoting, known: &Known) {
    let nothing = String::new;
    let named: &[String] = match field {
        "earliest" | "latest" => {
            TIMES.iter().for_each(|time| collector.offer(time, Quoting::Plain, "", nothing));
            return;
        }
        "datamodel" => {
            known.models.iter().for_each(|(model, _)| collector.offer(model, quoting, "", nothing));
            return;
        }
        "eventtype" => &known.event_types,
        "tag" => &known.tags,
        "lookup" => &known.lookups,
        field => known.field(field).map_or(&[], |field| &field.values),
    };
    named.iter().for_each(|value| collector.offer(value, quoting, "", nothing));
}

/// What is offered, with explanations where they are few.
fn offers(found: Vec<Found>, after: &str) -> Vec<Offer> {
    let mut seen = HashSet::new();
    let mut found: Vec<Found> = found.into_iter().filter(|found| seen.insert(found.written.clone())).collect();
    // The shell's list counts its entries in 16 bits.
    found.truncate(usize::from(u16::MAX));
    let explained = found.len() <= EXPLAINED;
    let widest = crate::terminal::stdout_width().unwrap_or(WIDEST).clamp(20, WIDEST).saturating_sub(2);
    let width = found.iter().map(|found| found.name.chars().count()).max().unwrap_or_default();
    found
        .into_iter()
        .map(|Found { written, name, explained: said, .. }| {
            let shown = if explained && !said.is_empty() {
                let filled = format!("{name:<width$}{GAP}");
                format!("{filled}{said}")
            } else {
                name
            };
            Offer { written: joined(written, after), shown: limited(&shown, widest) }
        })
        .collect()
}

/// What is written before a text that may bring its last character already, such as the closing quote.
fn joined(mut written: String, after: &str) -> String {
    let Some(last) = written.chars().last() else { return written };
    if matches!(last, '"' | '\'' | '`' | '(' | '=') && after.starts_with(last) {
        written.pop();
    }
    written
}

/// Cut to what a line of a terminal takes.
fn limited(shown: &str, widest: usize) -> String {
    let shown: Cow<'_, str> = escape::line(shown);
    match shown.char_indices().nth(widest) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
#[path = "candidates/tests.rs"]
mod tests;
