//! What has to be there for a search to find anything: sources, event codes and fields, whatever the values of other
//! fields are. Each demand is a search itself, so that macros, event types, data models and the usual other spellings of
//! sources mean the same as in the search that makes it.

use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::from::DatasetKind;
use spelunk_grammar::spl::commands::tstats::Source;
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, Literal, Matching, Operand, SearchExpression};
use spelunk_grammar::{Code, Diagnostic, Span};

use crate::error::Error;
use crate::plan::needs;
use crate::session::{Language, Purpose, Session};
use crate::values::Value;
use futures::TryStreamExt;

/// The fields that say where events come from.
const SOURCES: [&str; 5] = ["index", "source", "sourcetype", "eventtype", "tag"];
/// The fields that say what kind of event one is.
const CODES: [&str; 12] = [
    "EventCode",
    "EventID",
    "event_id",
    "signature_id",
    "Channel",
    "SourceName",
    "event_simpleName",
    "#event_simpleName",
    "event_platform",
    "nodename",
    "type",
    "eventSource",
];
/// The fields that bound times, or say how to search.
const BOUNDS: [&str; 5] = ["earliest", "latest", "_index_earliest", "_index_latest", "timeformat"];

/// What a demand is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Where events come from.
    Source,
    /// Of what kind they are.
    Code,
    /// Which fields they have.
    Field,
    /// A data model that they belong to.
    Model,
}

/// A condition that some event has to fulfil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// What it is about.
    pub about: About,
    /// The condition as the search says it.
    pub text: String,
    /// A search for events that fulfil it.
    pub search: String,
}

/// What a search demands of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// One by one.
    pub each: Vec<Demand>,
    /// A search for events that fulfil all of them; none if the search makes its rows itself.
    pub together: Option<String>,
}

impl Session {
    /// What a search demands of the events. Of LogScale's queries nothing is known.
    ///
    /// # Errors
    /// A text that cannot be parsed.
    pub fn demands(&self, language: Language, text: &str) -> Result<Demands, Error> {
        if language == Language::LogScale {
            return Ok(Demands { each: Vec::new(), together: Some("*".to_owned()) });
        }
        let query = self.options().macros.expand(text, &self.clock()).parse().map_err(Error::Query)?;
        let Some(first) = query.commands.first() else { return Ok(Demands::default()) };
        let of_model = |model: String, condition: Option<&SearchExpression>| {
            let known = Demand {
                about: About::Model,
                text: format!("datamodel={model}"),
                search: format!("| tstats count from datamodel={model}"),
            };
            demands(condition, Some(known), &|condition| {
                format!("| tstats count from datamodel={model} where {condition}")
            })
        };
        Ok(match &first.kind {
            CommandKind::Search(search) => demands(search.expression.as_ref(), None, &events),
            CommandKind::Tstats(tstats) => match &tstats.source {
                Some(Source::DataModel(name)) => of_model(name.text.clone(), tstats.condition.as_ref()),
                None => demands(tstats.condition.as_ref(), None, &events),
                Some(Source::Job(_) | Source::Namespace(_)) => Demands::default(),
            },
            CommandKind::Datamodel(datamodel) => match (&datamodel.model, &datamodel.object) {
                (Some(model), Some(object)) => of_model(format!("{}.{}", model.text, object.text), None),
                _ => Demands::default(),
            },
            CommandKind::From(from) if from.dataset.kind == DatasetKind::Datamodel => {
                of_model(from.dataset.name.clone(), None)
            }
            CommandKind::Pivot(pivot) => of_model(format!("{}.{}", pivot.model.text, pivot.object.text), None),
            _ => Demands::default(),
        })
    }

    /// How many events a search of [`Demands`] finds.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn demanded(&self, search: &str) -> Result<u64, Error> {
        let counting = match search.starts_with('|') {
            true => search.to_owned(),
            false => format!("{search} | stats count"),
        };
        let search = self.search_in_pack(Language::Spl, &counting).await?;
        let batches: Vec<_> = search.stream.try_collect().await.map_err(Error::from)?;
        let counted = batches.iter().filter(|batch| batch.num_rows() > 0).find_map(|batch| {
            let column = batch.column_by_name("count")?;
            Value::read(column.as_ref(), 0).number()
        });
        Ok(counted.map_or(0, |count| count as u64))
    }

    /// Plans a search over the events without running it, and gives what was found about it.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn findings(&self, language: Language, text: &str) -> Result<Vec<Diagnostic>, Error> {
        let (planned, _) = self.prepare_in(language, text, Purpose::Pack, None).await?;
        Ok(planned.diagnostics)
    }
}

/// The name of the field that a finding says no event has.
pub fn missing_field(finding: &Diagnostic) -> Option<&str> {
    let of_field = finding.code == Code::UnknownField;
    of_field.then(|| finding.message.split('"').nth(1)).flatten()
}

fn events(condition: &str) -> String {
    format!("search {condition}")
}

