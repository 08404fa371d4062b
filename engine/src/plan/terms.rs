//! The columns of `chart` and `timechart`: aggregates, rates, and expressions over aggregates.
//!
//! Source: Splunk Search Reference, "chart", "timechart", "Time functions".

use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use spelunk_grammar::spl::commands::series::{ChartEval, ChartTerm};
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::expression::{BinaryOperator, Expression, ExpressionKind, Name};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::aggregate::{self, Computed, Manner};
use super::expression::{ExpressionPlanner, Kind};
use super::frame::{Frame, column};
use super::{PlanResult, Setting, stats};
use crate::functions::aggregates::six_decimals;
use crate::functions::bins::{TimeBins, bin_seconds};
use crate::functions::operators;

/// The planned columns of a chart.
pub struct Terms {
    /// The aggregates that they are made of.
    parts: Vec<Part>,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// An aggregate, and for what time it is a rate.
struct Part {
    computed: Computed,
    rate: Option<f64>,
}

/// A column.
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it is 0 where there are no events.
    pub counts: bool,
    /// Whether the sum of its values over the rows is its value over all of them.
    pub adds_up: bool,
    /// The field that it is computed over, if it is one.
    pub field: Option<String>,
    value: Source,
}

/// What a column is made of.
enum Source {
    /// That part.
    Part(usize),
    /// An expression over parts.
    Expression(Expression),
}

/// The rows that aggregates are computed for.
pub struct Rows<'r> {
    /// The column that tells them apart.
    pub column: &'r str,
    /// The bins of time that it has.
    pub bins: Option<&'r TimeBins>,
}

/// The name of a column in a plan of [`Terms::over`].
pub fn term(position: usize) -> String {
    format!("__term_{position}")
}

fn part(position: usize) -> String {
    format!("__part_{position}")
}

impl Terms {
    /// Plans the columns. `by` are the fields that a wildcard does not stand for; a name that the row has is none
    /// for a column.
    ///
    /// # Errors
    /// The first thing wrong with them.
    pub fn plan(frame: &Frame, terms: &[ChartTerm], by: &[Name], row: Option<&str>, timed: bool) -> PlanResult<Terms> {
        let mut planned = Terms { parts: Vec::new(), columns: Vec::new() };
        for term in terms {
            let before = planned.columns.len();
            match term {
                ChartTerm::Aggregate(aggregate) => planned.aggregate(frame, aggregate, by, timed)?,
                ChartTerm::Eval(eval) => planned.eval(frame, eval, by, timed)?,
            }
            let span = match term {
                ChartTerm::Aggregate(aggregate) => aggregate.span,
                ChartTerm::Eval(eval) => eval.span,
            };
            let taken = |(position, new): &(usize, &Column)| {
                let mut known = planned.columns.iter().take(*position);
                row == Some(new.name.as_str()) || known.any(|column| column.name == new.name)
            };
            if let Some((_, twice)) = planned.columns.iter().enumerate().skip(before).find(taken) {
                let message = format!("two columns of the result would be named {:?}", twice.name);
                let error = Diagnostic::error(Code::InvalidArgument, message, span);
                return Err(error.with_help("give one of them another name with `AS`").into());
            }
        }
        Ok(planned)
    }

    fn aggregate(&mut self, frame: &Frame, aggregate: &Aggregate, by: &[Name], timed: bool) -> PlanResult<()> {
        let function = aggregate.function.node.to_ascii_lowercase();
        let counts = matches!(function.as_str(), "count" | "c" | "dc" | "distinct_count" | "estdc");
        let adds_up = matches!(function.as_str(), "count" | "c" | "sum");
        for (name, field, position) in self.parts_of(frame, aggregate, by, timed)? {
            self.columns.push(Column { name, counts, adds_up, field, value: Source::Part(position) });
        }
        Ok(())
    }

