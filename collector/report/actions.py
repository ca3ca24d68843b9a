"""What to do about the figure: how many units are missing, which are cheapest, who answers. Pure.

A unit is done when it is verified or inspected; every other one belongs to exactly one `Action`
of its school. So the counts of the actions of an area and indicator add up to its open units.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent.common.language import say
from agent.common.vocabulary import actions as vocabulary
from agent.common.vocabulary.words import Words
from collector.compliance.figure import DIRECT
from collector.compliance.model import (
    Area,
    Figure,
    Indicator,
    JudgedLine,
    Tally,
    Unit,
    Verdict,
)
from collector.compliance.targets import goal, target
from collector.report import kinds
from collector.report.reasons import reason

DONE = (Verdict.VERIFIED, Verdict.INSPECTED)
#: Reasons whose detail is part of the reason: who lacks a display buys no computer.
_PARTED = ("missing", "lacking", "few_days")


@dataclass(frozen=True, slots=True)
class Action:
    """What one school has to do for some units of one indicator: a line of the list."""

    indicator: Indicator
    district: str  # area code
    responsible: str  # name of the responsible unit
    school: str
    name: str  # of the school
    verdict: Verdict
    reason: str  # code of `agent.common.vocabulary.actions.REASONS`
    detail: Words  # the numbers behind it, may be empty
    units: tuple[str, ...]  # names of the classes; the school's own where it is the unit
    count: int  # of units, which may be more than their names

    @property
    def why(self) -> Words:
        """The reason in words, with its numbers."""
        why, _ = vocabulary.REASONS[self.reason]
        if not self.detail.zh:
            return why
        return Words(f"{why.zh}（{self.detail.zh}）", f"{why.en} ({self.detail.en})")

    @property
    def todo(self) -> Words:
        """The deed that ends it."""
        return vocabulary.REASONS[self.reason].todo

    def named(self, most: int = 8) -> str:
        """The units' names, at most so many of them; empty where the school is the unit."""
        if self.units == (self.name,):
            return ""
        some = say("、", ", ").join(self.units[:most])
        count = len(self.units)
        return some if count <= most else say(f"{some}等 {count} 个", f"{some} … ({count})")


@dataclass(frozen=True, slots=True)
class Gap:
    """An area's distance from an indicator's target."""

    area: Area
    indicator: Indicator
    tally: Tally
    needed: int | None  # units more to reach the target, 0: reached; None: no target or no unit
    prices: Mapping[str, int]  # open units by reason, cheapest first

    @property
    def cheapest(self) -> Mapping[str, int]:
        """The cheapest units that close the gap, by reason; all open ones where none is needed."""
        left = self.open if self.needed is None else self.needed
        found: dict[str, int] = {}
        for code, count in self.prices.items():
            if left <= 0:
                break
            found[code] = min(count, left)
            left -= found[code]
        return found

    @property
    def open(self) -> int:
        """Units that are not done."""
        return sum(self.prices.values())


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A line whose contract and measurement disagree; `kind` is a code of CONTRACTS."""

    kind: str
    line: JudgedLine


@dataclass(frozen=True)
class Plan:
    """All there is to do, nearest to the target first."""

    figure: Figure
    actions: Sequence[Action]

    @cached_property
    def gaps(self) -> Sequence[Gap]:
        """Of the report's area, then of each district below it, the nearest first."""
        areas = [area for area in self.figure.areas[1:] if area.level == "district"]
        found = []
        for indicator in kinds.every(self.figure):
            own = self.gap(self.figure.areas[0], indicator)
            below = [self.gap(area, indicator) for area in areas]
            found += [own, *sorted(below, key=_nearest)]
        return found

    @cached_property
    def school_gaps(self) -> Mapping[str, Sequence[Gap]]:
        """Each school that must answer, by code, the nearest first."""
        codes = dict.fromkeys(action.school for action in self.actions)
        every = kinds.every(self.figure)
        names = {area.code: area for area in self.figure.areas}
        return {code: [self.gap(names[code], indicator) for indicator in every] for code in codes}

    def gap(self, area: Area, indicator: Indicator) -> Gap:
        """An area's distance from the target of an indicator."""
        tally = self.figure.tallies[area.code, indicator]
        asked = goal(target(self.figure, indicator))
        needed = None
        if asked is not None and tally.all:
            done = sum(tally.counts[verdict] for verdict in DONE)
            needed = max(0, math.ceil(asked * tally.all) - done)
        return Gap(area, indicator, tally, needed, self._prices.get((area.code, indicator), {}))

    @cached_property
    def _prices(self) -> Mapping[tuple[str, Indicator], Mapping[str, int]]:
        found: dict[tuple[str, Indicator], Counter[str]] = defaultdict(Counter)
        for action in self.actions:
            for code in {self.figure.areas[0].code, action.district, action.school}:
                found[code, action.indicator][action.reason] += action.count
        return {
            key: dict(sorted(counts.items(), key=lambda row: vocabulary.PRICE[row[0]]))
            for key, counts in found.items()
        }

    @cached_property
    def congested(self) -> Sequence[JudgedLine]:
        """达标但拥塞."""
        return [line for line in self.figure.lines if line.congested]

    @cached_property
    def mismatches(self) -> Sequence[Mismatch]:
        """Lines whose contract says one thing and whose measurement the other."""
        threshold = self.figure.settings.threshold_mbps
        return [
            Mismatch(kind, line)
            for line in self.figure.lines
            if line.contract_mbps is not None
            and (kind := _mismatch(line, paper=line.contract_mbps >= threshold))
        ]


