"""The outbox: nothing is lost, and every sending of a report is the same bytes."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from agent.outbox import WINDOW
from agent.wire import Held, Receipt, StoredRange
from outbox_cases import NOW, READING, opened, report, stored

Y2010 = int(dt.datetime(2010, 3, 1, tzinfo=dt.UTC).timestamp() * 1000)
Y2040 = int(dt.datetime(2040, 3, 1, tzinfo=dt.UTC).timestamp() * 1000)


def test_numbers_begin_after_the_hello(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    assert [outbox.put(READING) for _ in range(3)] == [2, 3, 4]


def test_each_boot_is_its_own(tmp_path: Path, pc: Any) -> None:
    first = opened(tmp_path, pc)
    first.close()
    second = opened(tmp_path, pc)
    assert first.boot != second.boot
    assert len(second.boot) == 16
    assert second.put(READING) == 2


def test_nothing_leaves_before_there_is_an_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.due() == []
    assert outbox.next_due() is None
    pc.learns_time()
    assert len(outbox.due()) == 1


@pytest.mark.parametrize("wall", [Y2010, NOW, Y2040])
def test_the_sealed_time_is_the_collectors(tmp_path: Path, make_pc: Any, wall: int) -> None:
    pc = make_pc(wall)
    outbox = opened(tmp_path, pc)
    outbox.put(READING, evidence=True)
    pc.passes(60_000)
    pc.learns_time(NOW)
    (one,) = outbox.due()
    sealed = report(one.payload)
    assert sealed.time == NOW - 60_000
    assert sealed.offset_ms == NOW - (wall + 60_000)
    assert not sealed.uncertain
    assert not sealed.simulated


def test_a_clock_set_after_putting_does_not_move_the_time(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    pc.wall += 10**11
    pc.passes(1_000)
    pc.learns_time(NOW)
    assert report(outbox.due()[0].payload).time == NOW - 1_000


def test_times_grow_strictly_within_a_boot(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(10):
        outbox.put(READING)
    times = [report(one.payload).time for one in outbox.due()]
    assert times == sorted(set(times))
    outbox.receipt(stored(outbox, 2, 11))
    outbox.put(READING)
    assert report(outbox.due()[0].payload).time > times[-1]


def test_a_resend_is_the_same_bytes_and_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    (first,) = outbox.due()
    assert outbox.due() == []
    pc.passes(600_000)
    assert outbox.due() == [first]
    assert not pc.clock.on_echo(report(first.payload).sent or 0, NOW + 10**9)


def test_a_report_sent_twice_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    """Both sendings are fresh, so only the rule keeps the echo out."""
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    outbox.reconnected()
    assert outbox.due() == [one]
    pc.passes(10)
    assert not pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)


def test_a_refused_sending_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    outbox.refused(one.boot, one.number)
    assert not pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)
    assert outbox.counts().rows == 1


def test_a_report_sent_once_moves_the_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    pc.passes(10)
    assert pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)
    assert pc.clock.now() == NOW + 2_505


def test_a_resend_after_a_restart_is_the_same_bytes(tmp_path: Path, pc: Any, make_pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    first = outbox.due()
    outbox.close()
    later = make_pc(Y2010, elapsed=3)
    later.learns_time()
    assert opened(tmp_path, later).due() == first


def test_rows_of_an_earlier_boot_are_uncertain_and_no_evidence(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING, evidence=True)
    outbox.close()
    again = opened(tmp_path, pc)
    pc.passes(3_600_000)
    pc.learns_time(NOW + 10**9)
    (one,) = again.due()
    sealed = report(one.payload)
    assert sealed.uncertain
    assert sealed.time == NOW  # what the PC believed
    again.receipt(Receipt(v=1, now=NOW, stored=(StoredRange(one.boot, 2, 2),)))
    assert again.due() == []
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        assert db.execute("SELECT count(*) FROM report").fetchone() == (0,)  # no backup kept


def test_the_window_bounds_what_is_under_way(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(WINDOW * 2):
        outbox.put(READING)
    assert [one.number for one in outbox.due()] == list(range(2, WINDOW + 2))
    assert outbox.due() == []
    outbox.receipt(stored(outbox, 2, 5))
    assert [one.number for one in outbox.due()] == list(range(WINDOW + 2, WINDOW + 6))


def test_a_receipt_of_what_was_never_sent_changes_nothing(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    outbox.receipt(stored(outbox, 1, 2**62))
    assert outbox.counts().rows == 1


def test_held_waits_for_its_time_while_others_go(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    (first,) = outbox.due()
    held = Held(outbox.boot, 2, "future_version", 3600)
    outbox.receipt(Receipt(v=1, now=NOW, held=(held,)))
    outbox.put(READING)
    assert [one.number for one in outbox.due()] == [3]
    outbox.receipt(stored(outbox, 3, 3))
    pc.passes(3_599_000)
    assert outbox.due() == []
    assert outbox.next_due() == pytest.approx(1.0)
    pc.passes(1_000)
    assert outbox.due() == [first]


def test_a_policy_releases_what_is_held(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    first = outbox.due()
    outbox.receipt(Receipt(v=1, now=NOW, held=(Held(outbox.boot, 2, "unknown_school", 3600),)))
    assert outbox.due() == []
    outbox.policy_arrived()
    assert outbox.due() == first


def test_a_new_connection_sends_what_is_under_way_again(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    first = outbox.due()
    outbox.reconnected()
    assert outbox.due() == first


def test_a_new_connection_begins_with_few_and_opens_with_each_receipt(
    tmp_path: Path, pc: Any
) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(40):
        outbox.put(READING)
    before = outbox.due()
    assert len(before) == WINDOW
    outbox.reconnected()
    assert outbox.next_due() == 0.0
    sent = outbox.due()
    assert sent == before[:2]
    assert outbox.due() == []
    rounds = []
    while outbox.counts().rows:
        assert len(sent) <= WINDOW
        rounds.append(len(sent))
        for one in sent:
            outbox.receipt(stored(outbox, one.number, one.number))
        sent = outbox.due()
    assert rounds == [2, 4, 8, 16, 10]


def test_reports_that_nobody_answers_do_not_hold_up_those_behind(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(8):
        outbox.put(READING)
    outbox.due()
    outbox.reconnected()
    seen: set[int] = set()
    for _ in range(12):
        seen |= {one.number for one in outbox.due()}
        pc.passes(60_000)
    assert seen == set(range(2, 10))
