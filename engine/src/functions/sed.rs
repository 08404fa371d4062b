//! The scripts of `rex mode=sed`: `s/pattern/replacement/flags` and `y/characters/others/`.
//!
//! Source: Splunk Search Reference, "rex"; what it leaves open is as in POSIX `sed`, with PCRE patterns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::common::exec_datafusion_err;
use datafusion::logical_expr::{Expr, ScalarUDF};

use super::mapping::{self, TextMap};
use super::pattern::{Pattern, Template};

/// `spl_sed(column, script)`: each text as the script edits it.
static SED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    TextMap::udf("spl_sed", |parameters| {
        let script = parameters.first().copied().unwrap_or_default();
        let script = Script::parse(script).map_err(|reason| exec_datafusion_err!("{reason}"))?;
        Ok(mapping::of(move |text| Some(Cow::Owned(script.edit(text)))))
    })
});

/// The functions of this file.
pub fn udfs() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::clone(&SED)]
}

/// Each text of a column as the script edits it.
pub fn sed(column: Expr, script: &str) -> Expr {
    mapping::call(&SED, column, [script.to_string()])
}

/// A script: one edit after the other.
#[derive(Debug)]
pub struct Script(Vec<Edit>);

#[derive(Debug)]
enum Edit {
    /// Replaces the match of that number, or all from there on.
    Substitute { pattern: Arc<Pattern>, replacement: Template, first: usize, all: bool },
    /// Replaces characters one by one.
    Transliterate(HashMap<char, char>),
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// A phrase that says what is wrong with it.
    pub fn parse(script: &str) -> Result<Script, String> {
        let mut edits = Vec::new();
        let mut rest = script.trim_start();
        while let Some(command) = rest.chars().next() {
            let after = rest.get(command.len_utf8()..).unwrap_or_default();
            let (edit, left) = match command {
                's' => substitute(after)?,
                'y' => transliterate(after)?,
                other => return Err(format!("a sed script has the commands `s` and `y`, not `{other}`")),
            };
            edits.push(edit);
            rest = left.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
        }
        if edits.is_empty() { Err("the sed script is empty".into()) } else { Ok(Script(edits)) }
    }

    /// The text after all edits.
    pub fn edit(&self, text: &str) -> String {
        let mut edited = text.to_string();
        for edit in &self.0 {
            edited = match edit {
                Edit::Substitute { pattern, replacement, first, all } => {
                    pattern.replace_where(&edited, replacement, |n| n == *first || (*all && n > *first))
                }
                Edit::Transliterate(others) => {
                    edited.chars().map(|letter| others.get(&letter).copied().unwrap_or(letter)).collect()
                }
            };
        }
        edited
    }
}

fn substitute(text: &str) -> Result<(Edit, &str), String> {
    let (delimiter, text) = delimiter(text, 's')?;
    let (pattern, text) = section(text, delimiter, true).ok_or_else(|| unfinished('s', delimiter))?;
    let (replacement, text) = section(text, delimiter, false).ok_or_else(|| unfinished('s', delimiter))?;
    let (mut all, mut number) = (false, String::new());
    let mut rest = text;
    while let Some(flag) = rest.chars().next().filter(|flag| !flag.is_whitespace() && *flag != ';') {
        match flag {
            'g' => all = true,
            digit if digit.is_ascii_digit() => number.push(digit),
            other => return Err(format!("the sed command `s` takes the flag g or a number, not `{other}`")),
        }
        rest = rest.get(flag.len_utf8()..).unwrap_or_default();
    }
    let first = match number.as_str() {
        "" => 1,
        digits => digits.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("there is no match number {digits}"))?,
    };
    let pattern = Pattern::new(&pattern)?;
    Ok((Edit::Substitute { pattern, replacement: Template::new(&control_characters(&replacement)), first, all }, rest))
}

