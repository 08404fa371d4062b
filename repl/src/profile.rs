//! What each command of a search took, for people.

use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt;
use spelunk_engine::watch::profile::{Line, Share};
use spelunk_engine::{Error, Language, Session};

use crate::escape;
use crate::exit::Failure;
use crate::render::fit;
use crate::report;

/// How many lines the commands of one measured part may take.
const COMMAND_LINES: usize = 4;
/// And the notes below.
const NOTE_LINES: usize = 16;
/// In less room, the commands stand below their figures.
const NARROW: usize = 60;

/// What was measured of a search.
pub struct Measured {
    lines: Vec<Line>,
    read: Duration,
    plan: Duration,
}

impl Measured {
    /// For people, in lines of that width.
    pub fn render(&self, width: usize) -> String {
        render(&self.lines, self.read, self.plan, width)
    }
}

/// Runs a search to its end, and keeps what its commands took. Nothing is written.
///
/// # Errors
/// Whatever stops it.
pub async fn run(session: &Session, language: Language, text: &str) -> Result<Measured, Failure> {
    let failed = |error: Error| Failure::Search(error, text.to_owned());
    let mut search = session.probe(language, text).await.map_err(failed)?;
    while let Some(batch) = search.stream.next().await {
        batch.map_err(|error| failed(error.into()))?;
    }
    Ok(Measured { lines: search.profile.lines(), read: search.read_time, plan: search.plan_time })
}

/// A table of the phases and the measured parts, in lines of that width.
pub fn render(lines: &[Line], read: Duration, plan: Duration, width: usize) -> String {
    let mut rows = vec![Row::head()];
    rows.push(Row { rows: String::new(), busy: milliseconds(read), text: "(reading the logs)".to_owned() });
    rows.push(Row { rows: String::new(), busy: milliseconds(plan), text: "(planning)".to_owned() });
    rows.extend(lines.iter().map(Row::of));
    let widest = |of: fn(&Row) -> &str| rows.iter().map(|row| fit::width(of(row))).max().unwrap_or(0);
    let (first, second) = (widest(|row| &row.rows), widest(|row| &row.busy));
    let narrow = width < NARROW;
    let indent = if narrow { 2 } else { first.saturating_add(second).saturating_add(4) };
    let mut out = String::new();
    for row in &rows {
        let figures = format!("{:>first$}  {:>second$}", row.rows, row.busy);
        let commands = fit::wrap(&row.text, width.saturating_sub(indent).max(1), COMMAND_LINES);
        let mut commands = commands.iter();
        let beside = if narrow { String::new() } else { format!("  {}", commands.next().map_or("", String::as_str)) };
        let _ = writeln!(out, "{}", fit::cut_end(format!("{figures}{beside}").trim_end(), width));
        for command in commands {
            let _ = writeln!(out, "{}", fit::cut_end(&format!("{:indent$}{command}", ""), width));
        }
    }
    let divided = lines.iter().flat_map(|line| &line.commands).any(|share| share.divided);
    let mut notes = vec!["time: all cores added up, reading and planning apart"];
    if divided {
        notes.push("…: a part of the command, the others are in other lines");
    }
    if lines.iter().any(|line| line.commands.len() > 1) {
        notes.push("commands in one line run as one");
    }
    for line in fit::wrap(&notes.join("; "), width.max(1), NOTE_LINES) {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A line of the table.
struct Row {
    rows: String,
    busy: String,
    text: String,
}

impl Row {
    fn head() -> Self {
        Row { rows: "rows".to_owned(), busy: "ms".to_owned(), text: "command".to_owned() }
    }

    fn of(line: &Line) -> Self {
        let shown = |share: &Share| match share.divided {
            true => format!("{} …", share.text),
            false => share.text.clone(),
        };
        let mut text = line.commands.iter().map(shown).collect::<Vec<_>>().join(" | ");
        if let Some(by) = &line.ahead {
            let what = if text.is_empty() { "what it needs to know".to_owned() } else { text };
            text = match by.is_empty() {
                true => what,
                false => format!("({by} ran ahead) {what}"),
            };
        }
        if text.is_empty() {
            "(the search)".clone_into(&mut text);
        }
        Row {
            rows: report::thousands(line.rows),
            busy: milliseconds(line.busy),
            text: escape::line(&text).into_owned(),
        }
    }
}

/// `1,234.5`
fn milliseconds(time: Duration) -> String {
    let tenths = u64::try_from(time.as_micros() / 100).unwrap_or(u64::MAX);
    format!("{}.{}", report::thousands(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn line(texts: &[&str], rows: u64, micros: u64, ahead: Option<&str>) -> Line {
        let share =
            |text: &&str| Share { text: (*text).to_owned(), span: Default::default(), divided: texts.len() > 1 };
        let busy = Duration::from_micros(micros);
        Line { commands: texts.iter().map(share).collect(), rows, busy, ahead: ahead.map(str::to_owned) }
    }

    fn some() -> Vec<Line> {
        vec![
            line(&[], 4, 1500, Some("append")),
            line(
                &["search EventCode=1 Image=*\x1b[31m.exe", "eval a = lower(Image)", "stats count BY a"],
                1_200_000,
                81_234,
                None,
            ),
            line(&["stats count BY a"], 12, 9_900, None),
        ]
    }

    #[test]
    fn every_width() {
        for width in [20, 40, 80, 200] {
            let shown = render(&some(), Duration::from_millis(1200), Duration::from_millis(7), width);
            insta::assert_snapshot!(format!("profile_{width}"), shown);
        }
    }

    proptest! {
        #[test]
        fn every_line_fits(text in any::<String>(), width in 2usize..160) {
            let lines = [line(&[&text, "b"], 7, 12, None), line(&[], 1, 1, Some(&text))];
            for line in render(&lines, Duration::ZERO, Duration::ZERO, width).lines() {
                prop_assert!(line.width() <= width, "{line:?}");
                prop_assert!(!line.chars().any(crate::escape::is_unsafe), "{line:?}");
            }
        }
    }
}
