//! Tests of whole queries: precedence, structure, diagnostics, hostile input.

use super::commands::{CommandKind, commands, is_supported, refused_commands};
use super::expression::MacroCall;
use super::search::{Comparison, Literal, Matching, Operand, SearchExpression};
use super::testing::{canonical, errors, last, verified};
use super::{Query, parse};
use crate::{Code, Span};

fn search(query: &str) -> SearchExpression {
    match last(query) {
        CommandKind::Search(search) => search.expression.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn literals(expression: &SearchExpression) -> Vec<&Literal> {
    match expression {
        SearchExpression::And(all) | SearchExpression::Or(all) => all.iter().flat_map(literals).collect(),
        SearchExpression::Not(inner) => literals(inner),
        SearchExpression::Comparison(Comparison { value: Operand::Literal(literal), .. }) => vec![literal],
        SearchExpression::In(list) => list.values.iter().collect(),
        SearchExpression::Term(literal) => vec![literal],
        _ => Vec::new(),
    }
}

fn texts(query: &str) -> Vec<String> {
    literals(&search(query)).into_iter().map(|literal| literal.text.clone()).collect()
}

#[test]
fn or_binds_tighter_than_and_in_search() {
    assert_eq!(canonical("a=1 AND b=2 OR c=3"), "search a=1 AND (b=2 OR c=3)");
    assert_eq!(canonical("a b OR c d"), "search a AND (b OR c) AND d");
    assert_eq!(canonical("NOT a=1 b OR NOT NOT c"), "search NOT a=1 AND (b OR NOT NOT c)");
    assert_eq!(canonical("((a) (b OR c))"), "search a AND (b OR c)");
}

#[test]
fn and_binds_tighter_than_or_in_expressions() {
    assert_eq!(canonical("| where a=1 and (b=2 or c=3) XOR d"), "| where a = 1 AND (b = 2 OR c = 3) XOR d");
    assert_eq!(canonical("| eval x=+4 - +-y"), "| eval x=4 - -y");
    assert_eq!(canonical("| where (a OR b) AND c"), "| where (a OR b) AND c");
    assert_eq!(canonical("| where a OR b AND NOT c OR d"), "| where a OR (b AND NOT c) OR d");
    assert_eq!(canonical("| where a AND b XOR c"), "| where (a AND b) XOR c");
    assert_eq!(canonical("| where a OR b AND (c OR d)"), "| where a OR b AND (c OR d)");
    assert_eq!(canonical("| eval x=(1+2)*3-(4-5)-6"), "| eval x=(1 + 2) * 3 - (4 - 5) - 6");
    assert_eq!(canonical("| eval x=-a.b+c*.5%1e3"), "| eval x=-a . b + c * .5 % 1e3");
    assert_eq!(
        canonical("| where !match(a, \"b\") AND NOT c IN (1,2)"),
        "| where NOT match(a, \"b\") AND NOT c IN (1, 2)"
    );
    assert_eq!(canonical("| where in(a, 1, 2) AND a not in(3)"), "| where a IN (1, 2) AND NOT a IN (3)");
    assert_eq!(canonical("| where a=(b=c) AND (d AND (e AND f))"), "| where a = (b = c) AND (d AND (e AND f))");
}

#[test]
fn the_dcom_detection_has_its_documented_shape() {
    let query = concat!(
        "index=wineventlog sourcetype=\"XmlWinEventLog:Microsoft-Windows-Sysmon/Operational\" EventCode=1\n",
        "(\n(ParentImage=\"*\\\\mmc.exe\" OR ParentImage=\"*\\\\excel.exe\")\nAND\n(Image=\"*\\\\cmd.exe\"))\n",
        "OR\n(\nImage=\"*\\\\dcomcnfg.exe\"\n)\nOR\n(\nCommandLine=\"*-Exec*\" AND CommandLine=\"*DCOM*\"\n)\n",
    );
    let SearchExpression::And(all) = search(query) else { panic!() };
    let [_, _, _, SearchExpression::Or(any)] = all.as_slice() else { panic!("{all:?}") };
    let [SearchExpression::And(_), SearchExpression::Comparison(image), SearchExpression::And(_)] = any.as_slice()
    else {
        panic!("{any:?}")
    };
    let Operand::Literal(value) = &image.value else { panic!() };
    assert_eq!((value.text.as_str(), value.quoted), ("*\\dcomcnfg.exe", true));
}

#[test]
fn escapes_are_resolved_in_values() {
    let query = r#"a="*\\cmd.exe" b="*\cmd.exe" c="say \"hi\"" d=*\\x\y e="x\\" f="a\|b""#;
    assert_eq!(texts(query), ["*\\cmd.exe", "*\\cmd.exe", "say \"hi\"", "*\\x\\y", "x\\", "a|b"]);
}

#[test]
fn values_run_to_the_next_blank() {
    let query = "src=10.0.0.0/8 t=-1d@d-2h u=http://a.b/c?d=e&f=g w=$token$ x=a,b y=c, z>=5 (p=q)";
    assert_eq!(texts(query), ["10.0.0.0/8", "-1d@d-2h", "http://a.b/c?d=e&f=g", "$token$", "a,b", "c", "5", "q"]);
}

#[test]
fn lists_directives_and_odd_names() {
    assert_eq!(canonical("a IN(1, \"b c\" d*)"), "search a IN (1, \"b c\", d*)");
    assert_eq!(canonical("a NOT IN (1)"), "search NOT a IN (1)");
    assert_eq!(canonical("TERM(1.2) f=CASE(\"X y\") CASE(Z)"), "search TERM(1.2) AND f=CASE(\"X y\") AND CASE(Z)");
    assert_eq!(
        canonical("\"Account Name\" = bob tag::host=x a.b{}-c:d=1"),
        "search \"Account Name\"=bob AND tag::host=x AND a.b{}-c:d=1"
    );
    assert_eq!(literals(&search("TERM(x)")).first().unwrap().matching, Matching::Term);
}

#[test]
fn lower_case_operators_are_keywords() {
    assert_eq!(texts("a and b or not c"), ["a", "and", "b", "or", "not", "c"]);
    assert_eq!(texts("ANDroid ORacle NOThing"), ["ANDroid", "ORacle", "NOThing"]);
}

#[test]
fn an_empty_group_matches_everything() {
    assert_eq!(search("()"), SearchExpression::And(Vec::new()));
    assert_eq!(canonical("NOT ( ) a"), "search NOT () AND a");
}

#[test]
fn macros_stand_for_terms_and_operands() {
    let SearchExpression::And(all) = search("`sysmon` `f(a, \"b, c\", if(x,y))` `g()`") else { panic!() };
    let call = |name: &str, arguments: Option<&[&str]>| {
        let arguments = arguments.map(|all| all.iter().map(ToString::to_string).collect());
        SearchExpression::Macro(MacroCall { name: name.into(), arguments, span: Span::default() })
    };
    assert_eq!(all, [call("sysmon", None), call("f", Some(&["a", "b, c", "if(x,y)"])), call("g", Some(&[]))]);
    assert_eq!(canonical("| where `m` AND a=`n(1)`"), "| where `m` AND a = `n(1)`");
}

#[test]
fn commands_wait_for_their_macros() {
    let query = "index=a | `drop(x)` | table `cols` | stats count by `b`\n| eval a=1 `c`";
    let waiting: Vec<Vec<String>> = verified(query)
        .commands
        .into_iter()
        .filter_map(|command| match command.kind {
            CommandKind::Unexpanded(command) => Some(command.macros.into_iter().map(|name| name.node).collect()),
            _ => None,
        })
        .collect();
    assert_eq!(waiting, [["drop"], ["cols"], ["b"], ["c"]]);
    assert_eq!(canonical("a=`b` OR"), "| search a=`b` OR");
    assert!(errors("index=a | `drop(x)` | foo").contains("unknown command \"foo\""));
}

#[test]
fn commands_wait_for_their_subsearches() {
    let query = "index=a f IN ([search b | return $c]) | sort [search d] | eval x=1, [e] | rex \"a\" | bin t [f | format] | collect [g]";
    let waiting: Vec<usize> = verified(query)
        .commands
        .into_iter()
        .filter_map(|command| match command.kind {
            CommandKind::Substituted(command) => Some(command.pieces.len()),
            _ => None,
        })
        .collect();
    assert_eq!(waiting, [3, 2, 2, 2, 2]);
    assert_eq!(canonical("f IN ([b])"), "| search f IN ([search b])");
    assert!(errors("| sort [search a | foo]").contains("unknown command \"foo\""));
    assert!(errors("| rename [search a] AS").contains("found `[`"));
    // No field of the name `search` is compared, whatever the subsearch gives.
    assert!(errors("<[*]\"\"").contains("in `search`, found `<`"));
}

#[test]
fn spans_are_those_of_the_query() {
    let query = "a ```x é``` [search é=\"b\" | return $q] | stats max(zé) as m";
    let tree = verified(query);
    let text = |span: Span| &query[span.range()];
    let CommandKind::Search(first) = &tree.commands[0].kind else { panic!() };
    let Some(SearchExpression::And(all)) = &first.expression else { panic!() };
    let SearchExpression::Subsearch(subsearch) = &all[1] else { panic!() };
    assert_eq!(text(subsearch.span), "[search é=\"b\" | return $q]");
    assert_eq!(text(subsearch.query.commands[1].span), "return $q");
    let CommandKind::Search(inner) = &subsearch.query.commands[0].kind else { panic!() };
    let Some(SearchExpression::Comparison(comparison)) = &inner.expression else { panic!() };
    assert_eq!((text(comparison.span), text(comparison.field.span)), ("é=\"b\"", "é"));
    let CommandKind::Stats(stats) = &tree.commands[1].kind else { panic!() };
    assert_eq!(text(stats.aggregates[0].span), "max(zé) as m");
    assert_eq!(text(tree.commands[1].name_span), "stats");
}

#[test]
fn comments_are_blanks() {
    assert_eq!(
        canonical("| makeresults ```one```\n```| eval a=2```\n| stats```x\n\"```count"),
        "| makeresults | stats count"
    );
    assert_eq!(texts("\"```kept```\""), ["```kept```"]);
}

#[test]
fn every_pipe_shows_its_errors() {
    let query =
        "index=a (b OR\n| stast count\n| typelaerner count\n| eval 1+2 | table | head 5 x\n| rex feld=x \"a\" |";
    insta::assert_snapshot!(errors(query), @r#"
    1:9 SPL0002: unbalanced parenthesis: this `(` is never closed
    2:3 SPL0003: unknown command "stast"
      help: did you mean "stats"?
    3:3 SPL0003: unknown command "typelaerner"
    4:11 SPL0001: expected `=` after the field to assign to in `eval`, found the end
      help: syntax: eval <field>=<expression> [, <field>=<expression>] ...
    4:19 SPL0001: `table` needs a field name
      help: syntax: table <field> [<field>] ...
    5:7 SPL0005: `rex` has no option `feld`
      help: did you mean `field`? its options are field, max_match, offset_field, mode
    5:18 SPL0001: expected a command after the last pipe
      help: write a command, or take the pipe away
    "#);
}

#[test]
fn syntax_errors_say_what_is_wanted() {
    let queries = [
        "a=",
        "a= OR b=c",
        "a OR",
        "a AND AND b",
        "(a OR b)) c",
        "user IN ()",
        "| eval x=1+, y=2",
        "| eval x=lower(a, y=2",
        "| eval x=\"a",
        "| where a==1 b",
        "| stats count by",
        "| sort",
        "| search [ | stats ] `x",
        "a ] b",
        "a [search b",
        "a ```b",
        "",
        "a | | b",
        "| eval a=1 [search x] b",
        "| 5",
    ];
    let all: Vec<String> = queries.iter().map(|query| format!("{query}\n{}", errors(query))).collect();
    insta::assert_snapshot!(all.join("\n\n"), @r#"
    a=
    1:3 SPL0001: expected a value after `=` in `search`, found the end
      help: syntax: [search] <terms>, such as field=value, field IN (a, b), word, "a phrase", NOT, OR, ( )

    a= OR b=c
    1:4 SPL0001: expected a value after `=` in `search`, found `OR`
      help: syntax: [search] <terms>, such as field=value, field IN (a, b), word, "a phrase", NOT, OR, ( )

    a OR
    1:5 SPL0001: expected a search term after `OR` in `search`, found the end
      help: syntax: [search] <terms>, such as field=value, field IN (a, b), word, "a phrase", NOT, OR, ( )

    a AND AND b
    1:7 SPL0001: expected a search term after `AND` in `search`, found `AND`
      help: syntax: [search] <terms>, such as field=value, field IN (a, b), word, "a phrase", NOT, OR, ( )

    (a OR b)) c
    1:9 SPL0002: unbalanced parenthesis: this `)` closes nothing

    user IN ()
    1:10 SPL0001: expected a value after `(` in `search`, found `)`
      help: syntax: [search] <terms>, such as field=value, field IN (a, b), word, "a phrase", NOT, OR, ( )

    | eval x=1+, y=2
    1:12 SPL0001: expected an expression after `+` in `eval`, found `,`
      help: syntax: eval <field>=<expression> [, <field>=<expression>] ...

    | eval x=lower(a, y=2
    1:15 SPL0002: unbalanced parenthesis: this `(` is never closed

    | eval x="a
    1:10 SPL0002: unbalanced quote: this `"` is never closed

    | where a==1 b
    1:14 SPL0001: expected an operator in `where`, found `b`
      help: syntax: where <expression>

    | stats count by
    1:17 SPL0001: expected a field name or an option after `BY` in `stats`, found the end
      help: syntax: stats <function>[(<field>|eval(<expression>))] [AS <name>] ... [BY <field> ...]

    | sort
    1:7 SPL0001: `sort` needs a field to sort by
      help: syntax: sort [<count>|limit=<count>] [+|-]<field> [, [+|-]<field>] ... [d|desc]

    | search [ | stats ] `x
    1:22 SPL0002: unbalanced backtick: this backtick is never closed

    a ] b
    1:3 SPL0002: unbalanced bracket: this `]` closes nothing

    a [search b
    1:3 SPL0002: unbalanced bracket: this `[` is never closed

    a ```b
    1:3 SPL0002: unbalanced comment: this comment is never closed


    1:1 SPL0001: the search is empty
      help: name what to look for, such as `index=* error`, or start with a pipe and a command, such as `| makeresults`

    a | | b
    1:3 SPL0001: expected a command after this pipe
      help: write a command, or take the pipe away
    1:7 SPL0003: unknown command "b"

    | eval a=1 [search x] b
    1:12 SPL0001: expected an operator in `eval`, found `[`
      help: syntax: eval <field>=<expression> [, <field>=<expression>] ...

    | 5
    1:3 SPL0003: unknown command "5"
    "#);
}

#[test]
fn examples_parse_and_use_their_command() {
    for doc in commands() {
        assert!(!doc.examples.is_empty() && !doc.summary.ends_with('.'), "{}", doc.name);
        for example in doc.examples {
            let tree = verified(example);
            assert!(tree.commands.iter().any(|command| command.kind.doc().name == doc.name), "{example}");
        }
    }
    assert!(commands().is_sorted_by_key(|doc| doc.name));
    assert!(refused_commands().is_sorted_by_key(|(name, _)| *name));
    assert!(refused_commands().iter().all(|(name, _)| !is_supported(name)));
}

/// Runs where the stack is as small as that of a worker thread.
fn on_a_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, run).unwrap().join().unwrap()
    })
}

