"""Whether the PCs of a stage come back with their new version. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import NamedTuple

from agent.common.calendar import CITY_TIME, Calendar
from agent.common.language import say
from collector.release.book import Pc

#: A PC that has not reported with the version after so many open hours has not come back.
BACK_S = 2 * 3600.0
#: A stage stops where more than this share of its PCs did not come back, and at least so many.
SHARE, LEAST = 0.10, 2
_NOT_BACK = "not_back:"


class Standing(NamedTuple):
    """The PCs that began to install a version, and those of them that are not back with it."""

    took: list[Pc]
    lost: list[Pc]

    @property
    def must_stop(self) -> bool:
        """Whether the stage stops."""
        return len(self.lost) >= LEAST and len(self.lost) > SHARE * len(self.took)


def standing(pcs: Iterable[Pc], calendar: Calendar, since_ms: int, now_ms: int) -> Standing:
    """How it went since `since_ms`; times in ms since 1970 UTC."""
    took = [pc for pc in pcs if pc.began_ms is not None and pc.began_ms >= since_ms]
    return Standing(took, [pc for pc in took if _is_lost(pc, calendar, now_ms)])


def _is_lost(pc: Pc, calendar: Calendar, now_ms: int) -> bool:
    if pc.state.startswith("failed:"):  # it began, and is back with its former version
        return True
    began = pc.began_ms or 0
    return pc.state == "installing" and open_s(calendar, began, now_ms) >= BACK_S


def open_s(calendar: Calendar, start_ms: int, end_ms: int) -> float:
    """Seconds between two times at which schools are open."""
    start, end = (dt.datetime.fromtimestamp(ms / 1000, CITY_TIME) for ms in (start_ms, end_ms))
    total, day = 0.0, start.date()
    while day <= end.date():
        if calendar.is_open_day(day):
            first, last = (dt.datetime.combine(day, at, CITY_TIME) for at in calendar.hours.open)
            total += max(0.0, (min(last, end) - max(first, start)).total_seconds())
        day += dt.timedelta(days=1)
    return total


def reported(school: str, machine: str, text: str, at_ms: int, known: Collection[str]) -> Pc | None:
    """What a report's `update` says; None where it names no version that is known."""
    state, _, version = text.rpartition(":")
    if version not in known or not state:
        return None
    began = at_ms if state == "installing" else None
    return Pc(version, school, machine, state[:80], at_ms, began)


def not_back(found: Standing) -> str:
    """Why a stage stopped by itself, as the book has it; `said` puts it into words."""
    return f"{_NOT_BACK}{len(found.lost)}/{len(found.took)}"


def said(why: str) -> str:
    """Why a stage stopped, for people; what somebody wrote stays as it is."""
    if not why.startswith(_NOT_BACK):
        return why
    lost, _, took = why.removeprefix(_NOT_BACK).partition("/")
    return say(
        f"自动停止：装了的 {took} 台电脑中有 {lost} 台没有带着它回来",
        f"stopped by itself: {lost} of {took} PCs that took it did not come back with it",
    )
