"""When a link reconnects, and with which version of MQTT.

When a broker dies, all its agents lose their connections at the same instant, and no agent can
tell whether it is the only one. So the first wait is drawn evenly from a window wide enough for
a fleet: 1,000 agents over 15 s are 67 connects a second, and rarely 100 in any one. (Full jitter
usually starts with a window of one second, and then they all reconnect within that second.) For
a PC that alone lost its connection 15 s do not matter: it reports every five minutes.

Where it is clearly the PC's own network that failed, a short window is enough: no route, no
DNS, or a broker that stopped answering, which each PC notices at a different time.

The window doubles with each failure and is reset only by a receipt: a broker that accepts
connections but does not deliver reports is not working yet.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from enum import Enum

from agent.common.backoff import backoff
from agent.mqtt.connection import ConnectionEndedError, FellSilentError, RenewedError
from agent.mqtt.link_types import State

#: The first window after the broker closed or refused the connection, s.
SPREAD_S = 15.0
#: The first window where our own network failed, s.
NETWORK_S = 4.0
#: The longest window, s.
CAP_S = 60.0
#: The longest wait between a CONNECT of MQTT 5 without an answer and one of 3.1.1, s.
FALL_BACK_S = 2.0
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


class Cause(Enum):
    """Why there is no connection."""

    BROKER = "broker"  # it closed or refused the connection, perhaps those of all agents
    NETWORK = "network"  # it cannot be reached from this PC
    UNANSWERED = "unanswered"  # it accepts the connection and does not answer CONNECT
    RENEWED = "renewed"  # we ended it, to connect with a newer account


class Reconnect:
    """Decides for one link when to reconnect, and with which version of MQTT."""

    def __init__(
        self, draw: Callable[[], float], protocols: tuple[str, ...] = ("5", "3.1.1")
    ) -> None:
        """`draw` gives numbers in [0, 1); `protocols` are the versions of MQTT to try."""
        self._protocols = protocols
        self.mqtt5 = protocols[0] == "5"  # else 3.1.1; of the present or next connection
        self._draw = draw
        self._failures = 0
        self._answers_mqtt5 = False

    def answered(self) -> None:
        """The broker accepted a CONNECT of the version that was sent."""
        self._answers_mqtt5 = self.mqtt5

    def receipted(self) -> None:
        """A receipt arrived: the connection works in both directions."""
        self._failures = 0

    @property
    def may_fall_back(self) -> bool:
        """Whether this attempt is in MQTT 5, and the settings allow 3.1.1 after it."""
        return self.mqtt5 and "3.1.1" in self._protocols

    def wait(self, cause: Cause) -> float:
        """Seconds until the next attempt; sets `mqtt5` for that attempt.

        A broker that has accepted MQTT 5 before and does not answer once is overloaded: it is
        not asked a second time at once, in 3.1.1.
        """
        if cause is Cause.UNANSWERED and self.may_fall_back and not self._answers_mqtt5:
            self.mqtt5 = False
            return self._draw() * FALL_BACK_S
        if cause is Cause.RENEWED:  # the agents of a whole city may have got one
            return self._draw() * SPREAD_S
        if cause is Cause.UNANSWERED:
            self._answers_mqtt5 = False
        self.mqtt5 = self._protocols[0] == "5"
        base = NETWORK_S if cause is Cause.NETWORK else SPREAD_S
        self._failures += 1
        return backoff(self._failures - 1, self._draw, base=base, cap=CAP_S)


def cause_of(error: Exception, state: State = State.IDLE) -> Cause:
    """Whether an error in this state comes from this PC's network, or from the broker.

    A timeout counts as the broker's: an overloaded broker shows itself so.
    """
    if isinstance(error, RenewedError):
        return Cause.RENEWED
    if state is State.CONNECTING:
        return Cause.UNANSWERED
    local = isinstance(error, FellSilentError | socket.gaierror)
    unreachable = isinstance(error, OSError) and error.errno in _UNREACHABLE
    return Cause.NETWORK if local or unreachable else Cause.BROKER


def words_of(error: Exception) -> str:
    """Why the connection ended; an error that nobody expected with its name."""
    known = isinstance(error, ConnectionEndedError | OSError)
    return str(error) if known else f"{type(error).__name__}: {error}"
