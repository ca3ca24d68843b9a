"""Full-jitter backoff: a random wait below a bound that doubles up to a cap."""

from __future__ import annotations

import random


class Backoff:
    """Waits in seconds, as AWS's "Exponential Backoff And Jitter" names full jitter."""

    def __init__(self, base: float = 0.5, cap: float = 30.0) -> None:
        self._base, self._cap = base, cap
        self._tries = 0

    def next(self) -> float:
        """The next wait, uniform between 0 and the bound."""
        bound = min(self._cap, self._base * 2**self._tries)
        self._tries = min(self._tries + 1, 32)
        return random.uniform(0.0, bound)  # noqa: S311 (spreads load, guards nothing)

    def reset(self) -> None:
        """It worked: begin anew."""
        self._tries = 0
