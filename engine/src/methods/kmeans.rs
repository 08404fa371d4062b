//! k-means.
//!
//! Sources: S. P. Lloyd, "Least Squares Quantization in PCM" (1982); D. Arthur and S. Vassilvitskii, "k-means++: The
//! Advantages of Careful Seeding" (2007); I. S. Dhillon and D. S. Modha, "Concept Decompositions for Large Sparse
//! Text Data Using Clustering" (2001) for the cosine.

/// How far apart points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// The sum of the differences.
    CityBlock,
    /// The sum of the squared differences.
    SquaredEuclidean,
    /// One less the cosine of the angle.
    Cosine,
}

/// How much work one clustering may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// How often it is begun anew.
    pub repetitions: u64,
    /// How many steps at most.
    pub steps: u64,
    /// By how much a step has to make the distortion smaller.
    pub tolerance: f64,
}

/// Points in groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustering {
    /// The group of each point, numbered from 0 in the order of their first points.
    pub labels: Vec<usize>,
    /// The centre of each group.
    pub centres: Vec<Vec<f64>>,
    /// The mean distance of a point from its centre.
    pub distortion: f64,
    /// Whether all repetitions were made.
    pub complete: bool,
}

/// The most differences that are computed; then what was found so far counts.
const MOST_DIFFERENCES: u64 = 10_000_000_000;

/// At most `count` groups of points, each of which is in the group with the nearest centre.
pub fn cluster(points: &[Vec<f64>], count: usize, distance: Distance, effort: Effort) -> Clustering {
    let units: Vec<Vec<f64>>;
    let points = match distance {
        Distance::Cosine => {
            units = points.iter().map(|point| unit(point)).collect();
            units.as_slice()
        }
        _ => points,
    };
    let dimensions = points.first().map_or(0, Vec::len);
    let step_cost = (points.len().saturating_mul(count).saturating_mul(dimensions)) as u64;
    // Fixed, so that the same rows give the same groups.
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let mut left = MOST_DIFFERENCES;
    let mut best: Option<(Vec<usize>, Vec<Vec<f64>>, f64)> = None;
    let mut complete = true;
    for _ in 0..effort.repetitions.max(1) {
        if left == 0 {
            complete = false;
            break;
        }
        let mut centres = seeds(points, count, distance, &mut random);
        let mut before: Option<(Vec<usize>, f64)> = None;
        for step in 0..effort.steps.max(1) {
            let (labels, distortion) = assign(points, &centres, distance);
            left = left.saturating_sub(step_cost.max(1));
            let settled = before.as_ref().is_some_and(|(labels_before, distortion_before)| {
                labels == *labels_before || distortion_before - distortion <= effort.tolerance
            });
            let done = settled || left == 0 || step.saturating_add(1) >= effort.steps;
            if !done {
                centres = means(points, &labels, &centres);
            }
            before = Some((labels, distortion));
            if done {
                break;
            }
        }
        if let Some((labels, distortion)) = before
            && best.as_ref().is_none_or(|(_, _, least)| distortion < *least)
        {
            best = Some((labels, centres, distortion));
        }
    }
    let (labels, centres, distortion) = best.unwrap_or_default();
    numbered(labels, centres, distortion, complete)
}

/// Groups in the order of their first points; those without points are gone.
fn numbered(labels: Vec<usize>, centres: Vec<Vec<f64>>, distortion: f64, complete: bool) -> Clustering {
    let mut numbers: Vec<Option<usize>> = vec![None; centres.len()];
    let mut kept = Vec::new();
    let labels = labels
        .into_iter()
        .map(|label| match numbers.get_mut(label) {
            Some(number) => *number.get_or_insert_with(|| {
                kept.push(centres.get(label).cloned().unwrap_or_default());
                kept.len().saturating_sub(1)
            }),
            None => 0,
        })
        .collect();
    Clustering { labels, centres: kept, distortion, complete }
}

/// Points to begin with: each the likelier, the farther it is from those chosen before.
fn seeds(points: &[Vec<f64>], count: usize, distance: Distance, random: &mut fastrand::Rng) -> Vec<Vec<f64>> {
    let mut centres: Vec<Vec<f64>> = Vec::new();
    if points.is_empty() {
        return centres;
    }
    centres.extend(points.get(random.usize(..points.len())).cloned());
    let weight = |far: f64| if distance == Distance::SquaredEuclidean { far } else { far * far };
    let mut nearest: Vec<f64> = vec![f64::INFINITY; points.len()];
    while centres.len() < count {
        if let Some(centre) = centres.last() {
            for (near, point) in nearest.iter_mut().zip(points) {
                *near = near.min(weight(measure(point, centre, distance)));
            }
        }
        let total: f64 = nearest.iter().sum();
        if total.is_nan() || total <= 0.0 {
            break;
        }
        let mut target = random.f64() * total;
        let mut chosen = nearest.iter().rposition(|near| *near > 0.0).unwrap_or(0);
        for (place, near) in nearest.iter().enumerate() {
            target -= near;
            if target < 0.0 && *near > 0.0 {
                chosen = place;
                break;
            }
        }
        centres.extend(points.get(chosen).cloned());
    }
    centres
}

