//! The user's own editor, for a search that became long.

use std::io::{Read, Write};
use std::process::Command;

use spelunk_engine::Language;

use crate::commands::inputs;

/// Where neither `VISUAL` nor `EDITOR` names one.
const USUAL: &str = "vi";
/// A search is never that long, in bytes.
const LONGEST: u64 = 1 << 20;

/// Opens a text in the user's editor and gives back what became of it.
///
/// # Errors
/// Why there is nothing: no such editor, it failed, or what it wrote is no text.
pub fn edit(text: &str, language: Language) -> Result<String, String> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok());
    let named = named.filter(|named| !named.trim().is_empty()).unwrap_or_else(|| USUAL.to_owned());
    edit_with(&named, text, language)
}

fn edit_with(editor: &str, text: &str, language: Language) -> Result<String, String> {
    let ending = if language == Language::LogScale { ".cql" } else { ".spl" };
    let failed = |error: std::io::Error| format!("cannot write a file for the editor: {error}");
    let mut file = tempfile::Builder::new().prefix("spelunk-").suffix(ending).tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.flush()).map_err(failed)?;
    // It may hold options, as in `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or(USUAL);
    let status = Command::new(program).args(words).arg(file.path()).status();
    let status = status.map_err(|error| format!("cannot start {program}: {error} (VISUAL or EDITOR names another)"))?;
    if !status.success() {
        return Err(format!("{program} failed, so the search stays as it was"));
    }
    // Read anew: editors may put another file in the place of the one that they opened.
    let mut edited = Vec::new();
    let reading = std::fs::File::open(file.path()).and_then(|file| file.take(LONGEST).read_to_end(&mut edited));
    reading.map_err(|error| format!("cannot read what {program} wrote: {error}"))?;
    if edited.len() as u64 >= LONGEST {
        return Err("what the editor wrote is longer than 1 MiB".to_owned());
    }
    let edited = String::from_utf8(edited).map_err(|_| format!("what {program} wrote is not UTF-8"))?;
    Ok(inputs::without_mark(&edited).replace("\r\n", "\n").trim_end().to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_comes_back() {
        assert_eq!(edit_with("true", "a\n| b", Language::Spl).as_deref(), Ok("a\n| b"));
        assert_eq!(edit_with("sed -i s/a/c/", "a | b", Language::LogScale).as_deref(), Ok("c | b"));
    }

    #[test]
    fn an_editor_may_fail() {
        assert!(edit_with("false", "a", Language::Spl).unwrap_err().contains("stays as it was"));
        assert!(edit_with("/no/such/editor", "a", Language::Spl).unwrap_err().contains("cannot start"));
    }
}
