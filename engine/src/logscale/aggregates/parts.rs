//! The functions that an aggregate is made of: `count()`, `name := max(x)`, `{ status=ok | count() | n := _count / 2 }`.
//!
//! A function that gives one row of each group is planned together with the others of its kind, as one aggregate
//! of DataFusion; what stands before it in a block becomes the condition of the aggregate. Any other pipeline runs
//! by itself, and [`super::combine`] puts its rows beside theirs.

use std::collections::HashMap;
use std::sync::LazyLock;

use datafusion::common::plan_datafusion_err;
use datafusion::logical_expr::{Expr, lit, when};
use spelunk_grammar::logscale::query::{
    Assignment, Call, Element, Expression, ExpressionKind, Filter, Pipeline, Step, StepKind, Target,
};
use spelunk_grammar::{Diagnostic, Span, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::functions::{self, Makes};
use super::super::rows::{Arm, Rows};
use super::super::{Run, steps, unsupported};
use super::Computed;
use crate::plan::PlanResult;
use crate::plan::expression::Kind;
use crate::plan::frame::{Frame, column};

/// One function of a list.
pub struct Part<'c> {
    pieces: Vec<Piece<'c>>,
    /// Its place.
    pub span: Span,
}

/// One step of a function.
#[derive(Clone)]
enum Piece<'c> {
    Step(&'c Step),
    /// A part of a chain of filters.
    Filter(&'c Filter),
    Call(&'c Call, Option<Spanned<String>>),
    List(&'c [Element]),
}

/// `count()`, which is what is computed where nothing is named.
static COUNT: LazyLock<Call> = LazyLock::new(|| Call {
    name: Spanned::new("count".to_owned(), Span::default()),
    arguments: Vec::new(),
    span: Span::default(),
});

/// Fields, and their values.
pub type Results = Vec<(String, Expr)>;

/// A part that gives one row of each group.
pub struct Fused<'c> {
    /// What it computes.
    pub computed: Vec<Computed>,
    /// What it does with the results.
    rest: Vec<Piece<'c>>,
}

impl<'c> Part<'c> {
    /// `count()`
    pub fn count() -> Self {
        Self { pieces: vec![Piece::Call(&COUNT, None)], span: Span::default() }
    }

    /// A function as it stands in the query, and the name of its result where one is given.
    ///
    /// # Errors
    /// It is no function and no block.
    pub fn of(name: Option<&Spanned<String>>, value: &'c Expression) -> Result<Self, Diagnostic> {
        let pieces = match (&value.kind, name) {
            (ExpressionKind::Call(call), _) => vec![Piece::Call(call, name.cloned())],
            (ExpressionKind::Block(pipeline), None) => pieces(pipeline),
            (ExpressionKind::Array(elements), None) => vec![Piece::List(elements)],
            (ExpressionKind::Block(_) | ExpressionKind::Array(_), Some(name)) => {
                let error = expected("an aggregate such as `count()` behind `:=`", value.span);
                return Err(error.with_help(format!("name the result with `as={}` inside", name.node)));
            }
            _ => return Err(expected("an aggregate such as `count()`", value.span)),
        };
        Ok(Self { pieces, span: value.span })
    }

    /// A call by itself.
    pub fn call(call: &'c Call, name: Option<Spanned<String>>) -> Self {
        Self { pieces: vec![Piece::Call(call, name)], span: call.span }
    }

    /// The fields of the result that are 0 where there is nothing to count or to add.
    pub fn zeros(&self) -> Vec<String> {
        let [piece] = self.pieces.as_slice() else { return Vec::new() };
        let calls = piece.simple().ok().flatten().unwrap_or_default();
        let names = calls.into_iter().filter_map(|(call, name)| {
            let usual = ["count", "sum"].into_iter().find(|function| call.name.node.eq_ignore_ascii_case(function))?;
            let arguments = Arguments::of(call).ok()?;
            match name {
                Some(name) => Some(name.node),
                None => arguments.output(&format!("_{usual}")).ok(),
            }
        });
        names.collect()
    }

    /// Where the part gives one row of each group, what it computes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn fuse(
        &self,
        run: &mut Run<'_, '_>,
        frame: &mut Frame,
        position: usize,
    ) -> PlanResult<Option<Fused<'c>>> {
        let Some(at) = self.pieces.iter().position(|piece| !piece.is_row()) else { return Ok(None) };
        let (before, rest) = self.pieces.split_at(at);
        let Some((aggregate, rest)) = rest.split_first() else { return Ok(None) };
        let Some(calls) = aggregate.simple()? else { return Ok(None) };
        if !rest.iter().all(Piece::is_row) {
            return Ok(None);
        }
        let mut arm = Arm { guard: lit(true), assigned: HashMap::new() };
        for piece in before {
            piece.each_row(run, frame, &mut arm).await?;
        }
        let mut computed = Vec::new();
        for (index, (call, name)) in calls.into_iter().enumerate() {
            let arguments = Arguments::of(call)?;
            let arguments = match name {
                Some(name) => arguments.named_as(name),
                None => arguments,
            };
            let Makes::Aggregate(compute) = arguments.makes() else { return Ok(None) };
            let number = position.saturating_mul(100).saturating_add(index);
            let mut one = compute(&Rows { frame, arm: Some(&arm) }, &arguments, number)?;
            arguments.done()?;
            if arm.guard != lit(true) {
                let guarded = one.aggregates.into_iter().map(|aggregate| guarded(aggregate, &arm.guard));
                one.aggregates = guarded.collect::<PlanResult<_>>()?;
            }
            computed.push(one);
        }
        Ok(Some(Fused { computed, rest: rest.to_vec() }))
    }

    /// Runs the part on its own, for each group that the run has.
    ///
    /// # Errors
    /// What is wrong with it; it has no aggregate.
    pub async fn alone(&self, run: &mut Run<'_, '_>, frame: &mut Frame) -> PlanResult<()> {
        if self.pieces.iter().all(Piece::is_row) {
            return Err(expected("a subquery that ends in an aggregate such as `count()`", self.span).into());
        }
        for piece in &self.pieces {
            match piece {
                Piece::Step(step) => Box::pin(run.step(frame, step)).await?,
                Piece::Filter(filter) => Box::pin(run.filter(frame, filter)).await?,
                Piece::List(elements) => Box::pin(super::stats(run, frame, elements)).await?,
                Piece::Call(call, name) => {
                    let arguments = Arguments::of(call)?;
                    let arguments = match name {
                        Some(name) => arguments.named_as(name.clone()),
                        None => arguments,
                    };
                    if !functions::is_step(call) {
                        let what = format!("`{}` as an aggregate", arguments.function.name);
                        return Err(unsupported(&what, call.name.span).into());
                    }
                    Box::pin(steps::plan(run, frame, arguments)).await?;
                }
            }
        }
        Ok(())
    }
}

