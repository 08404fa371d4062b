//! `datamodel`: the events of a data model, or what is known about one.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;
use crate::{Code, Diagnostic, Spanned};

/// `datamodel [MODEL [OBJECT [MODE]]]` with its options.
#[derive(Debug, Clone, PartialEq)]
pub struct Datamodel {
    /// The model; all models without it.
    pub model: Option<Name>,
    /// The object of the model.
    pub object: Option<Name>,
    /// What to give; a description without it.
    pub mode: Option<Spanned<Mode>>,
    /// `strict_fields=`
    pub strict_fields: Option<bool>,
    /// `allow_old_summaries=`
    pub allow_old_summaries: Option<bool>,
    /// `summariesonly=`
    pub summariesonly: Option<bool>,
}

/// What `datamodel` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Events, their fields named after the object.
    Search,
    /// Events, their fields as they are.
    Flat,
    /// The search that summarises the model.
    AccelerationSearch,
    /// The text of the search.
    SearchText,
    /// The text of the flat search.
    FlatText,
    /// The text of the search that summarises.
    AccelerationSearchText,
}

const MODES: &[(&str, Mode)] = &[
    ("search", Mode::Search),
    ("flat", Mode::Flat),
    ("acceleration_search", Mode::AccelerationSearch),
    ("search_string", Mode::SearchText),
    ("flat_string", Mode::FlatText),
    ("acceleration_search_string", Mode::AccelerationSearchText),
];

/// The documentation of `datamodel`.
pub const DOC: CommandDoc = CommandDoc {
    name: "datamodel",
    summary: "Reads the events of an object of a data model",
    syntax: "datamodel [<model>] [<object>] [search|flat|acceleration_search|search_string|flat_string|acceleration_search_string] [strict_fields=<bool>] [allow_old_summaries=<bool>] [summariesonly=<bool>]",
    arguments: &[
        ArgumentDoc { name: "<model>", meaning: "the model; those of the Common Information Model that published searches use are there, `--app PATH` brings others" },
        ArgumentDoc { name: "<object>", meaning: "the object of the model" },
        ArgumentDoc { name: "search", meaning: "its events, with fields named as <object>.<field>" },
        ArgumentDoc { name: "flat", meaning: "its events, with plain field names" },
        ArgumentDoc { name: "strict_fields=<bool>", meaning: "only the fields of the model; default true, and false is refused when run" },
        ArgumentDoc { name: "allow_old_summaries=<bool>", meaning: "about summaries, of which there are none here: it changes nothing" },
        ArgumentDoc { name: "summariesonly=<bool>", meaning: "about summaries, of which there are none here: it changes nothing" },
    ],
    examples: &["| datamodel Web Web search | stats count BY Web.status"],
};

const OPTIONS: &[&str] = &["strict_fields", "allow_old_summaries", "summariesonly"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Datamodel> {
    let mut datamodel = Datamodel {
        model: None,
        object: None,
        mode: None,
        strict_fields: None,
        allow_old_summaries: None,
        summariesonly: None,
    };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "strict_fields" => datamodel.strict_fields = Some(option.boolean(b)?),
                    "allow_old_summaries" => datamodel.allow_old_summaries = Some(option.boolean(b)?),
                    "summariesonly" => datamodel.summariesonly = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::quoted | Rule::single_quoted | Rule::list_word => word(b, &mut datamodel, &part)?,
            _ => {}
        }
    }
    Some(datamodel)
}

/// The next of model, object and mode.
fn word(b: &mut Builder<'_>, datamodel: &mut Datamodel, pair: &Pair<'_, Rule>) -> Option<()> {
    let name = words::name(b, pair);
    if datamodel.model.is_none() {
        datamodel.model = Some(name);
    } else if datamodel.object.is_none() {
        datamodel.object = Some(name);
    } else if datamodel.mode.is_none() {
        let Some((_, mode)) = MODES.iter().find(|(word, _)| word.eq_ignore_ascii_case(&name.text)) else {
            let message = format!("`datamodel` has no mode `{}`", name.text);
            let words: Vec<&str> = MODES.iter().map(|(word, _)| *word).collect();
            let help = format!("its modes are {}", words.join(", "));
            b.diagnostics.push(Diagnostic::error(Code::InvalidArgument, message, name.span).with_help(help));
            return None;
        };
        datamodel.mode = Some(Spanned::new(*mode, name.span));
    } else {
        b.error(Code::InvalidArgument, format!("`datamodel` takes no further argument `{}`", name.text), name.span);
        return None;
    }
    Some(())
}

impl Display for Datamodel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Datamodel { model, object, mode, strict_fields, allow_old_summaries, summariesonly } = self;
        f.write_str("datamodel")?;
        for name in [model, object].into_iter().flatten() {
            write!(f, " {name}")?;
        }
        let word = mode.as_ref().and_then(|mode| MODES.iter().find(|(_, known)| *known == mode.node));
        word.map_or(Ok(()), |(word, _)| write!(f, " {word}"))?;
        option(f, "strict_fields", *strict_fields)?;
        option(f, "allow_old_summaries", *allow_old_summaries)?;
        option(f, "summariesonly", *summariesonly)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn words_and_options() {
        assert_eq!(canonical("| datamodel"), "| datamodel");
        assert_eq!(
            canonical("| datamodel Web \"Web\" SEARCH strict_fields=f summariesonly=t"),
            "| datamodel Web Web search strict_fields=false summariesonly=true"
        );
        assert!(errors("| datamodel Web Web serch").contains("`datamodel` has no mode `serch`"));
        assert!(errors("| datamodel a b flat c").contains("no further argument `c`"));
        assert!(errors("| datamodel a b search strict_field=f").contains("did you mean `strict_fields`?"));
    }
}
