//! `erex`: extracts values like given examples.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::{self, token_text};
use crate::spl::parser::Rule;
use crate::spl::print::{Quoted, option};
use crate::{Code, Span, Spanned};

/// `erex FIELD examples=LIST [counterexamples=LIST] [fromfield=FIELD] [maxtrainers=COUNT]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Erex {
    /// The field for the values.
    pub field: Name,
    /// Values to extract; never empty.
    pub examples: Spanned<Vec<String>>,
    /// Values not to extract.
    pub counterexamples: Option<Spanned<Vec<String>>>,
    /// The field they stand in; default `_raw`.
    pub fromfield: Option<Name>,
    /// From how many rows at most is learned; default 100.
    pub maxtrainers: Option<u64>,
}

/// The documentation of `erex`.
pub const DOC: CommandDoc = CommandDoc {
    name: "erex",
    summary: "Extracts values like given examples, and tells the regular expression that does so",
    syntax: "erex <field> examples=\"<value>, ...\" [counterexamples=\"<value>, ...\"] [fromfield=<field>] [maxtrainers=<count>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the new field" },
        ArgumentDoc { name: "examples=\"<value>, ...\"", meaning: "values to extract, separated by commas; each has to stand in some row" },
        ArgumentDoc { name: "counterexamples=\"<value>, ...\"", meaning: "values not to extract; each has to stand in some row" },
        ArgumentDoc { name: "fromfield=<field>", meaning: "the field they stand in; default _raw" },
        ArgumentDoc { name: "maxtrainers=<count>", meaning: "from how many rows at most to learn, from 1 to 1000; default 100" },
        ArgumentDoc { name: "method", meaning: "examples are generalised to runs of digits, letters and blanks, and the least specific of these patterns is taken that finds an example first in every row with one and never finds a counterexample: any lengths, lengths as in the examples, then each of them behind the text, before the text, and between the texts that all examples have around them (induction of wrappers, after Kushmerick, 2000)" },
    ],
    examples: &["| makeresults | eval _raw=\"port 3351 closed\" | erex port examples=\"3351\" | table port"],
};

const OPTIONS: &[&str] = &["examples", "counterexamples", "fromfield", "maxtrainers"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Erex> {
    let place = b.span(&arguments);
    let (mut fields, mut examples, mut counterexamples) = (Vec::new(), None, None);
    let (mut fromfield, mut maxtrainers) = (None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::erex_list => {
                let span = b.span(&part);
                let mut parts = part.into_inner();
                let name = parts.next()?;
                let values = list(b, parts, span)?;
                match name.as_str().trim_end().eq_ignore_ascii_case("examples") {
                    true => examples = Some(values),
                    false => counterexamples = Some(values),
                }
            }
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "fromfield" => fromfield = Some(option.field()),
                    "maxtrainers" => match option.number(b)? {
                        count @ 1..=1000 => maxtrainers = Some(count),
                        _ => return option.invalid(b, "a count from 1 to 1000"),
                    },
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    let field = super::single_field(b, fields, place)?;
    // The name becomes that of a group of a regular expression.
    let plain = field.text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && field.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        let message = format!("the name of a new field has letters, digits and `_` only, not `{}`", field.text);
        b.error(Code::InvalidArgument, message, field.span);
        return None;
    }
    let Some(examples) = examples else {
        b.error(Code::InvalidArgument, "`erex` needs examples: `examples=\"<value>, ...\"`", place);
        return None;
    };
    Some(Erex { field, examples, counterexamples, fromfield, maxtrainers })
}

/// The values between the commas.
fn list<'i>(
    b: &mut Builder<'_>,
    parts: impl Iterator<Item = Pair<'i, Rule>>,
    span: Span,
) -> Option<Spanned<Vec<String>>> {
    let texts: Vec<String> = parts.map(|part| token_text(part.as_str().trim_end())).collect();
    let values = texts.iter().flat_map(|text| text.split(','));
    let values: Vec<String> = values.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned).collect();
    if values.is_empty() {
        b.error(Code::InvalidOption, "the list of examples is empty", span);
        return None;
    }
    Some(Spanned::new(values, span))
}

impl Display for Erex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Erex { field, examples, counterexamples, fromfield, maxtrainers } = self;
        write!(f, "erex {field} examples={}", Quoted(&examples.node.join(", ")))?;
        let counterexamples = counterexamples.as_ref().map(|values| values.node.join(", "));
        option(f, "counterexamples", counterexamples.as_deref().map(Quoted))?;
        option(f, "fromfield", fromfield.as_ref())?;
        option(f, "maxtrainers", *maxtrainers)
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn lists_have_commas_inside_or_outside_of_quotes() {
        assert_eq!(
            canonical("| erex monthday examples=\"7/01, 07/02\" counterexamples=\"99/2\""),
            "| erex monthday examples=\"7/01, 07/02\" counterexamples=\"99/2\""
        );
        assert_eq!(
            canonical("| erex examples=7/01,07/02 maxtrainers=5 monthday fromfield=text"),
            "| erex monthday examples=\"7/01, 07/02\" fromfield=text maxtrainers=5"
        );
    }

    #[test]
    fn mistakes() {
        assert!(errors("| erex x").contains("`erex` needs examples"));
        assert!(errors("| erex examples=\"a\"").contains("`erex` needs a field name"));
        assert!(errors("| erex x examples=\" , \"").contains("the list of examples is empty"));
        assert!(errors("| erex x examples=a maxtrainers=0").contains("a count from 1 to 1000"));
        assert!(errors("| erex \"a b\" examples=a").contains("letters, digits and `_` only"));
    }
}
