"""Which boot of a machine was last online: a late will of an earlier boot is no news."""

from __future__ import annotations

from agent.wire import Presence


class Presences:
    """What is known of each machine since the collector's start."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, bool]] = {}

    def news(self, machine: str, presence: Presence) -> bool:
        """Whether this changes what is known: offline counts for the boot last online."""
        boot, _ = self._last.get(machine, (presence.boot, False))
        if not presence.online and boot != presence.boot:
            return False
        found = (presence.boot, presence.online)
        if self._last.get(machine) == found:
            return False
        self._last[machine] = found
        return True
