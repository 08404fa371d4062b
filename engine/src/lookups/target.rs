//! Where a search may write: files of one folder, and nothing else.

use std::path::{Component, Path, PathBuf};

/// Where a search may write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Writable {
    /// Nowhere.
    #[default]
    Refused,
    /// Somewhere, as far as a check without data can know.
    Assumed,
    /// In this folder.
    Folder(PathBuf),
}

/// The longest name of a file.
const LONGEST_NAME: usize = 200;

impl Writable {
    /// A folder that is there.
    ///
    /// # Errors
    /// It is none.
    pub fn folder(path: &Path) -> Result<Self, String> {
        let folder = path.canonicalize().map_err(|error| error.to_string())?;
        if !folder.is_dir() {
            return Err("it is no folder".to_owned());
        }
        Ok(Self::Folder(folder))
    }

    /// Refuses a folder that holds what is searched, or lies in it: what a search writes must not become evidence.
    ///
    /// # Errors
    /// The path that is in the way.
    pub fn keep_away_from<'p>(&self, inputs: impl Iterator<Item = &'p Path>) -> Result<(), PathBuf> {
        let Self::Folder(folder) = self else { return Ok(()) };
        for input in inputs {
            let Ok(path) = input.canonicalize() else { continue };
            let inside = path.is_dir() && folder.starts_with(&path);
            let beside = path.is_file() && path.parent() == Some(folder.as_path());
            if inside || beside {
                return Err(input.to_owned());
            }
        }
        Ok(())
    }
}

/// The file of that name in the folder.
///
/// # Errors
/// Why it must not be written.
pub fn path(folder: &Path, name: &str) -> Result<PathBuf, String> {
    check_name(name)?;
    let path = folder.join(name);
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_symlink() => Err("it is a symbolic link, which could lead elsewhere".into()),
        Ok(found) if !found.is_file() => Err("it is no file".into()),
        _ => Ok(path),
    }
}

/// The file of that name in the folder, if it is there.
pub fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    path(folder, name).ok().filter(|path| path.is_file())
}

/// A name is that of a file and not a way to one.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(format!("a file's name has 1 to {LONGEST_NAME} bytes"));
    }
    let mut components = Path::new(name).components();
    let single = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    let odd =
        |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if !single || name.starts_with('.') || name.contains(odd) {
        return Err(
            "a file is named without a folder, and its name may hold letters, digits, blanks, `_`, `-` and `.`".into(),
        );
    }
    Ok(())
}

/// Whether a file of that name is a table.
pub fn is_table(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".csv") || name.ends_with(".csv.gz")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for name in ["a.csv", "a b-c_1.csv.gz", "ü", "a..b"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(300);
        for name in
            ["", ".", "..", "../a", "a/b", "/a", "a\\b", "C:a", "a\0b", ".hidden", "a\nb", "a/", "./a", "a*", &long]
        {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_folder_is_none_that_is_searched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("logs/out")).unwrap();
        std::fs::create_dir(root.join("out")).unwrap();
        std::fs::write(root.join("out/a.log"), "x").unwrap();
        let away = |name: &str, input: &str| {
            let input = root.join(input);
            Writable::folder(&root.join(name)).unwrap().keep_away_from([input.as_path()].into_iter()).is_ok()
        };
        assert!(!away("logs", "logs") && !away("logs/out", "logs") && !away("out", "out/a.log"));
        assert!(away("out", "logs") && away("", "logs") && away("logs/out", "out"));
        assert!(Writable::folder(&root.join("out/a.log")).is_err() && Writable::folder(&root.join("no")).is_err());
    }
}
