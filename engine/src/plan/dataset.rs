//! Datasets: what `from`, `join` and `union` can name instead of a search in brackets.

use spelunk_grammar::spl::commands::from::{Dataset, DatasetKind, Source};
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Span, Spanned};

use super::frame::Frame;
use super::{PlanResult, Planner, combine, datamodel, inputlookup, saved};

/// Plans a search in brackets or a dataset as a frame of its own.
pub async fn frame_of_source(planner: &mut Planner<'_>, source: &Source) -> PlanResult<Frame> {
    match source {
        Source::Subsearch(subsearch) => combine::frame_of(planner, subsearch).await,
        Source::Dataset(dataset) => frame_of(planner, dataset).await,
    }
}

/// Plans a dataset as a frame of its own.
pub async fn frame_of(planner: &mut Planner<'_>, dataset: &Dataset) -> PlanResult<Frame> {
    let Dataset { kind, name, span } = dataset;
    match kind {
        DatasetKind::Savedsearch => saved::frame_of(planner, &Spanned::new(name.clone(), *span), &[]).await,
        DatasetKind::Inputlookup | DatasetKind::Lookup => {
            inputlookup::dataset(planner, &Name { text: name.clone(), span: *span })
        }
        DatasetKind::Datamodel => datamodel::dataset(planner, name, *span).await,
    }
}

/// Where a source stands.
pub fn place(source: &Source) -> Span {
    match source {
        Source::Subsearch(subsearch) => subsearch.span,
        Source::Dataset(dataset) => dataset.span,
    }
}
