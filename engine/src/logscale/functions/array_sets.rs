//! Functions over the arrays of all rows.

use std::collections::HashSet;

use spelunk_grammar::logscale::query::{
    Assignment, Call, Element, Expression, ExpressionKind, Filter, Pipeline, Step, StepKind, Target,
};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::{Arguments, expected};
use super::super::rows::Rows;
use super::super::{Run, aggregates};
use super::arrays::{array_of, base, element_names};
use super::{Function, Makes};
use crate::plan::PlanResult;
use crate::plan::frame::Frame;
use crate::plan::grid::Grid;
use crate::values::Value;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "array:intersection",
        parameters: &["array", "as"],
        makes: Makes::Step(|run, frame, a| Box::pin(set(run, frame, a, "_intersection", true))),
    },
    Function {
        name: "array:reduceAll",
        parameters: &["array", "function", "var"],
        makes: Makes::Step(|run, frame, a| Box::pin(reduce_all(run, frame, a))),
    },
    Function {
        name: "array:reduceColumn",
        parameters: &["array", "function", "var", "as"],
        makes: Makes::Step(|run, frame, a| Box::pin(reduce_column(run, frame, a))),
    },
    Function {
        name: "array:union",
        parameters: &["array", "as"],
        makes: Makes::Step(|run, frame, a| Box::pin(set(run, frame, a, "_union", false))),
    },
];

/// `array:union` and `array:intersection`: one row with the values of any array, or of all that are not empty.
async fn set(
    run: &mut Run<'_, '_>,
    frame: &mut Frame,
    a: &Arguments<'_>,
    default: &str,
    of_all: bool,
) -> PlanResult<()> {
    let array = array_of(&Rows::of(frame), a)?;
    let output = a.output(default)?;
    a.done()?;
    let names = element_names(&Rows::of(frame), &array.node);
    run.aggregated = true;
    let Some(grid) = Grid::collect(run.planner, frame).await? else { return Ok(()) };
    let positions: Vec<usize> = names.iter().filter_map(|name| grid.position(name)).collect();
    let mut found: Vec<Value<'static>> = Vec::new();
    let mut first = true;
    for row in 0..grid.rows.len() {
        let values = positions.iter().map(|position| grid.value(row, *position));
        let values: Vec<&Value<'_>> = values.take_while(|value| **value != Value::Null).collect();
        if values.is_empty() {
            continue;
        }
        let texts: HashSet<_> = values.iter().filter_map(|value| value.text()).collect();
        if first || !of_all {
            let mut known: HashSet<String> = found.iter().filter_map(|value| value.text()).map(String::from).collect();
            for value in values {
                if value.text().is_some_and(|text| known.insert(text.into_owned())) {
                    found.push(value.clone());
                }
            }
        } else {
            found.retain(|value| value.text().is_some_and(|text| texts.contains(&text)));
        }
        first = false;
    }
    let name = base(&output);
    let mut result = Grid::new((0..found.len()).map(|index| format!("{name}[{index}]")));
    result.rows.push(found);
    result.replace(frame, a.span())
}

/// `array:reduceAll`: a row for each element of each array, and aggregates of these.
async fn reduce_all(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let array = array_of(&Rows::of(frame), a)?;
    let variable = a.need_text("var")?;
    let function = a.need("function")?;
    a.done()?;
    let names = element_names(&Rows::of(frame), &array.node);
    if let Some(grid) = Grid::collect(run.planner, frame).await? {
        let positions: Vec<usize> = names.iter().filter_map(|name| grid.position(name)).collect();
        let variable = base(&variable.node).to_owned();
        let kept: Vec<usize> = (0..grid.names.len()).filter(|position| !positions.contains(position)).collect();
        let kept: Vec<usize> =
            kept.into_iter().filter(|position| grid.names.get(*position).is_some_and(|n| *n != variable)).collect();
        let others = kept.iter().filter_map(|position| grid.names.get(*position)).cloned();
        let mut result = Grid::new(std::iter::once(variable.clone()).chain(others));
        for row in 0..grid.rows.len() {
            let values = positions.iter().map(|position| grid.value(row, *position));
            for value in values.take_while(|value| **value != Value::Null) {
                let rest = kept.iter().map(|position| grid.value(row, *position).clone());
                result.rows.push(std::iter::once(value.clone()).chain(rest).collect());
            }
        }
        result.replace(frame, a.span())?;
    }
    run.aggregated = true;
    aggregate(run, frame, function).await
}

/// Runs what stands in `function=`: a list of aggregates, one, or a block.
async fn aggregate(run: &mut Run<'_, '_>, frame: &mut Frame, function: &Expression) -> PlanResult<()> {
    match &function.kind {
        ExpressionKind::Block(pipeline) => run.pipeline(frame, pipeline).await,
        ExpressionKind::Call(call) => run.pipeline(frame, &one_call(call)).await,
        ExpressionKind::Array(elements) => match elements.as_slice() {
            [Element::Value(Expression { kind: ExpressionKind::Call(call), .. })] => {
                run.pipeline(frame, &one_call(call)).await
            }
            elements => aggregates::stats(run, frame, elements).await,
        },
        _ => Err(expected("an aggregate function", function.span).into()),
    }
}

/// A pipeline that is one call.
pub fn one_call(call: &Call) -> Pipeline {
    Pipeline { steps: vec![Step { kind: StepKind::Filter(Filter::Call(call.clone())), span: call.span }] }
}

/// `array:reduceColumn`: the aggregate of the elements of the same place in all arrays.
async fn reduce_column(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let array = array_of(&Rows::of(frame), a)?;
    let variable = a.need_text("var")?;
    let function = a.need("function")?;
    let output = a.output("_reduceColumn")?;
    a.done()?;
    let inner = match &function.kind {
        ExpressionKind::Array(elements) => match elements.as_slice() {
            [Element::Value(only)] => only,
            _ => return Err(expected("one aggregate function", function.span).into()),
        },
        ExpressionKind::Block(Pipeline { steps }) => match steps.as_slice() {
            [Step { kind: StepKind::Assign(Assignment { value, .. }), .. }] => value,
            _ => return Err(expected("one aggregate function", function.span).into()),
        },
        _ => function,
    };
    let names = element_names(&Rows::of(frame), &array.node);
    let name = base(&output).to_owned();
    let mut elements = Vec::new();
    for (index, element) in names.iter().enumerate() {
        let value = over_element(inner, base(&variable.node), element)?;
        let target = Target::Field(Spanned::new(format!("{name}[{index}]"), a.span()));
        elements.push(Element::Assign(Assignment { target, value }));
    }
    run.aggregated = true;
    if elements.is_empty() {
        return Ok(());
    }
    aggregates::stats(run, frame, &elements).await
}

/// A call of an aggregate with an element in place of the variable.
fn over_element(function: &Expression, variable: &str, element: &str) -> Result<Expression, Diagnostic> {
    let ExpressionKind::Call(call) = &function.kind else {
        return Err(expected("an aggregate function", function.span));
    };
    let mut call = call.clone();
    for argument in &mut call.arguments {
        use spelunk_grammar::logscale::query::Argument;
        let value = match argument {
            Argument::Unnamed(value) | Argument::Named(_, value) => value,
            Argument::Labelled(other) => return Err(expected("a field", other.name.span)),
        };
        if matches!(&value.kind, ExpressionKind::Word(word) if word == variable) {
            value.kind = ExpressionKind::Word(element.to_owned());
        }
    }
    Ok(Expression { kind: ExpressionKind::Call(call), span: function.span })
}
