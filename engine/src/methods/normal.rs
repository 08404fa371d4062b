//! The normal distribution.
//!
//! Source: G. Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11 (2004).

/// Beyond so many standard deviations nothing is left in a double.
const FARTHEST: f64 = 9.0;

/// The probability of a value below `x`.
pub fn cumulative(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.abs() > FARTHEST {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    // x + x^3/3 + x^5/(3*5) + ... until nothing changes.
    let (mut sum, mut term, mut odd) = (x, x, 1.0);
    loop {
        odd += 2.0;
        term *= x * x / odd;
        let next = sum + term;
        if next == sum {
            break;
        }
        sum = next;
    }
    (0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()).clamp(0.0, 1.0)
}

/// The probability of a value at least so many standard deviations from the mean, on either side.
pub fn two_sided(deviations: f64) -> f64 {
    (2.0 * cumulative(-deviations.abs())).clamp(0.0, 1.0)
}

/// The value below which a value lies with this probability.
pub fn quantile(probability: f64) -> f64 {
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if cumulative(middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (3.0, 0.998_650_102)] {
            assert!((cumulative(x) - p).abs() < 1e-9, "{x}");
        }
        assert!((quantile(0.975) - 1.959_963_985).abs() < 1e-8);
        assert!(quantile(0.5).abs() < 1e-9);
        assert!((two_sided(2.0) - 0.045_500_264).abs() < 1e-9);
        assert_eq!(two_sided(f64::INFINITY), 0.0);
    }
}
