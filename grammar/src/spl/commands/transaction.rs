//! `transaction`: groups events that belong together.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::{Expression, Name};
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, expression, search, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::spl::search::{Literal, Matching, Operand, SearchExpression};
use crate::{Code, Diagnostic, Span, Spanned};

/// `transaction [FIELD ...] [OPTION ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The fields on which the events of a transaction agree.
    pub fields: Vec<Name>,
    /// The options.
    pub options: Box<TransactionOptions>,
}

/// The options of `transaction`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransactionOptions {
    /// A definition in a file.
    pub name: Option<Spanned<String>>,
    /// Which events are the first of a transaction.
    pub startswith: Option<Filter>,
    /// Which events are the last of a transaction.
    pub endswith: Option<Filter>,
    /// The span that a transaction stays below.
    pub maxspan: Option<Spanned<String>>,
    /// The longest pause inside a transaction.
    pub maxpause: Option<Spanned<String>>,
    /// The most events of a transaction; negative for any number.
    pub maxevents: Option<Spanned<i64>>,
    /// Whether an event needs a field in common with the transaction; default true.
    pub connected: Option<bool>,
    /// Whether an event that starts or ends a transaction needs one too; default as `connected`.
    pub unifyends: Option<bool>,
    /// Whether events that belong to no transaction are kept; default false.
    pub keeporphans: Option<bool>,
    /// Whether incomplete transactions are kept; default false.
    pub keepevicted: Option<bool>,
    /// The most transactions that may be open.
    pub maxopentxn: Option<Spanned<u64>>,
    /// The most events that open transactions may have.
    pub maxopenevents: Option<Spanned<u64>>,
    /// Which fields list the values of all events.
    pub mvlist: Option<ValueLists>,
    /// Whether `_raw` has a value for each event; default false.
    pub mvraw: Option<bool>,
    /// What stands in a list for an event that lacks the field; default `NULL`.
    pub nullstr: Option<String>,
    /// What stands between several values where they are made one; default a blank.
    pub delim: Option<String>,
}

/// Which events.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Those that a search finds.
    Search(SearchExpression),
    /// Those for which it is true.
    Eval(Expression),
}

/// The fields whose values are listed rather than collected as a set.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueLists {
    /// All of them, or none.
    All(bool),
    /// These.
    Fields(Vec<Name>),
}

