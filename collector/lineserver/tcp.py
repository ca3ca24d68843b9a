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
from itertools import pairwise
from typing import NamedTuple

#: A frame's bytes beside its payload: Ethernet and TCP, IPv4 or IPv6, TCP time stamps.
_HEADERS, _IPV4, _IPV6, _STAMPS = 14 + 20, 20, 40, 12
_OPTIONS, _WITH_STAMPS = 5, 1
_SND_MSS, _RCV_MSS, _SEGMENTS_IN, _SEGMENTS_OUT, _DELIVERED, _RETRANSMITTED = (
    16, 20, 152, 156, 192, 100,
)  # fmt: skip
_BYTES_IN, _BUSY, _WINDOW, _OUT_OF_ORDER = 128, 168, 176, 224
_SIZE, _NEW_SIZE = 196, 228  # the second since Linux 5.4
#: Readings of a connection that are kept, the last one always.
_MOST = 500
#: Fewer frames than these say nothing of how full a connection's were.
_ENOUGH = 20 * 1514


class Info(NamedTuple):
    """Counts since the connection began, and the sizes of its segments in bytes."""

    send_size: int
    receive_size: int
    received: int  # segments with payload received
    sent: int  # segments with payload sent, retransmissions included
    delivered: int  # segments that the other end has, also those after a gap
    repeated: int  # segments retransmitted
    in_order: int  # bytes of payload received, up to the first gap
    busy: int  # microseconds in which there was something to send
    held: int  # microseconds of these in which the other end's window was full
    headers: int  # bytes of a frame beside its payload
    strays: int | None  # segments received after a gap; None before Linux 5.4


class Reading(NamedTuple):
    """What arrived over a connection until a moment."""

    real: int  # `frames_in_order`
    full: int  # `frames`
    strays: int | None
    size: int = 0  # the kernel's estimate of a full segment, which grows at first


def info(connection: socket.socket) -> Info | None:
    """A connection's counts; None if it is closed, or before Linux 4.18."""
    if sys.platform != "linux":
        return None
    try:
        raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _NEW_SIZE)
    except OSError:
        return None
    if len(raw) < _SIZE:
        return None
    places = (_SND_MSS, _RCV_MSS, _SEGMENTS_IN, _SEGMENTS_OUT, _DELIVERED, _RETRANSMITTED)
    counts = [int(struct.unpack_from("=I", raw, place)[0]) for place in places]
    counts += [int(struct.unpack_from("=Q", raw, at)[0]) for at in (_BYTES_IN, _BUSY, _WINDOW)]
    stamps = _STAMPS if raw[_OPTIONS] & _WITH_STAMPS else 0
    headers = _HEADERS + stamps + (_IPV6 if _is_ipv6(connection) else _IPV4)
    told = len(raw) >= _NEW_SIZE
    strays = int(struct.unpack_from("=I", raw, _OUT_OF_ORDER)[0]) if told else None
    return Info._make((*counts, headers, strays))


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


def full_share(readings: Sequence[Reading]) -> float:
    """How full a connection's frames were.

    A sender that is slower than its line sends segments as they come, some of them short: at
    1000 Mbit/s counting all as full reads 5% high. What waits behind a gap makes them look
    shorter, and on a long way a connection has a gap at nearly every moment: so the steps count in
    which every segment arrived in its order. Where the system does not tell, the moment in the
    second half at which the share is largest.
    """
    later = readings[len(readings) // 2 :]
    best = max((one.real / one.full for one in later if one.full > 0), default=1.0)
    steps = [(b.real - a.real, b.full - a.full) for a, b in pairwise(readings) if _in_order(a, b)]
    full = sum(count for _, count in steps)
    if full >= _ENOUGH:
        best = max(best, sum(count for count, _ in steps) / full)
    return min(1.0, best)


def _in_order(a: Reading, b: Reading) -> bool:
    """Whether what arrived between two readings shows how full it was.

    No segment left a gap, and none filled one, as far as that shows: then more is in order than
    arrived.
    """
    told = a.strays is not None and a.size == b.size
    return told and a.strays == b.strays and b.real - a.real <= b.full - a.full


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
        self._readings: dict[socket.socket, list[Reading]] = {}

    def _note(self, connection: socket.socket, found: Info) -> None:
        readings = self._readings.setdefault(connection, [])
        now = Reading(frames_in_order(found), frames(found), found.strays, found.receive_size)
        if readings and (readings[-1].full == now.full or len(readings) == _MOST):
            readings.pop()
        readings.append(now)

    def full_share(self) -> float:
        """`full_share` of all connections, each as much as it carried."""
        carried = [(read[-1].full, full_share(read)) for read in self._readings.values()]
        whole = sum(count for count, _ in carried)
        return sum(count * share for count, share in carried) / whole if whole else 1.0
