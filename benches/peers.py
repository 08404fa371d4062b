#!/usr/bin/env python3
"""The same work done by spelunk and by other programs, over data that it generates once.

    pip install duckdb datafusion
    cargo install ripgrep
    cargo build --release
    benches/peers.py --data FOLDER [--only WORD] [--chainsaw PATH] [--hayabusa PATH] [--zircolite PATH]

Each question is asked of spelunk and of its peers, each time in a process of its own that reads the files anew. What
they answer is compared before anything is timed: the rows, or the number of findings for hunting tools, which are in no
package registry and are given by path. Then all run five times in turn. What is printed: medians, the ratio to each peer
(below 1: spelunk is faster), the time of all processors together, which other work on the machine disturbs less, and
the most memory that a run took. Peers that are missing are named.
"""

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from measuring import in_turn, rows, run, run_well

HERE = Path(__file__).resolve().parent
DETECTION = HERE.parent / "datasets/detections/dcom.spl"
RULE = HERE / "sigma/dcom.yml"

# The detection with its time as a number, because programs write times in many forms.
SEED = (
    DETECTION.read_text().strip()
    + " | eval t = round(_time, 3) | table t, host, User, Image, CommandLine, ParentImage, ParentCommandLine,"
    " DetectionPattern"
)


def seed_sql(table, time, host, conditions, like, matches):
    """The detection in SQL; `like` compares in any letter case, `matches` looks for an expression."""

    def ends(column, names):
        return " OR ".join(f"{column} {like} '%\\{name}.exe'" for name in names.split())

    return f"""
SELECT {time}, {host}, "User", "Image", "CommandLine", "ParentImage", "ParentCommandLine",
  CASE WHEN {matches}("ParentImage", '(mmc|excel|winword|outlook|powerpnt)')
        AND {matches}("Image", '(cmd|powershell|wscript|cscript|mshta|rundll32)') THEN 'COM_SuspiciousChild'
       WHEN {matches}("Image", 'dcomcnfg') THEN 'DCOM_ConfigTool'
       WHEN {matches}("CommandLine", 'DCOM') THEN 'DCOM_CommandLineRef'
       ELSE 'DCOM_Other' END
FROM {table}
WHERE {conditions}
  AND ((({ends('"ParentImage"', "mmc excel winword outlook powerpnt")})
        AND ({ends('"Image"', "cmd powershell wscript cscript mshta rundll32")}))
       OR {ends('"Image"', "dcomcnfg")}
       OR ("CommandLine" {like} '%-Exec%' AND "CommandLine" {like} '%DCOM%'))
ORDER BY 1 DESC"""


SYSMON = "'XmlWinEventLog:Microsoft-Windows-Sysmon/Operational'"
SEED_COLUMNS = f"index = 'wineventlog' AND sourcetype = {SYSMON} AND \"EventCode\" = 1"
SEED_DUCKDB = seed_sql("events", "round(epoch(_time), 3)", "host", SEED_COLUMNS, "ILIKE", "regexp_matches")
SEED_DATAFUSION = seed_sql(
    "events", "to_unixtime(_time) + date_part('millisecond', _time) % 1000 / 1000.0", "host", SEED_COLUMNS, "ILIKE",
    "regexp_like",
).replace("\\", "\\\\")
SEED_LINES = seed_sql(
    "events", 'round(epoch(CAST("@timestamp" AS TIMESTAMPTZ)), 3)', '"Hostname"',
    "\"Channel\" = 'Microsoft-Windows-Sysmon/Operational' AND \"EventID\" = 1", "ILIKE", "regexp_matches",
)

# Name, search, SQL over the table `events`.
QUESTIONS = [
    (
        "stats count by host, Image",
        "* | stats count by host, Image",
        'SELECT host, "Image", count(*) FROM events WHERE host IS NOT NULL AND "Image" IS NOT NULL GROUP BY 1, 2',
    ),
    (
        "hourly count by EventCode",
        "* | timechart span=1h limit=0 count by EventCode | untable _time EventCode count | where count > 0"
        " | eval t = round(_time) | table t EventCode count",
        "SELECT epoch(date_trunc('hour', _time))::BIGINT, \"EventCode\", count(*) FROM events"
        ' WHERE "EventCode" IS NOT NULL GROUP BY 1, 2',
    ),
    (
        "dedup host Image",
        "* | dedup host Image | table host Image RecordNumber",
        'SELECT host, "Image", "RecordNumber" FROM events WHERE host IS NOT NULL AND "Image" IS NOT NULL'
        ' QUALIFY row_number() OVER (PARTITION BY host, "Image" ORDER BY _time DESC, "RecordNumber" DESC) = 1',
    ),
    (
        "top 10 Image",
        "* | top 10 Image showperc=f | table Image count",
        'SELECT "Image", count(*) c FROM events WHERE "Image" IS NOT NULL GROUP BY 1 ORDER BY c DESC, 1 LIMIT 10',
    ),
    (
        "one rare program",
        'EventCode=1 Image="*\\\\dcomcnfg.exe" | table _time host ParentImage RecordNumber | eval t = round(_time, 3)'
        " | table t host ParentImage RecordNumber",
        'SELECT round(epoch(_time), 3), host, "ParentImage", "RecordNumber" FROM events'
        " WHERE \"EventCode\" = 1 AND \"Image\" ILIKE '%\\dcomcnfg.exe'",
    ),
]

