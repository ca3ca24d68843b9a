"""What the system's TCP knows of connections: segments that arrived, at either end. Linux only.

Offsets are those of `struct tcp_info` in linux/tcp.h. Segments are counted as they come, also
those ahead of a gap: on a slow line an application waits for seconds until a gap is filled, and
the bytes that it has read tell little of the rate.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple

#: Ethernet, IPv4, TCP with time stamps: what a frame holds beside its payload.
HEADERS = 66
_SND_MSS, _RCV_MSS, _SEGMENTS_IN, _SEGMENTS_OUT, _DELIVERED, _RETRANSMITTED = (
    16, 20, 152, 156, 192, 100,
)  # fmt: skip
_SIZE = 196


class Info(NamedTuple):
    """Counts since the connection began, and the sizes of its segments in bytes."""

    send_size: int
    receive_size: int
    received: int  # segments with payload that came
    sent: int  # segments with payload that left, repeats included
    delivered: int  # segments that the other end has, also those ahead of a gap
    repeated: int


def info(connection: socket.socket) -> Info | None:
    """None where the connection is closed or the system (before Linux 4.18) cannot tell."""
    if sys.platform != "linux":
        return None
    try:
        raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    except OSError:
        return None
    if len(raw) < _SIZE:
        return None
    places = (_SND_MSS, _RCV_MSS, _SEGMENTS_IN, _SEGMENTS_OUT, _DELIVERED, _RETRANSMITTED)
    return Info(*(struct.unpack_from("=I", raw, place)[0] for place in places))


def delivered(found: Info) -> int:
    """Payload that the other end has, in bytes."""
    return found.delivered * found.send_size


def frames(found: Info) -> int:
    """Data frames that came, in bytes on the wire."""
    return found.received * (found.receive_size + HEADERS)


class Tally:
    """A count summed over connections, of which some have ended. The caller locks."""

    def __init__(self, read: Callable[[Info], int]) -> None:
        self._read = read
        self._first: dict[socket.socket, int] = {}
        self._last: dict[socket.socket, int] = {}

    def add(self, connection: socket.socket) -> None:
        """Count from here on what this connection carries; once is enough."""
        found = info(connection)
        if found is not None and connection not in self._first:
            self._first[connection] = self._last[connection] = self._read(found)

    def look(self, connection: socket.socket) -> None:
        """Note where a connection stands; after its end the last look counts."""
        found = info(connection)
        if found is not None and connection in self._last:
            self._last[connection] = max(self._last[connection], self._read(found))

    def sum(self) -> int | None:
        """The sum now; None where the system cannot tell."""
        if not self._first:
            return None
        for connection in self._first:
            self.look(connection)
        return sum(self._last.values()) - sum(self._first.values())
