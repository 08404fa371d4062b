//! Why an event is not in the result: each condition of a query, judged on events that are named by serial number.
//!
//! While a [`Tracer`] looks on, [`super::frame::Frame::filter`] leaves no row out. It adds a hidden column with the
//! condition's truth instead, so that every verdict is that of the very condition which a search filters by. Before
//! it, the command describes the condition's parts ([`spl`], `logscale::trace`), which get columns of their own. What
//! follows a command that makes rows of many events, or keeps rows by their place among others, is not judged.

mod clause;
pub mod spl;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::Span;

pub use clause::{Clause, Failed, Form, Judged, Reason, Row, Unchosen, Verdict};

use super::frame::{Frame, SERIAL, column};

/// The most single conditions that get a column: planning time grows with their number.
const MOST_CONDITIONS: usize = 128;

/// Looks on while a query is planned.
#[derive(Debug, Default)]
pub struct Tracer {
    wanted: Vec<i64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the next filter is made of.
    described: Option<Clause>,
    steps: Vec<Step>,
    /// Conditions whose truth a field holds.
    definitions: HashMap<String, Clause>,
    /// The values that fields get by conditions, and these.
    choices: Vec<Choice>,
    /// The command that is planned.
    command: Option<Ended>,
    ended: Option<Ended>,
    limited: Option<Ended>,
    conditions: usize,
}

/// A filter, and the column that holds its truth.
#[derive(Debug, Clone)]
pub struct Step {
    /// The column.
    pub truth: String,
    /// What it is made of.
    pub clause: Clause,
}

/// A field that gets the first value whose condition holds.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The field.
    pub field: String,
    /// The values in their order, and their conditions.
    pub arms: Vec<(String, Clause)>,
}

/// What a [`Tracer`] saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The filters in their order.
    pub steps: Vec<Step>,
    /// The fields that get values by conditions.
    pub choices: Vec<Choice>,
    /// The command that decides about rows that pass all filters.
    pub ended: Option<Ended>,
}

/// A command of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its name.
    pub command: String,
    /// Where it stands.
    pub span: Span,
}

