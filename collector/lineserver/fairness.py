"""Which school gets the next free place where there are fewer places than schools that ask. Pure.

A school keeps its place in the queue as long as it asks again in time. The schools without a
running test come first, then those that have asked longest: asking often brings nobody forward.
"""

from __future__ import annotations

from collections.abc import Mapping


class Queue:
    """The schools that were told to come back."""

    def __init__(self, places: int, patience_s: float) -> None:
        """`patience_s`: how long a school that does not ask again keeps its place."""
        self._places, self._patience_s = places, patience_s
        self._asked: dict[str, tuple[float, float]] = {}  # first and last time, s

    def may(self, school: str, running: Mapping[str, int], now: float) -> bool:
        """Whether the school may have one of the places that are free; if not, it is queued.

        `running`: its tests that run, by school.
        """
        free = self._places - sum(running.values())
        self._asked = {
            one: (first, last)
            for one, (first, last) in self._asked.items()
            if 0 <= now - last < self._patience_s
        }
        mine = running.get(school, 0), self._asked.get(school, (now, now))[0]
        before = sum(
            (running.get(one, 0), first) < mine
            for one, (first, _) in self._asked.items()
            if one != school
        )
        if before < free:
            return True
        self._asked[school] = (mine[1], now)
        return False

    def served(self, school: str) -> None:
        """The school has got a place."""
        self._asked.pop(school, None)
