"""Tests of a line while the PC is busy, as `make bench-line-load` prints.

A PC that is busy reads low, and must say so: a low reading without `pc_limited` denies a line that
is there. The other work is loops of Python, at normal priority: on all cores, on one, on all for
half the time. They end with the bench.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

import shaped
from shaped import Lab

#: A reading below this share of the rate is low.
LOW = 0.97
#: Busy and idle milliseconds by turns, until the input ends.
_WORK = """
import os, sys, threading, time
busy, idle = (float(word) / 1000 for word in sys.argv[1:])
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    until = time.perf_counter() + busy
    while time.perf_counter() < until:
        pass
    time.sleep(idle)
"""


class Work(NamedTuple):
    """What else the PC does: processes, each busy and idle by turns, in ms."""

    name: str
    processes: int
    busy_ms: float = 100
    idle_ms: float = 0


CORES = os.cpu_count() or 1
WORKS = (
    Work("all cores", CORES),
    Work("one core", 1),
    Work("all cores, half the time", CORES, 50, 50),
    Work("all cores, 2 s of 4", CORES, 2000, 2000),
)


def main() -> int:
    """Run what the command line asks for; 1 where a low reading is not flagged, 2 without a lab."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="100,300")
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--works", default=",".join(map(str, range(len(WORKS)))), help="by place")
    args = parser.parse_args()
    table, escaped = _table(), 0
    try:
        with shaped.lab() as lab, lab.measurement_server() as url:
            for rate in map(float, args.rates.split(",")):
                lab.shape(rate)
                for work in (WORKS[int(place)] for place in args.works.split(",")):
                    tests = list(_tests(lab, url, work, args.runs))
                    row = _row(rate, work, tests)
                    print(*row, *_without(tests), sep=" | ", flush=True)
                    table.add_row(*row)
                    escaped += int(row[-1])
    except shaped.NoLabError as error:
        print(error)
        return 2
    Console(width=120).print(table)
    return 1 if escaped else 0


def _tests(lab: Lab, url: str, work: Work, runs: int) -> Iterator[dict[str, Any]]:
    with _busy(work):
        for _ in range(runs):
            yield shaped.measured(lab, url)


@contextlib.contextmanager
def _busy(work: Work) -> Iterator[None]:
    words = [sys.executable, "-c", _WORK, str(work.busy_ms), str(work.idle_ms)]
    processes = [subprocess.Popen(words, stdin=subprocess.PIPE) for _ in range(work.processes)]
    try:
        yield
    finally:
        for process in processes:
            process.communicate()


def _row(rate: float, work: Work, tests: list[dict[str, Any]]) -> tuple[str, ...]:
    read = [test for test in tests if test.get("down_mbps") is not None]
    mbps = [test["down_mbps"] for test in read]
    flagged = [test for test in read if test["pc_limited"]]
    low = [test for test in read if test["down_mbps"] < LOW * rate]
    escaped = [test for test in low if not test["pc_limited"]]
    middle = f"{statistics.median(mbps):.1f}" if mbps else "—"
    least = f"{min(mbps):.1f}" if mbps else "—"
    counts = (len(flagged), len(low), len(escaped))
    return (f"{rate:g}", work.name, str(len(tests)), str(len(tests) - len(read)), middle, least,
            *map(str, counts))  # fmt: skip


def _without(tests: list[dict[str, Any]]) -> list[str]:
    """Why tests gave no rate, and how many."""
    why = Counter(f"{test['outcome']} {test.get('reason', '')}" for test in tests
                  if test.get("down_mbps") is None)  # fmt: skip
    return [f"{count} {name}" for name, count in why.items()]


def _table() -> Table:
    table = Table(title=f"busy PC with {CORES} cores, download")
    for title in ("Mbit/s", "other work", "runs", "no rate", "median", "min", "flagged", "low",
                  "low, not flagged"):  # fmt: skip
        table.add_column(title, justify="right")
    return table


if __name__ == "__main__":
    sys.exit(main())
