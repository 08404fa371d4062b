//! `spelunk check`: whether searches can be run, without data, and what is doubtful about them.

mod lint;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use serde::Serialize;
use spelunk_engine::SessionOptions;
use spelunk_engine::knowledge::{Definitions, Knowledge};
use spelunk_engine::session::{self, Checked, Language};
use spelunk_grammar::{Code, Diagnostic, Severity};

use crate::cli::{CheckArgs, CheckForm};
use crate::commands::inputs;
use crate::diagnostics::{self, Style};
use crate::escape;
use crate::exit::{Exit, Failure};
use crate::pack::sources::{Item, Text};
use crate::pack::{parallel, sources};
use crate::report;
use crate::terminal;

/// What is said of a query in a language that spelunk does not run.
const UNSUPPORTED_LANGUAGE: &str = "SPL0006";

/// Checks every search of the files.
///
/// # Errors
/// A file that does not exist, no search at all, or an output that cannot be written.
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let mut apps = inputs::apps(&args.app)?;
    let macros = inputs::macros(&mut apps, &args.macros)?;
    let mut saved_searches = inputs::saved_searches(&apps, &args.savedsearches)?;
    if args.savedsearches.is_empty() {
        saved_searches = Arc::new(Arc::unwrap_or_clone(saved_searches).assuming());
    }
    let lookups = inputs::known_lookups(apps.folders(), &args.lookups)?;
    let apps = Arc::new(apps);
    let knowledge =
        Knowledge { macros: &macros, saved_searches: &saved_searches, apps: &apps, lookups: lookups.as_ref() };
    let definitions = inputs::definitions(args.param.clone(), &args.saved_queries)?;
    let known = Known { knowledge, definitions: &definitions, strict: args.strict };
    let items = sources::read(&args.files)?;
    if items.is_empty() {
        return Err(Failure::Usage("no searches found".into()));
    }
    let options = SessionOptions {
        macros: Arc::clone(&macros),
        saved_searches: Arc::clone(&saved_searches),
        logscale: definitions.clone(),
        apps: Arc::clone(&apps),
        lookups: lookups.clone().unwrap_or_default(),
        ..SessionOptions::default()
    };
    // A query that brings the engine down is reported as its result.
    panic::set_hook(Box::new(|_| {}));
    let verdicts = parallel::map(&items, |item| check(item, known));
    let failures = verdicts.iter().filter(|verdict| !verdict.is_ok()).count();
    let doubts = lint::doubts(&items, &args.lint, options)?;
    let linted = args.lint.lint || !args.lint.data.is_empty();

    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        CheckForm::Jsonl => {
            for ((item, verdict), doubts) in items.iter().zip(&verdicts).zip(&doubts) {
                let line = Line { warnings: linted.then(|| told(item, doubts)), ..Line::new(item, verdict) };
                serde_json::to_writer(&mut out, &line).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
        CheckForm::Text => {
            write_doubts(&mut out, &items, &doubts)?;
            write_text(&mut out, &items, &verdicts)?;
        }
    }
    out.flush()?;
    Ok(if failures == 0 { Exit::Ok } else { Exit::Runtime })
}

/// What became of a query.
enum Verdict {
    /// It can be run, once the macros are there that are named.
    Ok(Vec<Diagnostic>),
    /// It does not parse, for these reasons.
    Parse(Vec<Diagnostic>),
    /// It parses, but cannot be planned.
    Plan(Vec<Diagnostic>),
    /// There was no query to check, or no verdict on it.
    Failed {
        /// A code of the registry, where one fits.
        code: Option<&'static str>,
        message: String,
    },
}

impl Verdict {
    fn is_ok(&self) -> bool {
        matches!(self, Verdict::Ok(_))
    }

    /// The reason that is named first.
    fn first(&self) -> Option<&Diagnostic> {
        match self {
            Verdict::Failed { .. } => None,
            Verdict::Ok(assumed) => assumed.first(),
            Verdict::Parse(findings) | Verdict::Plan(findings) => {
                findings.iter().find(|finding| finding.severity == Severity::Error).or_else(|| findings.first())
            }
        }
    }
}

/// What searches are checked with.
#[derive(Clone, Copy)]
struct Known<'k> {
    knowledge: Knowledge<'k>,
    definitions: &'k Definitions,
    strict: bool,
}

impl Known<'_> {
    fn check(&self, language: Language, query: &str) -> Checked {
        match language {
            Language::Spl => session::check(query, self.knowledge),
            Language::LogScale => session::check_logscale(query, self.knowledge, self.definitions, self.strict),
        }
    }
}