    /// Plans an aggregate: the names of its results, the field each is over, and the positions of their parts.
    fn parts_of(
        &mut self,
        frame: &Frame,
        aggregate: &Aggregate,
        by: &[Name],
        timed: bool,
    ) -> PlanResult<Vec<(String, Option<String>, usize)>> {
        let rate = aggregate::rate(&aggregate.function.node).filter(|_| timed);
        // A rate is a sum that is divided in the end.
        let sum = rate.map(|_| {
            let function = Spanned::new("sum".to_string(), aggregate.function.span);
            Aggregate { function, ..aggregate.clone() }
        });
        let mut found = Vec::new();
        for (argument, name) in stats::expand(frame, aggregate, by)? {
            let position = self.parts.len();
            let field = match (&aggregate.argument, &argument) {
                (Some(AggregateArgument::Field(field)), Some(_)) => Some(field.text.clone()),
                _ => None,
            };
            // The rate of a condition is that of the rows in which it is true.
            let counted = sum.as_ref().filter(|_| argument.as_ref().is_some_and(|typed| typed.kind == Kind::Boolean));
            let counted = counted.map(|sum| {
                let function = Spanned::new("count".to_string(), aggregate.function.span);
                Aggregate { function, ..sum.clone() }
            });
            let planned = counted.as_ref().or(sum.as_ref()).unwrap_or(aggregate);
            let manner = Manner { in_order: false, allnum: false };
            let computed = aggregate::plan_in(frame, planned, argument, part(position), position, manner)?;
            self.parts.push(Part { computed, rate });
            found.push((name, field, position));
        }
        Ok(found)
    }

    fn eval(&mut self, frame: &Frame, eval: &ChartEval, by: &[Name], timed: bool) -> PlanResult<()> {
        let expression = self.over_parts(frame, &eval.expression, by, timed)?;
        let name = eval.alias.as_ref().map_or_else(|| eval.text.clone(), |alias| alias.text.clone());
        let value = Source::Expression(expression);
        self.columns.push(Column { name, counts: false, adds_up: false, field: None, value });
        Ok(())
    }

    /// The expression with parts for the aggregates in it.
    fn over_parts(
        &mut self,
        frame: &Frame,
        expression: &Expression,
        by: &[Name],
        timed: bool,
    ) -> PlanResult<Expression> {
        let span = expression.span;
        let kind = match &expression.kind {
            ExpressionKind::Field(name) if name.eq_ignore_ascii_case("count") => {
                let function = Spanned::new(name.clone(), span);
                return self.part_of(frame, function, None, span, by, timed);
            }
            ExpressionKind::Call(name, arguments) if aggregate::is_function(&name.node) && arguments.len() < 2 => {
                let argument = arguments.first().map(argument).transpose()?;
                return self.part_of(frame, name.clone(), argument, span, by, timed);
            }
            ExpressionKind::Field(name) => {
                let message = format!("the field `{name}` has no single value where rows are aggregated");
                let error = Diagnostic::error(Code::InvalidArgument, message, span);
                return Err(error.with_help(format!("aggregate it, such as `max({name})`")).into());
            }
            ExpressionKind::Unary(operator, operand) => {
                ExpressionKind::Unary(*operator, Box::new(self.over_parts(frame, operand, by, timed)?))
            }
            ExpressionKind::Binary(operator, left, right) => ExpressionKind::Binary(
                *operator,
                Box::new(self.over_parts(frame, left, by, timed)?),
                Box::new(self.over_parts(frame, right, by, timed)?),
            ),
            ExpressionKind::In(needle, haystack) => {
                let needle = self.over_parts(frame, needle, by, timed)?;
                let haystack = haystack.iter().map(|member| self.over_parts(frame, member, by, timed));
                ExpressionKind::In(Box::new(needle), haystack.collect::<PlanResult<_>>()?)
            }
            ExpressionKind::Call(name, arguments) => {
                let arguments = arguments.iter().map(|argument| self.over_parts(frame, argument, by, timed));
                ExpressionKind::Call(name.clone(), arguments.collect::<PlanResult<_>>()?)
            }
            ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Subsearch(_)
            | ExpressionKind::Macro(_) => return Ok(expression.clone()),
        };
        Ok(Expression { kind, span })
    }

    fn part_of(
        &mut self,
        frame: &Frame,
        function: Spanned<String>,
        argument: Option<AggregateArgument>,
        span: Span,
        by: &[Name],
        timed: bool,
    ) -> PlanResult<Expression> {
        let aggregate = Aggregate { function, argument, alias: None, text: String::new(), span };
        let planned = self.parts_of(frame, &aggregate, by, timed)?;
        let [(_, _, position)] = planned.as_slice() else {
            let message = "an expression takes aggregates of one field, not of several";
            return Err(Diagnostic::error(Code::InvalidArgument, message, span).into());
        };
        Ok(Expression { kind: ExpressionKind::Field(part(*position)), span })
    }