#[test]
fn nesting_is_limited_not_fatal() {
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    let forms = [
        ("", "(b=2 OR NOT ", " c=3)"),
        ("", "[search ", "]"),
        ("", "x=[search (b=1) NOT ", "]"),
        ("| eval x=", "(", ")"),
        ("| eval x=", "if(1=1,2,", ")"),
        ("| where ", "x IN (1, ", ")"),
        ("| where ", "1+(a=b AND -", ")"),
        ("| where ", "1=[|where (", ")]"),
        ("| stats ", "count(eval(", "))"),
        ("| stats sparkline", "(", ")"),
        ("| where ", "NOT ", ""),
        ("| where ", "-", ""),
        ("", "NOT ", ""),
        ("| where 1", "+1", ""),
    ];
    for (start, open, close) in forms {
        for levels in [10, 31, 63, 200, 499, 100_000] {
            let query = format!("{start}{}", nested(open, close, levels));
            let refused = on_a_small_stack(|| match parse(&query) {
                Ok(tree) => {
                    assert!(parse(&tree.to_string()).as_ref() == Ok(&tree.clone()));
                    false
                }
                Err(found) => found.iter().any(|found| found.code == Code::TooLarge),
            });
            assert!(refused || levels < 1000, "{start}{open} {levels}");
        }
    }
}

#[test]
fn long_queries_are_fine() {
    let chains = [
        format!("a=1{}", " OR b=\"cc*\"".repeat(10_000)),
        format!("a{}", " bbbbbbbbbb".repeat(10_000)),
        format!("| where a=1{}", " AND b=2 OR c=3".repeat(5_000)),
        format!("| eval a=case({} 1, 2)", "x=1, 2,".repeat(5_000)),
        format!("| makeresults{}", " | eval x=1".repeat(9_990)),
        format!("a \"{}\"", "x".repeat(1_000_000)),
    ];
    for query in chains {
        on_a_small_stack(|| {
            let tree: Query = parse(&query).unwrap();
            assert!(parse(&tree.to_string()).as_ref() == Ok(&tree));
        });
    }
    assert_eq!(parse(&"a ".repeat(10 << 20)).unwrap_err().first().unwrap().code, Code::TooLarge);
}
