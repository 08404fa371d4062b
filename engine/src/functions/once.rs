//! What functions make of the distinct values of a column, kept from one batch to the next.
//!
//! The batches of a row group, and those of a shape in memory, share their dictionaries. What a function makes of each
//! value is found out once for all of them; and so is what it makes of its literal parameters, a compiled expression say.
//! Each thread keeps its own, and of each call the last dictionary only.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use arrow::array::{Array, ArrayRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

use super::kernel::Test;
use super::pattern::given_up;

/// A thread keeps results of so many calls.
const CALLS: usize = 64;
/// Results that take more bytes are not kept.
const MOST_BYTES: usize = 1 << 20;

/// What is kept of a call of a function with one column.
struct Kept {
    name: &'static str,
    /// Where the column stands.
    column: Option<usize>,
    literals: Vec<ScalarValue>,
    /// The dictionary that was met last.
    values: Option<Weak<dyn Array>>,
    /// How many rows of it there were.
    rows: usize,
    /// What the function makes of its values.
    result: Option<ArrayRef>,
    /// What it makes of its literals.
    test: Option<Arc<Test>>,
}

impl Kept {
    fn of(name: &'static str, arguments: &[ColumnarValue]) -> Self {
        let literals = literals(arguments).cloned().collect();
        Self { name, column: column(arguments), literals, values: None, rows: 0, result: None, test: None }
    }

    fn is(&self, name: &str, arguments: &[ColumnarValue]) -> bool {
        self.name == name && self.column == column(arguments) && self.literals.iter().eq(literals(arguments))
    }
}

fn column(arguments: &[ColumnarValue]) -> Option<usize> {
    arguments.iter().position(|argument| matches!(argument, ColumnarValue::Array(_)))
}

fn literals(arguments: &[ColumnarValue]) -> impl Iterator<Item = &ScalarValue> {
    arguments.iter().filter_map(|argument| match argument {
        ColumnarValue::Scalar(literal) => Some(literal),
        ColumnarValue::Array(_) => None,
    })
}

thread_local! {
    /// That which was used last stands last.
    static KEPT: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
}

/// Does something with what is kept of a call.
fn with<T>(name: &'static str, arguments: &[ColumnarValue], act: impl FnOnce(&mut Kept) -> T) -> T {
    KEPT.with_borrow_mut(|all| {
        let found = all.iter().rposition(|kept| kept.is(name, arguments)).and_then(|at| all.remove(at));
        let mut kept = found.unwrap_or_else(|| Kept::of(name, arguments));
        let answer = act(&mut kept);
        if all.len() >= CALLS {
            all.pop_front();
        }
        all.push_back(kept);
        answer
    })
}

/// What a call makes of each value of a dictionary of which a batch has so many rows, if that is known, or less work than
/// the rows that were looked at one by one.
///
/// # Errors
/// Those of the function.
pub(super) fn of_values(
    name: &'static str,
    arguments: &[ColumnarValue],
    values: &ArrayRef,
    rows: usize,
    evaluate: impl FnOnce(&ArrayRef) -> Result<ArrayRef>,
) -> Result<Option<ArrayRef>> {
    let (known, is_worth_it) = with(name, arguments, |kept| {
        let is_same = kept.values.as_ref().is_some_and(|known| std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(values)));
        if !is_same {
            (kept.values, kept.rows, kept.result) = (Some(Arc::downgrade(values)), 0, None);
        }
        kept.rows = kept.rows.saturating_add(rows);
        (kept.result.clone(), values.len() <= kept.rows)
    });
    if known.is_some() || !is_worth_it {
        return Ok(known);
    }
    let before = given_up();
    // It may call others.
    let result = evaluate(values)?;
    // Each search is to tell of the texts that it gave up on.
    if result.get_array_memory_size() <= MOST_BYTES && given_up() == before {
        with(name, arguments, |kept| kept.result = Some(Arc::clone(&result)));
    }
    Ok(Some(result))
}

/// The test that a call makes of its literals.
///
/// # Errors
/// Those of the function.
pub(super) fn compiled(
    name: &'static str,
    arguments: &[ColumnarValue],
    compile: impl FnOnce() -> Result<Test>,
) -> Result<Arc<Test>> {
    if let Some(known) = with(name, arguments, |kept| kept.test.clone()) {
        return Ok(known);
    }
    let test = Arc::new(compile()?);
    with(name, arguments, |kept| kept.test = Some(Arc::clone(&test)));
    Ok(test)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use arrow::array::StringArray;

    use super::*;
    use crate::functions::pattern::Pattern;

    #[test]
    fn values_are_looked_at_once_they_are_worth_it() {
        let values: ArrayRef = Arc::new(StringArray::from(vec!["a"; 10]));
        let other: ArrayRef = Arc::new(StringArray::from(vec!["b"; 10]));
        let looked = Cell::new(0);
        let ask = |values: &ArrayRef, rows: usize, literal: &str, first: bool| {
            let literal = ColumnarValue::Scalar(ScalarValue::from(literal));
            let column = ColumnarValue::Array(Arc::clone(values));
            let arguments = if first { [column, literal] } else { [literal, column] };
            let evaluate = |values: &ArrayRef| {
                looked.set(looked.get() + 1);
                Ok(Arc::clone(values))
            };
            of_values("once", &arguments, values, rows, evaluate).unwrap().is_some()
        };
        // Nine rows are less than ten values; then it is worth it, and known from then on.
        let asked = [(9, false, 0), (1, true, 1), (1, true, 1), (1_000, true, 1)];
        for (rows, is_known, times) in asked {
            assert_eq!((ask(&values, rows, "x", true), looked.get()), (is_known, times));
        }
        // Another call, another place of the column, another dictionary: each is for itself.
        assert!(ask(&values, 10, "y", true) && ask(&values, 10, "x", false) && looked.get() == 3);
        assert!(!ask(&other, 9, "x", true) && !ask(&values, 9, "x", true) && looked.get() == 3);
        // What gave up on a text is asked anew.
        let hard = Pattern::new("^((?=a)a|a)*c").unwrap();
        let literal = [ColumnarValue::Scalar(ScalarValue::from("hard")), ColumnarValue::Array(Arc::clone(&values))];
        for times in 1..=2 {
            let give_up = |values: &ArrayRef| {
                looked.set(looked.get() + 1);
                assert!(!hard.is_match(&format!("{}b", "a".repeat(64))));
                Ok(Arc::clone(values))
            };
            assert!(of_values("once", &literal, &values, 10, give_up).unwrap().is_some());
            assert_eq!(looked.get(), 3 + times);
        }
        // More calls than are kept.
        for number in 0..200 {
            assert!(ask(&values, 10, &number.to_string(), true));
        }
        KEPT.with_borrow(|all| assert_eq!(all.len(), CALLS));
    }
}
