//! `spelunk compare`: what one detection finds and another does not, and why.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::{CompareArgs, CompareForm, DataArgs};
use crate::commands::inputs;
use crate::compare::{self, Comparison, Side};
use crate::detections::{self, Detection};
use crate::exit::{self, Exit, Failure};
use crate::interrupt::Interrupt;
use crate::render::json;
use crate::report;
use crate::search;
use crate::terminal;
use crate::traced;
use crate::validate::builtin::Builtin;
use crate::validate::stage::{Matching, Scenarios};

/// Runs both detections, and shows how their results differ.
///
/// # Errors
/// A wrong command line or detection, a failure while running or writing, Ctrl-C.
pub async fn run(args: CompareArgs) -> Result<Exit, Failure> {
    inputs::refuse_latest(args.data.now)?;
    let otherwise = inputs::language(args.data.lang);
    let mut detections = [Detection::read(&args.first, otherwise)?, Detection::read(&args.second, otherwise)?];
    detections::tell_apart(&mut detections);
    if args.paths.iter().chain(args.data.index.iter().map(|index| &index.path)).any(|path| path.as_os_str() == "-") {
        return Err(Failure::Usage(
            "standard input can be read once only, and each detection reads: name a file".into(),
        ));
    }
    let builtin = args.paths.is_empty() && args.data.index.is_empty();
    let (label, form) = (args.label, args.output);
    let comparison = if builtin {
        let (scenarios, _) = Builtin::new().map_err(|error| exit::at(&std::env::temp_dir(), &error))?;
        let interrupt = Interrupt::listen(Arc::default());
        interrupt
            .guard(move || async move {
                let sides = over_scenarios(&scenarios, detections, &args.data).await?;
                compare::compare(sides, &label).await
            })
            .await??
    } else {
        let telemetry = over(&args.paths);
        let session = inputs::session(args.data, args.paths, true)?;
        let interrupt = Interrupt::listen(session.cancelled());
        let sides = detections.map(|detection| Side {
            detection,
            telemetry: telemetry.clone(),
            session: Arc::clone(&session),
            names: None,
        });
        interrupt.guard(move || async move { compare::compare(sides, &label).await }).await??
    };
    write(&comparison, form)?;
    for note in &comparison.notes {
        terminal::warning(note);
    }
    if builtin {
        return Ok(Exit::Ok);
    }
    let [first, _] = &comparison.sides;
    let read = first.session.load().await.map_err(|error| Failure::Search(error, String::new()))?;
    search::tell_damage(&read);
    Ok(if report::damaged(&read).next().is_some() { Exit::Partial } else { Exit::Ok })
}

/// What a comparison runs over, as it was named.
fn over(paths: &[PathBuf]) -> String {
    match paths {
        [] => "the indexes that were named".to_owned(),
        [one] => one.display().to_string(),
        several => format!("{} paths", several.len()),
    }
}

/// Each detection over the bundled scenarios, as the telemetry of its language.
async fn over_scenarios(
    scenarios: &Builtin,
    detections: [Detection; 2],
    data: &DataArgs,
) -> Result<[Side; 2], Failure> {
    let [first, second] = detections;
    Ok([over_stage(scenarios, first, data).await?, over_stage(scenarios, second, data).await?])
}

async fn over_stage(scenarios: &Builtin, detection: Detection, data: &DataArgs) -> Result<Side, Failure> {
    let stages = scenarios.stages(detection.language, false);
    let stages = stages.map_err(|error| exit::at(&std::env::temp_dir(), &error))?;
    let stage = stages.into_iter().next().ok_or_else(|| Failure::Runtime("there are no scenarios".into()))?;
    let session = inputs::session(data.clone(), stage.inputs.clone(), true)?;
    let mut names = BTreeMap::new();
    if let Matching::Order(places) = &stage.matching {
        let events = traced::events(&session, "*").await?;
        // Cases and signals are numbered from 0, and no case has a million signals.
        let name = |case: usize, signal: usize| i64::try_from(case.saturating_mul(1_000_000).saturating_add(signal));
        for (event, place) in events.into_iter().zip(places) {
            names.insert(event, name(place.case, place.signal).unwrap_or(i64::MAX));
        }
    }
    let telemetry = format!("the bundled scenarios: {}", stage.telemetry);
    Ok(Side { detection, telemetry, session, names: Some(names) })
}

fn write(comparison: &Comparison, form: CompareForm) -> Result<(), Failure> {
    let text = match form {
        CompareForm::Table => compare::table::text(comparison),
        CompareForm::Json => json::document(&compare::json::document(comparison)),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
