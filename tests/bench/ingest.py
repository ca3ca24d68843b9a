"""The collector under load: `make bench-collector` prints messages a second, cost and latency.

A real mosquitto with the city's settings, a real store, `schoolpulse collect` as a process, and
a cheap crowd (`load.py`); all share this machine's cores. The collector only receives, and runs
once more with its keeper beside it. Telegraf stands beside it: in the same run where `--telegraf`
names its binary, else as it was seen elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import bench_city
import psutil
import yardstick
from rich.console import Console
from rich.table import Table

import services

#: Telegraf 1.39.3, mqtt_consumer → influxdb_v2, 100,000 messages on a machine like this.
TELEGRAF = ("Telegraf 1.39.3, seen elsewhere", "6,500–7,900", "4.9–5.2", "343–361")
HEADINGS = (
    "", "reports/s", "CPU s/100,000", "RSS MB", "broker's CPU", "database's", "p50 ms", "p99 ms",
)  # fmt: skip
#: With many PCs nearly every report of the latency run has a receipt of its own, as in a city.
_FEW, _MANY = 400, 3600
#: The keeper derives what has come this often in a run, s: a run is shorter than its usual minute.
_KEEPER = "keeper_s = 2.0"


class Found(NamedTuple):
    """One run: reports a second, CPU seconds a 100,000, MB of RSS, latencies in s.

    `broker` and `database` are those processes' CPU seconds a 100,000. Telegraf's latency is not
    seen: it sends no receipts.
    """

    rate: float
    cpu: float
    rss: float
    broker: float | None = None
    database: float | None = None
    p50: float | None = None
    p99: float | None = None


class Load(NamedTuple):
    """Reports in all, how many a second (0: as many as go), whether whole ones, of how many PCs."""

    total: int
    rate: float = 0.0
    whole: bool = False
    pcs: int = _FEW

    def words(self, port: int) -> list[str]:
        """As `load.py` takes it."""
        words = ["--port", str(port), "--total", str(self.total), "--rate", str(self.rate)]
        words += ["--pcs", str(self.pcs)]
        return [*words, "--whole"] if self.whole else words


class Spent:
    """CPU seconds of processes since it was made; None where there is none of them."""

    def __init__(self, *processes: psutil.Process) -> None:
        self._processes = processes
        self._before = self._now()

    def _now(self) -> float:
        return float(sum(sum(one.cpu_times()[:2]) for one in self._processes))

    def of(self, total: int) -> float | None:
        """A 100,000 of `total` reports."""
        return (self._now() - self._before) / total * 100_000 if self._processes else None


def main() -> int:
    """Run every store; 1 where a report was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--stores", nargs="+", default=["sqlite", "influxdb"])
    add("--total", type=int, default=100_000)
    add("--runs", type=int, default=3, help="the median of so many")
    add("--rate", type=float, default=2000.0, help="reports a second of the latency run")
    add("--whole", action="store_true", help="reports of a PC with four devices")
    add("--telegraf", type=Path, help="Telegraf's binary, to run it on the same InfluxDB")
    args = parser.parse_args()
    if args.telegraf and args.total > bench_city.QUEUE:
        parser.error(
            f"--total: Telegraf's backlog must fit the broker's queue of {bench_city.QUEUE:,}"
        )
    table = Table(title=f"The collector, {args.total:,} reports, {os.cpu_count()} cores shared")
    for heading in HEADINGS:
        table.add_column(heading, justify="right" if heading else "left")
    for store in args.stores:
        for runs in (_fast(store, args), _slow(store, args)):
            for name, found in _in_turn(runs, args.runs).items():
                table.add_row(name, *_cells(found))
    if not args.telegraf:
        table.add_row(*TELEGRAF)
    Console(width=150).print(table)  # its names are long, and it may go to a file
    return 0


def _in_turn(runs: Mapping[str, Callable[[], Found]], times: int) -> dict[str, Found]:
    """The medians of the collector and of Telegraf, run in turn: a noisy minute falls on all."""
    found: dict[str, list[Found]] = {name: [] for name in runs}
    for _ in range(times):
        for name, run in runs.items():
            found[name].append(run())
    return {name: _median(of) for name, of in found.items()}


def _fast(store: str, args: argparse.Namespace) -> dict[str, Callable[[], Found]]:
    """All at once, as fast as each goes."""
    load = Load(args.total, whole=args.whole)
    runs: dict[str, Callable[[], Found]] = {
        f"{store}, as fast as it goes": partial(once, store, load),
        f"{store}, its keeper beside it": partial(once, store, load, "all"),
    }
    for shape in (yardstick.FLAT, _same(args)) if _beside(store, args) else ():
        runs[f"Telegraf to {store}, {shape.name}"] = partial(
            once_telegraf, store, args.telegraf, shape, load
        )
    return runs


