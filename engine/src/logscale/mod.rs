//! LogScale queries as plans, through the same builder, functions and aggregates as SPL.
//!
//! A step either works on each row by itself ([`rows`]), and then it may stand in an arm of `case` too, or on all
//! rows ([`steps`], [`aggregates`]). What LogScale calls a missing field is null.

mod aggregates;
mod arguments;
mod branches;
mod documents;
mod expression;
mod filter;
mod functions;
pub mod needs;
mod rows;
mod steps;

use datafusion::logical_expr::lit;
use spelunk_grammar::logscale::query::{
    Assignment, Call, ExpressionKind, Filter, Pipeline, Query, Step, StepKind, Target,
};
use spelunk_grammar::spl::commands::eval::{Target as SplTarget, TargetPart};
use spelunk_grammar::{Code, Diagnostic, Span};

use crate::functions::operators;
use crate::plan::expression::{Kind, Typed};
use crate::plan::frame::Frame;
use crate::plan::{PlanError, PlanResult, Planner, barrier};
use arguments::Arguments;
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
    let mut run = Run { planner, aggregated: false };
    for step in &query.pipeline.steps {
        if let Err(error) = run.step(&mut frame, step).await {
            // What follows is planned all the same, so that its mistakes show too.
            frame.open = true;
            errors.push(error);
        }
    }
    for finding in frame.take_findings() {
        if !run.planner.diagnostics.contains(&finding) {
            run.planner.diagnostics.push(finding);
        }
    }
    if errors.is_empty() { Ok(frame) } else { Err(errors) }
}

