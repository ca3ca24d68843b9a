"""10M 以上带宽接入比例: one unit is a school, by the lines of its campuses. Pure."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from collector.compliance import line_text, verdicts
from collector.compliance.line_rule import Bundle, Reading, Rule, percentile, read
from collector.compliance.lines import UNTESTED, LineDays, Lines
from collector.compliance.model import JudgedLine, Step, Unit, Verdict
from collector.compliance.shares import exact
from collector.compliance.standing import (
    Ask,
    First,
    Opinion,
    Standing,
    granted,
    overruled,
    standing,
)
from collector.compliance.verdicts import Declared, Finding
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from collector.roster.register import Line, Register, School


@dataclass(frozen=True, slots=True)
class Campus:
    """A campus that counts, and its lines in bundles: one each, or all in one if set so."""

    name: str
    bundles: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Judging:
    """The data that all schools are judged with.

    `tracing` says too which earlier no of a line was cleared, for the explanation of a school: it
    takes all tests there are, and asks the rule of every window.
    """

    register: Register
    lines: Lines
    windows: Windows
    settings: Settings
    cutoff: dt.date
    tracing: bool = False

    def days(self, line: Line) -> LineDays:
        """A line's tests."""
        return self.lines.get((line.school, line.line), UNTESTED)

    def bundle(self, school: School, lines: Sequence[Line]) -> Standing:
        """What is known at the cut-off of lines that count together."""
        return standing(*self._windows_of(school, lines))

    def shown(self, school: School, campus: Campus, stands: Sequence[Standing]) -> list[dt.date]:
        """Last good readings of a campus's bundles, also of one that says no since.

        Its yes showed the campus then, and has cleared an inspection's no for good.
        """
        found = [day for one in stands if (day := one.yes or one.cleared)]
        if all(stand.no for stand in stands):
            return found  # the campus says no, whatever it once showed
        for bundle, stand in zip(campus.bundles, stands, strict=True):
            yes = granted(*self._windows_of(school, bundle)) if stand.no else None
            found += [yes.day] if yes else []
        return found

    def ended(self, school: School, lines: Sequence[Line]) -> Opinion | None:
        """The no of these lines that a later yes of theirs has ended, if that is traced."""
        return overruled(*self._windows_of(school, lines)) if self.tracing else None

    def _windows_of(
        self, school: School, lines: Sequence[Line]
    ) -> tuple[Sequence[dt.date], Ask, First, dt.date]:
        histories = [self.days(line) for line in lines]
        days = sorted({day for history in histories for day in history.days})
        bundle = Bundle(histories, self.settings)
        return (
            days,
            lambda lo, hi: bundle.opinion(days[lo], days[hi - 1]),
            lambda day: self.windows.first(day, school.opened),
            self.cutoff,
        )


def judge(judging: Judging, school: School) -> tuple[Unit, list[JudgedLine]]:
    """A school's verdict and its lines; every campus with classes needs a line that meets."""
    register, settings, cutoff = judging.register, judging.settings, judging.cutoff
    district = register.district_of(school.code)
    campuses = campuses_that_count(register, school.code, cutoff, settings)
    lines: list[JudgedLine] = []
    findings = []
    steps: list[Step] = []
    for campus in campuses:
        stands = [judging.bundle(school, bundle) for bundle in campus.bundles]
        for bundle, standing_ in zip(campus.bundles, stands, strict=True):
            judged = _judged_lines(judging, school, bundle, standing_)
            lines += judged
            ended = judging.ended(school, bundle)
            steps += line_text.bundle_steps(judged, standing_, ended, settings)
        findings.append(_campus_finding(stands, judging.shown(school, campus, stands)))
        steps.append(line_text.campus_step(campus.name, findings[-1], settings))
    simulated = any(line.simulated for line in lines)
    finding = _school_finding(findings, tuple(steps), simulated)
    declared = contract(campuses, settings)
    inspections = [
        row for row in register.inspections_of.get(school.code, ()) if row.indicator == "line"
    ]
    words = [_campus_contract(campus, exact(settings.threshold_mbps)) for campus in campuses]
    verdict, steps_of = verdicts.decide(
        finding,
        inspections,
        declared,
        cutoff,
        settings.inspection_months,
        settings.threshold_mbps,
        list(zip(findings, words, strict=True)),
    )
    unit = Unit("line", school.code, district, school.name, verdict, steps_of, simulated)
    return unit, lines


def campuses_that_count(
    register: Register, school: str, cutoff: dt.date, settings: Settings
) -> list[Campus]:
    """The campuses with classes at the cut-off; all campuses if no class has a known room."""
    lines = register.lines_of.get(school, [])
    rooms = register.room
    taught = {
        rooms[school, room].campus
        for row in register.classes_of.get(school, ())
        if row.exists_on(cutoff)
        for room in row.rooms
        if (school, room) in rooms
    }
    known = dict.fromkeys(row.campus for row in register.campuses_of.get(school, ()))
    known |= dict.fromkeys(line.campus for line in lines)
    names = sorted(taught, key=[*known, *sorted(taught)].index) if taught else list(known)
    return [Campus(name, _bundles(name, lines, settings)) for name in names]


def _bundles(
    campus: str, lines: Sequence[Line], settings: Settings
) -> tuple[tuple[Line, ...], ...]:
    own = tuple(line for line in lines if line.campus == campus)
    if settings.bonded:
        return (own,) if own else ()
    return tuple((line,) for line in own)


