//! Ctrl-C stops the search, not the shell.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;

use crate::exit::Exit;

/// How often Ctrl-C is pressed before the program leaves without waiting for the search to stop.
const PATIENCE: u32 = 3;

/// Listens for Ctrl-C from now on.
pub struct Interrupt {
    shared: Arc<Shared>,
}

struct Shared {
    /// The engine's flag, which its readers poll.
    cancelled: Arc<AtomicBool>,
    pressed: AtomicU32,
    notify: Notify,
}

impl Interrupt {
    /// Starts to listen. `cancelled` is set at each Ctrl-C.
    ///
    /// A task of its own listens, so that a search that keeps its thread busy cannot keep the signal from arriving.
    pub fn listen(cancelled: Arc<AtomicBool>) -> Self {
        let shared = Arc::new(Shared { cancelled, pressed: AtomicU32::new(0), notify: Notify::new() });
        let listener = Arc::clone(&shared);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                listener.cancelled.store(true, Ordering::SeqCst);
                if listener.pressed.fetch_add(1, Ordering::SeqCst) + 1 >= PATIENCE {
                    std::process::exit(Exit::Interrupted as i32);
                }
                listener.notify.notify_one();
            }
        });
        Self { shared }
    }

    /// Runs the work until it is done or Ctrl-C is pressed, which gives `None` and drops the work.
    pub async fn guard<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.shared.pressed.store(0, Ordering::SeqCst);
        // Only a Ctrl-C from now on counts: what was pressed before is consumed here.
        let _ = futures::FutureExt::now_or_never(self.shared.notify.notified());
        tokio::select! {
            biased;
            () = self.shared.notify.notified() => None,
            done = work => Some(done).filter(|_| self.shared.pressed.load(Ordering::SeqCst) == 0),
        }
    }
}
