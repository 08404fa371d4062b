//! Lookup tables from files: how they are found, matched, read and written.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt;
use spelunk_engine::ingest::{Input, Location};
use spelunk_engine::knowledge::Knowledge;
use spelunk_engine::lookups::{Lookups, Writable};
use spelunk_engine::session::{Checked, check};
use spelunk_engine::values::{Cell, cell};
use spelunk_engine::{Error, Session, SessionOptions};
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

struct Shell {
    lookups: Arc<Lookups>,
    inputs: Vec<Input>,
}

impl Shell {
    fn over(paths: &[PathBuf]) -> Self {
        Self { lookups: Arc::new(Lookups::load(paths, Writable::Refused).unwrap()), inputs: Vec::new() }
    }

    fn writing(paths: &[PathBuf], folder: &Path) -> Self {
        let writable = Writable::folder(folder).unwrap();
        Self { lookups: Arc::new(Lookups::load(paths, writable).unwrap()), inputs: Vec::new() }
    }

    fn session(&self) -> Result<Session, Error> {
        let now = Some("2024-05-24T10:00:00Z".parse().unwrap());
        let options = SessionOptions { lookups: Arc::clone(&self.lookups), now, ..SessionOptions::default() };
        Session::new(options, self.inputs.clone())
    }

    /// The result as lines of `a|b`, several values with `/`, and what was said about it.
    fn run(&self, query: &str) -> Result<(Vec<String>, String), Error> {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let search = self.session()?.search(query).await?;
            let mut lines =
                vec![search.schema.fields().iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join("|")];
            let said = search.diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let batches: Vec<_> = search.stream.try_collect().await?;
            for batch in &batches {
                for row in 0..batch.num_rows() {
                    let text = |column| match cell(column, row, &jiff::tz::TimeZone::UTC) {
                        Cell::Null => String::new(),
                        Cell::Text(text) | Cell::Number(text) | Cell::Time(text) => text,
                        Cell::Many(values) => values.join("/"),
                    };
                    lines.push(batch.columns().iter().map(text).collect::<Vec<_>>().join("|"));
                }
            }
            Ok((lines, said))
        })
    }

    fn rows(&self, query: &str) -> Vec<String> {
        self.run(query).unwrap_or_else(|error| panic!("{query}: {error}")).0
    }

    fn said(&self, query: &str) -> String {
        self.run(query).unwrap_or_else(|error| panic!("{query}: {error}")).1
    }

    fn error(&self, query: &str) -> String {
        match self.run(query) {
            Ok((rows, _)) => panic!("{query}: {rows:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// Rows with one field, a row a value.
fn values(field: &str, values: &str) -> String {
    format!("| makeresults | eval {field}=split(\"{values}\", \",\") | mvexpand {field} | table {field}")
}

const USERS: &str =
    "user,role,team,level\nann,admin,red,5\nbob,dev,,3\nbob,ops,blue,4\nCarl,dev,red,1\n,nobody,none,0\n";

const TRANSFORMS: &str = "
[people]
filename = users.csv
case_sensitive_match = false
max_matches = 1

[strict_people]
filename = users.csv
min_matches = 1
default_match = unknown

[two_at_least]
filename = users.csv
min_matches = 2
default_match = -

[reds]
filename = users.csv
filter = team=red level>2

[domains]
filename = domains.csv
match_type = WILDCARD(pattern)
case_sensitive_match = false

[nets]
filename = nets.csv
match_type = CIDR(net)
max_matches = 1

[both]
filename = both.csv
match_type = WILDCARD(path), CIDR(net)

[leases]
filename = leases.csv
time_field = since
time_format = %Y-%m-%d %H:%M:%S
max_offset_secs = 3600

[collection]
external_type = kvstore
collection = things

[program]
external_cmd = run.py a

[typo]
filename = users.csv
max_matches = many

[nothing]
filename = not_there.csv

[extraction]
REGEX = (x)
";

fn app() -> (TempDir, Shell) {
    let folder = folder(&[
        ("app/lookups/users.csv", USERS),
        ("app/lookups/domains.csv", "pattern,verdict\n*.EVIL.com,bad\nevil.com,bad apex\n*login*,phish\n*,any\n"),
        (
            "app/lookups/nets.csv",
            "net,zone\n10.1.0.0/16,dmz\n10.0.0.0/8,inside\n192.168.1.7,printer\n2001:db8::/32,six\n",
        ),
        ("app/lookups/both.csv", "host,path,net,what\nws1,*cmd.exe,10.0.0.0/8,hit\nws1,*calc.exe,10.0.0.0/8,other\n"),
        (
            "app/lookups/leases.csv",
            "ip,since,user\n10.0.0.1,2024-05-24 08:00:00,early\n10.0.0.1,2024-05-24 09:00:00,late\n10.0.0.1,soon,never\n",
        ),
        ("app/default/transforms.conf", TRANSFORMS),
        ("app/local/transforms.conf", "[people]\nmax_matches = 2\n"),
    ]);
    let shell = Shell::over(&[folder.path().join("app")]);
    (folder, shell)
}

#[test]
fn every_match_in_the_order_of_the_file() {
    let (_folder, shell) = app();
    let query = format!("{} | lookup users.csv user OUTPUT role team", values("user", "ann,bob,carl,zoe"));
    assert_eq!(shell.rows(&query), ["user|role|team", "ann|admin|red", "bob|dev/ops|blue", "carl||", "zoe||"]);
    // local/ over default/: two at most, and letter case does not count.
    let query = format!("{} | lookup people user OUTPUT role AS r", values("user", "BOB,carl"));
    assert_eq!(shell.rows(&query), ["user|r", "BOB|dev/ops", "carl|dev"]);
}

#[test]
fn all_columns_without_a_clause() {
    let (_folder, shell) = app();
    let query = format!("{} | lookup users.csv user AS u", values("u", "ann"));
    assert_eq!(shell.rows(&query), ["u|role|team|level", "ann|admin|red|5"]);
    let query = format!("{} | lookup users.csv user AS u output", values("u", "ann"));
    assert_eq!(shell.rows(&query), ["u|role|team|level", "ann|admin|red|5"]);
}

#[test]
fn what_happens_to_fields_that_are_there() {
    let (_folder, shell) = app();
    let start =
        format!("{} | eval role=if(user==\"ann\", null(), \"mine\"), team=\"mine\"", values("user", "ann,bob,zoe"));
    let of = |clause: &str| shell.rows(&format!("{start} | lookup users.csv user {clause} | table user role team"));
    let header = "user|role|team";
    assert_eq!(of("OUTPUT role team"), [header, "ann|admin|red", "bob|dev/ops|blue", "zoe||"]);
    assert_eq!(of("OUTPUTNEW role team"), [header, "ann|admin|mine", "bob|mine|mine", "zoe|mine|mine"]);
    // A key that is written too stays where nothing agrees.
    assert_eq!(of("OUTPUT user role"), [header, "ann|admin|mine", "bob/bob|dev/ops|mine", "zoe||mine"]);
}

#[test]
fn several_keys_and_values() {
    let (_folder, shell) = app();
    let query = "| makeresults | eval who=\"bob\", what=\"ops\" | lookup users.csv user AS who, role AS what OUTPUT level | table level";
    assert_eq!(shell.rows(query), ["level", "4"]);
    let query = "| makeresults | eval user=split(\"bob,ann\", \",\") | lookup users.csv user OUTPUT role | table role";
    assert_eq!(shell.rows(query), ["role", "dev/ops/admin"]);
    let query = "| makeresults | eval user=null() | lookup strict_people user OUTPUT role | table role";
    assert_eq!(shell.rows(query), ["role", ""]);
    let (rows, said) = shell.run("| makeresults | lookup users.csv user OUTPUT role | table role").unwrap();
    assert_eq!(rows, ["role", ""]);
    assert!(said.contains("no row has a field \"user\""), "{said}");
    let query = "| makeresults | eval level=3 | lookup users.csv level OUTPUT user | table user";
    assert_eq!(shell.rows(query), ["user", "bob"]);
}

#[test]
fn a_default_makes_up_for_what_is_missing() {
    let (_folder, shell) = app();
    let query = format!("{} | lookup strict_people user OUTPUT role", values("user", "ann,zoe"));
    assert_eq!(shell.rows(&query), ["user|role", "ann|admin", "zoe|unknown"]);
    let query = format!("{} | lookup two_at_least user OUTPUT role", values("user", "ann,bob,zoe"));
    assert_eq!(shell.rows(&query), ["user|role", "ann|admin/-", "bob|dev/ops", "zoe|-/-"]);
}

#[test]
fn wildcards_and_blocks() {
    let (_folder, shell) = app();
    let query =
        format!("{} | lookup domains pattern AS d OUTPUT verdict", values("d", "a.evil.com,evil.com,x.Login.org,z"));
    assert_eq!(
        shell.rows(&query),
        ["d|verdict", "a.evil.com|bad/any", "evil.com|bad apex/any", "x.Login.org|phish/any", "z|any"]
    );
    let query = format!(
        "{} | lookup nets net AS ip OUTPUT zone",
        values("ip", "10.1.2.3,10.2.0.1,192.168.1.7,2001:db8::1,::1,x")
    );
    assert_eq!(
        shell.rows(&query),
        ["ip|zone", "10.1.2.3|dmz", "10.2.0.1|inside", "192.168.1.7|printer", "2001:db8::1|six", "::1|", "x|"]
    );
    let query = "| makeresults | eval host=\"ws1\", path=\"C:\\\\cmd.exe\", net=\"10.9.9.9\" | lookup both host path net OUTPUT what | table what";
    assert_eq!(shell.rows(query), ["what", "hit"]);
}

#[test]
fn the_time_of_the_event() {
    let (_folder, shell) = app();
    for (time, user) in [("09:30:00", "late"), ("08:59:59", "early"), ("07:00:00", ""), ("10:30:00", "")] {
        let query = format!(
            "| makeresults | eval _time=strptime(\"2024-05-24 {time}\", \"%Y-%m-%d %H:%M:%S\"), ip=\"10.0.0.1\" | lookup leases ip OUTPUT user | table user"
        );
        assert_eq!(shell.rows(&query), ["user", user], "{time}");
    }
}

#[test]
fn the_rows_of_a_table() {
    let (_folder, shell) = app();
    let all = shell.rows("| inputlookup users.csv");
    assert_eq!((all.len(), all[2].as_str(), all[5].as_str()), (6, "bob|dev||3", "|nobody|none|0"));
    assert_eq!(
        shell.rows("| inputlookup users.csv where level>3 OR role=nob* | table user"),
        ["user", "ann", "bob", ""]
    );
    assert_eq!(shell.rows("| inputlookup start=1 max=2 users.csv where level>=1 | table role"), ["role", "dev", "ops"]);
    assert_eq!(shell.rows("| inputlookup max=0 users.csv"), ["user|role|team|level"]);
    assert_eq!(shell.rows("| inputlookup reds"), ["user|role|team|level", "ann|admin|red|5"]);
    let query = "| makeresults | eval user=\"me\", x=1 | table user x | inputlookup append=t users.csv where user=ann";
    assert_eq!(shell.rows(query), ["user|x|role|team|level", "me|1|||", "ann||admin|red|5"]);
    let query = "| makeresults | eval user=\"bob\" | search [| inputlookup users.csv where team=blue | fields user] | table user";
    assert_eq!(shell.rows(query), ["user", "bob"]);
    let query = "| inputlookup users.csv where [| makeresults | eval user=\"ann\" | fields user] | table role";
    assert_eq!(shell.rows(query), ["role", "admin"]);
    assert_eq!(shell.rows("| inputcsv users where user=ann | table team"), ["team", "red"]);
    assert_eq!(shell.rows("| inputlookup users.csv | stats sum(level) AS s"), ["s", "13"]);
    let said = shell.said("| inputlookup users | head 1");
    assert!(said.contains("the file \"users.csv\" is used as it is"), "{said}");
    assert!(shell.said("| inputlookup users.csv where usr=ann").contains("no row has a field \"usr\""));
}

#[test]
fn the_eval_function() {
    let (_folder, shell) = app();
    let of = |call: &str| shell.rows(&format!("| makeresults | eval user=\"bob\", x={call} | table x"))[1].clone();
    assert_eq!(
        of(r#"lookup("users.csv", json_object("user", user, "role", "ops"), json_array("level", "team"))"#),
        r#"{"level":"4","team":"blue"}"#
    );
    assert_eq!(
        of(r#"lookup("users.csv", json_object("user", user), json_array("role"))"#),
        r#"{"role":["dev","ops"]}"#
    );
    assert_eq!(of(r#"lookup("users.csv", json_object("level", 5), json_array("user"))"#), r#"{"user":"ann"}"#);
    assert_eq!(of(r#"lookup("users.csv", json_object("user", "zoe"), json_array("role"))"#), "");
    assert_eq!(
        of(r#"lookup("strict_people", json_object("user", "zoe"), json_array("role"))"#),
        r#"{"role":"unknown"}"#
    );
    assert_eq!(of(r#"lookup("nets", json_object("net", "10.1.1.1"), json_array("zone"))"#), r#"{"zone":"dmz"}"#);
    assert_eq!(of(r#"spath(lookup("users.csv", json_object("user", "ann"), json_array("team")), "team")"#), "red");
    let error = |call: &str| shell.error(&format!("| makeresults | eval x={call}"));
    assert!(
        error(r#"lookup("user.csv", json_object("a", 1), json_array("b"))"#).contains("did you mean \"users.csv\"?")
    );
    assert!(error(r#"lookup("users.csv", json_object("a", 1), json_array("role"))"#).contains("no column \"a\""));
    assert!(error(r#"lookup("users.csv", json_object("user", 1), json_array("b"))"#).contains("no column \"b\""));
    assert!(error(r#"lookup("users.csv", "x y", json_array("role"))"#).contains("takes `json_object(...)` here"));
    assert!(error(r#"lookup(user, json_object("user", 1), json_array("b"))"#).contains("string in double quotes"));
}

#[test]
fn lookups_that_cannot_be_used() {
    let (_folder, shell) = app();
    for (query, reason) in [
        ("| inputlookup collection", "KV store"),
        ("| makeresults | lookup program x", "runs a program"),
        ("| inputlookup typo", "its max_matches \"many\" is no whole number from 1 to 1000"),
        ("| inputlookup nothing", "reads the file \"not_there.csv\", which is not there"),
        ("| inputlookup extraction", "there is no lookup \"extraction\""),
        ("| inputlookup peopel", "did you mean \"people\"?"),
        ("| inputcsv peopel", "there is no CSV file \"peopel\""),
        ("| makeresults | lookup users.csv name", "has no column \"name\""),
        ("| makeresults | lookup users.csv user OUTPUT rol", "did you mean \"role\"?"),
        (
            "| makeresults | lookup users.csv user OUTPUT role AS x team AS x",
            "two columns are written to the field \"x\"",
        ),
        ("| makeresults | inputlookup users.csv", "append=true"),
        ("| makeresults | inputcsv users.csv", "append=true"),
        ("| inputlookup \"../app/lookups/users.csv\"", "there is no lookup"),
        ("| inputlookup /etc/passwd", "there is no lookup"),
    ] {
        let error = shell.error(query);
        assert!(error.contains(reason), "{query}: {error}");
    }
    let none = Shell::over(&[]);
    assert!(none.error("| inputlookup x.csv").contains("with `--lookups`"));
}

#[test]
fn files_that_are_odd() {
    let folder = folder(&[
        ("bom.csv", "\u{feff}k,v\r\na,\"two\r\nlines\"\r\n"),
        ("twice.csv", "k,v,v\na,1,2\n"),
        ("broken.csv", "k,v\na,\"1\nb,2\nc,3\n"),
        ("empty.csv", ""),
        ("blank.csv", "\n\n"),
        ("header.csv", "k,v\n"),
        ("long.csv", "k,v\na,1,2,3\nb\n"),
    ]);
    fs::write(
        folder.path().join("utf16.csv"),
        "\u{feff}k,v\na,ü\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
    )
    .unwrap();
    fs::write(folder.path().join("bytes.csv"), b"k,v\na,\xff\xfe\x00\n").unwrap();
    let mut gzip = flate2::write::GzEncoder::new(
        fs::File::create(folder.path().join("packed.csv.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    gzip.write_all(b"k,v\na,packed\n").unwrap();
    gzip.finish().unwrap();
    fs::write(folder.path().join("cut.csv.gz"), [0x1f, 0x8b, 8, 0, 1, 2]).unwrap();
    fs::write(folder.path().join("huge.csv"), format!("k,v\na,{}\n", "x".repeat(3_000_000))).unwrap();
    let shell = Shell::over(&[folder.path().to_owned()]);
    let of = |name: &str| {
        shell.rows(&format!(
            "| makeresults | eval k=\"a\" | lookup {name} k OUTPUT v | eval v=mvjoin(v, \"/\") | table v"
        ))[1]
            .clone()
    };
    assert_eq!(of("bom.csv"), "two\r\nlines");
    assert_eq!(of("utf16.csv"), "ü");
    assert_eq!(
        (of("packed.csv.gz"), of("packed.csv"), of("packed")),
        ("packed".into(), "packed".into(), "packed".into())
    );
    assert_eq!((of("twice.csv"), of("header.csv"), of("long.csv")), ("1".into(), String::new(), "1".into()));
    assert_eq!(of("huge.csv").len(), 3_000_000);
    assert!(of("bytes.csv").contains('\u{fffd}'));
    assert!(shell.said("| inputlookup twice.csv").contains("two columns \"v\"; the first counts"));
    assert!(shell.said("| inputlookup long.csv").contains("1 of its rows have more cells"));
    assert!(shell.said("| inputlookup bytes.csv").contains("not all UTF-8"));
    assert!(shell.error("| inputlookup broken.csv").contains("begins in line 2 is never closed"));
    assert!(shell.error("| inputlookup cut.csv.gz").contains("cut.csv.gz: "));
    assert!(shell.error("| makeresults | lookup empty.csv k").contains("its file is empty"));
    assert_eq!(shell.rows("| inputlookup empty.csv"), [""]);
    assert_eq!(shell.rows("| inputlookup blank.csv | stats count"), ["count", "0"]);
    let reason = |name: &str| Lookups::load(&[folder.path().join(name)], Writable::Refused).unwrap_err().to_string();
    assert!(reason("nowhere").contains("nowhere: "));
    fs::create_dir(folder.path().join("none")).unwrap();
    assert!(reason("none").contains("no lookups: expected .csv files"));
}

#[test]
fn definitions_in_yaml() {
    let folder = folder(&[
        (
            "lookups/tools.yml",
            "name: tools\nfilename: tools2024.csv\ndescription: x\nmatch_type: WILDCARD(tool)\nmin_matches: 1\ndefault_match: 'false'\ncase_sensitive_match: 'false'\nmax_matches: 1\n",
        ),
        ("lookups/tools2024.csv", "tool,is_tool\n*mimi*,true\n*,rest\n"),
        ("lookups/seen.yml", "name: seen\ncollection: seen\nfields_list: _key, user\n"),
        ("other.yml", "search: x\n"),
    ]);
    let shell = Shell::over(&[folder.path().to_owned()]);
    let query = "| makeresults | eval p=\"MimiKatz.exe\" | lookup tools tool AS p OUTPUT is_tool | table is_tool";
    assert_eq!(shell.rows(query), ["is_tool", "true"]);
    // Only a server fills a collection: it is there, and empty.
    assert_eq!(
        shell.rows("| makeresults | eval user=\"ann\" | lookup seen user OUTPUT _key AS k | table user k"),
        ["user|k", "ann|"]
    );
    assert_eq!(shell.rows("| inputlookup seen | stats count"), ["count", "0"]);
    assert!(shell.error("| makeresults | outputlookup seen").contains("--allow-write"));
    // What is written to it is kept as a file, in which columns may be missing.
    let out = tempfile::tempdir().unwrap();
    let shell = Shell::writing(&[folder.path().to_owned()], out.path());
    shell.rows("| makeresults | eval user=\"ann\" | table user | outputlookup seen");
    assert!(out.path().join("seen.csv").is_file());
    assert_eq!(
        shell.rows("| makeresults | eval user=\"ann\" | lookup seen user OUTPUT _key AS k, user AS u | table u k"),
        ["u|k", "ann|"]
    );
}

/// Since 2025 published detections keep lookups by their kinds, and a table lies in a file beside its definition.
#[test]
fn definitions_in_yaml_by_their_kinds() {
    let settings = "match_type:\n- WILDCARD(pipe)\nmin_matches: 1\ncase_sensitive_match: false\n";
    let tools = format!("name: pipes\nlookup_type: csv\n{settings}");
    let folder = folder(&[
        ("lookups/csv/pipes_2025.yml", &tools),
        ("lookups/csv/pipes_2025.csv", "pipe,tool,note\n*msagent_*,beacon,\n"),
        ("lookups/kvstore/seen.yml", "name: seen\nlookup_type: kvstore\nfields:\n- _key\n- user\n"),
        ("lookups/kvstore/other.yml", "name: other\nlookup_type: kvstore\ncollection: c\nfields:\n- _key\n"),
        ("lookups/plain.yml", "name: plain\ncase_sensitive_match: false\n"),
        ("lookups/plain.csv", "a,b\nx,1\n"),
    ]);
    let shell = Shell::over(&[folder.path().to_owned()]);
    let query = "| makeresults count=2 | streamstats count AS n | eval p=if(n=1, \"\\\\MSAgent_1\", \"other\") \
        | lookup pipes pipe AS p OUTPUT tool note | eval t=tostring(isnotnull(tool)), o=tostring(isnotnull(note)) | table tool t o";
    // What is found nowhere has no value where no other is said, as an empty cell has none.
    assert_eq!(shell.rows(query), ["tool|t|o", "beacon|True|False", "|False|False"]);
    let query =
        "| makeresults | eval j=lookup(\"pipes\", json_object(\"pipe\", \"other\"), json_array(\"tool\")) | table j";
    assert_eq!(shell.rows(query), ["j", "{\"tool\":null}"]);
    assert_eq!(shell.rows("| inputlookup seen | stats count"), ["count", "0"]);
    assert_eq!(shell.rows("| makeresults | eval user=\"ann\" | lookup seen user | table user"), ["user", "ann"]);
    assert_eq!(shell.rows("| inputlookup other | stats count"), ["count", "0"]);
    assert_eq!(shell.rows("| makeresults | eval a=\"X\" | lookup plain a | table b"), ["b", "1"]);
}

#[test]
fn a_lookup_that_the_search_writes_may_be_missing_before() {
    let out = tempfile::tempdir().unwrap();
    let shell = Shell::writing(&[], out.path());
    let search =
        "| makeresults | eval a=1 | inputlookup append=t known.csv | stats count by a | outputlookup known.csv";
    assert_eq!(shell.rows(search), ["a|count", "1|1"]);
    assert_eq!(shell.rows(search), ["a|count", "1|2"]);
    assert!(shell.error("| inputlookup unknown.csv").contains("there is no lookup"));
}

#[test]
fn what_is_written_is_found_later() {
    let (app, _) = app();
    let out = tempfile::tempdir().unwrap();
    let shell = Shell::writing(&[app.path().join("app")], out.path());
    let file = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    // A search sees what was there before it.
    let query = "| makeresults | eval user=\"new\", role=\"r\" | table user role | outputlookup users.csv | lookup users.csv user OUTPUT level";
    assert_eq!(shell.rows(query), ["user|role|level", "new|r|"]);
    assert_eq!(file("users.csv"), "user,role\nnew,r\n");
    assert_eq!(shell.rows("| inputlookup users.csv"), ["user|role", "new|r"]);
    assert!(shell.said("| inputlookup users.csv | outputlookup copy.csv").contains("the rows were written to"));
    // The columns of a file stay as they are.
    shell.rows("| makeresults | eval role=\"s\", more=1 | outputlookup append=t users.csv");
    assert_eq!(file("users.csv"), "user,role\nnew,r\n,s\n");
    shell.rows("| makeresults count=3 | eval x=\"a,\\\"b\\\"\" | table x | outputlookup max=2 some.csv");
    assert_eq!(file("some.csv"), "x\n\"a,\"\"b\"\"\"\n\"a,\"\"b\"\"\"\n");
    // A definition names its file.
    shell.rows("| makeresults | eval user=\"def\", team=\"red\", level=9 | table user team level | outputlookup reds");
    assert_eq!(shell.rows("| inputlookup reds"), ["user|team|level", "def|red|9"]);
    // Numbers, times, several values.
    shell.rows("| makeresults | eval n=1.5, m=split(\"a,b\", \",\") | outputlookup types.csv");
    assert_eq!(file("types.csv"), "_time,n,m\n1716544800,1.5,\"a\nb\"\n");
    assert_eq!(shell.rows("| inputlookup types.csv"), ["_time|n|m", "2024-05-24T10:00:00.000Z|1.5|a\nb"]);
    shell.rows(
        "| makeresults | eval m=split(\"a,b\", \",\") | table m | outputlookup output_format=splunk_mv_csv types.csv",
    );
    assert_eq!(shell.rows("| inputlookup types.csv"), ["m", "a/b"]);
    shell.rows("| makeresults | eval x=1 | table x | outputlookup packed.csv.gz");
    assert_eq!(shell.rows("| inputlookup packed.csv.gz"), ["x", "1"]);
    shell.rows("| makeresults | eval x=1 | table x | outputcsv plain");
    shell.rows("| makeresults | eval x=2 | table x | outputcsv append=t plain");
    assert_eq!(shell.rows("| inputcsv plain"), ["x", "1", "2"]);
    // Order, and writing in the middle.
    let query = "| makeresults count=3 | streamstats count AS n | sort - n | table n | outputlookup sorted.csv | where n<3 | outputlookup rest.csv | stats count";
    assert_eq!(shell.rows(query), ["count", "2"]);
    assert_eq!((file("sorted.csv"), file("rest.csv")), ("n\n3\n2\n1\n".into(), "n\n2\n1\n".into()));
    let names: Vec<String> = fs::read_dir(out.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|name| !name.starts_with('.')), "{names:?}");
}

#[test]
fn no_rows() {
    let out = tempfile::tempdir().unwrap();
    let shell = Shell::writing(&[], out.path());
    let path = out.path().join("x.csv");
    let nothing = "| makeresults | eval x=1 | table x | where x=2";
    let run = |command: &str| {
        shell.rows(&format!("{nothing} | {command}"));
        fs::read_to_string(&path).ok()
    };
    assert_eq!(run("outputlookup create_empty=f x.csv"), None);
    assert_eq!(run("outputcsv x"), None);
    assert_eq!(run("outputlookup x.csv").as_deref(), Some("x\n"));
    fs::write(&path, "a\n1\n").unwrap();
    assert_eq!(run("outputlookup override_if_empty=f x.csv").as_deref(), Some("a\n1\n"));
    assert_eq!(run("outputlookup append=t x.csv").as_deref(), Some("a\n1\n"));
    assert_eq!(run("outputcsv x").as_deref(), None);
    fs::write(&path, "a\n1\n").unwrap();
    assert_eq!(run("outputlookup x.csv").as_deref(), Some("x\n"));
}

#[test]
fn events_for_a_summary_index() {
    let out = tempfile::tempdir().unwrap();
    let shell = Shell::writing(&[], out.path());
    let file = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    let query = "| makeresults | eval user=\"ann\", n=2 | collect index=daily source=rule marker=\"report=x\"";
    assert_eq!(shell.rows(query), ["_time|user|n", "2024-05-24T10:00:00.000Z|ann|2"]);
    shell.rows("| makeresults | eval _raw=\"plain text\" | collect index=daily addinfo=f");
    assert_eq!(
        file("daily.log"),
        "05/24/2024 10:00:00 +0000, info_min_time=0.000, info_max_time=+Infinity, info_search_time=1716544800.000, \
         user=\"ann\", n=2, source=\"rule\", report=x\nplain text\n"
    );
    shell.rows("| makeresults | eval n=2 | stash output_format=hec host=h");
    assert_eq!(
        file("summary.jsonl"),
        "{\"time\":1716544800.0,\"index\":\"summary\",\"host\":\"h\",\"event\":{\"n\":2}}\n"
    );
    shell.rows("| makeresults | eval n=2 | sumindex file=at_$timestamp$.log addtime=f addinfo=f");
    assert_eq!(file("at_1716544800.log"), "n=2\n");
    shell.rows("| makeresults | eval n=2 | summaryindex index=t addinfo=f timeformat=%s");
    assert_eq!(file("t.log"), "1716544800, n=2\n");
    let query = "| makeresults | eval n=2 | table n | collect index=none testmode=t addtime=f addinfo=f";
    assert_eq!(shell.rows(query), ["n|_raw", "2|n=2"]);
    assert!(!out.path().join("none.log").exists());
    assert!(shell.error("| makeresults | collect timeformat=%é").contains('%'));
    assert!(shell.error("| makeresults | collect index=../x").contains("without a folder"));
    assert!(shell.error("| makeresults | collect file=/tmp/x").contains("without a folder"));
}

#[test]
fn nothing_is_written_anywhere_else() {
    let (app, readonly) = app();
    for command in ["outputlookup x.csv", "outputcsv x", "collect index=x", "outputlookup users.csv"] {
        let error = readonly.error(&format!("| makeresults | {command}"));
        assert!(error.contains("--allow-write"), "{command}: {error}");
    }
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    fs::create_dir(&out).unwrap();
    let shell = Shell::writing(&[app.path().join("app")], &out);
    let long = "x".repeat(300);
    let names =
        ["../x.csv", "/tmp/x.csv", "a/x.csv", "..", "a\\\\x.csv", ".x.csv", "c:x.csv", "", "x.csv/", "a*.csv", &long];
    for name in names {
        for command in ["outputlookup", "outputcsv"] {
            let error = shell.error(&format!("| makeresults | {command} \"{name}\""));
            assert!(error.contains("cannot write") || error.contains("needs a table"), "{name}: {error}");
        }
    }
    fs::create_dir(out.join("folder.csv")).unwrap();
    assert!(shell.error("| makeresults | outputlookup folder.csv").contains("it is no file"));
    #[cfg(unix)]
    {
        fs::write(root.path().join("outside.csv"), "a\n1\n").unwrap();
        std::os::unix::fs::symlink(root.path().join("outside.csv"), out.join("link.csv")).unwrap();
        std::os::unix::fs::symlink(root.path().join("nowhere.csv"), out.join("dangling.csv")).unwrap();
        for name in ["link.csv", "dangling.csv"] {
            let error = shell.error(&format!("| makeresults | outputlookup append=t {name}"));
            assert!(error.contains("symbolic link"), "{error}");
            assert!(shell.error(&format!("| inputlookup {name}")).contains("there is no lookup"));
        }
        assert_eq!(fs::read_to_string(root.path().join("outside.csv")).unwrap(), "a\n1\n");
    }
    assert!(shell.error("| makeresults | outputlookup collection").contains("KV store"));
    assert!(shell.error("| makeresults | outputlookup key_field=_key x.csv").contains("KV store"));
    // Neither a mistake later in the search nor an explanation writes.
    shell.error("| makeresults | outputlookup x.csv | outputlookup ../y.csv");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        shell.session().unwrap().explain("| makeresults | outputlookup x.csv").await.unwrap();
    });
    assert!(!out.join("x.csv").exists());
}

#[test]
fn a_failing_search_leaves_the_file_as_it_was() {
    let out = folder(&[("broken.csv", "a,b\n1,\"2\n3,4\n"), ("t.csv", "k\na\n")]);
    let shell = Shell::writing(&[], out.path());
    assert!(shell.error("| makeresults | outputlookup append=t broken.csv").contains("never closed"));
    assert_eq!(fs::read_to_string(out.path().join("broken.csv")).unwrap(), "a,b\n1,\"2\n3,4\n");
    shell.error(
        "| makeresults | eval x=lookup(\"t.csv\", json_object(\"z\", 1), json_array(\"k\")) | outputlookup t.csv",
    );
    assert_eq!(fs::read_to_string(out.path().join("t.csv")).unwrap(), "k\na\n");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 2);
}

#[test]
fn evidence_is_left_alone() {
    let logs = folder(&[
        ("logs/a.csv", "_time,user\n2024-05-24T09:00:00Z,ann\n2024-05-24T09:00:01Z,bob\n"),
        ("out/x.txt", ""),
    ]);
    let mut shell = Shell::writing(&[], &logs.path().join("logs"));
    shell.inputs = vec![Input { location: Location::Path(logs.path().join("logs")), index: None }];
    assert!(shell.error("*").contains("--allow-write"));
    let tables = folder(&[("users.csv", USERS)]);
    let mut shell = Shell::writing(&[tables.path().to_owned()], &logs.path().join("out"));
    shell.inputs = vec![Input { location: Location::Path(logs.path().join("logs")), index: None }];
    // Only what the lookup needs is read, and that is enough.
    assert_eq!(
        shell.rows("* | lookup users.csv user OUTPUT role | table role | sort role"),
        ["role", "admin", "dev/ops"]
    );
    assert_eq!(shell.rows("* | lookup users.csv user OUTPUT role | search role=ops | stats count"), ["count", "1"]);
    assert_eq!(
        shell.rows("* | eval team=if(user==\"ann\", \"kept\", null()) | lookup users.csv user OUTPUTNEW team | stats values(team) AS t"),
        ["t", "blue/kept"]
    );
    assert_eq!(shell.rows("[| inputlookup users.csv where role=admin | fields user] | table user"), ["user", "ann"]);
    shell.rows("* | sort user | outputlookup all.csv | stats count");
    let all = fs::read_to_string(logs.path().join("out/all.csv")).unwrap();
    assert!(all.contains("user") && all.contains("_raw") && all.lines().count() == 3, "{all}");
}

#[test]
fn many_distinct_values() {
    let folder = folder(&[]);
    let mut table = String::from("pattern,verdict\n");
    for n in 0..20_000 {
        table.push_str(&format!("*.host{n}.example,v{n}\n"));
    }
    fs::write(folder.path().join("wild.csv"), table).unwrap();
    fs::write(folder.path().join("transforms.conf"), "[wild]\nfilename = wild.csv\nmatch_type = WILDCARD(pattern)\n")
        .unwrap();
    let shell = Shell::over(&[folder.path().to_owned()]);
    let query = "| makeresults count=20000 | streamstats count AS n | eval d=\"www.host\".n.\".example\" | lookup wild pattern AS d OUTPUT verdict | where verdict==\"v\".n | stats count";
    assert_eq!(shell.rows(query), ["count", "19999"]);
}

#[test]
fn checks_without_data() {
    let (_folder, shell) = app();
    let (macros, saved_searches) = Default::default();
    let apps = Arc::default();
    let knowledge = |lookups| Knowledge { macros: &macros, saved_searches: &saved_searches, apps: &apps, lookups };
    let known = Arc::new(Lookups::load(&[], Writable::Assumed).unwrap());
    for query in [
        "index=a | lookup whatever k OUTPUT x AS y | where y=1",
        "| inputlookup whatever where a=1 | stats count by b",
        "a | lookup t k | table anything",
        "a | eval x=lookup(\"t\", json_object(\"a\", b), json_array(\"c\"))",
        "a | inputlookup append=t b | outputlookup c",
    ] {
        let Checked::Ok(notes) = check(query, knowledge(None)) else { panic!("{query}") };
        assert!(notes.iter().any(|note| note.message.contains("assumed to exist")), "{query}: {notes:?}");
    }
    assert!(matches!(check("a | outputlookup b.csv | collect index=c", knowledge(None)), Checked::Ok(_)));
    assert!(matches!(check("a | outputlookup b.csv | collect index=c", knowledge(Some(&known))), Checked::Ok(_)));
    assert!(matches!(check("a | outputlookup ../b.csv", knowledge(None)), Checked::PlanError(_)));
    assert!(matches!(check("| inputlookup whatever", knowledge(Some(&known))), Checked::PlanError(_)));
    assert!(matches!(
        check("| inputlookup people | lookup users.csv user", knowledge(Some(&shell.lookups))),
        Checked::Ok(_)
    ));
}
