"""What is too much, too large or too old, and a full disk: dropped in order, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.outbox import FullError, Limits, TooLargeError
from agent.outbox.reserve import SIZE
from agent.wire import AgentHealth, Device
from outbox_cases import READING, opened, stored


def test_telemetry_is_dropped_before_evidence_oldest_first(tmp_path: Path, pc: Any) -> None:
    big = (AgentHealth(version="1", room="x" * 200),)
    outbox = opened(tmp_path, pc, limits=Limits(bytes=3_000))
    for number in range(40):
        outbox.put(big, evidence=number % 4 == 0)
    counts = outbox.counts()
    assert counts.bytes <= 3_000
    left = [number for _, number in outbox.waiting()]
    telemetry = [number for number in left if (number - 2) % 4]
    assert counts.dropped_telemetry == 30 - len(telemetry)
    assert counts.dropped_evidence == 10 - (len(left) - len(telemetry))
    assert telemetry == [] or telemetry[0] > 30
    assert counts.dropped_evidence == 0
    outbox.close()
    assert opened(tmp_path, pc).counts().dropped_telemetry == counts.dropped_telemetry


def test_evidence_is_dropped_last_and_counted(tmp_path: Path, pc: Any) -> None:
    big = (AgentHealth(version="1", room="x" * 200),)
    outbox = opened(tmp_path, pc, limits=Limits(bytes=3_000))
    for _ in range(30):
        outbox.put(big, evidence=True)
    counts = outbox.counts()
    assert counts.dropped_evidence == 30 - counts.rows > 0
    assert [number for _, number in outbox.waiting()][-1] == 31


def test_what_is_too_old_is_dropped(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc, limits=Limits(days=2))
    pc.learns_time()
    outbox.put(READING)
    outbox.due()
    pc.passes(3 * 86_400_000)
    outbox.put(READING)
    assert [number for _, number in outbox.waiting()] == [3]
    assert outbox.counts().dropped_telemetry == 1


def test_a_report_larger_than_the_wire_is_refused(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    many = tuple(Device("sound", f"{n:0200}", note="x" * 50) for n in range(1_000))
    with pytest.raises(TooLargeError):
        outbox.put(many)
    assert outbox.put(READING) == 2


def test_a_full_disk_drops_and_counts_the_report(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    dropped = 0
    for _ in range(200):
        try:
            outbox.put((AgentHealth(version="1", room="x" * 250),), evidence=True)
        except FullError:
            dropped += 1
    assert dropped
    assert outbox.counts().dropped_evidence == dropped
    outbox._db.execute("PRAGMA max_page_count = 100000")
    outbox.put(READING)
    outbox.close()
    assert opened(tmp_path, pc).counts().dropped_evidence == dropped


def test_a_full_disk_costs_the_oldest_telemetry_first(tmp_path: Path, pc: Any) -> None:
    """The newest reports are kept, and receipts are taken in though nothing can grow."""
    outbox = opened(tmp_path, pc)
    big = (AgentHealth(version="1", room="x" * 250),)
    for number in range(400):
        outbox.put(big, evidence=number % 4 == 0)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(100):
        outbox.put(big)
    counts = outbox.counts()
    assert counts.dropped_evidence == 0
    assert counts.rows + counts.dropped_telemetry == 500
    assert outbox.waiting()[-1] == (outbox.boot, 501)
    pc.learns_time()
    for _ in range(100):
        for one in outbox.due():
            outbox.receipt(stored(outbox, one.number, one.number))
    assert outbox.counts().rows == 0


def test_the_reserve_is_given_up_when_the_disk_is_full(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    reserve = tmp_path / "outbox.db.reserve"
    assert reserve.stat().st_size == SIZE
    given: list[bool] = []
    real = outbox._enforce_limits
    outbox._enforce_limits = lambda: (given.append(reserve.exists()), real())[1]  # type: ignore[method-assign]
    outbox._handle_full_disk()
    assert given == [False]
    assert reserve.exists()  # there was room again
