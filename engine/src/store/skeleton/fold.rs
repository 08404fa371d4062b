//! Takes the values of fields out of the texts of a piece, and puts them back.

use std::borrow::Cow;
use std::sync::Arc;

use ahash::RandomState;
use hashbrown::HashMap;

use super::tokens::{Token, tokens};
use super::{GAPS, MARK, MOST_TEXT, Part, SKELETON, Skeleton, Style, parsed, printed, restore};
use crate::store::builder::{Block, ColumnBuilder, Piece, TextColumn};

const RAW: &str = "_raw";
/// So many skeletons are tried before a text is looked at anew.
const TRIED: usize = 16;
/// The fewest letters of a value that is looked for under another name than its key.
const TELLING: usize = 3;

/// Takes the texts of a block apart. Says how many of its columns bear the names that this needs, and were dropped.
pub(crate) fn fold(block: &mut Block) -> usize {
    let mut dropped = 0_usize;
    for piece in &mut block.pieces {
        let before = piece.columns.len();
        piece.columns.retain(|(name, _)| **name != *SKELETON && **name != *GAPS);
        dropped = dropped.saturating_add(before.saturating_sub(piece.columns.len()));
        // The text of such events is all that they say.
        if !block.plain {
            fold_piece(piece);
        }
    }
    dropped
}

fn fold_piece(piece: &mut Piece) {
    let Some(at) = piece.columns.iter().position(|(name, column)| **name == *RAW && !column.kind().multi) else {
        return;
    };
    let (name, raw) = piece.columns.remove(at);
    match folded(&piece.columns, &raw, piece.rows()) {
        None => piece.columns.insert(at, (name, raw)),
        Some([texts, skeletons, gaps]) => {
            let columns = [(name, texts), (Arc::from(SKELETON), skeletons), (Arc::from(GAPS), gaps)];
            piece.columns.extend(columns.into_iter().filter(|(_, column)| column.distinct() > 0));
        }
    }
}

/// The texts that stay as they are, and the skeletons and gaps of the others, if there are any.
fn folded(columns: &[(Arc<str>, TextColumn)], raw: &TextColumn, rows: usize) -> Option<[TextColumn; 3]> {
    let hasher = RandomState::new();
    let (mut texts, mut skeletons, mut gaps) =
        (ColumnBuilder::default(), ColumnBuilder::default(), ColumnBuilder::default());
    let mut folder = Folder::new(columns, rows);
    for row in 0..rows {
        let Some(text) = raw.at(row) else { continue };
        // What does not fit into a column would be lost.
        let kept = match folder.fold(row, text) {
            Some(skeleton) => {
                let printed = folder.known.get(skeleton)?.printed.as_str();
                skeletons.push(&hasher, row, printed)
                    && (folder.gaps.is_empty() || gaps.push(&hasher, row, &folder.gaps))
            }
            None => texts.push(&hasher, row, text),
        };
        if !kept {
            return None;
        }
    }
    let skeletons = skeletons.finish();
    (skeletons.distinct() > 0).then(|| [texts.finish(), skeletons, gaps.finish()])
}

/// Puts the texts of a piece together again.
pub(crate) fn unfold(piece: &mut Piece) {
    let rows = piece.rows();
    let taken = |piece: &mut Piece, wanted: &str| {
        let at = piece.columns.iter().position(|(name, _)| **name == *wanted)?;
        Some(piece.columns.remove(at).1)
    };
    let Some(skeletons) = taken(piece, SKELETON) else { return };
    let gaps = taken(piece, GAPS).unwrap_or_default();
    let texts = taken(piece, RAW).unwrap_or_default();
    let position = |wanted: &str| piece.columns.iter().position(|(name, _)| **name == *wanted);
    let distinct = i32::try_from(skeletons.distinct()).unwrap_or(i32::MAX);
    let known: Vec<Option<Skeleton<usize>>> =
        (0..distinct).map(|key| parsed(skeletons.value(key)?, position)).collect();
    let hasher = RandomState::new();
    let mut whole = ColumnBuilder::default();
    let mut text = String::new();
    for row in 0..rows {
        let skeleton = skeletons.key_at(row).and_then(|key| known.get(usize::try_from(key).ok()?)?.as_ref());
        if let Some(skeleton) = skeleton {
            text.clear();
            let value = |at: &usize, style: Style| Some(style.written(piece.columns.get(*at)?.1.at(row)?));
            if restore(skeleton, value, gaps.at(row).unwrap_or_default(), &mut text) {
                whole.push(&hasher, row, &text);
            }
        } else if let Some(text) = texts.at(row) {
            whole.push(&hasher, row, text);
        }
    }
    piece.columns.push((Arc::from(RAW), whole.finish()));
}

/// A skeleton that texts of the piece have.
struct Known {
    skeleton: Skeleton<usize>,
    printed: String,
}

/// What was seen in a place where no field has the value.
struct Place {
    value: String,
    varies: bool,
}

/// Folds text by text.
struct Folder<'p> {
    columns: &'p [(Arc<str>, TextColumn)],
    by_name: HashMap<&'p str, usize>,
    known: Vec<Known>,
    /// Their positions, the one that was used last first.
    recent: Vec<usize>,
    /// By the number of the value in the text, and its key.
    places: HashMap<(usize, String), Place>,
    /// What fills the gaps of the text that was folded last.
    gaps: String,
    most: usize,
}

