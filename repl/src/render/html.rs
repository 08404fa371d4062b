//! A page of HTML that needs nothing else: no script, no address, and every text of a log escaped.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spelunk_engine::values::Cell;

use super::RowRenderer;
use super::timeline::{self, Timeline};
use crate::escape;

/// What a page begins with. The policy forbids whatever could be loaded or run.
pub const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>spelunk</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 1.5em; display: flex; flex-direction: column; align-items: flex-start; }
table { border-collapse: collapse; }
th, td { border: 1px solid #ccc; padding: .2em .5em; text-align: left; vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: #eee; }
td.n { text-align: right; }
pre { background: #f6f6f6; padding: .5em; white-space: pre-wrap; }
ol { align-self: stretch; }
figure.timeline { margin: 0 0 1em; width: 100%; max-width: 70em; }
figure.timeline svg { display: block; width: 100%; height: 5em; border-bottom: 1px solid #ccc; }
figure.timeline rect { fill: #47a; }
figcaption { color: #555; }
body > table ~ figure.timeline { order: -1; }
</style></head><body>
";
/// What it ends with.
pub const FOOT: &str = "</body></html>\n";

/// Writes rows as a page with a table.
pub struct Html<W> {
    out: W,
    /// Where the rows are events: the place of their times, these, and their zone.
    timed: Option<(usize, Vec<i64>, TimeZone)>,
}

impl<W: Write> Html<W> {
    /// Writes the head of the page, and of the table.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(mut out: W, columns: &[String]) -> io::Result<Self> {
        out.write_all(HEAD.as_bytes())?;
        out.write_all(b"<table><thead><tr>")?;
        for name in columns {
            write!(out, "<th>{}</th>", text(name))?;
        }
        out.write_all(b"</tr></thead><tbody>\n")?;
        Ok(Self { out, timed: None })
    }

    /// The same with a timeline, where there are times among these columns.
    pub fn with_timeline(self, columns: &[String], zone: TimeZone) -> Self {
        let place = columns.iter().position(|name| name == "_time");
        Self { timed: place.map(|place| (place, Vec::new(), zone)), ..self }
    }
}

impl<W: Write> RowRenderer for Html<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        if let Some((place, times, _)) = &mut self.timed
            && let Some(Cell::Time(time)) = row.get(*place)
            && let Ok(time) = time.parse::<Timestamp>()
        {
            times.push(time.as_microsecond());
        }
        self.out.write_all(b"<tr>")?;
        for cell in row {
            match cell {
                Cell::Null => self.out.write_all(b"<td></td>")?,
                Cell::Number(value) => write!(self.out, "<td class=\"n\">{}</td>", text(value))?,
                Cell::Text(value) if value.is_empty() => self.out.write_all(b"<td>&quot;&quot;</td>")?,
                Cell::Text(value) | Cell::Time(value) => write!(self.out, "<td>{}</td>", text(value))?,
                Cell::Many(values) => {
                    let values: Vec<String> = values.iter().map(|value| text(value)).collect();
                    write!(self.out, "<td>{}</td>", values.join("<br>"))?;
                }
            }
        }
        self.out.write_all(b"</tr>\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(b"</tbody></table>\n")?;
        // Rows are written as they come, so it stands below them; the style moves it up.
        if let Some((_, times, zone)) = &self.timed
            && let Some(timeline) = Timeline::of(times, timeline::MOST, zone)
        {
            self.out.write_all(timeline.picture(zone).as_bytes())?;
        }
        self.out.write_all(FOOT.as_bytes())?;
        self.out.flush()
    }
}

/// Text that shows as itself, in an element as in an attribute.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in escape::lines(value).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples::{any_table, many, names, number};
    use super::*;
    use proptest::prelude::*;

    fn html(columns: &[String], rows: &[Vec<Cell>]) -> String {
        let mut out = Vec::new();
        let mut page = Html::new(&mut out, columns).unwrap();
        rows.iter().for_each(|row| page.row(row).unwrap());
        page.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn log_text_is_no_markup() {
        let row = vec![
            Cell::Text("</td><script>alert(1)</script>".into()),
            number("7"),
            many(&["a", "\" onload='x"]),
            Cell::Null,
        ];
        let shown = html(&names(&["<b>", "n", "m", "z"]), &[row]);
        let body = shown.strip_prefix(HEAD).unwrap();
        insta::assert_snapshot!(body);
    }

    #[test]
    fn events_have_a_timeline() {
        let columns = names(&["_time", "a"]);
        let mut out = Vec::new();
        let mut page = Html::new(&mut out, &columns).unwrap().with_timeline(&columns, TimeZone::UTC);
        for second in 1..4 {
            page.row(&[Cell::Time(format!("2024-05-24T10:00:0{second}Z")), number("1")]).unwrap();
        }
        page.finish().unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert_eq!(shown.matches("<rect ").count(), 3, "{shown}");
        assert!(shown.contains("2024-05-24 10:00:01 to 2024-05-24 10:00:03 · 3 events · 1 bar = "), "{shown}");
    }

    proptest! {
        #[test]
        fn only_our_own_elements((columns, rows) in any_table()) {
            let shown = html(&columns, &rows);
            let body = shown.strip_prefix(HEAD).unwrap().strip_suffix(FOOT).unwrap();
            for tag in body.split('<').skip(1) {
                let name: String = tag.chars().take_while(|c| *c != '>' && *c != ' ').collect();
                let known = ["table", "thead", "tbody", "tr", "th", "td", "br", "/table", "/thead", "/tbody", "/tr", "/th", "/td"];
                prop_assert!(known.contains(&name.as_str()), "{}", name);
            }
            prop_assert!(!body.chars().any(crate::escape::is_unsafe));
        }
    }
}
