"""From counters to the line's rates. Pure.

Down: the steady rate of the interface's received bytes (see agent.wire.steady), which counts
what the line carried rather than what the application got. Traffic inside the school must not
raise it, so the interface's bytes over the whole download may be no more than the payload
received × 1.06, or the rate is brought down by the same factor. A full Ethernet frame of 1514
bytes, as interfaces count it, carries 1448 of payload (IPv4, TCP with time stamps): a factor
of 1.0456; the rest of the 1.06 is slack. What the interface has and the application has not
yet, as segments before it are missing, is at most what comes in one loaded round trip.

Up: the server's received payload × 1514/1448 over the steady part. The interface
would also count the packets that a queue on the way drops.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from agent.wire.steady import Sample, Steady, median, overall, steady

#: Bytes on the interface for each byte of payload in a full frame.
FRAME = 1514 / 1448
#: An interface's rate beyond payload times this is somebody else's traffic.
CAP = 1.06
#: A rate beyond the server's record times this is not confirmed by it.
CONFIRMED = 1.08
#: No round trip is thought longer, in s.
_MAX_LAG_S = 0.3
#: The payload's counter is told about every so many seconds.
_BEAT_S = 0.1


class Down(NamedTuple):
    """The rate down in Mbit/s with its interval, and the share of traffic not ours."""

    mbps: float
    low: float
    high: float
    other_share: float
    spread: float


def down(nic: Sequence[Sample], payload: Sequence[Sample], lag_s: float = 0.1) -> Down | None:
    """The rate down from the interface's counter and the payload's; None: too little came.

    Both are (seconds, bytes so far) by one clock, from the download's start; `lag_s` is the
    loaded round trip.
    """
    wire = steady(nic) or _short(nic)
    if wire is None or not payload:
        return None
    total = nic[-1][1] - nic[0][1]
    behind = wire.mbps * 1e6 / 8 * min(lag_s, _MAX_LAG_S)
    got = max((count for t, count in payload if t <= nic[-1][0] + _BEAT_S), default=0) + behind
    factor = min(1.0, got * CAP / total)
    other = max(0.0, 1 - got * FRAME / total)
    rates = (wire.mbps * factor, wire.low * factor, wire.high * factor)
    return Down(*rates, other_share=other, spread=wire.spread)


def server_rate(samples: Sequence[Sample]) -> float | None:
    """The payload's rate in Mbit/s that the server saw; None where it could not tell."""
    found = steady(samples)
    return overall(samples) if found is None else found.slope


def bounded(found: Down, server_mbps: float | None) -> Down:
    """No more than the server saw acknowledged; unchanged where it could not tell."""
    if server_mbps is None:
        return found
    bound = server_mbps * CONFIRMED
    capped = {name: min(getattr(found, name), bound) for name in ("mbps", "low", "high")}
    return found._replace(**capped)


def up(server: Sequence[Sample]) -> float | None:
    """The rate up in Mbit/s from the server's received payload; None: too little came."""
    found = steady(server)
    rate = overall(server) if found is None else found.middle
    return None if rate is None else rate * FRAME


def latency(times: Sequence[float]) -> tuple[float | None, float | None]:
    """Median, and mean difference of neighbours (jitter), of answer times in ms."""
    if not times:
        return None, None
    steps = [abs(b - a) for a, b in pairwise(times)]
    return median(times), sum(steps) / len(steps) if steps else None


def _short(nic: Sequence[Sample]) -> Steady | None:
    """The mean of a transfer too short for more; nothing is known of its interval."""
    rate = overall(nic)
    if rate is None:
        return None
    (start, before), (stop, after) = nic[0], nic[-1]
    return Steady(rate, 0.0, rate, start, stop, after - before, 0, rate)
