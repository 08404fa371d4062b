//! `extract`: fields out of `key=value` pairs.
//!
//! Source: Splunk Search Reference, "extract".

use spelunk_grammar::spl::commands::extract::Extract;
use spelunk_grammar::{Code, Diagnostic, Span, Spanned};

use super::barrier::{self, Existing};
use super::frame::Frame;
use super::{PlanResult, Planner, spath};
use crate::documents::pairs::{self, Options};
use crate::documents::{Fields, Index, add};

/// Plans the command.
pub async fn plan(planner: &mut Planner<'_>, frame: &mut Frame, command: &Extract, span: Span) -> PlanResult<()> {
    let Extract { pairdelim, kvdelim, limit, maxchars, mv_add, clean_keys, auto, reload, segment, stanzas } = command;
    if let Some(stanza) = stanzas.first() {
        let message = format!("the extraction {:?} of a transforms.conf is not supported", stanza.text);
        return Err(unsupported(&message, stanza.span).into());
    }
    let set = |option: &Option<Spanned<bool>>, value: bool| {
        option.as_ref().filter(|option| option.node == value).map(|option| option.span)
    };
    for (refused, name) in
        [(set(auto, false), "auto=f"), (set(reload, true), "reload"), (set(segment, true), "segment")]
    {
        if let Some(span) = refused {
            return Err(unsupported(&format!("`{name}` is not supported"), span).into());
        }
    }
    let count = |option: &Option<u64>, default| option.map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let options = Options {
        pair_delimiters: pairdelim.as_ref().map(|characters| characters.node.as_str()),
        key_delimiters: kvdelim.as_ref().map(|characters| characters.node.as_str()),
        limit: count(limit, 50),
        characters: count(maxchars, 10_240),
        clean_keys: clean_keys.unwrap_or(true),
    };
    let several = mv_add.unwrap_or(false);
    let existing = if several { Existing::Extended } else { Existing::Kept };
    let source = spath::source(frame, None, span);
    barrier::extract(planner, frame, &source, existing, &|text| fields(text, &options, several)).await
}

fn fields(text: &str, options: &Options<'_>, several: bool) -> Fields {
    let (mut fields, mut index) = (Fields::new(), Index::new());
    for (key, value) in pairs::pairs(text, options) {
        if several || !index.contains_key(&key) {
            add(&mut fields, &mut index, &key, value);
        }
    }
    fields
}

fn unsupported(message: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::Unsupported, message, span).with_help("spelunk reads no Splunk configuration")
}
