//! `map`: runs a search for each row.
//!
//! Source: Splunk Search Reference, "map".

use std::borrow::Cow;

use spelunk_grammar::spl::commands::map::{Map, MapSearch};
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::frame::Frame;
use super::grid::Grid;
use super::{PlanResult, Planner, combine, rows, saved, suggest};
use crate::knowledge::saved::SavedSearch;
use crate::values::{self, Value};

/// How many searches are run where nothing else is said.
const SEARCHES: u64 = 10;
/// The name that stands for the number of the run.
const SERIAL_ID: &str = "_serial_id";

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Map, span: Span) -> PlanResult<()> {
    let Map { search, maxsearches } = command;
    let (place, saved) = match search {
        MapSearch::Text(text) => (text, None),
        MapSearch::Saved(name) => match saved::find(planner, name)? {
            Some(saved) => (name, Some(saved)),
            None => {
                *frame = combine::nothing(planner)?;
                frame.open = true;
                return Ok(());
            }
        },
    };
    let template = Template::read(saved.as_ref().map_or(&place.node, |saved| &saved.text));
    known(frame, &template, place.span)?;
    if planner.runner.is_none() {
        *frame = combine::nothing(planner)?;
        frame.open = true;
        return Ok(());
    }
    let most = usize::try_from(maxsearches.as_ref().map_or(SEARCHES, |most| most.node)).unwrap_or(usize::MAX);
    // One more tells whether anything is cut.
    frame.limit(most.saturating_add(1))?;
    let Some(mut input) = Grid::collect(planner, frame).await? else { return Ok(()) };
    if input.rows.len() > most {
        input.rows.truncate(most);
        let message = format!("`map` ran for the first {most} rows only, and there are more");
        let warning = Diagnostic::warning(Code::Truncated, message, maxsearches.as_ref().map_or(span, |m| m.span));
        planner.diagnostics.push(warning.with_help("`maxsearches` says for how many rows it runs"));
    }
    let mut result = Grid::default();
    for row in 0..input.rows.len() {
        let found = run(planner, &template, saved.as_ref(), place, &input, row).await?;
        if let Some(found) = found {
            append(&mut result, found);
        }
    }
    result.replace(frame, span)
}

/// The rows that the search finds for a row; `None` where it lacks a value.
async fn run(
    planner: &mut Planner<'_>,
    template: &Template<'_>,
    saved: Option<&SavedSearch>,
    place: &Spanned<String>,
    input: &Grid,
    row: usize,
) -> PlanResult<Option<Grid>> {
    let number = row.saturating_add(1);
    let value = |name: &str| match input.position(name) {
        _ if name == SERIAL_ID => Some(number.to_string()),
        Some(position) => text(input.value(row, position)),
        None => None,
    };
    if let Some(name) = template.names().find(|name| value(name).is_none()) {
        let message = format!("`map` did not run for row {number}, which has no value of {name:?}");
        planner.diagnostics.push(Diagnostic::warning(Code::Note, message, place.span));
        return Ok(None);
    }
    let text = template.filled(value);
    let about = format!("in the search of `map` for row {number}");
    let mut found = match saved {
        Some(saved) => saved::frame_of_saved(planner, &place.node, saved, &text, &about, place.span).await?,
        None => saved::frame_of_text(planner, &text, &about, place.span).await?,
    };
    Grid::collect(planner, &mut found).await
}

/// A value as text; several with blanks between them.
fn text(value: &Value<'_>) -> Option<String> {
    let texts = value.texts();
    if texts.is_empty() { None } else { Some(texts.join(" ")) }
}

/// Refuses fields that no row has.
fn known(frame: &Frame, template: &Template<'_>, span: Span) -> PlanResult<()> {
    let fields = frame.fields();
    for name in template.names().filter(|name| *name != SERIAL_ID) {
        if frame.open || fields.iter().any(|field| field == name) {
            continue;
        }
        let message = format!("`map` needs the field {name:?} for `${name}$`, and no row has it");
        let error = Diagnostic::error(Code::InvalidArgument, message, span);
        return Err(match suggest::nearest(name, fields.iter().map(String::as_str)) {
            Some(near) => error.with_help(format!("did you mean `${near}$`?")),
            None => error,
        }
        .into());
    }
    Ok(())
}

