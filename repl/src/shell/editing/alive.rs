//! Which fields there are at a place of a pipeline, without running it.

use std::collections::BTreeSet;
use std::rc::Rc;

use spelunk_engine::Language;

use super::effects;
use super::lexer::{Kind, Token};
use super::names::Known;

/// The fields before a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alive {
    /// Whether the fields of the events are among them.
    pub base: bool,
    /// Whether there may be others, whose names only the data says.
    pub open: bool,
    /// Those that commands made.
    pub added: BTreeSet<String>,
    /// Those of the events that commands took away.
    pub removed: BTreeSet<String>,
    /// Patterns of those of the events that commands took away.
    without: Vec<String>,
    /// Patterns of which a field of the events has to fit one, for each command that left only these. Names that fit are
    /// not written down: there may be thousands, and this is asked at every key.
    limits: Vec<Vec<String>>,
}

/// What any search may name.
const ALWAYS: [&str; 16] = [
    "_file",
    "_indextime",
    "_raw",
    "_time",
    "earliest",
    "eventtype",
    "host",
    "index",
    "latest",
    "linecount",
    "punct",
    "source",
    "sourcetype",
    "splunk_server",
    "tag",
    "timestamp",
];

impl Alive {
    /// The fields of the events.
    pub fn events() -> Self {
        Self { base: true, ..Self::default() }
    }

    /// Whether a field of that name may be there.
    pub fn may_have(&self, name: &str, known: &Known) -> bool {
        if self.open || self.added.contains(name) {
            return true;
        }
        let special = name.starts_with(['#', '@', '$']) || name.starts_with("date_") || name.starts_with("windows.");
        let of_events = !known.loaded
            || known.field(name).is_some()
            || known.made.contains(name)
            || ALWAYS.contains(&name)
            || special;
        of_events && self.keeps(name)
    }

    /// Whether the commands left that field of the events.
    fn keeps(&self, name: &str) -> bool {
        self.base
            && !self.removed.contains(name)
            && !self.without.iter().any(|pattern| fits(pattern, name))
            && self.limits.iter().all(|patterns| patterns.iter().any(|pattern| fits(pattern, name)))
    }

    /// The fields and the part of the events that have them, those that commands made first.
    pub fn names<'a>(&'a self, known: &'a Known) -> impl Iterator<Item = (&'a str, Option<f64>)> {
        let made = self.added.iter().map(|name| (name.as_str(), None));
        let left = known.fields.iter().filter(|field| self.keeps(&field.name) && !self.added.contains(&field.name));
        made.chain(left.map(|field| (field.name.as_str(), field.coverage)))
    }

    /// A field is made.
    pub fn add(&mut self, name: &str) {
        if name.contains('*') || name.contains('<') {
            self.open = true;
        } else if !name.is_empty() {
            self.added.insert(name.to_owned());
        }
    }

    /// A field, or all that fit a pattern, are taken away.
    pub fn remove(&mut self, pattern: &str) {
        self.added.retain(|name| !fits(pattern, name));
        if pattern.contains('*') {
            self.without.push(pattern.to_owned());
        } else {
            self.removed.insert(pattern.to_owned());
        }
    }

    /// Nothing else stays, or is there at all.
    pub fn only<'n>(&mut self, patterns: impl IntoIterator<Item = &'n str>) {
        let (patterns, names): (Vec<&str>, Vec<&str>) = patterns.into_iter().partition(|name| name.contains('*'));
        let added = std::mem::take(&mut self.added);
        let fitting = added.into_iter().filter(|name| patterns.iter().any(|pattern| fits(pattern, name)));
        self.added = fitting.collect();
        self.open &= !patterns.is_empty();
        self.base &= !patterns.is_empty();
        self.limits.push(patterns.into_iter().map(str::to_owned).collect());
        names.into_iter().for_each(|name| self.add(name));
    }
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(begin) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part).and_then(|at| left.get(at.saturating_add(part.len())..)) {
            Some(after) => left = after,
            None => return false,
        }
    }
    true
}

/// One command with what stands before it.
#[derive(Debug, Clone)]
pub struct Segment<'t> {
    /// Its tokens, blanks too, without those of pipelines in brackets.
    pub tokens: Vec<Token<'t>>,
    /// The fields before it.
    pub alive: Rc<Alive>,
    /// Whether it begins the search without a pipe, so that it need not begin with a command.
    pub implied: bool,
}

impl<'t> Segment<'t> {
    /// Its tokens without blanks and comments.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &Token<'t>> {
        self.tokens.iter().filter(|token| !matches!(token.kind, Kind::Blank | Kind::Comment))
    }

    /// The name of its command in SPL, in lower case: `search` where it is left out.
    pub fn command(&self) -> Option<String> {
        match self.words().next() {
            _ if self.implied => Some("search".to_owned()),
            Some(first) if first.kind == Kind::Word => Some(first.text.to_ascii_lowercase()),
            _ => None,
        }
    }
}

/// A pipeline that is not closed yet.
struct Pipeline<'t> {
    tokens: Vec<Token<'t>>,
    alive: Alive,
    implied: bool,
    closes: &'static str,
}

