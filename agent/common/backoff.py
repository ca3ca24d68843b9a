"""Full-jitter backoff: the wait is drawn evenly from nothing to a doubling, capped limit.

Spreads a fleet that lost the same broker at the same second better than any fixed wait.
Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
from collections.abc import Callable

#: 2 ** 32 doublings are past every cap; larger powers would only overflow a float.
_MAX_DOUBLINGS = 32


def backoff(
    attempt: int, draw: Callable[[], float] = random.random, *, base: float, cap: float
) -> float:
    """Seconds to wait after the failure of attempt `attempt`, counted from 0.

    `draw` gives a number in [0, 1); `base`, of the first wait, and `cap` are seconds.
    """
    return draw() * min(cap, base * (1 << min(attempt, _MAX_DOUBLINGS)))
