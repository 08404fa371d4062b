//! From words of the command line to a query and a session.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::knowledge::{Apps, Definitions, Macros, SavedQueries, SavedSearches};
use spelunk_engine::lookups::{Lookups, Writable};
use spelunk_engine::{Session, SessionOptions};

use crate::cli::{DataArgs, Language, Now, View};
use crate::commands::cluster;
use crate::escape;
use crate::exit::{self, Failure};
use crate::terminal;

/// What names standard input.
const STDIN: &str = "-";

/// The query, and the paths that are left.
///
/// # Errors
/// No query, a file that cannot be read, text that is not UTF-8, or standard input meant for both query and data.
pub fn query(words: Vec<OsString>, file: Option<PathBuf>, data: &DataArgs) -> Result<(String, Vec<PathBuf>), Failure> {
    let mut words = words.into_iter();
    let Some(file) = file else {
        let Some(query) = words.next() else {
            return Err(Failure::Usage("no search: name one, or a file that holds it with --file".into()));
        };
        let query = query.into_string().map_err(|_| Failure::Usage("the search is not UTF-8".into()))?;
        if !query.contains(char::is_whitespace) && Path::new(&query).is_file() {
            let name = escape::line(&query);
            terminal::warning(&format!("{name} is taken as the search itself; --file {name} reads it"));
        }
        return Ok((query, words.map(PathBuf::from).collect()));
    };
    let paths: Vec<PathBuf> = words.map(PathBuf::from).collect();
    let mut bytes = Vec::new();
    if file.as_os_str() == STDIN {
        if paths.iter().chain(data.index.iter().map(|index| &index.path)).any(|path| path.as_os_str() == STDIN) {
            return Err(Failure::Usage("standard input cannot be both the search and its data".into()));
        }
        io::stdin().read_to_end(&mut bytes).map_err(|error| exit::at(&file, &error))?;
    } else {
        bytes = std::fs::read(&file).map_err(|error| exit::at(&file, &error))?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Usage(format!("{} is not UTF-8", escape::line(&file.display().to_string()))))?;
    Ok((without_mark(&text).to_owned(), paths))
}

/// The language of a search: the one that its file's name says, where it says one.
pub fn language_of(file: Option<&Path>, named: Option<Language>) -> Option<Language> {
    let ending = file.and_then(Path::extension).and_then(|ending| ending.to_str());
    match ending {
        Some(ending) if ["cql", "logscale"].iter().any(|known| ending.eq_ignore_ascii_case(known)) => {
            Some(Language::Logscale)
        }
        Some(ending) if ending.eq_ignore_ascii_case("spl") => Some(Language::Spl),
        _ => named,
    }
}

/// The text without the byte order mark that some editors write.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A session over the paths and the indexes that were named.
///
/// # Errors
/// Standard input named twice, a time that cannot be read.
pub fn session(data: DataArgs, paths: Vec<PathBuf>, keep: bool) -> Result<Arc<Session>, Failure> {
    let writable = writable(data.allow_write.as_deref())?;
    session_that_writes(data, paths, keep, writable)
}

/// A session for the detections of a pack, which say their language themselves. Those that write find what they
/// find, and nothing is written.
///
/// # Errors
/// An option that means nothing there, and as [`session`].
pub fn session_of_pack(data: DataArgs, paths: Vec<PathBuf>, keep: bool) -> Result<Arc<Session>, Failure> {
    let meaningless = [
        ("--lang", data.lang.is_some(), "each detection says its language"),
        ("--allow-write", data.allow_write.is_some(), "the detections of a pack write nothing"),
    ];
    if let Some((option, _, reason)) = meaningless.into_iter().find(|(_, given, _)| *given) {
        return Err(Failure::Usage(format!("{reason}: leave out {option}")));
    }
    session_that_writes(data, paths, keep, Writable::Assumed)
}

