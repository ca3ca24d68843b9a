"""Points of a school's PCs: under which machine, in which rooms, with a TV or not. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from collector.keeper.fields import number
from collector.keeper.machines import MachineKey
from collector.keeper.sharing import OWN_ID
from collector.roster.register import Register
from collector.store import Point


def reports_in(machine_days: Iterable[Point], key_of: Callable[[Point], MachineKey]) -> int:
    """The reports that `machine_day` rows were derived from.

    A PC that was bound to another room during the day has a row in each.
    """
    found: dict[MachineKey, int] = defaultdict(int)
    for point in machine_days:
        key, count = key_of(point), number(point.fields, "reports") or 0
        found[key] = max(found[key], count)
    return sum(found.values())


def merged(point: Point, register: Register) -> Point:
    """The point, that of a merged PC under the machine id that it was merged into."""
    machine = point.tags.get("machine", "")
    known = register.known_as(point.tags.get("school", ""), machine)
    if known == machine:
        return point
    fields = {**point.fields, OWN_ID: machine}
    return point._replace(tags={**point.tags, "machine": known}, fields=fields)


def with_tv(pcs: Iterable[Point], register: Register) -> set[MachineKey]:
    """The PCs (school, machine) whose room has a TV in the register."""
    owned = register.equipment_of
    return {
        (school, point.tags["machine"])
        for point in pcs
        for school in (point.tags["school"],)
        if any(
            row.kind == "tv" and row.count > 0
            for row in owned.get((school, point.tags.get("room", "")), ())
        )
    }


def pc_of(point: Point) -> MachineKey:
    """School and machine."""
    return point.tags.get("school", ""), point.tags.get("machine", "")


def rooms_of(rows: Iterable[Point]) -> dict[MachineKey, set[str]]:
    """The rooms that each PC's rows are in."""
    found: dict[MachineKey, set[str]] = defaultdict(set)
    for point in rows:
        found[pc_of(point)].add(point.tags.get("room", ""))
    return found


def within(points: Iterable[Point], rooms: Collection[str]) -> Iterator[Point]:
    """Those in one of the rooms."""
    return (point for point in points if point.tags.get("room", "") in rooms)
