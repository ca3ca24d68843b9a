"""A state as fields of `device_day` and back, and changes as `event` points. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.common.vocabulary.devices import codes
from collector.keeper.devices import DeviceKey
from collector.keeper.fields import number, text
from collector.keeper.midnight import MS
from collector.keeper.observations import Day
from collector.keeper.state import Aspect, State
from collector.store.base import Point, Value

#: Present in every row that holds a state.
MARK = "presence"
STATE_FIELDS = (
    "presence", "presence_ms", "presence_doubt", "health", "health_ms", "health_doubt",
    "fault_text", "power", "power_ms", "power_told", "used_ms", "looked_ms",
)  # fmt: skip
#: Two changes of one device may begin with one look; each kind has its nanosecond.
_ORDER = ("appeared", "gone", "fault", "repaired")
WITHDRAWN = "withdrawn"


def fields_of(state: State) -> dict[str, Value]:
    """The fields that keep a state."""
    return {
        "presence": state.presence.value,
        "presence_ms": state.presence.since,
        "presence_doubt": _doubt(state.presence),
        "health": state.health.value,
        "health_ms": state.health.since,
        "health_doubt": _doubt(state.health),
        "fault_text": state.fault,
        "power": state.power,
        "power_ms": state.power_since,
        "power_told": state.told,
        "used_ms": state.used,
        "looked_ms": state.last,
    }


def state_of(fields: Mapping[str, Value]) -> State:
    """The state that a row keeps."""
    return State(
        presence=_aspect(fields, "presence"),
        health=_aspect(fields, "health"),
        fault=codes(text(fields, "fault_text")),
        power=text(fields, "power") or "unknown",
        power_since=number(fields, "power_ms") or 0,
        used=number(fields, "used_ms") or 0,
        told=fields.get("power_told") is True,
        last=number(fields, "looked_ms") or 0,
    )


def _doubt(aspect: Aspect) -> str:
    return f"{aspect.doubt}@{aspect.doubted}" if aspect.doubt else ""


def _aspect(fields: Mapping[str, Value], name: str) -> Aspect:
    doubt, _, since = text(fields, f"{name}_doubt").partition("@")
    value = text(fields, name) or "unknown"
    doubted = int(since) if since.isdecimal() else 0
    return Aspect(value, number(fields, f"{name}_ms") or 0, doubt, doubted)


def with_states(days: Iterable[Point], folded: Mapping[DeviceKey, Day]) -> list[Point]:
    """The `device_day` points, with the states that the day ends in."""
    return [
        point._replace(fields={**point.fields, **fields_of(folded[key].known.state)})
        if (key := _key(point)) in folded
        else point
        for point in days
    ]


def unheard(folded: Mapping[DeviceKey, Day], told: Iterable[Point]) -> list[Point]:
    """Raw points for devices that no report mentions and that are missing all the same."""
    heard = {_key(point) for point in told}
    return [
        Point("device", _raw_tags(key, day), {"present": False, **_where(day)}, _time(day))
        for key, day in folded.items()
        if key not in heard and day.known.state.presence.value == "missing"
    ]


def _raw_tags(key: DeviceKey, day: Day) -> dict[str, str]:
    school, machine, device = key
    return {"school": school, "machine": machine, "kind": day.known.kind, "device": device}


def _where(day: Day) -> dict[str, Value]:
    return {"connector": day.known.connector} if day.known.connector else {}


def _time(day: Day) -> int:
    return day.known.state.last * MS


def events(days: Iterable[Point], folded: Mapping[DeviceKey, Day]) -> list[Point]:
    """The day's `event` points; `days` are its `device_day` points."""
    found = []
    for point in days:
        if (key := _key(point)) not in folded:
            continue
        for change in folded[key].changes:
            fields: dict[str, Value] = {"event": change.event, "detail": change.detail}
            if point.fields.get("simulated") is True:
                fields["simulated"] = True
            time = change.time * MS + _ORDER.index(change.event)
            found.append(Point("event", point.tags, fields, time))
    return found


def withdrawn(stored: Iterable[Point], derived: Iterable[Point]) -> list[Point]:
    """Points that take back stored events which a late report has shown to be none."""
    kept = {(frozenset(point.tags.items()), point.time) for point in derived}
    return [
        point._replace(fields={"event": WITHDRAWN})
        for point in stored
        if (frozenset(point.tags.items()), point.time) not in kept
        and point.fields.get("event") != WITHDRAWN
    ]


def _key(point: Point) -> DeviceKey:
    tags = point.tags
    return tags.get("school", ""), tags.get("machine", ""), tags.get("device", "")
