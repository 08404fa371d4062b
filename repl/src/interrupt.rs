//! Ctrl-C stops the search, not the shell.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use futures::FutureExt;
use spelunk_engine::Watch;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use crate::STACK;
use crate::exit::{Exit, Failure};
use crate::pager;
use crate::terminal;

/// How often Ctrl-C is pressed before the program leaves without waiting for the search to stop.
const PATIENCE: u32 = 3;
/// Signals that come closer together are one: what runs a program may send it twice.
const TOGETHER: Duration = Duration::from_millis(200);
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
    async fn listen(self: Arc<Self>) {
        let mut ended: Option<Instant> = None;
        while tokio::signal::ctrl_c().await.is_ok() {
            if pager::has_terminal() {
                continue;
            }
            if let Some(watch) = self.ending() {
                let before = watch.progress();
                watch.end();
                ended = Some(Instant::now());
                let waiting = Arc::clone(&self);
                tokio::spawn(async move {
                    tokio::time::sleep(GRACE).await;
                    // It waits for input that may never come.
                    if watch.is_stuck() && watch.progress() == before {
                        waiting.give_up();
                    }
                });
                continue;
            }
            if ended.take().is_some_and(|ended| ended.elapsed() < TOGETHER) {
                continue;
            }
            if self.pressed.fetch_add(1, Ordering::SeqCst) + 1 >= PATIENCE {
                std::process::exit(Exit::Interrupted as i32);
            }
            self.give_up();
        }
    }

    fn give_up(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.given_up.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }

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
        let heard = Arc::clone(&shared);
        // The threads of the engine may all compute for a while, and nothing else runs on them then.
        let listening = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(heard.listen());
            }
        };
        if let Err(error) = thread::Builder::new().name("spelunk-signals".to_owned()).spawn(listening) {
            terminal::warning(&format!("Ctrl-C cannot be heard: {error}"));
        }
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
                tokio::select! {
                    _ = &mut done => {}
                    () = later(GRACE) => {}
                }
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

/// Waits without the clock of the engine's threads, which may all be busy.
async fn later(time: Duration) {
    let over = Arc::new(Notify::new());
    let ring = Arc::clone(&over);
    let wait = move || {
        thread::sleep(time);
        ring.notify_one();
    };
    if thread::Builder::new().name("spelunk-clock".to_owned()).spawn(wait).is_ok() {
        over.notified().await;
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
