//! The processes of a cluster: a scheduler, and workers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::ConfigProducer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};

use super::codec::Codec;
use super::tls::Tls;
use super::{Cluster, MOST_BYTES, configuration, greet, scheme};
use crate::error::Error;
use crate::session::naming_state;
use crate::store::bucket::Registry;

/// How often a worker says that it is alive, in seconds.
const HEARTBEAT: u64 = 2;
/// After how many seconds of silence a worker is taken for lost, and what it did is done by others.
const SILENCE: u64 = 8;
/// How many seconds a search waits for a worker where there is none any more.
const NOBODY: u64 = 8;
/// How many seconds a worker keeps the rows of a search whose client does not say that it has them.
const KEPT: u64 = 300;

/// The address that only this machine reaches.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where a process of a cluster listens, and how it is reached.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address that it listens on.
    pub bind: IpAddr,
    /// The port; 0 for one that is free.
    pub port: u16,
    /// The name or address under which the others reach it, where that is not the address that it listens on.
    pub host: Option<String>,
}

impl Place {
    /// On this machine alone.
    pub fn here(port: u16) -> Self {
        Self { bind: HERE, port, host: None }
    }

    /// How others reach it.
    fn reached(&self) -> Result<String, Error> {
        match &self.host {
            Some(host) => Ok(host.clone()),
            None if self.bind.is_unspecified() => Err(Error::Run(format!(
                "{} listens on all addresses of this machine: name the one under which the others reach it with --host",
                self.bind
            ))),
            None => Ok(self.bind.to_string()),
        }
    }
}

/// A scheduler that listens and does not answer yet.
#[derive(Debug)]
pub struct Scheduler {
    listener: TcpListener,
    host: String,
    port: u16,
    tls: Option<Tls>,
}

impl Scheduler {
    /// Listens, for those alone who have a certificate if it has some itself.
    ///
    /// # Errors
    /// An address that this machine has not, or a port in use.
    pub fn listen(place: &Place, tls: Option<Tls>) -> Result<Self, Error> {
        let host = place.reached()?;
        let (listener, port) = listening(SocketAddr::new(place.bind, place.port))?;
        Ok(Self { listener, host, port, tls })
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("{}://{}:{}", scheme(self.tls.as_ref()), self.host, self.port)
    }

    /// Answers until the process ends.
    ///
    /// # Errors
    /// Ballista's own.
    pub async fn run(self) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| Error::Run(format!("the scheduler stopped: {error}"));
        let config = Arc::new(SchedulerConfig {
            external_host: self.host,
            bind_port: self.port,
            // Tasks are sent to the workers, so that they can be cancelled there.
            scheduling_policy: TaskSchedulingPolicy::PushStaged,
            finished_job_data_clean_up_interval_seconds: KEPT,
            finished_job_state_clean_up_interval_seconds: KEPT,
            grpc_server_max_decoding_message_size: size(),
            grpc_server_max_encoding_message_size: size(),
            grpc_client_max_message_size: size(),
            executor_timeout_seconds: SILENCE,
            expire_dead_executor_interval_seconds: HEARTBEAT,
            no_executors_grace_period_seconds: NOBODY,
            use_tls: self.tls.is_some(),
            override_create_grpc_client_endpoint: self.tls.as_ref().map(Tls::endpoints),
            override_config_producer: Some(produced(self.tls.clone())),
            override_session_builder: Some(Arc::new(|config| {
                Ok(naming_state(
                    SessionStateBuilder::new().with_runtime_env(objects(RuntimeEnvBuilder::new())?),
                    config,
                ))
            })),
            override_physical_codec: Some(Arc::new(Codec::new())),
            ..SchedulerConfig::default()
        });
        let cluster = BallistaCluster::new_from_config(&config).await.map_err(|error| failed(&error))?;
        let server = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, config).await;
        let server = server.map_err(|error| failed(&error))?;
        let Some(tls) = self.tls else {
            let listener = tokio::net::TcpListener::from_std(self.listener).map_err(|error| failed(&error))?;
            return start_grpc_service_with_listener(listener, server).await.map_err(|error| failed(&error));
        };
        let (inner, port) = listening(SocketAddr::new(HERE, 0))?;
        let inner = tokio::net::TcpListener::from_std(inner).map_err(|error| failed(&error))?;
        let listener = tokio::net::TcpListener::from_std(self.listener).map_err(|error| failed(&error))?;
        tokio::select! {
            ended = start_grpc_service_with_listener(inner, server) => ended.map_err(|error| failed(&error)),
            () = tls.admit(listener, SocketAddr::new(HERE, port)) => Ok(()),
        }
    }
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The scheduler that gives it work.
    pub cluster: Cluster,
    /// Where it listens. It needs a second port: the one after this, or another that is free.
    pub place: Place,
    /// How many tasks it runs at a time; 0 for one a core.
    pub cores: usize,
    /// How many bytes of memory its tasks may use together; `None` for 60 % of the machine's.
    pub memory: Option<usize>,
    /// The folder in which it makes one of its own, for what passes between stages; `None` for the system's.
    pub temp: Option<PathBuf>,
}

