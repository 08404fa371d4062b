//! Comparison and conditional functions.
//!
//! Source: Splunk Search Reference, "Comparison and Conditional functions".

use std::sync::{Arc, LazyLock};

use datafusion::common::exec_datafusion_err;
use datafusion::logical_expr::{Expr, ScalarUDF, is_not_true, lit, when};
use spelunk_grammar::spl;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::expression::BinaryOperator;
use spelunk_grammar::spl::search::SearchExpression;
use spelunk_grammar::{Code, Diagnostic, Span};

use super::kernel::{Returns, RowFunction, Test, TextPredicate};
use super::pattern::{self, Pattern};
use super::{Function, MANY, operators};
use crate::plan::expression::{Call, Kind, Typed, as_kind, common_kind};
use crate::values::Value;

/// The functions of this family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "case",
        summary: "The value of the first condition that is true; null if none is.",
        syntax: "case(condition, value, ...)",
        arity: (2, MANY),
        example: (r#"case(1==2, "a", true(), "b")"#, "b"),
        plan: |call| pairs(call, false),
    },
    Function {
        name: "validate",
        summary: "The value of the first condition that is not true; null if all are.",
        syntax: "validate(condition, value, ...)",
        arity: (2, MANY),
        example: (r#"validate(1==1, "a", 1==2, "b")"#, "b"),
        plan: |call| pairs(call, true),
    },
    Function {
        name: "if",
        summary: "One value if the condition is true, else another.",
        syntax: "if(condition, then, else)",
        arity: (3, 3),
        example: (r#"if(200==200, "OK", "Error")"#, "OK"),
        plan: |call| {
            let condition = call.planner.boolean(&call.argument(0))?;
            Ok(call.planner.choice(vec![(condition, call.argument(1))], Some(call.argument(2)), call.span))
        },
    },
    Function {
        name: "coalesce",
        summary: "The first value that is not null.",
        syntax: "coalesce(value, ...)",
        arity: (1, MANY),
        example: (r#"coalesce(null(), "x")"#, "x"),
        plan: |call| {
            let values: Vec<&Typed> = call.arguments.iter().collect();
            let kind = common_kind(&values);
            let values = values.into_iter().map(|value| as_kind(value, kind)).collect();
            Ok(Typed::new(super::coalesce::coalesce(values), kind, call.span))
        },
    },
    Function {
        name: "null",
        summary: "The missing value.",
        syntax: "null()",
        arity: (0, 0),
        example: (r#"coalesce(null(), "missing")"#, "missing"),
        plan: |call| Ok(Typed::null(call.span)),
    },
    Function {
        name: "nullif",
        summary: "Null if both values are equal, else the first.",
        syntax: "nullif(value, other)",
        arity: (2, 2),
        example: (r#"nullif("a", "b")"#, "a"),
        plan: |call| {
            let (value, other) = (call.argument(0), call.argument(1));
            let equal = operators::comparison(BinaryOperator::Equal, &value, &other);
            Ok(call.planner.choice(vec![(is_not_true(equal), value)], None, call.span))
        },
    },
    Function {
        name: "true",
        summary: "The truth value true.",
        syntax: "true()",
        arity: (0, 0),
        example: ("if(true(), 1, 0)", "1"),
        plan: |call| Ok(Typed::new(lit(true), Kind::Boolean, call.span)),
    },
    Function {
        name: "false",
        summary: "The truth value false.",
        syntax: "false()",
        arity: (0, 0),
        example: ("if(false(), 1, 0)", "0"),
        plan: |call| Ok(Typed::new(lit(false), Kind::Boolean, call.span)),
    },
    Function {
        name: "match",
        summary: "Whether a regular expression occurs in a text; letter case counts.",
        syntax: r#"match(text, "regex")"#,
        arity: (2, 2),
        example: (r#"if(match("DCOM", "(?i)dcom"), 1, 0)"#, "1"),
        plan: matches,
    },
    Function {
        name: "searchmatch",
        summary: "Whether the row matches a search, as the search command would.",
        syntax: r#"searchmatch("search")"#,
        arity: (1, 1),
        example: (r#"if(searchmatch("_time=*"), 1, 0)"#, "1"),
        plan: search_match,
    },
    Function {
        name: "like",
        summary: "Whether a text fits a pattern in which % is any run and _ any one character.",
        syntax: r#"like(text, "pattern")"#,
        arity: (2, 2),
        example: (r#"if(like("foobar", "foo%"), 1, 0)"#, "1"),
        plan: |call| like(&call.argument(0), &call.argument(1), call.span),
    },
    Function {
        name: "cidrmatch",
        summary: "Whether an IP address lies in a block.",
        syntax: r#"cidrmatch("block", address)"#,
        arity: (2, 2),
        example: (r#"if(cidrmatch("192.0.2.0/24", "192.0.2.56"), 1, 0)"#, "1"),
        plan: |call| {
            if let Some(block) = call.argument(0).literal() {
                if pattern::cidr(block).is_none() {
                    return Err(Diagnostic::error(
                        Code::InvalidArgument,
                        format!("{block:?} is not a CIDR block"),
                        call.argument(0).span,
                    )
                    .with_help("write it as `192.0.2.0/24` or `2001:db8::/32`"));
                }
                let expr = super::search::cidr(call.argument(1).text(), vec![block.to_string()]);
                return Ok(Typed::new(expr, Kind::Boolean, call.span));
            }
            Ok(call.udf(&CIDRMATCH, Kind::Boolean))
        },
    },
];

/// `spl_match(column, regex)` for a literal pattern.
static MATCH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_match", |patterns| {
        let pattern = Pattern::new(patterns.first().copied().unwrap_or_default())
            .map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Box::new(move |text: &str| pattern.is_match(text)) as Test)
    })
});

/// `spl_match_rows(text, regex)` for a pattern from the row.
static MATCH_ROWS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_match_rows", Returns::Boolean, |values| match values {
        [text, pattern] => match pattern.text().and_then(|pattern| Pattern::new(&pattern).ok()) {
            Some(pattern) if *text != Value::Null => {
                Value::Boolean(text.texts().iter().any(|text| pattern.is_match(text)))
            }
            _ => Value::Null,
        },
        _ => Value::Null,
    })
});

