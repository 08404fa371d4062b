use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::knowledge::Conf;

const CONF: &str = r#"
[sysmon]
definition = sourcetype=xml OR source=xml
[wrapped]
definition = (`sysmon`) `limit(5)`
[limit(1)]
args = n
definition = | head $n$ $other$ $$
[limit(2)]
args = a, b
definition = $a$,$b$,$a$ "$b$"
[loop]
definition = x `pool`
[pool]
definition = y `loop`
[grow(1)]
args = x
definition = `grow($x$$x$)`
[long(1)]
args = x
definition = `long(1$x$)`
[twice]
definition = `none``none`
[none]
definition =
[quoted]
definition = eval x="`sysmon`"
[broken]
args = a
definition = x
[inner]
definition = a `missing`
[pick(1)]
args = f
definition = if(f=="*", "index=*", "`limit($f$)` field=\"".f."\"")
iseval = 1
[down(1)]
args = n
definition = if($n$ < 1, "end", "`down(".tostring($n$ - 1).")`")
iseval = 1
[count]
definition = 1+1
iseval = 1
[port(1)]
args = p
definition = port=$p$
validation = isnum($p$) AND p < 65536
errormsg = a port is a number below 65536
[word(1)]
args = w
definition = $w$
validation = if(match(w, "^\w+$"), null(), "no word: " . w)
[fault]
definition = eval a= | stast count
"#;

fn expanded(text: &str) -> Expanded {
    let clock = Clock { now: Timestamp::UNIX_EPOCH, time_zone: TimeZone::UTC };
    Macros::of(&Conf::read(CONF)).expand(text, &clock)
}

/// The expanded text, or what is wrong.
fn shown(text: &str) -> String {
    let expanded = expanded(text);
    if !expanded.failed() {
        return expanded.text;
    }
    expanded.errors.iter().fold(String::new(), |mut out, error| {
        let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        let _ = write!(out, "{:?} {}{help}", error.span.range(), error.message);
        out
    })
}