fn transliterate(text: &str) -> Result<(Edit, &str), String> {
    let (delimiter, text) = delimiter(text, 'y')?;
    let (from, text) = section(text, delimiter, false).ok_or_else(|| unfinished('y', delimiter))?;
    let (to, text) = section(text, delimiter, false).ok_or_else(|| unfinished('y', delimiter))?;
    let plain = |text: String| control_characters(&text).replace("\\\\", "\\");
    let (from, to) = (plain(from), plain(to));
    if from.chars().count() != to.chars().count() {
        return Err("the sed command `y` needs as many characters on both sides".into());
    }
    let mut others = HashMap::new();
    for (letter, other) in from.chars().zip(to.chars()) {
        others.entry(letter).or_insert(other);
    }
    Ok((Edit::Transliterate(others), text))
}

/// The character that separates the sections of a command.
fn delimiter(text: &str, command: char) -> Result<(char, &str), String> {
    match text.chars().next() {
        Some(letter) if !letter.is_alphanumeric() && !letter.is_whitespace() && letter != '\\' => {
            Ok((letter, text.get(letter.len_utf8()..).unwrap_or_default()))
        }
        _ => Err(format!("the sed command `{command}` needs a delimiter, such as `{command}/a/b/`")),
    }
}

fn unfinished(command: char, delimiter: char) -> String {
    format!("the sed command `{command}` needs three `{delimiter}`")
}

/// The text up to the next delimiter, and what follows it. A delimiter after a backslash is part of the text; in
/// a pattern it stands for itself.
fn section(text: &str, delimiter: char, pattern: bool) -> Option<(String, &str)> {
    let mut read = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == delimiter {
            return Some((read, text.get(at.checked_add(letter.len_utf8())?..)?));
        }
        if letter != '\\' {
            read.push(letter);
            continue;
        }
        match letters.next() {
            Some((_, next)) if next == delimiter => match pattern {
                true => read.push_str(&regex::escape(next.encode_utf8(&mut [0; 4]))),
                false => read.push(next),
            },
            Some((_, next)) => read.extend(['\\', next]),
            None => read.push('\\'),
        }
    }
    None
}

/// `\n`, `\r` and `\t` in a replacement as the characters that they mean.
fn control_characters(replacement: &str) -> String {
    let mut text = String::with_capacity(replacement.len());
    let mut letters = replacement.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(other) => text.extend(['\\', other]),
            None => text.push('\\'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(script: &str, text: &str) -> String {
        match Script::parse(script) {
            Ok(script) => script.edit(text),
            Err(reason) => format!("error: {reason}"),
        }
    }

    #[test]
    fn scripts_edit_as_sed_does() {
        for (script, text, expected) in [
            ("s/-/+/", "a-b-c", "a+b-c"),
            ("s/-/+/g", "a-b-c", "a+b+c"),
            ("s/-/+/2", "a-b-c-d", "a-b+c-d"),
            ("s/-/+/2g", "a-b-c-d", "a-b+c+d"),
            ("s/-/+/9", "a-b", "a-b"),
            (r"s/(\w+), (\w+)/\2 \1/", "Lovelace, Ada", "Ada Lovelace"),
            (r"s/^https?:\/\///", "http://x/", "x/"),
            ("s#/#|#g", "a/b/c", "a|b|c"),
            (r"s|a\|b|x|", "a|b", "x"),
            (r"s/,/\n/g", "a,b", "a\nb"),
            (r"s/a/\\n/", "a", r"\n"),
            ("s/a/b/g s/b/c/", "ab", "cb"),
            ("s/a/b/; y/b/d/", "a", "d"),
            ("y/abc/xyz/", "aabbcc", "xxyyzz"),
            (r"y/\//-/", "a/b", "a-b"),
            (r"s/(?<=x)a/b/2", "xaxaxa", "xaxbxa"),
            ("s/x*/-/g", "ab", "-a-b-"),
            ("s/é/e/g", "été", "ete"),
        ] {
            assert_eq!(edited(script, text), expected, "{script}");
        }
    }

    #[test]
    fn what_is_no_script_is_named() {
        for (script, reason) in [
            ("", "empty"),
            ("p", "not `p`"),
            ("s/a/b", "three `/`"),
            ("s", "needs a delimiter"),
            ("s/a/b/x", "not `x`"),
            ("s/a/b/0", "no match number 0"),
            ("s/(/b/", "parenthesis"),
            ("y/ab/c/", "as many characters"),
        ] {
            let found = edited(script, "");
            assert!(found.starts_with("error: ") && found.contains(reason), "{script}: {found}");
        }
    }
}
