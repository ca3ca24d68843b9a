"""中小学班级多媒体设备配备率: one unit is a class. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cached_property

from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.words import Words
from collector.compliance.model import Step, Unit
from collector.compliance.rooms import SILENT, RoomDays, Rooms
from collector.compliance.standing import Opinion, Standing, standing
from collector.compliance.verdicts import Declared, Finding, decide, every
from collector.compliance.window import Windows
from collector.compliance.words import named
from collector.config import Figure as Settings
from collector.roster.register import Inspection, Register, School, SchoolClass

_OWNED_AS = {"display": frozenset({"display", "projector", "panel", "tv"})}


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
        self._register = register
        self._rooms = rooms
        self._windows = windows
        self._settings = settings
        self._cutoff = cutoff
        self._findings: dict[tuple[str, str], Finding] = {}
        self._declared: dict[tuple[str, str], Declared] = {}

    @cached_property
    def _inspections(self) -> dict[tuple[str, str], list[Inspection]]:
        found: dict[tuple[str, str], list[Inspection]] = {}
        for row in self._register.inspections:
            if row.indicator == "multimedia":
                found.setdefault((row.school, row.unit), []).append(row)
        return found

    def judge(self, row: SchoolClass) -> Unit:
        """A class's verdict; all of its rooms must meet."""
        school = self._register.schools[row.school]
        finding = self._of_rooms([self.room(school, room) for room in row.rooms])
        declared = self._of_register(row)
        inspections = self._inspections.get((row.school, row.name), ())
        months = self._settings.inspection_months
        verdict, steps = decide(finding, inspections, declared, self._cutoff, months)
        district = self._register.district_of(row.school)
        return Unit("multimedia", row.school, district, row.name, verdict, steps, finding.simulated)

    def room(self, school: School, room: str) -> Finding:
        """The finding of telemetry about a room."""
        key = school.code, room
        if key not in self._findings:
            self._findings[key] = self._judge_room(school, room)
        return self._findings[key]

    def leaves_open(self, school: School, room: str) -> bool:
        """Whether the window leaves a room undecided, so that older rows count."""
        return self._standing(school, room).now is None

    def _standing(self, school: School, room: str) -> Standing:
        history = self._rooms.get((school.code, room), SILENT)
        return standing(
            history.days,
            lambda lo, hi: _opinion(history, lo, hi, self._settings),
            lambda day: self._windows.first(day, school.opened),
            self._cutoff,
        )

    def _judge_room(self, school: School, room: str) -> Finding:
        history = self._rooms.get((school.code, room), SILENT)
        stands = self._standing(school, room)
        first = self._windows.first(self._cutoff, school.opened)
        steps = _room_steps(room, history, first, stands, self._settings)
        return Finding(stands.yes, stands.no, stands.cleared, steps, history.simulated)

    def _of_rooms(self, findings: Sequence[Finding]) -> Finding:
        """Yes if all rooms meet, dated by the oldest of their days; no if one does not."""
        steps = tuple(step for finding in findings for step in finding.steps)
        simulated = any(finding.simulated for finding in findings)
        if not findings:
            return Finding(steps=(_NO_ROOM,))
        denied = [finding.no for finding in findings if finding.no]
        if denied:
            return Finding(no=max(denied), steps=steps, simulated=simulated)
        yes = _oldest([finding.yes for finding in findings])
        cleared = _oldest([finding.yes or finding.cleared for finding in findings])
        return Finding(yes, None, None if yes else cleared, steps, simulated)

    def _of_register(self, row: SchoolClass) -> Declared:
        rooms = [self._room_declared(row.school, room) for room in row.rooms]
        steps = tuple(step for declared in rooms for step in declared.steps)
        return Declared(every([declared.says for declared in rooms]), steps)

    def _room_declared(self, school: str, room: str) -> Declared:
        key = school, room
        if key not in self._declared:
            owned: dict[str, bool | None] = {
                piece: self._owns(key, piece) for piece in self._settings.required
            }
            says = every(list(owned.values()))
            self._declared[key] = Declared(says, (_register_step(room, owned),))
        return self._declared[key]

    def _owns(self, key: tuple[str, str], piece: str) -> bool | None:
        kinds = _OWNED_AS.get(piece, frozenset({piece}))
        counts = [
            row.count for row in self._register.equipment_of.get(key, ()) if row.kind in kinds
        ]
        return any(count > 0 for count in counts) if counts else None


