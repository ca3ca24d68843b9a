"""Device states as fields of `device_day` and back, and their changes as `event` points. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from agent.common.vocabulary.devices import codes
from collector.keeper.devices import DeviceKey
from collector.keeper.fields import number, text
from collector.keeper.midnight import MS
from collector.keeper.observations import DeviceDay
from collector.keeper.state import Aspect, State
from collector.store import Point, Value

#: The field that every row with a state has.
MARK = "presence"
STATE_FIELDS = (
    "presence", "presence_ms", "presence_doubt", "health", "health_ms", "health_doubt",
    "fault_text", "power", "power_ms", "power_told", "used_ms", "looked_ms",
    "returned_ms", "returned_before_ms", "away_days",
)  # fmt: skip
#: Changes of one device may begin at the same observation; each kind has a nanosecond of its own.
_ORDER = ("appeared", "gone", "fault", "repaired")
WITHDRAWN = "withdrawn"


def fields_of(state: State) -> dict[str, Value]:
    """The fields of `device_day` that store a state."""
    return {
        "presence": state.presence.value,
        "presence_ms": state.presence.since,
        "presence_doubt": _pending(state.presence),
        "health": state.health.value,
        "health_ms": state.health.since,
        "health_doubt": _pending(state.health),
        "fault_text": state.fault,
        "power": state.power,
        "power_ms": state.power_since,
        "power_told": state.power_reported,
        "used_ms": state.used,
        "looked_ms": state.last,
        "returned_ms": state.returned,
        "returned_before_ms": state.returned_before,
        "away_days": state.away_days,
    }


def state_of(fields: Mapping[str, Value]) -> State:
    """The state stored in a `device_day` row's fields."""
    return State(
        presence=_aspect(fields, "presence"),
        health=_aspect(fields, "health"),
        fault=codes(text(fields, "fault_text")),
        power=text(fields, "power") or "unknown",
        power_since=number(fields, "power_ms") or 0,
        used=number(fields, "used_ms") or 0,
        power_reported=fields.get("power_told") is True,
        last=number(fields, "looked_ms") or 0,
        returned=number(fields, "returned_ms") or 0,
        returned_before=number(fields, "returned_before_ms") or 0,
        away_days=number(fields, "away_days") or 0,
    )


def _pending(aspect: Aspect) -> str:
    return f"{aspect.pending}@{aspect.pending_since}" if aspect.pending else ""


def _aspect(fields: Mapping[str, Value], name: str) -> Aspect:
    pending, _, since = text(fields, f"{name}_doubt").partition("@")
    value = text(fields, name) or "unknown"
    pending_since = int(since) if since.isdecimal() else 0
    return Aspect(value, number(fields, f"{name}_ms") or 0, pending, pending_since)


def with_states(points: Iterable[Point], device_days: Mapping[DeviceKey, DeviceDay]) -> list[Point]:
    """The `device_day` points, with the state of each device at the end of the day."""
    return [
        _with_state(point, device_days[key]) if (key := _key(point)) in device_days else point
        for point in points
    ]


def _with_state(point: Point, day: DeviceDay) -> Point:
    state = day.known.state
    gone = any(change.event == "gone" for change in day.changes)
    missing = {"missing": True} if gone or state.presence.value == "missing" else {}
    return point._replace(fields={**point.fields, **missing, **fields_of(state)})


def unreported(
    device_days: Mapping[DeviceKey, DeviceDay], mentioned: Container[DeviceKey]
) -> list[Point]:
    """Raw points of absence, for absent devices that no reading of the day mentions."""
    return [
        Point("device", _raw_tags(key, day), {"present": False, **_where(day)}, _time(day))
        for key, day in device_days.items()
        if key not in mentioned and day.known.state.presence.value in ("missing", "off")
    ]


def _raw_tags(key: DeviceKey, day: DeviceDay) -> dict[str, str]:
    school, machine, device = key
    return {"school": school, "machine": machine, "kind": day.known.kind, "device": device}


def _where(day: DeviceDay) -> dict[str, Value]:
    return {"connector": day.known.connector} if day.known.connector else {}


def _time(day: DeviceDay) -> int:
    return day.known.state.last * MS


def events(points: Iterable[Point], device_days: Mapping[DeviceKey, DeviceDay]) -> list[Point]:
    """The day's `event` points; `points` are its `device_day` points."""
    found = []
    for point in points:
        if (key := _key(point)) not in device_days:
            continue
        for change in device_days[key].changes:
            fields: dict[str, Value] = {"event": change.event, "detail": change.detail}
            if point.fields.get("simulated") is True:
                fields["simulated"] = True
            time = change.time * MS + _ORDER.index(change.event)
            found.append(Point("event", point.tags, fields, time))
    return found


def withdrawn_events(stored: Iterable[Point], derived: Iterable[Point]) -> list[Point]:
    """Points that mark stored events as withdrawn, which a late report has disproved."""
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
