"""A report in, its points out: a school's, and the measurement server's."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.wire.topics import report_topic
from collector.ingest import Quarantined, Source, Stored, decode
from collector.ingest.points import _given
from ingest_cases import BOOT, MACHINE, NOON, OTHER, SCHOOL, line_test, points, record, report, take


def test_every_report_writes_one_agent_point_with_boot_and_number() -> None:
    [bare] = points(take(report(), number=7), "agent")
    assert bare.tags == {"school": SCHOOL, "machine": MACHINE}
    assert (bare.fields["boot"], bare.fields["number"]) == (BOOT, 7)
    full = report(
        wire.AgentHealth(version="0.1", outbox_rows=3, failed_probes=("sound", "host")),
        wire.AgentHealth(version="0.1"),
        wire.Host(),
        offset_ms=-5,
    )
    [one] = points(take(full), "agent")
    assert one.fields["offset_ms"] == -5
    assert one.fields["evidence"] is False


def test_health_is_written_with_its_failed_probes() -> None:
    health = wire.AgentHealth(version="0.1", outbox_rows=3, failed_probes=("sound", "host"))
    [point] = points(take(report(health)), "agent")
    assert point.fields["failed_probes"] == "sound,host"
    assert point.fields["outbox_rows"] == 3
    assert "rss_bytes" not in point.fields


def test_points_stand_at_the_sealed_time() -> None:
    outcome = take(report(wire.Host(cpu_percent=1.0)), number=9)
    assert isinstance(outcome, Stored)
    assert {point.time for point in outcome.points} == {wire.point_time(NOON, BOOT, 9)}
    assert outcome.day == dt.date(2026, 3, 2)


def test_days_are_cut_at_local_midnight() -> None:
    midnight = int(dt.datetime(2026, 3, 2, tzinfo=wire.CITY_TIME).timestamp() * 1000)
    before, after = take(report(time=midnight - 1)), take(report(time=midnight))
    assert isinstance(before, Stored)
    assert isinstance(after, Stored)
    assert (before.day, after.day) == (dt.date(2026, 3, 1), dt.date(2026, 3, 2))


def test_a_resend_gives_the_same_points_and_another_report_others() -> None:
    message = report(wire.Host(cpu_percent=1.0), line_test())
    assert take(message) == take(message)
    first, second = take(message, number=2), take(message, number=3)
    assert isinstance(first, Stored)
    assert isinstance(second, Stored)
    assert not {point.time for point in first.points} & {point.time for point in second.points}


def test_a_late_report_says_how_many_days_and_so_does_its_evidence() -> None:
    hour = 3_600_000
    for late, said in ((hour, {}), (23 * hour, {}), (8 * 24 * hour + hour, {"late_days": 8})):
        now = (NOON + late) * 1_000_000
        topic = report_topic(SCHOOL, MACHINE, BOOT, 2)
        outcome = decode(topic, wire.encode(report(line_test())), {SCHOOL}.__contains__, now)
        for name in ("agent", "line_test"):
            (point,) = points(outcome, name)
            assert {key: v for key, v in point.fields.items() if key == "late_days"} == said


def test_host_sums_the_physical_interfaces_only() -> None:
    host = wire.Host(
        nics=(
            wire.Nic(name="e0", up=True, kind="wired", link_mbps=1000.0, received_bytes=10),
            wire.Nic(name="e1", up=False, kind="wired", link_mbps=10000.0, received_bytes=5),
            wire.Nic(name="w0", up=True, kind="wifi", link_mbps=300.0, received_bytes=1),
            wire.Nic(name="br0", up=True, kind="virtual", received_bytes=10),
            wire.Nic(name="lo", up=True, kind="loopback", received_bytes=99, sent_bytes=99),
        )
    )
    [point] = points(take(report(host)), "host")
    assert point.fields == {"received_bytes": 16, "link_mbps": 1000.0, "wired": True}


def test_a_sum_that_no_store_can_hold_is_left_out() -> None:
    nic = wire.Nic(name="e0", up=True, kind="wired", received_bytes=2**63 - 1)
    [point] = points(take(report(wire.Host(nics=(nic, nic)))), "host")
    assert point.fields == {"wired": True}


def test_inventory_fills_the_host_point() -> None:
    inventory = wire.Inventory(hostname="pc-1", cores=4, memory_bytes=8, os="Linux")
    [point] = points(take(report(wire.Host(inventory=inventory, disk_total=9))), "host")
    assert point.fields == {
        "hostname": "pc-1", "cores": 4, "memory_total": 8, "disk_total": 9, "os": "Linux",
    }  # fmt: skip


def test_two_devices_on_one_connector_do_not_overwrite_each_other() -> None:
    seen = [wire.Device(kind="monitor", connector="VGA-1", name=name) for name in ("A", "B", "C")]
    other = wire.Device(kind="projector", connector="VGA-1")
    found = points(take(report(*seen, other)), "device")
    assert len({point.tags["device"] for point in found}) == 4
    assert [point.fields.get("name") for point in found] == ["A", "B", "C", None]
    assert found[0].tags["device"] == wire.device_id(MACHINE, "monitor", "VGA-1")


def test_a_fault_that_is_gone_is_written_as_gone() -> None:
    [point] = points(take(report(wire.Device(kind="tv", connector="H", present=False))), "device")
    assert point.fields["fault"] == ""
    assert point.fields["present"] is False
    assert point.tags["kind"] == "tv"


def test_two_readings_of_one_series_in_a_report_are_both_kept() -> None:
    found = points(take(report(line_test(test="a"), line_test(test="b"))), "line_test")
    assert len({point.time for point in found}) == 2
    assert {point.time // 1_000_000 for point in found} == {NOON}


def test_simulated_passes_to_every_point() -> None:
    outcome = take(report(wire.Host(uptime_s=1.0), line_test(), simulated=True))
    assert isinstance(outcome, Stored)
    assert all(point.fields["simulated"] is True for point in outcome.points)
    real = take(report(wire.Host()))
    assert isinstance(real, Stored)
    assert not any("simulated" in point.fields for point in real.points)


def test_uncertain_reports_are_telemetry_never_evidence() -> None:
    outcome = take(report(wire.Host(uptime_s=1.0), line_test(), uncertain=True))
    assert isinstance(outcome, Stored)
    assert {point.measurement for point in outcome.points} == {"agent", "host"}
    assert all(point.fields["uncertain"] is True for point in outcome.points)
    assert outcome.points[0].fields["evidence"] is False
    assert outcome.day is None


def test_the_payload_never_overrides_the_topic() -> None:
    body = json.loads(wire.encode(report(wire.Host())))
    body |= {"school": OTHER, "machine": "ff" * 16, "boot": "f" * 16, "number": 99}
    outcome = take(json.dumps(body).encode())
    assert isinstance(outcome, Stored)
    assert outcome.source == Source(SCHOOL, MACHINE, BOOT, 2)
    assert outcome.points[0].fields["number"] == 2


def test_a_host_that_knows_nothing_writes_no_point() -> None:
    assert points(take(report(wire.Host(), simulated=True)), "host") == []


def test_what_no_store_takes_is_cleaned_or_quarantined_whole() -> None:
    odd = wire.Device(kind="tv", connector="H\0", name="EPSON\0PJ", fault="\0")
    [point] = points(take(report(odd, wire.AgentHealth(version="\0"))), "device")
    assert point.fields["name"] == "EPSON\ufffdPJ"
    for line in ("a\nb", "a\\", "\x7f", "a\0b"):
        outcome = take(report(wire.Host(cpu_percent=1.0), line_test(line=line)))
        assert isinstance(outcome, Quarantined), line
        assert "tag line" in outcome.reason


def test_a_line_record_is_tagged_by_what_the_server_names() -> None:
    outcome = take(report(record()), school=wire.LINESERVER)
    [point] = points(outcome, "line_record")
    assert point.tags == {"school": OTHER, "machine": "cd" * 16, "line": "l9"}
    assert point.fields["solo"] is True
    [agent] = points(outcome, "agent")
    assert agent.tags["school"] == wire.LINESERVER
    assert agent.fields["evidence"] is True


def test_a_line_record_of_no_lines_name_is_quarantined_not_given_another() -> None:
    outcome = take(report(msgspec.structs.replace(record(), line="a\0b")), school=wire.LINESERVER)
    assert isinstance(outcome, Quarantined)
    assert "tag line cannot be 'a\\x00b'" in outcome.reason


def test_a_school_cannot_speak_for_the_measurement_server_nor_it_for_a_school() -> None:
    forged = take(report(wire.Host(), record(SCHOOL)))
    assert isinstance(forged, Quarantined)
    assert "line_record" in forged.reason
    assert forged.source == Source(SCHOOL, MACHINE, BOOT, 2)
    wrong = take(report(line_test()), school=wire.LINESERVER)
    assert isinstance(wrong, Quarantined)
    assert "line_test" in wrong.reason


_KINDS = (
    wire.Host, wire.Inventory, wire.Device, wire.AgentHealth, wire.LineTest, wire.LineRecord,
)  # fmt: skip


def _values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, its default and odd ones among them."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return st.one_of([_values(of) for of in kind.types])
    if isinstance(kind, msgspec.inspect.LiteralType):
        return st.sampled_from(kind.values)
    of = {
        msgspec.inspect.NoneType: st.none(),
        msgspec.inspect.BoolType: st.booleans(),
        msgspec.inspect.IntType: st.sampled_from([0, 1, 2**63 - 1]),
        msgspec.inspect.FloatType: st.sampled_from([0, 0.0, 0.5, 1.0]),
        msgspec.inspect.StrType: st.sampled_from(["", "unknown", "投影"]),
        msgspec.inspect.VarTupleType: st.just([]),
        msgspec.inspect.StructType: st.just({}),
    }
    return of[type(kind)]


FROM_ONE_ON = ("dropped_telemetry", "dropped_evidence", "set_aside", "lost", "weak_id")


@given(data=st.data(), kind=st.sampled_from(_KINDS))
def test_what_a_reading_says_is_in_its_fields_and_nothing_else(data: Any, kind: Any) -> None:
    of: dict[str, Any] = {
        field.name: _values(field.type) for field in msgspec.inspect.type_info(kind).fields
    }
    of |= {name: st.just(code * 32) for name, code in (("machine", "a"),) if name in of}
    of |= {name: st.just("9900000001") for name in ("school",) if name in of}
    needed = {f.name for f in msgspec.structs.fields(kind) if f.required}
    said = data.draw(
        st.fixed_dictionaries(
            {name: of[name] for name in needed},
            optional={name: of[name] for name in of.keys() - needed},
        )
    )
    reading = msgspec.json.decode(msgspec.json.encode(said | _tag(kind)), type=kind)
    assert _given(reading) == {
        name: value
        for name, value in msgspec.structs.asdict(reading).items()
        if value or (type(value) in (bool, int, float) and name not in FROM_ONE_ON)
        if type(value) in (bool, int, float, str)
    }


def _tag(kind: Any) -> dict[str, str]:
    config = kind.__struct_config__
    return {config.tag_field: config.tag} if config.tag_field else {}