impl Fused<'_> {
    /// The fields of the result, over a frame that has what was computed; and when there is a row, if not always.
    ///
    /// # Errors
    /// What is wrong with the steps behind the aggregate.
    pub async fn results(&self, run: &mut Run<'_, '_>, frame: &mut Frame) -> PlanResult<(Results, Option<Expr>)> {
        let results: Vec<(String, Expr)> = self.computed.iter().flat_map(|one| one.results.clone()).collect();
        if self.rest.is_empty() {
            return Ok((results, None));
        }
        let mut arm = Arm { guard: lit(true), assigned: HashMap::new() };
        let mut names = Vec::new();
        for (name, result) in results {
            let hidden = frame.hidden_name();
            frame.set(vec![(hidden.clone(), result)])?;
            let kind = Kind::of(&crate::plan::combine::type_of(frame, &hidden));
            arm.assigned.insert(name.clone(), (column(&hidden), kind));
            names.push(name);
        }
        for piece in &self.rest {
            piece.each_row(run, frame, &mut arm).await?;
            let mut new: Vec<String> = arm.assigned.keys().filter(|name| !names.contains(name)).cloned().collect();
            new.sort();
            names.extend(new);
        }
        let filtered = (arm.guard != lit(true)).then(|| arm.guard.clone());
        let mut kept = Vec::new();
        for name in names {
            // A field without a kind was dropped.
            if let Some((value, kind)) = arm.assigned.get(&name)
                && *kind != Kind::Null
            {
                let value = match &filtered {
                    None => value.clone(),
                    Some(guard) => when(guard.clone(), value.clone()).end()?,
                };
                kept.push((name, value));
            }
        }
        Ok((kept, filtered))
    }

    /// Whether there is a row, over a frame that has what was computed; `None` where there always is.
    pub fn present(&self) -> Option<Expr> {
        if !self.computed.iter().all(|one| one.drops) {
            return None;
        }
        let results = self.computed.iter().flat_map(|one| &one.results);
        results.map(|(_, value)| value.clone().is_not_null()).reduce(Expr::or)
    }
}

/// A call, and the name of its result where one is given.
type NamedCall<'c> = (&'c Call, Option<Spanned<String>>);

