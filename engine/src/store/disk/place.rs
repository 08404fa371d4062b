//! Where a store lies: in a folder, or in a bucket.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use datafusion::datasource::object_store::ObjectStoreUrl;
use object_store::UpdateVersion;
use object_store::path::Path as ObjectPath;

use tempfile::TempDir;

use super::{ASIDE, EVENTS, OWN, manifest};
use crate::store::bucket::{self, Bucket};

/// A place for a store.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Its absolute path.
    Folder(PathBuf),
    Bucket(Bucket),
}

/// What is in a store, in no order.
pub(crate) struct Listing {
    /// The files of events, those that were not committed among them.
    pub(crate) events: Vec<Listed>,
    /// The names of all else.
    pub(crate) others: Vec<String>,
}

/// A file that is in a store.
pub(crate) struct Listed {
    /// Its path in the store, with `/` between folders.
    pub(crate) path: String,
    pub(crate) bytes: u64,
}

impl Listed {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Which manifest was read: in a bucket, another takes its place only while it is still there.
pub(crate) type Version = Option<UpdateVersion>;

impl Place {
    /// The place that a path names.
    ///
    /// # Errors
    /// An address that is none.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        match bucket::is_address(path) {
            true => Bucket::at(path).map(Place::Bucket),
            false => std::path::absolute(path).map(Place::Folder),
        }
    }

    /// Whether a store is there.
    pub(crate) fn is_store(&self) -> io::Result<bool> {
        match self {
            Place::Folder(root) => Ok(super::is_store(root)),
            Place::Bucket(bucket) => bucket.has(manifest::NAME),
        }
    }

    /// Makes the folder if it is missing; gives whether a store is or may begin there.
    pub(crate) fn begin(&self) -> io::Result<bool> {
        match self {
            Place::Folder(root) => {
                fs::create_dir_all(root)?;
                // Another one may have begun between the first look and the second.
                Ok(super::is_store(root) || self.is_free()? || super::is_store(root))
            }
            Place::Bucket(bucket) => Ok(bucket.has(manifest::NAME)? || self.is_free()?),
        }
    }

    /// Whether there is nothing but what another beginning leaves, or is about to make.
    fn is_free(&self) -> io::Result<bool> {
        let Listing { events, others } = self.listed()?;
        Ok(events.is_empty() && others.iter().all(|name| OWN.contains(&name.as_str())))
    }

    /// The folder in which files are made.
    pub(crate) fn aside(&self, temp: Option<&Path>) -> io::Result<Aside> {
        match (self, temp) {
            (Place::Folder(root), _) => {
                fs::create_dir_all(root.join(ASIDE))?;
                return Ok(Aside::Own(root.join(ASIDE)));
            }
            (Place::Bucket(_), Some(temp)) => tempfile::Builder::new().prefix("spelunk-index-").tempdir_in(temp),
            (Place::Bucket(_), None) => tempfile::Builder::new().prefix("spelunk-index-").tempdir(),
        }
        .map(Aside::Other)
    }

    /// The text of the manifest.
    pub(crate) fn manifest(&self) -> io::Result<(Vec<u8>, Version)> {
        match self {
            Place::Folder(root) => Ok((fs::read(root.join(manifest::NAME))?, None)),
            Place::Bucket(bucket) => {
                let (text, version) = bucket.read(manifest::NAME)?;
                Ok((text.into(), Some(version)))
            }
        }
    }

    /// Puts a manifest in the place of that one, at once.
    pub(crate) fn commit(&self, text: Vec<u8>, version: Version) -> io::Result<Version> {
        match self {
            Place::Folder(root) => {
                let aside = root.join(manifest::ASIDE);
                let mut file = File::create(&aside)?;
                file.write_all(&text)?;
                file.sync_all()?;
                fs::rename(aside, root.join(manifest::NAME))?;
                sync_folder(root)?;
                Ok(None)
            }
            Place::Bucket(bucket) => match bucket.write(manifest::NAME, text.into(), version) {
                Err(error) if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::AlreadyExists) => {
                    Err(io::Error::new(error.kind(), "another `spelunk index` added to it meanwhile: index again"))
                }
                written => written.map(Some),
            },
        }
    }

    /// What is there.
    pub(crate) fn listed(&self) -> io::Result<Listing> {
        match self {
            Place::Folder(root) => {
                let mut others = Vec::new();
                for entry in fs::read_dir(root)? {
                    others.push(entry?.file_name().to_string_lossy().into_owned());
                }
                others.retain(|name| name != EVENTS);
                Ok(Listing { events: below(root)?, others })
            }
            Place::Bucket(bucket) => {
                let objects = bucket.list()?.into_iter().map(|found| Listed { path: found.path, bytes: found.bytes });
                let is_event = |object: &Listed| object.path.split_once('/').is_some_and(|(first, _)| first == EVENTS);
                let (events, others): (Vec<Listed>, Vec<Listed>) = objects.partition(is_event);
                Ok(Listing { events, others: others.into_iter().map(|object| object.path).collect() })
            }
        }
    }

    /// What a scan calls the place.
    pub(crate) fn url(&self) -> ObjectStoreUrl {
        match self {
            Place::Folder(_) => ObjectStoreUrl::local_filesystem(),
            Place::Bucket(bucket) => bucket.url(),
        }
    }

    /// What a scan calls a file of the store.
    pub(crate) fn object(&self, path: &str) -> io::Result<ObjectPath> {
        match self {
            Place::Folder(root) => ObjectPath::from_absolute_path(below_root(root, path)).map_err(io::Error::other),
            Place::Bucket(bucket) => Ok(bucket.object(path)),
        }
    }

    /// Whether a file ends as it has to: one whose end was never written has the size that it should have. Objects are
    /// there whole or not at all.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn check(&self, path: &str) -> io::Result<()> {
        let Place::Folder(root) = self else { return Ok(()) };
        let mut file = File::open(below_root(root, path))?;
        file.seek(SeekFrom::End(-4))?;
        let mut end = [0_u8; 4];
        file.read_exact(&mut end)?;
        match end == *b"PAR1" {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "torn, its end is missing")),
        }
    }

    /// Puts files that lie aside, by their names, where they belong.
    pub(crate) fn place<'f>(&self, aside: &Path, paths: impl Iterator<Item = &'f str>) -> io::Result<()> {
        let mut folders = std::collections::BTreeSet::new();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or(path);
            match self {
                Place::Folder(root) => {
                    let target = below_root(root, path);
                    let Some(folder) = target.parent() else { continue };
                    fs::create_dir_all(folder)?;
                    fs::rename(aside.join(name), &target)?;
                    folders.extend([root.clone(), root.join(EVENTS), folder.to_owned()]);
                }
                Place::Bucket(bucket) => {
                    bucket.upload(&aside.join(name), path)?;
                    fs::remove_file(aside.join(name))?;
                }
            }
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Removes a file; one that is not there is none.
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        match self {
            Place::Folder(root) => gone(fs::remove_file(below_root(root, path))),
            Place::Bucket(bucket) => bucket.remove(path),
        }
    }
}

/// A folder for files that are being made, which goes with them.
#[derive(Debug)]
pub(crate) enum Aside {
    /// In the store.
    Own(PathBuf),
    Other(TempDir),
}

impl Aside {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Aside::Own(folder) => folder,
            Aside::Other(folder) => folder.path(),
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Aside::Own(folder) = self {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The path of a file of a store in a folder.
fn below_root(root: &Path, path: &str) -> PathBuf {
    path.split('/').fold(root.to_owned(), |folder, part| folder.join(part))
}

/// The files below the folder of events, in no order.
fn below(root: &Path) -> io::Result<Vec<Listed>> {
    let mut files = Vec::new();
    if !root.join(EVENTS).is_dir() {
        return Ok(files);
    }
    for entry in walkdir::WalkDir::new(root.join(EVENTS)).follow_links(true) {
        let entry = entry.map_err(io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let Ok(path) = entry.path().strip_prefix(root) else { continue };
        let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let bytes = entry.metadata().map_err(io::Error::from)?.len();
        files.push(Listed { path: parts.join("/"), bytes });
    }
    Ok(files)
}

/// Makes the names in a folder last.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder cannot be opened as a file everywhere.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// What was to be removed is gone, whoever removed it.
pub(super) fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
