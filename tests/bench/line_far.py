"""Lines with delay, loss and queues, measured by us, as `make bench-line-far` prints.

Over the program of tests/support/far_line.py, which shares this machine's cores: from 50 Mbit/s on,
and with other work beside it, the PC may be the limit, which the flag pc_limited says, or the
program, which counts the frames that it brought late: where those are 2% or more, the line was not
the one that was asked for. The error is that of the rate down and up. With losses a line delivers
less than its rate to so few connections, and the reading is what was delivered. Every row is kept
in var/bench-line-far.jsonl as it ends; --table prints them all. --all: each with each.

--jobs: so many lines at a time, each with a PC and a server of its own. Each costs the processors
some, and by what it is likely to carry, more: a full line of 100 runs alone, of 50 two, of 4 five.
--rest goes on with the cases that are not kept yet, and --seconds begins none after that time: the
whole table in parts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

import far_line
import shaped
from agent.common.vocabulary.thresholds import is_lossy
from shaped import NoLabError

RATES = (4.0, 10.0, 50.0, 100.0)
TRIPS_MS = (0.0, 30.0, 80.0, 300.0, 600.0)
LOSSES = (0.0, 0.001, 0.01)
QUEUES_MS = (25.0, 100.0, 400.0)
USUAL_MS = 100.0
FAR_MS = 200.0
WAYS = ("down_mbps", "up_mbps")
#: From this share of late frames on, a row says nothing.
LATE = 0.02
KEPT = Path("var/bench-line-far.jsonl")
#: What eight connections carry over a round trip with losses, by Mathis et al. 1997, with room for
#: cubic: 8 · 1448 bytes · sqrt(3/2) / (trip · sqrt(loss)), three times.
_CARRIED = 3 * 8 * 1448 * 8 * 1.5**0.5 / 1e6
#: What two cores make and measure at a time without being the limit, in Mbit/s, and what each line
#: costs beside its rate: on an idle PC a line of 4 takes a sixth of a core, one of 50 a half.
_TOGETHER, _EACH = 140.0, 20.0
_keeping = threading.Lock()


class Case(NamedTuple):
    """A line: Mbit/s, round trip in ms, share of lost frames, queue in ms."""

    rate: float
    rtt_ms: float
    loss: float
    queue_ms: float

    @property
    def load(self) -> float:
        """What it costs, in Mbit/s: of what it is likely to carry, and what each line costs."""
        carried = self.rate
        if self.loss and self.rtt_ms:
            carried = min(carried, _CARRIED / (self.rtt_ms / 1000 * self.loss**0.5))
        return min(carried + _EACH, _TOGETHER)


class Waiting:
    """Cases that wait, those of much load first; as many run at a time as fit together."""

    def __init__(self, cases: Sequence[Case], until: float) -> None:
        self._cases = sorted(cases, key=lambda case: (-case.load, -case.rtt_ms))
        self._free, self._until = _TOGETHER, until
        self._changed = threading.Condition()

    def next(self) -> Case | None:
        """The next case, once it fits; None where none is left, or the time is over."""
        with self._changed:
            while self._cases and time.monotonic() < self._until:
                for case in self._cases:
                    if case.load <= self._free:
                        self._cases.remove(case)
                        self._free -= case.load
                        return case
                self._changed.wait()
        return None

    def ended(self, case: Case) -> None:
        """A case has ended: others may fit."""
        with self._changed:
            self._free += case.load
            self._changed.notify_all()


def main() -> int:
    """Run the cases, each once; 2 where this machine cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, values in (("rates", RATES), ("trips", TRIPS_MS), ("losses", LOSSES),
                         ("queues", QUEUES_MS)):  # fmt: skip
        parser.add_argument(f"--{name}", default=",".join(f"{value:g}" for value in values))
    parser.add_argument("--all", action="store_true", help="each with each: 180 cases")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--rest", action="store_true", help="only cases that are not kept yet")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="then begin no more")
    parser.add_argument("--congestion", default="cubic", help="cubic, bbr or reno")
    parser.add_argument("--table", action="store_true", help="only print what was kept")
    args = parser.parse_args()
    if not args.table:
        try:
            _run(_chosen(args), args)
        except NoLabError as error:
            print(error)
            return 2
    newest = {_case(row): row for row in _kept() if row["congestion"] == args.congestion}
    _print([newest[case] for case in sorted(newest)])
    return 0


def _chosen(args: argparse.Namespace) -> list[Case]:
    """Each with each, or those that differ in one of loss and queue from the usual line."""
    sets = [
        [float(word) for word in given.split(",")]
        for given in (args.rates, args.trips, args.losses, args.queues)
    ]
    done = {_case(row) for row in _kept() if row["congestion"] == args.congestion}
    found = (Case(*values) for values in itertools.product(*sets))
    usual = (case for case in found if args.all or case.loss == 0 or case.queue_ms == USUAL_MS)
    return [case for case in usual if not (args.rest and case in done)]


