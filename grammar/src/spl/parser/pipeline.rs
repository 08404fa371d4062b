//! Pipelines and subsearches: one command after the other.

use std::borrow::Cow;
use std::ops::Range;

use pest::iterators::Pair;

use super::builder::Builder;
use super::structure::{Mark, MarkKind, Structure, first_word};
use super::words;
use super::{Rule, diagnose, nearest};
use crate::spl::commands::{self, CommandKind, Piece, Substituted, Unexpanded};
use crate::spl::{Command, Query, Subsearch};
use crate::{Code, Diagnostic, Span, Spanned};

/// How many commands a pipeline may have. Planning stops at fewer; this is for texts that are no query.
const MAX_COMMANDS: usize = 10_000;

/// How many arguments a command may have: planning time grows faster than their number.
const MAX_ARGUMENTS: usize = 1_000;

/// After so many findings no more are looked for.
const MAX_FINDINGS: usize = 100;

/// The stretch of a query that one pipeline takes.
struct Stretch {
    /// Its bytes.
    bytes: Range<usize>,
    /// Its marks.
    marks: Range<usize>,
    /// Whether it stands in brackets.
    subsearch: bool,
}

/// One command and its arguments between two pipes.
struct Segment {
    bytes: Range<usize>,
    marks: Range<usize>,
    /// Whether a pipe stands before it.
    piped: bool,
}

/// Parses the whole query.
pub fn parse(structure: &Structure, diagnostics: &mut Vec<Diagnostic>) -> Option<Query> {
    let stretch = Stretch { bytes: 0..structure.text.len(), marks: 0..structure.marks.len(), subsearch: false };
    pipeline(structure, &stretch, 0, diagnostics)
}

/// Parses `[ ... ]`.
pub fn subsearch(b: &mut Builder<'_>, pair: &Pair<'_, Rule>) -> Option<Subsearch> {
    let span = b.span(pair);
    let opener = b.structure.marks.binary_search_by_key(&span.start, |mark| mark.at).ok()?;
    subsearch_at(b, opener)
}

/// Parses what the bracket of that mark opens.
fn subsearch_at(b: &mut Builder<'_>, opener: usize) -> Option<Subsearch> {
    let start = b.structure.marks.get(opener)?.at;
    let MarkKind::Open(closer) = b.structure.marks.get(opener)?.kind else { return None };
    let end = b.structure.marks.get(closer)?.at;
    let span = Span::new(start, end + 1);
    let stretch = Stretch { bytes: start + 1..end, marks: opener + 1..closer, subsearch: true };
    let query = b.deeper(8, span, |b| pipeline(b.structure, &stretch, b.depth, b.diagnostics))?;
    Some(Subsearch { query, span })
}

fn pipeline(
    structure: &Structure,
    stretch: &Stretch,
    depth: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Query> {
    let text = structure.text.get(stretch.bytes.clone())?;
    let span = trimmed(structure, &stretch.bytes);
    if text.trim().is_empty() {
        let what = if stretch.subsearch { "the subsearch is empty" } else { "the search is empty" };
        diagnostics.push(Diagnostic::error(Code::Syntax, what, span).with_help(
            "name what to look for, such as `index=* error`, or start with a pipe and a command, such as `| makeresults`",
        ));
        return None;
    }
    let segments = segments(structure, stretch);
    if segments.len() > MAX_COMMANDS {
        let message = format!("the query has {} commands, the limit is {MAX_COMMANDS}", segments.len());
        diagnostics.push(Diagnostic::error(Code::TooLarge, message, Span::new(span.start, span.start)));
        return None;
    }
    let mut commands = Vec::with_capacity(segments.len());
    let last = segments.len().saturating_sub(1);
    for (index, segment) in segments.iter().enumerate() {
        let blank = structure.text.get(segment.bytes.clone()).is_some_and(|text| text.trim().is_empty());
        if blank && index == 0 {
            continue;
        }
        if blank {
            let place = if index == last { "the last pipe" } else { "this pipe" };
            let pipe = Span::new(segment.bytes.start.saturating_sub(1), segment.bytes.start);
            diagnostics.push(
                Diagnostic::error(Code::Syntax, format!("expected a command after {place}"), pipe)
                    .with_help("write a command, or take the pipe away"),
            );
            continue;
        }
        let found = diagnostics.len();
        if found >= MAX_FINDINGS {
            return None;
        }
        match command(structure, segment, stretch.subsearch, depth, diagnostics) {
            Some(command) => commands.push(command),
            None if diagnostics.len() == found && structure.unbalanced.is_empty() => {
                let place = trimmed(structure, &segment.bytes);
                diagnostics.push(Diagnostic::error(Code::Syntax, "this command cannot be read", place));
            }
            None => {}
        }
    }
    (!commands.is_empty()).then_some(Query { commands, span })
}

/// A range without the blanks at its ends.
fn trimmed(structure: &Structure, bytes: &Range<usize>) -> Span {
    let text = structure.text.get(bytes.clone()).unwrap_or_default();
    let start = bytes.start + (text.len() - text.trim_start().len());
    Span::new(start, start + text.trim().len())
}

fn segments(structure: &Structure, stretch: &Stretch) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (mut start, mut first_mark, mut piped) = (stretch.bytes.start, stretch.marks.start, false);
    for (index, mark) in top_marks(structure, stretch.marks.clone()) {
        if mark.kind == MarkKind::Pipe {
            segments.push(Segment { bytes: start..mark.at, marks: first_mark..index, piped });
            (start, first_mark, piped) = (mark.at + 1, index + 1, true);
        }
    }
    segments.push(Segment { bytes: start..stretch.bytes.end, marks: first_mark..stretch.marks.end, piped });
    segments
}

