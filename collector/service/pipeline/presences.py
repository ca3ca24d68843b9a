"""What is known of each PC's presence, so that only news is stored, and by one collector.

The collectors of a group share the presences that come, as they share the reports. Beside that
each of them hears them all, and what the broker retains: for a late will of an earlier boot is
no news whoever it comes to, and what is retained is news only where it came while none of them
was there.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.wire import Presence
from collector.store.base import Point


class Presences:
    """Used by one thread; `heard` may be called from another."""

    def __init__(self, *, shared: bool = False) -> None:
        """`shared`: what comes to us comes to no other collector."""
        self._shared = shared
        self._online: dict[str, str] = {}  # machine -> the boot last online
        self._known: dict[str, tuple[str, bool]] = {}  # boot and online, as somebody has stored

    def learn(self, points: Iterable[Point]) -> None:
        """What the store has; oldest first."""
        for point in points:
            boot, online = str(point.fields["boot"]), point.fields["online"] is True
            self._note(point.tags.get("machine", ""), boot, online)

    def heard(self, machine: str, presence: Presence) -> None:
        """One that is stored, by us or by another collector."""
        if not self._late(machine, presence):
            self._note(machine, presence.boot, presence.online)

    def news(self, machine: str, presence: Presence, *, retained: bool) -> bool:
        """Whether it is to be stored: offline counts for the boot last online."""
        if self._late(machine, presence):
            return False
        # What comes and is shared we may have overheard before.
        told = retained or not self._shared
        if told and self._known.get(machine) == (presence.boot, presence.online):
            return False
        self._note(machine, presence.boot, presence.online)
        return True

    def _late(self, machine: str, presence: Presence) -> bool:
        return not presence.online and self._online.get(machine, presence.boot) != presence.boot

    def _note(self, machine: str, boot: str, online: bool) -> None:
        self._known[machine] = boot, online
        if online:
            self._online[machine] = boot
