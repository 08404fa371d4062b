//! Groups of similar texts.
//!
//! Sources: J. A. Hartigan, "Clustering Algorithms" (1975), chapter 3, the leader algorithm; G. Salton and
//! M. J. McGill, "Introduction to Modern Information Retrieval" (1983), the cosine; R. J. Bayardo, Y. Ma and
//! R. Srikant, "Scaling Up All Pairs Similarity Search" (2007), and C. Xiao, W. Wang, X. Lin and J. X. Yu, "Efficient
//! Similarity Joins for Near Duplicate Detection" (2008), finding candidates by their rare features and where these
//! stand.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What of a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Words and their places.
    PlacedWord,
    /// Words.
    Word,
    /// Three characters in a row.
    Trigram,
}

/// The most features of all texts together.
const MOST_FEATURES: usize = 100_000_000;
/// The most features and candidates that are looked at while texts are compared.
const MOST_WORK: u64 = 2_000_000_000;

/// The texts have too much in common, or too many features, for the groups to be found in reasonable time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuch;

/// The group of each text: the first text of a group is its leader, and the others are at least as similar to it
/// as the threshold. Groups are numbered from 0 in the order of their leaders.
///
/// # Errors
/// [`TooMuch`].
pub fn groups(
    texts: &[&str],
    feature: Feature,
    delimiters: Option<&str>,
    threshold: f64,
) -> Result<Vec<usize>, TooMuch> {
    let sets = sets(texts, feature, delimiters)?;
    let mut leaders: Vec<&[u32]> = Vec::new();
    // For each feature, and each size of a leader, the groups whose leader has it among its rarest ones, and where.
    let mut postings: HashMap<u32, BTreeMap<usize, Vec<(usize, usize)>>> = HashMap::new();
    let mut looked_at: Vec<usize> = Vec::new();
    let mut empty: Option<usize> = None;
    let mut work: u64 = 0;
    let mut found = Vec::with_capacity(sets.len());
    for (text, set) in sets.iter().enumerate() {
        if let (true, Some(group)) = (set.is_empty(), empty) {
            found.push(group);
            continue;
        }
        let rare = rarest(set, threshold);
        let this = text.saturating_add(1);
        let mut best: Option<(f64, usize)> = None;
        for (place, buckets) in
            rare.iter().enumerate().filter_map(|(place, feature)| Some((place, postings.get(feature)?)))
        {
            for (size, entries) in buckets {
                // The first feature in common stands here, so no more than the rest can be shared.
                let needed = least_common(set.len(), *size, threshold);
                if set.len().saturating_sub(place) < needed {
                    continue;
                }
                for (leader_place, group) in entries {
                    work = work.saturating_add(1);
                    match looked_at.get_mut(*group) {
                        Some(last) if *last != this => *last = this,
                        _ => continue,
                    }
                    let Some(leader) = leaders.get(*group).filter(|_| size.saturating_sub(*leader_place) >= needed)
                    else {
                        continue;
                    };
                    work = work.saturating_add(set.len().saturating_add(*size) as u64);
                    let similarity = cosine(set, leader);
                    let better =
                        best.is_none_or(|(most, first)| similarity > most || (similarity == most && *group < first));
                    if similarity >= threshold - 1e-12 && better {
                        best = Some((similarity, *group));
                    }
                }
                if work > MOST_WORK {
                    return Err(TooMuch);
                }
            }
        }
        found.push(match best {
            Some((_, group)) => group,
            None => {
                let group = leaders.len();
                leaders.push(set);
                looked_at.push(0);
                for (place, feature) in rare.iter().enumerate() {
                    postings.entry(*feature).or_default().entry(set.len()).or_default().push((place, group));
                }
                if set.is_empty() {
                    empty = Some(group);
                }
                group
            }
        });
    }
    Ok(found)
}

/// The features of each text as numbers, from rare to frequent ones.
fn sets(texts: &[&str], feature: Feature, delimiters: Option<&str>) -> Result<Vec<Vec<u32>>, TooMuch> {
    let mut known: HashMap<(usize, String), u32> = HashMap::new();
    let mut counts: Vec<u32> = Vec::new();
    let mut total: usize = 0;
    let mut sets = Vec::with_capacity(texts.len());
    for text in texts {
        let mut set = BTreeSet::new();
        for feature in features(text, feature, delimiters) {
            let next = u32::try_from(counts.len()).map_err(|_| TooMuch)?;
            let code = *known.entry(feature).or_insert(next);
            if code == next {
                counts.push(0);
            }
            if let (true, Some(count)) = (set.insert(code), counts.get_mut(code as usize)) {
                *count = count.saturating_add(1);
            }
        }
        total = total.saturating_add(set.len());
        if total > MOST_FEATURES {
            return Err(TooMuch);
        }
        sets.push(set.into_iter().collect::<Vec<u32>>());
    }
    let mut order: Vec<(u32, u32)> = (0..).zip(&counts).map(|(code, count)| (*count, code)).collect();
    order.sort_unstable();
    let mut ranks = vec![0_u32; counts.len()];
    for (rank, (_, code)) in (0..).zip(&order) {
        if let Some(place) = ranks.get_mut(*code as usize) {
            *place = rank;
        }
    }
    for set in &mut sets {
        for code in set.iter_mut() {
            *code = ranks.get(*code as usize).copied().unwrap_or(*code);
        }
        set.sort_unstable();
    }
    Ok(sets)
}