/// `spl_like(column, pattern)` for a literal pattern.
static LIKE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextPredicate::udf("spl_like", |patterns| {
        let regex = pattern::like(patterns.first().copied().unwrap_or_default())
            .map_err(|error| exec_datafusion_err!("{error}"))?;
        Ok(Box::new(move |text: &str| regex.is_match(text)) as Test)
    })
});

/// `spl_like_rows(text, pattern)` for a pattern from the row.
static LIKE_ROWS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_like_rows", Returns::Boolean, |values| match values {
        [text, pattern] => match (text.text(), pattern.text().and_then(|pattern| pattern::like(&pattern).ok())) {
            (Some(text), Some(regex)) => Value::Boolean(regex.is_match(&text)),
            _ => Value::Null,
        },
        _ => Value::Null,
    })
});

/// `spl_cidrmatch_rows(block, address)` for a block from the row.
static CIDRMATCH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    RowFunction::udf("spl_cidrmatch_rows", Returns::Boolean, |values| match values {
        [block, address] => match (block.text().and_then(|block| pattern::cidr(&block)), address.text()) {
            (Some(block), Some(address)) => Value::Boolean(pattern::in_cidr(&block, &address)),
            _ => Value::Null,
        },
        _ => Value::Null,
    })
});

/// The DataFusion functions of this family.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    [&MATCH, &MATCH_ROWS, &LIKE, &LIKE_ROWS, &CIDRMATCH].map(|udf| Arc::clone(udf)).to_vec()
}

/// `case` and `validate`: conditions and values in turn.
fn pairs(call: &Call<'_, '_>, negated: bool) -> Result<Typed, Diagnostic> {
    let mut branches = Vec::new();
    for pair in call.arguments.chunks(2) {
        let [condition, value] = pair else {
            return Err(Diagnostic::error(
                Code::InvalidArgument,
                format!("`{}` takes conditions and values in pairs; the last condition has no value", call.name.node),
                call.arguments.last().map_or(call.span, |last| last.span),
            ));
        };
        let condition = call.planner.boolean(condition)?;
        branches.push((if negated { is_not_true(condition) } else { condition }, value.clone()));
    }
    Ok(call.planner.choice(branches, None, call.span))
}