fn demands(condition: Option<&SearchExpression>, known: Option<Demand>, search: &dyn Fn(&str) -> String) -> Demands {
    let relaxed = condition.and_then(relaxed);
    let together = match (&relaxed, &known) {
        (Some(relaxed), _) => search(&relaxed.to_string()),
        (None, Some(known)) => known.search.clone(),
        (None, None) => "*".to_owned(),
    };
    let conjuncts = match relaxed {
        Some(SearchExpression::And(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut each: Vec<Demand> = known.into_iter().collect();
    for conjunct in conjuncts {
        let names = fields(&conjunct);
        let about = match () {
            () if names.iter().any(|name| is(&SOURCES, name)) => About::Source,
            () if names.iter().any(|name| is(&CODES, name)) => About::Code,
            () => About::Field,
        };
        let text = conjunct.to_string();
        let grouped = if matches!(conjunct, SearchExpression::Or(_)) { format!("({text})") } else { text.clone() };
        let demand = Demand { about, search: search(&grouped), text: shown(&text) };
        if !each.contains(&demand) {
            each.push(demand);
        }
    }
    Demands { each, together: Some(together) }
}

/// A field that only has to be there is shown by its name.
fn shown(text: &str) -> String {
    text.split(" OR ").map(|part| part.strip_suffix("=*").unwrap_or(part)).collect::<Vec<_>>().join(" OR ")
}

/// The plain names, tags of a field among them.
fn fields(expression: &SearchExpression) -> Vec<String> {
    let names = needs::search_fields(expression).into_iter();
    names.map(|name| name.split(['=', ':']).next().unwrap_or_default().to_owned()).collect()
}

fn is(known: &[&str], name: &str) -> bool {
    known.contains(&name) || name.strip_prefix("tag::").is_some_and(|_| known.contains(&"tag"))
}

/// The condition without what depends on the values of ordinary fields; `None` if nothing is left of it.
fn relaxed(expression: &SearchExpression) -> Option<SearchExpression> {
    match expression {
        SearchExpression::And(all) => {
            let mut left: Vec<SearchExpression> = Vec::new();
            for condition in all.iter().filter_map(relaxed) {
                match condition {
                    SearchExpression::And(more) => left.extend(more),
                    one => left.push(one),
                }
            }
            left.dedup();
            match left.len() {
                0 => None,
                1 => left.pop(),
                _ => Some(SearchExpression::And(left)),
            }
        }
        SearchExpression::Or(any) => {
            let mut left: Vec<SearchExpression> = Vec::new();
            for condition in any {
                let condition = relaxed(condition)?;
                if !left.contains(&condition) {
                    left.push(condition);
                }
            }
            if left.len() > 1 { Some(SearchExpression::Or(left)) } else { left.pop() }
        }
        SearchExpression::Comparison(comparison) => of_comparison(comparison),
        SearchExpression::In(list) => match kind(&list.field.text) {
            Kept::Whole => Some(expression.clone()),
            Kept::Presence => Some(present(&list.field.text)),
            Kept::Nothing => None,
        },
        // What may be in a text, in other rows, or not be there at all.
        SearchExpression::Not(_)
        | SearchExpression::Term(_)
        | SearchExpression::Subsearch(_)
        | SearchExpression::Macro(_) => None,
    }
}

enum Kept {
    Whole,
    Presence,
    Nothing,
}

fn kind(field: &str) -> Kept {
    match field {
        _ if is(&BOUNDS, field) => Kept::Nothing,
        _ if is(&SOURCES, field) || is(&CODES, field) => Kept::Whole,
        // Every event has one.
        "host" | "_time" | "_raw" => Kept::Nothing,
        _ if field.contains('*') => Kept::Nothing,
        _ => Kept::Presence,
    }
}

fn of_comparison(comparison: &Comparison) -> Option<SearchExpression> {
    let whole = || Some(SearchExpression::Comparison(Comparison { span: Span::default(), ..comparison.clone() }));
    match (kind(&comparison.field.text), comparison.operator, &comparison.value) {
        (Kept::Nothing, ..) | (_, _, Operand::Subsearch(_)) => None,
        // A field with such a value need not be there.
        (Kept::Presence, _, Operand::Literal(literal)) if literal.text.is_empty() => None,
        (Kept::Whole, ComparisonOperator::Equal, _) => whole(),
        (Kept::Whole, ..) => None,
        (Kept::Presence, ..) => Some(present(&comparison.field.text)),
    }
}

fn present(field: &str) -> SearchExpression {
    let name = spelunk_grammar::spl::expression::Name { text: field.to_owned(), span: Span::default() };
    let text = "*".to_owned();
    let any = Literal { text, quoted: false, matching: Matching::AnyCase, span: Span::default() };
    SearchExpression::Comparison(Comparison {
        field: name,
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(any),
        span: Span::default(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::SessionOptions;

    fn of(text: &str) -> (Vec<String>, String) {
        let session = Session::new(SessionOptions::default(), Vec::new()).unwrap();
        let Demands { each, together } = session.demands(Language::Spl, text).unwrap();
        (each.into_iter().map(|demand| demand.text).collect(), together.unwrap_or_default())
    }

    #[test]
    fn what_events_have_to_be() {
        let (each, together) = of("source=A EventCode=1 (Image=*\\\\a.exe OR CommandLine=b) NOT User=x word");
        assert_eq!(each, ["source=A", "EventCode=1", "Image OR CommandLine"]);
        assert_eq!(together, "search source=A AND EventCode=1 AND Image=* OR CommandLine=*");
        assert_eq!(of("index=main NOT x earliest=-1d").0, ["index=main"]);
        // One alternative that anything can fulfil is enough.
        assert_eq!(of("(a=1 OR word) b IN (1, 2)").0, ["b"]);
        assert_eq!(of("word"), (vec![], "*".to_owned()));
    }

    #[test]
    fn what_objects_have_to_have() {
        let (each, together) =
            of("| tstats count from datamodel=Endpoint.Processes where Processes.process=x by Processes.dest");
        assert_eq!(each, ["datamodel=Endpoint.Processes", "Processes.process"]);
        assert_eq!(together, "| tstats count from datamodel=Endpoint.Processes where Processes.process=*");
        assert_eq!(of("| makeresults"), (vec![], String::new()));
    }
}
