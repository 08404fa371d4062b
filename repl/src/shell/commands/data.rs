//! What is searched: files, and the fields of events.

use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use spelunk_engine::ingest::{Input, Location, ReadReport, is_address};
use spelunk_engine::values::Cell;
use spelunk_engine::{Error, Language, Session};

use super::{Done, Outcome, Shell, usage};
use crate::escape;
use crate::exit::Failure;
use crate::fields::Fields;
use crate::render::{plain, timeline};
use crate::report;
use crate::search;
use crate::sink;
use crate::terminal;

/// `.files`
pub async fn files(shell: &Shell) -> Outcome {
    let report = shell.session.load().await.map_err(|error| Failure::Search(error, String::new()))?;
    if report.files.is_empty() {
        return Ok(Done::Said("no files\n".to_owned()));
    }
    let (columns, rows) = table(&report);
    Ok(Done::Said(shell.sink.sheet(&columns, &rows)))
}

fn table(report: &ReadReport) -> ([String; 6], Vec<Vec<Cell>>) {
    let columns = ["file", "format", "size", "events", "skipped", "first problem"].map(str::to_owned);
    let rows = report
        .files
        .iter()
        .map(|file| {
            let number = |number: u64| Cell::Number(report::thousands(number));
            let problem = file.problems.first().map_or(Cell::Null, |problem| {
                let place = if problem.place.is_empty() { String::new() } else { format!("{}: ", problem.place) };
                Cell::Text(format!("{place}{}", problem.reason))
            });
            let format = if file.format.is_empty() { Cell::Null } else { Cell::Text(file.format.to_owned()) };
            let size = Cell::Number(report::bytes(file.bytes));
            vec![Cell::Text(file.path.clone()), format, size, number(file.events), number(file.skipped), problem]
        })
        .collect();
    (columns, rows)
}

/// `.open`
pub async fn open(shell: &Shell, rest: &str) -> Outcome {
    // A path with blanks is one path where there is such a file.
    let paths: Vec<PathBuf> = match PathBuf::from(rest) {
        whole if whole.exists() => vec![whole],
        _ => rest.split_whitespace().map(PathBuf::from).collect(),
    };
    if paths.is_empty() {
        return usage(".open takes files and folders to search");
    }
    for path in &paths {
        if path.as_os_str() == "-" {
            return usage("standard input brings the shell its searches, so it cannot be data");
        }
        let same = |input: &Input| match &input.location {
            Location::Path(known) if known == path => true,
            Location::Path(known) => {
                known.canonicalize().ok().is_some_and(|known| path.canonicalize().is_ok_and(|p| p == known))
            }
            Location::Stdin => false,
        };
        if shell.session.inputs().iter().any(same) {
            return usage(format!("{} is open already", escape::line(&path.display().to_string())));
        }
        if !is_address(path) && !path.exists() {
            return usage(format!("no such file or folder: {}", escape::line(&path.display().to_string())));
        }
    }
    let before = shell.session.inputs().len();
    let inputs = paths.into_iter().map(|path| Input { location: Location::Path(path), index: None }).collect();
    shell.session.open(inputs).map_err(|error| Failure::Usage(error.to_string()))?;
    let session = Arc::clone(&shell.session);
    let loaded = shell.interrupt.guard(move || async move { session.load().await }).await;
    let report = match loaded {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            shell.session.forget(before);
            return Err(Failure::Search(error, String::new()));
        }
        Err(failure) => {
            shell.session.forget(before);
            return Err(failure);
        }
    };
    search::tell_damage(&report);
    Ok(Done::Said(format!("{} ({})\n", report::volume(&report), report::formats(&report))))
}

