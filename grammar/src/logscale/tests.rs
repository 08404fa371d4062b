//! Tests of the language as a whole.

use super::walk::Walk;
use super::{parse, parse_with_warnings, query, strict};
use crate::Span;

fn prints(text: &str, canonical: &str) {
    let tree = parse(text).unwrap_or_else(|found| panic!("{text}: {found:?}"));
    assert_eq!(tree.to_string(), canonical, "{text}");
    assert_eq!(parse(canonical).as_ref(), Ok(&tree), "{canonical}");
}

#[test]
fn or_binds_tighter_than_and() {
    prints("a=1 and b=1 or c=1", "a = 1 and (b = 1 or c = 1)");
    prints("foo and not bar or baz", "foo and (not bar or baz)");
    prints("where a AND b OR c", "where a and b or c");
}

#[test]
fn slashes_mean_what_their_place_says() {
    prints("https://www.example.com/", "https://www.example.com/");
    prints("https: //www.example.com/", "https:");
    prints("/fisk/i", "/fisk/i");
    prints("a:=m/fisk/i", "a := m / fisk / i");
    prints("foo=m/fisk/i", "foo = m/fisk/i");
    prints("repo.name=docker/* \n | x=1", "repo.name = docker/* | x = 1");
    prints(r"x=/\\Temp\\/i", r"x = /\\Temp\\/i");
    prints("foo < 42 + 3", "foo < 42 and + and 3");
}

#[test]
fn steps_and_extensions() {
    prints("|| a=1 ||| count() |", "a = 1 | count()");
    prints("case { a=1 | b:=2 ; * ; }", "case { a = 1 | b := 2; * }");
    prints("x match { /a/ => y := 1; !in(values=[1]) => * ; }", "x match { /a/ => y := 1; !in(values=[1]) => * }");
    prints("x := case { a => \"A\", * => 2 }", "x := case { a => \"A\"; * => 2; }");
    prints("F not in (\"a\", b*)", "F not in (\"a\", b*)");
    prints("a=1 b := c + 1", "a = 1 | b := c + 1");
    prints("x := A = /(?i)d/ AND B = \"v\"", "x := A = /(?i)d/ and B = \"v\"");
    prints("t >= now() - 1hour", "test(t >= now() - 1hour)");
    prints("test((a + b) * -c >= !d)", "test((a + b) * -c >= !d)");
    prints("in(?{v=\"1\"}, values=[?x])", "in(?{\"v\"=\"1\"}, values=[?{\"x\"}])");
}

