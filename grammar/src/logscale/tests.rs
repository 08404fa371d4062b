//! Tests of the language as a whole.

use super::parse;

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
