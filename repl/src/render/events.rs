//! Events one below another, for terminals on which a grid would show little of them: a line with number, time and
//! host, and the other fields as `name=value` below.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::fit;
use crate::escape;

/// How many lines the fields of an event may take; `.show` has them all.
const LINES: usize = 4;
/// What is the same for most events, and says least.
const LAST: [&str; 4] = ["index", "source", "sourcetype", "linecount"];

/// Draws events.
pub fn draw(columns: &[String], rows: &[Vec<Cell>], width: usize, colour: bool) -> String {
    let mut out = String::new();
    for (number, row) in (1_u64..).zip(rows) {
        let text = |cell: &Cell| match cell {
            Cell::Null => None,
            Cell::Text(text) if text.is_empty() => Some("\"\"".to_owned()),
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text.clone()),
            Cell::Many(texts) => Some(texts.join("; ")),
        };
        let fields: Vec<(&String, String)> =
            columns.iter().zip(row).filter_map(|(name, cell)| Some((name, text(cell)?))).collect();
        let of = |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
        let title = [Some(format!("[{number}]")), of("_time").map(str::to_owned), of("host").map(str::to_owned)];
        let title = title.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let title = fit::cut_end(&escape::line(&title), width);
        let _ = match colour {
            true => writeln!(out, "\x1b[1m{title}\x1b[0m"),
            false => writeln!(out, "{title}"),
        };
        let shown = |name: &str| name != "_time" && name != "host" && !name.starts_with('_');
        let (last, first): (Vec<_>, Vec<_>) =
            fields.iter().filter(|(name, _)| shown(name)).partition(|(name, _)| LAST.contains(&name.as_str()));
        let pairs: Vec<String> = first.iter().chain(&last).map(|(name, value)| format!("{name}={value}")).collect();
        let body = escape::line(&pairs.join("  ")).into_owned();
        for line in fit::wrap(&body, width.saturating_sub(2), LINES) {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn number_time_and_host_come_first() {
        let columns = names(&["index", "_time", "host", "Image", "CommandLine", "User"]);
        let time = Cell::Time("2019-05-12T12:52:43.123Z".into());
        let row = vec![
            text("main"),
            time,
            text("A"),
            text(r"C:\Windows\System32\cmd.exe"),
            text("cmd /c \x1b[31m echo one two three four five six seven eight nine ten"),
            Cell::Null,
        ];
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(
                format!("events_{width}"),
                draw(&columns, std::slice::from_ref(&row), width, false)
            );
        }
    }

    proptest! {
        #[test]
        fn every_line_fits((columns, rows) in any_table(), width in 20usize..160) {
            for line in draw(&columns, &rows, width, false).lines() {
                prop_assert!(line.width() <= width, "{line}");
                prop_assert!(!line.chars().any(|c| crate::escape::is_unsafe(c) || c == '\t'), "{line:?}");
            }
        }
    }
}
