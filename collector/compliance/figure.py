"""The yearly figure: every unit judged, every area counted. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from collector import config
from collector.compliance import computer_room, school_line
from collector.compliance.lines import by_line
from collector.compliance.model import (
    INDICATORS,
    Area,
    Evidence,
    Figure,
    Indicator,
    JudgedLine,
    Tally,
    Unit,
    Verdict,
)
from collector.compliance.multimedia import Multimedia
from collector.compliance.rooms import by_room
from collector.compliance.school_line import Judging
from collector.compliance.window import Windows, cutoff
from collector.roster.register import Register, School

#: The area code of schools under the city itself, for which the register has the city's code.
DIRECT = "direct"


def judge(
    register: Register,
    evidence: Evidence,
    settings: config.Figure,
    city: config.City,
    *,
    year: int,
    today: dt.date,
) -> Figure:
    """The figure of `year` at its cut-off; it counts the units of the register, not reports.

    The cut-off is at most `today`.

    Raises:
        ValueError: the year has not started yet.
    """
    last = cutoff(settings, year, today)
    schools = [row for row in register.schools.values() if exists_on(row, last)]
    counted = [row for row in schools if row.type in settings.types]
    windows = Windows(register.calendar, settings)
    lines = by_line(evidence.line_tests, evidence.line_records, register, last)
    judging = Judging(register, lines, windows, settings, last)
    units = _room_units(counted, register, evidence, windows, settings, last)
    line_units, judged = _line_units(counted, judging)
    units += line_units
    return Figure(
        year=year,
        cutoff=last,
        units=units,
        areas=_areas(schools, register, city),
        tallies=_tallies(units, schools, city),
        simulated=evidence.simulated or _any_simulated(evidence),
        contract=_contracts(counted, register, settings, last, city),
        apart=Counter(row.type for row in schools if row.type not in settings.types),
        notes=_notes(judging, judged, counted),
        lines=judged,
        register=register,
        settings=settings,
    )


def exists_on(school: School, day: dt.date) -> bool:
    """Whether the school exists on `day`; its last day is included."""
    opened = school.opened is None or school.opened <= day
    return opened and (school.closed is None or day <= school.closed)


def district_area(responsible: str, city: config.City) -> str:
    """The code of a responsible unit's area, `DIRECT` for the city itself."""
    return DIRECT if responsible == city.code else responsible


def _room_units(
    schools: Sequence[School],
    register: Register,
    evidence: Evidence,
    windows: Windows,
    settings: config.Figure,
    last: dt.date,
) -> list[Unit]:
    rooms = by_room(evidence.room_days, last)
    multimedia = Multimedia(register, rooms, windows, settings, last)
    units = [
        multimedia.judge(row)
        for school in schools
        for row in register.classes_of.get(school.code, ())
        if row.exists_on(last)
    ]
    units += [
        computer_room.judge(register, school, rooms, windows, settings, last) for school in schools
    ]
    return units


def _line_units(schools: Sequence[School], judging: Judging) -> tuple[list[Unit], list[JudgedLine]]:
    judged = [school_line.judge(judging, school) for school in schools]
    return [unit for unit, _ in judged], [line for _, lines in judged for line in lines]


def _areas(schools: Sequence[School], register: Register, city: config.City) -> list[Area]:
    """The city, the districts by code, their schools by code."""
    ordered = sorted(schools, key=lambda row: (district_area(row.responsible, city), row.code))
    districts = dict.fromkeys(row.responsible for row in ordered)
    return [
        Area("city", city.code, city.name),
        *(_district(code, register, city) for code in districts),
        *(
            Area("school", row.code, row.name, district_area(row.responsible, city))
            for row in ordered
        ),
    ]


def _district(code: str, register: Register, city: config.City) -> Area:
    if code == city.code:
        return Area("district", DIRECT, "市直属", DIRECT)
    return Area("district", code, register.area_name(code), code)


def _tallies(
    units: Iterable[Unit], schools: Sequence[School], city: config.City
) -> Mapping[tuple[str, Indicator], Tally]:
    """The tally of every area and indicator, also without units."""
    counts: dict[tuple[str, Indicator], Counter[Verdict]] = {}
    for school in schools:
        for code in (city.code, district_area(school.responsible, city), school.code):
            for indicator in INDICATORS:
                counts.setdefault((code, indicator), Counter())
    for indicator in INDICATORS:
        counts.setdefault((city.code, indicator), Counter())
    for unit in units:
        for code in (city.code, district_area(unit.district, city), unit.school):
            counts[code, unit.indicator][unit.verdict] += 1
    return {key: Tally(counter) for key, counter in counts.items()}


_SAYS = {True: Verdict.DECLARED, False: Verdict.SHORT, None: Verdict.UNKNOWN}


def _contracts(
    schools: Sequence[School],
    register: Register,
    settings: config.Figure,
    last: dt.date,
    city: config.City,
) -> Mapping[str, Tally]:
    """登记接入带宽 by area: its share is the tally's `reported`."""
    counts: dict[str, Counter[Verdict]] = defaultdict(Counter)
    for school in schools:
        campuses = school_line.campuses_that_count(register, school.code, last, settings)
        says = _SAYS[school_line.contract(campuses, settings).says]
        for code in (city.code, district_area(school.responsible, city), school.code):
            counts[code][says] += 1
    return {code: Tally(counter) for code, counter in counts.items()}


def _notes(
    judging: Judging, lines: Sequence[JudgedLine], schools: Sequence[School]
) -> Mapping[str, int]:
    """Notes to the line figure: how many lines meet only within the tolerance, or are congested."""
    met = {line.school for line in lines if line.between}
    lost = _lost_without_tolerance(judging, [row for row in schools if row.code in met])
    return {
        "lines": len(lines),
        "lines_measured": sum(bool(line.tests or line.lesson_tests) for line in lines),
        "lines_congested": sum(line.congested for line in lines),
        "lines_between": sum(line.between for line in lines),
        "schools_lost_without_tolerance": lost,
        "computer_rooms_few_seats": len(computer_room.with_few_seats(judging.register, schools)),
    }


def _lost_without_tolerance(judging: Judging, schools: Sequence[School]) -> int:
    """How many schools are verified only because of the tolerance."""
    settings = msgspec.structs.replace(judging.settings, tolerance=1.0)
    strict = Judging(judging.register, judging.lines, judging.windows, settings, judging.cutoff)
    good = (Verdict.VERIFIED, Verdict.INSPECTED)
    return sum(
        school_line.judge(judging, school)[0].verdict in good
        and school_line.judge(strict, school)[0].verdict not in good
        for school in schools
    )


def _any_simulated(evidence: Evidence) -> bool:
    streams = (evidence.room_days, evidence.line_tests, evidence.line_records)
    return any(row.simulated for stream in streams for row in stream)
