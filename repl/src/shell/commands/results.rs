//! Looking at the last result again, and on from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use spelunk_engine::Language;
use spelunk_engine::ingest::{Location, index};
use spelunk_engine::time;
use spelunk_engine::values::{self, Cell, Value};
use spelunk_grammar::Span;
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind};

use super::{Done, Outcome, Shell, silent, usage};
use crate::escape;
use crate::exit::{self, Failure};
use crate::notebook::{self, Entry};
use crate::render::record;
use crate::search::Kept;
use crate::terminal;

fn kept(shell: &Shell) -> Result<Kept, Failure> {
    shell.sink.last().ok_or_else(|| Failure::Usage("there is no result yet".into()))
}

/// `.last`
pub fn last(shell: &Shell) -> Outcome {
    let kept = kept(shell)?;
    shell.sink.show(&kept, shell.session.context().time_zone)?;
    tell_cut(&kept);
    silent()
}

fn tell_cut(kept: &Kept) {
    if kept.cut {
        terminal::warning("the result was too large to keep: its first rows only");
    }
    if kept.ended {
        terminal::warning("the search was interrupted: perhaps not all of its rows");
    }
}

/// `.save`
pub fn save(shell: &Shell, rest: &str) -> Outcome {
    if rest.is_empty() {
        return usage(".save takes the name of a file");
    }
    let (kept, path) = (kept(shell)?, Path::new(rest));
    away_from_evidence(shell, path)?;
    shell.sink.save(&kept, path, shell.session.context().time_zone)?;
    tell_cut(&kept);
    let rows: usize = kept.batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
    Ok(Done::Said(format!("{} written to {}\n", crate::report::count(rows as u64, "row"), escape::line(rest))))
}

/// Nothing is written among what is searched.
fn away_from_evidence(shell: &Shell, path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().map_err(|error| exit::at(folder, &error))?;
    for input in shell.session.inputs() {
        let Location::Path(input) = input.location else { continue };
        let Ok(input) = input.canonicalize() else { continue };
        // A folder with all below it; of a file what lies beside it.
        let inside = match input.parent() {
            Some(beside) if !input.is_dir() => folder == beside,
            _ => folder.starts_with(&input),
        };
        if inside {
            let input = escape::line(&input.display().to_string()).into_owned();
            return usage(format!("{input} is searched, so nothing is written beside it: name another folder"));
        }
    }
    Ok(())
}

/// The batch with row N of the last result, counted from one, and the row's place in it.
fn row(shell: &Shell, number: &str) -> Result<(Kept, usize, usize), Failure> {
    let kept = kept(shell)?;
    let wanted = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let Some(wanted) = wanted else {
        return usage(format!("{} is no number of a row: they count from 1", escape::line(number)));
    };
    let mut left = wanted;
    for (position, batch) in kept.batches.iter().enumerate() {
        if left < batch.num_rows() {
            return Ok((kept, position, left));
        }
        left = left.saturating_sub(batch.num_rows());
    }
    let rows = crate::report::count(kept.rows, "row");
    usage(format!("there is no row {}: the last result has {rows}", escape::line(number)))
}

/// `.show`
pub fn show(shell: &Shell, rest: &str) -> Outcome {
    let (kept, batch, row) = row(shell, rest)?;
    let zone = shell.session.context().time_zone;
    let cells: Vec<Cell> = kept
        .batches
        .get(batch)
        .map_or_else(Vec::new, |batch| batch.columns().iter().map(|column| values::cell(column, row, &zone)).collect());
    let number = rest.parse().unwrap_or(1);
    let (width, colour) = (terminal::stdout_width(), terminal::stdout_colour());
    Ok(Done::Said(record::draw(number, &kept.columns(), &cells, width, kept.events, colour)))
}

/// The text of a field in a row of the last result.
fn cell(kept: &Kept, batch: usize, row: usize, field: &str, zone: &jiff::tz::TimeZone) -> Option<Cell> {
    let column = kept.batches.get(batch)?.column_by_name(field)?;
    Some(values::cell(column, row, zone)).filter(|cell| *cell != Cell::Null)
}

/// `.context`
pub async fn around(shell: &mut Shell, rest: &str) -> Outcome {
    let (number, span) = rest.split_once(char::is_whitespace).unwrap_or((rest, "5m"));
    let (kept, batch, row) = row(shell, number)?;
    let around = time::span(span.trim()).map_err(|why| Failure::Usage(format!("{}: {why}", escape::line(span))))?;
    let zone = shell.session.context().time_zone;
    let column = kept.batches.get(batch).and_then(|batch| batch.column_by_name("_time"));
    let time = column.and_then(|column| {
        let times = arrow::array::AsArray::as_primitive_opt::<arrow::datatypes::TimestampMicrosecondType>(column);
        match times {
            Some(times) => times.iter().nth(row).flatten(),
            None => time::microseconds(Value::read(column.as_ref(), row).number()?),
        }
    });
    let Some(time) = time else { return usage("the row has no _time") };
    let host = match cell(&kept, batch, row, "host", &zone) {
        Some(Cell::Text(host)) if !host.contains('*') => format!(" host={}", quoted(&host)),
        _ => String::new(),
    };
    let [from, to] = [time.saturating_sub(around), time.saturating_add(around).saturating_add(1)]
        .map(|time| format!("{}.{:06}", time.div_euclid(1_000_000), time.rem_euclid(1_000_000)));
    let query = format!("search earliest={from} latest={to}{host} | sort 0 _time");
    Ok(Done::Searched(shell.search_in(Language::Spl, &query).await))
}

