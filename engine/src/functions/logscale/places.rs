//! Places on the earth.

use super::{number_at, some_number, some_text};
use crate::functions::kernel::{Returns, Row};

/// The kernels.
pub const ROWS: &[Row] = &[DISTANCE, GEOHASH, NETWORK_OF];

/// The mean radius of the earth in metres.
const RADIUS: f64 = 6_371_009.0;

/// `cql_distance(lat1, lon1, lat2, lon2)`: metres along the great circle, by the haversine formula.
pub const DISTANCE: Row = Row {
    name: "cql_distance",
    returns: Returns::Number,
    evaluate: |values| {
        let distance = || {
            let radians = |position| number_at(values, position).map(f64::to_radians);
            let (lat1, lon1, lat2, lon2) = (radians(0)?, radians(1)?, radians(2)?, radians(3)?);
            let half = |angle: f64| (angle / 2.0).sin().powi(2);
            let chord = half(lat2 - lat1) + lat1.cos() * lat2.cos() * half(lon2 - lon1);
            Some(2.0 * RADIUS * chord.sqrt().min(1.0).asin())
        };
        some_number(distance())
    },
};

/// `cql_geohash(lat, lon, precision)`: the name of the cell that a place lies in.
pub const GEOHASH: Row = Row {
    name: "cql_geohash",
    returns: Returns::Text,
    evaluate: |values| {
        let hash = || {
            let (latitude, longitude) = (number_at(values, 0)?, number_at(values, 1)?);
            if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
                return None;
            }
            Some(geohash(latitude, longitude, number_at(values, 2)? as usize))
        };
        some_text(hash())
    },
};

/// Halves the longitudes and the latitudes in turn; five halves are a letter.
fn geohash(latitude: f64, longitude: f64, precision: usize) -> String {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let mut ranges = [(longitude, (-180.0, 180.0)), (latitude, (-90.0, 90.0))];
    let mut text = String::with_capacity(precision);
    let mut turn = 0_usize;
    for _ in 0..precision {
        let mut letter = 0_usize;
        for _ in 0..5 {
            let upper = ranges.get_mut(turn % 2).is_some_and(|(value, (least, greatest))| {
                let middle = (*least + *greatest) / 2.0;
                let upper = *value >= middle;
                *(if upper { least } else { greatest }) = middle;
                upper
            });
            letter = (letter << 1) | usize::from(upper);
            turn = turn.wrapping_add(1);
        }
        text.push(LETTERS.get(letter).copied().map_or('0', char::from));
    }
    text
}

/// `cql_network_of(address, bits)`: the network of so many bits that an address of version 4 belongs to.
pub const NETWORK_OF: Row = Row {
    name: "cql_network_of",
    returns: Returns::Text,
    evaluate: |values| {
        let network = || {
            let address: std::net::Ipv4Addr = super::text_at(values, 0)?.trim().parse().ok()?;
            let bits = number_at(values, 1)? as u8;
            Some(ipnet::Ipv4Net::new(address, bits).ok()?.trunc().to_string())
        };
        some_text(network())
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_published_geohash() {
        assert_eq!(geohash(51.507222, -0.1275, 12), "gcpvj0e5m415");
        assert_eq!(geohash(57.64911, 10.40744, 11), "u4pruydqqvj");
    }
}
