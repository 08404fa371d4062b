//! A command that cannot be read as long as a macro in it is not replaced by what it stands for.

use std::fmt::{self, Display, Formatter};

use super::CommandDoc;
use crate::Spanned;

/// A command with a macro where its grammar needs more than one value: `` | `name(x)` `` or `` | stats `aggregates` ``.
#[derive(Debug, Clone, PartialEq)]
pub struct Unexpanded {
    /// The command as written.
    pub text: String,
    /// The names of the macros, and their places; never empty.
    pub macros: Vec<Spanned<String>>,
}

/// What is said of all of them.
pub(super) const DOC: CommandDoc = CommandDoc {
    name: "unexpanded",
    summary: "A command with a macro that is not defined",
    syntax: "",
    arguments: &[],
    examples: &[],
};

impl Display for Unexpanded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
