//! Where the attack data of a test is: beside the detection, in the current folder, or below a folder of local copies.
//! Nothing is fetched.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// What a file begins with that stands for another one in Git.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The file that a test names.
///
/// # Errors
/// Why it is not there.
pub fn locate(named: &str, detection: &Path, copies: Option<&Path>) -> Result<PathBuf, String> {
    let found = match address(named) {
        Some(path) => {
            let Some(copies) = copies else {
                return Err(format!("{named} is not fetched: name local copies with --attack-data"));
            };
            below(copies, &path).ok_or_else(|| format!("no copy of {named} below {}", copies.display()))?
        }
        None => {
            let path = Path::new(named);
            let beside = detection.parent().unwrap_or(Path::new("")).join(path);
            let candidates = [Some(beside), Some(path.to_owned()), copies.and_then(|copies| below(copies, named))];
            let found = candidates.into_iter().flatten().find(|path| path.is_file());
            found.ok_or_else(|| format!("there is no file {named}"))?
        }
    };
    if is_pointer(&found) {
        return Err(format!("{} is a pointer of Git LFS, not the data: `git lfs pull` gets it", found.display()));
    }
    Ok(found)
}

/// The path of an address; `None` for a path of the file system.
fn address(named: &str) -> Option<String> {
    let (scheme, rest) = named.split_once("://")?;
    if !scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return None;
    }
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(percent_decode_str(path).decode_utf8_lossy().into_owned())
}

/// The file below a folder whose path is the end of this one, the longest end first.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // No part leads out of the folder.
    let plain =
        |part: &&str| matches!(Path::new(part).components().next(), Some(Component::Normal(name)) if name == *part);
    if !parts.iter().all(plain) {
        return None;
    }
    (0..parts.len()).find_map(|start| {
        let file = parts.get(start..)?.iter().fold(folder.to_owned(), |path, part| path.join(part));
        file.is_file().then_some(file)
    })
}

fn is_pointer(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(POINTER.len() as u64).read_to_end(&mut head));
    read.is_ok() && head == POINTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_copies() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("datasets/T1")).unwrap();
        std::fs::write(root.join("datasets/T1/a b.log"), "x").unwrap();
        std::fs::write(root.join("datasets/T1/pointer.log"), "version https://git-lfs.github.com/spec/v1\n").unwrap();
        let detection = root.join("rule.yml");
        let found = |named: &str| locate(named, &detection, Some(root));
        let url = "https://example.org/media/master/datasets/T1/a%20b.log?raw=1";
        assert_eq!(found(url), Ok(root.join("datasets/T1/a b.log")));
        assert_eq!(found("datasets/T1/a b.log"), Ok(root.join("datasets/T1/a b.log")));
        assert!(found("https://example.org/x/pointer.log").is_err());
        assert!(found("https://example.org/datasets/T1/pointer.log").unwrap_err().contains("Git LFS"));
        assert!(found("https://example.org/../../etc/passwd").is_err());
        assert!(locate(url, &detection, None).unwrap_err().contains("is not fetched"));
    }
}
