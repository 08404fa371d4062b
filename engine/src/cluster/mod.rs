//! Searches on several machines, with DataFusion Ballista.
//!
//! A search is planned here, as ever. What of its physical plan reads files, and can be written down, runs on the cluster
//! ([`divide`]); what stands above it runs here, on the result. So every command works, columns mean the same, and what is
//! left out of stores is decided once.
//!
//! ```text
//! plan ─ divide ─▶ tail, which runs here
//!                   └─ RemoteExec ([`remote`]) ─ client ─▶ scheduler ─▶ workers, which read the store
//! ```
//!
//! Nothing here distributes anything: stages, shuffles, retries and their bookkeeping are Ballista's. The scheduler and the
//! workers ([`roles`]) are Ballista's too, with spelunk's functions and operators ([`codec`]).

mod client;
mod codec;
mod divide;
mod files;
mod functions;
mod lookups;
mod remote;
pub mod roles;
mod said;
pub mod tls;

use std::sync::{Arc, Mutex, PoisonError};

use ballista_core::extension::SessionConfigExt;
use datafusion::common::Result;
use datafusion::prelude::SessionConfig;

pub use client::greet;
pub use codec::is_greeting;
pub(crate) use divide::divide;
pub(crate) use remote::explained;

use crate::error::Error;
use tls::Tls;

/// How many parts a search is divided into where nothing is said.
pub const PARTITIONS: usize = 16;
/// The most bytes of a message between client, scheduler and workers; plans hold lookups.
const MOST_BYTES: usize = 64 << 20;
/// The port of a scheduler that nothing else is said of, which is Ballista's.
pub const PORT: u16 = 50_050;

/// The version that the client, the scheduler and the workers have to share: their plans name functions and hold operators
/// that may mean something else in another one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The most stages that are remembered.
const MOST_STAGES: usize = 1_000;

/// What a stage of a search did on the workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stage {
    /// Its number in its part of the search, from 1 on.
    pub number: u32,
    /// How many events came out of its scans.
    pub scanned: u64,
    /// How many rows it passed on, to the next stage or to the client.
    pub rows: u64,
    /// How large these are in memory, in bytes.
    pub bytes: u64,
}

/// A cluster, as a session knows it. Copies share what they remember.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Where the scheduler is: `http://127.0.0.1:50050`.
    url: String,
    /// How everybody in it is spoken with, if not plainly.
    tls: Option<Tls>,
    /// How many parts a search is divided into.
    partitions: usize,
    /// What was done since somebody asked.
    done: Arc<Mutex<Vec<Stage>>>,
}

impl Cluster {
    /// The cluster of the scheduler at an address, `host`, `host:port` or `http://host:port`; with certificates `https`
    /// instead of `http`.
    ///
    /// # Errors
    /// An address that is none, `https` without certificates, `http` with some.
    pub fn at(address: &str, tls: Option<Tls>) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Err(Error::Run(format!("{address:?} is no address of a scheduler: {what}; one is http://127.0.0.1:{PORT}")))
        };
        let place = match address.split_once("://") {
            Some(("http", place)) if tls.is_none() => place,
            Some(("https", place)) if tls.is_some() => place,
            Some(("http", _)) => return wrong("with certificates it begins with https"),
            Some(("https", _)) => return wrong("https needs the certificates of the cluster (--cluster-tls, --tls)"),
            Some(("df", place)) => place,
            Some(_) => return wrong("the protocol is http or https"),
            None => address,
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && (!host.contains(':') || host.ends_with(']')) => {
                match port.parse() {
                    Ok(port) => (host, port),
                    Err(_) => return wrong("the port is no number"),
                }
            }
            _ => (place, PORT),
        };
        let is_host = |letter: char| letter.is_ascii_alphanumeric() || ".-_[]:".contains(letter);
        match host.is_empty() || !host.chars().all(is_host) {
            true => wrong("it names no host"),
            false => {
                let url = format!("{}://{host}:{port}", scheme(tls.as_ref()));
                Ok(Self { url, tls, partitions: PARTITIONS, done: Arc::default() })
            }
        }
    }

    /// The same cluster, where searches are divided into so many parts.
    pub fn divided(self, partitions: usize) -> Self {
        Self { partitions: partitions.max(1), ..self }
    }

    /// Where the scheduler is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the stages of the last search did, in the order in which its parts were done.
    pub fn take_done(&self) -> Vec<Stage> {
        std::mem::take(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn remember(&self, stages: Vec<Stage>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() < MOST_STAGES {
            done.extend(stages);
        }
    }

    /// Its host and port.
    fn parts(&self) -> (String, u16) {
        let place = self.url.split_once("://").map_or(self.url.as_str(), |(_, place)| place);
        let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
        (host.to_owned(), port.parse().unwrap_or(PORT))
    }
}

/// What addresses begin with.
fn scheme(tls: Option<&Tls>) -> &'static str {
    if tls.is_some() { "https" } else { "http" }
}

/// DataFusion's configuration for a session whose searches run on a cluster.
pub(crate) fn configure(config: SessionConfig, cluster: &Cluster) -> SessionConfig {
    let mut config = config
        .upgrade_for_ballista()
        .with_target_partitions(cluster.partitions)
        .with_extension(Arc::new(cluster.clone()))
        .with_ballista_grpc_client_max_message_size(MOST_BYTES)
        .with_ballista_use_tls(cluster.tls.is_some())
        .with_ballista_broadcast_join_threshold_bytes(0);
    let optimizer = &mut config.options_mut().optimizer;
    // The joins of a run on one machine. Ballista would sort both sides instead, to be able to write them to files.
    optimizer.prefer_hash_join = true;
    // Ballista divides joins again whose one side is collected, or that it wants to be so, and leaves the operators above
    // them with another number of partitions than they were made for.
    optimizer.hash_join_single_partition_threshold = 0;
    optimizer.hash_join_single_partition_threshold_rows = 0;
    // Ballista's stages have no operator that takes several inputs partition by partition.
    optimizer.prefer_existing_union = true;
    // The order in which a scan is to look at row groups has no written form.
    optimizer.enable_sort_pushdown = false;
    config
}

/// The configuration of the scheduler and the workers, which the client's settings are put over.
fn configuration(tls: Option<&Tls>) -> SessionConfig {
    let config = SessionConfig::new_with_ballista().with_ballista_grpc_client_max_message_size(MOST_BYTES);
    match tls {
        Some(tls) => {
            config.with_ballista_use_tls(true).with_ballista_override_create_grpc_client_endpoint(tls.endpoints())
        }
        None => config,
    }
}

/// What a part that is sent to the cluster may find wrong, so that it can be told from what Ballista says around it.
fn finding(message: &str) -> String {
    format!("{}{message}{}", said::BEGIN, said::END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let at = |address| Cluster::at(address, None).map(|cluster| cluster.url).map_err(|error| error.to_string());
        assert_eq!(at("127.0.0.1:1234").unwrap(), "http://127.0.0.1:1234");
        assert_eq!(at("df://logs.example").unwrap(), "http://logs.example:50050");
        assert_eq!(at("http://[::1]:7/").unwrap(), "http://[::1]:7");
        assert_eq!(at("[::1]").unwrap(), "http://[::1]:50050");
        for (address, what) in [
            ("https://a", "certificates"),
            ("ftp://a", "http"),
            ("a:b", "port"),
            ("", "host"),
            ("a b", "host"),
            ("a/b", "host"),
        ] {
            let told = at(address).unwrap_err();
            assert!(told.contains(what), "{told}");
        }
    }
}
