//! The threads that write the files of a store.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::file::{self, Job, Written};
use crate::error::Error;

type Outcome = io::Result<Written>;

/// Threads that wait for files to write, one for each processor.
pub(super) struct Threads {
    jobs: Option<SyncSender<(Job, PathBuf)>>,
    done: Receiver<Outcome>,
    running: Vec<JoinHandle<()>>,
    in_flight: usize,
    held: usize,
}

impl Threads {
    pub(super) fn start() -> io::Result<Self> {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let (jobs, waiting) = mpsc::sync_channel::<(Job, PathBuf)>(1);
        let waiting = Arc::new(Mutex::new(waiting));
        let (finished, done) = mpsc::channel();
        let start = |_| {
            let (waiting, finished) = (Arc::clone(&waiting), finished.clone());
            let thread = std::thread::Builder::new().name("spelunk-store".to_owned());
            thread.spawn(move || work(&waiting, &finished))
        };
        let running = (0..count).map(start).collect::<io::Result<_>>()?;
        Ok(Self { jobs: Some(jobs), done, running, in_flight: 0, held: 0 })
    }

    /// The bytes of the events that are being written.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether files are being written.
    pub(super) fn are_busy(&self) -> bool {
        self.in_flight > 0
    }

    /// Hands over a file and where to write it; waits while all have enough to do.
    pub(super) fn write(&mut self, job: Job, aside: PathBuf) -> Result<(), Error> {
        self.held = self.held.saturating_add(job.held);
        self.in_flight = self.in_flight.saturating_add(1);
        let sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send((job, aside)).is_ok());
        if sent { Ok(()) } else { Err(stopped()) }
    }

    /// A file that was written, if there is one, or when there is one if told to wait.
    pub(super) fn next(&mut self, wait: bool) -> Result<Option<Outcome>, Error> {
        if !self.are_busy() {
            return Ok(None);
        }
        let outcome = match wait {
            true => Some(self.done.recv().map_err(|_| stopped())?),
            false => self.done.try_recv().ok(),
        };
        if let Some(outcome) = &outcome {
            self.in_flight = self.in_flight.saturating_sub(1);
            self.held = self.held.saturating_sub(outcome.as_ref().map_or(0, |written| written.held));
        }
        Ok(outcome)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Without a sender they stop.
        self.jobs = None;
        for thread in self.running.drain(..) {
            let _ = thread.join();
        }
    }
}

fn stopped() -> Error {
    Error::Run("the writers of the store stopped".to_owned())
}

fn work(jobs: &Mutex<Receiver<(Job, PathBuf)>>, done: &mpsc::Sender<Outcome>) {
    loop {
        let next = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok((job, aside)) = next else { return };
        if done.send(file::write(job, &aside)).is_err() {
            return;
        }
    }
}
