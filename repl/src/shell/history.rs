//! Where what was typed is kept.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use rustyline::history::{FileHistory, History};

use crate::terminal;

/// The history file of the user. Each session appends to it, so that several can be open at once.
pub struct Kept {
    file: Option<PathBuf>,
}

/// The history file in the user's state folder, which is made if need be; else why there is no such place.
fn file() -> Result<PathBuf, String> {
    let strategy = etcetera::choose_base_strategy().map_err(|error| error.to_string())?;
    let folder = strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("spelunk");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder.join("history"))
}

impl Kept {
    /// Reads what was typed before. A file that is damaged is put aside, because nothing could be appended to it.
    pub fn load(history: &mut FileHistory) -> Self {
        let file = file();
        if let Err(reason) = &file {
            terminal::warning(&format!("what is typed cannot be kept: {reason}"));
        }
        let file = file.ok();
        if let Some(file) = file.as_deref().filter(|file| file.exists())
            && let Err(error) = history.load(file)
        {
            let shown = file.display();
            match put_aside(file) {
                Some(aside) => {
                    terminal::warning(&format!("{shown} is damaged and now called {}: {error}", aside.display()))
                }
                None => terminal::warning(&format!("cannot read the history in {shown}: {error}")),
            }
        }
        Self { file }
    }

    /// Appends what was added last. What cannot be kept is told once.
    pub fn append(&mut self, history: &mut FileHistory) {
        let Some(file) = self.file.take() else { return };
        match history.append(&file) {
            Ok(()) => self.file = Some(file),
            Err(error) => {
                terminal::warning(&format!("what is typed cannot be kept in {}: {error}", file.display()));
            }
        }
    }
}

fn put_aside(file: &Path) -> Option<PathBuf> {
    let aside = file.with_extension("damaged");
    let is_file = file.is_file();
    (is_file && std::fs::rename(file, &aside).is_ok()).then_some(aside)
}
