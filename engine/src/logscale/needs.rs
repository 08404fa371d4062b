//! Which fields of the events a query can need, so that reading can leave out the others.
//!
//! Functions name fields in many ways: as words, as texts, in lists, as the name of an argument. So every word and every
//! text that stands where a field could is taken for one; a name too many costs a column, one too few would cost the
//! result. Everything is read where a function is not known to look at named fields only, and where nothing in the
//! query leaves fields out.

use spelunk_grammar::Span;
use spelunk_grammar::logscale::query::{
    Argument, Call, Comparator, Comparison, Element, Expression, ExpressionKind, Filter, Guard, Labelled, Pipeline,
    Query, Step, StepKind, Target, Value, ValueKind,
};

use crate::ingest::FieldSelection;
use crate::views::Asked;

/// Steps whose rows have no field but those that they name or make.
const CLOSING: &[&str] = &[
    "avg",
    "bucket",
    "collect",
    "count",
    "createevents",
    "groupby",
    "max",
    "min",
    "percentile",
    "range",
    "sankey",
    "select",
    "selectlast",
    "stats",
    "stddev",
    "sum",
    "table",
    "timechart",
    "top",
    "worldmap",
];

/// Functions that look at the fields that they name, and at no other.
const NAMING: &[&str] = &[
    "asn",
    "base64decode",
    "cidr",
    "coalesce",
    "concat",
    "default",
    "drop",
    "dropevent",
    "eval",
    "format",
    "formatduration",
    "formattime",
    "geohash",
    "geography:distance",
    "hash",
    "head",
    "if",
    "in",
    "ioc:lookup",
    "iplocation",
    "length",
    "lower",
    "lowercase",
    "match",
    "now",
    "parsehexstring",
    "parseint",
    "parsetimestamp",
    "rdns",
    "rename",
    "round",
    "shannonentropy",
    "sort",
    "tail",
    "test",
    "unit:convert",
    "upper",
    "urldecode",
    "wildcard",
];

/// Families of such functions, by what stands before the colon.
const NAMING_FAMILIES: &[&str] = &["array", "bitfield", "crypto", "math", "objectarray", "text", "time"];

/// Functions that look at the text of the event where they name no field.
const READING: &[&str] =
    &["findtimestamp", "kvparse", "parsecsv", "parsejson", "parsexml", "regex", "replace", "splitstring"];

/// Functions that keep rows with all their fields: by themselves they need none of these, as a part of an aggregate all.
const KEEPING: &[&str] = &["head", "sort", "tail"];

/// Functions of the elements of an array, each of which is a field of its own.
const OF_ARRAYS: &[&str] = &["concatarray", "split"];

/// Whether a function looks at nothing but the rows that reach it, as far as is known here.
pub fn works_on_rows(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let family = name.split_once(':').map(|(family, _)| family);
    let known = [CLOSING, NAMING, READING, KEEPING, OF_ARRAYS];
    known.iter().any(|names| names.contains(&name.as_str()))
        || family.is_some_and(|family| NAMING_FAMILIES.contains(&family))
}

/// What a query asks of the events.
pub fn of(query: &Query) -> Asked {
    let mut needs = Needs::default();
    needs.pipeline(&query.pipeline);
    let closed = query.pipeline.steps.iter().any(closes);
    let fields = if needs.everything || !closed {
        FieldSelection::All
    } else {
        FieldSelection::Only(needs.names.iter().flat_map(|(name, _)| columns(name)).collect())
    };
    let types = if needs.any_type { Vec::new() } else { needs.types };
    Asked { names: needs.names, fields, types, falcon: true }
}

/// The columns of the events that a name can mean.
fn columns(name: &str) -> Vec<String> {
    let mut columns = vec![match name {
        "@timestamp" => "_time".to_owned(),
        "@rawstring" => "_raw".to_owned(),
        name => name.to_owned(),
    }];
    if let Some(plain) = name.strip_prefix('#') {
        columns.push(plain.to_owned());
    }
    if let Some((array, _)) = name.split_once('[') {
        columns.push(format!("{array}[*"));
        // A file may hold the array in one column.
        columns.push(array.to_owned());
    }
    columns
}

