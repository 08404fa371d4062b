//! `outputlookup`: writes the rows to a lookup table.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc, single_table};
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::words::OptionPair;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, option};

/// `outputlookup OPTION ... TABLE`.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputlookup {
    /// The lookup definition or CSV file.
    pub table: Name,
    /// Whether the rows go below those of the file; default false.
    pub append: Option<bool>,
    /// Whether no rows make a file too; default true.
    pub create_empty: Option<bool>,
    /// Whether no rows take the place of a file; default true.
    pub override_if_empty: Option<bool>,
    /// How many rows are written at most.
    pub max: Option<u64>,
    /// The field that says which record of a store is replaced.
    pub key_field: Option<Name>,
    /// `createinapp=`, which tells a server in which app.
    pub createinapp: Option<bool>,
    /// `create_context=`, which tells a server for whom.
    pub create_context: Option<Context>,
    /// How several values of a field are written.
    pub output_format: Option<OutputFormat>,
}

/// For whom a server creates a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// `app`
    App,
    /// `user`
    User,
    /// `system`
    System,
}

/// How several values of a field are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// `splunk_sv_csv`: as lines of one cell.
    SingleValue,
    /// `splunk_mv_csv`: in a column of their own, so that they are several values again when read.
    MultiValue,
}

/// The documentation of `outputlookup`.
pub const DOC: CommandDoc = CommandDoc {
    name: "outputlookup",
    summary: "Writes the rows to a CSV file of the folder that `--allow-write` names, and passes them on",
    syntax: "outputlookup [append=<bool>] [create_empty=<bool>] [override_if_empty=<bool>] [max=<count>] [createinapp=<bool>] [create_context=app|user|system] [output_format=splunk_sv_csv|splunk_mv_csv] <table>",
    arguments: &[
        ArgumentDoc { name: "<table>", meaning: "a lookup definition or the name of a CSV file; the file is written anew and takes its place at once when all rows are there. Later searches find it, this one sees what was there before" },
        ArgumentDoc { name: "append=<bool>", meaning: "put the rows below those of the file, whose columns stay as they are: other fields are left out; default false" },
        ArgumentDoc { name: "create_empty=<bool>", meaning: "write a file with nothing but its header where there are no rows; with false such a file is deleted; default true" },
        ArgumentDoc { name: "override_if_empty=<bool>", meaning: "with false a file that is there stays where there are no rows; default true" },
        ArgumentDoc { name: "max=<count>", meaning: "write so many rows at most" },
        ArgumentDoc { name: "output_format=splunk_sv_csv|splunk_mv_csv", meaning: "write several values as lines of one cell, or so that they are several values when read again; default splunk_sv_csv" },
        ArgumentDoc { name: "createinapp=<bool>, create_context=app|user|system", meaning: "where a server creates the file; without effect here" },
    ],
    examples: &["| makeresults count=2 | eval user=\"ann\" | outputlookup seen.csv"],
};

const OPTIONS: &[&str] = &[
    "append", "create_empty", "override_if_empty", "max", "key_field", "createinapp", "create_context", "output_format",
];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Outputlookup> {
    let mut command = Outputlookup {
        table: Name { text: String::new(), span: Default::default() },
        append: None,
        create_empty: None,
        override_if_empty: None,
        max: None,
        key_field: None,
        createinapp: None,
        create_context: None,
        output_format: None,
    };
    let mut names = Vec::new();
    let place = b.span(&arguments);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "append" => command.append = Some(option.boolean(b)?),
                    "create_empty" => command.create_empty = Some(option.boolean(b)?),
                    "override_if_empty" => command.override_if_empty = Some(option.boolean(b)?),
                    "max" => command.max = Some(option.number(b)?),
                    "key_field" => command.key_field = Some(option.field()),
                    "createinapp" => command.createinapp = Some(option.boolean(b)?),
                    "create_context" => command.create_context = Some(context(b, &option)?),
                    "output_format" => command.output_format = Some(output_format(b, &option)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::EOI => {}
            _ => names.push(words::name(b, &part)),
        }
    }
    command.table = single_table(b, names, place)?;
    Some(command)
}

fn context(b: &mut Builder<'_>, option: &OptionPair) -> Option<Context> {
    match option.value.to_ascii_lowercase().as_str() {
        "app" => Some(Context::App),
        "user" => Some(Context::User),
        "system" => Some(Context::System),
        _ => option.invalid(b, "app, user or system"),
    }
}

fn output_format(b: &mut Builder<'_>, option: &OptionPair) -> Option<OutputFormat> {
    match option.value.to_ascii_lowercase().as_str() {
        "splunk_sv_csv" => Some(OutputFormat::SingleValue),
        "splunk_mv_csv" => Some(OutputFormat::MultiValue),
        _ => option.invalid(b, "splunk_sv_csv or splunk_mv_csv"),
    }
}

impl Display for Context {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Context::App => "app",
            Context::User => "user",
            Context::System => "system",
        })
    }
}

impl Display for OutputFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OutputFormat::SingleValue => "splunk_sv_csv",
            OutputFormat::MultiValue => "splunk_mv_csv",
        })
    }
}

impl Display for Outputlookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Outputlookup {
            table,
            append,
            create_empty,
            override_if_empty,
            max,
            key_field,
            createinapp,
            create_context,
            output_format,
        } = self;
        f.write_str("outputlookup")?;
        option(f, "append", *append)?;
        option(f, "create_empty", *create_empty)?;
        option(f, "override_if_empty", *override_if_empty)?;
        option(f, "max", *max)?;
        option(f, "key_field", key_field.as_ref().map(|field| Quoted(&field.text)))?;
        option(f, "createinapp", *createinapp)?;
        option(f, "create_context", *create_context)?;
        option(f, "output_format", *output_format)?;
        write!(f, " {table}")
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn options_stand_anywhere() {
        assert_eq!(
            canonical("| outputlookup t CreateInApp=True Create_Empty=True Override_If_Empty=False"),
            "| outputlookup create_empty=true override_if_empty=false createinapp=true t"
        );
        assert_eq!(
            canonical("| outputlookup append=t key_field=_key max=5 output_format=splunk_mv_csv create_context=user a.csv"),
            "| outputlookup append=true max=5 key_field=\"_key\" create_context=user output_format=splunk_mv_csv a.csv"
        );
    }

    #[test]
    fn one_table() {
        assert!(errors("| outputlookup append=t").contains("`outputlookup` needs a table"));
        assert!(errors("| outputlookup a b").contains("`outputlookup` takes one table, not 2"));
        assert!(errors("| outputlookup apend=t a").contains("did you mean `append`?"));
        assert!(errors("| outputlookup output_format=csv a").contains("takes splunk_sv_csv or splunk_mv_csv"));
    }
}
