"""中小学班级多媒体设备配备率: one unit is a class. Pure.

Each room of a class is judged by its own evidence, or by the register where that leaves it open;
the class needs them all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collector.compliance.equipped import PICTURES, Equipped, Stands
from collector.compliance.homes import Shared
from collector.compliance.model import Step, Unit, Verdict
from collector.compliance.multimedia_text import NO_ROOM, register_step, room_steps
from collector.compliance.rooms import Rooms
from collector.compliance.verdicts import Declared, Finding, decide, every
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from collector.roster.register import Register, School, SchoolClass

#: Kinds of the register by which a room has a piece, and those whose 0 says that it has none. A
#: panel holds a PC unless the register says otherwise; that there is no panel says nothing of PCs.
_OWNED_AS = {"display": PICTURES, "computer": frozenset({"computer", "panel"})}
_DENIED_BY = {"computer": frozenset({"computer"})}


class Multimedia:
    """Judges classes; rooms shared by several classes are judged once."""

    def __init__(
        self,
        register: Register,
        rooms: Rooms,
        windows: Windows,
        settings: Settings,
        cutoff: dt.date,
    ) -> None:
        self.rooms = rooms
        self._register = register
        self._settings = settings
        self._cutoff = cutoff
        self._equipped = Equipped(register, rooms, windows, settings)
        self._standing: dict[tuple[str, str], Stands] = {}
        self._findings: dict[tuple[str, str], Finding] = {}
        self._declared: dict[tuple[str, str], Declared] = {}

    def judge(self, row: SchoolClass) -> Unit:
        """A class's verdict; all of its rooms must meet."""
        school = self._register.schools[row.school]
        findings = [self.room(school, room) for room in row.rooms]
        words = [self._room_declared(row.school, room) for room in row.rooms]
        finding = _of_rooms(findings)
        verdict, steps = self._decide(row, finding, findings, words)
        district = self._register.district_of(row.school)
        return Unit("multimedia", row.school, district, row.name, verdict, steps, finding.simulated)

    def room(self, school: School, room: str) -> Finding:
        """The finding of telemetry about a room."""
        key = school.code, room
        if key not in self._findings:
            self._findings[key] = self._judge_room(school, room)
        return self._findings[key]

    def shared(self) -> Iterator[Shared]:
        """The devices that several rooms saw in the window."""
        return self._equipped.homes.all(self._cutoff)

    def leaves_open(self, school: School, room: str) -> bool:
        """Whether the window leaves a room undecided, so that older rows count."""
        return self._stands(school, room).now is None

    def _stands(self, school: School, room: str) -> Stands:
        key = school.code, room
        if key not in self._standing:
            self._standing[key] = self._equipped.stands(school, room, self._cutoff)
        return self._standing[key]

    def _decide(
        self,
        row: SchoolClass,
        finding: Finding,
        findings: Sequence[Finding],
        words: Sequence[Declared],
    ) -> tuple[Verdict, tuple[Step, ...]]:
        """The verdict, by the register's word on what the verdict is about.

        An inspection is of the whole class. What telemetry denies are some rooms. Where neither
        speaks, the register decides on the rooms that telemetry did not show.
        """
        inspections = [
            one
            for one in self._register.inspections_of.get(row.school, ())
            if one.indicator == "multimedia" and one.unit == row.name
        ]
        steps = tuple(step for declared in words for step in declared.steps)
        months = self._settings.inspection_months
        whole = every([declared.says for declared in words])
        says = {"inspection": whole, **_says(findings, words)}

        def decided(word: bool | None) -> tuple[Verdict, tuple[Step, ...]]:
            return decide(finding, inspections, Declared(word, steps), self._cutoff, months)

        found = decided(whole)
        word = says[str(found[1][-1].numbers["because"])]
        return found if word == whole else decided(word)

    def _judge_room(self, school: School, room: str) -> Finding:
        key = school.code, room
        stands = self._stands(school, room)
        opinion = stands.now or stands.before
        steps = room_steps(self._register, key, stands, self._settings, self._shared(key))
        simulated = self._equipped.history(key).simulated
        if opinion is None:
            return Finding(steps=steps, simulated=simulated)
        if not opinion.yes:
            return Finding(no=opinion.day, steps=steps, simulated=simulated)
        if stands.now:
            return Finding(yes=opinion.day, steps=steps, simulated=simulated)
        return Finding(cleared=opinion.day, steps=steps, simulated=simulated)

    def _shared(self, key: tuple[str, str]) -> list[Shared]:
        """The devices that this room and others saw in the window."""
        history, homes = self._equipped.history(key), self._equipped.homes
        seen = {one.identity for day in set(history.displays) for one in day}
        found = [homes.of(identity, self._cutoff) for identity in sorted(seen)]
        return [one for one in found if one is not None and key in one.days]

    def _room_declared(self, school: str, room: str) -> Declared:
        key = school, room
        if key not in self._declared:
            owned: dict[str, bool | None] = {
                piece: self._owns(key, piece) for piece in self._settings.required
            }
            says = every(list(owned.values()))
            self._declared[key] = Declared(says, (register_step(room, owned),))
        return self._declared[key]

    def _owns(self, key: tuple[str, str], piece: str) -> bool | None:
        kinds = _OWNED_AS.get(piece, frozenset({piece}))
        rows = self._register.equipment_of.get(key, ())
        if any(row.count > 0 and row.kind in kinds for row in rows):
            return True
        return False if any(row.kind in _DENIED_BY.get(piece, kinds) for row in rows) else None


def notes(units: Iterable[Unit]) -> Mapping[str, int]:
    """Notes to the figure of classes.

    `classes_kind_from_register`: how many are verified only with displays whose kind is taken from
    the register; `classes_display_elsewhere`: how many are not verified and saw a display that
    counts for another room, or for none.
    """
    classes = [unit for unit in units if unit.indicator == "multimedia"]
    verified = [unit for unit in classes if unit.verdict is Verdict.VERIFIED]
    others = [unit for unit in classes if unit.verdict is not Verdict.VERIFIED]
    return {
        "classes_kind_from_register": sum(_any_room(one, "kind_from_register") for one in verified),
        "classes_display_elsewhere": sum(_any_room(one, "days_elsewhere") for one in others),
    }


def _any_room(unit: Unit, number: str) -> bool:
    return any(step.numbers.get(number) for step in unit.steps if step.rule == "room")


def _of_rooms(findings: Sequence[Finding]) -> Finding:
    """Yes if all rooms meet, dated by the oldest of their days; no if one does not."""
    steps = tuple(step for finding in findings for step in finding.steps)
    simulated = any(finding.simulated for finding in findings)
    if not findings:
        return Finding(steps=(NO_ROOM,))
    denied = [finding.no for finding in findings if finding.no]
    if denied:
        return Finding(no=max(denied), steps=steps, simulated=simulated)
    yes = _oldest([finding.yes for finding in findings])
    cleared = _oldest([finding.yes or finding.cleared for finding in findings])
    return Finding(yes, None, None if yes else cleared, steps, simulated)


def _says(findings: Sequence[Finding], words: Sequence[Declared]) -> dict[str, bool | None]:
    """The register's word where telemetry denies a room, and where it leaves one open."""
    parts = list(zip(findings, words, strict=True))
    denied = [word.says for finding, word in parts if finding.no]
    silent = [word.says for finding, word in parts if not finding.no and not finding.yes]
    return {
        "telemetry": all(denied) and False not in silent,
        "register": every([True if finding.yes else word.says for finding, word in parts]),
    }


def _oldest(days: Sequence[dt.date | None]) -> dt.date | None:
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None
