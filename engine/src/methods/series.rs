//! Models of time series: what each value would be, going by those before it.
//!
//! Sources: J. Durbin and S. J. Koopman, "Time Series Analysis by State Space Methods" (2nd edition, 2012), chapters
//! 2 and 3, and 2.10.2 for the likelihood; P. J. Harrison and C. F. Stevens, "Bayesian Forecasting" (1976) for
//! seasons; J. M. Bates and C. W. J. Granger, "The Combination of Forecasts" (1969).

use super::kalman::{Innovation, Matrix, Model, Observation, State, UNIT};

/// How many values at the end the variances are estimated from.
const ESTIMATED_FROM: usize = 2_000;

/// The longest period that is looked for.
const LONGEST_PERIOD: usize = 1_000;

/// What a value is expected to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The mean.
    pub mean: f64,
    /// The variance.
    pub variance: f64,
}

/// A prediction for each value and for those that follow; `None` where nothing can be said.
pub type Predictions = Vec<Option<Prediction>>;

/// How well variances explain the values.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    squares: f64,
    logarithms: f64,
    count: f64,
}

impl Fit {
    fn add(&mut self, innovation: Innovation) {
        if innovation.variance > 0.0 {
            self.squares += innovation.error * innovation.error / innovation.variance;
            self.logarithms += innovation.variance.ln();
            self.count += 1.0;
        }
    }

    /// The variance that all others are multiples of.
    fn scale(&self) -> f64 {
        if self.count > 0.0 { self.squares / self.count } else { 0.0 }
    }

    /// Twice the negative logarithm of the likelihood, up to a constant.
    fn cost(&self) -> f64 {
        self.count * self.scale().max(f64::MIN_POSITIVE).ln() + self.logarithms
    }
}

/// A local level, or a local level and trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Without trend.
    Level,
    /// With a trend.
    Trend,
}

impl Shape {
    fn model(self, noise: [f64; 2]) -> Model {
        match self {
            Shape::Level => Model { transition: UNIT, noise: diagonal([noise[0], 0.0]), unknown: [true, false] },
            Shape::Trend => {
                Model { transition: [[1.0, 1.0], [0.0, 1.0]], noise: diagonal(noise), unknown: [true, true] }
            }
        }
    }

    /// How many unknown variances besides that of the values.
    fn ratios(self) -> usize {
        match self {
            Shape::Level => 1,
            Shape::Trend => 2,
        }
    }
}

fn diagonal(parts: [f64; 2]) -> Matrix {
    [[parts[0], 0.0], [0.0, parts[1]]]
}

/// The predictions of a local level, with a trend or without, for the values and `more` that follow.
pub fn local(shape: Shape, values: &[Option<f64>], more: usize) -> Predictions {
    let (base, values) = based(values);
    let recent = last(&values);
    let noise = least(shape.ratios(), |noise| {
        let mut fit = Fit::default();
        run(&shape.model(noise), level(recent.iter().copied()), |innovation, _| {
            innovation.into_iter().for_each(|innovation| fit.add(innovation));
        });
        fit
    });
    let model = shape.model(noise.ratios);
    let seen = || values.iter().copied().chain(std::iter::repeat_n(None, more));
    both_ways(&model, level(seen()).collect(), noise.scale, base, |_| Some([1.0, 0.0]))
}

/// The predictions of a season of so many values: a local level for each phase.
pub fn seasonal(values: &[Option<f64>], period: usize, more: usize) -> Predictions {
    let period = period.max(1);
    let phases = |values: &[Option<f64>]| -> Vec<Vec<Option<f64>>> {
        (0..period).map(|phase| values.iter().copied().skip(phase).step_by(period).collect()).collect()
    };
    // All phases have the same variances. The last values start at a phase of their own, which does not matter.
    let recent: Vec<Vec<Option<f64>>> = phases(last(values)).iter().map(|phase| based(phase).1).collect();
    let noise = least(1, |noise| {
        let mut fit = Fit::default();
        for phase in &recent {
            run(&Shape::Level.model(noise), level(phase.iter().copied()), |innovation, _| {
                innovation.into_iter().for_each(|innovation| fit.add(innovation));
            });
        }
        fit
    });
    let model = Shape::Level.model(noise.ratios);
    let rows = values.len().saturating_add(more);
    let mut padded = values.to_vec();
    padded.resize(rows, None);
    let mut columns: Vec<_> = phases(&padded)
        .iter()
        .map(|phase| {
            let (base, phase) = based(phase);
            both_ways(&model, level(phase.iter().copied()).collect(), noise.scale, base, |_| Some([1.0, 0.0]))
                .into_iter()
        })
        .collect();
    (0..rows).map(|row| columns.get_mut(row % period).and_then(Iterator::next).flatten()).collect()
}

