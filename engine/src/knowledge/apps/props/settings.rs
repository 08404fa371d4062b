//! What settings of `props.conf` say.

use std::collections::BTreeSet;

use spelunk_grammar::spl;
use spelunk_grammar::spl::commands::CommandKind;
use spelunk_grammar::spl::expression::Expression;

use super::super::transform::{self, Extraction, Taken, USUAL_PAIRS};
use super::{Action, FieldLookup, Lazy, Phase};
use crate::functions::pattern::Pattern;
use crate::knowledge::conf::{Conf, Stanza};

/// Reads settings.
pub(super) struct Reader<'r> {
    pub(super) transforms: &'r Conf,
    /// Those that Splunk brings along.
    pub(super) usual: &'r Conf,
    pub(super) problems: &'r mut Vec<String>,
    pub(super) ignored: &'r mut usize,
    pub(super) renamed: Option<String>,
    pub(super) own: bool,
}

impl Reader<'_> {
    /// What a setting does, when, and the name by which it replaces that of another stanza; `None` if it is about
    /// something else than fields.
    pub(super) fn action(
        &mut self,
        stanza: &Stanza<'_>,
        key: &str,
        value: &str,
    ) -> Result<Option<(Phase, String, Action)>, String> {
        let starts = |prefix: &str| {
            let head = key.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
            head.and_then(|_| key.get(prefix.len()..)).map(|class| class.trim_start_matches(['-', '_', ' ']).to_owned())
        };
        if let Some(class) = key.strip_prefix("EXTRACT-") {
            return Ok(Some((Phase::Extract, class.trim().to_owned(), Action::Extract(vec![extract(value)?]))));
        }
        if let Some(class) = key.strip_prefix("REPORT-") {
            let mut found = Vec::new();
            for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                let given = self.transforms.stanzas().any(|stanza| stanza.name.trim() == name);
                let known = self.usual.stanzas().any(|stanza| stanza.name.trim() == name);
                let conf = if !given && known { self.usual } else { self.transforms };
                match transform::extraction(conf, name) {
                    Ok(extraction) => found.extend(extraction),
                    Err(reason) => self.problems.push(format!("{}: [{}] {key}: {reason}", stanza.place, stanza.name)),
                }
            }
            return Ok((!found.is_empty()).then(|| (Phase::Report, class.trim().to_owned(), Action::Extract(found))));
        }
        if key == "KV_MODE" {
            let pairs = |pattern: &str| Extraction::Pairs {
                source: "_raw".into(),
                pattern: pattern.into(),
                groups: ("1".into(), "2".into()),
                several: false,
            };
            let extraction = match value.to_ascii_lowercase().as_str() {
                "none" => return Ok(None),
                "auto" | "auto_escaped" => pairs(USUAL_PAIRS),
                "json" | "xml" => Extraction::Document,
                other => return Err(format!("the mode {other:?} is not supported")),
            };
            return Ok(Some((Phase::KeyValue, String::new(), Action::Extract(vec![extraction]))));
        }
        if let Some(class) = starts("FIELDALIAS") {
            return Ok(Some((Phase::Alias, class, Action::Alias(aliases(value)?))));
        }
        if let Some(field) = starts("EVAL-") {
            let expression = Lazy::new(value);
            if !self.own {
                // Spelunk's own expressions are known to be right, by its tests.
                expression.get().map_err(str::to_owned)?;
            }
            return Ok(Some((Phase::Eval, field.clone(), Action::Eval(field, expression))));
        }
        if let Some(class) = starts("LOOKUP") {
            return Ok(Some((Phase::Lookup, class, Action::Lookup(lookup(value)?))));
        }
        match key {
            "rename" => self.renamed = Some(value.to_owned()),
            "priority" => {}
            _ => *self.ignored = self.ignored.saturating_add(1),
        }
        Ok(None)
    }
}

/// An eval expression.
///
/// # Errors
/// Why it is none.
pub fn expression(text: &str) -> Result<Expression, String> {
    // The line breaks keep a backslash at the end from reaching further.
    let query = spl::parse(&format!("| makeresults | eval value=\n{text}\n"))
        .map_err(|findings| findings.into_iter().next().map_or_else(String::new, |finding| finding.message))?;
    let mut commands = query.commands.into_iter().skip(1);
    match (commands.next().map(|command| command.kind), commands.next()) {
        (Some(CommandKind::Eval(eval)), None) if eval.assignments.len() == 1 => {
            eval.assignments.into_iter().next().map(|assignment| assignment.value).ok_or_else(String::new)
        }
        _ => Err("it is no single expression".to_owned()),
    }
}

/// `REGEX [in FIELD]`
fn extract(value: &str) -> Result<Extraction, String> {
    let (regex, source) = match value.rsplit_once(" in ") {
        Some((regex, field)) if field.trim().chars().all(|letter| letter.is_alphanumeric() || letter == '_') => {
            (regex.trim_end(), field.trim())
        }
        _ => (value, "_raw"),
    };
    let pattern = format!("(?ms){regex}");
    let names = Pattern::new(&pattern)?.names();
    let fields: BTreeSet<String> = names.into_iter().flatten().collect();
    if fields.is_empty() {
        return Err("its pattern names no group".to_owned());
    }
    let fields = fields.into_iter().map(|name| (name.clone(), Taken::Group(name))).collect();
    Ok(Extraction::Groups { source: source.to_owned(), pattern, fields, several: false })
}

/// Words, with quotes around those that hold blanks; commas separate too.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, letter) if letter.is_whitespace() || letter == ',' => words.push(std::mem::take(&mut word)),
            (_, letter) => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// `a AS b c ASNEW d`
fn aliases(value: &str) -> Result<Vec<(String, String, bool)>, String> {
    let words = words(value);
    let mut found = Vec::new();
    for triple in words.chunks(3) {
        let [from, by, to] = triple else { return Err("expected `field AS name`".to_owned()) };
        let only_new = by.eq_ignore_ascii_case("asnew");
        if !only_new && !by.eq_ignore_ascii_case("as") {
            return Err(format!("expected AS, found {by:?}"));
        }
        found.push((from.clone(), to.clone(), only_new));
    }
    Ok(found)
}

/// `table column AS field ... OUTPUT column AS field ...`
fn lookup(value: &str) -> Result<FieldLookup, String> {
    let words = words(value);
    let Some((table, rest)) = words.split_first() else { return Err("it names no lookup".to_owned()) };
    let output = |word: &String| word.eq_ignore_ascii_case("output") || word.eq_ignore_ascii_case("outputnew");
    let at = rest.iter().position(output);
    let (keys, outputs) = rest.split_at(at.unwrap_or(rest.len()));
    let only_new = outputs.first().is_some_and(|word| word.eq_ignore_ascii_case("outputnew"));
    let found = FieldLookup {
        table: table.clone(),
        keys: pairs(keys)?,
        outputs: pairs(outputs.get(1..).unwrap_or_default())?,
        only_new,
    };
    if found.keys.is_empty() { Err("it names no field to look up".to_owned()) } else { Ok(found) }
}

/// `a AS b c` as (a, b) and (c, c).
fn pairs(words: &[String]) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(column) = words.next() {
        let named = words.next_if(|word| word.eq_ignore_ascii_case("as")).is_some();
        let field = match named {
            true => words.next().ok_or_else(|| format!("{column} AS names no field"))?,
            false => column,
        };
        found.push((column.clone(), field.clone()));
    }
    Ok(found)
}
