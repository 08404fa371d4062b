//! `search`: keeps the events that match. OR binds tighter than AND; a comparison with a missing field is
//! false, so that NOT of it is true.
//!
//! Source: Splunk Search Reference, "search"; Splunk Search Manual, "Difference between != and NOT".

use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, is_not_true, lit};
use spelunk_grammar::spl::commands::search::Search;
use spelunk_grammar::spl::search::{
    Comparison, ComparisonOperator, InList, Literal, Matching, Operand, SearchExpression,
};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::expression::{ExpressionPlanner, Kind, Typed, assumed_macro};
use super::frame::{Frame, column};
use super::{PlanResult, Planner, relevancy, trace};
use crate::functions::{operators, pattern, search as kernels, strptime, timeformat};
use crate::ingest::spellings;
use crate::knowledge::apps::Apps;
use crate::knowledge::apps::labels::Labels;
use crate::{time, values};

/// Plans `search` over loaded events, with the session's time bounds where the search sets none.
pub fn plan_first(planner: &Planner<'_>, frame: &mut Frame, command: &Search) -> PlanResult<()> {
    let named = |bound: Bound| command.expression.as_ref().is_some_and(|expression| names(expression, bound));
    let (earliest, latest) = planner.bounds;
    let unless = |bound: Bound, time: Option<i64>| time.filter(|_| !named(bound));
    within(frame, (unless(Bound::Earliest, earliest), unless(Bound::Latest, latest)))?;
    plan(frame, command)
}

/// Keeps the events from the first time (microseconds) on and before the second.
///
/// # Errors
/// DataFusion's own.
pub fn within(frame: &mut Frame, (earliest, latest): (Option<i64>, Option<i64>)) -> PlanResult<()> {
    let time = || column("_time");
    if let Some(earliest) = earliest {
        frame.filter(time().gt_eq(lit(timestamp(earliest))))?;
    }
    if let Some(latest) = latest {
        frame.filter(time().lt(lit(timestamp(latest))))?;
    }
    Ok(())
}

/// Plans `search` over any rows.
pub fn plan(frame: &mut Frame, command: &Search) -> PlanResult<()> {
    let Some(expression) = &command.expression else { return Ok(()) };
    relevancy::keywords(expression, &mut frame.keywords);
    trace::spl::search(frame, command);
    let conjuncts = match expression {
        SearchExpression::And(conjuncts) => conjuncts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let conditions = Lowering::of(frame, expression)?.conjuncts(conjuncts)?;
    if let Some(condition) = balanced(conditions, Expr::and) {
        filter(frame, condition, expression_span(expression))?;
    }
    Ok(())
}

/// The most conditions that one filter may AND: DataFusion's planning time grows with their square.
const MOST_CONJUNCTS: usize = 2_000;

/// Keeps the rows for which the condition is true.
///
/// # Errors
/// It ANDs too many conditions.
pub fn filter(frame: &mut Frame, condition: Expr, span: Span) -> PlanResult<()> {
    let conjuncts = split_conjunction(&condition).len();
    if conjuncts > MOST_CONJUNCTS {
        let message = format!("{conjuncts} conditions joined by AND; the most is {MOST_CONJUNCTS}");
        return Err(Diagnostic::error(Code::TooLarge, message, span).into());
    }
    frame.filter(condition)?;
    Ok(())
}

/// From the first to the last part that has a place.
pub(super) fn expression_span(expression: &SearchExpression) -> Span {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            let spans = parts.iter().map(expression_span);
            spans.reduce(Span::to).unwrap_or_default()
        }
        SearchExpression::Not(inner) => expression_span(inner),
        SearchExpression::Comparison(comparison) => comparison.span,
        SearchExpression::In(list) => list.span,
        SearchExpression::Term(literal) => literal.span,
        SearchExpression::Subsearch(subsearch) => subsearch.span,
        SearchExpression::Macro(call) => call.span,
    }
}

pub(super) fn names(expression: &SearchExpression, bound: Bound) -> bool {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().any(|part| names(part, bound)),
        SearchExpression::Not(inner) => names(inner, bound),
        SearchExpression::Comparison(comparison) => {
            modifier(&comparison.field.text).is_some_and(|modifier| modifier.bound == bound)
        }
        _ => false,
    }
}

