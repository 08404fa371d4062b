//! Detections that are named on the command line: files of queries, and the two that the binary brings along.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use spelunk_engine::Language;

use crate::bundled;
use crate::commands::inputs;
use crate::escape;
use crate::exit::{self, Failure};

/// The endings that say which language a query is written in.
const ENDINGS: &[(&str, Language)] =
    &[("spl", Language::Spl), ("cql", Language::LogScale), ("logscale", Language::LogScale)];

/// A detection.
#[derive(Debug, Clone)]
pub struct Detection {
    /// What it is called: the name of its file.
    pub name: String,
    /// Its file; none if it is bundled.
    pub path: Option<PathBuf>,
    /// What it is written in.
    pub language: Language,
    /// The query.
    pub text: String,
}

impl Detection {
    /// A detection that the binary brings along.
    pub fn bundled(name: &str) -> Option<Self> {
        let (name, language, text) = bundled::detections().into_iter().find(|(known, ..)| *known == name)?;
        Some(Self { name: name.to_owned(), path: None, language, text: text.to_owned() })
    }

    /// Both of them.
    pub fn all_bundled() -> Vec<Self> {
        bundled::detections().into_iter().filter_map(|(name, ..)| Self::bundled(name)).collect()
    }

    /// The bundled detection whose text this is, wherever it was read from.
    pub fn published(&self) -> Option<&'static str> {
        let same = |text: &str| text.trim().lines().map(str::trim_end).eq(self.text.trim().lines().map(str::trim_end));
        bundled::detections().into_iter().find(|(.., text)| same(text)).map(|(name, ..)| name)
    }

    /// Reads one from a file. Its ending says the language, else `otherwise` does.
    ///
    /// # Errors
    /// A file that cannot be read, or is not UTF-8.
    pub fn read(path: &Path, otherwise: Language) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        if !path.exists()
            && let Some(bundled) = Self::bundled(&shown)
        {
            return Ok(bundled);
        }
        let bytes = std::fs::read(path).map_err(|error| exit::at(path, &error))?;
        let text =
            String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{} is not UTF-8", escape::line(&shown))))?;
        let text = inputs::without_mark(&text).to_owned();
        let name = path.file_name().map_or(shown.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, path: Some(path.to_owned()), language: language_of(path).unwrap_or(otherwise), text })
    }

    /// The line and the column of a place in its text, from 1.
    pub fn place(&self, span: spelunk_grammar::Span) -> (usize, usize) {
        let before = self.text.get(..self.text.floor_char_boundary(span.start)).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()).saturating_add(1);
        (line, column)
    }
}

/// The language that a file's ending says.
fn language_of(path: &Path) -> Option<Language> {
    let ending = path.extension()?.to_str()?;
    ENDINGS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, language)| *language)
}

/// The words of a command line that name detections by their ending, and the other ones, which are paths.
pub fn split(words: Vec<OsString>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    words.into_iter().map(PathBuf::from).partition(|word| language_of(word).is_some())
}

/// Makes names that several detections share different: by the paths of their files, else by a number.
pub fn tell_apart(detections: &mut [Detection]) {
    for position in 0..detections.len() {
        let Some((one, others)) = detections.get_mut(..=position).and_then(<[Detection]>::split_last_mut) else {
            return;
        };
        let taken = |name: &str| others.iter().any(|other| other.name == name);
        if !taken(&one.name) {
            continue;
        }
        if let Some(path) = &one.path {
            one.name = path.display().to_string();
        }
        let base = one.name.clone();
        let mut number = 2_usize;
        while taken(&one.name) {
            one.name = format!("{base} ({number})");
            number = number.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let one = Detection { name: "a.spl".into(), path: None, language: Language::Spl, text: String::new() };
        let other = Detection { path: Some("x/a.spl".into()), ..one.clone() };
        let mut all = [one.clone(), other.clone(), other];
        tell_apart(&mut all);
        assert_eq!(all.map(|detection| detection.name), ["a.spl", "x/a.spl", "x/a.spl (2)"]);
    }

    #[test]
    fn places_count_lines_and_letters() {
        let text = "a\nä b".to_owned();
        let detection = Detection { name: "a".into(), path: None, language: Language::Spl, text };
        assert_eq!(detection.place(spelunk_grammar::Span::new(5, 6)), (2, 3));
        assert_eq!(detection.place(spelunk_grammar::Span::new(99, 100)), (2, 4));
    }

    #[test]
    fn the_published_text_is_known_wherever_it_is() {
        let mut copy = Detection::bundled("dcom.spl").unwrap();
        copy.text = copy.text.replace('\n', "\r\n");
        assert_eq!(copy.published(), Some("dcom.spl"));
        copy.text.push_str("| head 1");
        assert_eq!(copy.published(), None);
    }
}
