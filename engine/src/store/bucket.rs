//! Buckets of an S3-compatible object store: `s3://bucket/prefix`.
//!
//! Who may read and where the service is, is taken from the environment, as other tools take it: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`,
//! `AWS_SKIP_SIGNATURE`; else from the machine's role ([`AmazonS3Builder::from_env`]).

use std::future::Future;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use futures::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::buffered::BufWriter;
use object_store::path::Path as ObjectPath;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use tokio::io::AsyncWriteExt as _;
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// What an address begins with.
const SCHEME: &str = "s3";
/// A request that fails is tried so many times more.
const RETRIES: usize = 3;
/// After so long no more of them.
const PATIENCE: Duration = Duration::from_secs(20);

/// So many bytes are fetched where it is not known how many will be read.
const WINDOW: u64 = 64 << 10;

/// Whether a path is an address of objects in a bucket.
pub fn is_address(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with("s3://"))
}

/// Objects below a prefix of a bucket.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    url: ObjectStoreUrl,
    prefix: ObjectPath,
    objects: Arc<dyn ObjectStore>,
}

/// An object, and how large it is.
pub(crate) struct Found {
    /// Its path below the prefix.
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

/// Requests of threads that wait for them. One for all, because a connection ends with the runtime that opened it.
static REQUESTS: LazyLock<io::Result<Runtime>> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).thread_name("spelunk-bucket").enable_all().build());

/// Waits for requests, from whatever thread.
fn wait<T: Send>(requests: impl Future<Output = std::result::Result<T, Error>> + Send) -> io::Result<T> {
    let runtime = REQUESTS.as_ref().map_err(|error| io::Error::other(error.to_string()))?;
    // A thread that drives other futures must not wait for one.
    let waited = std::thread::scope(|scope| scope.spawn(|| runtime.block_on(requests)).join());
    waited.map_err(|_| io::Error::other("a request to the bucket failed"))?.map_err(told)
}

fn told(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::AlreadyExists { .. } => io::ErrorKind::AlreadyExists,
        Error::Precondition { .. } => io::ErrorKind::ResourceBusy,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    let text = error.to_string();
    match said(&text) {
        Some(said) => io::Error::new(kind, said),
        None => io::Error::new(kind, error),
    }
}

/// What a service itself says: its answers are XML with a code and a message for people.
fn said(text: &str) -> Option<String> {
    let part = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    };
    Some(format!("{} ({})", part("Message")?, part("Code")?))
}

impl Bucket {
    /// The objects at an address.
    ///
    /// # Errors
    /// An address that is none, settings in the environment that contradict each other.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        let wrong = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
        let address = path.to_str().and_then(|path| path.strip_prefix("s3://"));
        let (name, prefix) = address.map_or(("", ""), |address| address.split_once('/').unwrap_or((address, "")));
        if name.is_empty() {
            return Err(wrong("it names no bucket: write s3://bucket/prefix".to_owned()));
        }
        let prefix = ObjectPath::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        let url = ObjectStoreUrl::parse(format!("s3://{name}")).map_err(|error| wrong(error.to_string()))?;
        let objects = connected(url.as_ref()).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { url, prefix, objects })
    }

    /// What a scan calls the bucket.
    pub(crate) fn url(&self) -> ObjectStoreUrl {
        self.url.clone()
    }

    /// The object at a path below the prefix; the prefix itself at an empty one.
    pub(crate) fn object(&self, path: &str) -> ObjectPath {
        path.split('/').filter(|part| !part.is_empty()).fold(self.prefix.clone(), |object, part| object.join(part))
    }

    /// What is below a further prefix.
    pub(crate) fn below(&self, path: &str) -> Self {
        Self { prefix: self.object(path), ..self.clone() }
    }

    /// Whether there is an object.
    pub(crate) fn has(&self, path: &str) -> io::Result<bool> {
        match wait(self.objects.head(&self.object(path))) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is in an object, and which version of it that is.
    pub(crate) fn read(&self, path: &str) -> io::Result<(Bytes, UpdateVersion)> {
        let object = self.object(path);
        wait(async {
            let found = self.objects.get(&object).await?;
            let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
            Ok((found.bytes().await?, version))
        })
    }

    /// The object that the prefix names, else all below it, in the order of their paths.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn found(&self) -> io::Result<Vec<Found>> {
        let mut found = self.list()?;
        found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        if found.is_empty() {
            let bytes = wait(self.objects.head(&self.prefix)).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "nothing is there"),
                _ => error,
            });
            found.push(Found { path: String::new(), bytes: bytes?.size });
        }
        Ok(found)
    }

    /// All objects below the prefix, in no order.
    pub(crate) fn list(&self) -> io::Result<Vec<Found>> {
        let found = wait(self.objects.list(Some(&self.prefix)).try_collect::<Vec<_>>())?;
        let below = |object: &ObjectPath| {
            let parts: Vec<_> = object.prefix_match(&self.prefix)?.map(|part| part.as_ref().to_owned()).collect();
            Some(parts.join("/"))
        };
        let found = found.into_iter();
        Ok(found.filter_map(|object| Some(Found { path: below(&object.location)?, bytes: object.size })).collect())
    }

    /// Writes an object at once, one that must not be there, or in the place of that version; gives its version.
    pub(crate) fn write(
        &self,
        path: &str,
        content: Bytes,
        instead: Option<UpdateVersion>,
    ) -> io::Result<UpdateVersion> {
        let object = self.object(path);
        let mode = instead.map_or(PutMode::Create, PutMode::Update);
        let options = PutOptions { mode, ..PutOptions::default() };
        let put = wait(self.objects.put_opts(&object, PutPayload::from_bytes(content), options))?;
        Ok(UpdateVersion { e_tag: put.e_tag, version: put.version })
    }

    /// Copies a file to an object, part by part if it is large.
    pub(crate) fn upload(&self, file: &Path, path: &str) -> io::Result<()> {
        let mut object = BufWriter::new(Arc::clone(&self.objects), self.object(path));
        wait(async {
            let failed = |error: io::Error| Error::Generic { store: SCHEME, source: Box::new(error) };
            let mut file = tokio::fs::File::open(file).await.map_err(failed)?;
            let copied = tokio::io::copy(&mut file, &mut object).await;
            match copied {
                Ok(_) => object.shutdown().await.map_err(failed),
                Err(error) => {
                    // The parts that were sent would be kept, and paid for.
                    let _ = object.abort().await;
                    Err(failed(error))
                }
            }
        })
    }

    /// Removes an object.
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        match wait(self.objects.delete(&self.object(path))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// An object that is read from place to place.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) bucket: Bucket,
    pub(crate) path: ObjectPath,
    pub(crate) bytes: u64,
}

