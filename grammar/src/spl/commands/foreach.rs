//! `foreach`: runs a template for each field, or for each value of a field.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, option};
use crate::{Code, Spanned};

/// `foreach [mode=MODE] NAME ... [OPTION ...] [TEMPLATE]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreach {
    /// What is gone through; default [`ForeachMode::Multifield`].
    pub mode: Option<ForeachMode>,
    /// The fields; may hold wildcards in the mode multifield, else one name, or none in the mode auto_collections.
    pub fields: Vec<Name>,
    /// Other spellings of the tokens.
    pub tokens: Box<ForeachTokens>,
    /// The commands between the brackets as text: they can be parsed only after the tokens are replaced.
    pub template: Spanned<String>,
}

/// What `foreach` goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForeachMode {
    /// The fields.
    Multifield,
    /// The values of a multivalue field.
    Multivalue,
    /// The elements of a JSON array.
    JsonArray,
    /// Either, as the value is.
    AutoCollections,
}

/// Other spellings of the tokens in a template; `None` for the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeachTokens {
    /// `<<FIELD>>`: the name of the field.
    pub field: Option<String>,
    /// `<<MATCHSTR>>`: what the wildcards stand for.
    pub matchstr: Option<String>,
    /// `<<MATCHSEG1>>` to `<<MATCHSEG3>>`: what one of the wildcards stands for.
    pub matchseg: [Option<String>; 3],
    /// `<<ITEM>>`: the value.
    pub item: Option<String>,
    /// `<<ITER>>`: the position of the value, from 0.
    pub iter: Option<String>,
}

/// The documentation of `foreach`.
pub const DOC: CommandDoc = CommandDoc {
    name: "foreach",
    summary: "Runs commands for each field of a list, or for each value of a field",
    syntax: "foreach [mode=<mode>] <name> ... [<token option>=<token>] ... [ <commands> ]",
    arguments: &[
        ArgumentDoc { name: "mode=multifield", meaning: "for each field of the names, which may hold `*`; the default" },
        ArgumentDoc { name: "mode=multivalue", meaning: "for each value of one multivalue field; the commands are one eval" },
        ArgumentDoc { name: "mode=json_array", meaning: "for each element of one field that holds a JSON array; the commands are one eval" },
        ArgumentDoc { name: "mode=auto_collections", meaning: "as one of the last two, whichever the value is; without a name, of the one field that has several values or a JSON array" },
        ArgumentDoc { name: "<commands>", meaning: "in which <<FIELD>>, <<MATCHSTR>>, <<MATCHSEG1>> to <<MATCHSEG3>>, or <<ITEM>> and <<ITER>> are replaced as text before they are read" },
        ArgumentDoc { name: "<token option>", meaning: "fieldstr, matchstr, matchseg1 to matchseg3, itemstr or iterstr: another spelling of that token" },
    ],
    examples: &[
        "| makeresults | eval a1=1, a2=2, total=0 | foreach a* [eval total=total+<<FIELD>>] | fields total",
        "| makeresults | eval total=0, n=mvappend(\"5\", \"15\") | foreach mode=multivalue n [eval total=total+<<ITEM>>] | fields total",
    ],
};

const OPTIONS: &[&str] =
    &["mode", "fieldstr", "matchstr", "matchseg1", "matchseg2", "matchseg3", "itemstr", "iterstr"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Foreach> {
    let (mut mode, mut fields, mut tokens, mut template) = (None, Vec::new(), ForeachTokens::default(), None);
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                if option.value.is_empty() {
                    return option.invalid(b, "a text");
                }
                let [first, second, third] = &mut tokens.matchseg;
                match option.name.as_str() {
                    "mode" => mode = Some(foreach_mode(b, &option)?),
                    "fieldstr" => tokens.field = Some(option.value),
                    "matchstr" => tokens.matchstr = Some(option.value),
                    "matchseg1" => *first = Some(option.value),
                    "matchseg2" => *second = Some(option.value),
                    "matchseg3" => *third = Some(option.value),
                    "itemstr" => tokens.item = Some(option.value),
                    "iterstr" => tokens.iter = Some(option.value),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            // From the whole query, because the pair has blanks instead.
            Rule::subsearch => template = Some(template_text(b, &part)?),
            Rule::EOI => {}
            _ => fields.push(words::name(b, &part)),
        }
    }
    let template = template?;
    // Whichever field has several values or a JSON array is meant then.
    if fields.is_empty() && mode != Some(ForeachMode::AutoCollections) {
        b.error(Code::InvalidArgument, "`foreach` needs a field", place);
        return None;
    }
    if let (Some(_), Some(second)) = (mode.filter(|mode| *mode != ForeachMode::Multifield), fields.get(1)) {
        b.error(Code::InvalidArgument, "`foreach` goes through the values of one field only", second.span);
        return None;
    }
    if template.node.is_empty() {
        b.error(Code::InvalidArgument, "the brackets of `foreach` are empty", template.span);
        return None;
    }
    Some(Foreach { mode, fields, tokens: Box::new(tokens), template })
}

