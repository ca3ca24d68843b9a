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

#: What a frame holds beside its payload: Ethernet and TCP, IPv4 or IPv6, TCP's time stamps.
_HEADERS, _IPV4, _IPV6, _STAMPS = 14 + 20, 20, 40, 12
_OPTIONS, _WITH_STAMPS = 5, 1
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
    headers: int  # bytes of a frame beside its payload


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
    counts = [int(struct.unpack_from("=I", raw, place)[0]) for place in places]
    stamps = _STAMPS if raw[_OPTIONS] & _WITH_STAMPS else 0
    headers = _HEADERS + stamps + (_IPV6 if _is_ipv6(connection) else _IPV4)
    return Info._make((*counts, headers))


def _is_ipv6(connection: socket.socket) -> bool:
    """An IPv4 address in an IPv6 socket is written ::ffff:a.b.c.d."""
    if connection.family != socket.AF_INET6:
        return False
    try:
        return "." not in str(connection.getpeername()[0])
    except OSError:
        return True


def delivered(found: Info) -> int:
    """Payload that the other end has, in bytes."""
    return found.delivered * found.send_size


def delivered_frames(found: Info) -> int:
    """The same in bytes on the wire."""
    return found.delivered * (found.send_size + found.headers)


def frames(found: Info) -> int:
    """Data frames that came, in bytes on the wire."""
    return found.received * (found.receive_size + found.headers)


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