/// Puts rows below others; the columns are those of both.
fn append(upper: &mut Grid, lower: Grid) {
    for name in &lower.names {
        if upper.position(name).is_none() {
            upper.add_column(name.clone(), []);
        }
    }
    let positions: Vec<Option<usize>> = upper.names.iter().map(|name| lower.position(name)).collect();
    for row in 0..lower.rows.len() {
        let values = positions.iter().map(|position| match position {
            Some(position) => lower.value(row, *position).clone(),
            None => Value::Null,
        });
        upper.rows.push(values.collect());
    }
}

/// A search in which `$field$` stands for values.
#[derive(Debug)]
pub struct Template<'t> {
    pieces: Vec<Piece<'t>>,
}

#[derive(Debug)]
enum Piece<'t> {
    Text(&'t str),
    Token { name: &'t str, context: Context },
}

/// What stands around a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// It is part of a text in quotes.
    Quoted,
    /// It is all that a field is compared with or set to.
    Value,
    /// It is text of the search.
    Bare,
}

impl<'t> Template<'t> {
    /// Finds the tokens of a text.
    pub fn read(text: &'t str) -> Self {
        let mut pieces = Vec::new();
        let mut quoted = false;
        let (mut from, mut at) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some((length, name)) = token(rest) else {
                let first = rest.chars().next().map_or(1, char::len_utf8);
                let escaped = rest.starts_with('\\').then(|| rest.chars().nth(1).map_or(0, char::len_utf8));
                quoted ^= rest.starts_with('"');
                at = at.saturating_add(first).saturating_add(escaped.unwrap_or(0));
                continue;
            };
            let before = text.get(from..at).unwrap_or_default();
            let after = text.get(at.saturating_add(length)..).unwrap_or_default();
            pieces.push(Piece::Text(before));
            let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || "),|]".contains(c));
            let compared = text.get(..at).unwrap_or_default().trim_end().ends_with(['=', '<', '>']);
            let context = match (quoted, ends && compared) {
                (true, _) => Context::Quoted,
                (false, true) => Context::Value,
                (false, false) => Context::Bare,
            };
            pieces.push(Piece::Token { name, context });
            at = at.saturating_add(length);
            from = at;
        }
        pieces.push(Piece::Text(text.get(from..).unwrap_or_default()));
        Self { pieces }
    }

    /// The fields that it names.
    pub fn names(&self) -> impl Iterator<Item = &'t str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Token { name, context: _ } => Some(*name),
        })
    }

    fn filled(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let piece = |piece: &Piece<'t>| match piece {
            Piece::Text(text) => Cow::Borrowed(*text),
            Piece::Token { name, context } => {
                let value = value(name).unwrap_or_default();
                Cow::Owned(match context {
                    Context::Quoted => value.replace('\\', "\\\\").replace('"', "\\\""),
                    Context::Value if values::parse_number(&value).is_none() => rows::quoted(&value),
                    Context::Value | Context::Bare => value,
                })
            }
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// The length and the name of the token that a text starts with: `$name$`, or `$$name$$` as dashboards have it.
fn token(text: &str) -> Option<(usize, &str)> {
    let dollars = if text.starts_with("$$") { "$$" } else { "$" };
    let rest = text.strip_prefix(dollars)?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || "_.:{}@-".contains(c)))?;
    let (name, after) = rest.split_at_checked(end)?;
    let starts = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let length = dollars.len().saturating_mul(2).saturating_add(name.len());
    (starts && after.starts_with(dollars)).then_some((length, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::read(text).filled(|name| {
            Some(match name {
                "n" => "5".to_string(),
                "u" => "ann \"x\" \\".to_string(),
                other => other.to_uppercase(),
            })
        })
    }

    #[test]
    fn values_are_escaped_where_they_stand() {
        assert_eq!(filled("search a=\"$u$\" b=$n$"), r#"search a="ann \"x\" \\" b=5"#);
        assert_eq!(filled("where a == $u$ AND b>$x$) c=$x$.csv"), r#"where a == "ann \"x\" \\" AND b>"X") c=X.csv"#);
        assert_eq!(filled("| inputlookup $$x$$_$y$ | rex \"a$ | b$\""), "| inputlookup X_Y | rex \"a$ | b$\"");
        assert_eq!(filled("a=\"\\\"$x$\\\"\" $a.b{}$ cost=5$"), "a=\"\\\"X\\\"\" A.B{} cost=5$");
    }
}
