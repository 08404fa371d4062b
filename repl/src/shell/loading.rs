//! The logs are read while the user types already.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use spelunk_engine::ingest::ReadReport;
use spelunk_engine::{Error, Session};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::editing::names::Names;
use crate::STACK;
use crate::escape;
use crate::exit::Failure;
use crate::interrupt::Interrupt;
use crate::report;
use crate::terminal;

/// Logs that take no longer are simply there when the prompt comes.
const AT_ONCE: Duration = Duration::from_millis(150);

/// What was read, or why nothing was.
type Outcome = Result<Arc<ReadReport>, Error>;

/// Reading that goes on in the background.
pub struct Loading {
    done: oneshot::Receiver<Outcome>,
    /// What is to be said when it is done.
    news: mpsc::Receiver<Vec<String>>,
    /// The names and values that are known so far.
    pub names: Names,
}

impl Loading {
    /// Starts to read.
    ///
    /// # Errors
    /// No thread to do it.
    pub fn start(session: &Arc<Session>) -> Result<Self, Failure> {
        let (sender, done) = oneshot::channel();
        let (tell, news) = mpsc::channel();
        let names = Names::default();
        let (session, gathered, runtime) = (Arc::clone(session), names.clone(), Handle::current());
        let read = move || {
            gathered.gather_knowledge(&session);
            let outcome = runtime.block_on(session.load());
            let _ = tell.send(match &outcome {
                Ok(report) => volume(report),
                Err(error) => vec![format!("! the logs could not be read: {}", escape::line(&error.to_string()))],
            });
            let loaded = outcome.is_ok();
            let _ = sender.send(outcome);
            if loaded {
                gathered.gather_fields(&session);
            }
        };
        let thread = std::thread::Builder::new().name("spelunk-loading".to_owned()).stack_size(STACK);
        match thread.spawn(read) {
            Ok(_) => Ok(Self { done, news, names }),
            Err(error) => Err(Failure::Runtime(format!("cannot start a thread: {error}"))),
        }
    }

    /// Greets the user, with what was read if that is done soon; else what is left is to be waited for.
    ///
    /// # Errors
    /// Logs that cannot be read at all, if that shows soon.
    pub async fn greet(mut self) -> Result<Option<Self>, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        let soon = tokio::time::timeout(AT_ONCE, &mut self.done).await;
        let left = match soon {
            Ok(Ok(Ok(_))) => {
                let lines = self.news.recv().unwrap_or_default();
                let first = lines.first().map_or("", String::as_str);
                terminal::tell(&format!("spelunk {version}: {first}"));
                lines.iter().skip(1).for_each(|line| terminal::tell(line));
                None
            }
            Ok(Ok(Err(error))) => return Err(Failure::Search(error, String::new())),
            Ok(Err(_)) => return Err(Failure::Runtime("reading stopped".to_owned())),
            Err(_) => {
                terminal::tell(&format!("spelunk {version}: the logs are being read; type meanwhile"));
                Some(self)
            }
        };
        terminal::tell("Type a search, or .help. Tab completes, Ctrl-C cancels, Ctrl-D leaves.");
        Ok(left)
    }

    /// Says with `print` what was read as soon as it was.
    pub fn announce(&mut self, mut print: impl FnMut(String) + Send + 'static) {
        let news = std::mem::replace(&mut self.news, mpsc::channel().1);
        let announce = move || {
            for line in news.recv().unwrap_or_default() {
                print(format!("{line}\n"));
            }
        };
        // Without a thread it is not said, and `.files` says it.
        let _ = std::thread::Builder::new().name("spelunk-news".to_owned()).spawn(announce);
    }

    /// Waits until the logs are there.
    ///
    /// # Errors
    /// Ctrl-C.
    pub async fn wait(self, interrupt: &Interrupt) -> Result<(), Failure> {
        let mut done = self.done;
        if done.try_recv().is_ok() {
            return Ok(());
        }
        terminal::summary("waiting until the logs are read (Ctrl-C cancels)");
        // What is wrong with them the search finds again, and says at its place.
        interrupt.guard(move || async move { drop(done.await) }).await
    }
}

/// How much there is to search, and what is wrong with it.
fn volume(report: &ReadReport) -> Vec<String> {
    if report.files.is_empty() {
        return vec!["no data; `spelunk PATH…` opens some".to_owned()];
    }
    let mut lines = vec![format!("{} ({})", report::volume(report), report::formats(report))];
    let damaged = report::damaged(report).count() as u64;
    if damaged > 0 {
        lines.push(format!("! {} could not be read completely (.files)", report::count(damaged, "file")));
    }
    if report::events(report) == 0 {
        lines.push("warning: there are no events to search".to_owned());
    }
    lines
}