    /// Every column an aggregate reads.
    pub fn aggregates(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().flat_map(|part| &part.computed.aggregates)
    }

    /// The columns over the rows of a plan, by group, under the names that [`term`] makes.
    ///
    /// # Errors
    /// A mistake in an expression over aggregates, or DataFusion's own error.
    pub fn over(
        &self,
        setting: &Setting,
        input: LogicalPlan,
        groups: &[&str],
        rows: Option<&Rows<'_>>,
    ) -> PlanResult<LogicalPlan> {
        let keys: Vec<Expr> = groups.iter().map(|name| column(name)).collect();
        let mut parts = keys.clone();
        for (position, Part { computed, rate }) in self.parts.iter().enumerate() {
            let sum = computed.result.clone();
            let result = match (rate, rows) {
                (Some(seconds), Some(Rows { column: start, bins: Some(bins) })) => {
                    let length = bin_seconds(operators::to_number(column(start)), bins);
                    operators::to_number(sum) * lit(*seconds) / length
                }
                _ => sum,
            };
            parts.push(result.alias(part(position)));
        }
        let plan = LogicalPlanBuilder::new(input)
            .aggregate(keys.clone(), self.aggregates().cloned().collect::<Vec<_>>())?
            .project(parts)?
            .build()?;
        let frame = Frame::new(plan.clone(), Vec::new(), setting.clone());
        let expressions = ExpressionPlanner::new(&frame);
        let mut columns = keys;
        for (position, found) in self.columns.iter().enumerate() {
            let value = match &found.value {
                // Rates are written with six decimals.
                Source::Part(at) if self.parts.get(*at).is_some_and(|part| part.rate.is_some()) => {
                    six_decimals(column(&part(*at)))
                }
                Source::Part(at) => {
                    let value = expressions.field(&part(*at), Span::default());
                    if value.kind == Kind::Time { value.number() } else { value.expr }
                }
                Source::Expression(expression) => expressions.plan(expression)?.stored()?,
            };
            columns.push(value.alias(term(position)));
        }
        Ok(LogicalPlanBuilder::new(plan).project(columns)?.build()?)
    }
}

/// The argument of an aggregate in an expression: a field, or `eval(...)`.
fn argument(expression: &Expression) -> PlanResult<AggregateArgument> {
    match &expression.kind {
        ExpressionKind::Call(name, arguments) if name.node.eq_ignore_ascii_case("eval") => {
            if let [inner] = arguments.as_slice() {
                return Ok(AggregateArgument::Eval(inner.clone()));
            }
        }
        _ => {
            if let Some(text) = dotted(expression) {
                return Ok(AggregateArgument::Field(Name { text, span: expression.span }));
            }
        }
    }
    let message = "an aggregate is computed over a field or over `eval(...)`";
    Err(Diagnostic::error(Code::InvalidArgument, message, expression.span).into())
}

/// The name of a field, which may hold dots: an expression takes those for operators.
fn dotted(expression: &Expression) -> Option<String> {
    match &expression.kind {
        ExpressionKind::Field(name) | ExpressionKind::String(name) => Some(name.clone()),
        ExpressionKind::Binary(BinaryOperator::Concatenate, left, right) => {
            Some(format!("{}.{}", dotted(left)?, dotted(right)?))
        }
        _ => None,
    }
}

/// The names of fields with dots that aggregates in an expression are computed over.
pub fn dotted_fields(expression: &Expression) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![expression];
    while let Some(expression) = left.pop() {
        match &expression.kind {
            ExpressionKind::Call(name, arguments) => {
                if let ([argument], true) = (arguments.as_slice(), aggregate::is_function(&name.node)) {
                    found.extend(dotted(argument));
                }
                left.extend(arguments);
            }
            ExpressionKind::Unary(_, operand) => left.push(operand),
            ExpressionKind::Binary(_, a, b) => left.extend([a.as_ref(), b.as_ref()]),
            ExpressionKind::In(needle, haystack) => {
                left.push(needle);
                left.extend(haystack);
            }
            ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Field(_)
            | ExpressionKind::Subsearch(_)
            | ExpressionKind::Macro(_) => {}
        }
    }
    found
}