/// The documentation of `transaction`.
pub const DOC: CommandDoc = CommandDoc {
    name: "transaction",
    summary: "Groups events that belong together into one row each, newest first; also called transam",
    syntax: "transaction [<field> ...] [startswith=<filter>] [endswith=<filter>] [maxspan=<span>] [maxpause=<span>] [maxevents=<count>] [connected=<bool>] [unifyends=<bool>] [keepevicted=<bool>] [keeporphans=<bool>] [maxopentxn=<count>] [maxopenevents=<count>] [mvlist=<bool>|<field>,...] [mvraw=<bool>] [nullstr=<text>] [delim=<text>]",
    arguments: &[
        ArgumentDoc { name: "<field>", meaning: "fields on which the events of a transaction agree; an event that lacks one may join through another. Events are looked at from the newest to the oldest, whatever order they come in" },
        ArgumentDoc { name: "fields=<field>", meaning: "another way to name the fields; several stand in quotes with commas between them" },
        ArgumentDoc { name: "startswith=<filter>", meaning: "which event is the first of a transaction: \"<search>\", (<search>) or eval(<condition>)" },
        ArgumentDoc { name: "endswith=<filter>", meaning: "which event is the last of a transaction" },
        ArgumentDoc { name: "maxspan=<span>", meaning: "a transaction spans less than this, such as 30s, 5m, 1h or 1d; default -1 for any span" },
        ArgumentDoc { name: "maxpause=<span>", meaning: "events follow each other within this; default -1 for any pause" },
        ArgumentDoc { name: "maxevents=<count>", meaning: "the most events of a transaction; default 1000, -1 for any number" },
        ArgumentDoc { name: "connected=<bool>", meaning: "whether an event needs a field in common with the transaction, rather than none that differs; default true" },
        ArgumentDoc { name: "unifyends=<bool>", meaning: "whether an event that starts or ends a transaction needs one too; default as connected" },
        ArgumentDoc { name: "keepevicted=<bool>", meaning: "keep, with closed_txn=0, transactions without their start or end and those that had to make room; default false" },
        ArgumentDoc { name: "keeporphans=<bool>", meaning: "keep events that belong to no transaction, with _txn_orphan=1; default false" },
        ArgumentDoc { name: "maxopentxn=<count>", meaning: "how many transactions may be open before the one that waited longest has to make room; default 5000" },
        ArgumentDoc { name: "maxopenevents=<count>", meaning: "how many events they may have; default 100000" },
        ArgumentDoc { name: "mvlist=<bool>|<field>,...", meaning: "list the values of all events, oldest first, in all or in these fields, instead of the distinct values in the order of their characters; default false" },
        ArgumentDoc { name: "nullstr=<text>", meaning: "what stands in such a list for an event that lacks the field; default NULL" },
        ArgumentDoc { name: "mvraw=<bool>", meaning: "_raw has a value for each event instead of a line; default false" },
        ArgumentDoc { name: "delim=<text>", meaning: "what nomv puts between several values; default a blank" },
        ArgumentDoc { name: "name=<stanza>", meaning: "a definition in transactiontypes.conf; refused, as that file is not read" },
    ],
    examples: &[
        "| makeresults count=4 | streamstats count AS n | eval _time=100-10*n, user=if(n%2=0,\"ann\",\"bob\") | transaction user",
        "| makeresults count=4 | streamstats count AS n | eval _time=100-10*n | transaction startswith=(n=3) endswith=eval(n=2) keepevicted=t mvlist=n",
    ],
};

const OPTIONS: &[&str] = &[
    "startswith", "endswith", "maxspan", "maxpause", "maxevents", "connected", "unifyends", "keepevicted",
    "keeporphans", "maxopentxn", "maxopenevents", "mvlist", "mvraw", "nullstr", "delim", "fields", "name",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Transaction> {
    let mut transaction = Transaction { fields: Vec::new(), options: Box::default() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::transaction_filter => {
                let mut parts = part.into_inner();
                let (name, value) = (parts.next()?, parts.next()?);
                let filter = Some(filter(b, value)?);
                if name.as_str().trim_end().eq_ignore_ascii_case("startswith") {
                    transaction.options.startswith = filter;
                } else {
                    transaction.options.endswith = filter;
                }
            }
            Rule::mvlist_option => transaction.options.mvlist = Some(value_lists(b, &part.into_inner().nth(1)?)?),
            Rule::option => set(b, &mut transaction, part)?,
            Rule::EOI => {}
            _ => {
                let name = words::name(b, &part);
                transaction.fields.extend(listed(&name.text, name.span));
            }
        }
    }
    Some(transaction)
}

fn set(b: &mut Builder<'_>, transaction: &mut Transaction, pair: Pair<'_, Rule>) -> Option<()> {
    let option = words::option(b, pair)?;
    let options = &mut transaction.options;
    match option.name.as_str() {
        "name" => options.name = Some(option.text()),
        "fields" => transaction.fields.extend(listed(&option.value, option.value_span)),
        "maxspan" => options.maxspan = Some(option.text()),
        "maxpause" => options.maxpause = Some(option.text()),
        "maxevents" => match option.value.parse() {
            Ok(0) | Err(_) => return option.invalid(b, "a whole number other than 0"),
            Ok(number) => options.maxevents = Some(option.at(number)),
        },
        "connected" => options.connected = Some(option.boolean(b)?),
        "unifyends" => options.unifyends = Some(option.boolean(b)?),
        "keeporphans" => options.keeporphans = Some(option.boolean(b)?),
        "keepevicted" => options.keepevicted = Some(option.boolean(b)?),
        "maxopentxn" | "maxopenevents" => {
            let most = match option.number(b)? {
                0 => return option.invalid(b, "a number of at least 1"),
                most => Some(option.at(most)),
            };
            if option.name == "maxopentxn" { options.maxopentxn = most } else { options.maxopenevents = most }
        }
        "mvraw" => options.mvraw = Some(option.boolean(b)?),
        "nullstr" => options.nullstr = Some(option.value),
        "delim" => options.delim = Some(option.value),
        _ => return option.unknown(b, OPTIONS),
    }
    Some(())
}

