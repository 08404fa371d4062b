//! What can stand at the cursor.

use std::rc::Rc;

use spelunk_engine::Language;
use spelunk_grammar::spl::commands::{self, CommandDoc};

use super::alive::{Alive, Segment, segments};
use super::lexer::{Kind, Token, tokens};
use super::quoting::Quoting;
use super::words;

/// Where what can stand at the cursor comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Commands,
    Macros,
    /// Fields; a comparison follows where one is sure to.
    Fields {
        quoting: Quoting,
        compared: bool,
    },
    Values {
        field: String,
        quoting: Quoting,
    },
    EvalFunctions,
    Statistics,
    LogScaleFunctions,
    Options(&'static CommandDoc),
    Parameters(&'static [&'static str]),
    Words(Vec<String>),
    Lookups(Quoting),
    Models,
    Objects(String),
    /// `datamodel:Endpoint` and its like.
    Datasets,
    SavedSearches,
    SavedQueries,
    DotCommands,
    /// Whatever has a help page.
    HelpTopics,
    Files,
}

/// What stands at the cursor, and what could.
#[derive(Debug, Clone)]
pub struct Context {
    /// Where the word at the cursor begins.
    pub start: usize,
    /// The word as far as it was typed, with its quote.
    pub typed: String,
    pub sources: Vec<Source>,
    /// The fields there.
    pub alive: Rc<Alive>,
}

/// Finds out what can stand at the end of the text, which is a search up to the cursor.
pub fn at_end(text: &str, language: Language) -> Context {
    if text.starts_with('.') {
        return dot_command(text);
    }
    let tokens = tokens(text, language);
    let (_, mut segment) = segments(&tokens, language);
    let partial = segment.tokens.last().copied().filter(|last| match last.kind {
        Kind::Word => true,
        Kind::Text | Kind::Field | Kind::Macro | Kind::Comment => !last.closed || language == Language::LogScale,
        _ => false,
    });
    if partial.is_some() {
        segment.tokens.pop();
    }
    let (start, typed) = partial.map_or((text.len(), ""), |partial| (partial.start, partial.text));
    let mut context = Context { start, typed: typed.to_owned(), sources: Vec::new(), alive: Rc::clone(&segment.alive) };
    match partial.map(|partial| partial.kind) {
        Some(Kind::Comment) => return context,
        Some(Kind::Macro) => {
            // A call with arguments is written by hand.
            context.skip(1);
            context.sources = if typed.contains('(') { Vec::new() } else { vec![Source::Macros] };
            return context;
        }
        Some(Kind::Text | Kind::Field) if partial.is_some_and(|partial| partial.closed) => return context,
        // Right behind a finished text or macro there is nothing to complete.
        None if segment
            .tokens
            .last()
            .is_some_and(|last| matches!(last.kind, Kind::Text | Kind::Field | Kind::Macro)) =>
        {
            return context;
        }
        _ => {}
    }
    context.sources = match language {
        Language::Spl => spl(&mut context, &segment),
        Language::LogScale => logscale(&segment),
    };
    if typed.starts_with('"') {
        // In double quotes stand values, and fields where no expression is.
        let quotable = |source: &Source| match source {
            Source::Fields { quoting, .. } => *quoting != Quoting::ExpressionField,
            Source::Values { .. } | Source::Lookups(_) | Source::SavedSearches => true,
            _ => false,
        };
        context.sources.retain(quotable);
    } else if typed.starts_with('\'') {
        context.sources.retain(|source| matches!(source, Source::Fields { .. }));
    }
    context
}

impl Context {
    /// Leaves out the begin of what was typed.
    fn skip(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes);
        self.typed = self.typed.get(bytes..).unwrap_or_default().to_owned();
    }
}