fn check(item: &Item, known: Known<'_>) -> Verdict {
    let (query, language) = match &item.text {
        Text::Spl(query) => (query, Language::Spl),
        Text::LogScale(query) => (query, Language::LogScale),
        Text::OtherLanguage(language) => {
            let code = Some(UNSUPPORTED_LANGUAGE);
            return Verdict::Failed { code, message: format!("{language} is not supported") };
        }
        Text::Unreadable(reason) => return Verdict::Failed { code: None, message: reason.clone() },
    };
    match panic::catch_unwind(AssertUnwindSafe(|| known.check(language, query))) {
        Ok(Checked::Ok(findings)) => {
            Verdict::Ok(findings.into_iter().filter(|finding| finding.code == Code::UnknownMacro).collect())
        }
        Ok(Checked::ParseError(findings)) => Verdict::Parse(findings),
        Ok(Checked::PlanError(findings)) => Verdict::Plan(findings),
        Err(payload) => {
            let reason = payload.downcast_ref::<String>().map(String::as_str);
            let reason = reason.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Verdict::Failed { code: None, message: format!("this is a bug in spelunk: {reason}") }
        }
    }
}

/// A line of `--output jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    file: &'a str,
    parse: &'static str,
    plan: &'static str,
    code: Option<String>,
    message: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<Told<'a>>>,
}

/// What is doubtful, in a line of `--output jsonl`.
#[derive(Serialize)]
struct Told<'a> {
    code: String,
    message: &'a str,
    line: usize,
    column: usize,
}

fn told<'a>(item: &Item, doubts: &'a [Diagnostic]) -> Vec<Told<'a>> {
    let (Text::Spl(query) | Text::LogScale(query)) = &item.text else { return Vec::new() };
    let told = doubts.iter().map(|finding| {
        let (line, column) = finding.line_column(query);
        Told { code: finding.code.to_string(), message: &finding.message, line, column }
    });
    told.collect()
}

/// What is doubtful about each search, before what is wrong.
fn write_doubts(out: &mut impl Write, items: &[Item], doubts: &[Vec<Diagnostic>]) -> io::Result<()> {
    let style = Style { colour: terminal::stdout_colour(), width: terminal::stdout_width().unwrap_or(100) };
    for (item, doubts) in items.iter().zip(doubts) {
        let (Text::Spl(query) | Text::LogScale(query)) = &item.text else { continue };
        for finding in doubts {
            writeln!(out, "{}\n", diagnostics::render(finding, query, Some(&item.origin()), style))?;
        }
    }
    let all: usize = doubts.iter().map(Vec::len).sum();
    if all > 0 {
        let queries = doubts.iter().filter(|doubts| !doubts.is_empty()).count();
        let queries = report::count(queries as u64, "query");
        writeln!(out, "{} about {queries}", report::count(all as u64, "warning"))?;
    }
    Ok(())
}

impl<'a> Line<'a> {
    fn new(item: &'a Item, verdict: &'a Verdict) -> Self {
        let (parse, plan) = match verdict {
            Verdict::Ok(_) => ("ok", "ok"),
            Verdict::Plan(_) => ("ok", "error"),
            Verdict::Parse(_) | Verdict::Failed { .. } => ("error", "skipped"),
        };
        let (code, message, row, column, warnings) = Default::default();
        let mut line = Line { id: &item.id, file: &item.file, parse, plan, code, message, line: row, column, warnings };
        if let Verdict::Failed { code, message } = verdict {
            line.code = code.map(str::to_owned);
            line.message = Some(message);
        }
        if let (Some(finding), Text::Spl(query) | Text::LogScale(query)) = (verdict.first(), &item.text) {
            let (row, column) = finding.line_column(query);
            line.code = Some(finding.code.to_string());
            line.message = Some(&finding.message);
            line.line = Some(row);
            line.column = Some(column);
        }
        line
    }
}