/// How many keywords and phrases a search may have: each becomes a pattern of its own.
const MOST_WORDS: usize = 1_000;

/// The keywords and phrases of a search.
fn words(expression: &SearchExpression) -> usize {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().map(words).sum(),
        SearchExpression::Not(inner) => words(inner),
        SearchExpression::Term(_) => 1,
        _ => 0,
    }
}

/// The modifier that says how the others are written.
const TIME_FORMAT: &str = "timeformat";

/// The text that a search gives for it.
pub(super) fn time_format(expression: &SearchExpression) -> Option<&Literal> {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => parts.iter().find_map(time_format),
        SearchExpression::Not(inner) => time_format(inner),
        SearchExpression::Comparison(Comparison {
            field,
            operator: ComparisonOperator::Equal,
            value: Operand::Literal(literal),
            span: _,
        }) if field.text == TIME_FORMAT => Some(literal),
        _ => None,
    }
}

fn timestamp(microseconds: i64) -> datafusion::common::ScalarValue {
    datafusion::common::ScalarValue::TimestampMicrosecond(Some(microseconds), Some("UTC".into()))
}

/// The condition that a search expression sets for the rows of a frame.
///
/// # Errors
/// The first thing wrong with it.
pub fn condition(frame: &Frame, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
    Lowering::of(frame, expression)?.condition(expression)
}

/// Turns search expressions into conditions over a frame.
struct Lowering<'f> {
    frame: &'f Frame,
    /// Whether rows that match are left out: inside an odd number of NOTs.
    negated: bool,
    /// How the times of the search's modifiers are written.
    time_format: Option<&'f Literal>,
}

impl<'f> Lowering<'f> {
    fn of(frame: &'f Frame, expression: &'f SearchExpression) -> Result<Self, Diagnostic> {
        if words(expression) > MOST_WORDS {
            let message = format!("more than {MOST_WORDS} words to look for in the text of an event");
            return Err(Diagnostic::error(Code::TooLarge, message, expression_span(expression))
                .with_help("compare a field with many values at once: `field IN (a, b, ...)`"));
        }
        let time_format = time_format(expression).filter(|_| frame.data_type(TIME_FORMAT).is_none());
        if let Some(format) = time_format {
            timeformat::items(&format.text).map_err(|reason| {
                Diagnostic::error(Code::InvalidTime, format!("invalid time format: {reason}"), format.span)
            })?;
        }
        Ok(Self { frame, negated: false, time_format })
    }

    /// For what stands behind a NOT.
    fn negation(&self) -> Self {
        Self { negated: !self.negated, ..*self }
    }

    fn condition(&self, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
        match expression {
            SearchExpression::And(parts) => self.all(parts),
            SearchExpression::Or(parts) => self.any(parts),
            SearchExpression::Not(inner) => Ok(is_not_true(self.negation().condition(inner)?)),
            SearchExpression::Comparison(comparison) => self.comparison(comparison),
            SearchExpression::In(InList { field, values, .. }) => {
                if let Some(answer) = self.labels(&field.text, &values.iter().collect::<Vec<_>>(), field.span)? {
                    return Ok(answer);
                }
                if let Some(answer) = self.absent_knowledge(&field.text, field.span) {
                    return Ok(answer);
                }
                let typed = self.field(&field.text, field.span);
                self.any_of(&field.text, &typed, &values.iter().collect::<Vec<_>>(), field.span)
            }
            SearchExpression::Term(literal) => self.term(literal),
            SearchExpression::Subsearch(subsearch) => {
                Err(Diagnostic::error(Code::Subsearch, "the subsearch was not run", subsearch.span))
            }
            SearchExpression::Macro(call) => {
                assumed_macro(self.frame, &call.name, call.span)?;
                Ok(lit(true))
            }
        }
    }

    fn all(&self, parts: &[SearchExpression]) -> Result<Expr, Diagnostic> {
        Ok(balanced(self.conjuncts(parts)?, Expr::and).unwrap_or_else(|| lit(true)))
    }

