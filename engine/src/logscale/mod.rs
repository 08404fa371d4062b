//! LogScale queries as plans, through the same builder, functions and aggregates as SPL.
//!
//! A step either works on each row by itself ([`rows`]), and then it may stand in an arm of `case` too, or on all
//! rows ([`steps`], [`aggregates`]). What LogScale calls a missing field is null.

mod aggregates;
mod arguments;
mod blocks;
mod branches;
mod expression;
mod filter;
mod functions;
pub mod needs;
mod published;
pub mod reference;
mod resolve;
mod rows;
mod steps;
pub mod tables;
mod trace;
pub mod wanted;

pub use resolve::resolve;

use datafusion::logical_expr::{is_true, lit, when};
use spelunk_grammar::logscale::query::{
    Assignment, Call, ExpressionKind, Filter, Pipeline, Query, Step, StepKind, Target,
};
use spelunk_grammar::{Code, Diagnostic, Span};

use crate::functions::operators;
use crate::plan::barrier::Existing;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::Frame;
use crate::plan::{PlanError, PlanResult, Planner, Scope, barrier, search};
use arguments::Arguments;
use functions::{Makes, Reading};
use rows::{Arm, Effect, Rows};

/// The most steps of one query: DataFusion's planning time grows faster than their number.
const MOST_STEPS: usize = 500;

/// Plans a query.
///
/// # Errors
/// Every finding that stops it, or DataFusion's own error.
pub async fn plan(planner: &mut Planner<'_>, query: &Query) -> Result<Frame, Vec<PlanError>> {
    let mut errors = Vec::new();
    let mut frame = start(planner).map_err(|error| vec![error])?;
    if let Some(step) = query.pipeline.steps.get(MOST_STEPS) {
        let message = format!("more than {MOST_STEPS} steps in one query");
        return Err(vec![Diagnostic::error(Code::TooLarge, message, step.span).into()]);
    }
    planner.trail.enter();
    let mut run = Run { planner, aggregated: false, preamble: true, keys: Vec::new() };
    for step in &query.pipeline.steps {
        let scope = Scope::of(&frame);
        run.planner.trail.now(&called(step));
        if let Err(error) = run.step(&mut frame, step).await {
            // What follows is planned all the same, so that its mistakes show too.
            frame.open = true;
            errors.push(error);
        }
        run.planner.report_missing(&frame, &scope);
        run.planner.trail.record(&called(step), || step.to_string(), step.span, frame.plan());
    }
    run.planner.trail.leave();
    if errors.is_empty() { Ok(frame) } else { Err(errors) }
}

/// What a step is called where it is spoken of.
fn called(step: &Step) -> String {
    let text = step.to_string();
    let name: String = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == ':').collect();
    if name.is_empty() || !text.starts_with(&format!("{name}(")) { text } else { format!("{name}()") }
}

/// The events, with the names that LogScale has for their text and time.
fn start(planner: &Planner<'_>) -> PlanResult<Frame> {
    let mut frame = planner.scan()?;
    let mut named = Vec::new();
    if let Some(data_type) = frame.data_type("_time") {
        let time = Typed::new(crate::plan::frame::column("_time"), Kind::of(&data_type), Span::default());
        search::within(&mut frame, planner.bounds)?;
        named.push(("@timestamp".to_owned(), time.number() * lit(1_000.0_f64)));
    }
    if frame.data_type("_raw").is_some() {
        named.push(("@rawstring".to_owned(), crate::plan::frame::column("_raw")));
    }
    if !named.is_empty() {
        frame.set(named)?;
        let kept: Vec<_> = frame
            .fields()
            .into_iter()
            .filter(|name| name != "_time" && name != "_raw")
            .map(|name| (name.clone(), crate::plan::frame::column(&name)))
            .collect();
        frame.select(kept)?;
    }
    Ok(frame)
}

/// A query that is being planned.
pub struct Run<'r, 'p> {
    /// What SPL plans with too.
    pub planner: &'r mut Planner<'p>,
    /// Whether the rows come from an aggregate, so that there is no text of events any more.
    pub aggregated: bool,
    /// Whether only tables have been defined so far.
    pub preamble: bool,
    /// The hidden columns of the groups that every aggregate works in by itself: inside of `groupBy`.
    pub keys: Vec<String>,
}

