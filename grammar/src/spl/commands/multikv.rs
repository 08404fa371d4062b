//! `multikv`: rows out of tables in text.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::Spanned;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};

/// `multikv [OPTIONS] [fields FIELD ...] [filter TEXT ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Multikv {
    /// The line of the header, from 1.
    pub forceheader: Option<Spanned<u64>>,
    /// Whether the table has no header; default false.
    pub noheader: Option<bool>,
    /// Whether an event may hold several tables; default true.
    pub multitable: Option<bool>,
    /// Whether the rows get the fields of their event; default true.
    pub copyattrs: Option<bool>,
    /// Whether the event itself goes away; default true.
    pub rmorig: Option<bool>,
    /// A stanza of `multikv.conf`.
    pub conf: Option<Spanned<String>>,
    /// The columns that are taken; all without any.
    pub fields: Vec<Name>,
    /// Texts of which a line has to hold one; any line without any.
    pub filter: Vec<Name>,
}

/// The documentation of `multikv`.
pub const DOC: CommandDoc = CommandDoc {
    name: "multikv",
    summary: "Makes a row of each line of the tables in _raw",
    syntax: "multikv [forceheader=<line>] [noheader=<bool>] [multitable=<bool>] [copyattrs=<bool>] [rmorig=<bool>] [fields <field> ...] [filter <text> ...]",
    arguments: &[
        ArgumentDoc { name: "forceheader=<line>", meaning: "the line that is the header, from 1, empty lines not counted; otherwise the first line of capitalised words" },
        ArgumentDoc { name: "noheader=<bool>", meaning: "name the columns Column_1, Column_2 and so on; default false" },
        ArgumentDoc { name: "multitable=<bool>", meaning: "look for further headers after empty lines; default true" },
        ArgumentDoc { name: "copyattrs=<bool>", meaning: "copy the fields of the event to its rows; default true" },
        ArgumentDoc { name: "rmorig=<bool>", meaning: "drop the event itself; default true" },
        ArgumentDoc { name: "fields <field> ...", meaning: "the columns to take" },
        ArgumentDoc { name: "filter <text> ...", meaning: "skip lines that hold none of these texts" },
        ArgumentDoc { name: "conf=<stanza>", meaning: "a stanza of multikv.conf; not supported" },
    ],
    examples: &["| makeresults | eval _raw=\"Name Age\nann 42\nbob 35\" | multikv | table Name Age"],
};

const OPTIONS: &[&str] = &["forceheader", "noheader", "multitable", "copyattrs", "rmorig", "conf"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Multikv> {
    let mut multikv = Multikv {
        forceheader: None,
        noheader: None,
        multitable: None,
        copyattrs: None,
        rmorig: None,
        conf: None,
        fields: Vec::new(),
        filter: Vec::new(),
    };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "forceheader" => {
                        let line = option.number(b)?;
                        if line == 0 {
                            return option.invalid(b, "a line number from 1");
                        }
                        multikv.forceheader = Some(option.at(line));
                    }
                    "noheader" => multikv.noheader = Some(option.boolean(b)?),
                    "multitable" => multikv.multitable = Some(option.boolean(b)?),
                    "copyattrs" => multikv.copyattrs = Some(option.boolean(b)?),
                    "rmorig" => multikv.rmorig = Some(option.boolean(b)?),
                    "conf" => multikv.conf = Some(option.text()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::multikv_fields => multikv.fields.extend(names(b, part.into_inner())),
            Rule::multikv_filter => multikv.filter.extend(names(b, part.into_inner())),
            _ => {}
        }
    }
    Some(multikv)
}

impl Display for Multikv {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("multikv")?;
        option(f, "conf", self.conf.as_ref().map(|conf| Quoted(&conf.node)))?;
        option(f, "forceheader", self.forceheader.as_ref().map(|line| line.node))?;
        option(f, "noheader", self.noheader)?;
        option(f, "multitable", self.multitable)?;
        option(f, "copyattrs", self.copyattrs)?;
        option(f, "rmorig", self.rmorig)?;
        if !self.fields.is_empty() {
            f.write_str(" fields")?;
            for field in &self.fields {
                // Bare, these two words begin a list.
                match field.text.to_ascii_lowercase().as_str() {
                    "fields" | "filter" => write!(f, " {}", Quoted(&field.text))?,
                    _ => write!(f, " {field}")?,
                }
            }
        }
        if !self.filter.is_empty() {
            let texts: Vec<Quoted<'_>> = self.filter.iter().map(|text| Quoted(&text.text)).collect();
            write!(f, " filter {}", Separated(&texts, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn lists_and_options_mix() {
        assert_eq!(
            canonical("| multikv fields a \"filter\" b noheader=t filter \"x y\" z rmorig=f forceheader=2"),
            "| multikv forceheader=2 noheader=true rmorig=false fields a \"filter\" b filter \"x y\" \"z\""
        );
        assert!(errors("| multikv forceheader=0").contains("a line number from 1"));
    }
}