/// The names in a text with commas between them.
fn listed(text: &str, span: Span) -> Vec<Name> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Name { text: name.to_owned(), span }).collect()
}

fn value_lists(b: &mut Builder<'_>, value: &Pair<'_, Rule>) -> Option<ValueLists> {
    let (text, span) = (words::token_text(value.as_str().trim_end()), b.span(value));
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" => return Some(ValueLists::All(true)),
        "f" | "false" | "0" => return Some(ValueLists::All(false)),
        _ => {}
    }
    // Blanks stand between the names as well as commas.
    let names = text.split([',', ' ', '\t', '\n']).filter(|name| !name.is_empty());
    let fields: Vec<Name> = names.map(|name| Name { text: name.to_owned(), span }).collect();
    if fields.is_empty() {
        b.error(Code::InvalidOption, "`mvlist` takes true, false or a list of fields", span);
        return None;
    }
    Some(ValueLists::Fields(fields))
}

fn filter(b: &mut Builder<'_>, pair: Pair<'_, Rule>) -> Option<Filter> {
    let place = b.span(&pair);
    let value = pair.into_inner().next()?;
    let expression = match value.as_rule() {
        Rule::filter_eval => {
            let inner = value.into_inner().find(|part| part.as_rule() == Rule::expression)?;
            return Some(Filter::Eval(expression::expression(b, inner)?));
        }
        Rule::quoted => quoted_search(b, &value)?,
        _ => search::search_expression(b, value)?,
    };
    if has_subsearch(&expression) {
        b.error(Code::Unsupported, "a subsearch in a filter of `transaction` is not supported", place);
        return None;
    }
    Some(Filter::Search(expression))
}

/// A search in quotes. What is none, such as `Started (`, is a phrase to look for.
fn quoted_search(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<SearchExpression> {
    let (text, span) = (words::token_text(pair.as_str().trim_end()), b.span(pair));
    if text.trim().is_empty() {
        b.error(Code::InvalidOption, "the filter is empty", span);
        return None;
    }
    let mut found = Vec::new();
    match search::of_text(b, &text, span, &mut found) {
        Some(expression) if found.is_empty() => Some(expression),
        _ if !text.contains(['=', '<', '>']) => {
            Some(SearchExpression::Term(Literal { text, quoted: true, matching: Matching::AnyCase, span }))
        }
        _ => {
            let help = "to look for the text as it stands, put it in parentheses and quotes: (\"...\")";
            b.diagnostics.extend(found.into_iter().map(|finding| Diagnostic { span, ..finding }.with_help(help)));
            None
        }
    }
}

fn has_subsearch(expression: &SearchExpression) -> bool {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().any(has_subsearch),
        SearchExpression::Not(inner) => has_subsearch(inner),
        SearchExpression::Comparison(comparison) => matches!(comparison.value, Operand::Subsearch(_)),
        SearchExpression::Subsearch(_) => true,
        SearchExpression::In(_) | SearchExpression::Term(_) | SearchExpression::Macro(_) => false,
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Search(expression) => write!(f, "({expression})"),
            Filter::Eval(expression) => write!(f, "eval({expression})"),
        }
    }
}

impl Display for ValueLists {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ValueLists::All(all) => all.fmt(f),
            ValueLists::Fields(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
                Quoted(&names.join(",")).fmt(f)
            }
        }
    }
}

