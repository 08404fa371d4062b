//! Why a search finds nothing: how many rows get through each pipe, and what took the last one.

use std::fmt::Write as _;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::StreamExt;
use spelunk_engine::plan::suggest;
use spelunk_engine::session::EVENT;
use spelunk_engine::steps::{Census, Stage};
use spelunk_engine::{Error, Judged, Language, Session, Verdict, values};

use crate::escape;
use crate::exit::Failure;
use crate::render::fit;
use crate::report;
use crate::why;

/// How many events are judged to find the one that comes closest.
const JUDGED: usize = 1000;
/// How many values of a metadata field are named.
const VALUES_NAMED: usize = 10;
/// How many letters of a command are shown.
const SHOWN: usize = 120;
/// Fields that say which events are searched; their values are known without searching.
const METADATA: [&str; 4] = ["index", "source", "sourcetype", "host"];
/// Names in a search that are no fields of events.
const NO_FIELDS: [&str; 8] =
    ["earliest", "latest", "_index_earliest", "_index_latest", "eventtype", "tag", "_raw", "_time"];

/// What is known about a search that finds nothing, or little.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many rows come out of each pipe, with its text. Pipes behind the first empty one are left out.
    pipes: Vec<(u64, String)>,
    /// How many rows each condition of the last pipe leaves by itself.
    parts: Vec<(u64, String)>,
    /// What else is known, the most telling first.
    causes: Vec<String>,
}

/// Looks into a search.
///
/// # Errors
/// Whatever stops one of its parts.
pub async fn explain(session: &Session, language: Language, text: &str) -> Result<Findings, Failure> {
    look(session, language, text).await.map_err(|error| Failure::Search(error, text.to_owned()))
}

async fn look(session: &Session, language: Language, text: &str) -> Result<Findings, Error> {
    let mut found = Findings::default();
    let stages = session.stages(language, text)?;
    let census = session.census().await?;
    let zone = session.context().time_zone;
    let mut alive: Vec<String> = Vec::new();
    for (position, stage) in stages.iter().enumerate() {
        let before = alive;
        alive = schema(session, language, &stage.prefix).await?;
        let known = if position == 0 || stage.text.starts_with("eval ") { &alive } else { &before };
        found.causes.extend(absent(stage, known, position == 0));
        let rows = session.count(language, &stage.prefix).await?;
        found.pipes.push((rows, stage.text.clone()));
        if rows > 0 {
            continue;
        }
        let reached = position.checked_sub(1).and_then(|last| stages.get(last)).map(|last| last.prefix.as_str());
        for part in &stage.parts {
            let alone = match reached {
                Some(reached) => format!("{reached} | {}", part.command),
                None => part.command.clone(),
            };
            found.parts.push((session.count(language, &alone).await?, part.text.clone()));
        }
        if position == 0 && census.events == 0 {
            found.causes = vec!["there are no events to search".to_owned()];
            break;
        }
        if position == 0 {
            found.causes.extend(places(session, stage).await?);
            found.causes.extend(times(session, language, stage, census, &zone)?);
        }
        let reached = reached.unwrap_or("*");
        if let Some(closest) = closest(session, language, reached, &stage.prefix).await? {
            // That a field is missing was said, with the name that was meant.
            let said = !found.causes.is_empty() && closest.contains("fails: no ");
            if !said {
                found.causes.push(closest);
            }
        }
        break;
    }
    found.causes.dedup();
    Ok(found)
}