/// The predictions of a local level that another series helps to explain; `None` where that one has no value.
pub fn explained(values: &[Option<f64>], by: &[Option<f64>]) -> Predictions {
    let (base, values) = based(values);
    let present: Vec<f64> = by.iter().flatten().copied().collect();
    let count = (present.len() as f64).max(1.0);
    let mean = present.iter().sum::<f64>() / count;
    let spread = (present.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    // In units of its spread, so that how much is unknown can be told from rounding.
    let unit = if spread > 0.0 { spread } else { 1.0 };
    let weights: Vec<Option<[f64; 2]>> =
        by.iter().map(|value| value.map(|value| [1.0, (value - mean) / unit])).collect();
    let seen: Vec<Vec<Observation>> = weights
        .iter()
        .enumerate()
        .map(|(row, weights)| match (values.get(row).copied().flatten(), weights) {
            (Some(value), Some(weights)) => vec![Observation { weights: *weights, value, variance: 1.0 }],
            _ => Vec::new(),
        })
        .collect();
    let model = |noise: [f64; 2]| Model { transition: UNIT, noise: diagonal([noise[0], 0.0]), unknown: [true, true] };
    let recent = seen.get(seen.len().saturating_sub(ESTIMATED_FROM)..).unwrap_or_default();
    let noise = least(1, |noise| {
        let mut fit = Fit::default();
        run(&model(noise), recent.iter().cloned(), |innovation, _| {
            innovation.into_iter().for_each(|innovation| fit.add(innovation));
        });
        fit
    });
    both_ways(&model(noise.ratios), seen, noise.scale, base, |row| weights.get(row).copied().flatten())
}

/// The predictions of two local levels whose values, and whose movements, vary together.
pub fn together(values: [&[Option<f64>]; 2], more: usize) -> [Predictions; 2] {
    let [(first_base, first), (second_base, second)] = values.map(based);
    let rows = first.len().max(second.len());
    let errors = |noise: [f64; 2], values: &[Option<f64>]| {
        let mut errors: Vec<Option<Innovation>> = Vec::with_capacity(values.len());
        run(&Shape::Level.model(noise), level(values.iter().copied()), |innovation, _| errors.push(innovation));
        errors
    };
    // One ratio for both: the homogeneous model.
    let noise = least(1, |noise| {
        let mut fits = [Fit::default(), Fit::default()];
        for (fit, values) in fits.iter_mut().zip([&first, &second]) {
            errors(noise, last(values)).into_iter().flatten().for_each(|innovation| fit.add(innovation));
        }
        Joint(fits)
    });
    let (a, b) = (errors(noise.ratios, &first), errors(noise.ratios, &second));
    let standard = |innovation: &Innovation| innovation.error / innovation.variance.sqrt();
    let products: Vec<f64> = a
        .iter()
        .zip(&b)
        .filter_map(|(a, b)| Some((a.as_ref()?, b.as_ref()?)))
        .filter(|(a, b)| a.variance > 0.0 && b.variance > 0.0)
        .map(|(a, b)| standard(a) * standard(b))
        .collect();
    let [upper, lower] = noise.fit.0.map(|fit| fit.scale());
    let most = 0.999 * (upper * lower).sqrt();
    let shared = (products.iter().sum::<f64>() / (products.len() as f64).max(1.0)).clamp(-most, most);
    let covariance = [[upper, shared], [shared, lower]];
    let ratio = noise.ratios[0];
    let model =
        Model { transition: UNIT, noise: covariance.map(|row| row.map(|part| part * ratio)), unknown: [true, true] };
    // Noise that two values share is taken out of the second, so that they can be looked at one after the other.
    let share = if upper > 0.0 { shared / upper } else { 0.0 };
    let seen: Vec<Vec<Observation>> = (0..rows.saturating_add(more))
        .map(|row| {
            let at = |values: &[Option<f64>]| values.get(row).copied().flatten();
            let one = at(&first).map(|value| Observation { weights: [1.0, 0.0], value, variance: upper });
            let other = at(&second).map(|value| match at(&first) {
                Some(before) => Observation {
                    weights: [-share, 1.0],
                    value: value - share * before,
                    variance: (lower - share * shared).max(0.0),
                },
                None => Observation { weights: [0.0, 1.0], value, variance: lower },
            });
            one.into_iter().chain(other).collect()
        })
        .collect();
    // The covariances are whole already.
    let of = |weights: [f64; 2], variance: f64, base: f64| {
        let predictions = both_ways(&model, seen.clone(), 1.0, base, |_| Some(weights));
        // `both_ways` adds the noise of one observation of variance 1.
        let noise =
            |prediction: Prediction| Prediction { variance: prediction.variance - 1.0 + variance, ..prediction };
        predictions.into_iter().map(|prediction| prediction.map(noise)).collect()
    };
    [of([1.0, 0.0], upper, first_base), of([0.0, 1.0], lower, second_base)]
}

/// The weighted mean of two predictions of the same values: the better one so far weighs more.
pub fn combined(values: &[Option<f64>], one: &Predictions, other: &Predictions) -> Predictions {
    let (mut errors, mut count) = ([0.0, 0.0], 0.0);
    for ((value, one), other) in values.iter().zip(one).zip(other) {
        if let (Some(value), Some(one), Some(other)) = (value, one, other) {
            errors[0] += (value - one.mean).powi(2);
            errors[1] += (value - other.mean).powi(2);
            count += 1.0;
        }
    }
    let total = errors[0] + errors[1];
    let weight = if count > 0.0 && total > 0.0 { errors[1] / total } else { 0.5 };
    let mean = |one: &Prediction, other: &Prediction| Prediction {
        // Equal predictions give themselves exactly.
        mean: if one.mean == other.mean { one.mean } else { weight * one.mean + (1.0 - weight) * other.mean },
        variance: weight * one.variance + (1.0 - weight) * other.variance,
    };
    let pairs = one.iter().zip(other);
    pairs.map(|(one, other)| one.as_ref().zip(other.as_ref()).map(|(a, b)| mean(a, b)).or(*one).or(*other)).collect()
}

/// After how many values the series repeats, going by its autocorrelation without the straight line in it.
pub fn period(values: &[Option<f64>]) -> Option<usize> {
    let known: Vec<(f64, f64)> =
        values.iter().enumerate().filter_map(|(place, value)| Some((place as f64, (*value)?))).collect();
    let count = known.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| known.iter().map(part).sum::<f64>() / count;
    let (middle, height) = (mean(|known| known.0), mean(|known| known.1));
    let along: f64 = known.iter().map(|(place, value)| (place - middle) * (value - height)).sum();
    let across: f64 = known.iter().map(|(place, _)| (place - middle).powi(2)).sum();
    let slope = if across > 0.0 { along / across } else { 0.0 };
    let rest: Vec<Option<f64>> = values
        .iter()
        .enumerate()
        .map(|(place, value)| value.map(|value| value - height - slope * (place as f64 - middle)))
        .collect();
    let variance = rest.iter().flatten().map(|value| value * value).sum::<f64>() / count;
    // What is left of a straight line is rounding.
    let rounding = 1e-18 * (1.0 + height * height);
    if variance.is_nan() || rounding.is_nan() || variance <= rounding {
        return None;
    }
    let correlation = |distance: usize| {
        let pairs = rest.iter().zip(rest.iter().skip(distance)).filter_map(|(a, b)| Some((*a)? * (*b)?));
        let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), product| (sum + product, count + 1.0));
        if count > 0.0 { sum / count / variance } else { 0.0 }
    };
    let longest = (values.len() / 2).min(LONGEST_PERIOD);
    let all: Vec<f64> = (0..=longest.saturating_add(1)).map(correlation).collect();
    let (mut valley, mut peaks) = (f64::INFINITY, Vec::new());
    for (place, around) in all.windows(3).enumerate() {
        let [before, here, after] = around else { continue };
        let distance = place.saturating_add(1);
        valley = valley.min(*before);
        let peak = here > before && here >= after && *here >= 0.5 && here - valley >= 0.3;
        if peak && (2..=longest).contains(&distance) {
            peaks.push((distance, *here));
        }
    }
    let best = peaks.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    peaks.iter().find(|(_, height)| *height >= 0.9 * best).map(|(distance, _)| *distance)
}

