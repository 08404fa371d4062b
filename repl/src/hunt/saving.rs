//! The rows of hits, a file a detection.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use jiff::tz::TimeZone;

use crate::escape;
use crate::exit::{self, Failure};
use crate::pack::Rule;
use crate::render::json::{Json, Layout};
use crate::render::{Renderer, Rows};

/// The longest name of a file, without its ending and number.
const LONGEST_NAME: usize = 120;

/// The folder that rows are saved to.
#[derive(Debug)]
pub struct Saving {
    folder: PathBuf,
    names: Mutex<BTreeSet<String>>,
}

/// A file that is being written.
pub struct Kept {
    /// Takes the rows.
    pub rows: Box<dyn Renderer + Send>,
    path: PathBuf,
}

impl Saving {
    /// A folder that is empty or not there yet, and none that is searched.
    ///
    /// # Errors
    /// It cannot be made, holds something, or lies among what is searched.
    pub fn new(folder: &Path, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let shown = escape::line(&folder.display().to_string()).into_owned();
        // Asked before the folder is made: even an empty one does not belong among evidence.
        if let Some(path) = among(folder, inputs) {
            let path = escape::line(&path.display().to_string()).into_owned();
            return Err(Failure::Usage(format!("--save {shown}: {path} is searched, so nothing may be written there")));
        }
        std::fs::create_dir_all(folder).map_err(|error| exit::at(folder, &error))?;
        let mut entries = std::fs::read_dir(folder).map_err(|error| exit::at(folder, &error))?;
        if entries.next().is_some() {
            let message = format!("--save {shown}: it is not empty, and results are not written over");
            return Err(Failure::Usage(message));
        }
        Ok(Self { folder: folder.to_owned(), names: Mutex::default() })
    }

    /// Begins the file of a detection.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(&self, rule: &Rule, schema: &SchemaRef, zone: TimeZone) -> Result<Kept, Failure> {
        let path = self.folder.join(self.name(&rule.name));
        let file = File::create_new(&path).map_err(|error| exit::at(&path, &error))?;
        let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let out = BufWriter::with_capacity(64 << 10, file);
        let rows = Box::new(Rows::new(Json::new(out, &columns, Layout::Lines), zone));
        Ok(Kept { rows, path })
    }

    /// A name that leads nowhere else and that no other detection has.
    fn name(&self, title: &str) -> String {
        let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
        let base: String = title.chars().take(LONGEST_NAME).map(plain).collect();
        let base = base.trim_matches('_').to_lowercase();
        let base = if base.is_empty() { "detection".to_owned() } else { base };
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = base.clone();
        let mut number = 2_usize;
        while !names.insert(name.clone()) {
            name = format!("{base}_{number}");
            number = number.saturating_add(1);
        }
        format!("{name}.jsonl")
    }
}

impl Kept {
    /// Finishes the file and names it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn finish(self) -> Result<String, Failure> {
        self.rows.finish()?;
        Ok(self.path.display().to_string())
    }
}

/// The input that a folder would lie in, or beside.
fn among(folder: &Path, inputs: &[PathBuf]) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    // Of a folder that is not there yet, the next one above it that is.
    let real = folder.ancestors().find_map(|above| {
        let rest = folder.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(rest))
    })?;
    let inside = |input: &&PathBuf| {
        let Ok(input) = input.canonicalize() else { return false };
        (input.is_dir() && real.starts_with(&input)) || (input.is_file() && input.parent() == Some(real.as_path()))
    };
    inputs.iter().find(inside).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let saving = Saving::new(&folder.path().join("new"), &[]).unwrap();
        assert_eq!(saving.name("7zip CommandLine To SMB"), "7zip_commandline_to_smb.jsonl");
        assert_eq!(saving.name("7zip CommandLine To SMB"), "7zip_commandline_to_smb_2.jsonl");
        assert_eq!(saving.name("../../etc/passwd"), "etc_passwd.jsonl");
        assert_eq!(saving.name("\u{202e}\0"), "detection.jsonl");
        assert!(saving.name(&"x".repeat(500)).len() < 140);
        std::fs::write(folder.path().join("evidence.log"), "x").unwrap();
        assert!(Saving::new(folder.path(), &[]).is_err());
        let inside = folder.path().join("inside");
        assert!(Saving::new(&inside, &[folder.path().to_owned()]).is_err() && !inside.exists());
    }
}
