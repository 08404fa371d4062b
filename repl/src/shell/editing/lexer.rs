//! The words of a search that is being typed. Nothing is an error here: what is open at the end is a token too.

use spelunk_engine::Language;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Blank,
    Comment,
    Pipe,
    /// `(`, `[` or `{`.
    Open,
    /// `)`, `]` or `}`.
    Close,
    Comma,
    Operator,
    Word,
    /// `"..."`, in LogScale also a pattern between slashes.
    Text,
    /// A field in single quotes.
    Field,
    /// `` `name(arguments)` ``
    Macro,
}

/// A piece of the text. The pieces of a text put together are the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Whether what it opens is closed, too.
    pub closed: bool,
}

impl<'t> Token<'t> {
    /// Where it ends.
    pub fn end(&self) -> usize {
        self.start.saturating_add(self.text.len())
    }

    /// Whether it is that word, in any letter case.
    pub fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it may stand for a name: a word, or something in quotes.
    pub fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Text | Kind::Field)
    }

    /// The name without its quotes.
    pub fn name(&self) -> &'t str {
        let quote = match self.kind {
            Kind::Text => '"',
            Kind::Field => '\'',
            _ => return self.text,
        };
        let inside = self.text.strip_prefix(quote).unwrap_or(self.text);
        if self.closed { inside.strip_suffix(quote).unwrap_or(inside) } else { inside }
    }
}

/// The tokens of a text.
pub fn tokens(text: &str, language: Language) -> Vec<Token<'_>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        logscale: language == Language::LogScale,
        scopes: vec![Scope::default()],
        tokens: Vec::new(),
    };
    while lexer.next() {}
    lexer.tokens
}

/// How words are cut between two brackets.
#[derive(Debug, Clone, Copy, Default)]
struct Scope {
    /// `+`, `-` and `*` are operators here.
    expression: bool,
    /// The next word is a command.
    command: bool,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    logscale: bool,
    scopes: Vec<Scope>,
    tokens: Vec<Token<'t>>,
}

