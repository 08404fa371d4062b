//! Replaces macro calls by what they stand for, and finds the way back from the result to the user's text.

use std::ops::Range;

use spelunk_grammar::spl::macros::{Call, calls};
use spelunk_grammar::spl::{self, MAX_LENGTH, Query};
use spelunk_grammar::{Code, Diagnostic, Severity, Span};

use super::evaluate::{Evaluator, Value};
use super::macros::{Definition, Macros, counted};
use crate::plan::{Clock, suggest};

/// How deep macros may call macros.
const MAX_DEPTH: usize = 100;

/// How many calls one search may come to.
const MAX_CALLS: usize = 10_000;

/// How many characters of an expansion a diagnostic shows.
const SHOWN: usize = 80;

/// A search whose macros are replaced.
#[derive(Debug, Clone, Default)]
pub struct Expanded {
    /// The search to parse.
    pub text: String,
    splices: Vec<Splice>,
    errors: Vec<Diagnostic>,
    notes: Vec<Diagnostic>,
}

/// A call that was replaced.
#[derive(Debug, Clone)]
struct Splice {
    name: String,
    /// Where the call stands in the user's text.
    call: Range<usize>,
    /// Where what it stands for stands in the expanded text.
    result: Range<usize>,
}

impl Macros {
    /// Replaces the macro calls of a search. What cannot be replaced stays, and [`Expanded::parse`] says why.
    pub fn expand(&self, text: &str, clock: &Clock) -> Expanded {
        let mut expanded = Expanded::default();
        let mut expander = Expander {
            macros: self,
            evaluator: Evaluator::new(clock),
            chain: Vec::new(),
            kept: None,
            calls: 0,
            produced: 0,
        };
        let mut from = 0;
        for call in calls(text) {
            let replaced = call.and_then(|call| {
                expander.chain.clear();
                let result = expander.call(&call).map_err(|error| error.at(&call))?;
                if let Some(name) = expander.kept.take() {
                    let message = format!("the macro `{name}` is not defined: it keeps every row");
                    expanded.notes.push(Diagnostic::note(Code::Note, message, call.span));
                }
                Ok((call, result))
            });
            match replaced {
                Ok((call, result)) => {
                    expanded.text.push_str(text.get(from..call.span.start).unwrap_or_default());
                    let start = expanded.text.len();
                    expanded.text.push_str(&result);
                    let result = start..expanded.text.len();
                    from = call.span.end;
                    expanded.splices.push(Splice { name: call.name, call: call.span.range(), result });
                }
                Err(error) => expanded.errors.push(error),
            }
        }
        expanded.text.push_str(text.get(from..).unwrap_or_default());
        expanded
    }

    /// Published detections end in a macro of their own for the exceptions of a site, which few sites define.
    fn is_filter(&self, call: &Call) -> bool {
        call.arguments.is_empty() && call.name.ends_with("_filter") && self.get(&call.name).is_none()
    }
}

impl Expanded {
    /// Parses the search.
    ///
    /// # Errors
    /// Everything wrong with it, at its place in the user's text.
    pub fn parse(&self) -> Result<Query, Vec<Diagnostic>> {
        spl::parse(&self.text).map_err(|findings| self.report(findings))
    }

