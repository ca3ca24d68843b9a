"""A link's reports on their way to the broker, and what it refuses of them."""

from __future__ import annotations

from paho.mqtt.reasoncodes import ReasonCode

from agent.mqtt.connection import Connection
from agent.mqtt.link_types import Sender
from agent.mqtt.packet_limit import TOO_LARGE, PacketLimit, packet_size
from agent.outbox import Outbox
from agent.wire import topics

#: A report too large for the broker is tried again after this, s.
_HELD_S = 3600
_REFUSED = "the broker refused a report: "


class Reports:
    """Published and without a PUBACK so far, by message id: boot, number, size of the packet."""

    def __init__(self, sender: Sender, outbox: Outbox) -> None:
        self.limit = PacketLimit()
        self._sender = sender
        self._outbox = outbox
        self._unconfirmed: dict[int, tuple[str, int, int]] = {}

    def publish(self, connection: Connection, boot: str, number: int, payload: bytes) -> str:
        """Publish, or hold what is too large; returns what the broker refuses, empty for nothing.

        Raises:
            ConnectionEndedError: the connection is closed.
        """
        topic = topics.report_topic(self._sender.school, self._sender.machine, boot, number)
        size = packet_size(topic, payload)
        if not self.limit.allows(size):
            return self._hold(boot, number, f"{size} > {self.limit.known} bytes")
        self._unconfirmed[connection.publish(topic, payload)] = (boot, number, size)
        return ""

    def published(self, mid: int, reason: ReasonCode) -> str:
        """The broker answered a PUBLISH; returns what it refuses, empty for nothing."""
        which = self._unconfirmed.pop(mid, None)
        if not reason.is_failure:
            return ""
        if which is not None and str(reason) == TOO_LARGE:
            return self._hold(*which[:2], f"{which[2]} bytes")
        if which is not None:
            self._outbox.refused(*which[:2])
        return f"{_REFUSED}{reason}"

    def closed(self, reason: str) -> None:
        """The broker closed the connection."""
        self.limit.closed(reason, [size for _, _, size in self._unconfirmed.values()])

    def forget(self) -> None:
        """The connection has ended: nothing is under way on it."""
        self._unconfirmed.clear()

    def _hold(self, boot: str, number: int, detail: str) -> str:
        """Send the others meanwhile."""
        self._outbox.hold(boot, number, TOO_LARGE, _HELD_S)
        return f"{_REFUSED}{TOO_LARGE} ({detail})"
