//! What a condition comes to in a file, told from the fields of which all values are known.
//!
//! A field that a file lacks is null in it, and of a tracked field the values are known. What apps and views make of
//! such fields is often decided by them: which branches of a CASE are taken that names sources, say. So an expression is
//! computed for all that its parts can be, as long as these are few; what depends on anything else is not known, and
//! stays so for whoever uses it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

use super::disk::manifest::{StoredFile, TRACKED};
use super::disk::opened::StoredEvents;
use super::pruning::values_as;

/// Conditions on columns that are made of others, for choosing files alone.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Columns that others are made of.
    pub kinds: Vec<(String, Expr)>,
    /// Columns that are made of these and of the fields, whose names they may bear.
    pub made: Vec<(String, Expr)>,
    /// What has to be true of all.
    pub conditions: Vec<Expr>,
}

/// The most values of an expression that are told apart.
const MOST: usize = 16;
/// The most combinations of values that a part of an expression is computed for.
const MOST_COMPUTED: usize = 64;

/// What is known of the fields of a file, which many files have in common: the position of its schema, and the values
/// of each tracked field that has few.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Setting {
    schema: u32,
    values: Vec<Option<Vec<Option<u32>>>>,
}

impl Setting {
    pub(crate) fn of(file: &StoredFile) -> Self {
        let few = |values: &Option<Vec<Option<u32>>>| values.clone().filter(|values| values.len() <= MOST);
        Self { schema: file.schema, values: file.values.iter().map(few).collect() }
    }
}

/// All values that an expression can have; nothing where these are not known.
type Possible = Option<Vec<ScalarValue>>;

