//! `savedsearch`: runs a search that has a name.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `savedsearch NAME [KEY=VALUE ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Savedsearch {
    /// Its name.
    pub name: Spanned<String>,
    /// Whether `$...$` in it stay as they are; default false.
    pub nosubstitution: Option<bool>,
    /// What `$KEY$` in it stand for.
    pub replacements: Vec<(Name, Spanned<String>)>,
}

/// The documentation of `savedsearch`.
pub const DOC: CommandDoc = CommandDoc {
    name: "savedsearch",
    summary: "Runs a saved search of the savedsearches.conf files that --savedsearches names",
    syntax: "savedsearch <name> [nosubstitution=<bool>] [<key>=<value> ...]",
    arguments: &[
        ArgumentDoc { name: "<name>", meaning: "its name; in quotes if it has blanks" },
        ArgumentDoc { name: "<key>=<value>", meaning: "what `$<key>$` stands for in it" },
        ArgumentDoc { name: "nosubstitution=<bool>", meaning: "leave `$<key>$` in it as it is; default false" },
    ],
    examples: &["| savedsearch spelunk:example user=bob | table user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Savedsearch> {
    let mut parts = arguments.into_inner();
    let name = words::name(b, &parts.next()?);
    if name.text.is_empty() {
        b.error(Code::InvalidArgument, "the name of a saved search is empty", name.span);
        return None;
    }
    let (mut nosubstitution, mut replacements) = (None, Vec::new());
    for part in parts.filter(|part| part.as_rule() == Rule::saved_pair) {
        let mut pair = part.clone().into_inner();
        let (key, value) = (words::name(b, &pair.next()?), words::name(b, &pair.next()?));
        if key.text.eq_ignore_ascii_case("nosubstitution") {
            nosubstitution = Some(words::option(b, part)?.boolean(b)?);
            continue;
        }
        if replacements.iter().any(|(known, _): &(Name, _)| known.text == key.text) {
            b.error(Code::InvalidArgument, format!("`{}` is given twice", key.text), key.span);
            return None;
        }
        replacements.push((key, Spanned::new(value.text, value.span)));
    }
    Some(Savedsearch { name: Spanned::new(name.text, name.span), nosubstitution, replacements })
}

impl Display for Savedsearch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, nosubstitution, replacements } = self;
        write!(f, "savedsearch {}", Quoted(&name.node))?;
        option(f, "nosubstitution", *nosubstitution)?;
        replacements.iter().try_for_each(|(key, value)| write!(f, " {key}={}", Quoted(&value.node)))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn names_and_replacements() {
        assert_eq!(
            canonical("|savedsearch caws:global.x-1 account=\"My Bank\" n=3 nosubstitution=f"),
            "| savedsearch \"caws:global.x-1\" nosubstitution=false account=\"My Bank\" n=\"3\""
        );
        assert_eq!(canonical("x | append [savedsearch \"A | B\"]"), "search x | append [| savedsearch \"A | B\"]");
        assert!(errors("| savedsearch").contains("the name of a saved search"));
        assert!(errors("| savedsearch a x=1 x=2").contains("`x` is given twice"));
    }
}
