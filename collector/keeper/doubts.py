"""Signs of doubt in the machine ids of a school's day, for its `school_day`. Pure.

Numbers of ids, written only where one is not 0, so that an ordinary school has no row to read:

- `ids_beyond`: more ids than the register explains. A room explains its seats, its registered
  computers or one PC, whichever is most; besides, `SPARE` PCs or a quarter of all that, whichever
  is more, may be those of offices and others that no room lists.
- `ids_alike`: ids that at least `ALIKE` PCs share something with that PCs do not share: the same
  millisecond of the first or the last report; the same number of bytes received, or the same
  uptime of the agent over a minute, at the first reading; or, for at least a quarter of the
  school's PCs, first reports at the same thousandth of a second.
- `ids_unnamed`: ids without a name, in the last 30 days too. The second report of every start
  repeats what the hello said, so a PC has a name as soon as it has a row.
- `ids_late`: ids of which a report arrived `LATE_DAYS` or more after its time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from collector.keeper.fields import number
from collector.roster.register import Register, Room
from collector.store import Point

FIELDS: Final = ("ids_beyond", "ids_alike", "ids_unnamed", "ids_late")
#: Evidence that arrives so many days after its time is in doubt.
LATE_DAYS = 7
SPARE = 10
ALIKE = 5
#: Agents start within a second of each other when a room's mains are switched on.
_UPTIME_S = 60


def school_doubts(
    machine_days: Iterable[Point], stored: Iterable[Point], register: Register, school: str
) -> list[Point]:
    """The `school_day` point of a school's doubts, from its day's `machine_day` points.

    None for a school without any, unless it has `stored` ones.
    """
    rows = [point for point in machine_days if point.fields.get("seen") is True]
    found = {
        "ids_beyond": max(0, len(_ids(rows)) - explained(register, school)),
        "ids_alike": len(alike(rows)),
        "ids_unnamed": len(_ids(row for row in rows if not row.fields.get("hostname"))),
        "ids_late": len(_ids(row for row in rows if row.fields.get("late") is True)),
    }
    known = any(number(point.fields, name) for point in stored for name in FIELDS)
    if not rows or not (known or any(found.values())):
        return []
    tags = {"school": school, "district": register.district_of(school)}
    invented = any(row.fields.get("simulated") is True for row in rows)
    fields = {**found, "simulated": True} if invented else {**found}
    return [Point("school_day", tags, fields, rows[0].time)]


def explained(register: Register, school: str) -> int:
    """How many machine ids a day the register explains."""
    places = sum(_places(register, room) for room in register.rooms_of.get(school, ()))
    return places + max(SPARE, places // 4)


def _places(register: Register, room: Room) -> int:
    owned = register.equipment_of.get((room.school, room.room), ())
    computers = sum(row.count for row in owned if row.kind == "computer")
    return max(room.seats or 0, computers, 1)


def alike(machine_days: Sequence[Point]) -> set[str]:
    """The ids of PCs that share with too many others what PCs do not share."""
    prints = [(point, key) for point in machine_days for key in _prints(point)]
    often = {key for key, count in Counter(key for _, key in prints).items() if count >= ALIKE}
    groups: dict[tuple[str, object], set[str]] = defaultdict(set)
    for point, key in prints:
        if key in often:
            groups[key].add(point.tags.get("machine", ""))
    quarter = len(_ids(machine_days)) / 4
    return {
        one
        for (name, _), ids in groups.items()
        if len(ids) >= (max(ALIKE, quarter) if name == "thousandth" else ALIKE)
        for one in ids
    }


def _prints(point: Point) -> Iterator[tuple[str, object]]:
    fields = point.fields
    first, last = number(fields, "first_ms"), number(fields, "last_ms")
    received, uptime = number(fields, "first_received"), fields.get("first_uptime_s", 0)
    if first is not None:
        yield "first", first
        yield "thousandth", first % 1000
    if last is not None:
        yield "last", last
    if received:
        yield "received", received
    if isinstance(uptime, int | float) and uptime > _UPTIME_S:
        yield "uptime", uptime


def _ids(points: Iterable[Point]) -> set[str]:
    return {point.tags.get("machine", "") for point in points}
