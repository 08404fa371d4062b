//! What fields rows have: Splunk's field sidebar.

use std::collections::HashMap;
use std::fmt::Write as _;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use jiff::tz::TimeZone;
use spelunk_engine::values::{self, Cell, Value};

use crate::escape;
use crate::render::{fit, grid};
use crate::report;

/// How many distinct values of a field are counted one by one.
const DISTINCT: usize = 10_000;
/// How many values of one field are shown.
const TOP: usize = 20;
/// How wide the bar of the most frequent value is.
const BAR: usize = 20;

/// What is known of the fields of rows.
#[derive(Debug, Default)]
pub struct Fields {
    rows: u64,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: String,
    kind: &'static str,
    /// How many rows have a value.
    present: u64,
    counts: HashMap<String, u64>,
    /// Whether some values were not counted, because there are too many.
    more: bool,
    numbers: u64,
    sum: f64,
    least: f64,
    most: f64,
}

impl Fields {
    /// Looks at more rows.
    pub fn add(&mut self, batch: &RecordBatch, zone: &TimeZone) {
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        for (column, field) in batch.columns().iter().zip(batch.schema().fields()) {
            let position = self.fields.iter().position(|known| known.name == *field.name());
            let position = position.unwrap_or_else(|| {
                self.fields.push(Field::new(field.name(), field.data_type()));
                self.fields.len().saturating_sub(1)
            });
            let Some(known) = self.fields.get_mut(position) else { continue };
            for row in 0..batch.num_rows() {
                if known.kind == "time" {
                    if let Cell::Time(time) = values::cell(column, row, zone) {
                        known.present = known.present.saturating_add(1);
                        known.count(&time);
                    }
                    continue;
                }
                match Value::read(column.as_ref(), row) {
                    Value::Null => {}
                    Value::Many(texts) if texts.is_empty() => {}
                    Value::Many(texts) => {
                        known.present = known.present.saturating_add(1);
                        known.kind = "multivalue";
                        texts.iter().for_each(|text| known.count(text));
                    }
                    value => {
                        known.present = known.present.saturating_add(1);
                        if let Some(number) = value.number().filter(|number| number.is_finite()) {
                            known.numbers = known.numbers.saturating_add(1);
                            known.sum += number;
                            known.least = known.least.min(number);
                            known.most = known.most.max(number);
                        }
                        if let Some(text) = value.text() {
                            known.count(&text);
                        }
                    }
                }
            }
        }
    }

    /// One row a field, those that most rows have first; fields without a value are left out.
    pub fn table(&self) -> ([String; 6], Vec<Vec<Cell>>) {
        let mut shown: Vec<&Field> = self.fields.iter().filter(|field| field.present > 0).collect();
        shown.sort_by(|a, b| b.present.cmp(&a.present).then(a.name.cmp(&b.name)));
        let columns = ["field", "coverage", "distinct", "type", "top value", "share"].map(str::to_owned);
        let rows: Vec<Vec<Cell>> = shown
            .iter()
            .map(|field| {
                let top = field.top().into_iter().next();
                let share = top.map_or(Cell::Null, |(_, count)| Cell::Number(percent(count, field.present)));
                vec![
                    Cell::Text(field.name.clone()),
                    Cell::Number(percent(field.present, self.rows)),
                    Cell::Number(field.distinct()),
                    Cell::Text(field.kind().to_owned()),
                    top.map_or(Cell::Null, |(value, _)| Cell::Text(value.to_owned())),
                    share,
                ]
            })
            .collect();
        (columns, rows)
    }

