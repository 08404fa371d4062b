//! Where an IP address is, from a MaxMind database.
//!
//! Source: Splunk Search Reference, "iplocation"; MaxMind DB file format specification.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use maxminddb::{PathElement, Reader};

use crate::values::{Value, format_number};

type Database = Arc<Reader<Vec<u8>>>;

/// The name of the function, which asks a file.
pub(crate) const NAME: &str = "spl_location";

/// The databases that were opened, by path: a function may not keep anything between two batches.
static OPEN: LazyLock<Mutex<HashMap<String, Database>>> = LazyLock::new(Mutex::default);

static LOCATION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::new_from_impl(Location { signature: Signature::any(4, Volatility::Immutable) }))
});

/// What a database says about an address, by the names that SPL gives it.
pub const PARTS: &[&str] = &["City", "Country", "Region", "lat", "lon", "Continent", "MetroCode", "Timezone"];

/// The DataFusion functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&LOCATION)]
}

/// One of [`PARTS`] for an address. Without a database only addresses that have no place can be answered.
pub fn location(address: Expr, part: &str, language: &str, database: Option<&str>) -> Expr {
    let database = lit(ScalarValue::Utf8(database.map(str::to_string)));
    LOCATION.call(vec![address, lit(part), lit(language), database])
}

/// Opens a database, or takes it from those that are open.
///
/// # Errors
/// Why it cannot be read.
pub fn open(path: &str) -> Result<(), String> {
    database(path).map(|_| ())
}

fn database(path: &str) -> Result<Database, String> {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = open.get(path) {
        return Ok(Arc::clone(known));
    }
    let reader = Reader::open_readfile(path).map_err(|error| format!("cannot read {path:?} as a database: {error}"))?;
    let reader = Arc::new(reader);
    open.insert(path.to_string(), Arc::clone(&reader));
    Ok(reader)
}

/// Whether an address belongs to no place: private, local, reserved.
fn has_no_place(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4_has_no_place(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4_has_no_place(v4),
            None => v6_has_no_place(v6),
        },
    }
}

fn v4_has_no_place(v4: Ipv4Addr) -> bool {
    let [first, second, ..] = v4.octets();
    let shared = first == 100 && second & 0b1100_0000 == 64;
    v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || v4.is_multicast()
        || first == 0
        || first >= 240
        || shared
}

fn v6_has_no_place(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    let unique_local = first & 0xfe00 == 0xfc00;
    let link_local = first & 0xffc0 == 0xfe80;
    let documentation = first == 0x2001 && second == 0x0db8;
    v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || unique_local || link_local || documentation
}

/// What the database says.
fn look_up(database: &Reader<Vec<u8>>, address: IpAddr, part: &str, language: &str) -> Result<Option<String>> {
    let failed = |error| exec_datafusion_err!("cannot look up {address}: {error}");
    let found = database.lookup(address).map_err(failed)?;
    let text = |path: &[PathElement<'_>]| found.decode_path::<String>(path).map_err(failed);
    let number = |name| -> Result<Option<String>> {
        let path = [PathElement::Key("location"), PathElement::Key(name)];
        Ok(found.decode_path::<f64>(&path).map_err(failed)?.map(format_number))
    };
    let named = |path: &[PathElement<'_>]| -> Result<Option<String>> {
        for language in [language, "en"] {
            let path = [path, &[PathElement::Key("names"), PathElement::Key(language)]].concat();
            if let Some(name) = text(&path)? {
                return Ok(Some(name));
            }
        }
        Ok(None)
    };
    match part {
        "City" => named(&[PathElement::Key("city")]),
        "Country" => named(&[PathElement::Key("country")]),
        "Region" => named(&[PathElement::Key("subdivisions"), PathElement::Index(0)]),
        "Continent" => named(&[PathElement::Key("continent")]),
        "lat" => number("latitude"),
        "lon" => number("longitude"),
        // What LogScale asks for and SPL does not.
        "CountryCode" => text(&[PathElement::Key("country"), PathElement::Key("iso_code")]),
        "Asn" | "Organization" if !database.metadata().database_type.contains("ASN") => exec_err!(
            "`asn` needs a database of autonomous systems, such as GeoLite2-ASN.mmdb, with `--geoip` or SPELUNK_GEOIP; \
             this one is {:?}",
            database.metadata().database_type
        ),
        "Asn" => {
            let path = [PathElement::Key("autonomous_system_number")];
            Ok(found.decode_path::<u32>(&path).map_err(failed)?.map(|number| number.to_string()))
        }
        "Organization" => text(&[PathElement::Key("autonomous_system_organization")]),
        "Timezone" => text(&[PathElement::Key("location"), PathElement::Key("time_zone")]),
        "MetroCode" => {
            let path = [PathElement::Key("location"), PathElement::Key("metro_code")];
            Ok(found.decode_path::<u32>(&path).map_err(failed)?.map(|code| code.to_string()))
        }
        other => exec_err!("a database has no part {other:?}"),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Location {
    signature: Signature,
}

impl Location {
    fn rows(addresses: &dyn Array, part: &str, language: &str, path: Option<&str>) -> Result<StringArray> {
        let database =
            path.map(|path| database(path).map_err(|reason| exec_datafusion_err!("{reason}"))).transpose()?;
        let mut known: HashMap<IpAddr, Option<String>> = HashMap::new();
        let mut places: Vec<Option<String>> = Vec::with_capacity(addresses.len());
        for row in 0..addresses.len() {
            let value = Value::read(addresses, row);
            let texts = value.texts();
            let address = texts.first().and_then(|text| text.trim().parse::<IpAddr>().ok());
            let place = match (address, &database) {
                (None, _) => None,
                (Some(address), Some(database)) => match known.get(&address) {
                    Some(place) => place.clone(),
                    None => {
                        let place = look_up(database, address, part, language)?;
                        known.insert(address, place.clone());
                        place
                    }
                },
                (Some(address), None) if has_no_place(address) => None,
                (Some(address), None) => {
                    return exec_err!(
                        "`iplocation` needs a database to tell where {address} is: name a MaxMind file, \
                         such as GeoLite2-City.mmdb, with `--geoip` or SPELUNK_GEOIP"
                    );
                }
            };
            places.push(place);
        }
        Ok(StringArray::from(places))
    }
}

impl ScalarUDFImpl for Location {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [addresses, ColumnarValue::Scalar(part), ColumnarValue::Scalar(language), ColumnarValue::Scalar(path)] =
            args.args.as_slice()
        else {
            return exec_err!("spl_location takes an address and three literals");
        };
        let text = |scalar: &ScalarValue| scalar.try_as_str().flatten().map(str::to_string);
        let (part, language, path) = (text(part).unwrap_or_default(), text(language).unwrap_or_default(), text(path));
        match addresses {
            ColumnarValue::Scalar(address) => {
                let found = Self::rows(address.to_array()?.as_ref(), &part, &language, path.as_deref())?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
            ColumnarValue::Array(array) => {
                let found: ArrayRef = Arc::new(Self::rows(array.as_ref(), &part, &language, path.as_deref())?);
                Ok(ColumnarValue::Array(found))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_have_no_place() {
        for text in
            ["10.0.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.1.2.3"]
        {
            assert!(has_no_place(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "100.128.0.1", "2606:4700::1111"] {
            assert!(!has_no_place(text.parse().unwrap()), "{text}");
        }
    }
}