impl<'c> Piece<'c> {
    /// Whether it works on each row by itself.
    fn is_row(&self) -> bool {
        match self {
            Piece::Step(step) => match &step.kind {
                StepKind::Assign(Assignment { target, value }) => {
                    let step = matches!(&value.kind, ExpressionKind::Call(call) if functions::is_step(call));
                    !step && matches!(target, Target::Field(_))
                }
                StepKind::Stats(_) => false,
                _ => true,
            },
            Piece::Filter(Filter::Call(call)) => !functions::is_step(call),
            Piece::Filter(_) => true,
            Piece::Call(..) | Piece::List(_) => false,
        }
    }

    async fn each_row(&self, run: &mut Run<'_, '_>, frame: &mut Frame, arm: &mut Arm) -> PlanResult<()> {
        match self {
            Piece::Step(step) => Box::pin(run.row_step(frame, Some(arm), step)).await,
            Piece::Filter(filter) => Box::pin(run.row_filter(frame, Some(arm), filter)).await,
            Piece::Call(..) | Piece::List(_) => Ok(()),
        }
    }

    /// The calls, where each of them gives one row of a group.
    fn simple(&self) -> Result<Option<Vec<NamedCall<'c>>>, Diagnostic> {
        let one = |call: &'c Call, name: Option<&Spanned<String>>| {
            let arguments = Arguments::of(call)?;
            let simple = matches!(arguments.makes(), Makes::Aggregate(_));
            Ok(simple.then(|| (call, name.cloned())))
        };
        match self {
            Piece::Call(call, name) => Ok(one(call, name.as_ref())?.map(|call| vec![call])),
            Piece::Filter(Filter::Call(call)) => Ok(one(call, None)?.map(|call| vec![call])),
            Piece::Step(step) => match &step.kind {
                StepKind::Assign(Assignment { target: Target::Field(name), value }) => match &value.kind {
                    ExpressionKind::Call(call) => Ok(one(call, Some(name))?.map(|call| vec![call])),
                    _ => Ok(None),
                },
                StepKind::Stats(elements) => all(elements, one),
                _ => Ok(None),
            },
            Piece::List(elements) => all(elements, one),
            Piece::Filter(_) => Ok(None),
        }
    }
}

type Simple<'c> = (&'c Call, Option<Spanned<String>>);

fn all<'c>(
    elements: &'c [Element],
    one: impl Fn(&'c Call, Option<&Spanned<String>>) -> Result<Option<Simple<'c>>, Diagnostic>,
) -> Result<Option<Vec<Simple<'c>>>, Diagnostic> {
    let mut calls = Vec::new();
    for element in elements {
        let (name, value) = match element {
            Element::Value(value) => (None, value),
            Element::Assign(Assignment { target: Target::Field(name), value }) => (Some(name), value),
            _ => return Ok(None),
        };
        let ExpressionKind::Call(call) = &value.kind else { return Ok(None) };
        match one(call, name)? {
            Some(call) => calls.push(call),
            None => return Ok(None),
        }
    }
    Ok(Some(calls))
}

/// The steps of a block; a chain of ANDs is a chain of pipes, in which any function may stand.
fn pieces(pipeline: &Pipeline) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for step in &pipeline.steps {
        match &step.kind {
            StepKind::Filter(Filter::And(parts)) => pieces.extend(parts.iter().map(Piece::Filter)),
            StepKind::Filter(filter) => pieces.push(Piece::Filter(filter)),
            _ => pieces.push(Piece::Step(step)),
        }
    }
    pieces
}

/// The aggregate over the rows for which the condition is true.
fn guarded(aggregate: Expr, guard: &Expr) -> PlanResult<Expr> {
    match aggregate {
        Expr::Alias(mut alias) => {
            alias.expr = Box::new(guarded(*alias.expr, guard)?);
            Ok(Expr::Alias(alias))
        }
        Expr::AggregateFunction(mut function) => {
            let filter = match function.params.filter.take() {
                Some(filter) => filter.and(guard.clone()),
                None => guard.clone(),
            };
            function.params.filter = Some(Box::new(filter));
            Ok(Expr::AggregateFunction(function))
        }
        other => Err(plan_datafusion_err!("an aggregate was expected, not {other}").into()),
    }
}

/// Whether a row fits what `condition` or `startmatch` says: a test, or filters in braces.
///
/// # Errors
/// What is wrong with it.
pub async fn condition(run: &mut Run<'_, '_>, frame: &mut Frame, value: &Expression) -> PlanResult<Expr> {
    let ExpressionKind::Block(pipeline) = &value.kind else {
        return Ok(datafusion::logical_expr::is_true(Rows::of(frame).truth(value)?));
    };
    let mut arm = Arm { guard: lit(true), assigned: HashMap::new() };
    for piece in pieces(pipeline) {
        if !piece.is_row() {
            return Err(expected("filters, and no aggregate", value.span).into());
        }
        piece.each_row(run, frame, &mut arm).await?;
    }
    Ok(arm.guard)
}
