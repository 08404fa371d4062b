//! Conditions as a scan of Parquet takes them: over the columns that a file has.

use std::sync::Arc;

use crate::functions::restored;
use arrow::datatypes::{Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

/// Whether a condition is about more than a column as it is, which is asked about otherwise.
pub(super) fn is_calculated(condition: &Expr) -> bool {
    condition.exists(|part| Ok(matches!(part, Expr::Case(_)) || is_call_of_columns(part))).unwrap_or(false)
}

fn is_call_of_columns(part: &Expr) -> bool {
    matches!(part, Expr::ScalarFunction(_)) && part.column_refs().len() > 1
}

/// The columns that conditions name.
pub(super) fn names(filters: &[Expr]) -> impl Iterator<Item = &str> {
    filters.iter().flat_map(|filter| filter.column_refs()).map(|column| column.name.as_str())
}

/// The conditions in terms of the columns that fields are made of.
pub(super) fn rewritten(filters: &[Expr], table: &Schema, value: impl Fn(&Field) -> Result<Expr>) -> Result<Vec<Expr>> {
    let rewrite = |filter: &Expr| {
        // From above: of a search for a keyword, the column is looked at before anything stands for it.
        let rewritten = filter.clone().transform_down(|part| match &part {
            // What stands for a column has columns of its own, which may bear the name of another field.
            Expr::Column(column) => {
                let value = value(table.field_with_name(&column.name)?)?;
                Ok(Transformed::new(value, true, TreeNodeRecursion::Jump))
            }
            Expr::ScalarFunction(call) => {
                Ok(match restored::keyword(call, |name| value(table.field_with_name(name)?))? {
                    Some(keyword) => Transformed::new(keyword, true, TreeNodeRecursion::Jump),
                    None => Transformed::no(part),
                })
            }
            _ => Ok(Transformed::no(part)),
        });
        rewritten.map(|rewritten| rewritten.data)
    };
    filters.iter().map(rewrite).collect()
}

/// Conditions without what is decided: fields that have one value each leave one branch of a CASE.
pub(super) fn simplified(session: &dyn Session, filters: Vec<Expr>, scope: &DFSchema) -> Result<Vec<Expr>> {
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(scope.clone()))
        .with_query_execution_start_time(session.execution_props().query_execution_start_time)
        .build();
    let simplifier = ExprSimplifier::new(context);
    let mut left = Vec::new();
    for filter in filters {
        let simple = simplifier.simplify(simplifier.coerce(filter, scope)?)?;
        if !matches!(simple, Expr::Literal(ScalarValue::Boolean(Some(true)), _)) {
            left.push(simple);
        }
    }
    Ok(left)
}