    /// A text without macros, which stays as it is.
    pub fn unchanged(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Makes warnings of macros that are not defined, if they are assumed to exist.
    pub fn assuming(mut self, assumed: bool) -> Self {
        let undefined = |finding: &mut Diagnostic| assumed && finding.code == Code::UnknownMacro;
        for finding in self.errors.extract_if(.., undefined) {
            self.notes.push(Diagnostic { severity: Severity::Warning, ..finding });
        }
        self
    }

    /// Whether a macro call could not be replaced, so that the search cannot run.
    pub fn failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// What was found about the expanded text, at the places of the user's, and what was found while expanding.
    pub fn report(&self, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        // A call that could not be replaced is explained already.
        let findings = findings.into_iter().filter(|finding| !(self.failed() && finding.code == Code::UnknownMacro));
        let mut all: Vec<Diagnostic> = self.notes.iter().chain(&self.errors).cloned().collect();
        all.extend(findings.map(|finding| self.placed(finding)));
        all.sort_by_key(|finding| finding.span.start);
        all
    }

    /// A finding about the expanded text, at its place in the user's.
    pub fn placed(&self, finding: Diagnostic) -> Diagnostic {
        let Range { start, end } = finding.span.range();
        let place = self.original(start, end);
        let inside = self.splices.iter().find(|splice| splice.result.contains(&start));
        let placed = Diagnostic { span: place, ..finding };
        let Some(splice) = inside else { return placed };
        let stands = format!("`{}` stands for `{}`", splice.name, self.excerpt(&splice.result, start));
        let help = placed.help.as_ref().map_or(stands.clone(), |help| format!("{help} {stands}"));
        placed.with_help(help)
    }

    /// A place of the expanded text as one of the user's.
    pub fn place(&self, span: Span) -> Span {
        let Range { start, end } = span.range();
        self.original(start, end)
    }

    /// A place of the expanded text as one of the user's text: inside an expansion, the call.
    fn original(&self, start: usize, end: usize) -> Span {
        let shifted = |at: usize| {
            let before = self.splices.iter().rev().find(|splice| splice.result.end <= at);
            let (result, call) = before.map_or((0, 0), |splice| (splice.result.end, splice.call.end));
            at.saturating_sub(result).saturating_add(call)
        };
        let first = self.splices.iter().find(|splice| splice.result.contains(&start));
        let from = first.map_or_else(|| shifted(start), |splice| splice.call.start);
        let last = self.splices.iter().find(|splice| splice.result.start < end && end <= splice.result.end);
        let to = match (last, first) {
            (Some(splice), _) => splice.call.end,
            // An empty place at the start of an expansion.
            (None, Some(splice)) if start >= end => splice.call.end,
            _ => shifted(end),
        };
        Span::new(from, to.max(from))
    }

    /// The expansion on one line, cut to what is near a place in it.
    fn excerpt(&self, result: &Range<usize>, place: usize) -> String {
        let text = self.text.get(result.clone()).unwrap_or_default();
        let before = text.get(..place.saturating_sub(result.start)).unwrap_or_default().chars().count();
        let all = text.chars().count();
        let start = before.saturating_sub(SHOWN / 4).min(all.saturating_sub(SHOWN));
        let shown: String = text.chars().skip(start).take(SHOWN).collect();
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        let left = if start > 0 { "…" } else { "" };
        let right = if start.saturating_add(SHOWN) < all { "…" } else { "" };
        format!("{left}{shown}{right}")
    }
}

/// Why a call cannot be replaced.
struct Refusal {
    code: Code,
    message: String,
    help: Option<String>,
    /// The macros that were being replaced, outermost first, without the one at fault.
    within: Vec<String>,
}

impl Refusal {
    fn at(self, call: &Call) -> Diagnostic {
        let Refusal { code, message, help, within } = self;
        let within = (!within.is_empty()).then(|| format!("it stands in {}", path(&within)));
        let help: Vec<String> = [help, within].into_iter().flatten().collect();
        let error = Diagnostic::error(code, message, call.span);
        if help.is_empty() { error } else { error.with_help(help.join("; ")) }
    }
}

/// Names with arrows between them, the middle left out where there are many.
fn path(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [first, second, .., last] if quoted.len() > 8 => format!("{first} → {second} → … → {last}"),
        few => few.join(" → "),
    }
}

struct Expander<'a> {
    macros: &'a Macros,
    evaluator: Evaluator<'a>,
    /// The calls that are being replaced, outermost first.
    chain: Vec<(String, Vec<String>)>,
    /// A filter that is not defined.
    kept: Option<String>,
    calls: usize,
    /// How many bytes were made so far.
    produced: usize,
}

