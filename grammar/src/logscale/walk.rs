//! Walks over a tree, to change it or to look at every part of it.

use super::query::{
    Argument, Assignment, Call, Element, Expression, ExpressionKind, Filter, Guard, Labelled, Parameter, Pipeline,
    SavedQuery, Step, StepKind, Target, Value, ValueKind,
};
use crate::Span;

/// What is done with the parts of a tree. Each method that is not given goes on to the parts of its part.
pub trait Walk {
    /// Any place.
    fn span(&mut self, _: &mut Span) {}

    /// A value that the user gives.
    fn parameter(&mut self, _: &mut Parameter, _: Span) {}

    /// Steps one after the other.
    fn pipeline(&mut self, pipeline: &mut Pipeline) {
        pipeline_parts(self, pipeline);
    }

    /// One step.
    fn step(&mut self, step: &mut Step) {
        step_parts(self, step);
    }

    /// A filter.
    fn filter(&mut self, filter: &mut Filter) {
        filter_parts(self, filter);
    }

    /// A call.
    fn call(&mut self, call: &mut Call) {
        call_parts(self, call);
    }

    /// An expression.
    fn expression(&mut self, expression: &mut Expression) {
        expression_parts(self, expression);
    }

    /// The value of a filter.
    fn value(&mut self, value: &mut Value) {
        value_parts(self, value);
    }
}

/// The steps of a pipeline.
pub fn pipeline_parts<W: Walk + ?Sized>(walk: &mut W, pipeline: &mut Pipeline) {
    pipeline.steps.iter_mut().for_each(|step| walk.step(step));
}

/// The parts of a step.
pub fn step_parts<W: Walk + ?Sized>(walk: &mut W, step: &mut Step) {
    walk.span(&mut step.span);
    match &mut step.kind {
        StepKind::Case(arms) => arms.iter_mut().for_each(|arm| walk.pipeline(arm)),
        StepKind::Match(choice) => {
            walk.span(&mut choice.field.span);
            for arm in &mut choice.arms {
                match &mut arm.guard {
                    Guard::Value(value) => walk.value(value),
                    Guard::Call(_, call) => walk.call(call),
                }
                walk.pipeline(&mut arm.pipeline);
            }
        }
        StepKind::Assign(assignment) => assignment_parts(walk, assignment),
        StepKind::Where(condition) => walk.expression(condition),
        StepKind::Stats(elements) => elements.iter_mut().for_each(|element| element_parts(walk, element)),
        StepKind::Filter(filter) => walk.filter(filter),
    }
}

fn assignment_parts<W: Walk + ?Sized>(walk: &mut W, assignment: &mut Assignment) {
    let (Target::Field(name) | Target::Dynamic(name)) = &mut assignment.target;
    walk.span(&mut name.span);
    walk.expression(&mut assignment.value);
}

/// The parts of a filter.
pub fn filter_parts<W: Walk + ?Sized>(walk: &mut W, filter: &mut Filter) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter_mut().for_each(|part| walk.filter(part)),
        Filter::Not(inner) => walk.filter(inner),
        Filter::Comparison(comparison) => {
            walk.span(&mut comparison.field.span);
            walk.span(&mut comparison.comparator.span);
            walk.value(&mut comparison.value);
        }
        Filter::Membership(membership) => {
            walk.span(&mut membership.field.span);
            membership.values.iter_mut().for_each(|value| walk.value(value));
        }
        Filter::Call(call) => walk.call(call),
        Filter::Test(call, comparator, right) => {
            walk.call(call);
            walk.span(&mut comparator.span);
            walk.expression(right);
        }
        Filter::FieldCall(field, _, call) => {
            walk.span(&mut field.span);
            walk.call(call);
        }
        Filter::Saved(saved) => saved_parts(walk, saved),
        Filter::Text(value) => walk.value(value),
    }
}

