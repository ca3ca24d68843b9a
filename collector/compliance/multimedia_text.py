"""The explanation of a class's verdict: its rooms, their displays, the register. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from agent.common.language import counted
from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.words import Words
from collector.compliance.equipped import Day, Sight, Stands, ended_no, lacking_since
from collector.compliance.homes import Shared
from collector.compliance.model import Step
from collector.compliance.rooms import RoomKey
from collector.compliance.words import named
from collector.config import Figure as Settings
from collector.roster.register import Register

NO_ROOM = Step("room", "班级在台账中没有教室", "the register binds the class to no room")
#: Rooms named for one device; a filler may stand in hundreds.
_NAMED = 5


def room_steps(
    register: Register,
    key: RoomKey,
    stands: Stands,
    settings: Settings,
    shared: Sequence[Shared],
) -> tuple[Step, ...]:
    """What telemetry says of a room: its days, displays seen elsewhere too, an earlier result."""
    return (
        _days_step(key[1], stands.days, settings),
        *(_shared_step(register, key, one) for one in shared),
        *_cleared_steps(key[1], stands, settings),
        *_earlier_steps(key[1], stands),
    )


def register_step(room: str, owned: dict[str, bool | None]) -> Step:
    """What the register says of a room's required pieces."""
    words = {True: ("有", "yes"), False: ("无", "no"), None: ("未登记", "not said")}
    zh = "，".join(f"{_piece(piece)[0]}{words[has][0]}" for piece, has in owned.items())
    en = ", ".join(f"{_piece(piece)[1]} {words[has][1]}" for piece, has in owned.items())
    return Step(
        "register", f"台账，{named('教室', room)}：{zh}", f"Register, room {room}: {en}", {**owned}
    )


def _days_step(room: str, days: Sequence[Day], settings: Settings) -> Step:
    full = [day for day in days if day.full]
    lacking, needed = lacking_since(tuple(days)), settings.min_room_days
    told = [day for day in full if day.display is not Sight.BY_REGISTER]
    pieces = [p for p in settings.required if any(p in day.lacking for day in lacking)]
    numbers = {
        "room": room,
        "days_reported": len(days),
        "days_complete": len(full),
        "days_needed": needed,
        "days_lacking": len(lacking),
        "lacking": pieces,
        "days_kind_from_register": len(full) - len(told),
        "kind_from_register": len(told) < needed <= len(full),
        "days_elsewhere": _open(days, Sight.ELSEWHERE),
        "days_kind_unknown": _open(days, Sight.KIND_UNKNOWN),
    }
    zh, en = _listed(settings.required)
    zh = (
        f"{named('教室', room)}：窗口内 {len(days)} 天有上报，{len(full)} 天看到{zh}"
        f"（要求至少 {needed} 天）"
    )
    en = (
        f"Room {room}: reported on {counted(len(days), 'day')} of the window, on {len(full)} "
        f"with {en} "
        f"(at least {needed} needed)"
    )
    more = _remarks(numbers, pieces, needed, any(day.was_there for day in days))
    return Step("room", zh + "".join(f"；{w.zh}" for w in more),
                en + "".join(f"; {w.en}" for w in more), numbers)  # fmt: skip


def _open(days: Sequence[Day], sight: Sight) -> int:
    """How many days are open for this reason."""
    return sum(not day.lacking and day.display is sight for day in days)


def _remarks(
    numbers: dict[str, object], pieces: Sequence[str], needed: int, was_complete: bool
) -> list[Words]:
    by_register, elsewhere = numbers["days_kind_from_register"], numbers["days_elsewhere"]
    unknown, lacking = numbers["days_kind_unknown"], numbers["days_lacking"]
    found = []
    if by_register:
        found.append(Words(
            f"其中 {by_register} 天的显示设备种类取自台账",
            f"on {by_register} of them the display's kind is taken from the register",
        ))  # fmt: skip
    if elsewhere:
        found.append(Words(
            f"{elsewhere} 天看到的显示设备不计在这里，既不算有也不算缺",
            f"on {counted(elsewhere, 'day')} the display seen does not count here: neither a yes "
            "nor a no",
        ))  # fmt: skip
    if unknown:
        found.append(Words(
            f"{unknown} 天看到的显示设备种类不明，台账也没有写，既不算有也不算缺",
            f"on {counted(unknown, 'day')} the display is of a kind that neither it nor the "
            "register tells: neither a yes nor a no",
        ))  # fmt: skip
    if pieces:
        zh, en = _listed(pieces)
        since = (
            Words("最近一次齐全以后 ", " since it was last complete") if was_complete else ("", "")
        )
        found.append(Words(
            f"{since[0]}{lacking} 天没有{zh}（满 {needed} 天为缺）",
            f"no {en} on {counted(lacking, 'day')}{since[1]} ({needed} make a no)",
        ))  # fmt: skip
    return found


