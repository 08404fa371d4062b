//! `spelunk validate`: detections on trial against known attacks and look-alikes.

use std::io::{self, Write};

use crate::cli::{DataArgs, ValidateArgs, ValidateForm};
use crate::commands::inputs;
use crate::detections::{self, Detection};
use crate::exit::{self, Exit, Failure};
use crate::interrupt::Interrupt;
use crate::render::json;
use crate::report as told;
use crate::search;
use crate::terminal;
use crate::traced;
use crate::validate::builtin::Builtin;
use crate::validate::folder::Folder;
use crate::validate::stage::Scenarios;
use crate::validate::table::Look;
use crate::validate::trial::Seen;
use crate::validate::{self, Case, Report, Trial, known, trial};

/// What `--scenarios` calls the bundled ones.
const BUILTIN: &str = "builtin";

/// Runs each detection over the scenarios, and reports.
///
/// # Errors
/// A wrong command line, detection or scenario, a failure while running or writing, Ctrl-C.
pub async fn run(args: ValidateArgs) -> Result<Exit, Failure> {
    inputs::refuse_latest(args.data.now)?;
    let (named, paths) = detections::split(args.words);
    if paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::Usage(
            "standard input can be read once only, and each detection reads: name a file".into(),
        ));
    }
    let otherwise = inputs::language(args.data.lang);
    let read = named.iter().chain(&args.detection).map(|path| Detection::read(path, otherwise));
    let mut all = read.collect::<Result<Vec<Detection>, Failure>>()?;
    if all.is_empty() {
        all = Detection::all_bundled();
    }
    detections::tell_apart(&mut all);

    let (scenarios, mut cases): (Box<dyn Scenarios + Send + Sync>, Vec<Case>) = if args.scenarios.as_os_str() == BUILTIN
    {
        let (builtin, mut cases) = Builtin::new().map_err(|error| exit::at(&std::env::temp_dir(), &error))?;
        known::apply_to(&mut cases, &all);
        (Box::new(builtin), cases)
    } else {
        let (folder, cases) = Folder::read(&args.scenarios)?;
        (Box::new(folder), cases)
    };
    for file in &args.known {
        known::read(file, &mut cases, &all)?;
    }

    let own = if paths.is_empty() && args.data.index.is_empty() {
        None
    } else {
        Some(inputs::session(args.data.clone(), paths, true)?)
    };
    let cancelled = own.as_ref().map(|own| own.cancelled()).unwrap_or_default();
    let interrupt = Interrupt::listen(cancelled);
    let (name, data, label) = (scenarios.name(), args.data, args.label);
    let logs = own.clone();
    let judged = interrupt.guard(move || async move {
        let mut trials = Vec::new();
        for detection in all {
            let mut trial = over_scenarios(&*scenarios, &cases, detection, &data, &label).await?;
            if let Some(logs) = &logs {
                trial.own = Some(trial::own(logs, &trial.detection, &label).await?);
            }
            trials.push(trial);
        }
        Ok::<_, Failure>((trials, cases))
    });
    let (trials, cases) = judged.await??;
    let report = Report { scenarios: name, cases, trials, noise_fails: args.fail_on_noise };

    write(&report, args.output)?;
    if let Some(file) = &args.attack_layer {
        let layer = json::document(&validate::layer::document(&report));
        std::fs::write(file, layer).map_err(|error| exit::at(file, &error))?;
    }
    let mut partial = false;
    if let Some(own) = &own {
        let report = own.load().await.map_err(|error| Failure::Search(error, String::new()))?;
        search::tell_damage(&report);
        partial = told::damaged(&report).next().is_some();
    }
    Ok(match report.failures() {
        0 if partial => Exit::Partial,
        0 => Exit::Ok,
        _ => Exit::Runtime,
    })
}

/// One detection over all scenarios. Where its rows come from many events, each case by itself.
async fn over_scenarios(
    scenarios: &(dyn Scenarios + Send + Sync),
    cases: &[Case],
    detection: Detection,
    data: &DataArgs,
    label: &str,
) -> Result<Trial, Failure> {
    let mut seen = Seen::nothing(cases);
    let mut telemetry = Vec::new();
    let mut each = false;
    'stages: loop {
        let stages = scenarios.stages(detection.language, each);
        for stage in stages.map_err(|error| exit::at(&std::env::temp_dir(), &error))? {
            if !telemetry.contains(&stage.telemetry) {
                telemetry.push(stage.telemetry.clone());
            }
            // Where, when and as what the user's own logs are read says nothing about the scenarios.
            let data = DataArgs {
                index: Vec::new(),
                sourcetype: None,
                host: None,
                earliest: None,
                latest: None,
                allow_write: None,
                lang: None,
                ..data.clone()
            };
            let session = inputs::session(data, stage.inputs.clone(), true)?;
            let alone = each || stage.cases.len() == 1;
            if !trial::run(&session, &detection, &stage, label, alone, &mut seen).await? {
                each = true;
                continue 'stages;
            }
        }
        break;
    }
    let Seen { outcomes, unchosen, warnings, unmatched } = seen;
    traced::tell(&detection, &warnings);
    for place in unmatched {
        let signal = cases.get(place.case).and_then(|case| Some((case, case.signals.get(place.signal)?)));
        if let Some((case, signal)) = signal {
            let name = &detection.name;
            terminal::warning(&format!("no event that {name} sees matches {} {}", case.name, signal.id));
        }
    }
    Ok(Trial { detection, telemetry: telemetry.join("; "), outcomes, unchosen, own: None })
}

fn write(report: &Report, form: ValidateForm) -> Result<(), Failure> {
    let text = match form {
        ValidateForm::Table => {
            let look = Look { width: terminal::stdout_width(), colour: terminal::stdout_colour() };
            validate::table::text(report, look)
        }
        ValidateForm::Json => json::document(&validate::json::document(report)),
        ValidateForm::Junit => validate::junit::document(report),
        ValidateForm::Sarif => json::document(&validate::sarif::document(report)),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
