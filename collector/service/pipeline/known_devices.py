"""Devices of each school, by id, so that nobody invents them without end. Bounded.

A device's id is a tag of the store: InfluxDB 1.x keeps each for as long as its data, and takes
nothing new from any school once there are 100,000. The ids come from connectors, which whoever
holds a school's credential writes freely.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Devices for each PC that a school can have: those of today, and connectors that were changed.
A_PC = 40
#: Ids are forgotten after this: an honest school changes some, and one that invents gains little.
_KEPT_MS = 30 * 86_400_000


class KnownDevices:
    """For one thread. In memory alone: a restart forgets them too."""

    def __init__(self) -> None:
        self._of: dict[str, set[int]] = {}
        self._since_ms = 0

    def admit(self, school: str, ids: Iterable[str], limit: int, now_ms: int) -> bool:
        """Whether all of these have a place, which new ones take; else none takes one."""
        if not 0 <= now_ms - self._since_ms < _KEPT_MS:
            self._of, self._since_ms = {}, now_ms
        known = self._of.setdefault(school, set())
        new = {hash(one) for one in ids} - known
        if new and len(known) + len(new) > limit:
            return False
        known |= new
        return True
