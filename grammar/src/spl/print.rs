//! Canonical printing of what the commands share. What is printed parses to the tree that it was printed from.

use std::fmt::{self, Display, Formatter};

use super::commands::CommandKind;
use super::expression::{MacroCall, Name};
use super::query::{Command, Query, Subsearch};

/// Text in double quotes.
pub(crate) struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", Escaped(self.0, &['"']))
    }
}

/// Text whose backslashes and the given characters are escaped where they would be taken for escapes.
pub(crate) struct Escaped<'a>(pub &'a str, pub &'a [char]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars().peekable();
        while let Some(c) = chars.next() {
            let needed = match c {
                '\\' => chars.peek().is_none_or(|next| matches!(next, '"' | '\\' | '|' | '\'')),
                _ => self.1.contains(&c),
            };
            if needed {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        Ok(())
    }
}

/// Whether a name can stand without quotes in every place that takes field names.
pub(crate) fn is_plain(name: &str) -> bool {
    const KEYWORDS: &[&str] = &["as", "by", "sortby", "desc", "asc", "d", "and", "or", "not", "xor", "like", "in"];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '*'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:{}*@#/-".contains(c))
        && !KEYWORDS.contains(&name.to_ascii_lowercase().as_str())
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if is_plain(&self.text) { f.write_str(&self.text) } else { write!(f, "{}", Quoted(&self.text)) }
    }
}

/// Items with a separator between them.
pub(crate) struct Separated<'a, T>(pub &'a [T], pub &'a str);

impl<T: Display> Display for Separated<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(self.1)?;
            }
            write!(f, "{item}")?;
        }
        Ok(())
    }
}

/// ` name=value` where there is a value.
pub(crate) fn option(f: &mut Formatter<'_>, name: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, " {name}={value}"))
}

impl Display for MacroCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}", self.name)?;
        if let Some(arguments) = &self.arguments {
            f.write_str("(")?;
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    f.write_str(", ")?;
                }
                let plain = !argument.is_empty()
                    && argument.trim() == argument
                    && !argument.contains(['"', ',', '(', ')', '\\', '`']);
                match plain {
                    true => f.write_str(argument)?,
                    false => write!(f, "{}", Quoted(argument))?,
                }
            }
            f.write_str(")")?;
        }
        f.write_str("`")
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let searches = matches!(self.commands.first(), Some(Command { kind: CommandKind::Search(_), .. }));
        if !searches {
            f.write_str("| ")?;
        }
        write!(f, "{}", Separated(&self.commands, " | "))
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Display for Subsearch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.query)
    }
}
