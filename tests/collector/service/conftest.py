"""A store in memory that fails on demand, and a worker wired to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent import wire
from agent.wire.topics import report_topic
from collector.service.mqtt.packets import Outgoing
from collector.service.pipeline.answers import Answers
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.sorter import Sorter
from collector.service.pipeline.storer import Storer
from collector.service.pipeline.worker import Worker
from collector.service.pipeline.writer import Writer
from collector.store.base import Point, RejectedError

SCHOOL, OTHER = "9900000001", "9900000002"
MACHINE, BOOT = "ab" * 16, "0123456789abcdef"


@dataclass
class MemoryStore:
    """Keeps points by series and time, as a store does; raises `failures` first, one a write."""

    points: dict[object, Point] = field(default_factory=dict)
    failures: list[Exception] = field(default_factory=list)
    poison: Callable[[Point], bool] = lambda point: False
    bug: Callable[[Point], bool] = lambda point: False
    writes: int = 0

    def write(self, points: Sequence[Point]) -> None:
        self.writes += 1
        if self.failures:
            raise self.failures.pop(0)
        if any(self.bug(point) for point in points):
            raise OverflowError("a store's bug")
        bad = [point for point in points if self.poison(point)]
        for point in points:
            if point not in bad:
                key = point.measurement, frozenset(point.tags.items()), point.time
                self.points[key] = point
        if bad:
            raise RejectedError(bad, "field type conflict")

    def of(self, measurement: str) -> list[Point]:
        return [point for point in self.points.values() if point.measurement == measurement]


@dataclass
class Bench:
    """A worker without a broker: messages in by hand, receipts out in a list."""

    worker: Worker
    store: MemoryStore
    quarantine: Quarantine
    pending_days: PendingDays
    counts: Counts
    stopping: threading.Event
    sent: list[tuple[str, wire.Receipt]]
    outages: list[bool]

    def hand(self, *messages: Message) -> None:
        self.worker.handle(messages)

    def stored(self) -> set[int]:
        """Numbers receipted as stored, of whatever boot."""
        return {
            number
            for _, receipt in self.sent
            for run in receipt.stored
            for number in range(run.first, run.last + 1)
        }

    def held(self) -> dict[int, str]:
        return {held.number: held.reason for _, receipt in self.sent for held in receipt.held}


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(quarantine_bytes: int = 10_000) -> Bench:
        store, counts, stopping = MemoryStore(), Counts(), threading.Event()
        quarantine = Quarantine(tmp_path / "quarantine.db", quarantine_bytes)
        pending_days = PendingDays(tmp_path / "days.db")
        sent: list[tuple[str, wire.Receipt]] = []
        outages: list[bool] = []

        def publish_all(messages: Sequence[Outgoing]) -> int:
            sent.extend((one.topic, wire.decode_receipt(one.payload)) for one in messages)
            return len(messages)

        writer = Writer(store, counts, stopping, outages.append)  # type: ignore[arg-type]
        answers = Answers(quarantine, publish_all, counts)
        sorter = Sorter({SCHOOL}.__contains__, answers, counts)
        worker = Worker(Inbox(), sorter, Storer(writer, answers, pending_days, counts))
        made.append(Bench(worker, store, quarantine, pending_days, counts, stopping, sent, outages))
        return made[-1]

    yield make
    for bench in made:
        bench.quarantine.close()
        bench.pending_days.close()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def message() -> Callable[..., Message]:
    def make(
        number: int = 2,
        payload: bytes | None = None,
        school: str = SCHOOL,
        boot: str = BOOT,
        time: int = 1_767_600_000_000,
        **more: object,
    ) -> Message:
        if payload is None:
            reading = wire.Host(cpu_percent=1.0)
            payload = wire.encode(wire.Report(v=1, time=time, readings=(reading,), **more))  # type: ignore[arg-type]
        return Message(report_topic(school, MACHINE, boot, number), payload, 7)

    return make
