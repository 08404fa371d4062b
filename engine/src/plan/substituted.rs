//! Commands whose text is complete only when the subsearches in them were run.
//!
//! What the subsearches give takes their place, and the text is read as if it had been written so.
//!
//! Source: Splunk Search Manual, "About subsearches"; Search Reference, "return", "format".

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::{CommandKind, Piece, Substituted};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::template::Expansion;
use super::{PlanError, PlanResult, Planner, combine, subsearch};

/// How much of the completed text a message repeats.
const SHOWN: usize = 120;

/// Plans the command over the rows of a frame. Without data nobody knows what comes of it.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Substituted) -> PlanResult<()> {
    let Some((expansion, query)) = complete(planner, command).await? else {
        frame.open = true;
        return Ok(());
    };
    let known = planner.diagnostics.len();
    let planned = combine::pipe(planner, frame.clone(), &query.commands).await;
    place(planner, known, &expansion);
    *frame = planned.map_err(|error| placed(error, &expansion))?;
    Ok(())
}

/// Plans a command that a search begins with.
pub async fn generate(planner: &mut Planner<'_>, command: &Substituted) -> PlanResult<Frame> {
    let Some((expansion, query)) = complete(planner, command).await? else { return planner.open_frame() };
    let known = planner.diagnostics.len();
    let planned = combine::frame_of_query(planner, &query).await;
    place(planner, known, &expansion);
    planned.map_err(|error| placed(error, &expansion))
}

/// The command with what its subsearches give, and what that reads as; `None` without data.
async fn complete(planner: &mut Planner<'_>, command: &Substituted) -> PlanResult<Option<(Expansion, Query)>> {
    let mut pieces: Vec<(Span, String, bool)> = Vec::new();
    for piece in &command.pieces {
        pieces.push(match piece {
            // A word that is spelled out has no place of its own.
            Piece::Text(text) => (text.span, text.node.clone(), text.node.len() == text.span.range().len()),
            Piece::Subsearch(subsearch) => {
                match Box::pin(subsearch::text(planner, subsearch)).await.map_err(PlanError::Several)? {
                    Some(found) => (subsearch.span, found, false),
                    None => (subsearch.span, String::new(), false),
                }
            }
        });
    }
    if planner.runner.is_none() {
        return Ok(None);
    }
    let expansion = Expansion::of_pieces(&pieces);
    let query = expansion.parse().map_err(|errors| {
        let explained = errors.into_iter().map(|error| placed_and_shown(error, &expansion));
        PlanError::Several(explained.collect())
    })?;
    // Text that comes from data could go on like this for ever.
    if let Some(again) = query.commands.iter().find(|command| matches!(command.kind, CommandKind::Substituted(_))) {
        let message = "the text that a subsearch gives holds a subsearch itself";
        return Err(Diagnostic::error(Code::Subsearch, message, expansion.place(again.span)).into());
    }
    Ok(Some((expansion, query)))
}

/// Moves what was found about the completed text to the places that it came from.
fn place(planner: &mut Planner<'_>, known: usize, expansion: &Expansion) {
    for diagnostic in planner.diagnostics.iter_mut().skip(known) {
        diagnostic.span = expansion.place(diagnostic.span);
    }
}

fn placed(error: PlanError, expansion: &Expansion) -> PlanError {
    match error {
        PlanError::Query(found) => PlanError::Query(shown(expansion.placed(found), expansion)),
        PlanError::Several(errors) => {
            PlanError::Several(errors.into_iter().map(|error| placed(error, expansion)).collect())
        }
        other => other,
    }
}

/// The same for an error that is at its place already.
fn placed_and_shown(error: PlanError, expansion: &Expansion) -> PlanError {
    match error {
        PlanError::Query(found) => PlanError::Query(shown(found, expansion)),
        other => other,
    }
}

/// Without the completed text such an error is a riddle.
fn shown(found: Diagnostic, expansion: &Expansion) -> Diagnostic {
    let text = expansion.text();
    let mut excerpt: String = text.chars().take(SHOWN).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    let reads = format!("with what the subsearch found it reads `{excerpt}`");
    let help = found.help.as_ref().map_or(reads.clone(), |help| format!("{help}; {reads}"));
    found.with_help(help)
}
