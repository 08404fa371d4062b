//! `format`: turns all rows of a subsearch into search text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, token_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `format [mvsep="SEP"] [maxresults=N] ["ROW_PREFIX" "COLUMN_PREFIX" "COLUMN_SEPARATOR" "COLUMN_END" "ROW_SEPARATOR" "ROW_END"] [emptystr="TEXT"]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Format {
    /// What joins the values of a multivalue field; default `OR`.
    pub mvsep: Option<String>,
    /// How many rows at most; default 0 for all.
    pub maxresults: Option<u64>,
    /// The six pieces around rows and columns, all or none.
    pub pieces: Option<Box<[Spanned<String>; 6]>>,
    /// The text where there is no row; default `NOT( )`.
    pub emptystr: Option<String>,
}

/// The documentation of `format`.
pub const DOC: CommandDoc = CommandDoc {
    name: "format",
    summary: "Turns the rows of a subsearch into search text",
    syntax: "format [mvsep=\"<text>\"] [maxresults=<count>] [\"<row start>\" \"<column start>\" \"<column separator>\" \"<column end>\" \"<row separator>\" \"<row end>\"] [emptystr=\"<text>\"]",
    arguments: &[
        ArgumentDoc { name: "mvsep=<text>", meaning: "what joins the values of a multivalue field; default OR" },
        ArgumentDoc { name: "maxresults=<count>", meaning: "how many rows at most; default 0 for all" },
        ArgumentDoc { name: "six texts", meaning: "what stands around and between rows and columns; default \"(\" \"(\" \"AND\" \")\" \"OR\" \")\"" },
        ArgumentDoc { name: "emptystr=<text>", meaning: "the text where there is no row; default NOT( )" },
    ],
    examples: &["| makeresults | eval user=\"ann\" | fields user | format"],
};

const OPTIONS: &[&str] = &["mvsep", "maxresults", "emptystr"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Format> {
    let mut format = Format { mvsep: None, maxresults: None, pieces: None, emptystr: None };
    let mut pieces = Vec::new();
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "mvsep" => format.mvsep = Some(option.value),
                    "maxresults" => format.maxresults = Some(option.number(b)?),
                    "emptystr" => format.emptystr = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::format_piece => pieces.push(Spanned::new(token_text(part.as_str().trim_end()), b.span(&part))),
            _ => {}
        }
    }
    let found = pieces.len();
    match <[Spanned<String>; 6]>::try_from(pieces) {
        Ok(six) => format.pieces = Some(Box::new(six)),
        Err(_) if found == 0 => {}
        Err(_) => {
            b.error(Code::InvalidArgument, format!("`format` takes six texts or none, not {found}"), place);
            return None;
        }
    }
    Some(format)
}

impl Display for Format {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("format")?;
        option(f, "mvsep", self.mvsep.as_deref().map(Quoted))?;
        option(f, "maxresults", self.maxresults)?;
        for piece in self.pieces.iter().flat_map(|pieces| pieces.iter()) {
            write!(f, " {}", Quoted(&piece.node))?;
        }
        option(f, "emptystr", self.emptystr.as_deref().map(Quoted))
    }
}
