"""Grants turns: one test of a line at a time, a limited number per day, each with a lease.

No I/O; times are seconds since 1970 UTC, given by the caller, and only ids are random. A day's
tests of a line are in windows that its PCs know by name ("q0" to "q2" outside lessons, "l0" in
lessons, ...; see agent.resident.schedule). One completed test serves a window; after a failed test
the window stays open, up to `TRIES` times. A PC that has tested the line today must wait in each
further window, so that the others come first. Once a week a test outside lessons is a long one.
Where the server is full, the schools that have waited longest come first (`queue`).
"""

from __future__ import annotations

import datetime as dt
import math
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from agent.common.calendar import local_day, start_of
from agent.wire.messages import MachineId, SchoolCode, Text
from collector.lineserver.fairness import Queue

Answer = Literal[
    "busy", "enough", "full", "later", "school_full", "too_often", "unknown_line", "no_lines"
]
Ending = Literal["ok", "abandoned", "expired"]
#: Added to the requested seconds of a test, for its start and end.
_MARGIN_S = 10.0
_LONGEST_LEASE_S = 2 * 120 + _MARGIN_S
#: How long a PC that has tested today must leave a window to others, s.
YIELD_S = 300.0
#: Failed tests after which a window is given up.
TRIES = 3
#: Time between two long tests of a line; an hour less than a week, so they stay in one window.
_WEEK_S = 7 * 86_400 - 3600.0
#: Simultaneous tests of all lines.
MAX_TESTS = 40
#: ... and of one school, so that an abused key does not shut out other schools.
MAX_OF_SCHOOL = 2
#: Grants of one school in a minute: a test takes a quarter of one.
MAX_A_MINUTE = 12
_MINUTE_S, _FULL_S = 60, 30
#: Where nothing is known of the lines, or of this one, the PC asks again after this, s.
_NO_LINES_S, _UNKNOWN_S = 60, 3600
#: A far line's test may take this long, s, whatever the policy says of the others'.
FAR_S = 60.0


PerDay = Annotated[int, Meta(ge=0, le=96)]


class Wish(Struct, frozen=True):
    """The body of POST /v1/tests: which PC wants to test which line, and for how long at most."""

    school: SchoolCode
    machine: MachineId
    line: Text
    max_seconds: Annotated[float, Meta(gt=0, le=120)] = 15.0
    window: Annotated[str, Meta(pattern="^([ql][0-9]{1,2})?$", max_length=3)] = ""
    left_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None  # until the window closes
    # The PC's limits from its policy: they can lower the server's own, and never raise them.
    quiet_per_day: PerDay | None = None
    lesson_per_day: PerDay | None = None
    month_bytes: Annotated[int, Meta(ge=0)] | None = None


class Limits(NamedTuple):
    """Tests of a line a day: outside lessons, in lessons, and by hand."""

    quiet: int = 3
    lesson: int = 1
    by_hand: int = 20
    month_bytes: int | None = None  # of all tests of the line in a month, both ways
    max_seconds: float = 120.0  # of one test


@dataclass(frozen=True, slots=True)
class Turn:
    """A granted test; it expires at `until`."""

    id: str
    wish: Wish
    started: float
    until: float
    long: bool = False  # runs to its time limit
    max_bytes: int | None = None  # what the line has left of the month

    @property
    def line(self) -> tuple[str, str]:
        """School and line: a line's name is unique within its school."""
        return self.wish.school, self.wish.line

    @property
    def day(self) -> dt.date:
        """The local day that it counts for."""
        return local_day(self.started)

    def is_ahead(self, now: float) -> bool:
        """Whether a wrong clock granted it: it ends later than any lease can."""
        return self.until - now > _LONGEST_LEASE_S


class Past(NamedTuple):
    """A stored turn; without an outcome if the server stopped during the test."""

    turn: Turn
    outcome: Ending | None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Later:
    """Not granted now: why, and after how many seconds to ask again."""

    answer: Answer
    retry_s: int


#: The limits of a wish's line; or why it has none: unknown_line, no_lines.
LimitsOf = Callable[[Wish], Limits | Answer]


