//! What searches take from their surroundings: language, time, zone, clock, and how results are shown.

use std::sync::Arc;

use spelunk_engine::values::Cell;
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

/// `.cluster`
pub fn cluster(shell: &mut Shell, rest: &str) -> Outcome {
    let mut data = shell.data.clone();
    match rest {
        "" => {
            let named = data.cluster.cluster.as_deref().map(escape::line);
            return Ok(Done::Said(format!("{}\n", named.as_deref().unwrap_or("searches run on this machine"))));
        }
        "off" => data.cluster.cluster = None,
        address => data.cluster.cluster = Some(address.to_owned()),
    }
    let options = inputs::options(data.clone(), true)?;
    let session = shell.session.renewed(options).map_err(|error| Failure::Usage(error.to_string()))?;
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

/// What of the surroundings `.set` names.
fn surroundings(shell: &Shell) -> Vec<(&'static str, String)> {
    let context = shell.session.context();
    let zone = |zone: &jiff::tz::TimeZone| match zone.iana_name() {
        Some(name) => name.to_owned(),
        None => zone.to_offset(jiff::Timestamp::now()).to_string(),
    };
    let now = context.now.map(|now| values::format_time(now.as_microsecond(), &context.time_zone));
    vec![
        ("earliest", context.earliest.unwrap_or_default()),
        ("lang", name(shell.session.language()).to_owned()),
        ("latest", context.latest.unwrap_or_default()),
        ("now", now.unwrap_or_else(|| "real".to_owned())),
        ("tz", zone(&context.time_zone)),
    ]
}

/// `.set`
pub async fn set(shell: &mut Shell, rest: &str) -> Outcome {
    let (key, value) = rest.split_once(char::is_whitespace).map_or((rest, ""), |(key, value)| (key, value.trim()));
    if !key.is_empty() && !value.is_empty() {
        let context = shell.session.context();
        let bound = (value != "none").then(|| value.to_owned());
        return match key {
            "lang" => language(shell, value),
            "tz" => zone(shell, value),
            "now" => now(shell, value).await,
            "earliest" => surround(shell, Context { earliest: bound, ..context }).and_then(|()| silent()),
            "latest" => surround(shell, Context { latest: bound, ..context }).and_then(|()| silent()),
            _ => {
                let Some(sink) = Arc::get_mut(&mut shell.sink) else {
                    return usage("a cancelled search has not ended yet: try again");
                };
                sink.set(key, value).map_err(Failure::Usage)?;
                silent()
            }
        };
    }
    let mut settings = shell.sink.settings();
    settings.extend(surroundings(shell));
    settings.sort();
    let shown: Vec<&(&str, String)> = settings.iter().filter(|(name, _)| key.is_empty() || *name == key).collect();
    if shown.is_empty() {
        let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
        return usage(format!("there is no setting {}: {}", escape::line(key), names.join(", ")));
    }
    let none = |value: &str| if value.is_empty() { "none".to_owned() } else { escape::line(value).into_owned() };
    Ok(Done::Said(shown.iter().map(|(name, value)| format!("{name:<10} {}\n", none(value))).collect()))
}

/// `.config`
pub fn config(shell: &Shell) -> Outcome {
    let (language, begun) = &shell.begun;
    let context = shell.session.context();
    let changed = |key: &str| match key {
        "earliest" => begun.earliest != context.earliest,
        "lang" => *language != shell.session.language(),
        "latest" => begun.latest != context.latest,
        "now" => begun.now != context.now,
        "tz" => begun.time_zone != context.time_zone,
        _ => false,
    };
    let present = surroundings(shell);
    let rows = shell.settings.0.iter().map(|setting| {
        let now = present.iter().find(|(key, _)| *key == setting.key && changed(key));
        let (value, origin) = match now {
            Some((_, value)) => (value.clone(), "this session".to_owned()),
            None => (setting.value.clone(), setting.origin.to_string()),
        };
        let value = if value.is_empty() { Cell::Null } else { Cell::Text(value) };
        vec![Cell::Text(setting.key.to_owned()), value, Cell::Text(origin)]
    });
    let (columns, rows) = (["setting", "value", "from"].map(str::to_owned), rows.collect::<Vec<_>>());
    Ok(Done::Said(shell.sink.sheet(&columns, &rows)))
}
