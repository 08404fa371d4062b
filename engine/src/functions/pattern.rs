//! Patterns over text: wildcards, regular expressions, SQL's LIKE, search keywords, CIDR blocks.
//!
//! Each pattern is classified once and then runs as the cheapest test that means the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ipnet::IpNet;

/// The steps that a backtracking match may take before it counts as no match.
const BACKTRACK_LIMIT: usize = 100_000;

/// The patterns that the process keeps compiled.
const CACHED_PATTERNS: usize = 4_096;

/// A PCRE pattern: linear-time where that engine takes it, backtracking with a limit where look-around or
/// back-references need it.
#[derive(Debug)]
pub enum Pattern {
    /// The `regex` crate's engine.
    Linear(regex::Regex),
    /// The `fancy-regex` crate's engine.
    Backtracking(Box<fancy_regex::Regex>),
}

/// What the groups of one match hold, first the whole match; `None` for a group that took no part.
pub type Groups<'t> = Vec<Option<&'t str>>;

impl Pattern {
    /// Compiles a pattern, or finds it compiled already.
    ///
    /// # Errors
    /// The engine's explanation.
    pub fn new(pattern: &str) -> Result<Arc<Pattern>, String> {
        static CACHE: LazyLock<Mutex<HashMap<String, Arc<Pattern>>>> = LazyLock::new(Mutex::default);
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cache.get(pattern) {
            return Ok(Arc::clone(known));
        }
        let compiled = Arc::new(Self::compile(pattern)?);
        if cache.len() >= CACHED_PATTERNS {
            cache.clear();
        }
        cache.insert(pattern.to_string(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn compile(pattern: &str) -> Result<Pattern, String> {
        let translated = translate(pattern)?;
        if let Ok(regex) = regex::Regex::new(&translated) {
            return Ok(Pattern::Linear(regex));
        }
        fancy_regex::RegexBuilder::new(&translated)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map(|regex| Pattern::Backtracking(Box::new(regex)))
            .map_err(|error| error.to_string())
    }

    /// Whether the pattern occurs in the text. A match that exceeds the step limit counts as none.
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Pattern::Linear(regex) => regex.is_match(text),
            Pattern::Backtracking(regex) => finished(regex.is_match(text)).unwrap_or(false),
        }
    }

    /// The names of the groups, by number; `None` for the whole match and for groups without a name.
    pub fn names(&self) -> Vec<Option<String>> {
        match self {
            Pattern::Linear(regex) => regex.capture_names().map(|name| name.map(str::to_string)).collect(),
            Pattern::Backtracking(regex) => regex.capture_names().map(|name| name.map(str::to_string)).collect(),
        }
    }

    /// The groups of the first matches, `limit` of them at most (0 for all).
    pub fn captures<'t>(&self, text: &'t str, limit: usize) -> Vec<Groups<'t>> {
        let most = if limit == 0 { usize::MAX } else { limit };
        match self {
            Pattern::Linear(regex) => regex
                .captures_iter(text)
                .take(most)
                .map(|captures| captures.iter().map(|group| group.map(|g| g.as_str())).collect())
                .collect(),
            Pattern::Backtracking(regex) => regex
                .captures_iter(text)
                .take(most)
                .map_while(finished)
                .map(|captures| (0..captures.len()).map(|i| captures.get(i).map(|g| g.as_str())).collect())
                .collect(),
        }
    }

    /// Replaces every match. `\1` in the replacement is the text of group 1.
    pub fn replace_all(&self, text: &str, replacement: &str) -> String {
        self.replace_where(text, &Template::new(replacement), |_| true)
    }

    /// Replaces the matches whose numbers, counted from 1, are chosen.
    pub fn replace_where(&self, text: &str, template: &Template, chosen: impl Fn(usize) -> bool) -> String {
        let mut number: usize = 0;
        match self {
            Pattern::Linear(regex) => regex
                .replace_all(text, |captures: &regex::Captures<'_>| {
                    number = number.saturating_add(1);
                    let group = |group| captures.get(group).map(|g| g.as_str());
                    if chosen(number) { template.fill(group) } else { group(0).unwrap_or_default().to_string() }
                })
                .into_owned(),
            Pattern::Backtracking(regex) => regex
                .try_replacen(text, 0, |captures: &fancy_regex::Captures<'_, str>| {
                    number = number.saturating_add(1);
                    let group = |group| captures.get(group).map(|g| g.as_str());
                    if chosen(number) { template.fill(group) } else { group(0).unwrap_or_default().to_string() }
                })
                .map_or_else(|error| gave_up(&error, text.to_string()), |replaced| replaced.into_owned()),
        }
    }

    /// Where the matches stand, in bytes.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Pattern::Linear(regex) => regex.find_iter(text).map(|found| found.range()).collect(),
            Pattern::Backtracking(regex) => {
                regex.find_iter(text).map_while(finished).map(|found| found.range()).collect()
            }
        }
    }

    /// Where the groups of the first matches stand, in bytes, `limit` matches at most (0 for all); first the whole
    /// match, `None` for a group that took no part.
    pub fn group_places(&self, text: &str, limit: usize) -> Vec<Vec<Option<Range<usize>>>> {
        let most = if limit == 0 { usize::MAX } else { limit };
        match self {
            Pattern::Linear(regex) => regex
                .captures_iter(text)
                .take(most)
                .map(|captures| captures.iter().map(|group| group.map(|g| g.range())).collect())
                .collect(),
            Pattern::Backtracking(regex) => regex
                .captures_iter(text)
                .take(most)
                .map_while(finished)
                .map(|captures| (0..captures.len()).map(|i| captures.get(i).map(|g| g.range())).collect())
                .collect(),
        }
    }
}

