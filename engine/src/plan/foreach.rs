//! `foreach`: runs a template for each field, or for each value of a field.
//!
//! Plans are made per iteration. How many values a field has is known only when the rows are, so what comes
//! before is run first.
//!
//! Source: Splunk Search Reference, "foreach".

use arrow::array::Array;
use datafusion::logical_expr::{Expr, lit};
use futures::future::BoxFuture;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::commands::eval::{Assignment, Eval};
use spelunk_grammar::spl::commands::foreach::{Foreach, ForeachMode, ForeachTokens};
use spelunk_grammar::spl::expression::{Expression, Name};
use spelunk_grammar::{Code, Diagnostic};

use super::expression::{ExpressionPlanner, Kind, Typed};
use super::frame::{Frame, column, matching};
use super::template::{Expansion, Token};
use super::{PlanError, PlanResult, Planner, barrier, eval, subsearch};
use crate::functions::collections::{self, ITEM_FIELD as ITEM};
use crate::values::Value;

/// How many values of a field are gone through at most.
const MOST_ITEMS: usize = 10_000;
/// After so many steps that build on each other the plan so far is run, as it would get too deep.
const STEPS_PER_PLAN: usize = 32;

/// Plans the command.
pub fn plan<'a>(
    planner: &'a mut Planner<'_>,
    frame: &'a mut Frame,
    command: &'a Foreach,
) -> BoxFuture<'a, PlanResult<()>> {
    Box::pin(async move {
        match command.mode.unwrap_or(ForeachMode::Multifield) {
            ForeachMode::Multifield => each_field(planner, frame, command).await,
            mode => each_item(planner, frame, command, mode).await,
        }
    })
}

/// A field that the template is run for, and what the wildcards of its pattern stand for.
struct Matched {
    field: String,
    segments: Vec<String>,
}

async fn each_field(planner: &mut Planner<'_>, frame: &mut Frame, command: &Foreach) -> PlanResult<()> {
    let mut batch = eval::Batch::default();
    let mut steps = 0_usize;
    for matched in present(planner, frame, command).await? {
        let expansion = Expansion::new(&command.template, &field_tokens(&command.tokens, &matched));
        let about = |error| about_field(&matched.field, &expansion, error);
        let mut query = expansion.parse().map_err(|errors| about(first(errors)))?;
        subsearch::resolve(planner, &mut query).await.map_err(|errors| about(first(errors)))?;
        for command in &query.commands {
            let known = planner.diagnostics.len();
            let planned = match plain_eval(&command.kind) {
                Some(assignments) => assignments.into_iter().try_for_each(|(name, value)| {
                    steps += usize::from(batch.assign(frame, name, value)?);
                    Ok(())
                }),
                None => {
                    batch.flush(frame)?;
                    steps += 1;
                    planner.command(frame, command).await
                }
            };
            for diagnostic in planner.diagnostics.iter_mut().skip(known) {
                diagnostic.span = expansion.place(diagnostic.span);
            }
            for (name, span) in frame.take_missing() {
                frame.note_missing(&name, expansion.place(span));
            }
            planned.map_err(about)?;
        }
        if steps >= STEPS_PER_PLAN {
            batch.flush(frame)?;
            barrier::materialise(planner, frame).await?;
            steps = 0;
        }
    }
    batch.flush(frame)
}

/// The fields to go through. Where there are many, the rows are looked at, and those that no row has are left out: over
/// events of many kinds a pattern fits most fields of others, and each would be a step.
async fn present(planner: &Planner<'_>, frame: &mut Frame, command: &Foreach) -> PlanResult<Vec<Matched>> {
    let mut all = fields(frame, &command.fields);
    if all.len() > STEPS_PER_PLAN
        && let Some(batches) = barrier::materialise(planner, frame).await?
    {
        let held = |name: &str| {
            let mut columns = batches.iter().filter_map(|batch| batch.column_by_name(name));
            columns.any(|column| column.logical_null_count() < column.len())
        };
        let named = |name: &str| command.fields.iter().any(|field| field.text == name);
        all.retain(|matched| named(&matched.field) || held(&matched.field));
    }
    Ok(all)
}

/// The assignments of an `eval` whose names are all known.
fn plain_eval(command: &CommandKind) -> Option<Vec<(String, &Expression)>> {
    let CommandKind::Eval(Eval { assignments }) = command else { return None };
    assignments.iter().map(|assignment| Some((eval::plain_name(&assignment.target)?, &assignment.value))).collect()
}

