//! A record view: one field a line, for rows that are too wide for a grid. Nothing is cut.

use spelunk_engine::values::Cell;

use super::fit;
use crate::escape;

/// No value gets fewer cells than this, however narrow the terminal says it is.
const LEAST: usize = 8;

/// Draws one row under a line with its number. Null fields are left out with `skip_null`.
pub fn draw(
    number: usize,
    columns: &[String],
    row: &[Cell],
    width: Option<usize>,
    skip_null: bool,
    colour: bool,
) -> String {
    let names: Vec<String> = columns.iter().map(|name| escape::line(name).into_owned()).collect();
    let longest = names.iter().map(|name| fit::width(name)).max().unwrap_or(0);
    let name_cells = longest.min(width.map_or(usize::MAX, |width| (width / 3).max(LEAST)));
    let value_cells = width.map_or(usize::MAX, |width| width.saturating_sub(name_cells + 2).max(LEAST));

    let title = format!("── {number} ");
    let rule = width.unwrap_or(80).min(80).saturating_sub(fit::width(&title));
    let mut out = title + &"─".repeat(rule) + "\n";
    for (name, cell) in names.iter().zip(row) {
        if skip_null && *cell == Cell::Null {
            continue;
        }
        let name = fit::cut_middle(name, name_cells);
        let padding = " ".repeat(name_cells.saturating_sub(fit::width(&name)));
        let name = if colour { format!("\x1b[1m{name}\x1b[0m") } else { name };
        for (position, line) in lay_out(cell, value_cells).iter().enumerate() {
            match position {
                0 => out.push_str(&format!("{name}{padding}  {line}")),
                _ => out.push_str(&format!("{}  {line}", " ".repeat(name_cells))),
            }
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
    }
    out
}

fn lay_out(cell: &Cell, width: usize) -> Vec<String> {
    let wrapped = |text: &str| -> Vec<String> {
        if text.is_empty() {
            return vec!["\"\"".to_owned()];
        }
        escape::lines(text).split('\n').flat_map(|line| fit::wrap(line, width, usize::MAX)).collect()
    };
    match cell {
        Cell::Null => vec![String::new()],
        Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => wrapped(text),
        Cell::Many(values) if values.is_empty() => vec![String::new()],
        Cell::Many(values) => values.iter().flat_map(|value| wrapped(value)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn one_field_a_line() {
        let row = [
            Cell::Time("2019-05-12T12:52:43.123+00:00".into()),
            Cell::Null,
            text("powershell -nop -w hidden -c calc"),
            many(&["a", "b"]),
            text("first\r\nsecond\x07"),
        ];
        let columns = names(&["_time", "User", "CommandLine", "values(x)", "Message"]);
        insta::assert_snapshot!(draw(3, &columns, &row, Some(40), false, false), @"
        ── 3 ───────────────────────────────────
        _time        2019-05-12T12:52:43.123+00:
                     00
        User
        CommandLine  powershell -nop -w hidden
                     -c calc
        values(x)    a
                     b
        Message      first
                     second␇
        ");
        assert!(!draw(3, &columns, &row, Some(40), true, false).contains("User"));
    }

    #[test]
    fn every_width() {
        let columns = names(&["_time", "User", "CommandLine", "values(x)", "a_rather_long_name_of_a_field"]);
        let time = Cell::Time("2019-05-12T12:52:43.123+00:00".into());
        let row = [time, Cell::Null, text("powershell -nop\x1b[31m -w hidden"), many(&["a", "世界"]), number("42")];
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(format!("record_{width}"), draw(1, &columns, &row, Some(width), false, false));
        }
    }

    proptest! {
        #[test]
        fn every_line_fits((columns, rows) in any_table(), width in 20usize..160) {
            for row in rows {
                for line in draw(1, &columns, &row, Some(width), false, false).lines() {
                    prop_assert!(line.width() <= width, "{line}");
                    prop_assert!(!line.chars().any(|c| escape::is_unsafe(c) || c == '\t'), "{line:?}");
                }
            }
        }
    }
}
