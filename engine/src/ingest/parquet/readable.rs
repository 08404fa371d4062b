//! What a Parquet file is read from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::object_store::ObjectStoreUrl;
use object_store::path::Path as ObjectPath;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::store::bucket::Object;

/// What a file is read from.
#[derive(Debug, Clone)]
pub(crate) enum Readable {
    /// With its absolute path.
    File(Arc<File>, ObjectPath),
    Object(Object),
}

impl Readable {
    /// A file of this machine.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let object = ObjectPath::from_absolute_path(&path).map_err(io::Error::other)?;
        Ok(Self::File(Arc::new(File::open(path)?), object))
    }

    /// What a scan calls it.
    pub(super) fn place(&self) -> (ObjectStoreUrl, ObjectPath) {
        match self {
            Self::File(_, path) => (ObjectStoreUrl::local_filesystem(), path.clone()),
            Self::Object(object) => (object.bucket.url(), object.path.clone()),
        }
    }
}

impl Length for Readable {
    fn len(&self) -> u64 {
        match self {
            Self::File(file, _) => file.len(),
            Self::Object(object) => object.len(),
        }
    }
}

impl ChunkReader for Readable {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match self {
            Self::File(file, _) => Box::new(file.get_read(start)?),
            Self::Object(object) => Box::new(object.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::File(file, _) => file.get_bytes(start, length),
            Self::Object(object) => object.get_bytes(start, length),
        }
    }
}
