//! `erex`: extracts values like given examples.
//!
//! Source: Splunk Search Reference, "erex"; the method as in [`induction`](crate::methods::induction).

use spelunk_grammar::spl::commands::erex::Erex;
use spelunk_grammar::spl::commands::rex::Rex;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::annotated::Annotated;
use super::frame::{Frame, column};
use super::{PlanResult, Planner, rex};
use crate::methods::coded;
use crate::methods::induction::{Trainer, learn, place};

/// From how many rows is learned where the search does not say.
const TRAINERS: u64 = 100;

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Erex, span: Span) -> PlanResult<()> {
    let Erex { field, examples, counterexamples, fromfield, maxtrainers } = command;
    let (source, source_span) = fromfield.as_ref().map_or(("_raw", span), |field| (field.text.as_str(), field.span));
    if super::existing(frame, source, source_span).is_none() {
        return Ok(());
    }
    let mut only = frame.clone();
    only.select(vec![(source.to_string(), column(source))])?;
    let Some(rows) = Annotated::collect(planner, &mut only).await? else {
        frame.open = true;
        return Ok(());
    };
    let none = Vec::new();
    let unwanted = counterexamples.as_ref().map_or(&none, |list| &list.node);
    let most = usize::try_from(maxtrainers.unwrap_or(TRAINERS)).unwrap_or(usize::MAX);
    let (mut texts, mut with_example) = (Vec::new(), 0_usize);
    let mut unseen: Vec<(&String, Span)> = examples.node.iter().map(|example| (example, examples.span)).collect();
    unseen.extend(counterexamples.iter().flat_map(|list| list.node.iter().map(|example| (example, list.span))));
    let mut any = false;
    for text in rows.column(source).filter_map(|value| coded::text(&value)) {
        any = true;
        let example = examples.node.iter().find(|example| text.contains(example.as_str()));
        let counterexample = unwanted.iter().any(|example| text.contains(example.as_str()));
        // An example is not missed because those before it had many rows.
        let wanted = unseen.iter().any(|(example, _)| text.contains(example.as_str())) || with_example < most;
        if (example.is_some() || counterexample) && wanted {
            with_example = with_example.saturating_add(1);
            unseen.retain(|(example, _)| !text.contains(example.as_str()));
            texts.push((text, example));
        }
    }
    if !any {
        return Ok(());
    }
    if let Some((example, place)) = unseen.first() {
        let message = format!("no `{source}` holds the example `{example}`");
        return Err(Diagnostic::error(Code::InvalidArgument, message, *place)
            .with_help("examples are parts of the events, as they are written there")
            .into());
    }
    let trainers: Vec<Trainer<'_>> = texts
        .iter()
        .map(|(text, example)| Trainer {
            text,
            example: example.map(String::as_str).filter(|example| place(text, example).is_some()),
        })
        .collect();
    let Some(pattern) = learn(&trainers, &examples.node, unwanted, &field.text) else {
        let message = "no pattern was found that extracts the examples and nothing else first";
        return Err(Diagnostic::error(Code::InvalidPattern, message, examples.span)
            .with_help("add what stands before the examples to them, or write a `rex`")
            .into());
    };
    let message = format!("the pattern is `{pattern}`");
    planner.diagnostics.push(Diagnostic::note(Code::Note, message, span));
    let extraction = Rex {
        field: fromfield.clone(),
        pattern: Spanned::new(pattern, span),
        sed: false,
        max_match: None,
        offset_field: None,
    };
    rex::plan(frame, &extraction)
}
