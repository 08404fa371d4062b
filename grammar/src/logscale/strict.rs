//! What the vendor's language does not have: the extensions that published queries use, for those who refuse them.

use super::query::{Comparator, Expression, ExpressionKind, Filter, Query, Step, StepKind};
use super::walk::{self, Walk};
use crate::{Code, Diagnostic, Span};

/// Every place where the query is none of the vendor's, with what the vendor makes of it.
pub fn deviations(query: &Query, text: &str) -> Vec<Diagnostic> {
    let mut found = Deviations { text, found: Vec::new() };
    found.pipeline(&mut query.pipeline.clone());
    found.found
}

struct Deviations<'t> {
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl Deviations<'_> {
    fn refuse(&mut self, message: &str, place: Span, help: &str) {
        self.found.push(Diagnostic::error(Code::Syntax, message, place).with_help(help));
    }

    /// What stands between two places.
    fn between(&self, first: Span, second: Span) -> &str {
        self.text.get(first.end..second.start).unwrap_or_default()
    }

    fn infix_in(&mut self, field: &str, place: Span) {
        let message = format!("infix `in` is not CQL; write in(field={field}, values=[...])");
        self.found.push(Diagnostic::error(Code::Syntax, message, place));
    }
}

/// What reads as a field's name, for a suggestion.
fn named(expression: &Expression) -> String {
    match &expression.kind {
        ExpressionKind::Word(word) => word.clone(),
        _ => "x".to_owned(),
    }
}

impl Walk for Deviations<'_> {
    fn pipeline(&mut self, pipeline: &mut super::query::Pipeline) {
        for pair in pipeline.steps.windows(2) {
            if let [first, second] = pair
                && matches!(second.kind, StepKind::Assign(_))
                && !self.between(first.span, second.span).contains('|')
            {
                self.refuse("there is no `|` before this assignment", second.span, "write a `|` before it");
            }
        }
        walk::pipeline_parts(self, pipeline);
    }

    fn step(&mut self, step: &mut Step) {
        if let StepKind::Where(_) = &step.kind {
            let place = Span::new(step.span.start, step.span.start + "where".len());
            let help = "CQL has no `where`: filter with `field=value`, or with test(expression)";
            return self.refuse("the word `where` is read as free text", place, help);
        }
        walk::step_parts(self, step);
    }

    fn filter(&mut self, filter: &mut Filter) {
        match &*filter {
            Filter::Membership(membership) => {
                let field = membership.field.node.clone();
                let place =
                    membership.values.last().map_or(membership.field.span, |last| membership.field.span.to(last.span));
                return self.infix_in(&field, place);
            }
            Filter::Test(call, ..) => {
                let help = format!("write test({filter})");
                self.refuse("the value of a function is not compared in a filter", call.span, &help);
            }
            Filter::FieldCall(field, _, call) if !self.between(field.span, call.span).contains('~') => {
                let place = field.span.to(call.span);
                let help = "write `field =~ function()`";
                return self.refuse("`=` compares with text, not with a function", place, help);
            }
            Filter::Comparison(comparison) if comparison.comparator.node == Comparator::Equal => {
                let place = comparison.comparator.span;
                self.refuse("`==` belongs to expressions", place, "a filter compares with `=`");
            }
            Filter::Comparison(comparison)
                if self.between(comparison.field.span, comparison.value.span).contains("=~") =>
            {
                let place = comparison.field.span.to(comparison.value.span);
                self.refuse("`=~` applies a function", place, "a regular expression compares with `=`");
            }
            Filter::Or(parts) => {
                for part in parts.iter() {
                    if let Filter::Call(call) = part {
                        let help = "write case { first; second }";
                        self.refuse("a function cannot stand under `or`", call.span, help);
                    }
                }
            }
            _ => {}
        }
        walk::filter_parts(self, filter);
    }

    fn expression(&mut self, expression: &mut Expression) {
        let place = expression.span;
        match &expression.kind {
            ExpressionKind::In(left, ..) => {
                let field = named(left);
                return self.infix_in(&field, place);
            }
            ExpressionKind::Or(_) | ExpressionKind::And(_) | ExpressionKind::Not(_) => {
                let help = "filter with the conditions, or choose with case { ...; * }";
                return self.refuse("expressions have no `and`, `or` and `not`", place, help);
            }
            ExpressionKind::Is(..) => {
                let help = "expressions compare with `==`; patterns and regular expressions are for filters";
                return self.refuse("`=` is no operator of expressions", place, help);
            }
            ExpressionKind::Case(_) => {
                let help = "write case { filter | field := value; ... }";
                return self.refuse("`case` is a step, and gives no value", place, help);
            }
            _ => {}
        }
        walk::expression_parts(self, expression);
    }
}
