//! The registry of functions. A family is a file; a function is an entry in its family's table.

mod array_blocks;
mod array_sets;
pub mod arrays;
mod bits;
mod conditions;
mod documents;
mod encoding;
mod fields;
pub mod lookups;
mod math;
mod network;
mod reading;
mod support;
pub mod text;
mod time;
mod units;

use datafusion::logical_expr::Expr;
use futures::future::LocalBoxFuture;
use spelunk_grammar::logscale::query::{Argument, Call, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::aggregates::{self, Computed};
use super::arguments::Arguments;
use super::rows::{Effect, Rows};
use super::{Run, steps};
use crate::documents::Fields;
use crate::plan::barrier::Existing;
use crate::plan::expression::Typed;
use crate::plan::frame::Frame;
use crate::plan::{PlanResult, suggest};

/// A function of LogScale that is supported.
pub struct Function {
    /// Its name, in the vendor's letters.
    pub name: &'static str,
    /// The names of its arguments; that of the first may be left out.
    pub parameters: &'static [&'static str],
    /// What it makes.
    pub makes: Makes,
}

/// What a function makes, and how it is planned.
pub enum Makes {
    /// A value, in the field of that name where the query names none; of an empty name in the field that it reads.
    Value(&'static str, fn(&Rows<'_>, &Arguments<'_>) -> Result<Typed, Diagnostic>),
    /// Whether a row is kept.
    Filter(fn(&Rows<'_>, &Arguments<'_>) -> Result<Expr, Diagnostic>),
    /// Several of these, or fields that are removed.
    Row(fn(&Rows<'_>, &Arguments<'_>) -> Result<Effect, Diagnostic>),
    /// Fields whose names are in the data.
    Fields(fn(&Rows<'_>, &Arguments<'_>) -> Result<Reading, Diagnostic>),
    /// Values of all rows, or of those of a group. The number tells the aggregates of a query apart.
    Aggregate(fn(&Rows<'_>, &Arguments<'_>, usize) -> PlanResult<Computed>),
    /// Other rows.
    Step(for<'f, 'r, 'p, 'c> fn(&'f mut Run<'r, 'p>, &'f mut Frame, &'f Arguments<'c>) -> Planned<'f>),
    /// The assignments that are its arguments, whatever their names.
    Assignments,
    /// The first where the argument of that name is given, the other where it is not.
    With(&'static str, &'static Makes, &'static Makes),
}

/// A step while it is planned: it may run what comes before it.
pub type Planned<'f> = LocalBoxFuture<'f, PlanResult<()>>;

/// How fields come out of a text.
pub struct Reading {
    /// The text.
    pub source: Typed,
    /// What becomes of a field that there is already.
    pub existing: Existing,
    /// The fields of a text.
    pub read: Box<dyn Fn(&str) -> Fields + Send + Sync>,
}

/// The families.
const FAMILIES: &[&[Function]] = &[
    aggregates::FUNCTIONS,
    array_blocks::FUNCTIONS,
    array_sets::FUNCTIONS,
    arrays::FUNCTIONS,
    bits::FUNCTIONS,
    conditions::FUNCTIONS,
    documents::FUNCTIONS,
    encoding::FUNCTIONS,
    fields::FUNCTIONS,
    lookups::FUNCTIONS,
    math::FUNCTIONS,
    network::FUNCTIONS,
    steps::FUNCTIONS,
    steps::joins::FUNCTIONS,
    steps::self_joins::FUNCTIONS,
    text::FUNCTIONS,
    time::FUNCTIONS,
    units::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

fn known(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.eq_ignore_ascii_case(name))
}

/// Whether a function is called exactly so.
pub fn is_name(word: &str) -> bool {
    all().any(|function| function.name == word)
}

/// Every function.
pub fn registered() -> impl Iterator<Item = &'static Function> {
    all()
}

impl Function {
    /// What a call with these arguments makes.
    pub fn makes(&'static self, call: &Call) -> &'static Makes {
        let given = |name: &str| {
            let named = |argument: &Argument| matches!(argument, Argument::Named(given, _) if given.node.eq_ignore_ascii_case(name));
            call.arguments.iter().any(named)
        };
        let mut makes = &self.makes;
        while let Makes::With(name, with, without) = makes {
            makes = if given(name) { with } else { without };
        }
        makes
    }
}

/// The function of that name, in any letter case.
///
/// # Errors
/// There is none, or none yet.
pub fn find(name: &Spanned<String>) -> Result<&'static Function, Diagnostic> {
    if let Some(function) = known(&name.node) {
        return Ok(function);
    }
    let message = format!("the function `{}` is unknown or not supported yet", name.node);
    let error = Diagnostic::error(Code::UnknownFunction, message, name.span);
    if let Some((_, help)) = FOREIGN.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(&name.node)) {
        return Err(error.with_help(*help));
    }
    Err(match suggest::nearest(&name.node, all().map(|function| function.name)) {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error,
    })
}

/// Names that other languages have for what a step here does.
const FOREIGN: &[(&str, &str)] = &[
    ("bin", "`bucket(span=1h)` divides the time"),
    ("dedup", "`groupBy(field, function=tail(1))` keeps the newest event of each value"),
];

/// Whether the function works on all rows, or makes fields that depend on data.
pub fn is_step(call: &Call) -> bool {
    known(&call.name.node)
        .is_some_and(|function| matches!(function.makes(call), Makes::Step(_) | Makes::Aggregate(_) | Makes::Fields(_)))
}

/// Whether the call sets a field whose name each row computes.
pub fn names_by_row(call: &Call) -> bool {
    let is_target = |position: usize, argument: &Argument| match argument {
        Argument::Named(name, value) => name.node == "target" && !matches!(value.kind, ExpressionKind::Text(_)),
        Argument::Unnamed(value) => position == 0 && !matches!(value.kind, ExpressionKind::Text(_)),
        Argument::Labelled(_) => false,
    };
    call.name.node.eq_ignore_ascii_case("setField")
        && call.arguments.iter().enumerate().any(|(position, argument)| is_target(position, argument))
}

/// Whether the function makes fields that depend on data, row by row.
pub fn reads_fields(call: &Call) -> bool {
    known(&call.name.node).is_some_and(|function| matches!(function.makes(call), Makes::Fields(_)))
}

/// What a function that works on each row does to it.
///
/// # Errors
/// What is wrong with the arguments.
pub fn row(rows: &Rows<'_>, arguments: Arguments<'_>) -> Result<Effect, Diagnostic> {
    let a = &arguments;
    let effect = match *a.makes() {
        Makes::Value(default, value) => {
            let field = if default.is_empty() { a.field_name()? } else { None };
            let name = a.output(default)?;
            let field = field.unwrap_or_else(|| "@rawstring".to_owned());
            let name = if name.is_empty() { field } else { name };
            Effect::set(&name, value(rows, a)?)
        }
        Makes::Filter(condition) => Effect::keep(condition(rows, a)?),
        Makes::Row(effect) => effect(rows, a)?,
        Makes::Fields(_) | Makes::Aggregate(_) | Makes::Step(_) | Makes::Assignments | Makes::With(..) => {
            return Err(super::unsupported(&format!("`{}` at this place", a.function.name), a.call.name.span));
        }
    };
    if let Some(locale) = a.text("locale")?
        && !locale.node.to_ascii_lowercase().starts_with("en")
    {
        return Err(super::unsupported("a locale other than English", locale.span));
    }
    a.done()?;
    Ok(effect)
}
