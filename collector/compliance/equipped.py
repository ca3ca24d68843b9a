"""Whether a room's days show the required set: yes, no, or open. Pure.

A day is full if the room's PCs saw every required piece, and lacking if they saw none of one. It is
open if all that is in doubt is a display: one that counts for another room, or whose kind neither
the device nor the register tells. Yes: enough full days in the window. No: as many lacking days
without a full one after the first of them; a display that counts elsewhere was there that day, so
its day ends them too. Neither a yes nor a no arises by silence: when days leave the window, there
are fewer of both.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain
from typing import Final, NamedTuple

from collector.compliance.displays import BUILT_IN, TOLD, UNKNOWN, Display, Displays
from collector.compliance.homes import Homes
from collector.compliance.rooms import SILENT, RoomDays, RoomKey, Rooms
from collector.compliance.standing import Opinion
from collector.compliance.window import ONE_DAY, Windows
from collector.config import Figure as Settings
from collector.roster.register import Equipment, Register, School

#: Kinds of the register by which a class has a display.
PICTURES: Final = frozenset({"display", "projector", "panel", "panel_without_pc", "tv"})
_PANELS = frozenset({"panel", "panel_without_pc"})


class Sight(IntEnum):
    """What a room's PCs saw of a display on a day; of several displays, the best counts."""

    NONE = 0
    KIND_UNKNOWN = 1  # neither the device nor the register tells its kind
    ELSEWHERE = 2  # it counts for another room, or for none
    BY_REGISTER = 3  # a display, by the kind that the register gives the room
    TOLD = 4  # a display, by its own word


class Day(NamedTuple):
    """One day of a room."""

    day: dt.date
    lacking: tuple[str, ...]  # the required pieces that were not seen
    display: Sight

    @property
    def full(self) -> bool:
        """Whether every required piece was seen, and counts here."""
        return not self.lacking and self.display >= Sight.BY_REGISTER

    @property
    def was_there(self) -> bool:
        """Whether every required piece was seen, whichever room it counts for."""
        return not self.lacking and self.display >= Sight.ELSEWHERE


@dataclass(frozen=True, slots=True)
class Word:
    """What the register says of a room's displays."""

    picture: bool = False
    panel: bool = False
    monitors: int = 0

    def names(self, kind: str, unknown: int) -> bool:
        """Whether it gives a kind to one of the room's `unknown` displays of unknown kind.

        As many of them may be monitors as the register has there.
        """
        return self.panel if kind == BUILT_IN else self.picture and unknown > self.monitors


@dataclass(frozen=True, slots=True)
class Stands:
    """A room's result at the cut-off: the window's, or the last one before it."""

    now: Opinion | None = None
    before: Opinion | None = None  # only if the window is undecided
    days: tuple[Day, ...] = field(default=())  # the window's


