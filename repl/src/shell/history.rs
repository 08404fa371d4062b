//! Where what was typed is kept.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The history file in the user's state folder, which is made if need be. `None` where there is no such place.
pub fn file() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    let folder = strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("spelunk");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}
