"""From byte counters to the rates of the line. Pure.

Down: the steady rate of the interface's received bytes (see agent.common.steady), which counts
what the line carried, not what the application received. Traffic inside the school must not
raise it: if the interface counts more than 1.06 times the received payload, the rate is lowered
by that excess. A full Ethernet frame of 1514 bytes, as interfaces count it, carries 1448 bytes
of payload (IPv4, TCP with time stamps), a factor of 1.0456; the rest of the 1.06 is slack. The
payload lags behind, because the application receives nothing of a connection while a lost
segment is missing, which on a slow line may take seconds. It catches up in between. So the two
are compared at the moment in the second half of the download when they agree best; other
traffic keeps them apart at every moment. Where the server's system counts the frames that
arrived (those after a gap too), that is a tighter bound: what the interface counts beyond 1.01
times their rate is other traffic.

Up: the rate of the frames that reached the server (its TCP counts segments as they arrive, those
after a gap too); where its system does not count them, its received payload × 1514/1448. The
interface on this side would also count packets that a queue on the way drops.

Far lines (a satellite's): connections need tens of round trips until they fill them, so the rate
is that of the second half. A line that is full carries the same at every moment; where the rate
still rises, or goes up and down with the connections' losses, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from agent.common.steady import (
    Aligned,
    Sample,
    Steady,
    after_burst,
    aligned,
    later_half,
    median,
    overall,
    steady_of,
)

#: Bytes on the interface for each byte of payload in a full frame.
FRAME = 1514 / 1448
#: What the interface counts beyond this times the payload is other traffic.
CAP = 1.06
#: The same, beyond this times the rate of the frames that arrived by the server's count.
_FRAMES_CAP = 1.01
#: The server's record confirms rates up to this times its own.
CONFIRMED = 1.08
#: Upper bound of the loaded round trip, s.
_MAX_LAG_S = 0.3
#: A far line's steps differ by no more where the line is full: half the interval's width.
_EVEN = 0.01


class Down(NamedTuple):
    """The rate down in Mbit/s with its interval, and the share of other traffic.

    `burst`: the line slowed down for good during the test; the rate is the later one.
    """

    mbps: float
    low: float
    high: float
    other_share: float
    spread: float
    burst: bool = False


def down(
    nic: Sequence[Sample],
    payload: Sequence[Sample],
    lag_s: float = 0.1,
    frames: Sequence[Sample] = (),
    *,
    far: bool = False,
) -> Down | None:
    """The rate down from the interface's counter and the payload; None where too little arrived.

    Both are (seconds, bytes so far) by one clock, from the download's start; `lag_s` is the
    loaded round trip. `frames` is the server's count, by its own clock, of the bytes on the
    wire in frames that arrived; empty where it cannot count them. A counter that steps back (it
    wrapped, or its driver restarted) ends what is used; too little of it gives nothing.
    """
    counter = aligned(nic)
    kept = after_burst(counter)
    cut = len(counter.samples) < len(nic) or counter.refreshes
    wire = _settled(kept, far=far) or (None if cut or far else _short(nic))
    if wire is None or not payload:
        return None
    nic = counter.samples
    unread = wire.mbps * 1e6 / 8 * min(lag_s, _MAX_LAG_S)
    begin = kept.samples[0][0] - nic[0][0] if kept.samples else 0.0
    arrived = _frames_share(wire, frames, begin, nic[-1][0] - nic[0][0], far=far)
    factor, other = _limits(_payload_share(nic, payload, unread), arrived)
    return Down(
        wire.mbps * factor,
        wire.low * factor,
        wire.high * factor,
        other_share=max(0.0, other),
        spread=wire.spread,
        burst=len(kept.samples) < len(nic),
    )


def _limits(payload_share: float, frames_share: float | None) -> tuple[float, float]:
    """The factor that limits the interface's rate to our traffic, and the share of the other."""
    factor, other = min(1.0, payload_share * CAP), 1 - payload_share * FRAME
    if frames_share is None:
        return factor, other
    return min(factor, frames_share * _FRAMES_CAP), 1 - frames_share


def _settled(counter: Aligned, *, far: bool) -> Steady | None:
    return steady_of(later_half(counter) if far else counter)


def _frames_share(
    wire: Steady, frames: Sequence[Sample], begin: float, end: float, *, far: bool
) -> float | None:
    """The rate of the frames that arrived per rate of the interface; None where unknown.

    Of the part from which the interface's rate is, `begin` to `end` s after the start: where the
    rate goes up and down, another part has another rate.
    What the other side has acknowledged comes in lumps on a slow line: the median may fall between.
    """
    during = [one for one in frames if begin <= one[0] - frames[0][0] <= end]
    arrived = _settled(aligned(during), far=far)
    if arrived is None or not wire.steps:
        return None
    return max(arrived.mbps, arrived.mean if far else 0.0) / wire.mbps


def _payload_share(nic: Sequence[Sample], payload: Sequence[Sample], unread: float) -> float:
    """Payload per byte of the interface, at the best moment in the second half of the download.

    `unread`: bytes of payload that have arrived and are not yet read.
    """
    (start, before), (stop, _) = nic[0], nic[-1]
    best, at = 0.0, 0
    for t, count in nic:
        while at < len(payload) - 1 and payload[at + 1][0] <= t:
            at += 1
        if t >= (start + stop) / 2 and count > before:
            best = max(best, (payload[at][1] + unread) / (count - before))
    return best


def bounded(found: Down, server_mbps: float | None) -> Down:
    """Limit the rate to what the server's samples confirm; unchanged where it has none."""
    if server_mbps is None:
        return found
    bound = server_mbps * CONFIRMED
    mbps, low, high = (min(rate, bound) for rate in (found.mbps, found.low, found.high))
    return found._replace(mbps=mbps, low=low, high=high)


def even(found: Down) -> bool:
    """Whether the rate down was the same at every moment, as that of a full line is."""
    return found.spread <= _EVEN


def up(
    server: Sequence[Sample], frames: Sequence[Sample] = (), *, far: bool = False
) -> float | None:
    """The rate up in Mbit/s, from the frames that reached the server, else from its payload.

    None where too little arrived, and where a `far` line was not full.
    """
    wire = _settled(aligned(frames), far=far)
    if wire is not None:
        return wire.mbps if wire.spread <= _EVEN or not far else None
    found = _settled(aligned(server), far=far)
    rate = overall(server) if found is None else found.middle
    return None if rate is None else rate * FRAME


def latency(times: Sequence[float]) -> tuple[float | None, float | None]:
    """Median of answer times in ms, and their jitter (mean difference of neighbours)."""
    if not times:
        return None, None
    steps = [abs(b - a) for a, b in pairwise(times)]
    return median(times), sum(steps) / len(steps) if steps else None


def _short(nic: Sequence[Sample]) -> Steady | None:
    """The mean rate of a short transfer; its interval is unknown, so it begins at 0."""
    rate = overall(nic)
    if rate is None:
        return None
    (start, before), (stop, after) = nic[0], nic[-1]
    return Steady(rate, 0.0, rate, start, stop, after - before, 0, rate)
