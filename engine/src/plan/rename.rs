//! `rename`: gives fields other names.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::spl::commands::rename::Rename;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::PlanResult;
use super::expression::{Kind, Typed};
use super::frame::{Frame, column, matching};
use crate::functions::operators;

/// Plans the command: one pair after the other.
pub fn plan(frame: &mut Frame, command: &Rename) -> PlanResult<()> {
    for (old, new) in &command.pairs {
        let stars = |name: &Name| name.text.matches('*').count();
        if stars(old) != stars(new) {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                "both names need the same number of wildcards",
                old.span.to(new.span),
            )
            .into());
        }
        let fields = frame.fields();
        let transfer = Transfer::new(&old.text, &new.text);
        let found: Vec<(String, String)> = matching(&old.text, &fields)
            .into_iter()
            .filter_map(|name| Some((name.clone(), transfer.of(name)?)))
            .collect();
        if found.is_empty() {
            if stars(old) == 0 {
                if !frame.open {
                    frame.note_missing(&old.text, old.span);
                }
                // A missing field takes an existing target with it.
                if frame.data_type(&new.text).is_some() {
                    frame.set(vec![(new.text.clone(), lit(ScalarValue::Utf8(None)))])?;
                }
            }
            continue;
        }
        rename(frame, &fields, &found)?;
    }
    Ok(())
}

fn rename(frame: &mut Frame, fields: &[String], pairs: &[(String, String)]) -> PlanResult<()> {
    let mut columns: Vec<(String, Expr)> = Vec::new();
    for name in fields {
        match pairs.iter().find(|(old, _)| old == name) {
            Some((old, new)) => columns.push((new.clone(), value(frame, old, new))),
            None if pairs.iter().any(|(_, new)| new == name) => {}
            None => columns.push((name.clone(), column(name))),
        }
    }
    frame.select(columns)?;
    Ok(())
}

/// The field under its new name: `_time` holds times, any other field seconds.
fn value(frame: &Frame, old: &str, new: &str) -> Expr {
    let kind = frame.data_type(old).map_or(Kind::Null, |data_type| Kind::of(&data_type));
    let typed = Typed::new(column(old), kind, Span::default());
    match (kind, new) {
        (Kind::Time, new) if new != "_time" => typed.number(),
        (Kind::Integer | Kind::Number, "_time") => operators::to_time(typed.number()),
        _ => typed.expr,
    }
}

/// The new names of fields: what the old pattern's wildcards stood for fills the new one's.
pub struct Transfer<'n> {
    /// What the wildcards of the old pattern stand for, if there are any.
    wildcards: Option<regex::Regex>,
    old: &'n str,
    new: &'n str,
}

impl<'n> Transfer<'n> {
    /// From one pattern to another with as many wildcards.
    pub fn new(old: &'n str, new: &'n str) -> Self {
        let body = old.split('*').map(regex::escape).collect::<Vec<_>>().join("(.*)");
        let wildcards = old.contains('*').then(|| regex::Regex::new(&format!("^{body}$")).ok()).flatten();
        Self { wildcards, old, new }
    }

    /// The new name of a field; `None` for one that the old pattern does not cover.
    pub fn of(&self, name: &str) -> Option<String> {
        let Some(wildcards) = &self.wildcards else { return (name == self.old).then(|| self.new.to_owned()) };
        let captures = wildcards.captures(name)?;
        let mut filled = String::new();
        for (position, piece) in self.new.split('*').enumerate() {
            if position > 0 {
                filled.push_str(captures.get(position)?.as_str());
            }
            filled.push_str(piece);
        }
        Some(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::Transfer;

    #[test]
    fn wildcards_carry_over() {
        let transfer = |old, new, name| Transfer::new(old, new).of(name);
        assert_eq!(transfer("*_kb", "*", "in_kb").as_deref(), Some("in"));
        assert_eq!(transfer("a*b*", "x*y*", "a1b2").as_deref(), Some("x1y2"));
        assert_eq!(transfer("a", "b", "a").as_deref(), Some("b"));
        assert_eq!(transfer("a", "b", "c"), None);
    }
}
