//! What a key waits for in the shell: completion and colours with 5,000 known fields, and drawing a grid of 200 rows.
//!
//! Each text stands for one place at which a hunter presses a key. Every run of it is timed by itself, because a person
//! notices the slowest one: the table has the median and the slowest of all. Processor time does not depend on what else
//! runs; it is that of all runs, divided by their number.

#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use spelunk::measured::{Typing, draw};
use spelunk_engine::values::Cell;
use spelunk_engine::vocabulary::KnownField;

/// As in the shell.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 300;
const FIELDS: usize = 5_000;
/// As many as the shell keeps of a field.
const VALUES: usize = 50;
const ROWS: usize = 200;

/// What is typed, by what Tab is asked for there.
const TEXTS: [(&str, &str); 7] = [
    ("a command", "index=wineventlog EventCode=1 | st"),
    ("every field", "index=wineventlog EventCode=1 | stats count by "),
    ("fields that begin so", "index=wineventlog EventCode=1 | stats count by field_4"),
    ("a field that none begins with", "index=wineventlog EventCode=1 | stats count by feild_4"),
    (
        "a field behind eval, rename and stats",
        "a=1 | eval b=lower(field_1) | rename b AS c | stats count by c, field_2 | sort - f",
    ),
    ("a value", "index=wineventlog field_4999="),
    ("a function", "EventCode=1 | eval name=lower(field_7), n=le"),
];

fn main() {
    let typing = Typing::new(fields());
    let long = long();
    let texts = TEXTS.into_iter().chain([("a field behind 40 lines", long.as_str())]);
    println!(
        "\n| with {FIELDS} fields, ms | offered | completion: median | slowest | processor | colours: median | slowest | processor |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, text) in texts {
        let offered = typing.complete(text);
        let completed = timed(|| typing.complete(black_box(text)));
        let coloured = timed(|| typing.highlight(black_box(text)));
        println!("| {name} | {offered} | {completed} | {coloured} |");
    }
    println!("\n| a grid of {ROWS} rows, ms | median | slowest | processor |\n|---|---|---|---|");
    let (columns, rows) = table();
    for width in [40, 80, 200] {
        println!("| {width} columns | {} |", timed(|| draw(&columns, black_box(&rows), width)));
    }
}

/// The median time, the longest, and the processor time of one run, in milliseconds. The first runs warm up what later
/// keys find warm.
fn timed<T>(work: impl Fn() -> T) -> String {
    (0..RUNS / 10).for_each(|_| drop(black_box(work())));
    let before = processor();
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            black_box(work());
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let computed = before.zip(processor()).map(|(before, after)| (after - before) / RUNS as f64);
    times.sort_unstable_by(f64::total_cmp);
    let [median, slowest] = [RUNS / 2, RUNS - 1].map(|place| times.get(place).copied().unwrap_or_default());
    format!(
        "{median:.2} | {slowest:.2} | {}",
        computed.map_or_else(|| "?".to_owned(), |computed| format!("{computed:.2}"))
    )
}

/// The milliseconds that this thread has computed, where the system tells it (Linux).
fn processor() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split(' ').next()?.parse::<f64>().ok()? / 1e6)
}

fn fields() -> Vec<KnownField> {
    let value = |field: usize, value: usize| format!("C:\\Program Files\\Vendor {field}\\program {value}.exe");
    let field = |number: usize| KnownField {
        name: format!("field_{number}"),
        coverage: Some(1.0 / (number + 1) as f64),
        values: (0..VALUES).map(|place| value(number, place)).collect(),
    };
    (0..FIELDS).map(field).collect()
}

/// A search as a pack has them.
fn long() -> String {
    let lines = (0..40)
        .map(|n| format!("| eval field_{n}=if(match(field_{}, \"^[a-z]+{n}$\"), lower(field_{n}), \"x\")\n", n + 1));
    format!("index=wineventlog EventCode=1\n{}| stats count by field_", lines.collect::<String>())
}

fn table() -> (Vec<String>, Vec<Vec<Cell>>) {
    let columns = ["_time", "host", "User", "Image", "CommandLine", "count"].map(str::to_owned).to_vec();
    let row = |n: usize| {
        vec![
            Cell::Time(format!("2024-05-24T10:{:02}:{:02}.123Z", n / 60 % 60, n % 60)),
            Cell::Text(format!("ws{n:04}.corp.example")),
            Cell::Text("CORP\\anna.abel".to_owned()),
            Cell::Text(format!("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\program{n}.exe")),
            Cell::Text(format!(
                "powershell.exe -NoProfile -Command \"Get-Item {n} | Select-Object -First {n}\" -Verbose"
            )),
            Cell::Number(n.to_string()),
        ]
    };
    (columns, (0..ROWS).map(row).collect())
}
