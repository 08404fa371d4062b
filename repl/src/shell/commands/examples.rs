//! Examples for `.help NAME` that run over the logs that are loaded.

use std::sync::Arc;

use futures::StreamExt;
use spelunk_engine::values::{self, Cell};
use spelunk_engine::vocabulary::KnownField;
use spelunk_engine::{Error, Language, Session};
use spelunk_grammar::spl::commands;

use super::super::Shell;
use super::super::editing::words;
use crate::commands::help;
use crate::escape;
use crate::render::grid;
use crate::terminal;

/// How many rows of an example are shown.
const ROWS: usize = 3;

/// A search for each command that says more over real events. `FIELD` is a field that many events have, `VALUE` one of its
/// values, `NUMBER` a field of numbers.
const TEMPLATES: [(&str, &str); 30] = [
    ("bin", "* | bin span=1h _time | stats count BY _time | head 3"),
    ("chart", "* | chart count BY FIELD | head 3"),
    ("dedup", "* | dedup FIELD | table FIELD | head 3"),
    ("delta", "* | head 1000 | delta _time AS seconds | table _time seconds | head 3"),
    ("eval", "* | eval length=len(FIELD) | table FIELD length | head 3"),
    ("eventstats", "* | eventstats count AS as_often BY FIELD | table FIELD as_often | head 3"),
    ("fields", "* | fields FIELD | head 3"),
    ("fieldsummary", "* | fields FIELD NUMBER | fieldsummary | table field count distinct_count"),
    ("fillnull", "* | fillnull value=unknown FIELD | stats count BY FIELD | sort -count | head 3"),
    ("head", "* | head 3 | table _time FIELD"),
    ("metadata", "| metadata type=hosts | table host totalCount | head 3"),
    ("rare", "* | rare limit=3 FIELD"),
    ("regex", "* | regex FIELD=\"[a-z]\" | table FIELD | head 3"),
    ("rename", "* | rename FIELD AS renamed | table renamed | head 3"),
    ("rex", "* | rex field=FIELD \"(?<last_word>\\w+)$\" | table FIELD last_word | head 3"),
    ("search", "FIELD=\"VALUE\" | table _time FIELD | head 3"),
    ("sort", "* | sort -NUMBER | table NUMBER | head 3"),
    ("stats", "* | stats count, dc(host) AS hosts BY FIELD | sort -count | head 3"),
    ("strcat", "* | strcat FIELD \" #\" NUMBER both | table both | head 3"),
    ("streamstats", "* | streamstats count AS so_far | table _time so_far | head 3"),
    ("table", "* | table _time FIELD NUMBER | head 3"),
    ("tail", "* | tail 3 | table _time FIELD"),
    ("timechart", "* | timechart span=1h count | head 3"),
    ("top", "* | top limit=3 FIELD"),
    ("transaction", "* | head 1000 | transaction FIELD maxpause=1m | table _time duration eventcount | head 3"),
    ("transpose", "* | stats count BY FIELD | sort -count | head 3 | transpose"),
    ("tstats", "| tstats count WHERE index=* BY sourcetype | head 3"),
    ("uniq", "* | table FIELD | uniq | head 3"),
    ("where", "* | where FIELD=\"VALUE\" | table _time FIELD | head 3"),
    ("xyseries", "* | stats count BY FIELD sourcetype | xyseries FIELD sourcetype count | head 3"),
];

/// Fields that tell a hunter something, before others of the same kind.
const TELLING: [&str; 7] = ["Image", "NewProcessName", "process", "User", "user", "host", "sourcetype"];

/// What a command or function does, shown on the logs. `None` where there is nothing that could be run.
pub async fn run(shell: &Shell, name: &str) -> Option<String> {
    let (session, name) = (Arc::clone(&shell.session), name.to_owned());
    let ran = shell.interrupt.guard(move || async move {
        let query = query(&session, &name)?;
        rows(&session, &query).await.ok().map(|(columns, rows)| (query, columns, rows))
    });
    let (query, columns, rows) = ran.await.ok()??;
    if rows.is_empty() {
        return None;
    }
    let text = format!("\nRun here\n  {}\n", escape::lines(&query).replace('\n', "\n  "));
    let mut out = help::fitted(&text, terminal::stdout_width());
    let drawn = grid::draw_some(&columns, &rows, terminal::stdout_width(), terminal::stdout_colour());
    match drawn.filter(|_| !shell.sink.plain) {
        Some((drawn, _)) => out.push_str(&drawn),
        None => out.push_str(&shell.sink.sheet(&columns, &rows)),
    }
    Some(out)
}