    /// The conditions of an AND. What must not be is fused: NOT a NOT b is NOT (a OR b), and the alternatives of
    /// one field are one test.
    fn conjuncts(&self, parts: &[SearchExpression]) -> Result<Vec<Expr>, Diagnostic> {
        let mut conditions = Vec::new();
        let mut unwanted = Vec::new();
        let tags: Vec<(&str, Span)> = parts.iter().filter_map(one_tag).collect();
        let together = if tags.len() > 1 { self.all_tags(&tags)? } else { None };
        let fused = together.is_some();
        conditions.extend(together);
        for part in parts {
            match part {
                tag if fused && one_tag(tag).is_some() => {}
                SearchExpression::Not(inner) if matches!(**inner, SearchExpression::Comparison(_)) => {
                    unwanted.push((**inner).clone());
                }
                other => conditions.push(self.condition(other)?),
            }
        }
        if !unwanted.is_empty() {
            conditions.push(is_not_true(self.negation().any(&unwanted)?));
        }
        conditions.retain(|condition| *condition != lit(true));
        if conditions.contains(&lit(false)) {
            conditions = vec![lit(false)];
        }
        Ok(conditions)
    }

    /// OR, with the alternatives of one field fused into one test.
    fn any(&self, parts: &[SearchExpression]) -> Result<Expr, Diagnostic> {
        let mut fused: Vec<(&str, Span, Vec<&Literal>)> = Vec::new();
        let mut conditions = Vec::new();
        for part in parts {
            match part {
                SearchExpression::Comparison(Comparison {
                    field,
                    operator: ComparisonOperator::Equal,
                    value: Operand::Literal(literal),
                    ..
                }) if modifier(&field.text).is_none() => {
                    match fused.iter_mut().find(|(known, ..)| *known == field.text) {
                        Some((_, _, literals)) => literals.push(literal),
                        None => fused.push((&field.text, field.span, vec![literal])),
                    }
                }
                SearchExpression::In(InList { field, values, .. }) => {
                    match fused.iter_mut().find(|(known, ..)| *known == field.text) {
                        Some((_, _, literals)) => literals.extend(values),
                        None => fused.push((&field.text, field.span, values.iter().collect())),
                    }
                }
                other => conditions.push(self.condition(other)?),
            }
        }
        for (name, span, literals) in fused {
            if let Some(answer) = self.labels(name, &literals, span)? {
                conditions.push(answer);
                continue;
            }
            if let Some(answer) = self.absent_knowledge(name, span) {
                conditions.push(answer);
                continue;
            }
            let typed = self.field(name, span);
            conditions.push(self.any_of(name, &typed, &literals, span)?);
        }
        // What cannot be is no alternative.
        if conditions.iter().any(|condition| *condition != lit(false)) {
            conditions.retain(|condition| *condition != lit(false));
        }
        Ok(balanced(conditions, Expr::or).unwrap_or_else(|| lit(true)))
    }

    fn field(&self, name: &str, span: Span) -> Typed {
        ExpressionPlanner::new(self.frame).field(name, span)
    }

    fn comparison(&self, comparison: &Comparison) -> Result<Expr, Diagnostic> {
        let Comparison { field, operator, value, span } = comparison;
        let Operand::Literal(literal) = value else {
            return Err(Diagnostic::error(Code::Subsearch, "the subsearch was not run", *span));
        };
        if let Some(modifier) = modifier(&field.text) {
            return self.time_bound(modifier, *operator, literal, *span);
        }
        match operator {
            ComparisonOperator::Equal => {
                if let Some(answer) = self.labels(&field.text, &[literal], field.span)? {
                    return Ok(answer);
                }
            }
            // Some label, and none of these.
            ComparisonOperator::NotEqual => {
                let any = Literal { text: "*".to_owned(), ..literal.clone() };
                if let Some(some) = self.labels(&field.text, &[&any], field.span)?
                    && let Some(equal) = self.labels(&field.text, &[literal], field.span)?
                {
                    return Ok(some.and(is_not_true(equal)));
                }
            }
            _ => {}
        }
        if let Some(answer) = self.absent_knowledge(&field.text, field.span) {
            return Ok(answer);
        }
        if field.text == TIME_FORMAT && *operator == ComparisonOperator::Equal && self.time_format.is_some() {
            // It says how others are read.
            return Ok(lit(true));
        }
        if matches!(field.text.as_str(), "searchtimespandays" | "searchtimespanhours")
            && self.frame.data_type(&field.text).is_none()
        {
            let message = format!("the time modifier `{}` is not supported", field.text);
            return Err(Diagnostic::error(Code::Unsupported, message, field.span)
                .with_help("set `earliest=` and `latest=`, such as `earliest=-7d@d`"));
        }
        let typed = self.field(&field.text, field.span);
        match operator {
            ComparisonOperator::Equal => self.any_of(&field.text, &typed, &[literal], field.span),
            ComparisonOperator::NotEqual => self.other_than(&field.text, &typed, literal, field.span),
            order => Ok(self.ordered(&typed, *order, literal)),
        }
    }

