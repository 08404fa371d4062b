//! What a step does to each row, as one effect, and blocks of such steps inside of a function's arguments.

use datafusion::logical_expr::lit;
use spelunk_grammar::logscale::query::{
    Assignment, Call, Expression, ExpressionKind, Filter, Pipeline, Step, StepKind, Target,
};
use spelunk_grammar::{Code, Diagnostic};

use super::arguments::Arguments;
use super::rows::{Arm, Effect, Rows};
use super::{functions, unsupported};

impl Rows<'_> {
    /// What a step does to each row.
    ///
    /// # Errors
    /// The first thing wrong with it; a step that does not work on each row by itself.
    pub fn step_effect(&self, step: &Step, aggregated: bool) -> Result<Effect, Diagnostic> {
        match &step.kind {
            StepKind::Filter(filter) => self.filter_effect(filter, aggregated),
            StepKind::Where(condition) => Ok(Effect::keep(self.truth(condition)?)),
            StepKind::Assign(Assignment { target: Target::Field(name), value }) => {
                if let ExpressionKind::Call(call) = &value.kind {
                    refuse_step(call)?;
                    let effect = functions::row(self, Arguments::of(call)?.named_as(name.clone()))?;
                    if !effect.set.is_empty() || !effect.lists.is_empty() {
                        return Ok(effect);
                    }
                }
                Ok(Effect::set(&name.node, self.expression(value)?))
            }
            StepKind::Assign(Assignment { target: Target::Dynamic(name), .. }) => {
                Err(unsupported("a field named by another one, inside of `case`,", name.span))
            }
            StepKind::Stats(_) => Err(unsupported("an aggregate inside of `case`", step.span)),
            StepKind::Case(_) | StepKind::Match(_) => {
                Err(unsupported("`case` and `match` inside of a function's block", step.span))
            }
        }
    }

    /// What a filter, or a call that stands in its place, does to each row.
    ///
    /// # Errors
    /// The first thing wrong with it; a call that does not work on each row by itself.
    pub fn filter_effect(&self, filter: &Filter, aggregated: bool) -> Result<Effect, Diagnostic> {
        match filter {
            Filter::Call(call) => {
                refuse_step(call)?;
                functions::row(self, Arguments::of(call)?)
            }
            Filter::FieldCall(field, false, call) => {
                refuse_step(call)?;
                functions::row(self, Arguments::of(call)?.with_field(field))
            }
            Filter::Saved(saved) => {
                let message = format!("the saved query `${}()` is not defined", saved.name.node);
                Err(Diagnostic::error(Code::UnknownMacro, message, saved.name.span))
            }
            other => {
                let mut captures = Vec::new();
                let keep = self.filter(other, Some(&mut captures), aggregated)?;
                Ok(Effect { keep: Some(keep), set: captures, ..Effect::default() })
            }
        }
    }

    /// What a block makes of a row on which the fields of `arm` have been assigned.
    ///
    /// # Errors
    /// The first thing wrong with it.
    pub fn through(&self, block: &Expression, mut arm: Arm) -> Result<Arm, Diagnostic> {
        match &block.kind {
            ExpressionKind::Block(Pipeline { steps }) => {
                for step in steps {
                    self.block_step(step, &mut arm)?;
                }
            }
            // A filter function, or a condition, in place of a block.
            _ => {
                let rows = Rows { frame: self.frame, arm: Some(&arm) };
                let effect = match &block.kind {
                    ExpressionKind::Call(call) => rows.filter_effect(&Filter::Call(call.clone()), true)?,
                    _ => Effect::keep(rows.truth(block)?),
                };
                let effect = match &block.kind {
                    // `if(...)`: its value is the condition.
                    ExpressionKind::Call(_) if effect.keep.is_none() => Effect::keep(rows.truth(block)?),
                    _ => effect,
                };
                arm.apply(self.frame, effect);
            }
        }
        Ok(arm)
    }

    fn block_step(&self, step: &Step, arm: &mut Arm) -> Result<(), Diagnostic> {
        match &step.kind {
            StepKind::Filter(filter) => self.block_filter(filter, arm),
            _ => {
                let effect = Rows { frame: self.frame, arm: Some(arm) }.step_effect(step, true)?;
                arm.apply(self.frame, effect);
                Ok(())
            }
        }
    }

    fn block_filter(&self, filter: &Filter, arm: &mut Arm) -> Result<(), Diagnostic> {
        match filter {
            Filter::And(parts) => parts.iter().try_for_each(|part| self.block_filter(part, arm)),
            Filter::Call(call) if call.name.node.eq_ignore_ascii_case("eval") => {
                for (name, value) in Arguments::of(call)?.all_named()? {
                    let value = Rows { frame: self.frame, arm: Some(arm) }.expression(value)?;
                    arm.apply(self.frame, Effect::set(&name.node, value));
                }
                Ok(())
            }
            _ => {
                let effect = Rows { frame: self.frame, arm: Some(arm) }.filter_effect(filter, true)?;
                arm.apply(self.frame, effect);
                Ok(())
            }
        }
    }

    /// An arm for a block: what it sees of the row, and that it has kept it so far.
    pub fn block_arm(&self) -> Arm {
        Arm { guard: lit(true), ..Arm::inside(self.arm) }
    }
}

fn refuse_step(call: &Call) -> Result<(), Diagnostic> {
    match functions::is_step(call) {
        true => Err(unsupported(&format!("`{}` at this place", call.name.node), call.name.span)),
        false => Ok(()),
    }
}
