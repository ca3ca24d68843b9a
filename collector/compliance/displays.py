"""The displays that a room's PCs saw on a day, as `room_day` stores them. Pure.

A device's identity is a hash of all that its EDID says of it: maker, model, name, date of make, and
both serial numbers. A serial alone proves nothing: makers write one filler into hundreds of
devices. A display without a usable identity is a device of its own.

Two rooms saw two devices if both saw the identity during more than half of one same half hour: one
device cannot be in two places for more than half of the time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

#: Kinds that a class can be taught with, as the device itself tells them.
TOLD: Final = frozenset({"projector", "panel", "tv"})
#: An external display of unknown kind.
UNKNOWN: Final = "display"
#: A built-in screen of unknown size: that of an interactive panel with a PC, or of a laptop.
BUILT_IN: Final = "screen"
#: A built-in screen wider than this, cm, is an interactive panel's; desktop PCs end at 75.
PANEL_CM: Final = 75
HALF_HOUR_S: Final = 1800


class Display(NamedTuple):
    """One display in a room on a day."""

    identity: str  # 12 hex digits; empty: none usable
    kind: str  # of TOLD, else UNKNOWN or BUILT_IN
    half_hours: int = 0  # bit n: seen during more than half of half hour n of the local day


Displays = tuple[Display, ...]


def written(displays: Iterable[Display]) -> str:
    """The text that `room_day` stores: `identity:kind:half hours in hex`, by comma."""
    return ",".join(f"{one.identity}:{one.kind}:{one.half_hours:x}" for one in sorted(displays))


@lru_cache(maxsize=1 << 16)  # a room's text is the same on most days
def read(text: str) -> Displays:
    """The displays of a stored text."""
    parts = (part.split(":") for part in text.split(",") if part)
    return tuple(Display(identity, kind, int(bits, 16)) for identity, kind, bits in parts)


def both(one: Displays, other: Displays) -> Displays:
    """The displays of two rows of one room's day: the district changed, or the register."""
    if one == other:
        return one
    bits: dict[tuple[str, str], int] = {}
    own = Counter(seen for seen in one if not seen.identity)
    own |= Counter(seen for seen in other if not seen.identity)
    for seen in (*one, *other):
        if seen.identity:
            key = seen.identity, seen.kind
            bits[key] = bits.get(key, 0) | seen.half_hours
    return tuple(sorted([*own.elements(), *(Display(*key, value) for key, value in bits.items())]))
