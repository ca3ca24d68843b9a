"""Counts of the kernel's TCP: segments that arrived at either end of a connection. Linux only.

Offsets are those of `struct tcp_info` in linux/tcp.h. Segments count when they arrive, also those
after a gap: on a slow line an application waits for seconds until a gap is filled, so the bytes it
has read say little about the rate.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

#: A frame's bytes beside its payload: Ethernet and TCP, IPv4 or IPv6, TCP time stamps.
_HEADERS, _IPV4, _IPV6, _STAMPS = 14 + 20, 20, 40, 12
_OPTIONS, _WITH_STAMPS = 5, 1
_SND_MSS, _RCV_MSS, _SEGMENTS_IN, _SEGMENTS_OUT, _DELIVERED, _RETRANSMITTED = (
    16, 20, 152, 156, 192, 100,
)  # fmt: skip
_BYTES_IN = 128
_SIZE = 196
#: Readings of a connection that are kept, the last one always.
_MOST = 500


class Info(NamedTuple):
    """Counts since the connection began, and the sizes of its segments in bytes."""

    send_size: int
    receive_size: int
    received: int  # segments with payload received
    sent: int  # segments with payload sent, retransmissions included
    delivered: int  # segments that the other end has, also those after a gap
    repeated: int  # segments retransmitted
    in_order: int  # bytes of payload received, up to the first gap
    headers: int  # bytes of a frame beside its payload


def info(connection: socket.socket) -> Info | None:
    """A connection's counts; None if it is closed, or before Linux 4.18."""
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
    counts.append(int(struct.unpack_from("=Q", raw, _BYTES_IN)[0]))
    stamps = _STAMPS if raw[_OPTIONS] & _WITH_STAMPS else 0
    headers = _HEADERS + stamps + (_IPV6 if _is_ipv6(connection) else _IPV4)
    return Info._make((*counts, headers))


def _is_ipv6(connection: socket.socket) -> bool:
    """Whether the peer uses IPv6; an IPv4 peer of an IPv6 socket is written ::ffff:a.b.c.d."""
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
    """Data frames that the other end has, in bytes on the wire."""
    return found.delivered * (found.send_size + found.headers)


def frames(found: Info) -> int:
    """Data frames received, in bytes on the wire, if all are full."""
    return found.received * (found.receive_size + found.headers)


def frames_in_order(found: Info) -> int:
    """The same as they are, without the payload of those after a gap."""
    return found.in_order + found.received * found.headers


def full_share(pairs: Sequence[tuple[int, int]]) -> float:
    """How full a connection's frames were, of its (`frames_in_order`, `frames`) so far.

    A sender that is slower than its line sends segments as they come, some of them short: at
    1000 Mbit/s counting all as full reads 5% high. What waits behind a gap makes the share look
    smaller at times, so the moment in the second half counts at which it is largest.
    """
    later = pairs[len(pairs) // 2 :]
    return min(1.0, max((real / full for real, full in later if full > 0), default=1.0))


class Tally:
    """A count summed over open and closed connections. Callers must hold a lock."""

    def __init__(self, read: Callable[[Info], int]) -> None:
        self._read = read
        self._first: dict[socket.socket, int] = {}
        self._last: dict[socket.socket, int] = {}

    def add(self, connection: socket.socket) -> None:
        """Begin to count this connection; no effect if it is counted already."""
        found = info(connection)
        if found is not None and connection not in self._first:
            self._first[connection] = self._last[connection] = self._read(found)

    def update(self, connection: socket.socket) -> None:
        """Read a connection's count; once it is closed, the last reading counts."""
        found = info(connection)
        if found is not None and connection in self._last:
            self._last[connection] = max(self._last[connection], self._read(found))
            self._note(connection, found)

    def _note(self, connection: socket.socket, found: Info) -> None:
        """What else is kept of a reading."""

    def sum(self) -> int | None:
        """The current sum; None if the system does not report it."""
        if not self._first:
            return None
        for connection in self._first:
            self.update(connection)
        return sum(self._last.values()) - sum(self._first.values())


class Frames(Tally):
    """Data frames received, in bytes on the wire, if all are full; and how full they were.

    Of single connections: some of many have a gap at every moment, each of them only at times.
    """

    def __init__(self) -> None:
        super().__init__(frames)
        self._pairs: dict[socket.socket, list[tuple[int, int]]] = {}

    def _note(self, connection: socket.socket, found: Info) -> None:
        pairs = self._pairs.setdefault(connection, [])
        full = frames(found)
        if pairs and (pairs[-1][1] == full or len(pairs) == _MOST):
            pairs.pop()
        pairs.append((frames_in_order(found), full))

    def full_share(self) -> float:
        """`full_share` of all connections, each as much as it carried."""
        carried = [(pairs[-1][1], full_share(pairs)) for pairs in self._pairs.values()]
        whole = sum(count for count, _ in carried)
        return sum(count * share for count, share in carried) / whole if whole else 1.0