impl<'t> Pipeline<'t> {
    fn segment(&mut self) -> Segment<'t> {
        let tokens = std::mem::take(&mut self.tokens);
        let implied = std::mem::replace(&mut self.implied, false);
        // What stands between the begin and the first pipe is a search only if it is anything.
        Segment { tokens, alive: Rc::new(self.alive.clone()), implied }
    }
}

/// The commands of a text, and the one that it ends in.
pub fn segments<'t>(tokens: &[Token<'t>], language: Language) -> (Vec<Segment<'t>>, Segment<'t>) {
    let logscale = language == Language::LogScale;
    let (opens, closes) = if logscale { ("{", "}") } else { ("[", "]") };
    let whole = Pipeline { tokens: Vec::new(), alive: Alive::events(), implied: true, closes: "" };
    let (mut current, mut outer, mut done) = (whole, Vec::new(), Vec::new());
    for token in tokens {
        match token.kind {
            Kind::Pipe => {
                let segment = current.segment();
                effects::apply(&mut current.alive, &segment, language);
                done.push(segment);
            }
            Kind::Open if token.text == opens => {
                current.tokens.push(*token);
                let shares = match logscale {
                    true => current
                        .tokens
                        .iter()
                        .rev()
                        .nth(1)
                        .is_some_and(|last| last.kind == Kind::Blank || last.is("case")),
                    false => current.tokens.iter().any(|token| token.is("appendpipe") || token.is("foreach")),
                };
                let alive = if shares { current.alive.clone() } else { Alive::events() };
                let inner = Pipeline { tokens: Vec::new(), alive, implied: logscale, closes };
                outer.push(std::mem::replace(&mut current, inner));
            }
            Kind::Close if token.text == current.closes => {
                let segment = current.segment();
                effects::apply(&mut current.alive, &segment, language);
                done.push(segment);
                if let Some(around) = outer.pop() {
                    let inner = std::mem::replace(&mut current, around);
                    if logscale {
                        // What an arm of `case` assigns is there after it.
                        current.alive.added.extend(inner.alive.added);
                        current.alive.open |= inner.alive.open;
                    }
                }
                current.tokens.push(*token);
            }
            _ => current.tokens.push(*token),
        }
    }
    let last = current.segment();
    // Commands around brackets that are still open.
    done.extend(outer.iter_mut().map(Pipeline::segment));
    (done, last)
}

#[cfg(test)]
mod tests {
    use super::super::testing::known;
    use super::*;
    use crate::shell::editing::lexer::tokens;

    fn alive(text: &str, language: Language) -> String {
        let known = known();
        let (_, last) = segments(&tokens(text, language), language);
        let names: Vec<&str> = last.alive.names(&known).map(|(name, _)| name).collect();
        format!("{}{}", names.join(" "), if last.alive.open { " ..." } else { "" })
    }

    #[test]
    fn patterns() {
        assert!(
            fits("a*c", "abc") && fits("*", "") && fits("*b*", "abc") && !fits("a*c", "abd") && !fits("ab*ba", "aba")
        );
    }

    #[test]
    fn spl_commands_change_the_fields() {
        let all = "EventCode Image User CommandLine host _raw";
        for (text, fields) in [
            ("", all),
            ("User=x | head 3 | ", all),
            ("| eval a=1, b=if(x=2,3,4) | ", &format!("a b {all}")),
            ("x | rename User AS who, Image as \"the image\" | ", "the image who EventCode CommandLine host _raw"),
            ("x | stats count, dc(Image) AS n, sum( x ) BY User, host | ", "User count host n sum( x )"),
            ("x | stats values(*) AS * BY User | ", "User ..."),
            ("x | stats allnum=true count | eval d=2 | ", "count d"),
            ("x | table User *Line | ", "User CommandLine"),
            ("x | fields - User, E* | ", "Image CommandLine host _raw"),
            ("x | fields User | ", "User _raw _time"),
            ("x | top 5 limit=3 User by host | ", "User count host percent"),
            ("x | rex field=Image \"(?<name>[^/]+)$\" | fields name | ", "_raw _time name"),
            ("x | lookup t User OUTPUT dept AS d, boss | table d boss | ", "boss d"),
            ("| makeresults | eval a=1 | ", "_time a"),
            ("x | timechart span=1h count by User | ", "_time ..."),
            ("x | stats count by User | join User [search y | ", all),
            ("x | stats count by User | appendpipe [", "User count"),
            ("x | stats count by User | append [search y | table z] | ", "User count ..."),
            ("x | `macro` | ", &format!("{all} ...")),
        ] {
            assert_eq!(alive(text, Language::Spl), *fields, "{text}");
        }
    }

    #[test]
    fn logscale_functions_change_the_fields() {
        for (text, fields) in [
            ("a=1 | b := 2 | ", "b EventCode Image User CommandLine host _raw"),
            ("a=1 | groupBy([User, host], function=count(as=n)) | ", "User host n"),
            ("a=1 | groupBy(User) | ", "User _count"),
            ("a=1 | table([User]) | ", "User"),
            ("a=1 | drop(User) | ", "EventCode Image CommandLine host _raw"),
            ("count() | ", "_count"),
            ("select([User]) | /(?<x>a)/ | ", "User x"),
            ("case { a=1 | b:=2; * | c:=", "b EventCode Image User CommandLine host _raw"),
        ] {
            assert_eq!(alive(text, Language::LogScale), fields, "{text}");
        }
    }
}
