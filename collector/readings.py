"""Readings of the wire as points of `collector.schema`, at time 0. Pure.

A field is left out where the reading does not know it; texts that a later reading may clear
(`fault`, `failed_probes`) are written empty, so that the last value is the true one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from agent import wire
from collector.store.seam import Point, Value

Tags = Mapping[str, str]
Fields = dict[str, Value]
_MAX_INT = 2**63 - 1
_PLAIN = frozenset((bool, int, float))
_MAX_TEXT = 1000  # a list of names, in characters
_INVENTORY = (
    "hostname", "os", "os_version", "maker", "model", "cpu", "cores", "firmware_date", "serial",
)  # fmt: skip
_EVIDENCE = frozenset((wire.LineTest, wire.LineRecord))
_HOST = ("cpu_percent", "memory_total", "memory_used", "disk_total", "disk_used", "uptime_s", "os")


def agent_point(
    tags: Tags, boot: str, number: int, report: wire.Report, common: Mapping[str, Value]
) -> Point:
    """The one point that every report writes, also where it lacks an agent's reading."""
    tested = any(type(reading) in _EVIDENCE for reading in report.readings)
    fields: Fields = {
        "boot": boot,
        "number": number,
        "offset_ms": report.offset_ms,
        "evidence": tested and not report.uncertain,
    }
    for reading in report.readings:
        if type(reading) is wire.AgentHealth:
            fields |= _health(reading)
    fields.update(common)
    return Point("agent", tags, fields, 0)


def _health(health: wire.AgentHealth) -> Fields:
    fields = _given(health)
    fields["failed_probes"] = _listed(health.failed_probes)
    fields["policy_error"] = _clean(health.policy_error)
    if health.probes:
        fields["probes"] = _listed(health.probes)
    if health.sources:
        fields["sources"] = _listed(health.sources)
    return fields


def host_points(tags: Tags, host: wire.Host, common: Mapping[str, Value]) -> Iterator[Point]:
    """The PC's reading, if it says anything; sums are those of its physical interfaces."""
    fields = _given(host, _HOST)
    if host.inventory is not None:
        known = _given(host.inventory, _INVENTORY)
        fields = _built_in(host.inventory) | known | fields
    fields |= _network(host.nics)
    if fields:
        yield Point("host", tags, fields | dict(common), 0)


def _built_in(inventory: wire.Inventory) -> Fields:
    pairs = {"memory_total": inventory.memory_bytes, "disk_total": inventory.disk_bytes}
    fields: Fields = {name: value for name, value in pairs.items() if value is not None}
    return fields | (
        {"disks": _clean("; ".join(inventory.disks)[:_MAX_TEXT])} if inventory.disks else {}
    )


def _network(nics: Sequence[wire.Nic]) -> Fields:
    """Sums over interfaces with hardware behind them: bridges would count a byte twice."""
    if not nics:
        return {}
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


def device_points(
    tags: Tags, devices: Sequence[wire.Device], common: Mapping[str, Value]
) -> Iterator[Point]:
    """One point a device. A second one of a kind on one connector is a device of its own."""
    taken: set[tuple[str, str]] = set()
    for device in devices:
        place, nth = device.connector, 1
        while (device.kind, place) in taken:
            nth += 1
            place = f"{device.connector}#{nth}"
        taken.add((device.kind, place))
        fields = _given(device) | {"fault": _clean(device.fault), "connector": _clean(place)}
        fields |= {"present": device.present, "power": device.power, **common}
        del fields["kind"]
        ident = wire.device_id(tags["machine"], device.kind, place)
        yield Point("device", {**tags, "kind": device.kind, "device": ident}, fields, 0)


def test_point(tags: Tags, test: wire.LineTest, common: Mapping[str, Value]) -> Point:
    """The agent's test of a line."""
    fields = _given(test) | dict(common)
    fields.pop("line", None)
    return Point("line_test", {**tags, "line": test.line}, fields, 0)


def record_point(record: wire.LineRecord, common: Mapping[str, Value]) -> Point:
    """The measurement server's record of a test, tagged with the school it names."""
    fields = _given(record) | {"solo": record.solo, **common}
    for name in ("school", "machine", "line"):
        fields.pop(name, None)
    tags = {"school": record.school, "machine": record.machine, "line": record.line}
    return Point("line_record", tags, fields, 0)


def _listed(names: Sequence[str]) -> str:
    return _clean(",".join(names)[:_MAX_TEXT])


def _clean(text: str) -> str:
    """EDIDs hold zero bytes, and no store takes one."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _given(reading: msgspec.Struct, names: Sequence[str] | None = None) -> Fields:
    """The plain values of a reading that it knows: no None, no empty text, no lists."""
    fields: Fields = {}
    for name in reading.__struct_fields__ if names is None else names:
        value = getattr(reading, name)
        kind = type(value)  # exact: one loop without isinstance, for the fleet's sake
        if kind in _PLAIN:
            fields[name] = value
        elif kind is str and value:
            fields[name] = _clean(value)
    return fields
