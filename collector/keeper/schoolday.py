"""One school's day, read from the store and derived."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from collector.keeper import stateful
from collector.keeper.device_identity import same
from collector.keeper.devices import device_days
from collector.keeper.fields import certain, number
from collector.keeper.machines import MachineKey, Machines, gather, machine_points, unnamed
from collector.keeper.midnight import bounds
from collector.keeper.observations import reduce_day
from collector.keeper.previous_state import PreviousState
from collector.keeper.rooms import emptied, room_days
from collector.keeper.sharing import OWN_ID
from collector.roster.register import Register
from collector.store.base import Point, Store

_LOOK_BACK = dt.timedelta(days=30)  # for the hostname of a PC that was not started that day
_AGENT = (
    "boot", "weak_id", "room", "simulated", "uncertain", "probes", "sources", "version",
    "offset_ms", "outbox_rows",
)  # fmt: skip
_HOST = ("hostname", "uncertain")
_DEVICE = (
    "present", "fault", "power", "maker", "model", "serial", "connector", "room", "simulated",
    "uncertain", "lamp_hours",
)  # fmt: skip


def derive(
    store: Store,
    register: Register,
    school: str,
    day: dt.date,
    previous: PreviousState | None = None,
) -> list[Point]:
    """The day rows of a school, and its events, that the store does not hold, or holds otherwise.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    start, stop = bounds(day)
    stored = {
        name: list(store.read(name, start, start + 1, {"school": school}))
        for name in ("machine_day", "device_day", "room_day")
    }

    def raw(measurement: str, fields: Sequence[str]) -> list[Point]:
        points = store.read(measurement, start, stop, {"school": school}, fields)
        return [_merged(point, register) for point in points]

    agents = raw("agent", _AGENT)
    known = [_merged(point, register) for point in stored["machine_day"]]
    machines = gather(agents, raw("host", _HOST), known)
    earlier = _names_before(store, school, machines, start)
    pcs = machine_points(machines, register, day, earlier)
    if not pcs and not stored["room_day"]:
        return []
    previous = previous or PreviousState(store)
    before = previous.before(school, day, {machine for _, machine in machines})
    told = same(raw("device", _DEVICE), before)
    # Where the telemetry behind the stored rows is pruned, what they say of the state stands.
    whole = _whole(agents, stored["machine_day"])
    folded = reduce_day(told, agents, before, previous.rule) if whole else {}
    heard = [*told, *stateful.unreported(folded, told)]
    devices = device_days(heard, pcs, stored["device_day"], register, day)
    devices = stateful.with_states(devices, folded)
    events = stateful.events(devices, folded)
    rooms = room_days(pcs, devices, register, day)
    rooms += emptied(stored["room_day"], rooms, register, day)
    return [
        *_changed(pcs, stored["machine_day"]),
        *_changed(devices, stored["device_day"]),
        *_changed(rooms, stored["room_day"]),
        *(_events(store, school, start, stop, events) if whole else ()),
    ]


def _merged(point: Point, register: Register) -> Point:
    """The point, said of the PC that its machine id stands for."""
    machine = point.tags.get("machine", "")
    known = register.known_as(point.tags.get("school", ""), machine)
    if known == machine:
        return point
    fields = {**point.fields, OWN_ID: machine}
    return point._replace(tags={**point.tags, "machine": known}, fields=fields)


def _whole(agents: Iterable[Point], stored: Iterable[Point]) -> bool:
    """Whether the raw points are still all that the stored rows were derived from."""
    counted = sum(number(point.fields, "reports") or 0 for point in stored)
    return sum(map(certain, agents)) >= counted


def _events(
    store: Store, school: str, start: int, stop: int, events: Sequence[Point]
) -> Iterator[Point]:
    """The events that are new, and those to be taken back."""
    stored = list(store.read("event", start, stop, {"school": school}))
    known = {(frozenset(point.tags.items()), point.time): point.fields for point in stored}
    for point in events:
        fields = known.get((frozenset(point.tags.items()), point.time))
        if fields is None or not point.fields.items() <= fields.items():
            yield point
    yield from stateful.withdrawn_events(stored, events)


def _names_before(
    store: Store, school: str, machines: Machines, start: int
) -> dict[MachineKey, str]:
    """The last hostname before the day of the PCs that did not say it that day."""
    wanted = [machine for _, machine in unnamed(machines)]
    if not wanted:
        return {}
    since = start - int(_LOOK_BACK.total_seconds()) * 10**9
    tags = {"school": school, "machine": wanted}
    return {
        (school, point.tags["machine"]): str(point.fields["hostname"])
        for point in store.read("machine_day", since, start, tags, ["hostname"])
    }


def _changed(points: Iterable[Point], stored: Iterable[Point]) -> Iterator[Point]:
    """The points that would change the store: rows are derived far more often than they change."""
    known = {frozenset(point.tags.items()): point.fields for point in stored}
    for point in points:
        fields = known.get(frozenset(point.tags.items()))
        if fields is None or not point.fields.items() <= fields.items():
            yield point