/// Whether a step of the query itself leaves out what is not named.
fn closes(step: &Step) -> bool {
    let call = |call: &Call| CLOSING.contains(&call.name.node.to_ascii_lowercase().as_str());
    match &step.kind {
        StepKind::Stats(_) => true,
        StepKind::Filter(Filter::Call(found)) => call(found),
        StepKind::Filter(Filter::And(parts)) => {
            parts.iter().any(|part| matches!(part, Filter::Call(found) if call(found)))
        }
        StepKind::Assign(assignment) => matches!(&assignment.value.kind, ExpressionKind::Call(found) if call(found)),
        _ => false,
    }
}

#[derive(Default)]
struct Needs {
    names: Vec<(String, Span)>,
    /// Whether something looks at fields that it does not name.
    everything: bool,
    /// The types of Falcon's events that the query compares with.
    types: Vec<String>,
    /// Whether it looks at the type in another way too.
    any_type: bool,
    /// Whether these are the arguments of a call.
    inside: bool,
}

/// Whether that is the type of a Falcon event.
fn is_type(name: &str) -> bool {
    name.strip_prefix('#').unwrap_or(name) == "event_simpleName"
}

impl Needs {
    fn name(&mut self, name: &str, span: Span) {
        if !name.is_empty() && !self.names.iter().any(|(known, _)| known == name) {
            self.names.push((name.to_owned(), span));
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        pipeline.steps.iter().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Case(arms) => arms.iter().for_each(|arm| self.pipeline(arm)),
            StepKind::Match(choice) => {
                self.name(&choice.field.node, choice.field.span);
                for arm in &choice.arms {
                    match &arm.guard {
                        Guard::Value(_) => {}
                        Guard::Call(_, call) => self.call(call, true),
                    }
                    self.pipeline(&arm.pipeline);
                }
            }
            StepKind::Assign(assignment) => {
                self.target(&assignment.target);
                self.expression(&assignment.value);
            }
            StepKind::Where(condition) => self.expression(condition),
            StepKind::Stats(elements) => {
                let outside = std::mem::replace(&mut self.inside, true);
                elements.iter().for_each(|element| self.element(element));
                self.inside = outside;
            }
            StepKind::Filter(filter) => self.filter(filter),
        }
    }

    /// An assignment of nothing leaves the field as it was, so that its target is looked at too.
    fn target(&mut self, target: &Target) {
        match target {
            Target::Field(name) | Target::Dynamic(name) => self.name(&name.node, name.span),
        }
    }

    fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| self.filter(part)),
            Filter::Not(inner) => {
                let types = self.types.len();
                self.filter(inner);
                self.any_type |= self.types.len() > types;
            }
            Filter::Comparison(comparison) => {
                self.name(&comparison.field.node, comparison.field.span);
                self.types_of(comparison);
            }
            Filter::Membership(membership) => {
                self.name(&membership.field.node, membership.field.span);
                self.any_type |= is_type(&membership.field.node);
            }
            Filter::Call(call) => self.call(call, false),
            Filter::Test(call, _, right) => {
                self.call(call, false);
                self.expression(right);
            }
            Filter::FieldCall(field, _, call) => {
                self.name(&field.node, field.span);
                self.any_type |= is_type(&field.node);
                self.call(call, true);
            }
            Filter::Saved(_) => self.everything = true,
            Filter::Text(value) => self.everything |= !is_truth(value),
        }
    }

    fn types_of(&mut self, comparison: &Comparison) {
        if !is_type(&comparison.field.node) {
            return;
        }
        let equal = matches!(comparison.comparator.node, Comparator::Is | Comparator::Equal);
        match &comparison.value.kind {
            ValueKind::Pattern(text) if equal && !text.contains('*') => self.types.push(text.clone()),
            ValueKind::Quoted(text) if equal && !text.0.contains('*') => self.types.push(text.unescaped()),
            _ => self.any_type = true,
        }
    }

    /// A call; `field`: whether its field stands before it.
    fn call(&mut self, call: &Call, field: bool) {
        let name = call.name.node.to_ascii_lowercase();
        let family = name.split_once(':').map(|(family, _)| family);
        let in_family = family.is_some_and(|family| NAMING_FAMILIES.contains(&family));
        let named = |wanted: &str| {
            call.arguments.iter().any(|argument| matches!(argument, Argument::Named(name, _) if name.node == wanted))
        };
        let given = field || named("field");
        let is_known = CLOSING.contains(&name.as_str())
            || NAMING.contains(&name.as_str())
            || READING.contains(&name.as_str())
            || OF_ARRAYS.contains(&name.as_str())
            || in_family;
        self.everything |= !is_known || (name == "wildcard" && !given);
        self.everything |= self.inside && KEEPING.contains(&name.as_str());
        if READING.contains(&name.as_str()) && !given {
            self.name("@rawstring", call.span);
        }
        if name == "createevents" {
            // What it is given is the text of events.
            return;
        }
        let mut own = Needs { inside: true, ..Needs::default() };
        for argument in &call.arguments {
            match argument {
                Argument::Unnamed(value) => own.expression(value),
                Argument::Named(argument, value) => {
                    if name == "eval" {
                        own.name(&argument.node, argument.span);
                    }
                    own.expression(value);
                }
                Argument::Labelled(labelled) => own.labelled(labelled),
            }
        }
        let elements = OF_ARRAYS.contains(&name.as_str()) || matches!(family, Some("array" | "objectarray"));
        for (name, span) in own.names {
            if elements {
                self.name(&format!("{}[", name.trim_end_matches("[]")), span);
            }
            self.any_type |= is_type(&name);
            self.name(&name, span);
        }
        self.everything |= own.everything;
        self.any_type |= own.any_type;
        self.types.extend(own.types);
    }

    fn labelled(&mut self, labelled: &Labelled) {
        // What becomes of the rows of a subquery is for the function to say.
        self.everything = true;
        self.pipeline(&labelled.pipeline);
        labelled.attributes.iter().for_each(|(_, value)| self.expression(value));
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Value(value) => self.expression(value),
            Element::Assign(assignment) => {
                self.target(&assignment.target);
                self.expression(&assignment.value);
            }
            Element::Labelled(labelled) => self.labelled(labelled),
        }
    }

    fn expression(&mut self, expression: &Expression) {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Or(parts) | ExpressionKind::And(parts) => {
                parts.iter().for_each(|part| self.expression(part));
            }
            ExpressionKind::Not(inner) | ExpressionKind::Inverse(inner) => self.expression(inner),
            ExpressionKind::Compare(first, rest) => {
                self.expression(first);
                rest.iter().for_each(|(_, value)| self.expression(value));
            }
            ExpressionKind::Is(left, _, _) | ExpressionKind::In(left, _, _) => self.expression(left),
            ExpressionKind::Sum(first, rest) | ExpressionKind::Product(first, rest) => {
                // `my-field` as an argument is a name that reads like a difference.
                self.name(&expression.to_string().replace(' ', ""), span);
                self.expression(first);
                rest.iter().for_each(|(_, value)| self.expression(value));
            }
            ExpressionKind::Negative(inner) => {
                self.name(&expression.to_string().replace(' ', ""), span);
                self.expression(inner);
            }
            ExpressionKind::Case(arms) => {
                for arm in arms {
                    arm.condition.iter().for_each(|condition| self.expression(condition));
                    self.expression(&arm.value);
                }
            }
            ExpressionKind::Block(pipeline) => self.pipeline(pipeline),
            ExpressionKind::Call(call) => self.call(call, false),
            ExpressionKind::Array(elements) => elements.iter().for_each(|element| self.element(element)),
            ExpressionKind::Text(text) => self.written(&text.unescaped(), span),
            ExpressionKind::Word(word) => self.written(word, span),
            ExpressionKind::Regex(_) | ExpressionKind::Number(_) => {}
            // What they stand for may be any name.
            ExpressionKind::Parameter(_) | ExpressionKind::Saved(_) | ExpressionKind::Pattern(_) => {
                self.everything = true;
            }
        }
    }

    /// What may be the name of a field. No field is found by a pattern that is written as a text.
    fn written(&mut self, text: &str, span: Span) {
        if !text.contains('*') {
            self.name(text, span);
        }
    }
}

/// Whether a search for that text says of itself which events it keeps.
fn is_truth(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::Pattern(pattern) if matches!(pattern.as_str(), "*" | "true" | "false"))
}