/// The fields of a result.
async fn schema(session: &Session, language: Language, text: &str) -> Result<Vec<String>, Error> {
    let search = session.probe(language, text).await?;
    Ok(search.schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// The fields that a command names and no row has.
fn absent(stage: &Stage, alive: &[String], events: bool) -> Vec<String> {
    let mut told = Vec::new();
    for name in &stage.fields {
        let no_field = name.contains('*') || NO_FIELDS.contains(&name.as_str()) || METADATA.contains(&name.as_str());
        // A word that is no field is common in LogScale, where only a near name shows that one was meant.
        if no_field || alive.contains(name) {
            continue;
        }
        let row = if events { "event" } else { "row there" };
        match suggest::nearest(name, alive.iter().map(String::as_str)) {
            Some(near) if near.eq_ignore_ascii_case(name) => {
                told.push(format!("no {row} has a field {name:?}: it is written {near:?}, and letter case counts"));
            }
            Some(near) => told.push(format!("no {row} has a field {name:?}: did you mean {near:?}?")),
            None => told.push(format!("no {row} has a field {name:?}")),
        }
    }
    told
}

/// The values that there are of `index`, `source`, `sourcetype` and `host`, where the command names these.
async fn places(session: &Session, stage: &Stage) -> Result<Vec<String>, Error> {
    let named: Vec<&str> =
        METADATA.iter().copied().filter(|name| stage.fields.iter().any(|field| field == name)).collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = session.metadata().await?;
    let mut told = Vec::new();
    for name in named {
        let values = values.remove(name).unwrap_or_default();
        let shown = values.iter().take(VALUES_NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = values.len().saturating_sub(VALUES_NAMED);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        told.push(match values.is_empty() {
            true => format!("no event has a {name}"),
            false => format!("the events have {name} {shown}{rest}"),
        });
    }
    Ok(told)
}

/// The time of the data against the time that is asked for.
fn times(
    session: &Session,
    language: Language,
    stage: &Stage,
    census: Census,
    zone: &jiff::tz::TimeZone,
) -> Result<Vec<String>, Error> {
    let Some((first, last)) = census.range else { return Ok(vec!["no event has a time".to_owned()]) };
    let show = |time: i64| values::format_time(time, zone);
    let data = format!("the events are from {} to {}", show(first), show(last));
    let names_time = stage.fields.iter().any(|field| ["earliest", "latest", "_time"].contains(&field.as_str()))
        || (language == Language::Spl && (stage.text.contains("earliest=") || stage.text.contains("latest=")));
    let (earliest, latest) = session.bounds()?;
    let mut told = Vec::new();
    if names_time {
        told.push(format!("the search asks for a time, and {data}"));
    } else if earliest.is_some() || latest.is_some() {
        let outside = earliest.is_some_and(|earliest| earliest > last) || latest.is_some_and(|latest| latest <= first);
        let from = earliest.map_or_else(|| "the beginning".to_owned(), show);
        let to = latest.map_or_else(|| "the end".to_owned(), show);
        let outside = if outside { " is outside of the data" } else { "" };
        told.push(format!("the time asked for, {from} to {to},{outside}: {data}"));
    }
    if !told.is_empty() {
        let now = session.context().now.unwrap_or_else(jiff::Timestamp::now);
        if now.as_microsecond() > last.saturating_add(86_400_000_000) {
            let now = show(now.as_microsecond());
            told.push(format!("relative times count from {now}; --now latest (.now latest) makes it the last event's"));
        }
    }
    Ok(told)
}

/// The event that comes closest to getting through, and what it fails.
async fn closest(session: &Session, language: Language, reached: &str, prefix: &str) -> Result<Option<String>, Error> {
    let mut search = session.trace(language, reached).await?;
    let Some(position) = search.schema.fields().iter().position(|field| field.name() == EVENT) else {
        return Ok(None);
    };
    let mut serials: Vec<i64> = Vec::new();
    while serials.len() < JUDGED {
        let Some(batch) = search.stream.next().await else { break };
        let batch = batch.map_err(Error::from)?;
        if let Some(column) = batch.columns().get(position).and_then(|column| column.as_primitive_opt::<Int64Type>()) {
            serials.extend(column.iter().flatten());
        }
    }
    drop(search);
    serials.truncate(JUDGED);
    if serials.is_empty() {
        return Ok(None);
    }
    let judged = session.judge(language, prefix, serials).await?;
    let best = judged
        .iter()
        .filter_map(|Judged { verdict, .. }| match verdict {
            Verdict::Fails(reason) => Some(reason),
            Verdict::Kept | Verdict::Reaches(_) => None,
        })
        .min_by_key(|reason| {
            let failed = reason.closest.first();
            let but_for_case = failed.is_some_and(|failed| failed.iter().all(|one| one.any_case));
            (failed.map_or(usize::MAX, Vec::len), !but_for_case)
        });
    let told = best.map(|reason| why::because(reason));
    // A bound of time is no field of the event.
    let told = told.filter(|told| !told.contains(": no earliest") && !told.contains(": no latest"));
    Ok(told.map(|told| format!("of the event that comes closest: {told}")))
}

/// For people, in lines of that width.
pub fn render(found: &Findings, width: usize) -> String {
    let width = width.max(fit::LEAST);
    let mut out = String::new();
    let mut say = |indent: usize, text: &str| {
        let indent = indent.min(width / 2);
        for (line, part) in fit::wrap(&escape::line(text), width.saturating_sub(indent), 6).iter().enumerate() {
            let _ = writeln!(out, "{}{part}", " ".repeat(if line == 0 { indent.min(2) } else { indent }));
        }
    };
    let lost = found.pipes.last().is_some_and(|(rows, _)| *rows == 0);
    let widest = found.pipes.iter().chain(&found.parts).map(|(rows, _)| report::thousands(*rows).len()).max();
    let widest = widest.unwrap_or(1);
    for (position, (rows, text)) in found.pipes.iter().enumerate() {
        let rows = report::thousands(*rows);
        let text = shortened(text);
        say(widest.saturating_add(4), &format!("{rows:>widest$}  | {text}"));
        if lost && position.saturating_add(1) == found.pipes.len() {
            say(2, "this pipe lets no row through");
        }
    }
    for (rows, text) in &found.parts {
        let text = shortened(text);
        let mark = if *rows == 0 { '!' } else { ' ' };
        say(widest.saturating_add(5), &format!("{:>widest$} {mark} by `{text}` alone", report::thousands(*rows)));
    }
    for cause in &found.causes {
        say(4, &format!("- {cause}"));
    }
    if found.causes.is_empty() && !lost && !found.pipes.is_empty() {
        say(2, "every pipe lets rows through");
    }
    out
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn stage(fields: &[&str]) -> Stage {
        Stage {
            text: "search x".into(),
            prefix: "search x".into(),
            span: spelunk_grammar::Span::default(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            filters: true,
            parts: vec![],
        }
    }

    #[test]
    fn absent_fields_are_named_with_their_letter_case() {
        let alive = ["Image".to_owned(), "CommandLine".to_owned()];
        let told = absent(&stage(&["image", "ComandLine", "index", "Image"]), &alive, true);
        assert_eq!(
            told,
            [
                "no event has a field \"image\": it is written \"Image\", and letter case counts",
                "no event has a field \"ComandLine\": did you mean \"CommandLine\"?"
            ]
        );
    }

    #[test]
    fn pipes_and_causes() {
        let found = Findings {
            pipes: vec![(1234, "search EventCode=1".into()), (0, "where a=1 AND b=2".into())],
            parts: vec![(7, "a=1".into()), (0, "b=2".into())],
            causes: vec!["no row there has a field \"b\"".into()],
        };
        insta::assert_snapshot!(render(&found, 60));
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(format!("nothing_{width}"), render(&found, width));
        }
    }

    proptest! {
        #[test]
        fn every_line_fits(text in any::<String>(), rows in any::<u64>(), width in 0usize..200) {
            let found = Findings {
                pipes: vec![(rows, text.clone()), (0, text.clone())],
                parts: vec![(0, text.clone())],
                causes: vec![text],
            };
            for line in fit::narrow(&render(&found, width), width).lines() {
                prop_assert!(line.width() <= width.max(1), "{line}");
                prop_assert!(!line.chars().any(crate::escape::is_unsafe), "{line:?}");
            }
        }
    }
}