def _opinion(history: RoomDays, lo: int, hi: int, settings: Settings) -> Opinion | None:
    """Yes: all required pieces on enough days. No: one piece on none of the days."""
    required = frozenset(settings.required)
    complete = [day for day in range(lo, hi) if required <= history.seen[day]]
    if len(complete) >= settings.min_room_days:
        return Opinion(True, history.days[complete[-1]])
    if required <= frozenset[str]().union(*history.seen[lo:hi]):
        return None
    return Opinion(False, history.days[hi - 1])


def _oldest(days: Sequence[dt.date | None]) -> dt.date | None:
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None


_NO_ROOM = Step("room", "班级在台账中没有教室", "the register binds the class to no room")


def _room_steps(
    room: str, history: RoomDays, first: dt.date, stands: Standing, settings: Settings
) -> tuple[Step, ...]:
    required = frozenset(settings.required)
    window = [seen for day, seen in zip(history.days, history.seen, strict=True) if day >= first]
    complete = sum(required <= seen for seen in window)
    never = [piece for piece in settings.required if window and not any(piece in s for s in window)]
    numbers = {
        "room": room,
        "days_reported": len(window),
        "days_complete": complete,
        "days_needed": settings.min_room_days,
        "never_seen": never,
    }
    zh, en = _listed(settings.required)
    zh = (
        f"{named('教室', room)}：窗口内 {len(window)} 天有上报，{complete} 天看到{zh}"
        f"（要求至少 {settings.min_room_days} 天）"
    )
    en = (
        f"Room {room}: reported on {len(window)} days of the window, on {complete} with {en} "
        f"(at least {settings.min_room_days} needed)"
    )
    if never:
        zh += f"；所有上报日都没有{_listed(never)[0]}"
        en += f"; never a {_listed(never)[1]}"
    return (Step("room", zh, en, numbers), *_earlier_steps(room, stands))


def _earlier_steps(room: str, stands: Standing) -> tuple[Step, ...]:
    if not stands.before:
        return ()
    day = stands.before.day
    numbers = {"room": room, "day": day.isoformat(), "yes": stands.before.yes}
    if stands.before.yes:
        zh, en = f"上次达标证据 {day}，已在窗口之外", f"last shown {day}, outside the window"
    else:
        zh = f"{day} 遥测表明缺件，此后没有达标证据，仍然有效"
        en = f"telemetry said no on {day}; no later yes, so it stands"
    return (Step("earlier", f"{named('教室', room)}：{zh}", f"Room {room}: {en}", numbers),)


def _register_step(room: str, owned: dict[str, bool | None]) -> Step:
    words = {True: ("有", "yes"), False: ("无", "no"), None: ("未登记", "not said")}
    zh = "，".join(f"{_piece(piece)[0]}{words[has][0]}" for piece, has in owned.items())
    en = ", ".join(f"{_piece(piece)[1]} {words[has][1]}" for piece, has in owned.items())
    return Step(
        "register", f"台账，{named('教室', room)}：{zh}", f"Register, room {room}: {en}", {**owned}
    )


def _piece(piece: str) -> Words:
    return KINDS.get(piece, Words(piece, piece))


def _listed(pieces: Sequence[str]) -> tuple[str, str]:
    return "和".join(_piece(p)[0] for p in pieces), " and ".join(_piece(p)[1] for p in pieces)
