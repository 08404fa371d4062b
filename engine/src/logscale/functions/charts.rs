//! What the vendor draws as charts, as the tables behind them.

use spelunk_grammar::logscale::query::{Argument, Call, Element, Expression, ExpressionKind};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::{Effect, Rows, apply};
use super::super::{Run, as_number};
use super::array_sets::one_call;
use super::support::whole;
use super::{Function, Makes, network};
use crate::functions::logscale::places;
use crate::plan::PlanResult;
use crate::plan::frame::Frame;

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "sankey",
        parameters: &["source", "target", "weight"],
        makes: Makes::Step(|run, frame, a| Box::pin(sankey(run, frame, a))),
    },
    Function {
        name: "worldMap",
        parameters: &["ip", "lat", "lon", "magnitude", "precision"],
        makes: Makes::Step(|run, frame, a| Box::pin(world_map(run, frame, a))),
    },
];

/// `groupBy([fields], function=weight, limit=max)`, counting where nothing else is asked for.
fn grouped(fields: &[&str], weight: Option<&Expression>, span: Span) -> Call {
    let word = |name: &str| Expression { kind: ExpressionKind::Word(name.to_owned()), span };
    let names = fields.iter().map(|name| Element::Value(word(name))).collect();
    let mut arguments = vec![Argument::Unnamed(Expression { kind: ExpressionKind::Array(names), span })];
    if let Some(weight) = weight {
        arguments.push(Argument::Named(Spanned::new("function".to_owned(), span), weight.clone()));
    }
    arguments.push(Argument::Named(Spanned::new("limit".to_owned(), span), word("max")));
    Call { name: Spanned::new("groupBy".to_owned(), span), arguments, span }
}

/// `sankey`: each pair of a source and a target, and its weight.
async fn sankey(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let (source, target) = (a.need_text("source")?, a.need_text("target")?);
    let weight = a.take("weight");
    a.done()?;
    let rows = Rows::of(frame);
    let (from, to) = (rows.field(&source.node, source.span), rows.field(&target.node, target.span));
    let both = from.expr.clone().is_not_null().and(to.expr.clone().is_not_null());
    let replace = vec![("source".to_owned(), from), ("target".to_owned(), to)];
    apply(frame, None, Effect { keep: Some(both), replace, ..Effect::default() })?;
    run.pipeline(frame, &one_call(&grouped(&["source", "target"], weight, a.span()))).await
}

/// `worldMap`: each cell of the earth that has rows, its geohash, and its magnitude.
async fn world_map(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let ip = a.text("ip")?;
    let (lat, lon) = (a.text("lat")?, a.text("lon")?);
    let magnitude = a.take("magnitude");
    let precision = whole(a, "precision", 1, 12)?.unwrap_or(4);
    a.done()?;
    let rows = Rows::of(frame);
    let (latitude, longitude) = match (&ip, &lat, &lon) {
        (Some(ip), None, None) => network::coordinates(&rows, ip)?,
        (None, Some(lat), Some(lon)) => {
            (as_number(&rows.field(&lat.node, lat.span)), as_number(&rows.field(&lon.node, lon.span)))
        }
        _ => {
            let message = "`worldMap` needs either `ip`, or both `lat` and `lon`";
            return Err(Diagnostic::error(Code::InvalidArgument, message, a.span()).into());
        }
    };
    let cell = places::GEOHASH.call(vec![latitude, longitude, datafusion::logical_expr::lit(precision)], a.span());
    let keep = Some(cell.expr.clone().is_not_null());
    let replace = vec![("_geohash".to_owned(), cell)];
    apply(frame, None, Effect { keep, replace, ..Effect::default() })?;
    run.pipeline(frame, &one_call(&grouped(&["_geohash"], magnitude, a.span()))).await
}
