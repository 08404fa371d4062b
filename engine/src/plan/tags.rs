//! `tags`: the tags of field values as fields.
//!
//! Source: Splunk Search Reference, "tags".

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit, when};
use spelunk_grammar::spl::commands::tags::Tags;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::frame::Frame;
use super::{PlanResult, Planner, existing, search};
use crate::functions::multivalue;
use crate::knowledge::apps::labels::{self, Labels};

/// Plans the command. The tags of each field go to `tag::<field>`, or all of them to one field.
pub fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Tags, place: Span) -> PlanResult<()> {
    let Tags { fields, outputfield, inclname, inclvalue } = command;
    let apps = planner.knowledge.map(|knowledge| Arc::clone(knowledge.apps));
    let none = Labels::default();
    let known = apps.as_ref().map_or(&none, |apps| &apps.labels);
    let mut names: Vec<String> = Vec::new();
    for field in fields {
        match field.text.contains('*') {
            true => names.extend(super::frame::matching(&field.text, &frame.fields()).into_iter().cloned()),
            false => {
                existing(frame, &field.text, field.span);
                names.push(field.text.clone());
            }
        }
    }
    if fields.is_empty() {
        names.extend(known.tagged_fields().into_iter().map(str::to_owned));
    }
    names.retain(|name| frame.data_type(name).is_some());
    let mut made: Vec<(String, Vec<Expr>)> = Vec::new();
    for name in &names {
        let mut values = Vec::new();
        for (value, tag) in known.tagged(name) {
            let mut text = tag.to_owned();
            if inclvalue.unwrap_or(false) {
                text = format!("{value}::{text}");
            }
            if inclname.unwrap_or(false) {
                text = format!("{name}::{text}");
            }
            let condition = search::condition(frame, &labels::equals(name, value, place))?;
            values.push(when(condition, lit(text)).otherwise(lit(ScalarValue::Utf8(None)))?);
        }
        let target = outputfield.as_ref().map_or_else(|| format!("tag::{name}"), |field| field.text.clone());
        match made.iter_mut().find(|(known, _)| *known == target) {
            Some((_, before)) => before.extend(values),
            None => made.push((target, values)),
        }
    }
    made.retain(|(_, values)| !values.is_empty());
    if made.is_empty() && !frame.open {
        let message = "no value of these fields can have a tag, so `tags` adds none";
        planner.diagnostics.push(Diagnostic::note(Code::Note, message, place));
    }
    let made: Vec<(String, Expr)> =
        made.into_iter().map(|(name, values)| (name, multivalue::append(values, place).expr)).collect();
    if !made.is_empty() {
        frame.set(made)?;
    }
    Ok(())
}