    /// `field=value` for any of the values.
    fn any_of(&self, name: &str, typed: &Typed, literals: &[&Literal], span: Span) -> Result<Expr, Diagnostic> {
        if let Some(condition) = self.metadata(name, literals, span) {
            return Ok(condition);
        }
        if typed.kind == Kind::Null {
            return Ok(lit(self.frame.open));
        }
        if literals.iter().any(|literal| literal.text == "*") {
            return Ok(typed.expr.clone().is_not_null());
        }
        let mut conditions = Vec::new();
        let mut patterns = Vec::new();
        let mut blocks = Vec::new();
        for literal in literals {
            match literal.matching {
                Matching::Case => conditions.push(kernels::wildcard_case(typed.text(), literal.text.clone())),
                Matching::AnyCase | Matching::Term => match native_equal(typed, &literal.text) {
                    Some(condition) => conditions.push(condition),
                    None => {
                        if pattern::cidr(&literal.text).is_some() {
                            blocks.push(literal.text.clone());
                        }
                        patterns.push(literal.text.clone());
                    }
                },
            }
        }
        if let Some(invalid) = patterns.iter().find_map(|text| pattern::Wildcard::any_case(text).err()) {
            return Err(Diagnostic::error(Code::InvalidPattern, invalid, span));
        }
        if !patterns.is_empty() {
            conditions.push(kernels::wildcard(typed.text(), patterns));
        }
        if !blocks.is_empty() {
            conditions.push(kernels::cidr(typed.text(), blocks));
        }
        Ok(balanced(conditions, Expr::or).unwrap_or_else(|| lit(false)))
    }

    /// `field!=value`: the field is there and has another value.
    fn other_than(&self, name: &str, typed: &Typed, literal: &Literal, span: Span) -> Result<Expr, Diagnostic> {
        if typed.kind == Kind::Null {
            return Ok(lit(self.frame.open));
        }
        if typed.kind == Kind::Many {
            let mode = if literal.matching == Matching::Case { "case" } else { "any" };
            return Ok(kernels::other_than(typed.expr.clone(), literal.text.clone(), mode));
        }
        let equal = match self.metadata_values(name, literal) {
            Some(values) => column(name).in_list(values.into_iter().map(lit).collect(), false),
            None => self.any_of(name, typed, &[literal], span)?,
        };
        Ok(typed.expr.clone().is_not_null().and(is_not_true(equal)))
    }

    fn ordered(&self, typed: &Typed, operator: ComparisonOperator, literal: &Literal) -> Expr {
        let number = values::parse_number(&literal.text);
        match (typed.kind, number) {
            (Kind::Null, _) => lit(self.frame.open),
            (Kind::Integer | Kind::Number | Kind::Time, Some(number)) => {
                let (left, right) = (typed.number(), lit(number));
                match operator {
                    ComparisonOperator::Less => left.lt(right),
                    ComparisonOperator::LessOrEqual => left.lt_eq(right),
                    ComparisonOperator::Greater => left.gt(right),
                    _ => left.gt_eq(right),
                }
            }
            _ => kernels::order(typed.text(), symbol(operator), literal.text.clone()),
        }
    }

    /// A keyword or phrase in the event's text.
    fn term(&self, literal: &Literal) -> Result<Expr, Diagnostic> {
        if literal.text.chars().all(|letter| letter == '*') && !literal.text.is_empty() {
            return Ok(lit(true));
        }
        let mode = match literal.matching {
            Matching::AnyCase => "any",
            Matching::Case => "case",
            Matching::Term => "term",
        };
        pattern::keyword(&literal.text, mode == "case", mode == "term")
            .map_err(|reason| Diagnostic::error(Code::InvalidPattern, reason, literal.span))?;
        match self.frame.data_type("_raw") {
            Some(_) => {
                let raw = ExpressionPlanner::new(self.frame).field("_raw", literal.span);
                Ok(kernels::keyword(raw.text(), literal.text.clone(), mode))
            }
            None => Ok(lit(self.frame.open)),
        }
    }

