"""The collector's own clock against the store's server: a gauge, and an event when they part."""

from __future__ import annotations

from collections.abc import Callable

from agent.common import log
from collector.store.clocks import APART_S


class ClockWatch:
    """Looks at what the store last heard of its server's clock."""

    def __init__(self, ahead: Callable[[], float | None]) -> None:
        self._ahead = ahead
        self._apart = False

    def ahead_s(self) -> float | None:
        """How far our clock is ahead, s; None where the store has no other clock."""
        ahead = self._ahead()
        if ahead is not None:
            self._tell(ahead)
        return ahead

    def _tell(self, ahead: float) -> None:
        apart = abs(ahead) > APART_S
        if apart and not self._apart:
            fix = "set both clocks by NTP; receipts tell the whole city this collector's time"
            log.warning("clock_apart", ahead_s=round(ahead, 1), of="store", fix=fix)
        elif self._apart and not apart:
            log.info("clock_agrees", ahead_s=round(ahead, 1), of="store")
        self._apart = apart
