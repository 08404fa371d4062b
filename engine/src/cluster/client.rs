//! A part of a search on its way: sent to the scheduler, waited for, fetched from the workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use ballista_core::client::BallistaClient;
use ballista_core::config::BallistaConfig;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::execute_query_result::Result as Answer;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::operator_metric::Metric;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, CleanJobDataParams, ExecuteQueryParams, GetJobMetricsParams, GetJobStatusParams, JobStageMetrics,
    KeyValuePair, PartitionLocation, RemoveSessionParams, execute_query_failure_result::Failure,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::physical_plan_node::PhysicalPlanType;
use datafusion_proto::protobuf::{PhysicalExtensionNode, PhysicalPlanNode};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Request;
use tonic::transport::Channel;

use super::codec::{ANSWER, Codec};
use super::tls::Tls;
use super::{Cluster, MOST_BYTES, Stage, VERSION, said};
use crate::error::Error;

/// How long a scheduler or a worker may take to answer a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the scheduler is asked whether a search is done, at first and later.
const SOON: Duration = Duration::from_millis(10);
const LATER: Duration = Duration::from_millis(200);
/// How often it is looked whether there is a worker.
const LOOK: Duration = Duration::from_secs(1);
/// How often fetching from a worker is tried, and how long it is waited between.
const TRIES: u8 = 3;
const BETWEEN: u64 = 300;

type Scheduler = SchedulerGrpcClient<Channel>;

/// A part of a search that is to run.
pub(super) struct Job {
    cluster: Arc<Cluster>,
    settings: Vec<KeyValuePair>,
}

impl Job {
    /// With the settings of the session.
    pub(super) fn new(cluster: Arc<Cluster>, config: &SessionConfig) -> Self {
        let entries = config.options().entries().into_iter().filter(|entry| entry.value.is_some());
        Self { cluster, settings: entries.map(|entry| KeyValuePair { key: entry.key, value: entry.value }).collect() }
    }

    /// The rows of a plan in written form, in these columns. Dropping it cancels the job.
    pub(super) fn run(self, plan: Arc<Vec<u8>>, schema: SchemaRef) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let rows = stream::once(async move { self.start(&plan).await }).try_flatten();
        rows.map(move |batch| conformed(&batch?, &schema))
    }

    async fn start(self, plan: &[u8]) -> Result<impl Stream<Item = Result<RecordBatch>> + Send + use<>> {
        let url = self.cluster.url();
        let mut scheduler = connect(&self.cluster).await?;
        check_version(&mut scheduler, url).await?;
        let session = identifier();
        let answer = submit(&mut scheduler, url, plan.to_vec(), session.clone(), self.settings).await?;
        let identifier = match answer {
            Some(Answer::Success(accepted)) => accepted.job_id,
            Some(Answer::Failure(refused)) => return exec_err!("{}", said::message(&reason(refused.failure))),
            None => return exec_err!("the scheduler at {url} gave no answer"),
        };
        let running = Running { cluster: Arc::clone(&self.cluster), identifier, session, done: false };
        let locations = running.wait(&mut scheduler).await?;
        running.cluster.remember(running.stages(&mut scheduler).await);
        let told: Option<u64> = locations.iter().map(rows_of).sum();
        let come = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&come);
        // One after the other: whoever reads takes one row after the other too.
        let tls = running.cluster.tls.clone();
        let fetched = stream::iter(locations)
            .then(move |location| fetch(location, tls.clone()))
            .try_flatten()
            .inspect_ok(move |batch: &RecordBatch| {
                counter.fetch_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX), Ordering::Relaxed);
            });
        // The job lives as long as its rows are read.
        let ended = stream::once(async move {
            running.finish(scheduler).await;
            match (told, come.load(Ordering::Relaxed)) {
                (Some(told), come) if told != come => {
                    Some(exec_err!("the workers have {told} rows of the result, and {come} have come"))
                }
                _ => None,
            }
        });
        let ended = ended.filter_map(async |failed| failed);
        Ok(fetched.chain(ended))
    }
}