fn dot_command(text: &str) -> Context {
    let blank = text.char_indices().rfind(|(_, c)| c.is_whitespace());
    let start = blank.map_or(0, |(at, c)| at.saturating_add(c.len_utf8()));
    let typed = text.get(start..).unwrap_or_default().to_owned();
    let command = text.split_whitespace().next().unwrap_or_default();
    let sources = match command {
        _ if start == 0 => vec![Source::DotCommands],
        ".help" => vec![Source::DotCommands, Source::HelpTopics],
        ".lang" => vec![Source::Words(vec!["logscale".into(), "spl".into()])],
        _ => vec![Source::Files, Source::Fields { quoting: Quoting::Plain, compared: false }],
    };
    Context { start, typed, sources, alive: Rc::new(Alive::events()) }
}

fn listed(words: &[&str]) -> Source {
    Source::Words(words.iter().map(|word| (*word).to_owned()).collect())
}

/// The position of the innermost bracket that is still open.
fn open_bracket(words: &[Token<'_>]) -> Option<usize> {
    let mut open = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            Kind::Open => open.push(at),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

fn is_conjunction(word: &Token<'_>) -> bool {
    ["and", "or", "not", "xor"].iter().any(|known| word.is(known))
}

/// The field whose list of values is open: `field IN (`, `in(field, `.
fn listed_field(words: &[Token<'_>]) -> Option<String> {
    let open = open_bracket(words)?;
    words.get(open.checked_sub(1)?).filter(|word| word.is("in"))?;
    let before = open.checked_sub(2).and_then(|at| words.get(at));
    if let Some(field) = before.filter(|word| word.is_name() && !is_conjunction(word) && !word.is("where")) {
        return Some(field.name().to_owned());
    }
    // The first argument is being written as long as there is no comma.
    let field = words.get(open.saturating_add(1)..)?;
    let written = field.iter().any(|word| word.kind == Kind::Comma);
    field.first().filter(|field| written && field.is_name()).map(|field| field.name().to_owned())
}

fn spl(context: &mut Context, segment: &Segment<'_>) -> Vec<Source> {
    let words: Vec<Token<'_>> = segment.words().copied().collect();
    let Some(last) = words.last() else {
        return match segment.implied {
            true => searched(),
            false => vec![Source::Commands],
        };
    };
    let Some(command) = segment.command() else { return Vec::new() };
    let expression = matches!(command.as_str(), "eval" | "where" | "fieldformat")
        || words.iter().zip(words.iter().skip(1)).any(|(name, open)| name.is("eval") && open.text == "(");
    let (field, value) = match expression {
        true => (Quoting::ExpressionField, Quoting::ExpressionText),
        false => (Quoting::Field, Quoting::Value),
    };
    let fields = Source::Fields { quoting: field, compared: false };
    if let Some(field) = listed_field(&words) {
        return vec![Source::Values { field, quoting: value }];
    }
    let doc = commands::doc(&command);
    let before = words.len().checked_sub(2).and_then(|at| words.get(at));
    if last.kind == Kind::Operator
        && !matches!(last.text, "+" | "-" | "*" | "/" | "%")
        && let Some(compared) = before.filter(|before| before.is_name())
    {
        return after_comparison(&words, compared, expression, doc, &command);
    }
    match command.as_str() {
        "search" => searched(),
        "eval" | "fieldformat" | "where" => {
            let target =
                command != "where" && (words.len() == 1 || last.kind == Kind::Comma) && open_bracket(&words).is_none();
            match target {
                true => vec![fields],
                false => vec![fields, Source::EvalFunctions, listed(&["AND", "OR", "NOT", "IN", "LIKE", "XOR"])],
            }
        }
        "lookup" | "inputlookup" | "outputlookup" => {
            let named = !plain_words(&words).is_empty();
            let own = doc.map(Source::Options);
            match named {
                false => [Source::Lookups(Quoting::Field)].into_iter().chain(own).collect(),
                true => own.into_iter().chain([fields]).collect(),
            }
        }
        "datamodel" => match plain_words(&words).as_slice() {
            [] => vec![Source::Models],
            [model] => vec![Source::Objects((*model).to_owned())],
            _ => doc.map(Source::Options).into_iter().collect(),
        },
        "from" => vec![Source::Datasets],
        "savedsearch" => vec![Source::SavedSearches],
        "tstats" if last.is("from") => vec![listed(&["datamodel="])],
        _ => {
            if last.is("as") || last.is("output_field") {
                return Vec::new();
            }
            if matches!(command.as_str(), "sort" | "fields") && context.typed.starts_with(['-', '+']) {
                context.skip(1);
            }
            let takes_functions = doc.is_some_and(|doc| doc.syntax.contains("<function>"));
            let by = words.iter().rposition(|word| word.is("by") || word.is("over"));
            let mut sources = Vec::new();
            if takes_functions && open_bracket(&words).is_some() {
                sources.push(fields);
                match expression {
                    true => sources.push(Source::EvalFunctions),
                    false => sources.push(listed(&["eval("])),
                }
                return sources;
            }
            if takes_functions && by.is_none() {
                sources.extend([Source::Statistics].into_iter().chain(doc.map(Source::Options)));
            } else {
                sources.push(fields);
                sources.extend(doc.map(Source::Options));
            }
            sources
        }
    }
}

/// The words after the command that are neither options nor their values.
fn plain_words<'t>(words: &[Token<'t>]) -> Vec<&'t str> {
    let mut names = Vec::new();
    let mut words = words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        if words.peek().is_some_and(|next| next.text == "=") {
            words.next();
            words.next();
        } else if word.is_name() {
            names.push(word.name());
        }
    }
    names
}

