//! `top`, `rare` and their forms for summary indexes: the most and the least frequent values.
//!
//! Source: Splunk Search Reference, "top", "rare", "sitop", "sirare".

use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{count, max, sum};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFunctionDefinition, cast, lit, when};
use spelunk_grammar::spl::commands::top::Frequencies;
use spelunk_grammar::spl::expression::Name;
use spelunk_grammar::{Code, Diagnostic, Spanned};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column};
use super::{PlanResult, stats, window};
use crate::functions::{aggregates, ordering};

/// How many rows of a group are kept where the search does not say.
const DEFAULT_LIMIT: u64 = 10;

/// The most rows of a group (`maxresultrows` of `limits.conf`).
const MOST_ROWS: u64 = 50_000;

/// Which values come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The most frequent ones; of equally frequent ones the last in the order of their characters.
    Top,
    /// The least frequent ones; of equally frequent ones the first.
    Rare,
}

/// Plans the command. Groups come in the order of their values.
pub fn plan(frame: &mut Frame, command: &Frequencies, which: Which) -> PlanResult<()> {
    let Frequencies { fields, by, limit, countfield, percentfield, showcount, showperc, useother, otherstr } = command;
    let limit = rows(limit.as_ref())?;
    let counted = Column::new(countfield.as_ref(), "count", "countfield", *showcount);
    let percent = Column::new(percentfield.as_ref(), "percent", "percentfield", *showperc);
    refuse_patterns(by)?;
    refuse_patterns(fields)?;
    refuse_repetitions(by, fields, &counted, &percent)?;
    let groups = stats::group_fields(frame, by, false)?;
    let values = stats::group_fields(frame, fields, false)?;
    let mut tally = Tally::of(frame, groups, values, percent.shown)?;
    if useother.unwrap_or(false) {
        let rank = tally.rank(frame, which)?;
        tally.merge_rest(frame, rank, limit, otherstr.as_deref().unwrap_or("OTHER"))?;
    } else if tally.groups.is_empty() {
        let order = tally.order(frame, which);
        frame.order_by(order)?;
        frame.limit(usize::try_from(limit).unwrap_or(usize::MAX))?;
    } else {
        let rank = tally.rank(frame, which)?;
        frame.filter(rank.clone().lt_eq(lit(limit)))?;
        tally.order_by_groups(frame, rank)?;
    }
    let mut columns: Vec<(String, Expr)> =
        tally.groups.iter().chain(&tally.values).map(|name| (name.clone(), column(name))).collect();
    if counted.shown {
        columns.push((counted.name, column(&tally.count)));
    }
    if let Some(total) = &tally.total {
        let share = cast(column(&tally.count), DataType::Float64) * lit(100.0) / cast(column(total), DataType::Float64);
        columns.push((percent.name, aggregates::six_decimals(share)));
    }
    frame.select(columns)?;
    Ok(())
}

/// How many rows of a group are kept.
fn rows(limit: Option<&Spanned<u64>>) -> PlanResult<u64> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if limit.node > MOST_ROWS => {
            let message = format!("the limit is at most {MOST_ROWS}, not {}", limit.node);
            Err(Diagnostic::error(Code::InvalidOption, message, limit.span).into())
        }
        Some(limit) if limit.node == 0 => Ok(MOST_ROWS),
        Some(limit) => Ok(limit.node),
    }
}

/// A column of numbers in the result.
struct Column {
    name: String,
    option: &'static str,
    shown: bool,
}

impl Column {
    fn new(name: Option<&Name>, default: &str, option: &'static str, shown: Option<bool>) -> Self {
        let name = name.map_or_else(|| default.to_string(), |name| name.text.clone());
        Self { name, option, shown: shown.unwrap_or(true) }
    }
}

fn refuse_patterns(fields: &[Name]) -> PlanResult<()> {
    match fields.iter().find(|field| field.text.contains('*')) {
        None => Ok(()),
        Some(field) => {
            let message = format!("the fields are named one by one, not by the wildcard `{}`", field.text);
            Err(Diagnostic::error(Code::InvalidArgument, message, field.span).into())
        }
    }
}

fn refuse_repetitions(by: &[Name], fields: &[Name], count: &Column, percent: &Column) -> PlanResult<()> {
    if let Some(field) = fields.iter().find(|field| by.iter().any(|group| group.text == field.text)) {
        let message = format!("the field {:?} cannot be counted in groups of its own values", field.text);
        return Err(Diagnostic::error(Code::InvalidArgument, message, field.span).into());
    }
    let shown: Vec<&Column> = [count, percent].into_iter().filter(|column| column.shown).collect();
    for column in &shown {
        if let Some(field) = by.iter().chain(fields).find(|field| field.text == column.name) {
            let message = format!("two columns of the result would be named {:?}", column.name);
            return Err(Diagnostic::error(Code::InvalidArgument, message, field.span)
                .with_help(format!("give the numbers another name with `{}=`", column.option))
                .into());
        }
    }
    if let [count, percent] = shown.as_slice()
        && count.name == percent.name
    {
        let span = fields.first().map(|field| field.span).unwrap_or_default();
        let message = format!("both `countfield` and `percentfield` are {:?}", count.name);
        return Err(Diagnostic::error(Code::InvalidOption, message, span).into());
    }
    Ok(())
}