/// The marks of a range that do not stand inside a bracket of it.
fn top_marks(structure: &Structure, range: Range<usize>) -> impl Iterator<Item = (usize, Mark)> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        let index = next;
        let mark = *structure.marks.get(..range.end)?.get(index)?;
        next = match mark.kind {
            MarkKind::Open(closer) => closer + 1,
            _ => index + 1,
        };
        Some((index, mark))
    })
}

fn command(
    structure: &Structure,
    segment: &Segment,
    in_subsearch: bool,
    depth: usize,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Command> {
    let span = trimmed(structure, &segment.bytes);
    let text = structure.text.get(span.range())?;
    let word = first_word(text);
    let after = text.get(word.len()..)?.trim_start();
    // `search = x` looks for a field of that name.
    let named = !word.is_empty() && !after.starts_with(['=', '<', '>']) && !after.starts_with("!=");
    let searching = word.eq_ignore_ascii_case("search") && named;
    let implied = !(segment.piped || searching || in_subsearch && named && commands::is_known(word));
    let (name, name_span) = if implied {
        ("search", Span::new(span.start, span.start))
    } else {
        (word, Span::new(span.start, span.start + word.len()))
    };
    if name.is_empty() {
        if structure.unbalanced.is_empty()
            && let Some(kind) = unexpanded(structure, segment, span, false)
        {
            return Some(Command { kind, name_span, span });
        }
        let first = text.chars().next().map_or(0, char::len_utf8);
        let place = Span::new(span.start, span.start + first);
        diagnostics.push(Diagnostic::error(Code::Syntax, "expected a command after the pipe", place));
        return None;
    }
    if structure.unbalanced.iter().any(|found| segment.bytes.contains(&found.span.start)) {
        return None;
    }
    let Some(syntax) = commands::find(name) else {
        let arguments = structure.text.get(name_span.end..span.end)?.trim();
        if let Some(refused) = commands::refused(name, arguments) {
            return Some(Command { kind: CommandKind::Refused(refused), name_span, span });
        }
        diagnostics.push(refuse(name, name_span));
        return None;
    };
    let arguments = Span::new(name_span.end, span.end);
    let masked = mask(structure, segment, arguments);
    let mut b = Builder { structure, base: arguments.start, doc: syntax.doc, depth, diagnostics };
    let kind: CommandKind = match super::parse_rule(syntax.rule, &masked) {
        Ok(pair) if pair.clone().into_inner().count() > MAX_ARGUMENTS => {
            let message = format!("`{name}` has more than {MAX_ARGUMENTS} arguments");
            diagnostics.push(Diagnostic::error(Code::TooLarge, message, name_span));
            return None;
        }
        Ok(pair) => (syntax.build)(&mut b, pair)?,
        Err(error) => {
            if let Some(kind) = unexpanded(structure, segment, span, implied) {
                return Some(Command { kind, name_span, span });
            }
            if substitutable(structure, segment, span, implied) {
                let kind = substituted(&mut b, segment, span, implied)?;
                return Some(Command { kind, name_span, span });
            }
            diagnostics.push(diagnose::syntax_error(&error, &masked, arguments.start, syntax));
            return None;
        }
    };
    Some(Command { kind, name_span, span })
}

/// The brackets of a segment that stand in no other: the index of the opening mark, and where both are.
fn brackets<'a>(structure: &'a Structure, segment: &Segment) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    top_marks(structure, segment.marks.clone()).filter_map(|(index, mark)| match mark.kind {
        MarkKind::Open(closer) => Some((index, mark.at, structure.marks.get(closer)?.at)),
        _ => None,
    })
}

