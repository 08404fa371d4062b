//! `spelunk test`: the tests that detections bring along.

use std::sync::Arc;

use crate::cli::TestArgs;
use crate::commands::inputs;
use crate::exit::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::pack::Pack;
use crate::pack::forms::Target;
use crate::progress::Progress;
use crate::testing::{Report, running};

/// Tests, and reports.
///
/// # Errors
/// A wrong command line, a failure while writing, Ctrl-C.
pub async fn run(args: TestArgs) -> Result<Exit, Failure> {
    let TestArgs { detections, attack_data, report: form, mut data } = args;
    inputs::refuse_latest(data.now)?;
    let of_tests = [
        ("--index", !data.index.is_empty()),
        ("--sourcetype", data.sourcetype.is_some()),
        ("--host", data.host.is_some()),
    ];
    if let Some((option, _)) = of_tests.into_iter().find(|(_, given)| *given) {
        return Err(Failure::Usage(format!("a test names its own data: leave out {option}")));
    }
    if let Some(folder) = attack_data.as_ref().filter(|folder| !folder.is_dir()) {
        let shown = crate::escape::line(&folder.display().to_string()).into_owned();
        return Err(Failure::Usage(format!("--attack-data {shown}: no such folder")));
    }
    let mut pack = Pack::read(&detections)?;
    // What lies beside them may be their data.
    pack.rules.retain(|rule| rule.file.ends_with(".yml") || rule.file.ends_with(".yaml"));
    if pack.rules.is_empty() {
        return Err(Failure::Usage("no detections in YAML found: only these have tests".into()));
    }
    let own = pack.apps.iter().filter(|app| !data.app.contains(app)).cloned().collect::<Vec<_>>();
    data.app.splice(0..0, own);
    let base = inputs::session_of_pack(data, Vec::new(), false)?;
    let interrupt = Interrupt::listen(base.cancelled());
    let progress = Arc::new(Progress::counting(!form.quiet, base.watch(), "detection", Some(pack.rules.len() as u64)));
    let (rules, telling) = (pack.rules.clone(), Arc::clone(&progress));
    let done = interrupt.guard(move || running::all(base, rules, attack_data, telling)).await;
    progress.end();
    let report = Report { tests: done?? };
    Target { form: form.output, file: form.out, layer: form.attack_layer }.write(&report)?;
    Ok(match () {
        () if report.count("fail") > 0 || report.count("error") > 0 => Exit::Runtime,
        () if report.count("skipped") > 0 => Exit::Partial,
        () => Exit::Ok,
    })
}