/// A job that the scheduler has accepted.
struct Running {
    cluster: Arc<Cluster>,
    identifier: String,
    session: String,
    done: bool,
}

impl Running {
    /// Waits until it is done: where its rows are.
    async fn wait(&self, scheduler: &mut Scheduler) -> Result<Vec<PartitionLocation>> {
        let url = self.cluster.url();
        let mut pause = SOON;
        // When it was seen last that there is a worker.
        let (mut seen, mut looked) = (Instant::now(), Instant::now());
        // When the scheduler said last that it knows of the job.
        let mut known = Instant::now();
        loop {
            let asked = GetJobStatusParams { job_id: self.identifier.clone() };
            let answer = scheduler.get_job_status(asked).await;
            let answer = answer.map_err(|error| lost(url, error.message()))?.into_inner();
            match answer.status.and_then(|status| status.status) {
                Some(Status::Failed(failed)) => return exec_err!("{}", said::message(&failed.error)),
                Some(Status::Successful(done)) => return Ok(done.partition_location),
                Some(Status::Queued(_) | Status::Running(_)) => known = Instant::now(),
                // One that was started anew knows of nothing.
                None if known.elapsed() > PATIENCE => {
                    return exec_err!("the scheduler at {url} does not know the search any more");
                }
                None => {}
            }
            if looked.elapsed() > LOOK {
                looked = Instant::now();
                if has_workers(&self.cluster).await {
                    seen = looked;
                }
                if seen.elapsed() > PATIENCE {
                    return exec_err!("no worker works for the scheduler at {url}: `spelunk worker {url}` starts one");
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LATER);
        }
    }

    /// What its stages did; nothing if the scheduler does not tell.
    async fn stages(&self, scheduler: &mut Scheduler) -> Vec<Stage> {
        let asked = GetJobMetricsParams { job_id: self.identifier.clone() };
        let Ok(answer) = scheduler.get_job_metrics(asked).await else { return Vec::new() };
        let stage = |told: JobStageMetrics| {
            let mut stage = Stage { number: told.stage_id, ..Stage::default() };
            for operator in told.operators {
                for metric in operator.metrics.into_iter().filter_map(|metric| metric.metric) {
                    let counter = match (&metric, operator.depth, operator.operator_type.as_str()) {
                        (Metric::OutputRows(_), _, "DataSourceExec") => &mut stage.scanned,
                        (Metric::OutputRows(_), 0, _) => &mut stage.rows,
                        (Metric::OutputBytes(_), 1, _) => &mut stage.bytes,
                        _ => continue,
                    };
                    if let Metric::OutputRows(count) | Metric::OutputBytes(count) = metric {
                        *counter = counter.saturating_add(count);
                    }
                }
            }
            stage
        };
        answer.into_inner().stages.into_iter().map(stage).collect()
    }

    /// Lets the workers forget the rows, which are evidence. If that fails, they do it after a while by themselves.
    async fn finish(mut self, mut scheduler: Scheduler) {
        self.done = true;
        let forgotten = CleanJobDataParams { job_id: self.identifier.clone(), remove_stage_ids: Vec::new() };
        let _ = scheduler.clean_job_data(forgotten).await;
        let _ = scheduler.remove_session(RemoveSessionParams { session_id: self.session.clone() }).await;
    }
}

impl Drop for Running {
    /// Cancels a job whose rows nobody wants any more. The program may end right after, so it is waited for, but not long.
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (cluster, identifier) = (Arc::clone(&self.cluster), self.identifier.clone());
        let cancel = async move {
            if let Ok(mut scheduler) = connect(&cluster).await {
                let _ = scheduler.cancel_job(CancelJobParams { job_id: identifier }).await;
            }
        };
        let thread = std::thread::Builder::new().name("spelunk-cancel".to_owned()).spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), cancel).await });
            }
        });
        if let Ok(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// A connection to a scheduler.
async fn connect(cluster: &Cluster) -> Result<Scheduler> {
    let url = cluster.url();
    let patience = GrpcClientConfig {
        connect_timeout_seconds: PATIENCE.as_secs(),
        timeout_seconds: PATIENCE.as_secs().saturating_mul(4),
        ..GrpcClientConfig::from(&BallistaConfig::default())
    };
    let endpoint = create_grpc_client_endpoint(url.to_owned(), Some(&patience));
    let endpoint = endpoint.map_err(|error| exec_datafusion_err!("{url} is no address of a scheduler: {error}"))?;
    let endpoint = match &cluster.tls {
        Some(tls) => tls.over(endpoint).map_err(|error| exec_datafusion_err!("{}", innermost(&error)))?,
        None => endpoint,
    };
    let channel = endpoint.connect().await.map_err(|error| {
        let why = innermost(&error);
        exec_datafusion_err!("no scheduler answers at {url} ({why}): `spelunk scheduler` starts one")
    })?;
    Ok(SchedulerGrpcClient::new(channel).max_encoding_message_size(MOST_BYTES).max_decoding_message_size(MOST_BYTES))
}

async fn submit(
    scheduler: &mut Scheduler,
    url: &str,
    plan: Vec<u8>,
    session_id: String,
    settings: Vec<KeyValuePair>,
) -> Result<Option<Answer>> {
    let query = Some(Query::PhysicalPlan(plan));
    let mut request = Request::new(ExecuteQueryParams { session_id, settings, operation_id: identifier(), query });
    version::insert_version_header(request.metadata_mut());
    let answer = scheduler.execute_query(request).await.map_err(|error| lost(url, error.message()))?;
    Ok(answer.into_inner().result)
}

/// Whether any worker is alive. A scheduler tells it to those who watch over it, by HTTP.
async fn has_workers(cluster: &Cluster) -> bool {
    let asked = async {
        let (host, port) = cluster.parts();
        let mut stream = TcpStream::connect(format!("{host}:{port}")).await?;
        let question = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = match &cluster.tls {
            Some(tls) => ask(&mut tls.connect(&host, stream).await?, &question).await?,
            None => ask(&mut stream, &question).await?,
        };
        // Only a clear no is one.
        std::io::Result::Ok(!answer.ends_with(b" 503"))
    };
    !matches!(tokio::time::timeout(LOOK, asked).await, Ok(Ok(false)))
}

/// The beginning of an answer, which has the status.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), question: &str) -> std::io::Result<[u8; 12]> {
    stream.write_all(question.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// Asks a scheduler whether it is there, and of this version.
///
/// # Errors
/// It is not, or of another version.
pub async fn greet(cluster: &Cluster) -> std::result::Result<(), Error> {
    let mut scheduler = connect(cluster).await?;
    Ok(check_version(&mut scheduler, cluster.url()).await?)
}

/// Whether a scheduler is of this version. It is asked by a plan that it answers while it reads it.
async fn check_version(scheduler: &mut Scheduler, url: &str) -> Result<()> {
    let greeting = PhysicalExtensionNode { node: Codec::greeting(), inputs: Vec::new() };
    let greeting = PhysicalPlanNode { physical_plan_type: Some(PhysicalPlanType::Extension(greeting)) };
    let mut plan = Vec::new();
    greeting.try_encode(&mut plan)?;
    let answer = submit(scheduler, url, plan, identifier(), Vec::new()).await;
    let answer = answer.map_err(|error| {
        let hint = if url.starts_with("http:") { "; a scheduler with certificates is reached by https" } else { "" };
        exec_datafusion_err!(
            "what answers at {url} does not speak as a scheduler does ({}){hint}",
            error.strip_backtrace()
        )
    })?;
    let told = match answer {
        Some(Answer::Failure(answer)) => said::message(&reason(answer.failure)),
        _ => String::new(),
    };
    judge(&told, url)
}

/// Whether that is the answer of a scheduler of this version.
fn judge(told: &str, url: &str) -> Result<()> {
    match told.strip_prefix(ANSWER) {
        Some(VERSION) => Ok(()),
        Some(other) => exec_err!(
            "this is spelunk {VERSION}, and the scheduler at {url} is spelunk {other}: all of a cluster have to be of one \
             version"
        ),
        None => exec_err!("what answers at {url} is a scheduler, but none of spelunk: `spelunk scheduler` starts one"),
    }
}

fn reason(failure: Option<Failure>) -> String {
    match failure {
        Some(Failure::SessionNotFound(text) | Failure::PlanParsingFailure(text) | Failure::SqlParsingFailure(text)) => {
            text
        }
        None => "the scheduler refused the search".to_owned(),
    }
}

fn lost(url: &str, why: &str) -> DataFusionError {
    exec_datafusion_err!("the scheduler at {url} does not answer any more: {why}")
}

/// How many rows a worker said that a partition has, if it did.
fn rows_of(location: &PartitionLocation) -> Option<u64> {
    u64::try_from(location.partition_stats.as_ref()?.num_rows).ok()
}

/// The rows of one partition, from the worker that has them.
async fn fetch(location: PartitionLocation, tls: Option<Tls>) -> Result<SendableRecordBatchStream> {
    let layout = location.layout();
    let (Some(worker), Some(partition)) = (location.executor_meta, location.partition_id) else {
        return exec_err!("the scheduler does not say where the result is");
    };
    let place = format!("{}:{}", worker.host, worker.port);
    let gone = |error: ballista_core::error::BallistaError| {
        exec_datafusion_err!("the worker at {place} has the result and does not answer: {error}")
    };
    let port = u16::try_from(worker.port).map_err(|_| exec_datafusion_err!("{place} is no address of a worker"))?;
    let endpoint = tls.as_ref().map(|tls| Arc::new(BallistaConfigGrpcEndpoint::new(tls.endpoints())));
    let client = BallistaClient::try_new(&worker.host, port, MOST_BYTES, tls.is_some(), endpoint, TRIES, BETWEEN, 0, 0);
    let mut client = match tokio::time::timeout(PATIENCE, client).await {
        Ok(client) => client.map_err(gone)?,
        Err(_) => return exec_err!("the worker at {place} has the result and does not answer"),
    };
    // As blocks of the files that the worker has: the other form gives up dictionaries.
    client.fetch_partition(&worker.id, &partition.into(), location.file_id, layout, false).await.map_err(gone)
}

/// The batch in the types that the plan here counts on.
fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return exec_err!("the cluster gave {} columns instead of {}", batch.num_columns(), schema.fields().len());
    }
    let conform =
        |(column, field): (&ArrayRef, &Arc<arrow::datatypes::Field>)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => cast(column, field.data_type()),
        };
    let columns = batch.columns().iter().zip(schema.fields()).map(conform).collect::<std::result::Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A name that no other session has.
fn identifier() -> String {
    format!("spelunk-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

/// What an error that stands in others says.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn versions_are_told_apart() {
        assert!(judge(&format!("{ANSWER}{VERSION}"), "http://a:1").is_ok());
        let other = judge("spelunk 9.9.9", "http://a:1").unwrap_err().to_string();
        assert!(other.contains("the scheduler at http://a:1 is spelunk 9.9.9"), "{other}");
        let foreign = judge("Could not parse plan: Internal error", "http://a:1").unwrap_err().to_string();
        assert!(foreign.contains("none of spelunk"), "{foreign}");
    }

    #[test]
    fn a_greeting_is_answered_with_the_version() {
        let context = datafusion::execution::TaskContext::default();
        let greeting = PhysicalExtensionNode { node: Codec::greeting(), inputs: Vec::new() };
        let greeting = PhysicalPlanNode { physical_plan_type: Some(PhysicalPlanType::Extension(greeting)) };
        let answer = greeting.try_into_physical_plan(&context, &Codec::new()).unwrap_err().to_string();
        assert!(judge(&said::message(&answer), "http://a:1").is_ok(), "{answer}");
    }
}