impl Display for Transaction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let TransactionOptions {
            name,
            startswith,
            endswith,
            maxspan,
            maxpause,
            maxevents,
            connected,
            unifyends,
            keeporphans,
            keepevicted,
            maxopentxn,
            maxopenevents,
            mvlist,
            mvraw,
            nullstr,
            delim,
        } = self.options.as_ref();
        f.write_str("transaction")?;
        option(f, "name", name.as_ref().map(|name| Quoted(&name.node)))?;
        option(f, "startswith", startswith.as_ref())?;
        option(f, "endswith", endswith.as_ref())?;
        option(f, "maxspan", maxspan.as_ref().map(|span| Quoted(&span.node)))?;
        option(f, "maxpause", maxpause.as_ref().map(|span| Quoted(&span.node)))?;
        option(f, "maxevents", maxevents.as_ref().map(|most| most.node))?;
        option(f, "connected", *connected)?;
        option(f, "unifyends", *unifyends)?;
        option(f, "keeporphans", *keeporphans)?;
        option(f, "keepevicted", *keepevicted)?;
        option(f, "maxopentxn", maxopentxn.as_ref().map(|most| most.node))?;
        option(f, "maxopenevents", maxopenevents.as_ref().map(|most| most.node))?;
        option(f, "mvlist", mvlist.as_ref())?;
        option(f, "mvraw", *mvraw)?;
        option(f, "nullstr", nullstr.as_deref().map(Quoted))?;
        option(f, "delim", delim.as_deref().map(Quoted))?;
        match self.fields.as_slice() {
            [] => Ok(()),
            fields => write!(f, " {}", Separated(fields, ", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| transaction maxspan=5m \"User_Account\",host maxpause=-1 keepevicted=t fields=\"a, b\" maxevents=-1"),
            "| transaction maxspan=\"5m\" maxpause=\"-1\" maxevents=-1 keepevicted=true User_Account, host, a, b"
        );
        assert_eq!(canonical("| transam mvlist=a,b c"), "| transaction mvlist=\"a,b\" c");
        assert_eq!(canonical("| transaction mvlist=t, c delim=\";\""), "| transaction mvlist=true delim=\";\" c");
        assert_eq!(canonical("| transaction mvlist=\"a b\" mvraw=1 nullstr=-"), "| transaction mvlist=\"a,b\" mvraw=true nullstr=\"-\"");
    }

    #[test]
    fn filters_are_written_in_many_ways() {
        for (written, canonically) in [
            ("startswith=triggered endswith=Ended", "startswith=(triggered) endswith=(Ended)"),
            ("startswith=\"failed login\"", "startswith=(failed AND login)"),
            ("startswith=\"action=login\"", "startswith=(action=login)"),
            ("endswith=unused=True id", "endswith=(unused=True) id"),
            ("endswith=type=\"a b\" id", "endswith=(type=\"a b\") id"),
            ("endswith=((\"x\") OR (\"y\"))", "endswith=(\"x\" OR \"y\")"),
            ("startswith=(EventCode=5136 T=\"%%14674\")", "startswith=(EventCode=5136 AND T=\"%%14674\")"),
            ("endswith=eval(first!=last)", "endswith=eval(first != last)"),
            ("startswith=\"Started (\"", "startswith=(\"Started (\")"),
        ] {
            let canonically = format!("| transaction {canonically}");
            assert_eq!(canonical(&format!("| transaction {written}")), canonically, "{written}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(errors("| transaction id maxspans=5").contains("did you mean `maxspan`?"));
        assert!(errors("| transaction id mvlist=\",\"").contains("true, false or a list of fields"));
        assert!(errors("| transaction id maxevents=0").contains("a whole number other than 0"));
        assert!(errors("| transaction id startswith=\"a=\"").contains("put it in parentheses and quotes"));
        assert!(errors("| transaction id startswith=").contains("a search or `eval(...)`"));
        assert!(errors("| transaction id startswith=eval(x=)").contains("expected an expression"));
        assert!(errors("| transaction id startswith=([search x])").contains("a subsearch in a filter"));
    }
}
