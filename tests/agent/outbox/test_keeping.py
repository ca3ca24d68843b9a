"""How long receipted evidence is kept, and how its age is counted."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from agent.outbox.receipt import KEEP_MS
from agent.wire import Receipt
from outbox_cases import NOW, READING, opened, stored


def test_receipted_evidence_stays_seven_days(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.put(READING)
    evidence, _ = outbox.due()
    outbox.receipt(stored(outbox, 2, 3))
    assert outbox.counts().rows == 0
    asked = Receipt(v=1, now=NOW, again_since=NOW - 1_000)
    outbox.receipt(asked)
    assert outbox.due() == [evidence]
    outbox.receipt(Receipt(v=1, now=NOW, stored=asked.stored, again_since=NOW - 1_000))
    outbox.receipt(stored(outbox, 2, 2))
    outbox.receipt(asked)
    assert outbox.due() == []  # asked for once, given once
    pc.passes(KEEP_MS + 1)
    outbox.receipt(Receipt(v=1, now=NOW))
    outbox.receipt(Receipt(v=1, now=NOW, again_since=0))
    assert outbox.due() == []


def test_a_collectors_clock_that_is_ahead_deletes_nothing(tmp_path: Path, pc: Any) -> None:
    """Neither the backup of seven days nor what waits, whatever the clock says."""
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.put(READING, evidence=True)
    first, second = outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    ahead = NOW + 100 * 86_400_000
    pc.learns_time(ahead)
    outbox.receipt(Receipt(v=1, now=ahead))
    outbox.put(READING)
    pc.wall = ahead + 10**9  # not even where the PC's own clock agrees
    outbox.receipt(Receipt(v=1, now=ahead))
    outbox.put(READING)
    assert outbox.waiting()[0][1] == 3
    outbox.receipt(Receipt(v=1, now=NOW, again_since=0))
    outbox.reconnected()
    assert set(outbox.due()) >= {first, second}
    assert outbox.counts().dropped_evidence == 0


def test_age_is_carried_over_restarts_and_does_not_pass_while_the_pc_is_off(
    tmp_path: Path, pc: Any
) -> None:
    day = 86_400_000
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    for n in range(8):
        pc.passes(day)
        outbox.receipt(Receipt(v=1, now=NOW))
        outbox.close()
        pc.wall += 30 * day  # off for a month
        pc.elapsed = n
        outbox = opened(tmp_path, pc)
        with sqlite3.connect(tmp_path / "outbox.db") as db:
            (kept,) = db.execute("SELECT count(*) FROM report WHERE number = 2").fetchone()
        assert kept == (n < 7), n


def test_a_damaged_age_ages_nothing(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.passes(3 * 86_400_000)
    outbox.put(READING, evidence=True)
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        changed = db.execute("UPDATE fact SET value = '9' || value WHERE name = 'lived'").rowcount
    assert changed == 1
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.waiting()[0][1] == 2
    assert outbox.counts().dropped_evidence == 0
