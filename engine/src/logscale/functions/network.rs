//! Addresses, networks and what is known about them.

use datafusion::logical_expr::{Expr, is_true, lit};
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::{balanced, text_of};
use super::super::rows::{Effect, Rows};
use super::super::tables::Manner;
use super::super::{as_number, unsupported};
use super::support::{null, over_field, whole};
use super::{Function, Makes, lookups};
use crate::functions::logscale::{self, digests, places};
use crate::functions::{geoip, pattern};
use crate::lookups::definition::MatchType;
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function { name: "asn", parameters: &["field", "as"], makes: Makes::Row(asn) },
    Function { name: "cidr", parameters: &["field", "subnet", "file", "column"], makes: Makes::Filter(cidr) },
    Function {
        name: "communityId",
        parameters: &[
            "proto",
            "as",
            "destinationip",
            "destinationport",
            "icmpcode",
            "icmptype",
            "seed",
            "sourceip",
            "sourceport",
        ],
        makes: Makes::Value("_community_id", community),
    },
    Function {
        name: "geography:distance",
        parameters: &["lat1", "lat2", "lon1", "lon2", "as"],
        makes: Makes::Value("_distance", distance),
    },
    Function {
        name: "geohash",
        parameters: &["lat", "lon", "precision", "as"],
        makes: Makes::Value("_geohash", geohash),
    },
    Function {
        name: "ioc:lookup",
        parameters: &["field", "type", "confidenceThreshold", "include", "prefix", "strict"],
        makes: Makes::Row(indicators),
    },
    Function { name: "ipLocation", parameters: &["field", "as"], makes: Makes::Row(location) },
    Function { name: "rdns", parameters: &["field", "as", "server"], makes: Makes::Row(names_of_hosts) },
    Function {
        name: "reverseDns",
        parameters: &["field", "as", "limit", "server", "timeout"],
        makes: Makes::Row(names_of_hosts),
    },
    Function { name: "subnet", parameters: &["field", "bits", "as"], makes: Makes::Value("_subnet", subnet) },
];

fn cidr(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Expr, Diagnostic> {
    let field = a.need_field()?;
    let value = rows.field(&field.node, field.span);
    let manner = Manner { mode: MatchType::Cidr, any_case: false };
    if let Some(found) = lookups::in_file(rows, a, &field, manner)? {
        return Ok(found);
    }
    let mut subnets = a.need_names("subnet")?;
    for subnet in &mut subnets {
        // An address is the block of that address alone.
        if let Ok(address) = subnet.node.parse::<std::net::IpAddr>() {
            subnet.node = format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 });
        }
    }
    if let Some(wrong) = subnets.iter().find(|subnet| pattern::cidr(&subnet.node).is_none()) {
        let message = format!("{:?} is no block of addresses such as 10.0.0.0/8", wrong.node);
        return Err(Diagnostic::error(Code::InvalidArgument, message, wrong.span));
    }
    let tests = subnets.iter().map(|subnet| is_true(logscale::in_network(text_of(&value), &subnet.node)));
    Ok(balanced(tests.collect(), Expr::or).unwrap_or_else(|| lit(false)))
}

fn community(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let required = |name: &str| {
        let field = a.need_text(name)?;
        Ok::<_, Diagnostic>(text_of(&rows.field(&field.node, field.span)))
    };
    let optional = |name: &str| {
        Ok::<_, Diagnostic>(match a.text(name)? {
            Some(field) => text_of(&rows.field(&field.node, field.span)),
            None => null(),
        })
    };
    let arguments = vec![
        required("proto")?,
        required("sourceip")?,
        optional("sourceport")?,
        required("destinationip")?,
        optional("destinationport")?,
        optional("icmptype")?,
        optional("icmpcode")?,
        lit(whole(a, "seed", 0, 65_535)?.unwrap_or(0).to_string()),
    ];
    Ok(digests::COMMUNITY.call(arguments, a.span()))
}

