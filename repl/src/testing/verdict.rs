//! Whether a detection's rows pass a test, by the rules of Splunk's contentctl.

use spelunk_engine::values::Cell;

use super::Outcome;

/// How many rows are looked at, as many as its client gets.
pub const LOOKED_AT: usize = 100;

/// What `fillnull_value` puts where there is nothing.
const NOTHING: &str = "null";

/// Judges the first rows of a result; `rows` is how many there are in all.
pub fn judge(columns: &[String], shown: &[Vec<Cell>], rows: u64, risk: &[String], threat: &[String]) -> Outcome {
    if rows == 0 {
        return Outcome::Fail("the detection finds nothing".to_owned());
    }
    let value = |row: &[Cell], field: &str| -> bool {
        let cell = columns.iter().position(|column| column == field).and_then(|position| row.get(position));
        match cell {
            None | Some(Cell::Null) => false,
            Some(Cell::Text(text) | Cell::Number(text) | Cell::Time(text)) => text != NOTHING,
            Some(Cell::Many(texts)) => texts.iter().any(|text| text != NOTHING),
        }
    };
    let mut left: Vec<&String> = threat.iter().collect();
    for row in shown {
        if let Some(field) = risk.iter().find(|field| !value(row, field)) {
            return Outcome::Fail(match columns.contains(field) {
                true => format!("a row has no value of {field}, which is at risk"),
                false => format!("the rows have no field {field}, which is at risk"),
            });
        }
        left.retain(|field| !value(row, field));
        if left.is_empty() {
            return Outcome::Pass;
        }
    }
    let names: Vec<&str> = left.iter().map(|field| field.as_str()).collect();
    Outcome::Fail(format!("no row has a value of {}, which a threat is told by", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(rows: &[[Option<&str>; 2]], risk: &[&str], threat: &[&str]) -> Outcome {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let cell = |text: &Option<&str>| text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()));
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        judge(&names(&["dest", "process"]), &rows, rows.len() as u64, &names(risk), &names(threat))
    }

    #[test]
    fn what_passes() {
        assert_eq!(judged(&[[Some("a"), None]], &["dest"], &[]), Outcome::Pass);
        assert_eq!(judged(&[[None, None]], &[], &[]), Outcome::Pass);
        // Threats may be told by other rows.
        assert_eq!(judged(&[[Some("a"), None], [Some("b"), Some("p")]], &["dest"], &["process"]), Outcome::Pass);
        // What comes behind a row that passes is not looked at.
        assert_eq!(judged(&[[Some("a"), Some("p")], [None, None]], &["dest"], &["process"]), Outcome::Pass);
    }

    #[test]
    fn what_fails() {
        let failed = |outcome: Outcome| matches!(outcome, Outcome::Fail(_));
        assert!(failed(judged(&[], &[], &[])));
        assert!(failed(judged(&[[Some("null"), None]], &["dest"], &[])));
        assert!(failed(judged(&[[Some("a"), None]], &["user"], &[])));
        assert!(failed(judged(&[[Some("a"), None], [None, Some("p")]], &["dest"], &["process"])));
        assert!(failed(judged(&[[Some("a"), Some("null")]], &["dest"], &["process"])));
    }
}