    /// The same for people.
    pub fn render(&self, width: Option<usize>, colour: bool) -> String {
        let (columns, rows) = self.table();
        if rows.is_empty() {
            return "no fields\n".to_owned();
        }
        // What is left on a narrow terminal is the fields and how many rows have them.
        for most in [columns.len(), 5, 3, 2, 1] {
            let names: Vec<String> = columns.iter().take(most).cloned().collect();
            let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().take(most).cloned().collect()).collect();
            if let Some(drawn) = grid::draw(&names, &rows, width, colour) {
                return drawn;
            }
        }
        let names = rows.iter().filter_map(|row| match row.first() {
            Some(Cell::Text(name)) => Some(fit::cut_end(&escape::line(name), width.unwrap_or(80)) + "\n"),
            _ => None,
        });
        names.collect()
    }

    /// The most frequent values of one field; the error names a near one.
    ///
    /// # Errors
    /// A field that no row has.
    pub fn render_one(&self, name: &str, width: Option<usize>) -> Result<String, String> {
        let Some(field) = self.fields.iter().find(|field| field.name == name && field.present > 0) else {
            let known = self.fields.iter().filter(|field| field.present > 0).map(|field| field.name.as_str());
            let near = spelunk_engine::suggest::nearest(name, known);
            let help = near.map_or(String::new(), |near| format!(": did you mean {near}?"));
            return Err(format!("no row has a field {}{help}", escape::line(name)));
        };
        let width = width.unwrap_or(100).max(20);
        let mut out = String::new();
        let title = format!(
            "{}: {} of rows, {} distinct, {}",
            escape::line(name),
            percent(field.present, self.rows),
            field.distinct(),
            field.kind()
        );
        for line in fit::wrap(&title, width, 3) {
            let _ = writeln!(out, "{line}");
        }
        if field.numbers == field.present {
            let mean = field.sum / field.numbers.max(1) as f64;
            let numbers = [field.least, mean, field.most].map(values::format_number);
            let [least, mean, most] = &numbers;
            let line = format!("least {least} · mean {mean} · most {most}");
            for line in fit::wrap(&line, width, 3) {
                let _ = writeln!(out, "{line}");
            }
        }
        let top = field.top();
        let most = top.first().map_or(1, |(_, count)| *count).max(1);
        let digits = report::thousands(most).len();
        let bar = if width >= 60 { BAR } else { 0 };
        for (value, count) in top.iter().take(TOP) {
            let length = (*count as f64 / most as f64 * bar as f64).ceil() as usize;
            let bars = format!("{}{}", "█".repeat(length.min(bar)), " ".repeat(bar.saturating_sub(length)));
            let value = if value.is_empty() { "\"\"".into() } else { escape::line(value) };
            let counted =
                format!("{:>digits$} {:>6} {bars} ", report::thousands(*count), percent(*count, field.present));
            // Of a path the end says more than the beginning.
            let value = fit::cut_middle(&value, width.saturating_sub(fit::width(&counted)));
            let _ = writeln!(out, "{}", fit::cut_end(&(counted + &value), width));
        }
        if top.len() > TOP {
            let _ =
                writeln!(out, "{}", fit::cut_end(&format!("… {} more values", top.len().saturating_sub(TOP)), width));
        }
        Ok(out)
    }
}

impl Field {
    fn new(name: &str, data_type: &DataType) -> Self {
        let kind = match data_type {
            DataType::Timestamp(..) => "time",
            kind if kind.is_numeric() => "number",
            DataType::Boolean => "boolean",
            DataType::List(_) => "multivalue",
            _ => "text",
        };
        Self {
            name: name.to_owned(),
            kind,
            present: 0,
            counts: HashMap::new(),
            more: false,
            numbers: 0,
            sum: 0.0,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }

    fn count(&mut self, text: &str) {
        if let Some(count) = self.counts.get_mut(text) {
            *count = count.saturating_add(1);
        } else if self.counts.len() < DISTINCT {
            self.counts.insert(text.to_owned(), 1);
        } else {
            self.more = true;
        }
    }

    fn kind(&self) -> &'static str {
        if self.kind == "text" && self.numbers == self.present { "number" } else { self.kind }
    }

    fn distinct(&self) -> String {
        let count = report::thousands(self.counts.len() as u64);
        if self.more { format!("{count}+") } else { count }
    }

    fn top(&self) -> Vec<(&str, u64)> {
        let mut top: Vec<(&str, u64)> = self.counts.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        top
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}%", part as f64 * 100.0 / whole.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use proptest::prelude::*;
    use std::sync::Arc;
    use unicode_width::UnicodeWidthStr;

    fn fields(texts: Vec<Option<String>>) -> Fields {
        let numbers: Vec<i64> = (0..).take(texts.len()).collect();
        let columns: [(&str, ArrayRef); 2] =
            [("Image", Arc::new(StringArray::from(texts)) as _), ("n", Arc::new(Int64Array::from(numbers)) as _)];
        let mut fields = Fields::default();
        fields.add(&RecordBatch::try_from_iter(columns).unwrap(), &TimeZone::UTC);
        fields
    }

    #[test]
    fn coverage_and_top_values() {
        let texts = [Some("cmd.exe"), None, Some("cmd.exe"), Some("a\x1b[31m")];
        let fields = fields(texts.iter().map(|text| text.map(str::to_owned)).collect());
        for width in [20, 40, 80, 200] {
            insta::assert_snapshot!(format!("fields_{width}"), fields.render(Some(width), false));
            insta::assert_snapshot!(format!("field_{width}"), fields.render_one("Image", Some(width)).unwrap());
        }
        assert_eq!(fields.render_one("image", None).unwrap_err(), "no row has a field image: did you mean Image?");
    }

    proptest! {
        #[test]
        fn every_line_fits(texts in prop::collection::vec(any::<Option<String>>(), 1..9), width in 20usize..200) {
            let fields = fields(texts);
            let one = fields.render_one("n", Some(width)).unwrap();
            for line in fields.render(Some(width), false).lines().chain(one.lines()) {
                prop_assert!(line.width() <= width, "{line}");
                prop_assert!(!line.chars().any(|c| crate::escape::is_unsafe(c) || c == '\t'), "{line:?}");
            }
        }
    }
}
