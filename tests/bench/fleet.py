"""20,000 agents at a report a minute for ten minutes: `make bench-fleet`.

They share 500 connections and 50 outbox files, all of them the real ones: a receipt names boot
and number, so the reports of many PCs can wait in one outbox. The keeper derives beside.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

import bench_city
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

import services
from agent import wire
from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt import Loop
from agent.mqtt import connection as mqtt
from agent.outbox import Limits, Outbox
from agent.wire.topics import receipt_topic, report_topic
from collector.simulate.fleet import _allow_files

SCHOOLS = [f"99000{n:05}" for n in range(1, 201)]
FILES, CONNECTIONS = 50, 500
_wait = threading.Event().wait
Pc = tuple[str, str]  # school, machine


class Bundle:
    """One outbox file and the connections that empty it."""

    def __init__(self, folder: Path, n: int) -> None:
        self.clock = Clock()
        limits = Limits(reserve=False)
        self.outbox = Outbox(folder / f"{n}.db", f"{n:032x}", self.clock, limits=limits)
        self.strands: dict[Pc, Strand] = {}
        self.owner: dict[int, Pc] = {}
        self.sent: dict[int, float] = {}
        self.late: list[float] = []
        self.made = 0

    def report(self, pc: Pc) -> None:
        """One report of this PC, kept and sent."""
        host = wire.Host(cpu_percent=12.5, memory_used=4_000_000_000, uptime_s=123.4)
        health = wire.AgentHealth(version="0.1.0", rss_bytes=25_000_000, cpu_s=1.5)
        number = self.outbox.put((host, health))
        self.owner[number] = pc
        self.made += 1
        self.pump()

    def pump(self) -> None:
        """Hand what is due to the connections."""
        for one in self.outbox.due():
            pc = self.owner[one.number]
            self.sent.setdefault(one.number, time.perf_counter())
            topic = report_topic(*pc, one.boot, one.number)
            self.strands[pc].say(topic, one.payload)

    def hear(self, receipt: wire.Receipt) -> None:
        """What is stored leaves the outbox."""
        if receipt.echo is not None:
            self.clock.on_echo(receipt.echo, receipt.now)
        now = time.perf_counter()
        for run in receipt.stored:
            for number in range(run.first, run.last + 1):
                left = self.sent.pop(number, None)
                if left is not None:
                    self.late.append(now - left)
        self.outbox.receipt(receipt)


class Strand:
    """One connection, of some PCs."""

    def __init__(self, port: int, loop: Loop, bundle: Bundle, pcs: list[Pc], name: str) -> None:
        self._bundle, self._pcs, self._loop = bundle, pcs, loop
        self._out: deque[tuple[str, bytes]] = deque()
        self.ready = threading.Event()
        self._connection = mqtt.Connection(Broker(port=port), None, name, None, mqtt5=True)
        self._connection.open()
        for pc in pcs:
            bundle.strands[pc] = self

    def say(self, topic: str, payload: bytes) -> None:
        """Publish it soon."""
        self._out.append((topic, payload))
        self._loop.wake(self)

    def hello(self) -> None:
        """Ask for the time."""
        sent = self._bundle.clock.mark()
        topic = report_topic(*self._pcs[0], self._bundle.outbox.boot, 1)
        self.say(topic, wire.encode(wire.Hello(v=1, sent=sent)))

    @property
    def socket(self) -> socket.socket | None:
        """See `agent.mqtt.loop.Served`."""
        return self._connection.socket

    @property
    def want_write(self) -> bool:
        """See `agent.mqtt.loop.Served`."""
        return self._connection.want_write

    def next_step(self) -> float | None:
        """See `agent.mqtt.loop.Served`."""
        return max(0.0, self._connection.next_pump - time.monotonic())

    def step(self, *, readable: bool = False) -> None:
        """See `agent.mqtt.loop.Served`."""
        for event in self._connection.pump(readable=readable):
            if isinstance(event, mqtt.Connected):
                self._connection.subscribe([receipt_topic(*pc) for pc in self._pcs])
            elif isinstance(event, mqtt.Subscribed):
                self.ready.set()
            elif isinstance(event, mqtt.Received):
                self._bundle.hear(wire.decode_receipt(event.payload))
        while self.ready.is_set() and self._out:
            self._connection.publish(*self._out.popleft())


def main() -> int:
    """Run it; 1 where a report is lost or a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--store", default="influxdb")
    add("--agents", type=int, default=20_000)
    add("--minutes", type=float, default=10.0)
    args = parser.parse_args()
    bench_city.SCHOOLS[:] = SCHOOLS
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(services.broker("mosquitto", folder, bench_city.CITY_BROKER))
        table, count = opened.enter_context(bench_city.store_of(args.store, folder))
        process = opened.enter_context(bench_city.collector(folder, broker.port, table))
        with bench_city.watched(process) as rss:
            before = sum(process.cpu_times()[:2])
            loop, bundles = _fleet(folder, broker.port, args.agents)
            _report(bundles, args.agents, args.minutes)
            cpu = sum(process.cpu_times()[:2]) - before
            loop.stop()
        made, stored = sum(bundle.made for bundle in bundles), count()
        return _print(args, bundles, made, stored, max(rss) / 1e6, cpu, process)