/// How many texts a backtracking match gave up on since the process started.
static GIVEN_UP: AtomicU64 = AtomicU64::new(0);

/// How many texts a backtracking match gave up on since the process started; each counted as no match.
pub fn given_up() -> u64 {
    GIVEN_UP.load(Ordering::Relaxed)
}

/// The outcome of a match that came to an end.
fn finished<T>(outcome: Result<T, fancy_regex::Error>) -> Option<T> {
    match outcome {
        Ok(found) => Some(found),
        Err(error) => gave_up(&error, None),
    }
}

/// Counts a match that did not come to an end.
fn gave_up<T>(_: &fancy_regex::Error, instead: T) -> T {
    GIVEN_UP.fetch_add(1, Ordering::Relaxed);
    instead
}

/// A replacement text with references to groups.
#[derive(Debug)]
pub struct Template {
    parts: Vec<(String, Option<usize>)>,
}

impl Template {
    /// Reads a replacement text: `\1` is the text of group 1, `\\` a backslash.
    pub fn new(replacement: &str) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut letters = replacement.chars().peekable();
        while let Some(letter) = letters.next() {
            match (letter, letters.peek().copied()) {
                ('\\', Some(digit)) if digit.is_ascii_digit() => {
                    letters.next();
                    parts.push((std::mem::take(&mut text), digit.to_digit(10).map(|d| d as usize)));
                }
                ('\\', Some('\\')) => {
                    letters.next();
                    text.push('\\');
                }
                _ => text.push(letter),
            }
        }
        parts.push((text, None));
        Self { parts }
    }

    fn fill<'t>(&self, group: impl Fn(usize) -> Option<&'t str>) -> String {
        let mut filled = String::new();
        for (text, reference) in &self.parts {
            filled.push_str(text);
            if let Some(found) = reference.and_then(&group) {
                filled.push_str(found);
            }
        }
        filled
    }
}

