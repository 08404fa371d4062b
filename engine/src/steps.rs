//! A search pipe by pipe: what stands between its pipes, and how far each part of it gets.
//!
//! Each prefix of a pipeline is a search of its own. Running it tells what reaches the next command, which is how a
//! search is watched at work and how the command is found that lost the last row.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use futures::TryStreamExt;
use spelunk_grammar::Span;
use spelunk_grammar::logscale::{self, query::StepKind};
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind};
use spelunk_grammar::spl::search::SearchExpression;
use spelunk_grammar::spl::{Command, Query};

use crate::error::Error;
use crate::plan::needs;
use crate::session::{Language, Session};
use crate::values::Value;

/// One command of a search, and the search up to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The command in canonical form, with macros expanded.
    pub text: String,
    /// The search up to this command, itself included.
    pub prefix: String,
    /// The command's place in the user's text.
    pub span: Span,
    /// The fields that it looks at.
    pub fields: Vec<String>,
    /// Whether it only decides which rows stay.
    pub filters: bool,
    /// The conditions that have to hold all together, where there are several.
    pub parts: Vec<Part>,
}

/// One of the conditions of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The condition.
    pub text: String,
    /// A command that filters by it alone.
    pub command: String,
    /// The fields that it looks at.
    pub fields: Vec<String>,
}

/// What there is to search, whatever bounds of time the session has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// How many events.
    pub events: u64,
    /// The time of the earliest and of the latest (microseconds).
    pub range: Option<(i64, i64)>,
}

impl Session {
    /// The commands of a search in its language, one by one.
    ///
    /// # Errors
    /// A text that cannot be parsed.
    pub fn stages(&self, language: Language, text: &str) -> Result<Vec<Stage>, Error> {
        match language {
            Language::Spl => {
                let expanded = self.options().macros.expand(text, &self.clock());
                let query = expanded.parse().map_err(Error::Query)?;
                let mut stages = of_spl(&query);
                stages.iter_mut().for_each(|stage| stage.span = expanded.place(stage.span));
                Ok(stages)
            }
            Language::LogScale => {
                let (query, _) = self.read_logscale(text)?;
                Ok(of_logscale(&query))
            }
        }
    }

    /// How many rows a search gives. Nothing is written.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn count(&self, language: Language, text: &str) -> Result<u64, Error> {
        let counting = match language {
            Language::Spl => format!("{text} | stats count"),
            Language::LogScale => format!("{text} | count()"),
        };
        let search = self.probe(language, &counting).await?;
        let batches: Vec<_> = search.stream.try_collect().await.map_err(Error::from)?;
        let counted = batches.iter().filter(|batch| batch.num_rows() > 0).find_map(|batch| {
            let column = batch.columns().first()?;
            Value::read(column.as_ref(), 0).number()
        });
        Ok(counted.map_or(0, |count| count as u64))
    }

    /// What there is to search.
    ///
    /// # Errors
    /// An input that cannot be read.
    pub async fn census(&self) -> Result<Census, Error> {
        let search = self.unbounded("* | stats count, min(_time) AS earliest, max(_time) AS latest").await?;
        let batches: Vec<_> = search.stream.try_collect().await.map_err(Error::from)?;
        let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(Census::default()) };
        let number =
            |name: &str| batch.column_by_name(name).and_then(|column| Value::read(column.as_ref(), 0).number());
        let time = |name: &str| {
            let column = batch.column_by_name(name)?;
            match column.as_primitive_opt::<TimestampMicrosecondType>() {
                Some(times) => times.iter().next().flatten(),
                None => crate::time::microseconds(number(name)?),
            }
        };
        let events = number("count").map_or(0, |count| count as u64);
        Ok(Census { events, range: time("earliest").zip(time("latest")) })
    }
}

fn of_spl(query: &Query) -> Vec<Stage> {
    let mut before: Vec<Command> = Vec::new();
    let mut stages = Vec::new();
    for command in &query.commands {
        before.push(command.clone());
        let prefix = Query { commands: before.clone(), span: query.span }.to_string();
        let alone = Query { commands: vec![command.clone()], span: command.span }.to_string();
        let mut fields = needs::command_fields(std::slice::from_ref(command));
        fields.sort_unstable();
        fields.dedup();
        stages.push(Stage {
            text: alone.trim_start_matches("| ").to_owned(),
            prefix,
            span: command.span,
            fields,
            filters: matches!(command.kind, CommandKind::Search(_) | CommandKind::Where(_) | CommandKind::Regex(_)),
            parts: parts(command),
        });
    }
    stages
}

fn parts(command: &Command) -> Vec<Part> {
    match &command.kind {
        CommandKind::Search(search) => match &search.expression {
            Some(SearchExpression::And(conditions)) => {
                let part = |condition: &SearchExpression| {
                    let text = condition.to_string();
                    Part { command: format!("search {text}"), text, fields: needs::search_fields(condition) }
                };
                conditions.iter().map(part).collect()
            }
            _ => Vec::new(),
        },
        CommandKind::Where(filter) => {
            let mut conditions = Vec::new();
            conjuncts(&filter.condition, &mut conditions);
            if conditions.len() < 2 {
                return Vec::new();
            }
            let part = |condition: &&Expression| {
                let text = condition.to_string();
                let mut fields = Vec::new();
                needs::expression_fields(condition, &mut fields);
                Part { command: format!("where {text}"), text, fields }
            };
            conditions.iter().map(part).collect()
        }
        _ => Vec::new(),
    }
}

fn conjuncts<'e>(expression: &'e Expression, into: &mut Vec<&'e Expression>) {
    match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::And, left, right) => {
            conjuncts(left, into);
            conjuncts(right, into);
        }
        _ => into.push(expression),
    }
}

fn of_logscale(query: &logscale::Query) -> Vec<Stage> {
    let mut before = Vec::new();
    let mut stages = Vec::new();
    for step in &query.pipeline.steps {
        before.push(step.clone());
        let alone = logscale::query::Pipeline { steps: vec![step.clone()] };
        let asked = crate::logscale::needs::of(&logscale::Query { pipeline: alone, span: step.span });
        let mut fields: Vec<String> = asked.names.into_iter().map(|(name, _)| name).collect();
        fields.sort_unstable();
        fields.dedup();
        stages.push(Stage {
            text: step.to_string(),
            prefix: logscale::query::Pipeline { steps: before.clone() }.to_string(),
            span: step.span,
            fields,
            filters: matches!(step.kind, StepKind::Where(_)),
            parts: Vec::new(),
        });
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(text: &str) -> Vec<Stage> {
        of_spl(&spelunk_grammar::spl::parse(text).unwrap())
    }

    #[test]
    fn every_prefix_is_a_search() {
        let found = stages("index=a Image=*x | eval y=1 | where y>0 AND z=\"b\" | stats count by y");
        assert_eq!(found.len(), 4);
        for stage in &found {
            assert!(spelunk_grammar::spl::parse(&stage.prefix).is_ok(), "{}", stage.prefix);
        }
        let first: Vec<&str> = found.first().unwrap().parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(first, ["index=a", "Image=*x"]);
        assert_eq!(found.get(2).unwrap().parts.len(), 2);
        assert_eq!(found.get(2).unwrap().fields, ["y", "z"]);
    }
}
