"""From counters to the line's rates. Pure.

Down: the steady rate of the interface's received bytes (see agent.common.steady), which counts
what the line carried rather than what the application got. Traffic inside the school must not
raise it, so the interface's bytes may be no more than the payload received × 1.06, or the rate
is brought down by the same factor. A full Ethernet frame of 1514 bytes, as interfaces count it,
carries 1448 of payload (IPv4, TCP with time stamps): a factor of 1.0456; the rest of the 1.06
is slack. The payload lags: the application gets nothing of a connection while a lost segment
is missing, and on a slow line that may take seconds. It catches up in between, so the two are
compared at the moment of the download's later half at which they agree best; traffic that is
not ours parts them at every moment. Where the server's system tells which frames arrived
(those ahead of a gap too), that is the sharper bound: what the interface counts beyond 1.01
times their rate is somebody else's.

Up: the frames that reached the server (TCP counts segments as they come, also those ahead of a
gap), or, where its system does not tell, its received payload × 1514/1448. The interface here
would also count the packets that a queue on the way drops.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from agent.common.steady import Sample, Steady, after_burst, median, overall, steady

#: Bytes on the interface for each byte of payload in a full frame.
FRAME = 1514 / 1448
#: An interface's rate beyond payload times this is somebody else's traffic.
CAP = 1.06
#: ... or, beyond the rate of the frames that the server knows to have arrived, times this.
_FRAMES_CAP = 1.01
#: A rate beyond the server's record times this is not confirmed by it.
CONFIRMED = 1.08
#: No round trip is thought longer, in s.
_MAX_LAG_S = 0.3


class Down(NamedTuple):
    """The rate down in Mbit/s with its interval, and the share of traffic not ours.

    `burst`: the line slowed down for good amid the test; the rate is the later one.
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
) -> Down | None:
    """The rate down from the interface's counter and the payload's; None: too little came.

    Both are (seconds, bytes so far) by one clock, from the download's start; `lag_s` is the
    loaded round trip. `frames` are the server's, by its own clock: bytes on the wire of the
    frames that arrived; none where it cannot tell.
    """
    kept = after_burst(nic)
    wire = steady(kept) or _short(nic)
    if wire is None or not payload:
        return None
    ours = _ours(nic, payload, wire.mbps * 1e6 / 8 * min(lag_s, _MAX_LAG_S))
    factor, other = min(1.0, ours * CAP), 1 - ours * FRAME
    long = nic[-1][0] - nic[0][0]
    arrived = steady(after_burst([one for one in frames if one[0] - frames[0][0] <= long]))
    if arrived is not None and wire.steps:
        share = arrived.mbps / wire.mbps
        factor, other = min(factor, share * _FRAMES_CAP), 1 - share
    return Down(
        wire.mbps * factor,
        wire.low * factor,
        wire.high * factor,
        other_share=max(0.0, other),
        spread=wire.spread,
        burst=len(kept) < len(nic),
    )


def _ours(nic: Sequence[Sample], payload: Sequence[Sample], behind: float) -> float:
    """Payload for each byte of the interface, where the two agree best in the later half.

    `behind`: bytes of payload that are here and not yet read.
    """
    (start, before), (stop, _) = nic[0], nic[-1]
    best, at = 0.0, 0
    for t, count in nic:
        while at < len(payload) - 1 and payload[at + 1][0] <= t:
            at += 1
        if t >= (start + stop) / 2 and count > before:
            best = max(best, (payload[at][1] + behind) / (count - before))
    return best


def server_rate(samples: Sequence[Sample]) -> float | None:
    """The payload's rate in Mbit/s that the server saw; None where it could not tell."""
    found = steady(samples)
    return overall(samples) if found is None else found.mbps


def bounded(found: Down, server_mbps: float | None) -> Down:
    """No more than the server saw acknowledged; unchanged where it could not tell."""
    if server_mbps is None:
        return found
    bound = server_mbps * CONFIRMED
    mbps, low, high = (min(rate, bound) for rate in (found.mbps, found.low, found.high))
    return found._replace(mbps=mbps, low=low, high=high)


def up(server: Sequence[Sample], frames: Sequence[Sample] = ()) -> float | None:
    """The rate up in Mbit/s from the server's received payload, or better from the bytes of
    the frames that reached it; None: too little came."""
    wire = steady(frames)
    if wire is not None:
        return wire.mbps
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