/// Rewrites what PCRE and the Rust engines read differently: a literal `[`, `&&`, `~~` or `--` inside a class, and
/// some escapes.
///
/// # Errors
/// Constructs that the Rust engines would silently read as something else.
fn translate(pattern: &str) -> Result<String, String> {
    if pattern.contains("(?R)") || pattern.contains("(?0)") {
        return Err("recursion `(?R)` is not supported".into());
    }
    let mut translated = String::with_capacity(pattern.len() + 8);
    let mut letters = pattern.chars().peekable();
    let mut class = false;
    let mut class_start = false;
    while let Some(letter) = letters.next() {
        let first = std::mem::replace(&mut class_start, false);
        match letter {
            '\\' => match letters.next() {
                // An escaped mark is itself in PCRE; the Rust engines read these two as borders of words.
                Some(mark @ ('<' | '>')) => translated.push(mark),
                // One takes it for a hexadecimal digit, the other for nothing that it knows.
                Some('h') => translated.push_str(if class { "\\t " } else { "[\\t ]" }),
                Some('H') if !class => translated.push_str("[^\\t ]"),
                Some('v') => translated.push_str(if class { "\\n\\x0B\\f\\r" } else { "[\\n\\x0B\\f\\r]" }),
                escaped => {
                    translated.push('\\');
                    translated.extend(escaped);
                }
            },
            '[' if !class => {
                class = true;
                class_start = true;
                translated.push('[');
                if letters.peek() == Some(&'^') {
                    letters.next();
                    translated.push('^');
                }
            }
            '[' if matches!(letters.peek(), Some(':')) => translated.push('['),
            '[' => translated.push_str("\\["),
            ']' if class && first => translated.push_str("\\]"),
            // The end of a POSIX class such as `[:alpha:]` inside a class.
            ']' if class && translated.ends_with(':') && posix_open(&translated) => translated.push(']'),
            ']' if class => {
                class = false;
                translated.push(']');
            }
            '&' | '~' if class && letters.peek() == Some(&letter) => {
                translated.push('\\');
                translated.push(letter);
            }
            '-' if class && letters.peek() == Some(&'-') => translated.push_str("\\-"),
            _ => translated.push(letter),
        }
    }
    Ok(translated)
}

fn posix_open(text: &str) -> bool {
    text.rfind("[:").is_some_and(|start| text.get(start + 2..).is_some_and(|name| !name.contains(']')))
}

