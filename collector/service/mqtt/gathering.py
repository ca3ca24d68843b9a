"""When to wait a little before a read, so that one wake-up serves several messages.

A wake-up costs more than a message. But a broker that has sent as much as it sends without an
acknowledgement, its window, sends nothing while we wait. No broker says how large its window is,
and a full one looks like a calm hour: each wait brings the same few. So both ways take turns. The
better one has the long turns; where they bring much alike, that is the one that waits.

Where waits bring several, they go on while no less comes: then neither the broker's window is full
nor a buffer on the way. A little comes all the same, as QoS 0 has no window. Large messages of that
kind look like more: they hold others up for a turn, until that tells the ways apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: Between two reads, s, while each brings few packets; a longer wait has several such steps.
GATHER_S = 0.005
#: A read that brings as many a step is not waited for longer.
ENOUGH = 16
#: A turn of the better way, s; those of the other are short, so that trying costs little.
TURN_S = 200 * GATHER_S
#: What reads without waits must bring to be better: so many times as much, and more than chance
#: does where hardly anything comes.
_TIMES, _MORE = 2, 2
#: Waits without which a turn of them tells nothing.
_WAITS = 4
#: A wait that brings as many a step goes on, for so many steps at most.
_SEVERAL, STEPS = 4, 4
#: Waits until the next one goes on, where its last step brought too little; each time twice as
#: many, at most so many.
_HELD, _LONG_HELD = 8, 2048


class Gathering:
    """Of one connection: `read` for each read, `took` for what it has brought."""

    def __init__(self) -> None:
        self.pause: Callable[[float], None] = time.sleep
        self._read_at, self._came = 0.0, 0  # the last read, and how many packets it brought
        self._waited = False  # before that
        self._steps = 1  # of that wait
        self._planned = 2  # steps of the next one that goes on
        self._held, self._hold = 0, _HELD  # waits that do not, now and the next time
        self._better = self._waits = True  # to wait, or in this turn
        self._begun, self._in_turn = 0.0, 0  # the turn, and what it has brought
        self._waits_done, self._most = 0, 0.0  # in it, and the most after one step of them
        self._usual = 0.0  # what the last turn of the better way brought

    def read(self, read: Callable[[], int]) -> None:
        """Wait a little where the last read was just now and brought little, and `read`.

        That takes what has come, and returns how many bytes there are with what it took before; it
        is called twice where a wait goes on.
        """
        now = time.monotonic()
        self._take_turns(now)
        left = self._read_at + GATHER_S - now
        self._waited = left > 0 and self._waits and self._came < ENOUGH * self._steps
        if self._waited:
            self._wait(left, read)
            now = time.monotonic()
        else:
            self._steps = 1
            read()
        self._read_at, self._came = now, 0

    def _wait(self, left: float, read: Callable[[], int]) -> None:
        """A step of which that much is left, and more of them while more comes."""
        if self._held or self._came < _SEVERAL * self._steps:
            self._held, self._steps, self._planned = max(0, self._held - 1), 1, 2
            self.pause(left)
            read()
        else:
            self._steps = self._planned
            self._go_on(left + (self._steps - 2) * GATHER_S, read)

    def _go_on(self, first: float, read: Callable[[], int]) -> None:
        """All steps but the last one without a look, then whether that brings half its share."""
        self.pause(first)
        before = read()
        self.pause(GATHER_S)
        if 2 * (self._steps - 1) * (read() - before) > before:
            self._planned, self._hold = min(self._steps + 1, STEPS), _HELD
        else:
            self._held, self._hold = self._hold, min(2 * self._hold, _LONG_HELD)

    def took(self, count: int) -> None:
        """So many packets were handled."""
        self._came += count
        self._in_turn += count

    def _take_turns(self, now: float) -> None:
        if self._waited:
            self._waits_done += 1
            self._most = max(self._most, self._came / self._steps)
        long = self._waits == self._better
        lasted = now - self._begun
        if lasted < (TURN_S if long else GATHER_S) or (self._waits and self._waits_done < _WAITS):
            return
        brought = self._most if self._waits else self._in_turn * GATHER_S / lasted
        if long:
            self._usual, self._waits = brought, not self._waits
        else:
            with_, without = (brought, self._usual) if self._waits else (self._usual, brought)
            self._better = self._waits = without <= _TIMES * with_ + _MORE
        # What the next read brings has come since the last one.
        self._begun, self._in_turn, self._waits_done, self._most = self._read_at, 0, 0, 0.0
