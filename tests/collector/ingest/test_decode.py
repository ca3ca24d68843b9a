"""A message in, an outcome out."""

from __future__ import annotations

import datetime as dt
import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import wire
from agent.wire.topics import policy_topic, presence_topic, receipt_topic, report_topic
from collector.ingest import (
    Answered,
    Held,
    Ignored,
    Noted,
    Outcome,
    Quarantined,
    Source,
    Stored,
    decode,
)
from collector.schema import MEASUREMENTS
from collector.store.base import Point
from collector.store.check import fault
from wire_strategies import messages_of

SCHOOL, OTHER = "9900000001", "9900000002"
MACHINE, BOOT = "ab" * 16, "0123456789abcdef"
NOON = int(dt.datetime(2026, 3, 2, 12, tzinfo=wire.CITY_TIME).timestamp() * 1000)
TYPES = {"int": int, "float": float, "bool": bool, "str": str}


def take(
    message: wire.Message | bytes, school: str = SCHOOL, number: int = 2, boot: str = BOOT
) -> Outcome:
    """What a message of `school` comes to, where only SCHOOL is registered."""
    payload = message if isinstance(message, bytes) else wire.encode(message)
    topic = report_topic(school, MACHINE, boot, number)
    return decode(topic, payload, {SCHOOL}.__contains__, 7)


def report(*readings: wire.Reading, time: int = NOON, **more: object) -> wire.Report:
    return wire.Report(v=1, time=time, readings=readings, **more)  # type: ignore[arg-type]


def points(outcome: Outcome, measurement: str) -> list[Point]:
    assert isinstance(outcome, Stored), outcome
    return [point for point in outcome.points if point.measurement == measurement]


def line_test(line: str = "l1", test: str = "t1") -> wire.LineTest:
    return wire.LineTest(test=test, line=line, outcome="ok", down_mbps=9.5, solo=True)


def record(school: str = OTHER, test: str = "t1") -> wire.LineRecord:
    return wire.LineRecord(
        test=test, school=school, machine="cd" * 16, line="l9", outcome="ok", sent_bytes=5
    )


# ---- what is stored


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


# ---- the measurement server


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


# ---- hellos, held, quarantined


def test_a_hello_is_answered_and_writes_nothing() -> None:
    hello = wire.Hello(v=1, sent=-123)
    assert take(hello, number=1) == Answered(Source(SCHOOL, MACHINE, BOOT, 1), -123)
    # A PC of a school not yet imported must learn the time too.
    assert isinstance(take(hello, number=1, school=OTHER), Answered)
    assert isinstance(take(hello, number=2), Quarantined)


def test_unknown_school_and_future_version_are_held() -> None:
    assert take(report(sent=4), school=OTHER) == Held(
        Source(OTHER, MACHINE, BOOT, 2), "unknown_school", 4
    )
    future = b'{"type":"report","v":2,"time":"tomorrow","readings":{}}'
    assert take(future) == Held(Source(SCHOOL, MACHINE, BOOT, 2), "future_version")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"report","v":1}',
        b'{"type":"report","v":"1","time":1,"readings":[]}',
        b'{"type":"report","v":1,"time":-1,"readings":[]}',
        b'{"type":"report","v":1,"time":1,"readings":[{"reading":"telepathy"}]}',
        b'{"type":"report","v":1,"time":1,"readings":[{"reading":"host","cpu_percent":1e400}]}',
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b" " * (wire.MAX_PAYLOAD + 1),
    ],
    ids=lambda payload: repr(payload[:30]),
)
def test_what_can_never_be_read_is_quarantined_with_its_reason(payload: bytes) -> None:
    outcome = take(payload)
    assert isinstance(outcome, Quarantined)
    assert outcome.source == Source(SCHOOL, MACHINE, BOOT, 2)
    assert outcome.reason.startswith("unreadable: ")
    assert len(outcome.reason) < 400


