//! `addinfo`: facts about the search as fields.
//!
//! Source: Splunk Search Reference, "addinfo".

use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::search::{Operand, SearchExpression};

use super::frame::Frame;
use super::{PlanResult, Planner, search};

/// Plans the command. Times are text with three decimals, as Splunk has them.
pub fn plan(planner: &Planner<'_>, frame: &mut Frame) -> PlanResult<()> {
    let (earliest, latest) = frame.time_range;
    let started = seconds(planner.clock.now.as_microsecond());
    let fields = [
        ("info_min_time", earliest.map_or_else(|| "0.000".to_owned(), seconds)),
        ("info_max_time", latest.map_or_else(|| "+Infinity".to_owned(), seconds)),
        ("info_sid", format!("{}.1", planner.clock.now.as_second())),
        ("info_search_time", started),
    ];
    frame.set(fields.into_iter().map(|(name, value)| (name.to_owned(), lit(value))).collect())?;
    Ok(())
}

fn seconds(microseconds: i64) -> String {
    format!("{:.3}", microseconds as f64 / 1e6)
}

/// The time range of a search: what it names itself, else that of the session.
pub fn range(planner: &Planner<'_>, search: &Search) -> (Option<i64>, Option<i64>) {
    let (mut earliest, mut latest) = planner.bounds;
    let terms = match &search.expression {
        None => &[][..],
        Some(SearchExpression::And(parts)) => parts.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let format = search.expression.as_ref().and_then(search::time_format).map(|format| format.text.as_str());
    for term in terms {
        let SearchExpression::Comparison(comparison) = term else { continue };
        let (Some(modifier), Operand::Literal(literal)) = (search::modifier(&comparison.field.text), &comparison.value)
        else {
            continue;
        };
        // A time that cannot be read is refused where the search is planned.
        let time = modifier.time(&literal.text, format, planner.clock).ok();
        match modifier.bound {
            search::Bound::Earliest => earliest = time,
            search::Bound::Latest => latest = time,
        }
    }
    (earliest, latest)
}
