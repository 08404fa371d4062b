//! spelunk's kernels beside the same work written directly as DataFusion expressions, over the same 1,000,000 generated
//! events in memory, in one run.
//!
//! Each row stands for one construct of a published search. The ratio is spelunk's median time over DataFusion's, of what
//! the events take: below 1 spelunk is faster. Parsing and planning, which do not grow with the events, are in the columns
//! beside it. Both sides count the rows that remain, with the same threads: spelunk over the events as it keeps
//! them, DataFusion over the same columns in its own table in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::DataType;
use datafusion::datasource::MemTable;
use datafusion::functions::expr_fn::{lower, regexp_like};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::physical_plan::collect;
use datafusion::prelude::{DataFrame, Expr, SessionContext, cast, ident, lit};
use futures::TryStreamExt;
use spelunk_benches::SEED;
use spelunk_datasets::Format;
use spelunk_engine::EventTable;
use spelunk_engine::ingest::{self, FieldSelection, Input, Location, ReadOptions};
use spelunk_engine::{Session, SessionOptions};
use tokio::runtime::Runtime;

/// The allocator of the `spelunk` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: u64 = 1_000_000;
const RUNS: usize = 9;
const FIELDS: [&str; 6] = ["EventCode", "Image", "ParentImage", "CommandLine", "User", "host"];

/// The name, the search, and the same as a DataFusion plan.
type Pair = (&'static str, &'static str, fn(DataFrame) -> DataFrame);

const PAIRS: &[Pair] = &[
    ("search: number", "EventCode=1 | stats count", |events| events.filter(ident("EventCode").eq(lit(1_i64))).unwrap()),
    ("search: suffix wildcard, any case", r#"Image="*\\cmd.exe" | stats count"#, |events| {
        events.filter(ident("Image").ilike(lit(r"%\\cmd.exe"))).unwrap()
    }),
    ("search: infix wildcard, any case, repetitive text", r#"Image="*powershell*" | stats count"#, |events| {
        events.filter(ident("Image").ilike(lit("%powershell%"))).unwrap()
    }),
    ("search: infix wildcard, any case, command lines", r#"CommandLine="*-Exec*" | stats count"#, |events| {
        events.filter(ident("CommandLine").ilike(lit("%-exec%"))).unwrap()
    }),
    (
        "search: six alternatives of one field",
        r#"Image IN ("*\\cmd.exe","*\\powershell.exe","*\\wscript.exe","*\\cscript.exe","*\\mshta.exe","*\\rundll32.exe") | stats count"#,
        |events| {
            let names = ["cmd", "powershell", "wscript", "cscript", "mshta", "rundll32"];
            let any = names.map(|name| ident("Image").ilike(lit(format!(r"%\\{name}.exe"))));
            events.filter(any.into_iter().reduce(Expr::or).unwrap()).unwrap()
        },
    ),
    (
        "where match(): regex, repetitive text",
        r#"* | where match(Image, "(cmd|powershell|wscript)\.exe$") | stats count"#,
        |events| events.filter(regex("Image", r"(cmd|powershell|wscript)\.exe$")).unwrap(),
    ),
    (
        "where match(): regex, command lines",
        r#"* | where match(CommandLine, "-[eE]xec\w*\s+\w+") | stats count"#,
        |events| events.filter(regex("CommandLine", r"-[eE]xec\w*\s+\w+")).unwrap(),
    ),
    ("eval: lower() and comparison", r#"* | eval u=lower(User) | where u="lab\\alice" | stats count"#, |events| {
        let user = lower(ident("User"));
        events.with_column("u", user).unwrap().filter(ident("u").eq(lit(r"lab\alice"))).unwrap()
    }),
    (
        "rex: one group",
        r#"* | rex field=Image "\\\\(?<program>[^\\\\]+)$" | where program="cmd.exe" | stats count"#,
        |events| {
            let groups = datafusion::functions::expr_fn::regexp_match(
                cast(ident("Image"), DataType::Utf8),
                lit(r"\\([^\\]+)$"),
                None,
            );
            let program = datafusion::functions_nested::expr_fn::array_element(groups, lit(1_i64));
            events.with_column("program", program).unwrap().filter(ident("program").eq(lit("cmd.exe"))).unwrap()
        },
    ),
];

