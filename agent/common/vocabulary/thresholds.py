"""When a line meets the threshold T, and when a test of it is no evidence. Pure.

T is the setting `[figure] threshold_mbps` of the collector; agents learn it by policy.
"""

from __future__ import annotations

#: T where nothing else is set, in Mbit/s.
THRESHOLD_MBPS = 10.0
#: A line meets T from this share of it on: framing between IP and layer 1, and the instrument.
TOLERANCE = 0.97
#: A test proves nothing if this PC's other traffic during it is this share or more.
OTHER_TRAFFIC = 0.05
#: A test is lossy from this share of segments sent again on, if no queue as long as this, in ms,
#: stood before the line. From the third on, in ms, there is a rate only where the line was full.
_SENT_AGAIN, _QUEUE_MS, _FAR_MS = 0.002, 5.0, 200.0


def label(threshold_mbps: float) -> str:
    """T as people call it: 10M, 2.5M, 1000M."""
    return f"{number(threshold_mbps)}M"


def limit(threshold_mbps: float, tolerance: float = TOLERANCE) -> float:
    """What a line must reach to meet T, in Mbit/s, free of binary rounding: 9.7, 97."""
    return round(tolerance * threshold_mbps, 9)


def is_lossy(loss_share: float | None, latency_ms: float | None, loaded_ms: float | None) -> bool:
    """Whether losses on the way seem to have held a test's connections back, not the line's rate.

    Connections that fill a line make a queue before it, and lose what does not fit: then a loaded
    answer takes longer than an idle one. What was read without a queue is what was delivered.
    """
    if loss_share is None or latency_ms is None or loaded_ms is None or latency_ms >= _FAR_MS:
        return False
    return loss_share >= _SENT_AGAIN and loaded_ms - latency_ms < _QUEUE_MS


def number(value: float) -> str:
    """A rate without an exponent and without trailing zeros."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
