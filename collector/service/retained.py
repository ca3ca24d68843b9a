"""What schools have the broker retain, kept to one short presence a machine.

A report is never retained by an agent, but whoever holds a school's credential may ask for it, and
the broker would keep every one for ever, in its memory and on its disk. So the collector has the
broker say which messages were published to be retained, and clears those.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from collector.service.pipeline.counts import Counts

#: Ours are 60 bytes.
_PRESENCE_BYTES = 1024
#: More PCs than a school has, with room for years of re-imaged ones.
_PRESENCES = 2000
#: Clearings that wait for a connection; more come again with the next one.
_MISSED = 20_000

Publish = Callable[..., bool]


def is_asked_for(topic: str, retained: bool) -> bool:
    """Whether it is a presence that the broker had kept: no news."""
    return retained and topic.endswith("/presence")


class Retained:
    """Says of each message whether it is to be handled, and clears what must not be retained.

    Called by two threads in a group: each has its own connection.
    """

    def __init__(self, publish: Publish, counts: Counts) -> None:
        """`publish` as `Link.publish`, of a connection that does not receive."""
        self._publish, self._counts = publish, counts
        self._machines: dict[str, set[str]] = {}  # school -> those with a presence
        self._missed: dict[str, None] = {}  # topics, in order
        self._lock = threading.Lock()

    def admits(self, topic: str, payload: bytes, retained: bool) -> bool:
        """False for what has no reader: our own clearing, and presences that cannot be a PC's.

        A report that was published to be retained is still a report: cleared, and handled.
        """
        if topic.endswith("/presence"):
            return not payload or self._is_presence(topic, payload)
        if retained and payload:
            self._clear(topic)
        return bool(payload) or not retained

    def _is_presence(self, topic: str, payload: bytes) -> bool:
        if len(payload) <= _PRESENCE_BYTES and self._has_room(topic):
            with self._lock:
                self._missed.pop(topic, None)  # it stands in the place of what was to be cleared
            return True
        self._clear(topic)
        return False

    def _has_room(self, topic: str) -> bool:
        parts = topic.split("/")
        school, machine = parts[2], parts[3]
        with self._lock:
            known = self._machines.setdefault(school, set())
            if machine not in known and len(known) < _PRESENCES:
                known.add(machine)
            return machine in known

    def _clear(self, topic: str) -> None:
        self._counts.add("unretained")
        self._send(topic)

    def _send(self, topic: str) -> bool:
        if self._publish(topic, b"", retain=True, may_wait=True):  # no receipt waits behind a flood
            return True
        with self._lock:
            if len(self._missed) < _MISSED:
                self._missed[topic] = None
        return False

    def retry(self) -> None:
        """What is retained comes at once after a connection, before the other one may be up."""
        while self._missed:
            with self._lock:
                topic = next(iter(self._missed), "")
                self._missed.pop(topic, None)
            if not topic or not self._send(topic):
                return