impl Run<'_, '_> {
    /// Plans a pipeline over a frame.
    pub async fn pipeline(&mut self, frame: &mut Frame, pipeline: &Pipeline) -> PlanResult<()> {
        for step in &pipeline.steps {
            let scope = Scope::of(frame);
            Box::pin(self.step(frame, step)).await?;
            self.planner.report_missing(frame, &scope);
        }
        Ok(())
    }

    async fn step(&mut self, frame: &mut Frame, step: &Step) -> PlanResult<()> {
        if !trace::passes(frame, step) {
            return Ok(());
        }
        trace::step(frame, step);
        self.preamble &= matches!(step.kind, StepKind::Filter(_));
        match &step.kind {
            // A chain of ANDs is a chain of pipes, in which any function may stand.
            StepKind::Filter(Filter::And(parts)) => {
                for part in parts {
                    trace::part(frame, part);
                    Box::pin(self.filter(frame, part)).await?;
                }
                Ok(())
            }
            StepKind::Filter(filter) => self.filter(frame, filter).await,
            StepKind::Stats(elements) => aggregates::stats(self, frame, elements).await,
            StepKind::Assign(Assignment { target, value }) => {
                if let (Target::Field(name), ExpressionKind::Call(call)) = (target, &value.kind)
                    && functions::is_step(call)
                {
                    let arguments = Arguments::of(call)?.named_as(name.clone());
                    return steps::plan(self, frame, arguments).await;
                }
                if let Target::Dynamic(name) = target {
                    let rows = Rows::of(frame);
                    let (target, value) = (rows.field(&name.node, name.span), rows.expression(value)?);
                    return self.assign_under(frame, &target, &value).await;
                }
                self.row_step(frame, None, step).await
            }
            _ => self.row_step(frame, None, step).await,
        }
    }

    async fn filter(&mut self, frame: &mut Frame, filter: &Filter) -> PlanResult<()> {
        let (negated, plain) = match filter {
            Filter::Not(inner) => (true, inner.as_ref()),
            other => (false, other),
        };
        match plain {
            Filter::Call(call) if functions::names_by_row(call) => self.set_by_row(frame, call, negated).await,
            Filter::Call(call) if functions::is_step(call) => {
                if !trace::passes_call(frame, call) {
                    return Ok(());
                }
                let planned = steps::plan(self, frame, Arguments::of(call)?.negated(negated)).await;
                self.preamble &= call.name.node.eq_ignore_ascii_case("defineTable");
                planned
            }
            Filter::FieldCall(field, inside, call) if functions::is_step(call) => {
                if !trace::passes_call(frame, call) {
                    return Ok(());
                }
                self.preamble = false;
                let arguments = Arguments::of(call)?.with_field(field).negated(negated != *inside);
                steps::plan(self, frame, arguments).await
            }
            _ => {
                self.preamble = false;
                self.row_filter(frame, None, filter).await
            }
        }
    }

    /// `setField` whose target is computed.
    async fn set_by_row(&mut self, frame: &mut Frame, call: &Call, negated: bool) -> PlanResult<()> {
        let a = Arguments::of(call)?.negated(negated);
        let rows = Rows::of(frame);
        let (target, value) = (rows.expression(a.need("target")?)?, rows.expression(a.need("value")?)?);
        a.done()?;
        self.assign_under(frame, &target, &value).await
    }

    /// Sets the field that each row names; nothing where there is no value.
    async fn assign_under(&mut self, frame: &mut Frame, target: &Typed, value: &Typed) -> PlanResult<()> {
        let stored = rows::stored(value);
        let name = when(stored.clone().is_not_null(), filter::text_of(target)).end()?;
        barrier::assign_under(self.planner, frame, name, stored, target.span).await
    }

