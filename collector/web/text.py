"""What others wrote, made harmless to look at: escaping is the templates' part. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from markupsafe import Markup

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from agent.common.printable import block
from agent.common.vocabulary.words import Words, word

_NAME, _TEXT = 60, 2000


def clean(text: str, longest: int = _TEXT) -> str:
    """The text with what could harm a reader as escapes, cut to `longest` of its characters."""
    return block(text if len(text) <= longest else text[: longest - 1] + "…")


def finalized(value: object) -> object:
    """Every value that a template shows goes through here; None is shown as nothing."""
    if value is None:
        return ""
    if isinstance(value, Markup | int | float):
        return value
    return clean(str(value))


def name(value: object) -> str:
    """A name of others: short enough for a line of a list; one of blanks alone is a dash."""
    found = clean(str(value), _NAME)
    return found if found.strip() or not found else "—"


def moment(ms: object, now_ms: int | None = None) -> str:
    """A time in ms since 1970 UTC for a narrow cell; the year only where it is another."""
    if not isinstance(ms, int) or ms <= 0:
        return ""
    time = _local(ms)
    now = _local(now_ms) if now_ms else dt.datetime.now(CITY_TIME)
    if time is None or now is None:
        return ""
    return time.strftime("%m-%d %H:%M" if time.year == now.year else "%Y-%m-%d")


def _local(ms: int) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(ms / 1000, CITY_TIME)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None


def ago(ms: object, now_ms: int) -> str:
    """How long ago, in the largest unit that is not nought."""
    if not isinstance(ms, int) or ms <= 0:
        return ""
    minutes = max(0, now_ms - ms) // 60_000
    if minutes < 1:
        return say("刚刚", "just now")
    for size, zh, en in ((1440, "天", "d"), (60, "小时", "h"), (1, "分钟", "min")):
        if minutes >= size:
            return say(f"{minutes // size} {zh}前", f"{minutes // size} {en} ago")
    return ""


def percent(value: float | None) -> str:
    """A share as stored: already rounded, and never across its target."""
    return "—" if value is None else f"{value:.1f}%"


def number(value: object, digits: int = 1) -> str:
    """A measured number; a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "—"
    return f"{value:.{digits}f}"


def mbps(value: object) -> str:
    """A rate as a contract has it: without a fraction that says nothing."""
    return f"{value:g}" if isinstance(value, int | float) else "—"


def said(table: Mapping[str, Words], code: object) -> str:
    """A code's word."""
    return word(table, str(code))
