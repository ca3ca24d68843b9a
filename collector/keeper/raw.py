"""A school's raw points of a day, as the keeper reads them, and which of them are new."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Self

import msgspec

from collector.schema import MEASUREMENTS
from collector.store import Point, Store

_AGENT = (
    "boot", "number", "weak_id", "room", "simulated", "uncertain", "probes", "sources", "version",
    "offset_ms", "outbox_rows", "late_days", "uptime_s",
)  # fmt: skip
_HOST = ("hostname", "uncertain", "received_bytes")
_DEVICE = (
    "present", "fault", "power", "maker", "model", "serial", "connector", "room", "simulated",
    "uncertain", "lamp_hours", "name", "year", "week", "serial_number", "width_cm",
)  # fmt: skip
_MASK = 2**63 - 1
_ENCODE = msgspec.msgpack.Encoder().encode
#: Reads of a report that is being written find points without its `agent` point.
_TRIES = 3

#: Where a row has its machine.
_MACHINE = 1 + MEASUREMENTS["agent"].tags.index("machine")

ReportKey = tuple[str, int]  # machine, time in ns: a report's points have one time


class Raw(NamedTuple):
    """Points of a school, oldest first, PCs not merged."""

    agents: list[Point]
    hosts: list[Point]
    devices: list[Point]

    def all(self) -> Iterator[Point]:
        """Every point."""
        yield from self.agents
        yield from self.hosts
        yield from self.devices

    def only(self, wanted: Mapping[ReportKey, int]) -> Raw:
        """The points of these reports."""
        return Raw(*([p for p in points if _key(p) in wanted] for points in self))


def read(store: Store, school: str, start: int, stop: int) -> Raw:
    """The points with start <= time < stop, in ns since 1970 UTC.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    return read_schools(store, [school], start, stop)[school]


def read_schools(store: Store, schools: Sequence[str], start: int, stop: int) -> dict[str, Raw]:
    """As `read`, the points of each of these schools, by as many queries as for one.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    found, again = dict[str, Raw](), list(schools)
    for _ in range(_TRIES):
        found |= _read(store, again, start, stop)
        again = [school for school in again if not _whole(found[school])]
        if not again:
            break
    return found


def _read(store: Store, schools: Sequence[str], start: int, stop: int) -> dict[str, Raw]:
    asked = {"agent": _AGENT, "host": _HOST, "device": _DEVICE}
    tags = {"school": schools[0] if len(schools) == 1 else schools}
    found = Raw(*(list(store.read(name, start, stop, tags, asked[name])) for name in asked))
    return _by_school(found, schools)


def _whole(found: Raw) -> bool:
    """Whether every point has the `agent` point of its report."""
    agents = set(map(_key, found.agents))
    return all(_key(point) in agents for point in (*found.hosts, *found.devices))


def _by_school(found: Raw, schools: Sequence[str]) -> dict[str, Raw]:
    parted = {school: Raw([], [], []) for school in schools}
    for place, points in enumerate(found):
        for point in points:
            parted[point.tags["school"]][place].append(point)
    return parted


def digests(raw: Raw) -> dict[ReportKey, int]:
    """What tells whether a report's points are those that were read before."""
    found: dict[ReportKey, int] = {}
    for point in raw.all():
        content = _ENCODE((point.measurement, point.tags, point.fields))
        digest = blake2b(content, digest_size=8, usedforsecurity=False).digest()
        key = _key(point)
        found[key] = (found.get(key, 0) + int.from_bytes(digest)) & _MASK
    return found


class Reports:
    """The reports that a school's day was computed from: 16 bytes each."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[array[int], array[int]]] = {}  # by machine: times, digests

    def new(self, found: dict[ReportKey, int], since: int) -> dict[ReportKey, int] | None:
        """Those of `found` (all reports since then) that are not in it.

        None if one that is in it has changed or is gone, or if a new one is not its PC's last.
        """
        fresh = dict(found)
        for machine, (times, known) in self._of.items():
            for at in range(bisect_left(times, since), len(times)):
                if fresh.pop((machine, times[at]), None) != known[at]:
                    return None
        late = any(
            machine in self._of and time <= self._of[machine][0][-1] for machine, time in fresh
        )
        return None if late else fresh

    def add(self, fresh: Mapping[ReportKey, int]) -> None:
        """Add reports that `new` gave."""
        for (machine, time), known in sorted(fresh.items()):
            times, all_known = self._of.setdefault(machine, (array("q"), array("q")))
            times.append(time)
            all_known.append(known)

    def are_stored(self, store: Store, school: str, start: int, stop: int) -> bool:
        """Whether, of start <= time < stop, the store has these reports of a school and no others.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        rows = store.rows("agent", start, stop, {"school": school}, ["boot"])
        there = {(row[_MACHINE] or "", row[0]) for row in rows}
        here = {
            (machine, time)
            for machine, (times, _) in self._of.items()
            for time in times
            if time < stop
        }
        return there == here

    def packed(self) -> dict[str, tuple[bytes, bytes]]:
        """As bytes of this machine, by PC; `unpacked` gives them back."""
        return {pc: (times.tobytes(), known.tobytes()) for pc, (times, known) in self._of.items()}

    @classmethod
    def unpacked(cls, packed: Mapping[str, tuple[bytes, bytes]]) -> Self:
        """The reports that were packed."""
        made = cls()
        made._of = {
            pc: (array("q", times), array("q", known)) for pc, (times, known) in packed.items()
        }
        return made

    def newest(self) -> int:
        """The time of the last of them, ns; 0: there are none."""
        return max((times[-1] for times, _ in self._of.values()), default=0)


def _key(point: Point) -> ReportKey:
    return point.tags.get("machine", ""), point.time
