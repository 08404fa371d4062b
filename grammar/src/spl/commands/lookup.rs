//! `lookup`: adds fields from a table, row by row.

use std::fmt::{self, Display, Formatter};

use pest::iterators::Pair;

use super::{ArgumentDoc, CommandDoc};
use crate::Code;
use crate::spl::expression::Name;
use crate::spl::parser::builder::Builder;
use crate::spl::parser::{Rule, words};
use crate::spl::print::{Quoted, Separated, is_plain, option};

/// `lookup [local=BOOL] [update=BOOL] TABLE COLUMN [AS FIELD] ... [OUTPUT|OUTPUTNEW COLUMN [AS FIELD] ...]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The lookup definition or CSV file.
    pub table: Name,
    /// What has to agree; never empty.
    pub keys: Vec<LookupField>,
    /// What is written; `None` for every column that is no key.
    pub output: Option<LookupOutput>,
    /// `local=`, which tells a server where to look.
    pub local: Option<bool>,
    /// `update=`, which tells a search in real time when to read the table anew.
    pub update: Option<bool>,
}

/// A column of the table and the field of the rows that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupField {
    /// The column of the table.
    pub column: Name,
    /// The field of the rows, where it is called something else.
    pub field: Option<Name>,
}

impl LookupField {
    /// The field of the rows.
    pub fn field(&self) -> &Name {
        self.field.as_ref().unwrap_or(&self.column)
    }
}

/// What a lookup writes.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupOutput {
    /// `OUTPUTNEW`: a field that is there already keeps its value.
    pub only_new: bool,
    /// The columns; empty for every column that is no key.
    pub fields: Vec<LookupField>,
}

/// The documentation of `lookup`.
pub const DOC: CommandDoc = CommandDoc {
    name: "lookup",
    summary: "Adds the fields of the rows of a table that agree with each row",
    syntax: "lookup [local=<bool>] [update=<bool>] <table> <column> [AS <field>] ... [OUTPUT|OUTPUTNEW <column> [AS <field>] ...]",
    arguments: &[
        ArgumentDoc { name: "<table>", meaning: "a lookup definition or a CSV file of a folder that `--lookups` names" },
        ArgumentDoc { name: "<column> [AS <field>]", meaning: "the columns of the table that have to agree with fields of the rows, all of them; a row that lacks one of the fields finds nothing, and of several values each is looked up" },
        ArgumentDoc { name: "OUTPUT <column> [AS <field>]", meaning: "the columns to write, all that are no keys by default; a field that is there already is overwritten, by nothing where nothing agrees, unless it is a key itself" },
        ArgumentDoc { name: "OUTPUTNEW <column> [AS <field>]", meaning: "the same, but a field that has a value keeps it" },
        ArgumentDoc { name: "local=<bool>, update=<bool>", meaning: "where a server looks and when it reads the table anew; without effect here" },
    ],
    examples: &["| makeresults | eval status=\"404\" | lookup http_status.csv status OUTPUT status_description"],
};

const OPTIONS: &[&str] = &["local", "update"];

pub(super) fn build(b: &mut Builder<'_>, arguments: Pair<'_, Rule>) -> Option<Lookup> {
    let place = b.span(&arguments);
    let (mut table, mut keys, mut output, mut local, mut update) = (None, Vec::new(), None, None, None);
    for part in arguments.into_inner() {
        match part.as_rule() {
            Rule::option => {
                let option = words::option(b, part)?;
                match option.name.as_str() {
                    "local" => local = Some(option.boolean(b)?),
                    "update" => update = Some(option.boolean(b)?),
                    _ => return option.unknown(b, OPTIONS),
                }
            }
            Rule::lookup_table => table = Some(words::name(b, &part.into_inner().next()?)),
            Rule::lookup_field => keys.push(field(b, part)?),
            Rule::lookup_output => {
                let mut found = LookupOutput { only_new: false, fields: Vec::new() };
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::output_op => found.only_new = part.as_str().trim_end().eq_ignore_ascii_case("outputnew"),
                        _ => found.fields.push(field(b, part)?),
                    }
                }
                output = Some(found);
            }
            _ => {}
        }
    }
    if keys.is_empty() {
        b.error(Code::InvalidArgument, "`lookup` needs a field name to look up", place);
        return None;
    }
    Some(Lookup { table: table?, keys, output, local, update })
}

fn field(b: &Builder<'_>, pair: Pair<'_, Rule>) -> Option<LookupField> {
    let mut names = pair.into_inner().filter(|part| part.as_rule() != Rule::as_op).map(|part| words::name(b, &part));
    Some(LookupField { column: names.next()?, field: names.next() })
}

/// A name among keywords of the command.
struct Word<'a>(&'a Name);

impl Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let keyword = ["output", "outputnew"].iter().any(|keyword| self.0.text.eq_ignore_ascii_case(keyword));
        if keyword || !is_plain(&self.0.text) { Quoted(&self.0.text).fmt(f) } else { f.write_str(&self.0.text) }
    }
}

impl Display for LookupField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Word(&self.column))?;
        self.field.as_ref().map_or(Ok(()), |field| write!(f, " AS {}", Word(field)))
    }
}

impl Display for Lookup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("lookup")?;
        option(f, "local", self.local)?;
        option(f, "update", self.update)?;
        write!(f, " {} {}", Word(&self.table), Separated(&self.keys, ", "))?;
        if let Some(LookupOutput { only_new, fields }) = &self.output {
            f.write_str(if *only_new { " OUTPUTNEW" } else { " OUTPUT" })?;
            if !fields.is_empty() {
                write!(f, " {}", Separated(fields, ", "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::spl::testing::{canonical, errors};

    #[test]
    fn spellings_of_published_searches() {
        for (written, canonically) in [
            ("| lookup t k", "| lookup t k"),
            ("| lookup t k as x, j OUTPUT a as b c", "| lookup t k AS x, j OUTPUT a AS b, c"),
            ("| lookup update=true t.csv k output", "| lookup update=true t.csv k OUTPUT"),
            ("| lookup t k AS \"A B\" outputnew,a,b", "| lookup t k AS \"A B\" OUTPUTNEW a, b"),
            ("| lookup t a AS b c,e Output x,y,", "| lookup t a AS b, c, e OUTPUT x, y"),
            ("| lookup local=1 t \"output\" output a", "| lookup local=true t \"output\" OUTPUT a"),
            ("| lookup \"my table.csv\" k", "| lookup \"my table.csv\" k"),
        ] {
            assert_eq!(canonical(written), canonically, "{written}");
        }
    }

    #[test]
    fn a_lookup_needs_a_table_and_a_key() {
        assert!(errors("| lookup").contains("`lookup` needs a table"), "{}", errors("| lookup"));
        assert!(errors("| lookup t").contains("a field name"), "{}", errors("| lookup t"));
        assert!(errors("| lookup t OUTPUT x").contains("a field name"));
        assert!(errors("| lookup t k updte=true").contains("did you mean `update`?"));
        assert!(errors("| lookup local=maybe t k").contains("`local` takes true or false"));
    }
}