@pytest.mark.parametrize(
    "topic",
    [
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT + "/0",
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT,
        "schoolpulse/v1/nobody/" + MACHINE + "/report/" + BOOT + "/2",
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT + "/2\n",
        "else",
    ],
)
def test_unknown_topics_are_quarantined_without_receipt(topic: str) -> None:
    outcome = decode(topic, wire.encode(report()), lambda school: True, 0)
    assert isinstance(outcome, Quarantined)
    assert outcome.source is None


def test_our_own_channels_are_ignored() -> None:
    for topic in (receipt_topic(SCHOOL, MACHINE), policy_topic(SCHOOL)):
        assert isinstance(decode(topic, b"{}", lambda school: True, 0), Ignored)


# ---- presence


def test_presence_is_noted_at_its_arrival() -> None:
    said = wire.Presence(v=1, boot=BOOT, online=True, simulated=True)
    outcome = decode(presence_topic(SCHOOL, MACHINE), wire.encode(said), lambda s: True, 42)
    assert isinstance(outcome, Noted)
    [point] = outcome.points
    assert point == Point(
        "presence",
        {"school": SCHOOL, "machine": MACHINE},
        {"boot": BOOT, "online": True, "simulated": True},
        42,
    )


def test_an_empty_unknown_or_unreadable_presence_stores_nothing() -> None:
    topic = presence_topic(SCHOOL, MACHINE)
    said = wire.encode(wire.Presence(v=1, boot=BOOT, online=True))
    assert isinstance(decode(topic, b"", lambda s: True, 0), Ignored)
    assert isinstance(decode(topic, said, lambda s: False, 0), Ignored)
    assert isinstance(decode(topic, said.replace(b'"v":1', b'"v":2'), lambda s: True, 0), Ignored)
    bad = decode(topic, b"offline", lambda s: True, 0)
    assert isinstance(bad, Quarantined)
    assert bad.source is None


# ---- whatever comes


def holds_the_schema(point: Point) -> None:
    known = MEASUREMENTS[point.measurement]
    assert set(point.tags) <= set(known.tags)
    assert not fault(point)
    for name, value in point.fields.items():
        assert type(value) is TYPES[known.fields[name].type], (point.measurement, name, value)
        assert not isinstance(value, int) or -(2**63) <= value < 2**63


@settings(max_examples=150, deadline=None)
@given(message=messages_of(wire.Report), server=st.booleans())
def test_every_report_comes_to_points_of_the_schema(message: wire.Report, server: bool) -> None:
    outcome = take(message, school=wire.LINESERVER if server else SCHOOL)
    if isinstance(outcome, Quarantined):
        assert re.match("unreadable: (a line_|line_.*tag line cannot be)", outcome.reason)
        return
    assert isinstance(outcome, Stored)
    for point in outcome.points:
        holds_the_schema(point)
        assert point.time // 1_000_000 == message.time
    keys = [(p.measurement, frozenset(p.tags.items()), p.time) for p in outcome.points]
    assert len(keys) == len(set(keys)), "a point overwrites another"
    assert [p.measurement for p in outcome.points].count("agent") == 1


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, 400),
    length=st.integers(0, 40),
    junk=st.binary(max_size=40),
    number=st.integers(1, 9),
)
def test_a_damaged_report_is_read_held_or_quarantined_never_raised(
    start: int, length: int, junk: bytes, number: int
) -> None:
    whole = wire.encode(
        report(wire.Host(cpu_percent=3.5), line_test(), wire.AgentHealth(version="1"), sent=5)
    )
    outcome = take(whole[:start] + junk + whole[start + length :], number=number)
    assert isinstance(outcome, Stored | Held | Quarantined | Answered)


@settings(max_examples=200, deadline=None)
@given(topic=st.text(max_size=120), payload=st.binary(max_size=80))
def test_nothing_at_all_is_raised(topic: str, payload: bytes) -> None:
    assert decode(topic, payload, lambda school: True, 0) is not None
