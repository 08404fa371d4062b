//! The terms of an event's text, as an index would hold them.
//!
//! Source: Splunk Search Reference, "tstats" (PREFIX); Getting Data In, "Event segmentation".

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::{Expr, ScalarUDF, lit};
use spelunk_grammar::Span;

use super::kernel::{Returns, Row};
use super::pattern::is_major_breaker;
use crate::values::Value;

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![TERMS.udf()]
}

/// What follows the prefix in the terms of a text that begin with it. An index holds terms in small letters.
pub fn terms(raw: Expr, prefix: String) -> Expr {
    TERMS.call(vec![raw, lit(prefix.to_lowercase())], Span::default()).expr
}

const TERMS: Row = Row {
    name: "spl_terms",
    returns: Returns::Many,
    evaluate: |values| match values {
        [raw, prefix] => match (raw.text(), prefix.text()) {
            (Some(raw), Some(prefix)) => Value::Many(rests(&raw, &prefix)),
            _ => Value::Null,
        },
        _ => Value::Null,
    },
};

fn rests(raw: &str, prefix: &str) -> Vec<Cow<'static, str>> {
    let raw = raw.to_lowercase();
    let terms = raw.split(is_major_breaker);
    terms.filter_map(|term| term.strip_prefix(prefix)).map(|rest| Cow::Owned(rest.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::rests;

    #[test]
    fn terms_end_at_major_breakers() {
        assert_eq!(rests("User=Ann,user=bob xuser=c [USER=d]", "user="), ["ann", "bob", "d"]);
        assert_eq!(rests("user=a/b:c", "user="), ["a/b:c"]);
    }
}