/// The parts of a call of a saved query.
pub fn saved_parts<W: Walk + ?Sized>(walk: &mut W, saved: &mut SavedQuery) {
    walk.span(&mut saved.name.span);
    walk.span(&mut saved.span);
    saved.arguments.iter_mut().for_each(|argument| argument_parts(walk, argument));
}

/// The parts of a call.
pub fn call_parts<W: Walk + ?Sized>(walk: &mut W, call: &mut Call) {
    walk.span(&mut call.name.span);
    walk.span(&mut call.span);
    call.arguments.iter_mut().for_each(|argument| argument_parts(walk, argument));
}

/// The parts of an argument.
pub fn argument_parts<W: Walk + ?Sized>(walk: &mut W, argument: &mut Argument) {
    match argument {
        Argument::Unnamed(value) => walk.expression(value),
        Argument::Named(name, value) => {
            walk.span(&mut name.span);
            walk.expression(value);
        }
        Argument::Labelled(labelled) => labelled_parts(walk, labelled),
    }
}

fn labelled_parts<W: Walk + ?Sized>(walk: &mut W, labelled: &mut Labelled) {
    walk.span(&mut labelled.name.span);
    walk.pipeline(&mut labelled.pipeline);
    for (name, value) in &mut labelled.attributes {
        walk.span(&mut name.span);
        walk.expression(value);
    }
}

fn element_parts<W: Walk + ?Sized>(walk: &mut W, element: &mut Element) {
    match element {
        Element::Value(value) => walk.expression(value),
        Element::Assign(assignment) => assignment_parts(walk, assignment),
        Element::Labelled(labelled) => labelled_parts(walk, labelled),
    }
}

/// The parts of an expression.
pub fn expression_parts<W: Walk + ?Sized>(walk: &mut W, expression: &mut Expression) {
    let place = expression.span;
    walk.span(&mut expression.span);
    match &mut expression.kind {
        ExpressionKind::Or(parts) | ExpressionKind::And(parts) => {
            parts.iter_mut().for_each(|part| walk.expression(part));
        }
        ExpressionKind::Not(inner) | ExpressionKind::Negative(inner) | ExpressionKind::Inverse(inner) => {
            walk.expression(inner);
        }
        ExpressionKind::Compare(first, rest) => {
            walk.expression(first);
            rest.iter_mut().for_each(|(_, next)| walk.expression(next));
        }
        ExpressionKind::Is(left, _, value) => {
            walk.expression(left);
            walk.value(value);
        }
        ExpressionKind::In(left, _, values) => {
            walk.expression(left);
            values.iter_mut().for_each(|value| walk.value(value));
        }
        ExpressionKind::Sum(first, rest) | ExpressionKind::Product(first, rest) => {
            walk.expression(first);
            rest.iter_mut().for_each(|(_, next)| walk.expression(next));
        }
        ExpressionKind::Case(arms) => {
            for arm in arms {
                if let Some(condition) = &mut arm.condition {
                    walk.expression(condition);
                }
                walk.expression(&mut arm.value);
            }
        }
        ExpressionKind::Block(pipeline) => walk.pipeline(pipeline),
        ExpressionKind::Call(call) => walk.call(call),
        ExpressionKind::Saved(saved) => saved_parts(walk, saved),
        ExpressionKind::Array(elements) => elements.iter_mut().for_each(|element| element_parts(walk, element)),
        ExpressionKind::Parameter(parameter) => walk.parameter(parameter, place),
        ExpressionKind::Text(_)
        | ExpressionKind::Regex(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::Word(_)
        | ExpressionKind::Pattern(_) => {}
    }
}

/// The parts of the value of a filter.
pub fn value_parts<W: Walk + ?Sized>(walk: &mut W, value: &mut Value) {
    let place = value.span;
    walk.span(&mut value.span);
    if let ValueKind::Parameter(parameter) = &mut value.kind {
        walk.parameter(parameter, place);
    }
}
