//! `map`: runs a search for each row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, is_known};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::structure::first_word;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Span, Spanned};

/// `map (search="SEARCH" | [SEARCH] | NAME) [maxsearches=N]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// What is run.
    pub search: MapSearch,
    /// How often at most; default 10.
    pub maxsearches: Option<Spanned<u64>>,
}

/// What `map` runs.
#[derive(Debug, Clone, PartialEq)]
pub enum MapSearch {
    /// A search as text, with `$field$` in it: it can be parsed only after that is replaced.
    Text(Spanned<String>),
    /// A saved search.
    Saved(Spanned<String>),
}

/// The documentation of `map`.
pub const DOC: CommandDoc = CommandDoc {
    name: "map",
    summary: "Runs a search for each row, and gives the rows that all of them find",
    syntax: "map (search=\"<search>\" | [ <search> ] | <saved search>) [maxsearches=<count>]",
    arguments: &[
        ArgumentDoc { name: "<search>", meaning: "a whole search in which `$<field>$` stands for the value of the row, and `$_serial_id$` for the number of the run, from 1. Inside quotes the value is escaped; after a comparison operator a value that is no number gets quotes; elsewhere it is text of the search" },
        ArgumentDoc { name: "<saved search>", meaning: "the name of a saved search instead" },
        ArgumentDoc { name: "maxsearches=<count>", meaning: "the most rows it is run for; default 10" },
    ],
    examples: &["| makeresults | eval user=\"ann\" | map search=\"| makeresults | eval name=\\\"$user$\\\" | table name\""],
};

const OPTIONS: &[&str] = &["search", "maxsearches"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Map> {
    let place = b.span(&arguments);
    let (mut searches, mut maxsearches) = (Vec::new(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::map_search => {
                let text = part.into_inner().find(|part| part.as_rule() == Rule::map_text)?;
                let unquoted = words::token_text(text.as_str().trim_end());
                searches.push(MapSearch::Text(Spanned::new(unquoted, b.span(&text))));
            }
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "search" => searches.push(MapSearch::Text(option.text())),
                    "maxsearches" => match option.number(b)? {
                        0 => return option.invalid(b, "a number above 0"),
                        most => maxsearches = Some(option.at(most)),
                    },
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::subsearch => searches.push(MapSearch::Text(in_brackets(b, &part)?)),
            Rule::EOI => {}
            _ => {
                let name = words::name(b, &part);
                searches.push(MapSearch::Saved(Spanned::new(name.text, name.span)));
            }
        }
    }
    match (searches.pop(), searches.is_empty()) {
        (Some(search), true) if !search.text().node.trim().is_empty() => Some(Map { search, maxsearches }),
        _ => {
            let message = "`map` needs one search: in quotes, in brackets, or the name of a saved one";
            b.error(Code::InvalidArgument, message, place);
            None
        }
    }
}

/// What stands between the brackets, as text that parses as a whole search.
fn in_brackets(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Spanned<String>> {
    let whole = b.span(pair);
    // From the whole query, because the pair has blanks instead.
    let inside = b.structure.text.get(whole.start + 1..whole.end.saturating_sub(1))?;
    let text = inside.trim();
    let start = whole.start + 1 + (inside.len() - inside.trim_start().len());
    // In brackets a command needs no pipe before it.
    let pipe = if is_known(first_word(text)) { "| " } else { "" };
    Some(Spanned::new(format!("{pipe}{text}"), Span::new(start, start + text.len())))
}

impl MapSearch {
    /// The text or the name.
    pub fn text(&self) -> &Spanned<String> {
        match self {
            Self::Text(text) | Self::Saved(text) => text,
        }
    }
}

impl Display for Map {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("map")?;
        option(f, "maxsearches", self.maxsearches.as_ref().map(|most| most.node))?;
        match &self.search {
            MapSearch::Text(text) => write!(f, " search={}", Quoted(&text.node)),
            MapSearch::Saved(name) => write!(f, " {}", Quoted(&name.node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn quotes_brackets_and_names() {
        assert_eq!(
            canonical(r#"x | map search="search a=\"$b$\"" maxsearches=7"#),
            r#"search x | map maxsearches=7 search="search a=\"$b$\"""#
        );
        assert_eq!(
            canonical("x | map [search a=\"$b$\" | head 1]"),
            r#"search x | map search="| search a=\"$b$\" | head 1""#
        );
        assert_eq!(canonical("x | map [ |inputlookup $a$ ]"), "search x | map search=\"|inputlookup $a$\"");
        assert_eq!(
            canonical(r#"x | map search="search a IN ("b", "c d") | eval e=\"$f$\"" maxsearches=2"#),
            r#"search x | map maxsearches=2 search="search a IN (\"b\", \"c d\") | eval e=\"$f$\"""#
        );
        assert_eq!(canonical("x | map my_search"), "search x | map \"my_search\"");
        assert_eq!(canonical("x | map \"My Search\" maxsearches=5"), "search x | map maxsearches=5 \"My Search\"");
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(errors("x | map").contains("`map` needs one search"));
        assert!(errors("x | map maxsearches=0 a").contains("`maxsearches` takes a number above 0"));
        assert!(errors("x | map a b").contains("`map` needs one search"));
        assert!(errors("x | map max=3 a").contains("did you mean") || errors("x | map max=3 a").contains("no option"));
    }
}
