//! Apps: folders of knowledge in Splunk's own layout, one laid over the other, with spelunk's own below all.
//!
//! Source: Splunk Admin Manual, "Configuration file precedence"; Knowledge Manager Manual, "The sequence of search-time
//! operations".

mod archive;
mod folder;
pub mod labels;
pub mod models;
mod own;
pub mod props;
pub mod stanza;
pub mod transform;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::conf::Conf;
use super::macros::Macros;
use super::saved::SavedSearches;
use crate::error::Error;
pub use archive::{Unpacked, is_archive};
use folder::Folder;
use labels::Labels;
use models::Models;
use props::Props;

/// What apps bring to searches.
#[derive(Debug)]
pub struct Apps {
    /// Their macros.
    macro_conf: Conf,
    saved_conf: Conf,
    /// Their event types and tags.
    pub labels: Labels,
    /// How fields come from events.
    pub props: Props,
    /// Their data models.
    pub models: Models,
    /// What the macros in event types and data models stand for.
    pub macros: Arc<Macros>,
    folders: Vec<PathBuf>,
    /// Where packed ones are unpacked, for as long as their lookups may be read.
    _unpacked: Vec<Unpacked>,
    /// What is wrong with them, each with its place, and how much of them concerns nothing that spelunk does.
    pub problems: Vec<String>,
    /// How many settings are about what spelunk does not do.
    pub ignored: usize,
}

impl Default for Apps {
    /// Spelunk's own.
    fn default() -> Self {
        Self::of(Vec::new(), Vec::new(), Vec::new(), Vec::new())
    }
}

impl Apps {
    /// Spelunk's own, made once.
    pub fn own() -> Arc<Self> {
        static OWN: LazyLock<Arc<Apps>> = LazyLock::new(Arc::default);
        Arc::clone(&OWN)
    }

    /// The apps in these folders and archives; what is named later counts. What is wrong inside one is told in
    /// [`Apps::problems`].
    ///
    /// # Errors
    /// A path that does not exist, that cannot be read, or that is no app.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        let (mut folders, mut unpacked) = (Vec::new(), Vec::new());
        for path in paths {
            if !(path.is_file() && is_archive(path)) {
                found.push(Folder::read(path, &mut problems)?);
                folders.push(path.clone());
                continue;
            }
            let archive = Unpacked::read(path, &mut problems)?;
            let before = found.len();
            for app in &archive.apps {
                let mut inside = Vec::new();
                match Folder::read(app, &mut inside) {
                    Ok(app) => found.push(app),
                    Err(error) => inside.push(error.to_string()),
                }
                problems.extend(inside.iter().map(|problem| archive.renamed(path, problem)));
            }
            if found.len() == before {
                return Err(failed(path, "there is no app in it"));
            }
            folders.extend(archive.apps.iter().cloned());
            unpacked.push(archive);
        }
        Ok(Self::of(found, folders, unpacked, problems))
    }

    fn of(found: Vec<Folder>, folders: Vec<PathBuf>, unpacked: Vec<Unpacked>, mut problems: Vec<String>) -> Self {
        let own = own::folder();
        let mut all = own.clone();
        let mut given = Folder::default();
        for folder in found {
            given.overlay(folder);
        }
        all.overlay(given.clone());
        let Folder { macros, saved_searches, event_types, tags, transforms: _, props: _, models } = all;
        let mut ignored = 0;
        let props = Props::of(&own, &given, &mut problems, &mut ignored);
        let macros_of = Macros::load_over(&macros, !folders.is_empty(), &[]).unwrap_or_default();
        Self {
            labels: Labels::of(&event_types, &tags, &mut problems),
            props,
            models: Models::of(models),
            macros: Arc::new(macros_of),
            macro_conf: macros,
            saved_conf: saved_searches,
            folders,
            _unpacked: unpacked,
            problems,
            ignored,
        }
    }

    /// Whether there are apps besides spelunk's own.
    pub fn given(&self) -> bool {
        !self.folders.is_empty()
    }

    /// Where lookups may be found.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Their macros, with those of further files over them.
    ///
    /// # Errors
    /// As [`Macros::load`].
    pub fn macros_with(&mut self, files: &[PathBuf]) -> Result<Arc<Macros>, Error> {
        self.macros = Arc::new(Macros::load_over(&self.macro_conf, self.given(), files)?);
        Ok(Arc::clone(&self.macros))
    }

    /// Their saved searches, with those of further files over them.
    ///
    /// # Errors
    /// As [`SavedSearches::load`].
    pub fn saved_searches_with(&self, files: &[PathBuf]) -> Result<SavedSearches, Error> {
        SavedSearches::load_over(&self.saved_conf, files)
    }
}

/// A path that cannot be used, and why.
fn failed(path: &Path, reason: impl ToString) -> Error {
    Error::Input { path: path.to_owned(), reason: reason.to_string() }
}
