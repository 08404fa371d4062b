//! The commands: one file each.

pub mod dedup;
pub mod eval;
pub mod fields;
pub mod format;
pub mod head;
pub mod makeresults;
pub mod rename;
pub mod return_;
pub mod rex;
pub mod search;
pub mod sort;
pub mod stats;
pub mod table;
pub mod where_;

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum CommandKind {
    Dedup(dedup::Dedup),
    Eval(eval::Eval),
    Fields(fields::Fields),
    Format(format::Format),
    Head(head::Head),
    Makeresults(makeresults::Makeresults),
    Rename(rename::Rename),
    Return(return_::Return),
    Rex(rex::Rex),
    Search(search::Search),
    Sort(sort::Sort),
    Stats(stats::Stats),
    Table(table::Table),
    Where(where_::Where),
}