def _shared_step(register: Register, key: RoomKey, one: Shared) -> Step:
    """A device that this room and others saw, and for which of them it counts."""
    here, others = one.days[key], len(one.days) - 1
    listed = list(islice((room for room in one.days if room != key), _NAMED))
    counts = key in one.homes
    zh_places = "、".join(f"{_place(register, key, room)}（{one.days[room]} 天）"
                         for room in listed)  # fmt: skip
    en_places = ", ".join(f"{_place(register, key, room)} ({counted(one.days[room], 'day')})"
                          for room in listed)  # fmt: skip
    more = others - len(listed)
    kind = _piece(one.kind)
    zh = (
        f"{named('教室', key[1])}：{kind.zh} {one.identity} 窗口内在这里 {here} 天，"
        f"也在 {zh_places}"
        f"{f'等 {others} 处' if more > 0 else ''}；"
        f"{_at_once(one).zh}，{'计在这里' if counts else '不计在这里'}"
    )
    en = (
        f"Room {key[1]}: {kind.en} {one.identity} was here on {counted(here, 'day')} of the "
        "window, and in "
        f"{en_places}{f' and {more} more' if more > 0 else ''}; "
        f"{_at_once(one).en}, which {'counts' if counts else 'does not count'} here"
    )
    numbers = {
        "room": key[1], "identity": one.identity, "kind": one.kind, "days_here": here,
        "rooms": len(one.days), "at_once": one.at_once, "counts": counts,
    }  # fmt: skip
    return Step("device", zh, en, numbers)


def _at_once(one: Shared) -> Words:
    if one.at_once > 1:
        return Words(
            f"同一时间最多在 {one.at_once} 处，是 {one.at_once} 台，计在天数最多的教室",
            f"at most {one.at_once} rooms saw it at one time: {one.at_once} devices, for the rooms "
            "with the most days",
        )
    return Words(
        "从没有同时出现，是同一台，计在天数最多的教室",
        "never two rooms at one time: one device, for the room with the most days",
    )


def _place(register: Register, here: RoomKey, room: RoomKey) -> str:
    school, name = room
    if school == here[0]:
        return name
    known = register.schools.get(school)
    return f"{known.name if known else school} {name}"


def _cleared_steps(room: str, stands: Stands, settings: Settings) -> tuple[Step, ...]:
    """What cleared a no of the window."""
    ended = ended_no(stands.days, settings.min_room_days)
    if not (ended and stands.now and stands.now.yes):
        return ()
    yes = next(day.day for day in stands.days if day.full and day.day > ended.day)
    numbers = {"room": room, "no": ended.day.isoformat(), "yes": yes.isoformat()}
    return (
        Step(
            "cleared",
            f"{named('教室', room)}：到 {ended.day} 为止曾经缺件，{yes} 起又齐全，缺件已消除",
            f"Room {room}: lacked a piece up to {ended.day}; complete again from {yes}, which "
            "cleared that no",
            numbers,
        ),
    )


def _earlier_steps(room: str, stands: Stands) -> tuple[Step, ...]:
    if not stands.before:
        return ()
    day = stands.before.day
    numbers = {"room": room, "day": day.isoformat(), "yes": stands.before.yes}
    if stands.before.yes:
        zh = f"{day} 曾经达标，已在窗口之外；它消除了更早的缺件"
        en = f"met on {day}, outside the window; that cleared any earlier no"
    else:
        zh = f"{day} 遥测表明缺件，此后没有达标证据，仍然有效"
        en = f"telemetry said no on {day}; no later yes, so it stands"
    return (Step("earlier", f"{named('教室', room)}：{zh}", f"Room {room}: {en}", numbers),)


def _piece(piece: str) -> Words:
    return KINDS.get(piece, Words(piece, piece))


def _listed(pieces: Sequence[str]) -> tuple[str, str]:
    return "和".join(_piece(p)[0] for p in pieces), " and ".join(_piece(p)[1] for p in pieces)
