"""One connection to a broker: one paho client, never used twice.

An old client would send what it still holds by itself, and the outbox alone decides that.
paho's callbacks only note what happened, so that none of them can fail, publish, or block;
`pump` gives the notes to the caller, outside of paho's locks.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from agent.common.settings import Broker

KEEPALIVE_S = 60
#: The reason of a broker that speaks no MQTT 5, as paho names it.
UNSUPPORTED = "Unsupported protocol version"
_MISC_S = KEEPALIVE_S / 4


class ConnectionEndedError(Exception):
    """This connection cannot go on; the message says why."""


class FellSilentError(ConnectionEndedError):
    """The broker answers no ping: it, or the way to it, is gone."""


class Will(NamedTuple):
    """What the broker says for us when we are gone; retained."""

    topic: str
    payload: bytes


class Connected(NamedTuple):
    """The broker answered CONNECT."""

    reason: ReasonCode


class Subscribed(NamedTuple):
    """The broker answered SUBSCRIBE."""

    reasons: Sequence[ReasonCode]


class Published(NamedTuple):
    """The broker answered a PUBLISH."""

    mid: int
    reason: ReasonCode


class Received(NamedTuple):
    """A message came."""

    topic: str
    payload: bytes


Event = Connected | Subscribed | Published | Received


class Connection:
    """Used by one thread only."""

    def __init__(
        self,
        broker: Broker,
        context: ssl.SSLContext | None,
        client_id: str,
        will: Will | None,
        *,
        mqtt5: bool,
    ) -> None:
        """`mqtt5`: MQTT 5, else 3.1.1. No `will`: nothing is said when we are gone."""
        self.mqtt5 = mqtt5
        self._broker = broker
        self._notes: list[Event] = []
        self._misc_at = time.monotonic() + _MISC_S
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=None if mqtt5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        if context is not None:
            self._client.tls_set_context(context)
        if will is not None:
            self._client.will_set(will.topic, will.payload, 1, True)
        self._listen()

    def _listen(self) -> None:
        note = self._notes.append

        def on_message(_client: Client, _data: object, message: Any) -> None:
            # A topic that is no UTF-8 raises here, and is none of ours.
            with contextlib.suppress(UnicodeDecodeError):
                note(Received(message.topic, bytes(message.payload)))

        self._client.on_connect = lambda _c, _d, _f, reason, _p: note(Connected(reason))
        self._client.on_subscribe = lambda _c, _d, _m, reasons, _p: note(Subscribed(reasons))
        self._client.on_publish = lambda _c, _d, mid, reason, _p: note(Published(mid, reason))
        self._client.on_message = on_message

    def open(self) -> None:
        """Make the connection and say CONNECT; blocks for some seconds at most.

        Raises:
            OSError: no route, nobody listens, the name or the certificate is wrong.
        """
        self._client.connect(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)

    @property
    def socket(self) -> socket.socket | None:
        """The open socket."""
        found: Any = self._client.socket()
        return found or None

    @property
    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return self._client.want_write()

    @property
    def next_pump(self) -> float:
        """When `pump` is needed at the latest, by time.monotonic."""
        return self._misc_at

    def pump(self, *, readable: bool) -> list[Event]:
        """Read, write, keep alive; returns what happened.

        Raises:
            ConnectionEndedError: the broker is gone.
            FellSilentError: it is gone without a word.
            Exception: paho raises what it likes on garbage.
        """
        if readable:
            self._read()
        if self._client.want_write():
            self._client.loop_write()
        if time.monotonic() >= self._misc_at:
            self._misc_at = time.monotonic() + _MISC_S
            if self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_CONN_LOST:
                raise FellSilentError("the broker answers no ping")
        happened = self._notes[:]
        self._notes.clear()
        if not happened and self._client.socket() is None:
            raise ConnectionEndedError("the broker closed the connection")
        return happened

    def _read(self) -> None:
        self._client.loop_read()
        # TLS may hold whole packets that the socket shows no more.
        while isinstance(found := self.socket, ssl.SSLSocket) and found.pending():
            self._client.loop_read()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish at QoS 1; returns the id that `Published` names.

        Raises:
            ConnectionEndedError: the connection is gone.
        """
        info = self._client.publish(topic, payload, 1, retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionEndedError(f"cannot publish: {info.rc!s}")
        return info.mid

    def subscribe(self, wanted: Sequence[str]) -> None:
        """Ask to hear these topics at QoS 1."""
        self._client.subscribe([(topic, 1) for topic in wanted])

    def disconnect(self) -> None:
        """End as MQTT wants it: the will is not spoken."""
        with contextlib.suppress(OSError):
            self._client.disconnect()
            self._client.loop_write()
        self.close()

    def close(self) -> None:
        """Let go of the socket; the broker speaks the will."""
        found = self.socket
        if found is not None:
            with contextlib.suppress(OSError):
                found.close()
