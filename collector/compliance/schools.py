"""Some schools judged for every indicator, from one reading of their evidence. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import msgspec

from collector import config
from collector.compliance import computer_room, doubts, further, multimedia, school_line
from collector.compliance.doubts import Doubts
from collector.compliance.homes import Shared
from collector.compliance.lines import Lines, by_line
from collector.compliance.model import Evidence, Indicator, JudgedLine, Unit, Verdict
from collector.compliance.multimedia import Multimedia
from collector.compliance.rooms import RoomKey, by_room
from collector.compliance.school_line import Judging, bundles_of
from collector.compliance.window import Windows
from collector.indicator_settings import known, threshold, thresholds
from collector.roster.register import Register, School


class Schools:
    """What the rules say of some schools; each rule is asked once, however many indicators use it.

    `evidence` may hold rows of other schools: a device that both saw counts for one of them.
    `before` are the same schools by less evidence: what they know by the same rows is taken over.
    """

    def __init__(
        self,
        register: Register,
        schools: Sequence[School],
        evidence: Evidence,
        windows: Windows,
        settings: config.Figure,
        cutoff: dt.date,
        *,
        tracing: bool = False,
        before: Schools | None = None,
    ) -> None:
        self._tracing = tracing
        self._register, self._schools, self._settings = register, schools, settings
        self._windows, self._cutoff = windows, cutoff
        self.evidence = evidence
        if before and evidence.room_days is before.evidence.room_days:
            judging = before._multimedia
        else:
            rooms = by_room(evidence.room_days, cutoff)
            judging = Multimedia(register, rooms, windows, settings, cutoff)
        if before and evidence.line_tests is before.evidence.line_tests:
            lines = before._lines
        else:
            lines = by_line(evidence.line_tests, evidence.line_records, register, cutoff)
        self._multimedia: Multimedia = judging
        self._lines: Lines = lines

    def with_older(self, evidence: Evidence) -> Schools:
        """The same schools, by evidence that may hold older rows too."""
        return Schools(
            self._register, self._schools, evidence, self._windows, self._settings, self._cutoff,
            tracing=self._tracing, before=self,
        )  # fmt: skip

    def units(self, indicator: Indicator) -> Sequence[Unit]:
        """The units of one of the settings' indicators; of those by the register alone, none."""
        rules: Mapping[str, Callable[[Indicator], Sequence[Unit]]] = {
            "multimedia": lambda _: self._classes,
            "computer_room": lambda _: self._computer_rooms(),
            "line": self._line_units,
            "connected": self._connected,
            "all_classes": self._all_classes,
            "any_room": self._any_room,
        }
        judge = rules.get(known(indicator).rule)
        return judge(indicator) if judge else ()

    @cached_property
    def _classes(self) -> Sequence[Unit]:
        return [
            self._multimedia.judge(row)
            for school in self._schools
            for row in self._register.classes_of.get(school.code, ())
            if row.exists_on(self._cutoff)
        ]

    def _computer_rooms(self) -> Sequence[Unit]:
        rooms, windows, settings = self._multimedia.rooms, self._windows, self._settings
        return [
            computer_room.judge(self._register, school, rooms, windows, settings, self._cutoff)
            for school in self._schools
        ]

    def _line_units(self, indicator: Indicator) -> Sequence[Unit]:
        row, default = self._settings.indicators[indicator], self._settings.threshold_mbps
        judged = self._by_line(threshold(indicator, row, default))
        return [
            unit if unit.indicator == indicator else replace(unit, indicator=indicator)
            for unit, _ in judged
        ]

    def _by_line(self, mbps: float) -> Sequence[tuple[Unit, Sequence[JudgedLine]]]:
        if mbps == self._settings.threshold_mbps:
            return self._by_default
        judging = self._judging(threshold_mbps=mbps)
        return [school_line.judge(judging, school) for school in self._schools]

    @cached_property
    def _by_default(self) -> Sequence[tuple[Unit, Sequence[JudgedLine]]]:
        judging = self._judging()
        return [school_line.judge(judging, school) for school in self._schools]

    def _judging(self, **rules: float) -> Judging:
        settings = msgspec.structs.replace(self._settings, **rules)
        return Judging(
            self._register, self._lines, self._windows, settings, self._cutoff, self._tracing
        )

    def _connected(self, indicator: Indicator) -> Sequence[Unit]:
        return [
            further.connected(
                indicator, school, self._register, self._lines, self._windows, self._settings,
                self._cutoff,
            )
            for school in self._schools
        ]  # fmt: skip

    def _all_classes(self, indicator: Indicator) -> Sequence[Unit]:
        return self._of_classes(indicator, further.all_classes)

    def _any_room(self, indicator: Indicator) -> Sequence[Unit]:
        return self._of_classes(indicator, further.any_room)

    def _of_classes(
        self,
        indicator: Indicator,
        judge: Callable[[Indicator, School, str, Sequence[Unit]], Unit],
    ) -> Sequence[Unit]:
        classes: dict[str, list[Unit]] = {school.code: [] for school in self._schools}
        for unit in self._classes:
            classes[unit.school].append(unit)
        return [
            judge(indicator, row, self._register.district_of(row.code), classes[row.code])
            for row in self._schools
        ]

    @property
    def judged(self) -> Sequence[JudgedLine]:
        """Every line, by the threshold of the settings, also if no indicator uses it."""
        return [line for _, lines in self._by_default for line in lines]

    def doubts(self) -> Mapping[str, Doubts]:
        """The signs of doubt of each school that shows any."""
        shared = list(self._multimedia.shared())
        found = {row.code: self._doubts_of(row, shared) for row in self._schools}
        return {code: signs for code, signs in found.items() if signs}

    def _doubts_of(self, school: School, shared: Sequence[Shared]) -> Doubts:
        code = school.code
        return doubts.signs(
            code,
            self.evidence,
            self._windows.up_to(self._cutoff, school.opened),
            [line for line in self.judged if line.school == code],
            [one for one in shared if code in one.schools],
        )

    def notes(self) -> Mapping[str, int]:
        """How many lines meet only within the tolerance, are congested, and more; all add up."""
        lines = self.judged
        met = {line.school for line in lines if line.between}
        return {
            "lines": len(lines),
            "lines_measured": sum(bool(line.tests or line.lesson_tests) for line in lines),
            "lines_congested": sum(line.congested for line in lines),
            "lines_between": sum(line.between for line in lines),
            "schools_lost_without_tolerance": self._lost_without_tolerance(met),
            "computer_rooms_few_seats": len(
                computer_room.with_few_seats(self._register, self._schools)
            ),
            **multimedia.notes(self._classes),
        }

    @property
    def simulated(self) -> bool:
        """Whether any row of their evidence is simulated."""
        found = self.evidence
        streams = (found.room_days, found.line_tests, found.line_records)
        return any(row.simulated for stream in streams for row in stream)

    def undecided_rooms(self) -> set[RoomKey]:
        """Rooms of which older rows can matter, as the evidence leaves them undecided.

        A computer room's older rows matter only if an inspection may be older still.
        """
        found: set[RoomKey] = set()
        for school in self._schools:
            code, register = school.code, self._register
            taught = {room for row in register.classes_of.get(code, ()) for room in row.rooms}
            found |= {(code, r) for r in taught if self._multimedia.leaves_open(school, r)}
            visits = register.inspections_of.get(code, ())
            if any(row.indicator == "computer_room" for row in visits):
                owned = computer_room.computer_rooms(register, code)
                found |= {(code, room.room) for room in owned}
        return found

    def undecided_lines(self) -> set[tuple[str, str]]:
        """(school, line) of the bundles left undecided, by any threshold in use; if traced, all."""
        if self._tracing:
            own = (
                line for one in self._schools for line in self._register.lines_of.get(one.code, ())
            )
            return {(line.school, line.line) for line in own}
        found: set[tuple[str, str]] = set()
        for mbps in thresholds(self._settings):
            judging = self._judging(threshold_mbps=mbps)
            for school in self._schools:
                for bundle in bundles_of(self._register, school.code, judging.settings):
                    if judging.bundle(school, bundle).now is None:
                        found |= {(school.code, line.line) for line in bundle}
        return found

    def _lost_without_tolerance(self, met: set[str]) -> int:
        """How many schools are verified only because of the tolerance."""
        strict = self._judging(tolerance=1.0)
        good = (Verdict.VERIFIED, Verdict.INSPECTED)
        found = zip(self._schools, self._by_default, strict=True)
        return sum(
            unit.verdict in good and school_line.judge(strict, school)[0].verdict not in good
            for school, (unit, _) in found
            if school.code in met
        )
