//! `spelunk scheduler`, `spelunk worker`, and where `--cluster` leads.

use crate::cli::{ClusterArgs, SchedulerArgs, WorkerArgs};
use crate::exit::{Exit, Failure};

/// What is said by a binary that has none of it.
#[cfg(not(feature = "cluster"))]
fn without<T>(what: &str) -> Result<T, Failure> {
    Err(Failure::Usage(format!(
        "{what} is not available: this binary was built without the feature cluster (`cargo build --release -p spelunk \
         --features cluster`)"
    )))
}

/// Refuses to run a search on a cluster.
///
/// # Errors
/// Always, if one was named.
#[cfg(not(feature = "cluster"))]
pub fn chosen(named: &ClusterArgs) -> Result<(), Failure> {
    let ClusterArgs { cluster, cluster_partitions, cluster_tls } = named;
    match (cluster, cluster_partitions, cluster_tls) {
        (None, None, None) => Ok(()),
        _ => without("--cluster"),
    }
}

/// Refuses to be a scheduler.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cluster"))]
pub async fn scheduler(_: SchedulerArgs) -> Result<Exit, Failure> {
    without("spelunk scheduler")
}

/// Refuses to be a worker.
///
/// # Errors
/// Always.
#[cfg(not(feature = "cluster"))]
pub async fn worker(_: WorkerArgs) -> Result<Exit, Failure> {
    without("spelunk worker")
}

#[cfg(feature = "cluster")]
pub use available::{chosen, done, scheduler, worker};

#[cfg(feature = "cluster")]
mod available {
    use std::net::IpAddr;
    use std::path::Path;

    use spelunk_engine::Session;
    use spelunk_engine::cluster::roles::{HERE, Place, Scheduler, Worker};
    use spelunk_engine::cluster::tls::Tls;
    use spelunk_engine::cluster::{Cluster, PORT, Stage, greet};

    use super::{ClusterArgs, Exit, Failure, SchedulerArgs, WorkerArgs};
    use crate::{report, terminal};

    /// The cluster that searches run on, if one was named.
    ///
    /// # Errors
    /// An address that is none.
    pub fn chosen(named: &ClusterArgs) -> Result<Option<Cluster>, Failure> {
        let ClusterArgs { cluster, cluster_partitions, cluster_tls } = named;
        let Some(address) = cluster else { return Ok(None) };
        let cluster = at(address, cluster_tls.as_deref())?;
        Ok(Some(match cluster_partitions {
            Some(partitions) => cluster.divided(usize::from(*partitions)),
            None => cluster,
        }))
    }

    /// The cluster at an address, with the certificates in a folder.
    fn at(address: &str, tls: Option<&Path>) -> Result<Cluster, Failure> {
        let tls = tls.map(Tls::read).transpose().map_err(failed)?;
        Cluster::at(address, tls).map_err(|error| Failure::Usage(error.to_string()))
    }

    fn place(bind: Option<IpAddr>, port: u16, host: Option<String>) -> Place {
        Place { bind: bind.unwrap_or(HERE), port, host }
    }

    /// What the stages of the last search did, a line each; nothing if no part of it ran on a cluster.
    pub fn done(session: &Session) -> String {
        let stages = session.options().cluster.as_ref().map(Cluster::take_done).unwrap_or_default();
        let line = |stage: Stage| {
            let Stage { number, scanned, rows, bytes } = stage;
            let scanned = match scanned {
                0 => String::new(),
                scanned => format!("{} scanned, ", report::count(scanned, "event")),
            };
            let passed = report::count(rows, "row");
            format!("  on the cluster, stage {number}: {scanned}{passed} passed on ({})\n", report::bytes(bytes))
        };
        stages.into_iter().map(line).collect()
    }

    /// Is a scheduler until Ctrl-C.
    ///
    /// # Errors
    /// A port in use, and what Ballista says.
    pub async fn scheduler(args: SchedulerArgs) -> Result<Exit, Failure> {
        let SchedulerArgs { place: at } = args;
        tell_problems();
        let tls = at.tls.as_deref().map(Tls::read).transpose().map_err(failed)?;
        let place = place(at.bind, at.port.unwrap_or(PORT), at.host);
        let scheduler = Scheduler::listen(&place, tls).map_err(failed)?;
        terminal::say(&format!("the scheduler listens at {}; Ctrl-C ends it", scheduler.url()));
        tokio::select! {
            ended = scheduler.run() => ended.map_err(failed)?,
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(Exit::Ok)
    }

    /// Is a worker until Ctrl-C.
    ///
    /// # Errors
    /// No scheduler, one of another version, a port in use.
    pub async fn worker(args: WorkerArgs) -> Result<Exit, Failure> {
        let WorkerArgs { scheduler, place: at, cores, memory, temp } = args;
        tell_problems();
        let cluster = self::at(&scheduler, at.tls.as_deref())?;
        let url = cluster.url().to_owned();
        let place = place(at.bind, at.port.unwrap_or(0), at.host);
        let worker = Worker { cluster, place, cores: cores.map_or(0, usize::from), memory, temp };
        greet(&worker.cluster).await.map_err(failed)?;
        terminal::say(&format!("this worker works for {url}; Ctrl-C ends it"));
        worker.run().await.map_err(failed)?;
        Ok(Exit::Ok)
    }

    fn failed(error: spelunk_engine::Error) -> Failure {
        Failure::Runtime(error.to_string())
    }

    /// Tells what Ballista warns of: it has no other way to say it.
    fn tell_problems() {
        static PROBLEMS: Problems = Problems;
        if log::set_logger(&PROBLEMS).is_ok() {
            log::set_max_level(log::LevelFilter::Warn);
        }
    }

    struct Problems;

    impl log::Log for Problems {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.target().starts_with("ballista") && metadata.level() <= log::Level::Warn
        }

        fn log(&self, record: &log::Record<'_>) {
            let message = record.args().to_string();
            if self.enabled(record.metadata()) && !spelunk_engine::cluster::is_greeting(&message) {
                terminal::warning(&crate::escape::lines(&message));
            }
        }

        fn flush(&self) {}
    }
}
