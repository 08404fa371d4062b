//! The Kalman filter with two states, one observation at a time, and an exact diffuse start.
//!
//! Source: J. Durbin and S. J. Koopman, "Time Series Analysis by State Space Methods" (2nd edition, 2012), sections
//! 4.3 (filtering), 5.2 (exact initial filtering) and 6.4 (observations one at a time).

/// Two by two.
pub type Matrix = [[f64; 2]; 2];

/// Nothing.
pub const ZERO: Matrix = [[0.0, 0.0], [0.0, 0.0]];
/// The states stay as they are.
pub const UNIT: Matrix = [[1.0, 0.0], [0.0, 1.0]];

/// Less than this is nothing left of the unit that an unknown state starts with.
const DETERMINED: f64 = 1e-9;

/// How states move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// The next states from the present ones.
    pub transition: Matrix,
    /// The covariance of what is added at random.
    pub noise: Matrix,
    /// Which states are unknown at the start; the others are nothing.
    pub unknown: [bool; 2],
}

/// What is seen of the states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// How much of each state is seen.
    pub weights: [f64; 2],
    /// The value.
    pub value: f64,
    /// The variance of the noise in it.
    pub variance: f64,
}

/// How far a value was from what was expected, and the variance of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Innovation {
    /// The difference.
    pub error: f64,
    /// Its variance.
    pub variance: f64,
}

/// What is known of the states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct State {
    mean: [f64; 2],
    covariance: Matrix,
    /// The part of the covariance that is infinite.
    unknown: Matrix,
}

impl State {
    /// Before anything is seen.
    pub fn new(model: &Model) -> Self {
        let [first, second] = model.unknown.map(|unknown| if unknown { 1.0 } else { 0.0 });
        Self { mean: [0.0, 0.0], covariance: ZERO, unknown: [[first, 0.0], [0.0, second]] }
    }

    /// The mean and the variance of what is seen with these weights, without the noise of the observation; `None`
    /// as long as it is unknown.
    pub fn signal(&self, weights: [f64; 2]) -> Option<(f64, f64)> {
        if dot(weights, apply(&self.unknown, weights)) > DETERMINED {
            return None;
        }
        Some((dot(weights, self.mean), dot(weights, apply(&self.covariance, weights)).max(0.0)))
    }

    /// Learns from an observation; tells how far it was from what was expected, if anything was.
    pub fn update(&mut self, observation: &Observation) -> Option<Innovation> {
        let Observation { weights, value, variance } = *observation;
        let error = value - dot(weights, self.mean);
        let seen = apply(&self.covariance, weights);
        let total = dot(weights, seen) + variance;
        let infinite = apply(&self.unknown, weights);
        let unknown = dot(weights, infinite);
        if unknown > DETERMINED {
            let gain = infinite.map(|part| part / unknown);
            self.mean = [self.mean[0] + gain[0] * error, self.mean[1] + gain[1] * error];
            self.covariance = sum(&self.covariance, &scaled(&outer(gain, gain), total));
            self.covariance = sum(&self.covariance, &scaled(&outer(seen, gain), -1.0));
            self.covariance = sum(&self.covariance, &scaled(&outer(gain, seen), -1.0));
            self.unknown = sum(&self.unknown, &scaled(&outer(infinite, gain), -1.0));
            self.unknown = self.unknown.map(|row| row.map(|part| if part.abs() < DETERMINED { 0.0 } else { part }));
            return None;
        }
        if total > 0.0 {
            let gain = seen.map(|part| part / total);
            self.mean = [self.mean[0] + gain[0] * error, self.mean[1] + gain[1] * error];
            self.covariance = sum(&self.covariance, &scaled(&outer(gain, seen), -1.0));
        }
        Some(Innovation { error, variance: total })
    }

    /// Goes on to the next time.
    pub fn advance(&mut self, model: &Model) {
        let transition = &model.transition;
        self.mean = apply(transition, self.mean);
        self.covariance = sum(&moved(transition, &self.covariance), &model.noise);
        self.unknown = moved(transition, &self.unknown);
    }
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn apply(matrix: &Matrix, vector: [f64; 2]) -> [f64; 2] {
    [dot(matrix[0], vector), dot(matrix[1], vector)]
}

fn outer(a: [f64; 2], b: [f64; 2]) -> Matrix {
    [[a[0] * b[0], a[0] * b[1]], [a[1] * b[0], a[1] * b[1]]]
}

fn scaled(matrix: &Matrix, factor: f64) -> Matrix {
    matrix.map(|row| row.map(|part| part * factor))
}

fn sum(a: &Matrix, b: &Matrix) -> Matrix {
    [[a[0][0] + b[0][0], a[0][1] + b[0][1]], [a[1][0] + b[1][0], a[1][1] + b[1][1]]]
}

/// `T P T'`.
fn moved(transition: &Matrix, covariance: &Matrix) -> Matrix {
    let rows = transition.map(|row| {
        [row[0] * covariance[0][0] + row[1] * covariance[1][0], row[0] * covariance[0][1] + row[1] * covariance[1][1]]
    });
    rows.map(|row| [dot(row, transition[0]), dot(row, transition[1])])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chapter 2.2 of the book by hand: with noise 1 and a moving level of variance 1, after the values 1 and 3.
    #[test]
    fn a_local_level_by_hand() {
        let model = Model { transition: UNIT, noise: [[1.0, 0.0], [0.0, 0.0]], unknown: [true, false] };
        let see = |value| Observation { weights: [1.0, 0.0], value, variance: 1.0 };
        let mut state = State::new(&model);
        assert_eq!(state.signal([1.0, 0.0]), None);
        assert_eq!(state.update(&see(1.0)), None);
        state.advance(&model);
        assert_eq!(state.signal([1.0, 0.0]), Some((1.0, 2.0)));
        assert_eq!(state.update(&see(3.0)), Some(Innovation { error: 2.0, variance: 3.0 }));
        state.advance(&model);
        let (mean, variance) = state.signal([1.0, 0.0]).unwrap();
        assert!((mean - (1.0 + 2.0 * 2.0 / 3.0)).abs() < 1e-12);
        assert!((variance - (2.0 / 3.0 + 1.0)).abs() < 1e-12);
    }

    #[test]
    fn two_values_determine_a_line() {
        let model = Model { transition: [[1.0, 1.0], [0.0, 1.0]], noise: ZERO, unknown: [true, true] };
        let mut state = State::new(&model);
        for value in [3.0, 5.0] {
            assert_eq!(state.update(&Observation { weights: [1.0, 0.0], value, variance: 1.0 }), None);
            state.advance(&model);
        }
        let (mean, variance) = state.signal([1.0, 0.0]).unwrap();
        assert_eq!(mean, 7.0);
        // Extrapolating a line through two points with noise 1: 1 + 4.
        assert!((variance - 5.0).abs() < 1e-12);
    }
}
