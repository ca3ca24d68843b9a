"""Lines with delay, loss and queues, measured by us, as `make bench-line-far` prints.

Over the program of tests/support/far_line.py, which shares this machine's cores: from 50 Mbit/s on,
and with other work beside it, it may be the limit; the flag pc_limited says so. The error is that
of the rate down and up. With losses a line delivers less than its rate to so few connections, and
the reading is what was delivered. The default is a slice that ends in 20 minutes; all: --all.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import far_line
import shaped
from shaped import PC, NoLabError

RATES = (4.0, 10.0, 50.0, 100.0)
TRIPS_MS = (0.0, 30.0, 80.0, 300.0, 600.0)
LOSSES = (0.0, 0.001, 0.01)
QUEUES_MS = (25.0, 100.0, 400.0)
KEPT = Path("var/bench-line-far.jsonl")
_Case = tuple[float, float, float, float]


def main() -> int:
    """Run the cases, each once; 2 where this machine cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, values in (("rates", RATES), ("trips", TRIPS_MS), ("losses", LOSSES),
                         ("queues", QUEUES_MS)):  # fmt: skip
        parser.add_argument(f"--{name}", default=",".join(f"{value:g}" for value in values))
    parser.add_argument("--all", action="store_true", help="each with each: 180 cases")
    args = parser.parse_args()
    sets = [
        [float(word) for word in given.split(",")]
        for given in (args.rates, args.trips, args.losses, args.queues)
    ]
    rows = []
    try:
        for row in _run(list(_cases(sets, every=args.all))):
            rows.append(row)
            _keep(row)
    except NoLabError as error:
        print(error)
        return 2
    _print(rows)
    return 0


def _cases(sets: Sequence[Sequence[float]], *, every: bool) -> Iterator[_Case]:
    """Each with each; else those that differ in one of loss and queue from the usual line."""
    for rate, trip, loss, queue in itertools.product(*sets):
        usual = (loss == 0) + (queue == 100)
        if every or usual:
            yield rate, trip, loss, queue


def _run(cases: Sequence[_Case]) -> Iterator[dict[str, Any]]:
    with far_line.far_lab() as lab, lab.measurement_server() as url:
        for rate, trip, loss, queue in cases:
            lab.far(rate, rtt_ms=trip, loss=loss, queue_ms=queue)
            case = {"rate": rate, "rtt_ms": trip, "loss": loss, "queue_ms": queue}
            try:
                yield {**case, "test": json.loads(lab.output(PC, shaped.MEASURE, url))}
            except (RuntimeError, subprocess.SubprocessError) as error:
                yield {**case, "test": {"outcome": str(error)}}


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
    why = [part for part in why if part and part != "vpn"]  # a TAP device is taken for one
    return [f"{row['rate']:g}", f"{row['rtt_ms']:g}", f"{row['loss']:.1%}", f"{row['queue_ms']:g}",
            *errors, f"{count / 1e6:.1f}", f"{test.get('seconds', 0):.0f}",
            " ".join(why).removeprefix("vpn, ")]  # fmt: skip


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="error of one test each")
    for title in ("Mbit/s", "round trip ms", "loss", "queue ms", "down", "up", "MB", "s", ""):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*_figures(row))
    console = Console(width=120)
    console.print(table)
    for line in _worst(rows):
        console.print(line, highlight=False)


def _worst(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """By rate, without losses and with: the worst error down of those that the PC did not limit."""
    for rate, lossy in itertools.product(sorted({row["rate"] for row in rows}), (False, True)):
        of = [row for row in rows if row["rate"] == rate and (row["loss"] > 0) == lossy]
        read = [row for row in of if row["test"].get("down_mbps") is not None]
        free = [row for row in read if not row["test"]["pc_limited"]]
        errors = [row["test"]["down_mbps"] / rate - 1 for row in free]
        worst = f"{max(errors, key=abs):+.1%}" if errors else "—"
        name = "with loss" if lossy else "without loss"
        yield (f"{rate:g} Mbit/s {name}: worst {worst} of {len(free)}, limited by the PC "
               f"{len(read) - len(free)}, without a rate {len(of) - len(read)}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
