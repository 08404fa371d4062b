//! `tags`: the tags of field values as fields.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::option;

/// `tags [outputfield=FIELD] [inclname=BOOL] [inclvalue=BOOL] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tags {
    /// The fields whose values may have tags; all fields without any.
    pub fields: Vec<Name>,
    /// The field that receives the tags of all fields; without it those of each go to `tag::FIELD`.
    pub outputfield: Option<Name>,
    /// Whether the name of the field stands before each tag; default false.
    pub inclname: Option<bool>,
    /// Whether the value stands before each tag; default false.
    pub inclvalue: Option<bool>,
}

/// The documentation of `tags`.
pub const DOC: CommandDoc = CommandDoc {
    name: "tags",
    summary: "Adds the tags of field values, of which none can be loaded yet: the rows stay as they are",
    syntax: "tags [outputfield=<field>] [inclname=<bool>] [inclvalue=<bool>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the fields whose values may have tags; all fields without any" },
        ArgumentDoc { name: "outputfield=<field>", meaning: "one field for the tags of all fields, instead of a field tag::<field> for each" },
        ArgumentDoc { name: "inclname=<bool>", meaning: "whether the name of the field stands before a tag, as in host::web; default false" },
        ArgumentDoc { name: "inclvalue=<bool>", meaning: "whether the value stands before a tag; default false" },
    ],
    examples: &["| makeresults | eval user=\"ann\" | tags outputfield=labels user"],
};

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Tags> {
    let mut tags = Tags { fields: Vec::new(), outputfield: None, inclname: None, inclvalue: None };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "outputfield" if option.value.is_empty() => return option.invalid(b, "a field"),
                    "outputfield" => tags.outputfield = Some(option.field()),
                    "inclname" => tags.inclname = Some(option.boolean(b)?),
                    "inclvalue" => tags.inclvalue = Some(option.boolean(b)?),
                    _ => return option.unknown(b, &["outputfield", "inclname", "inclvalue"]),
                }
            }
            Rule::quoted | Rule::single_quoted | Rule::list_word => tags.fields.push(words::name(b, &part)),
            _ => {}
        }
    }
    Some(tags)
}

impl Display for Tags {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { fields, outputfield, inclname, inclvalue } = self;
        f.write_str("tags")?;
        option(f, "outputfield", outputfield.as_ref())?;
        option(f, "inclname", *inclname)?;
        option(f, "inclvalue", *inclvalue)?;
        fields.iter().try_for_each(|field| write!(f, " {field}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn fields_and_options() {
        assert_eq!(canonical("| tags"), "| tags");
        assert_eq!(
            canonical("| tags host, eventtype outputfield=test INCLNAME=t"),
            "| tags outputfield=test inclname=true host eventtype"
        );
        assert!(errors("| tags outputfeild=x").contains("did you mean `outputfield`?"));
    }
}
