//! The reference pages, made from what the registries say of each command and function.

use std::fmt::Write as _;

use spelunk_grammar::spl::commands;

use crate::functions;
use crate::plan::aggregate;

/// The page of the commands, in Markdown.
pub fn commands() -> String {
    let mut page = String::from("# Commands\n");
    for doc in commands::commands() {
        let _ = write!(page, "\n## {}\n\n{}.\n\n```text\n{}\n```\n\n", doc.name, doc.summary, doc.syntax);
        for argument in doc.arguments {
            let _ = writeln!(page, "- `{}`: {}", argument.name, argument.meaning);
        }
        for example in doc.examples {
            let _ = write!(page, "\n```spl\n{example}\n```\n");
        }
    }
    let refused = commands::known_unsupported().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let _ = write!(page, "\n## Not supported yet\n\nRefused by name and place: {}.\n", refused.join(", "));
    page
}

/// The page of the functions of `eval` and `where`, and of the statistical functions, in Markdown.
pub fn functions() -> String {
    let mut page = String::from(
        "# Functions of eval and where\n\n`x` holds 5, 10 and 15 in the examples.\n\n| call | value | example |\n|---|---|---|\n",
    );
    let mut all: Vec<_> = functions::all().collect();
    all.sort_unstable_by_key(|function| function.name);
    for function in all {
        let (expression, value) = function.example;
        let example = format!("{} = {}", code(expression), code(value));
        let _ = writeln!(page, "| {} | {} | {example} |", code(function.syntax), function.summary);
    }
    page.push_str("\n# Statistical functions\n\nThe examples are over the rows `x,g` = `2,a`, `3,b`, `6,a`.\n\n");
    page.push_str("| call | value | example |\n|---|---|---|\n");
    for statistic in aggregate::FUNCTIONS {
        let (call, value) = statistic.example;
        let example = format!("{} = {}", code(call), code(value));
        let _ = writeln!(page, "| {} | {} | {example} |", code(statistic.syntax), statistic.summary);
    }
    page
}

/// Code in a table cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}
