//! `noop`: nothing.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `noop [search_optimization=BOOL] [search_optimization.NAME=BOOL] ...`.
#[derive(Debug, Clone, PartialEq)]
pub struct Noop {
    /// The optimisations that are switched on or off.
    pub switches: Vec<(String, bool)>,
}

/// The documentation of `noop`.
pub const DOC: CommandDoc = CommandDoc {
    name: "noop",
    summary: "Does nothing to the rows",
    syntax: "noop [search_optimization[.<name>]=<bool>] ...",
    arguments: &[ArgumentDoc {
        name: "search_optimization[.<name>]=<bool>",
        meaning: "an optimisation of Splunk's to switch on or off; it changes no result, and nothing here",
    }],
    examples: &["| makeresults | noop search_optimization=false"],
};

/// What the names of optimisations start with.
const OPTIMIZATION: &str = "search_optimization";

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Noop> {
    let mut switches = Vec::new();
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::switch) {
        let option = words::option(b, part)?;
        let rest = option.name.strip_prefix(OPTIMIZATION);
        if !rest.is_some_and(|rest| rest.is_empty() || rest.len() > 1 && rest.starts_with('.')) {
            return option.unknown(b, &[OPTIMIZATION]);
        }
        let on = option.boolean(b)?;
        switches.push((option.name, on));
    }
    Some(Noop { switches })
}

impl Display for Noop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("noop")?;
        for (name, on) in &self.switches {
            option(f, name, Some(on))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn takes_switches() {
        assert_eq!(
            canonical("| noop search_optimization.Merge_Union=f search_optimization=t"),
            "| noop search_optimization.merge_union=false search_optimization=true"
        );
        assert!(errors("| noop remote_log_fetch=t").contains("`noop` has no option `remote_log_fetch`"));
        assert!(errors("| noop search_optimization=x").contains("true or false"));
    }
}
