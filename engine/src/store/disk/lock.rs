//! One writer at a time.
//!
//! In a folder that is a locked file, which the system lets go however its holder ends. A bucket knows no locks: there it
//! is an object that only one can make, and that stays if its holder is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use super::place::Place;
use crate::store::bucket::Bucket;

/// The file or object that a writer holds.
pub(crate) const NAME: &str = "lock";

/// A store that no one else writes to.
#[derive(Debug)]
pub(crate) enum Lock {
    File(File),
    Object(Bucket),
}

impl Lock {
    /// Takes the lock of a store.
    ///
    /// # Errors
    /// Someone else has it, who is named.
    pub(crate) fn take(place: &Place) -> io::Result<Self> {
        match place {
            Place::Folder(root) => Self::of_folder(root),
            Place::Bucket(bucket) => Self::of_bucket(bucket),
        }
    }

    fn of_bucket(bucket: &Bucket) -> io::Result<Self> {
        let holder = format!("process {} since {}", std::process::id(), jiff::Timestamp::now());
        match bucket.write(NAME, holder.into(), None) {
            Ok(_) => Ok(Self::Object(bucket.clone())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let held = bucket.read(NAME).map(|(holder, _)| String::from_utf8_lossy(&holder).into_owned());
                Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    format!(
                        "another `spelunk index` ({}) is adding to it; wait until that is done, or remove the object \
                         \"{NAME}\" if it was killed",
                        held.unwrap_or_default()
                    ),
                ))
            }
            Err(error) => Err(error),
        }
    }

    fn of_folder(root: &Path) -> io::Result<Self> {
        let path = root.join(NAME);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who it is may not be written yet.
                let _ = file.take(64).read_to_string(&mut holder);
                let who = match holder.trim() {
                    "" => String::new(),
                    process => format!(" (process {process})"),
                };
                return Err(io::Error::new(
                    io::ErrorKind::WouldBlock,
                    format!("another `spelunk index`{who} is adding to it; wait until that is done"),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Self::File(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = match self {
            // Nobody is told the number of a process that is gone.
            Self::File(file) => file.set_len(0),
            Self::Object(bucket) => bucket.remove(NAME),
        };
    }
}
