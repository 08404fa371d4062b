//! Regular expressions from examples.
//!
//! Source: after N. Kushmerick, "Wrapper induction: Efficiency and expressiveness" (2000): the texts around the
//! examples delimit them. Patterns are tried from the most general one on.

use std::fmt::Write;

use regex::Regex;

/// A text to learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trainer<'t> {
    /// The text.
    pub text: &'t str,
    /// The example in it; `None` where it holds a counterexample only.
    pub example: Option<&'t str>,
}

/// How many words around an example are looked at, at most.
const MOST_WORDS: usize = 4;

/// The first pattern, its group named so, whose first match in every text with an example is one of the examples, and
/// that never matches a counterexample first.
pub fn learn(trainers: &[Trainer<'_>], examples: &[String], counterexamples: &[String], group: &str) -> Option<String> {
    let around: Vec<(&str, &str)> = trainers
        .iter()
        .filter_map(|trainer| {
            let example = trainer.example?;
            let start = place(trainer.text, example)?;
            let end = start.checked_add(example.len())?;
            Some((trainer.text.get(..start)?, trainer.text.get(end..)?))
        })
        .collect();
    let before: Vec<String> = (1..=MOST_WORDS).filter_map(|words| left(&around, words)).collect();
    let after: Vec<String> = (1..=MOST_WORDS).filter_map(|words| right(&around, words)).collect();
    let mut contexts = vec![(String::new(), String::new())];
    contexts.extend(before.iter().map(|before| (before.clone(), String::new())));
    contexts.extend(after.iter().map(|after| (String::new(), after.clone())));
    contexts.extend(before.iter().flat_map(|before| after.iter().map(|after| (before.clone(), after.clone()))));
    for (before, after) in contexts {
        for lengths in [false, true] {
            let value = value(examples, lengths);
            let edge = |context: &str, at_edge: Option<char>| {
                let word = at_edge.is_some_and(|c| c.is_alphanumeric() || c == '_');
                if context.is_empty() && word { "\\b" } else { "" }
            };
            let start = edge(&before, examples.first().and_then(|example| example.chars().next()));
            let end = edge(&after, examples.first().and_then(|example| example.chars().next_back()));
            let pattern = format!("{before}{start}(?<{group}>{value}){end}{after}");
            let Ok(regex) = Regex::new(&pattern) else { continue };
            let first = |text: &str| {
                let captures = regex.captures(text)?;
                captures.get(1).map(|found| found.as_str().to_owned())
            };
            let fits = trainers.iter().all(|trainer| {
                let found = first(trainer.text);
                let wrong = found.as_ref().is_some_and(|found| counterexamples.contains(found));
                let right = trainer.example.is_none() || found.is_some_and(|found| examples.contains(&found));
                right && !wrong
            });
            if fits {
                return Some(pattern);
            }
        }
    }
    None
}

/// Where an example stands: rather between than inside words.
pub fn place(text: &str, example: &str) -> Option<usize> {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole = text.match_indices(example).find(|(start, found)| {
        let before = text.get(..*start).and_then(|before| before.chars().next_back());
        let after = start.checked_add(found.len()).and_then(|end| text.get(end..)?.chars().next());
        let inside = word(before) && word(found.chars().next()) || word(after) && word(found.chars().next_back());
        !inside
    });
    whole.map(|(start, _)| start).or_else(|| text.find(example))
}

/// A run of characters of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Digits,
    Letters,
    Blanks,
    Other(char),
}

fn kind(c: char) -> Kind {
    match c {
        _ if c.is_ascii_digit() => Kind::Digits,
        _ if c.is_alphabetic() => Kind::Letters,
        _ if c.is_whitespace() => Kind::Blanks,
        _ => Kind::Other(c),
    }
}