/// A copy of a command's arguments in which the insides of subsearches are blanks.
fn mask<'a>(structure: &'a Structure, segment: &Segment, arguments: Span) -> Cow<'a, str> {
    let text = &structure.text;
    let mut brackets = brackets(structure, segment).peekable();
    if brackets.peek().is_none() {
        return Cow::Borrowed(text.get(arguments.range()).unwrap_or_default());
    }
    let mut out = String::with_capacity(arguments.end - arguments.start);
    let mut from = arguments.start;
    for (_, opener, closer) in brackets {
        out.push_str(text.get(from..opener + 1).unwrap_or_default());
        out.extend(std::iter::repeat_n(' ', closer - opener - 1));
        from = closer;
    }
    out.push_str(text.get(from..arguments.end).unwrap_or_default());
    Cow::Owned(out)
}

/// Whether a command can be read with some text in the place of its subsearches, of which it has at least one.
fn substitutable(structure: &Structure, segment: &Segment, span: Span, implied: bool) -> bool {
    let brackets: Vec<_> = brackets(structure, segment).collect();
    !brackets.is_empty()
        && commands::LIKELY.iter().any(|likely| {
            let mut text = String::from(if implied { "| search " } else { "| " });
            let mut from = span.start;
            for (_, opener, closer) in &brackets {
                text.push_str(structure.text.get(from..*opener).unwrap_or_default());
                text.push_str(likely);
                from = closer + 1;
            }
            text.push_str(structure.text.get(from..span.end).unwrap_or_default());
            super::parse(&text).is_ok()
        })
}

/// A command whose subsearches give a part of its text.
fn substituted(b: &mut Builder<'_>, segment: &Segment, span: Span, implied: bool) -> Option<CommandKind> {
    let structure = b.structure;
    let mut pieces = Vec::new();
    let text = |from: usize, to: usize| {
        let place = Span::new(from, to);
        let mut written = structure.text.get(place.range()).unwrap_or_default().to_owned();
        if implied && from == span.start {
            written.insert_str(0, "search ");
        }
        (!written.is_empty()).then(|| Piece::Text(Spanned::new(written, place)))
    };
    let mut from = span.start;
    let found: Vec<_> = brackets(structure, segment).collect();
    for (index, opener, closer) in found {
        pieces.extend(text(from, opener));
        pieces.push(Piece::Subsearch(subsearch_at(b, index)?));
        from = closer + 1;
    }
    pieces.extend(text(from, span.end));
    Some(CommandKind::Substituted(Substituted { pieces }))
}

/// A command that may be well-formed once its macros are replaced; `None` if it has none. An implied `search` is
/// spelled out.
fn unexpanded(structure: &Structure, segment: &Segment, span: Span, implied: bool) -> Option<CommandKind> {
    let macros: Vec<Spanned<String>> = top_marks(structure, segment.marks.clone())
        .filter_map(|(_, mark)| match mark.kind {
            MarkKind::Macro(end) => {
                let place = Span::new(mark.at, end);
                Some(Spanned::new(words::macro_name(structure.text.get(place.range())?).to_owned(), place))
            }
            _ => None,
        })
        .collect();
    let text = structure.text.get(span.range())?;
    let text = if implied { format!("search {text}") } else { text.to_owned() };
    (!macros.is_empty()).then_some(CommandKind::Unexpanded(Unexpanded { text, macros }))
}

/// The error for a command that is not of the language.
fn refuse(name: &str, span: Span) -> Diagnostic {
    let candidates = commands::commands().iter().map(|doc| doc.name);
    let error = Diagnostic::error(Code::UnknownCommand, format!("unknown command \"{name}\""), span);
    match nearest(name, candidates) {
        Some(near) => error.with_help(format!("did you mean \"{near}\"?")),
        None => error,
    }
}
