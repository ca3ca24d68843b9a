"""The last known presence of each PC, so that only changes are stored, and by one collector.

The collectors of a group share the presences as they share the reports. Each of them also hears
every presence, so that an old will of an earlier boot is recognized whichever collector receives
it. What was only heard is no reason to believe that it was stored: the collector that it was for
may have ended first. Only the store says that, and what this collector has stored itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from collector.ingest import Noted
from collector.store.base import Point, Store

#: How far back presences are read from the store, ns.
_BACK_NS = 24 * 3600 * 10**9
#: A school has some hundred PCs; what it invents beyond this takes no memory and no rows.
MOST = 2000


class _Last(NamedTuple):
    """The last one stored: `time` is ns since 1970 UTC."""

    boot: str
    online: bool
    time: int


class _Began(NamedTuple):
    """The boot last online, stored or only heard; empty if none was."""

    boot: str = ""
    time: int = 0


class _Pc(NamedTuple):
    last: _Last | None = None
    began: _Began = _Began()


class Presences:
    """For two threads: one judges and loads, another may hear.

    A PC is its school and machine id together: one school's holder can neither keep another's PC
    online nor take it off.
    """

    def __init__(
        self,
        stored: Callable[[], Iterable[Point]] = tuple,
        *,
        shared: bool = False,
        most: int = MOST,
    ) -> None:
        """`stored`: the presences in the store, oldest first. `shared`: in a group.

        `most`: machine ids remembered of one school; a presence of any further one is not stored.
        """
        self._stored, self._shared, self._most = stored, shared, most
        self._of: dict[str, dict[str, _Pc]] = {}
        self._lock = threading.Lock()

    def load(self) -> None:
        """Take what the store has and is newer than what is known. Raises StoreError."""
        for point in self._stored():
            with self._lock:
                self._take(point)

    def heard(self, noted: Noted) -> None:
        """A live one that this collector stores too, or another of the group."""
        with self._lock:
            if noted.presence.online:
                pc = self._pc(noted)
                self._keep(noted.school, noted.machine, pc._replace(began=_began(noted)))

    def lacks(self, noted: Noted) -> bool:
        """Whether a retained one must be stored: offline counts for the boot last online."""
        with self._lock:
            return self._lacks(noted, retained=True)

    def is_new(self, noted: Noted, *, retained: bool) -> bool:
        """The same of any, which counts as stored from now on; false too where there is no room."""
        with self._lock:
            return self._lacks(noted, retained=retained) and self._set(noted)

    def _lacks(self, noted: Noted, *, retained: bool) -> bool:
        (last, began), said = self._pc(noted), noted.presence
        if not said.online and began.boot not in ("", said.boot):
            return False
        if last is None or not (retained or not self._shared):
            return True  # in a group each live one is for one member to store, once
        # What was stored after a retained one came is newer, on whichever connection it came.
        newer = self._shared and last.time > _time(noted)
        return not newer and (last.boot, last.online) != (said.boot, said.online)

    def _set(self, noted: Noted) -> bool:
        said = noted.presence
        last = _Last(said.boot, said.online, _time(noted))
        began = _began(noted) if said.online else self._pc(noted).began
        return self._keep(noted.school, noted.machine, _Pc(last, began))

    def _take(self, point: Point) -> None:
        """A row of the store; what this collector has judged since may not be in it yet."""
        school, machine = point.tags.get("school", ""), point.tags.get("machine", "")
        boot, online = str(point.fields["boot"]), point.fields["online"] is True
        pc = self._of.get(school, {}).get(machine, _Pc())
        if pc.last is None or pc.last.time <= point.time:
            pc = pc._replace(last=_Last(boot, online, point.time))
        if online and pc.began.time <= point.time:
            pc = pc._replace(began=_Began(boot, point.time))
        self._keep(school, machine, pc)

    def _pc(self, noted: Noted) -> _Pc:
        return self._of.get(noted.school, {}).get(noted.machine, _Pc())

    def _keep(self, school: str, machine: str, pc: _Pc) -> bool:
        """Remember it; whether there was room."""
        of_school = self._of.setdefault(school, {})
        if machine not in of_school and len(of_school) >= self._most:
            return False
        of_school[machine] = pc
        return True


def _time(noted: Noted) -> int:
    return noted.points[0].time


def _began(noted: Noted) -> _Began:
    return _Began(noted.presence.boot, _time(noted))


def of_last_day(store: Store) -> Iterable[Point]:
    """The presences of the last 24 hours, oldest first. Raises StoreError, also while iterating.

    Not those of a member whose clock is ahead: they would be the newest for so long.
    """
    now = time.time_ns()
    return store.read("presence", now - _BACK_NS, now + 1)
