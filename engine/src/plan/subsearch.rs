//! Subsearches: run first, then replaced in the tree by what they found.
//!
//! Source: Splunk Search Manual, "About subsearches"; Search Reference, "format" and "return".

use arrow::array::RecordBatch;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::series::ChartTerm;
use spelunk_grammar::spl::commands::sichart::Sichart;
use spelunk_grammar::spl::commands::sistats::Sistats;
use spelunk_grammar::spl::commands::sitimechart::Sitimechart;
use spelunk_grammar::spl::commands::stats::{Aggregate, AggregateArgument};
use spelunk_grammar::spl::expression::{Expression, ExpressionKind, Name};
use spelunk_grammar::spl::search::{Comparison, ComparisonOperator, Literal, Matching, Operand, SearchExpression};
use spelunk_grammar::spl::{self, Query, Subsearch};
use spelunk_grammar::{Code, Diagnostic, Span};

use super::{PlanError, PlanResult, Planner, rows};

/// How many rows of a subsearch are used (`maxout` of `limits.conf`).
const MOST_ROWS: usize = 10_000;

/// Runs every subsearch of a query, the inner ones first, and puts its result in its place.
///
/// # Errors
/// Every finding in the subsearches, or a subsearch that fails.
pub async fn resolve(planner: &mut Planner<'_>, query: &mut Query) -> Result<(), Vec<PlanError>> {
    for command in &mut query.commands {
        match &mut command.kind {
            CommandKind::Search(search) => {
                if let Some(expression) = &mut search.expression {
                    Box::pin(resolve_expression(planner, expression)).await?;
                }
            }
            CommandKind::Inputlookup(input) => {
                if let Some(filter) = &mut input.filter {
                    Box::pin(resolve_expression(planner, filter)).await?;
                }
            }
            CommandKind::Inputcsv(input) => {
                if let Some(filter) = &mut input.filter {
                    Box::pin(resolve_expression(planner, filter)).await?;
                }
            }
            CommandKind::Metasearch(search) => {
                if let Some(expression) = &mut search.expression {
                    Box::pin(resolve_expression(planner, expression)).await?;
                }
            }
            CommandKind::Tstats(tstats) => {
                if let Some(expression) = &mut tstats.condition {
                    Box::pin(resolve_expression(planner, expression)).await?;
                }
            }
            CommandKind::Chart(chart) | CommandKind::Sichart(Sichart(chart)) => {
                resolve_terms(planner, &mut chart.terms).await?
            }
            CommandKind::Timechart(chart) | CommandKind::Sitimechart(Sitimechart(chart)) => {
                resolve_terms(planner, &mut chart.terms).await?;
            }
            CommandKind::Eventstats(eventstats) => resolve_aggregates(planner, &mut eventstats.aggregates).await?,
            CommandKind::Stats(stats) | CommandKind::Sistats(Sistats { stats }) => {
                resolve_aggregates(planner, &mut stats.aggregates).await?;
            }
            CommandKind::Streamstats(streamstats) => resolve_aggregates(planner, &mut streamstats.aggregates).await?,
            CommandKind::Fieldformat(format) => Box::pin(resolve_value(planner, &mut format.value)).await?,
            CommandKind::Head(head) => {
                if let Some(condition) = &mut head.condition {
                    Box::pin(resolve_value(planner, condition)).await?;
                }
                // `head [ ... | return $count ]`: what stood there was no condition.
                if let Some(ExpressionKind::Number(digits)) = head.condition.as_ref().map(|condition| &condition.kind)
                    && let (None, Ok(count)) = (head.limit, digits.parse())
                {
                    (head.limit, head.condition) = (Some(count), None);
                }
            }
            CommandKind::Where(condition) => Box::pin(resolve_value(planner, &mut condition.condition)).await?,
            CommandKind::Eval(eval) => {
                for assignment in &mut eval.assignments {
                    Box::pin(resolve_value(planner, &mut assignment.value)).await?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn resolve_terms(planner: &mut Planner<'_>, terms: &mut [ChartTerm]) -> Result<(), Vec<PlanError>> {
    for term in terms {
        match term {
            ChartTerm::Aggregate(aggregate) => resolve_aggregates(planner, std::slice::from_mut(aggregate)).await?,
            ChartTerm::Eval(eval) => Box::pin(resolve_value(planner, &mut eval.expression)).await?,
        }
    }
    Ok(())
}

async fn resolve_aggregates(planner: &mut Planner<'_>, aggregates: &mut [Aggregate]) -> Result<(), Vec<PlanError>> {
    for aggregate in aggregates {
        if let Some(AggregateArgument::Eval(expression)) = &mut aggregate.argument {
            Box::pin(resolve_value(planner, expression)).await?;
        }
    }
    Ok(())
}

async fn resolve_expression(
    planner: &mut Planner<'_>,
    expression: &mut SearchExpression,
) -> Result<(), Vec<PlanError>> {
    match expression {
        SearchExpression::And(parts) | SearchExpression::Or(parts) => {
            for part in parts {
                Box::pin(resolve_expression(planner, part)).await?;
            }
        }
        SearchExpression::Not(inner) => Box::pin(resolve_expression(planner, inner)).await?,
        SearchExpression::Comparison(Comparison { field, value, operator: _, span: _ }) => {
            if let Operand::Subsearch(subsearch) = value {
                let text = match run(planner, subsearch).await? {
                    Some(found) => value_text(&found, subsearch.span).map_err(|error| vec![error])?,
                    // Some text that the field can be compared with.
                    None if super::search::modifier(&field.text).is_some() => "0".to_string(),
                    None => "*".to_string(),
                };
                *value = Operand::Literal(literal(text, subsearch.span));
            }
        }
        SearchExpression::Subsearch(subsearch) => {
            *expression = match run(planner, subsearch).await? {
                Some(found) => condition(&found, subsearch.span).map_err(|error| vec![error])?,
                None => SearchExpression::Term(literal("*".into(), subsearch.span)),
            };
        }
        SearchExpression::In(_) | SearchExpression::Term(_) | SearchExpression::Macro(_) => {}
    }
    Ok(())
}

/// Puts the text that a subsearch gives in its place in an expression.
async fn resolve_value(planner: &mut Planner<'_>, expression: &mut Expression) -> Result<(), Vec<PlanError>> {
    match &mut expression.kind {
        ExpressionKind::Subsearch(subsearch) => {
            let found = run(planner, subsearch).await?;
            if let Some(found) = found {
                *expression = value(&found, subsearch.span).map_err(|error| vec![error])?;
            }
        }
        ExpressionKind::Unary(_, operand) => Box::pin(resolve_value(planner, operand)).await?,
        ExpressionKind::Binary(_, left, right) => {
            Box::pin(resolve_value(planner, left)).await?;
            Box::pin(resolve_value(planner, right)).await?;
        }
        ExpressionKind::In(needle, haystack) => {
            Box::pin(resolve_value(planner, needle)).await?;
            for member in haystack {
                Box::pin(resolve_value(planner, member)).await?;
            }
        }
        ExpressionKind::Call(_, arguments) => {
            for argument in arguments {
                Box::pin(resolve_value(planner, argument)).await?;
            }
        }
        ExpressionKind::Number(_) | ExpressionKind::String(_) | ExpressionKind::Field(_) | ExpressionKind::Macro(_) => {
        }
    }
    Ok(())
}

/// The rows as an expression: what `return` made as it is, else fields that equal their values.
fn value(found: &Found, span: Span) -> PlanResult<Expression> {
    let mut rows: Vec<String> = Vec::new();
    for row in &found.rows {
        let items: Vec<String> = row
            .iter()
            .map(|item| match item {
                Item::Text(text) => text.clone(),
                Item::Pair(name, values) => {
                    let equal = |value: &String| format!("'{name}'={}", rows::quoted(value));
                    values.iter().map(equal).collect::<Vec<_>>().join(" OR ")
                }
            })
            .collect();
        match items.as_slice() {
            [] => {}
            [single] => rows.push(single.clone()),
            several => rows.push(format!("({})", several.join(") AND ("))),
        }
    }
    let text = match rows.as_slice() {
        [] => return Err(Diagnostic::error(Code::Subsearch, "the subsearch found nothing to put here", span).into()),
        [single] => single.clone(),
        several => format!("({})", several.join(") OR (")),
    };
    spl::parse_expression(&text, span).map_err(|findings| {
        let reason = findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
        let message = format!("the subsearch gives the text {text:?}, which is no expression: {reason}");
        Diagnostic::error(Code::Subsearch, message, span)
            .with_help("end it with `| return $field`, and give text its quotes")
            .into()
    })
}

/// The rows of a subsearch, each a list of items.
struct Found {
    rows: Vec<Vec<Item>>,
}

/// What a row contributes to the text.
enum Item {
    /// `field="value"`, any of the values.
    Pair(String, Vec<String>),
    /// The text itself.
    Text(String),
}

/// Plans and runs a subsearch; `None` without data.
async fn run(planner: &mut Planner<'_>, subsearch: &Subsearch) -> Result<Option<Found>, Vec<PlanError>> {
    let mut query = subsearch.query.clone();
    Box::pin(resolve(planner, &mut query)).await?;
    let mut frame = planner.plan(&query).await?;
    let Some(runner) = planner.runner else { return Ok(None) };
    let result = async {
        frame.limit(MOST_ROWS + 1)?;
        runner.collect(frame.finish()?).await
    };
    let (_, batches) = result.await.map_err(|error| vec![PlanError::DataFusion(error)])?;
    let mut found: Vec<Vec<Item>> = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            found.push(all_items(batch, row));
        }
    }
    if found.len() > MOST_ROWS {
        found.truncate(MOST_ROWS);
        planner.diagnostics.push(Diagnostic::warning(
            Code::Truncated,
            format!("the subsearch found more than {MOST_ROWS} rows; the first {MOST_ROWS} are used"),
            subsearch.span,
        ));
    }
    Ok(Some(Found { rows: found }))
}

/// The fields of a row; `search` and `query` are search text.
fn all_items(batch: &RecordBatch, row: usize) -> Vec<Item> {
    rows::fields(batch, row)
        .into_iter()
        // A `return` that found no value has nothing to say.
        .filter(|(name, texts)| !is_text(name) || texts.iter().any(|text| !text.trim().is_empty()))
        .map(|(name, texts)| if is_text(&name) { Item::Text(texts.join(" ")) } else { Item::Pair(name, texts) })
        .collect()
}

/// Whether a field holds search text rather than a value.
fn is_text(name: &str) -> bool {
    matches!(name, "search" | "query")
}

/// The rows as the text that takes the place of the subsearch; `None` without data.
///
/// # Errors
/// Every finding in the subsearch, or a subsearch that fails.
pub async fn text(planner: &mut Planner<'_>, subsearch: &Subsearch) -> Result<Option<String>, Vec<PlanError>> {
    Ok(run(planner, subsearch).await?.map(|found| rendered(&found)))
}

/// The text of `return`, or of `format` as it stands behind any other command.
fn rendered(found: &Found) -> String {
    if let [row] = found.rows.as_slice() {
        match row.as_slice() {
            [] => return String::new(),
            [Item::Text(text)] => return text.clone(),
            _ => {}
        }
    }
    let rows: Vec<String> = found
        .rows
        .iter()
        .map(|row| {
            let items: Vec<String> = row
                .iter()
                .map(|item| match item {
                    Item::Text(text) => text.clone(),
                    Item::Pair(name, values) => {
                        let pairs: Vec<String> =
                            values.iter().map(|value| format!("{name}={}", rows::quoted(value))).collect();
                        if pairs.len() == 1 { pairs.concat() } else { format!("( {} )", pairs.join(" OR ")) }
                    }
                })
                .collect();
            format!("( {} )", items.join(" AND "))
        })
        .collect();
    if rows.is_empty() { "NOT ( )".to_owned() } else { format!("( {} )", rows.join(" OR ")) }
}

/// The rows as one value, for `field=[ ... ]`.
fn value_text(found: &Found, span: Span) -> PlanResult<String> {
    let mut texts: Vec<String> = Vec::new();
    for item in found.rows.iter().flatten() {
        match item {
            // `return 2 $field` gives `(a) OR (b)`.
            Item::Text(text) => match text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
                Some(several) if several.contains(") OR (") => {
                    texts.extend(several.split(") OR (").map(ToString::to_string));
                }
                _ => texts.push(text.clone()),
            },
            Item::Pair(_, values) => texts.extend(values.iter().cloned()),
        }
    }
    match texts.as_slice() {
        [text] => Ok(text.trim_matches('"').to_string()),
        [] => Err(Diagnostic::error(Code::Subsearch, "the subsearch found nothing to compare with", span).into()),
        _ => Err(Diagnostic::error(Code::Subsearch, "the subsearch gives more than one value to compare with", span)
            .with_help("end it with `| return $field`, or let it stand alone: `[ ... | fields field ]`")
            .into()),
    }
}

/// The rows as a condition: any of the rows, of which all fields have to agree. No row matches nothing.
fn condition(found: &Found, span: Span) -> PlanResult<SearchExpression> {
    let mut rows = Vec::new();
    for row in &found.rows {
        let mut items = Vec::new();
        for item in row {
            items.push(match item {
                Item::Pair(name, values) => any(values.iter().map(|value| pair(name, value, span)).collect()),
                Item::Text(text) => parsed(text, span)?,
            });
        }
        if !items.is_empty() {
            rows.push(if items.len() == 1 { items.swap_remove(0) } else { SearchExpression::And(items) });
        }
    }
    Ok(any(rows))
}

fn any(mut alternatives: Vec<SearchExpression>) -> SearchExpression {
    match alternatives.len() {
        0 => SearchExpression::Not(Box::new(SearchExpression::Term(literal("*".into(), Span::default())))),
        1 => alternatives.swap_remove(0),
        _ => SearchExpression::Or(alternatives),
    }
}

fn pair(name: &str, value: &str, span: Span) -> SearchExpression {
    SearchExpression::Comparison(Comparison {
        field: Name { text: name.to_string(), span },
        operator: ComparisonOperator::Equal,
        value: Operand::Literal(literal(value.to_string(), span)),
        span,
    })
}

fn literal(text: String, span: Span) -> Literal {
    Literal { text, quoted: true, matching: Matching::AnyCase, span }
}

/// The text of a field named `search`, which is search language itself.
fn parsed(text: &str, span: Span) -> PlanResult<SearchExpression> {
    let failed = |reason: String| {
        PlanError::from(Diagnostic::error(
            Code::Subsearch,
            format!("the subsearch gives the text {text:?}, which is no search: {reason}"),
            span,
        ))
    };
    let query = spl::parse(text)
        .map_err(|findings| failed(findings.first().map(|finding| finding.message.clone()).unwrap_or_default()))?;
    match query.commands.into_iter().next().map(|command| command.kind) {
        Some(CommandKind::Search(search)) => {
            let everything = || SearchExpression::Term(literal("*".into(), span));
            Ok(search.expression.unwrap_or_else(everything))
        }
        _ => Err(failed("it is not a search expression".into())),
    }
}
