"""The yearly figure: every unit judged, every area counted. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import NamedTuple

from collector import config
from collector.compliance import registered, school_line
from collector.compliance.model import (
    Area,
    Evidence,
    Figure,
    Indicator,
    JudgedLine,
    Tally,
    Unit,
    Verdict,
)
from collector.compliance.networks import networks
from collector.compliance.schools import Schools
from collector.compliance.split import split
from collector.compliance.window import Windows, cutoff
from collector.indicator_settings import known
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
    judging = Judge(register, settings, city, year=year, today=today)
    for school, own in split(evidence, judging.schools):
        judging.add(school, own)
    return judging.figure(simulated=evidence.simulated)


class Found(NamedTuple):
    """What some schools add to a figure."""

    units: Mapping[Indicator, list[Unit]]
    lines: list[JudgedLine]
    notes: Counter[str]
    doubts: dict[str, Mapping[str, int]]
    simulated: bool


class Judge:
    """Judges a register school by school, so that the evidence of all need not be in memory.

    `only` is the code of a school to judge alone, and to trace: see `school_line.Judging`.

    Raises, when made:
        ValueError: the year has not started yet, or a line's network is none.
    """

    def __init__(
        self,
        register: Register,
        settings: config.Figure,
        city: config.City,
        *,
        year: int,
        today: dt.date,
        only: str | None = None,
    ) -> None:
        self.cutoff = cutoff(settings, year, today)
        networks(register.lines)  # names one that is none, before any evidence is read
        self._year, self._city = year, city
        self.tracing = only is not None
        self._register, self._settings = register, settings
        self._windows = Windows(register.calendar, settings)
        self._all = [
            row
            for row in register.schools.values()
            if exists_on(row, self.cutoff) and only in (None, row.code)
        ]
        self.schools = [row for row in self._all if row.type in settings.types]
        self._units: dict[Indicator, list[Unit]] = {name: [] for name in settings.indicators}
        self._lines: list[JudgedLine] = []
        none = Schools(register, [], Evidence(), self._windows, settings, self.cutoff)
        self._notes: Counter[str] = Counter(none.notes())  # each note, also without schools
        self._doubts: dict[str, Mapping[str, int]] = {}
        self._simulated = False

    def add(self, school: School, evidence: Evidence) -> None:
        """Judge one of `schools`, in their order, by all evidence that can matter to it."""
        few = Schools(
            self._register,
            [school],
            evidence,
            self._windows,
            self._settings,
            self.cutoff,
            tracing=self.tracing,
        )
        self.add_judged(few)

    def add_judged(self, few: Schools) -> None:
        """Add some of `schools`, in their order, judged by the same settings and cut-off."""
        for name, units in self._units.items():
            units += few.units(name)
        self._lines += few.judged
        self._notes.update(few.notes())
        self._doubts |= few.doubts()
        self._simulated = self._simulated or few.simulated

    def apart(self) -> Judge:
        """The same without any school added, for a part of them."""
        other = copy(self)
        other._units = {name: [] for name in self._units}
        other._lines, other._notes, other._doubts = [], Counter(), {}
        other._simulated = False
        return other

    @property
    def found(self) -> Found:
        """What the schools added so far add to a figure."""
        return Found(self._units, self._lines, self._notes, self._doubts, self._simulated)

    def add_found(self, found: Found) -> None:
        """Add what others of the schools add, judged by `apart`, in their order."""
        for name, units in found.units.items():
            self._units[name] += units
        self._lines += found.lines
        self._notes.update(found.notes)
        self._doubts |= found.doubts
        self._simulated = self._simulated or found.simulated

    def _units_of(self, indicator: Indicator) -> Iterable[Unit]:
        alone = registered.RULES.get(known(indicator).rule)
        return alone(indicator, self._register, self._all) if alone else self._units[indicator]

    def figure(self, *, simulated: bool) -> Figure:
        """The figure of all schools added; `simulated`: the store has simulated rows somewhere."""
        units = [unit for name in self._units for unit in self._units_of(name)]
        names = tuple(self._units)
        settings, city = self._settings, self._city
        return Figure(
            year=self._year,
            cutoff=self.cutoff,
            units=units,
            areas=_areas(self._all, self._register, city),
            tallies=_tallies(units, self._all, city, names),
            simulated=simulated or self._simulated,
            contract=_contracts(self.schools, self._register, settings, self.cutoff, city),
            apart=Counter(row.type for row in self._all if row.type not in settings.types),
            notes=dict(self._notes),
            lines=self._lines,
            register=self._register,
            settings=settings,
            doubts=self._doubts,
        )


def exists_on(school: School, day: dt.date) -> bool:
    """Whether the school exists on `day`; its last day is included."""
    opened = school.opened is None or school.opened <= day
    return opened and (school.closed is None or day <= school.closed)


def district_area(responsible: str, city: config.City) -> str:
    """The code of a responsible unit's area, `DIRECT` for the city itself."""
    return DIRECT if responsible == city.code else responsible


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
    units: Iterable[Unit],
    schools: Sequence[School],
    city: config.City,
    indicators: Sequence[Indicator],
) -> Mapping[tuple[str, Indicator], Tally]:
    """The tally of every area and indicator, also without units."""
    counts: dict[tuple[str, Indicator], Counter[Verdict]] = {}
    for school in schools:
        for code in (city.code, district_area(school.responsible, city), school.code):
            for indicator in indicators:
                counts.setdefault((code, indicator), Counter())
    for indicator in indicators:
        counts.setdefault((city.code, indicator), Counter())
    for unit in units:
        for code in (city.code, district_area(unit.district, city), unit.school):
            counts[code, unit.indicator][unit.verdict] += unit.count
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
