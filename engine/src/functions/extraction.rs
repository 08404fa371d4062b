//! Fields out of text: the groups of a regular expression.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::kernel::{Returns, Row};
use super::pattern::Pattern;
use crate::documents::xml;
use crate::documents::xpath::XPath;
use crate::values::Value;

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [FIRST, EVERY, FIRST_PLACE, PLACES, XPATH].iter().map(Row::udf).collect()
}

/// `spl_extract(text, regex, group, limit)`: what the group holds in the first match.
pub fn first() -> Arc<ScalarUDF> {
    FIRST.udf()
}

/// `spl_extract_all(text, regex, group, limit)`: what the group holds in each match.
pub fn every() -> Arc<ScalarUDF> {
    EVERY.udf()
}

/// `spl_xpath(text, expression, default)`: what the expression selects in an XML text.
pub fn xpath() -> Arc<ScalarUDF> {
    XPATH.udf()
}

/// `spl_extract_offsets(text, regex, limit)`: where the first match stands.
pub fn first_place() -> Arc<ScalarUDF> {
    FIRST_PLACE.udf()
}

/// `spl_extract_all_offsets(text, regex, limit)`: where each match stands.
pub fn places() -> Arc<ScalarUDF> {
    PLACES.udf()
}

/// The first and last character of each group with a name, counted from 0: `user=5-7`, or `user=5-7&host=9-12` where a
/// match has several. A group that took nothing has none.
fn offsets(values: &[Value<'_>]) -> Vec<String> {
    let [text, pattern, limit] = values else { return Vec::new() };
    let (Some(pattern), Some(limit)) = (pattern.text(), limit.number()) else { return Vec::new() };
    let Ok(pattern) = Pattern::new(&pattern) else { return Vec::new() };
    let names = pattern.names();
    let mut found = Vec::new();
    for text in text.texts() {
        for places in pattern.group_places(&text, limit as usize) {
            let characters =
                |bytes: &std::ops::Range<usize>| text.get(bytes.clone()).map_or(0, |piece| piece.chars().count());
            let groups = names.iter().zip(&places).filter_map(|(name, place)| {
                let (name, place) = (name.as_ref()?, place.as_ref()?);
                let (before, length) = (characters(&(0..place.start)), characters(place));
                let last = before.checked_add(length)?.checked_sub(1).filter(|_| length > 0)?;
                Some(format!("{name}={before}-{last}"))
            });
            let groups: Vec<String> = groups.collect();
            if !groups.is_empty() {
                found.push(groups.join("&"));
            }
        }
    }
    found
}

fn groups(values: &[Value<'_>]) -> Vec<String> {
    let [text, pattern, group, limit] = values else { return Vec::new() };
    let (Some(pattern), Some(group), Some(limit)) = (pattern.text(), group.text(), limit.number()) else {
        return Vec::new();
    };
    let Ok(pattern) = Pattern::new(&pattern) else { return Vec::new() };
    let names = pattern.names();
    let mut found = Vec::new();
    for text in text.texts() {
        for captures in pattern.captures(&text, limit as usize) {
            // A name may be used by several groups of which one took part.
            let named = names
                .iter()
                .zip(&captures)
                .find_map(|(name, captured)| if name.as_deref() == Some(&*group) { *captured } else { None });
            // No name begins with a digit.
            let captured = match group.parse::<usize>() {
                Ok(number) => captures.get(number).copied().flatten(),
                Err(_) => named,
            };
            found.extend(captured.map(str::to_string));
        }
    }
    found
}

const FIRST: Row = Row {
    name: "spl_extract",
    returns: Returns::Text,
    evaluate: |values| match groups(values).into_iter().next() {
        Some(text) => Value::Text(Cow::Owned(text)),
        None => Value::Null,
    },
};

const EVERY: Row = Row {
    name: "spl_extract_all",
    returns: Returns::Many,
    evaluate: |values| Value::Many(groups(values).into_iter().map(Cow::Owned).collect()),
};

const XPATH: Row = Row {
    name: "spl_xpath",
    returns: Returns::Many,
    evaluate: |values| {
        let [value, expression, default] = values else { return Value::Null };
        let Some(Ok(xpath)) = expression.text().map(|expression| XPath::compile(&expression)) else {
            return Value::Null;
        };
        let mut found: Vec<String> = Vec::new();
        for text in value.texts() {
            found.extend(xml::parse(&text).map(|roots| xpath.select(roots)).unwrap_or_default());
        }
        if found.is_empty() {
            found.extend(default.text().map(Cow::into_owned));
        }
        Value::Many(found.into_iter().map(Cow::Owned).collect())
    },
};

const FIRST_PLACE: Row = Row {
    name: "spl_extract_offsets",
    returns: Returns::Text,
    evaluate: |values| offsets(values).into_iter().next().map_or(Value::Null, |text| Value::Text(Cow::Owned(text))),
};

const PLACES: Row = Row {
    name: "spl_extract_all_offsets",
    returns: Returns::Many,
    evaluate: |values| Value::Many(offsets(values).into_iter().map(Cow::Owned).collect()),
};
