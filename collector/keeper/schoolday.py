"""One school's day, read from the store and derived."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from collector.keeper.devices import device_days
from collector.keeper.machines import MachineKey, Machines, gather, machine_points, unnamed
from collector.keeper.midnight import bounds
from collector.keeper.rooms import emptied, room_days
from collector.roster.register import Register
from collector.store.seam import Point, Store

_LOOK_BACK = dt.timedelta(days=30)  # for the hostname of a PC that was not started that day
_AGENT = ("boot", "weak_id", "room", "simulated", "uncertain")
_HOST = ("hostname", "uncertain")
_DEVICE = (
    "present", "fault", "maker", "model", "serial", "connector", "simulated", "uncertain",
)  # fmt: skip


def derive(store: Store, register: Register, school: str, day: dt.date) -> list[Point]:
    """The day rows of a school that the store does not hold yet, or holds otherwise.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    start, stop = bounds(day)
    stored = {
        name: list(store.read(name, start, start + 1, {"school": school}))
        for name in ("machine_day", "device_day", "room_day")
    }

    def raw(measurement: str, fields: Sequence[str]) -> Iterator[Point]:
        return store.read(measurement, start, stop, {"school": school}, fields)

    machines = gather(raw("agent", _AGENT), raw("host", _HOST), stored["machine_day"])
    earlier = _names_before(store, school, machines, start)
    pcs = machine_points(machines, register, day, earlier)
    if not pcs and not stored["room_day"]:
        return []
    devices = device_days(raw("device", _DEVICE), pcs, stored["device_day"], register, day)
    rooms = room_days(pcs, devices, register, day)
    rooms += emptied(stored["room_day"], rooms, register, day)
    return [
        *_changed(pcs, stored["machine_day"]),
        *_changed(devices, stored["device_day"]),
        *_changed(rooms, stored["room_day"]),
    ]


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
