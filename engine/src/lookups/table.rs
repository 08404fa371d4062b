//! A lookup table in memory: the columns of a CSV file.
//!
//! Source: Splunk Knowledge Manager Manual, "Configure CSV lookups" (encoding, header); Search Reference,
//! "outputlookup" (`__mv_` columns).

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Field, Schema};
use csv::{ReaderBuilder, StringRecord};

use crate::functions::kernel::{Returns, build};
use crate::ingest::decode::Peeked;
use crate::plan::grid::MOST_COLUMNS;
use crate::values::{Value, text_at};

/// The most bytes that a table may have when decompressed.
const MOST_BYTES: u64 = 1 << 30;

/// What the columns are called in which several values of a field are kept apart.
pub const SEVERAL: &str = "__mv_";

/// A lookup table.
#[derive(Debug, Clone)]
pub struct Table {
    /// The columns in the order of the file: text, or several texts. An empty cell is null.
    pub columns: Vec<(String, ArrayRef)>,
    /// How many rows there are.
    pub rows: usize,
    /// What is odd about the file.
    pub problems: Vec<String>,
}

impl Table {
    /// Reads a CSV file, compressed or not.
    ///
    /// # Errors
    /// Why it cannot be read as a table.
    pub fn read(path: &Path) -> Result<Self, String> {
        let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if !found.is_file() {
            return Err("it is no file".into());
        }
        let file = File::open(path).map_err(|error| error.to_string())?;
        let decoded = Peeked::new(Box::new(file)).and_then(Peeked::decompressed).and_then(Peeked::decoded);
        let mut bytes = Vec::new();
        let reader = decoded.map_err(|error| error.to_string())?.into_reader();
        reader.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(format!("it has more than {} MiB", MOST_BYTES >> 20));
        }
        Self::parse(&bytes)
    }

    /// A table without rows.
    pub fn empty(columns: &[String]) -> Self {
        let column = |name: &String| (name.clone(), Arc::new(StringArray::from(Vec::<String>::new())) as ArrayRef);
        Self { columns: columns.iter().map(column).collect(), rows: 0, problems: Vec::new() }
    }

    /// The same table with these columns too, empty where they are not there.
    pub fn with_columns(&self, names: &[String]) -> Self {
        let mut table = self.clone();
        for name in names {
            if table.position(name).is_none() {
                table.columns.push((name.clone(), Arc::new(StringArray::new_null(self.rows)) as ArrayRef));
            }
        }
        table
    }

    /// Reads CSV.
    ///
    /// # Errors
    /// Why it is no table.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut problems = Vec::new();
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, Cow::Owned(_)) {
            problems.push("it is not all UTF-8; other bytes are replaced".to_owned());
        }
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut row = StringRecord::new();
        let next = |reader: &mut csv::Reader<&[u8]>, row: &mut StringRecord| {
            reader.read_record(row).map_err(|error| format!("it is no CSV: {error}"))
        };
        if !next(&mut reader, &mut row)? {
            return Ok(Self { columns: Vec::new(), rows: 0, problems });
        }
        let mut names: Vec<Option<String>> = Vec::new();
        for name in row.iter().map(str::trim) {
            let twice = names.iter().flatten().any(|known| known == name);
            if twice {
                problems.push(format!("it has two columns {name:?}; the first counts"));
            }
            names.push((!twice && !name.is_empty()).then(|| name.to_owned()));
        }
        if names.iter().all(Option::is_none) {
            return Err("its first line names no column".into());
        }
        if names.len() > MOST_COLUMNS {
            return Err(format!("it has {} columns; the most is {MOST_COLUMNS}", names.len()));
        }
        let mut builders: Vec<StringBuilder> = names.iter().map(|_| StringBuilder::new()).collect();
        let (mut rows, mut longer, mut last) = (0_usize, 0_usize, None);
        while next(&mut reader, &mut row)? {
            rows = rows.saturating_add(1);
            longer = longer.saturating_add(usize::from(row.len() > names.len()));
            for (position, builder) in builders.iter_mut().enumerate() {
                builder.append_option(row.get(position).filter(|cell| !cell.is_empty()));
            }
            last = row.position().map(csv::Position::line);
        }
        // A quote that nothing closes makes one cell of all that follows.
        let odd = text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        if odd && row_swallows_lines(&builders, rows) {
            let line = last.unwrap_or_default();
            return Err(format!("a quote in the row that begins in line {line} is never closed"));
        }
        if longer > 0 {
            problems.push(format!("{longer} of its rows have more cells than it has columns"));
        }
        let columns = names
            .into_iter()
            .zip(builders)
            .filter_map(|(name, mut builder)| name.map(|name| (name, Arc::new(builder.finish()) as ArrayRef)));
        Ok(Self { columns: several(columns.collect(), rows), rows, problems })
    }

    /// The position of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(known, _)| known == name)
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The values in a cell.
    pub fn texts(&self, column: usize, row: usize) -> Vec<Cow<'_, str>> {
        let Some((_, values)) = self.columns.get(column) else { return Vec::new() };
        match values.data_type() {
            DataType::Utf8 => text_at(values.as_ref(), row).into_iter().collect(),
            _ => match Value::read(values.as_ref(), row) {
                Value::Many(texts) => texts,
                Value::Text(text) => vec![text],
                _ => Vec::new(),
            },
        }
    }

    /// Whether a cell of the column holds several values.
    pub fn holds_several(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|(_, values)| *values.data_type() != DataType::Utf8)
    }

    /// The rows for which the mask is true.
    ///
    /// # Errors
    /// Arrow's own.
    pub fn filtered(&self, mask: &BooleanArray) -> Result<Self, arrow::error::ArrowError> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, values) in &self.columns {
            columns.push((name.clone(), filter(values, mask)?));
        }
        Ok(Self { columns, rows: mask.true_count(), problems: self.problems.clone() })
    }

    /// The rows as a batch, with more columns.
    ///
    /// # Errors
    /// Arrow's own.
    pub fn batch(&self, more: Vec<(String, ArrayRef)>) -> Result<RecordBatch, arrow::error::ArrowError> {
        let columns: Vec<_> = self.columns.iter().cloned().chain(more).collect();
        let fields = columns.iter().map(|(name, values)| Field::new(name, values.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = columns.into_iter().map(|(_, values)| values).collect();
        RecordBatch::try_new(schema, arrays)
    }
}

/// Whether a cell of the last row holds a line break.
fn row_swallows_lines(builders: &[StringBuilder], rows: usize) -> bool {
    builders.iter().any(|builder| {
        let cells = builder.finish_cloned();
        rows.checked_sub(1).and_then(|last| text_at(&cells, last)).is_some_and(|cell| cell.contains('\n'))
    })
}

/// Puts the several values of a column `__mv_x` in the place of what `x` holds.
fn several(columns: Vec<(String, ArrayRef)>, rows: usize) -> Vec<(String, ArrayRef)> {
    let (extra, mut columns): (Vec<_>, Vec<_>) = columns.into_iter().partition(|(name, _)| name.starts_with(SEVERAL));
    for (name, encoded) in extra {
        let field = name.strip_prefix(SEVERAL).unwrap_or_default();
        match columns.iter_mut().find(|(known, _)| known == field) {
            Some((_, values)) if encoded.null_count() < rows => {
                let cells = (0..rows).map(|row| match text_at(encoded.as_ref(), row) {
                    Some(text) => Value::Many(decode(&text).into_iter().map(Cow::Owned).collect()),
                    None => text_at(values.as_ref(), row)
                        .map_or(Value::Null, |text| Value::Text(Cow::Owned(text.into_owned()))),
                });
                let merged = build(Returns::Many, cells, rows);
                *values = merged;
            }
            Some(_) => {}
            None => columns.push((name, encoded)),
        }
    }
    columns
}

/// Several values as one text: `$a$;$b$`, a dollar sign in a value doubled.
pub fn encode(values: &[Cow<'_, str>]) -> String {
    values.iter().map(|value| format!("${}$", value.replace('$', "$$"))).collect::<Vec<_>>().join(";")
}

fn decode(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '$' {
            continue;
        }
        let mut value = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '$' if letters.peek() == Some(&'$') => {
                    letters.next();
                    value.push('$');
                }
                '$' => break,
                _ => value.push(letter),
            }
        }
        values.push(value);
    }
    values
}