    /// `earliest=`, `latest=` and their like.
    fn time_bound(
        &self,
        modifier: Modifier,
        operator: ComparisonOperator,
        literal: &Literal,
        span: Span,
    ) -> Result<Expr, Diagnostic> {
        if operator != ComparisonOperator::Equal {
            return Err(Diagnostic::error(Code::InvalidTime, "a time modifier is set with `=`", span));
        }
        if self.frame.setting.planning && literal.text == "*" {
            // A subsearch stands there, which was not run.
            return Ok(lit(self.frame.open));
        }
        let time = modifier
            .time(&literal.text, self.time_format.map(|format| format.text.as_str()), &self.frame.setting.clock)
            .map_err(|reason| Diagnostic::error(Code::InvalidTime, reason, literal.span))?;
        if self.frame.data_type("_time").is_none() {
            return Ok(lit(self.frame.open));
        }
        let typed = ExpressionPlanner::new(self.frame).field("_time", span);
        let (field, time) = match typed.kind {
            Kind::Time => (typed.expr, lit(timestamp(time))),
            // `eval _time=5` leaves a number of seconds.
            _ => (typed.number(), lit(time as f64 / 1_000_000.0)),
        };
        Ok(match modifier.bound {
            Bound::Earliest => field.gt_eq(time),
            Bound::Latest => field.lt(time),
        })
    }

    /// The name that an app gives to a sourcetype.
    fn renamed(&self, sourcetype: &str) -> Option<&str> {
        self.frame.setting.apps.as_ref().and_then(|apps| apps.props.renamed(sourcetype))
    }

    /// A condition on `index`, `source`, `sourcetype` or `host` of loaded events, whose values are known.
    fn metadata(&self, name: &str, literals: &[&Literal], span: Span) -> Option<Expr> {
        let known = self.frame.metadata.get(name)?;
        let mut found: Vec<String> = Vec::new();
        for literal in literals {
            found.extend(self.metadata_values(name, literal)?);
        }
        found.sort_unstable();
        found.dedup();
        // `index=*`: no row has to be compared with what all rows have.
        if !found.is_empty() && found.len() == known.len() {
            return Some(column(name).is_not_null());
        }
        if !found.is_empty() {
            return Some(column(name).in_list(found.into_iter().map(lit).collect(), false));
        }
        if self.frame.setting.strict || known.is_empty() {
            return None;
        }
        let wanted = literals.iter().map(|l| format!("{:?}", l.text)).collect::<Vec<_>>().join(", ");
        let exist = known.iter().take(8).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(", ");
        if name == "index" {
            self.frame.note(
                Diagnostic::note(
                    Code::UnknownMetadata,
                    format!("no index {wanted} here: searching all that was loaded"),
                    span,
                )
                .with_help(format!("loaded: {exist}; bind one with `--index NAME=PATH`, or refuse with `--strict`")),
            );
            // Forgiven, it leaves no event out, behind a NOT neither.
            return Some(lit(!self.negated));
        }
        self.frame.note(
            Diagnostic::warning(Code::UnknownMetadata, format!("no loaded event has {name} {wanted}"), span)
                .with_help(format!("loaded: {exist}")),
        );
        Some(lit(false))
    }

    /// The condition that events have one of these event types or tags; `None` if the field holds something else.
    fn labels(&self, name: &str, literals: &[&Literal], span: Span) -> Result<Option<Expr>, Diagnostic> {
        let Some(apps) = self.frame.setting.apps.as_ref().filter(|_| self.frame.events && Labels::is_label(name))
        else {
            return Ok(None);
        };
        if self.frame.open {
            return Ok(None);
        }
        let mut conditions = Vec::new();
        for literal in literals {
            let found = apps.labels.search(name, &literal.text, &apps.macros, &self.frame.setting.clock, span);
            match found.map_err(|reason| Diagnostic::error(Code::InvalidArgument, reason, span))? {
                Some(expression) => conditions.push(self.quietly(&expression)?),
                None => self.unknown_label(apps, name, &literal.text, span),
            }
        }
        // Events may have a field of that name of their own.
        if self.frame.data_type(name).is_some() {
            let typed = self.field(name, span);
            conditions.push(self.any_of(name, &typed, literals, span)?);
        }
        if conditions.iter().any(|condition| *condition != lit(false)) {
            conditions.retain(|condition| *condition != lit(false));
        }
        Ok(Some(balanced(conditions, Expr::or).unwrap_or_else(|| lit(false))))
    }

