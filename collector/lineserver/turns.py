"""Whose turn it is: one test of a line at a time, each with a lease. Pure but for randomness.

Times are seconds of a monotonic clock, given by the caller.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta, Struct

from agent.wire.messages import MachineId, SchoolCode, Text

#: What a test may last beyond the seconds it asked for, to be opened and closed.
_MARGIN_S = 10.0


class Wish(Struct, frozen=True):
    """The body of POST /v1/tests: who would test which line, and for how long at most."""

    school: SchoolCode
    machine: MachineId
    line: Text
    max_seconds: Annotated[float, Meta(gt=0, le=120)] = 15.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A granted test; it ends by itself at `until`."""

    id: str
    wish: Wish
    started: float
    until: float

    @property
    def line(self) -> tuple[str, str]:
        """Lines are named within their school."""
        return self.wish.school, self.wish.line


@dataclass(frozen=True, slots=True)
class Busy:
    """Another test of that line runs; come back after so many seconds."""

    retry_s: int


@dataclass
class Turns:
    """Grants in force, by line. Not safe for several threads: the caller locks."""

    _open: dict[tuple[str, str], Turn] = field(default_factory=dict)

    def ask(self, wish: Wish, now: float) -> Turn | Busy:
        """Grant a test of the line, or say when to come back."""
        other = self._open.get((wish.school, wish.line))
        if other is not None and now < other.until:
            return Busy(max(1, math.ceil(other.until - now)))
        turn = Turn(secrets.token_hex(16), wish, now, now + wish.max_seconds + _MARGIN_S)
        self._open[turn.line] = turn
        return turn

    def close(self, turn: Turn) -> None:
        """The test has ended: the line is free."""
        if self._open.get(turn.line) == turn:
            del self._open[turn.line]
