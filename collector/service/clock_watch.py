"""The collector's own clock against the store's server: a gauge, and an event when they differ."""

from __future__ import annotations

from collections.abc import Callable

from agent.common import log
from collector.store.clocks import APART_S


class ClockWatch:
    """Compares with the clock of the store's server, as its last answer had it."""

    def __init__(self, ahead: Callable[[], float | None]) -> None:
        self._ahead = ahead
        self._apart = False

    def ahead_s(self) -> float | None:
        """How far our clock is ahead, s; None where the store has no other clock."""
        ahead = self._ahead()
        if ahead is not None:
            self._log(ahead)
        return ahead

    def _log(self, ahead: float) -> None:
        apart = abs(ahead) > APART_S
        if apart and not self._apart:
            fix = "set both clocks by NTP; receipts give this collector's time to the whole city"
            log.warning("clock_apart", ahead_s=round(ahead, 1), of="store", fix=fix)
        elif self._apart and not apart:
            log.info("clock_agrees", ahead_s=round(ahead, 1), of="store")
        self._apart = apart