/// The events, with the names that LogScale has for their text and time.
fn start(planner: &Planner<'_>) -> PlanResult<Frame> {
    let mut frame = planner.scan()?;
    let mut named = Vec::new();
    if let Some(data_type) = frame.data_type("_time") {
        let time = Typed::new(crate::plan::frame::column("_time"), Kind::of(&data_type), Span::default());
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
}

impl Run<'_, '_> {
    /// Plans a pipeline over a frame.
    pub async fn pipeline(&mut self, frame: &mut Frame, pipeline: &Pipeline) -> PlanResult<()> {
        for step in &pipeline.steps {
            Box::pin(self.step(frame, step)).await?;
        }
        Ok(())
    }

    async fn step(&mut self, frame: &mut Frame, step: &Step) -> PlanResult<()> {
        match &step.kind {
            // A chain of ANDs is a chain of pipes, in which any function may stand.
            StepKind::Filter(Filter::And(parts)) => {
                for part in parts {
                    Box::pin(self.filter(frame, part)).await?;
                }
                Ok(())
            }
            StepKind::Filter(filter) => self.filter(frame, filter).await,
            StepKind::Stats(elements) => aggregates::stats(self, frame, elements).await,
            StepKind::Assign(Assignment { target, value }) => {
                if let (Target::Field(name), ExpressionKind::Call(call)) = (target, &value.kind)
                    && functions::is_step(&call.name.node)
                {
                    let arguments = Arguments::of(call)?.named_as(name.clone());
                    return steps::plan(self, frame, arguments).await;
                }
                if let Target::Dynamic(name) = target {
                    let value = Rows::of(frame).expression(value)?;
                    let target = SplTarget { parts: vec![TargetPart::FieldValue(name.node.clone())], span: name.span };
                    return barrier::assign_by_row(self.planner, frame, &target, rows::stored(&value)).await;
                }
                self.row_step(frame, None, step)
            }
            _ => self.row_step(frame, None, step),
        }
    }

    async fn filter(&mut self, frame: &mut Frame, filter: &Filter) -> PlanResult<()> {
        if let Filter::Call(call) = filter
            && functions::is_step(&call.name.node)
        {
            return steps::plan(self, frame, Arguments::of(call)?).await;
        }
        self.row_filter(frame, None, filter)
    }

    /// A step that works on each row by itself; in an arm of a `case` no other may stand.
    pub fn row_step(&mut self, frame: &mut Frame, arm: Option<&mut Arm>, step: &Step) -> PlanResult<()> {
        match &step.kind {
            StepKind::Filter(filter) => self.row_filter(frame, arm, filter),
            StepKind::Where(condition) => {
                filter::warn_of_mixture(self.planner, condition);
                let rows = Rows { frame, arm: arm.as_deref() };
                let keep = rows.truth(condition)?;
                rows::apply(frame, arm, Effect::keep(keep))
            }
            StepKind::Assign(Assignment { target: Target::Field(name), value }) => {
                let rows = Rows { frame, arm: arm.as_deref() };
                let value = match &value.kind {
                    ExpressionKind::Call(call) => {
                        refuse_step(call)?;
                        let arguments = Arguments::of(call)?.named_as(name.clone());
                        let effect = functions::row(&rows, arguments, &name.node)?;
                        if !effect.set.is_empty() {
                            return rows::apply(frame, arm, effect);
                        }
                        rows.expression(value)?
                    }
                    _ => rows.expression(value)?,
                };
                rows::apply(frame, arm, Effect::set(&name.node, value))
            }
            StepKind::Assign(Assignment { target: Target::Dynamic(name), .. }) => {
                Err(unsupported("a field named by another one, inside of `case`,", name.span).into())
            }
            StepKind::Stats(_) => Err(unsupported("an aggregate inside of `case`", step.span).into()),
            StepKind::Case(arms) => branches::case(self, frame, arm, arms),
            StepKind::Match(choice) => branches::choose(self, frame, arm, choice),
        }
    }

    fn row_filter(&mut self, frame: &mut Frame, mut arm: Option<&mut Arm>, filter: &Filter) -> PlanResult<()> {
        match filter {
            Filter::And(parts) => {
                for part in parts {
                    self.row_filter(frame, arm.as_deref_mut(), part)?;
                }
                Ok(())
            }
            Filter::Call(call) => {
                refuse_step(call)?;
                if call.name.node.eq_ignore_ascii_case("eval") {
                    return self.eval(frame, arm, call);
                }
                let rows = Rows { frame, arm: arm.as_deref() };
                let effect = functions::row(&rows, Arguments::of(call)?, "")?;
                rows::apply(frame, arm, effect)
            }
            Filter::FieldCall(field, false, call) => {
                refuse_step(call)?;
                let rows = Rows { frame, arm: arm.as_deref() };
                let effect = functions::row(&rows, Arguments::of(call)?.with_field(field), "")?;
                rows::apply(frame, arm, effect)
            }
            Filter::Saved(saved) => {
                let message = format!("the saved query `${}()` is not defined", saved.name.node);
                Err(Diagnostic::error(Code::UnknownMacro, message, saved.name.span).into())
            }
            other => {
                let mut captures = Vec::new();
                let rows = Rows { frame, arm: arm.as_deref() };
                let keep = rows.filter(other, Some(&mut captures), self.aggregated)?;
                rows::apply(frame, arm, Effect { keep: Some(keep), set: captures, ..Effect::default() })
            }
        }
    }

    /// `eval(a=x, b=y)`: one assignment after the other.
    fn eval(&mut self, frame: &mut Frame, mut arm: Option<&mut Arm>, call: &Call) -> PlanResult<()> {
        let arguments = Arguments::of(call)?;
        for (name, value) in arguments.all_named()? {
            let rows = Rows { frame, arm: arm.as_deref() };
            let value = rows.expression(value)?;
            rows::apply(frame, arm.as_deref_mut(), Effect::set(&name.node, value))?;
        }
        Ok(())
    }
}

fn refuse_step(call: &Call) -> PlanResult<()> {
    match functions::is_step(&call.name.node) {
        true => Err(unsupported(&format!("`{}` at this place", call.name.node), call.name.span).into()),
        false => Ok(()),
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
