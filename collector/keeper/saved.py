"""Which schools' days a keeper saves, and takes up again, and for what they are good."""

from __future__ import annotations

import datetime as dt
import math
import platform
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from collector.keeper.checkpoints import Checkpoints, Saving
from collector.keeper.memory import Memory, decisions_of, rows_of
from collector.keeper.others import Others
from collector.keeper.schoolday import SchoolDay
from collector.keeper.state import Rule
from collector.roster.register import Decision, Register

#: A day is saved again after this, s: the older it is, the more is read again. Spread by the
#: school's code over the ten minutes before, so that not all are saved in one run.
_EVERY_S, _SOONER_S = 900.0, 600
#: How long saving may take after a run, s.
_LONGEST_S = 0.25
_ENCODE = msgspec.msgpack.Encoder(order="deterministic").encode


class Saved:
    """Days in a keeper's file of checkpoints. Without one, nothing is saved."""

    def __init__(
        self, file: Checkpoints | None, register: Callable[[], Register], rule: Rule
    ) -> None:
        self._file, self._register, self._rule = file, register, rule
        self._at: dict[tuple[str, dt.date], float] = {}  # when saved, monotonic
        self._decided: tuple[Register, dict[str, list[Decision]]] | None = None

    def begin(self, others: Others) -> None:
        """Begin a run, after `Others.wrote`."""
        if self._file:
            self._file.begin(others.id, others.ids)

    def clear(self) -> None:
        """Another keeper wrote these schools' rows."""
        self._at.clear()
        if self._file:
            self._file.clear()

    def drop(self, school: str, day: dt.date, since: int) -> None:
        """A school's day was read: since then (ns) reports have come, 0: anywhere in the day."""
        if self._file and self._file.drop_before(school, day, since):
            self._at.pop((school, day), None)

    def drop_later(self, school: str, day: dt.date) -> None:
        """The rows of a day are about to change, from which later ones start."""
        if self._file:
            self._file.drop_later(school, day)
            for pair in [pair for pair in self._at if pair[0] == school and pair[1] > day]:
                del self._at[pair]

    def take_up(
        self, school: str, day: dt.date, since: int, made: Callable[[], SchoolDay]
    ) -> tuple[SchoolDay | None, int]:
        """A day that goes on, and from when it must (ns); None where none is saved for this.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        found = self._file.load(school, day, self._stamp(school)) if self._file else None
        if found is None:
            return None, since
        again, state = min(since, found[0]), found[1]
        one = made()
        if not one.take_up(again, state):
            return None, since
        self._was_saved(school, day, time.monotonic())
        return one, again

    def save(self, memory: Memory, oldest: dt.date) -> None:
        """Save days that have not been for a while, as far as there is time."""
        if self._file is None:
            return
        self._file.drop_older(oldest)
        self._at = {pair: at for pair, at in self._at.items() if pair[1] >= oldest}
        now = time.monotonic()
        found = list(self._due(memory, now))
        self._file.save(found)
        for one in found:
            self._was_saved(one.school, one.day, now)

    def _was_saved(self, school: str, day: dt.date, now: float) -> None:
        self._at[school, day] = now - zlib.crc32(school.encode()) % _SOONER_S

    def _due(self, memory: Memory, now: float) -> Iterator[Saving]:
        for school, day, one in memory.all():
            if now - self._at.get((school, day), -math.inf) < _EVERY_S:
                continue
            if time.monotonic() - now > _LONGEST_S:
                return
            if made := one.checkpoint():
                again, state = made
                yield Saving(school, day, again, self._stamp(school), state)

    def _stamp(self, school: str) -> bytes:
        """For which program, rules and rows of the register a day of a school is good."""
        register = self._register()
        if self._decided is None or self._decided[0] is not register:
            self._decided = register, decisions_of(register)
        said = rows_of(register, school), self._decided[1].get(school), register.calendar
        return _program() + blake2b(_ENCODE((said, self._rule)), digest_size=16).digest()


@cache
def _program() -> bytes:
    """Another one may derive other rows from the same reports."""
    found = blake2b(platform.python_version().encode(), digest_size=16)
    root = Path(__file__).parents[2]
    for folder in ("collector/keeper", "collector/roster", "collector/compliance", "agent/common"):
        for path in sorted((root / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.digest()
