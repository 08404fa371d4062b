//! The reference pages, made from what the registries say of each command and function.

use std::fmt::Write as _;

use spelunk_grammar::spl::commands;

pub use crate::functions::{Function, all as eval_functions};
pub use crate::logscale::reference::{Doc, docs as logscale_functions};
pub use crate::plan::aggregate::{FUNCTIONS as STATISTICS, Statistic, is_function as is_statistic};

use crate::functions;
use crate::logscale;
use crate::plan::{aggregate, suggest};

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
    page.push_str("\n## Refused\n\nThese need what spelunk is not, and are refused by name and place.\n\n");
    for (name, reason) in commands::refused_commands() {
        let _ = writeln!(page, "- `{name}`: {reason}");
    }
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

/// The page of the functions of LogScale, in Markdown.
pub fn logscale() -> String {
    let mut page = String::from(
        "# Functions of LogScale\n\nThe name of the first argument may be left out. Letter case does not count in the names of functions.\n\n| call | what it does | example |\n|---|---|---|\n",
    );
    for doc in logscale::reference::docs() {
        let _ = writeln!(page, "| {} | {} | {} |", code(&doc.syntax()), doc.summary, code(doc.example));
    }
    page
}

/// Code in a table cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Help {
    /// What the commands and functions of that name do, as plain text.
    Known(String),
    /// The language has nothing of that name; the name that was perhaps meant.
    Unknown(Option<&'static str>),
}

/// Explains a command, an eval function or a statistical function; some names are more than one of these.
pub fn help(name: &str) -> Help {
    let lower = name.to_lowercase();
    let mut sections = Vec::new();
    if let Some(doc) = commands::doc(name) {
        let mut section = page(doc.name, "command", doc.summary, doc.syntax);
        let width = doc.arguments.iter().map(|argument| argument.name.chars().count()).max().unwrap_or_default();
        for (position, argument) in doc.arguments.iter().enumerate() {
            let title = if position == 0 { "\nArguments\n" } else { "" };
            let _ = writeln!(section, "{title}  {:<width$}  {}", argument.name, argument.meaning);
        }
        for (position, example) in doc.examples.iter().enumerate() {
            let title = if position == 0 { "\nExamples\n" } else { "" };
            let _ = writeln!(section, "{title}  {}", example.replace('\n', "\n  "));
        }
        sections.push(section);
    }
    if let Some(function) = functions::find(name) {
        let mut section = page(function.name, "function of eval and where", function.summary, function.syntax);
        let (expression, value) = function.example;
        let _ = writeln!(section, "\nExample\n  {expression} = {value}");
        sections.push(section);
    }
    // A percentile has its number behind its name.
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let named = |wanted: &str| aggregate::FUNCTIONS.iter().find(|statistic| statistic.name == wanted);
    let percentile = || named(stem).filter(|statistic| statistic.syntax.contains('N'));
    if let Some(statistic) = named(&lower).or_else(percentile) {
        let mut section = page(statistic.name, "statistical function", statistic.summary, statistic.syntax);
        let (call, value) = statistic.example;
        let _ = writeln!(section, "\nExample, over the rows x,g = 2,a and 3,b and 6,a\n  {call} = {value}");
        sections.push(section);
    }
    if let Some(doc) = logscale::reference::doc(name) {
        let mut section = page(doc.name, "function of LogScale", doc.summary, &doc.syntax());
        let _ = writeln!(section, "\nExample\n  {}", doc.example);
        sections.push(section);
    }
    if !sections.is_empty() {
        return Help::Known(sections.join("\n"));
    }
    if let Some((name, reason)) = commands::refused_commands().iter().find(|(known, _)| *known == lower) {
        return Help::Known(format!("{name} - refused: {reason}.\n"));
    }
    let supported = commands::commands().iter().map(|doc| doc.name);
    let supported = supported.chain(functions::all().map(|function| function.name));
    let supported = supported.chain(aggregate::FUNCTIONS.iter().map(|statistic| statistic.name));
    let supported = supported.chain(logscale::reference::docs().into_iter().map(|doc| doc.name));
    Help::Unknown(suggest::nearest(name, supported))
}

fn page(name: &str, what: &str, summary: &str, syntax: &str) -> String {
    let stop = if summary.ends_with('.') { "" } else { "." };
    format!("{name}: {what}\n  {summary}{stop}\n\nSyntax\n  {}\n", syntax.replace('\n', "\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        match help(name) {
            Help::Known(text) => text,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn names_are_explained() {
        let dedup = text("DEDUP");
        assert!(dedup.starts_with("dedup: command\n  Keeps the first rows"), "{dedup}");
        assert!(
            ["\nSyntax\n  dedup [", "\nArguments\n  <count>", "\nExamples\n  | "]
                .iter()
                .all(|part| dedup.contains(part))
        );
        assert!(text("lower").contains("Example\n  lower(\"CMD.exe\") = cmd.exe\n"));
        let both = text("replace");
        assert!(
            both.contains("replace: command\n") && both.contains("\nreplace: function of eval and where\n"),
            "{both}"
        );
        assert!(text("dc").starts_with("dc: statistical function\n"));
        assert!(text("exactperc95").starts_with("exactperc: statistical function\n"));
        let groups = text("groupby");
        assert!(
            groups.starts_with("groupBy: function of LogScale\n") && groups.contains("groupBy(field, "),
            "{groups}"
        );
        assert!(text("kv").starts_with("extract: command\n"));
    }

    #[test]
    fn what_cannot_be_explained() {
        assert!(text("tee").starts_with("tee - refused: "));
        assert!(text("rest").starts_with("rest - refused: "));
        assert_eq!(help("mvindx"), Help::Unknown(Some("mvindex")));
        assert_eq!(help("count7"), Help::Unknown(Some("count")));
        assert_eq!(help("stast"), Help::Unknown(Some("stats")));
        assert_eq!(help("pivto"), Help::Unknown(Some("pivot")));
        assert_eq!(help("qqqqqqqqqq"), Help::Unknown(None));
    }
}
