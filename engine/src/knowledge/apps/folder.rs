//! One app as it lies in a folder: its files, the local layer over the default one.

use std::fs;
use std::path::Path;

use super::failed;
use crate::error::Error;
use crate::knowledge::conf::Conf;
use crate::knowledge::macros;

/// The most bytes that a file of an app may have; the largest published data models have a tenth of it.
const MOST_BYTES: u64 = 64 << 20;

/// What an app says, file by file.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    pub macros: Conf,
    pub saved_searches: Conf,
    pub event_types: Conf,
    pub tags: Conf,
    pub transforms: Conf,
    pub props: Conf,
    /// The data models: where each stands, and its JSON.
    pub models: Vec<(String, String)>,
}

impl Folder {
    /// Reads the folder of an app.
    ///
    /// # Errors
    /// It does not exist, cannot be read, or holds nothing that is known of apps.
    pub fn read(path: &Path, problems: &mut Vec<String>) -> Result<Self, Error> {
        let found = fs::metadata(path).map_err(|error| failed(path, error))?;
        if !found.is_dir() {
            let reason = "an app is a folder with `default`, `local`, `macros` or `lookups` in it, or one that is packed: \
                          .tgz, .tar.gz, .spl";
            return Err(failed(path, reason));
        }
        let mut app = Self { macros: macros::of_yaml_folder(path, problems)?, ..Self::default() };
        let mut known = app.macros.stanzas().next().is_some();
        for layer in ["", "default", "local"] {
            for (name, conf) in app.files() {
                let file = path.join(layer).join(name);
                if file.is_file() {
                    known = true;
                    let text = text_of(&file)?;
                    conf.overlay(Conf::read_file(&text, &file.display().to_string(), problems));
                }
            }
            known |= app.read_models(&path.join(layer).join("data/models"), problems)?;
        }
        known |= ["lookups", "macros", "default", "local"].iter().any(|part| path.join(part).is_dir());
        match known {
            true => Ok(app),
            false => Err(failed(path, "it is no app: it has none of `default`, `local`, `macros` and `lookups`")),
        }
    }

    /// Lays another app over this one.
    pub fn overlay(&mut self, other: Folder) {
        let Folder { macros, saved_searches, event_types, tags, transforms, props, models } = other;
        self.macros.overlay(macros);
        self.saved_searches.overlay(saved_searches);
        self.event_types.overlay(event_types);
        self.tags.overlay(tags);
        self.transforms.overlay(transforms);
        self.props.overlay(props);
        self.models.extend(models);
    }

    fn files(&mut self) -> [(&'static str, &mut Conf); 6] {
        [
            ("macros.conf", &mut self.macros),
            ("savedsearches.conf", &mut self.saved_searches),
            ("eventtypes.conf", &mut self.event_types),
            ("tags.conf", &mut self.tags),
            ("transforms.conf", &mut self.transforms),
            ("props.conf", &mut self.props),
        ]
    }

    /// Reads the data models of a folder; says whether there is such a folder.
    fn read_models(&mut self, folder: &Path, problems: &mut Vec<String>) -> Result<bool, Error> {
        if !folder.is_dir() {
            return Ok(false);
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            files.push(entry.map_err(|error| failed(folder, error))?.path());
        }
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json") && file.is_file());
        files.sort();
        for file in files {
            match text_of(&file) {
                Ok(text) => self.models.push((file.display().to_string(), text)),
                Err(error) => problems.push(error.to_string()),
            }
        }
        Ok(true)
    }
}

/// The text of a file of bounded size.
fn text_of(file: &Path) -> Result<String, Error> {
    let length = fs::metadata(file).map_err(|error| failed(file, error))?.len();
    if length > MOST_BYTES {
        return Err(failed(file, format!("it has {length} bytes; the most is {MOST_BYTES}")));
    }
    let bytes = fs::read(file).map_err(|error| failed(file, error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
