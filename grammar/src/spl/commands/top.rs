//! `top`: the most frequent values. Its relatives share its syntax: `rare`, `sitop`, `sirare`.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Spanned};

/// `top [N] [OPTION ...] FIELD ... [BY FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Top(pub Frequencies);

/// What `top` and its relatives take.
#[derive(Debug, Clone, PartialEq)]
pub struct Frequencies {
    /// The fields whose combinations are counted; never empty.
    pub fields: Vec<Name>,
    /// The group fields.
    pub by: Vec<Name>,
    /// How many rows of each group; default 10, and 0 for as many as there may be.
    pub limit: Option<Spanned<u64>>,
    /// The name of the column of counts; default `count`.
    pub countfield: Option<Name>,
    /// The name of the column of percentages; default `percent`.
    pub percentfield: Option<Name>,
    /// Whether the counts are shown; default true.
    pub showcount: Option<bool>,
    /// Whether the percentages are shown; default true.
    pub showperc: Option<bool>,
    /// Whether a last row counts the rest; default false.
    pub useother: Option<bool>,
    /// What that row holds in place of a value; default `OTHER`.
    pub otherstr: Option<String>,
}

/// What the options mean.
macro_rules! frequency_arguments {
    ($($more:expr,)*) => {
        &[
            $($more,)*
            ArgumentDoc { name: "<field>", meaning: "the fields whose combinations of values are counted; rows that lack one are left out" },
            ArgumentDoc { name: "BY <field>", meaning: "count in each group of rows with the same values" },
            ArgumentDoc { name: "limit=<count>", meaning: "how many rows of each group; default 10, at most 50000, which is what 0 means" },
            ArgumentDoc { name: "countfield=<name>", meaning: "the name of the column of counts; default count" },
            ArgumentDoc { name: "percentfield=<name>", meaning: "the name of the column of percentages; default percent" },
            ArgumentDoc { name: "showcount=<bool>", meaning: "show the counts; default true" },
            ArgumentDoc { name: "showperc=<bool>", meaning: "show the percentages; default true" },
            ArgumentDoc { name: "useother=<bool>", meaning: "add a row that counts what the limit leaves out; default false" },
            ArgumentDoc { name: "otherstr=<text>", meaning: "what that row holds in place of a value; default OTHER" },
        ]
    };
}
pub(super) use frequency_arguments;

/// The documentation of `top`.
pub const DOC: CommandDoc = CommandDoc {
    name: "top",
    summary: "Lists the most frequent values of fields, with their counts and percentages; also called common",
    syntax: "top [<count>] [limit=<count>] [countfield=<name>] [percentfield=<name>] [showcount=<bool>] [showperc=<bool>] [useother=<bool>] [otherstr=<text>] <field> ... [BY <field> ...]",
    arguments: frequency_arguments![ArgumentDoc { name: "<count>", meaning: "the same as limit=<count>" },],
    examples: &[
        "| makeresults count=5 | streamstats count AS n | eval user=if(n>3,\"bob\",\"ann\") | top user",
        "| makeresults count=9 | streamstats count AS n | eval k=sqrt(n) | top 2 k useother=t showperc=f",
    ],
};

const OPTIONS: &[&str] =
    &["limit", "countfield", "percentfield", "showcount", "showperc", "useother", "otherstr"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Top> {
    frequencies(b, arguments).map(Top)
}

/// Builds what `top` and its relatives take.
pub(super) fn frequencies(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Frequencies> {
    let mut frequencies = Frequencies {
        fields: Vec::new(),
        by: Vec::new(),
        limit: None,
        countfield: None,
        percentfield: None,
        showcount: None,
        showperc: None,
        useother: None,
        otherstr: None,
    };
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::integer => {
                let limit = Spanned::new(words::integer(b, &part)?, b.span(&part));
                if b.doc.name.ends_with("rare") {
                    let message = format!("`{}` takes no number before its fields", b.doc.name);
                    let found = crate::Diagnostic::error(Code::InvalidArgument, message, limit.span);
                    b.diagnostics.push(found.with_help(format!("write `limit={}`", limit.node)));
                    return None;
                }
                set_limit(b, &mut frequencies, limit)?;
            }
            Rule::option => set(b, &mut frequencies, part)?,
            Rule::by_clause => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::by_op => {}
                        Rule::option => set(b, &mut frequencies, part)?,
                        _ => frequencies.by.push(words::name(b, &part)),
                    }
                }
            }
            Rule::EOI => {}
            _ => frequencies.fields.push(words::name(b, &part)),
        }
    }
    if frequencies.fields.is_empty() {
        b.error(Code::InvalidArgument, format!("`{}` needs a field", b.doc.name), place);
        return None;
    }
    Some(frequencies)
}

fn set(b: &mut Builder<'_>, frequencies: &mut Frequencies, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    match option.name.as_str() {
        "limit" => {
            let limit = option.at(option.number(b)?);
            set_limit(b, frequencies, limit)?;
        }
        "countfield" => frequencies.countfield = Some(option.field()),
        "percentfield" => frequencies.percentfield = Some(option.field()),
        "showcount" => frequencies.showcount = Some(option.boolean(b)?),
        "showperc" => frequencies.showperc = Some(option.boolean(b)?),
        "useother" => frequencies.useother = Some(option.boolean(b)?),
        "otherstr" => frequencies.otherstr = Some(option.value),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

fn set_limit(b: &mut Builder<'_>, frequencies: &mut Frequencies, limit: Spanned<u64>) -> Option<()> {
    if let Some(before) = frequencies.limit.replace(limit.clone()) {
        let message = format!("`{}` takes one limit, not both {} and {}", b.doc.name, before.node, limit.node);
        b.error(Code::InvalidOption, message, limit.span);
        return None;
    }
    Some(())
}

impl Display for Top {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "top{}", self.0)
    }
}

impl Display for Frequencies {
    /// With a blank before it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Frequencies { fields, by, limit, countfield, percentfield, showcount, showperc, useother, otherstr } = self;
        option(f, "limit", limit.as_ref().map(|limit| limit.node))?;
        option(f, "countfield", countfield.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "percentfield", percentfield.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "showcount", *showcount)?;
        option(f, "showperc", *showperc)?;
        option(f, "useother", *useother)?;
        option(f, "otherstr", otherstr.as_deref().map(Quoted))?;
        write!(f, " {}", Separated(fields, ", "))?;
        if !by.is_empty() {
            write!(f, " BY {}", Separated(by, ", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| top showperc=false 10 /logEntry/body user, \"a b\" limits BY host useother=f countfield=n"),
            "| top limit=10 countfield=\"n\" showperc=false useother=false \"/logEntry/body\", user, \"a b\", limits BY host"
        );
        assert_eq!(canonical("| common user limit=\"20\""), "| top limit=20 user");
        assert_eq!(canonical("| rare http_user_agent by host otherstr=rest"), "| rare otherstr=\"rest\" http_user_agent BY host");
        assert_eq!(canonical("| sitop dest_port,proto"), "| sitop dest_port, proto");
        assert_eq!(canonical("| sirare limit=0 user"), "| sirare limit=0 user");
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(errors("| top").contains("`top` needs a field"));
        assert!(errors("| top 5 limit=3 user").contains("one limit, not both 5 and 3"));
        assert!(errors("| top user showpercent=f").contains("did you mean `showperc`?"));
        assert!(errors("| rare 5 user").contains("write `limit=5`"));
        assert!(errors("| sitop limit=ten user").contains("a whole number, not `ten`"));
    }
}
