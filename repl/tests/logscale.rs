//! LogScale through the binary: parameters, saved queries, lookups, strictness, the shell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use tempfile::TempDir;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn spelunk(arguments: &[&str], input: &str) -> Ran {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_spelunk"));
    command.args(arguments).timeout(std::time::Duration::from_secs(60)).write_stdin(input);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn run(query: &str, options: &[&str]) -> Ran {
    spelunk(&[&["run", query, "--lang", "logscale", "--output", "csv"], options].concat(), "")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const EVENTS: &str = "createEvents([\"h=web1 n=1\", \"h=db n=5\", \"h=x n=9\"]) | kvParse()";

#[test]
fn parameters_are_given_as_patterns() {
    let query = format!("{EVENTS} | h=?host | in(h, values=[?also, x]) | test(n < ?most) | select(h)");
    let ran = run(&query, &["--param", "host=*b*", "--param", "also=?b", "--param", "most=5"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "h\n"), "no pattern but `*`: {}", ran.stderr);
    let ran = run(&query, &["--param", "host=*b*", "--param", "also=*", "--param", "most=5"]);
    assert_eq!(ran.stdout, "h\nweb1\n", "{}", ran.stderr);
    // A value is no regular expression, and an equals sign may be in it.
    let ran = run(&format!("{EVENTS} | h=?host | select(h)"), &["--param", "host=/web/"]);
    assert_eq!(ran.stdout, "h\n", "{}", ran.stderr);
    let ran = run("createEvents([\"a=b=c\"]) | @rawstring=?x | count()", &["--param", "x=a=b*"]);
    assert_eq!(ran.stdout, "_count\n1\n", "{}", ran.stderr);
    let missing = run(&query, &["--param", "hots=a"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    for part in ["the parameter `?host` has no value", "a value is given for `?hots`", "--param most=VALUE"] {
        assert!(missing.stderr.contains(part), "{}", missing.stderr);
    }
    let unused = run(&format!("{EVENTS} | h=?{{host=\"*\"}} | count()"), &["--param", "hots=a"]);
    assert_eq!(unused.stdout, "_count\n3\n");
    assert!(unused.stderr.contains("no parameter `?hots` (did you mean `?host`?)"), "{}", unused.stderr);
    for (wrong, reason) in [("host", "expected NAME=VALUE"), ("=x", "expected NAME=VALUE")] {
        let ran = run(&query, &["--param", wrong]);
        assert!(ran.code == 2 && ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn saved_queries_stand_in_for_their_calls() {
    let folder = folder(&[
        ("acme/tools/hits.cql", "h=?{host=\"*\"} | hit := \"yes\"\n"),
        ("either.logscale", "// two of them\nh=?host or h=x"),
        ("both.yaml", "name: Both of them\nqueryString: |\n  $either(host=db)\n  | $acme/tools:hits(host=\"d*\")\n"),
        ("loop.cql", "$loop()"),
        ("broken.cql", "a=1 | ("),
    ]);
    let saved = ["--saved-queries", text(folder.path())];
    let rows = |query: &str| {
        let ran = run(&format!("{EVENTS} | {query} | select([h, hit])"), &saved);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    assert_eq!(rows("$acme/tools:hits(host=\"w*\")"), "h,hit\nweb1,yes\n");
    assert_eq!(rows("n>1 $hits() n<9"), "h,hit\ndb,yes\n");
    assert_eq!(rows("not $either(host=web1)"), "h,hit\ndb,\n");
    assert_eq!(rows("$\"Both of them\"()"), "h,hit\ndb,yes\n");
    assert_eq!(rows("case { $either(host=db) | $hits(); * }"), "h,hit\nweb1,\ndb,yes\nx,yes\n");
    for (query, reason) in [
        ("$loop()", "calls itself"),
        ("$broken()", "the saved query `$broken()` cannot be read: syntax error"),
        ("not $hits()", "does more than filter"),
        ("$acme/tools:hist()", "did you mean `$\"acme/tools/hits\"()`?"),
        ("$either(db)", "arguments with names"),
        ("$either()", "the parameter `?host` has no value"),
    ] {
        let ran = run(&format!("{EVENTS} | {query}"), &saved);
        assert!(ran.code == 2 && ran.stdout.is_empty() && ran.stderr.contains(reason), "{query}: {}", ran.stderr);
    }
}

#[test]
fn published_queries_say_what_they_leave_out() {
    let ran = run(&format!("{EVENTS} | $crowdstrike/fltr-core:zComputerName() | count()"), &[]);
    assert_eq!(ran.stdout, "_count\n3\n");
    assert!(ran.stderr.contains("`$crowdstrike/fltr-core:zComputerName()` does nothing here"), "{}", ran.stderr);
}

#[test]
fn files_are_matched_and_never_written() {
    let folder = folder(&[("nets.csv", "net,owner,note\n10.0.0.0/8,corp,\n10.1.0.0/16,lab,x\n")]);
    let lookups = ["--lookups", text(folder.path())];
    let events = "createEvents([\"ip=10.1.2.3\", \"ip=10.9.9.9\", \"ip=8.8.8.8\"]) | kvParse()";
    let ran = run(
        &format!(
            "{events} | match(\"nets.csv\", field=ip, column=net, mode=cidr, include=[owner, note]) | select([ip, owner, note])"
        ),
        &lookups,
    );
    assert_eq!(ran.stdout, "ip,owner,note\n10.1.2.3,lab,x\n10.9.9.9,corp,\"\"\n", "{}", ran.stderr);
    let ran = run("readFile(\"a/package/nets.csv\", include=[owner]) | sort(owner, type=string, order=asc)", &lookups);
    assert_eq!(ran.stdout, "owner\ncorp\nlab\n", "{}", ran.stderr);
    let ran = run(&format!("{events} | cidr(ip, file=\"nets.csv\", column=net) | count()"), &lookups);
    assert_eq!(ran.stdout, "_count\n2\n", "{}", ran.stderr);
    let missing = run(&format!("{events} | match(file=\"nest.csv\", field=ip)"), &lookups);
    assert!(missing.code == 2 && missing.stderr.contains("did you mean \"nets.csv\"?"), "{}", missing.stderr);
    let none = run(&format!("{events} | match(file=\"nets.csv\", field=ip)"), &[]);
    assert!(none.code == 2 && none.stderr.contains("with `--lookups`"), "{}", none.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn events_keep_to_the_time_that_is_asked_for() {
    let lines: String =
        (0..4).map(|hour| format!("{{\"_time\":\"2024-01-01T0{hour}:00:00Z\",\"n\":{hour}}}\n")).collect();
    let folder = folder(&[("e.jsonl", &lines)]);
    let file = folder.path().join("e.jsonl");
    let bounds = ["--earliest", "2024-01-01T01:00:00", "--latest", "2024-01-01T03:00:00", "--output", "csv"];
    let ran = spelunk(&[&["run", "count()", text(&file), "--lang", "logscale"], &bounds[..]].concat(), "");
    assert_eq!(ran.stdout, "_count\n2\n", "{}", ran.stderr);
    let query = "n=0 | m:=1 | join({m2:=1}, field=m, key=m2, include=[n], start=90m, max=9) | sort(n) | select(n)";
    let now = ["--now", "2024-01-01T03:30:00Z", "--output", "csv"];
    let ran = spelunk(&[&["run", query, text(&file), "--lang", "logscale"], &now[..]].concat(), "");
    assert_eq!(ran.stdout, "n\n3\n2\n", "{}", ran.stderr);
}

#[test]
fn strict_means_the_vendors_language() {
    let query = format!("{EVENTS} | h in (\"db\") | count()");
    assert_eq!(run(&query, &[]).stdout, "_count\n1\n");
    let ran = run(&query, &["--strict"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("infix `in` is not CQL; write in(field=h, values=[...])"), "{}", ran.stderr);
    let ran = spelunk(&["explain", "where a", "--lang", "logscale", "--strict"], "");
    assert!(ran.code == 2 && ran.stderr.contains("the word `where` is read as free text"), "{}", ran.stderr);
    let folder = folder(&[("a.cql", "where a")]);
    let file = folder.path().join("a.cql");
    assert_eq!(spelunk(&["check", text(&file)], "").code, 0);
    let ran = spelunk(&["check", "--strict", text(&file)], "");
    assert!(ran.code == 1 && ran.stdout.contains("the word `where` is read as free text"), "{}", ran.stdout);
}

#[test]
fn a_check_assumes_what_is_not_given() {
    let folder = folder(&[
        ("a.cql", "x=?p y<?n | $acme:q() | table([x], limit=?l) | match(file=\"f.csv\", field=x) | z=1"),
        ("b.logscale", "a=1 or b=2 c=3"),
    ]);
    let ran = spelunk(&["check", text(folder.path()), "--output", "jsonl"], "");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("the saved query `$acme:q()` is not given; it is assumed"), "{}", ran.stdout);
    let ran = spelunk(&["check", text(folder.path())], "");
    assert!(ran.stdout.contains("2 queries: 2 ok\n1 query with parameters or saved queries"), "{}", ran.stdout);
}

#[test]
fn the_shell_speaks_both_languages() {
    let input = ".lang\n| makeresults | eval a=1 | fields a;\n.lang cql\n.lang\ncreateEvents([\"a=2\"]) | kvParse() | select(a);\n.lang x\n";
    let ran = spelunk(&["repl", "--output", "csv"], input);
    assert!(ran.stdout.contains("spl\n") && ran.stdout.contains("logscale\na\n2\n"), "{}", ran.stdout);
    assert!(ran.code == 2 && ran.stderr.contains("unknown language x: spl or logscale"), "{}", ran.stderr);
}

#[test]
fn functions_are_explained() {
    let ran = spelunk(&["help", "groupby"], "");
    assert!(ran.stdout.starts_with("groupBy: function of LogScale\n"), "{}", ran.stdout);
    let ran = spelunk(&["help", "groupBi"], "");
    assert!(ran.code == 2 && ran.stderr.contains("did you mean groupBy?"), "{}", ran.stderr);
}

#[test]
fn fields_that_no_row_has_are_told() {
    let ran = run(&format!("{EVENTS} | hh=web1 | x := 1 | default(field=q, value=1)"), &[]);
    assert!(ran.stderr.contains("no row has a field \"hh\""), "{}", ran.stderr);
    assert!(!ran.stderr.contains("\"x\"") && !ran.stderr.contains("\"q\""), "{}", ran.stderr);
}

/// Of a file only what a query needs is read, which must not change what it gives.
#[test]
fn what_is_not_read_is_not_missed() {
    let lines = [
        r##"{"timestamp":"2023-11-14T22:13:20Z","h":"a","n":1,"v":5,"u":["x","y"],"#t":"p","ip":"10.0.0.1","my-field":"q"}"##,
        r##"{"timestamp":"2023-11-14T22:13:21Z","h":"a","n":2,"v":7,"u":["z"],"w":"W","#t":"q","ip":"10.0.0.2"}"##,
        r##"{"timestamp":"2023-11-14T22:13:24Z","h":"b","n":3,"v":1,"#t":"p","ip":"8.8.8.8","w":"k=5 l=6"}"##,
    ];
    let data = folder(&[("events.jsonl", &lines.join("\n")), ("names.csv", "h,name,v\na,Anna,1\n")]);
    let (events, lookups) = (data.path().join("events.jsonl"), text(data.path()));
    let queries = [
        "groupBy(h, function=tail(1))",
        "groupBy(h, function=[count(), head(1)])",
        "groupBy(h, function={sort(v, limit=1)})",
        "groupBy(h, function=selectLast([w, ip])) | sort(h, type=string)",
        "[tail(1)]",
        "timeChart(h, span=1h, function=sum(v))",
        "case { h=a | x := w; * | x := v } | table([n, x])",
        "case { h=a | w=* | x := lower(w); * | rename(v, as=x) } | groupBy(x) | sort(x, type=string)",
        "h match { a => x := w; * => x := v } | groupBy(x) | sort(x, type=string)",
        "match(file=\"names.csv\", field=h, strict=false) | table([n, name, v])",
        "case { match(file=\"names.csv\", field=h, include=[name]) | x := ip; * | x := v } | table([name, x])",
        "defineTable(query={h=a | select([h, w])}, name=t, include=[h, w]) | match(table=t, field=h) | table([n, w])",
        "join({h=a | groupBy(h, function=max(v, as=m))}, field=h, include=[m]) | table([n, m])",
        "selfJoinFilter(h, where=[{v=5}, {w=W}]) | table([n, ip])",
        "n=* | series([v], separator=\";\") | table([v, _duration])",
        "head() | accumulate(sum(v, as=s)) | table([n, s])",
        "head() | neighbor(v, prefix=p) | table([n, p.v])",
        "groupBy(h, function=session(max(v))) | sort(h, type=string) | table([h, _max])",
        "format(\"%s-%s\", field=[w, ip], as=z) | top(z)",
        "#t=p | groupBy(#t, function=collect([ip]))",
        "u[0]=x | table([n, u[1]])",
        "parseJson() | concatArray(u, separator=\"-\") | table([n, _concatArray])",
        "parseJson() | array:filter(\"u[]\", var=e, function={e=x}, asArray=\"o[]\") | table([n, o[0]])",
        "parseJson() | split(u) | table([n, u])",
        "kvParse(w) | table([k, l])",
        "regex(\"(?<first>.)\", field=w, repeat=true) | groupBy(first) | sort(first, type=string)",
        "\"my-field\"=q | x := getField(\"my-field\") | table([x])",
        "`w` := v | groupBy(W)",
        "setField(target=w, value=v) | groupBy(W)",
        "cidr(ip, subnet=\"10.0.0.0/8\") | count(h, distinct=true)",
        "correlate(A: {h=a n=1} include: [ip], B: {h=a n=2 | h <=> A.h} include: [w]) | table([A.ip, B.w])",
        "@timestamp > 0 | stats([min(@timestamp), max(@timestamp)])",
        "W | table([n])",
    ];
    for query in queries {
        let asked = |query: &str| run(query, &[text(&events), "--lookups", lookups]);
        // A search in all fields needs all of them.
        let whole = match query.split_once("| match(table") {
            Some((before, after)) => format!("{before}| wildcard(pattern=\"*\") | match(table{after}"),
            None => format!("wildcard(pattern=\"*\") | {query}"),
        };
        let (needed, everything) = (asked(query), asked(&whole));
        assert_eq!((needed.code, everything.code), (0, 0), "{query}: {}{}", needed.stderr, everything.stderr);
        assert_eq!(needed.stdout, everything.stdout, "{query}");
        assert!(needed.stdout.lines().count() > 1, "{query} gives nothing");
    }
}

#[test]
fn arrays_in_one_column_are_told() {
    let data = folder(&[("events.jsonl", "{\"n\":1,\"u\":[\"x\",\"y\"]}\n{\"n\":2,\"u\":[\"z\",\"y\"]}\n")]);
    let events = data.path().join("events.jsonl");
    let refused = run("array:contains(\"u[]\", value=\"z\") | table([n])", &[text(&events)]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("`parseJson()` before it"), "{}", refused.stderr);
    let read = run("parseJson() | array:contains(\"u[]\", value=\"z\") | table([n])", &[text(&events)]);
    assert_eq!(read.stdout, "n\n2\n", "{}", read.stderr);
}
