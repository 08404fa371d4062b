//! Why a search finds nothing: how many rows get through each pipe, and what took the last one.

use std::fmt::Write as _;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::StreamExt;
use spelunk_engine::session::EVENT;
use spelunk_engine::steps::{Census, Part, Stage};
use spelunk_engine::suggest;
use spelunk_engine::{Error, Judged, Language, Session, Verdict, values};

use crate::escape;
use crate::exit::Failure;
use crate::render::fit;
use crate::report;
use crate::why;

/// How many events are judged to find the one that comes closest.
const JUDGED: usize = 1000;
/// How many conditions are put together to find them.
const NARROWED: usize = 8;
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
        if position == 0 && census.events == 0 {
            found.causes = vec!["there are no events to search".to_owned()];
            break;
        }
        if position == 0
            && !names_time(stage, language)
            && let Some(outside) = outside(session, census, &zone)?
        {
            // Whatever the conditions are, nothing can fulfil them.
            found.causes = outside;
            break;
        }
        let mut counts = Vec::with_capacity(stage.parts.len());
        for part in &stage.parts {
            counts.push(session.count(language, &after(reached, &part.command)).await?);
        }
        found.parts.extend(counts.iter().zip(&stage.parts).map(|(rows, part)| (*rows, part.text.clone())));
        if position == 0 {
            found.causes.extend(places(session, stage, &counts).await?);
            found.causes.extend(times(session, language, stage, census, &zone)?);
        }
        let candidates = candidates(session, language, reached, stage.parts.iter().zip(&counts)).await?;
        if let Some(closest) = closest(session, language, &candidates, &stage.prefix).await? {
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

/// A command behind what reaches it.
fn after(reached: Option<&str>, command: &str) -> String {
    reached.map_or_else(|| command.to_owned(), |reached| format!("{reached} | {command}"))
}

/// The search for events that fulfil as many of the conditions as can be had together: those that few events fulfil by
/// themselves say most, so they come first.
async fn candidates(
    session: &Session,
    language: Language,
    reached: Option<&str>,
    parts: impl Iterator<Item = (&Part, &u64)>,
) -> Result<String, Error> {
    let mut fulfilled: Vec<(&Part, &u64)> = parts.filter(|(_, rows)| **rows > 0).collect();
    fulfilled.sort_by_key(|(_, rows)| **rows);
    let mut search = reached.map(str::to_owned);
    for (position, (part, _)) in fulfilled.into_iter().take(NARROWED).enumerate() {
        let narrower = after(search.as_deref(), &part.command);
        // Of the first it is known.
        if position == 0 || session.count(language, &narrower).await? > 0 {
            search = Some(narrower);
        }
    }
    Ok(search.unwrap_or_else(|| "*".to_owned()))
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

/// The values that there are of `index`, `source`, `sourcetype` and `host`, where the command names these; not where
/// another condition is to blame.
async fn places(session: &Session, stage: &Stage, counts: &[u64]) -> Result<Vec<String>, Error> {
    let names = |fields: &[String], name: &str| fields.iter().any(|field| field == name);
    if !METADATA.iter().any(|name| names(&stage.fields, name)) {
        return Ok(Vec::new());
    }
    let mut values = session.metadata().await?;
    let mut told = Vec::new();
    for name in METADATA.into_iter().filter(|name| names(&stage.fields, name)) {
        let values = values.remove(name).unwrap_or_default();
        // An index that is not there may stand for all that was loaded.
        let right = |part: &Part| part.text.contains('*') || values.iter().any(|value| part.text.contains(value));
        let mut about = stage.parts.iter().zip(counts).filter(|(part, _)| names(&part.fields, name)).peekable();
        if counts.contains(&0) && about.peek().is_some() && about.all(|(part, rows)| *rows > 0 && right(part)) {
            continue;
        }
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

/// What there is to say where the time that the session asks for is outside of the data.
fn outside(session: &Session, census: Census, zone: &jiff::tz::TimeZone) -> Result<Option<Vec<String>>, Error> {
    let (Some((first, last)), (earliest, latest)) = (census.range, session.bounds()?) else { return Ok(None) };
    if !(earliest.is_some_and(|earliest| earliest > last) || latest.is_some_and(|latest| latest <= first)) {
        return Ok(None);
    }
    let show = |time: i64| values::format_time(time, zone);
    let from = earliest.map_or_else(|| "the beginning".to_owned(), show);
    let to = latest.map_or_else(|| "the end".to_owned(), show);
    let data = format!("the events are from {} to {}", show(first), show(last));
    let mut told = vec![format!("the time asked for, {from} to {to}, is outside of the data: {data}")];
    let context = session.context();
    let named = context.earliest.iter().chain(&context.latest).any(|time| is_relative(time));
    told.extend(clock(session, last, zone).filter(|_| named));
    Ok(Some(told))
}

/// Whether a command says which time it is about.
fn names_time(stage: &Stage, language: Language) -> bool {
    stage.fields.iter().any(|field| ["earliest", "latest", "_time"].contains(&field.as_str()))
        || (language == Language::Spl && (stage.text.contains("earliest=") || stage.text.contains("latest=")))
}

/// Whether a time is counted from now.
fn is_relative(time: &str) -> bool {
    let time = time.trim_start_matches(['"', '\'']);
    time.starts_with(['-', '+', '@']) || time.starts_with("now")
}

/// That relative times count from long after the data.
fn clock(session: &Session, last: i64, zone: &jiff::tz::TimeZone) -> Option<String> {
    let now = session.context().now.unwrap_or_else(jiff::Timestamp::now).as_microsecond();
    let now = Some(now).filter(|now| *now > last.saturating_add(86_400_000_000))?;
    let now = values::format_time(now, zone);
    Some(format!("relative times count from {now}; --now latest (.now latest) makes it the last event's"))
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
    let (earliest, latest) = session.bounds()?;
    let mut told = Vec::new();
    let mut relative = false;
    if names_time(stage, language) {
        told.push(format!("the search asks for a time, and {data}"));
        let times =
            stage.text.match_indices("est=").filter_map(|(at, sign)| stage.text.get(at.saturating_add(sign.len())..));
        relative = language == Language::LogScale || times.into_iter().any(is_relative);
    } else if earliest.is_some() || latest.is_some() {
        let from = earliest.map_or_else(|| "the beginning".to_owned(), show);
        let to = latest.map_or_else(|| "the end".to_owned(), show);
        told.push(format!("the time asked for, {from} to {to}: {data}"));
        let context = session.context();
        relative = context.earliest.iter().chain(&context.latest).any(|time| is_relative(time));
    }
    told.extend(clock(session, last, zone).filter(|_| relative));
    Ok(told)
}

/// The event of a search that comes closest to getting through, and what it fails.
async fn closest(
    session: &Session,
    language: Language,
    candidates: &str,
    prefix: &str,
) -> Result<Option<String>, Error> {
    let mut search = session.trace(language, candidates).await?;
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
            // A value that is wrong says more than none.
            let values = failed.into_iter().flatten().flat_map(|one| &one.values);
            let missing = values.filter(|(_, value)| value.is_none()).count();
            (failed.map_or(usize::MAX, Vec::len), !but_for_case, missing)
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
