//! Tables in text: a header, and under it a line a row.
//!
//! Source: Splunk Search Reference, "multikv".

use super::{Fields, Index, add};

/// How tables are found.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The line that is the header, from 1, empty lines not counted; `None` to find it.
    pub header: Option<usize>,
    /// Columns are numbered instead.
    pub no_header: bool,
    /// A text may hold several tables.
    pub several: bool,
}

/// A row of a table: its line, and the values under the names of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'t> {
    /// The line.
    pub line: &'t str,
    /// The values.
    pub fields: Fields,
}

/// A word of a line and where it stands, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word<'t> {
    text: &'t str,
    start: usize,
    end: usize,
}

/// The rows of the tables in a text; `None` where it has no table.
pub fn rows<'t>(text: &'t str, options: Options) -> Option<Vec<Row<'t>>> {
    let lines: Vec<&str> = text.lines().collect();
    let filled: Vec<(usize, Vec<Word<'t>>)> = lines
        .iter()
        .enumerate()
        .map(|(number, line)| (number, words(line)))
        .filter(|(_, words)| !words.is_empty())
        .collect();
    let (mut header, first_row): (Vec<Word<'t>>, usize) = if options.no_header {
        (Vec::new(), 0)
    } else {
        let position = match options.header {
            Some(line) => line.checked_sub(1)?,
            None => filled.iter().position(|(_, words)| words.len() > 1 && is_title(words))?,
        };
        (filled.get(position)?.1.clone(), position.checked_add(1)?)
    };
    let columns = filled.first().map_or(0, |(_, words)| words.len());
    let mut rows = Vec::new();
    let mut before: Option<usize> = None;
    for (number, words) in filled.get(first_row..)? {
        let after_gap = before.is_some_and(|before| before.saturating_add(1) < *number);
        before = Some(*number);
        if options.several && !options.no_header && after_gap && words.len() > 1 && is_title(words) {
            header.clone_from(words);
            continue;
        }
        let Some(line) = lines.get(*number) else { continue };
        let fields = if options.no_header { numbered(words, columns) } else { named(words, &header) };
        rows.push(Row { line, fields });
    }
    Some(rows)
}

fn words(line: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut count = 0;
    for (position, (at, letter)) in line.char_indices().enumerate() {
        count = position.saturating_add(1);
        match (letter.is_whitespace(), open) {
            (false, None) => open = Some((at, position)),
            (true, Some((from, start))) => {
                found.push(Word { text: line.get(from..at).unwrap_or_default(), start, end: position });
                open = None;
            }
            _ => {}
        }
    }
    if let Some((from, start)) = open {
        found.push(Word { text: line.get(from..).unwrap_or_default(), start, end: count });
    }
    found
}

/// Whether each word begins with a capital or a sign, and none is a number.
fn is_title(words: &[Word<'_>]) -> bool {
    words.iter().any(|word| word.text.starts_with(char::is_uppercase))
        && words.iter().all(|word| {
            let first = word.text.chars().next().unwrap_or(' ');
            !first.is_lowercase() && !first.is_numeric() && crate::values::parse_number(word.text).is_none()
        })
}

fn numbered(words: &[Word<'_>], columns: usize) -> Fields {
    let (mut fields, mut index) = (Fields::new(), Index::new());
    for (position, word) in words.iter().take(columns).enumerate() {
        add(&mut fields, &mut index, &format!("Column_{}", position.saturating_add(1)), word.text.to_string());
    }
    fields
}

/// As many words as columns belong to them one by one; otherwise a word belongs to the column it stands under.
fn named(words: &[Word<'_>], header: &[Word<'_>]) -> Fields {
    let (mut fields, mut index) = (Fields::new(), Index::new());
    if words.len() == header.len() {
        for (word, title) in words.iter().zip(header) {
            add(&mut fields, &mut index, title.text, word.text.to_string());
        }
        return fields;
    }
    let mut cells: Vec<String> = vec![String::new(); header.len()];
    for word in words {
        let overlapping = header.iter().position(|title| word.start < title.end && title.start < word.end);
        let nearest = || {
            let distance = |title: &Word<'_>| title.start.abs_diff(word.start).min(title.end.abs_diff(word.end));
            header.iter().enumerate().min_by_key(|(_, title)| distance(title)).map(|(position, _)| position)
        };
        if let Some(cell) = overlapping.or_else(nearest).and_then(|position| cells.get_mut(position)) {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(word.text);
        }
    }
    for (cell, title) in cells.into_iter().zip(header) {
        if !cell.is_empty() {
            add(&mut fields, &mut index, title.text, cell);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, options: Options) -> Vec<String> {
        let rows = rows(text, options).unwrap_or_default();
        rows.iter()
            .map(|row| {
                row.fields
                    .iter()
                    .map(|(name, values)| format!("{name}={}", values.join("+")))
                    .collect::<Vec<_>>()
                    .join(",")
            })
            .collect()
    }

    const FOUND: Options = Options { header: None, no_header: false, several: true };

    #[test]
    fn the_header_is_found() {
        let text = "some words before\n\nName    Size Note\nann     1    x\nbob          a b c\n";
        assert_eq!(shown(text, FOUND), ["Name=ann,Size=1,Note=x", "Name=bob,Note=a b c"]);
        assert!(rows("just words\nno table", FOUND).is_none());
    }

    #[test]
    fn a_second_table_begins_after_a_gap() {
        let text = "Name City\nAnn Berlin\n\nPort State\n22 open";
        assert_eq!(shown(text, FOUND), ["Name=Ann,City=Berlin", "Port=22,State=open"]);
        let one = Options { several: false, ..FOUND };
        assert_eq!(shown(text, one), ["Name=Ann,City=Berlin", "Name=Port,City=State", "Name=22,City=open"]);
    }

    #[test]
    fn columns_are_numbered_without_a_header() {
        let options = Options { header: None, no_header: true, several: false };
        assert_eq!(shown("a 1\nb 2 c", options), ["Column_1=a,Column_2=1", "Column_1=b,Column_2=2"]);
    }
}
