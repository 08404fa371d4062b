//! `anomalies`: how unexpected a row is after those before it.
//!
//! Sources: Splunk Search Reference, "anomalies", for the formula; J. Ziv and A. Lempel, "Compression of Individual
//! Sequences via Variable-Rate Coding" (1978) for what it measures: the dictionary that the rows need.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use spelunk_grammar::spl::commands::anomalies::Anomalies;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::{Added, Annotated};
use super::frame::Frame;
use super::{PlanResult, Planner};
use crate::methods::coded;

/// The field for the score.
const SCORE: &str = "unexpectedness";

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Anomalies, span: Span) -> PlanResult<()> {
    let Anomalies { threshold, labelonly, normalize, maxvalues, field, denylist, denylistthreshold, by } = command;
    let unsupported = denylist.as_ref().map(|list| list.span).or(denylistthreshold.as_ref().map(|list| list.span));
    if let Some(place) = unsupported {
        let message = "a list of expected rows is a file on a Splunk server";
        return Err(Diagnostic::error(Code::Unsupported, message, place)
            .with_help("leave out what is expected with a search before `anomalies`")
            .into());
    }
    let (name, place) = field.as_ref().map_or(("_raw", span), |field| (field.text.as_str(), field.span));
    super::existing(frame, name, place);
    by.iter().for_each(|field| drop(super::existing(frame, &field.text, field.span)));
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let groups = groups(&rows, by.iter().map(|field| field.text.as_str()));
    let window = usize::try_from(maxvalues.unwrap_or(100)).unwrap_or(usize::MAX);
    let mut windows: HashMap<usize, Window> = HashMap::new();
    let mut scores = Vec::with_capacity(rows.rows());
    for (value, group) in rows.column(name).zip(&groups) {
        let text = coded::text(&value);
        scores.push(text.zip(*group).map(|(text, group)| {
            let words = words(&text, normalize.unwrap_or(true));
            windows.entry(group).or_default().score(words, window)
        }));
    }
    let least = threshold.unwrap_or(0.01);
    let keep: Option<Vec<bool>> = (!labelonly.unwrap_or(false))
        .then(|| scores.iter().map(|score| score.is_some_and(|score| score > least)).collect());
    rows.resume(frame, vec![Added::numbers(SCORE, scores)], keep.as_deref())
}

/// The number of each row's combination of values; `None` where one is missing.
fn groups<'f>(rows: &Annotated, by: impl Iterator<Item = &'f str>) -> Vec<Option<usize>> {
    let mut groups: Vec<Option<usize>> = vec![Some(0); rows.rows()];
    for name in by {
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
        for (group, value) in groups.iter_mut().zip(rows.column(name)) {
            *group = group.zip(coded::text(&value)).map(|key| {
                let next = known.len();
                *known.entry(key).or_insert(next)
            });
        }
    }
    groups
}

/// The distinct words of a text; with `normalize` every digit is the same.
fn words(text: &str, normalize: bool) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(|word| if normalize { word.replace(|c: char| c.is_ascii_digit(), "0") } else { word.to_owned() })
        .collect()
}

/// What a word adds to a dictionary.
fn cost(word: &str) -> usize {
    word.chars().count().saturating_add(1)
}

/// The last rows.
#[derive(Default)]
struct Window {
    rows: VecDeque<BTreeSet<String>>,
    /// In how many of them each word is.
    words: BTreeMap<String, usize>,
    /// The length of the dictionary of all their words.
    length: usize,
}

impl Window {
    /// Scores a row after these, and takes it among them: from 1, where all is new, to 0, where nothing is.
    fn score(&mut self, row: BTreeSet<String>, most: usize) -> f64 {
        let own = row.iter().fold(0, |sum: usize, word| sum.saturating_add(cost(word)));
        let new = row.iter().filter(|word| !self.words.contains_key(*word));
        let new = new.fold(0, |sum: usize, word| sum.saturating_add(cost(word)));
        let total = self.length.saturating_add(own);
        let score = if total > 0 { new as f64 / total as f64 } else { 0.0 };
        for word in &row {
            let count = self.words.entry(word.clone()).or_default();
            *count = count.saturating_add(1);
        }
        self.length = self.length.saturating_add(new);
        self.rows.push_back(row);
        if self.rows.len() > most
            && let Some(oldest) = self.rows.pop_front()
        {
            for word in oldest {
                let left = self.words.get(&word).copied().unwrap_or(0).saturating_sub(1);
                if left == 0 {
                    self.words.remove(&word);
                    self.length = self.length.saturating_sub(cost(&word));
                } else {
                    self.words.insert(word, left);
                }
            }
        }
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_leave_the_window() {
        let mut window = Window::default();
        let mut score = |text: &str| window.score(words(text, true), 2);
        assert_eq!(score("abc"), 1.0);
        assert_eq!(score("abc"), 0.0);
        // Four of the dictionary's four and its own eight.
        assert_eq!(score("abc xyz"), 4.0 / 12.0);
        assert_eq!(score("q"), 2.0 / 10.0);
        assert_eq!(score("q"), 0.0);
        // Both rows are `q` now.
        assert_eq!(score("abc"), 4.0 / 6.0);
    }

    #[test]
    fn digits_are_the_same_or_not() {
        assert_eq!(words("id=17 a", true), words("id=99 a", true));
        assert_ne!(words("id=17 a", false), words("id=99 a", false));
    }

    proptest! {
        #[test]
        fn scores_are_shares(texts in prop::collection::vec("[ab1 ]{0,8}", 1..30), most in 1_usize..5) {
            let mut window = Window::default();
            for text in texts {
                let words = words(&text, true);
                let score = window.score(words.clone(), most);
                prop_assert!((0.0..=1.0).contains(&score));
                prop_assert_eq!(window.score(words, most), 0.0);
                let length: usize = window.words.keys().map(|word| cost(word)).sum();
                prop_assert_eq!(window.length, length);
            }
        }
    }
}
