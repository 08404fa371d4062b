//! `kmeans`: groups of rows with near numbers.
//!
//! Source: Splunk Search Reference, "kmeans"; the method as in [`methods::kmeans`](crate::methods::kmeans).

use spelunk_grammar::spl::commands::kmeans::{Distance, Kmeans};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::{Added, Annotated};
use super::frame::{Frame, column};
use super::grid::Grid;
use super::totals::named;
use super::{PlanResult, Planner};
use crate::methods::kmeans::{self, Clustering, Effort, cluster};
use crate::values::{Value, format_number};

/// The most numbers of all rows together.
const MOST_NUMBERS: usize = 100_000_000;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Kmeans, span: Span) -> PlanResult<()> {
    let Kmeans { reps, maxiters, t, k, cfield, distance, showcentroid, fields } = command;
    let chosen = named(frame, fields);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let chosen = match fields.is_empty() {
        true => chosen.into_iter().filter(|field| rows.column(field).all(|value| finite(&value).is_some())).collect(),
        false => chosen,
    };
    if rows.rows() > 0 && chosen.is_empty() {
        let message = match fields.is_empty() {
            true => "no field is a number in every row",
            false => "no row has one of these fields",
        };
        return Err(Diagnostic::error(Code::InvalidArgument, message, span)
            .with_help("name fields that hold numbers")
            .into());
    }
    if rows.rows().saturating_mul(chosen.len()) > MOST_NUMBERS {
        let message = format!("the rows have more than {MOST_NUMBERS} numbers");
        return Err(Diagnostic::error(Code::TooLarge, message, span).into());
    }
    let (points, used) = points(&rows, &chosen);
    let effort =
        Effort { repetitions: reps.unwrap_or(10), steps: maxiters.unwrap_or(10_000), tolerance: t.unwrap_or(0.0) };
    let distance = match distance.unwrap_or(Distance::SquaredEuclidean) {
        Distance::CityBlock => kmeans::Distance::CityBlock,
        Distance::SquaredEuclidean => kmeans::Distance::SquaredEuclidean,
        Distance::Cosine => kmeans::Distance::Cosine,
    };
    let mut complete = true;
    let mut find = |count: u64| {
        let found = cluster(&points, usize::try_from(count).unwrap_or(usize::MAX), distance, effort);
        complete &= found.complete;
        found
    };
    let (from, to) = k.as_ref().map_or((2, 2), |k| k.node);
    let result = if from < to {
        let mut grid = Grid::new(["k", "distortion", "size"]);
        grid.rows.extend((from..=to).map(|count| summary(count, &find(count))));
        grid.replace(frame, span)
    } else {
        let found = find(from);
        let name = cfield.as_ref().map_or("CLUSTERNUM", |field| &field.text);
        let mut labels = found.labels.iter();
        let labels: Vec<Option<usize>> =
            used.iter().map(|used| if *used { labels.next().copied() } else { None }).collect();
        let number = |label: &Option<usize>| label.map(|label| label.saturating_add(1) as f64);
        let mut added = vec![Added::numbers(name, labels.iter().map(number))];
        if showcentroid.unwrap_or(true) {
            for (place, field) in chosen.iter().enumerate() {
                let part = |label: &Option<usize>| found.centres.get((*label)?)?.get(place).copied();
                added.push(Added::numbers(format!("centroid_{field}"), labels.iter().map(part)));
            }
        }
        rows.resume(frame, added, Some(&used))?;
        // Rows of a group stand together.
        Ok(frame.order_by(vec![(column(name), false)])?)
    };
    if !complete {
        let message = "finding the groups was begun anew fewer times than asked for, which would take too long";
        planner.diagnostics.push(Diagnostic::warning(Code::Truncated, message, span));
    }
    result
}

fn finite(value: &Value<'_>) -> Option<f64> {
    value.number().filter(|number| number.is_finite())
}

/// The rows with a number in every field, and which these are.
fn points(rows: &Annotated, fields: &[String]) -> (Vec<Vec<f64>>, Vec<bool>) {
    let mut points: Vec<Option<Vec<f64>>> = vec![Some(Vec::with_capacity(fields.len())); rows.rows()];
    for field in fields {
        for (point, value) in points.iter_mut().zip(rows.column(field)) {
            match (point.as_mut(), finite(&value)) {
                (Some(point), Some(number)) => point.push(number),
                _ => *point = None,
            }
        }
    }
    let used = points.iter().map(Option::is_some).collect();
    (points.into_iter().flatten().collect(), used)
}

/// The sizes of the groups, and how well they fit.
fn summary(count: u64, found: &Clustering) -> Vec<Value<'static>> {
    let mut sizes = vec![0_u64; found.centres.len()];
    for label in &found.labels {
        if let Some(size) = sizes.get_mut(*label) {
            *size = size.saturating_add(1);
        }
    }
    let sizes = sizes.into_iter().map(|size| format_number(size as f64).into()).collect();
    vec![Value::Number(count as f64), Value::Number(found.distortion), Value::Many(sizes)]
}
