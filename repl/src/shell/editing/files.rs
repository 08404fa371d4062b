//! Names of files. A folder may be slow to read, so another thread reads it, and nobody waits long.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long a folder may take.
const PATIENCE: Duration = Duration::from_millis(200);
/// How many names of a folder are looked at.
const MOST: usize = 5_000;

/// The files and folders whose paths begin so; folders end in `/`.
pub fn beginning_with(typed: &str) -> Vec<String> {
    let (sender, receiver) = mpsc::channel();
    let typed = typed.to_owned();
    let reading = std::thread::Builder::new().name("spelunk-files".to_owned());
    if reading.spawn(move || sender.send(read(&typed))).is_err() {
        return Vec::new();
    }
    receiver.recv_timeout(PATIENCE).unwrap_or_default()
}

fn read(typed: &str) -> Vec<String> {
    let typed = typed.trim_start_matches('"');
    let (folder, begin) = match typed.rfind('/') {
        Some(at) => typed.split_at(at.saturating_add(1)),
        None => ("", typed),
    };
    let home = std::env::var("HOME").unwrap_or_default();
    let place = match folder.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None if folder.is_empty() => ".".to_owned(),
        None => folder.to_owned(),
    };
    let Ok(entries) = Path::new(&place).read_dir() else { return Vec::new() };
    let mut names: Vec<String> = entries
        .take(MOST)
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begin.starts_with('.');
            let slash = if entry.path().is_dir() { "/" } else { "" };
            (name.starts_with(begin) && !hidden).then(|| format!("{folder}{name}{slash}"))
        })
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_end_in_a_slash() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("logs.json"), "").unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        std::fs::write(folder.path().join(".hidden"), "").unwrap();
        let base = format!("{}/", folder.path().display());
        assert_eq!(beginning_with(&format!("{base}lo")), [format!("{base}logs.json"), format!("{base}logs/")]);
        assert_eq!(beginning_with(&format!("{base}.h")), [format!("{base}.hidden")]);
        assert!(beginning_with("/no/such/folder/x").is_empty());
    }
}