/// The nearest centre of each point, and the mean distance.
fn assign(points: &[Vec<f64>], centres: &[Vec<f64>], distance: Distance) -> (Vec<usize>, f64) {
    let mut total = 0.0;
    let mut labels = Vec::with_capacity(points.len());
    for point in points {
        let (mut nearest, mut least) = (0, f64::INFINITY);
        for (label, centre) in centres.iter().enumerate() {
            let far = measure(point, centre, distance);
            if far < least {
                (nearest, least) = (label, far);
            }
        }
        labels.push(nearest);
        total += least;
    }
    (labels, if points.is_empty() { 0.0 } else { total / points.len() as f64 })
}

/// The mean of each group; a group without points keeps its centre.
fn means(points: &[Vec<f64>], labels: &[usize], centres: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut sums: Vec<(Vec<f64>, f64)> = centres.iter().map(|centre| (vec![0.0; centre.len()], 0.0)).collect();
    for (point, label) in points.iter().zip(labels) {
        if let Some((sum, count)) = sums.get_mut(*label) {
            sum.iter_mut().zip(point).for_each(|(sum, part)| *sum += part);
            *count += 1.0;
        }
    }
    sums.into_iter()
        .zip(centres)
        .map(
            |((sum, count), centre)| {
                if count > 0.0 { sum.into_iter().map(|part| part / count).collect() } else { centre.clone() }
            },
        )
        .collect()
}

/// How far two points are apart.
pub fn measure(a: &[f64], b: &[f64], distance: Distance) -> f64 {
    let pairs = a.iter().zip(b);
    match distance {
        Distance::CityBlock => pairs.map(|(a, b)| (a - b).abs()).sum(),
        Distance::SquaredEuclidean => pairs.map(|(a, b)| (a - b) * (a - b)).sum(),
        Distance::Cosine => {
            let lengths = (length(a) * length(b)).max(f64::MIN_POSITIVE);
            (1.0 - pairs.map(|(a, b)| a * b).sum::<f64>() / lengths).max(0.0)
        }
    }
}

fn length(point: &[f64]) -> f64 {
    point.iter().map(|part| part * part).sum::<f64>().sqrt()
}

fn unit(point: &[f64]) -> Vec<f64> {
    let length = length(point);
    if length > 0.0 { point.iter().map(|part| part / length).collect() } else { point.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EFFORT: Effort = Effort { repetitions: 10, steps: 10_000, tolerance: 0.0 };

    #[test]
    fn two_heaps() {
        let points: Vec<Vec<f64>> = [1.0, 2.0, 3.0, 101.0, 102.0, 103.0].map(|x| vec![x]).to_vec();
        let found = cluster(&points, 2, Distance::SquaredEuclidean, EFFORT);
        assert_eq!(found.labels, [0, 0, 0, 1, 1, 1]);
        assert_eq!(found.centres, [vec![2.0], vec![102.0]]);
        assert!((found.distortion - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn directions() {
        let points = vec![vec![1.0, 0.1], vec![0.1, 1.0], vec![10.0, 1.1], vec![0.0, 7.0]];
        assert_eq!(cluster(&points, 2, Distance::Cosine, EFFORT).labels, [0, 1, 0, 1]);
    }

    proptest! {
        #[test]
        fn every_point_is_in_the_nearest_group(
            points in prop::collection::vec(prop::collection::vec(-100.0_f64..100.0, 2), 1..30),
            count in 2_usize..6,
            distance in prop::sample::select(vec![Distance::CityBlock, Distance::SquaredEuclidean]),
        ) {
            let found = cluster(&points, count, distance, EFFORT);
            prop_assert!(found.centres.len() <= count);
            for (point, label) in points.iter().zip(&found.labels) {
                let own = measure(point, &found.centres[*label], distance);
                for centre in &found.centres {
                    prop_assert!(own <= measure(point, centre, distance) + 1e-9);
                }
            }
            // Labels are dense.
            for label in 0..found.centres.len() {
                prop_assert!(found.labels.contains(&label));
            }
        }
    }
}