/// SQL's LIKE: `%` any run, `_` one character, the whole text, letter case counts.
///
/// # Errors
/// The regex engine's explanation for a pattern too large for it.
pub fn like(pattern: &str) -> Result<regex::Regex, String> {
    let mut body = String::from("(?s)^");
    for letter in pattern.chars() {
        match letter {
            '%' => body.push_str(".*"),
            '_' => body.push('.'),
            other => body.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    body.push('$');
    regex::Regex::new(&body).map_err(|error| error.to_string())
}

/// The characters that always end an index term.
const MAJOR: &str = r#"\[\]<>(){}|!;,'"*\n\r\s\t&?+"#;
/// The characters that end a part of an index term.
const MINOR: &str = r"/:=@.\-$#%\\_";

/// Whether a character always ends a term.
pub fn is_major_breaker(letter: char) -> bool {
    matches!(
        letter,
        '[' | ']'
            | '<'
            | '>'
            | '('
            | ')'
            | '{'
            | '}'
            | '|'
            | '!'
            | ';'
            | ','
            | '\''
            | '"'
            | '*'
            | '\n'
            | '\r'
            | ' '
            | '\t'
            | '&'
            | '?'
            | '+'
    )
}

/// How long a keyword may be. Longer ones are too large for the regex engine, which takes long to find that out.
const MOST_KEYWORD: usize = 1 << 15;

/// A keyword or phrase as `search` looks for it in the event's text: whole terms, `*` stands for part of a
/// term.
///
/// Source: Splunk Search Manual, "Event segmentation"; the breakers are those of `segmenters.conf`.
///
/// # Errors
/// The regex engine's explanation for a pattern too large for it.
pub fn keyword(text: &str, case: bool, term: bool) -> Result<regex::Regex, String> {
    if text.len() > MOST_KEYWORD {
        return Err(format!("a word to look for has {} bytes; the most is {MOST_KEYWORD}", text.len()));
    }
    let breakers = if term { MAJOR.to_string() } else { format!("{MAJOR}{MINOR}") };
    let is_term_letter = |letter: Option<char>| {
        letter.is_some_and(|l| {
            l.is_alphanumeric() || (term && !l.is_whitespace()) || !(l.is_ascii_punctuation() || l.is_whitespace())
        })
    };
    let pieces: Vec<String> = text.split('*').map(regex::escape).collect();
    let body = pieces.join(&format!("[^{MAJOR}]*"));
    let start = if is_term_letter(text.chars().next()) && !text.starts_with('*') {
        format!("(?:^|[{breakers}])")
    } else {
        String::new()
    };
    let end = if is_term_letter(text.chars().next_back()) && !text.ends_with('*') {
        format!("(?:$|[{breakers}])")
    } else {
        String::new()
    };
    let flags = if case { "(?s)" } else { "(?si)" };
    regex::Regex::new(&format!("{flags}{start}{body}{end}")).map_err(|error| error.to_string())
}

/// A CIDR block, if the text is one (`10.0.0.0/8`, `2001:db8::/32`). Host bits may be set.
pub fn cidr(text: &str) -> Option<IpNet> {
    if !text.contains('/') {
        return None;
    }
    text.trim().parse::<IpNet>().ok().map(|net| net.trunc())
}

/// Whether an address lies in the block.
pub fn in_cidr(net: &IpNet, address: &str) -> bool {
    address.trim().parse::<IpAddr>().is_ok_and(|address| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_terms() {
        for (text, raw, expected) in [
            ("fail", "login failed", false),
            ("fail*", "login failed", true),
            ("fail", "login:FAIL.", true),
            ("web error", "the web error page", true),
            ("10.0.0.6", "src=10.0.0.6 port", true),
            ("error | stats", "error | stats count", true),
        ] {
            assert_eq!(keyword(text, false, false).unwrap().is_match(raw), expected, "{text} in {raw}");
        }
        assert!(keyword("10.0.0.6", false, true).unwrap().is_match("from 10.0.0.6 port"));
        assert!(!keyword("10.0.0.6", false, true).unwrap().is_match("src=10.0.0.6 port"));
        assert!(!keyword("10.0.0.6", false, true).unwrap().is_match("from 10.0.0.61 port"));
    }

    #[test]
    fn pcre_constructs_keep_their_meaning() {
        for (pattern, text, expected) in [
            (r"[[]a[]]", "[a]", true),
            (r"[]a]+b", "]ab", true),
            (r"[a&&b]", "&", true),
            (r"[[:digit:]]+x", "12x", true),
            (r"[^[:digit:]]", "x", true),
            (r"(?<=a)b", "ab", true),
            (r"(?i)dcom", "DCOM", true),
            (r"a++b", "aab", true),
            (r"\<Data Name\='x'\>(\d+)\<\/Data\>", "<Data Name='x'>1</Data>", true),
            (r"a\h+b[\h]c", "a\t b c", true),
            (r"a\hb", "afb", false),
            (r"a\Hb", "a b", false),
            (r"a\vb", "a\nb", true),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().is_match(text), expected, "{pattern} {text}");
        }
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new("a(?R)b").is_err());
    }

    #[test]
    fn a_runaway_match_is_no_match() {
        let pattern = Pattern::new(r"^((?=a)a|a)*c").unwrap();
        let before = given_up();
        assert!(!pattern.is_match(&format!("{}b", "a".repeat(64))));
        assert!(given_up() > before);
    }

    #[test]
    fn replacements_refer_to_groups() {
        let pattern = Pattern::new(r"^(\d{1,2})/(\d{1,2})/").unwrap();
        assert_eq!(pattern.replace_all("1/14/2023", r"\2/\1/"), "14/1/2023");
    }
}