/// The values less the first of them, so that a series that stands still is nothing but nothing.
fn based(values: &[Option<f64>]) -> (f64, Vec<Option<f64>>) {
    let base = values.iter().flatten().next().copied().unwrap_or(0.0);
    (base, values.iter().map(|value| value.map(|value| value - base)).collect())
}

fn last(values: &[Option<f64>]) -> &[Option<f64>] {
    values.get(values.len().saturating_sub(ESTIMATED_FROM)..).unwrap_or_default()
}

fn level(values: impl Iterator<Item = Option<f64>>) -> impl Iterator<Item = Vec<Observation>> {
    values
        .map(|value| value.map(|value| Observation { weights: [1.0, 0.0], value, variance: 1.0 }).into_iter().collect())
}

/// Runs the filter; tells of each time the last innovation, and what was known before and after it.
fn run(
    model: &Model,
    times: impl Iterator<Item = Vec<Observation>>,
    mut tell: impl FnMut(Option<Innovation>, [&State; 2]),
) {
    let mut state = State::new(model);
    for observations in times {
        let before = state;
        let mut innovation = None;
        for observation in &observations {
            innovation = state.update(observation);
        }
        tell(innovation, [&before, &state]);
        state.advance(model);
    }
}

/// What is seen at each time going by the times before it, or, where these say nothing, by those after it, or, where
/// these are too few as well, by it and those after it.
fn both_ways(
    model: &Model,
    times: Vec<Vec<Observation>>,
    scale: f64,
    base: f64,
    weights: impl Fn(usize) -> Option<[f64; 2]>,
) -> Predictions {
    let predict = |state: &State, row: usize| {
        let (mean, variance) = state.signal(weights(row)?)?;
        Some(Prediction { mean: base + mean, variance: scale * (variance + 1.0) })
    };
    let rows = times.len();
    let mut found: Predictions = Vec::with_capacity(rows);
    run(model, times.iter().cloned(), |_, [before, _]| found.push(predict(before, found.len())));
    if found.iter().any(Option::is_none) {
        let mut row = rows;
        run(model, times.into_iter().rev(), |_, [after, with_it]| {
            row = row.saturating_sub(1);
            if let Some(place @ None) = found.get_mut(row) {
                *place = predict(after, row).or_else(|| predict(with_it, row));
            }
        });
    }
    found
}