fn session_that_writes(
    mut data: DataArgs,
    paths: Vec<PathBuf>,
    keep: bool,
    writable: Writable,
) -> Result<Arc<Session>, Failure> {
    let bound = std::mem::take(&mut data.index)
        .into_iter()
        .map(|index| Input { location: location(index.path), index: Some(index.name) });
    let free = paths.into_iter().map(|path| Input { location: location(path), index: None });
    let inputs: Vec<Input> = free.chain(bound).collect();
    if inputs.iter().filter(|input| input.location == Location::Stdin).count() > 1 {
        return Err(Failure::Usage("standard input can be read once only".into()));
    }
    let options = options_that_write(data, keep, writable)?;
    Session::new(options, inputs).map(Arc::new).map_err(|error| Failure::Usage(error.to_string()))
}

/// How searches are run, with the knowledge that was named.
///
/// # Errors
/// An app, or a file of macros, saved searches or lookups that cannot be read.
pub fn options(data: DataArgs, keep: bool) -> Result<SessionOptions, Failure> {
    let writable = writable(data.allow_write.as_deref())?;
    options_that_write(data, keep, writable)
}

fn options_that_write(data: DataArgs, keep: bool, writable: Writable) -> Result<SessionOptions, Failure> {
    let mut apps = apps(&data.app)?;
    let macros = macros(&mut apps, &data.macros)?;
    #[cfg(feature = "cluster")]
    let cluster = cluster::chosen(&data.cluster)?;
    #[cfg(not(feature = "cluster"))]
    cluster::chosen(&data.cluster)?;
    Ok(SessionOptions {
        language: language(data.lang),
        time_zone: data.tz,
        now: match data.now {
            Now::At(time) => Some(time),
            Now::Real | Now::Latest => None,
        },
        earliest: data.earliest,
        latest: data.latest,
        strict: data.strict,
        sourcetype: data.sourcetype,
        host: data.host,
        source: None,
        geoip: data.geoip,
        // The latest event is looked for before the search.
        keep: keep || data.now == Now::Latest,
        macros,
        saved_searches: saved_searches(&apps, &data.savedsearches)?,
        logscale: definitions(data.param, &data.saved_queries)?,
        lookups: loaded(apps.folders(), &data.lookups, writable)?,
        apps: Arc::new(apps),
        view: view(data.view),
        memory: data.memory,
        temp: data.temp,
        #[cfg(feature = "cluster")]
        cluster,
    })
}

/// For commands that search several sets of logs.
///
/// # Errors
/// A clock that depends on the logs.
pub fn refuse_latest(now: Now) -> Result<(), Failure> {
    if now == Now::Latest {
        return Err(Failure::Usage("--now latest is for one set of logs: name the time itself".into()));
    }
    Ok(())
}

/// Sets the clock of a session to its latest event.
///
/// # Errors
/// An input that cannot be read, or events without a time.
pub async fn set_clock(session: &Session, now: Now) -> Result<(), Failure> {
    let failed = |error| Failure::Search(error, String::new());
    let now = match now {
        Now::Real => None,
        Now::At(time) => Some(time),
        Now::Latest => {
            let range = session.census().await.map_err(failed)?.range;
            let latest = range.and_then(|(_, latest)| jiff::Timestamp::from_microsecond(latest).ok());
            let Some(latest) = latest else {
                return Err(Failure::Usage("no event has a time, so there is no latest one".into()));
            };
            Some(latest)
        }
    };
    let context = spelunk_engine::Context { now, ..session.context() };
    session.surround(context).map_err(failed)
}

/// The engine's name of the language that was named.
pub fn language(named: Option<Language>) -> spelunk_engine::Language {
    match named {
        None | Some(Language::Spl) => spelunk_engine::Language::Spl,
        Some(Language::Logscale) => spelunk_engine::Language::LogScale,
    }
}

/// The engine's name of a view.
fn view(view: View) -> spelunk_engine::View {
    match view {
        View::Auto => spelunk_engine::View::Auto,
        View::None => spelunk_engine::View::None,
        View::Falcon => spelunk_engine::View::Falcon,
        View::Sysmon => spelunk_engine::View::Sysmon,
    }
}

