//! `cluster`: groups of rows with similar text.
//!
//! Source: Splunk Search Reference, "cluster"; the method as in [`similarity`](crate::methods::similarity).

use std::collections::HashMap;

use spelunk_grammar::spl::commands::cluster::{Cluster, Match};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::{Added, Annotated};
use super::frame::Frame;
use super::{PlanResult, Planner};
use crate::methods::coded;
use crate::methods::similarity::{Feature, groups};

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Cluster, span: Span) -> PlanResult<()> {
    let Cluster { t, delims, showcount, countfield, labelfield, field, labelonly, matching } = command;
    let label = labelfield.as_ref().map_or("cluster_label", |field| &field.text);
    let counted = countfield.as_ref().map_or("cluster_count", |field| &field.text);
    if let (true, Some(place)) = (label == counted, labelfield.as_ref().or(countfield.as_ref())) {
        let message = format!("the number and the size of a cluster cannot both be in `{label}`");
        return Err(Diagnostic::error(Code::InvalidOption, message, place.span).into());
    }
    let (name, place) = field.as_ref().map_or(("_raw", span), |field| (field.text.as_str(), field.span));
    super::existing(frame, name, place);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    // Equal texts are in one group, so each is looked at once.
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut texts: Vec<String> = Vec::new();
    let numbers: Vec<Option<usize>> = rows
        .column(name)
        .map(|value| {
            let text = coded::text(&value)?;
            Some(*known.entry(text).or_insert_with_key(|text| {
                texts.push(text.clone());
                texts.len().saturating_sub(1)
            }))
        })
        .collect();
    let feature = match matching.unwrap_or(Match::Termlist) {
        Match::Termlist => Feature::PlacedWord,
        Match::Termset => Feature::Word,
        Match::Ngramset => Feature::Trigram,
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let of_text = groups(&texts, feature, delims.as_deref(), t.unwrap_or(0.8)).map_err(|_| {
        let message = "these values are too many, or too alike, to be compared";
        Diagnostic::error(Code::TooLarge, message, span).with_help("narrow the search, or choose a higher `t`")
    })?;
    let labels: Vec<Option<usize>> = numbers.into_iter().map(|number| of_text.get(number?).copied()).collect();
    let mut sizes: Vec<u64> = Vec::new();
    let mut first: Vec<bool> = Vec::with_capacity(labels.len());
    for label in &labels {
        let Some(label) = *label else {
            first.push(false);
            continue;
        };
        if sizes.len() <= label {
            sizes.resize(label.saturating_add(1), 0);
        }
        let size = sizes.get_mut(label);
        first.push(size.as_ref().is_some_and(|size| **size == 0));
        if let Some(size) = size {
            *size = size.saturating_add(1);
        }
    }
    let mut added = Vec::new();
    if showcount.unwrap_or(false) {
        let size = |label: &Option<usize>| sizes.get((*label)?).map(|size| *size as f64);
        added.push(Added::numbers(counted, labels.iter().map(size)));
    }
    let number = |label: &Option<usize>| label.map(|label| label.saturating_add(1) as f64);
    added.push(Added::numbers(label, labels.iter().map(number)));
    rows.resume(frame, added, (!labelonly.unwrap_or(false)).then_some(first.as_slice()))
}
