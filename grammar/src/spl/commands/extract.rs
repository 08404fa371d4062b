//! `extract` (also `kv`): fields out of `key=value` pairs.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, names};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Spanned};

/// `extract [OPTIONS] [STANZA ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// The characters of which each ends a pair.
    pub pairdelim: Option<Spanned<String>>,
    /// The characters of which each stands between a key and its value.
    pub kvdelim: Option<Spanned<String>>,
    /// How many pairs are taken; default 50.
    pub limit: Option<u64>,
    /// How many characters are looked at; default 10240.
    pub maxchars: Option<u64>,
    /// Whether a field that comes again gets several values; default false.
    pub mv_add: Option<bool>,
    /// Whether other characters than letters and digits become underscores in names; default true.
    pub clean_keys: Option<bool>,
    /// `auto=f`, which leaves out pairs without delimiters.
    pub auto: Option<Spanned<bool>>,
    /// `reload=`, which makes a server read its configuration again.
    pub reload: Option<Spanned<bool>>,
    /// `segment=`, which changes how the event is shown.
    pub segment: Option<Spanned<bool>>,
    /// Stanzas of a configuration file.
    pub stanzas: Vec<Name>,
}

/// The documentation of `extract`.
pub const DOC: CommandDoc = CommandDoc {
    name: "extract",
    summary: "Makes fields of the key=value pairs in _raw; also called `kv`",
    syntax: "extract [pairdelim=\"<characters>\"] [kvdelim=\"<characters>\"] [limit=<count>] [maxchars=<count>] [mv_add=<bool>] [clean_keys=<bool>]",
    arguments: &[
        ArgumentDoc { name: "pairdelim=\"<characters>\"", meaning: "characters of which each ends a pair; without delimiters, `key=value` and `key=\"quoted value\"` are found anywhere" },
        ArgumentDoc { name: "kvdelim=\"<characters>\"", meaning: "characters of which each stands between a key and its value; a value that holds one is not taken" },
        ArgumentDoc { name: "limit=<count>", meaning: "how many pairs to take from an event; default 50" },
        ArgumentDoc { name: "maxchars=<count>", meaning: "how many characters of an event to look at; default 10240" },
        ArgumentDoc { name: "mv_add=<bool>", meaning: "several values for a key that comes several times, or is a field already; otherwise the first stays; default false" },
        ArgumentDoc { name: "clean_keys=<bool>", meaning: "underscores for anything but letters and digits in names; default true" },
        ArgumentDoc { name: "auto=f", meaning: "find no pairs without delimiters; not supported" },
        ArgumentDoc { name: "reload=<bool>", meaning: "read a server's configuration again; not supported" },
        ArgumentDoc { name: "segment=<bool>", meaning: "show pairs as segments of the event; not supported" },
        ArgumentDoc { name: "<stanza>", meaning: "an extraction of transforms.conf; not supported" },
    ],
    examples: &["| makeresults | eval _raw=\"user=ann action=\\\"log in\\\"\" | extract | table user action"],
};

const OPTIONS: &[&str] =
    &["pairdelim", "kvdelim", "limit", "maxchars", "mv_add", "clean_keys", "auto", "reload", "segment"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Extract> {
    let mut extract = Extract {
        pairdelim: None,
        kvdelim: None,
        limit: None,
        maxchars: None,
        mv_add: None,
        clean_keys: None,
        auto: None,
        reload: None,
        segment: None,
        stanzas: names(b, arguments.clone().into_inner()),
    };
    for part in arguments.into_inner().filter(|part| part.as_rule() == Rule::option) {
        let option = words::option(b, part)?;
        match option.name.as_str() {
            name @ ("pairdelim" | "kvdelim") => {
                if option.value.is_empty() {
                    let message = format!("`{name}` needs a character");
                    b.error(Code::InvalidOption, message, option.value_span);
                    return None;
                }
                match name {
                    "kvdelim" => extract.kvdelim = Some(option.text()),
                    _ => extract.pairdelim = Some(option.text()),
                }
            }
            "limit" => extract.limit = Some(option.number(b)?),
            "maxchars" => extract.maxchars = Some(option.number(b)?),
            "mv_add" => extract.mv_add = Some(option.boolean(b)?),
            "clean_keys" => extract.clean_keys = Some(option.boolean(b)?),
            "auto" => extract.auto = Some(option.at(option.boolean(b)?)),
            "reload" => extract.reload = Some(option.at(option.boolean(b)?)),
            "segment" => extract.segment = Some(option.at(option.boolean(b)?)),
            _ => return option.unknown(b, OPTIONS),
        }
    }
    Some(extract)
}

impl Display for Extract {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("extract")?;
        option(f, "pairdelim", self.pairdelim.as_ref().map(|value| Quoted(&value.node)))?;
        option(f, "kvdelim", self.kvdelim.as_ref().map(|value| Quoted(&value.node)))?;
        option(f, "limit", self.limit)?;
        option(f, "maxchars", self.maxchars)?;
        option(f, "mv_add", self.mv_add)?;
        option(f, "clean_keys", self.clean_keys)?;
        option(f, "auto", self.auto.as_ref().map(|value| value.node))?;
        option(f, "reload", self.reload.as_ref().map(|value| value.node))?;
        option(f, "segment", self.segment.as_ref().map(|value| value.node))?;
        if self.stanzas.is_empty() { Ok(()) } else { write!(f, " {}", Separated(&self.stanzas, " ")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn kv_is_another_name() {
        assert_eq!(
            canonical(r#"| kv pairdelim="\|;", kvdelim="=:" limit=3 mv_add=t access"#),
            r#"| extract pairdelim="\|;" kvdelim="=:" limit=3 mv_add=true access"#
                .replace(r"\|", "|")
        );
        assert!(errors("| extract kvdelim=\"\"").contains("`kvdelim` needs a character"));
    }
}