impl Object {
    fn range(&self, from: u64, length: u64) -> io::Result<Bytes> {
        let to = from.saturating_add(length).min(self.bytes);
        wait(self.bucket.objects.get_range(&self.path, from..to))
    }
}

impl Length for Object {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Object {
    type T = Running;

    fn get_read(&self, start: u64) -> std::result::Result<Running, ParquetError> {
        Ok(Running { object: self.clone(), next: start, window: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.range(start, length).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// An object read on from a place.
pub(crate) struct Running {
    object: Object,
    next: u64,
    window: Bytes,
}

impl Read for Running {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.window.is_empty() && self.next < self.object.bytes {
            self.window = self.object.range(self.next, WINDOW)?;
            self.next = self.next.saturating_add(u64::try_from(self.window.len()).unwrap_or(0));
        }
        let count = self.window.len().min(into.len());
        let part = self.window.split_to(count);
        into.iter_mut().zip(part).for_each(|(into, byte)| *into = byte);
        Ok(count)
    }
}

/// The bucket of an address.
fn connected(url: &Url) -> Result<Arc<dyn ObjectStore>> {
    let name = url.host_str().unwrap_or_default();
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
    let bucket = AmazonS3Builder::from_env().with_bucket_name(name).with_retry(retry).build();
    Ok(Arc::new(bucket?))
}

/// Where scans find the objects of an address: those of this machine, and buckets, which are connected to when they are
/// asked for first.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    known: DefaultObjectStoreRegistry,
}

impl ObjectStoreRegistry for Registry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.known.register_store(url, store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        match self.known.get_store(url) {
            Err(_) if url.scheme() == SCHEME => {
                let bucket = connected(url)?;
                self.known.register_store(url, Arc::clone(&bucket));
                Ok(bucket)
            }
            known => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        assert!(is_address(Path::new("s3://bucket/store")));
        for path in ["s3:/bucket", "./s3://bucket", "S3.evtx", "https://bucket"] {
            assert!(!is_address(Path::new(path)), "{path}");
        }
        let bucket = Bucket::at(Path::new("s3://logs/a b/100%/store/")).unwrap();
        assert_eq!(bucket.url().as_str(), "s3://logs/");
        assert_eq!(bucket.object("events/x.parquet").as_ref(), "a b/100%/store/events/x.parquet");
        let answer = "404: <Error><Code>NoSuchBucket</Code><Message>There is none</Message></Error>";
        assert_eq!(said(answer).as_deref(), Some("There is none (NoSuchBucket)"));
        assert_eq!(said("connection refused"), None);
        for wrong in ["s3://", "s3:///store", "s3://a/../b"] {
            assert!(Bucket::at(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
