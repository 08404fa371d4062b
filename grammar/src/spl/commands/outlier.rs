//! `outlier`: takes away or caps numbers that lie far out.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Separated, option};

/// `outlier [action=transform|remove] [mark=BOOL] [param=NUMBER] [uselower=BOOL] [type=iqr] [FIELD ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    /// What happens to a number that lies far out; default [`Action::Transform`].
    pub action: Option<Action>,
    /// Whether a capped number gets `000` before it; default false.
    pub mark: Option<bool>,
    /// How many interquartile ranges beyond a quartile are far out; default 2.5.
    pub param: Option<f64>,
    /// Whether low numbers are looked at too; default false.
    pub uselower: Option<bool>,
    /// The fields; may hold wildcards; empty for all.
    pub fields: Vec<Name>,
}

/// What happens to a number that lies far out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The threshold takes its place.
    Transform,
    /// The field is taken away from the row.
    Remove,
}

/// The documentation of `outlier`.
pub const DOC: CommandDoc = CommandDoc {
    name: "outlier",
    summary: "Caps or takes away numbers that lie far out",
    syntax: "outlier [action=transform|remove] [mark=<bool>] [param=<number>] [uselower=<bool>] [<field> ...]",
    arguments: &[
        ArgumentDoc { name: "action=transform|remove", meaning: "put the threshold in the place of the number, or take the field away from the row; default transform; tf and rm for short" },
        ArgumentDoc { name: "mark=<bool>", meaning: "write 000 before a number that was capped; nothing to action=remove; default false" },
        ArgumentDoc { name: "param=<number>", meaning: "a number is far out that lies more than this many interquartile ranges above the upper quartile; default 2.5" },
        ArgumentDoc { name: "uselower=<bool>", meaning: "numbers as far below the lower quartile too; default false" },
        ArgumentDoc { name: "type=iqr", meaning: "the only way of telling outliers" },
        ArgumentDoc { name: "<field>", meaning: "the fields, with `*` every field of that form; without any all but the internal ones" },
    ],
    examples: &["| makeresults count=10 | streamstats count AS n | eval n=if(n=10, 1000, n) | outlier n"],
};

const OPTIONS: &[&str] = &["action", "mark", "param", "uselower", "type"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Outlier> {
    let mut outlier = Outlier { action: None, mark: None, param: None, uselower: None, fields: Vec::new() };
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "action" => {
                        outlier.action = Some(match option.value.to_ascii_lowercase().as_str() {
                            "transform" | "tf" => Action::Transform,
                            "remove" | "rm" => Action::Remove,
                            _ => return option.invalid(b, "transform (tf) or remove (rm)"),
                        });
                    }
                    "mark" => outlier.mark = Some(option.boolean(b)?),
                    "param" => match option.value.parse::<f64>() {
                        Ok(param) if param.is_finite() && param >= 0.0 => outlier.param = Some(param),
                        _ => return option.invalid(b, "a number from 0"),
                    },
                    "uselower" => outlier.uselower = Some(option.boolean(b)?),
                    "type" if option.value.eq_ignore_ascii_case("iqr") => {}
                    "type" => return option.invalid(b, "iqr only"),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => outlier.fields.push(words::name(b, &part)),
        }
    }
    Some(outlier)
}

impl Display for Outlier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("outlier")?;
        option(f, "action", self.action.map(|action| if action == Action::Remove { "remove" } else { "transform" }))?;
        option(f, "mark", self.mark)?;
        option(f, "param", self.param)?;
        option(f, "uselower", self.uselower)?;
        if !self.fields.is_empty() {
            write!(f, " {}", Separated(&self.fields, " "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_and_fields() {
        assert_eq!(
            canonical("| outlier action=RM type=IQR count param=1.50, x uselower=t"),
            "| outlier action=remove param=1.5 uselower=true count x"
        );
        assert!(errors("| outlier action=drop").contains("transform (tf) or remove (rm), not `drop`"));
        assert!(errors("| outlier param=-1").contains("a number from 0"));
        assert!(errors("| outlier type=zscore").contains("iqr only"));
    }
}
