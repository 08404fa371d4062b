//! `cofilter`: which items the same users have.
//!
//! Sources: Splunk Search Reference, "cofilter"; B. Sarwar, G. Karypis, J. Konstan and J. Riedl, "Item-Based
//! Collaborative Filtering Recommendation Algorithms" (2001).

use std::collections::{BTreeMap, BTreeSet};

use spelunk_grammar::spl::commands::cofilter::Cofilter;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::Annotated;
use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner};
use crate::methods::coded::Coded;
use crate::values::Value;

/// The most pairs of items, those of each user counted.
const MOST_PAIRS: u64 = 1_000_000;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Cofilter, span: Span) -> PlanResult<()> {
    let Cofilter { user, item } = command;
    for field in [user, item] {
        super::existing(frame, &field.text, field.span);
    }
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let (users, items) = (rows.coded(&user.text), rows.coded(&item.text));
    let Some(pairs) = pairs(&users, &items) else {
        let message = format!("the users have more than {MOST_PAIRS} pairs of items");
        return Err(Diagnostic::error(Code::TooLarge, message, span).with_help("narrow the search").into());
    };
    let popularity = popularity(&users, &items);
    let mut grid = Grid::new(["Item 1", "Item 1 user count", "Item 2", "Item 2 user count", "Pair count"]);
    let number = |count: u64| Value::Number(count as f64);
    let count = |item: u32| number(popularity.get(item as usize).copied().unwrap_or(0));
    let name = |item: u32| Value::Text(items.value(item).to_owned().into());
    for ((one, other), both) in pairs {
        grid.rows.push(vec![name(one), count(one), name(other), count(other), number(both)]);
    }
    grid.replace(frame, span)
}

/// The items of each user.
fn baskets(users: &Coded, items: &Coded) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut baskets: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (user, item) in users.codes.iter().zip(&items.codes) {
        if let (Some(user), Some(item)) = (user, item) {
            baskets.entry(*user).or_default().insert(*item);
        }
    }
    baskets
}

/// How many users have each item.
fn popularity(users: &Coded, items: &Coded) -> Vec<u64> {
    let mut counts = vec![0_u64; items.values.len()];
    for item in baskets(users, items).values().flatten() {
        if let Some(count) = counts.get_mut(*item as usize) {
            *count = count.saturating_add(1);
        }
    }
    counts
}

/// How many users have both items; `None` if there are too many pairs.
fn pairs(users: &Coded, items: &Coded) -> Option<BTreeMap<(u32, u32), u64>> {
    let mut pairs: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let mut left = MOST_PAIRS;
    for basket in baskets(users, items).values() {
        for (place, one) in basket.iter().enumerate() {
            for other in basket.iter().skip(place.saturating_add(1)) {
                left = left.checked_sub(1)?;
                let count = pairs.entry((*one, *other)).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    Some(pairs)
}
