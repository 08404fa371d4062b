#!/usr/bin/env python3
"""Searches that hold much, under a limit of memory: time, peak and how they end.

    cargo build --release
    benches/scale.py [--memory 1GiB] [--spelunk target/release/spelunk] [--only WORD]

Events are generated once, as Parquet, into the system's temporary folder. Each search has to end with 0 and keep near
the limit, or to end with 1 and name the command that needs more.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measuring import run, run_well

MILLION = 1_000_000

# Name, events, search. What is timed includes writing the rows.
SEARCHES = [
    ("stats count by key, 1,000,000 keys", 5 * MILLION, "* | eval key = RecordNumber % 1000000 | stats count by key"),
    ("stats values() by 1,000,000 keys", 5 * MILLION,
     "* | eval key = RecordNumber % 1000000 | stats values(Image) count by key"),
    ("sort 0 of 5,000,000, four fields", 5 * MILLION,
     "* | sort 0 - Image RecordNumber | table _time host Image RecordNumber"),
    ("sort 0 of 5,000,000, all fields", 5 * MILLION, "* | sort 0 RecordNumber"),
    ("dedup of 1,000,000 keys", 5 * MILLION,
     "* | eval key = RecordNumber % 1000000 | dedup key | table key host Image"),
    ("eventstats over 5,000,000", 5 * MILLION,
     "* | eventstats count by host | where count < 1000 | table host RecordNumber count"),
    ("streamstats over 5,000,000", 5 * MILLION, "* | streamstats count by host | stats max(count) by host"),
    ("transaction over 1,000,000", MILLION, "* | transaction host maxspan=30s maxpause=5s | stats count sum(eventcount)"),
    ("transaction without limits, 1,000,000", MILLION, "* | transaction ProcessGuid | stats count sum(eventcount)"),
    ("join, default", 5 * MILLION,
     "EventCode=1 | join ProcessGuid [search EventCode=5 | table ProcessGuid RecordNumber] | stats count"),
    ("join max=0", 5 * MILLION,
     "EventCode=1 | join type=inner max=0 host [search EventCode=7045 | table host ServiceName] | stats count"),
    ("the events themselves as Parquet", 5 * MILLION, "*"),
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--memory", default="1GiB")
    arguments.add_argument("--spelunk", default="target/release/spelunk")
    arguments.add_argument("--only", help="only searches whose name contains this")
    given = arguments.parse_args()
    print(f"--memory {given.memory}\n\n| search | s | peak MiB | exit | |\n|---|---|---|---|---|")
    bad = False
    for name, events, search in SEARCHES:
        if given.only and given.only not in name:
            continue
        file = Path(tempfile.gettempdir()) / f"spelunk-{events}.parquet"
        if not file.exists():
            run_well([given.spelunk, "generate", "--events", str(events), "--seed", "7", "--format", "parquet",
                      "--out", str(file)])
        form = ["--output", "parquet", "--out", os.devnull] if "Parquet" in name else ["--output", "csv"]
        command = [given.spelunk, "run", search, str(file), "--memory", given.memory, "--quiet", *form]
        outcome = run(command, keep=False)
        bad |= outcome.code not in (0, 1)
        error = next((line for line in outcome.errors.splitlines() if line.startswith("error")), "")
        print(f"| {name} | {outcome.seconds:.2f} | {outcome.peak:.0f} | {outcome.code} | {error} |", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