def _run(cases: Sequence[Case], args: argparse.Namespace) -> None:
    waiting = Waiting(cases, time.monotonic() + args.seconds)
    with ThreadPoolExecutor(args.jobs) as pool:
        for one in [pool.submit(_work, waiting, args.congestion) for _ in range(args.jobs)]:
            one.result()


def _work(waiting: Waiting, congestion: str) -> None:
    """One line after the other, over a lab of its own, until none is left."""
    with far_line.far_lab() as lab:
        lab.congestion(congestion)
        with lab.measurement_server() as url:
            while (case := waiting.next()) is not None:
                try:
                    row = _row(lab, url, case) | {"congestion": congestion}
                finally:
                    waiting.ended(case)
                with _keeping:
                    _keep(row)


def _case(row: dict[str, Any]) -> Case:
    return Case(*(row[name] for name in Case._fields))


def _row(lab: far_line.FarLab, url: str, case: Case) -> dict[str, Any]:
    rate, trip, loss, queue_ms = case
    lab.far(rate, rtt_ms=trip, loss=loss, queue_ms=queue_ms)
    try:
        test = shaped.measured(lab, url)
    except (RuntimeError, subprocess.SubprocessError) as error:
        test = {"outcome": str(error)}
    brought = lab.brought()
    carried = [far_line.carried(readings, far=trip >= FAR_MS, down=readings is brought.down)
               for readings in (brought.down, brought.up)]  # fmt: skip
    return {**case._asdict(), "late": round(brought.late, 4), "carried": carried, "test": test}


def _kept() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def _keep(row: dict[str, Any]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a") as out:
        out.write(json.dumps(row) + "\n")
    print(*_figures(row), sep=" | ", flush=True)


def _figures(row: dict[str, Any]) -> list[str]:
    test = row["test"]
    of_line = [_error(test.get(way), row["rate"]) for way in WAYS]
    of_carried = [_error(test.get(WAYS[n]), true) for n, true in enumerate(row["carried"])]
    count = (test.get("payload_down") or 0) + (test.get("payload_up") or 0)
    return [f"{row['rate']:g}", f"{row['rtt_ms']:g}", f"{row['loss']:.1%}", f"{row['queue_ms']:g}",
            *of_line, *of_carried, f"{count / 1e6:.1f}", f"{test.get('seconds', 0):.0f}",
            f"{row['late']:.1%}", f"{_said(test)} {'lossy' * _is_lossy(test)}".strip()]  # fmt: skip


def _error(mbps: float | None, true: float | None) -> str:
    return f"{mbps / true - 1:+.1%}" if mbps and true else "—"


def _said(test: dict[str, Any]) -> str:
    """The outcome if it is no rate, and why it is no evidence beside running over a TAP device."""
    why = [reason for reason in test.get("reason", "").split(", ") if reason not in ("", "vpn")]
    return " ".join([test["outcome"]] * (test["outcome"] != "ok") + why)


def _is_lossy(test: dict[str, Any]) -> bool:
    return is_lossy(*(test.get(name) for name in ("loss_share", "latency_ms", "loaded_ms")))


def _print(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(title="error of one test each, of the line and of what it carried")
    for title in ("Mbit/s", "trip ms", "loss", "queue ms", "down", "up", "down c.", "up c.", "MB",
                  "s", "late", ""):  # fmt: skip
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*_figures(row))
    console = Console(width=130)
    console.print(table)
    for line in _worst(rows):
        console.print(line, highlight=False)


def _worst(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The worst errors of valid readings, by rate and loss and of all without loss.

    Valid: no reason against it; and the program was no limit.
    """
    lines = [row for row in rows if row["late"] < LATE]
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in lines:
        groups[f"{row['rate']:g} Mbit/s, loss {row['loss']:.1%}"].append(row)
        groups["all without loss"] += [row] * (not row["loss"])
    for name, of in groups.items():
        read = [row for row in of if row["test"].get("down_mbps") is not None]
        valid = [row for row in read if not _said(row["test"])]
        yield (f"{name}: worst {_worst_of(valid, of_carried=False)}, of what it carried "
               f"{_worst_of(valid, of_carried=True)}, of {len(valid)} valid; "
               f"not valid {len(read) - len(valid)}, no rate {len(of) - len(read)}")  # fmt: skip
    yield f"line late: {len(rows) - len(lines)}"


def _worst_of(rows: Sequence[dict[str, Any]], *, of_carried: bool) -> str:
    """Down and up."""
    worst = []
    for n, way in enumerate(WAYS):
        pairs = [(row["test"].get(way), row["carried"][n] if of_carried else row["rate"])
                 for row in rows]  # fmt: skip
        errors = [mbps / true - 1 for mbps, true in pairs if mbps and true]
        worst.append(f"{max(errors, key=abs):+.2%}" if errors else "—")
    return " / ".join(worst)


if __name__ == "__main__":
    sys.exit(main())
