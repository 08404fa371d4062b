#!/usr/bin/env python3
"""Searches over a store with one, two and four workers of a cluster on this machine, beside the same without a cluster.

    cargo build --release -p spelunk --features cluster
    benches/cluster.py --data FOLDER [--events 5000000] [--spelunk target/release/spelunk] [--workers 1,2,4] [--runs 3]

The store is generated once into FOLDER. Each worker is a process with one core of its own, as far as the machine has so
many. All results are compared with those of the local run first. What is printed of each search: medians of seconds, and,
from the stages' own metrics, how many events were scanned, and how many rows and bytes passed from stage to stage.
"""

import argparse
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from measuring import rows, run_well

HERE = Path(__file__).resolve().parent
SEARCHES = [
    ("DCOM detection", (HERE.parent / "datasets/detections/dcom.spl").read_text().strip()),
    ("`stats count by host, Image`", "* | stats count by host, Image"),
    (
        "`rex`, `stats dc by`, `sort`",
        'EventCode=* | rex field=CommandLine "(?<word>\\w+)" | stats count dc(Image) AS programs by word host'
        " | sort 0 word host",
    ),
    ("hourly count by EventCode", "* | bin _time span=1h | stats count by _time EventCode"),
]
STAGE = re.compile(r"on the cluster, stage \d+: (?:([\d,]+) events? scanned, )?([\d,]+) rows? passed on \(([\d.]+) (\w+)\)")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def started(command):
    """A process that says that it works."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    if "Ctrl-C ends it" not in line:
        sys.exit(f"{' '.join(command)}: {line}{process.stderr.read()}")
    # Nobody waits for a process whose output nobody reads.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    return process


def passed(errors):
    """Events scanned, and rows and bytes that passed between stages or to the client, of all stages."""
    scanned = moved = size = 0
    for events, count, number, unit in STAGE.findall(errors):
        scanned += int((events or "0").replace(",", ""))
        moved += int(count.replace(",", ""))
        size += float(number) * UNITS[unit]
    return scanned, moved, size


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--spelunk", default=str(HERE.parent / "target/release/spelunk"))
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    store = args.data / f"store-{args.events}"
    if not store.exists():
        lines = args.data / "events.jsonl"
        run_well([args.spelunk, "generate", "--events", str(args.events), "--seed", "7", "--out", str(lines)])
        run_well([args.spelunk, "index", "-q", "-o", str(store), str(lines)])
        lines.unlink()

    local = {}
    print("| search | where | s | events scanned | rows passed on | MiB passed on |")
    print("|---|---|---|---|---|---|")
    for name, search in SEARCHES:
        command = [args.spelunk, "run", "-q", "--output", "csv", search, str(store)]
        runs = [run_well(command) for _ in range(args.runs)]
        local[name] = rows(runs[0].output, True)
        print(f"| {name}, {len(local[name]):,} rows | here | {statistics.median(r.seconds for r in runs):.2f} | | | |")
    for count in map(int, args.workers.split(",")):
        with tempfile.TemporaryDirectory(dir=args.data) as temp:
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            processes = [started([args.spelunk, "scheduler", "--port", port])]
            worker = [args.spelunk, "worker", url, "--cores", "1", "--memory", "1GiB", "--temp", temp]
            try:
                processes += [started(worker) for _ in range(count)]
                for name, search in SEARCHES:
                    command = [args.spelunk, "run", "--cluster", url, "--output", "csv", search, str(store)]
                    runs = [run_well(command) for _ in range(args.runs)]
                    # What the stages did is told with the profile alone.
                    profile = run_well([*command, "--profile"]).errors
                    if rows(runs[0].output, True) != local[name]:
                        sys.exit(f"{name}: {count} workers give other rows")
                    scanned, moved, size = passed(profile)
                    seconds = statistics.median(run.seconds for run in runs)
                    print(f"| {name} | {count} | {seconds:.2f} | {scanned:,} | {moved:,} | {size / (1 << 20):.2f} |")
            finally:
                for process in reversed(processes):
                    process.terminate()
                    process.wait()


if __name__ == "__main__":
    main()