fn distance(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let mut coordinates = Vec::new();
    for name in ["lat1", "lon1", "lat2", "lon2"] {
        let field = a.need_text(name)?;
        coordinates.push(as_number(&rows.field(&field.node, field.span)));
    }
    Ok(places::DISTANCE.call(coordinates, a.span()))
}

fn geohash(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let named = |name: &str, default: &str| {
        let field = a.text(name)?.unwrap_or_else(|| Spanned::new(default.to_owned(), a.span()));
        Ok::<_, Diagnostic>(as_number(&rows.field(&field.node, field.span)))
    };
    let (lat, lon) = (named("lat", "ip.lat")?, named("lon", "ip.lon")?);
    let precision = whole(a, "precision", 1, 12)?.unwrap_or(12);
    Ok(places::GEOHASH.call(vec![lat, lon, lit(precision)], a.span()))
}

fn subnet(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let bits = whole(a, "bits", 0, 32)?;
    let Some(bits) = bits else {
        return Err(Diagnostic::error(Code::InvalidArgument, "`subnet` needs the argument `bits`", a.span()));
    };
    over_field(rows, a, &places::NETWORK_OF, vec![lit(bits)])
}

/// What the vendor knows about indicators is not published, so that nothing can match.
fn indicators(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    a.need_names("field")?;
    for given in ["confidenceThreshold", "include", "prefix", "type"] {
        a.take(given);
    }
    let what = "the vendor's database of indicators, which `ioc:lookup` asks, is not available";
    if rows.frame.setting.strict {
        return Err(Diagnostic::error(Code::Unsupported, what, a.span()));
    }
    let strict = a.flag("strict", false)?;
    let message = if strict { format!("{what}: no event is kept") } else { format!("{what}: no event matches") };
    rows.frame.note(Diagnostic::warning(Code::Note, message, a.span()));
    Ok(if strict { Effect::keep(lit(false)) } else { Effect::default() })
}

fn names_of_hosts(_: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let what = format!("`{}`, which asks servers of the network for names,", a.function.name);
    Err(unsupported(&what, a.call.name.span))
}

/// The field with the address of a call, and the prefix of what is found.
fn address_and_prefix(a: &Arguments<'_>) -> Result<(Spanned<String>, String), Diagnostic> {
    let field = a.field()?.unwrap_or_else(|| Spanned::new("ip".to_owned(), a.span()));
    let prefix = a.output(&field.node)?;
    Ok((field, prefix))
}

/// Parts of what the database says about the address in a field.
fn found(rows: &Rows<'_>, field: &Spanned<String>, part: &str) -> Result<Typed, Diagnostic> {
    let database = rows.frame.setting.geoip.as_deref();
    if let (Some(path), false) = (database, rows.frame.setting.planning) {
        geoip::open(path).map_err(|reason| {
            Diagnostic::error(Code::InvalidArgument, reason, field.span)
                .with_help("name a MaxMind file, such as GeoLite2-City.mmdb, with `--geoip` or SPELUNK_GEOIP")
        })?;
    }
    let address = text_of(&rows.field(&field.node, field.span));
    Ok(Typed::new(geoip::location(address, part, "en", database), Kind::Text, field.span))
}

fn location(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (field, prefix) = address_and_prefix(a)?;
    let mut effect = Effect::default();
    for (name, part) in [("city", "City"), ("country", "CountryCode"), ("lat", "lat"), ("lon", "lon")] {
        effect.set.push((format!("{prefix}.{name}"), found(rows, &field, part)?));
    }
    Ok(effect)
}

fn asn(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (field, prefix) = address_and_prefix(a)?;
    let mut effect = Effect::default();
    for (name, part) in [("asn", "Asn"), ("org", "Organization")] {
        effect.set.push((format!("{prefix}.{name}"), found(rows, &field, part)?));
    }
    Ok(effect)
}
