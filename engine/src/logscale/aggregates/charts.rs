//! The tables that charts are drawn from: `sankey` and `worldMap`.

use spelunk_grammar::logscale::query::{Argument, Call, Expression, ExpressionKind, Filter};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::super::Run;
use super::super::arguments::{Arguments, expected};
use super::super::rows::Rows;
use super::{Part, combine, parts_of};
use crate::plan::PlanResult;
use crate::plan::frame::{Frame, column};

/// `sankey`: how much goes from each source to each target, as `source`, `target` and `weight`.
pub async fn sankey(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let ends = [a.need_text("source")?, a.need_text("target")?];
    let weight = parts_of(a, "weight")?;
    a.done()?;
    for (end, name) in ends.iter().zip(["source", "target"]) {
        let value = Rows::of(frame).field(&end.node, end.span);
        frame.filter(value.expr.clone().is_not_null())?;
        frame.set(vec![(format!("__sankey_{name}"), super::super::rows::stored(&value))])?;
    }
    let groups = ["source", "target"].map(|name| Spanned::new(format!("__sankey_{name}"), a.span()));
    combine(run, frame, &groups, weight, None).await?;
    let value = only(frame, &groups, a.span())?;
    let columns = [("source", "__sankey_source"), ("target", "__sankey_target"), ("weight", value.as_str())];
    frame.select(columns.map(|(name, from)| (name.to_owned(), column(from))).to_vec())?;
    Ok(())
}

/// The one field that a function made.
fn only(frame: &Frame, groups: &[Spanned<String>], span: Span) -> PlanResult<String> {
    let made: Vec<String> =
        frame.fields().into_iter().filter(|name| !groups.iter().any(|group| group.node == *name)).collect();
    match made.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(expected("one aggregate with one result, such as `sum(bytes)`", span).into()),
    }
}

/// `worldMap`: how many events lie in each cell of a geohash, with the middle of their places.
pub async fn world_map(run: &mut Run<'_, '_>, frame: &mut Frame, a: &Arguments<'_>) -> PlanResult<()> {
    let address = a.text("ip")?;
    let (lat, lon) = (a.text("lat")?, a.text("lon")?);
    let precision = a.count("precision")?.unwrap_or(4);
    let magnitude = parts_of(a, "magnitude")?;
    a.done()?;
    let span = a.span();
    let (lat, lon) = match (address, lat, lon) {
        (Some(field), None, None) => {
            let call = call("ipLocation", vec![Argument::Unnamed(word(&field.node, field.span))], span);
            Box::pin(run.filter(frame, &Filter::Call(call))).await?;
            (format!("{}.lat", field.node), format!("{}.lon", field.node))
        }
        (None, Some(lat), Some(lon)) => (lat.node, lon.node),
        _ => {
            let message = "`worldMap` needs either `ip`, or `lat` and `lon`";
            return Err(Diagnostic::error(Code::InvalidArgument, message, span).into());
        }
    };
    let named = |name: &str, value: Expression| Argument::Named(Spanned::new(name.to_owned(), span), value);
    let digits = Expression { kind: ExpressionKind::Number(precision.to_string()), span };
    let arguments = vec![
        named("lat", word(&lat, span)),
        named("lon", word(&lon, span)),
        named("precision", digits),
        named("as", word("geohash", span)),
    ];
    Box::pin(run.filter(frame, &Filter::Call(call("geohash", arguments, span)))).await?;
    let cell = Rows::of(frame).field("geohash", span);
    frame.filter(cell.expr.is_not_null())?;
    let groups = [Spanned::new("geohash".to_owned(), span)];
    let means = [("__map_lat", &lat), ("__map_lon", &lon)]
        .map(|(name, field)| (name, call("avg", vec![Argument::Unnamed(word(field, span))], span)));
    let mut parts = magnitude;
    parts.extend(means.iter().map(|(name, call)| Part::call(call, Some(Spanned::new((*name).to_owned(), span)))));
    combine(run, frame, &groups, parts, None).await?;
    let cell = Spanned::new("geohash".to_owned(), span);
    let known = [cell, Spanned::new("__map_lat".into(), span), Spanned::new("__map_lon".into(), span)];
    let value = only(frame, &known, span)?;
    let columns = [("geohash", "geohash"), ("lat", "__map_lat"), ("lon", "__map_lon"), ("magnitude", value.as_str())];
    frame.select(columns.map(|(name, from)| (name.to_owned(), column(from))).to_vec())?;
    Ok(())
}

fn word(name: &str, span: Span) -> Expression {
    Expression { kind: ExpressionKind::Word(name.to_owned()), span }
}

fn call(name: &str, arguments: Vec<Argument>, span: Span) -> Call {
    Call { name: Spanned::new(name.to_owned(), span), arguments, span }
}