def _slow(store: str, args: argparse.Namespace) -> dict[str, Callable[[], Found]]:
    """At the rate of the latency run, for 20 s, of few PCs and of many."""
    runs: dict[str, Callable[[], Found]] = {}
    for pcs in (_FEW, _MANY):
        load, shape = Load(int(args.rate * 20), args.rate, args.whole, pcs), _same(args)
        at = f"{args.rate:g} a second of {pcs:,} PCs"
        runs[f"{store}, {at}"] = partial(once, store, load)
        if _beside(store, args):
            runs[f"Telegraf to {store}, {shape.name}, {at}"] = partial(
                once_telegraf, store, args.telegraf, shape, load
            )
    return runs


def _beside(store: str, args: argparse.Namespace) -> bool:
    return bool(args.telegraf) and store in ("influxdb", "influxdb2")


def _same(args: argparse.Namespace) -> yardstick.Shape:
    return yardstick.WHOLE if args.whole else yardstick.SAME


def _cells(found: Found) -> list[str]:
    beside = ["–" if x is None else f"{x:.1f}" for x in (found.broker, found.database)]
    late = ["–" if x is None else f"{x * 1000:.0f}" for x in (found.p50, found.p99)]
    return [f"{found.rate:,.0f}", f"{found.cpu:.1f}", f"{found.rss:.0f}", *beside, *late]


def _median(found: list[Found]) -> Found:
    columns = zip(*found, strict=True)
    return Found(*(None if None in column else statistics.median(column) for column in columns))


def once(store: str, load: Load, role: str = "ingest") -> Found:
    """One run on an empty store; fails where what was receipted is not stored."""
    total = load.total
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(services.broker("mosquitto", folder, bench_city.CITY_BROKER))
        table, count = opened.enter_context(bench_city.store_of(store, folder))
        process = opened.enter_context(
            bench_city.collector(folder, broker.port, table, _KEEPER, role)
        )
        spent = Spent(process), Spent(_process(broker)), Spent(*_databases(store))
        rss = opened.enter_context(bench_city.watched(process))
        told = _load(broker.port, load)
        ours, brokers, databases = (each.of(total) for each in spent)
        stored = _readable(count, total)
        if stored != total:
            raise SystemExit(f"{store}: {total} receipted, {stored} stored")
        return Found(
            total / told["seconds"], ours or 0.0, max(rss) / 1e6, brokers, databases,
            told["p50"], told["p99"],
        )  # fmt: skip


def _readable(count: Callable[[], int], total: int) -> int:
    """What is stored; asked again for a while, as openGemini's reads lag behind its writes."""
    wait = threading.Event().wait
    for _ in range(75):
        if (stored := count()) >= total:
            break
        wait(0.2)
    return stored


def _process(broker: services.Broker) -> psutil.Process:
    assert broker.process is not None
    return psutil.Process(broker.process.pid)


def _databases(store: str) -> list[psutil.Process]:
    """The database that this run has started; of another's processor time nothing is known."""
    names = {"influxd"} if store == "influxdb" else set()
    return [one for one in psutil.Process().children(recursive=True) if one.name() in names]


def once_telegraf(kind: str, binary: Path, shape: yardstick.Shape, load: Load) -> Found:
    """The same from Telegraf; its clock stops when the database counts every report."""
    total, first = load.total, load._replace(total=1, rate=0.0, pcs=4)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(services.broker("mosquitto", folder, bench_city.CITY_BROKER))
        target = opened.enter_context(bench_city.influx(kind, folder))
        running = yardstick.telegraf(binary, shape, folder, broker.port, *target)
        process = opened.enter_context(running)
        stored = partial(bench_city.counted, *target[:2], *shape.counted)
        yardstick.until(lambda: bool(_load(broker.port, first, *_FIRST) and stored()), 30)
        rss = opened.enter_context(bench_city.watched(process))
        spent = Spent(process), Spent(_process(broker)), Spent(*_databases(kind))
        told = _load(broker.port, load, "--no-receipts", "--first", "5")
        ended = time.perf_counter()  # the crowd's own start is no more in it than in ours
        yardstick.until(lambda: stored() > total, 600)
        seconds = told["seconds"] + time.perf_counter() - ended
        theirs, brokers, databases = (each.of(total) for each in spent)
        return Found(total / seconds, theirs or 0.0, max(rss) / 1e6, brokers, databases)


#: One report of one PC, said until it is stored: then the subscription stands.
_FIRST = ("--no-receipts",)


def _load(port: int, load: Load, *more: str) -> dict[str, float]:
    argv = [sys.executable, str(Path(__file__).with_name("load.py")), *load.words(port), *more]
    argv += ["--schools", *bench_city.SCHOOLS]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=900)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
