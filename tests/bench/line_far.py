"""Lines with delay, loss and queues, measured by us, as `make bench-line-far` prints.

Over the program of tests/support/far_line.py, which shares this machine's cores: from 50 Mbit/s on,
and with other work beside it, the PC may be the limit, which the flag pc_limited says, or the
program, which counts the frames that it brought late: where those are 2% or more, the line was not
the one that was asked for. The error is that of the rate down and up. With losses a line delivers
less than its rate to so few connections, and the reading is what was delivered. Every row is kept
in var/bench-line-far.jsonl as it ends; --table prints them all. --all: each with each. --jobs: so
many lines at a time, each with a PC and a server of its own; at 4 and 10 Mbit/s six take little of
two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import far_line
import shaped
from shaped import NoLabError

RATES = (4.0, 10.0, 50.0, 100.0)
TRIPS_MS = (0.0, 30.0, 80.0, 300.0, 600.0)
LOSSES = (0.0, 0.001, 0.01)
QUEUES_MS = (25.0, 100.0, 400.0)
#: From this share of late frames on, a row says nothing.
LATE = 0.02
KEPT = Path("var/bench-line-far.jsonl")
_keeping = threading.Lock()
_Case = tuple[float, float, float, float]


def main() -> int:
    """Run the cases, each once; 2 where this machine cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, values in (("rates", RATES), ("trips", TRIPS_MS), ("losses", LOSSES),
                         ("queues", QUEUES_MS)):  # fmt: skip
        parser.add_argument(f"--{name}", default=",".join(f"{value:g}" for value in values))
    parser.add_argument("--all", action="store_true", help="each with each: 180 cases")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--congestion", default="cubic", help="cubic, bbr or reno")
    parser.add_argument("--table", action="store_true", help="only print what was kept")
    args = parser.parse_args()
    if args.table:
        _print([json.loads(line) for line in KEPT.read_text().splitlines()])
        return 0
    sets = [
        [float(word) for word in given.split(",")]
        for given in (args.rates, args.trips, args.losses, args.queues)
    ]
    try:
        rows = _run(list(_cases(sets, every=args.all)), args.jobs, args.congestion)
    except NoLabError as error:
        print(error)
        return 2
    _print(rows)
    return 0


def _cases(sets: Sequence[Sequence[float]], *, every: bool) -> Iterator[_Case]:
    """Each with each; else those that differ in one of loss and queue from the usual line."""
    for rate, trip, loss, queue_ms in itertools.product(*sets):
        usual = (loss == 0) + (queue_ms == 100)
        if every or usual:
            yield rate, trip, loss, queue_ms


def _run(cases: Sequence[_Case], jobs: int, congestion: str) -> list[dict[str, Any]]:
    """The rows, as they end; the slowest cases are begun first."""
    waiting: queue.SimpleQueue[_Case] = queue.SimpleQueue()
    for case in sorted(cases, key=lambda case: -case[1]):
        waiting.put(case)
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(jobs) as pool:
        for one in [pool.submit(_work, waiting, rows, congestion) for _ in range(jobs)]:
            one.result()
    return rows


def _work(waiting: queue.SimpleQueue[_Case], rows: list[dict[str, Any]], congestion: str) -> None:
    """One line after the other, over a lab of its own, until none is left."""
    with far_line.far_lab() as lab:
        lab.congestion(congestion)
        with lab.measurement_server() as url, contextlib.suppress(queue.Empty):
            while True:
                row = _row(lab, url, waiting.get_nowait()) | {"congestion": congestion}
                with _keeping:
                    rows.append(row)
                    _keep(row)


def _row(lab: far_line.FarLab, url: str, case: _Case) -> dict[str, Any]:
    rate, trip, loss, queue_ms = case
    lab.far(rate, rtt_ms=trip, loss=loss, queue_ms=queue_ms)
    try:
        test = shaped.measured(lab, url)
    except (RuntimeError, subprocess.SubprocessError) as error:
        test = {"outcome": str(error)}
    row = {"rate": rate, "rtt_ms": trip, "loss": loss, "queue_ms": queue_ms}
    return {**row, "late": round(lab.late(), 4), "test": test}


def _keep(row: dict[str, Any]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a") as out:
        out.write(json.dumps(row) + "\n")
    print(*_figures(row), sep=" | ", flush=True)


def _figures(row: dict[str, Any]) -> list[str]:
    test = row["test"]
    rates = [test.get("down_mbps"), test.get("up_mbps")]
    errors = ["—" if mbps is None else f"{mbps / row['rate'] - 1:+.1%}" for mbps in rates]
    count = (test.get("payload_down") or 0) + (test.get("payload_up") or 0)
    why = [test["outcome"] if test["outcome"] != "ok" else "", test.get("reason", "")]
    why = [part for part in why if part and part != "vpn"]  # a TAP device is one
    return [f"{row['rate']:g}", f"{row['rtt_ms']:g}", f"{row['loss']:.1%}", f"{row['queue_ms']:g}",
            *errors, f"{count / 1e6:.1f}", f"{test.get('seconds', 0):.0f}", f"{row['late']:.1%}",
            " ".join(why).removeprefix("vpn, ")]  # fmt: skip


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="error of one test each")
    for title in ("Mbit/s", "round trip ms", "loss", "queue ms", "down", "up", "MB", "s", "late",
                  ""):  # fmt: skip
        table.add_column(title, justify="right")
    for row in sorted(rows, key=lambda row: (row["rate"], row["rtt_ms"], row["loss"],
                                             row["queue_ms"])):  # fmt: skip
        table.add_row(*_figures(row))
    console = Console(width=120)
    console.print(table)
    for line in _worst(rows):
        console.print(line, highlight=False)


def _worst(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """By rate and loss: the worst errors where neither the PC nor the program was the limit."""
    for rate, loss in sorted({(row["rate"], row["loss"]) for row in rows}):
        of = [row for row in rows if (row["rate"], row["loss"]) == (rate, loss)]
        kept = [row for row in of if row["late"] < LATE]
        read = [row["test"] for row in kept if row["test"].get("down_mbps") is not None]
        free = [test for test in read if not test["pc_limited"]]
        down, up = (_worst_of(rate, [test.get(way) for test in free])
                    for way in ("down_mbps", "up_mbps"))  # fmt: skip
        yield (f"{rate:g} Mbit/s, loss {loss:.1%}: worst {down} down, {up} up of {len(free)}; "
               f"limited by the PC {len(read) - len(free)}, no rate {len(kept) - len(read)}, "
               f"line late {len(of) - len(kept)}")  # fmt: skip


def _worst_of(rate: float, found: Sequence[float | None]) -> str:
    errors = [mbps / rate - 1 for mbps in found if mbps is not None]
    return f"{max(errors, key=abs):+.2%}" if errors else "—"


if __name__ == "__main__":
    sys.exit(main())