def plan(figure: Figure) -> Plan:
    """The plan of a figure; of an area's where it is narrowed to one."""
    areas = {area.code: area for area in figure.areas if area.level == "school"}
    found: dict[tuple[object, ...], list[Unit]] = defaultdict(list)
    details: dict[tuple[object, ...], list[Words]] = defaultdict(list)
    for unit in figure.units:
        if unit.verdict not in DONE:
            code, detail = reason(unit)
            parted = detail if code in _PARTED else None
            key = (unit.indicator, unit.school, unit.verdict, code, parted)
            found[key].append(unit)
            details[key].append(detail)
    made = [
        _action(figure, areas[units[0].school], units, str(key[3]), details[key])
        for key, units in found.items()
    ]
    return Plan(figure, _ordered(figure, made))


def responsible(figure: Figure, area: Area) -> str:
    """The name of the unit that answers for an area: a school's, a district's, or the city's."""
    if area.level == "city":
        return area.name
    if area.district == DIRECT:
        return say("市直属", "city-run")
    return figure.register.area_name(area.district)


def _action(
    figure: Figure, area: Area, units: Sequence[Unit], code: str, details: Iterable[Words]
) -> Action:
    return Action(
        indicator=units[0].indicator,
        district=area.district,
        responsible=responsible(figure, area),
        school=area.code,
        name=area.name,
        verdict=units[0].verdict,
        reason=code,
        detail=_merged(details),
        units=tuple(unit.name for unit in units),
        count=sum(unit.count for unit in units),
    )


def _merged(details: Iterable[Words]) -> Words:
    """Of several different ones the newest day, or else the first two."""
    known = sorted({detail for detail in details if detail.zh}, reverse=True)
    dated = known and known[0].zh.startswith("最后上报")
    some = known[:1] if dated else known[:2]
    more = len(known) > len(some) and not dated
    return Words(
        "；".join(row.zh for row in some) + ("…" if more else ""),
        "; ".join(row.en for row in some) + ("…" if more else ""),
    )


def _ordered(figure: Figure, actions: Sequence[Action]) -> Sequence[Action]:
    """By district; in it the school with the fewest open units first, its cheapest first."""
    every = kinds.every(figure)
    left: Counter[str] = Counter()
    for action in actions:
        left[action.school] += action.count
    return sorted(
        actions,
        key=lambda row: (
            row.district,
            left[row.school],
            row.school,
            every.index(row.indicator),
            vocabulary.PRICE[row.reason],
        ),
    )


def _nearest(gap: Gap) -> tuple[bool, int, str]:
    """Reached ones, and those without a target, last."""
    return not gap.needed, gap.needed or 0, gap.area.code


def _mismatch(line: JudgedLine, *, paper: bool) -> str:
    if paper and line.verdict is Verdict.CONTRADICTED:
        return "paper_only"
    return "better" if not paper and line.verdict is Verdict.VERIFIED else ""
