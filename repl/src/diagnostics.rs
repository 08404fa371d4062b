//! Shows what is wrong with a query: the place in its text, the reason, what to write instead.

use std::borrow::Cow;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use spelunk_grammar::{Diagnostic, Severity};

use crate::escape;
use crate::render::fit;
use crate::terminal;

/// How findings are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With colours.
    pub colour: bool,
    /// The width to keep to.
    pub width: usize,
}

impl Style {
    /// What standard error takes.
    pub fn stderr() -> Self {
        Self { colour: terminal::stderr_colour(), width: terminal::stderr_width() }
    }
}

/// Writes every finding about the query to standard error: errors with the place in the text, warnings and notes so
/// on a terminal and as one line each elsewhere.
pub fn print_all(findings: &[Diagnostic], query: &str) {
    let on_terminal = terminal::stderr_is_terminal();
    for finding in findings {
        let style = Style::stderr();
        if on_terminal && style.width < NARROW {
            terminal::say(&narrow(finding, query, style.width));
        } else if on_terminal || finding.severity == Severity::Error {
            terminal::say(&render(finding, query, None, style));
        } else {
            terminal::say(&one_line(finding, query));
        }
    }
}

/// In fewer cells there is no room for a text with a mark below it.
const NARROW: usize = 60;
/// How many lines a finding takes there.
const NARROW_LINES: usize = 12;

/// A finding for a narrow terminal: the place as a number, in lines that fit.
fn narrow(finding: &Diagnostic, query: &str, width: usize) -> String {
    let lines = fit::wrap(&one_line(finding, query), width.max(fit::LEAST), NARROW_LINES);
    fit::narrow(&(lines.join("\n") + "\n"), width).trim_end().to_owned()
}

/// A finding with the place in the text of the query, over several lines without a final line break.
pub fn render(finding: &Diagnostic, query: &str, origin: Option<&str>, style: Style) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let (source, place) = visible_source(query, finding.span.range());
    let annotation =
        AnnotationKind::Primary.span(place).label(finding.label.as_deref().map(|label| escape::line(label)));
    let snippet = Snippet::source(source).path(origin.map(escape::line)).annotation(annotation);
    let message = escape::line(&finding.message);
    let title = level.primary_title(message).id(finding.code.to_string());
    let mut group = Group::with_title(title).element(snippet);
    if let Some(help) = &finding.help {
        group = group.element(Level::HELP.message(escape::line(help)));
    }
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    // Narrower than this, the library leaves no room for the text itself.
    renderer.decor_style(DecorStyle::Ascii).term_width(style.width.max(40)).render(&[group])
}

/// A finding as one line.
pub fn one_line(finding: &Diagnostic, query: &str) -> String {
    let (line, column) = finding.line_column(query);
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut out = format!("{severity}[{}]: {line}:{column}: {}", finding.code, escape::line(&finding.message));
    if let Some(help) = &finding.help {
        out.push_str(&format!(" ({})", escape::line(help)));
    }
    out
}

/// The query with everything made visible, and where the place has moved to.
fn visible_source(query: &str, place: std::ops::Range<usize>) -> (Cow<'_, str>, std::ops::Range<usize>) {
    let start = query.floor_char_boundary(place.start);
    let end = query.ceil_char_boundary(place.end).max(start);
    let (before, rest) = query.split_at(start);
    let (inside, after) = rest.split_at(end - start);
    let before = escape::lines(before);
    let inside = escape::lines(inside);
    let after = escape::lines(after);
    let moved = before.len()..before.len() + inside.len();
    (Cow::Owned([before, inside, after].concat()), moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use spelunk_grammar::{Code, Span};

    const PLAIN: Style = Style { colour: false, width: 80 };

    #[test]
    fn the_caret_is_under_the_place() {
        let query = "search error\n| stast count by Image";
        let finding = Diagnostic::error(Code::UnknownCommand, "unknown command \"stast\"", Span::new(15, 20))
            .with_help("did you mean \"stats\"?");
        insta::assert_snapshot!(render(&finding, query, None, PLAIN), @r#"
        error[SPL0003]: unknown command "stast"
          |
        2 | | stast count by Image
          |   ^^^^^
          |
          = help: did you mean "stats"?
        "#);
        insta::assert_snapshot!(narrow(&finding, query, 40), @r#"
        error[SPL0003]: 2:3: unknown command
        "stast" (did you mean "stats"?)
        "#);
        assert_eq!(
            one_line(&finding, query),
            "error[SPL0003]: 2:3: unknown command \"stast\" (did you mean \"stats\"?)"
        );
    }

    #[test]
    fn control_characters_of_the_query_are_shown() {
        let query = "a\x1b]0;x\x07 | b\u{202e}ad";
        let finding = Diagnostic::error(Code::Syntax, "no \x1b[0m", Span::new(10, 11)).with_label("\x1b");
        let shown = render(&finding, query, Some("f\x1b.spl"), PLAIN);
        assert!(!shown.chars().any(escape::is_unsafe), "{shown}");
        assert!(shown.contains("a␛]0;x␇ | b\\u{202e}ad"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_place_is_too_wild(query in any::<String>(), start in 0usize..80, end in 0usize..80, width in 0usize..200) {
            let finding = Diagnostic::error(Code::Syntax, "x", Span::new(start, end)).with_label("here");
            let shown = render(&finding, &query, None, Style { colour: false, width });
            prop_assert!(!shown.chars().any(escape::is_unsafe));
            for line in narrow(&finding, &query, width).lines() {
                prop_assert!(unicode_width::UnicodeWidthStr::width(line) <= width.max(1), "{line:?}");
            }
        }
    }
}
