"""PCs' days, folded report by report, and packed small from one pass to the next. Pure.

A fold that gets a PC's reports in several calls, each with later ones than the call before, is
equal to one that gets them all at once, unless `add` raises `ReviewError`.
"""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from collector.keeper import device_identity, devices, hours, machines, observations
from collector.keeper.devices import DeviceFacts, DeviceKey, DevicesFound
from collector.keeper.hours import Counts, HourFacts, Hours
from collector.keeper.machines import MachineFacts, MachineKey, Machines
from collector.keeper.observations import DeviceDay, Known
from collector.keeper.state import Change, Rule
from collector.store import Point

#: The kind of a display that a remote-control tool makes: no equipment, and no loss when it goes.
_SOFTWARE = "virtual_display"


class ReviewError(Exception):
    """New reports change what earlier ones of the day mean: compute the day whole."""


@dataclass(slots=True)
class Fold:
    """What the raw reports of some PCs of a school say about a day; no stored row is in it."""

    machines: Machines = field(default_factory=dict)
    devices: DevicesFound = field(default_factory=dict)
    known: dict[DeviceKey, Known] = field(default_factory=dict)
    changes: dict[DeviceKey, list[Change]] = field(default_factory=dict)  # of all with a state
    seen: device_identity.LastSeenOf = field(default_factory=dict)
    with_tv: set[MachineKey] = field(default_factory=set)
    read_as: dict[DeviceKey, Known] = field(default_factory=dict)  # as of the calls before
    earlier: dict[MachineKey, str] = field(default_factory=dict)  # hostnames of days before
    hours: dict[MachineKey, Hours] = field(default_factory=dict)

    def begin(self, before: Mapping[DeviceKey, Known]) -> None:
        """Add what the days before left of PCs that are not in the fold yet."""
        self.seen |= device_identity.last_seen(before)
        self.known |= observations.tracked(before)

    def settled(self, stored: Iterable[Point]) -> Machines:
        """The PCs' facts with those of stored `machine_day` rows; the fold keeps its own."""
        copied: Machines = _MACHINES.decode(_ENCODER.encode(self.machines))
        return machines.settled(copied, stored)

    def add_devices(self, raw: Iterable[Point], day: dt.date) -> list[Point]:
        """Add raw `device` points; returns them under the ids that their devices are known by."""
        readings = device_identity.merge_reports(filter(_real, raw), self.seen)
        devices.add_readings(self.devices, readings, day)
        return readings

    def reduce(
        self,
        readings: Iterable[Point],
        agents: Iterable[Point],
        rule: Rule,
        with_tv: set[MachineKey],
    ) -> None:
        """Add what `add_devices` gave to the devices' states, and the `agent` points with it.

        Raises:
            ReviewError: the readings before them had other rules.
        """
        found = observations.go_on(readings, agents, self.known, rule, with_tv)
        for key, one in self.read_as.items():
            was, now = key[:2] in self.with_tv, key[:2] in with_tv
            if not observations.same_rules(one, was, self.known[key], now):
                raise ReviewError
        for key, one_day in found.items():
            self.changes.setdefault(key, []).extend(one_day.changes)
        self.with_tv = with_tv

    def states(self) -> dict[DeviceKey, DeviceDay]:
        """The day of each device that was observed."""
        return {key: DeviceDay(self.known[key], changes) for key, changes in self.changes.items()}

    def device_facts(self) -> DevicesFound:
        """A copy, for stored rows to be added."""
        copied: DevicesFound = _DEVICES.decode(_ENCODER.encode(self.devices))
        return copied


def _real(point: Point) -> bool:
    return point.tags.get("kind") != _SOFTWARE


class _Packed(msgspec.Struct, array_like=True):
    facts: MachineFacts
    devices: dict[str, DeviceFacts]
    known: dict[str, Known]
    changes: dict[str, list[Change]]
    seen: dict[str, device_identity.LastSeen]
    with_tv: bool
    earlier: str | None
    hours: dict[int, HourFacts]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)
_MACHINES = msgspec.msgpack.Decoder(Machines)
_DEVICES = msgspec.msgpack.Decoder(DevicesFound)
_BY_DEVICE = ("devices", "known", "changes", "seen")


def packed(fold: Fold) -> dict[MachineKey, bytes]:
    """Each PC of the fold by itself; of its hours only the last, which may go on."""
    parts: dict[MachineKey, dict[str, dict[str, Any]]] = {
        key: {name: {} for name in _BY_DEVICE} for key in fold.machines
    }
    for name in _BY_DEVICE:
        for key, value in getattr(fold, name).items():
            if key[:2] in parts:
                parts[key[:2]][name][key[2]] = value
    return {key: _pack(fold, key, parts[key]) for key in fold.machines}


def _pack(fold: Fold, key: MachineKey, parts: dict[str, dict[str, Any]]) -> bytes:
    known = fold.hours.get(key, {})
    last = {max(known): known[max(known)]} if known else {}
    earlier, tv = fold.earlier.get(key), key in fold.with_tv
    one = _Packed(fold.machines[key], **parts, with_tv=tv, earlier=earlier, hours=last)
    return zlib.compress(_ENCODER.encode(one), 1)


def unpacked(pcs: Mapping[MachineKey, bytes]) -> Fold:
    """One fold of the packed PCs."""
    fold = Fold()
    for key, data in pcs.items():
        one = _DECODER.decode(zlib.decompress(data))
        fold.machines[key] = one.facts
        for name in _BY_DEVICE:
            found = getattr(one, name).items()
            getattr(fold, name).update({(*key, device): value for device, value in found})
        if one.with_tv:
            fold.with_tv.add(key)
        if one.earlier is not None:
            fold.earlier[key] = one.earlier
        fold.hours[key] = one.hours
    fold.read_as = dict(fold.known)
    return fold


def last_hour(key: MachineKey, fold: Fold) -> dict[int, Counts]:
    """What a PC's last hour counts, by that hour; empty where it has none."""
    found = fold.hours.get(key)
    return {max(found): found[max(found)].counts()} if found else {}


def add_hours(fold: Fold, agents: Iterable[Point], raw: Iterable[Point], key_of: _KeyOf) -> None:
    """Add raw points, not merged, to the hours of the PC that `key_of` tells."""
    for point in agents:
        hours.add_to_hours(fold.hours.setdefault(key_of(point), {}), [point], ())
    for point in raw:
        hours.add_to_hours(fold.hours.setdefault(key_of(point), {}), (), [point])


_KeyOf = Callable[[Point], MachineKey]
