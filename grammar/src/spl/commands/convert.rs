//! `convert`: turns values into numbers, and times into text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, nearest, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Diagnostic, Span, Spanned};

/// `convert [timeformat=FORMAT] FUNCTION(FIELD) [AS NAME], ...`, wildcards allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Convert {
    /// How `ctime` and `mktime` write and read times; default `%m/%d/%Y %H:%M:%S`.
    pub timeformat: Option<Spanned<String>>,
    /// One or more.
    pub conversions: Vec<Conversion>,
}

/// `FUNCTION(FIELD) [AS NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// The function.
    pub function: ConvertFunction,
    /// The field, or a pattern.
    pub field: Name,
    /// The field that receives the result; default the field itself.
    pub alias: Option<Name>,
    /// The whole conversion.
    pub span: Span,
}

/// The functions of `convert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvertFunction {
    /// To numbers if all values are some.
    Auto,
    /// Seconds since the epoch to a time in text.
    Ctime,
    /// `[D+]HH:MM:SS` to seconds.
    Dur2sec,
    /// A size with `k`, `m` or `g` to kilobytes.
    Memk,
    /// A time in text to seconds since the epoch.
    Mktime,
    /// `[MM:]SS.SSS` to seconds.
    Mstime,
    /// Leaves a field out of the wildcards of the others.
    None,
    /// To a number; other values are removed.
    Num,
    /// Takes commas away.
    Rmcomma,
    /// Takes away what follows a leading number.
    Rmunit,
}

impl ConvertFunction {
    /// All of them, by name.
    pub const ALL: &[ConvertFunction] = &[
        Self::Auto,
        Self::Ctime,
        Self::Dur2sec,
        Self::Memk,
        Self::Mktime,
        Self::Mstime,
        Self::None,
        Self::Num,
        Self::Rmcomma,
        Self::Rmunit,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Ctime => "ctime",
            Self::Dur2sec => "dur2sec",
            Self::Memk => "memk",
            Self::Mktime => "mktime",
            Self::Mstime => "mstime",
            Self::None => "none",
            Self::Num => "num",
            Self::Rmcomma => "rmcomma",
            Self::Rmunit => "rmunit",
        }
    }
}

/// The documentation of `convert`.
pub const DOC: CommandDoc = CommandDoc {
    name: "convert",
    summary: "Turns the values of fields into numbers, and times into text",
    syntax: "convert [timeformat=\"<format>\"] <function>(<field>) [AS <name>] [<function>(<field>) [AS <name>]] ...",
    arguments: &[
        ArgumentDoc { name: "timeformat=\"<format>\"", meaning: "how ctime and mktime write and read times; default %m/%d/%Y %H:%M:%S" },
        ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`" },
        ArgumentDoc { name: "AS <name>", meaning: "write the result there and leave the field as it is" },
        ArgumentDoc { name: "auto(<field>)", meaning: "numbers, if all values of the field are some; else the field stays as it is" },
        ArgumentDoc { name: "ctime(<field>)", meaning: "seconds since the epoch as a time; what is no number stays" },
        ArgumentDoc { name: "dur2sec(<field>)", meaning: "a duration [D+]HH:MM:SS in seconds; other values are removed" },
        ArgumentDoc { name: "memk(<field>)", meaning: "a size such as 100k, 5m or 1.5g in kilobytes; other values are removed" },
        ArgumentDoc { name: "mktime(<field>)", meaning: "a time as seconds since the epoch; other values are removed" },
        ArgumentDoc { name: "mstime(<field>)", meaning: "a time [MM:]SS.SSS in seconds; other values are removed" },
        ArgumentDoc { name: "none(<field>)", meaning: "leave these fields out of the patterns of the other functions" },
        ArgumentDoc { name: "num(<field>)", meaning: "numbers; other values are removed" },
        ArgumentDoc { name: "rmcomma(<field>)", meaning: "the values without commas" },
        ArgumentDoc { name: "rmunit(<field>)", meaning: "the number that a value starts with; a value without one stays" },
    ],
    examples: &["| makeresults | eval t=1546300800 | convert timeformat=\"%Y-%m-%d\" ctime(t) AS day"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Convert> {
    let mut convert = Convert { timeformat: None, conversions: Vec::new() };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "timeformat" => convert.timeformat = Some(option.text()),
                    _ => return option.unknown(b, &["timeformat"]),
                }
            }
            Rule::conversion => convert.conversions.push(conversion(b, part)?),
            _ => {}
        }
    }
    if convert.conversions.is_empty() {
        b.error(Code::InvalidArgument, "`convert` needs a conversion such as `ctime(field)`", place);
        return None;
    }
    Some(convert)
}

fn conversion(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Conversion> {
    let span = b.span(&pair);
    let mut parts = pair.into_inner().filter(|part| part.as_rule() != Rule::as_op);
    let (name, field) = (parts.next()?, parts.next()?);
    let written = name.as_str().trim_end();
    let known = || ConvertFunction::ALL.iter().copied();
    let Some(function) = known().find(|function| function.name().eq_ignore_ascii_case(written)) else {
        let names: Vec<&str> = known().map(ConvertFunction::name).collect();
        let near = nearest(written, names.iter().copied()).map(|near| format!("did you mean `{near}`? "));
        let help = format!("{}its functions are {}", near.unwrap_or_default(), names.join(", "));
        let message = format!("`convert` has no function `{written}`");
        b.diagnostics.push(Diagnostic::error(Code::UnknownFunction, message, b.span(&name)).with_help(help));
        return None;
    };
    let field = words::name(b, &field);
    let alias = parts.next().map(|part| words::name(b, &part));
    Some(Conversion { function, field, alias, span })
}

impl Display for Convert {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("convert")?;
        option(f, "timeformat", self.timeformat.as_ref().map(|format| Quoted(&format.node)))?;
        write!(f, " {}", Separated(&self.conversions, " "))
    }
}

impl Display for Conversion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function.name(), self.field)?;
        match &self.alias {
            Some(alias) => write!(f, " AS {alias}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn conversions_may_have_aliases_and_commas() {
        assert_eq!(
            canonical("| convert ctime(a b) as \"A B\", NUM(c.*) timeformat=\"%H\" none( x )"),
            "| convert timeformat=\"%H\" ctime(\"a b\") AS \"A B\" num(c.*) none(x)"
        );
        assert!(errors("| convert ctimes(a)").contains("did you mean `ctime`?"));
        assert!(errors("| convert timeformat=\"%H\"").contains("`convert` needs a conversion"));
        assert!(errors("| convert ctime").contains("`convert`"));
    }
}
