//! `join`: the fields of the rows of a search that agree with a row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::from::{Source, dataset};
use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, pipeline, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Diagnostic, Span, Spanned};

/// `join [OPTION ...] [FIELD ...] [SEARCH]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// What becomes of rows that agree with none; default [`JoinType::Inner`].
    pub join_type: Option<JoinType>,
    /// How many rows may agree with one, 0 for all; default 1.
    pub max: Option<u64>,
    /// Whether a value of the search takes the place of one that is there; default true.
    pub overwrite: Option<bool>,
    /// `usetime=`
    pub usetime: Option<Spanned<bool>>,
    /// `earlier=`
    pub earlier: Option<Spanned<bool>>,
    /// The fields that must agree.
    pub on: Keys,
    /// Where the other rows come from.
    pub source: Source,
    /// The arguments.
    pub span: Span,
}

/// What becomes of rows that agree with none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinType {
    /// They are left out.
    Inner,
    /// They stay.
    Left,
}

/// The fields that must agree.
#[derive(Debug, Clone, PartialEq)]
pub enum Keys {
    /// These; without any, all that both sides have.
    Fields(Vec<Name>),
    /// Pairs of a field of one side and one of the other, which may have different names.
    Pairs {
        /// The name for this side.
        left: Spanned<String>,
        /// The name for the other side.
        right: Spanned<String>,
        /// The fields, without the names of the sides.
        pairs: Vec<(Name, Name)>,
    },
}

/// The documentation of `join`.
pub const DOC: CommandDoc = CommandDoc {
    name: "join",
    summary: "Adds the fields of the rows of a search, or of a dataset, that agree with a row in some fields",
    syntax: "join [type=(inner|left|outer)] [max=<count>] [overwrite=<bool>] [usetime=<bool>] [earlier=<bool>] (<field> ... | left=<name> right=<name> where <left>.<field>=<right>.<field> ...) ([ <search> ] | <dataset>)",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "the fields that must agree, as text, letter case counting; without any, all fields that both sides have. A missing value agrees with nothing, several values agree as a whole" },
        ArgumentDoc { name: "left=<name> right=<name> where ...", meaning: "pairs of fields that must agree, for fields of different names; the fields of the result are then named `<left>.<field>` and `<right>.<field>`" },
        ArgumentDoc { name: "<search>", meaning: "the search for the other side; its first 50000 rows are used" },
        ArgumentDoc { name: "<dataset>", meaning: "`savedsearch:<name>`, `inputlookup:<name>` or `datamodel:<name>` instead of a search" },
        ArgumentDoc { name: "type=inner", meaning: "leave out rows that agree with none; the default" },
        ArgumentDoc { name: "type=left", meaning: "keep them; `outer` is the same" },
        ArgumentDoc { name: "max=<count>", meaning: "how many rows may agree with one, the first ones of the search, 0 for all; default 1" },
        ArgumentDoc { name: "overwrite=<bool>", meaning: "whether a value of the search takes the place of the one that a field of the same name has; default true" },
        ArgumentDoc { name: "usetime=<bool>", meaning: "whether only rows of the search agree that are earlier, or later; default false" },
        ArgumentDoc { name: "earlier=<bool>", meaning: "whether these are the earlier ones; those of the same second always are among them; default true" },
    ],
    examples: &[
        "| makeresults | eval id=1, user=\"ann\" | join id [| makeresults | eval id=1, host=\"web\"] | table host id user",
        "| makeresults | eval id=1 | join left=L right=R where L.id=R.key [| makeresults | eval key=1, host=\"web\"] | table R.host",
    ],
};