/// The commands whose arguments are expressions.
const EXPRESSIONS: [&str; 3] = ["eval", "where", "fieldformat"];

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn scope(&self) -> Scope {
        self.scopes.last().copied().unwrap_or_default()
    }

    fn set(&mut self, scope: Scope) {
        match self.scopes.last_mut() {
            Some(last) => *last = scope,
            None => self.scopes.push(scope),
        }
    }

    fn push(&mut self, kind: Kind, length: usize, closed: bool) {
        let start = self.at;
        let text = self.rest().get(..length).unwrap_or_else(|| self.rest());
        self.at = start.saturating_add(text.len());
        self.tokens.push(Token { kind, text, start, closed });
    }

    /// The last token that says something.
    fn last(&self) -> Option<&Token<'t>> {
        self.tokens.iter().rev().find(|token| !matches!(token.kind, Kind::Blank | Kind::Comment))
    }

    fn next(&mut self) -> bool {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return false };
        match first {
            _ if first.is_whitespace() => self.push(Kind::Blank, until(rest, |c| !c.is_whitespace()), true),
            '`' if !self.logscale => self.backtick(rest),
            '/' if self.logscale && rest.starts_with("//") && !self.in_word() => {
                self.push(Kind::Comment, until(rest, |c| c == '\n'), true)
            }
            '/' if self.logscale && rest.starts_with("/*") => {
                let end = rest.find("*/").and_then(|end| end.checked_add(2));
                self.push(Kind::Comment, end.unwrap_or(rest.len()), end.is_some());
            }
            '/' if self.logscale && self.pattern_may_begin() => self.pattern(rest),
            '"' => {
                let end = closing(rest, '"');
                self.push(Kind::Text, end.unwrap_or(rest.len()), end.is_some());
            }
            '\'' if self.scope().expression && !self.logscale => {
                let end = closing(rest, '\'');
                self.push(Kind::Field, end.unwrap_or(rest.len()), end.is_some());
            }
            '|' => {
                self.push(Kind::Pipe, 1, true);
                self.set(Scope { expression: self.logscale, command: true });
            }
            '(' | '[' | '{' if first != '{' || self.logscale => self.open(first),
            ')' | ']' | '}' if first != '}' || self.logscale => {
                self.push(Kind::Close, 1, true);
                if self.scopes.len() > 1 {
                    self.scopes.pop();
                }
            }
            ',' => self.push(Kind::Comma, 1, true),
            ';' if self.logscale => {
                self.push(Kind::Pipe, 1, true);
                self.set(Scope { expression: true, command: true });
            }
            _ if is_comparison(first) || (first == ':' && rest.starts_with(":=")) => {
                self.push(Kind::Operator, until(rest, |c| !is_comparison(c) && c != ':'), true);
            }
            '+' | '-' | '*' | '/' | '%' | '.' if self.is_sign(first) => {
                self.push(Kind::Operator, first.len_utf8(), true)
            }
            _ => self.word(rest),
        }
        true
    }

    /// Whether what comes next belongs to a word, as the slashes of an address do.
    fn in_word(&self) -> bool {
        self.tokens.last().is_some_and(|last| last.kind == Kind::Word && last.text.ends_with(':'))
    }

    /// Whether `+` and its like stand between values here.
    fn is_sign(&self, sign: char) -> bool {
        let expression = self.scope().expression;
        match self.logscale {
            false => expression,
            true if sign == '.' => false,
            // `*` at the begin of a value is a wildcard.
            true => sign != '*' || self.last().is_some_and(|last| last.kind == Kind::Close),
        }
    }

    /// Whether a slash opens a pattern: where a value or a filter may stand.
    fn pattern_may_begin(&self) -> bool {
        match self.last() {
            None => true,
            Some(last) => match last.kind {
                Kind::Pipe | Kind::Open | Kind::Comma | Kind::Operator => true,
                Kind::Word => ["and", "or", "not"].iter().any(|word| last.is(word)),
                _ => false,
            },
        }
    }

    fn pattern(&mut self, rest: &str) {
        let line = rest.get(..until(rest, |c| c == '\n')).unwrap_or(rest);
        match closing(line, '/') {
            Some(end) => {
                let flags = line.get(end..).unwrap_or_default();
                let flags = until(flags, |c| !c.is_ascii_alphabetic());
                self.push(Kind::Text, end.saturating_add(flags), true);
            }
            None => self.push(Kind::Operator, 1, true),
        }
    }

    /// Three open and close a comment, one a macro.
    fn backtick(&mut self, rest: &str) {
        if let Some(inside) = rest.strip_prefix("```") {
            let end = inside.find("```").and_then(|end| end.checked_add(6));
            self.push(Kind::Comment, end.unwrap_or(rest.len()), end.is_some());
            return;
        }
        let end = rest.get(1..).and_then(|inside| inside.find('`')).and_then(|end| end.checked_add(2));
        self.push(Kind::Macro, end.unwrap_or(rest.len()), end.is_some());
        let scope = self.scope();
        self.set(Scope { command: false, ..scope });
    }

    fn open(&mut self, bracket: char) {
        let scope = match bracket {
            '(' => {
                let of_eval = self.tokens.last().is_some_and(|last| last.is("eval"));
                Scope { expression: of_eval || self.scope().expression, command: false }
            }
            _ => Scope { expression: self.logscale, command: !self.logscale || bracket == '{' },
        };
        self.push(Kind::Open, 1, true);
        self.scopes.push(scope);
    }

    fn word(&mut self, rest: &str) {
        let scope = self.scope();
        let ends = |c: char| {
            c.is_whitespace()
                || is_comparison(c)
                || matches!(c, '|' | '(' | ')' | '[' | ']' | ',' | '"' | '`')
                || match self.logscale {
                    true => matches!(c, '{' | '}' | ';' | '+' | '/' | '%'),
                    false => scope.expression && matches!(c, '+' | '-' | '*' | '/' | '%' | '\''),
                }
        };
        let mut length = until(rest, ends);
        let assigned = |word: &str| word.ends_with(':') && rest.get(length..).is_some_and(|rest| rest.starts_with('='));
        if self.logscale && rest.get(..length).is_some_and(assigned) {
            length = length.saturating_sub(1);
        }
        // A character that stands alone for something else is no reason to stay in place.
        let length = length.max(rest.chars().next().map_or(1, char::len_utf8));
        self.push(Kind::Word, length, true);
        if scope.command && !self.logscale {
            let expression = self.tokens.last().is_some_and(|word| EXPRESSIONS.iter().any(|name| word.is(name)));
            self.set(Scope { expression, command: false });
        }
    }
}

