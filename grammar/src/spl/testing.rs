//! What the unit tests share.

use super::commands::CommandKind;
use super::parse;
use super::query::Query;

/// Parses a query and checks that its canonical text parses to the same tree.
pub(crate) fn verified(query: &str) -> Query {
    let tree = parse(query).unwrap_or_else(|errors| panic!("{query}\n{errors:?}"));
    let printed = tree.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&tree), "{query}\n{printed}");
    tree
}

/// The canonical text of a query.
pub(crate) fn canonical(query: &str) -> String {
    verified(query).to_string()
}

/// The last command of a query.
pub(crate) fn last(query: &str) -> CommandKind {
    verified(query).commands.pop().unwrap().kind
}

/// What is wrong with a query: place, code, message, help.
pub(crate) fn errors(query: &str) -> String {
    let lines = parse(query).unwrap_err().into_iter().map(|found| {
        let (line, column) = found.line_column(query);
        let help = found.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
        format!("{line}:{column} {}: {}{help}", found.code, found.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