NEEDLE = "dcomcnfg"

DUCKDB = """
import csv, sys, duckdb
connection = duckdb.connect()
# It would stand among the rows.
connection.execute("SET enable_progress_bar = false")
connection.execute("SET threads = %d" % int(sys.argv[3]))
connection.execute("SET TimeZone = 'UTC'")
connection.execute("CREATE VIEW events AS SELECT * FROM " + sys.argv[1])
csv.writer(sys.stdout).writerows(connection.execute(sys.argv[2]).fetchall())
"""

DATAFUSION = """
import csv, sys
from datafusion import SessionConfig, SessionContext
context = SessionContext(SessionConfig().with_target_partitions(int(sys.argv[3])))
context.register_parquet("events", sys.argv[1])
writer = csv.writer(sys.stdout)
for batch in context.sql(sys.argv[2]).collect():
    columns = [column.to_pylist() for column in batch.columns]
    writer.writerows(zip(*columns))
"""

# How hunting tools are run, and what they write one finding a line into; {given} is the path that the user gives.
HUNTERS = {
    "chainsaw": (
        ["{given}", "hunt", "{log}", "--sigma", "{rule}", "--mapping", "{folder}/mappings/sigma-event-logs-all.yml",
         "--jsonl", "-q", "--output", "{out}"], 0),
    # Its fourth version. Rules and logs are chosen by channels that a Sigma rule does not name, if it is let.
    "hayabusa": (
        ["{given}", "dfir-timeline", "--output-type", "jsonl", "--no-wizard", "--quiet", "--no-summary", "--clobber",
         "--enable-all-rules", "--scan-all-evtx-files", "--file", "{log}", "--rules", "{rule}", "--rules-config",
         "{folder}/rules/config", "--output", "{out}"], 0),
    # Its command, as it is installed from its folder.
    "zircolite": (
        ["{given}", "--evtx", "{log}", "--ruleset", "{rule}", "--quiet", "--logfile", os.devnull, "--csv", "--outfile",
         "{out}"], 1),
}


