//! `diff`: how two rows differ, line by line.
//!
//! Source: Splunk Search Reference, "diff"; POSIX, "diff", the forms of `-u` and `-c`.

use spelunk_grammar::spl::commands::diff::Diff;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner, existing};
use crate::values::Value;

/// How many bytes of a value are compared where nothing else is said.
const BYTES: u64 = 100_000;
/// How many lines without a difference stand around one.
const AROUND: usize = 3;
/// How many differences are looked for before the rest counts as one.
const MOST_EDITS: usize = 2_000;
/// What is said of values without a difference.
const SAME: &str = "Results are the same.";

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Diff, span: Span) -> PlanResult<()> {
    let Diff { position1, position2, attribute, diffheader, context, maxlen } = command;
    let (name, place) = attribute.as_ref().map_or(("_raw", span), |name| (name.text.as_str(), name.span));
    if existing(frame, name, place).is_none() && !frame.open {
        let message = format!("`diff` compares the field {name:?}, and no row has it");
        return Err(Diagnostic::error(Code::InvalidArgument, message, place).into());
    }
    let at = |position: &Option<Spanned<u64>>, default| position.as_ref().map_or(default, |at| at.node);
    let positions = [at(position1, 1), at(position2, 2)];
    let last = positions.into_iter().max().and_then(|last| usize::try_from(last).ok()).unwrap_or(usize::MAX);
    frame.limit(last)?;
    let Some(grid) = Grid::collect(planner, frame).await? else { return Ok(()) };
    if grid.rows.len() < last {
        let rows = grid.rows.len();
        let message = format!("`diff` compares row {} with row {}, and there are {rows}", positions[0], positions[1]);
        return Err(Diagnostic::error(Code::InvalidArgument, message, span).into());
    }
    let column = grid.position(name);
    let text = |position: u64| {
        let row = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
        let value = column.map_or(String::new(), |column| grid.value(row, column).texts().join("\n"));
        cut(value, maxlen.unwrap_or(BYTES))
    };
    let [old, new] = positions.map(text);
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let names = diffheader.unwrap_or(false).then(|| positions.map(|position| format!("row {position}")));
    let shown = match (old == new, context.unwrap_or(false)) {
        (true, _) => SAME.to_owned(),
        (false, true) => in_context(&old, &new, names),
        (false, false) => unified(&old, &new, names),
    };
    let mut result = Grid::new(["_raw"]);
    result.rows.push(vec![Value::Text(shown.into())]);
    result.replace(frame, span)
}

/// The first bytes of a text, whole characters only.
fn cut(mut text: String, most: u64) -> String {
    if let (1.., Ok(most)) = (most, usize::try_from(most)) {
        text.truncate(text.floor_char_boundary(most));
    }
    text
}

/// A line of either text, or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit<'t> {
    Same(&'t str),
    Old(&'t str),
    New(&'t str),
}

/// The lines of both texts, with as few as possible of one only.
fn edits<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Edit<'t>> {
    let start = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (before, old) = old.split_at(start);
    let new = new.get(start..).unwrap_or_default();
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, after) = old.split_at(old.len().saturating_sub(end));
    let new = new.get(..new.len().saturating_sub(end)).unwrap_or_default();
    let mut all: Vec<Edit<'t>> = before.iter().map(|line| Edit::Same(line)).collect();
    all.extend(shortest(old, new));
    all.extend(after.iter().map(|line| Edit::Same(line)));
    all
}

/// Myers' greedy search for the shortest script; past [`MOST_EDITS`] all of the one and all of the other.
fn shortest<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Edit<'t>> {
    // For each number of edits how far into `old` the diagonals from -edits to +edits, two apart, get.
    let mut reached: Vec<Vec<usize>> = Vec::new();
    let get = |reached: &[Vec<usize>], edits: usize, diagonal: isize| {
        let index = usize::try_from(diagonal.saturating_add_unsigned(edits)).ok()?.checked_div(2)?;
        reached.get(edits)?.get(index).copied()
    };
    for edits in 0..=MOST_EDITS.min(old.len().saturating_add(new.len())) {
        let mut row = Vec::with_capacity(edits.saturating_add(1));
        for step in 0..=edits {
            let diagonal = step.saturating_mul(2).saturating_sub(0) as isize - edits as isize;
            let mut x = match edits.checked_sub(1) {
                None => 0,
                Some(fewer) => {
                    let down = if step == edits { None } else { get(&reached, fewer, diagonal.saturating_add(1)) };
                    let right = if step == 0 { None } else { get(&reached, fewer, diagonal.saturating_sub(1)) };
                    down.max(right.map(|x| x.saturating_add(1))).unwrap_or(0)
                }
            };
            let y = |x: usize| usize::try_from((x as isize).saturating_sub(diagonal)).ok();
            while let Some((one, other)) = y(x).and_then(|y| old.get(x).zip(new.get(y)))
                && one == other
            {
                x = x.saturating_add(1);
            }
            row.push(x);
            if x >= old.len() && y(x).is_some_and(|y| y >= new.len()) {
                reached.push(row);
                return walk(old, new, edits, &|edits, diagonal| get(&reached, edits, diagonal));
            }
        }
        reached.push(row);
    }
    old.iter().map(|line| Edit::Old(line)).chain(new.iter().map(|line| Edit::New(line))).collect()
}