    /// A step that works on each row by itself; in an arm of a `case` no other may stand.
    pub async fn row_step(&mut self, frame: &mut Frame, arm: Option<&mut Arm>, step: &Step) -> PlanResult<()> {
        match &step.kind {
            StepKind::Filter(filter) => self.row_filter(frame, arm, filter).await,
            StepKind::Case(arms) => branches::case(self, frame, arm, arms).await,
            StepKind::Match(choice) => branches::choose(self, frame, arm, choice).await,
            StepKind::Assign(Assignment { target: Target::Field(name), value }) => match (&value.kind, arm) {
                (ExpressionKind::Call(call), Some(arm)) if functions::reads_fields(call) => {
                    self.read_fields(frame, arm, Arguments::of(call)?.named_as(name.clone())).await
                }
                (_, arm) => {
                    let effect = Rows { frame, arm: arm.as_deref() }.step_effect(step, self.aggregated)?;
                    rows::apply(frame, arm, effect)
                }
            },
            StepKind::Where(condition) => {
                filter::warn_of_mixture(self.planner, condition);
                let effect = Rows { frame, arm: arm.as_deref() }.step_effect(step, self.aggregated)?;
                rows::apply(frame, arm, effect)
            }
            _ => {
                let effect = Rows { frame, arm: arm.as_deref() }.step_effect(step, self.aggregated)?;
                rows::apply(frame, arm, effect)
            }
        }
    }

    /// A filter that works on each row by itself.
    pub async fn row_filter(
        &mut self,
        frame: &mut Frame,
        mut arm: Option<&mut Arm>,
        filter: &Filter,
    ) -> PlanResult<()> {
        match filter {
            Filter::And(parts) => {
                for part in parts {
                    Box::pin(self.row_filter(frame, arm.as_deref_mut(), part)).await?;
                }
                Ok(())
            }
            Filter::Call(call) if call.name.node.eq_ignore_ascii_case("eval") => {
                for (name, value) in Arguments::of(call)?.all_named()? {
                    let value = Rows { frame, arm: arm.as_deref() }.expression(value)?;
                    rows::apply(frame, arm.as_deref_mut(), Effect::set(&name.node, value))?;
                }
                Ok(())
            }
            _ => {
                if let Some(arm) = arm.as_deref_mut() {
                    let arguments = match filter {
                        Filter::Call(call) if functions::reads_fields(call) => Some(Arguments::of(call)?),
                        Filter::FieldCall(field, false, call) if functions::reads_fields(call) => {
                            Some(Arguments::of(call)?.with_field(field))
                        }
                        _ => None,
                    };
                    if let Some(arguments) = arguments {
                        return self.read_fields(frame, arm, arguments).await;
                    }
                }
                let effect = Rows { frame, arm: arm.as_deref() }.filter_effect(filter, self.aggregated)?;
                rows::apply(frame, arm, effect)
            }
        }
    }

    /// Fields out of a text, in an arm: only of the rows that the arm has kept so far.
    async fn read_fields(&mut self, frame: &mut Frame, arm: &mut Arm, arguments: Arguments<'_>) -> PlanResult<()> {
        let a = &arguments;
        let Makes::Fields(reading) = a.makes() else {
            return Err(unsupported(&format!("`{}` at this place", a.function.name), a.call.name.span).into());
        };
        let Reading { source, existing, read } = reading(&Rows { frame, arm: Some(arm) }, a)?;
        a.done()?;
        let mut source = source;
        if source.kind != Kind::Null {
            source.expr = when(is_true(arm.guard.clone()), source.text()).end()?;
        }
        let found = barrier::extract_apart(self.planner, frame, &source, &*read).await?;
        let mut effect = Effect::default();
        for (name, value) in found {
            let before = Rows { frame, arm: Some(arm) }.field(&name, source.span);
            match (existing, before.kind) {
                (Existing::Kept, kind) if kind != Kind::Null => {
                    effect.replace.push((name, barrier::merged(frame, value, before, existing)));
                }
                _ => effect.set.push((name, value)),
            }
        }
        rows::apply(frame, Some(arm), effect)
    }
}

/// What is refused by name.
pub fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::Unsupported, format!("{what} is not supported yet"), span)
}

/// Milliseconds since the epoch of the start of the query.
pub fn now(planner: &Planner<'_>) -> f64 {
    planner.clock.now.as_millisecond() as f64
}

/// A number as text where it has to be.
pub fn as_number(value: &Typed) -> datafusion::logical_expr::Expr {
    match value.kind {
        Kind::Literal | Kind::Text => operators::to_number(value.expr.clone()),
        _ => value.number(),
    }
}
