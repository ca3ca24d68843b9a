"""How long a calendar lasts. Pure."""

from __future__ import annotations

import datetime as dt

from agent.common.calendar import Calendar
from agent.common.language import counted, say

#: Time for the next year's to be decreed, typed and imported.
SOON_DAYS = 60


def ends(calendar: Calendar) -> dt.date | None:
    """The last day that it says anything of: its last term's, else the last one it names."""
    if calendar.terms:
        return max(last for _, last in calendar.terms)
    return max(calendar.holidays | calendar.makeup, default=None)


def warning(calendar: Calendar, today: dt.date) -> str:
    """What is to be said of its end; empty while that is far."""
    last = ends(calendar)
    if last is None:
        return say(
            "没有校历：每个工作日都算开放，节假日也算",
            "there is no calendar: every weekday counts as open, holidays too",
        )
    left = (last - today).days
    if left < 0:
        return say(f"校历已于 {last} 结束", f"the calendar ended on {last}")
    if left <= SOON_DAYS:
        return say(
            f"校历 {left} 天后（{last}）结束",
            f"the calendar ends in {counted(left, 'day')}, on {last}",
        )
    return ""


def fix() -> str:
    """What to do then."""
    return say("schoolpulse calendar import 新校历文件", "schoolpulse calendar import FILE")
