"""The audit: how many reports each PC produced, and how many of them the store has.

An agent numbers the reports of a boot without gaps: 1 is the hello, which writes no point, and
every later number is a report. So each number that the store lacks, up to the last one it has, is
in quarantine, was dropped and counted by a full outbox, still waits in the outbox, or is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.keeper.fields import number, text
from collector.store import Point, Store, Value
from collector.store.clocks import of_pcs

_FIELDS = (
    "boot", "number", "offset_ms", "uptime_s", "outbox_rows", "dropped_telemetry",
    "dropped_evidence", "lost",
)  # fmt: skip
_FIRST = 2  # the hello is 1
Boot = tuple[str, str, str]  # school, machine, boot


class Audited(NamedTuple):
    """One PC's sums over the boots that reported within the audited time."""

    school: str
    machine: str
    produced: int
    stored: int
    quarantined: int
    dropped: int  # the PC's own count: telemetry, evidence and rows lost by a damaged outbox
    waiting: int  # rows in its outbox at its last report
    offset_ms: int | None  # corrected time minus the PC's own clock, at its last report

    @property
    def gap(self) -> int:
        """Reports neither stored nor in quarantine."""
        return self.produced - self.stored - self.quarantined

    @property
    def missing(self) -> int:
        """The part of the gap that is neither dropped nor waiting."""
        return max(0, self.gap - self.dropped - self.waiting)


@dataclass(slots=True)
class _Seen:
    numbers: set[int] = field(default_factory=set)
    begun: int | None = None  # ns, the earliest start time that its uptimes give


@dataclass(slots=True)
class _Machine:
    boots: dict[str, _Seen] = field(default_factory=dict)
    last: int = -1
    fields: Mapping[str, object] = field(default_factory=dict)
    dropped: list[tuple[int, int]] = field(default_factory=list)


def audit(
    store: Store,
    schools: Iterable[str],
    start: int,
    stop: int,
    quarantined: Counter[Boot] | None = None,
) -> Iterator[Audited]:
    """Every PC of `schools` that reported within [start, stop), ns since 1970 UTC.

    Memory is that of one school.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    quarantined = quarantined or Counter()
    for school in schools:
        points = store.read("agent", start, stop, {"school": school}, _FIELDS)
        for machine, seen in sorted(_gather(points).items()):
            yield _audited(school, machine, seen, start, quarantined)


#: A PC's clock that is further off than this counts as wrong, ms.
CLOCK_MS = 5 * 60_000
_DAY_NS = 24 * 3600 * 10**9


def sums_of(
    store: Store, schools: Iterable[str], now: int, quarantined: Counter[Boot]
) -> dict[str, Value]:
    """The audit of the last 24 h as fields of `collector`; memory is that of one school.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    missing = pcs = 0
    offsets: list[int] = []
    for one in audit(store, schools, now - _DAY_NS, now + 1, quarantined):
        missing += one.missing
        pcs += one.missing > 0
        offsets += [] if one.offset_ms is None else [one.offset_ms]
    off = sum(abs(offset) > CLOCK_MS for offset in offsets)
    sums: dict[str, Value] = {"missing": missing, "missing_pcs": pcs, "clocks_off": off}
    most = of_pcs(offsets)
    return sums if most is None else sums | {"ahead_of_pcs_s": most.ahead_s}


def _gather(points: Iterable[Point]) -> dict[str, _Machine]:
    found: dict[str, _Machine] = {}
    for point in points:
        boot, which = text(point.fields, "boot"), number(point.fields, "number")
        if not boot or which is None:
            continue
        machine = found.setdefault(point.tags.get("machine", ""), _Machine())
        seen = machine.boots.setdefault(boot, _Seen())
        seen.numbers.add(which)
        seen.begun = _begun(point, seen.begun)
        machine.dropped.append((point.time, _dropped(point.fields)))
        if point.time > machine.last:
            machine.last, machine.fields = point.time, point.fields
    return found


def _begun(point: Point, known: int | None) -> int | None:
    uptime = point.fields.get("uptime_s")
    if not isinstance(uptime, int | float):
        return known
    begun = point.time - int(uptime * 1e9)
    return begun if known is None else min(known, begun)


def _dropped(fields: Mapping[str, object]) -> int:
    counts = (fields.get(name, 0) for name in ("dropped_telemetry", "dropped_evidence", "lost"))
    return sum(count for count in counts if isinstance(count, int))


def _audited(
    school: str, machine: str, seen: _Machine, start: int, quarantined: Counter[Boot]
) -> Audited:
    produced = sum(_produced(boot, start) for boot in seen.boots.values())
    waiting, offset = seen.fields.get("outbox_rows", 0), seen.fields.get("offset_ms")
    # The counters outlive a boot, so count their growth within the audited time.
    _, before = min(seen.dropped)
    _, after = max(seen.dropped)
    return Audited(
        school,
        machine,
        produced,
        sum(len(boot.numbers) for boot in seen.boots.values()),
        sum(quarantined[school, machine, boot] for boot in seen.boots),
        max(0, after - before) if start > 0 else after,
        waiting if isinstance(waiting, int) else 0,
        offset if isinstance(offset, int) else None,
    )


def _produced(boot: _Seen, start: int) -> int:
    """How many numbers the boot used within the audited time, up to the last stored one."""
    whole = boot.begun is None or boot.begun >= start
    first = _FIRST if whole else min(boot.numbers)
    return max(boot.numbers) - first + 1
