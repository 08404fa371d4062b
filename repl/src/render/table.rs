//! The table view: a grid where the columns fit, records where they do not.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_engine::values::Cell;

use super::{RowRenderer, events, fit, grid, record, timeline};
use crate::report;

/// How many rows of a result are shown on a terminal of the shell.
pub const SHELL_ROWS: usize = 200;
/// How many rows are shown elsewhere: the grid is drawn when the last row is known.
pub const ROWS: usize = 10_000;
/// How many lines the names of columns that are not shown may take.
const FOOTER_LINES: usize = 3;

/// The name of the column that counts the rows.
const NUMBER: &str = "#";

/// A narrower grid would show little of an event but when and where: events are listed there.
pub const LIST: usize = 120;

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// As there is room: a grid, records where it does not fit, a list of raw events.
    Auto,
    /// A grid; of columns that do not fit only the names.
    Grid,
    /// One field a line.
    Records,
    /// One row after the other, the telling fields first, cut after a few lines.
    List,
}

/// The views and their names.
pub const VIEWS: [(&str, View); 4] =
    [("auto", View::Auto), ("grid", View::Grid), ("records", View::Records), ("list", View::List)];

/// What the table has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The width of the terminal; `None` where nothing needs to be cut.
    pub width: Option<usize>,
    /// With colours.
    pub colour: bool,
    /// How many rows are shown at most.
    pub rows: usize,
    /// Whether the rows are raw events, of which the columns that fit are shown.
    pub events: bool,
    /// Whether events are numbered, for commands that take the number of a row.
    pub numbered: bool,
    /// How rows are laid out.
    pub view: View,
}

/// Collects rows and draws them.
pub struct Table<W> {
    out: W,
    columns: Vec<String>,
    look: Look,
    /// The terminal's width, where it is less than what a table is laid out for.
    narrow: Option<usize>,
    drawn: String,
    rows: Vec<Vec<Cell>>,
    total: u64,
    /// Where events get a timeline above them: the place of their times, these, and their zone.
    timed: Option<(usize, Vec<i64>, TimeZone)>,
}

impl<W: Write> Table<W> {
    /// A table of these columns.
    pub fn new(out: W, columns: Vec<String>, look: Look) -> Self {
        let narrow = look.width.filter(|width| *width < fit::LEAST);
        let width = look.width.map(|width| width.max(fit::LEAST));
        let look = Look { width, colour: look.colour && narrow.is_none(), ..look };
        Self { out, columns, look, narrow, drawn: String::new(), rows: Vec::new(), total: 0, timed: None }
    }

    /// The same with a timeline above, where the rows are events.
    pub fn with_timeline(mut self, zone: TimeZone) -> Self {
        let place = self.columns.iter().position(|name| name == "_time");
        self.timed = place.filter(|_| self.look.events).map(|place| (place, Vec::new(), zone));
        self
    }

    fn footer(&mut self, text: &str) {
        for line in fit::wrap(text, self.look.width.unwrap_or(usize::MAX), FOOTER_LINES) {
            self.drawn.push_str(&line);
            self.drawn.push('\n');
        }
    }

    fn records(&mut self) {
        let Look { width, colour, events, .. } = self.look;
        for (number, row) in (1..).zip(&self.rows) {
            self.drawn.push_str(&record::draw(number, &self.columns, row, width, events, colour));
        }
    }
}

