"""A batch: no receipt before the store has it, and none for what it has not."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any

import pytest

from agent import wire
from agent.wire.topics import presence_topic, receipt_topic
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.pending_days import ROUND_NS, Pair
from collector.store.base import MisconfiguredError, UnavailableError

from .conftest import number

pytestmark = pytest.mark.usefixtures("no_waiting")
SCHOOL, OTHER, MACHINE = "9900000001", "9900000002", "ab" * 16


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
