//! `outputtext`: the text of each event in a field of its own.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `outputtext [usexml=BOOL]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputtext {
    /// Whether the text is escaped as XML; default true.
    pub usexml: Option<bool>,
}

/// The documentation of `outputtext`.
pub const DOC: CommandDoc = CommandDoc {
    name: "outputtext",
    summary: "Copies `_raw` to the field `_xml`",
    syntax: "outputtext [usexml=<bool>]",
    arguments: &[ArgumentDoc {
        name: "usexml=<bool>",
        meaning: "write `<`, `>`, `&` and quotes as XML entities; default true",
    }],
    examples: &["| makeresults | eval _raw=\"a<b\" | outputtext | table _xml"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Outputtext> {
    let mut usexml = None;
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "usexml" => usexml = Some(option.boolean(b)?),
            _ => return option.unknown(b, &["usexml"]),
        }
    }
    Some(Outputtext { usexml })
}

impl Display for Outputtext {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("outputtext")?;
        option(f, "usexml", self.usexml)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn the_option() {
        assert_eq!(canonical("| outputtext usexml=f"), "| outputtext usexml=false");
        assert!(errors("| outputtext usexm=f").contains("did you mean `usexml`?"));
    }
}