fn searched() -> Vec<Source> {
    let own = ["index=", "sourcetype=", "source=", "host=", "earliest=", "latest=", "eventtype=", "tag="];
    vec![Source::Fields { quoting: Quoting::Field, compared: true }, listed(&own), listed(&["AND", "OR", "NOT", "IN"])]
}

/// After `name=`: the values of an option or of a field.
fn after_comparison(
    words: &[Token<'_>],
    compared: &Token<'_>,
    expression: bool,
    doc: Option<&'static CommandDoc>,
    command: &str,
) -> Vec<Source> {
    let name = compared.name();
    let fields = |quoting| Source::Fields { quoting, compared: false };
    let searched = command == "search" || words.iter().any(|word| word.is("where"));
    if let Some(option) = doc
        .filter(|_| !expression)
        .and_then(|doc| words::options(doc).0.into_iter().find(|option| option.name.eq_ignore_ascii_case(name)))
    {
        if name.eq_ignore_ascii_case("datamodel") {
            return vec![Source::Models];
        }
        return match option.values.as_str() {
            values if values.starts_with("<bool>") => vec![listed(&["true", "false"])],
            values if values.starts_with("<field>") => vec![fields(Quoting::Field)],
            values if values.starts_with("<span>") => {
                vec![listed(&["1s", "1m", "5m", "10m", "1h", "1d", "1w", "1mon"])]
            }
            values if values.starts_with("<function>") => vec![Source::Statistics],
            values if values.starts_with('<') || values.is_empty() => Vec::new(),
            values => vec![Source::Words(
                values.split('|').filter(|value| !value.starts_with('<')).map(str::to_owned).collect(),
            )],
        };
    }
    let assigned = matches!(command, "eval" | "fieldformat")
        && open_bracket(words).is_none()
        && words
            .len()
            .checked_sub(3)
            .and_then(|at| words.get(at))
            .is_some_and(|word| word.kind == Kind::Comma || word.is(command))
        && words.last().is_some_and(|sign| sign.text == "=");
    let quoting = if expression { Quoting::ExpressionText } else { Quoting::Value };
    let values = Source::Values { field: name.to_owned(), quoting };
    match expression {
        true if assigned => vec![fields(Quoting::ExpressionField), Source::EvalFunctions],
        true => vec![values, fields(Quoting::ExpressionField), Source::EvalFunctions],
        false if searched || command == "tstats" => vec![values],
        false => Vec::new(),
    }
}

/// The values of parameters of LogScale that are always the same ones.
const CHOICES: [(&str, &[&str]); 9] = [
    ("order", &["asc", "desc"]),
    ("ignorecase", &["true", "false"]),
    ("strict", &["true", "false"]),
    ("distinct", &["true", "false"]),
    ("reverse", &["true", "false"]),
    ("limit", &["max"]),
    ("mode", &["cidr", "glob", "inner", "left", "string"]),
    ("type", &["any", "hex", "number", "string"]),
    ("span", &["1m", "5m", "1h", "1d"]),
];

fn logscale(segment: &Segment<'_>) -> Vec<Source> {
    let words: Vec<Token<'_>> = segment.words().copied().collect();
    let fields = Source::Fields { quoting: Quoting::LogScale, compared: false };
    let (functions, queries) = (Source::LogScaleFunctions, Source::SavedQueries);
    let Some(last) = words.last() else { return vec![fields, functions, queries, listed(&["case {"])] };
    let call = called(&words);
    let before = words.len().checked_sub(2).and_then(|at| words.get(at));
    if last.text == ":=" {
        return vec![fields, functions];
    }
    if let Some((function, open)) = call {
        let argument = argument(&words, open);
        if function.name == "in" && argument == Some("values") {
            let named = words.iter().zip(words.iter().skip(2)).find(|(name, _)| name.is("field"));
            let field = named.map(|(_, value)| value).or_else(|| words.get(open.saturating_add(1)));
            let field = field.map(|field| field.name().to_owned()).unwrap_or_default();
            return vec![Source::Values { field, quoting: Quoting::LogScale }];
        }
        return match argument.map(str::to_ascii_lowercase).as_deref() {
            Some("function" | "then" | "else" | "query") => vec![functions, fields],
            Some("file") => vec![Source::Lookups(Quoting::LogScale)],
            Some("as" | "prefix" | "timezone" | "format" | "value" | "regex") => Vec::new(),
            Some(name) => match CHOICES.iter().find(|(known, _)| *known == name) {
                Some((_, values)) => vec![listed(values)],
                None => vec![fields],
            },
            None => vec![fields, Source::Parameters(function.parameters), functions],
        };
    }
    if last.kind == Kind::Operator
        && let Some(compared) = before.filter(|before| before.is_name())
    {
        return vec![Source::Values { field: compared.name().to_owned(), quoting: Quoting::LogScale }];
    }
    vec![fields, functions, queries, listed(&["and", "or", "not"])]
}

/// The innermost call that is open, and where its bracket is.
fn called(words: &[Token<'_>]) -> Option<(&'static words::Function, usize)> {
    let mut open = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match word.kind {
            Kind::Open => open.push(at),
            Kind::Close => drop(open.pop()),
            _ => {}
        }
    }
    open.into_iter().rev().find_map(|at| {
        let name = words.get(at.checked_sub(1)?)?;
        let is_call = words.get(at)?.text == "(" && name.kind == Kind::Word;
        words::find(&words::LOGSCALE, name.text).filter(|_| is_call).map(|function| (function, at))
    })
}

/// The name of the argument of a call that is being written.
fn argument<'t>(words: &[Token<'t>], open: usize) -> Option<&'t str> {
    let (mut depth, mut named) = (0_usize, None);
    let arguments = words.get(open.saturating_add(1)..)?;
    for (word, next) in arguments.iter().zip(arguments.iter().skip(1).map(Some).chain([None])) {
        match word.kind {
            Kind::Open => depth = depth.saturating_add(1),
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Comma if depth == 0 => named = None,
            Kind::Word if depth == 0 && next.is_some_and(|sign| sign.text == "=") => named = Some(word.text),
            _ => {}
        }
    }
    named
}