fn features(text: &str, feature: Feature, delimiters: Option<&str>) -> Vec<(usize, String)> {
    let words = || {
        let between = move |c: char| match delimiters {
            Some(delimiters) => delimiters.contains(c),
            None => !(c.is_ascii_alphanumeric() || c == '_'),
        };
        text.split(between).filter(|word| !word.is_empty())
    };
    match feature {
        Feature::PlacedWord => words().enumerate().map(|(place, word)| (place, word.to_owned())).collect(),
        Feature::Word => words().map(|word| (0, word.to_owned())).collect(),
        Feature::Trigram => {
            let characters: Vec<char> = text.chars().collect();
            match characters.len() {
                0 => Vec::new(),
                // Less than three characters stand for themselves.
                1 | 2 => vec![(0, text.to_owned())],
                _ => characters.windows(3).map(|window| (0, window.iter().collect())).collect(),
            }
        }
    }
}

/// So many of a set's rarest features that any set similar enough has one of them among its own.
fn rarest(set: &[u32], threshold: f64) -> &[u32] {
    // Similar sets have at least the square of the threshold of either in common.
    let common = (threshold * threshold * set.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    set.get(..set.len().saturating_sub(common).saturating_add(1)).unwrap_or(set)
}

/// How many features similar sets of these sizes have in common at least.
fn least_common(one: usize, other: usize, threshold: f64) -> usize {
    (threshold * (one as f64 * other as f64).sqrt() - 1e-9).ceil().max(1.0) as usize
}

/// How many features two sets have in common, by the geometric mean of their sizes.
fn cosine(a: &[u32], b: &[u32]) -> f64 {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let mut common = 0.0;
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        match one.cmp(other) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                common += 1.0;
                left.next();
                right.next();
            }
        }
    }
    let sizes = (a.len() as f64 * b.len() as f64).sqrt();
    if sizes > 0.0 { common / sizes } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: [&str; 5] =
        ["user alice logged in", "disk full", "user bob logged in", "in logged user alice", "disk full"];

    #[test]
    fn places_count_or_do_not() {
        assert_eq!(groups(&LOG, Feature::PlacedWord, None, 0.7), Ok(vec![0, 1, 0, 2, 1]));
        assert_eq!(groups(&LOG, Feature::Word, None, 0.7), Ok(vec![0, 1, 0, 0, 1]));
        assert_eq!(groups(&LOG, Feature::PlacedWord, None, 0.8), Ok(vec![0, 1, 2, 3, 1]));
    }

    #[test]
    fn characters_in_a_row() {
        let texts = ["abcdefgh", "abcdefgx", "zzz", "zz", "", "", "zz"];
        // Five of six runs: 5/6 = 0.83.
        assert_eq!(groups(&texts, Feature::Trigram, None, 0.8), Ok(vec![0, 0, 1, 2, 3, 3, 2]));
        assert_eq!(groups(&texts, Feature::Trigram, None, 0.9), Ok(vec![0, 1, 2, 3, 4, 4, 3]));
    }

    #[test]
    fn delimiters_are_chosen() {
        assert_eq!(groups(&["a-b", "a b"], Feature::Word, None, 0.9), Ok(vec![0, 0]));
        assert_eq!(groups(&["a-b", "a b"], Feature::Word, Some(" "), 0.9), Ok(vec![0, 1]));
    }

    /// The leader algorithm, every leader looked at.
    fn slowly(sets: &[Vec<u32>], threshold: f64) -> Vec<usize> {
        let mut leaders: Vec<&Vec<u32>> = Vec::new();
        let mut found = Vec::new();
        for set in sets {
            let mut best: Option<(f64, usize)> = None;
            for (group, leader) in leaders.iter().enumerate() {
                let similarity = if set.is_empty() && leader.is_empty() { 1.0 } else { cosine(set, leader) };
                if similarity >= threshold - 1e-12 && best.is_none_or(|(most, _)| similarity > most) {
                    best = Some((similarity, group));
                }
            }
            found.push(best.map_or_else(
                || {
                    leaders.push(set);
                    leaders.len() - 1
                },
                |(_, group)| group,
            ));
        }
        found
    }

    proptest! {
        #[test]
        fn no_candidate_is_missed(texts in prop::collection::vec("[abc ]{0,12}", 0..40), threshold in 0.05_f64..0.99) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            for feature in [Feature::PlacedWord, Feature::Word, Feature::Trigram] {
                let expected = slowly(&sets(&texts, feature, None).unwrap(), threshold);
                prop_assert_eq!(groups(&texts, feature, None, threshold), Ok(expected));
            }
        }
    }
}
