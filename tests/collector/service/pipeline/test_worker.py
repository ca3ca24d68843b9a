"""A batch: no receipt before the store has it, and none for what it has not."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from typing import Any

import pytest

from agent import wire
from agent.wire.topics import presence_topic, receipt_topic
from collector.service.pipeline import day_notes as notes_module
from collector.service.pipeline import worker as worker_module
from collector.service.pipeline import writer as writer_module
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.pending_days import ROUND_NS, Pair
from collector.store.base import MisconfiguredError, Point, UnavailableError

SCHOOL, OTHER, MACHINE = "9900000001", "9900000002", "ab" * 16


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "backoff", lambda *_, **__: 0.0)


def number(point: Point) -> object:
    return point.fields.get("number")


def test_reports_are_stored_then_receipted_in_ranges(bench: Any, message: Any) -> None:
    bench.hand(*(message(n) for n in (5, 2, 3, 9)))
    assert {number(point) for point in bench.store.of("agent")} == {2, 3, 5, 9}
    [(topic, receipt)] = bench.sent
    assert topic == receipt_topic(SCHOOL, MACHINE)
    assert [(run.first, run.last) for run in receipt.stored] == [(2, 3), (5, 5), (9, 9)]
    assert bench.counts["stored"] == 4


def test_the_echo_is_that_of_the_report(bench: Any, message: Any) -> None:
    bench.hand(message(2, sent=111), message(3))
    assert bench.sent[0][1].echo == 111


def test_a_resend_writes_no_second_point_and_is_receipted_again(bench: Any, message: Any) -> None:
    bench.hand(message(2))
    bench.hand(message(2))
    assert len(bench.store.points) == 3  # agent, host, and the day that is noted
    assert len(bench.sent) == 2
    assert (bench.counts["stored"], bench.counts["duplicates"]) == (1, 1)


def test_an_outage_is_waited_out_with_the_batch_in_hand(bench: Any, message: Any) -> None:
    bench.store.failures = [UnavailableError("down"), MisconfiguredError("token")] * 3
    bench.hand(message(2), message(3))
    assert bench.store.writes == 7
    assert bench.stored() == {2, 3}
    assert bench.outages == [True, False], "said once down, once back"
    assert bench.counts["store_errors"] == 6


def test_no_receipt_while_the_store_is_down(bench: Any, message: Any) -> None:
    bench.store.failures = [UnavailableError("down")] * 1000
    bench.stopping.set()  # else it would try for ever
    bench.hand(message(2))
    assert bench.sent == []
    assert bench.pending_days.take() == {}


def test_held_and_quarantined_do_not_wait_for_the_store(bench: Any, message: Any) -> None:
    bench.store.failures = [UnavailableError("down")] * 1000
    bench.stopping.set()
    bench.hand(message(2), message(3, b"junk"), message(4, school=OTHER))
    assert bench.stored() == {3}
    assert bench.held() == {4: "unknown_school"}


def test_what_the_store_rejects_is_quarantined_and_the_rest_stored(
    bench: Any, message: Any
) -> None:
    bench.store.poison = lambda point: number(point) == 3
    bench.hand(*(message(n) for n in (2, 3, 4)))
    assert {number(point) for point in bench.store.of("agent")} == {2, 4}
    assert bench.stored() == {2, 3, 4}
    [row] = bench.quarantine.rows()
    assert row.topic.endswith("/3")
    assert "field type conflict" in row.reason
    assert bench.counts["quarantined"] == 1
    assert bench.counts["stored"] == 2


def test_a_bug_in_the_store_costs_the_one_report_it_stumbles_over(bench: Any, message: Any) -> None:
    bench.store.bug = lambda point: number(point) == 7
    bench.hand(*(message(n) for n in range(2, 12)))
    assert {number(point) for point in bench.store.of("agent")} == set(range(2, 12)) - {7}
    [row] = bench.quarantine.rows()
    assert row.topic.endswith("/7")
    assert "a store's bug" in row.reason


def test_a_full_quarantine_holds(make_bench: Any, message: Any) -> None:
    bench = make_bench(quarantine_bytes=700)
    bench.hand(*(message(n, b"junk" + bytes(100)) for n in range(2, 8)))
    assert bench.stored()
    assert set(bench.held().values()) == {"quarantine_full"}
    assert bench.stored() | set(bench.held()) == set(range(2, 8))
    assert bench.quarantine.size()[0] == len(bench.stored())
    assert bench.counts["quarantined"] == len(bench.stored())


def test_a_quarantine_that_fails_holds(bench: Any, message: Any, monkeypatch: Any) -> None:
    def fail(rows: object) -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(bench.quarantine, "add", fail)
    bench.hand(message(2, b"junk"), message(3))
    assert bench.held() == {2: "quarantine_full"}
    assert bench.stored() == {3}


def test_a_topic_of_nobody_is_kept_but_not_receipted(bench: Any) -> None:
    bench.hand(Message("schoolpulse/v1/x/y/report/z/1", b"{}", 7))
    assert bench.quarantine.size()[0] == 1
    assert bench.sent == []


def test_days_are_marked_before_the_receipt(bench: Any, message: Any, monkeypatch: Any) -> None:
    bench.hand(message(2, time=1_767_600_000_000))
    ((pair, taken),) = bench.pending_days.take().items()
    assert pair == Pair("9900000001", dt.date(2026, 1, 5))
    assert 0 <= 1_767_600_000_000 * 10**6 - taken.since <= ROUND_NS

    def fail(days: object) -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(bench.pending_days, "mark", fail)
    sent = len(bench.sent)
    with pytest.raises(sqlite3.OperationalError):
        bench.hand(message(3))
    assert len(bench.sent) == sent, "a receipted day could be forgotten"


def test_an_uncertain_report_marks_no_day(bench: Any, message: Any) -> None:
    bench.hand(message(2, uncertain=True))
    assert bench.stored() == {2}
    assert bench.pending_days.take() == {}


def test_a_hello_in_the_inbox_is_answered(bench: Any, message: Any) -> None:
    bench.hand(message(1, wire.encode(wire.Hello(v=1, sent=5))))
    [(_, receipt)] = bench.sent
    assert receipt.echo == 5
    assert bench.stored() == {1}
    assert bench.store.points == {}


def test_a_late_will_of_an_earlier_boot_is_no_news(bench: Any) -> None:
    def say(boot: str, online: bool, arrived: int) -> Message:
        said = wire.encode(wire.Presence(v=1, boot=boot * 16, online=online))
        return Message(presence_topic(SCHOOL, MACHINE), said, arrived)

    bench.hand(say("a", True, 1), say("b", True, 2), say("a", False, 3), say("b", True, 4))
    bench.hand(say("b", False, 5))
    found = [(p.time, p.fields["online"]) for p in bench.store.of("presence")]
    assert found == [(1, True), (2, True), (5, False)]
    assert bench.sent == []


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
    taken = inbox.take(2000, 0.0, 0.0)
    assert sum(len(one.payload) for one in taken) <= 5_000_000
    assert len(taken) + len(inbox) == 40
