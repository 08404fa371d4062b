//! What `--cluster`, `spelunk scheduler` and `spelunk worker` take.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::values::parse_size;

/// Where a search runs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Run what reads stores on the workers of the scheduler at URL, such as http://127.0.0.1:50050; the rest runs here
    /// (only in binaries that were built with the feature cluster)
    #[arg(long, value_name = "URL")]
    pub cluster: Option<String>,
    /// Divide a search into N parts there: two or three for each core of all workers [default: 16]
    #[arg(long, value_name = "N", requires = "cluster", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cluster_partitions: Option<u16>,
    /// Speak TLS with the cluster: DIR has ca.pem, cert.pem and key.pem; URL then begins with https
    #[arg(long, value_name = "DIR", requires = "cluster")]
    pub cluster_tls: Option<PathBuf>,
}

const SCHEDULER_HELP: &str = "\
Only binaries that were built with the feature cluster can do this.

The scheduler takes searches from `spelunk run --cluster URL` and gives their parts to the workers. Without --tls there is
no password and no encryption: whoever reaches its port can search what the workers can read. It listens on this machine
alone, unless --bind says otherwise.

Example, on one machine:
  spelunk scheduler &
  spelunk worker http://127.0.0.1:50050 &
  spelunk run --cluster http://127.0.0.1:50050 'EventCode=1 | stats count by Image' ./store";

/// `spelunk scheduler`
#[derive(Debug, Args)]
#[command(after_help = SCHEDULER_HELP)]
pub struct SchedulerArgs {
    /// Where it listens.
    #[command(flatten)]
    pub place: PlaceArgs,
}

const WORKER_HELP: &str = "\
Only binaries that were built with the feature cluster can do this.

A worker does the parts of searches that the scheduler gives it. It reads stores at the path at which the search names
them, so these have to be there on every machine. Without --tls there is no password and no encryption: whoever reaches
its ports can read what it has. It listens on this machine alone, unless --bind says otherwise.

Example:
  spelunk worker http://10.0.0.1:50050 --bind 10.0.0.2";

/// `spelunk worker`
#[derive(Debug, Args)]
#[command(after_help = WORKER_HELP)]
pub struct WorkerArgs {
    /// The scheduler, such as http://127.0.0.1:50050
    #[arg(value_name = "URL")]
    pub scheduler: String,
    /// Where it listens.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Run N tasks at a time [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub cores: Option<u16>,
    /// Use at most so much memory, such as 800MB or 2GiB; sorts and aggregates then write to files [default: 60% of
    /// the machine's]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub memory: Option<usize>,
    /// The folder for what passes between the stages of a search [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub temp: Option<PathBuf>,
}

/// Where a process listens.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// Listen on ADDRESS, so that other machines reach it [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Listen on this port; a worker takes the next one too [default: 50050 for a scheduler, free ones for a worker]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65534))]
    pub port: Option<u16>,
    /// The name or address under which the others reach it [default: that of --bind]
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Speak TLS, with those alone who have a certificate too: DIR has ca.pem, the certificate of the cluster's authority,
    /// cert.pem and key.pem
    #[arg(long, value_name = "DIR")]
    pub tls: Option<PathBuf>,
}
