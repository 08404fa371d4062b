#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::fold::{fold, unfold};
use super::*;
use crate::store::builder::{Block, BlockBuilder};

const STYLES: [Style; 6] =
    [Style::Verbatim, Style::Json, Style::AsciiJson, Style::SlashedJson, Style::Xml, Style::QuotedXml];

/// A block of events that have a text and the fields that stand in it.
fn block(events: &[(&str, &[(&str, &str)])]) -> Block {
    let mut builder = BlockBuilder::new();
    for (row, (text, fields)) in events.iter().enumerate() {
        builder.begin("s", "1", 0, row as i64);
        let raw = builder.name("_raw");
        builder.put(raw, text);
        for (name, value) in *fields {
            let name = builder.name(name);
            builder.put(name, value);
        }
    }
    builder.finish()
}

fn column<'b>(block: &'b Block, name: &str) -> Vec<Option<&'b str>> {
    let piece = &block.pieces[0];
    match piece.columns.iter().find(|(known, _)| **known == *name) {
        Some((_, column)) => (0..piece.rows()).map(|row| column.at(row)).collect(),
        None => vec![None; piece.rows()],
    }
}

#[test]
fn values_of_fields_are_taken_out_and_put_back() {
    let events: &[(&str, &[(&str, &str)])] = &[
        (r#"{"a":"x\\y","b":7,"c":"q"}"#, &[("a", "x\\y"), ("b", "7")]),
        (r#"{"a":"z","b":8,"c":"q"}"#, &[("a", "z"), ("b", "8")]),
        (r#"{"a":"z","b":8.0,"c":"r"}"#, &[("a", "z"), ("b", "8")]),
    ];
    let mut block = block(events);
    assert_eq!(fold(&mut block), 0);
    let first = "{\"a\":\"\u{1}ja\u{1}\",\"b\":\u{1}vb\u{1},\"c\":\"q\"}";
    assert_eq!(column(&block, SKELETON)[..2], [Some(first), Some(first)]);
    assert_eq!(column(&block, "_raw")[..2], [None, None]);
    unfold(&mut block.pieces[0]);
    assert_eq!(column(&block, "_raw"), events.iter().map(|(text, _)| Some(*text)).collect::<Vec<_>>());
    assert_eq!(column(&block, SKELETON), vec![None; 3]);
}

#[test]
fn a_value_that_is_no_field_and_varies_is_kept_beside() {
    let texts: Vec<String> = (0..40).map(|n| format!("<E><T At='{n}'/><D>v{n}</D><C>same</C></E>")).collect();
    let values: Vec<String> = (0..40).map(|n| format!("v{n}")).collect();
    let fields: Vec<[(&str, &str); 1]> = values.iter().map(|value| [("D", value.as_str())]).collect();
    let events: Vec<(&str, &[(&str, &str)])> =
        texts.iter().zip(&fields).map(|(text, fields)| (text.as_str(), fields.as_slice())).collect();
    let mut block = block(&events);
    fold(&mut block);
    assert_eq!(column(&block, SKELETON)[39], Some("<E><T At='\u{1}g\u{1}'/><D>\u{1}xD\u{1}</D><C>same</C></E>"));
    assert_eq!(column(&block, GAPS)[39], Some("39"));
    unfold(&mut block.pieces[0]);
    assert_eq!(column(&block, "_raw"), texts.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_taken_apart_stays() {
    let events: &[(&str, &[(&str, &str)])] = &[
        ("a line of text", &[("a", "line")]),
        ("{\"a\":\"b\u{1}\"}", &[("a", "b\u{1}")]),
        ("{", &[]),
        ("{\"a", &[]),
        ("<a b=", &[]),
        ("<a b='c", &[]),
        ("", &[]),
    ];
    let mut block = block(events);
    fold(&mut block);
    assert_eq!(column(&block, "_raw"), events.iter().map(|(text, _)| Some(*text)).collect::<Vec<_>>());
}

#[test]
fn a_log_cannot_bring_skeletons_of_its_own() {
    let mut block = block(&[("{\"_raw_gaps\":\"x\"}", &[(GAPS, "x"), (SKELETON, "y")])]);
    assert_eq!(fold(&mut block), 2);
    unfold(&mut block.pieces[0]);
    assert_eq!(column(&block, "_raw"), [Some("{\"_raw_gaps\":\"x\"}")]);
}

#[test]
fn a_skeleton_that_is_damaged_is_none() {
    let any = |name: &str| Some(name.to_owned());
    for text in ["a\u{1}", "a\u{1}\u{1}", "a\u{1}zname\u{1}", "a\u{1}gx\u{1}", "a\u{1}jname"] {
        assert_eq!(parsed(text, any), None, "{text:?}");
    }
    assert_eq!(parsed("a\u{1}jname\u{1}", |_| None::<usize>), None);
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{0,4}",
        "\\PC{0,6}",
        Just("\u{0}\u{1f}\"\\/<>&'é\u{10ffff}".to_owned()),
        "[0-9]{1,3}",
        Just(String::new())
    ]
}

/// A text that has some of the values in some form, whole or broken.
fn document() -> impl Strategy<Value = (String, Vec<(String, String)>)> {
    let pairs = proptest::collection::vec(("[a-d]", value(), 0..8_usize), 0..6);
    (pairs, any::<bool>(), any::<u8>()).prop_map(|(pairs, is_json, cut)| {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut parts = Vec::new();
        for (name, value, form) in pairs {
            let written = STYLES.get(form).map_or(value.clone(), |style| style.written(&value).into_owned());
            parts.push(match is_json {
                true if form == 0 => format!("\"{name}\":{written}"),
                true => format!("\"{name}\": \"{written}\""),
                false if form % 2 == 0 => format!("<{name}>{written}</{name}>"),
                false => format!("<Data Name='{name}' x=\"{written}\">{written}</Data>"),
            });
            if form != 6 {
                fields.push((name, value));
            }
        }
        let mut text = if is_json { format!("{{{}}}", parts.join(",")) } else { format!("<E>{}</E>", parts.join("")) };
        if cut < 40 {
            let end = (0..=text.len() - usize::from(cut).min(text.len())).rfind(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        (text, fields)
    })
}

proptest! {
    #[test]
    fn every_text_comes_out_again(documents in proptest::collection::vec(document(), 1..24)) {
        let fields: Vec<Vec<(&str, &str)>> = documents
            .iter()
            .map(|(_, fields)| fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
            .collect();
        let events: Vec<(&str, &[(&str, &str)])> =
            documents.iter().zip(&fields).map(|((text, _), fields)| (text.as_str(), fields.as_slice())).collect();
        let mut block = block(&events);
        fold(&mut block);
        unfold(&mut block.pieces[0]);
        let texts: Vec<Option<&str>> = documents.iter().map(|(text, _)| Some(text.as_str())).collect();
        prop_assert_eq!(column(&block, "_raw"), texts);
    }

    #[test]
    fn what_is_printed_is_read(parts in proptest::collection::vec((0..3_u8, "[a-z\"]{1,3}", 0..6_usize), 0..6)) {
        let mut skeleton: Vec<Part<String>> = Vec::new();
        for (kind, text, style) in parts {
            match kind {
                0 if matches!(skeleton.last(), Some(Part::Text(_))) => {}
                0 => skeleton.push(Part::Text(text)),
                1 => skeleton.push(Part::Field(text, STYLES[style])),
                _ => skeleton.push(Part::Gap),
            }
        }
        let text = printed(&skeleton, |name| Some(name.clone())).unwrap();
        prop_assert_eq!(parsed(&text, |name| Some(name.to_owned())), Some(skeleton));
    }
}
