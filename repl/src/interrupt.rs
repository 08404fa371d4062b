//! Ctrl-C stops the search, not the shell.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use spelunk_engine::Watch;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::STACK;
use crate::exit::{Exit, Failure};
use crate::pager;

/// How often Ctrl-C is pressed before the program leaves without waiting for the search to stop.
const PATIENCE: u32 = 3;
/// How long a cancelled search may take to stop before it is left alone.
const GRACE: Duration = Duration::from_secs(2);

/// Listens for Ctrl-C from now on.
pub struct Interrupt {
    shared: Arc<Shared>,
}

struct Shared {
    /// The engine's flag, which its readers poll.
    cancelled: Arc<AtomicBool>,
    pressed: AtomicU32,
    /// Whether the work was given up, rather than only ended.
    given_up: AtomicBool,
    /// What the first Ctrl-C ends, with what came so far.
    ending: Mutex<Option<Arc<Watch>>>,
    notify: Notify,
}

impl Shared {
    fn ending(&self) -> Option<Arc<Watch>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Interrupt {
    /// Starts to listen. `cancelled` is set at each Ctrl-C.
    pub fn listen(cancelled: Arc<AtomicBool>) -> Self {
        let shared = Arc::new(Shared {
            cancelled,
            pressed: AtomicU32::new(0),
            given_up: AtomicBool::new(false),
            ending: Mutex::default(),
            notify: Notify::new(),
        });
        let listener = Arc::clone(&shared);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if pager::has_terminal() {
                    continue;
                }
                if let Some(watch) = listener.ending() {
                    watch.end();
                    continue;
                }
                listener.cancelled.store(true, Ordering::SeqCst);
                listener.given_up.store(true, Ordering::SeqCst);
                if listener.pressed.fetch_add(1, Ordering::SeqCst) + 1 >= PATIENCE {
                    std::process::exit(Exit::Interrupted as i32);
                }
                listener.notify.notify_one();
            }
        });
        Self { shared }
    }

    /// Runs the work until it is done or Ctrl-C is pressed. It gets a thread of its own, so that neither a wait for
    /// input nor a long computation in it keeps Ctrl-C from being heard.
    ///
    /// # Errors
    /// [`Failure::Interrupted`], or a panic in the work.
    pub async fn guard<T, F>(&self, work: impl FnOnce() -> F + Send + 'static) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        self.until(None, work).await
    }

    /// Runs a search until it is done. The first Ctrl-C ends it with what came so far, the next one gives it up.
    ///
    /// # Errors
    /// As [`Interrupt::guard`].
    pub async fn guard_search<T, F>(
        &self,
        watch: Arc<Watch>,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let done = self.until(Some(watch), work).await;
        drop(self.shared.ending());
        done
    }

    async fn until<T, F>(
        &self,
        ending: Option<Arc<Watch>>,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        self.shared.pressed.store(0, Ordering::SeqCst);
        self.shared.given_up.store(false, Ordering::SeqCst);
        *self.shared.ending.lock().unwrap_or_else(PoisonError::into_inner) = ending;
        // Only a Ctrl-C from now on counts: what was pressed before is consumed here.
        let _ = self.shared.notify.notified().now_or_never();
        let stop = Arc::new(Notify::new());
        let mut done = on_thread(work, Arc::clone(&stop))?;
        let done = tokio::select! {
            biased;
            () = self.shared.notify.notified() => {
                stop.notify_one();
                let _ = tokio::time::timeout(GRACE, done).await;
                return Err(Failure::Interrupted);
            }
            done = &mut done => done,
        };
        match done {
            // What a cancelled search gives may be incomplete.
            _ if self.shared.given_up.load(Ordering::SeqCst) => Err(Failure::Interrupted),
            Ok(done) => Ok(done),
            Err(_) => Err(Failure::Runtime("the search was given up".to_owned())),
        }
    }
}

/// Runs the work on a new thread until it is done, which sends the result, or until `stop`, which drops it.
fn on_thread<T, F>(
    work: impl FnOnce() -> F + Send + 'static,
    stop: Arc<Notify>,
) -> Result<oneshot::Receiver<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (sender, receiver) = oneshot::channel();
    let runtime = Handle::current();
    let body = move || {
        runtime.block_on(async move {
            tokio::select! {
                biased;
                () = stop.notified() => {}
                done = work() => drop(sender.send(done)),
            }
        });
    };
    match thread::Builder::new().name("spelunk-search".to_owned()).stack_size(STACK).spawn(body) {
        Ok(_) => Ok(receiver),
        Err(error) => Err(Failure::Runtime(format!("cannot start a thread: {error}"))),
    }
}
