"""Finds machine ids that two PCs use at once, by overlapping boots. Pure.

An agent draws a boot id at each start, so the boots of one PC follow each other. If two boots of
one machine id overlap in time, two PCs have it: their hardware sources are all the same and not on
the list of shared values. Report times come from corrected clocks, so they can be compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    found: dict[tuple[str, str], Boots] = defaultdict(Boots)
    for point in filter(certain, agents):
        found[_pc(point)].add(point)
    return {pc: sources for pc, boots in found.items() if (sources := boots.shared()) is not None}


@dataclass(slots=True)
class Boots:
    """The boots of one PC's day, and the sources of its id.

    Merged PCs are told apart by their own ids: their boots may overlap.
    """

    spans: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def add(self, point: Point) -> None:
        """Add a certain `agent` point."""
        own, boot, time = text(point.fields, OWN_ID), text(point.fields, "boot"), point.time // MS
        spans = self.spans.setdefault(own, {})
        first, last = spans.get(boot, (time, time))
        spans[boot] = min(first, time), max(last, time)
        self.sources[own] = max(self.sources.get(own, ""), text(point.fields, "sources"))

    def count(self) -> int:
        """How many boots."""
        return len({boot for spans in self.spans.values() for boot in spans})

    def shared(self) -> str | None:
        """The sources of an id that PCs share; None if none is shared."""
        found = [self.sources[own] for own, spans in self.spans.items() if interleave(spans)]
        return max(found, default=None)


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
