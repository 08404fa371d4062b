//! The classical seasonal decomposition by moving averages, which X-11 begins with: the trend is the centred moving
//! average over a period, the pattern the mean ratio (or difference) of the values and the trend at each place of the
//! period.
//!
//! Source: Makridakis, Wheelwright and Hyndman, "Forecasting: Methods and Applications", chapter 3.

/// How a pattern is part of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// It is added to them.
    Additive,
    /// They are multiplied by it.
    Multiplicative,
}

/// The values without the pattern that repeats after `period` of them; `None` where fewer than two periods are known,
/// or no place of the period has a trend.
pub fn adjusted(values: &[Option<f64>], period: usize, model: Model) -> Option<Vec<Option<f64>>> {
    if period == 0 || values.len() < period.saturating_mul(2) {
        return None;
    }
    let pattern = pattern(values, &trend(values, period), period, model)?;
    let places = pattern.iter().cycle();
    let without = |(value, place): (&Option<f64>, &f64)| {
        let value = (*value)?;
        let rest = match model {
            Model::Additive => value - place,
            Model::Multiplicative => value / place,
        };
        Some(rest).filter(|rest| rest.is_finite())
    };
    Some(values.iter().zip(places).map(without).collect())
}

/// The centred moving average; over an even period the two outermost values count half.
fn trend(values: &[Option<f64>], period: usize) -> Vec<Option<f64>> {
    let half = period / 2;
    let even = period.is_multiple_of(2);
    let mean = |window: &[Option<f64>]| {
        let last = window.len().saturating_sub(1);
        let mut sum = 0.0;
        for (place, value) in window.iter().enumerate() {
            let weight = if even && (place == 0 || place == last) { 0.5 } else { 1.0 };
            sum += weight * (*value)?;
        }
        Some(sum / period as f64)
    };
    (0..values.len())
        .map(|place| {
            let window = values.get(place.checked_sub(half)?..=place.checked_add(half)?)?;
            mean(window)
        })
        .collect()
}

/// The pattern at each place of the period, scaled so that it neither lifts nor lowers the whole.
fn pattern(values: &[Option<f64>], trend: &[Option<f64>], period: usize, model: Model) -> Option<Vec<f64>> {
    let mut sums = vec![(0.0, 0.0); period];
    for (place, (value, trend)) in values.iter().zip(trend).enumerate() {
        let (Some(value), Some(trend), Some(sum)) = (value, trend, sums.get_mut(place.checked_rem(period)?)) else {
            continue;
        };
        let part = match model {
            Model::Additive => value - trend,
            Model::Multiplicative => value / trend,
        };
        *sum = (sum.0 + part, sum.1 + 1.0);
    }
    let means = sums.into_iter().map(|(sum, count)| (count > 0.0).then_some(sum / count));
    let means: Vec<f64> = means.collect::<Option<_>>()?;
    let middle = means.iter().sum::<f64>() / period as f64;
    let scaled = means.iter().map(|mean| match model {
        Model::Additive => mean - middle,
        Model::Multiplicative => mean / middle,
    });
    Some(scaled.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_taken_away() {
        let pattern = [4.0, -2.0, 1.0, -3.0, 0.0];
        let values: Vec<Option<f64>> = (0..20).map(|n| Some(f64::from(n) * 2.0 + pattern[n as usize % 5])).collect();
        let rest = adjusted(&values, 5, Model::Additive).unwrap();
        assert!(rest.iter().enumerate().all(|(n, rest)| (rest.unwrap() - n as f64 * 2.0).abs() < 1e-9), "{rest:?}");
    }

    #[test]
    fn what_is_multiplied_is_divided() {
        let pattern = [0.5, 1.5, 1.0, 0.8, 1.2, 1.0];
        let values: Vec<Option<f64>> = (0..24).map(|n| Some(100.0 * pattern[n % 6])).collect();
        let rest = adjusted(&values, 6, Model::Multiplicative).unwrap();
        assert!(rest.iter().all(|rest| (rest.unwrap() - 100.0).abs() < 1e-9), "{rest:?}");
    }

    #[test]
    fn two_periods_are_needed() {
        assert_eq!(adjusted(&[Some(1.0); 9], 5, Model::Additive), None);
        assert_eq!(adjusted(&[None; 10], 5, Model::Additive), None);
        assert_eq!(adjusted(&[Some(1.0)], 0, Model::Additive), None);
    }
}
