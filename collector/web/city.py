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
from collector.compliance.figure import DIRECT
from collector.config import Config
from collector.roster.register import Register
from collector.store import Store
from collector.web.schoolrows import SchoolRow, school_rows

_BACK = 40  # days in which the keeper's last day is looked for
_TREND_DAYS = 120
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
    rows = school_rows(store, register, today, day, now, open_now=open_now)
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
        int(fields.get("all", 0)), counts, fields.get("verified_share"),
        fields.get("reported_share"), fields.get("ceiling_share"), fields.get("unknown_share"),
        fields.get("target"),
    )  # fmt: skip


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