impl<W: Write> RowRenderer for Table<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.total += 1;
        if let Some((place, times, _)) = &mut self.timed
            && let Some(Cell::Time(time)) = row.get(*place)
            && let Ok(time) = time.parse::<Timestamp>()
        {
            times.push(time.as_microsecond());
        }
        if self.rows.len() < self.look.rows {
            self.rows.push(row.to_vec());
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Look { width, colour, events, numbered, view, .. } = self.look;
        let listed = match view {
            View::Auto => events && width.is_some_and(|width| width < LIST),
            View::List => true,
            View::Grid | View::Records => false,
        };
        if numbered && events && !listed && view != View::Records {
            self.columns.insert(0, NUMBER.to_owned());
            for (number, row) in (1_u64..).zip(&mut self.rows) {
                row.insert(0, Cell::Number(number.to_string()));
            }
        }
        if let Some((_, times, zone)) = self.timed.take() {
            self.drawn.push_str(&timeline::draw(&times, width.unwrap_or(80), false, &zone));
        }
        if listed {
            self.drawn.push_str(&events::draw(&self.columns, &self.rows, width.unwrap_or(LIST), colour));
        } else if view == View::Records {
            self.records();
        } else if events || view == View::Grid {
            match grid::draw_some(&self.columns, &self.rows, width, colour) {
                Some((drawn, rest)) => {
                    self.drawn.push_str(&drawn);
                    if !rest.is_empty() {
                        let names = rest.join(", ");
                        self.footer(&format!("+{}: {names}", report::count(rest.len() as u64, "more column")));
                    }
                }
                None => self.records(),
            }
        } else if !self.columns.is_empty() {
            match grid::draw(&self.columns, &self.rows, width, colour) {
                Some(drawn) => self.drawn.push_str(&drawn),
                None => self.records(),
            }
        }
        let shown = self.rows.len() as u64;
        if shown < self.total {
            let total = report::count(self.total, "row");
            let shown = report::thousands(shown);
            self.footer(&format!("the first {shown} of {total}; other forms (--output csv, jsonl) have them all"));
        }
        let drawn = std::mem::take(&mut self.drawn);
        match self.narrow {
            Some(cells) => self.out.write_all(fit::narrow(&drawn, cells).as_bytes())?,
            None => self.out.write_all(drawn.as_bytes())?,
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::*;
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn table(columns: &[String], rows: &[Vec<Cell>], look: Look) -> String {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, columns.to_vec(), look);
        for row in rows {
            table.row(row).unwrap();
        }
        table.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    const LOOK: Look =
        Look { width: Some(60), colour: false, rows: 100, events: false, numbered: false, view: View::Auto };

    #[test]
    fn too_many_columns_become_records() {
        let columns: Vec<String> = (0..8).map(|n| format!("column_number_{n}")).collect();
        let rows = [columns.iter().map(|name| text(name)).collect()];
        let shown = table(&columns, &rows, LOOK);
        assert!(shown.starts_with("── 1 ──"), "{shown}");
        assert!(shown.contains("column_number_7  column_number_7"), "{shown}");
    }

    #[test]
    fn views_are_chosen() {
        let columns = names(&["a", "b"]);
        let rows = [vec![text("x"), number("1")]];
        let shown = |view| table(&columns, &rows, Look { view, ..LOOK });
        assert!(shown(View::Grid).contains("│ a ┆ b │"));
        assert!(shown(View::Records).starts_with("── 1 ──"));
        assert_eq!(shown(View::List), "[1]\n  a=x  b=1\n");
        assert_eq!(shown(View::Auto), shown(View::Grid));
    }

    #[test]
    fn events_show_what_fits_and_name_the_rest() {
        let columns: Vec<String> = (0..8).map(|n| format!("column_number_{n}")).collect();
        let rows = [columns.iter().map(|name| text(name)).collect()];
        let shown = table(&columns, &rows, Look { events: true, view: View::Grid, ..LOOK });
        assert!(shown.starts_with("╭──"), "{shown}");
        assert!(shown.contains("+5 more columns: column_number_3, "), "{shown}");
        assert!(shown.lines().all(|line| line.width() <= 60), "{shown}");
    }

    #[test]
    fn rows_that_are_not_shown_are_counted() {
        let rows: Vec<Vec<Cell>> = (0..5).map(|n| vec![number(&n.to_string())]).collect();
        let shown = table(&names(&["n"]), &rows, Look { rows: 2, width: None, ..LOOK });
        assert!(shown.ends_with("the first 2 of 5 rows; other forms (--output csv, jsonl) have them all\n"), "{shown}");
    }

    #[test]
    fn every_width_has_its_form() {
        let columns = names(&["_time", "host", "Image", "ParentImage", "CommandLine", "n"]);
        let row = |n: &str| {
            let time = Cell::Time("2019-05-12T12:52:43.123Z".into());
            let image = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe";
            vec![time, text("A"), text(image), text(image), text("powershell -nop\x1b[31m -w hidden"), number(n)]
        };
        let rows = [row("1"), row("22")];
        for width in [20, 40, 80, 200] {
            let look = Look { width: Some(width), ..LOOK };
            insta::assert_snapshot!(format!("table_{width}"), table(&columns, &rows, look));
            let look = Look { events: true, numbered: true, ..look };
            insta::assert_snapshot!(format!("events_table_{width}"), table(&columns, &rows, look));
        }
    }

    #[test]
    fn an_empty_result_has_its_header() {
        assert!(table(&names(&["a", "b"]), &[], LOOK).contains("│ a ┆ b │"));
        assert_eq!(table(&names(&["a", "b"]), &[], Look { events: true, ..LOOK }), "");
        assert_eq!(table(&[], &[], LOOK), "");
    }

    proptest! {
        #[test]
        fn every_line_fits(
            (columns, rows) in any_table(),
            width in 0usize..160,
            events in any::<bool>(),
            view in prop::sample::select(VIEWS.map(|(_, view)| view).to_vec()),
        ) {
            let shown = table(&columns, &rows, Look { width: Some(width), rows: 4, events, numbered: events, view, ..LOOK });
            for line in shown.lines() {
                prop_assert!(line.width() <= width.max(1), "{line}");
                prop_assert!(!line.chars().any(escape_or_tab), "{line:?}");
            }
        }
    }

    fn escape_or_tab(c: char) -> bool {
        crate::escape::is_unsafe(c) || c == '\t'
    }
}
