//! Columns of a table whose cells are patterns: wildcards and blocks of addresses. Each is indexed once, so that a
//! value is compared with the few cells that can fit and not with all of them.

use std::collections::HashMap;
use std::net::IpAddr;

use aho_corasick::{AhoCorasick, MatchKind};
use ipnet::IpNet;

/// A pattern with `*` for any text; all else stands for itself.
#[derive(Debug, Clone)]
pub struct Glob {
    /// What stands between the stars.
    pieces: Vec<Box<str>>,
}

impl Glob {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Self {
        Self { pieces: pattern.split('*').map(Into::into).collect() }
    }

    /// Whether it covers the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let (first, middle, last) = match self.pieces.as_slice() {
            [] => return false,
            [only] => return **only == *text,
            [first, middle @ .., last] => (first, middle, last),
        };
        let inner = text.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
        let Some(mut rest) = inner else { return false };
        for piece in middle {
            match rest.find(&**piece).and_then(|at| rest.get(at.saturating_add(piece.len())..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// The text, where there is no star.
    fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The longest piece that a covered text has to hold.
    fn longest(&self) -> &str {
        self.pieces.iter().max_by_key(|piece| piece.len()).map_or("", |piece| piece)
    }
}

/// The wildcards of a column.
#[derive(Debug)]
pub struct Wildcards {
    cells: Vec<Option<Glob>>,
    literals: HashMap<Box<str>, Vec<u32>>,
    /// Finds the longest pieces, and the row of each.
    pieces: Option<(AhoCorasick, Vec<u32>)>,
    /// The rows whose patterns hold no text at all.
    always: Vec<u32>,
}

impl Wildcards {
    /// Indexes the cells of a column.
    pub fn new(cells: Vec<Option<Glob>>) -> Self {
        let mut literals: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        let (mut always, mut pieces, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (row, glob) in cells.iter().enumerate().filter_map(|(row, glob)| Some((row as u32, glob.as_ref()?))) {
            match (glob.literal(), glob.longest()) {
                (Some(text), _) => literals.entry(text.into()).or_default().push(row),
                (None, "") => always.push(row),
                (None, piece) => {
                    pieces.push(piece);
                    rows.push(row);
                }
            }
        }
        let automaton = match pieces.is_empty() {
            true => None,
            false => AhoCorasick::builder().match_kind(MatchKind::Standard).build(&pieces).ok(),
        };
        if automaton.is_none() {
            // Too much for an automaton: every row is a candidate.
            always.extend(rows.iter().copied());
        }
        Self { literals, pieces: automaton.map(|automaton| (automaton, rows)), always, cells }
    }

    /// Whether the cell in a row covers the text.
    pub fn matches(&self, row: u32, text: &str) -> bool {
        self.cells.get(row as usize).and_then(Option::as_ref).is_some_and(|glob| glob.matches(text))
    }

    /// The rows whose cells cover the text.
    pub fn find(&self, text: &str) -> Vec<u32> {
        let mut rows = self.always.clone();
        if let Some((automaton, owners)) = &self.pieces {
            let found = automaton.find_overlapping_iter(text);
            rows.extend(found.filter_map(|piece| owners.get(piece.pattern().as_usize()).copied()));
        }
        rows.sort_unstable();
        rows.dedup();
        rows.retain(|row| self.matches(*row, text));
        if let Some(same) = self.literals.get(text) {
            rows.extend(same);
            rows.sort_unstable();
        }
        rows
    }
}

/// What a cell of a column of address blocks holds.
#[derive(Debug, Clone)]
enum Cell {
    Block(IpNet),
    /// No block and no address: it fits the same text only.
    Other(Box<str>),
}

/// The address blocks of a column.
#[derive(Debug)]
pub struct Blocks {
    cells: Vec<Option<Cell>>,
    /// By version and length of the prefix: the rows of each network.
    networks: Vec<(bool, u8, HashMap<IpAddr, Vec<u32>>)>,
    others: HashMap<Box<str>, Vec<u32>>,
}

impl Blocks {
    /// Indexes the cells of a column.
    pub fn new<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> Self {
        let mut blocks = Self { cells: Vec::new(), networks: Vec::new(), others: HashMap::new() };
        for (row, text) in texts.enumerate() {
            let cell = text.map(|text| match block(text.trim()) {
                Some(net) => Cell::Block(net),
                None => Cell::Other(text.into()),
            });
            match &cell {
                Some(Cell::Block(net)) => {
                    let (six, length) = (matches!(net, IpNet::V6(_)), net.prefix_len());
                    let known = blocks.networks.iter_mut().find(|(v6, known, _)| (*v6, *known) == (six, length));
                    match known {
                        Some((.., networks)) => networks.entry(net.network()).or_default().push(row as u32),
                        None => {
                            let first = HashMap::from([(net.network(), vec![row as u32])]);
                            blocks.networks.push((six, length, first));
                        }
                    }
                }
                Some(Cell::Other(text)) => blocks.others.entry(text.clone()).or_default().push(row as u32),
                None => {}
            }
            blocks.cells.push(cell);
        }
        blocks
    }

    /// Whether the cell in a row covers the address.
    pub fn matches(&self, row: u32, text: &str) -> bool {
        match self.cells.get(row as usize).and_then(Option::as_ref) {
            Some(Cell::Block(net)) => text.trim().parse::<IpAddr>().is_ok_and(|address| net.contains(&address)),
            Some(Cell::Other(other)) => **other == *text,
            None => false,
        }
    }

    /// The rows whose cells cover the address.
    pub fn find(&self, text: &str) -> Vec<u32> {
        let mut rows = self.others.get(text).cloned().unwrap_or_default();
        if let Ok(address) = text.trim().parse::<IpAddr>() {
            for (_, length, networks) in self.networks.iter().filter(|(six, ..)| *six == address.is_ipv6()) {
                let network = IpNet::new(address, *length).map(|net| net.network());
                rows.extend(network.ok().and_then(|network| networks.get(&network)).into_iter().flatten());
            }
        }
        rows.sort_unstable();
        rows
    }
}

/// A block of addresses, or an address as a block of one.
fn block(text: &str) -> Option<IpNet> {
    match text.contains('/') {
        true => text.parse::<IpNet>().ok().map(|net| net.trunc()),
        false => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("*b*", "abc", true),
            ("a*c", "ac", true),
            ("ab*bc", "abc", false),
            ("a*b*c", "a-b-c", true),
            ("a*c*b", "a-b-c", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a.c", "abc", false),
            ("**", "x", true),
            (r"*\cmd.exe", r"C:\cmd.exe", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn blocks_of_both_versions() {
        let cells =
            ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "none", "10.9.9.9/16", "x/99", "10.1.2.0/24"];
        let blocks = Blocks::new(cells.into_iter().map(Some).chain([None]));
        for (text, rows) in [
            ("10.1.2.3", vec![0, 1, 3, 7]),
            ("10.9.1.1", vec![0, 3, 5]),
            (" 192.168.0.1 ", vec![3]),
            ("2001:DB8::1", vec![2]),
            ("2002::1", vec![]),
            ("none", vec![4]),
            ("x/99", vec![6]),
            ("10.0.0.0/8", vec![]),
        ] {
            assert_eq!(blocks.find(text), rows, "{text}");
            assert!(rows.iter().all(|row| blocks.matches(*row, text)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_index_finds_what_looking_at_each_cell_does(
            patterns in proptest::collection::vec("[ab*]{0,4}", 0..20),
            text in "[ab]{0,6}",
        ) {
            let globs: Vec<Option<Glob>> = patterns.iter().map(|pattern| Some(Glob::new(pattern))).collect();
            let one_by_one: Vec<u32> =
                (0..globs.len() as u32).filter(|row| globs[*row as usize].as_ref().unwrap().matches(&text)).collect();
            prop_assert_eq!(Wildcards::new(globs).find(&text), one_by_one);
        }
    }
}
