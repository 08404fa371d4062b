//! A page of HTML that needs nothing else: no script, no address, and every text of a log escaped.

use std::io::{self, Write};

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::escape;

/// What a page begins with. The policy forbids whatever could be loaded or run.
pub const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>spelunk</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 1.5em; }
table { border-collapse: collapse; }
th, td { border: 1px solid #ccc; padding: .2em .5em; text-align: left; vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: #eee; }
td.n { text-align: right; }
pre { background: #f6f6f6; padding: .5em; white-space: pre-wrap; }
</style></head><body>
";
/// What it ends with.
pub const FOOT: &str = "</body></html>\n";

/// Writes rows as a page with a table.
pub struct Html<W> {
    out: W,
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
        Ok(Self { out })
    }
}

impl<W: Write> RowRenderer for Html<W> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
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
