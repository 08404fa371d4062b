//! `appendpipe`: the present rows, and below them what commands make of them.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, commands};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::structure::first_word;
use crate::spl::parser::{Rule, nearest, pipeline, words};
use crate::spl::print::option;
use crate::spl::{Command, CommandKind, Subsearch};
use crate::{Code, Diagnostic, Span};

/// `appendpipe [run_in_preview=BOOL] [COMMANDS]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Appendpipe {
    /// `run_in_preview=`
    pub run_in_preview: Option<bool>,
    /// The commands.
    pub subpipe: Subsearch,
}

/// The documentation of `appendpipe`.
pub const DOC: CommandDoc = CommandDoc {
    name: "appendpipe",
    summary: "Puts below the present rows what commands make of them, such as their totals",
    syntax: "appendpipe [run_in_preview=<bool>] [ <commands> ]",
    arguments: &[
        ArgumentDoc { name: "<commands>", meaning: "commands that work on the present rows, also where there are none" },
        ArgumentDoc { name: "run_in_preview=<bool>", meaning: "whether they run for the previews that Splunk shows; without effect here, where there are none" },
    ],
    examples: &["| makeresults count=3 | eval n=2 | appendpipe [stats sum(n) AS n] | table n"],
};

const OPTIONS: &[&str] = &["run_in_preview"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Appendpipe> {
    let (mut run_in_preview, mut subpipe) = (None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "run_in_preview" => run_in_preview = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::subsearch => subpipe = Some(commands_in(b, &part)?),
            _ => {}
        }
    }
    Some(Appendpipe { run_in_preview, subpipe: subpipe? })
}

/// The commands in brackets. A search without the word `search` is none: it would look for a misspelt command.
fn commands_in(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Subsearch> {
    let subpipe = pipeline::subsearch(b, pair)?;
    let Some(Command { kind: CommandKind::Search(_), name_span, span }) = subpipe.query.commands.first() else {
        return Some(subpipe);
    };
    if name_span.start < name_span.end {
        return Some(subpipe);
    }
    let word = first_word(b.structure.text.get(span.range())?).to_owned();
    let place = Span::new(span.start, span.start + word.len());
    let message = format!("`appendpipe` takes commands, and \"{word}\" is none");
    let near = nearest(&word, commands().iter().map(|doc| doc.name));
    let help = near.map_or("put `search` before search terms".to_owned(), |near| format!("did you mean \"{near}\"?"));
    b.diagnostics.push(Diagnostic::error(Code::UnknownCommand, message, place).with_help(help));
    None
}

impl Display for Appendpipe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("appendpipe")?;
        option(f, "run_in_preview", self.run_in_preview)?;
        write!(f, " {}", self.subpipe)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn commands_in_brackets() {
        assert_eq!(
            canonical("x | appendpipe run_in_preview=f [stats count | where count=0]"),
            "search x | appendpipe run_in_preview=false [| stats count | where count = 0]"
        );
        assert!(errors("x | appendpipe stats count").contains("a search in brackets"));
        assert!(errors("x | appendpipe [sats count]").contains("\"sats\" is none"));
        assert!(errors("x | appendpipe [sats count]").contains("did you mean \"stats\"?"));
        assert!(errors("x | appendpipe []").contains("the subsearch is empty"));
    }
}