/// What is made as small as possible.
trait Cost {
    fn cost(&self) -> f64;
    fn scale(&self) -> f64;
}

impl Cost for Fit {
    fn cost(&self) -> f64 {
        Fit::cost(self)
    }

    fn scale(&self) -> f64 {
        Fit::scale(self)
    }
}

/// Two series with one ratio, and a scale each.
struct Joint([Fit; 2]);

impl Cost for Joint {
    fn cost(&self) -> f64 {
        self.0.iter().map(Fit::cost).sum()
    }

    fn scale(&self) -> f64 {
        1.0
    }
}

/// The variances that explain the values best.
struct Least<F> {
    /// Those of the states, as multiples of that of the values' noise.
    ratios: [f64; 2],
    /// That of the values' noise.
    scale: f64,
    fit: F,
}

/// Tries variances of the states: none and powers of e, at first with wide steps, then with narrower ones.
fn least<F: Cost>(ratios: usize, fit: impl Fn([f64; 2]) -> F) -> Least<F> {
    let grid: Vec<Option<f64>> =
        std::iter::once(None).chain((-6..=3).map(|step| Some(f64::from(step) * 2.0))).collect();
    let value = |power: Option<f64>| power.map_or(0.0, f64::exp);
    let seconds = if ratios > 1 { grid.as_slice() } else { &[None] };
    let none = fit([0.0, 0.0]);
    let mut best = ([None, None], none.cost(), none);
    let consider = |powers: [Option<f64>; 2], best: &mut ([Option<f64>; 2], f64, F)| {
        let candidate = fit(powers.map(value));
        let cost = candidate.cost();
        // Rounding is no reason to prefer another.
        let better = cost < best.1 - 1e-9 * (1.0 + best.1.abs());
        if better {
            *best = (powers, cost, candidate);
        }
    };
    for first in &grid {
        for second in seconds {
            consider([*first, *second], &mut best);
        }
    }
    for step in [1.0, 0.5, 0.25] {
        for state in 0..ratios {
            for direction in [-step, step] {
                let mut powers = best.0;
                if let Some(power) = powers.get_mut(state).and_then(Option::as_mut) {
                    *power += direction;
                    consider(powers, &mut best);
                }
            }
        }
    }
    let (powers, _, fit) = best;
    Least { ratios: powers.map(value), scale: fit.scale(), fit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    fn means(predictions: &Predictions) -> Vec<f64> {
        predictions.iter().map(|prediction| prediction.unwrap().mean).collect()
    }

    #[test]
    fn a_line_goes_on() {
        let values = some(&[2.0, 4.0, 6.0, 8.0, 10.0]);
        let predicted = local(Shape::Trend, &values, 3);
        for (mean, expected) in means(&predicted).iter().zip([2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]) {
            assert!((mean - expected).abs() < 1e-9, "{predicted:?}");
        }
        assert!(predicted.iter().flatten().all(|prediction| prediction.variance < 1e-9));
    }

    #[test]
    fn three_values_are_enough_for_a_line() {
        assert_eq!(means(&local(Shape::Trend, &some(&[1.0, 2.0, 3.0]), 1)), [1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_season_comes_again() {
        let values = some(&[1.0, 5.0, 9.0, 1.0, 5.0, 9.0, 1.0, 5.0, 9.0]);
        assert_eq!(period(&values), Some(3));
        assert_eq!(means(&seasonal(&values, 3, 4)), [1.0, 5.0, 9.0, 1.0, 5.0, 9.0, 1.0, 5.0, 9.0, 1.0, 5.0, 9.0, 1.0]);
    }

    #[test]
    fn lines_and_noise_have_no_period() {
        assert_eq!(period(&some(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])), None);
        assert_eq!(period(&some(&[3.0; 12])), None);
        assert_eq!(period(&[]), None);
        let mut random = fastrand::Rng::with_seed(7);
        let noise: Vec<Option<f64>> = (0..200).map(|_| Some(random.f64())).collect();
        assert_eq!(period(&noise), None);
    }

    #[test]
    fn a_gap_is_filled_and_noise_averages_out() {
        let values = [Some(10.0), Some(12.0), None, Some(10.0), Some(12.0), Some(11.0)];
        let predicted = means(&local(Shape::Level, &values, 2));
        // No movement explains these best, so a prediction is the mean so far.
        assert!((predicted[2] - 11.0).abs() < 1e-9, "{predicted:?}");
        assert!((predicted[6] - 11.0).abs() < 1e-9 && predicted[6] == predicted[7]);
    }

    #[test]
    fn another_series_explains() {
        let by = some(&[1.0, 5.0, 2.0, 8.0, 3.0, 7.0]);
        let values = [Some(3.0), Some(11.0), Some(5.0), Some(17.0), None, None];
        for (mean, by) in means(&explained(&values, &by)).iter().zip(by) {
            assert!((mean - (2.0 * by.unwrap() + 1.0)).abs() < 1e-6, "{mean}");
        }
        assert_eq!(explained(&values[..2], &[Some(1.0), None, Some(2.0)])[1], None);
    }

    #[test]
    fn what_varies_together_fills_gaps_together() {
        let a = [Some(0.0), Some(4.0), Some(-4.0), Some(4.0), Some(-4.0), Some(4.0), None];
        let b = [Some(1.0), Some(9.0), Some(-7.0), Some(9.0), Some(-7.0), Some(9.0), Some(9.0)];
        let [a, b] = together([&a, &b], 2);
        assert_eq!((a.len(), b.len()), (9, 9));
        assert!(a.iter().chain(&b).all(|prediction| prediction.is_some_and(|p| p.variance >= 0.0)));
    }

    proptest! {
        #[test]
        fn what_stands_still_is_predicted_to(value in -1e6_f64..1e6, count in 4_usize..20, more in 0_usize..5) {
            let values = vec![Some(value); count];
            let [one, other] = together([&values, &values], more);
            let shapes = [local(Shape::Level, &values, more), local(Shape::Trend, &values, more)];
            for predictions in shapes.iter().chain([&seasonal(&values, 2, more), &one, &other]) {
                prop_assert_eq!(predictions.len(), count + more);
                for prediction in predictions {
                    prop_assert_eq!(*prediction, Some(Prediction { mean: value, variance: 0.0 }));
                }
            }
        }

        #[test]
        fn variances_are_none_or_more(values in prop::collection::vec(prop::option::of(-1e3_f64..1e3), 3..30)) {
            let combined = combined(&values, &local(Shape::Trend, &values, 2), &seasonal(&values, 3, 2));
            for prediction in combined.iter().flatten() {
                prop_assert!(prediction.variance >= 0.0 && prediction.mean.is_finite());
            }
        }
    }
}
