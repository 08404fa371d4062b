//! `correlate`: how often two fields are in the same rows.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};

/// `correlate [type=cocur]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlate;

/// The documentation of `correlate`.
pub const DOC: CommandDoc = CommandDoc {
    name: "correlate",
    summary: "Makes a matrix of all fields: the share of rows with both fields among the rows with either",
    syntax: "correlate [type=cocur]",
    arguments: &[ArgumentDoc { name: "type=cocur", meaning: "the only kind of matrix" }],
    examples: &["| makeresults format=csv data=\"a,b\n1,2\n3,4\" | correlate"],
};

const OPTIONS: &[&str] = &["type"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Correlate> {
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            "type" if option.value.eq_ignore_ascii_case("cocur") => {}
            "type" => return option.invalid(b, "cocur only"),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(Correlate)
}

impl Display for Correlate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("correlate")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_no_fields() {
        assert_eq!(canonical("| correlate type=cocur"), "| correlate");
        assert!(errors("| correlate type=pearson").contains("cocur only"));
        assert!(errors("| correlate a").contains("expected an option"));
    }
}
