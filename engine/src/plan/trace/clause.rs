//! The parts of a condition, and which of them an event fails.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use jiff::tz::TimeZone;
use spelunk_grammar::Span;

use super::{Ended, Seen};
use crate::values::{self, Cell};

/// A condition.
#[derive(Debug, Clone)]
pub struct Clause {
    /// As the query has it, in canonical form.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// What it is made of.
    pub form: Form,
}

/// What a condition is made of.
#[derive(Debug, Clone)]
pub enum Form {
    /// A single condition.
    Single {
        /// The column that holds its truth.
        truth: String,
        /// The column that holds whether it would hold if letter case did not count.
        any_case: Option<String>,
        /// The fields that it looks at, and the columns that hold their values; none for fields that no event has.
        fields: Vec<(String, Option<String>)>,
        /// The condition whose truth the field holds that it looks at.
        defined: Option<Box<Clause>>,
    },
    /// All of them hold.
    All(Vec<Clause>),
    /// At least one of them holds.
    Any(Vec<Clause>),
}

/// What becomes of an event in a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It passes every condition, and nothing else decides.
    Kept,
    /// It fails a condition.
    Fails(Box<Reason>),
    /// It passes every condition up to a command that makes rows of many events or keeps rows by their place.
    Reaches(Ended),
}

/// The verdict on one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The event's serial number.
    pub serial: i64,
    /// The verdict.
    pub verdict: Verdict,
    /// The values that its fields do not get.
    pub unchosen: Vec<Unchosen>,
}

/// A value that a field does not get, since its condition fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Unchosen {
    /// The field.
    pub field: String,
    /// The value.
    pub value: String,
    /// What fails.
    pub reason: Reason,
}

/// The first condition that an event fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The condition, as the query has it.
    pub clause: String,
    /// Where it stands.
    pub span: Span,
    /// What fails in it: of several alternatives, in each one that comes closest to holding.
    pub closest: Vec<Vec<Failed>>,
    /// What fails in the other alternatives, one by one.
    pub others: Vec<Vec<Failed>>,
}

/// A single condition that an event fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// The condition.
    pub clause: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it would hold if letter case did not count.
    pub any_case: bool,
    /// The field that holds its truth, where the query looks at that.
    pub through: Option<String>,
    /// The fields that it looks at, and the event's values.
    pub values: Vec<(String, Option<String>)>,
}

impl Reason {
    /// Moves its places to another text.
    pub fn relocate(&mut self, place: &dyn Fn(Span) -> Span) {
        self.span = place(self.span);
        for failed in self.closest.iter_mut().chain(&mut self.others).flatten() {
            failed.span = place(failed.span);
        }
    }
}

impl Clause {
    /// A condition whose parts are not told apart.
    pub fn opaque(text: String, span: Span) -> Self {
        Self { text, span, form: Form::All(Vec::new()) }
    }

    fn holds(&self, row: &Row<'_>) -> bool {
        match &self.form {
            Form::Single { truth, .. } => row.truth(truth),
            Form::All(parts) => parts.iter().all(|part| part.holds(row)),
            Form::Any(parts) => parts.iter().any(|part| part.holds(row)),
        }
    }

    /// How far it is from holding: 0 where it holds, 1 where nothing of it does.
    fn distance(&self, row: &Row<'_>) -> f64 {
        match &self.form {
            Form::Single { defined: Some(defined), .. } if !self.holds(row) && !defined.holds(row) => {
                defined.distance(row)
            }
            Form::Single { .. } => f64::from(u8::from(!self.holds(row))),
            Form::All(parts) => {
                let sum: f64 = parts.iter().map(|part| part.distance(row)).sum();
                if parts.is_empty() { 0.0 } else { sum / parts.len() as f64 }
            }
            Form::Any(parts) => parts.iter().map(|part| part.distance(row)).fold(1.0, f64::min),
        }
    }

    /// The alternative that comes closest to holding: of equal ones the first.
    fn closest<'c>(parts: &'c [Clause], row: &Row<'_>) -> Option<&'c Clause> {
        let mut best: Option<(&Clause, f64)> = None;
        for part in parts {
            let distance = part.distance(row);
            if best.is_none_or(|(_, least)| distance < least) {
                best = Some((part, distance));
            }
        }
        best.map(|(part, _)| part)
    }