/// Computes expressions over the files of one setting.
pub(crate) struct Known<'a> {
    pub(crate) events: &'a StoredEvents,
    pub(crate) file: &'a StoredFile,
    pub(crate) setting: &'a Setting,
    /// The fields with their types.
    pub(crate) table: &'a Schema,
    pub(crate) session: &'a dyn Session,
    /// Columns that were made.
    made: HashMap<String, Possible>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(
        events: &'a StoredEvents,
        file: &'a StoredFile,
        setting: &'a Setting,
        table: &'a Schema,
        session: &'a dyn Session,
    ) -> Self {
        Self { events, file, setting, table, session, made: HashMap::new() }
    }

    /// Whether all conditions can be true of an event.
    pub(crate) fn allows(&mut self, hints: &Hints) -> bool {
        for (name, value) in &hints.kinds {
            let values = self.values(value);
            self.made.insert(name.clone(), values);
        }
        let made: Vec<_> = hints.made.iter().map(|(name, value)| (name.clone(), self.values(value))).collect();
        self.made.extend(made);
        hints.conditions.iter().all(|condition| self.truth(condition) != Some(false))
    }

    /// The fields in these conditions that have the same value in all events of the file.
    pub(crate) fn constants<'c>(&self, conditions: impl Iterator<Item = &'c Expr>) -> Vec<(String, ScalarValue)> {
        let names: BTreeSet<&str> =
            conditions.flat_map(|condition| condition.column_refs()).map(|column| column.name.as_str()).collect();
        let tracked = names.into_iter().filter(|name| TRACKED.contains(name));
        let only = |name: &str| match self.column(name)?.as_slice() {
            [only] => Some((name.to_owned(), only.clone())),
            _ => None,
        };
        tracked.filter_map(only).collect()
    }

    /// Whether a condition is true of all events, or of none; nothing where that is not known.
    pub(crate) fn truth(&self, condition: &Expr) -> Option<bool> {
        let values = self.values(condition).filter(|values| !values.is_empty())?;
        let is_true = |value: &ScalarValue| *value == ScalarValue::Boolean(Some(true));
        match (values.iter().all(is_true), values.iter().any(is_true)) {
            (true, _) => Some(true),
            (_, false) => Some(false),
            _ => None,
        }
    }

    /// What an expression can give.
    fn values(&self, expression: &Expr) -> Possible {
        match expression {
            Expr::Literal(value, _) => Some(vec![value.clone()]),
            Expr::Alias(alias) => self.values(&alias.expr),
            Expr::Column(column) => match self.made.get(&column.name) {
                Some(values) => values.clone(),
                None => self.column(&column.name),
            },
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let decides = ScalarValue::Boolean(Some(*op == Operator::Or));
                let left = self.values(left);
                let decided = |side: &Possible| side.as_ref().is_some_and(|v| v.iter().all(|value| *value == decides));
                if decided(&left) {
                    return Some(vec![decides]);
                }
                let right = self.values(right);
                if decided(&right) {
                    return Some(vec![decides]);
                }
                self.computed(expression)
            }
            Expr::Case(case) => self.case(case),
            Expr::ScalarFunction(call) if call.func.name() == "coalesce" => self.first_of(&call.args),
            other if other.is_volatile() || other.contains_outer() => None,
            other => self.computed(other),
        }
    }

    /// What all branches give that may be taken.
    fn case(&self, case: &Case) -> Possible {
        let mut found = Vec::new();
        for (when, then) in &case.when_then_expr {
            let taken = match case.expr.as_deref() {
                None => self.truth(when),
                Some(subject) => self.truth(&Expr::BinaryExpr(BinaryExpr::new(
                    Box::new(subject.clone()),
                    Operator::Eq,
                    Box::new(when.as_ref().clone()),
                ))),
            };
            match taken {
                Some(false) => continue,
                Some(true) => return with(found, self.values(then)?),
                None => found = with(found, self.values(then)?)?,
            }
        }
        match &case.else_expr {
            Some(otherwise) => with(found, self.values(otherwise)?),
            None => {
                let null = found.first().and_then(|value| ScalarValue::try_from(value.data_type()).ok());
                with(found, vec![null.unwrap_or(ScalarValue::Null)])
            }
        }
    }

    /// What the first expression gives that is not null.
    fn first_of(&self, expressions: &[Expr]) -> Possible {
        let mut found = Vec::new();
        for (at, expression) in expressions.iter().enumerate() {
            let is_last = at.saturating_add(1) == expressions.len();
            let mut values = self.values(expression)?;
            let before = values.len();
            values.retain(|value| is_last || !value.is_null());
            let is_certain = values.len() == before;
            found = with(found, values)?;
            if is_certain {
                return Some(found);
            }
        }
        Some(found)
    }

    /// What an expression gives for all that its parts can be.
    fn computed(&self, expression: &Expr) -> Possible {
        let mut parts: Vec<Vec<ScalarValue>> = Vec::new();
        expression
            .apply_children(|part| match self.values(part) {
                Some(values) => {
                    parts.push(values);
                    Ok(TreeNodeRecursion::Continue)
                }
                None => exec_err!("a part is not known"),
            })
            .ok()?;
        let combinations = parts.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul)?;
        if combinations > MOST_COMPUTED {
            return None;
        }
        let mut found = Vec::new();
        for combination in 0..combinations {
            let mut rest = combination;
            let mut parts = parts.iter();
            let replaced = expression.clone().map_children(|part| {
                let Some(values) = parts.next() else { return Ok(Transformed::no(part)) };
                let count = values.len().max(1);
                let value = values.get(rest % count).cloned();
                rest /= count;
                Ok(value.map_or(Transformed::no(part), |value| Transformed::yes(Expr::Literal(value, None))))
            });
            found = with(found, vec![self.evaluated(replaced.ok()?.data).ok()?])?;
        }
        Some(found)
    }

    fn evaluated(&self, expression: Expr) -> Result<ScalarValue> {
        let schema = Arc::new(Schema::empty());
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options)?;
        let physical = self.session.create_physical_expr(expression, &DFSchema::try_from(schema)?)?;
        ScalarValue::try_from_array(&physical.evaluate(&batch)?.into_array(1)?, 0)
    }

    fn column(&self, name: &str) -> Possible {
        let data_type = self.table.field_with_name(name).ok()?.data_type();
        let null = ScalarValue::try_from(data_type).ok()?;
        if name == "_time" || name == "_serial" {
            return None;
        }
        let Some(at) = TRACKED.iter().position(|known| *known == name) else {
            return self.events.column(self.file, name).is_none().then(|| vec![null]);
        };
        let texts = self.events.manifest.values.get(at)?;
        let value = |position: &Option<u32>| match position {
            None => Some(null.clone()),
            Some(position) => {
                let text = texts.get(usize::try_from(*position).ok()?)?;
                ScalarValue::try_from_array(&values_as(std::slice::from_ref(text), data_type)?, 0).ok()
            }
        };
        self.setting.values.get(at)?.as_ref()?.iter().map(value).collect()
    }
}

/// Both together, if they are not too many.
fn with(mut values: Vec<ScalarValue>, more: Vec<ScalarValue>) -> Possible {
    for value in more {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    (values.len() <= MOST).then_some(values)
}
