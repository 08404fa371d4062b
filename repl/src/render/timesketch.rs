//! Events for Timesketch: each with `message`, `datetime` and `timestamp_desc`, which its importer asks for, and with
//! all other fields. A row without a time cannot stand on a timeline: it is left out and counted.

use std::io;

use spelunk_engine::values::Cell;

use super::RowRenderer;
use crate::report;
use crate::terminal;

/// How many fields the message of an event without a text of its own names.
const MESSAGE_FIELDS: usize = 8;
/// The columns that the importer asks for.
const REQUIRED: [&str; 3] = ["message", "datetime", "timestamp_desc"];

/// Turns rows into what another renderer writes for Timesketch.
pub struct Timesketch<R> {
    inner: R,
    columns: Vec<String>,
    /// The places of the fields that go along.
    kept: Vec<usize>,
    time: Option<usize>,
    message: Option<usize>,
    untimed: u64,
}

/// The columns that are written for these.
pub fn columns(columns: &[String]) -> Vec<String> {
    let others = columns.iter().filter(|name| !REQUIRED.contains(&name.as_str()) && *name != "_time").cloned();
    REQUIRED.iter().map(|name| (*name).to_owned()).chain(others).collect()
}

impl<R: RowRenderer> Timesketch<R> {
    /// For rows of these columns; the inner renderer has those of [`columns`].
    pub fn new(inner: R, columns: &[String]) -> Self {
        let place = |name: &str| columns.iter().position(|column| column == name);
        let kept = columns.iter().enumerate();
        let kept = kept.filter(|(_, name)| !REQUIRED.contains(&name.as_str()) && *name != "_time");
        Self {
            inner,
            kept: kept.map(|(position, _)| position).collect(),
            time: place("_time").or_else(|| place("datetime")),
            message: ["message", "_raw", "Message"].iter().find_map(|name| place(name)),
            columns: columns.to_vec(),
            untimed: 0,
        }
    }

    fn message(&self, row: &[Cell]) -> String {
        let text = |cell: &Cell| match cell {
            Cell::Null => None,
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text.clone()),
            Cell::Many(texts) => Some(texts.join(", ")),
        };
        if let Some(message) = self.message.and_then(|place| row.get(place)).and_then(text).filter(|m| !m.is_empty()) {
            return message;
        }
        let fields = self.kept.iter().filter_map(|place| Some((self.columns.get(*place)?, text(row.get(*place)?)?)));
        let fields = fields.filter(|(name, _)| !name.starts_with('_'));
        fields.take(MESSAGE_FIELDS).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

impl<R: RowRenderer> RowRenderer for Timesketch<R> {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        let time = match self.time.and_then(|place| row.get(place)) {
            Some(Cell::Time(time)) => time.clone(),
            Some(Cell::Text(text)) if text.parse::<jiff::Timestamp>().is_ok() => text.clone(),
            Some(Cell::Number(epoch)) if epoch.parse::<f64>().is_ok() => {
                let seconds = epoch.parse::<f64>().unwrap_or_default();
                match jiff::Timestamp::from_microsecond((seconds * 1e6) as i64) {
                    Ok(time) => time.to_string(),
                    Err(_) => return self.leave_out(),
                }
            }
            _ => return self.leave_out(),
        };
        let mut out = vec![Cell::Text(self.message(row)), Cell::Text(time), Cell::Text("Event Logged".to_owned())];
        out.extend(self.kept.iter().map(|place| row.get(*place).cloned().unwrap_or(Cell::Null)));
        self.inner.row(&out)
    }

    fn pause(&mut self) -> io::Result<()> {
        self.inner.pause()
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.untimed > 0 {
            let rows = report::count(self.untimed, "row");
            terminal::warning(&format!("{rows} without a time left out: Timesketch needs a _time"));
        }
        self.inner.finish()
    }
}

impl<R> Timesketch<R> {
    fn leave_out(&mut self) -> io::Result<()> {
        self.untimed = self.untimed.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv::Csv;
    use super::super::samples::names;
    use super::*;

    #[test]
    fn what_the_importer_asks_for_comes_first() {
        let given = names(&["_time", "Image", "host"]);
        let mut out = Vec::new();
        let csv = Csv::new(&mut out, &columns(&given), false).unwrap();
        let mut sketch = Timesketch::new(csv, &given);
        let time = Cell::Time("2019-05-12T12:52:43.123+00:00".into());
        sketch.row(&[time, Cell::Text("cmd.exe".into()), Cell::Text("A".into())]).unwrap();
        sketch.row(&[Cell::Null, Cell::Text("lost".into()), Cell::Null]).unwrap();
        sketch.finish().unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "message,datetime,timestamp_desc,Image,host\n\
             Image=cmd.exe host=A,2019-05-12T12:52:43.123+00:00,Event Logged,cmd.exe,A\n"
        );
    }
}