impl Kind {
    fn pattern(self) -> String {
        match self {
            Kind::Digits => "\\d".to_owned(),
            Kind::Letters => "\\p{L}".to_owned(),
            Kind::Blanks => "\\s".to_owned(),
            Kind::Other(c) => regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
}

fn runs(text: &str) -> Vec<(Kind, usize)> {
    let mut runs: Vec<(Kind, usize)> = Vec::new();
    for c in text.chars() {
        match runs.last_mut() {
            Some((last, length)) if *last == kind(c) => *length = length.saturating_add(1),
            _ => runs.push((kind(c), 1)),
        }
    }
    runs
}

/// What the examples have in common: the same runs, or else the same characters.
fn value(examples: &[String], lengths: bool) -> String {
    let all: Vec<Vec<(Kind, usize)>> = examples.iter().map(|example| runs(example)).collect();
    let kinds = |runs: &[(Kind, usize)]| runs.iter().map(|(kind, _)| *kind).collect::<Vec<Kind>>();
    let first = all.first().map(Vec::as_slice).unwrap_or_default();
    if all.iter().all(|runs| kinds(runs) == kinds(first)) {
        let mut pattern = String::new();
        for (place, (kind, _)) in first.iter().enumerate() {
            let of_place = || all.iter().filter_map(|runs| runs.get(place)).map(|(_, length)| *length);
            let (least, most) = (of_place().min().unwrap_or(1), of_place().max().unwrap_or(1));
            pattern.push_str(&kind.pattern());
            match kind {
                Kind::Other(_) if most == 1 => {}
                _ => quantify(&mut pattern, least, most, lengths),
            }
        }
        return pattern;
    }
    let mut members: Vec<String> = Vec::new();
    for (kind, _) in all.iter().flatten() {
        let member = match kind {
            Kind::Other(c @ ('-' | '^' | ']' | '[' | '\\' | '&' | '~')) => format!("\\{c}"),
            Kind::Other(c) => c.to_string(),
            other => other.pattern(),
        };
        if !members.contains(&member) {
            members.push(member);
        }
    }
    let length = |example: &String| example.chars().count();
    let (least, most) =
        (examples.iter().map(length).min().unwrap_or(1), examples.iter().map(length).max().unwrap_or(1));
    let mut pattern = format!("[{}]", members.concat());
    quantify(&mut pattern, least, most, lengths);
    pattern
}

fn quantify(pattern: &mut String, least: usize, most: usize, lengths: bool) {
    let written = match lengths {
        false => write!(pattern, "+"),
        true if least == most => write!(pattern, "{{{least}}}"),
        true => write!(pattern, "{{{least},{most}}}"),
    };
    debug_assert!(written.is_ok());
}

/// The last words that stand before all examples.
fn left(around: &[(&str, &str)], words: usize) -> Option<String> {
    let texts: Vec<Vec<char>> = around.iter().map(|(before, _)| before.chars().rev().collect()).collect();
    let mut shared = shared(&texts, words)?;
    shared.reverse();
    Some(literal(&shared))
}

/// The first words that stand behind all examples.
fn right(around: &[(&str, &str)], words: usize) -> Option<String> {
    let texts: Vec<Vec<char>> = around.iter().map(|(_, after)| after.chars().collect()).collect();
    Some(literal(&shared(&texts, words)?))
}

/// So many words, with what is between them, that all texts start with; `None` if they start with fewer.
fn shared(texts: &[Vec<char>], words: usize) -> Option<Vec<char>> {
    let first = texts.first()?;
    let mut found = Vec::new();
    let mut seen = 0_usize;
    for (place, c) in first.iter().enumerate() {
        let here = kind(*c);
        let same = texts.iter().all(|text| match (here, text.get(place)) {
            (Kind::Other(_) | Kind::Letters, other) => other == Some(c),
            (here, other) => other.is_some_and(|other| kind(*other) == here),
        });
        if !same {
            break;
        }
        let word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        let ends = word(Some(c)) && !word(first.get(place.saturating_add(1)));
        found.push(*c);
        if ends {
            seen = seen.saturating_add(1);
        }
        if seen >= words {
            return Some(found);
        }
    }
    // What delimits may be no word at all.
    (words == 1 && !found.is_empty()).then_some(found)
}

/// The pattern for these very characters, except that any digits and blanks will do.
fn literal(characters: &[char]) -> String {
    characters
        .iter()
        .map(|c| match kind(*c) {
            Kind::Letters => c.to_string(),
            other => other.pattern(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(texts: &[(&str, Option<&str>)], examples: &[&str], counterexamples: &[&str]) -> Option<String> {
        let trainers: Vec<Trainer<'_>> =
            texts.iter().map(|(text, example)| Trainer { text, example: *example }).collect();
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
        learn(&trainers, &owned(examples), &owned(counterexamples), "x")
    }

    #[test]
    fn the_kind_of_characters_is_enough_where_nothing_else_has_it() {
        let texts = [("on 7/01 at noon", Some("7/01"))];
        assert_eq!(learned(&texts, &["7/01"], &[]).as_deref(), Some("\\b(?<x>\\d+/\\d+)\\b"));
    }

    #[test]
    fn a_counterexample_fixes_the_lengths() {
        let texts = [("on 7/01 at noon", Some("7/01")), ("on 07/02", Some("07/02")), ("size 99/2", None)];
        let pattern = learned(&texts, &["7/01", "07/02"], &["99/2"]);
        assert_eq!(pattern.as_deref(), Some("\\b(?<x>\\d{1,2}/\\d{2})\\b"));
    }

    #[test]
    fn the_text_before_tells_what_is_meant() {
        let texts = [
            ("10:01 failed for root from 10.0.0.1 port 3351 ssh2", Some("3351")),
            ("10:02 failed for eve from 10.0.0.7 port 3768 ssh2", Some("3768")),
        ];
        // Four digits are nowhere else.
        assert_eq!(learned(&texts, &["3351", "3768"], &[]).as_deref(), Some("\\b(?<x>\\d{4})\\b"));
        let texts = [("2020 port 3351", Some("3351")), ("2021 port 3768", Some("3768"))];
        assert_eq!(learned(&texts, &["3351", "3768"], &[]).as_deref(), Some("port\\s(?<x>\\d+)\\b"));
    }

    #[test]
    fn what_nothing_tells_apart_is_not_learned() {
        assert_eq!(learned(&[("1 2", Some("2")), ("2 1", Some("2"))], &["2"], &["1"]), None);
    }
}
