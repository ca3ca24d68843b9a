"""One connection to a broker: one paho client, never reused.

A reused client would resend its own queue, but the outbox alone decides what is sent. paho's
callbacks only record events, so that none of them can fail, publish or block; `pump` returns
the events to the caller, outside of paho's locks.
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

from agent.common.broker_settings import agent_broker
from agent.common.settings import Broker
from agent.mqtt.socket_client import SocketClient

KEEPALIVE_S = 60
#: paho's name of the reason code from a broker that does not support MQTT 5.
UNSUPPORTED = "Unsupported protocol version"
_MISC_S = KEEPALIVE_S / 4


class ConnectionEndedError(Exception):
    """The connection has ended, or must end; the message says why."""


class ClosedError(ConnectionEndedError):
    """The broker closed the connection; the message has its reason where it gave one."""


class FellSilentError(ConnectionEndedError):
    """The broker does not answer PINGREQ: it, or the network to it, is down."""


class RefusedError(ConnectionEndedError):
    """The account is of no use: the broker refuses it, or a file of it cannot be read."""


class RenewedError(ConnectionEndedError):
    """The connection must be made again, with a newer account."""


#: paho's names of the reason codes of an account that is wrong, ended, or lacks its rights.
_NOT_ADMITTED = {"Bad user name or password", "Not authorized", "Banned"}


def not_admitted(reason: ReasonCode) -> bool:
    """Whether the broker refuses the account, or what the account wants to do."""
    return str(reason) in _NOT_ADMITTED


def ended(what: str, reason: ReasonCode) -> ConnectionEndedError:
    """The broker refused the login or the subscription."""
    kind = RefusedError if not_admitted(reason) else ConnectionEndedError
    return kind(f"the broker refused the {what}: {reason}")


class Will(NamedTuple):
    """The last will: published by the broker, retained, when the connection is lost."""

    topic: str
    payload: bytes


class Connected(NamedTuple):
    """The broker answered CONNECT; `max_packet` in bytes, None where it does not say."""

    reason: ReasonCode
    max_packet: int | None = None


class Subscribed(NamedTuple):
    """The broker answered SUBSCRIBE."""

    reasons: Sequence[ReasonCode]


class Published(NamedTuple):
    """The broker answered a PUBLISH."""

    mid: int
    reason: ReasonCode


class Received(NamedTuple):
    """A message was received."""

    topic: str
    payload: bytes


Event = Connected | Subscribed | Published | Received


def _decrypted(found: Any) -> int:
    """Bytes that TLS has decrypted and nobody has read, also below paho's WebSocket."""
    return found.pending() if hasattr(found, "pending") else 0


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
        """`mqtt5`: MQTT 5, else 3.1.1. `will`: None for no last will."""
        self.mqtt5 = mqtt5
        broker = self._broker = agent_broker(broker)
        self._events: list[Event] = []
        self._reason = ""  # of the broker's DISCONNECT
        self._misc_at = time.monotonic() + _MISC_S
        self._client = SocketClient(
            broker,
            CallbackAPIVersion.VERSION2,
            transport="websockets" if broker.transport == "websockets" else "tcp",
            client_id=client_id,
            clean_session=None if mqtt5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.transport == "websockets":
            self._client.ws_set_options(broker.path)
        if broker.username:
            self._client.username_pw_set(broker.username, broker.secret())
        if context is not None:
            self._client.tls_set_context(context)
        if will is not None:
            self._client.will_set(will.topic, will.payload, 1, True)
        self._listen()

    def _listen(self) -> None:
        record = self._events.append

        def on_message(_client: Client, _data: object, message: Any) -> None:
            # paho decodes the topic here; one that is not UTF-8 is not ours.
            with contextlib.suppress(UnicodeDecodeError):
                record(Received(message.topic, bytes(message.payload)))

        def on_disconnect(_c: Client, _d: object, flags: Any, reason: ReasonCode, _p: Any) -> None:
            if flags.is_disconnect_packet_from_server:
                self._reason = str(reason)

        self._client.on_connect = lambda _c, _d, _f, reason, properties: record(
            Connected(reason, getattr(properties, "MaximumPacketSize", None))
        )
        self._client.on_disconnect = on_disconnect
        self._client.on_subscribe = lambda _c, _d, _m, reasons, _p: record(Subscribed(reasons))
        self._client.on_publish = lambda _c, _d, mid, reason, _p: record(Published(mid, reason))
        self._client.on_message = on_message

    def open(self) -> None:
        """Connect and send CONNECT; blocks for some seconds at most.

        Raises:
            OSError: no route, connection refused, unknown host name, or wrong certificate.
        """
        with self._client.deadline():
            self._client.connect(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)

    @property
    def socket(self) -> socket.socket | None:
        """The open socket; None where the connection is closed."""
        found: Any = self._client.socket()
        return found or None

    @property
    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return self._client.want_write()

    @property
    def next_pump(self) -> float:
        """When `pump` must be called at the latest (keepalive), by time.monotonic."""
        return self._misc_at

    def pump(self, *, readable: bool) -> list[Event]:
        """Read, write and send PINGREQ as needed; returns the events since the last call.

        Raises:
            ClosedError: the broker closed the connection.
            FellSilentError: it does not answer PINGREQ.
            Exception: anything, as paho does on malformed packets.
        """
        if readable:
            self._read()
        if self._client.want_write():
            self._client.loop_write()
        if time.monotonic() >= self._misc_at:
            self._misc_at = time.monotonic() + _MISC_S
            if self._client.loop_misc() == MQTTErrorCode.MQTT_ERR_CONN_LOST:
                raise FellSilentError("the broker answers no ping")
        events = self._events[:]
        self._events.clear()
        if not events and self._client.socket() is None:
            why = f": {self._reason}" if self._reason else ""
            raise ClosedError(f"the broker closed the connection{why}")
        return events

    def _read(self) -> None:
        self._client.loop_read()
        # TLS may have decrypted whole packets already; select() no longer reports those.
        while (found := self.socket) is not None and _decrypted(found):
            self._client.loop_read()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish at QoS 1; returns the message id that `Published` will carry.

        Raises:
            ConnectionEndedError: the connection is closed.
        """
        info = self._client.publish(topic, payload, 1, retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise ConnectionEndedError(f"cannot publish: {info.rc!s}")
        return info.mid

    def subscribe(self, wanted: Sequence[str]) -> None:
        """Send SUBSCRIBE for these topics at QoS 1."""
        self._client.subscribe([(topic, 1) for topic in wanted])

    def disconnect(self) -> None:
        """Send DISCONNECT, so that the last will is not published, and close."""
        with contextlib.suppress(OSError):
            self._client.disconnect()
            self._client.loop_write()
        self.close()

    def close(self) -> None:
        """Close the socket without DISCONNECT; the broker publishes the last will."""
        found = self.socket
        if found is not None:
            with contextlib.suppress(OSError):
                found.close()
