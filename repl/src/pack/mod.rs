//! Packs of detections: the searches in files and folders, and what is said of them.
//!
//! `check`, `hunt`, `coverage` and `test` read the same files. [`sources`] finds the searches, [`about`] reads what
//! stands beside them (severity, techniques, tests), [`attack`] knows which tactics a technique belongs to.

pub mod about;
pub mod attack;
pub mod forms;
pub mod parallel;
pub mod sources;

use std::path::{Path, PathBuf};

use spelunk_engine::Language;
use spelunk_engine::knowledge::apps::{Unpacked, is_archive};

use crate::exit::Failure;
use crate::terminal;
use about::About;
use sources::{Item, Text};

/// A detection of a pack.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// What names it within its file.
    pub id: String,
    /// Its file.
    pub file: String,
    /// The search, or why there is none that can be run.
    pub search: Result<(Language, String), String>,
    /// What is said of it.
    pub about: About,
}

impl Rule {
    fn of(item: Item) -> Self {
        let search = match item.text {
            Text::Spl(query) => Ok((Language::Spl, query)),
            Text::LogScale(query) => Ok((Language::LogScale, query)),
            Text::OtherLanguage(language) => Err(format!("{language} is not supported")),
            Text::Unreadable(reason) => Err(reason),
        };
        let name = item.about.title.clone().unwrap_or_else(|| item.id.clone());
        Self { name, id: item.id, file: item.file, search, about: item.about }
    }
}

/// The detections of a pack, and what of it knowledge is read from too.
#[derive(Debug)]
pub struct Pack {
    /// The detections, in the order of their files.
    pub rules: Vec<Rule>,
    /// The folders that are apps or content with macros and lookups of its own.
    pub apps: Vec<PathBuf>,
    /// Where packed ones are unpacked.
    _unpacked: Vec<Unpacked>,
}

impl Pack {
    /// Reads files, folders and packed apps.
    ///
    /// # Errors
    /// A path that does not exist or cannot hold detections; no detection at all.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let (mut rules, mut apps, mut unpacked) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            if path.is_file() && is_archive(path) && is_packed(path) {
                let mut problems = Vec::new();
                let archive =
                    Unpacked::read(path, &mut problems).map_err(|error| Failure::Search(error, String::new()))?;
                problems.iter().for_each(|problem| terminal::warning(problem));
                for item in sources::read(&archive.apps)? {
                    let file = archive.renamed(path, &item.file);
                    rules.push(Rule::of(Item { file, ..item }));
                }
                apps.push(path.clone());
                unpacked.push(archive);
                continue;
            }
            rules.extend(sources::read(std::slice::from_ref(path))?.into_iter().map(Rule::of));
            if is_app(path) {
                apps.push(path.clone());
            }
        }
        if rules.is_empty() {
            return Err(Failure::Usage("no detections found".into()));
        }
        Ok(Self { rules, apps, _unpacked: unpacked })
    }
}

/// Whether a file that is called `.spl` is a packed app and no search.
fn is_packed(path: &Path) -> bool {
    use std::io::Read;
    let mut head = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && matches!(head, [0x1f, 0x8b] | [b'B', b'Z'] | [0xfd, b'7'])
        || path.extension().is_some_and(|ending| ending == "tar")
}

fn is_app(path: &Path) -> bool {
    path.is_dir() && ["default", "local", "macros", "lookups"].iter().any(|part| path.join(part).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_brings_its_own_macros() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("macros")).unwrap();
        std::fs::create_dir_all(root.join("detections/endpoint")).unwrap();
        std::fs::write(root.join("macros/m.yml"), "name: m\ndefinition: a=1\n").unwrap();
        std::fs::write(
            root.join("detections/endpoint/a.yml"),
            "name: A rule\nid: 1\nsearch: '`m`'\ntags:\n  risk_score: 72\n  mitre_attack_id: [T1059.001]\n",
        )
        .unwrap();
        let pack = Pack::read(&[root.to_owned()]).unwrap();
        assert_eq!(pack.apps, [root]);
        let [rule] = pack.rules.as_slice() else { panic!("{:?}", pack.rules) };
        assert_eq!((rule.name.as_str(), rule.id.as_str()), ("A rule", "1"));
        assert_eq!(rule.search, Ok((Language::Spl, "`m`".to_owned())));
        assert_eq!(rule.about.severity, Some(about::Severity::High));
        assert_eq!(rule.about.techniques, ["T1059.001"]);
        assert!(Pack::read(&[root.join("macros")]).is_err());
    }
}