impl<'p> Folder<'p> {
    fn new(columns: &'p [(Arc<str>, TextColumn)], rows: usize) -> Self {
        // Of the values of an event with several only the first could be named; and a name that has the mark cannot.
        let usable =
            columns.iter().enumerate().filter(|(_, (name, column))| !column.kind().multi && !name.contains(MARK));
        Self {
            columns,
            by_name: usable.map(|(at, (name, _))| (name.as_ref(), at)).collect(),
            known: Vec::new(),
            recent: Vec::new(),
            places: HashMap::default(),
            gaps: String::new(),
            // Where every event has one of its own nothing is saved.
            most: (rows / 8).saturating_add(8),
        }
    }

    /// The number of the skeleton of a text; its gaps are in `gaps` then.
    fn fold(&mut self, row: usize, text: &str) -> Option<usize> {
        for tried in 0..self.recent.len().min(TRIED) {
            let at = *self.recent.get(tried)?;
            let known = self.known.get(at)?;
            if fits(&known.skeleton, self.columns, row, text, &mut self.gaps) {
                if let Some(recent) = self.recent.get_mut(..=tried) {
                    recent.rotate_right(1);
                }
                return Some(at);
            }
        }
        if self.known.len() >= self.most || text.len() > MOST_TEXT || text.contains(MARK) {
            return None;
        }
        let skeleton = self.skeleton(row, text)?;
        // This, and not how it was made, is why the text comes out again.
        if !fits(&skeleton, self.columns, row, text, &mut self.gaps) {
            return None;
        }
        let columns = self.columns;
        let printed = printed(&skeleton, |at| Some(columns.get(*at)?.0.as_ref().to_owned()))?;
        let at = match self.known.iter().position(|known| known.printed == printed) {
            Some(at) => at,
            None => {
                self.known.push(Known { skeleton, printed });
                self.known.len().checked_sub(1)?
            }
        };
        self.recent.retain(|known| *known != at);
        self.recent.insert(0, at);
        Some(at)
    }

    fn skeleton(&mut self, row: usize, text: &str) -> Option<Skeleton<usize>> {
        let mut skeleton = Vec::new();
        let mut literal = String::new();
        let mut before = 0_usize;
        let found = tokens(text);
        if found.is_empty() {
            return None;
        }
        for (number, token) in found.iter().enumerate() {
            literal.push_str(text.get(before..token.start)?);
            before = token.end;
            let value = text.get(token.start..token.end)?;
            let part = match self.field(row, value, token) {
                Some((at, style)) => Part::Field(at, style),
                None if self.varies(number, token, value) => Part::Gap,
                None => {
                    literal.push_str(value);
                    continue;
                }
            };
            if !literal.is_empty() {
                skeleton.push(Part::Text(std::mem::take(&mut literal)));
            }
            skeleton.push(part);
        }
        literal.push_str(text.get(before..)?);
        if !literal.is_empty() {
            skeleton.push(Part::Text(literal));
        }
        Some(skeleton)
    }

    /// The field that has the value: the one that is called like it, or one whose name ends so, or any.
    fn field(&self, row: usize, written: &str, token: &Token<'_>) -> Option<(usize, Style)> {
        let style_of = |at: usize| {
            let value = self.columns.get(at)?.1.at(row)?;
            token.styles.iter().copied().find(|style| style.written(value) == written).map(|style| (at, style))
        };
        if let Some(found) = self.by_name.get(token.key).and_then(|at| style_of(*at)) {
            return Some(found);
        }
        if written.is_empty() {
            return None;
        }
        let usable =
            || self.columns.iter().enumerate().filter(|(_, (name, _))| self.by_name.contains_key(name.as_ref()));
        let ends = |name: &str| {
            let start = name.len().checked_sub(token.key.len()).and_then(|start| name.get(start..));
            start.is_some_and(|end| end.eq_ignore_ascii_case(token.key))
        };
        let alike = usable().filter(|(_, (name, _))| ends(name)).find_map(|(at, _)| style_of(at));
        alike.or_else(|| usable().filter(|_| written.len() >= TELLING).find_map(|(at, _)| style_of(at)))
    }

    /// Whether texts have different values in that place.
    fn varies(&mut self, number: usize, token: &Token<'_>, value: &str) -> bool {
        let place = self.places.entry((number, token.key.to_owned()));
        let place = place.or_insert_with(|| Place { value: value.to_owned(), varies: false });
        place.varies |= place.value != value;
        place.varies
    }
}

/// Whether a text comes out of a skeleton with the values of a row, and what fills its gaps.
fn fits(
    skeleton: &[Part<usize>],
    columns: &[(Arc<str>, TextColumn)],
    row: usize,
    text: &str,
    gaps: &mut String,
) -> bool {
    gaps.clear();
    let mut rest = text;
    let mut is_first = true;
    let mut parts = skeleton.iter().peekable();
    while let Some(part) = parts.next() {
        let after = match part {
            Part::Text(literal) => rest.strip_prefix(literal.as_str()),
            Part::Field(at, style) => {
                let value = columns.get(*at).and_then(|(_, column)| column.at(row));
                let written = value.map_or(Cow::Borrowed(""), |value| style.written(value));
                value.and_then(|_| rest.strip_prefix(written.as_ref()))
            }
            Part::Gap => {
                let end = match parts.peek() {
                    Some(Part::Text(literal)) => rest.find(literal.as_str()),
                    None => Some(rest.len()),
                    // Where it ends cannot be told.
                    Some(Part::Field(..) | Part::Gap) => None,
                };
                let filled = end.and_then(|end| rest.split_at_checked(end));
                filled.filter(|(gap, _)| !gap.contains(MARK)).map(|(gap, after)| {
                    if !is_first {
                        gaps.push(MARK);
                    }
                    is_first = false;
                    gaps.push_str(gap);
                    after
                })
            }
        };
        let Some(after) = after else { return false };
        rest = after;
    }
    rest.is_empty()
}
