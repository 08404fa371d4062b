//! A column of values as small numbers: what counting works on.

use std::collections::HashMap;

use crate::values::{Value, parse_number};

/// The values of a column, each distinct one with a code.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coded {
    /// The code of each row's value; `None` where there is none.
    pub codes: Vec<Option<u32>>,
    /// The distinct values, by code, in the order in which they first occur.
    pub values: Vec<String>,
    /// How often each occurs, by code.
    pub counts: Vec<u64>,
    /// The values as numbers, by code, where all are finite numbers and there is one.
    pub numbers: Option<Vec<f64>>,
    /// How many rows have a value.
    pub present: u64,
}

impl Coded {
    /// Of the values of a column, row by row. Several values of a row are one, a line each.
    pub fn new<'v>(column: impl IntoIterator<Item = &'v Value<'v>>) -> Self {
        let mut coded = Coded::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        for value in column {
            let code = text(value).and_then(|text| match known.get(text.as_str()) {
                Some(code) => Some(*code),
                None => {
                    let code = u32::try_from(coded.values.len()).ok()?;
                    coded.values.push(text.clone());
                    coded.counts.push(0);
                    known.insert(text, code);
                    Some(code)
                }
            });
            if let Some(count) = code.and_then(|code| coded.counts.get_mut(code as usize)) {
                *count = count.saturating_add(1);
                coded.present = coded.present.saturating_add(1);
            }
            coded.codes.push(code);
        }
        let numbers: Option<Vec<f64>> =
            coded.values.iter().map(|value| parse_number(value).filter(|number| number.is_finite())).collect();
        coded.numbers = numbers.filter(|numbers| !numbers.is_empty());
        coded
    }

    /// The value of a code.
    pub fn value(&self, code: u32) -> &str {
        self.values.get(code as usize).map_or("", String::as_str)
    }

    /// How often the value of a code occurs.
    pub fn count(&self, code: u32) -> u64 {
        self.counts.get(code as usize).copied().unwrap_or(0)
    }

    /// The number of a code, in a column of numbers.
    pub fn number(&self, code: u32) -> Option<f64> {
        self.numbers.as_ref()?.get(code as usize).copied()
    }

    /// The mean and the standard deviation of a sample, in a column of numbers; without a second value the
    /// deviation is 0.
    pub fn moments(&self) -> Option<(f64, f64)> {
        let numbers = self.numbers.as_ref()?;
        let total = self.present as f64;
        let weighted = || numbers.iter().zip(&self.counts).map(|(number, count)| (*number, *count as f64));
        let mean = weighted().map(|(number, count)| number * count).sum::<f64>() / total;
        let squares = weighted().map(|(number, count)| (number - mean).powi(2) * count).sum::<f64>();
        Some((mean, if total > 1.0 { (squares / (total - 1.0)).sqrt() } else { 0.0 }))
    }
}

/// The text that stands for a value; `None` where there is none.
pub fn text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Many(texts) => Some(texts.join("\n")),
        other => other.text().map(|text| text.into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_code() {
        let column = [Value::Text("b".into()), Value::Null, Value::Text("a".into()), Value::Text("b".into())];
        let coded = Coded::new(&column);
        assert_eq!(coded.codes, [Some(0), None, Some(1), Some(0)]);
        assert_eq!((coded.values, coded.counts, coded.present), (vec!["b".into(), "a".into()], vec![2, 1], 3));
        assert_eq!(coded.numbers, None);
    }

    #[test]
    fn moments_weigh_by_count() {
        let column = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].map(Value::Number);
        let (mean, deviation) = Coded::new(&column).moments().unwrap();
        assert_eq!(mean, 5.0);
        assert!((deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    }
}
