"""The keeper's thread: a day that cannot be derived holds up neither the others nor the figure."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection
from pathlib import Path

from collector.service.dirty import DirtyDays
from collector.service.keeping import Keeping

BAD, GOOD = dt.date(2026, 11, 23), dt.date(2026, 11, 24)


class _Deriver:
    """Fails on one day; tells when the clock's own work was done."""

    def __init__(self) -> None:
        self.derived: list[dt.date] = []
        self.judged = threading.Event()

    def derive(self, days: Collection[dt.date]) -> None:
        for day in days:
            if day == BAD:
                raise ValueError("a row that no rule expects")
            self.derived.append(day)

    def run_once(self, _now: dt.datetime) -> None:
        self.judged.set()


def test_one_bad_day_holds_up_nothing_and_stays_marked(tmp_path: Path) -> None:
    dirty = DirtyDays(tmp_path / "days.db")
    dirty.mark({BAD, GOOD})
    deriver = _Deriver()
    keeping = Keeping(deriver, dirty, period_s=60)
    keeping.start()
    assert deriver.judged.wait(10)
    keeping.stop(10)
    assert deriver.derived == [GOOD]
    assert list(dirty.take()) == [BAD]
    dirty.close()