def bundles_of(register: Register, school: str, settings: Settings) -> Iterator[tuple[Line, ...]]:
    """All bundles of a school, also those of campuses that do not count."""
    lines = register.lines_of.get(school, [])
    for campus in dict.fromkeys(line.campus for line in lines):
        yield from _bundles(campus, lines, settings)


def contract(campuses: Sequence[Campus], settings: Settings) -> Declared:
    """登记接入带宽: whether the contracts reach the threshold at every campus that counts."""
    threshold = exact(settings.threshold_mbps)
    says = [_campus_contract(campus, threshold) for campus in campuses]
    word = verdicts.every(says)
    return Declared(word, (line_text.contract_step(campuses_rates(campuses), word, settings),))


def campuses_rates(campuses: Sequence[Campus]) -> dict[str, list[float | None]]:
    """The contracted rates by campus, in Mbit/s."""
    return {
        campus.name: [line.contract_mbps for bundle in campus.bundles for line in bundle]
        for campus in campuses
    }


def _campus_contract(campus: Campus, threshold: Fraction) -> bool | None:
    """Yes if one bundle reaches the threshold; no only if every contract is known."""
    rates = [[line.contract_mbps for line in bundle] for bundle in campus.bundles]
    sums = [sum((exact(r) for r in bundle if r is not None), Fraction()) for bundle in rates]
    if any(total >= threshold for total in sums):
        return True
    unknown = any(rate is None for bundle in rates for rate in bundle)
    return None if unknown or not rates else False


def _campus_finding(stands: Sequence[Standing], shown: Sequence[dt.date]) -> Finding:
    """Yes if one bundle meets; no only if none does, dated by the oldest of their days.

    A yes is dated by the last good reading `shown` of any bundle, also of one whose own yes has
    expired: else the yes of the others would grow older when it does.
    """
    if any(stand.yes for stand in stands):
        return Finding(yes=max(shown))
    denied = [stand.no for stand in stands if stand.no]
    if denied and len(denied) == len(stands):
        return Finding(no=min(denied))
    return Finding(cleared=max(shown, default=None))


def _school_finding(
    campuses: Sequence[Finding], steps: tuple[Step, ...], simulated: bool
) -> Finding:
    """Yes if every campus meets; no if one does not."""
    denied = [finding.no for finding in campuses if finding.no]
    if denied:
        return Finding(no=max(denied), steps=steps, simulated=simulated)
    met = [finding.yes for finding in campuses if finding.yes]
    if campuses and len(met) == len(campuses):
        return Finding(yes=min(met), steps=steps, simulated=simulated)
    shown = [day for finding in campuses if (day := finding.yes or finding.cleared)]
    cleared = min(shown) if shown and len(shown) == len(campuses) else None
    return Finding(cleared=cleared, steps=steps, simulated=simulated)


def _judged_lines(
    judging: Judging, school: School, bundle: Sequence[Line], stands: Standing
) -> list[JudgedLine]:
    """A bundle's lines, each with its own numbers and the bundle's result."""
    settings = judging.settings
    first = judging.windows.first(judging.cutoff, school.opened)
    rule = Rule.of(settings, len(bundle))
    readings = [read(judging.days(line), first, judging.cutoff, rule) for line in bundle]
    met = stands.yes is not None
    congested = met and _sum([r.median for r in readings if r.enough]) < _tolerated(settings)
    between = met and settings.rule == "p90" and _between(readings, settings)
    return [
        JudgedLine(
            school=line.school,
            district=judging.register.district_of(line.school),
            line=line.line,
            campus=line.campus,
            contract_mbps=line.contract_mbps,
            verdict=_line_verdict(judging, line, stands),
            tests=len(reading.quiet),
            days=reading.quiet_days,
            statistic=reading.statistic,
            median=reading.median,
            p90=percentile(reading.quiet),
            quiet_median=statistics.median(reading.quiet) if reading.quiet else None,
            lesson_tests=len(reading.lesson),
            lesson_median=statistics.median(reading.lesson) if reading.lesson else None,
            congested=congested,
            between=between,
            refused=_refused(judging.days(line), reading, first, judging.cutoff),
            simulated=judging.days(line).simulated,
            doubts=judging.days(line).doubts(first, judging.cutoff),
        )
        for line, reading in zip(bundle, readings, strict=True)
    ]


def _refused(line: LineDays, reading: Reading, first: dt.date, last: dt.date) -> Mapping[str, int]:
    """Why tests of the window are no evidence, those that their PC limited too."""
    limited = {"pc_limited": reading.limited} if reading.limited else {}
    return line.refusals(first, last) + Counter(limited)


def _line_verdict(judging: Judging, line: Line, stands: Standing) -> Verdict:
    """The verdict of one line by the same rule, without inspections, which are of schools."""
    contract_mbps = line.contract_mbps
    says = None if contract_mbps is None else contract_mbps >= judging.settings.threshold_mbps
    finding = Finding(stands.yes, stands.no, stands.cleared)
    return verdicts.decide(finding, (), Declared(says), judging.cutoff, 0)[0]


def _sum(rates: Sequence[float | None]) -> Fraction:
    return sum((exact(rate) for rate in rates if rate is not None), Fraction())


def _tolerated(settings: Settings) -> Fraction:
    return exact(settings.tolerance) * exact(settings.threshold_mbps)


def _between(readings: Sequence[Reading], settings: Settings) -> bool:
    """Whether lines that meet do so only within the tolerance."""
    reached = _sum([reading.statistic for reading in readings if reading.enough])
    return reached < exact(settings.threshold_mbps)
