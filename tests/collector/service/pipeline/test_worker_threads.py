"""Several batches at a time: none waits for another, none is lost, and the worker ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from collector.service.pipeline import day_notes as notes_module
from collector.service.pipeline import worker as worker_module
from collector.service.pipeline import writer as writer_module
from collector.store.base import UnavailableError

from .conftest import number

pytestmark = pytest.mark.usefixtures("no_waiting")
SCHOOL = "9900000001"


@pytest.mark.parametrize(("part", "does"), [("_sorter", "sort"), ("_storer", "store")])
def test_a_failing_batch_does_not_end_the_worker(
    bench: Any, message: Any, monkeypatch: Any, part: str, does: str
) -> None:
    worker, inbox = bench.worker, bench.worker._inbox
    real, broken = getattr(getattr(worker, part), does), threading.Semaphore(0)
    left = [RuntimeError("a bug of ours")] * 5  # more than there are batches in hand

    def fail(given: Any) -> Any:
        if left and (given.items if does == "store" else given):
            broken.release()
            raise left.pop()
        return real(given)

    monkeypatch.setattr(getattr(worker, part), does, fail)
    worker.start()
    for n in range(2, 7):
        inbox.put_all([message(n)])
        assert broken.acquire(timeout=120)
    inbox.put_all([message(7)])
    inbox.close()
    assert worker.join(120)
    assert bench.stored() == {7}
    assert worker.oldest_s == 0


def test_a_slow_write_does_not_keep_the_next_batch_waiting(
    bench: Any, message: Any, monkeypatch: Any
) -> None:
    real, second_stored = bench.store.write, threading.Event()

    def write(points: Any) -> None:
        if 2 in map(number, points):
            assert second_stored.wait(120), "the next batch waited for this one"
        real(points)
        if 3 in map(number, points):
            second_stored.set()

    monkeypatch.setattr(bench.store, "write", write)
    monkeypatch.setattr(worker_module, "BATCH", 1)
    worker, inbox = bench.worker, bench.worker._inbox
    for n in (2, 3, 4):
        inbox.put_all([message(n)])
    worker.start()
    inbox.close()
    assert worker.join(120)
    assert bench.stored() == {2, 3, 4}


def test_it_ends_with_batches_in_hand_while_the_store_is_down(
    bench: Any, message: Any, monkeypatch: Any
) -> None:
    bench.store.failures = [UnavailableError("down")] * 1000
    waiting = threading.Semaphore(0)

    def wait(attempt: int, **_: float) -> float:
        waiting.release()
        return 60.0

    monkeypatch.setattr(writer_module, "backoff", wait)
    monkeypatch.setattr(worker_module, "BATCH", 1)
    worker, inbox = bench.worker, bench.worker._inbox
    for n in range(2, 10):
        inbox.put_all([message(n)])
    worker.start()
    assert waiting.acquire(timeout=120)
    assert waiting.acquire(timeout=120)
    assert len(inbox) >= 5, "two wait for the store, a third for them"
    assert worker.oldest_s > 0
    inbox.close()
    bench.stopping.set()
    assert worker.join(120)
    assert bench.stored() == set()
    assert bench.store.writes == 8, "each is tried once"


def test_up_and_down_are_told_in_the_order_in_which_they_are_found(
    bench: Any, message: Any, monkeypatch: Any
) -> None:
    """Of two writes at a time: one fails, and is held up where it says so; the other succeeds."""
    saying, said = threading.Event(), threading.Event()

    def warn(name: str, **fields: object) -> None:
        if name == "store_down":
            saying.set()
            assert said.wait(120)

    monkeypatch.setattr(writer_module.log, "warning", warn)
    bench.store.failures = [UnavailableError("down")]
    slow = threading.Thread(target=bench.hand, args=(message(2),))
    slow.start()
    assert saying.wait(120)
    bench.hand(message(3))
    said.set()
    slow.join(120)
    assert bench.outages == [True, False]
    assert bench.stored() == {2, 3}


def test_a_day_left_out_of_a_note_is_not_taken_for_noted(
    bench: Any, message: Any, monkeypatch: Any
) -> None:
    """A write that ends after the minute had no note of its day: the next one notes it.

    Another day's write, begun and ended during it, changes nothing.
    """
    clock = [0.0]
    monkeypatch.setattr(notes_module.time, "monotonic", lambda: clock[0])
    noted: list[tuple[float, object]] = []
    real = bench.store.write

    def write(points: Any) -> None:
        now, clock[0] = clock[0], clock[0] + 0.6
        found = [point.fields["noted"] for point in points if point.measurement == "collector"]
        noted.extend((now, days) for days in found)
        real(points)
        if now == 59.5:
            bench.hand(message(9, time=1_767_600_000_000 - 5 * 86_400_000))

    monkeypatch.setattr(bench.store, "write", write)
    for n, at in enumerate((0.0, 59.5, 61.0, 119.9, 121.0), 2):
        clock[0] = at
        bench.hand(message(n))
    day, other = (
        f"{day} {at - at % 20} {SCHOOL}"
        for day, at in (("2026-01-05", 1_767_600_000), ("2025-12-31", 1_767_600_000 - 5 * 86_400))
    )
    assert noted == [(0.0, day), (60.1, other), (61.0, day), (121.0, day)]


def test_large_reports_make_small_batches(bench: Any, message: Any) -> None:
    inbox = bench.worker._inbox
    for n in range(2, 42):
        inbox.put_all([message(n, bytes(250_000))])
    taken = inbox.take(2000, 0.0, 0.0, 0.0)
    assert sum(len(one.payload) for one in taken) <= 5_000_000
    assert len(taken) + len(inbox) == 40