fn is_comparison(c: char) -> bool {
    matches!(c, '=' | '!' | '<' | '>')
}

/// How many bytes come before the first such character.
fn until(text: &str, ends: impl Fn(char) -> bool) -> usize {
    text.find(ends).unwrap_or(text.len())
}

/// Where a quoted text ends that begins at the begin, its closing quote included.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let mut characters = text.char_indices();
    characters.next();
    for (at, c) in characters {
        if c == quote && !escaped {
            return at.checked_add(c.len_utf8());
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, language: Language) -> String {
        let shown = |token: &Token<'_>| match token.kind {
            Kind::Blank => " ".to_owned(),
            kind => format!("{}{kind:?}:{}", if token.closed { "" } else { "?" }, token.text),
        };
        tokens(text, language).iter().map(shown).collect()
    }

    #[test]
    fn spl() {
        insta::assert_snapshot!(shown("a=\"b|\\\"\" x-y* | eval 'c d'=e-\"f", Language::Spl), @r#"Word:aOperator:=Text:"b|\"" Word:x-y* Pipe:| Word:eval Field:'c d'Operator:=Word:eOperator:-?Text:"f"#);
        insta::assert_snapshot!(shown("don't ```c``` `m(1)` [search `n", Language::Spl), @"Word:don't Comment:```c``` Macro:`m(1)` Open:[Word:search ?Macro:`n");
        insta::assert_snapshot!(shown("|stats sum(eval(a*2)) as -b", Language::Spl), @"Pipe:|Word:stats Word:sumOpen:(Word:evalOpen:(Word:aOperator:*Word:2Close:)Close:) Word:as Word:-b");
    }

    #[test]
    fn logscale() {
        insta::assert_snapshot!(shown("a=/x|y/i | b:=c*2 // d | e", Language::LogScale), @"Word:aOperator:=Text:/x|y/i Pipe:| Word:bOperator::=Word:c*2 Comment:// d | e");
        insta::assert_snapshot!(shown("case {a=1; *} | groupBy([b", Language::LogScale), @"Word:case Open:{Word:aOperator:=Word:1Pipe:; Word:*Close:} Pipe:| Word:groupByOpen:(Open:[Word:b");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in any::<String>(), logscale in any::<bool>()) {
            let language = if logscale { Language::LogScale } else { Language::Spl };
            let tokens = tokens(&text, language);
            let mut at = 0;
            for token in &tokens {
                prop_assert_eq!(token.start, at);
                prop_assert!(!token.text.is_empty());
                at = token.end();
            }
            prop_assert_eq!(at, text.len());
        }

        #[test]
        fn nothing_is_lost_of_what_looks_like_a_search(text in "[a-c|=\"'`(\\[{}\\]),;/*\\\\ \n-]{0,40}") {
            for language in [Language::Spl, Language::LogScale] {
                let joined: String = tokens(&text, language).iter().map(|token| token.text).collect();
                prop_assert_eq!(&joined, &text);
            }
        }
    }
}
