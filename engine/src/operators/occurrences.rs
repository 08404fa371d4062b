//! How often something happened while a plan ran, for what only shows then.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter that copies share. It is no part of what a plan means: all are equal.
#[derive(Debug, Clone, Default)]
pub struct Occurrences(Arc<AtomicU64>);

impl Occurrences {
    /// It happened once more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has happened.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl PartialEq for Occurrences {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Occurrences {}

impl Hash for Occurrences {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
