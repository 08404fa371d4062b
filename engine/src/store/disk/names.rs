//! The names of the files of a store and of their folders.

use sha2::{Digest as _, Sha256};

/// How files of events end.
const ENDING: &str = ".parquet";
/// The most letters of a source in the name of a folder.
const MOST_LETTERS: usize = 80;

/// The name of the file with that number in that run.
pub(super) fn file_name(generation: u64, number: u32) -> String {
    format!("{generation:06}-{number:06}{ENDING}")
}

/// The run that a file was written in, if it bears a name as [`file_name`] gives.
pub(super) fn generation_of(name: &str) -> Option<u64> {
    let (generation, number) = name.strip_suffix(ENDING)?.split_once('-')?;
    let is_number = |text: &str| text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(generation) && is_number(number)).then(|| generation.parse().ok()).flatten()
}

/// The name of the file in a path.
pub(super) fn file_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A name that every file system takes; what it leaves out is told apart by the digest at its end.
pub(super) fn folder_name(source: &str, code: &str, plain: bool) -> String {
    let mut digest = Sha256::new();
    for part in [source, "\0", code, if plain { "\0plain" } else { "" }] {
        digest.update(part.as_bytes());
    }
    let digest: String = digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let source = source.strip_prefix("XmlWinEventLog:").unwrap_or(source);
    let letters = [source, code].join(" ");
    let plain_letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    let name: String = letters.trim().chars().take(MOST_LETTERS).map(plain_letter).collect();
    [name, digest].join("-")
}
