"""On which days something happens, by rank: how many open days before the newest one.

Rank 0 is the newest day with evidence. The figure's window has 30 open days up to the cut-off, so
ranks up to 25 are always inside it and ranks from 32 always before it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

BEFORE_WINDOW = 32  # the first rank that is always before the window
#: How many ranks the cases need at least: the window and two weeks before it.
NEEDED = 46
#: Ranks on which whole schools may be off, by remainder; no case depends on such a rank.
_OFFLINE_EVERY, _OFFLINE_REST = 4, 3


def chance(*parts: object) -> float:
    """A pseudo-random number in [0, 1) that depends only on the parts."""
    text = "\0".join(map(str, parts))
    digest = hashlib.blake2b(text.encode(), digest_size=7).digest()
    return int.from_bytes(digest) / float(1 << 56)


@dataclass(frozen=True, slots=True)
class Habit:
    """Ranks on which something happens.

    With `only`, exactly those. Else the ranks newest..oldest without the school's offline days:
    those in `sure` always, the others with the probability `share`.
    """

    only: frozenset[int] | None = None
    newest: int = 0
    oldest: int = 1_000_000
    share: float = 1.0
    sure: frozenset[int] = frozenset()

    def holds(self, rank: int, offline: frozenset[int], *seed: object) -> bool:
        """Whether it happens on the day of `rank`."""
        if self.only is not None:
            return rank in self.only
        if not self.newest <= rank <= self.oldest or rank in offline:
            return False
        return rank in self.sure or self.share >= 1 or chance(rank, *seed) < self.share


ALWAYS = Habit()
NEVER = Habit(only=frozenset())
USUALLY = Habit(share=0.9, sure=frozenset({2, 5, 8, 13, 17}))
BEFORE = Habit(newest=BEFORE_WINDOW)


def on(*ranks: int) -> Habit:
    """Exactly on these ranks."""
    return Habit(only=frozenset(ranks))


def offline_days(seed: int, school: str, ranks: int) -> frozenset[int]:
    """The ranks on which nobody at the school reports: power cuts, sports days."""
    candidates = range(_OFFLINE_REST, ranks, _OFFLINE_EVERY)
    return frozenset(rank for rank in candidates if chance(seed, school, rank) < 0.25)