#[test]
fn text_is_replaced() {
    assert_eq!(shown("`sysmon` a=1"), "sourcetype=xml OR source=xml a=1");
    assert_eq!(shown("` wrapped `"), "(sourcetype=xml OR source=xml) | head 5 $other$ $$");
    assert_eq!(shown(r#"`limit("a, \"b\"", $a$)`"#), r#"a, "b",$a$,a, "b" "$a$""#);
    assert_eq!(shown("x=\"`sysmon`\" ```the `sysmon` ``` y"), "x=\"`sysmon`\" ```the `sysmon` ``` y");
    assert_eq!(shown("`quoted`"), "eval x=\"`sysmon`\"");
    assert_eq!(shown("a`twice`b"), "ab");
}

#[test]
fn undefined_filters_keep_every_row() {
    let expanded = expanded("a | `some_rule_filter`");
    assert_eq!(expanded.text, "a | search *");
    let notes = expanded.report(Vec::new());
    assert_eq!(notes[0].message, "the macro `some_rule_filter` is not defined: it keeps every row");
    assert_eq!(notes[0].span.range(), 4..22);
    assert!(shown("`some_rule_filter(1)`").contains("is not defined (with 1 argument)"));
}

#[test]
fn what_cannot_be_replaced() {
    let help = "`--macros FILE` reads a macros.conf that defines it";
    assert_eq!(shown("a `sysmom`"), format!("2..10 the macro `sysmom` is not defined (did you mean `sysmon`? {help})"));
    assert_eq!(shown("`inner`"), format!("0..7 the macro `missing` is not defined ({help}; it stands in `inner`)"));
    assert_eq!(shown("`limit`"), "0..7 the macro `limit` takes 1 argument or 2 arguments, not no arguments");
    assert_eq!(shown("`sysmon(1)`"), "0..11 the macro `sysmon` takes no arguments, not 1 argument");
    assert_eq!(shown("`broken`"), "0..8 the macro `broken` takes no arguments but names 1");
    assert!(shown("`a(`").contains("do not end in a parenthesis"));
}

#[test]
fn what_never_ends_is_refused() {
    assert_eq!(shown("`loop`"), "0..6 the macro `loop` calls itself: `loop` → `pool` → `loop`");
    assert!(shown("`grow(x)`").contains("stand for more than 16777216 bytes"), "{}", shown("`grow(x)`"));
    assert!(shown("`long(x)`").contains("more than 100 deep: `long` → `long` → … → `long`"));
    let mut conf = String::new();
    for level in 0..90 {
        let _ = write!(conf, "[m{level}]\ndefinition = `m{next}``m{next}`\n", next = level + 1);
    }
    conf.push_str("[m90]\ndefinition =\n");
    let clock = Clock { now: Timestamp::UNIX_EPOCH, time_zone: TimeZone::UTC };
    let many = Macros::of(&Conf::read(&conf)).expand("`m0`", &clock);
    assert!(many.errors[0].message.contains("more than 10000 calls"));
}

#[test]
fn expressions_give_the_text() {
    assert_eq!(shown("`pick(*)`"), "index=*");
    assert_eq!(shown("`pick(ab)`"), "| head ab $other$ $$ field=\"ab\"");
    assert_eq!(shown("`down(3)`"), "end");
    assert!(shown("`count`").contains("`count` cannot be used: it gives a number"), "{}", shown("`count`"));
    assert!(shown("`down(x y)`").contains("`down` cannot be used: "), "{}", shown("`down(x y)`"));
}

#[test]
fn arguments_are_validated() {
    assert_eq!(shown("`port(80)`"), "port=80");
    let refused = "the arguments of the macro `port` are refused: a port is a number below 65536";
    assert_eq!(shown("`port(70000)`"), format!("0..13 {refused}"));
    assert_eq!(shown("`word(ab)`"), "ab");
    assert!(shown("`word(\"a b\")`").ends_with("are refused: no word: a b"));
}

#[test]
fn places_are_those_of_the_users_text() {
    let text = "`sysmon` | stast | `fault` | evil `none`";
    let findings = expanded(text).parse().unwrap_err();
    let shown: Vec<_> = findings.iter().map(|f| (&text[f.span.range()], f.help.as_deref().unwrap_or(""))).collect();
    assert_eq!(
        shown,
        [
            ("stast", "did you mean \"stats\"?"),
            ("`fault`", shown[1].1),
            ("`fault`", "did you mean \"stats\"? `fault` stands for `eval a= | stast count`"),
            ("evil", "did you mean \"eval\"?"),
        ]
    );
}

#[test]
fn offsets_lead_back() {
    let expanded = expanded("a `none` b `sysmon` c");
    assert_eq!(expanded.text, "a  b sourcetype=xml OR source=xml c");
    let original = |start, end| expanded.original(start, end).range();
    assert_eq!(original(0, 1), 0..1);
    assert_eq!(original(3, 4), 9..10);
    assert_eq!(original(5, 15), 11..19);
    assert_eq!(original(3, 15), 9..19);
    assert_eq!(original(20, 35), 11..21);
    assert_eq!(original(34, 35), 20..21);
    assert_eq!(original(35, 35), 21..21);
    assert_eq!(original(5, 5), 11..19);
}

#[test]
fn other_findings_show_beside_undefined_macros() {
    let findings = expanded("`gone` | stast").parse().unwrap_err();
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::UnknownMacro, Code::UnknownCommand]);
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_wild(text in "([`\"\\\\$(),a| ]|sysmon|limit|```|é|x_filter){0,30}", places in (0usize..99, 0usize..99)) {
        let expanded = expanded(&text);
        let place = expanded.original(places.0, places.1);
        proptest::prop_assert!(place.start <= place.end);
        if let Err(findings) = expanded.parse() {
            for finding in findings {
                proptest::prop_assert!(text.get(finding.span.range()).is_some(), "{:?}", finding);
            }
        }
    }
}