class Equipped:
    """Judges rooms by what their PCs saw."""

    def __init__(
        self, register: Register, rooms: Rooms, windows: Windows, settings: Settings
    ) -> None:
        self._register = register
        self._rooms = rooms
        self._windows = windows
        self._settings = settings
        self._required = frozenset(settings.required) - {"display"}
        self.homes = Homes(rooms, windows)
        self._alone: dict[tuple[Displays, Word], Sight] = {}  # of displays that no other room saw

    def history(self, key: RoomKey) -> RoomDays:
        """All days of a room."""
        return self._rooms.get(key, SILENT)

    def stands(self, school: School, room: str, cutoff: dt.date) -> Stands:
        """A room's result at the cut-off.

        Where the window is undecided, the last day counts on which the evidence of that same day
        completed a yes or a no: what was once cleared stays cleared, and a no stands until then.
        """
        key = school.code, room
        days = tuple(self.days(school, room, cutoff))
        now = self._granted(school, room, cutoff, days)
        history = self.history(key)
        if now or not history.days:
            return Stands(now, None, days)
        for day in reversed(history.days[: bisect_right(history.days, cutoff)]):
            opinion = self._opinion(tuple(self.days(school, room, day)))
            if opinion and opinion.day == day:
                return Stands(None, opinion, days)
        return Stands(None, None, days)

    def days(self, school: School, room: str, last: dt.date) -> Iterator[Day]:
        """The days with reports of the window that ends with `last`."""
        key = school.code, room
        history, word = self.history(key), self._word(key)
        first = self._windows.first(last, school.opened)
        lo, hi = bisect_left(history.days, first), bisect_right(history.days, last)
        found: dict[tuple[frozenset[str], Displays], tuple[tuple[str, ...], Sight]] = {}
        for n in range(lo, hi):
            shown = history.seen[n], history.displays[n]
            if shown not in found:  # most days of a room are alike
                found[shown] = self._judged(*shown, word, key, last)
            yield Day(history.days[n], *found[shown])

    def _judged(
        self, seen: frozenset[str], displays: Displays, word: Word, key: RoomKey, last: dt.date
    ) -> tuple[tuple[str, ...], Sight]:
        """What a day lacks, and its display."""
        lacking = self._required - seen
        if "display" not in self._settings.required:
            return tuple(sorted(lacking)), Sight.TOLD
        display = self._sight(displays, word, key, last)
        return tuple(sorted(lacking if display else lacking | {"display"})), display

    def _granted(
        self, school: School, room: str, last: dt.date, days: tuple[Day, ...]
    ) -> Opinion | None:
        """The window's result; a yes only if its newest day gave it, and every day since.

        Otherwise a device might come to count for a room by silence alone, once the days that it
        was elsewhere have left the window.
        """
        found = opinion = self._opinion(days)
        if not self.homes.any_of(chain(*set(self.history((school.code, room)).displays))):
            return found
        while opinion and opinion.yes and opinion.day < last:
            last -= ONE_DAY
            opinion = self._opinion(tuple(self.days(school, room, last)))
        return found if opinion else None

    def _opinion(self, days: tuple[Day, ...]) -> Opinion | None:
        lacking = lacking_since(days)
        if len(lacking) >= self._settings.min_room_days:
            return Opinion(False, lacking[-1].day)
        full = [day.day for day in days if day.full]
        ended = ended_no(days, self._settings.min_room_days)
        if len(full) < self._settings.min_room_days or (ended and ended.day > full[-1]):
            return None  # what ended a no does not count here, and the full days are older than it
        return Opinion(True, full[-1])

    def _sight(self, displays: Displays, word: Word, key: RoomKey, last: dt.date) -> Sight:
        """The best of a day's displays."""
        if (displays, word) in self._alone:
            return self._alone[displays, word]
        unknown = [one for one in displays if one.kind == UNKNOWN]
        # Those that count elsewhere are no reason to take the room's own monitor for its projector.
        own = sum(self.homes.counts(one.identity, key, last) for one in unknown)
        best = max(
            (self._of(one, (own, len(unknown)), word, key, last) for one in displays),
            default=Sight.NONE,
        )
        if not self.homes.any_of(displays):
            self._alone[displays, word] = best
        return best

    def _of(
        self, one: Display, unknown: tuple[int, int], word: Word, key: RoomKey, last: dt.date
    ) -> Sight:
        """One display; `unknown`: how many of unknown kind count for the room, and how many all."""
        told, (own, every) = one.kind in TOLD, unknown
        counts = self.homes.counts(one.identity, key, last)
        if not told and not word.names(one.kind, own if counts else every):
            # Where the register has another display, a built-in screen is a laptop's own.
            laptop = one.kind == BUILT_IN and word.picture
            return Sight.NONE if laptop else Sight.KIND_UNKNOWN
        if not counts:
            return Sight.ELSEWHERE
        return Sight.TOLD if told else Sight.BY_REGISTER

    def _word(self, key: RoomKey) -> Word:
        return word_of(self._register.equipment_of.get(key, ()))


def word_of(rows: Sequence[Equipment]) -> Word:
    """What a room's rows of the register say of its displays."""
    owned = {row.kind for row in rows if row.count > 0}
    monitors = sum(row.count for row in rows if row.kind == "monitor")
    return Word(bool(owned & PICTURES), bool(owned & _PANELS), monitors)


def lacking_since(days: tuple[Day, ...]) -> list[Day]:
    """The lacking days after the last day on which everything was there."""
    found: list[Day] = []
    for day in reversed(days):
        if day.was_there:
            break
        if day.lacking:
            found.append(day)
    return found[::-1]


def ended_no(days: Sequence[Day], needed: int) -> Day | None:
    """The last day of the newest no among these days that a complete day has ended."""
    if not any(day.lacking for day in days):
        return None
    run: list[Day] = []
    ended: Day | None = None
    for day in days:
        if day.was_there:
            ended = run[-1] if len(run) >= needed else ended
            run = []
        elif day.lacking:
            run.append(day)
    return ended