/// The way back from the ends of both texts.
fn walk<'t>(
    old: &[&'t str],
    new: &[&'t str],
    edits: usize,
    reached: &dyn Fn(usize, isize) -> Option<usize>,
) -> Vec<Edit<'t>> {
    let (mut x, mut y) = (old.len(), new.len());
    let mut back = Vec::new();
    for edits in (1..=edits).rev() {
        let fewer = edits.saturating_sub(1);
        let diagonal = x as isize - y as isize;
        let inside = |diagonal: isize| diagonal.unsigned_abs() <= fewer;
        let at = |diagonal: isize| if inside(diagonal) { reached(fewer, diagonal) } else { None };
        let (down, right) = (at(diagonal.saturating_add(1)), at(diagonal.saturating_sub(1)));
        let inserted = down >= right.map(|x| x.saturating_add(1)) && down.is_some();
        let (from_x, from_y) = match inserted {
            true => (down, down.map(|x| (x as isize).saturating_sub(diagonal).saturating_sub(1))),
            false => (right, right.map(|x| (x as isize).saturating_sub(diagonal).saturating_add(1))),
        };
        let (Some(from_x), Some(from_y)) = (from_x, from_y.and_then(|y| usize::try_from(y).ok())) else { break };
        let (start_x, start_y) =
            if inserted { (from_x, from_y.saturating_add(1)) } else { (from_x.saturating_add(1), from_y) };
        while x > start_x && y > start_y {
            (x, y) = (x.saturating_sub(1), y.saturating_sub(1));
            back.extend(old.get(x).map(|line| Edit::Same(line)));
        }
        match inserted {
            true => back.extend(new.get(from_y).map(|line| Edit::New(line))),
            false => back.extend(old.get(from_x).map(|line| Edit::Old(line))),
        }
        (x, y) = (from_x, from_y);
    }
    while x > 0 && y > 0 {
        (x, y) = (x.saturating_sub(1), y.saturating_sub(1));
        back.extend(old.get(x).map(|line| Edit::Same(line)));
    }
    back.reverse();
    back
}

/// A stretch of differences with some lines around, and where it starts in both texts.
struct Hunk<'t> {
    old: usize,
    new: usize,
    edits: Vec<Edit<'t>>,
}

fn hunks<'t>(edits: &[Edit<'t>]) -> Vec<Hunk<'t>> {
    let differs: Vec<usize> =
        edits.iter().enumerate().filter(|(_, edit)| !matches!(edit, Edit::Same(_))).map(|(at, _)| at).collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for at in differs {
        let (start, end) = (at.saturating_sub(AROUND), at.saturating_add(AROUND).saturating_add(1).min(edits.len()));
        match ranges.last_mut() {
            Some((_, last)) if start <= *last => *last = end,
            _ => ranges.push((start, end)),
        }
    }
    let count = |edits: &[Edit<'_>], skipped: fn(&Edit<'_>) -> bool| edits.iter().filter(|edit| !skipped(edit)).count();
    let hunk = |(start, end)| {
        let before = edits.get(..start).unwrap_or_default();
        Hunk {
            old: count(before, |edit| matches!(edit, Edit::New(_))),
            new: count(before, |edit| matches!(edit, Edit::Old(_))),
            edits: edits.get(start..end).unwrap_or_default().to_vec(),
        }
    };
    ranges.into_iter().map(hunk).collect()
}

impl Hunk<'_> {
    fn old_lines(&self) -> usize {
        self.edits.iter().filter(|edit| !matches!(edit, Edit::New(_))).count()
    }

    fn new_lines(&self) -> usize {
        self.edits.iter().filter(|edit| !matches!(edit, Edit::Old(_))).count()
    }
}