/// The search that shows what a name does.
fn query(session: &Session, name: &str) -> Option<String> {
    let fields = match session.known_fields() {
        Some(fields) => fields,
        None if session.inputs().is_empty() => Vec::new(),
        // They are still being read, which is not worth waiting for.
        None => return None,
    };
    let about = About::of(&fields);
    let name = name.to_ascii_lowercase();
    if let Some(doc) = commands::doc(&name) {
        let template = TEMPLATES.iter().find(|(known, _)| *known == doc.name).map(|(_, template)| *template);
        let filled = about.as_ref().zip(template).and_then(|(about, template)| about.fill(template));
        // Elsewhere the example makes its own rows.
        let own = || doc.examples.iter().find(|example| example.starts_with('|')).map(|example| (*example).to_owned());
        return filled.or_else(own);
    }
    let about = about?;
    let argument = |syntax: &str| match syntax.split_once('(')?.1.strip_suffix(')')? {
        "text" | "value" | "field" => Some("FIELD"),
        "number" => Some("NUMBER"),
        _ => None,
    };
    if let Some(function) = words::find(&words::EVAL, &name) {
        let argument = argument(&function.syntax)?;
        // A condition is no value of a field.
        let call = match name.starts_with("is") {
            true => format!("if({name}({argument}), \"yes\", \"no\")"),
            false => format!("{name}({argument})"),
        };
        return about
            .fill(&format!("{argument}=* | eval result={call} | table {argument} result | dedup {argument} | head 3"));
    }
    let function = words::find(&words::STATISTICS, &name)?;
    argument(function.syntax.split(" | ").find(|form| form.contains('('))?)?;
    about.fill(&format!("* | stats {name}(NUMBER) AS result BY FIELD | head 3"))
}

/// What examples are about.
struct About<'f> {
    field: &'f str,
    value: &'f str,
    number: Option<&'f str>,
}

impl<'f> About<'f> {
    fn of(fields: &'f [KnownField]) -> Option<Self> {
        let bare = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with('_');
        let number = |field: &&KnownField| {
            !field.values.is_empty() && field.values.iter().all(|value| value.parse::<f64>().is_ok())
        };
        let named: Vec<&KnownField> = fields.iter().filter(|field| bare(&field.name)).collect();
        let several = |field: &&&KnownField| field.values.len() > 1 && !number(field);
        let telling = TELLING.iter().find_map(|name| named.iter().filter(several).find(|field| field.name == *name));
        let field = telling.or_else(|| named.iter().find(several)).or_else(|| named.first())?;
        let number = named.iter().find(|field| number(field)).map(|field| field.name.as_str());
        let value = field
            .values
            .iter()
            .find(|value| !value.contains(['"', '\\', '*']) && !value.chars().any(escape::is_unsafe));
        Some(Self { field: &field.name, value: value.map_or("*", String::as_str), number })
    }

    /// The template with what it is about; `None` where it needs what is not there.
    fn fill(&self, template: &str) -> Option<String> {
        let number = match self.number {
            Some(number) => number,
            None if template.contains("NUMBER") => return None,
            None => "",
        };
        if self.value == "*" && template.contains("where") && template.contains("VALUE") {
            return None;
        }
        Some(template.replace("FIELD", self.field).replace("NUMBER", number).replace("VALUE", self.value))
    }
}

/// The columns and first rows of a search that writes nothing.
async fn rows(session: &Session, query: &str) -> Result<(Vec<String>, Vec<Vec<Cell>>), Error> {
    let zone = session.context().time_zone;
    let mut search = session.probe(Language::Spl, query).await?;
    let columns = search.schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    while rows.len() < ROWS
        && let Some(batch) = search.stream.next().await
    {
        let batch = batch.map_err(Error::from)?;
        let take = ROWS.saturating_sub(rows.len()).min(batch.num_rows());
        rows.extend(
            (0..take)
                .map(|row| batch.columns().iter().map(|column| values::cell(column, row, &zone)).collect::<Vec<_>>()),
        );
    }
    Ok((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_search_by_its_command() {
        let about = About { field: "Image", value: "x", number: Some("n") };
        for (name, template) in TEMPLATES {
            assert!(commands::doc(name).is_some(), "{name}");
            let query = about.fill(template).unwrap();
            let parsed = spelunk_grammar::spl::parse(&query).unwrap();
            assert!(name == "search" || format!("{parsed} ").contains(&format!("| {name} ")), "{query}");
        }
        assert!(TEMPLATES.is_sorted());
    }

    #[test]
    fn a_template_without_its_field_is_left_out() {
        let field = |name: &str, values: &[&str]| KnownField {
            name: name.to_owned(),
            coverage: Some(1.0),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let fields = [field("a b", &["1", "2"]), field("host", &["A\"", "B"]), field("code", &["x", "y"])];
        let about = About::of(&fields).unwrap();
        assert_eq!(about.fill("where FIELD=\"VALUE\"").as_deref(), Some("where host=\"B\""));
        assert_eq!(about.fill("sort NUMBER"), None);
        assert!(About::of(&[]).is_none());
    }
}
