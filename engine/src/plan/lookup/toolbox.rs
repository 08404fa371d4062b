//! The lookups of the URL Toolbox that published searches use: scripts there, functions here.
//!
//! Source: Splunkbase, "URL Toolbox", documentation of `ut_shannon_lookup`.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::lit;
use spelunk_grammar::spl::commands::lookup::Lookup;
use spelunk_grammar::{Code, Diagnostic};

use super::ExpressionPlanner;
use crate::functions::logscale::digests;
use crate::lookups::Lookups;
use crate::plan::PlanResult;
use crate::plan::frame::Frame;

/// Shannon's entropy of a word, in bits a character.
const SHANNON: &str = "ut_shannon_lookup";
/// The column that holds the word.
const WORD: &str = "word";
/// The column that holds the entropy.
const ENTROPY: &str = "ut_shannon";

/// Plans a lookup of the toolbox; `None` for any other, and where files or apps define one of that name.
pub fn plan(lookups: &Lookups, frame: &mut Frame, command: &Lookup) -> Option<PlanResult<()>> {
    let of_toolbox = command.table.text == SHANNON && lookups.is_missing(SHANNON);
    of_toolbox.then(|| shannon(frame, command))
}

fn shannon(frame: &mut Frame, command: &Lookup) -> PlanResult<()> {
    let Lookup { table, keys, output, local: _, update: _ } = command;
    let wrong = |message: String, span| Diagnostic::error(Code::InvalidArgument, message, span);
    let [key] = keys.as_slice() else {
        let error = wrong(format!("the lookup {SHANNON:?} takes one key"), table.span);
        return Err(error.with_help(format!("write `lookup {SHANNON} {WORD} AS field`")).into());
    };
    if key.column.text != WORD {
        let error = wrong(format!("the lookup {SHANNON:?} has no column {:?}", key.column.text), key.column.span);
        return Err(error.with_help(format!("its key is {WORD:?}, and it gives {ENTROPY:?}")).into());
    }
    let mut targets = vec![(ENTROPY.to_owned(), table.span)];
    if let Some(output) = output.as_ref().filter(|output| !output.fields.is_empty()) {
        targets.clear();
        for field in &output.fields {
            if field.column.text != ENTROPY {
                let error =
                    wrong(format!("the lookup {SHANNON:?} has no column {:?}", field.column.text), field.column.span);
                return Err(error.with_help(format!("it gives {ENTROPY:?}")).into());
            }
            targets.push((field.field().text.clone(), field.field().span));
        }
    }
    let only_new = output.as_ref().is_some_and(|output| output.only_new);
    targets.retain(|(name, _)| !only_new || frame.data_type(name).is_none());
    let word = ExpressionPlanner::new(frame).field(&key.field().text, key.field().span);
    let found = digests::ENTROPY.call(vec![word.text()], table.span).expr;
    let value = if frame.setting.planning { lit(ScalarValue::Float64(None)) } else { found };
    frame.set(targets.into_iter().map(|(name, _)| (name, value.clone())).collect())?;
    Ok(())
}
