"""One machine id that two PCs use at once, found by interleaving boots. Pure.

An agent draws a boot at each start, and one PC's boots follow each other. Where two boots of
one id overlap in time, two PCs speak: every hardware source of theirs is the same, and no list
of shared values knew it. Report times are sealed by corrected clocks, so they can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.store.base import Point

#: The field with its own id, of a point that is said of the PC that it was merged into.
OWN_ID = "own_id"
#: What two boots must overlap: a PC that starts again while its clock is set is one PC.
OVERLAP_MS = 60_000

Spans = Mapping[str, tuple[int, int]]  # boot -> first and last report, ms


def shared_sources(agents: Iterable[Point]) -> dict[tuple[str, str], str]:
    """By (school, machine): the sources, by comma, of ids that PCs share; empty if not told.

    `agents` are a day's raw points, in any order.
    """
    spans: dict[tuple[str, str, str], dict[str, tuple[int, int]]] = defaultdict(dict)
    sources: dict[tuple[str, str, str], str] = {}
    for point in filter(certain, agents):
        # PCs that were merged have ids of their own: that they overlap says nothing of these.
        key = *_pc(point), text(point.fields, OWN_ID)
        boot, time = text(point.fields, "boot"), point.time // MS
        first, last = spans[key].get(boot, (time, time))
        spans[key][boot] = min(first, time), max(last, time)
        sources[key] = max(sources.get(key, ""), text(point.fields, "sources"))
    return {key[:2]: sources[key] for key, boots in spans.items() if interleave(boots)}


def _pc(point: Point) -> tuple[str, str]:
    return point.tags.get("school", ""), point.tags.get("machine", "")


def interleave(boots: Spans) -> bool:
    """Whether two of the boots overlap."""
    until = None
    for first, last in sorted(boots.values()):
        if until is not None and min(until, last) - first >= OVERLAP_MS:
            return True
        until = last if until is None else max(until, last)
    return False