impl Worker {
    /// Works until the process is told to end.
    ///
    /// # Errors
    /// No scheduler, one of another version, a port in use.
    pub async fn run(self) -> Result<(), Error> {
        greet(&self.cluster).await?;
        let failed = |error: &dyn std::fmt::Display| Error::Run(format!("the worker stopped: {error}"));
        let folder = match &self.temp {
            Some(temp) => tempfile::Builder::new().prefix("spelunk-worker-").tempdir_in(temp),
            None => tempfile::Builder::new().prefix("spelunk-worker-").tempdir(),
        };
        let folder = folder.map_err(|error| failed(&format!("it has no folder to work in: {error}")))?;
        let host = self.place.reached()?;
        let (port, grpc_port) = match self.place.port {
            0 => (free(self.place.bind)?, free(self.place.bind)?),
            port => (port, port.saturating_add(1)),
        };
        let tls = self.cluster.tls.clone();
        // A worker tells the others the ports that it listens on itself, so it has the same ones at another address.
        let inner = match (&tls, self.place.bind) {
            (None, bind) => bind,
            (Some(_), IpAddr::V4(_)) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            (Some(_), IpAddr::V6(bind)) if bind.is_unspecified() => {
                return Err(Error::Run("with TLS a worker listens on one address, or on 0.0.0.0".to_owned()));
            }
            (Some(_), IpAddr::V6(_)) => HERE,
        };
        if let Some(tls) = &tls {
            for port in [port, grpc_port] {
                let (listener, _) = listening(SocketAddr::new(self.place.bind, port))?;
                let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| failed(&error))?;
                tokio::spawn(tls.clone().admit(listener, SocketAddr::new(inner, port)));
            }
        }
        let (scheduler_host, scheduler_port) = self.cluster.parts();
        let state = naming_state(SessionStateBuilder::new(), configuration(tls.as_ref()));
        let memory = crate::memory::limit(self.memory);
        let spilled = folder.path().to_owned();
        let config = ExecutorProcessConfig {
            bind_host: bracketed(inner),
            external_host: Some(host),
            port,
            grpc_port,
            scheduler_host,
            scheduler_port,
            vcores: self.cores,
            task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
            work_dir: Some(folder.path().display().to_string()),
            grpc_max_decoding_message_size: size(),
            grpc_max_encoding_message_size: size(),
            executor_heartbeat_interval_seconds: HEARTBEAT,
            memory_pool_size: u64::try_from(memory).ok(),
            override_create_grpc_client_endpoint: tls.as_ref().map(Tls::endpoints),
            override_config_producer: Some(produced(tls)),
            override_runtime_producer: Some(Arc::new(move |_| {
                objects(RuntimeEnvBuilder::new().with_temp_file_path(&spilled))
            })),
            override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&state))),
            override_physical_codec: Some(Arc::new(Codec::new())),
            ..ExecutorProcessConfig::default()
        };
        start_executor_process(Arc::new(config)).await.map_err(|error| failed(&error))
    }
}

/// Who makes the configuration of a session.
fn produced(tls: Option<Tls>) -> ConfigProducer {
    Arc::new(move || configuration(tls.as_ref()))
}

/// What scans find buckets with.
fn objects(builder: RuntimeEnvBuilder) -> datafusion::common::Result<Arc<RuntimeEnv>> {
    builder.with_object_store_registry(Arc::new(Registry::default())).build_arc()
}

/// A listener, and its port.
fn listening(address: SocketAddr) -> Result<(TcpListener, u16), Error> {
    let failed = |error| Error::Run(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

/// A port that nobody listens on.
fn free(address: IpAddr) -> Result<u16, Error> {
    let listener = TcpListener::bind(SocketAddr::new(address, 0)).and_then(|listener| listener.local_addr());
    Ok(listener.map_err(|error| Error::Run(format!("cannot listen on {address}: {error}")))?.port())
}

/// The address as it stands before a port.
fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

fn size() -> u32 {
    u32::try_from(MOST_BYTES).unwrap_or(u32::MAX)
}
