//! The same work on many things at once, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::STACK;
use crate::exit::Failure;

/// Applies `work` to every item on as many threads as there are cores.
pub fn map<T: Sync, U: Send>(items: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(items.len());
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(position) else { return done };
            done.push((position, work(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .filter_map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, share).ok())
            .collect();
        // Without threads, this one does it all.
        let mut done = if running.is_empty() { share() } else { Vec::new() };
        done.extend(running.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        done
    });
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does `work` for every number below `count`, on as many threads as there are cores, and gives the results in order.
/// Searches recurse and cannot move between threads, so each runs on one thread from its begin to its end. The first
/// failure ends it all.
///
/// # Errors
/// That failure, or a thread that cannot be started.
pub async fn on_cores<U, F, W>(count: usize, work: W) -> Result<Vec<U>, Failure>
where
    U: Send + 'static,
    F: Future<Output = Result<U, Failure>>,
    W: Fn(usize) -> F + Send + Sync + 'static,
{
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (work, next) = (Arc::new(work), Arc::new(AtomicUsize::new(0)));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    for _ in 0..cores.min(count) {
        let (work, next, sender, runtime) = (Arc::clone(&work), Arc::clone(&next), sender.clone(), Handle::current());
        let share = move || {
            loop {
                let position = next.fetch_add(1, Ordering::Relaxed);
                // Nobody listens where the others were given up.
                if position >= count || sender.send((position, runtime.block_on(work(position)))).is_err() {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("spelunk-pack".to_owned()).stack_size(STACK).spawn(share);
        started.map_err(|error| Failure::Runtime(format!("cannot start a thread: {error}")))?;
    }
    drop(sender);
    let mut done = Vec::new();
    while let Some((position, result)) = receiver.recv().await {
        done.push((position, result?));
    }
    if done.len() < count {
        return Err(Failure::Runtime("a thread was given up".to_owned()));
    }
    done.sort_by_key(|(position, _)| *position);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_stand_in_order() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(super::map(&items, |n| n * 2), (0..1000).map(|n| n * 2).collect::<Vec<_>>());
        assert!(super::map(&[] as &[u32], |n| *n).is_empty());
    }
}