fn regex(field: &str, pattern: &str) -> Expr {
    regexp_like(cast(ident(field), DataType::Utf8), lit(pattern), None)
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    spelunk_datasets::generate(std::fs::File::create(&path).unwrap(), Format::JsonLines, SEED, EVENTS).unwrap();
    let inputs = vec![Input { location: Location::Path(path), index: None }];
    let options = SessionOptions { keep: true, ..SessionOptions::default() };
    let session = Session::new(options, inputs.clone()).unwrap();
    runtime.block_on(session.load()).unwrap();
    let read = ReadOptions {
        fields: FieldSelection::Only(FIELDS.map(str::to_string).to_vec()),
        wanted: None,
        sourcetype: None,
        host: None,
        source: None,
        strict: false,
        time_zone: jiff::tz::TimeZone::UTC,
        cancelled: Arc::default(),
        temp: None,
        pool: None,
        watch: Arc::default(),
    };
    let (store, _) = ingest::read(&inputs, &read).unwrap();
    let context = SessionContext::new();
    // The hand-written side has a table of DataFusion's own, which leaves nothing out.
    let events = context.read_table(Arc::new(EventTable::new(Arc::new(store)))).unwrap();
    let schema = Arc::new(events.schema().as_arrow().clone());
    let batches = runtime.block_on(events.collect_partitioned()).unwrap();
    context.register_table("events", Arc::new(MemTable::try_new(schema, batches).unwrap())).unwrap();

    println!("{:<52} {:>31} {:>23}", "", "the kernel, ms", "with planning, ms");
    println!(
        "{:<52} {:>8} {:>11} {:>10} {:>8} {:>11}",
        "kernel, 1,000,000 events", "spelunk", "DataFusion", "ratio", "spelunk", "DataFusion"
    );
    for (name, query, direct) in PAIRS {
        let spelunk = || runtime.block_on(searched(&session, query));
        let datafusion = || runtime.block_on(counted(&context, *direct));
        spelunk();
        datafusion();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            ours.push(spelunk());
            theirs.push(datafusion());
        }
        let run = |times: &[Taken]| median(times.iter().map(|taken| taken.run).collect());
        let whole = |times: &[Taken]| median(times.iter().map(|taken| taken.whole).collect());
        let ratio = run(&ours) / run(&theirs);
        println!(
            "{name:<52} {:>8.1} {:>11.1} {ratio:>10.2} {:>8.1} {:>11.1}",
            run(&ours),
            run(&theirs),
            whole(&ours),
            whole(&theirs)
        );
    }
}

/// How long the events took, and that with parsing and planning.
struct Taken {
    run: Duration,
    whole: Duration,
}

async fn searched(session: &Session, query: &str) -> Taken {
    let begun = Instant::now();
    let search = session.search(query).await.unwrap();
    let ahead = search.read_time + search.plan_time;
    let _: Vec<_> = search.stream.try_collect().await.unwrap();
    let whole = begun.elapsed();
    Taken { run: whole.saturating_sub(ahead), whole }
}

async fn counted(context: &SessionContext, direct: fn(DataFrame) -> DataFrame) -> Taken {
    let begun = Instant::now();
    let frame = direct(context.table("events").await.unwrap());
    let frame = frame.aggregate(vec![], vec![count(lit(1_i64))]).unwrap();
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.unwrap();
    let planned = begun.elapsed();
    collect(plan, task).await.unwrap();
    let whole = begun.elapsed();
    Taken { run: whole.saturating_sub(planned), whole }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
