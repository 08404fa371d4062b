//! `analyzefields`: how well numeric fields tell the value of another field.
//!
//! Sources: Splunk Search Reference, "analyzefields"; R. O. Duda, P. E. Hart and D. G. Stork, "Pattern
//! Classification" (2nd edition, 2001), chapter 2.

use spelunk_grammar::spl::commands::analyzefields::Analyzefields;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::annotated::Annotated;
use super::frame::Frame;
use super::grid::Grid;
use super::totals::named;
use super::{PlanResult, Planner};
use crate::methods::coded::Coded;
use crate::methods::normal;
use crate::values::Value;

/// The most values of the class field.
const MOST_CLASSES: usize = 1_000;

/// Plans the command.
pub async fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Analyzefields, span: Span) -> PlanResult<()> {
    let Analyzefields { classfield } = command;
    super::existing(frame, &classfield.text, classfield.span);
    let fields = named(frame, &[]);
    let Some(rows) = Annotated::collect(planner, frame).await? else { return Ok(()) };
    let classes = rows.coded(&classfield.text);
    if classes.values.len() > MOST_CLASSES {
        let message = format!("`{}` has {} values; the most is {MOST_CLASSES}", classfield.text, classes.values.len());
        return Err(Diagnostic::error(Code::TooLarge, message, classfield.span).into());
    }
    let mut grid = Grid::new(["field", "count", "cocur", "acc", "balacc"]);
    for field in fields.into_iter().filter(|field| *field != classfield.text) {
        let coded = rows.coded(&field);
        if coded.numbers.is_none() {
            continue;
        }
        let Quality { together, right, balanced } = quality(&coded, &classes);
        let share = |part: u64, of: u64| if of > 0 { Value::Number(part as f64 / of as f64) } else { Value::Null };
        grid.rows.push(vec![
            Value::Text(field.into()),
            Value::Number(coded.present as f64),
            share(together, classes.present),
            share(right, together),
            balanced.map_or(Value::Null, Value::Number),
        ]);
    }
    grid.replace(frame, span)
}

struct Quality {
    /// How many rows have both.
    together: u64,
    /// How many of these are told right.
    right: u64,
    /// The mean of the share told right over the classes.
    balanced: Option<f64>,
}

/// The numbers of a class.
#[derive(Default, Clone)]
struct Class {
    count: f64,
    mean: f64,
    squares: f64,
    right: f64,
}

fn quality(coded: &Coded, classes: &Coded) -> Quality {
    let pairs = || {
        let codes = coded.codes.iter().zip(&classes.codes);
        codes.filter_map(|(value, class)| Some(((*value)?, (*class)?)))
    };
    let mut found = vec![Class::default(); classes.values.len()];
    // Welford's mean and sum of squares, one value at a time.
    for (value, class) in pairs() {
        if let (Some(number), Some(class)) = (coded.number(value), found.get_mut(class as usize)) {
            class.count += 1.0;
            let before = number - class.mean;
            class.mean += before / class.count;
            class.squares += before * (number - class.mean);
        }
    }
    // The class in which each distinct number is least extreme; of several such the most frequent.
    let told: Vec<Option<usize>> = (0..coded.values.len())
        .map(|code| {
            let number = coded.number(u32::try_from(code).ok()?)?;
            let mut best: Option<(f64, f64, usize)> = None;
            for (place, class) in found.iter().enumerate().filter(|(_, class)| class.count > 0.0) {
                let chance = chance(number, class);
                let better =
                    best.is_none_or(|(most, count, _)| chance > most || (chance == most && class.count > count));
                if better {
                    best = Some((chance, class.count, place));
                }
            }
            best.map(|(_, _, place)| place)
        })
        .collect();
    let (mut together, mut right) = (0_u64, 0_u64);
    for (value, class) in pairs() {
        together = together.saturating_add(1);
        if told.get(value as usize).copied().flatten() == Some(class as usize) {
            right = right.saturating_add(1);
            if let Some(class) = found.get_mut(class as usize) {
                class.right += 1.0;
            }
        }
    }
    let shares: Vec<f64> =
        found.iter().filter(|class| class.count > 0.0).map(|class| class.right / class.count).collect();
    let balanced = (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64);
    Quality { together, right, balanced }
}

/// How probable a number at least so far from the mean of a class is.
fn chance(number: f64, class: &Class) -> f64 {
    let deviation = if class.count > 1.0 { (class.squares / (class.count - 1.0)).sqrt() } else { 0.0 };
    match number - class.mean {
        0.0 => 1.0,
        difference if deviation > 0.0 => normal::two_sided(difference / deviation),
        _ => 0.0,
    }
}
