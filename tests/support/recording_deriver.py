"""A deriver that a keeper's thread runs, which remembers what it was asked for."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from functools import partial

from collector.service.pipeline.pending_days import ROUND_NS, Pair

HOUR_NS = 3600 * 10**9
BAD, GOOD = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
SCHOOL, OTHER = "9900000001", "9900000002"
NOON = ROUND_NS * 88_000_000
Follows = Callable[[dt.date], object]


class RecordingDeriver:
    """Fails on one day; tells when the clock's own work was done."""

    def __init__(self) -> None:
        self.derived: list[dt.date] = []
        self.pairs: list[tuple[Pair, int]] = []
        self.following: dict[Pair, dt.date] = {}
        self.others = False
        self.judged = threading.Event()

    def begin(self) -> bool:
        return self.others

    def schools(self) -> list[str]:
        return [SCHOOL, OTHER]

    def goes_on(self, school: str, day: dt.date) -> bool:
        return False

    def derive_schools(
        self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
    ) -> dict[str, Exception]:
        failed: dict[str, Exception] = {}
        for school, since in due.items():
            try:
                self.derive_school(school, day, since, partial(follows, school))
            except ValueError as error:
                failed[school] = error
        return failed

    def derive_school(self, school: str, day: dt.date, since: int, follows: Follows) -> None:
        if day == BAD:
            raise ValueError("a row that no rule expects")
        self.derived.append(day)
        self.pairs.append((Pair(school, day), since))
        if following := self.following.get(Pair(school, day)):
            follows(following)

    def run_once(self, _now: dt.datetime) -> None:
        self.judged.set()