/// How many problems of apps are told one by one.
const TOLD_PROBLEMS: usize = 20;

/// The apps in these folders, over spelunk's own; what is wrong with them is told.
///
/// # Errors
/// A folder that cannot be read, or is no app.
pub fn apps(folders: &[PathBuf]) -> Result<Apps, Failure> {
    let apps = Apps::load(folders).map_err(|error| Failure::Search(error, String::new()))?;
    for problem in apps.problems.iter().take(TOLD_PROBLEMS) {
        terminal::warning(&escape::line(problem));
    }
    if let Some(more) = apps.problems.len().checked_sub(TOLD_PROBLEMS).filter(|more| *more > 0) {
        terminal::warning(&format!("and {more} more problems of this kind"));
    }
    if apps.ignored > 0 {
        let told = match apps.ignored {
            1 => "1 setting of props.conf says nothing about fields and is ignored".to_owned(),
            several => format!("{several} settings of props.conf say nothing about fields and are ignored"),
        };
        terminal::summary(&told);
    }
    Ok(apps)
}

/// The macros that the apps and the files define.
///
/// # Errors
/// A file that cannot be read, or holds no macros.
pub fn macros(apps: &mut Apps, files: &[PathBuf]) -> Result<Arc<Macros>, Failure> {
    apps.macros_with(files).map_err(|error| Failure::Search(error, String::new()))
}

/// The saved searches that the apps and the files define.
///
/// # Errors
/// A file that cannot be read, or holds none.
pub fn saved_searches(apps: &Apps, files: &[PathBuf]) -> Result<Arc<SavedSearches>, Failure> {
    let loaded = apps.saved_searches_with(files).map_err(|error| Failure::Search(error, String::new()))?;
    Ok(Arc::new(loaded))
}

/// The parameters that are given, and the saved queries of the files.
///
/// # Errors
/// A parameter that is given twice, a file that cannot be read, or holds no query.
pub fn definitions(given: Vec<(String, String)>, files: &[PathBuf]) -> Result<Definitions, Failure> {
    let mut parameters = BTreeMap::new();
    for (name, value) in given {
        if parameters.insert(name.clone(), value).is_some() {
            return Err(Failure::Usage(format!("--param {} is given twice", escape::line(&name))));
        }
    }
    let loaded = SavedQueries::load(files).map_err(|error| Failure::Search(error, String::new()))?;
    Ok(Definitions { parameters, saved_queries: Arc::new(loaded) })
}

/// Where searches may write.
///
/// # Errors
/// A folder that is none.
fn writable(folder: Option<&Path>) -> Result<Writable, Failure> {
    let Some(folder) = folder else { return Ok(Writable::Refused) };
    Writable::folder(folder).map_err(|reason| {
        let folder = escape::line(&folder.display().to_string()).into_owned();
        Failure::Usage(format!("--allow-write {folder}: {reason}"))
    })
}

/// The lookups that a check looks for; `None` if none are named.
///
/// # Errors
/// A path that cannot be read, or holds no lookups.
pub fn known_lookups(apps: &[PathBuf], paths: &[PathBuf]) -> Result<Option<Arc<Lookups>>, Failure> {
    let none = apps.is_empty() && paths.is_empty();
    if none { Ok(None) } else { loaded(apps, paths, Writable::Assumed).map(Some) }
}

fn loaded(apps: &[PathBuf], paths: &[PathBuf], writable: Writable) -> Result<Arc<Lookups>, Failure> {
    let loaded = Lookups::load_over(apps, paths, writable).map_err(|error| Failure::Search(error, String::new()))?;
    loaded.problems.iter().take(TOLD_PROBLEMS).for_each(|problem| terminal::warning(&escape::line(problem)));
    Ok(Arc::new(loaded))
}

/// What a path names.
pub fn location(path: PathBuf) -> Location {
    if path.as_os_str() == STDIN { Location::Stdin } else { Location::Path(path) }
}