class Turns:
    """The turns in force and the day's tests, by line. Not safe for several threads."""

    def __init__(self, limits: LimitsOf = lambda _: Limits(), past: Iterable[Past] = ()) -> None:
        """`past`: this month's turns and each line's last long one, stored before a restart."""
        self._limits = limits
        self._open: dict[tuple[str, str], Turn] = {}
        self._ended: dict[tuple[str, str], list[Past]] = {}
        self._month: dict[tuple[tuple[str, str], str], int] = {}
        self._long: dict[tuple[str, str], float] = {}
        self._waiting: dict[tuple[tuple[str, str], str, str], float] = {}
        self._queue = Queue(MAX_TESTS, 2 * _FULL_S + _MARGIN_S)
        self._granted: dict[str, deque[float]] = {}  # times of the last minute, by school
        for kept in past:
            if kept.outcome is None:
                self._open[kept.turn.line] = kept.turn
            else:
                self._end(kept)

    def ask(self, wish: Wish, now: float) -> Turn | Later:
        """Grant a test of the line, or answer when to ask again."""
        line = wish.school, wish.line
        limits = self._limits(wish)
        if not isinstance(limits, Limits):
            return Later(limits, _NO_LINES_S if limits == "no_lines" else _UNKNOWN_S)
        self._forget(line, now)
        other = self._open.get(line)
        if other is not None:
            return Later("busy", max(1, math.ceil(other.until - now)))
        later = self._enough(wish, limits, now) or self._no_place(wish.school, now)
        if later is not None:
            return later
        if (wait := self._yields(wish, now)) > 0:
            return Later("later", math.ceil(wait))
        return self._grant(wish, limits, now)

    def _grant(self, wish: Wish, limits: Limits, now: float) -> Turn:
        line = wish.school, wish.line
        # A long test far in the future was dated by a wrong clock and is ignored.
        long = wish.window.startswith("q") and abs(now - self._long.get(line, math.inf)) >= _WEEK_S
        if long:
            self._long.pop(line, None)
        seconds = min(wish.max_seconds, max(limits.max_seconds, FAR_S))
        until = now + seconds * (2 if long else 1) + _MARGIN_S
        left = None if limits.month_bytes is None else limits.month_bytes - self._used(line, now)
        turn = Turn(secrets.token_hex(16), wish, now, until, long, left)
        self._open[line] = turn
        self._queue.served(wish.school)
        self._granted.setdefault(wish.school, deque()).append(now)
        return turn

    def close(self, turn: Turn, outcome: Ending = "ok", count: int = 0) -> None:
        """End a turn, with the test's bytes: the line is free again."""
        if self._open.get(turn.line) == turn:
            del self._open[turn.line]
            self._end(Past(turn, outcome, count))

    def withdraw(self, turn: Turn) -> None:
        """Cancel a turn that the agent never got: it does not count."""
        if self._open.get(turn.line) == turn:
            del self._open[turn.line]
            self._granted.get(turn.wish.school, deque()).pop()

    def _no_place(self, school: str, now: float) -> Later | None:
        """Why the server or the school has no place for one more test; None: it has."""
        recent = self._granted.get(school, deque())
        while recent and not 0 <= now - recent[0] < _MINUTE_S:
            recent.popleft()
        running = Counter(turn.wish.school for turn in self._open.values() if now < turn.until)
        if running[school] >= MAX_OF_SCHOOL:
            return Later("school_full", _FULL_S)
        if len(recent) >= MAX_A_MINUTE:
            return Later("too_often", math.ceil(recent[0] + _MINUTE_S - now))
        if not self._queue.may(school, running, now):
            return Later("full", _FULL_S)
        return None

    def _end(self, past: Past) -> None:
        turn = past.turn
        month = turn.line, f"{turn.day:%Y-%m}"
        self._month[month] = self._month.get(month, 0) + past.bytes
        self._ended.setdefault(turn.line, []).append(past)
        if turn.long and past.outcome == "ok":
            self._long[turn.line] = max(turn.started, self._long.get(turn.line, 0.0))

    def _forget(self, line: tuple[str, str], now: float) -> None:
        """End the line's expired lease, and drop tests of other days."""
        turn = self._open.get(line)
        if turn is not None and (now >= turn.until or turn.is_ahead(now)):
            self.close(turn, "expired")
        today = local_day(now)
        ended = self._ended.get(line, [])
        if any(past.turn.day != today for past in ended):
            self._ended[line] = [past for past in ended if past.turn.day == today]
            self._waiting = {key: t for key, t in self._waiting.items() if local_day(t) == today}

    def _used(self, line: tuple[str, str], now: float) -> int:
        return self._month.get((line, f"{local_day(now):%Y-%m}"), 0)

    def _enough(self, wish: Wish, limits: Limits, now: float) -> Later | None:
        used = self._used((wish.school, wish.line), now)
        if limits.month_bytes is not None and used >= limits.month_bytes:
            return Later("enough", math.ceil(_until_midnight(now)))
        ended = self._ended.get((wish.school, wish.line), [])
        outcomes = Counter(p.outcome == "ok" for p in ended if p.turn.wish.window == wish.window)
        if wish.window:
            number = limits.quiet if wish.window[0] == "q" else limits.lesson
            served = outcomes[True] >= 1 or outcomes[False] >= TRIES
            over = served or int(wish.window[1:]) >= number
        else:
            over = outcomes.total() >= limits.by_hand
        if not over:
            return None
        return Later("enough", math.ceil(_until_midnight(now) if not wish.left_s else wish.left_s))

    def _yields(self, wish: Wish, now: float) -> float:
        """Seconds for which a PC that has tested today must still leave this window to others."""
        line = wish.school, wish.line
        tested = any(
            past.outcome == "ok" and past.turn.wish.machine == wish.machine
            for past in self._ended.get(line, [])
        )
        scarce = wish.left_s is not None and wish.left_s < 2 * YIELD_S
        if not wish.window or not tested or scarce:
            return 0.0
        first = self._waiting.setdefault((line, wish.window, wish.machine), now)
        return first + YIELD_S - now


def _until_midnight(now: float) -> float:
    tomorrow = local_day(now) + dt.timedelta(days=1)
    return start_of(tomorrow).timestamp() - now
