//! The state of building a tree, and the steps.

use pest::iterators::Pair;

use super::{MAX_NESTING, Rule};
use crate::logscale::query::{
    Assignment, Filter, Guard, MatchArm, MatchStep, Pipeline, Query, Step, StepKind, Target, Text,
};
use crate::{Code, Diagnostic, Span, Spanned};

/// Builds a tree. Its methods return `None` after noting why, or where pest gave what its grammar cannot give.
pub struct Builder {
    /// How deep the node that is built next stands.
    pub depth: usize,
    /// What has been found so far.
    pub diagnostics: Vec<Diagnostic>,
    /// What may be read otherwise than it was meant.
    pub warnings: Vec<Diagnostic>,
}

/// The place of a pair, without the blanks that may follow it.
pub fn span(pair: &Pair<'_, Rule>) -> Span {
    let start = pair.as_span().start();
    Span::new(start, start + pair.as_str().trim_end().len())
}

/// The name that a word or a string stands for.
pub fn name(pair: Pair<'_, Rule>) -> Spanned<String> {
    let span = span(&pair);
    match pair.as_rule() {
        Rule::string => Spanned::new(text(pair).unescaped(), span),
        _ => Spanned::new(pair.as_str().trim_end().to_owned(), span),
    }
}

/// The text between the quotes of a string.
pub fn text(pair: Pair<'_, Rule>) -> Text {
    Text(pair.into_inner().next().map_or_else(String::new, |inner| inner.as_str().to_owned()))
}

impl Builder {
    /// Runs `build` for children that stand a level deeper, unless that is too deep.
    pub fn deeper<T>(&mut self, span: Span, build: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.depth += 1;
        let built = if self.depth > MAX_NESTING {
            let message = format!("the query nests too deeply: more than {MAX_NESTING} brackets inside each other");
            self.diagnostics.push(Diagnostic::error(Code::TooLarge, message, span));
            None
        } else {
            build(self)
        };
        self.depth -= 1;
        built
    }

    /// A whole query.
    pub fn query(&mut self, pair: Pair<'_, Rule>) -> Option<Query> {
        let span = span(&pair);
        let pipeline = pair.into_inner().find(|inner| inner.as_rule() == Rule::pipeline)?;
        Some(Query { pipeline: self.pipeline(pipeline)?, span })
    }

    /// Steps one after the other.
    pub fn pipeline(&mut self, pair: Pair<'_, Rule>) -> Option<Pipeline> {
        let place = span(&pair);
        let text = pair.get_input();
        self.deeper(place, |builder| {
            let mut steps = Vec::new();
            // The head of an assignment that follows without a pipe is seen twice by pest, and listed once.
            for step in pair.into_inner() {
                if let Some(step) = builder.step(step) {
                    steps.push(step);
                }
            }
            builder.warn_of_pipes(text, &steps);
            builder.diagnostics.is_empty().then_some(Pipeline { steps })
        })
    }

    /// Two pipes are one; other languages write OR so.
    fn warn_of_pipes(&mut self, text: &str, steps: &[Step]) {
        for pair in steps.windows(2) {
            let [first, second] = pair else { continue };
            let filters = [first, second].iter().all(|step| match &step.kind {
                StepKind::Filter(filter) => !matches!(filter, Filter::Call(_)),
                _ => false,
            });
            let between = text.get(first.span.end..second.span.start).unwrap_or_default();
            if filters && between.trim() == "||" && !between.contains('\n') {
                let message = "`||` is a pipe: both filters have to hold";
                let place = Span::new(first.span.end, second.span.start);
                self.warnings.push(Diagnostic::warning(Code::Note, message, place).with_help("write `or`"));
            }
        }
    }

    fn step(&mut self, pair: Pair<'_, Rule>) -> Option<Step> {
        let place = span(&pair);
        let kind = match pair.as_rule() {
            Rule::case_step => {
                let arms = pair.into_inner().filter(|inner| inner.as_rule() == Rule::pipeline);
                let mut arms: Vec<Pipeline> = arms.map(|arm| self.pipeline(arm)).collect::<Option<_>>()?;
                // A `;` after the last arm begins no other.
                while arms.len() > 1 && arms.last().is_some_and(|arm| arm.steps.is_empty()) {
                    arms.pop();
                }
                StepKind::Case(arms)
            }
            Rule::match_step => {
                let mut inner = pair.into_inner();
                let field = name(inner.next()?);
                let arms = inner.filter(|inner| inner.as_rule() == Rule::match_arm);
                let arms = arms.map(|arm| self.arm(arm)).collect::<Option<_>>()?;
                StepKind::Match(MatchStep { field, arms })
            }
            Rule::assignment => StepKind::Assign(self.assignment(pair)?),
            Rule::where_step => {
                let condition = pair.into_inner().find(|inner| inner.as_rule() == Rule::condition)?;
                StepKind::Where(self.condition(condition)?)
            }
            Rule::stats_step => StepKind::Stats(self.elements(pair.into_inner().next()?)?),
            Rule::filter => StepKind::Filter(self.filter(pair)?),
            _ => return None,
        };
        Some(Step { kind, span: place })
    }

    fn arm(&mut self, pair: Pair<'_, Rule>) -> Option<MatchArm> {
        let mut inner = pair.into_inner();
        let mut parts = inner.next()?.into_inner();
        let mut first = parts.next()?;
        let negated = first.as_rule() == Rule::not_op;
        if negated {
            first = parts.next()?;
        }
        let guard = match first.as_rule() {
            Rule::call => Guard::Call(negated, self.call(first)?),
            _ => Guard::Value(self.value_of(first)?),
        };
        Some(MatchArm { guard, pipeline: self.pipeline(inner.next()?)? })
    }

    /// `field := value`
    pub fn assignment(&mut self, pair: Pair<'_, Rule>) -> Option<Assignment> {
        let mut inner = pair.into_inner();
        let target = inner.next()?.into_inner().next()?;
        let target = match target.as_rule() {
            Rule::dynamic => Target::Dynamic(name(target.into_inner().next()?)),
            _ => Target::Field(name(target)),
        };
        let value = inner.find(|inner| inner.as_rule() == Rule::condition)?;
        Some(Assignment { target, value: self.condition(value)? })
    }
}
