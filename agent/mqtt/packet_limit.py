"""How large a packet the broker takes: a larger one ends the connection, and blocks all behind it.

A broker of MQTT 5 may say it when it answers CONNECT. Others close the connection, some with the
reason `Packet too large`. A report that is under way at three closings in a row, with no receipt
between them, and larger than the others, is taken for the cause.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

TOO_LARGE = "Packet too large"  # paho's name of reason code 149
#: Topic, packet id, properties and fixed header of a PUBLISH, in bytes, beyond its topic's text.
_HEAD = 16
#: A smaller report is not the cause, bytes.
_SUSPECT = 16 * 1024
_CLOSINGS = 3
#: What is only inferred is tried again after this, s: the broker may have been changed.
_FORGET_S = 3600


class PacketLimit:
    """What one link knows of it."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self._until = 0.0  # when the limit is forgotten, by time.monotonic; 0: never
        self._suspect = 0  # size of the report that may be the cause
        self._closings = 0

    @property
    def known(self) -> int | None:
        """The largest packet, as far as is known."""
        if self._until and time.monotonic() >= self._until:
            self._limit, self._until = None, 0.0
        return self._limit

    def connected(self, limit: int | None) -> None:
        """What the broker's answer to CONNECT says; None where it says nothing."""
        if limit is not None:
            self._limit, self._until = limit, 0.0

    def allows(self, size: int) -> bool:
        """Whether the broker takes a packet of so many bytes, as far as is known."""
        return self.known is None or size <= self.known

    def receipted(self) -> None:
        """A receipt came: what is under way is no cause of closings."""
        self._closings = 0

    def closed(self, reason: str, sizes: Iterable[int]) -> bool:
        """The broker closed the connection while reports of these sizes were under way.

        Returns whether the largest is now known to be too large.
        """
        largest = max(sizes, default=0)
        if largest < _SUSPECT:
            return False
        self._closings = self._closings + 1 if largest == self._suspect else 1
        self._suspect = largest
        if TOO_LARGE not in reason and self._closings < _CLOSINGS:
            return False
        self._limit, self._until = largest - 1, time.monotonic() + _FORGET_S
        return True


def packet_size(topic: str, payload: bytes) -> int:
    """The size of the PUBLISH packet at most, in bytes."""
    return len(payload) + len(topic.encode()) + _HEAD
