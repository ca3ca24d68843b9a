"""The figure as points of the store: displayed shares and exact counts. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from agent.common.calendar import midnight_ns
from collector.compliance.figure import DIRECT
from collector.compliance.model import Area, Figure, Indicator, Tally, Unit, Verdict
from collector.compliance.shares import shown_value
from collector.compliance.targets import goal, target
from collector.schema import MEASUREMENTS
from collector.store import Point, Value

_ORDER = list(Verdict)
#: `school_day` has a field for each known indicator, none for those of a city's own.
_DAY_FIELDS = MEASUREMENTS["school_day"].fields


def points(figure: Figure, day: dt.date) -> list[Point]:
    """The `indicator`, `school_day` and `line_day` points of `day`, at its Shanghai midnight.

    `school_day` lacks `pcs`, which only the day's reports give.
    """
    time = midnight_ns(day)
    units: dict[str, list[Unit]] = defaultdict(list)
    for unit in figure.units:
        units[unit.school].append(unit)
    return [
        *_indicators(figure, units, time),
        *_school_days(figure, units, day, time),
        *_line_days(figure, time),
    ]


def _point(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, object], time: int
) -> Point:
    """A point without unknown fields and empty tags."""
    known: dict[str, Value] = {
        name: value for name, value in fields.items() if isinstance(value, bool | int | float | str)
    }
    return Point(measurement, {name: tag for name, tag in tags.items() if tag}, known, time)


def _indicators(figure: Figure, units: Mapping[str, Sequence[Unit]], time: int) -> Iterator[Point]:
    simulated_areas = _simulated_areas(figure)
    for area in figure.areas:
        for indicator in figure.indicators:
            district = _coded(figure, area.district)
            tags = {"area": area.code, "district": district, "indicator": indicator}
            fields = _indicator_fields(figure, area, indicator)
            simulated = (area.code, indicator) in simulated_areas
            yield _point("indicator", tags, {**fields, "simulated": simulated}, time)


def _indicator_fields(figure: Figure, area: Area, indicator: Indicator) -> dict[str, object]:
    tally = figure.tallies[area.code, indicator]
    value = goal(target(figure, indicator))
    return {
        "level": area.level,
        "name": area.name,
        "code": _coded(figure, area.code),
        "label": f"{area.name} · {_coded(figure, area.code)}",
        "all": tally.all,
        **{str(verdict): tally.counts[verdict] for verdict in Verdict},
        "verified_share": shown_value(tally.verified, value),
        "reported_share": shown_value(tally.reported, value),
        "ceiling_share": shown_value(tally.ceiling, value),
        "unknown_share": shown_value(tally.unknown),
        "target": None if value is None else float(value * 100),
    }


def _coded(figure: Figure, area: str) -> str:
    """An area's code as in the register and in the tags of all other measurements."""
    return figure.areas[0].code if area == DIRECT else area


def _simulated_areas(figure: Figure) -> set[tuple[str, Indicator]]:
    """Areas with at least one unit judged by a simulated row."""
    city = figure.areas[0].code
    district = {area.code: area.district for area in figure.areas}
    return {
        (code, unit.indicator)
        for unit in figure.units
        if unit.simulated
        for code in (city, district[unit.school], unit.school)
    }


def _school_days(
    figure: Figure, units: Mapping[str, Sequence[Unit]], day: dt.date, time: int
) -> Iterator[Point]:
    names = {area.code: area.name for area in figure.areas if area.level == "district"}
    for area in figure.areas:
        if area.level != "school":
            continue
        mine = units.get(area.code, [])
        place = next(iter(figure.register.campuses_of.get(area.code, ())), None)
        fields = {
            "name": area.name,
            "district_name": names[area.district],
            "latitude": place.latitude if place else None,
            "longitude": place.longitude if place else None,
            "open": figure.register.calendar.is_open_day(day),
            "simulated": any(unit.simulated for unit in mine),
            **_verdict_fields(figure, area.code),
        }
        tags = {"school": area.code, "district": _coded(figure, area.district)}
        yield _point("school_day", tags, fields, time)


def _verdict_fields(figure: Figure, school: str) -> dict[str, object]:
    classes = figure.tallies.get((school, "multimedia"), Tally(Counter()))
    return {
        "classes": classes.all,
        "classes_verified": classes.counts[Verdict.VERIFIED] + classes.counts[Verdict.INSPECTED],
        **{
            indicator: _worst(figure.tallies[school, indicator])
            for indicator in figure.indicators
            if indicator in _DAY_FIELDS
        },
    }


def _worst(units: Tally) -> str | None:
    """The worst verdict of a school's units; where the school is the unit, its verdict."""
    found = [verdict for verdict in Verdict if units.counts[verdict]]
    return str(max(found, key=_ORDER.index)) if found else None


def _line_days(figure: Figure, time: int) -> Iterator[Point]:
    district = {area.code: _coded(figure, area.district) for area in figure.areas}
    for line in figure.lines:
        tags = {"school": line.school, "district": district[line.school], "line": line.line}
        fields = {
            "contract_mbps": None if line.contract_mbps is None else float(line.contract_mbps),
            "p90_mbps": line.p90,
            "median_mbps": line.quiet_median,
            "lesson_mbps": line.lesson_median,
            "tests": line.tests,
            "days": line.days,
            "verdict": str(line.verdict),
            "congested": line.congested,
            "simulated": line.simulated,
        }
        yield _point("line_day", tags, fields, time)