/// The frame with a row for each combination of values, and its columns.
struct Tally {
    groups: Vec<String>,
    values: Vec<String>,
    count: String,
    /// The sum of the counts of the group, where it is wanted.
    total: Option<String>,
}

impl Tally {
    fn of(frame: &mut Frame, groups: Vec<String>, values: Vec<String>, totals: bool) -> PlanResult<Self> {
        let name = frame.hidden_name();
        let keys: Vec<Expr> = groups.iter().chain(&values).map(|name| column(name)).collect();
        let plan = LogicalPlanBuilder::new(frame.plan().clone())
            .aggregate(keys, vec![count(lit(1_i64)).alias(&name)])?
            .build()?;
        frame.replace(plan, Vec::new());
        let mut tally = Self { groups, values, count: name, total: None };
        if totals {
            let sum =
                WindowFunction::new(WindowFunctionDefinition::AggregateUDF(sum_udaf()), vec![column(&tally.count)]);
            let total = match tally.groups.is_empty() {
                true => Expr::from(sum),
                false => Expr::from(sum).partition_by(tally.group_columns()).build()?,
            };
            let hidden = frame.hidden_name();
            let total = window::add(frame, total)?;
            frame.set(vec![(hidden.clone(), total)])?;
            tally.total = Some(hidden);
        }
        Ok(tally)
    }

    fn group_columns(&self) -> Vec<Expr> {
        self.groups.iter().map(|name| column(name)).collect()
    }

    /// The order of the rows of a group: each key, and whether it falls.
    fn order(&self, frame: &Frame, which: Which) -> Vec<(Expr, bool)> {
        let falling = which == Which::Top;
        let mut keys = vec![(column(&self.count), falling)];
        keys.extend(self.values.iter().map(|name| (text(frame, name), falling)));
        keys
    }

    /// The position of a row in its group, from 1.
    fn rank(&self, frame: &mut Frame, which: Which) -> PlanResult<Expr> {
        let keys = self.order(frame, which);
        let keys = keys.into_iter().map(|(key, falling)| Sort::new(key, !falling, false)).collect();
        let number = match self.groups.is_empty() {
            true => row_number().order_by(keys).build()?,
            false => row_number().partition_by(self.group_columns()).order_by(keys).build()?,
        };
        window::add(frame, number)
    }

    /// Orders the groups by their values, and inside them by a key.
    fn order_by_groups(&self, frame: &mut Frame, within: Expr) -> PlanResult<()> {
        frame.order_by(vec![(within, false)])?;
        stats::order_by_groups(frame, &self.groups)
    }

    /// Makes the rows beyond the limit one row of their group.
    fn merge_rest(&mut self, frame: &mut Frame, rank: Expr, limit: u64, label: &str) -> PlanResult<()> {
        let kept = rank.clone().lt_eq(lit(limit));
        let slot = frame.hidden_name();
        let mut merged: Vec<(String, Expr)> = Vec::new();
        for name in &self.values {
            let value = when(kept.clone(), text(frame, name)).otherwise(lit(label))?;
            merged.push((name.clone(), value));
        }
        merged.push((slot.clone(), when(kept, rank).otherwise(lit(limit.saturating_add(1)))?));
        frame.set(merged)?;
        let mut keys = self.group_columns();
        keys.extend(self.values.iter().chain([&slot]).map(|name| column(name)));
        let (counted, total) = (frame.hidden_name(), frame.hidden_name());
        let mut sums = vec![sum(column(&self.count)).alias(&counted)];
        if let Some(name) = self.total.replace(total.clone()) {
            sums.push(max(column(&name)).alias(&total));
        } else {
            self.total = None;
        }
        let plan = LogicalPlanBuilder::new(frame.plan().clone()).aggregate(keys, sums)?.build()?;
        frame.replace(plan, Vec::new());
        self.count = counted;
        self.order_by_groups(frame, column(&slot))
    }
}

/// A field as text, which is what decides between equal counts.
fn text(frame: &Frame, name: &str) -> Expr {
    let value: Typed = ExpressionPlanner::new(frame).field(name, Default::default());
    match value.kind {
        Kind::Time => ordering::text_key(value.text()),
        _ => cast(value.text(), DataType::Utf8),
    }
}
