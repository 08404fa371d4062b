//! Numbers whose bits are flags.

use datafusion::logical_expr::{Expr, lit, when};
use spelunk_grammar::{Diagnostic, Spanned};

use super::super::arguments::Arguments;
use super::super::filter::text_of;
use super::super::rows::{Effect, List, Rows};
use super::support::bits_and_names;
use super::{Function, Makes};
use crate::functions::logscale::{self, lists, numbers};
use crate::plan::expression::{Kind, Typed};

/// The family.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "bitfield:extractFlags",
        parameters: &["field", "output", "onlyTrue"],
        makes: Makes::Row(as_fields),
    },
    Function {
        name: "bitfield:extractFlagsAsArray",
        parameters: &["field", "flagNames", "asArray"],
        makes: Makes::Row(as_array),
    },
    Function {
        name: "bitfield:extractFlagsAsString",
        parameters: &["field", "flagNames", "separator", "as"],
        makes: Makes::Value("_flags", as_string),
    },
];

fn as_fields(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let field = a.need_field()?;
    let only_true = a.flag("onlyTrue", false)?;
    let value = text_of(&rows.field(&field.node, field.span));
    let mut effect = Effect::default();
    for (bit, name, span) in bits_and_names(a.need("output")?)? {
        let set = numbers::bit(value.clone(), bit, span);
        let set = match only_true {
            false => set,
            true => {
                let text = when(set.expr, lit("true")).end().unwrap_or_else(|_| lit("true"));
                Typed::new(text, Kind::Text, span)
            }
        };
        effect.set.push((name, set));
    }
    Ok(effect)
}

/// The flags that are set, how many there may be, and whether the field is a number at all.
fn flags(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<(Expr, usize, Expr), Diagnostic> {
    let field = a.need_field()?;
    let value = text_of(&rows.field(&field.node, field.span));
    let mut names: Vec<(u32, String)> =
        bits_and_names(a.need("flagNames")?)?.into_iter().map(|(bit, name, _)| (bit, name)).collect();
    names.sort_by_key(|(bit, _)| *bit);
    let known = numbers::bit(value.clone(), 0, a.span()).expr.is_not_null();
    Ok((lists::flags(value, &names, a.span()), names.len(), known))
}

fn as_array(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Effect, Diagnostic> {
    let (values, most, _) = flags(rows, a)?;
    let target = a.text("asArray")?.unwrap_or_else(|| Spanned::new("_flags[]".to_owned(), a.span()));
    let names = super::arrays::output_names(rows, &target, most);
    Ok(Effect { lists: vec![List { names, values, keeps_rest: false, span: a.span() }], ..Effect::default() })
}

fn as_string(rows: &Rows<'_>, a: &Arguments<'_>) -> Result<Typed, Diagnostic> {
    let (values, most, known) = flags(rows, a)?;
    let separator = a.text("separator")?.map_or_else(|| " ".to_owned(), |separator| separator.node);
    let texts = (0..most).map(|position| lists::element(values.clone(), position, a.span()).expr).collect();
    let names = logscale::join(&separator, texts, a.span()).expr;
    // No flag that is set is an empty text.
    let mut none = when(names.clone().is_null().and(known), lit(""));
    let text = none.otherwise(names).unwrap_or_else(|_| super::support::null());
    Ok(Typed::new(text, Kind::Text, a.span()))
}