#[test]
fn deep_nesting_is_refused_and_costs_no_stack() {
    for depth in [100, 1_000, 100_000] {
        for open in ["(", "f(", "x := [", "x := (", "case {", "f({", "x:=f({x:=f("] {
            assert!(parse(&open.repeat(depth)).is_err());
        }
        let closed = format!("{}a=1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&closed).is_err());
    }
    let bodies = format!("{}x=1{}", "f({a:=b and g({".repeat(30), "}) and c})".repeat(30));
    let _ = parse(&bodies);
    assert!(parse(&format!("a{}", " + a".repeat(10_000))).is_ok());
    assert!(parse(&format!("x := {}a", "-".repeat(10_000))).is_err());
}

#[test]
fn errors_name_what_was_found() {
    let found = parse("a=1 | host-name=*").unwrap_err();
    assert!(found[0].message.contains("syntax"), "{found:?}");
    assert!(found[0].help.is_some());
}

#[test]
fn usual_mistakes_get_a_suggestion() {
    for (text, wanted) in [
        ("host-name:=1", "in quotes"),
        ("a='x'", "double quotes"),
        ("a=\"x", "never closed"),
        ("a=/x", "never closed"),
        ("a=1 | groupBy(b, function=count()", "`(` is never closed"),
        ("groupBy([b)", "`[` is not closed"),
        ("f := concat([a,b] | select(f)", "`(` is not closed"),
        ("a <> 5", "`!=`"),
        ("a =! 1", "`!=`"),
        ("a=$q()", "stands alone"),
        ("$\"some name\"", "parentheses"),
        ("case { a=1 | b:=2, * }", "`;`"),
        ("a match { 1 => x:=1, * => * }", "`;`"),
        ("case { a=1 => x:=1; * => x:=2 }", "`=>` belongs to"),
        ("a=1 x:=a select(x)", "a `|`"),
    ] {
        let found = parse(text).unwrap_err();
        let help = found[0].help.as_deref().unwrap_or_default();
        assert!(help.contains(wanted), "{text}: {found:?}");
        assert!(found[0].span.start <= text.len() && found[0].span.end <= text.len(), "{text}");
    }
}

#[test]
fn what_reads_otherwise_is_told() {
    let warnings = |text: &str| parse_with_warnings(text).map(|(_, warnings)| warnings).unwrap();
    let mixed = warnings("a=1 or b=2 c=3");
    assert!(mixed[0].message.ends_with("this reads as (a = 1 or b = 2) and c = 3"), "{mixed:?}");
    assert!(warnings("a=1 and b=1 or c=1")[0].message.contains("OR binds tighter than AND"));
    assert!(warnings("a=1 || b=1")[0].message.contains("`||` is a pipe"));
    for text in ["(a=1 or b=2) c=3", "a=1 or b=2", "a=1 b=2", "a=1 || count()", "a=1 |\n| b=1", "a=1 and (b=1 or c=1)"]
    {
        assert_eq!(warnings(text), [], "{text}");
    }
}

#[test]
fn strict_reading_refuses_extensions() {
    let found = |text: &str| strict::deviations(&parse(text).unwrap(), text);
    for (text, message) in [
        ("x in (\"a\", b)", "infix `in` is not CQL; write in(field=x, values=[...])"),
        ("y := F in (\"a\")", "infix `in` is not CQL; write in(field=F, values=[...])"),
        ("where a", "the word `where` is read as free text"),
        ("x := F = \"v\"", "`=` is no operator of expressions"),
        ("x := a AND b", "expressions have no `and`, `or` and `not`"),
        ("x := case { a => 1 }", "`case` is a step"),
        ("length(x) > 5", "is not compared in a filter"),
        ("f = lower(x)", "`=` compares with text"),
        ("f =~ /x/", "`=~` applies a function"),
        ("a == 1", "`==` belongs to expressions"),
        ("in(a, values=[1]) or b=2", "cannot stand under `or`"),
        ("a=1 x := a", "no `|` before"),
        ("groupBy(a, function={ where b | count() })", "the word `where`"),
    ] {
        let found = found(text);
        assert!(found.len() == 1 && found[0].message.contains(message), "{text}: {found:?}");
    }
    let vendors = "a=1 (b=2 or c=/x/i) | d := e + 1 | f =~ in(values=[1]) | test(a == b) \n| case { a=1 | x := 2; * }\n\
                   | in(field=x, values=[a]) | \"where\" | g match { 1 => *; } | !cidr(ip, subnet=[\"10.0.0.0/8\"])";
    assert_eq!(found(vendors), []);
}

#[test]
fn every_part_of_a_tree_is_walked() {
    struct Names(Vec<String>);
    impl Walk for Names {
        fn parameter(&mut self, parameter: &mut query::Parameter, _: Span) {
            self.0.push(parameter.name.clone());
        }
    }
    let text = "a=?p1 or not ?p2 | f(?p3, [?p4, n := g(?p5)], {b=?p6}, x=-(?p7 + 1)) | c =~ in(values=[?p8]) | \
                case { d=?p9; * } | e match { ?p10 => g := ?p11; h(?p12) => * } | [k(?p13)] | $q(a=?p14) | \
                where l in (?p15) and m = ?p16 or n == ?p17 | o := case { ?p18 => ?p19 } | length(?p20) > ?p21 | \
                correlate(s: {t=?p22} include: [?p23]) | u in (?p24)";
    let mut names = Names(Vec::new());
    names.pipeline(&mut parse(text).unwrap().pipeline);
    let wanted: Vec<String> = (1..=24).map(|number| format!("p{number}")).collect();
    assert_eq!(names.0, wanted);
}
