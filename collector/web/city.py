"""The city as its roll-ups have it: indicators, districts, schools. Reads a day's rows at a time.

Everything comes from rows that the keeper writes, one an area or school and day, so that a page
costs the same with twenty PCs a school and with two hundred.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from agent.common.calendar import CITY_TIME, local_day, midnight_ns
from agent.common.vocabulary import targets
from agent.common.vocabulary.words import Words
from collector import indicator_settings
from collector.compliance.figure import DIRECT, exists_on
from collector.config import Config
from collector.roster.register import Register, School
from collector.store import Store

_BACK = 40  # days in which the keeper's last day is looked for
_SEEN_DAYS = 30
_TREND_DAYS = 120
_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS
_COUNTS = ("verified", "inspected", "declared", "contradicted", "short", "unknown")
_SHARES = ("verified_share", "reported_share", "ceiling_share", "unknown_share")
_FIELDS = ("level", "name", "code", "all", *_COUNTS, *_SHARES, "target")
#: Verdicts from best to worst: for sorting.
ORDER = {name: at for at, name in enumerate(_COUNTS)}


class Share(NamedTuple):
    """An indicator of an area: counts by verdict, and shares in percent as they are shown."""

    all: int
    counts: Mapping[str, int]
    verified: float | None
    reported: float | None
    ceiling: float | None
    unknown: float | None
    target: float | None  # percent

    @property
    def good(self) -> int:
        """Units verified or inspected."""
        return self.counts["verified"] + self.counts["inspected"]

    @property
    def lacking(self) -> int | None:
        """Units that are still to be verified before the target is reached; None without one."""
        if self.target is None or not self.all:
            return None
        goal = Fraction(repr(self.target)) / 100
        return max(0, math.ceil(goal * self.all) - self.good)


class Title(NamedTuple):
    """An indicator's names, its unit, and the note on its target."""

    id: str
    title: Words
    short: Words
    unit: str
    remark: Words
    document: str


@dataclass(frozen=True, slots=True)
class Area:
    """The city or a district."""

    code: str  # as in the tags of schools
    name: str
    level: str
    shares: Mapping[str, Share]
    schools: int = 0
    hearing: Mapping[str, int] = field(default_factory=dict)  # schools by how they are heard of


class SchoolRow(NamedTuple):
    """A school in a list."""

    code: str
    name: str
    district: str
    type: str
    verdicts: Mapping[str, str]
    hearing: str  # code of HEARING
    last_day: dt.date | None
    pcs: int  # that reported in the last full hour or this one
    missing: int
    faults: int
    classes: int
    classes_verified: int
    p90: float | None  # of its slowest line, Mbit/s


class TrendPoint(NamedTuple):
    """An area's shares on a day, in percent."""

    day: dt.date
    verified: float | None
    ceiling: float | None


@dataclass(frozen=True, slots=True)
class City:
    """Everything that overview, districts and schools show."""

    now: dt.datetime
    day: dt.date | None  # of the indicators; None: not judged yet
    titles: Sequence[Title]
    areas: Sequence[Area]  # the city first
    schools: Sequence[SchoolRow]
    simulated: bool
    register: Register
    open_now: bool

    @property
    def by_code(self) -> Mapping[str, SchoolRow]:
        """The rows by school."""
        return {row.code: row for row in self.schools}

    def area(self, code: str) -> Area | None:
        """A district by code; empty: the city."""
        if not code:
            return next(iter(self.areas), None)
        return next((a for a in self.areas if a.code == code and a.level == "district"), None)


def load(config: Config, store: Store, register: Register, now: dt.datetime) -> City:
    """Read the last day that was judged, and the last hours.

    Raises:
        StoreError: the store cannot be read.
    """
    today = now.astimezone(CITY_TIME).date()
    day, indicators = _last_day(store, today)
    open_now = register.calendar.is_open(now)
    rows = _schools(store, register, today, day, now, open_now=open_now)
    return City(
        now=now,
        day=day,
        titles=titles(config, today.year),
        areas=_areas(config, indicators, rows),
        schools=rows,
        simulated=store.simulated(),
        register=register,
        open_now=open_now,
    )


def titles(config: Config, year: int) -> list[Title]:
    """The indicators of the settings, in their order."""
    rules = config.figure
    found = []
    for name, row in rules.indicators.items():
        mbps = indicator_settings.threshold(name, row, rules.threshold_mbps)
        asked = targets.target(name, year, mbps, indicator_settings.rows_of(name, rules.targets))
        found.append(Title(
            name, indicator_settings.title_of(name, row, rules.threshold_mbps),
            indicator_settings.short_of(name, row, rules.threshold_mbps),
            indicator_settings.known(name).unit, targets.remark(asked, year),
            asked.document if asked else "",
        ))  # fmt: skip
    return found


_Indicators = Mapping[str, Mapping[str, Mapping[str, Any]]]  # area -> indicator -> fields


def _last_day(store: Store, today: dt.date) -> tuple[dt.date | None, _Indicators]:
    """The newest day with indicators, and those of the city and its districts."""
    for back in range(_BACK):
        day = today - dt.timedelta(days=back)
        start = midnight_ns(day)
        found: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        for point in store.read("indicator", start, start + 1, None, _FIELDS):
            if point.fields.get("level") in ("city", "district"):
                found[point.tags["area"]][point.tags["indicator"]] = point.fields
        if found:
            return day, found
    return None, {}


