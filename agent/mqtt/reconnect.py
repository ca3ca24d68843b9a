"""When a link connects again, and in which MQTT.

A broker that dies takes the connections of all its agents at one instant, and no agent can see
that it is not alone. So the first wait is drawn evenly from a window wide enough for a fleet:
1,000 agents over 15 s are 67 connects a second, and by chance seldom 100 in one. (Drawn from
one second, as full jitter usually begins, they were all there within that second.) For a PC
whose connection alone was cut, 15 s are nothing: it reports every five minutes, from an outbox.

Where it is plainly the PC's own network that failed, no window is needed to spare the broker:
no route, no name, or a broker that fell silent, which each PC notices at a time of its own.

The window doubles from one failure to the next, and is the first again only when a receipt
has come: a broker that takes connections and cannot carry them is no broker that works.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from enum import Enum

from agent.common.backoff import backoff
from agent.mqtt.connection import FellSilentError

#: The first window after the broker has gone, or refused us, s.
SPREAD_S = 15.0
#: The first window where our own network failed, s.
NEAR_S = 4.0
#: No window is longer, s.
CAP_S = 60.0
#: Between a CONNECT of MQTT 5 that found no answer and one of 3.1.1, s.
FALL_BACK_S = 2.0
_UNREACHED = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}


class Why(Enum):
    """Why there is no connection."""

    BROKER = "broker"  # it ended the connection, or refused it: maybe everybody's
    NEAR = "near"  # it cannot be reached from here
    UNANSWERED = "unanswered"  # it takes our bytes, and says nothing to CONNECT


class Reconnect:
    """The turns of one link: which MQTT is spoken next, and after what wait."""

    def __init__(
        self, draw: Callable[[], float], protocols: tuple[str, ...] = ("5", "3.1.1")
    ) -> None:
        """`draw` gives numbers in [0, 1); `protocols` are the versions of MQTT to try."""
        self._protocols = protocols
        self.five = protocols[0] == "5"  # else 3.1.1; of the connection that stands or is next
        self._draw = draw
        self._failures = 0
        self._answers_five = False

    def answered(self) -> None:
        """The broker answered a CONNECT in the MQTT that we spoke."""
        self._answers_five = self.five

    def receipted(self) -> None:
        """The connection carries reports there, and receipts back."""
        self._failures = 0

    def wait(self, why: Why) -> float:
        """Seconds until the next attempt; `five` is that attempt's.

        A broker that has answered in MQTT 5 knows it: when it falls silent once it has too much
        to do, and a second question at once would be the last thing it needs.
        """
        other = self.five and "3.1.1" in self._protocols
        if why is Why.UNANSWERED and other and not self._answers_five:
            self.five = False
            return self._draw() * FALL_BACK_S
        if why is Why.UNANSWERED:
            self._answers_five = False
        self.five = self._protocols[0] == "5"
        base = NEAR_S if why is Why.NEAR else SPREAD_S
        self._failures += 1
        return backoff(self._failures - 1, self._draw, base=base, cap=CAP_S)


def why(error: Exception) -> Why:
    """What an error of a connection says about who has lost it.

    No answer within a time is the broker's: that is how one looks that has too much to do.
    """
    near = isinstance(error, FellSilentError | socket.gaierror)
    unreached = isinstance(error, OSError) and error.errno in _UNREACHED
    return Why.NEAR if near or unreached else Why.BROKER
