"""Builds a city: draws the cases, then lays out each school. Pure; one city for each seed."""

from __future__ import annotations

import datetime as dt
import random

from collector.compliance.model import Indicator, Verdict
from collector.roster import areas
from collector.roster.register import Campus, Inspection, School
from collector.simulate import classrooms, linework, pcrooms, years
from collector.simulate.cases import CLASSES, LINES, PC_ROOMS, ROOMLESS, Visit
from collector.simulate.city import DISTRICTS, City, Expected, Size, deck, empty

_TYPES = ("小学", "小学", "小学", "初中", "初中", "九年一贯制", "完全中学", "高中")
_KINDS = {"高中": "高级中学", "完全中学": "中学", "九年一贯制": "学校", "初中": "初级中学"}
#: One school in this many is under the city itself, whatever its district.
_CITY_RUN_EVERY = 15
_MIDDLE_OF_THE_CITY = (36.62, 101.78)


def build(size: Size, cutoff: dt.date, newest: dt.date, days: int = 365) -> City:
    """A city of `size.schools` schools that count, and a few that the figure must leave out.

    Args:
        size: number of schools, seed and year.
        cutoff: the last day that counts for the figure.
        newest: the last day with evidence, at most the cut-off.
        days: calendar days of evidence before the cut-off.
    """
    city = empty(size, cutoff, min(newest, cutoff), days)
    rng = random.Random(size.seed)  # noqa: S311 - a simulation, nothing secret
    lines = deck(LINES, size.schools, rng, size.every_case)
    pc_rooms = deck(PC_ROOMS, size.schools, rng, size.every_case)
    fewest, most = size.classes
    counts = [rng.choice(range(fewest, most + 1)) for _ in range(size.schools)]
    roomed = sum(n for n, case in zip(counts, pc_rooms, strict=True) if not case.bare)
    classes = iter(deck(CLASSES, roomed, rng, size.every_case))
    for number, (line, pc_room, count) in enumerate(zip(lines, pc_rooms, counts, strict=True)):
        school = _school(city, number, rng)
        _expect(city, school, "line", school.name, line.verdict, line.name)
        linework.lay(city, school, line, rng)
        visit(city, school, "line", "", line.visit)
        _expect(city, school, "computer_room", school.name, pc_room.verdict, pc_room.name)
        pcrooms.lay(city, school, pc_room, rng)
        visit(city, school, "computer_room", "", pc_room.visit)
        for case in (ROOMLESS if pc_room.bare else next(classes) for _ in range(count)):
            for name in classrooms.lay(city, school, case, rng):
                _expect(city, school, "multimedia", name, case.verdict, case.name)
                visit(city, school, "multimedia", name, case.visit)
    _uncounted(city, rng)
    return city


def visit(
    city: City, school: School, indicator: Indicator, unit: str, visited: Visit | None
) -> None:
    """Add the inspection of a case, if it has one."""
    if visited is None:
        return
    day = (
        years.months_before(city.cutoff, visited.months)
        if visited.months
        else city.days[visited.rank]
    )
    note = "模拟数据"
    city.inspections.append(
        Inspection(school.code, indicator, unit, day, "模拟核查员", visited.found, note)
    )


def _expect(
    city: City, school: School, indicator: Indicator, name: str, verdict: Verdict, case: str
) -> None:
    city.expected.append(Expected(indicator, school.code, name, verdict, case))


def _school(city: City, number: int, rng: random.Random, kind: str = "") -> School:
    district = list(DISTRICTS)[number % len(DISTRICTS)]
    place = DISTRICTS[district].removesuffix("回族土族自治县")
    chosen = kind or rng.choice(_TYPES)
    serial = number // len(DISTRICTS) + 1
    school = School(
        code=f"99{district[2:]}{serial:04d}",
        name=f"模拟{place}第{serial}{_KINDS.get(chosen, chosen)}",
        district=district,
        type=chosen,
        responsible=areas.DIRECT if number % _CITY_RUN_EVERY == _CITY_RUN_EVERY - 1 else district,
    )
    city.schools.append(school)
    latitude, longitude = (
        round(middle + rng.uniform(-0.2, 0.2), 4) for middle in _MIDDLE_OF_THE_CITY
    )
    city.campuses.append(Campus(school.code, "本部", "模拟地址", latitude, longitude))
    return school


def _uncounted(city: City, rng: random.Random) -> None:
    """Add schools that do not count: a teaching point, and a school closed long ago."""
    number = city.size.schools
    _school(city, number, rng, "教学点")
    closed = _school(city, number + 1, rng, "小学")
    city.schools[-1] = School(
        closed.code, closed.name, closed.district, closed.type, closed.responsible,
        closed=years.months_before(city.cutoff, 18), successor=city.schools[0].code,
    )  # fmt: skip
