//! Association rules: values that come with other values.
//!
//! Sources: R. Agrawal and R. Srikant, "Fast Algorithms for Mining Association Rules" (1994); M. J. Zaki, "Scalable
//! Algorithms for Association Mining" (2000) for finding the sets by lists of rows.

use std::collections::HashMap;

/// The most sets of items.
pub const MOST_SETS: usize = 100_000;
/// The most row numbers that are looked at.
const MOST_ROWS: u64 = 2_000_000_000;

/// There are too many frequent sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// What is given implies an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The items that are given, in order.
    pub given: Vec<u32>,
    /// The item that they imply.
    pub implied: u32,
    /// The share of the rows with what is given that have what is implied.
    pub confidence: f64,
    /// How many rows have what is given.
    pub given_support: u64,
    /// How many rows have what is implied.
    pub implied_support: u64,
}

/// The rules that hold for at least `support` rows and with at least this confidence: the surest first, then those
/// of the most rows, then in the order of their items. `rows` lists the rows of each item, in order.
///
/// # Errors
/// [`TooMany`].
pub fn rules(rows: &[Vec<u32>], support: u64, confidence: f64) -> Result<Vec<Rule>, TooMany> {
    let frequent: Vec<(u32, Vec<u32>)> = (0..)
        .zip(rows)
        .filter(|(_, rows)| rows.len() as u64 >= support)
        .map(|(item, rows)| (item, rows.clone()))
        .collect();
    let mut search = Search { support, counts: HashMap::new(), work: 0 };
    search.extend(&[], &frequent)?;
    let mut found = Vec::new();
    for (set, both) in search.counts.iter().filter(|(set, _)| set.len() > 1) {
        for implied in set {
            let given: Vec<u32> = set.iter().copied().filter(|item| item != implied).collect();
            let count = |set: &[u32]| search.counts.get(set).copied().unwrap_or(0);
            let given_support = count(&given);
            let sure = *both as f64 / (given_support as f64).max(1.0);
            if sure >= confidence {
                let implied_support = count(&[*implied]);
                found.push(Rule { given, implied: *implied, confidence: sure, given_support, implied_support });
            }
        }
    }
    found.sort_by(|a, b| {
        let order = b.confidence.total_cmp(&a.confidence).then(b.given_support.cmp(&a.given_support));
        order.then_with(|| (a.given.len(), &a.given, a.implied).cmp(&(b.given.len(), &b.given, b.implied)))
    });
    Ok(found)
}

struct Search {
    support: u64,
    /// How many rows have all items of a set.
    counts: HashMap<Vec<u32>, u64>,
    work: u64,
}

impl Search {
    /// Adds to a set each of the items, which come in order and with the rows that they share with the set.
    fn extend(&mut self, set: &[u32], items: &[(u32, Vec<u32>)]) -> Result<(), TooMany> {
        for (place, (item, rows)) in items.iter().enumerate() {
            let mut larger = set.to_vec();
            larger.push(*item);
            if self.counts.len() >= MOST_SETS {
                return Err(TooMany);
            }
            self.counts.insert(larger.clone(), rows.len() as u64);
            let mut shared = Vec::new();
            for (other, other_rows) in items.iter().skip(place.saturating_add(1)) {
                self.work = self.work.saturating_add((rows.len().saturating_add(other_rows.len())) as u64);
                if self.work > MOST_ROWS {
                    return Err(TooMany);
                }
                let both = common(rows, other_rows);
                if both.len() as u64 >= self.support {
                    shared.push((*other, both));
                }
            }
            // As deep as there are fields: a row has one value of each.
            self.extend(&larger, &shared)?;
        }
        Ok(())
    }
}

fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut other = b.iter().copied().peekable();
    a.iter()
        .copied()
        .filter(|row| {
            while other.next_if(|candidate| candidate < row).is_some() {}
            other.peek() == Some(row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bread_implies_butter() {
        // Bread in rows 0 to 3, butter in 0 to 2 and 4, jam in 0 and 1.
        let rows = [vec![0, 1, 2, 3], vec![0, 1, 2, 4], vec![0, 1]];
        let found = rules(&rows, 2, 0.7).unwrap();
        let short: Vec<(Vec<u32>, u32, f64, u64, u64)> =
            found.into_iter().map(|r| (r.given, r.implied, r.confidence, r.given_support, r.implied_support)).collect();
        assert_eq!(
            short,
            [
                (vec![2], 0, 1.0, 2, 4),
                (vec![2], 1, 1.0, 2, 4),
                (vec![0, 2], 1, 1.0, 2, 4),
                (vec![1, 2], 0, 1.0, 2, 4),
                (vec![0], 1, 0.75, 4, 4),
                (vec![1], 0, 0.75, 4, 4),
            ]
        );
        assert!(rules(&rows, 5, 0.1).unwrap().is_empty());
    }
}