    /// The condition that events have all of these tags; `None` where tags are a field of the events.
    fn all_tags(&self, tags: &[(&str, Span)]) -> Result<Option<Expr>, Diagnostic> {
        let Some(apps) = self.frame.setting.apps.as_ref().filter(|_| self.frame.events && !self.frame.open) else {
            return Ok(None);
        };
        if self.frame.data_type("tag").is_some() {
            return Ok(None);
        }
        let place = tags.first().map_or(Span::default(), |(_, span)| *span);
        let names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
        let found = apps.labels.all_tags(&names, &apps.macros, &self.frame.setting.clock, place);
        let found = found.map_err(|reason| Diagnostic::error(Code::InvalidArgument, reason, place))?;
        let Some(expression) = found else {
            for (name, span) in tags {
                if !apps.labels.tags(None).any(|known| known.eq_ignore_ascii_case(name)) {
                    self.unknown_label(apps, "tag", name, *span);
                }
            }
            return Ok(Some(lit(false)));
        };
        self.quietly(&expression).map(Some)
    }

    /// A condition that is not the user's: what it looks at and events lack is no mistake of his.
    fn quietly(&self, expression: &SearchExpression) -> Result<Expr, Diagnostic> {
        let (missing, findings) = (self.frame.take_missing(), self.frame.take_findings());
        let condition = self.condition(expression);
        drop((self.frame.take_missing(), self.frame.take_findings()));
        missing.into_iter().for_each(|(name, span)| self.frame.note_missing(&name, span));
        findings.into_iter().for_each(|finding| self.frame.note(finding));
        condition
    }

    fn unknown_label(&self, apps: &Apps, name: &str, value: &str, span: Span) {
        let what = if name == "eventtype" { "event type" } else { "tag" };
        let message = format!("no {what} {value:?} is defined: it matches nothing");
        let note = Diagnostic::warning(Code::UnknownMetadata, message, span);
        self.frame.note(match apps.labels.nearest(name, value) {
            Some(near) => note.with_help(format!("did you mean {near:?}?")),
            None => note.with_help("`--app PATH` reads an app that defines it"),
        });
    }

    /// The answer to a comparison with what is no field of an event but known to a Splunk server: its tags, event
    /// types and saved searches, which are not there and match nothing, and the server's own name, which all loaded
    /// events share.
    fn absent_knowledge(&self, name: &str, span: Span) -> Option<Expr> {
        if self.frame.open || self.frame.data_type(name).is_some() {
            return None;
        }
        let (message, answer) = match name {
            "splunk_server" | "splunk_server_group" if self.frame.events && !self.frame.setting.strict => (
                format!("there is no Splunk server: searching all that was loaded, whatever `{name}` is"),
                !self.negated,
            ),
            name if is_knowledge(name) => {
                (format!("there is nothing of the kind `{name}` here: it matches nothing"), false)
            }
            _ => return None,
        };
        self.frame.note(Diagnostic::note(Code::UnknownMetadata, message, span));
        Some(lit(answer))
    }

    /// The loaded values that a metadata value means; `None` if the field is not metadata of loaded events.
    fn metadata_values(&self, name: &str, literal: &Literal) -> Option<Vec<String>> {
        let known = self.frame.metadata.get(name)?;
        let wildcard = match literal.matching {
            Matching::Case => pattern::Wildcard::same_case(&literal.text),
            _ => pattern::Wildcard::any_case(&literal.text),
        }
        .ok()?;
        let fits = |value: &&String| {
            wildcard.matches(value)
                || (!self.frame.setting.strict
                    && matches!(name, "source" | "sourcetype")
                    && spellings(value).iter().any(|spelling| wildcard.matches(spelling)))
                || (name == "sourcetype" && self.renamed(value).is_some_and(|new| wildcard.matches(new)))
        };
        Some(known.iter().filter(fits).cloned().collect())
    }
}

/// The tag that a part of a search asks for.
fn one_tag(part: &SearchExpression) -> Option<(&str, Span)> {
    match part {
        SearchExpression::Comparison(Comparison {
            field,
            operator: ComparisonOperator::Equal,
            value: Operand::Literal(literal),
            span,
        }) if field.text == "tag" && !literal.text.contains('*') => Some((&literal.text, *span)),
        _ => None,
    }
}

