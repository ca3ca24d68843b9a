"""Turns a report's readings into points of `collector.schema`. Pure.

Fields that a reading does not know are left out. Texts that a later reading may clear (`fault`,
`failed_probes`) are written even if empty, so that the last stored value is the current one; counts
that only grow are written from 1 on, and a flag that is nearly always false where it is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from agent import wire
from collector.store import Point, Value

Fields = dict[str, Value]
_MAX_INT = 2**63 - 1
_MAX_TEXT = 1000  # a list of names, in characters
_DAY_MS = 86_400_000
#: 0 or false in nearly every report, and not stored then, which saves the database a fifth of its
#: work. Who reads takes 0 for what is absent: the last value stored may be an older one, of an
#: outbox that was made anew or a PC whose id is no longer weak.
_FROM_ONE_ON = {"dropped_telemetry", "dropped_evidence", "set_aside", "lost", "weak_id"}
_INVENTORY = (
    "hostname", "os", "os_version", "maker", "model", "cpu", "cores", "firmware_date", "serial",
)  # fmt: skip


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What all points of a report have in common.

    Tags, `marks` (fields), the time in ns, and when it arrived, in ms since 1970 UTC.
    """

    tags: Mapping[str, str]
    marks: Mapping[str, Value]
    time: int
    arrived: int = 0


def agent_point(frame: Frame, boot: str, number: int, report: wire.Report, tested: bool) -> Point:
    """The one `agent` point of every report, even one without a reading of the agent."""
    fields: Fields = {
        "boot": boot,
        "number": number,
        "offset_ms": report.offset_ms,
        "evidence": tested and not report.uncertain,
    }
    for reading in report.readings:
        if type(reading) is wire.AgentHealth:
            fields |= _health(reading)
    _add_lateness(fields, frame)
    return _point("agent", frame, fields)


