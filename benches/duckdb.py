#!/usr/bin/env python3
"""The same questions over the same Parquet file, asked of spelunk and of DuckDB.

    pip install duckdb
    cargo build --release
    benches/duckdb.py [--events 5000000] [--file EVENTS.parquet] [--spelunk target/release/spelunk]

Both read the file anew in a process of their own and write their rows as CSV; the rows are compared before anything
is timed. Then both run five times in turn. What is printed: medians, their ratio (below 1: spelunk is faster), and
the most memory that a run took.
"""

import argparse
import csv
import io
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Name, search, SQL over the table `events`. Columns are compared by place and rows as a set.
QUESTIONS = [
    (
        "stats count by host, Image",
        "* | stats count by host, Image",
        "SELECT host, Image, count(*) FROM events WHERE host IS NOT NULL AND Image IS NOT NULL GROUP BY host, Image",
    ),
    (
        "timechart span=1h count by EventCode",
        "* | timechart span=1h limit=0 count by EventCode | untable _time EventCode count | where count > 0"
        " | eval t = round(_time) | table t EventCode count",
        "SELECT epoch(date_trunc('hour', _time))::BIGINT, EventCode, count(*) FROM events"
        " WHERE EventCode IS NOT NULL GROUP BY ALL",
    ),
    (
        "dedup host Image",
        "* | dedup host Image | table host Image RecordNumber",
        "SELECT host, Image, RecordNumber FROM events WHERE host IS NOT NULL AND Image IS NOT NULL"
        " QUALIFY row_number() OVER (PARTITION BY host, Image ORDER BY _time DESC, RecordNumber DESC) = 1",
    ),
    (
        "top 10 Image",
        "* | top 10 Image showperc=f | table Image count",
        "SELECT Image, count(*) c FROM events WHERE Image IS NOT NULL GROUP BY Image ORDER BY c DESC, Image LIMIT 10",
    ),
    (
        "one rare program",
        'EventCode=1 Image="*\\\\dcomcnfg.exe" | table _time host ParentImage RecordNumber | eval t = round(_time, 3)'
        " | table t host ParentImage RecordNumber",
        "SELECT round(epoch(_time), 3), host, ParentImage, RecordNumber FROM events"
        " WHERE EventCode = 1 AND Image ILIKE '%\\dcomcnfg.exe'",
    ),
]

DUCKDB = """
import sys, duckdb
connection = duckdb.connect()
connection.execute("SET threads = %d" % int(sys.argv[3]))
connection.execute("SET TimeZone = 'UTC'")
connection.execute("CREATE VIEW events AS SELECT * FROM read_parquet('%s')" % sys.argv[1])
connection.execute("COPY (%s) TO '/dev/stdout' (FORMAT csv, HEADER false, FORCE_QUOTE *)" % sys.argv[2])
"""


def run(command):
    """Output, seconds and peak memory in MiB of a process."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode != 0:
            sys.exit(f"{command[0]} ended with {child.returncode}:\n{errors.read().decode(errors='replace')}")
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def rows(text, has_header):
    lines = list(csv.reader(io.StringIO(text, newline="")))[1 if has_header else 0 :]
    def cell(value):
        try:
            return repr(float(value))
        except ValueError:
            return value
    return sorted([cell(value) for value in line] for line in lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=5_000_000)
    arguments.add_argument("--file", type=Path)
    arguments.add_argument("--spelunk", default="target/release/spelunk")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--only", help="only questions whose name contains this")
    given = arguments.parse_args()
    file = given.file or Path(tempfile.gettempdir()) / f"spelunk-{given.events}.parquet"
    if not file.exists():
        print(f"writing {file}", file=sys.stderr)
        run([given.spelunk, "generate", "--events", str(given.events), "--seed", "7", "--format", "parquet",
             "--out", str(file)])
    print(f"{file.stat().st_size / 2**20:.0f} MiB, {given.threads} threads, median of {given.runs}\n")
    print("| question | rows | spelunk s | DuckDB s | ratio | spelunk MiB | DuckDB MiB |")
    print("|---|---|---|---|---|---|---|")
    differing = False
    for name, search, sql in QUESTIONS:
        if given.only and given.only not in name:
            continue
        ours = [given.spelunk, "run", search, str(file), "--output", "csv", "--quiet"]
        theirs = [sys.executable, "-c", DUCKDB, str(file), sql, str(given.threads)]
        mine, expected = rows(run(ours)[0], True), rows(run(theirs)[0], False)
        if mine != expected:
            differing = True
            odd = next((pair for pair in zip(mine, expected) if pair[0] != pair[1]), None)
            print(f"| {name} | the rows differ: {len(mine)} and {len(expected)}, first {odd} | | | | | |")
            continue
        times, peaks = ([], []), (0, 0)
        for _ in range(given.runs):
            results = [run(ours), run(theirs)]
            for side, (_, seconds, _) in zip(times, results):
                side.append(seconds)
            peaks = tuple(max(peak, result[2]) for peak, result in zip(peaks, results))
        spelunk, duckdb = (statistics.median(side) for side in times)
        print(f"| {name} | {len(mine)} | {spelunk:.2f} | {duckdb:.2f} | {spelunk / duckdb:.2f}"
              f" | {peaks[0]:.0f} | {peaks[1]:.0f} |", flush=True)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
