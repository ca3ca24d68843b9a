"""The last known presence of each PC, so that only changes are stored, and by one collector.

The collectors of a group share the presences as they share the reports. Each of them also
receives every presence, and the retained ones: an old will of an earlier boot must be recognized
whichever collector receives it, and a retained presence is a change only where it was published
while no collector was connected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from agent.wire import Presence
from collector.store.base import Point

#: A school has some hundred PCs; what it invents beyond this takes no memory and no rows.
MOST = 2000


class _Last(NamedTuple):
    """As stored; `began`: the boot last online, empty if none was."""

    boot: str
    online: bool
    began: str


class Presences:
    """Used by one thread; `stored_elsewhere` may be called from another.

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
        self._of: dict[str, dict[str, _Last]] = {}

    def load(self) -> None:
        """Start from what the store has. Raises StoreError."""
        for point in self._stored():
            boot, online = str(point.fields["boot"]), point.fields["online"] is True
            self._set(point.tags.get("school", ""), point.tags.get("machine", ""), boot, online)

    def stored_elsewhere(self, school: str, machine: str, presence: Presence) -> None:
        """One that this collector stores too, or another of the group."""
        if not self._outdated(school, machine, presence):
            self._set(school, machine, presence.boot, presence.online)

    def is_new(self, school: str, machine: str, presence: Presence, *, retained: bool) -> bool:
        """Whether it must be stored: offline counts for the boot last online."""
        if self._outdated(school, machine, presence):
            return False
        # In a group a live one also arrives at `stored_elsewhere`, perhaps first: store it anyway.
        repeatable = retained or not self._shared
        last = self._last(school, machine)
        if repeatable and last and (last.boot, last.online) == (presence.boot, presence.online):
            return False
        return self._set(school, machine, presence.boot, presence.online)

    def _last(self, school: str, machine: str) -> _Last | None:
        return self._of.get(school, {}).get(machine)

    def _outdated(self, school: str, machine: str, presence: Presence) -> bool:
        last = self._last(school, machine)
        began = last.began if last else ""
        return not presence.online and bool(began) and began != presence.boot

    def _set(self, school: str, machine: str, boot: str, online: bool) -> bool:
        """Remember it; whether there was room."""
        of_school = self._of.setdefault(school, {})
        last = of_school.get(machine)
        if last is None and len(of_school) >= self._most:
            return False
        of_school[machine] = _Last(boot, online, boot if online else last.began if last else "")
        return True
