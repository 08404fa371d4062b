//! One writer at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// The file that a writer holds locked; the system lets it go however the writer ends.
pub(crate) const NAME: &str = "lock";

/// A store that no one else writes to.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of a store.
    ///
    /// # Errors
    /// Someone else has it, who is named.
    pub(crate) fn take(root: &Path) -> io::Result<Self> {
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
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody is told the number of a process that is gone.
        let _ = self.file.set_len(0);
    }
}
