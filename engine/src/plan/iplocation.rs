//! `iplocation`: where an IP address is.
//!
//! Source: Splunk Search Reference, "iplocation".

use spelunk_grammar::spl::commands::iplocation::Iplocation;
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::Frame;
use super::{PlanResult, Planner};
use crate::functions::geoip;

/// How many of [`geoip::PARTS`] are added without `allfields`.
const USUAL: usize = 5;

/// Plans the command. An address without a place leaves the row as it is.
pub fn plan(planner: &Planner<'_>, frame: &mut Frame, command: &Iplocation) -> PlanResult<()> {
    let Iplocation { prefix, allfields, lang, field } = command;
    let path = planner.geoip.as_ref().map(|path| path.to_string_lossy().into_owned());
    if let (Some(path), Some(_)) = (&path, planner.runner) {
        geoip::open(path).map_err(|reason| {
            Diagnostic::error(Code::InvalidArgument, reason, field.span)
                .with_help("name a MaxMind file, such as GeoLite2-City.mmdb, with `--geoip` or SPELUNK_GEOIP")
        })?;
    }
    let expressions = ExpressionPlanner::new(frame);
    let address = expressions.field(&field.text, field.span);
    let parts = if allfields.unwrap_or(false) { geoip::PARTS.len() } else { USUAL };
    let mut assignments = Vec::new();
    for part in geoip::PARTS.iter().take(parts) {
        let name = format!("{}{part}", prefix.as_deref().unwrap_or_default());
        let found = geoip::location(address.text(), part, lang.as_deref().unwrap_or("en"), path.as_deref());
        let value = match frame.data_type(&name) {
            Some(data_type) => {
                let before = Typed::new(super::frame::column(&name), Kind::of(&data_type), field.span);
                let found = Typed::new(found.clone(), Kind::Text, field.span);
                expressions.choice(vec![(found.expr.clone().is_not_null(), found)], Some(before), field.span).expr
            }
            None => found,
        };
        assignments.push((name, value));
    }
    frame.set(assignments)?;
    Ok(())
}