const OPTIONS: &[&str] = &["type", "max", "overwrite", "usetime", "earlier", "left", "right"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Join> {
    let span = b.span(&arguments);
    let (mut join_type, mut max, mut overwrite, mut usetime, mut earlier) = (None, None, None, None, None);
    let (mut left, mut right) = (None, None);
    let (mut fields, mut equal, mut source) = (Vec::new(), Vec::new(), None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "type" => join_type = Some(kind(b, &option)?),
                    "max" => max = Some(option.number(b)?),
                    "overwrite" => overwrite = Some(option.boolean(b)?),
                    "usetime" => usetime = Some(option.at(option.boolean(b)?)),
                    "earlier" => earlier = Some(option.at(option.boolean(b)?)),
                    "left" => left = Some(option.text()),
                    "right" => right = Some(option.text()),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::join_where => equal.extend(part.into_inner().filter(|part| part.as_rule() == Rule::join_pair)),
            Rule::subsearch => source = Some(Source::Subsearch(pipeline::subsearch(b, &part)?)),
            Rule::dataset => source = Some(Source::Dataset(dataset(b, part)?)),
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    if let Some(field) = fields.iter().find(|field| field.text.contains('*')) {
        b.error(Code::InvalidArgument, format!("`join` takes field names, not the wildcard `{}`", field.text), field.span);
        return None;
    }
    let on = match (left, right) {
        (None, None) if equal.is_empty() => Keys::Fields(fields),
        (Some(left), Some(right)) if !equal.is_empty() => {
            if let Some(field) = fields.first() {
                let message = "`join` takes field names or `where`, not both";
                b.error(Code::InvalidArgument, message, field.span);
                return None;
            }
            if left.node == right.node || left.node.is_empty() || right.node.is_empty() {
                b.error(Code::InvalidOption, "`left` and `right` need two different names", right.span);
                return None;
            }
            let pairs = equal.into_iter().map(|pair| sides(b, pair, &left, &right)).collect::<Option<Vec<_>>>()?;
            Keys::Pairs { left, right, pairs }
        }
        _ => {
            let message = "`left`, `right` and `where` belong together in `join`";
            let help = "write `left=L right=R where L.field = R.field`";
            b.diagnostics.push(Diagnostic::error(Code::InvalidArgument, message, span).with_help(help));
            return None;
        }
    };
    Some(Join { join_type, max, overwrite, usetime, earlier, on, source: source?, span })
}

fn kind(b: &mut Builder<'_>, option: &OptionPair) -> Option<JoinType> {
    match option.value.to_ascii_lowercase().as_str() {
        "inner" => Some(JoinType::Inner),
        "left" | "outer" => Some(JoinType::Left),
        _ => option.invalid(b, "inner, left or outer"),
    }
}

/// `L.a = R.b`, written in either order.
fn sides(
    b: &mut Builder<'_>,
    pair: Pair<'_, Rule>,
    left: &Spanned<String>,
    right: &Spanned<String>,
) -> Option<(Name, Name)> {
    let place = b.span(&pair);
    let mut names = pair.into_inner().map(|part| words::name(b, &part));
    let (first, second) = (names.next()?, names.next()?);
    let of = |name: &Name, side: &Spanned<String>| {
        let field = name.text.strip_prefix(&side.node)?.strip_prefix('.')?;
        (!field.is_empty()).then(|| Name { text: field.to_owned(), span: name.span })
    };
    match (of(&first, left).zip(of(&second, right)), of(&second, left).zip(of(&first, right))) {
        (Some(pair), _) | (None, Some(pair)) => Some(pair),
        (None, None) => {
            let message = format!("`where` takes `{0}.field = {1}.field` here", left.node, right.node);
            b.error(Code::InvalidArgument, message, place);
            None
        }
    }
}

impl Display for JoinType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inner => "inner",
            Self::Left => "left",
        })
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { join_type, max, overwrite, usetime, earlier, on, source, span: _ } = self;
        f.write_str("join")?;
        option(f, "type", *join_type)?;
        option(f, "max", *max)?;
        option(f, "overwrite", *overwrite)?;
        option(f, "usetime", usetime.as_ref().map(|value| value.node))?;
        option(f, "earlier", earlier.as_ref().map(|value| value.node))?;
        match on {
            Keys::Fields(fields) if fields.is_empty() => {}
            Keys::Fields(fields) => write!(f, " {}", Separated(fields, ", "))?,
            Keys::Pairs { left, right, pairs } => {
                write!(f, " left={} right={} where", Quoted(&left.node), Quoted(&right.node))?;
                for (ours, theirs) in pairs {
                    let side = |name: &Name, side: &Spanned<String>| format!("{}.{}", side.node, name.text);
                    write!(f, " {}={}", Quoted(&side(ours, left)), Quoted(&side(theirs, right)))?;
                }
            }
        }
        write!(f, " {source}")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields_in_any_order() {
        assert_eq!(
            canonical("x | join mac, \"a b\" Type=outer max=0 overwrite=f usetime=t earlier=0 [|makeresults]"),
            "search x | join type=left max=0 overwrite=false usetime=true earlier=false mac, \"a b\" [| makeresults]"
        );
        assert_eq!(canonical("x | join [y]"), "search x | join [search y]");
        assert_eq!(
            canonical("x | join id savedsearch:\"My Search\""),
            "search x | join id savedsearch:\"My Search\""
        );
    }

    #[test]
    fn names_for_the_sides() {
        assert_eq!(
            canonical("x | join left=L right=R where L.a.b = R.c AND R.d=L.e [y]"),
            "search x | join left=\"L\" right=\"R\" where \"L.a.b\"=\"R.c\" \"L.e\"=\"R.d\" [search y]"
        );
        assert!(errors("x | join left=L where L.a=R.a [y]").contains("belong together"));
        assert!(errors("x | join left=L right=R where a=R.a [y]").contains("takes `L.field = R.field`"));
        assert!(errors("x | join left=L right=R id where L.a=R.a [y]").contains("not both"));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(errors("x | join id").contains("a search in brackets"));
        assert!(errors("x | join type=full id [y]").contains("`type` takes inner, left or outer"));
        assert!(errors("x | join kind=left id [y]").contains("`join` has no option `kind`"));
        assert!(errors("x | join i* [y]").contains("not the wildcard"));
    }
}
