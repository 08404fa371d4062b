//! Choosing with weights, and filling in command lines.

use fastrand::Rng;

use crate::event::Text;

/// A choice among a fixed number of things, each with its own weight.
pub(super) struct Choice {
    /// Sum of the weights up to and including each thing.
    sums: Vec<f64>,
}

impl Choice {
    pub fn weighted(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let sums = weights.into_iter().map(|weight| {
            sum += weight;
            sum
        });
        Self { sums: sums.collect() }
    }

    /// Zipf's law: the n-th thing is chosen in proportion to `1 / n^exponent`.
    pub fn zipf(count: usize, exponent: f64) -> Self {
        Self::weighted((1..=count).map(|rank| (rank as f64).powf(-exponent)))
    }

    pub fn pick(&self, rng: &mut Rng) -> usize {
        let point = rng.f64() * self.sums.last().copied().unwrap_or_default();
        self.sums.partition_point(|sum| *sum <= point).min(self.sums.len().saturating_sub(1))
    }
}

/// An index below `length`, small ones far more often than large ones.
pub(super) fn skewed_index(rng: &mut Rng, length: usize) -> usize {
    let point = rng.f64();
    ((point * point * length as f64) as usize).min(length - 1)
}

/// An element of a table, those at the front far more often than those at the end.
pub(super) fn skewed<T: Copy>(rng: &mut Rng, table: &[T]) -> T {
    table[skewed_index(rng, table.len())]
}

/// An identifier of 128 bits, without braces.
pub(super) fn guid(rng: &mut Rng) -> String {
    let bits = rng.u128(..);
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        bits as u32,
        (bits >> 32) as u16,
        bits >> 48 & 0xfff,
        bits >> 60 & 0xfff,
        bits >> 72 & 0xffff_ffff_ffff
    )
}

/// Fills in the words in braces of a template; other braces stay as they are.
///
/// What is filled in is digits (hexadecimal for `hex` and `guid`), the user's and the host's name: never letters that
/// could make up a word that a detection looks for.
pub(super) fn fill(template: &'static str, rng: &mut Rng, user: &str, host: &str) -> Text {
    if !template.contains('{') {
        return template.into();
    }
    let mut text = String::with_capacity(template.len() + 48);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        let word = rest.split_once('}').map_or("", |(word, _)| word);
        match word {
            "user" => text.push_str(user),
            "host" => text.push_str(host),
            "guid" => text.push_str(&guid(rng)),
            "hex" => text.push_str(&format!("{:08x}", rng.u32(..))),
            "n" => text.push_str(&rng.u32(1000..100_000).to_string()),
            "rid" => text.push_str(&rng.u32(1104..1160).to_string()),
            "octet" => text.push_str(&rng.u32(1..255).to_string()),
            "digit" => text.push_str(&rng.u32(1..6).to_string()),
            _ => {
                text.push('{');
                continue;
            }
        }
        rest = &rest[word.len() + 1..];
    }
    text.push_str(rest);
    text.into()
}
