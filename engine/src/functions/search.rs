//! What the `search` command's comparisons become where no native predicate says the same.
//!
//! Source of the rules: Splunk Search Reference, "search".

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use datafusion::common::{ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ScalarUDF, lit};

use super::kernel::{Test, TextPredicate};
use super::pattern;
use super::wildcard::{Wildcard, Wildcards};
use crate::values;

/// `spl_wildcard(column, pattern, ...)`: any of the patterns covers the value, in any letter case.
static WILDCARD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_wildcard", |patterns| {
        let wildcards = Wildcards::any_case(patterns).map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Box::new(wildcards) as Test)
    })
});

/// `spl_wildcard_case(column, pattern, ...)`: the same where letter case counts.
static WILDCARD_CASE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_wildcard_case", |patterns| {
        let wildcards = Wildcards::same_case(patterns).map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Box::new(wildcards) as Test)
    })
});

/// `spl_other_than(column, pattern, mode)`: a value that the pattern does not cover, as text or as a block of
/// addresses.
static OTHER_THAN: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_other_than", |parameters| {
        let [pattern, mode] = parameters else {
            return Err(exec_datafusion_err!("spl_other_than takes two parameters"));
        };
        let wildcard = if *mode == "case" { Wildcard::same_case(pattern) } else { Wildcard::any_case(pattern) };
        let wildcard = wildcard.map_err(|error| exec_datafusion_err!("{error}"))?;
        let block = pattern::cidr(pattern);
        let covered = move |text: &str| {
            wildcard.matches(text) || block.as_ref().is_some_and(|block| pattern::in_cidr(block, text))
        };
        Ok(Box::new(move |text: &str| !covered(text)) as Test)
    })
});

/// `spl_keyword(_raw, text, mode)`: a keyword or phrase in the event's text.
static KEYWORD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_keyword", |parameters| {
        let [text, mode] = parameters else { return Err(exec_datafusion_err!("spl_keyword takes two parameters")) };
        let regex =
            pattern::keyword(text, *mode == "case", *mode == "term").map_err(|e| exec_datafusion_err!("{e}"))?;
        Ok(Box::new(move |raw: &str| regex.is_match(raw)) as Test)
    })
});

/// `spl_cidr(column, block, ...)`: an address of any of the blocks.
static CIDR: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_cidr", |blocks| {
        let blocks: Vec<_> = blocks.iter().filter_map(|block| pattern::cidr(block)).collect();
        Ok(Box::new(move |text: &str| blocks.iter().any(|block| pattern::in_cidr(block, text))) as Test)
    })
});

/// `spl_search_order(column, operator, value)`: `<`, `<=`, `>`, `>=` by number if both are, else by text.
static ORDER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_search_order", |parameters| {
        let [operator, value] = parameters else {
            return Err(exec_datafusion_err!("spl_search_order takes two parameters"));
        };
        let test: fn(Ordering) -> bool = match *operator {
            "<" => Ordering::is_lt,
            "<=" => Ordering::is_le,
            ">" => Ordering::is_gt,
            _ => Ordering::is_ge,
        };
        let value = (*value).to_string();
        Ok(Box::new(move |text: &str| test(values::compare(text, &value))) as Test)
    })
});

/// The functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [&WILDCARD, &WILDCARD_CASE, &OTHER_THAN, &KEYWORD, &CIDR, &ORDER].map(|udf| Arc::clone(udf)).to_vec()
}

/// The text and the mode of a keyword that is looked for in a column, and that column.
pub(crate) fn keyword_of(call: &ScalarFunction) -> Option<(&Expr, &str, &str)> {
    let literal = |argument| match argument {
        &Expr::Literal(ScalarValue::Utf8(Some(ref text)), _) => Some(text.as_str()),
        _ => None,
    };
    match call.args.as_slice() {
        [column, text, mode] if *call.func == **KEYWORD => Some((column, literal(text)?, literal(mode)?)),
        _ => None,
    }
}

fn call(udf: &Arc<ScalarUDF>, column: Expr, parameters: impl IntoIterator<Item = String>) -> Expr {
    udf.call(std::iter::once(column).chain(parameters.into_iter().map(lit)).collect())
}

/// Any of the patterns covers the value, in any letter case.
pub fn wildcard(column: Expr, patterns: Vec<String>) -> Expr {
    call(&WILDCARD, column, patterns)
}

/// The pattern covers the value; letter case counts.
pub fn wildcard_case(column: Expr, pattern: String) -> Expr {
    call(&WILDCARD_CASE, column, [pattern])
}

/// Some value of the column is not covered by the pattern; `mode` is `any` or `case`.
pub fn other_than(column: Expr, pattern: String, mode: &str) -> Expr {
    call(&OTHER_THAN, column, [pattern, mode.to_string()])
}

/// A keyword or phrase in the event's text; `mode` is `any`, `case` or `term`.
pub fn keyword(raw: Expr, text: String, mode: &str) -> Expr {
    call(&KEYWORD, raw, [text, mode.to_string()])
}

/// An address in any of the blocks.
pub fn cidr(column: Expr, blocks: Vec<String>) -> Expr {
    call(&CIDR, column, blocks)
}

/// `<`, `<=`, `>` or `>=` as `search` compares.
pub fn order(column: Expr, operator: &str, value: String) -> Expr {
    call(&ORDER, column, [operator.to_string(), value])
}
