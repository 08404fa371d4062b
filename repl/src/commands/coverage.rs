//! `spelunk coverage`: which detections can find anything in these logs.

use std::panic;
use std::sync::Arc;

use crate::cli::CoverageArgs;
use crate::commands::hunt;
use crate::coverage::{Report, looking};
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::pack::Pack;
use crate::pack::forms::Target;
use crate::progress::Progress;

/// Looks, and reports.
///
/// # Errors
/// A wrong command line, logs that cannot be read, a failure while writing, Ctrl-C.
pub async fn run(args: CoverageArgs) -> Result<Exit, Failure> {
    let CoverageArgs { rules, paths, report: form, data } = args;
    let pack = Pack::read(&rules)?;
    let session = hunt::open(data, paths, &pack).await?;
    let interrupt = Interrupt::listen(session.cancelled());
    let rules = pack.rules.clone();
    let progress = Arc::new(Progress::counting(!form.quiet, session.watch(), "rule", Some(rules.len() as u64)));
    let telling = Arc::clone(&progress);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let done = interrupt.guard(move || async move {
        let (gathered, wants) = hunt::gather(&session, &rules).await?;
        let covered = looking::all(session, rules, wants, telling).await?;
        Ok::<_, Failure>((gathered, covered))
    });
    let done = done.await;
    panic::set_hook(hook);
    progress.end();
    let (gathered, covered) = done??;
    let report = Report { covered, events: gathered.events as u64 };
    Target { form: form.output, file: form.out, layer: form.attack_layer }.write(&report)?;
    Ok(if hunt::told_damage(&gathered.report) { Exit::Partial } else { Exit::Ok })
}
