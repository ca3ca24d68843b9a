"""What a report may be: of our time, of a registered line, and real. Pure.

A report out of bounds is held with its reason, never stored: it marks no day, so nothing is
derived for it, and it costs no other school anything. The agent keeps it, tries again after the
time that its receipt names, and drops it when its outbox is 60 days older; a report that a wrong
clock of the collector kept out is stored when that clock is right.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import NamedTuple

from agent import wire

#: How far back a report's time may lie: what an agent keeps, see `agent.outbox.limits`.
PAST_MS = 60 * 86_400_000
#: How far ahead: clocks of collectors and of PCs that have just learnt the time differ a little.
AHEAD_MS = 3_600_000
_SHOWN = 60  # characters of a name

#: Whether a name is a line of the school.
Lines = Callable[[str], Container[str]]


class Bounds(NamedTuple):
    """What this collector accepts. `lines`: the registered lines of a school."""

    lines: Lines
    simulated: bool = False  # whether invented reports are


class Beyond(NamedTuple):
    """Why a report is held, and what shows it."""

    reason: str
    detail: str


def beyond(bounds: Bounds, school: str, report: wire.Report, now_ms: int) -> Beyond | None:
    """Why the report is out of bounds; None if it is not. `now_ms`: when it arrived."""
    if report.simulated and not bounds.simulated:
        return Beyond("simulated", "")
    if not _in_time(report, now_ms):
        return Beyond("time_out_of_bounds", f"{report.time}")
    if school == wire.LINESERVER:  # its records name schools; it grants tests of their lines alone
        return None
    for reading in report.readings:
        if type(reading) is wire.LineTest and reading.line not in bounds.lines(school):
            return Beyond("unknown_line", reading.line[:_SHOWN])
    return None


def _in_time(report: wire.Report, now_ms: int) -> bool:
    """An uncertain report may be as old as it says: a PC without a battery starts in 2010.

    It is telemetry of no day, and the store drops it by its age.
    """
    ahead = report.time - now_ms
    return ahead <= AHEAD_MS and (report.uncertain or -ahead <= PAST_MS)
