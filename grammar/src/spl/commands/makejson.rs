//! `makejson`: the fields of each row as a JSON object; the command that `tojson` took the place of.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::tojson::{JsonType, TypedField};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Escaped, Quoted, Separated, option};
use crate::{Code, Span};

/// `makejson [FIELD|FIELD(TYPE)] ... [output=FIELD]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Makejson {
    /// The fields with their types; all fields without any.
    pub fields: Vec<TypedField>,
    /// The field that receives the object; default `_raw`.
    pub output: Option<Name>,
}

/// The documentation of `makejson`.
pub const DOC: CommandDoc = CommandDoc {
    name: "makejson",
    summary: "Makes a JSON object of the fields of each row; `tojson` does the same with more choices",
    syntax: "makejson [<field>|<field>(<type>)] ... [output=<field>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "a field, or a pattern with `*`; all fields but the internal ones without any" },
        ArgumentDoc { name: "<type>", meaning: "what its values are written as: bool; int, float or num for numbers; string or str for text; json for JSON as it stands. Numbers as numbers and text as text without one" },
        ArgumentDoc { name: "output=<field>", meaning: "the field that receives the object; default _raw" },
    ],
    examples: &[r#"| makeresults | eval user="ann", n="3" | makejson user n(int) output=data | table data"#],
};

/// The types and their names, the usual one first.
const TYPES: &[(&str, JsonType)] = &[
    ("bool", JsonType::Bool),
    ("boolean", JsonType::Bool),
    ("num", JsonType::Num),
    ("int", JsonType::Num),
    ("float", JsonType::Num),
    ("string", JsonType::Str),
    ("str", JsonType::Str),
    ("json", JsonType::Json),
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Makejson> {
    let mut makejson = Makejson { fields: Vec::new(), output: None };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "output" if option.value.is_empty() => return option.invalid(b, "a field"),
                    "output" => makejson.output = Some(option.field()),
                    _ => return option.unknown(b, &["output"]),
                }
            }
            Rule::quoted | Rule::single_quoted => {
                makejson.fields.push(TypedField { wanted: None, field: words::name(b, &part) });
            }
            Rule::list_word => {
                let name = words::name(b, &part);
                let field = typed(b, name)?;
                makejson.fields.push(field);
            }
            _ => {}
        }
    }
    Some(makejson)
}

/// A word that may have a type in parentheses at its end.
fn typed(b: &mut Builder<'_>, name: Name) -> Option<TypedField> {
    let Some((field, wanted)) = name.text.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) else {
        return Some(TypedField { wanted: None, field: name });
    };
    let Some((_, wanted)) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(wanted)) else {
        let names: Vec<&str> = TYPES.iter().map(|(known, _)| *known).collect();
        let message = format!("`makejson` has no type `{wanted}`: it takes {}", names.join(", "));
        b.error(Code::InvalidArgument, message, name.span);
        return None;
    };
    let span = Span::new(name.span.start, name.span.start.saturating_add(field.len()).min(name.span.end));
    Some(TypedField { wanted: Some(*wanted), field: Name { text: field.to_owned(), span } })
}

/// A field with its type behind it.
struct Typed<'f>(&'f TypedField);

impl Display for Typed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let TypedField { wanted, field } = self.0;
        let word = wanted.and_then(|wanted| TYPES.iter().find(|(_, known)| *known == wanted));
        match word {
            Some((word, _)) => write!(f, "{}({word})", Escaped(&field.text, &['"', '|'])),
            // In quotes, parentheses are part of the name.
            None if field.text.ends_with(')') => Quoted(&field.text).fmt(f),
            None => field.fmt(f),
        }
    }
}

impl Display for Makejson {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { fields, output } = self;
        f.write_str("makejson")?;
        if !fields.is_empty() {
            let fields: Vec<Typed<'_>> = fields.iter().map(Typed).collect();
            write!(f, " {}", Separated(&fields, " "))?;
        }
        option(f, "output", output.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn fields_have_types_behind_them() {
        assert_eq!(
            canonical("| makejson name data.*, n(INT) \"count(x)\" output=\"data\""),
            "| makejson name data.* n(num) \"count(x)\" output=data"
        );
        assert_eq!(canonical("| makejson"), "| makejson");
        assert!(errors("| makejson n(integer)").contains("`makejson` has no type `integer`"));
        assert!(errors("| makejson outptu=x").contains("did you mean `output`?"));
    }
}
