"""The service's small parts: inbox, receipts, quarantine, days, presences, own points, lock."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.common.command_line import RefusedError
from agent.wire.topics import receipt_topic
from collector.ingest import Held, Source
from collector.schema import MEASUREMENTS
from collector.service import self_metrics as own
from collector.service.backoff import Backoff
from collector.service.lock import FileLock
from collector.service.log import event
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine, Row
from collector.service.pipeline.receipts import RETRY_S, Entry, merge, ranges
from collector.service.self_metrics import SelfMetrics

SCHOOL, BOOT = "9900000001", "0123456789abcdef"
MONDAY = dt.date(2026, 3, 2)


def source(number: int, boot: str = BOOT, machine: str = "ab" * 16) -> Source:
    return Source(SCHOOL, machine, boot, number)


# ---- receipts


@given(st.sets(st.tuples(st.sampled_from("ab"), st.integers(1, 30))))
def test_ranges_name_exactly_the_numbers(numbers: set[tuple[str, int]]) -> None:
    runs = list(ranges(source(number, boot * 16) for boot, number in numbers))
    named = [(run.boot[0], n) for run in runs for n in range(run.first, run.last + 1)]
    assert sorted(named) == sorted(numbers)
    gaps = {(run.boot, run.last + 1) for run in runs} & {(run.boot, run.first) for run in runs}
    assert not gaps, "neighbouring runs are one run"


def test_one_receipt_a_machine_with_stored_and_held() -> None:
    other = "cd" * 16
    made = dict(
        merge(
            [Entry(source(2), 5), Entry(source(3)), Entry(source(1, machine=other), -7)],
            [Held(source(9), "unknown_school")],
            1000,
        )
    )
    assert set(made) == {receipt_topic(SCHOOL, "ab" * 16), receipt_topic(SCHOOL, other)}
    receipt = wire.decode_receipt(made[receipt_topic(SCHOOL, "ab" * 16)])
    assert (receipt.now, receipt.echo) == (1000, 5)
    assert receipt.stored == (wire.StoredRange(BOOT, 2, 3),)
    assert receipt.held == (wire.Held(BOOT, 9, "unknown_school", RETRY_S),)
    assert wire.decode_receipt(made[receipt_topic(SCHOOL, other)]).echo == -7


# ---- inbox


def note(number: int, size: int = 1) -> Message:
    return Message(str(number), bytes(size), 0)


def test_a_batch_is_cut_by_size_and_by_age() -> None:
    inbox = Inbox()
    for number in range(5):
        inbox.put(note(number))
    assert [m.topic for m in inbox.take(3, age=60, idle=60)] == ["0", "1", "2"]
    assert [m.topic for m in inbox.take(3, age=0.01, idle=60)] == ["3", "4"]
    assert inbox.take(3, age=60, idle=0.01) == []


def test_a_batch_waits_for_its_size() -> None:
    inbox, taken = Inbox(), []
    worker = threading.Thread(target=lambda: taken.extend(inbox.take(3, age=60, idle=60)))
    worker.start()
    for number in range(3):
        inbox.put(note(number))
    worker.join(5)
    assert len(taken) == 3


def test_a_full_inbox_turns_away_in_an_outage_and_waits_else() -> None:
    for inbox in (Inbox(limit=2), Inbox(limit=99, limit_bytes=10)):
        inbox.be_patient(0)
        assert inbox.put(note(1, 5))
        assert inbox.put(note(2, 5))
        assert not inbox.put(note(3, 5))
        inbox.be_patient(60)
        emptier = threading.Timer(0.05, lambda: inbox.take(1, 0, 0))  # noqa: B023
        emptier.start()
        assert inbox.put(note(4, 5)), "room came while it waited"
        emptier.join()


def test_an_outage_frees_who_waits() -> None:
    inbox, answers = Inbox(limit=1), []
    inbox.be_patient(60)
    inbox.put(note(1))
    waiter = threading.Thread(target=lambda: answers.append(inbox.put(note(2))))
    waiter.start()
    time.sleep(0.02)
    inbox.be_patient(0)
    waiter.join(120)
    assert answers == [False]


def test_a_closed_inbox_gives_out_what_it_has() -> None:
    inbox = Inbox()
    inbox.put(note(1))
    inbox.close()
    assert not inbox.put(note(2))
    assert [m.topic for m in inbox.take(9, age=60, idle=60)] == ["1"]
    assert inbox.take(9, age=60, idle=60) == []


# ---- quarantine


def row(number: int, size: int = 100) -> Row:
    return Row(number, f"topic/{number}", bytes(size), "not JSON")


def test_quarantine_keeps_the_whole_message_across_a_restart(tmp_path: Path) -> None:
    first = Quarantine(tmp_path / "q.db", 10_000)
    assert first.add([row(1), row(2)]) == [True, True]
    first.close()
    again = Quarantine(tmp_path / "q.db", 10_000)
    assert list(again.rows()) == [row(1), row(2)]
    assert again.size()[0] == 2
    again.close()


def test_quarantine_is_bounded_and_never_evicts(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 1000)
    kept = [quarantine.add([row(number)])[0] for number in range(20)]
    assert kept[0] is True
    assert kept[-1] is False
    assert quarantine.size() == (kept.count(True), quarantine.size()[1])
    assert quarantine.size()[1] <= 1000
    assert next(iter(quarantine.rows())) == row(0)
    quarantine.close()


def test_a_resend_is_quarantined_once_even_when_full(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q.db", 300)
    assert quarantine.add([row(1), row(1)._replace(time=9)]) == [True, True]
    assert quarantine.add([row(2)]) == [False]
    assert quarantine.add([row(1)]) == [True]
    assert quarantine.size()[0] == 1
    quarantine.close()


def test_two_processes_share_one_bound(tmp_path: Path) -> None:
    one, two = (Quarantine(tmp_path / "q.db", 600) for _ in "ab")
    kept = [quarantine.add([row(n)])[0] for n in range(6) for quarantine in (one, two)]
    assert one.size() == two.size()
    assert one.size()[1] <= 600
    assert any(kept)
    one.close()
    two.close()


# ---- days


def test_days_survive_and_a_mark_set_meanwhile_stays(tmp_path: Path) -> None:
    days = PendingDays(tmp_path / "days.db")
    days.mark({MONDAY})
    taken = days.take()
    days.mark({MONDAY})
    days.done(taken)
    days.close()
    again = PendingDays(tmp_path / "days.db")
    assert set(again.take()) == {MONDAY}
    again.done(again.take())
    assert again.take() == {}
    again.close()


def test_marking_a_marked_day_costs_nothing_until_it_is_taken(tmp_path: Path) -> None:
    days = PendingDays(tmp_path / "days.db")
    days.mark({MONDAY})
    first = days._db.total_changes
    days.mark({MONDAY})
    assert days._db.total_changes == first
    days.take()
    days.mark({MONDAY})
    assert days._db.total_changes > first
    days.close()


# ---- own points, logs, backoff


def test_own_points_hold_the_schema() -> None:
    counts = Counts()
    counts.add("received", 3)
    points = SelfMetrics(counts, lambda: {"queue": 4, "write_ms": 1.5, "calendar_days": None})
    points.heard("$SYS/broker/publish/messages/dropped", b"17")
    points.heard("$SYS/broker/clients/connected", b"many")
    points.heard("$SYS/broker/else", b"5")
    ours, broker = points.now(9)
    assert ours.fields["received"] == 3
    assert (ours.fields["queue"], ours.fields["write_ms"]) == (4, 1.5)
    assert broker.fields == {"dropped": 17}
    for point in (ours, broker):
        assert set(point.fields) <= set(MEASUREMENTS[point.measurement].fields)


def test_own_points_are_due_once_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "PERIOD_S", 0.0)
    points = SelfMetrics(Counts(), dict)
    assert [point.measurement for point in points.due()] == ["collector"]
    monkeypatch.setattr(own, "PERIOD_S", 60.0)
    assert points.due()
    assert points.due() == ()


def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "schoolpulse.collect"):
        event("quarantined", reason='two words\n"and" a line', size=3)
    assert caplog.messages == ['quarantined reason="two words\\n\\"and\\" a line" size=3']


def test_backoff_is_jittered_and_capped() -> None:
    backoff = Backoff(base=1.0, cap=8.0)
    waits = [backoff.next() for _ in range(200)]
    assert all(0 <= wait <= 8 for wait in waits)
    assert waits[0] <= 1
    assert len({round(wait, 6) for wait in waits}) > 100
    backoff.reset()
    assert backoff.next() <= 1


# ---- lock


def test_a_lock_refuses_another_process_and_dies_with_its_own(tmp_path: Path) -> None:
    hold = (
        "import sys, pathlib; from collector.service.lock import FileLock;"
        "lock = FileLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    path = tmp_path / "collect.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(RefusedError, match=str(tmp_path)):
            FileLock(path)
    finally:
        holder.kill()
        holder.communicate()
    FileLock(path).release()
    FileLock(path).release()
