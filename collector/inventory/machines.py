"""PCs compared with the register: their rooms, why, and contradictions. Pure except `load`."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from agent.common.language import say
from collector.keeper.devices import PICTURES
from collector.keeper.midnight import midnight
from collector.roster.register import COMPUTER_ROOM, Register
from collector.store import Point, Store

#: PCs without a report for this many days are not listed.
DAYS = 30
#: Two PCs with a picture in one room are a conflict if both had it within this time.
_LATELY = dt.timedelta(days=7)
_FIELDS = (
    "seen", "last_ms", "hostname", "weak_id", "shared_id", "claimed", "simulated",
)  # fmt: skip

BoundBy = Literal["decision", "id", "name", "config", "", "retired", "merged"]


class Pc(NamedTuple):
    """One PC: its room, what binds it there, and its problems."""

    school: str
    machine: str
    hostname: str
    room: str
    bound_by: BoundBy
    last_ms: int
    days: int  # on which it was seen
    problems: tuple[str, ...] = ()


def load(store: Store, register: Register, today: dt.date, school: str = "") -> list[Pc]:
    """The PCs of the last `DAYS`, of one school or of all.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    start = midnight(today - dt.timedelta(days=DAYS))
    stop = midnight(today + dt.timedelta(days=1))
    tags = {"school": school} if school else None
    days = store.read("machine_day", start, stop, tags, _FIELDS)
    recent = midnight(today - _LATELY)
    devices = store.read("device_day", recent, stop, tags, ["seen"])
    return machines(days, devices, register)


def machines(days: Iterable[Point], devices: Iterable[Point], register: Register) -> list[Pc]:
    """The PCs of these `machine_day` and `device_day` points, by school, room and name."""
    rows: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in days:
        if point.tags["school"] in register.schools:
            rows[point.tags["school"], point.tags["machine"]].append(point)
    found = [_pc(key, points, register) for key, points in rows.items()]
    fronts = _fronts(devices, {(pc.school, pc.machine): pc.room for pc in found}, register)
    found = [pc._replace(problems=(*pc.problems, *_crowded(pc, fronts))) for pc in found]
    return sorted(found, key=lambda pc: (pc.school, pc.room, pc.hostname, pc.machine))


def _pc(key: tuple[str, str], points: list[Point], register: Register) -> Pc:
    last = max(points, key=lambda point: point.time)
    name, claimed = _last(points, "hostname"), _last(points, "claimed")
    room = register.room_for(*key, name, claimed)
    seen = max(int(point.fields.get("last_ms", 0)) for point in points)
    days = len({point.time for point in points})
    by = _bound_by(register, *key, name, room)
    return Pc(*key, name, room, by, seen, days, tuple(_problems(register, key, by, last, claimed)))


def _last(points: list[Point], name: str) -> str:
    values = [(point.time, str(point.fields[name])) for point in points if name in point.fields]
    return max(values, default=(0, ""))[1]


def _bound_by(register: Register, school: str, machine: str, name: str, room: str) -> BoundBy:
    decided = register.decided.get((school, machine))
    if decided is not None:
        words: dict[str, BoundBy] = {"retire": "retired", "merge": "merged"}
        return words.get(decided.act, "decision")
    if not room:
        return ""
    patterns = [row.pattern for row in register.machines_of.get(school, [])]
    if machine in patterns:
        return "id"
    named = any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
    return "name" if name and named else "config"


def _problems(
    register: Register, key: tuple[str, str], by: BoundBy, last: Point, claimed: str
) -> Iterator[str]:
    decided = register.decided.get(key)
    if claimed and (key[0], claimed) not in register.room:
        zh, en = f"配置的教室「{claimed}」不在台账中", f"its config claims {claimed}: no such room"
        yield say(zh, en)
    target = decided.target if decided is not None and decided.act == "bind" else ""
    if target and (key[0], target) not in register.room:
        yield say(f"绑定的教室「{target}」已不在台账中", f"bound to {target}: no such room")
    if not by:
        yield say("没有绑定教室", "bound to no room")
    if last.fields.get("shared_id") is True:
        yield say("两台电脑共用这个机器号，正在自动纠正", "two PCs share this id; being corrected")
    elif last.fields.get("weak_id") is True:
        yield say("标识弱，不计入计算机教室", "weak id: no computer-room evidence")


def _fronts(
    devices: Iterable[Point], rooms: dict[tuple[str, str], str], register: Register
) -> dict[tuple[str, str], set[str]]:
    """The PCs that recently had a picture, by classroom: only one PC should have it."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for point in devices:
        tags = point.tags
        room = rooms.get((tags["school"], tags["machine"]), "")
        known = register.room.get((tags["school"], room))
        classroom = known is not None and known.type != COMPUTER_ROOM
        # A network projector is in its own room, not necessarily in this PC's.
        here = tags.get("room", "") == room and point.fields.get("seen") is True
        if classroom and here and tags["kind"] in PICTURES:
            found[tags["school"], room].add(tags["machine"])
    return found


def _crowded(pc: Pc, fronts: dict[tuple[str, str], set[str]]) -> Iterator[str]:
    here = fronts.get((pc.school, pc.room), set())
    if pc.machine in here and len(here) > 1:
        yield say(
            f"「{pc.room}」的投影或大屏接着 {len(here)} 台电脑",
            f"{len(here)} PCs claim the front of {pc.room}",
        )
