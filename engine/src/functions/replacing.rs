//! Whole values replaced by others: the command `replace`.
//!
//! Source: Splunk Search Reference, "replace".

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::common::exec_datafusion_err;
use datafusion::logical_expr::{Expr, ScalarUDF};

use super::mapping::{self, TextMap};

/// `spl_replace_values(column, value, replacement, ...)`: each text, or what takes its place.
static REPLACE_VALUES: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextMap::udf("spl_replace_values", |parameters| {
        let pairs = parameters.chunks(2).filter_map(|pair| match pair {
            [value, replacement] => Some((*value, *replacement)),
            _ => None,
        });
        let replacements = Replacements::new(pairs).map_err(|reason| exec_datafusion_err!("{reason}"))?;
        Ok(mapping::of(move |text| {
            Some(replacements.replace(text).map_or_else(|| Cow::Owned(text.to_string()), Cow::Owned))
        }))
    })
});

/// The functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&REPLACE_VALUES)]
}

/// Each text of a column, or what takes its place.
pub fn replace_values<'p>(column: Expr, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Expr {
    let parameters = pairs.flat_map(|(value, replacement)| [value.to_string(), replacement.to_string()]);
    mapping::call(&REPLACE_VALUES, column, parameters)
}

/// What takes the place of what. A pair without wildcards goes before one with some, the later of two with the
/// same value before the earlier; of pairs with wildcards the one that says most, and of these the later.
pub struct Replacements {
    exact: HashMap<String, String>,
    patterns: Vec<(regex::Regex, String)>,
}

impl Replacements {
    /// Compiles pairs of a value and its replacement.
    ///
    /// # Errors
    /// The regex engine's explanation for a pattern too large for it.
    pub fn new<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Result<Self, String> {
        let mut exact = HashMap::new();
        let mut patterns = Vec::new();
        for (value, replacement) in pairs {
            if value.contains('*') {
                let body = value.split('*').map(regex::escape).collect::<Vec<_>>().join("(.*)");
                let regex = regex::Regex::new(&format!("(?s)^{body}$")).map_err(|error| error.to_string())?;
                let said = value.chars().filter(|letter| *letter != '*').count();
                patterns.push((said, regex, replacement.to_string()));
            } else {
                exact.insert(value.to_string(), replacement.to_string());
            }
        }
        patterns.reverse();
        patterns.sort_by_key(|(said, ..)| std::cmp::Reverse(*said));
        Ok(Self { exact, patterns: patterns.into_iter().map(|(_, regex, text)| (regex, text)).collect() })
    }

    /// What takes the place of the text; `None` if no pair fits.
    pub fn replace(&self, text: &str) -> Option<String> {
        if let Some(replacement) = self.exact.get(text) {
            return Some(replacement.clone());
        }
        self.patterns.iter().find_map(|(regex, replacement)| {
            let captures = regex.captures(text)?;
            let mut filled = String::new();
            for (position, piece) in replacement.split('*').enumerate() {
                if position > 0 {
                    filled.push_str(captures.get(position).map_or("", |group| group.as_str()));
                }
                filled.push_str(piece);
            }
            Some(filled)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Replacements;

    #[test]
    fn the_fuller_match_wins() {
        let pairs = [("a*", "A*"), ("ab*", "AB*"), ("abc", "first"), ("abc", "second"), ("x*y*", "*-*"), ("", "empty")];
        let replacements = Replacements::new(pairs.into_iter()).unwrap();
        for (text, expected) in [
            ("abc", Some("second")),
            ("abd", Some("ABd")),
            ("acd", Some("Acd")),
            ("x1y2", Some("1-2")),
            ("", Some("empty")),
            ("b", None),
            ("Abc", None),
        ] {
            assert_eq!(replacements.replace(text).as_deref(), expected, "{text}");
        }
    }
}