fn unified(old: &[&str], new: &[&str], names: Option<[String; 2]>) -> String {
    let mut lines = Vec::new();
    if let Some([one, other]) = names {
        lines.extend([format!("--- {one}"), format!("+++ {other}")]);
    }
    let range = |start: usize, count: usize| match count {
        0 => format!("{start},0"),
        1 => format!("{}", start.saturating_add(1)),
        _ => format!("{},{count}", start.saturating_add(1)),
    };
    for hunk in hunks(&edits(old, new)) {
        let (one, other) = (range(hunk.old, hunk.old_lines()), range(hunk.new, hunk.new_lines()));
        lines.push(format!("@@ -{one} +{other} @@"));
        lines.extend(hunk.edits.iter().map(|edit| match edit {
            Edit::Same(line) => format!(" {line}"),
            Edit::Old(line) => format!("-{line}"),
            Edit::New(line) => format!("+{line}"),
        }));
    }
    lines.join("\n")
}

fn in_context(old: &[&str], new: &[&str], names: Option<[String; 2]>) -> String {
    let mut lines = Vec::new();
    if let Some([one, other]) = names {
        lines.extend([format!("*** {one}"), format!("--- {other}")]);
    }
    let range = |start: usize, count: usize| match count {
        0 => format!("{start}"),
        1 => format!("{}", start.saturating_add(1)),
        _ => format!("{},{}", start.saturating_add(1), start.saturating_add(count)),
    };
    for hunk in hunks(&edits(old, new)) {
        let changes = changes(&hunk.edits);
        let side = |wanted: fn(&Edit<'_>) -> bool, mark: char| -> Vec<String> {
            if !hunk.edits.iter().any(|edit| !matches!(edit, Edit::Same(_)) && wanted(edit)) {
                return Vec::new();
            }
            let shown = hunk.edits.iter().zip(&changes).filter(|(edit, _)| wanted(edit));
            let line = |(edit, changed): (&Edit<'_>, &bool)| match edit {
                Edit::Same(line) => format!("  {line}"),
                Edit::Old(line) | Edit::New(line) if *changed => format!("! {line}"),
                Edit::Old(line) | Edit::New(line) => format!("{mark} {line}"),
            };
            shown.map(line).collect()
        };
        lines.push("***************".to_owned());
        lines.push(format!("*** {} ****", range(hunk.old, hunk.old_lines())));
        lines.extend(side(|edit| !matches!(edit, Edit::New(_)), '-'));
        lines.push(format!("--- {} ----", range(hunk.new, hunk.new_lines())));
        lines.extend(side(|edit| !matches!(edit, Edit::Old(_)), '+'));
    }
    lines.join("\n")
}

/// Whether each line belongs to a stretch in which lines of both texts differ.
fn changes(edits: &[Edit<'_>]) -> Vec<bool> {
    let mut changed = Vec::with_capacity(edits.len());
    for run in edits.chunk_by(|one, other| matches!(one, Edit::Same(_)) == matches!(other, Edit::Same(_))) {
        let both =
            run.iter().any(|edit| matches!(edit, Edit::Old(_))) && run.iter().any(|edit| matches!(edit, Edit::New(_)));
        changed.extend(run.iter().map(|_| both));
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    #[test]
    fn both_forms() {
        let (old, new) = (lines("a b c d e f g h i"), lines("a b c D e f g h i j"));
        let shown = unified(&old, &new, Some(["row 1".into(), "row 2".into()]));
        assert_eq!(shown, "--- row 1\n+++ row 2\n@@ -1,9 +1,10 @@\n a\n b\n c\n-d\n+D\n e\n f\n g\n h\n i\n+j");
        let shown = in_context(&lines("a b"), &lines("a c"), None);
        assert_eq!(shown, "***************\n*** 1,2 ****\n  a\n! b\n--- 1,2 ----\n  a\n! c");
        let shown = in_context(&lines("a"), &lines("a c"), None);
        assert_eq!(shown, "***************\n*** 1 ****\n--- 1,2 ----\n  a\n+ c");
        assert_eq!(unified(&[], &["x"], None), "@@ -0,0 +1 @@\n+x");
    }

    #[test]
    fn edits_make_one_text_of_the_other() {
        for (old, new) in [("a b c a b b a", "c b a b a c"), ("", "a"), ("a", ""), ("x y", "y x"), ("a a a", "a a")] {
            let (old, new) = (lines(old), lines(new));
            let edits = edits(&old, &new);
            let of = |skipped: fn(&Edit<'_>) -> bool| -> Vec<&str> {
                let kept = edits.iter().filter(|edit| !skipped(edit));
                kept.map(|edit| match edit {
                    Edit::Same(l) | Edit::Old(l) | Edit::New(l) => *l,
                })
                .collect()
            };
            assert_eq!(of(|edit| matches!(edit, Edit::New(_))), old);
            assert_eq!(of(|edit| matches!(edit, Edit::Old(_))), new);
        }
        assert_eq!(
            edits(&lines("a b c a b b a"), &lines("c b a b a c"))
                .iter()
                .filter(|e| !matches!(e, Edit::Same(_)))
                .count(),
            5
        );
    }
}
