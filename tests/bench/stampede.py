"""1,000 agents lose their broker at one moment and come back: `make bench-stampede`.

Real agents (`collector.simulate.fleet`, an outbox and a connection each) against a real mosquitto,
which is killed and started again, and a real collector on InfluxDB. Where the broker is away for
long, each agent fills its window, so that all have as much to say at once as they ever can.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
import threading
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bench_city
from rich.console import Console
from rich.table import Table

import services
from agent import wire
from agent.common.settings import Broker
from agent.mqtt import Callbacks, Link, Sender, State
from agent.outbox import WINDOW, Limits, Outbox, Outgoing
from collector.simulate.fleet import Fleet, FleetAgent, _Running

SCHOOL = bench_city.SCHOOLS[0]
#: What the broker and the collector are promised: connects a second, publish to receipt in s.
PEAK, P99_S = 100, 1.0
#: Broker's absences from here on fill the agents' windows, s; filling takes some.
LONG_S = 5.0
_HOST = (wire.Host(cpu_percent=12.5, memory_used=4_000_000_000, uptime_s=123.4),)
_wait = threading.Event().wait


class Found(NamedTuple):
    """What one restart came to."""

    down_s: float
    waiting: int  # reports in the outboxes then
    peak: int  # connects within any one second
    back_s: float  # from the broker's start until the last agent is back
    median_s: float
    publishes: int  # the agents' publishes within any one second
    heard: float  # messages a second at the collector, at most
    p50_s: float  # publish to receipt, of the sending that was answered
    p99_s: float
    drained_s: float


class Timed(Outbox):
    """An outbox that knows when what it gave out was answered."""

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.sent: dict[tuple[str, int], float] = {}
        self.times: list[float] = []
        self.late: list[float] = []

    def due(self) -> list[Outgoing]:
        """Note the time of each sending."""
        found = super().due()
        now = time.perf_counter()
        for one in found:
            self.sent[one.boot, one.number] = now
            self.times.append(now)
        return found

    def receipt(self, receipt: wire.Receipt) -> None:
        """Note how long the answer took."""
        now = time.perf_counter()
        for run in receipt.stored:
            for number in range(run.first, run.last + 1):
                left = self.sent.pop((run.boot, number), None)
                if left is not None:
                    self.late.append(now - left)
        super().receipt(receipt)


class Crowd(Fleet):
    """A fleet that notes when its agents come up."""

    def _ready(self, broker: Broker, agent: FleetAgent, data: Path, simulated: bool) -> _Running:
        clock, path = agent.clock(), data / f"{agent.machine}.db"
        outbox = Timed(
            path, agent.machine, clock, simulated=simulated, limits=Limits(reserve=False)
        )
        sender = Sender(agent.school, agent.machine, lambda: agent.inventory, simulated)
        up: list[float] = self.__dict__.setdefault("up", [])

        def state(state: State, error: str) -> None:
            if state is State.READY:
                up.append(time.perf_counter())
            self._on_state(state, error)

        callbacks = Callbacks(state=state)
        return _Running(agent, outbox, Link(broker, sender, outbox, clock, self._loop, callbacks))

    def outboxes(self) -> list[Timed]:
        """All of them."""
        return [running.outbox for running in self._running.values()]  # type: ignore[misc]

    def ready(self) -> int:
        """How many are up."""
        return sum(one.link.state is State.READY for one in self._running.values())


def main() -> int:
    """Run it; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--agents", type=int, default=1000)
    add("--down", type=float, nargs="+", default=[0.5, 20.0], help="s that the broker is away")
    add("--store", default="influxdb")
    args = parser.parse_args()
    found, lost = run(args.agents, args.down, args.store)
    _print(args, found, lost)
    return int(lost > 0 or any(one.peak > PEAK or one.p99_s > P99_S for one in found))