impl Expander<'_> {
    fn refuse(&self, code: Code, message: String, help: Option<String>) -> Refusal {
        let within = self.chain.iter().map(|(name, _)| name.clone()).collect();
        Refusal { code, message, help, within }
    }

    /// What a call stands for, with nothing left to replace.
    fn call(&mut self, call: &Call) -> Result<String, Refusal> {
        self.calls = self.calls.saturating_add(1);
        if self.calls > MAX_CALLS {
            let message = format!("the macros of the search come to more than {MAX_CALLS} calls");
            return Err(self.refuse(Code::TooLarge, message, None));
        }
        if self.macros.is_filter(call) {
            self.kept = Some(call.name.clone());
            return Ok("search *".to_owned());
        }
        let macros = self.macros;
        let definition = self.definition(macros, call)?;
        let entry = (call.name.clone(), call.arguments.clone());
        if let Some(start) = self.chain.iter().position(|known| *known == entry) {
            let names: Vec<String> = self.chain.iter().skip(start).map(|(name, _)| name.clone()).collect();
            let cycle = path(&[names, vec![call.name.clone()]].concat());
            self.chain.truncate(start);
            let message = format!("the macro `{}` calls itself: {cycle}", call.name);
            return Err(self.refuse(Code::TooLarge, message, None));
        }
        if self.chain.len() >= MAX_DEPTH {
            let names: Vec<String> = self.chain.iter().map(|(name, _)| name.clone()).collect();
            self.chain.clear();
            let message = format!("macros call macros more than {MAX_DEPTH} deep: {}", path(&names));
            return Err(self.refuse(Code::TooLarge, message, None));
        }
        self.validate(definition, call)?;
        self.chain.push(entry);
        let text = self.substitute(&definition.text, definition, call)?;
        let text = self.fragment(&text)?;
        let text = if definition.evaluated { self.evaluate(&text, definition, call)? } else { text };
        self.chain.pop();
        Ok(text)
    }

    fn definition<'m>(&self, macros: &'m Macros, call: &Call) -> Result<&'m Definition, Refusal> {
        let name = &call.name;
        let Some(overloads) = macros.get(name) else {
            let near = suggest::nearest(name, macros.names()).map(|near| format!("did you mean `{near}`? "));
            let help = format!("{}`--macros FILE` reads a macros.conf that defines it", near.unwrap_or_default());
            let with = match call.arguments.len() {
                0 => String::new(),
                some => format!(" (with {})", counted(some)),
            };
            return Err(self.refuse(
                Code::UnknownMacro,
                format!("the macro `{name}` is not defined{with}"),
                Some(help),
            ));
        };
        let Some(definition) = overloads.get(&call.arguments.len()) else {
            let known: Vec<String> = overloads.keys().map(|arity| counted(*arity)).collect();
            let message =
                format!("the macro `{name}` takes {}, not {}", known.join(" or "), counted(call.arguments.len()));
            return Err(self.refuse(Code::InvalidArgument, message, None));
        };
        match &definition.problem {
            None => Ok(definition),
            Some(problem) => Err(self.refuse(Code::InvalidArgument, format!("the macro `{name}` {problem}"), None)),
        }
    }

    /// Replaces the calls in a text that a macro gave.
    fn fragment(&mut self, text: &str) -> Result<String, Refusal> {
        let found = calls(text);
        let mut out = String::new();
        let mut from = 0;
        for call in found {
            let call = call.map_err(|finding| self.refuse(finding.code, finding.message, finding.help))?;
            out.push_str(text.get(from..call.span.start).unwrap_or_default());
            out.push_str(&self.call(&call)?);
            from = call.span.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        self.count(out.len())?;
        Ok(out)
    }

    /// Puts the arguments in the place of `$name$`, everywhere, all at once.
    fn substitute(&mut self, text: &str, definition: &Definition, call: &Call) -> Result<String, Refusal> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let named = after.split_once('$').and_then(|(name, rest)| {
                let position = definition.arguments.iter().position(|argument| argument == name)?;
                Some((call.arguments.get(position)?, rest))
            });
            match named {
                Some((argument, after)) => {
                    self.count(argument.len())?;
                    out.push_str(argument);
                    rest = after;
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        self.count(out.len())?;
        Ok(out)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.produced = self.produced.saturating_add(bytes);
        if self.produced <= MAX_LENGTH {
            return Ok(());
        }
        let message = format!("the macros of the search stand for more than {MAX_LENGTH} bytes");
        Err(self.refuse(Code::TooLarge, message, None))
    }

    fn validate(&mut self, definition: &Definition, call: &Call) -> Result<(), Refusal> {
        let Some(validation) = &definition.validation else { return Ok(()) };
        let expression = self.substitute(validation, definition, call)?;
        let name = &call.name;
        let given = definition.message.clone();
        let reason = match self.value(&expression, definition, call) {
            // A condition has to be true; any other expression gives what is wrong.
            Ok(Value::Boolean(Some(true)) | Value::Null) => return Ok(()),
            Ok(Value::Boolean(_)) => given.unwrap_or_else(|| "its validation is not met".to_owned()),
            Ok(Value::Text(text)) => text,
            Ok(Value::Other) => "its validation gives neither a truth value nor a text".to_owned(),
            Err(reason) => format!("its validation cannot be evaluated: {reason}"),
        };
        let message = format!("the arguments of the macro `{name}` are refused: {reason}");
        Err(self.refuse(Code::InvalidArgument, message, None))
    }

    /// The text that the expression of an `iseval` macro gives, with nothing left to replace.
    fn evaluate(&mut self, expression: &str, definition: &Definition, call: &Call) -> Result<String, Refusal> {
        let reason = match self.value(expression, definition, call) {
            Ok(Value::Text(text)) => return self.fragment(&text),
            Ok(Value::Null) => "it gives nothing".to_owned(),
            Ok(Value::Boolean(_)) => "it gives a truth value instead of a text".to_owned(),
            Ok(Value::Other) => "it gives a number or several values instead of a text".to_owned(),
            Err(reason) => reason,
        };
        let message = format!("the expression of the macro `{}` cannot be used: {reason}", call.name);
        self.chain.pop();
        Err(self.refuse(Code::InvalidArgument, message, None))
    }

    fn value(&self, expression: &str, definition: &Definition, call: &Call) -> Result<Value, String> {
        // Expressions know the arguments by their names as well.
        let names = definition.arguments.iter().map(String::as_str);
        let variables: Vec<(&str, &str)> = names.zip(call.arguments.iter().map(String::as_str)).collect();
        self.evaluator.value(expression, &variables)
    }
}

#[cfg(test)]
mod tests;
