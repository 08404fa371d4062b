//! What searches take from their surroundings: language, time, zone, clock, and how results are shown.

use std::sync::Arc;

use spelunk_engine::{Context, Language, values};

use super::{Done, Outcome, Shell, silent, usage};
use crate::cli;
use crate::commands::inputs;
use crate::escape;
use crate::exit::Failure;

/// `.app`
pub fn app(shell: &mut Shell, rest: &str) -> Outcome {
    if rest.is_empty() {
        let named = shell.data.app.iter().map(|app| format!("{}\n", escape::line(&app.display().to_string())));
        let named: String = named.collect();
        return Ok(Done::Said(if named.is_empty() { "no apps but spelunk's own\n".to_owned() } else { named }));
    }
    let mut data = shell.data.clone();
    data.app.push(rest.into());
    let options = inputs::options(data.clone(), true)?;
    let session = shell.session.renewed(options).map_err(|error| Failure::Usage(error.to_string()))?;
    // What was read stays; searches from now on know the app.
    shell.session = Arc::new(session);
    shell.data = data;
    silent()
}

/// `.lang`
pub fn language(shell: &Shell, rest: &str) -> Outcome {
    match rest.to_ascii_lowercase().as_str() {
        "" => Ok(Done::Said(format!("{}\n", name(shell.session.language())))),
        "spl" => speak(shell, Language::Spl),
        "logscale" | "cql" => speak(shell, Language::LogScale),
        _ => usage(format!("unknown language {}: spl or logscale", escape::line(rest))),
    }
}

fn speak(shell: &Shell, language: Language) -> Outcome {
    shell.session.speak(language);
    silent()
}

/// The name of a language, as `--lang` and `.lang` take it.
fn name(language: Language) -> &'static str {
    match language {
        Language::Spl => "spl",
        Language::LogScale => "logscale",
    }
}

fn surround(shell: &Shell, context: Context) -> Result<(), Failure> {
    // What is wrong is what was typed.
    shell.session.surround(context).map_err(|error| Failure::Usage(error.to_string()))
}

/// `.time`
pub fn time(shell: &Shell, rest: &str) -> Outcome {
    let context = shell.session.context();
    let mut words = rest.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (None, ..) => {}
        (Some("all"), None, _) => surround(shell, Context { earliest: None, latest: None, ..context })?,
        (Some(earliest), latest, None) => {
            let (earliest, latest) = (Some(earliest.to_owned()), latest.map(str::to_owned));
            surround(shell, Context { earliest, latest, ..context })?;
        }
        (Some(_), _, Some(_)) => return usage(".time takes two times at most, such as `.time -24h now`"),
    }
    let (earliest, latest) = shell.session.bounds().map_err(|error| Failure::Usage(error.to_string()))?;
    let zone = shell.session.context().time_zone;
    Ok(Done::Said(match (earliest, latest) {
        (None, None) => "all times\n".to_owned(),
        (earliest, latest) => {
            let show = |time: Option<i64>, otherwise: &str| {
                time.map_or_else(|| otherwise.to_owned(), |time| values::format_time(time, &zone))
            };
            format!("{} to {}\n", show(earliest, "the beginning"), show(latest, "the end"))
        }
    }))
}

/// `.tz`
pub fn zone(shell: &Shell, rest: &str) -> Outcome {
    if !rest.is_empty() {
        let time_zone =
            cli::parse_zone(rest).map_err(|why| Failure::Usage(format!("{}: {why}", escape::line(rest))))?;
        surround(shell, Context { time_zone, ..shell.session.context() })?;
    }
    let now = jiff::Timestamp::now();
    let zone = shell.session.context().time_zone;
    let offset = zone.to_offset(now);
    Ok(Done::Said(format!("{} (now {offset})\n", zone.iana_name().unwrap_or("a fixed offset"))))
}

/// `.now`
pub async fn now(shell: &Shell, rest: &str) -> Outcome {
    if !rest.is_empty() {
        let now = cli::parse_now(rest).map_err(|why| Failure::Usage(format!("{}: {why}", escape::line(rest))))?;
        let session = Arc::clone(&shell.session);
        shell.interrupt.guard(move || async move { inputs::set_clock(&session, now).await }).await??;
    }
    let context = shell.session.context();
    Ok(Done::Said(match context.now {
        Some(now) => format!("{}\n", values::format_time(now.as_microsecond(), &context.time_zone)),
        None => "the clock's time\n".to_owned(),
    }))
}

/// `.set`
pub fn set(shell: &mut Shell, rest: &str) -> Outcome {
    let (key, value) = rest.split_once(char::is_whitespace).map_or((rest, ""), |(key, value)| (key, value.trim()));
    if !key.is_empty() && !value.is_empty() {
        let Some(sink) = Arc::get_mut(&mut shell.sink) else {
            return usage("a cancelled search has not ended yet: try again");
        };
        sink.set(key, value).map_err(Failure::Usage)?;
        return silent();
    }
    let settings = shell.sink.settings();
    let shown: Vec<&(&str, String)> = settings.iter().filter(|(name, _)| key.is_empty() || *name == key).collect();
    if shown.is_empty() {
        return usage(format!("there is no setting {}: rows, limit, quiet, csv-safe, pager", escape::line(key)));
    }
    Ok(Done::Said(shown.iter().map(|(name, value)| format!("{name:<10} {value}\n")).collect()))
}
