//! The fields of views as expressions over the columns of events.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{Expr, cast, lit};
use spelunk_grammar::Span;

use super::fields::{TAGGED_TYPE, TYPE};
use super::serving::{Direction, Serving};
use super::{Event, Make, Source, untagged};
use crate::functions::kernel::many_type;
use crate::functions::logscale::glob;
use crate::plan::expression::{Kind, Typed, as_kind, common_kind};
use crate::plan::frame::column;

/// The column that says which kind of event of a view an event is.
pub fn kind_name(direction: Direction) -> String {
    format!("__view_{direction:?}").to_lowercase()
}

/// The number of the first kind that fits an event; null where none does.
pub fn kind(schema: &Schema, direction: Direction) -> Expr {
    let kinds = (0_i64..).zip(direction.definition().kinds);
    let branches = kinds.filter_map(|(number, event)| {
        let condition = condition(schema, event)?;
        Some((Box::new(condition), Box::new(lit(number))))
    });
    let branches: Vec<_> = branches.collect();
    match branches.is_empty() {
        true => lit(ScalarValue::Int64(None)),
        false => Expr::Case(Case::new(None, branches, None)),
    }
}

fn typed(schema: &Schema, name: &str) -> Option<Typed> {
    let field = schema.field_with_name(name).ok()?;
    Some(Typed::new(column(name), Kind::of(field.data_type()), Span::default()))
}

/// The names under which the events of a channel are known.
pub(super) fn spellings(channel: &str) -> [String; 3] {
    [channel.to_owned(), format!("XmlWinEventLog:{channel}"), format!("WinEventLog:{channel}")]
}

/// Whether an event is of a kind; `None` where none is.
fn condition(schema: &Schema, event: &Event) -> Option<Expr> {
    let condition = match event.source {
        Source::Windows(channel, codes) => {
            let code = typed(schema, "EventCode").or_else(|| typed(schema, "EventID"))?;
            let coded = match code.kind {
                Kind::Integer => code.expr.in_list(codes.iter().map(|code| lit(*code)).collect(), false),
                _ => code.text().in_list(codes.iter().map(|code| lit(code.to_string())).collect(), false),
            };
            let spellings = spellings(channel);
            let named = ["Channel", "source", "sourcetype"].iter().filter_map(|name| typed(schema, name));
            let named = named.map(|value| value.text().in_list(spellings.iter().map(lit).collect(), false));
            coded.and(named.reduce(Expr::or)?)
        }
        Source::Falcon(types) => {
            let own = recorded_type(schema, [TYPE, TAGGED_TYPE])?.text();
            let fits = types.iter().map(|wanted| match *wanted {
                "*" => own.clone().is_not_null(),
                wanted => glob(own.clone(), wanted, false),
            });
            fits.reduce(Expr::or)?
        }
    };
    match event.when {
        Some((field, pattern)) => Some(condition.and(glob(typed(schema, field)?.text(), pattern, true))),
        None => Some(condition),
    }
}

/// The type of a Falcon event, as it is recorded under either name.
fn recorded_type(schema: &Schema, names: [&str; 2]) -> Option<Typed> {
    first(names.iter().filter_map(|name| typed(schema, name)).collect())
}

/// The first of several values that there is.
fn first(mut values: Vec<Typed>) -> Option<Typed> {
    let last = values.pop()?;
    if values.is_empty() {
        return Some(last);
    }
    Some(choice(values.into_iter().map(|value| (value.expr.clone().is_not_null(), value)).collect(), Some(last)))
}

/// The first value whose condition is true, in one type that fits all of them.
fn choice(branches: Vec<(Expr, Typed)>, otherwise: Option<Typed>) -> Typed {
    let values: Vec<&Typed> = branches.iter().map(|(_, value)| value).chain(&otherwise).collect();
    let kind = match common_kind(&values) {
        Kind::Integer => Kind::Integer,
        Kind::Number => Kind::Number,
        Kind::Many => Kind::Many,
        _ => Kind::Text,
    };
    let fit = |value: &Typed| cast(as_kind(value, kind), data_type(kind));
    let otherwise = otherwise.as_ref().map(|value| Box::new(fit(value)));
    let branches = branches.into_iter().map(|(condition, value)| (Box::new(condition), Box::new(fit(&value))));
    Typed::new(Expr::Case(Case::new(None, branches.collect(), otherwise)), kind, Span::default())
}

/// The type of the columns that hold values of a kind.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Many => many_type(),
        _ => DataType::Utf8,
    }
}

/// A field that views make, and the type of its column; `None` where nothing makes it.
pub fn made(schema: &Schema, serving: &Serving, name: &str) -> Option<(Expr, DataType)> {
    let target = if name == TAGGED_TYPE { TYPE } else { name };
    let mut branches = Vec::new();
    for direction in &serving.directions {
        let definition = direction.definition();
        // Kinds that make it in the same way share a branch: the fewer there are, the sooner the search is planned.
        let mut ways: Vec<(Vec<Expr>, Typed)> = Vec::new();
        for (position, event) in (0_i64..).zip(definition.kinds) {
            let made = event.make(definition, target).and_then(|make| make.value(schema));
            // What no event of the loaded ones can be needs no branch.
            let (Some(made), Some(_)) = (made, condition(schema, event)) else { continue };
            match ways.iter_mut().find(|(_, known)| known.kind == made.kind && known.expr == made.expr) {
                Some((positions, _)) => positions.push(lit(position)),
                None => ways.push((vec![lit(position)], made)),
            }
        }
        let kind = column(&kind_name(*direction));
        branches.extend(ways.into_iter().map(|(positions, made)| (kind.clone().in_list(positions, false), made)));
    }
    if branches.is_empty() {
        return None;
    }
    let native = match (untagged(name), name) {
        (TYPE, TYPE) => recorded_type(schema, [TYPE, TAGGED_TYPE]),
        (TYPE, _) => recorded_type(schema, [TAGGED_TYPE, TYPE]),
        _ => typed(schema, name),
    };
    let chosen = choice(branches, native);
    Some((chosen.expr, data_type(chosen.kind)))
}

impl Make {
    /// The value; `None` where the events have nothing that it is made of.
    fn value(&self, schema: &Schema) -> Option<Typed> {
        let span = Span::default();
        Some(match self {
            Make::Text(text) => Typed::new(lit(*text), Kind::Text, span),
            Make::Integer(number) => Typed::new(lit(*number), Kind::Integer, span),
            Make::Nothing => Typed::null(span),
            Make::Field(name) => typed(schema, name)?,
            Make::Of(function, name) => function.call(vec![typed(schema, name)?.expr], span),
            Make::With(function, name, literal) => function.call(vec![typed(schema, name)?.expr, lit(*literal)], span),
            Make::Several(function, fields) => {
                let values: Vec<Option<Typed>> = fields.iter().map(|name| typed(schema, name)).collect();
                values.iter().find(|value| value.is_some())?;
                let missing = || lit(ScalarValue::Utf8(None));
                let values = values.into_iter().map(|value| value.map_or_else(missing, |value| value.expr));
                function.call(values.collect(), span)
            }
            Make::First(makes) => first(makes.iter().filter_map(|make| make.value(schema)).collect())?,
        })
    }
}
