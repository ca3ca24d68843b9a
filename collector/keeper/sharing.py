"""Finds machine ids that two PCs use at once, by overlapping boots. Pure.

An agent draws a boot id at each start, so the boots of one PC follow each other. If two boots of
one machine id overlap in time, two PCs have it: their hardware sources are all the same and not on
the list of shared values. Report times come from corrected clocks, so they can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.store import Point

#: In a point of a merged PC: the field with the PC's own machine id.
OWN_ID = "own_id"
#: The overlap that counts: a PC that restarts while its clock is corrected overlaps a little.
OVERLAP_MS = 60_000

Spans = Mapping[str, tuple[int, int]]  # boot -> first and last report, ms


def shared_sources(agents: Iterable[Point]) -> dict[tuple[str, str], str]:
    """The sources of ids that PCs share, comma-separated, empty if unknown; by school and machine.

    `agents` are a day's raw points, in any order.
    """
    spans: dict[tuple[str, str, str], dict[str, tuple[int, int]]] = defaultdict(dict)
    sources: dict[tuple[str, str, str], str] = {}
    for point in filter(certain, agents):
        # Merged PCs are told apart by their own ids: their boots may overlap.
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
