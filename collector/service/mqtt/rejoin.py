"""Members of a group join it again and again, as brokers may forget to send them anything.

HiveMQ (CE 2025.5) gives a group's messages to a member when its queue was empty, or when the member
has acknowledged the last ones. A member that joined in the moment of its connecting may be noted
there as one of no group: then the second never happens, and from the first message that has to wait
on, this member is sent nothing for as long as it is connected. Joining again ends that. To any
broker it is a subscription that is there already: it loses nothing and sends nothing twice, but
Mosquitto (2.0.11) sends what it retains, which `Link` and the collector keep out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: Soon after connecting, and then as long as agents wait before they send again.
_FIRST, _EVERY = 2, 10
_GROUP = "$share/"


class Rejoin:
    """Of one connection; `tick` is called about once a second."""

    def __init__(self, topics: Sequence[str], subscribe: Callable[[str], None]) -> None:
        self._topics = [topic for topic in topics if topic.startswith(_GROUP)]
        self._subscribe, self._ticks = subscribe, 0

    def tick(self) -> None:
        """Subscribe again to what is shared, when that is due."""
        self._ticks += 1
        if self._ticks == _FIRST or self._ticks % _EVERY == 0:
            for topic in self._topics:
                self._subscribe(topic)