def run(agents: int, down: Sequence[float], store: str) -> tuple[list[Found], int]:
    """One restart for each of `down`; and how many reports were lost in all."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(services.broker("mosquitto", folder, bench_city.CITY_BROKER))
        table, count = opened.enter_context(bench_city.store_of(store, folder))
        metrics = f"127.0.0.1:{services.free_port()}"
        settings = f'metrics = "{metrics}"'
        opened.enter_context(bench_city.collector(folder, broker.port, table, settings))
        fleet = opened.enter_context(_crowd(folder, broker.port, agents))
        _until(lambda: fleet.ready() == agents and not fleet.waiting(), 180, "the first start")
        found = [_restart(fleet, broker, seconds, metrics) for seconds in down]
        fleet.quiet()
        _until(lambda: not fleet.waiting(), 180, "the last receipts")
        return found, len(fleet.produced()) - count()


@contextlib.contextmanager
def _crowd(folder: Path, port: int, agents: int) -> Iterator[Crowd]:
    shm = Path("/dev/shm")
    who = [FleetAgent(SCHOOL, f"{n:032x}", lambda: _HOST) for n in range(1, agents + 1)]
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else folder) as data:
        fleet = Crowd(Broker(port=port), who, Path(data), report_s=60.0, simulated=False)
        fleet.start()
        yield fleet
        fleet.stop()


def _restart(fleet: Crowd, broker: services.Broker, down_s: float, metrics: str) -> Found:
    agents = len(fleet.outboxes())
    for outbox in fleet.outboxes():
        outbox.late.clear()
        outbox.times.clear()
    fleet.__dict__["up"].clear()
    broker.kill()
    gone = time.monotonic()
    for outbox in fleet.outboxes():
        for _ in range(WINDOW if down_s >= LONG_S else 1):
            fleet.put(outbox.machine, _HOST)
    _wait(max(0.0, gone + down_s - time.monotonic()))
    waiting, down_s = fleet.waiting(), time.monotonic() - gone
    broker.start()
    begun = time.perf_counter()
    with _rates(metrics) as rates:
        _until(lambda: len(fleet.__dict__["up"]) >= agents, 300, "all agents")
        _until(lambda: not fleet.waiting(), 300, "all receipts")
    up = sorted(fleet.__dict__["up"])
    late = sorted(x for outbox in fleet.outboxes() for x in outbox.late)
    sent = sorted(x for outbox in fleet.outboxes() for x in outbox.times if x >= begun)
    p50, p99 = (late[int(len(late) * q)] for q in (0.5, 0.99))
    return Found(
        down_s, waiting, _peak(up), up[agents - 1] - begun, up[agents // 2] - begun, _peak(sent),
        max(rates), p50, p99, time.perf_counter() - begun,
    )  # fmt: skip


def _peak(times: Sequence[float]) -> int:
    """The most within any one second of these sorted times."""
    return max(at + 1 - bisect_left(times, when - 1.0) for at, when in enumerate(times))


@contextlib.contextmanager
def _rates(metrics: str) -> Iterator[list[float]]:
    """Messages a second at the collector, as its own /metrics tells, twice a second."""
    rates, stop = [0.0], threading.Event()

    def watch() -> None:
        before, at = _received(metrics), time.perf_counter()
        while not stop.wait(0.5):
            now, count = time.perf_counter(), _received(metrics)
            rates.append((count - before) / (now - at))
            before, at = count, now

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield rates
    finally:
        stop.set()
        thread.join()


def _received(metrics: str) -> int:
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("schoolpulse_received"))


def _until(met: Any, seconds: float, what: str) -> None:
    for turn in itertools.count():
        if met():
            return
        if turn * 0.25 > seconds:
            raise SystemExit(f"not within {seconds} s: {what}")
        _wait(0.25)


def _print(args: argparse.Namespace, found: list[Found], lost: int) -> None:
    table = Table(title=f"{args.agents:,} agents, the broker killed and started again")
    table.add_column("")
    for one in found:
        table.add_column(f"away {one.down_s:.1f} s", justify="right")
    table.add_column("limit", justify="right")
    rows = (
        ("reports that wait then", "waiting", "{:,}", ""),
        ("connects within a second, at most", "peak", "{}", PEAK),
        ("half are back after, s", "median_s", "{:.1f}", ""),
        ("all are back after, s", "back_s", "{:.1f}", ""),
        ("publishes within a second, at most", "publishes", "{:,}", ""),
        ("messages a second at the collector, at most", "heard", "{:,.0f}", ""),
        ("publish to receipt p50, s", "p50_s", "{:.3f}", ""),
        ("publish to receipt p99, s", "p99_s", "{:.3f}", P99_S),
        ("all receipted after, s", "drained_s", "{:.1f}", ""),
    )
    for text, name, form, limit in rows:
        cells = (form.format(getattr(one, name)) for one in found)
        table.add_row(text, *cells, str(limit))
    table.add_row("reports lost", *(str(lost) for _ in found), "0")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