/// What stands between the brackets, without a leading pipe.
fn template_text(b: &Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Spanned<String>> {
    let whole = b.span(pair);
    let inside = b.structure.text.get(whole.start + 1..whole.end.saturating_sub(1))?;
    let text = inside.trim_start();
    let text = text.strip_prefix('|').map_or(text, str::trim_start);
    let start = whole.start + 1 + (inside.len() - text.len());
    let text = text.trim_end();
    Some(Spanned::new(text.to_owned(), crate::Span::new(start, start + text.len())))
}

fn foreach_mode(b: &mut Builder<'_>, option: &words::OptionPair) -> Option<ForeachMode> {
    match option.value.to_ascii_lowercase().as_str() {
        "multifield" => Some(ForeachMode::Multifield),
        "multivalue" => Some(ForeachMode::Multivalue),
        "json_array" => Some(ForeachMode::JsonArray),
        "auto_collections" => Some(ForeachMode::AutoCollections),
        _ => option.invalid(b, "multifield, multivalue, json_array or auto_collections"),
    }
}

impl Display for ForeachMode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Multifield => "multifield",
            Self::Multivalue => "multivalue",
            Self::JsonArray => "json_array",
            Self::AutoCollections => "auto_collections",
        })
    }
}

impl Display for Foreach {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ForeachTokens { field, matchstr, matchseg: [first, second, third], item, iter } =
            self.tokens.as_ref();
        f.write_str("foreach")?;
        option(f, "mode", self.mode)?;
        for (name, token) in [
            ("fieldstr", field),
            ("matchstr", matchstr),
            ("matchseg1", first),
            ("matchseg2", second),
            ("matchseg3", third),
            ("itemstr", item),
            ("iterstr", iter),
        ] {
            option(f, name, token.as_deref().map(Quoted))?;
        }
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        write!(f, " [{}]", self.template.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spl::CommandKind;
    use crate::spl::testing::{canonical, errors, last};

    #[test]
    fn the_template_stays_as_written() {
        assert_eq!(
            canonical("| foreach test*ab*, x fieldstr=MYFIELD\n[ | eval MYFIELD = 'MYFIELD' + 1 ]"),
            "| foreach fieldstr=\"MYFIELD\" test*ab* x [eval MYFIELD = 'MYFIELD' + 1]"
        );
        let CommandKind::Foreach(foreach) = last("| foreach mode=multivalue mv* [eval n=<<ITEM>>]") else { panic!() };
        assert_eq!(
            canonical("| foreach test* [eval MY = 'MY' + 1] fieldstr=MY"),
            "| foreach fieldstr=\"MY\" test* [eval MY = 'MY' + 1]"
        );
        assert_eq!(
            canonical("| foreach mode=auto_collections [eval n=n+<<ITEM>>]"),
            "| foreach mode=auto_collections [eval n=n+<<ITEM>>]"
        );
        assert_eq!(foreach.template.span.range(), 31..46);
        assert_eq!(foreach.mode, Some(ForeachMode::Multivalue));
    }

    #[test]
    fn says_what_is_missing() {
        assert!(errors("| foreach a*").contains("expected"));
        assert!(errors("| foreach a* []").contains("the brackets of `foreach` are empty"));
        assert!(errors("| foreach mode=json_array a b [eval x=1]").contains("the values of one field only"));
        assert!(errors("| foreach mode=array a [eval x=1]").contains("`mode` takes multifield, multivalue"));
    }
}