/// Whether the array is one of single texts.
pub fn is_text(values: &ArrayRef) -> bool {
    values.as_any().is::<StringArray>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn cells(table: &Table) -> Vec<String> {
        let row = |row| (0..table.columns.len()).map(move |column| table.texts(column, row).join("/"));
        (0..table.rows).map(|at| row(at).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn quotes_line_breaks_and_short_rows() {
        let table = Table::parse(b"a, b ,c\r\n1,\"x\ny\",\"say \"\"hi\"\"\"\r\n2\r\n\r\n3,,z,more\r\n").unwrap();
        assert_eq!(table.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(cells(&table), ["1|x\ny|say \"hi\"", "2||", "3||z"]);
        assert_eq!(table.problems, ["1 of its rows have more cells than it has columns"]);
    }

    #[test]
    fn odd_headers() {
        let table = Table::parse(b"a,a,,b\n1,2,3,4\n").unwrap();
        assert_eq!((table.names().collect::<Vec<_>>(), cells(&table)), (vec!["a", "b"], vec!["1|4".to_string()]));
        assert_eq!(table.problems, ["it has two columns \"a\"; the first counts"]);
        assert!(Table::parse(b",,\n1,2,3\n").unwrap_err().contains("names no column"));
        assert_eq!(Table::parse(b"").unwrap().columns.len(), 0);
        let wide = "a,".repeat(5000);
        assert!(Table::parse(wide.as_bytes()).unwrap_err().contains("columns; the most is"));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_named() {
        let broken = Table::parse(b"a,b\n1,2\n3,\"4\n5,6\n7,8\n").unwrap_err();
        assert_eq!(broken, "a quote in the row that begins in line 3 is never closed");
        assert_eq!(cells(&Table::parse(b"a,b\n1,5\" disk\n2,x\n").unwrap()), ["1|5\" disk", "2|x"]);
    }

    #[test]
    fn several_values_come_back() {
        let values = ["a$b".into(), "".into(), "c;d".into()];
        assert_eq!(decode(&encode(&values)), values);
        let table = Table::parse(b"x,__mv_x,y\n\"a\nb\",$a$;$b$,1\nc,,2\n").unwrap();
        assert_eq!(cells(&table), ["a/b|1", "c|2"]);
        assert!(table.holds_several(0) && !table.holds_several(1));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let table = Table::parse(b"a,b\n\xff\x00,1\n").unwrap();
        assert_eq!((table.rows, table.problems.len()), (1, 1));
    }
}