impl Tracer {
    /// For the events with these serial numbers.
    pub fn new(wanted: Vec<i64>) -> Self {
        Self { wanted, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the events that are asked about.
    pub fn wanted(&self) -> Expr {
        column(SERIAL).in_list(self.wanted.iter().map(|serial| lit(*serial)).collect(), false)
    }

    /// A command is planned now.
    pub fn enter(&self, command: &str, span: Span) {
        let mut state = self.state();
        state.described = None;
        state.command = Some(Ended { command: command.to_owned(), span });
    }

    /// Remembers the condition whose truth a field holds from now on; with none, that the field holds something else.
    pub fn define(&self, field: &str, clause: Option<Clause>) {
        let mut state = self.state();
        match clause {
            Some(clause) => drop(state.definitions.insert(field.to_owned(), clause)),
            None => drop(state.definitions.remove(field)),
        }
    }

    /// The condition whose truth a field holds.
    pub fn definition(&self, field: &str) -> Option<Clause> {
        self.state().definitions.get(field).cloned()
    }

    /// Remembers the conditions by which a field gets its value; with no arms, that it gets it otherwise.
    pub fn choose(&self, field: &str, arms: Vec<(String, Clause)>) {
        let mut state = self.state();
        state.choices.retain(|known| known.field != field);
        if !arms.is_empty() {
            state.choices.push(Choice { field: field.to_owned(), arms });
        }
    }

    /// Whether a command was reached behind which rows are no longer judged.
    pub fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    /// Nothing is judged from this command on.
    pub fn end(&self, command: &str, span: Span) {
        self.state().ended.get_or_insert_with(|| Ended { command: command.to_owned(), span });
    }

    /// A command that may cut the result, and decides about no row by itself.
    pub fn limit(&self, command: &str, span: Span) {
        self.state().limited.get_or_insert_with(|| Ended { command: command.to_owned(), span });
    }

    /// How many more conditions may have a column.
    fn room(&self) -> usize {
        MOST_CONDITIONS.saturating_sub(self.state().conditions)
    }

    /// Takes the place of a filter: the rows stay, and a column tells which it would keep.
    ///
    /// # Errors
    /// DataFusion's own.
    pub fn filter(&self, frame: &mut Frame, condition: Expr) -> Result<()> {
        let truth = frame.hidden_name();
        frame.set(vec![(truth.clone(), is_true(condition))])?;
        let mut state = self.state();
        let clause = state.described.take().unwrap_or_else(|| match &state.command {
            Some(Ended { command, span }) => Clause::opaque(command.clone(), *span),
            None => Clause::opaque("the bounds of time".to_owned(), Span::default()),
        });
        state.steps.push(Step { truth, clause });
        Ok(())
    }

    /// What was seen.
    pub fn seen(&self) -> Seen {
        let state = self.state();
        let ended = state.ended.clone().or_else(|| state.limited.clone());
        Seen { steps: state.steps.clone(), choices: state.choices.clone(), ended }
    }
}

/// The parts of a condition as hidden columns of a frame, while it is described.
pub struct Describing<'d> {
    /// The rows.
    pub frame: &'d mut Frame,
    tracer: Arc<Tracer>,
    /// The columns that hold the values of fields.
    values: Vec<(String, Option<String>)>,
    /// The columns that are made at the end, all at once: each projection costs planning time.
    made: Vec<(String, Expr)>,
}

impl<'d> Describing<'d> {
    /// Where someone looks on.
    pub fn of(frame: &'d mut Frame) -> Option<Self> {
        let tracer = frame.setting.trace.clone()?;
        Some(Self { frame, tracer, values: Vec::new(), made: Vec::new() })
    }

    /// Who looks on.
    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// A single condition; `None` where there is no room for more. `any_case` is the same without regard to case.
    pub fn leaf(
        &mut self,
        text: String,
        span: Span,
        truth: Expr,
        any_case: Option<Expr>,
        fields: &[(String, Option<Expr>)],
    ) -> Option<Clause> {
        if self.tracer.room() == 0 {
            return None;
        }
        let conditions = self.tracer.state().conditions.saturating_add(1);
        self.tracer.state().conditions = conditions;
        let truth = self.make(is_true(truth));
        let any_case = any_case.map(|truth| self.make(is_true(truth)));
        let mut shown = Vec::new();
        for (field, value) in fields {
            let known = self.values.iter().find(|(known, _)| known == field).map(|(_, column)| column.clone());
            let held = known.unwrap_or_else(|| {
                let held = value.as_ref().map(|value| self.make(value.clone()));
                self.values.push((field.clone(), held.clone()));
                held
            });
            shown.push((field.clone(), held));
        }
        Some(Clause { text, span, form: Form::Single { truth, any_case, fields: shown, defined: None } })
    }

    /// Whether so many alternatives can be told apart, with room for what comes after them.
    pub fn tells_apart(&self, alternatives: usize) -> bool {
        alternatives <= self.tracer.room() / 2
    }

    fn make(&mut self, value: Expr) -> String {
        let name = self.frame.hidden_name();
        self.made.push((name.clone(), value));
        name
    }

    /// Makes the columns. Without them nothing that was described can be judged.
    pub fn flush(&mut self) -> bool {
        let made = std::mem::take(&mut self.made);
        made.is_empty() || self.frame.set(made).is_ok()
    }

    /// Hands the description on to the filter that follows; where there is none, that it is this condition.
    pub fn done(mut self, clause: Option<Clause>, text: String, span: Span) {
        let clause = clause.filter(|_| self.flush());
        self.tracer.state().described = Some(clause.unwrap_or_else(|| Clause::opaque(text, span)));
    }
}
