"""A city-year in a register and a store, for benchmarks: what the yearly figure reads, no more.

Rooms' days are written as the keeper would derive them from the PCs' days, which themselves are
left out: the figure never reads those, and they would take twenty times as long to make.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from agent.common.calendar import midnight_ns
from collector.compliance import places
from collector.compliance.displays import Display, written
from collector.compliance.split import identities_of
from collector.config import Config
from collector.roster.book import RegisterBook
from collector.simulate import evidence, linetests, writing
from collector.simulate.build import build
from collector.simulate.city import City, Pc, Size
from collector.simulate.habits import chance
from collector.store import Point
from collector.store.base import Store
from collector.store.factory import open_store

CUTOFF = dt.date(2025, 12, 31)  # a year that is over
CLASSES = (16, 24)  # a school: 20 on average
_BATCH = 20_000
#: Half hours of the day from 7:30 to 17:30, as bits.
_DAY = sum(1 << n for n in range(15, 35))


def city_of(schools: int) -> City:
    """A city of 20 classes and some 50 PCs a school."""
    size = Size(schools, 1, CUTOFF.year, every_case=True, classes=CLASSES)
    return build(size, CUTOFF, CUTOFF)


def write(config: Config, city: City) -> int:
    """Write register and evidence; returns the number of points."""
    config.folder.mkdir(parents=True, exist_ok=True)
    writing.write_register(RegisterBook(config.folder / "register.db"), city)
    with open_store(config) as store:
        return sum(_write(store, points) for points in days(city))


def _write(store: Store, points: list[Point]) -> int:
    for at in range(0, len(points), _BATCH):
        store.write(points[at : at + _BATCH])
    return len(points)


def days(city: City) -> Iterator[list[Point]]:
    """The points of each open day, oldest first."""
    rooms: dict[tuple[str, str], list[Pc]] = defaultdict(list)
    for pc in city.pcs:
        if pc.room:
            rooms[pc.school, pc.room].append(pc)
    district = {school.code: school.responsible for school in city.schools}
    offline = evidence.offline_of(city)
    for rank in reversed(range(len(city.days))):
        points = [
            point
            for (school, room), pcs in rooms.items()
            if (point := _room_day(city, district[school], room, pcs, rank, offline))
        ]
        lists = school_days(district, points, midnight_ns(city.days[rank]))
        yield [*points, *lists, *linetests.tests_of(city, rank, offline)]


def school_days(district: Mapping[str, str], rooms: Iterable[Point], time: int) -> Iterator[Point]:
    """Each school's list of the displays that its rooms saw on the day of these rows."""
    seen: dict[str, dict[str, set[str]]] = {school: {} for school in district}
    for point in rooms:
        room, listed = point.tags["room"], seen[point.tags["school"]]
        for identity in identities_of(str(point.fields["display_ids"])):
            listed.setdefault(identity, set()).add(room)
    for school, listed in seen.items():
        fields = {"open": True, "simulated": True, "display_rooms": places.written(listed)}
        yield Point("school_day", {"school": school, "district": district[school]}, fields, time)


def _room_day(
    city: City, district: str, room: str, pcs: list[Pc], rank: int, offline: evidence.Offline
) -> Point | None:
    on = [pc for pc in pcs if evidence.reports_on(city, pc, rank, offline)]
    if not on:
        return None
    school = on[0].school
    gear = [one for pc in on for one in pc.gear if one.seen.holds(rank, offline[school])]
    # Most days are whole; on some the PC was switched off early.
    hours = _DAY if chance(school, room, rank) < 0.7 else _DAY >> (1 + rank % 8)
    seen = [
        Display(f"{int(chance(one.serial) * 2**48):012x}", one.kind, hours)
        for one in gear
        if one.kind in ("projector", "panel", "tv")
    ]
    strong = sum(not pc.weak for pc in on)
    fields = {
        "pcs": strong, "together": strong, "computer": True, "simulated": True,
        "display": bool(seen), "sound": bool(gear), "display_ids": written(seen),
    }  # fmt: skip
    tags = {"school": school, "district": district, "room": room}
    return Point("room_day", tags, fields, midnight_ns(city.days[rank]))


def settings_text(folder: Path, kind: str, url: str = "", evidence_name: str = "") -> str:
    """A collector.toml for the city in `folder`."""
    store = f'kind = "{kind}"\n'
    if url:
        store += f'url = "{url}"\nevidence = "{evidence_name}"\ntelemetry = "{evidence_name}_t"\n'
    return f'data = "{folder}"\n[store]\n{store}'
