"""The link: what one machine says to the broker, and hears from it.

It publishes from the outbox only while connected and subscribed, so that no receipt is missed
and nothing queues up in memory. A loop's thread does everything here (`agent.mqtt.loop`).

A broker that does not answer MQTT 5 is asked again in 3.1.1, at each connection anew.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable

from paho.mqtt.reasoncodes import ReasonCode

from agent.clock import Clock
from agent.common import tls
from agent.common.settings import Broker
from agent.mqtt import connection as mqtt
from agent.mqtt.hello import HelloTurn
from agent.mqtt.link_types import NOBODY, Heard, Speaker, State, read_policy
from agent.mqtt.loop import Loop
from agent.mqtt.reconnect import Reconnect, Why, why
from agent.outbox import Outbox
from agent.wire import codec, topics
from agent.wire.messages import Policy, Receipt

__all__ = ["Heard", "Link", "Speaker", "State"]

#: How long a broker may take to answer CONNECT and SUBSCRIBE, s.
_ANSWER_S = 15.0
#: A broker of 3.1.1 alone may wait for more bytes of what it takes for its own CONNECT, s.
_FIVE_ANSWER_S = 3.0
#: How long a clean end may take, s.
_FAREWELL_S = 3.0


class Link:
    """One machine's link. `start`, `wake`, `leave` and `stop` may be called from any thread."""

    def __init__(
        self,
        broker: Broker,
        speaker: Speaker,
        outbox: Outbox,
        clock: Clock,
        loop: Loop,
        heard: Heard = NOBODY,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`draw` gives numbers in [0, 1) for the backoff.

        Raises:
            OSError, ssl.SSLError: a TLS file of the settings cannot be read.
        """
        self.speaker = speaker
        self.state = State.IDLE
        self.error = ""  # why the last connection ended, or could not be made
        self._broker = broker
        self._outbox = outbox
        self._clock = clock
        self._loop = loop
        self._heard = heard
        self._tls = tls.context(broker, check_dates=False)
        self._connection: mqtt.Connection | None = None
        self._publishing: dict[int, tuple[str, int]] = {}  # message id -> boot, number
        self._again = Reconnect(draw, broker.protocols)
        self._connect_at = 0.0  # times of time.monotonic
        self._answer_by = 0.0
        self._hello = HelloTurn(draw)
        self._farewell: int | None = None
        self._stopping = False
        self._stopped = threading.Event()

    # From any thread

    def start(self) -> None:
        """Connect, and stay connected."""
        self._outbox.on_put = self.wake
        self.wake()

    def wake(self) -> None:
        """Something may be due."""
        self._loop.wake(self)

    def leave(self) -> None:
        """Begin to stop; `stop` waits for it."""
        self._outbox.on_put = None
        self._stopping = True
        self.wake()

    def stop(self, timeout: float = _FAREWELL_S + 6) -> bool:
        """Say offline, and end; returns whether that was done within `timeout` seconds."""
        self.leave()
        return self._stopped.wait(timeout)

    @property
    def five(self) -> bool:
        """Whether the connection that stands, or is next, speaks MQTT 5; else 3.1.1."""
        return self._again.five

    # What the loop asks

    @property
    def socket(self) -> socket.socket | None:
        """The open socket."""
        return None if self._connection is None else self._connection.socket

    @property
    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return self._connection is not None and self._connection.want_write

    def next_step(self) -> float | None:
        """Seconds until `step` is needed again, whatever the socket does."""
        now = time.monotonic()
        if self.state is State.STOPPED:
            return None
        if self._connection is None:
            return max(0.0, self._connect_at - now)
        waits = [self._connection.next_pump - now]
        if self.state is State.READY:
            due = self._outbox.next_due()
            waits += [] if due is None else [due]
            waits += [] if self._hello.done else [self._hello.due - now]
        else:
            waits.append(self._answer_by - now)
        return max(0.0, min(waits))

    def step(self, *, readable: bool = False) -> None:
        """Do what is to be done now. Whatever fails ends the connection, never the thread."""
        if self.state is State.STOPPED:
            return
        try:
            self._step(readable)
        except sqlite3.DatabaseError as error:
            self._mend(error)
        except Exception as error:  # paho raises what it likes on garbage
            plain = isinstance(error, mqtt.ConnectionEndedError | OSError)
            said = str(error) if plain else f"{type(error).__name__}: {error}"
            self._drop(said, Why.UNANSWERED if self.state is State.CONNECTING else why(error))

    def _mend(self, error: sqlite3.DatabaseError) -> None:
        self._drop(f"outbox: {error}", Why.BROKER)
        with contextlib.suppress(sqlite3.Error, OSError):
            self._outbox.mend(error)

    # Connecting

    def _step(self, readable: bool) -> None:
        if self._stopping and self.state is not State.LEAVING:
            self._say_offline()
        elif self._connection is not None:
            self._serve(self._connection, readable)
        elif time.monotonic() >= self._connect_at:
            self._connect()

    def _connect(self) -> None:
        client_id = self.speaker.machine + self._outbox.boot
        will = mqtt.Will(self.speaker.presence_topic, self._presence(False))
        connection = mqtt.Connection(self._broker, self._tls, client_id, will, five=self.five)
        connection.open()
        self._answer_by = time.monotonic() + (_FIVE_ANSWER_S if self.five else _ANSWER_S)
        self._connection = connection
        self._become(State.CONNECTING)

    def _on_connected(self, connection: mqtt.Connection, reason: ReasonCode) -> None:
        if reason.is_failure:
            if str(reason) != mqtt.UNSUPPORTED:
                self._become(State.SUBSCRIBING)  # it speaks our MQTT, and does not want us
            raise mqtt.ConnectionEndedError(f"the broker refused the login: {reason}")
        self._again.answered()
        self._become(State.SUBSCRIBING)
        self._answer_by = time.monotonic() + _ANSWER_S
        connection.publish(self.speaker.presence_topic, self._presence(True), retain=True)
        listened = (self.speaker.receipt_topic, self.speaker.policy_topic)
        connection.subscribe([topic for topic in listened if topic])

    def _on_subscribed(self, reasons: list[ReasonCode]) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            raise mqtt.ConnectionEndedError(f"the broker refused to let us listen: {refused[0]}")
        self.error = ""
        self._outbox.reconnected()
        self._hello.at_once()
        self._become(State.READY)

    # Connected

    def _serve(self, connection: mqtt.Connection, readable: bool) -> None:
        for event in connection.pump(readable=readable):
            self._on_event(connection, event)
        if self.state is State.READY:
            self._send(connection)
        elif self.state is not State.STOPPED and time.monotonic() >= self._answer_by:
            raise mqtt.ConnectionEndedError("the broker does not answer")

    def _on_event(self, connection: mqtt.Connection, event: mqtt.Event) -> None:
        if isinstance(event, mqtt.Connected):
            self._on_connected(connection, event.reason)
        elif isinstance(event, mqtt.Subscribed) and self.state is State.SUBSCRIBING:
            self._on_subscribed(list(event.reasons))
        elif isinstance(event, mqtt.Published):
            self._on_published(event.mid, event.reason)
        elif isinstance(event, mqtt.Arrived):
            self._on_message(event.topic, event.payload)

    def _send(self, connection: mqtt.Connection) -> None:
        if self._hello.is_due():
            self._hello.sent()
            hello = self.speaker.hello(self._clock.mark())
            self._publish(connection, self._outbox.boot, 1, hello)
        for one in self._outbox.due():
            self._publish(connection, one.boot, one.number, one.payload)

    def _publish(self, connection: mqtt.Connection, boot: str, number: int, payload: bytes) -> None:
        topic = topics.report_topic(self.speaker.school, self.speaker.machine, boot, number)
        self._publishing[connection.publish(topic, payload)] = (boot, number)

    def _on_published(self, mid: int, reason: ReasonCode) -> None:
        if mid == self._farewell:
            self._end()
            return
        which = self._publishing.pop(mid, None)
        if reason.is_failure:
            self.error = f"the broker refused a report: {reason}"
            self._heard.state(self.state, self.error)
            if which is not None:
                self._outbox.refused(*which)

    def _on_message(self, topic: str, payload: bytes) -> None:
        """A message that cannot be read is passed over: its sender will say it again."""
        with contextlib.suppress(codec.UnreadableError, codec.FutureVersionError):
            if topic == self.speaker.receipt_topic:
                self._on_receipt(codec.decode_receipt(payload))
            elif (policy := read_policy(payload, self._heard)) is not None:
                self._on_policy(policy)

    def _on_receipt(self, receipt: Receipt) -> None:
        if receipt.echo is not None:
            self._clock.hear(receipt.echo, receipt.now)
        self._hello.receipt(receipt, self._outbox.boot, known=self._clock.known)
        self._outbox.receipt(receipt)
        self._again.receipted()
        self._heard.receipt(receipt)

    def _on_policy(self, policy: Policy) -> None:
        self._outbox.policy_arrived()
        self._hello.policy_arrived()
        self._heard.policy(policy)

    # Ending

    def _say_offline(self) -> None:
        """Say offline, and wait for the broker to have heard it."""
        connection = self._connection
        if connection is None or self.state not in (State.READY, State.SUBSCRIBING):
            self._end()
            return
        self._become(State.LEAVING)
        self._answer_by = time.monotonic() + _FAREWELL_S
        offline = self._presence(False)
        self._farewell = connection.publish(self.speaker.presence_topic, offline, retain=True)

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.goodbye()
        self._become(State.STOPPED)
        self._stopped.set()

    def _drop(self, said: str, reason: Why) -> None:
        """Let go of this connection, and plan the next."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._publishing.clear()
        self.error = said
        if self._stopping:
            self._end()
            return
        self._connect_at = time.monotonic() + self._again.wait(reason)
        self._become(State.IDLE)

    def _become(self, state: State) -> None:
        self.state = state
        self._heard.state(state, self.error)

    def _presence(self, online: bool) -> bytes:
        return self.speaker.presence(self._outbox.boot, online)