class Bench:
    def __init__(self, given):
        self.given = given
        self.data = given.data
        self.data.mkdir(parents=True, exist_ok=True)
        self.differs = False
        self.missing = []

    def module(self, name):
        """Whether Python has a module; one that it has not is told at the end."""
        found = run([sys.executable, "-P", "-c", f"import {name}"]).code == 0
        if not found and name not in self.missing:
            self.missing.append(name)
        return found

    def wants(self, name):
        return not self.given.only or self.given.only in name

    def generated(self, events, form):
        file = self.data / f"spelunk-{events}.{form}"
        if not file.exists():
            print(f"writing {file}", file=sys.stderr)
            run_well([self.given.spelunk, "generate", "--events", str(events), "--seed", "7", "--format", form,
                      "--out", str(file)])
        return file

    def store(self, file):
        store = file.with_suffix(".store")
        if not store.exists():
            print(f"writing {store}", file=sys.stderr)
            run_well([self.given.spelunk, "index", "-o", str(store), str(file)])
        return store

    def columnar(self, what, events):
        """A store or a file of Parquet, and how DuckDB reads it."""
        if what == "store":
            path = self.store(self.generated(events, "jsonl"))
            return path, f"read_parquet('{path}/**/*.parquet', union_by_name = true)"
        path = self.generated(events, "parquet")
        return path, f"read_parquet('{path}')"

    def spelunk(self, search, path):
        return [self.given.spelunk, "run", search, str(path), "--output", "csv", "--quiet"]

    def duckdb(self, source, sql):
        return [sys.executable, "-P", "-c", DUCKDB, source, sql, str(self.given.threads)]

    def datafusion(self, path, sql):
        return [sys.executable, "-P", "-c", DATAFUSION, str(path), sql, str(self.given.threads)]

    def compare(self, name, ours, peers, read=None):
        """Prints a line for each peer. `read` makes what is compared of what a program wrote and who wrote it."""
        read = read or (lambda outcome, who: rows(outcome.output, who == "spelunk"))
        # ripgrep ends with 1 where it finds nothing.
        accept = (0, 1) if "ripgrep" in peers else (0,)
        mine = read(run_well(ours), "spelunk")
        same = []
        for peer, command in peers.items():
            expected = read(run_well(command, accept), peer)
            if mine == expected:
                same.append((peer, command))
                continue
            self.differs = True
            sizes = (len(mine), len(expected)) if isinstance(mine, list) else (mine, expected)
            odd = next((pair for pair in zip(mine, expected) if pair[0] != pair[1]), None) if isinstance(mine, list) else ""
            print(f"| {name} | {peer}: what it finds differs, {sizes[0]} and {sizes[1]}, first {odd} | | | | | | | |")
        count = len(mine) if isinstance(mine, list) else mine
        results = in_turn([ours, *(command for _, command in same)], self.given.runs, accept=accept)
        (seconds, processor, peak), others = results[0], results[1:]
        for (peer, _), (their_seconds, their_processor, their_peak) in zip(same, others):
            print(f"| {name} | {count} | {peer} | {seconds:.2f} | {their_seconds:.2f} | {seconds / their_seconds:.2f}"
                  f" | {processor:.2f} | {their_processor:.2f} | {peak:.0f} | {their_peak:.0f} |", flush=True)
        if not peers:
            print(f"| {name} | {count} | none | {seconds:.2f} | | | {processor:.2f} | | {peak:.0f} | |", flush=True)

    def raw_logs(self):
        name = f"seed detection, {self.given.evtx:,} events, EVTX"
        if not self.wants(name):
            return
        log = self.generated(self.given.evtx, "evtx")
        peers, headers = {}, {}
        for tool, (command, header) in HUNTERS.items():
            given = getattr(self.given, tool)
            if given is None:
                self.missing.append(f"{tool} (--{tool} PATH)")
                continue
            out = self.data / f"{tool}.out"
            places = {"given": given, "folder": Path(given).parent, "log": log, "rule": RULE, "out": out}
            peers[tool] = [part.format(**places) for part in command]
            headers[tool] = (out, header)

        def findings(outcome, who):
            if who == "spelunk":
                return len(rows(outcome.output, True))
            out, header = headers[who]
            lines = [line for line in out.read_text(errors="replace").splitlines() if line.strip()]
            return len(lines) - header

        self.compare(name, self.spelunk(SEED, log), peers, findings)

    def floor(self):
        """The evtx crate reading every record, in one process with the search: a bench of its own."""
        if not self.wants("floor, EVTX") or self.given.no_floor:
            return
        if shutil.which("cargo") is None:
            self.missing.append("cargo, for the floor")
            return
        outcome = run(["cargo", "bench", "--workspace", "--bench", "evtx"], cwd=HERE.parent)
        self.notes = outcome.output.strip() or outcome.errors

    def lines(self):
        name = f"seed detection, {self.given.lines:,} events, JSON lines"
        if not self.wants(name):
            return
        file = self.generated(self.given.lines, "jsonl")
        source = f"read_json('{file}', format = 'newline_delimited')"
        peers = {"DuckDB": self.duckdb(source, SEED_LINES)} if self.module("duckdb") else {}
        self.compare(name, self.spelunk(SEED, file), peers)

    def columns(self):
        for what, events in (("Parquet", self.given.events), ("store", self.given.lines)):
            name = f"seed detection, {events:,} events, {what}"
            if not self.wants(name):
                continue
            path, source = self.columnar(what, events)
            peers = {}
            if self.module("duckdb"):
                peers["DuckDB"] = self.duckdb(source, SEED_DUCKDB)
            # It takes no files whose columns of one name have several types, as those of a store have.
            if what != "store" and self.module("datafusion"):
                peers["DataFusion"] = self.datafusion(path, SEED_DATAFUSION)
            self.compare(name, self.spelunk(SEED, path), peers)

    def questions(self):
        for what, events in (("Parquet", self.given.events), ("store", self.given.lines)):
            for question, search, sql in QUESTIONS:
                name = f"{question}, {events:,} events, {what}"
                if not self.wants(name):
                    continue
                path, source = self.columnar(what, events)
                peers = {"DuckDB": self.duckdb(source, sql)} if self.module("duckdb") else {}
                self.compare(name, self.spelunk(search, path), peers)

    def needle(self):
        name = f"keyword, {self.given.lines:,} events, JSON lines"
        if not self.wants(name):
            return
        file = self.generated(self.given.lines, "jsonl")
        ripgrep = shutil.which(self.given.ripgrep)
        if ripgrep is None:
            self.missing.append("ripgrep (cargo install ripgrep, or --ripgrep PATH)")

        def lines(outcome, who):
            if who == "spelunk":
                return sorted(row["_raw"] for row in csv.DictReader(io.StringIO(outcome.output, newline="")))
            return sorted(outcome.output.splitlines())

        def count(outcome, who):
            found = rows(outcome.output, who == "spelunk")
            return int(float(found[0][0])) if found else 0

        # A keyword is a whole term in any letter case.
        options = ["--no-config", "--ignore-case", "--word-regexp", "--color=never"]
        peers = {"ripgrep": [ripgrep, *options, NEEDLE, str(file)]} if ripgrep else {}
        self.compare(f"{name}, the lines", self.spelunk(f"{NEEDLE} | table _raw", file), peers, lines)
        peers = {"ripgrep": [ripgrep, *options, "--count", NEEDLE, str(file)]} if ripgrep else {}
        self.compare(f"{name}, their number", self.spelunk(f"{NEEDLE} | stats count", file), peers, count)

    def sizes(self):
        if not self.wants("size of a store"):
            return
        file = self.generated(self.given.lines, "jsonl")
        store = self.store(file)
        held = sum(part.stat().st_size for part in store.rglob("*") if part.is_file())
        if shutil.which("zstd") is None:
            self.missing.append("zstd")
            return
        with subprocess.Popen(["zstd", "-3", "-q", "-c", str(file)], stdout=subprocess.PIPE) as child:
            packed = sum(len(block) for block in iter(lambda: child.stdout.read(1 << 20), b""))
        print(f"\n| size, {self.given.lines:,} events | MiB | of the lines |\n|---|---|---|")
        total = file.stat().st_size
        for what, size in (("JSON lines", total), ("`zstd -3`", packed), ("store", held)):
            print(f"| {what} | {size / 2**20:.0f} | {size / total:.3f} |")

    def growth(self):
        """Time against events: the last column is the same everywhere where time grows as events do."""
        for form in ("parquet", "jsonl"):
            if not self.wants(f"growth, {form}"):
                continue
            print(f"\n| seed detection, {form} | s | processor s | MiB | µs of processor an event |\n|---|---|---|---|---|")
            events = 100_000
            while events <= self.given.most:
                known = (self.data / f"spelunk-{events}.{form}").exists()
                # A line takes about 900 bytes.
                if form == "jsonl" and not known and shutil.disk_usage(self.data).free < events * 1_200:
                    print(f"| {events:,} events: no room for the file | | | | |")
                    break
                file = self.generated(events, form)
                [(seconds, processor, peak)] = in_turn([self.spelunk(SEED, file)], self.given.runs)
                print(f"| {events:,} events | {seconds:.2f} | {processor:.2f} | {peak:.0f} |"
                      f" {processor / events * 1e6:.2f} |", flush=True)
                if not known and events not in (self.given.lines, self.given.events):
                    file.unlink()
                events *= 10 if events * 10 <= self.given.most or events == self.given.most else 3


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True, help="the folder that the generated files are kept in")
    arguments.add_argument("--spelunk", default="target/release/spelunk")
    arguments.add_argument("--events", type=int, default=5_000_000, help="events in the Parquet file")
    arguments.add_argument("--lines", type=int, default=1_000_000, help="events as JSON lines")
    arguments.add_argument("--evtx", type=int, default=1_000_000, help="events in the event log")
    arguments.add_argument("--most", type=int, default=10_000_000, help="where the growth of time ends")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--only", help="only the rows whose name contains this, such as `keyword` or `growth`")
    arguments.add_argument("--no-floor", action="store_true", help="leave out the bench of the evtx crate, which builds")
    arguments.add_argument("--ripgrep", default="rg", help="the program")
    for tool in HUNTERS:
        arguments.add_argument(f"--{tool}", help=f"the path of {tool}, which no package registry has")
    bench = Bench(arguments.parse_args())
    bench.notes = ""
    print(f"{bench.given.threads} threads, median of {bench.given.runs}\n")
    print("| work | rows | peer | spelunk s | peer s | ratio | spelunk processor s | peer processor s | spelunk MiB"
          " | peer MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for part in (bench.raw_logs, bench.lines, bench.columns, bench.questions, bench.needle, bench.sizes, bench.growth,
                 bench.floor):
        part()
    if bench.notes:
        print(f"\nRaw event logs beside the evtx crate, `cargo bench --workspace --bench evtx`:\n\n{bench.notes}")
    if bench.missing:
        print("\nMissing, and not compared: " + ", ".join(dict.fromkeys(bench.missing)) + ".")
    return 1 if bench.differs else 0


if __name__ == "__main__":
    sys.exit(main())