def _fleet(folder: Path, port: int, agents: int) -> tuple[Loop, list[Bundle]]:
    shm = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else folder, prefix="bench-fleet-"))
    _allow_files(4 * CONNECTIONS + 4 * FILES)
    loop = Loop("bench")
    bundles = [Bundle(root, n) for n in range(FILES)]
    each = agents // CONNECTIONS
    strands = []
    for n in range(CONNECTIONS):
        pcs = [(SCHOOLS[k % len(SCHOOLS)], f"{k:032x}") for k in range(n * each, (n + 1) * each)]
        strands.append(Strand(port, loop, bundles[n % FILES], pcs, f"bench-{n}"))
        loop.wake(strands[-1])
    loop.start()
    for strand in strands:
        if not strand.ready.wait(30):
            raise SystemExit("a connection did not come up")
    for strand in strands[:FILES]:
        strand.hello()
    while not all(bundle.clock.known for bundle in bundles):
        _wait(0.05)
    return loop, bundles


def _report(bundles: list[Bundle], agents: int, minutes: float) -> None:
    """Each PC once a minute, in an order of chance; then until nothing waits."""
    rng = random.Random(1)
    turns = [(bundle, pc) for bundle in bundles for pc in bundle.strands]
    rng.shuffle(turns)
    begun = time.monotonic()
    for second in track(range(int(minutes * 60)), description=f"{agents:,} agents"):
        first, last = (k * len(turns) // 60 for k in (second % 60, second % 60 + 1))
        part = turns[first:last]
        for at, (bundle, pc) in enumerate(part):
            _wait(max(0.0, begun + second + at / len(part) - time.monotonic()))
            bundle.report(pc)
        for bundle in bundles:
            bundle.pump()
    deadline = time.monotonic() + 120
    while any(bundle.outbox.counts().rows for bundle in bundles) and time.monotonic() < deadline:
        for bundle in bundles:
            bundle.pump()
        _wait(0.2)


def _print(
    args: argparse.Namespace, bundles: list[Bundle], made: int, stored: int, rss: float,
    cpu: float, process: psutil.Process,
) -> int:  # fmt: skip
    late = sorted(x for bundle in bundles for x in bundle.late)
    p50, p99 = (late[int(len(late) * q)] for q in (0.5, 0.99))
    waiting = sum(bundle.outbox.counts().rows for bundle in bundles)
    table = Table(title=f"{args.agents:,} agents, {args.minutes:g} min, {args.store}")
    for head in ("", "found", "limit"):
        table.add_column(head, justify="right" if head else "left")
    table.add_row("reports made / stored", f"{made:,} / {stored:,}", "equal")
    table.add_row("without a receipt", str(waiting), "0")
    table.add_row("RSS of the collector, MB", f"{rss:.0f}", "150")
    table.add_row("its CPU, % of a core", f"{100 * cpu / (args.minutes * 60):.0f}", "")
    table.add_row("publish to receipt p50 / p99, ms", f"{p50 * 1e3:.0f} / {p99 * 1e3:.0f}", "1000")
    Console().print(table)
    return int(made != stored or waiting > 0 or rss > 150 or p99 > 1)


if __name__ == "__main__":
    sys.exit(main())
