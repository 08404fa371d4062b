//! Quantiles and histograms of numbers that occur several times.
//!
//! Sources: R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages" (1996), type 7; D. Freedman and
//! P. Diaconis, "On the histogram as a density estimator" (1981); H. A. Sturges, "The choice of a class interval"
//! (1926).

/// The most bins of a histogram.
const MOST_BINS: f64 = 1_000.0;

/// Numbers in rising order, each with how often it occurs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Multiset {
    numbers: Vec<(f64, u64)>,
    total: u64,
}

impl Multiset {
    /// Of numbers in any order; those that are none are left out.
    pub fn new(numbers: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut numbers: Vec<(f64, u64)> =
            numbers.into_iter().filter(|(number, count)| number.is_finite() && *count > 0).collect();
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total = numbers.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
        Self { numbers, total }
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The least and the greatest.
    pub fn ends(&self) -> Option<(f64, f64)> {
        Some((self.numbers.first()?.0, self.numbers.last()?.0))
    }

    /// The quantile of a share from 0 to 1, between two numbers in proportion.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let place = self.total.checked_sub(1)? as f64 * share.clamp(0.0, 1.0);
        let (low, high) = (self.at(place.floor() as u64)?, self.at(place.ceil() as u64)?);
        let part = place - place.floor();
        // Equal ends give their value exactly.
        Some(if low == high { low } else { low + part * (high - low) })
    }

    /// The first and the third quartile.
    pub fn quartiles(&self) -> Option<(f64, f64)> {
        Some((self.quantile(0.25)?, self.quantile(0.75)?))
    }

    fn at(&self, rank: u64) -> Option<f64> {
        let mut before: u64 = 0;
        for (number, count) in &self.numbers {
            before = before.saturating_add(*count);
            if rank < before {
                return Some(*number);
            }
        }
        None
    }

    /// The histogram.
    pub fn histogram(&self) -> Option<Histogram> {
        let (least, greatest) = self.ends()?;
        let (first, third) = self.quartiles()?;
        let (range, total) = (greatest - least, self.total as f64);
        let diaconis = 2.0 * (third - first) / total.cbrt();
        let width = if diaconis > 0.0 { diaconis } else { range / (total.log2().ceil() + 1.0) };
        let width = width.max(range / MOST_BINS);
        let mut histogram = Histogram { least, width, counts: Vec::new() };
        let bins = histogram.bin(greatest).saturating_add(1);
        histogram.counts = vec![0; bins];
        for (number, count) in &self.numbers {
            let bin = histogram.bin(*number);
            if let Some(sum) = histogram.counts.get_mut(bin) {
                *sum = sum.saturating_add(*count);
            }
        }
        Some(histogram)
    }
}

/// How many numbers lie in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    least: f64,
    width: f64,
    counts: Vec<u64>,
}

impl Histogram {
    fn bin(&self, number: f64) -> usize {
        if self.width > 0.0 && self.width.is_finite() { ((number - self.least) / self.width) as usize } else { 0 }
    }

    /// How many numbers are in the bin of this one.
    pub fn count(&self, number: f64) -> u64 {
        self.counts.get(self.bin(number)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quartiles_lie_between_numbers() {
        let numbers = Multiset::new([1.0, 2.0, 3.0, 4.0].map(|number| (number, 1)));
        assert_eq!(numbers.quartiles(), Some((1.75, 3.25)));
        assert_eq!(Multiset::new([(5.0, 3)]).quartiles(), Some((5.0, 5.0)));
        assert_eq!(Multiset::default().quartiles(), None);
    }

    #[test]
    fn a_rare_far_number_has_a_bin_of_its_own() {
        let histogram = Multiset::new([(1.0, 19), (100.0, 1)]).histogram().unwrap();
        assert_eq!((histogram.count(1.0), histogram.count(100.0)), (19, 1));
    }

    proptest! {
        #[test]
        fn every_number_is_in_a_bin(numbers in prop::collection::vec(-1e6_f64..1e6, 1..50)) {
            let histogram = Multiset::new(numbers.iter().map(|number| (*number, 1))).histogram().unwrap();
            prop_assert_eq!(histogram.counts.iter().sum::<u64>(), numbers.len() as u64);
            for number in numbers {
                prop_assert!(histogram.count(number) > 0);
            }
        }
    }
}
