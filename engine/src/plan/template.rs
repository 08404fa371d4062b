//! The templates of `foreach`: text whose tokens are replaced before it is parsed.
//!
//! What is found wrong in the replaced text is told at the place in the user's text that it came from.

use spelunk_grammar::spl::{self, Query};
use spelunk_grammar::{Diagnostic, Span, Spanned};

use super::PlanError;

/// What stands before a template, so that it is read as commands and not as a search.
const PIPE: &str = "| ";

/// A token and what replaces it.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub token: String,
    /// What takes its place.
    pub replacement: String,
    /// What takes its place inside double quotes; `None` for the same.
    pub quoted: Option<String>,
}

/// A template whose tokens are replaced.
#[derive(Debug)]
pub struct Expansion {
    text: String,
    pieces: Vec<Piece>,
    span: Span,
}

/// A stretch of the replaced text.
#[derive(Debug)]
struct Piece {
    /// Where it starts in the replaced text.
    at: usize,
    /// What it came from, in the template.
    source: Span,
    /// Whether it is the template's own text.
    verbatim: bool,
}

impl Expansion {
    /// Replaces the tokens of a template. Where one token starts with another the longer one counts.
    pub fn new(template: &Spanned<String>, tokens: &[Token]) -> Self {
        let mut expansion = Self { text: PIPE.to_string(), pieces: Vec::new(), span: template.span };
        let mut rest = template.node.as_str();
        let mut quoted = false;
        while let Some(first) = rest.chars().next() {
            let at = template.node.len() - rest.len();
            let found = tokens
                .iter()
                .filter(|token| !token.token.is_empty() && rest.starts_with(&token.token))
                .max_by_key(|token| token.token.len());
            let taken = match found {
                Some(token) => {
                    let replacement = token.quoted.as_ref().filter(|_| quoted).unwrap_or(&token.replacement);
                    expansion.push(Span::new(at, at + token.token.len()), replacement, false);
                    token.token.len()
                }
                None => {
                    quoted ^= first == '"';
                    // What a backslash escapes ends no quote.
                    let escaped = if first == '\\' { rest.chars().nth(1).map_or(0, char::len_utf8) } else { 0 };
                    let length = first.len_utf8() + escaped;
                    expansion.push(Span::new(at, at + length), rest.get(..length).unwrap_or_default(), true);
                    length
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        expansion
    }

    /// Text of several origins: where each stretch came from, what it is, and whether it is the user's own text.
    pub fn of_pieces(pieces: &[(Span, String, bool)]) -> Self {
        let start = pieces.iter().map(|(source, ..)| source.start).min().unwrap_or_default();
        let end = pieces.iter().map(|(source, ..)| source.end).max().unwrap_or(start);
        let mut expansion = Self { text: PIPE.to_string(), pieces: Vec::new(), span: Span::new(start, end) };
        for (source, text, verbatim) in pieces {
            expansion.push(Span::new(source.start - start, source.end - start), text, *verbatim);
        }
        expansion
    }

    /// The replaced text, as a command.
    pub fn text(&self) -> &str {
        self.text.strip_prefix(PIPE).unwrap_or(&self.text)
    }

    fn push(&mut self, source: Span, text: &str, verbatim: bool) {
        match self.pieces.last_mut() {
            Some(last) if verbatim && last.verbatim => last.source.end = source.end,
            _ => self.pieces.push(Piece { at: self.text.len(), source, verbatim }),
        }
        self.text.push_str(text);
    }

    /// Parses the replaced text.
    ///
    /// # Errors
    /// What is wrong with it, at its places in the user's text.
    pub fn parse(&self) -> Result<Query, Vec<PlanError>> {
        spl::parse(&self.text).map_err(|found| found.into_iter().map(|d| PlanError::Query(self.placed(d))).collect())
    }

    /// A finding about the replaced text as one about the user's text.
    pub fn placed(&self, diagnostic: Diagnostic) -> Diagnostic {
        Diagnostic { span: self.place(diagnostic.span), ..diagnostic }
    }

    /// Where a place in the replaced text came from.
    pub fn place(&self, span: Span) -> Span {
        let (start, _) = self.origin(span.start);
        let (_, end) = self.origin(span.end.saturating_sub(1).max(span.start));
        Span::new(self.span.start + start, self.span.start + end.max(start))
    }

    /// The start and end of what a byte of the replaced text came from, in the template.
    fn origin(&self, at: usize) -> (usize, usize) {
        match self.pieces.iter().rev().find(|piece| piece.at <= at) {
            None => (0, 0),
            Some(piece) if piece.verbatim => {
                let start = (piece.source.start + (at - piece.at)).min(piece.source.end);
                (start, (start + 1).min(piece.source.end))
            }
            Some(piece) => (piece.source.start, piece.source.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(token: &str, replacement: &str) -> Token {
        Token { token: token.into(), replacement: replacement.into(), quoted: None }
    }

    #[test]
    fn places_lead_back_to_the_template() {
        let template = Spanned::new("eval <<F>>=bar<<S>>+oops(1)".to_string(), Span::new(100, 127));
        let expansion = Expansion::new(&template, &[token("<<F>>", "a_long_name"), token("<<S>>", "X")]);
        assert_eq!(expansion.text, "| eval a_long_name=barX+oops(1)");
        // `oops` stands at 24 there and at 20 in the template.
        assert_eq!(expansion.place(Span::new(24, 28)).range(), 120..124);
        assert_eq!(expansion.place(Span::new(7, 18)).range(), 105..110);
    }

    #[test]
    fn the_longer_token_counts_and_quotes_matter() {
        let template = Spanned::new(r#"eval a=SEG1.SEG."SEG \" SEG""#.to_string(), Span::new(0, 29));
        let seg = Token { token: "SEG".into(), replacement: "s".into(), quoted: Some("q".into()) };
        let expansion = Expansion::new(&template, &[seg, token("SEG1", "one")]);
        assert_eq!(expansion.text, r#"| eval a=one.s."q \" q""#);
    }
}
