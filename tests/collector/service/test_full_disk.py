"""A full disk under the collector's own folder: said by its name, and nothing is forgotten."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.service.pipeline.quarantine import Quarantine, Row

DAY = dt.date(2026, 11, 24)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with services.small_disk(tmp_path / "disk") as where:
        yield where


def test_the_quarantine_says_that_it_is_full_and_takes_more_when_there_is_room(disk: Path) -> None:
    quarantine = Quarantine(disk / "quarantine.db", 10**7)
    services.fill(disk)
    row = Row(1, "topic", b"x" * 100_000, "unreadable")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        quarantine.add([row])
    (disk / "others").unlink()
    assert quarantine.add([row]) == [True]
    assert [found.payload for found in quarantine.rows()] == [row.payload]
    quarantine.close()


def test_a_day_that_could_not_be_marked_is_not_taken_for_marked(disk: Path) -> None:
    pending_days = PendingDays(disk / "days.db")
    services.fill(disk)
    days = {Pair("9900000001", DAY + dt.timedelta(days=n)): 0 for n in range(3000)}
    with pytest.raises(sqlite3.OperationalError, match="full"):
        pending_days.mark(days)
    (disk / "others").unlink()
    pending_days.mark(days)
    assert pending_days.take().keys() == days.keys()
    pending_days.close()
