//! `tojson`: the fields of each row as a JSON object.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `tojson [TYPE(FIELD ...)|FIELD] ... [OPTIONS]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Tojson {
    /// The fields with their types; all fields without any.
    pub fields: Vec<TypedField>,
    /// The type of fields for which none is named; default `none`.
    pub default_type: Option<JsonType>,
    /// Whether values that cannot be of their type are null instead of left out.
    pub fill_null: Option<bool>,
    /// Whether internal fields are taken too.
    pub include_internal: Option<bool>,
    /// The field that receives the object; default `_raw`.
    pub output_field: Option<Name>,
}

/// A field and the type of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedField {
    /// The type, if one is named.
    pub wanted: Option<JsonType>,
    /// The field; may hold wildcards.
    pub field: Name,
}

/// What values become in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonType {
    /// What they look like.
    Auto,
    /// `true` and `false`.
    Bool,
    /// JSON as it stands.
    Json,
    /// Numbers and strings as they are.
    None,
    /// Numbers.
    Num,
    /// Strings.
    Str,
}

/// The documentation of `tojson`.
pub const DOC: CommandDoc = CommandDoc {
    name: "tojson",
    summary: "Makes a JSON object of the fields of each row",
    syntax: "tojson [auto|bool|json|none|num|str(<field> ...)|<field>] ... [default_type=<type>] [fill_null=<bool>] [include_internal=<bool>] [output_field=<field>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`; all fields without any" },
        ArgumentDoc { name: "auto(<field>)", meaning: "numbers, true, false, null and nested JSON as such, else strings" },
        ArgumentDoc { name: "bool(<field>)", meaning: "yes, true, t and numbers but 0 as true; no, false, f and 0 as false; others are left out" },
        ArgumentDoc { name: "json(<field>)", meaning: "JSON as it stands; what is none is left out" },
        ArgumentDoc { name: "none(<field>)", meaning: "numbers as numbers, text as strings" },
        ArgumentDoc { name: "num(<field>)", meaning: "numbers; what is none is left out" },
        ArgumentDoc { name: "str(<field>)", meaning: "strings" },
        ArgumentDoc { name: "default_type=<type>", meaning: "the type of fields for which none is named; default none" },
        ArgumentDoc { name: "fill_null=<bool>", meaning: "null for what would be left out; default false" },
        ArgumentDoc { name: "include_internal=<bool>", meaning: "take fields that begin with an underscore too; default false" },
        ArgumentDoc { name: "output_field=<field>", meaning: "the field that receives the object; default _raw" },
    ],
    examples: &[r#"| makeresults | eval user="ann", n="3" | tojson user num(n) output_field=j | table j"#],
};

const OPTIONS: &[&str] = &["default_type", "fill_null", "include_internal", "output_field"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Tojson> {
    let mut tojson =
        Tojson { fields: Vec::new(), default_type: None, fill_null: None, include_internal: None, output_field: None };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "default_type" => tojson.default_type = Some(default_type(b, &option)?),
                    "fill_null" => tojson.fill_null = Some(option.boolean(b)?),
                    "include_internal" => tojson.include_internal = Some(option.boolean(b)?),
                    "output_field" => tojson.output_field = Some(option.field()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::tojson_call => {
                let mut parts = part.into_inner();
                let wanted = JsonType::of(parts.next()?.as_str().trim_end());
                for name in parts {
                    tojson.fields.push(TypedField { wanted, field: words::name(b, &name) });
                }
            }
            Rule::quoted | Rule::single_quoted | Rule::list_word => {
                tojson.fields.push(TypedField { wanted: None, field: words::name(b, &part) });
            }
            _ => {}
        }
    }
    Some(tojson)
}

fn default_type(b: &mut Builder<'_>, option: &OptionPair) -> Option<JsonType> {
    JsonType::of(&option.value).or_else(|| option.invalid(b, "auto, bool, json, none, num or str"))
}

impl JsonType {
    fn of(name: &str) -> Option<Self> {
        let all = [Self::Auto, Self::Bool, Self::Json, Self::None, Self::Num, Self::Str];
        all.into_iter().find(|wanted| wanted.name().eq_ignore_ascii_case(name))
    }

    /// Its name in a search.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bool => "bool",
            Self::Json => "json",
            Self::None => "none",
            Self::Num => "num",
            Self::Str => "str",
        }
    }
}

impl Display for TypedField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.wanted {
            Some(wanted) => write!(f, "{}({})", wanted.name(), self.field),
            None => self.field.fmt(f),
        }
    }
}

impl Display for Tojson {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("tojson")?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        option(f, "default_type", self.default_type.map(JsonType::name))?;
        option(f, "fill_null", self.fill_null)?;
        option(f, "include_internal", self.include_internal)?;
        option(f, "output_field", self.output_field.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn types_hold_several_fields() {
        assert_eq!(
            canonical("| tojson NUM(a b*, \"c d\") e default_type=str fill_null=t output_field=j include_internal=0"),
            "| tojson num(a) num(b*) num(\"c d\") e default_type=str fill_null=true include_internal=false output_field=j"
        );
        assert_eq!(canonical("| tojson"), "| tojson");
        assert!(errors("| tojson default_type=x").contains("takes auto, bool, json, none, num or str, not `x`"));
    }
}
