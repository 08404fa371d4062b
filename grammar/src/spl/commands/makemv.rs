//! `makemv`: splits one value into several.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;


use super::{ArgumentDoc, CommandDoc, single_field};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, pattern_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, option};
use crate::{Code, Spanned};

/// `makemv [delim=TEXT|tokenizer=PATTERN] [allowempty=BOOL] [setsv=BOOL] FIELD`.
#[derive(Debug, Clone, PartialEq)]
pub struct Makemv {
    /// The field to split.
    pub field: Name,
    /// What stands between the values; default a blank.
    pub delim: Option<Spanned<String>>,
    /// A regular expression whose first group is a value, instead of a delimiter.
    pub tokenizer: Option<Spanned<String>>,
    /// Whether empty values are kept; default false.
    pub allowempty: Option<bool>,
    /// Whether the field keeps its single value too; default false.
    pub setsv: Option<Spanned<bool>>,
}

/// The documentation of `makemv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "makemv",
    summary: "Splits the value of a field into several",
    syntax: "makemv [delim=\"<text>\"|tokenizer=\"<pattern>\"] [allowempty=<bool>] <field>",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the field to split" },
        ArgumentDoc { name: "delim=\"<text>\"", meaning: "what stands between the values; default one blank" },
        ArgumentDoc {
            name: "tokenizer=\"<pattern>\"",
            meaning: "a regular expression; what its first group holds in each match is a value",
        },
        ArgumentDoc { name: "allowempty=<bool>", meaning: "keep empty values; default false" },
        ArgumentDoc { name: "setsv=<bool>", meaning: "keep the single value beside the several; only false is supported" },
    ],
    examples: &["| makeresults | eval x=\"a,b,c\" | makemv delim=\",\" x | mvexpand x"],
};

const OPTIONS: &[&str] = &["delim", "tokenizer", "allowempty", "setsv"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Makemv> {
    let (mut fields, mut delim, mut tokenizer, mut allowempty, mut setsv) = (Vec::new(), None, None, None, None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::makemv_option => {
                let pattern = part.clone().into_inner().nth(1).map(|value| pattern_text(value.as_str().trim_end()));
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "delim" => delim = Some(option.text()),
                    "tokenizer" => tokenizer = pattern.map(|pattern| option.at(pattern)),
                    "allowempty" => allowempty = Some(option.boolean(b)?),
                    "setsv" => setsv = Some(option.at(option.boolean(b)?)),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    if let (Some(_), Some(tokenizer)) = (&delim, &tokenizer) {
        b.error(Code::InvalidOption, "`makemv` takes either `delim` or `tokenizer`", tokenizer.span);
        return None;
    }
    let field = single_field(b, fields, place)?;
    Some(Makemv { field, delim, tokenizer, allowempty, setsv })
}

impl Display for Makemv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("makemv")?;
        option(f, "delim", self.delim.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "tokenizer", self.tokenizer.as_ref().map(|text| Quoted(&text.node)))?;
        option(f, "allowempty", self.allowempty)?;
        option(f, "setsv", self.setsv.as_ref().map(|value| value.node))?;
        write!(f, " {}", self.field)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_before_or_after() {
        assert_eq!(canonical("| makemv a delim=\",\" allowempty=t"), "| makemv delim=\",\" allowempty=true a");
        assert_eq!(canonical(r"| makemv tokenizer=(\S+) a"), r#"| makemv tokenizer="(\S+)" a"#);
        assert_eq!(canonical(r#"| makemv tokenizer="(\|)" a"#), r#"| makemv tokenizer="(\\|)" a"#);
        assert_eq!(canonical(r#"| makemv delim="\|" a"#), r#"| makemv delim="|" a"#);
        assert!(errors("| makemv delim=\",\"").contains("`makemv` needs a field name"));
        assert!(errors("| makemv a b").contains("`makemv` takes one field, not 2"));
        assert!(errors("| makemv delim=a tokenizer=b c").contains("either `delim` or `tokenizer`"));
    }
}