    /// The single conditions that fail in the closest way to hold.
    fn failures(&self, row: &Row<'_>, through: Option<&str>, into: &mut Vec<Failed>) {
        if self.holds(row) {
            return;
        }
        match &self.form {
            Form::Single { defined: Some(defined), .. } if !defined.holds(row) => {
                defined.failures(row, Some(through.unwrap_or(&self.text)), into);
            }
            Form::Single { fields, any_case, .. } => {
                let value = |column: &Option<String>| column.as_ref().and_then(|column| row.text(column));
                let values = fields.iter().map(|(name, column)| (name.clone(), value(column))).collect();
                let through = through.map(str::to_owned);
                let any_case = any_case.as_ref().is_some_and(|column| row.truth(column));
                into.push(Failed { clause: self.text.clone(), span: self.span, any_case, through, values });
            }
            Form::All(parts) => parts.iter().for_each(|part| part.failures(row, through, into)),
            Form::Any(parts) => {
                if let Some(closest) = Self::closest(parts, row) {
                    closest.failures(row, through, into);
                }
            }
        }
    }

    /// The first part of an AND that fails; itself where it is none.
    fn first_failing(&self, row: &Row<'_>) -> &Clause {
        match &self.form {
            Form::All(parts) => parts.iter().find(|part| !part.holds(row)).map_or(self, |part| part.first_failing(row)),
            _ => self,
        }
    }

    fn reason(&self, row: &Row<'_>) -> Reason {
        let clause = self.first_failing(row);
        let failures = |clause: &Clause| {
            let mut failed = Vec::new();
            clause.failures(row, None, &mut failed);
            failed
        };
        let (mut closest, mut others) = (Vec::new(), Vec::new());
        match clause.alternatives() {
            [] => closest.push(failures(clause)),
            parts => {
                let least = parts.iter().map(|part| part.distance(row)).fold(1.0, f64::min);
                for part in parts {
                    let near = part.distance(row) <= least;
                    if near { closest.push(failures(part)) } else { others.push(failures(part)) }
                }
            }
        }
        Reason { clause: clause.text.clone(), span: clause.span, closest, others }
    }

    /// The alternatives of an OR, also of one whose truth a field holds.
    fn alternatives(&self) -> &[Clause] {
        match &self.form {
            Form::Any(parts) => parts,
            _ => &[],
        }
    }
}

/// One event with the columns of the conditions.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    /// The rows that it is among.
    pub batch: &'r RecordBatch,
    /// Its place there.
    pub row: usize,
}

impl Row<'_> {
    fn truth(&self, column: &str) -> bool {
        let found = self.batch.column_by_name(column).and_then(|column| column.as_boolean_opt());
        found.is_some_and(|truths| self.row < truths.len() && truths.is_valid(self.row) && truths.value(self.row))
    }

    fn text(&self, column: &str) -> Option<String> {
        match values::cell(self.batch.column_by_name(column)?, self.row, &TimeZone::UTC) {
            Cell::Null => None,
            Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => Some(text),
            Cell::Many(texts) => Some(texts.join(", ")),
        }
    }

    /// The serial number of the event.
    fn serial(&self, column: &str) -> Option<i64> {
        let serials = self.batch.column_by_name(column)?.as_primitive_opt::<Int64Type>()?;
        (self.row < serials.len() && serials.is_valid(self.row)).then(|| serials.value(self.row))
    }

    /// What becomes of it: it fails the first filter that is not true for it.
    pub fn judge(&self, serial: &str, seen: &Seen) -> Option<Judged> {
        let serial = self.serial(serial)?;
        let failing = seen.steps.iter().find(|step| !self.truth(&step.truth));
        let verdict = match (failing, &seen.ended) {
            (Some(step), _) => Verdict::Fails(Box::new(step.clause.reason(self))),
            (None, Some(ended)) => Verdict::Reaches(ended.clone()),
            (None, None) => Verdict::Kept,
        };
        let mut unchosen = Vec::new();
        for choice in &seen.choices {
            for (value, clause) in choice.arms.iter().filter(|(_, clause)| !clause.holds(self)) {
                let (field, value) = (choice.field.clone(), value.clone());
                unchosen.push(Unchosen { field, value, reason: clause.reason(self) });
            }
        }
        Some(Judged { serial, verdict, unchosen })
    }
}
