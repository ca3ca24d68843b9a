"""The link of one machine: sends its reports to the broker and receives receipts and policies.

It publishes from the outbox only while connected and subscribed, so that no receipt is missed
and nothing queues up in memory. All of it runs in the thread of an `agent.mqtt.loop.Loop`.
If the broker does not answer an MQTT 5 CONNECT, the next try is 3.1.1; then MQTT 5 again.
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
from agent.common import log
from agent.common.settings import Broker
from agent.mqtt import connection as mqtt
from agent.mqtt.accounts import Accounts, single
from agent.mqtt.hello import HelloTimer
from agent.mqtt.link_types import NO_CALLBACKS, Callbacks, Sender, State, read_policy
from agent.mqtt.loop import Loop
from agent.mqtt.reconnect import Cause, Reconnect, cause_of, words_of
from agent.mqtt.reports import Reports
from agent.outbox import Outbox
from agent.wire import codec
from agent.wire.messages import Policy, Receipt

__all__ = ["Callbacks", "Link", "Sender", "State"]

#: How long a broker may take to answer CONNECT and SUBSCRIBE, s.
_ANSWER_S = 15.0
#: The same for MQTT 5 before 3.1.1: some brokers of 3.1.1 only wait for more bytes, s.
_FIVE_ANSWER_S = 3.0
#: How long publishing "offline" may take before the connection is closed anyway, s.
_FAREWELL_S = 3.0


class Link:
    """One machine's link. `start`, `wake`, `begin_stop` and `stop` are safe from any thread."""

    def __init__(
        self,
        broker: Broker | Accounts,
        sender: Sender,
        outbox: Outbox,
        clock: Clock,
        loop: Loop,
        callbacks: Callbacks = NO_CALLBACKS,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`broker`: with the one account of its settings, or several. `draw`: numbers in [0, 1).

        Raises:
            OSError, ssl.SSLError: a TLS file cannot be read.
        """
        self.sender = sender
        self.state = State.IDLE
        self.error = ""  # why the last connection ended, or could not be made
        self._accounts = broker if isinstance(broker, Accounts) else single(broker)
        self._accounts.prepare()
        self._outbox = outbox
        self._clock = clock
        self._loop = loop
        self._callbacks = callbacks
        self._connection: mqtt.Connection | None = None
        self._reports = Reports(sender, outbox)
        self._reconnect = Reconnect(draw, self._accounts.current.broker.protocols)
        self._connect_at = 0.0  # times of time.monotonic
        self._answer_by = 0.0
        self._hello = HelloTimer(draw)
        self._renewed = False  # connect again, with the account that is current now
        self._offline_id: int | None = None
        self._stopping = False
        self._stopped = threading.Event()

    # From any thread
    def start(self) -> None:
        """Connect, and stay connected."""
        self._outbox.on_put = self.wake
        self.wake()

    def wake(self) -> None:
        """Let the loop take a step soon: something may be due."""
        self._loop.wake(self)

    def begin_stop(self) -> None:
        """Begin to stop and return at once; `stop` waits for the end."""
        self._outbox.on_put = None
        self._stopping = True
        self.wake()

    def stop(self, timeout: float = _FAREWELL_S + 6) -> bool:
        """Publish "offline" and disconnect; returns whether that was done within `timeout` s."""
        self.begin_stop()
        return self._stopped.wait(timeout)

    @property
    def mqtt5(self) -> bool:
        """Whether the present or next connection uses MQTT 5; else 3.1.1."""
        return self._reconnect.mqtt5

    # Called by the loop

    @property
    def socket(self) -> socket.socket | None:
        """The open socket; None while not connected."""
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
        if self.state is not State.READY:
            return max(0.0, min(self._connection.next_pump, self._answer_by) - now)
        due = self._outbox.next_due()
        at = min(self._connection.next_pump, self._hello.due) - now
        return max(0.0, at if due is None else min(at, due))

    def step(self, *, readable: bool = False) -> None:
        """Do what is due now. An error ends the connection, never the loop's thread."""
        if self.state is State.STOPPED:
            return
        try:
            self._step(readable)
        except sqlite3.DatabaseError as error:
            self._repair_outbox(error)
        except Exception as error:  # paho raises anything on malformed packets
            if isinstance(error, mqtt.ClosedError):
                self._reports.closed(str(error))
            self._accounts.failed(error, self.state, self._reconnect.may_fall_back)
            self._drop(words_of(error), cause_of(error, self.state))

    def _repair_outbox(self, error: sqlite3.DatabaseError) -> None:
        self._drop(f"outbox: {error}", Cause.BROKER)
        with contextlib.suppress(sqlite3.Error, OSError):
            self._outbox.repair(error)

    # Connecting

    def _step(self, readable: bool) -> None:
        if self._stopping and self.state is not State.LEAVING:
            self._publish_offline()
        elif self._connection is not None:
            self._serve(self._connection, readable)
        elif time.monotonic() >= self._connect_at:
            self._connect()

    def _connect(self) -> None:
        who, will = self.sender.machine + self._outbox.boot, self._presence(False)
        self._connection = self._accounts.connect(who, will, mqtt5=self.mqtt5)
        patience = _FIVE_ANSWER_S if self._reconnect.may_fall_back else _ANSWER_S
        self._answer_by = time.monotonic() + patience
        self._set_state(State.CONNECTING)

    def _on_connected(self, connection: mqtt.Connection, reason: ReasonCode) -> None:
        if reason.is_failure:
            if str(reason) != mqtt.UNSUPPORTED:
                self._set_state(State.SUBSCRIBING)  # our MQTT version is fine, the login is not
            raise mqtt.ended("login", reason)
        self._reconnect.answered()
        self._set_state(State.SUBSCRIBING)
        self._answer_by = time.monotonic() + _ANSWER_S
        connection.publish(*self._presence(True), retain=True)
        connection.subscribe(self.sender.topics)

    def _on_subscribed(self, reasons: list[ReasonCode]) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            raise mqtt.ended("subscription", refused[0])
        self.error = ""
        self._outbox.reconnected()
        self._hello.connected(self._accounts.said)
        self._set_state(State.READY)

    # Connected

    def _serve(self, connection: mqtt.Connection, readable: bool) -> None:
        for event in connection.pump(readable=readable):
            self._on_event(connection, event)
        if self._renewed:
            raise mqtt.RenewedError("new credentials: connecting again")
        if self.state is State.READY:
            self._send(connection)
        elif self.state is not State.STOPPED and time.monotonic() >= self._answer_by:
            raise mqtt.ConnectionEndedError("the broker does not answer")

    def _on_event(self, connection: mqtt.Connection, event: mqtt.Event) -> None:
        if isinstance(event, mqtt.Connected):
            self._reports.limit.connected(event.max_packet)
            self._on_connected(connection, event.reason)
        elif isinstance(event, mqtt.Subscribed) and self.state is State.SUBSCRIBING:
            self._on_subscribed(list(event.reasons))
        elif isinstance(event, mqtt.Published):
            self._on_published(event.mid, event.reason)
        elif isinstance(event, mqtt.Received):
            self._on_message(event.topic, event.payload)

    def _send(self, connection: mqtt.Connection) -> None:
        if self._hello.is_due():
            self._hello.sent()
            hello = self.sender.hello(self._clock.mark(), *self._accounts.said)
            self._refused(self._reports.publish(connection, self._outbox.boot, 1, hello))
        for one in self._outbox.due():
            self._refused(self._reports.publish(connection, *one))

    def _refused(self, error: str) -> None:
        if error:
            self.error = error
            self._set_state(self.state)

    def _on_published(self, mid: int, reason: ReasonCode) -> None:
        if mid == self._offline_id:
            self._end()
        elif self._accounts.several and mqtt.not_admitted(reason):
            raise mqtt.ended("report", reason)
        else:
            self._refused(self._reports.published(mid, reason))

    def _on_message(self, topic: str, payload: bytes) -> None:
        """Handle a receipt or policy; an unreadable one is ignored, as its sender repeats it."""
        try:
            if topic == self.sender.receipt_topic:
                self._on_receipt(codec.decode_receipt(payload))
            elif (policy := read_policy(payload, self._callbacks)) is not None:
                self._on_policy(policy)
        except (codec.UnreadableError, codec.FutureVersionError) as error:
            log.warning("receipt_unreadable", reason=error)

    def _on_receipt(self, receipt: Receipt) -> None:
        if receipt.echo is not None:
            self._clock.on_echo(receipt.echo, receipt.now)
        self._hello.receipt(receipt, self._outbox.boot, known=self._clock.known)
        self._outbox.receipt(receipt)
        self._reconnect.receipted()
        self._reports.limit.receipted()
        self._callbacks.receipt(receipt)
        if receipt.renewal is not None and not self._stopping:
            self._hello.again(wait := self._accounts.take(receipt.renewal))
            self._renewed |= wait <= 0

    def _on_policy(self, policy: Policy) -> None:
        self._outbox.policy_arrived()
        self._hello.policy_arrived()
        self._callbacks.policy(policy)

    # Ending

    def _publish_offline(self) -> None:
        """Publish "offline"; its PUBACK ends the link (`_on_published`)."""
        connection = self._connection
        if connection is None or self.state not in (State.READY, State.SUBSCRIBING):
            self._end()
            return
        self._set_state(State.LEAVING)
        self._answer_by = time.monotonic() + _FAREWELL_S
        self._offline_id = connection.publish(*self._presence(False), retain=True)

    def _end(self) -> None:
        self._close(orderly=True)
        self._set_state(State.STOPPED)
        self._stopped.set()

    def _drop(self, error: str, cause: Cause) -> None:
        """Close this connection, and plan the next."""
        self._close(orderly=cause is Cause.RENEWED)
        self._renewed, self.error = False, error
        if self._stopping:
            self._end()
            return
        self._connect_at = time.monotonic() + self._reconnect.wait(cause)
        self._set_state(State.IDLE)

    def _close(self, *, orderly: bool = False) -> None:
        """`orderly`: with DISCONNECT, so that the last will is not published."""
        connection, self._connection = self._connection, None
        if connection is not None:
            (connection.disconnect if orderly else connection.close)()
        self._reports.forget()

    def _set_state(self, state: State) -> None:
        self.state = state
        self._callbacks.state(state, self.error)

    def _presence(self, online: bool) -> mqtt.Will:
        payload = self.sender.presence(self._outbox.boot, online)
        return mqtt.Will(self.sender.presence_topic, payload)