/// Whether a comparison with a field of that name is about something else than a field.
pub(super) fn is_special(name: &str) -> bool {
    let is_modifier = name == TIME_FORMAT || name.starts_with("searchtimespan") || modifier(name).is_some();
    is_modifier || is_knowledge(name) || name.starts_with("splunk_server") || name.starts_with('_')
}

/// Whether `search` looks for knowledge of a Splunk server under that name.
fn is_knowledge(name: &str) -> bool {
    matches!(name, "tag" | "eventtype" | "hosttag" | "eventtypetag" | "savedsearch" | "savedsplunk")
        || name.starts_with("tag::")
}

/// A comparison of a number column with a value; `None` where text has to be compared.
fn native_equal(typed: &Typed, text: &str) -> Option<Expr> {
    if text.contains('*') {
        return None;
    }
    match typed.kind {
        Kind::Integer => Some(match text.parse::<i64>() {
            Ok(integer) if integer.to_string() == text => typed.expr.clone().eq(lit(integer)),
            _ => lit(false),
        }),
        Kind::Number | Kind::Time => Some(match values::parse_number(text) {
            Some(number) if typed.kind == Kind::Time || values::format_number(number) == text => {
                typed.number().eq(lit(number))
            }
            _ => lit(false),
        }),
        Kind::Boolean => Some(operators::to_text(typed.expr.clone()).eq(lit(text))),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Earliest,
    Latest,
}

/// A time modifier of a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Modifier {
    /// What it sets.
    pub bound: Bound,
    /// The unit of a value that counts back from now; `None` where the value says all.
    ago: Option<&'static str>,
}

impl Modifier {
    /// The time that a value means, in microseconds. A format counts for what fits it; what counts from now needs none.
    ///
    /// # Errors
    /// Why it means none.
    pub fn time(self, value: &str, format: Option<&str>, clock: &super::Clock) -> Result<i64, String> {
        let formatted = format.and_then(|format| strptime::parse(value, format, &clock.time_zone, clock.now));
        match (self.ago, formatted) {
            (None, Some(time)) => Ok(time),
            (None, None) => time::resolve(value, clock.now, &clock.time_zone),
            (Some(unit), _) if value.bytes().all(|digit| digit.is_ascii_digit()) => {
                time::resolve(&format!("-{value}{unit}"), clock.now, &clock.time_zone)
            }
            (Some(_), _) => Err(format!("{value:?} is no whole number")),
        }
    }
}

/// The time modifier of that name. Logs that are read from files are indexed when they happened.
pub(super) fn modifier(field: &str) -> Option<Modifier> {
    let unit = |ago: &str| match ago {
        "minutesago" => Some("m"),
        "hoursago" => Some("h"),
        "daysago" => Some("d"),
        "monthsago" => Some("mon"),
        _ => None,
    };
    match field {
        "earliest" | "_index_earliest" | "starttime" | "starttimeu" => {
            Some(Modifier { bound: Bound::Earliest, ago: None })
        }
        "latest" | "_index_latest" | "endtime" | "endtimeu" => Some(Modifier { bound: Bound::Latest, ago: None }),
        _ => {
            let (bound, ago) = match (field.strip_prefix("start"), field.strip_prefix("end")) {
                (Some(ago), _) => (Bound::Earliest, ago),
                (None, Some(ago)) => (Bound::Latest, ago),
                (None, None) => (Bound::Earliest, field),
            };
            unit(ago).map(|unit| Modifier { bound, ago: Some(unit) })
        }
    }
}

fn symbol(operator: ComparisonOperator) -> &'static str {
    match operator {
        ComparisonOperator::Less => "<",
        ComparisonOperator::LessOrEqual => "<=",
        ComparisonOperator::Greater => ">",
        _ => ">=",
    }
}

/// Joins conditions as a balanced tree, so that thousands of them do not nest thousands deep.
pub(super) fn balanced(mut conditions: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while conditions.len() > 1 {
        let mut joined = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut pairs = conditions.into_iter();
        while let Some(left) = pairs.next() {
            joined.push(match pairs.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        conditions = joined;
    }
    conditions.pop()
}