def _add_lateness(fields: Fields, frame: Frame) -> None:
    """Whole days from the report's time to its arrival, if any.

    Not the time of arrival itself: a report that is sent twice must leave the same points.
    """
    days = (frame.arrived - frame.time // 1_000_000) // _DAY_MS
    if days > 0:
        fields["late_days"] = days


def _point(measurement: str, frame: Frame, fields: Fields, **tags: str) -> Point:
    """A point with the frame's tags and the given ones; takes over `fields`."""
    if frame.marks:
        fields |= frame.marks
    return Point(measurement, {**frame.tags, **tags} if tags else frame.tags, fields, frame.time)


def _health(health: wire.AgentHealth) -> Fields:
    fields = _given(health)
    fields["failed_probes"] = _listed(health.failed_probes)
    fields["policy_error"] = health.policy_error
    if health.probes:
        fields["probes"] = _listed(health.probes)
    if health.sources:
        fields["sources"] = _listed(health.sources)
    return fields


def host_point(frame: Frame, host: wire.Host) -> Point | None:
    """The PC's point, if there is any field; traffic is summed over physical interfaces."""
    fields = _given(host)
    if host.inventory is not None:
        known = _given(host.inventory)
        known = {name: known[name] for name in _INVENTORY if name in known}
        fields = _built_in(host.inventory) | known | fields
    if host.nics:
        fields |= _network(host.nics)
    return _point("host", frame, fields) if fields else None


def _built_in(inventory: wire.Inventory) -> Fields:
    pairs = {"memory_total": inventory.memory_bytes, "disk_total": inventory.disk_bytes}
    fields: Fields = {name: value for name, value in pairs.items() if value is not None}
    return fields | ({"disks": "; ".join(inventory.disks)[:_MAX_TEXT]} if inventory.disks else {})


def _network(nics: Sequence[wire.Nic]) -> Fields:
    """Sums over physical interfaces: with bridges a byte would count twice."""
    physical = [nic for nic in nics if nic.kind in ("wired", "wifi")]
    fields: Fields = {}
    for name in ("received_bytes", "sent_bytes"):
        counts = [value for nic in physical if (value := getattr(nic, name)) is not None]
        if counts and sum(counts) <= _MAX_INT:
            fields[name] = sum(counts)
    speeds = [nic.link_mbps for nic in physical if nic.up and nic.link_mbps is not None]
    if speeds:
        fields["link_mbps"] = max(speeds)
    if physical:
        fields["wired"] = any(nic.up and nic.kind == "wired" for nic in physical)
    return fields


def device_points(frame: Frame, devices: Sequence[wire.Device]) -> Iterator[Point]:
    """One point per device; a second one of the same kind and connector gets a number."""
    taken: set[tuple[str, str]] = set()
    for device in devices:
        place, nth = device.connector, 1
        while (device.kind, place) in taken:
            nth += 1
            place = f"{device.connector}#{nth}"
        taken.add((device.kind, place))
        fields = _given(device) | {"fault": device.fault, "connector": place}
        del fields["kind"]
        ident = wire.device_id(frame.tags["machine"], device.kind, place)
        yield _point("device", frame, fields, kind=device.kind, device=ident)


def test_point(frame: Frame, test: wire.LineTest) -> Point:
    """The agent's test of a line."""
    fields = _given(test)
    fields.pop("line", None)
    _add_lateness(fields, frame)
    return _point("line_test", frame, fields, line=test.line)


def record_point(frame: Frame, record: wire.LineRecord) -> Point:
    """The measurement server's record of a test, tagged with the school it names."""
    fields = _given(record)
    for name in ("school", "machine", "line"):
        fields.pop(name, None)
    _add_lateness(fields, frame)
    of = {"school": record.school, "machine": record.machine, "line": record.line}
    return _point("line_record", frame, fields, **of)


def _listed(names: Sequence[str]) -> str:
    return ",".join(names)[:_MAX_TEXT] if names else ""


def without_zeros(point: Point) -> Point:
    """The point without zero bytes in its texts: EDIDs have them, and no store accepts them."""
    clean = {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in point.fields.items()
    }
    return point._replace(fields=clean)


def _given(reading: msgspec.Struct) -> Fields:
    """The reading's numbers, flags and texts, without None, empty texts and lists."""
    plan = _PLANS[type(reading)]
    fields: Fields = {**plan.defaults, **msgspec.to_builtins(reading)}
    for name in plan.dropped:
        fields.pop(name, None)
    for name in plan.required:
        if fields[name] == "":
            del fields[name]
    return fields


class _Plan(NamedTuple):
    """What `_given` takes of a type of reading; msgspec leaves out what has its default."""

    defaults: Fields
    dropped: tuple[str, ...]  # lists and other structs
    required: tuple[str, ...]  # texts without a default: they may be empty


def _plan(kind: Any) -> _Plan:
    found: Any = inspect.type_info(kind)
    scalars = [field for field in found.fields if _is_scalar(field.type)]
    names = [field.name for field in scalars]
    return _Plan(
        {x.name: x.default for x in scalars if _is_written(x)},
        (found.tag_field or "", *(x.name for x in found.fields if x.name not in names)),
        tuple(x.name for x in scalars if x.required and isinstance(x.type, inspect.StrType)),
    )


def _is_written(field: inspect.Field) -> bool:
    """Whether its default is stored."""
    known = not field.required and field.default not in (None, "")
    return known and field.name not in _FROM_ONE_ON


def _is_scalar(kind: inspect.Type) -> bool:
    members = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return all(isinstance(member, _SCALARS) for member in members)


_SCALARS = (
    inspect.BoolType, inspect.IntType, inspect.FloatType, inspect.StrType, inspect.LiteralType,
    inspect.NoneType,
)  # fmt: skip
_READINGS = (
    wire.Host, wire.Inventory, wire.Device, wire.AgentHealth, wire.LineTest, wire.LineRecord,
)  # fmt: skip
_PLANS: dict[Any, _Plan] = {kind: _plan(kind) for kind in _READINGS}
