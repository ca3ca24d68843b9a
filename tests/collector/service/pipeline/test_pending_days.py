"""Days marked to be derived: on disk, until they are derived."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from collector.service.pipeline.pending_days import PendingDays

MONDAY = dt.date(2026, 3, 2)


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