fn search_match(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let text = call.literal(0, "a search")?;
    let span = call.argument(0).span;
    let expression = search_expression(&text).map_err(|reason| {
        Diagnostic::error(Code::InvalidArgument, format!("cannot read the search {text:?}: {reason}"), span)
    })?;
    let Some(expression) = expression else { return Ok(Typed::new(lit(true), Kind::Boolean, call.span)) };
    // Places inside the string mean nothing to the query: findings are about the whole of it.
    let frame = call.planner.frame();
    let (missing, findings) = (frame.take_missing(), frame.take_findings());
    let condition = crate::plan::search::condition(frame, &expression);
    let inside = frame.take_missing().into_iter().map(|(name, _)| (name, span));
    missing.into_iter().chain(inside).for_each(|(name, span)| frame.note_missing(&name, span));
    let inside = frame.take_findings().into_iter().map(|finding| Diagnostic { span, ..finding });
    findings.into_iter().chain(inside).for_each(|finding| frame.note(finding));
    let condition = condition.map_err(|finding| Diagnostic { span, ..finding })?;
    Ok(Typed::new(condition, Kind::Boolean, call.span))
}

/// What `searchmatch` searches for; `None` if that is everything.
///
/// # Errors
/// What is wrong with the text.
pub fn search_expression(text: &str) -> Result<Option<SearchExpression>, String> {
    let query = spl::parse(text)
        .map_err(|findings| findings.into_iter().next().map_or_else(String::new, |finding| finding.message))?;
    let mut commands = query.commands.into_iter();
    match (commands.next().map(|command| command.kind), commands.next()) {
        (Some(CommandKind::Search(search)), None) => Ok(search.expression),
        _ => Err("it has to be one `search`".into()),
    }
}

fn matches(call: &Call<'_, '_>) -> Result<Typed, Diagnostic> {
    let (text, pattern) = (call.argument(0), call.argument(1));
    if text.kind == Kind::Null {
        return Ok(Typed::new(null_boolean(), Kind::Boolean, call.span));
    }
    let Some(literal) = pattern.literal() else {
        let expr = MATCH_ROWS.call(vec![text.text(), pattern.text()]);
        return Ok(Typed::new(expr, Kind::Boolean, call.span));
    };
    Pattern::new(literal).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
    Ok(Typed::new(MATCH.call(vec![text.text(), pattern.expr.clone()]), Kind::Boolean, call.span))
}

/// Whether a pattern that compiles occurs in a text, or in any of several.
pub fn pattern_matches(text: Expr, pattern: &str) -> Expr {
    MATCH.call(vec![text, lit(pattern)])
}

/// A regular expression that does not compile.
pub fn invalid_pattern(reason: &str, span: Span) -> Diagnostic {
    let reason = reason.lines().last().unwrap_or(reason).trim().trim_start_matches("error: ");
    Diagnostic::error(Code::InvalidPattern, format!("invalid regular expression: {reason}"), span)
}

/// `text LIKE pattern`.
///
/// # Errors
/// A pattern too large to compile.
pub fn like(text: &Typed, pattern: &Typed, span: Span) -> Result<Typed, Diagnostic> {
    if text.kind == Kind::Null || pattern.kind == Kind::Null {
        return Ok(Typed::new(null_boolean(), Kind::Boolean, span));
    }
    if let Some(literal) = pattern.literal() {
        pattern::like(literal).map_err(|reason| invalid_pattern(&reason, pattern.span))?;
        return Ok(Typed::new(LIKE.call(vec![text.text(), pattern.expr.clone()]), Kind::Boolean, span));
    }
    Ok(Typed::new(LIKE_ROWS.call(vec![text.text(), pattern.text()]), Kind::Boolean, span))
}

fn null_boolean() -> Expr {
    lit(datafusion::common::ScalarValue::Boolean(None))
}

/// True where the condition is, else null: for counting.
pub fn when_true(condition: Expr) -> Expr {
    when(condition.clone(), lit(1_i64)).end().unwrap_or(condition)
}
