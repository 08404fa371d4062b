//! `outputcsv`: writes the rows to a CSV file.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, single_table};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `outputcsv OPTION ... FILE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputcsv {
    /// The file; `.csv` is added where it has no ending.
    pub file: Name,
    /// Whether the rows go below those of the file; default false.
    pub append: Option<bool>,
    /// Whether no rows make a file too; default false.
    pub create_empty: Option<bool>,
    /// Whether no rows take the place of a file; default true.
    pub override_if_empty: Option<bool>,
    /// `dispatch=`, which tells a server to write beside the search's results.
    pub dispatch: Option<bool>,
    /// `singlefile=`, which tells a server how to write a search over many machines.
    pub singlefile: Option<bool>,
    /// `usexml=`, which is about rows without a file.
    pub usexml: Option<bool>,
}

/// The documentation of `outputcsv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "outputcsv",
    summary: "Writes the rows to a CSV file of the folder that `--allow-write` names, and passes them on",
    syntax: "outputcsv [append=<bool>] [create_empty=<bool>] [override_if_empty=<bool>] [singlefile=<bool>] <file>",
    arguments: &[
        ArgumentDoc { name: "<file>", meaning: "the name of the file; `.csv` is added where it has no ending" },
        ArgumentDoc { name: "append=<bool>", meaning: "put the rows below those of the file, whose columns stay as they are: other fields are left out; default false" },
        ArgumentDoc { name: "create_empty=<bool>", meaning: "write a file with nothing but its header where there are no rows; with false such a file is deleted; default false" },
        ArgumentDoc { name: "override_if_empty=<bool>", meaning: "with false a file that is there stays where there are no rows; default true" },
        ArgumentDoc { name: "dispatch=<bool>, singlefile=<bool>, usexml=<bool>", meaning: "where and how a server writes; without effect here" },
    ],
    examples: &["| makeresults count=2 | eval user=\"ann\" | outputcsv seen"],
};

const OPTIONS: &[&str] = &["append", "create_empty", "override_if_empty", "dispatch", "singlefile", "usexml"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Outputcsv> {
    let (mut append, mut create_empty, mut override_if_empty) = (None, None, None);
    let (mut dispatch, mut singlefile, mut usexml, mut names) = (None, None, None, Vec::new());
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "append" => append = Some(option.boolean(b)?),
                    "create_empty" => create_empty = Some(option.boolean(b)?),
                    "override_if_empty" => override_if_empty = Some(option.boolean(b)?),
                    "dispatch" => dispatch = Some(option.boolean(b)?),
                    "singlefile" => singlefile = Some(option.boolean(b)?),
                    "usexml" => usexml = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    let file = single_table(b, names, place)?;
    Some(Outputcsv { file, append, create_empty, override_if_empty, dispatch, singlefile, usexml })
}

impl Display for Outputcsv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("outputcsv")?;
        option(f, "append", self.append)?;
        option(f, "create_empty", self.create_empty)?;
        option(f, "override_if_empty", self.override_if_empty)?;
        option(f, "dispatch", self.dispatch)?;
        option(f, "singlefile", self.singlefile)?;
        option(f, "usexml", self.usexml)?;
        write!(f, " {}", self.file)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| outputcsv a.csv append=t create_empty=f override_if_empty=1 singlefile=t"),
            "| outputcsv append=true create_empty=false override_if_empty=true singlefile=true a.csv"
        );
        assert!(errors("| outputcsv").contains("`outputcsv` needs a table"), "{}", errors("| outputcsv"));
    }
}