def _areas(config: Config, found: _Indicators, rows: Iterable[SchoolRow]) -> list[Area]:
    schools: dict[str, list[SchoolRow]] = defaultdict(list)
    for row in rows:
        schools[row.district].append(row)
        schools[""].append(row)
    areas = []
    for indicators in found.values():
        fields = next(iter(indicators.values()))
        city = fields["level"] == "city"
        mine = schools["" if city else str(fields["code"])]
        shares = {name: _share(one) for name, one in indicators.items()}
        areas.append(Area(
            str(fields["code"]), str(fields["name"]), str(fields["level"]), shares, len(mine),
            _counted(mine),
        ))  # fmt: skip
    return sorted(areas, key=lambda area: (area.level != "city", area.code))


def _counted(rows: Iterable[SchoolRow]) -> Mapping[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row.hearing] += 1
    return found


def _share(fields: Mapping[str, Any]) -> Share:
    counts = {name: int(fields.get(name, 0)) for name in _COUNTS}
    return Share(
        int(fields.get("all", 0)), counts, *(fields.get(name) for name in _SHARES),
        fields.get("target"),
    )  # fmt: skip


def _schools(
    store: Store,
    register: Register,
    today: dt.date,
    day: dt.date | None,
    now: dt.datetime,
    *,
    open_now: bool,
) -> list[SchoolRow]:
    judged = _day_rows(store, "school_day", day)
    hours = _hours(store, now)
    last = _last_seen(store, today)
    lines = _slowest(store, day)
    return [
        _row(register, school, judged.get(school.code, {}), hours.get(school.code, _NOTHING),
             last.get(school.code), lines.get(school.code), open_now=open_now)
        for school in sorted(register.schools.values(), key=lambda row: row.code)
        if exists_on(school, today)
    ]  # fmt: skip


class _Hours(NamedTuple):
    pcs: int
    missing: int
    faults: int


_NOTHING = _Hours(0, 0, 0)


def _row(
    register: Register,
    school: School,
    fields: Mapping[str, Any],
    hours: _Hours,
    last: dt.date | None,
    slowest: float | None,
    *,
    open_now: bool,
) -> SchoolRow:
    verdicts = {name: str(fields[name]) for name in _VERDICTS if name in fields}
    return SchoolRow(
        school.code, school.name, school.responsible, school.type, verdicts,
        _hearing(hours.pcs, last, open_now=open_now), last, hours.pcs, hours.missing,
        hours.faults, int(fields.get("classes", 0)), int(fields.get("classes_verified", 0)),
        slowest,
    )  # fmt: skip


_VERDICTS = ("multimedia", "computer_room", "line", "line_100", "line_1000", "connected",
             "all_classes", "any_room")  # fmt: skip


def _hearing(pcs: int, last: dt.date | None, *, open_now: bool) -> str:
    if pcs:
        return "reporting"
    if last is None:
        return "never"
    return "silent" if open_now else "closed"


def _day_rows(store: Store, name: str, day: dt.date | None) -> dict[str, Mapping[str, Any]]:
    """A day's rows of a measurement with one series a school, by school."""
    if day is None:
        return {}
    start = midnight_ns(day)
    fields = ("classes", "classes_verified", *_VERDICTS)
    found = store.read(name, start, start + 1, None, fields)
    return {point.tags["school"]: point.fields for point in found}


def _hours(store: Store, now: dt.datetime) -> dict[str, _Hours]:
    """This hour and the one before, the higher number of both."""
    stop = int(now.timestamp()) * 10**9
    start = stop - stop % _HOUR_NS - _HOUR_NS
    found: dict[str, _Hours] = {}
    for _, school, _, *numbers in store.rows(
        "school_hour", start, stop, None, ("pcs", "missing", "faults")
    ):
        old = found.get(school, _NOTHING)
        found[school] = _Hours(*(max(a, b or 0) for a, b in zip(old, numbers, strict=True)))
    return found


def _last_seen(store: Store, today: dt.date) -> dict[str, dt.date]:
    """The last day on which each school's PCs reported."""
    stop = midnight_ns(today) + _DAY_NS
    found: dict[str, dt.date] = {}
    for time, school, _, pcs in store.rows(
        "school_day", stop - _SEEN_DAYS * _DAY_NS, stop, None, ("pcs",)
    ):
        if pcs:
            found[school] = local_day(time // 10**9)
    return found


def _slowest(store: Store, day: dt.date | None) -> dict[str, float]:
    if day is None:
        return {}
    start, found = midnight_ns(day), dict[str, float]()
    for _, school, _, _, p90 in store.rows("line_day", start, start + 1, None, ("p90_mbps",)):
        if p90 is not None:
            found[school] = min(p90, found.get(school, p90))
    return found


def trend(store: Store, area: Area, now: dt.datetime) -> Mapping[str, Sequence[TrendPoint]]:
    """An area's shares by indicator, of the days that were judged, oldest first.

    Raises:
        StoreError: the store cannot be read.
    """
    today = now.astimezone(CITY_TIME).date()
    stop = midnight_ns(today) + 1
    start = midnight_ns(today - dt.timedelta(days=_TREND_DAYS))
    code = area.code
    tags = {"area": [code] if area.level == "city" else [code, DIRECT]}
    fields = ("verified_share", "ceiling_share", "level", "code")
    found: dict[str, list[TrendPoint]] = defaultdict(list)
    for point in store.read("indicator", start, stop, tags, fields):
        level, of = point.fields.get("level"), point.fields.get("code")
        if level == area.level and of == code:
            day = local_day(point.time // 10**9)
            shares = point.fields.get("verified_share"), point.fields.get("ceiling_share")
            found[point.tags["indicator"]].append(TrendPoint(day, *map(_number, shares)))
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