/// `.fields`
pub async fn fields(shell: &Shell, rest: &str) -> Outcome {
    let (all, name) = match rest.split_once(char::is_whitespace) {
        Some(("all", name)) => (true, name.trim()),
        _ if rest == "all" => (true, ""),
        _ => (false, rest),
    };
    let zone = shell.session.context().time_zone;
    let last = shell.sink.last().filter(|last| !all && last.rows > 0);
    let found = match last {
        Some(last) => {
            let mut found = Fields::default();
            last.batches.iter().for_each(|batch| found.add(batch, &zone));
            if last.cut {
                terminal::warning("the result was too large to keep: these are the fields of its first rows");
            }
            found
        }
        None => {
            let session = Arc::clone(&shell.session);
            shell.interrupt.guard(move || async move { of_all(&session).await }).await??
        }
    };
    let width = terminal::stdout_width();
    if name.is_empty() && shell.sink.plain {
        let (columns, rows) = found.table();
        return Ok(Done::Said(plain::draw(&columns, &rows)));
    }
    if name.is_empty() {
        return Ok(Done::Said(found.render(width, terminal::stdout_colour())));
    }
    found.render_one(name, width).map(Done::Said).map_err(Failure::Usage)
}

/// `.timeline`
pub async fn timeline(shell: &Shell, rest: &str) -> Outcome {
    if !matches!(rest, "" | "all") {
        return usage(".timeline takes nothing, or `all` for all events");
    }
    let width = terminal::stdout_width().unwrap_or(timeline::LEAST);
    if width < timeline::LEAST {
        return usage(format!("a timeline needs {} columns, and here are {width}", timeline::LEAST));
    }
    let zone = shell.session.context().time_zone;
    let last = shell.sink.last().filter(|last| rest.is_empty() && last.rows > 0);
    let times = match last {
        Some(last) => {
            if last.cut {
                terminal::warning("the result was too large to keep: these are the times of its first rows");
            }
            last.all_times()
        }
        None => {
            let session = Arc::clone(&shell.session);
            shell.interrupt.guard(move || async move { times_of_all(&session).await }).await??
        }
    };
    match timeline::draw(&times, width, shell.sink.plain, &zone) {
        drawn if drawn.is_empty() => {
            usage("there are no two different times to draw (`.timeline all` looks at all events)")
        }
        drawn => Ok(Done::Said(drawn)),
    }
}

async fn times_of_all(session: &Session) -> Result<Vec<i64>, Failure> {
    let failed = |error: Error| Failure::Search(error, "*".to_owned());
    let mut search = session.probe(Language::Spl, "* | fields _time").await.map_err(failed)?;
    let mut times = Vec::new();
    while let Some(batch) = search.stream.next().await {
        times.extend(sink::times(&batch.map_err(|error| failed(error.into()))?));
    }
    Ok(times)
}

async fn of_all(session: &Session) -> Result<Fields, Failure> {
    let failed = |error: Error| Failure::Search(error, "*".to_owned());
    let mut search = session.probe(Language::Spl, "*").await.map_err(failed)?;
    let (mut found, zone) = (Fields::default(), session.context().time_zone);
    while let Some(batch) = search.stream.next().await {
        found.add(&batch.map_err(|error| failed(error.into()))?, &zone);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spelunk_engine::ingest::{FileReport, Problem};

    #[test]
    fn what_was_read() {
        let problem = Problem { place: "line 17".into(), reason: "not JSON".into() };
        let good = FileReport {
            path: "a".into(),
            format: "json",
            bytes: 2048,
            events: 1234,
            passed_over: 0,
            skipped: 0,
            problems: vec![],
        };
        let bad = FileReport { path: "b".into(), skipped: 1, problems: vec![problem], ..good.clone() };
        let (columns, rows) = table(&ReadReport { files: vec![good, bad] });
        insta::assert_snapshot!(crate::render::grid::draw_all(&columns, &rows, None, false), @"
        ╭──────┬────────┬─────────┬────────┬─────────┬───────────────────╮
        │ file ┆ format ┆    size ┆ events ┆ skipped ┆ first problem     │
        ╞══════╪════════╪═════════╪════════╪═════════╪═══════════════════╡
        │ a    ┆ json   ┆ 2.0 KiB ┆  1,234 ┆       0 ┆                   │
        │ b    ┆ json   ┆ 2.0 KiB ┆  1,234 ┆       1 ┆ line 17: not JSON │
        ╰──────┴────────┴─────────┴────────┴─────────┴───────────────────╯
        ");
    }
}
