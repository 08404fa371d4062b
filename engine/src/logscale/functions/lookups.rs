//! Rows looked up in tables: `match` and its older form `lookup`.

use datafusion::logical_expr::{Expr, lit};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::rows::{Effect, Rows};
use super::super::steps::joins;
use super::super::tables::{self, Found, Manner, Named};
use super::{Function, Makes};
use crate::lookups::definition::MatchType;
use crate::plan::expression::{ExpressionPlanner, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "lookup",
        parameters: &["field", "on", "file", "column", "include", "strict", "ignoreCase"],
        makes: Makes::Row(matched),
    },
    Function {
        name: "match",
        parameters: &["file", "table", "field", "column", "include", "strict", "mode", "glob", "ignoreCase", "nrows"],
        makes: Makes::With(
            "nrows",
            &Makes::Step(|run, frame, a| Box::pin(async move { joins::match_several(run, frame, a) })),
            &Makes::Row(matched),
        ),
    },
];

/// What a call of `match` asks for.
pub struct Request {
    /// The table.
    pub table: Named,
    /// The fields that are looked up.
    pub fields: Vec<Spanned<String>>,
    /// The columns that have to agree with them.
    pub columns: Vec<Spanned<String>>,
    /// The columns that become fields.
    pub include: Vec<Spanned<String>>,
    /// Whether rows that find nothing are dropped.
    pub strict: bool,
    /// How they are compared.
    pub manner: Manner,
}

impl Request {
    /// Out of the arguments.
    ///
    /// # Errors
    /// What is wrong with them; no such table or column.
    pub fn of(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Self, Diagnostic> {
        let table = Named::open(rows.frame, table_name(a)?)?;
        // What `field` was called before.
        let fields = match a.names("on")? {
            Some(fields) => fields,
            None => a.need_names("field")?,
        };
        let columns = a.names("column")?.unwrap_or_else(|| fields.clone());
        let include = match (a.names("include")?, &table.table) {
            (Some(names), known) if names.iter().any(|name| name.node == "*") => {
                known.as_ref().map(|table| every(table.names(), &fields, &names)).unwrap_or_default()
            }
            (Some(names), _) => names,
            (None, Some(content)) => every(content.names(), &fields, &fields),
            (None, None) => Vec::new(),
        };
        let strict = a.flag("strict", true)?;
        let mut mode = match a.choice("mode", &["string", "cidr", "glob"])? {
            "cidr" => MatchType::Cidr,
            "glob" => MatchType::Wildcard,
            _ => MatchType::Exact,
        };
        // What `mode=glob` was called before.
        if a.flag("glob", false)? {
            mode = MatchType::Wildcard;
        }
        let manner = Manner { mode, any_case: a.flag("ignoreCase", false)? };
        Ok(Self { table, fields, columns, include, strict, manner })
    }
}

/// Every column, but for one that is named as the field that is looked up.
fn every<'n>(
    names: impl Iterator<Item = &'n str>,
    fields: &[Spanned<String>],
    places: &[Spanned<String>],
) -> Vec<Spanned<String>> {
    let place = places.first().map(|place| place.span).unwrap_or_default();
    let others = names.filter(|name| fields.iter().all(|field| field.node != *name));
    others.map(|name| Spanned::new(name.to_owned(), place)).collect()
}

fn table_name(a: &Arguments<'_>) -> Result<Spanned<String>, Diagnostic> {
    match a.text("table")? {
        Some(name) => Ok(name),
        None => a.need_text("file"),
    }
}

fn matched(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    a.without_name()?;
    let Request { table, fields, columns, include, strict, manner } = Request::of(rows, a)?;
    let Found { there, values } = tables::find(rows, &table, &fields, &columns, &include, manner)?;
    let expressions = ExpressionPlanner::new(rows.frame);
    let set = include.into_iter().zip(values).map(|(name, value)| {
        // A cell of a file that holds nothing is an empty text.
        let value = match table.file && table.table.is_some() && !rows.frame.setting.planning {
            true => {
                let span = value.span;
                let empty = Typed::new(lit(""), crate::plan::expression::Kind::Literal, span);
                let present = value.expr.clone().is_not_null();
                expressions.choice(vec![(present, value), (there.clone(), empty)], None, span)
            }
            false => value,
        };
        (name.node, value)
    });
    let set = set.collect();
    Ok(Effect { keep: strict.then_some(there), set, ..Effect::default() })
}

/// Whether the field is in a column of a file, for `in` and `cidr`; `None` where the call names no file.
///
/// # Errors
/// No such file or column.
pub fn in_file(
    rows: &Rows<'_>,
    a: &Arguments<'_>,
    field: &Spanned<String>,
    manner: Manner,
) -> Result<Option<Expr>, Diagnostic> {
    let Some(file) = a.text("file")? else { return Ok(None) };
    let table = Named::open(rows.frame, file)?;
    let column = a.text("column")?.unwrap_or_else(|| field.clone());
    let found = tables::find(rows, &table, std::slice::from_ref(field), &[column], &[], manner)?;
    Ok(Some(found.there))
}
