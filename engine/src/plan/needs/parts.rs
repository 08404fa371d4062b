//! What the parts take that commands have in common: inner searches, aggregates, conditions and expressions.

use spelunk_grammar::spl::Query;
use spelunk_grammar::spl::commands::eval::{Target, TargetPart};
use spelunk_grammar::spl::commands::from::{self, Dataset, DatasetKind};
use spelunk_grammar::spl::commands::series::ChartTerm;
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::commands::tstats::{self, Tstats};
use spelunk_grammar::spl::expression::{Expression, ExpressionKind, Name};
use spelunk_grammar::spl::search::{ComparisonOperator, Operand, SearchExpression};

use super::{MODEL, Needs, WHOLE_MODEL, of_source, of_subsearch};
use crate::functions::comparison;
use crate::ingest::FieldSelection;
use crate::knowledge::apps::labels::Labels;

impl Needs {
    /// A whole search whose rows are put to those of this one.
    pub(super) fn source(&mut self, query: &Query) {
        let (selection, open) = of_source(query);
        self.subsearches.push(selection);
        // What comes after takes fields of its events.
        self.closed &= !open;
    }

    /// Commands that work on the present rows, which stay.
    pub(super) fn branch(&mut self, query: &Query) {
        let mut branch = Needs { closed: self.closed, ..Needs::default() };
        for command in &query.commands {
            branch.command(command);
        }
        branch.names.iter().for_each(|name| self.name(name));
        self.everything |= branch.everything || branch.conditions;
        self.subsearches.append(&mut branch.subsearches);
    }

    pub(super) fn either(&mut self, source: &from::Source) {
        match source {
            from::Source::Subsearch(subsearch) => self.source(&subsearch.query),
            from::Source::Dataset(dataset) => self.dataset(dataset),
        }
    }

    pub(super) fn dataset(&mut self, dataset: &Dataset) {
        match dataset.kind {
            // The text of a saved search is not known here.
            DatasetKind::Savedsearch => self.everything = true,
            // What is taken of its rows shows further on.
            DatasetKind::Datamodel => {
                self.subsearches.push(FieldSelection::Only(vec![format!("{WHOLE_MODEL}{}", dataset.name)]));
            }
            DatasetKind::Inputlookup | DatasetKind::Lookup => {}
        }
    }

    pub(super) fn terms(&mut self, terms: &[ChartTerm]) {
        for term in terms {
            match term {
                ChartTerm::Aggregate(aggregate) => self.aggregates(std::slice::from_ref(aggregate)),
                ChartTerm::Eval(eval) => {
                    // What stands for a field with dots is read as an operation on several.
                    crate::plan::terms::dotted_fields(&eval.expression).iter().for_each(|field| self.name(field));
                    self.expression(&eval.expression);
                }
            }
        }
    }

    pub(super) fn aggregates(&mut self, aggregates: &[Aggregate]) {
        for aggregate in aggregates {
            match &aggregate.argument {
                Some(AggregateArgument::Field(field)) => self.name(&field.text),
                Some(AggregateArgument::Eval(expression)) => self.expression(expression),
                Some(AggregateArgument::Sparkline(sparkline)) => {
                    self.name("_time");
                    self.aggregates(std::slice::from_ref(&sparkline.aggregate));
                }
                None if crate::plan::aggregate::counts(&aggregate.function.node) => {}
                // A function alone is over every field.
                None => self.name("*"),
            }
        }
    }

    /// It reads events of its own, whatever the commands before have left.
    pub(super) fn tstats(&mut self, tstats: &Tstats) {
        let mut own = Needs::default();
        if let Some(expression) = &tstats.condition {
            own.search(expression);
        }
        if let Some(tstats::Source::DataModel(model)) = &tstats.source {
            own.name(&format!("{MODEL}{}", model.text));
        }
        own.aggregates(&tstats.aggregates);
        tstats.by.iter().for_each(|field| own.name(&field.text));
        if !tstats.prefixes.is_empty() {
            own.name("_raw");
        }
        self.subsearches.append(&mut own.subsearches);
        self.subsearches.push(FieldSelection::Only(own.names));
        self.closed = true;
    }

    /// The fields of a list, or all fields where it is empty.
    pub(super) fn names_or_all(&mut self, fields: &[Name]) {
        match fields.is_empty() {
            true => self.name("*"),
            false => fields.iter().for_each(|field| self.name(&field.text)),
        }
    }

    /// An event type or a tag: a name for the fields that only the apps know.
    pub(super) fn label(&mut self, field: &str, operator: ComparisonOperator, value: &str) {
        match operator {
            ComparisonOperator::Equal => self.name(&format!("{field}={value}")),
            _ => self.name(&format!("{field}=*")),
        }
    }

    pub(super) fn target(&mut self, target: &Target) {
        for part in &target.parts {
            match part {
                TargetPart::FieldValue(field) => self.name(field),
                TargetPart::Text(_) => {}
            }
        }
    }

    /// What the subsearches in a condition on other rows than the events need.
    pub(super) fn subsearches_in(&mut self, expression: &SearchExpression) {
        let mut inner = Needs { closed: true, ..Needs::default() };
        inner.search(expression);
        self.subsearches.append(&mut inner.subsearches);
    }

    pub(super) fn search(&mut self, expression: &SearchExpression) {
        match expression {
            SearchExpression::And(parts) | SearchExpression::Or(parts) => {
                parts.iter().for_each(|part| self.search(part));
            }
            SearchExpression::Not(inner) => self.search(inner),
            SearchExpression::Comparison(comparison) => {
                match &comparison.value {
                    Operand::Literal(literal) if Labels::is_label(&comparison.field.text) => {
                        self.label(&comparison.field.text, comparison.operator, &literal.text);
                    }
                    _ => self.name(&comparison.field.text),
                }
                if let Operand::Subsearch(subsearch) = &comparison.value {
                    self.conditions = true;
                    self.subsearches.push(of_subsearch(&subsearch.query));
                }
            }
            SearchExpression::In(list) if Labels::is_label(&list.field.text) => {
                let values = list.values.iter();
                values.for_each(|value| self.label(&list.field.text, ComparisonOperator::Equal, &value.text));
            }
            SearchExpression::In(list) => self.name(&list.field.text),
            SearchExpression::Term(literal) => {
                if literal.text != "*" {
                    self.name("_raw");
                }
            }
            SearchExpression::Subsearch(subsearch) => {
                self.conditions = true;
                self.subsearches.push(of_subsearch(&subsearch.query));
            }
            SearchExpression::Macro(_) => {}
        }
    }

    pub(super) fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Field(name) => self.name(name),
            ExpressionKind::Unary(_, operand) => self.expression(operand),
            ExpressionKind::Binary(_, left, right) => {
                self.expression(left);
                self.expression(right);
            }
            ExpressionKind::In(needle, haystack) => {
                self.expression(needle);
                haystack.iter().for_each(|member| self.expression(member));
            }
            ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("searchmatch") => {
                for argument in arguments {
                    if let ExpressionKind::String(text) = &argument.kind
                        && let Ok(Some(expression)) = comparison::search_expression(text)
                    {
                        self.search(&expression);
                    }
                }
            }
            ExpressionKind::Call(_, arguments) => arguments.iter().for_each(|argument| self.expression(argument)),
            ExpressionKind::Subsearch(subsearch) => self.subsearches.push(of_subsearch(&subsearch.query)),
            ExpressionKind::Number(_) | ExpressionKind::String(_) | ExpressionKind::Macro(_) => {}
        }
    }
}