/// The fields that the patterns name, each once. A plain name counts whether there is such a field or not.
fn fields(frame: &Frame, patterns: &[Name]) -> Vec<Matched> {
    let names = frame.fields();
    let mut found: Vec<Matched> = Vec::new();
    for pattern in patterns {
        let stars = pattern.text.matches('*').count();
        let mut add = |field: &str, segments: Vec<String>| {
            if !found.iter().any(|known| known.field == field) {
                found.push(Matched { field: field.to_string(), segments });
            }
        };
        if stars == 0 {
            add(&pattern.text, Vec::new());
            continue;
        }
        let matching = matching(&pattern.text, &names);
        if matching.is_empty() && frame.open {
            // Nobody knows the fields; one of a likely name shows the mistakes in the template.
            let likely = if pattern.text == "*" { "x" } else { "1" };
            add(&pattern.text.replace('*', likely), vec![likely.to_string(); stars]);
        }
        for name in matching {
            add(name, segments(&pattern.text, name));
        }
    }
    found
}

/// What each wildcard of a pattern stands for in a name, as little as possible from left to right.
fn segments(pattern: &str, name: &str) -> Vec<String> {
    let body = pattern.split('*').map(regex::escape).collect::<Vec<_>>().join("(.*?)");
    let captures = regex::Regex::new(&format!("^{body}$")).ok().and_then(|regex| regex.captures(name));
    let groups = captures.iter().flat_map(|captures| captures.iter().skip(1).flatten());
    groups.map(|group| group.as_str().to_string()).collect()
}

fn field_tokens(tokens: &ForeachTokens, matched: &Matched) -> Vec<Token> {
    let ForeachTokens { field, matchstr, matchseg, item: _, iter: _ } = tokens;
    let token = |given: &Option<String>, usual: &str, replacement: &str| Token {
        token: given.clone().unwrap_or_else(|| usual.to_string()),
        replacement: replacement.to_string(),
        quoted: None,
    };
    let mut all =
        vec![token(field, "<<FIELD>>", &matched.field), token(matchstr, "<<MATCHSTR>>", &matched.segments.concat())];
    for (position, given) in matchseg.iter().enumerate() {
        let segment = matched.segments.get(position).map_or("", String::as_str);
        all.push(token(given, &format!("<<MATCHSEG{}>>", position + 1), segment));
    }
    all
}

/// An error in the template for a field, which it names.
fn about_field(field: &str, expansion: &Expansion, error: PlanError) -> PlanError {
    match error {
        PlanError::Query(found) => {
            let plain = field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let mut found = expansion.placed(found);
            found.message = format!("for the field {field:?}: {}", found.message);
            if !plain && found.code == Code::Syntax {
                found =
                    found.with_help("this name needs quotes: write '<<FIELD>>', or \"<<FIELD>>\" for the name itself");
            }
            found.into()
        }
        other => other,
    }
}

fn first(errors: Vec<PlanError>) -> PlanError {
    let none = || Diagnostic::error(Code::Syntax, "the template cannot be read", Default::default()).into();
    errors.into_iter().next().unwrap_or_else(none)
}

async fn each_item(
    planner: &mut Planner<'_>,
    frame: &mut Frame,
    command: &Foreach,
    mode: ForeachMode,
) -> PlanResult<()> {
    let found = match command.fields.first() {
        Some(_) => None,
        None => collection(planner, frame, command).await?,
    };
    let Some(field) = command.fields.first().or(found.as_ref()) else { return Ok(()) };
    let value = ExpressionPlanner::new(frame).field(&field.text, field.span);
    let items = match mode {
        ForeachMode::JsonArray => collections::elements(value.text()),
        ForeachMode::AutoCollections => collections::either(value.text()),
        ForeachMode::Multifield | ForeachMode::Multivalue => collections::items(value.text()),
    };
    let list = frame.hidden_name();
    frame.set(vec![(list.clone(), items)])?;
    let Some(batches) = barrier::materialise(planner, frame).await? else {
        return iterate(frame, command, &list, 0);
    };
    let lengths = batches.iter().filter_map(|batch| batch.column_by_name(&list)).flat_map(|column| {
        (0..column.len()).map(|row| match Value::read(column.as_ref(), row) {
            Value::Many(values) => values.len(),
            _ => 0,
        })
    });
    let most = lengths.max().unwrap_or(0);
    if most > MOST_ITEMS {
        let message = format!("{:?} has {most} values in a row; `foreach` takes at most {MOST_ITEMS}", field.text);
        return Err(Diagnostic::error(Code::TooLarge, message, field.span).into());
    }
    for position in 0..most {
        iterate(frame, command, &list, position)?;
        if position % STEPS_PER_PLAN == STEPS_PER_PLAN - 1 {
            barrier::materialise(planner, frame).await?;
        }
    }
    Ok(())
}