/// `.drill`
pub async fn drill(shell: &mut Shell, rest: &str) -> Outcome {
    let Some((number, field)) = rest.split_once(char::is_whitespace) else {
        return usage(".drill takes the number of a row and a field, such as `.drill 3 Image`");
    };
    let field = field.trim();
    let (kept, batch, row) = row(shell, number)?;
    let zone = shell.session.context().time_zone;
    let Some(value) = cell(&kept, batch, row, field, &zone) else {
        let columns = kept.columns();
        let near = spelunk_engine::suggest::nearest(field, columns.iter().map(String::as_str));
        let help = near.map_or(String::new(), |near| format!(": did you mean {near}?"));
        return usage(format!("row {} has no {}{help}", escape::line(number), escape::line(field)));
    };
    let Some(condition) = condition(kept.language, field, &value) else {
        return usage("that value cannot be searched for exactly: use .context, or write the search");
    };
    let query = format!("{} | {condition}", kept.query.trim_end().trim_end_matches(';'));
    terminal::say(&escape::lines(&query));
    Ok(Done::Searched(shell.search_in(kept.language, &query).await))
}

/// The condition that a field has this value.
fn condition(language: Language, field: &str, value: &Cell) -> Option<String> {
    let literal = match value {
        Cell::Number(number) => ExpressionKind::Number(number.clone()),
        Cell::Text(text) => ExpressionKind::String(text.clone()),
        Cell::Null | Cell::Time(_) | Cell::Many(_) => return None,
    };
    match language {
        Language::Spl => {
            let expression = |kind| Expression { kind, span: Span::default() };
            let field = expression(ExpressionKind::Field(field.to_owned()));
            let equal = ExpressionKind::Binary(BinaryOperator::Equal, Box::new(field), Box::new(expression(literal)));
            Some(format!("where {}", expression(equal)))
        }
        Language::LogScale => match value {
            Cell::Number(text) | Cell::Text(text) if !text.contains('*') => Some(format!("{field}={}", quoted(text))),
            _ => None,
        },
    }
}

/// In double quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `.note`
pub fn note(shell: &mut Shell, rest: &str) -> Outcome {
    if rest.is_empty() {
        return usage(".note takes what the report of the session is to say");
    }
    shell.logged.push(Entry::Noted { text: rest.to_owned(), at: Timestamp::now() });
    silent()
}

/// `.report`
pub async fn report(shell: &Shell, rest: &str) -> Outcome {
    let path = PathBuf::from(rest);
    let html = match path.extension().and_then(|ending| ending.to_str()) {
        Some("md") => false,
        Some("html") => true,
        _ => return usage(".report takes the name of a file that ends in .md or .html"),
    };
    away_from_evidence(shell, &path)?;
    let session = Arc::clone(&shell.session);
    let read = shell.session.load().await.map_err(|error| Failure::Search(error, String::new()))?;
    let entries = shell.logged.clone();
    let working = move || async move {
        let hashes = read.files.iter().map(|file| (file.clone(), index::digest(Path::new(&file.path)).ok())).collect();
        notebook::Notebook { at: Timestamp::now(), zone: session.context().time_zone, files: hashes, entries }
    };
    let notebook = shell.interrupt.guard(working).await?;
    let text = if html { notebook::html(&notebook) } else { notebook::markdown(&notebook) };
    let mut file = std::fs::File::create_new(&path).map_err(|error| exit::at(&path, &error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| exit::at(&path, &error))?;
    Ok(Done::Said(format!("written to {}\n", escape::line(rest))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_for_their_value_only() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let spl = |field: &str, value: &Cell| condition(Language::Spl, field, value).unwrap();
        for value in [r#"C:\Windows\"x".exe"#, "a*b", "\\", "| delete"] {
            let written = format!("| makeresults | {}", spl("Process Name", &text(value)));
            let parsed = spelunk_grammar::spl::parse(&written).unwrap();
            assert!(format!("{parsed:?}").contains(&format!("{:?}", ExpressionKind::String(value.to_owned()))));
        }
        assert_eq!(spl("n", &Cell::Number("5".into())), "where n = 5");
        assert_eq!(condition(Language::LogScale, "n", &text("a*")), None);
    }
}
