"""What the scripts of this folder have in common: running a program, and reading what it wrote."""

import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple


class Run(NamedTuple):
    """How a process went."""

    output: str
    errors: str
    code: int
    seconds: float
    """User and system time of all its threads."""
    processor: float
    """The most memory that it took, in MiB."""
    peak: float


def run(command, keep=True, **options):
    """Runs a program to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output if keep else subprocess.DEVNULL, stderr=errors, **options)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace"))
        used = usage.ru_utime + usage.ru_stime
        return Run(*texts, child.returncode, seconds, used, usage.ru_maxrss / 1024)


def run_well(command, accept=(0,), **options):
    """The same for a program that has to end with one of these codes."""
    outcome = run(command, **options)
    if outcome.code not in accept:
        sys.exit(f"{command[0]} ended with {outcome.code}:\n{outcome.errors}")
    return outcome


def rows(text, has_header):
    """The rows of a CSV text as a set: in one order, and numbers in one form."""
    lines = list(csv.reader(io.StringIO(text, newline="")))[1 if has_header else 0 :]

    def cell(value):
        try:
            return repr(float(value))
        except ValueError:
            return value

    return sorted([cell(value) for value in line] for line in lines)


def in_turn(commands, times, **options):
    """Runs programs in turn, and gives of each the median seconds, the median processor time and the highest peak."""
    runs = [[] for _ in commands]
    for _ in range(times):
        for command, done in zip(commands, runs):
            done.append(run_well(command, **options))
    return [
        (
            statistics.median(outcome.seconds for outcome in done),
            statistics.median(outcome.processor for outcome in done),
            max(outcome.peak for outcome in done),
        )
        for done in runs
    ]
