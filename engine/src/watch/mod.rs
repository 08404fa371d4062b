//! What a search does while it runs: how far it is, how it is ended early, and which command takes how long.
//!
//! An operator that only counts stands above every scan ([`exec`]). It is also where a search is ended: a scan that says
//! that there are no more rows makes everything above it finish with what came until then. That is a part of the result
//! only where each row of it depends on one event ([`partial`]). A search that is measured has such an operator above
//! every other one, and [`profile`] leads what they counted back to commands, along the [`trail`] that the planner left.

pub mod exec;
pub mod partial;
pub mod profile;
pub mod trail;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;

/// How far the searches of a session are, and the way to end one early.
#[derive(Debug, Default)]
pub struct Watch {
    ended: AtomicBool,
    /// Whether it was reading that was ended, after which the search goes on with what was read.
    settled: AtomicBool,
    reading: AtomicBool,
    files: AtomicU64,
    bytes: AtomicU64,
    events: AtomicU64,
    scanned: AtomicU64,
    /// What runs, as long as it does: it may hold rows.
    plan: Mutex<Option<Weak<dyn ExecutionPlan>>>,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many files were opened to be read.
    pub files: u64,
    /// How many bytes of them were read, unpacked where they are compressed.
    pub bytes: u64,
    /// How many events were read.
    pub events: u64,
    /// How many events were looked at, after they had been read.
    pub scanned: u64,
    /// How many of these the first conditions let through; `None` where no condition runs by itself.
    pub matched: Option<u64>,
}

impl Watch {
    /// Ends the search that runs: what is read now is the last that is read, and what is looked at now the last that is
    /// looked at. [`crate::Search::whole`] says whether what comes of that is a part of the result.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    /// Whether the search was ended.
    pub fn has_ended(&self) -> bool {
        self.stops() || self.settled.load(Ordering::SeqCst)
    }

    /// Whether the search was ended and is reading still, which it cannot leave while it waits for input.
    pub fn is_stuck(&self) -> bool {
        self.stops() && self.reading.load(Ordering::SeqCst)
    }

    /// Reading begins, or is over.
    pub(crate) fn reads(&self, reading: bool) {
        self.reading.store(reading, Ordering::SeqCst);
    }

    /// Whether what runs now is to stop.
    pub(crate) fn stops(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Reading is over: whether that is because it was ended. The search is then to see all that was read.
    pub(crate) fn settle(&self) -> bool {
        let ended = self.ended.swap(false, Ordering::SeqCst);
        self.settled.fetch_or(ended, Ordering::SeqCst);
        ended
    }

    /// How far the search is.
    pub fn progress(&self) -> Progress {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Weak::upgrade);
        Progress {
            files: read(&self.files),
            bytes: read(&self.bytes),
            events: read(&self.events),
            scanned: read(&self.scanned),
            matched: plan.and_then(|plan| passed(&plan)),
        }
    }

    /// A search begins.
    pub(crate) fn begin(&self) {
        self.ended.store(false, Ordering::SeqCst);
        self.settled.store(false, Ordering::SeqCst);
        for counter in [&self.files, &self.bytes, &self.events, &self.scanned] {
            counter.store(0, Ordering::Relaxed);
        }
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// This plan runs now.
    pub(crate) fn run(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.scanned.store(0, Ordering::Relaxed);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(plan));
    }

    pub(crate) fn opened(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn found(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn scanned(&self, rows: usize) {
        self.scanned.fetch_add(u64::try_from(rows).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

/// How many rows passed the conditions that are nearest to the events.
fn passed(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    if let Some(below) = plan.children().iter().find_map(|child| passed(child)) {
        return Some(below);
    }
    plan.downcast_ref::<FilterExec>()?;
    u64::try_from(plan.metrics()?.output_rows()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_begins_anew() {
        let watch = Watch::default();
        watch.opened();
        watch.read(10);
        watch.found(3);
        watch.end();
        assert!(watch.has_ended());
        assert_eq!(watch.progress(), Progress { files: 1, bytes: 10, events: 3, scanned: 0, matched: None });
        assert!(watch.settle());
        assert!(watch.has_ended() && !watch.stops());
        watch.begin();
        assert!(!watch.has_ended());
        assert_eq!(watch.progress(), Progress::default());
    }
}