fn write_text(out: &mut impl Write, items: &[Item], verdicts: &[Verdict]) -> io::Result<()> {
    let style = Style { colour: terminal::stdout_colour(), width: terminal::stdout_width().unwrap_or(100) };
    let (mut parse, mut plan, mut assumed, mut given) = (0, 0, 0, 0);
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for (item, verdict) in items.iter().zip(verdicts) {
        let origin = item.origin();
        let (findings, query) = match (verdict, &item.text) {
            (Verdict::Ok(found), Text::LogScale(_)) => {
                given += u64::from(!found.is_empty());
                continue;
            }
            (Verdict::Ok(found), _) => {
                assumed += u64::from(!found.is_empty());
                continue;
            }
            (Verdict::Parse(findings), Text::Spl(query) | Text::LogScale(query)) => {
                parse += 1;
                (findings, query)
            }
            (Verdict::Plan(findings), Text::Spl(query) | Text::LogScale(query)) => {
                plan += 1;
                (findings, query)
            }
            (Verdict::Failed { code, message }, _) => {
                parse += 1;
                let code = code.map(|code| format!("[{code}]")).unwrap_or_default();
                writeln!(out, "error{code}: {}\n --> {}\n", escape::lines(message), escape::line(&origin))?;
                continue;
            }
            (Verdict::Parse(_) | Verdict::Plan(_), _) => continue,
        };
        if let Some(first) = verdict.first() {
            *codes.entry(first.code.to_string()).or_default() += 1;
        }
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
            writeln!(out, "{}\n", diagnostics::render(finding, query, Some(&origin), style))?;
        }
    }
    let total = items.len() as u64;
    write!(out, "{}: {} ok", report::count(total, "query"), report::thousands(total - parse - plan))?;
    if parse + plan > 0 {
        let [parse, plan] = [parse, plan].map(report::thousands);
        write!(out, ", {parse} cannot be parsed, {plan} cannot be planned")?;
    }
    writeln!(out)?;
    if assumed > 0 {
        let queries = report::count(assumed, "query");
        writeln!(out, "{queries} with macros that are not defined here; --macros FILE checks what they stand for")?;
    }
    if given > 0 {
        let queries = report::count(given, "query");
        writeln!(out, "{queries} with parameters or saved queries that are not given here: --param, --saved-queries")?;
    }
    if codes.values().sum::<u64>() > 1 {
        let mut codes: Vec<_> = codes.into_iter().collect();
        codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let codes: Vec<_> = codes.iter().map(|(code, count)| format!("{code} {}", report::thousands(*count))).collect();
        writeln!(out, "first reasons: {}", codes.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::about::About;
    use spelunk_grammar::Span;

    fn item(query: &str) -> Item {
        Item { id: "one".into(), file: "f.spl".into(), text: Text::Spl(query.into()), about: About::default() }
    }

    fn json(item: &Item, verdict: &Verdict) -> String {
        serde_json::to_string(&Line::new(item, verdict)).unwrap()
    }

    #[test]
    fn a_line_a_query() {
        let finding = Diagnostic::error(Code::UnknownCommand, "unknown command \"stast\"", Span::new(4, 9));
        assert_eq!(
            json(&item("a\n| stast"), &Verdict::Plan(vec![finding])),
            r#"{"id":"one","file":"f.spl","parse":"ok","plan":"error","code":"SPL0003","message":"unknown command \"stast\"","line":2,"column":3}"#
        );
        assert_eq!(
            json(&item("a"), &Verdict::Ok(Vec::new())),
            r#"{"id":"one","file":"f.spl","parse":"ok","plan":"ok","code":null,"message":null,"line":null,"column":null}"#
        );
        let other = Item { text: Text::OtherLanguage("language \"kql\"".into()), ..item("") };
        let (macros, saved_searches) = Default::default();
        let apps = Arc::default();
        let knowledge = Knowledge { macros: &macros, saved_searches: &saved_searches, apps: &apps, lookups: None };
        let known = Known { knowledge, definitions: &Definitions::default(), strict: false };
        assert_eq!(
            json(&other, &check(&other, known)),
            r#"{"id":"one","file":"f.spl","parse":"error","plan":"skipped","code":"SPL0006","message":"language \"kql\" is not supported","line":null,"column":null}"#
        );
    }

    #[test]
    fn the_text_names_what_fails_and_counts() {
        let warning = Diagnostic::warning(Code::Note, "odd", Span::new(0, 1));
        let error = Diagnostic::error(Code::Syntax, "unexpected \"|\"", Span::new(2, 3));
        let verdicts = [
            Verdict::Ok(Vec::new()),
            Verdict::Parse(vec![warning, error]),
            Verdict::Failed { code: None, message: "no YAML".into() },
        ];
        let items = [item("a"), item("a ||"), Item { text: Text::Unreadable("no YAML".into()), ..item("") }];
        let mut out = Vec::new();
        write_text(&mut out, &items, &verdicts).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        error[SPL0001]: unexpected "|"
         --> f.spl (one):1:3
          |
        1 | a ||
          |   ^

        error: no YAML
         --> f.spl (one)

        3 queries: 1 ok, 2 cannot be parsed, 0 cannot be planned
        "#);
    }
}