/// The field that is meant where none is named: the one with several values in a row or with a JSON array.
async fn collection(planner: &Planner<'_>, frame: &mut Frame, command: &Foreach) -> PlanResult<Option<Name>> {
    let Some(batches) = barrier::materialise(planner, frame).await? else { return Ok(None) };
    let held = |name: &String| {
        batches.iter().filter_map(|batch| batch.column_by_name(name)).any(|column| {
            (0..column.len()).any(|row| match Value::read(column.as_ref(), row) {
                Value::Many(values) => values.len() > 1,
                value @ Value::Text(_) => collections::is_array(&value),
                _ => false,
            })
        })
    };
    let found: Vec<String> =
        frame.fields().into_iter().filter(|name| !name.starts_with('_')).filter(|name| held(name)).collect();
    match found.as_slice() {
        [one] => Ok(Some(Name { text: one.clone(), span: command.template.span })),
        [] => {
            let message = "no field has several values or a JSON array for `foreach` to go through";
            frame.note(Diagnostic::warning(Code::Note, message, command.template.span));
            Ok(None)
        }
        [first, second, ..] => {
            let message = format!("`foreach` could go through {first:?} or {second:?}");
            let error = Diagnostic::error(Code::InvalidArgument, message, command.template.span);
            Err(error.with_help("name the field before the brackets").into())
        }
    }
}

/// Runs the template for the values at a position. Rows that have none there stay as they are.
fn iterate(frame: &mut Frame, command: &Foreach, list: &str, position: usize) -> PlanResult<()> {
    let expansion = Expansion::new(&command.template, &item_tokens(&command.tokens, position));
    let query = expansion.parse().map_err(first)?;
    let [CommandKind::Eval(Eval { assignments })] =
        query.commands.iter().map(|command| &command.kind).collect::<Vec<_>>().as_slice()
    else {
        let message = "in this mode of `foreach` the brackets hold one `eval` command";
        return Err(Diagnostic::error(Code::InvalidArgument, message, command.template.span).into());
    };
    let item = collections::item(column(list), lit(position as i64));
    frame.set(vec![(ITEM.to_string(), item)])?;
    for assignment in assignments {
        let assigned = assign(frame, assignment);
        for (name, span) in frame.take_missing() {
            frame.note_missing(&name, expansion.place(span));
        }
        assigned.map_err(|error| match error {
            PlanError::Query(found) => PlanError::Query(expansion.placed(found)),
            other => other,
        })?;
    }
    let kept: Vec<(String, Expr)> =
        frame.fields().into_iter().filter(|name| name != ITEM).map(|name| (name.clone(), column(&name))).collect();
    frame.select(kept)?;
    Ok(())
}

/// Sets a field in the rows that have a value at hand.
fn assign(frame: &mut Frame, assignment: &Assignment) -> PlanResult<()> {
    let Assignment { target, value } = assignment;
    let Some(name) = eval::plain_name(target) else {
        let message = "names that rows complete are not supported in this mode of `foreach`";
        return Err(Diagnostic::error(Code::Unsupported, message, target.span).into());
    };
    let planner = ExpressionPlanner::new(frame);
    let typed = planner.plan(value)?;
    let kind = match (name.as_str(), typed.kind) {
        ("_time", Kind::Integer | Kind::Number | Kind::Text) => Kind::Time,
        ("_time", kind) => kind,
        (_, Kind::Time) => Kind::Number,
        (_, kind) => kind,
    };
    let stored = Typed::new(eval::stored(&name, &typed)?, kind, typed.span);
    let before = match frame.data_type(&name) {
        Some(data_type) => Typed::new(column(&name), Kind::of(&data_type), target.span),
        None => Typed::null(target.span),
    };
    let chosen = planner.choice(vec![(column(ITEM).is_not_null(), stored)], Some(before), target.span);
    frame.set(vec![(name, chosen.expr)])?;
    Ok(())
}

fn item_tokens(tokens: &ForeachTokens, position: usize) -> [Token; 2] {
    let ForeachTokens { field: _, matchstr: _, matchseg: _, item, iter } = tokens;
    [
        Token {
            token: item.clone().unwrap_or_else(|| ITEM.to_string()),
            replacement: format!("'{ITEM}'"),
            quoted: Some(format!("\".'{ITEM}'.\"")),
        },
        Token {
            token: iter.clone().unwrap_or_else(|| "<<ITER>>".to_string()),
            replacement: position.to_string(),
            quoted: None,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn wildcards_take_what_is_theirs() {
        assert_eq!(segments("test*ab*", "test1ab2"), ["1", "2"]);
        assert_eq!(segments("*", "abc"), ["abc"]);
        assert_eq!(segments("a*b*c", "abbc"), ["", "b"]);
    }
}
