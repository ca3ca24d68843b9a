"""The last known presence of each PC, so that only changes are stored, and by one collector.

The collectors of a group share the presences as they share the reports. Each of them also
receives every presence, and the retained ones: an old will of an earlier boot must be recognized
whichever collector receives it, and a retained presence is a change only where it was published
while no collector was connected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.wire import Presence
from collector.store.base import Point


class Presences:
    """Used by one thread; `stored_elsewhere` may be called from another."""

    def __init__(
        self, stored: Callable[[], Iterable[Point]] = tuple, *, shared: bool = False
    ) -> None:
        """`stored`: the presences in the store, oldest first. `shared`: in a group."""
        self._stored, self._shared = stored, shared
        self._online: dict[str, str] = {}  # machine -> the boot last online
        self._known: dict[str, tuple[str, bool]] = {}  # machine -> boot and online, as stored

    def load(self) -> None:
        """Start from what the store has. Raises StoreError."""
        for point in self._stored():
            boot, online = str(point.fields["boot"]), point.fields["online"] is True
            self._set(point.tags.get("machine", ""), boot, online)

    def stored_elsewhere(self, machine: str, presence: Presence) -> None:
        """One that this collector stores too, or another of the group."""
        if not self._outdated(machine, presence):
            self._set(machine, presence.boot, presence.online)

    def is_new(self, machine: str, presence: Presence, *, retained: bool) -> bool:
        """Whether it must be stored: offline counts for the boot last online."""
        if self._outdated(machine, presence):
            return False
        # In a group a live one also arrives at `stored_elsewhere`, perhaps first: store it anyway.
        repeatable = retained or not self._shared
        if repeatable and self._known.get(machine) == (presence.boot, presence.online):
            return False
        self._set(machine, presence.boot, presence.online)
        return True

    def _outdated(self, machine: str, presence: Presence) -> bool:
        return not presence.online and self._online.get(machine, presence.boot) != presence.boot

    def _set(self, machine: str, boot: str, online: bool) -> None:
        self._known[machine] = boot, online
        if online:
            self._online[machine] = boot
