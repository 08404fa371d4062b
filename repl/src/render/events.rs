//! Events one below another, for terminals on which a grid would show little of them: a line with number, time, host and
//! the kind of event, and the other fields as `name=value` below, the telling ones first.

use std::fmt::Write as _;

use spelunk_engine::values::Cell;

use super::{fit, order};
use crate::escape;

/// How many lines the fields of an event may take; `.show` has them all.
const LINES: usize = 4;
/// How many lines the first line becomes on a narrow terminal.
const TITLE_LINES: usize = 3;

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
        let kind = kind(of("Channel"), of("EventCode"), of("sourcetype"));
        let title = [Some(format!("[{number}]")), of("_time").map(str::to_owned), of("host").map(str::to_owned), kind];
        let title = title.into_iter().flatten().collect::<Vec<_>>().join(" ");
        for line in fit::wrap(&escape::line(&title), width, TITLE_LINES) {
            let _ = match colour {
                true => writeln!(out, "\x1b[1m{line}\x1b[0m"),
                false => writeln!(out, "{line}"),
            };
        }
        // The title says when, where and what.
        let shown = |name: &str| !["host", "EventCode"].contains(&name) && !name.starts_with('_');
        let mut told: Vec<_> = fields.iter().filter(|(name, _)| shown(name)).collect();
        told.sort_by_key(|(name, _)| order::of(name));
        let pairs: Vec<String> = told.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let body = escape::line(&pairs.join("  ")).into_owned();
        for line in fit::wrap(&body, width.saturating_sub(2), LINES) {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// What kind of event it is: `Sysmon/1`, `Security/4688`, else its sourcetype.
fn kind(channel: Option<&str>, code: Option<&str>, sourcetype: Option<&str>) -> Option<String> {
    match (channel, code) {
        (Some(channel), Some(code)) => {
            let short = channel.strip_prefix("Microsoft-Windows-").unwrap_or(channel);
            let short = short.split_once('/').map_or(short, |(name, _)| name);
            Some(format!("{short}/{code}"))
        }
        (None, Some(code)) => Some(code.to_owned()),
        (_, None) => sourcetype.map(str::to_owned),
    }
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

    #[test]
    fn windows_events_tell_their_kind() {
        let kind = |channel, code, sourcetype| super::kind(channel, code, sourcetype).unwrap_or_default();
        assert_eq!(kind(Some("Microsoft-Windows-Sysmon/Operational"), Some("1"), Some("x")), "Sysmon/1");
        assert_eq!(kind(Some("Security"), Some("4688"), None), "Security/4688");
        assert_eq!(kind(None, None, Some("syslog")), "syslog");
        assert_eq!(kind(None, None, None), "");
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
