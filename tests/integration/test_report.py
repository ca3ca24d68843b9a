"""Over the wire, on both brokers: stored once and receipted; held; quarantined; the right day."""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

import services
from agent import wire
from agent.clock import Clock
from agent.wire.topics import presence_topic
from collector.service.pipeline.quarantine import FILE, Quarantine
from collector.simulate.fleet import Fleet, FleetAgent

SCHOOL, OTHER = "9900000001", "9900000002"


#: Half of how long a hello and its receipt may be on their way; clocks are wrong by years here.
SLACK_MS = 60_000


def line_test() -> wire.LineTest:
    return wire.LineTest(test="t1", line="l1", outcome="ok", down_mbps=9.8, solo=True)


def aside(city: Any) -> list[Any]:
    quarantine = Quarantine(city.folder / FILE, 10**9)
    rows = list(quarantine.rows())
    quarantine.close()
    return rows


def test_a_report_is_stored_once_and_receipted(city: Any, voice: Any, kit: Any) -> None:
    city.start()
    pc = voice()
    before = now_ms()
    pc.say(1, wire.Hello(v=1, sent=123))
    kit.until(lambda: 1 in pc.stored)
    assert pc.receipts[-1].echo == 123
    assert before <= pc.receipts[-1].now <= now_ms()
    message = kit.report(wire.Host(cpu_percent=5.0), line_test(), sent=456)
    for times in (1, 2):
        pc.say(2, message)
        kit.until(lambda times=times: len(pc.receipts) > times)
    assert pc.receipts[1].echo == 456
    assert city.reports() == [(pc.machine, pc.boot, 2)]
    assert len(city.points("host")) == len(city.points("line_test")) == 1
    assert city.collector.counts["duplicates"] == 1
    assert pc.policies[-1].school == SCHOOL


def test_garbage_is_quarantined_with_its_reason_and_the_collector_goes_on(
    city: Any, voice: Any, kit: Any
) -> None:
    collector = city.start()
    pc = voice()
    garbage = [
        b"",
        b"not json",
        b"\x00\xff\xfe",
        b"{}",
        b'{"type":"report","v":1,"time":"now","readings":[]}',
        b'{"type":"report","v":1,"time":1,"readings":[{"reading":"host","cpu_percent":"x"}]}',
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'"' + b"x" * (wire.MAX_PAYLOAD - 2) + b'"',
        b"x" * (wire.MAX_PAYLOAD * 4),
    ]
    if services.other_broker() and city.broker.kind == "mosquitto":
        garbage.pop()  # by its shipped settings it ends the connection of who sends as much
    numbers = range(2, 2 + len(garbage))
    for number, payload in zip(numbers, garbage, strict=True):
        pc.say(number, payload)
    kit.until(lambda: pc.stored >= set(numbers))
    rows = aside(city)
    assert {row.payload for row in rows} == set(garbage)
    assert all(row.reason.startswith("unreadable: ") for row in rows)
    assert collector.counts["quarantined"] == len(garbage)
    pc.say(99, kit.report())
    kit.until(lambda: 99 in pc.stored)
    assert city.reports() == [(pc.machine, pc.boot, 99)]


def test_topics_of_nobody_and_broken_presences_stop_nothing(
    city: Any, voice: Any, kit: Any
) -> None:
    city.start()
    pc = voice()
    pc.publish("schoolpulse/v1/you/me/report/x/y/z", b"{}")
    pc.publish("schoolpulse/v1/9900000001/ABC/report/1", b"{}")
    pc.publish(presence_topic(SCHOOL, pc.machine), b"online")
    kit.until(lambda: len(aside(city)) == 3)
    pc.say(2, kit.report())
    kit.until(lambda: 2 in pc.stored)


def test_a_slice_of_fuzz_loses_no_message_without_a_word(city: Any, voice: Any, kit: Any) -> None:
    city.start()
    pc = voice()
    chance = random.Random(7)
    whole = wire.encode(kit.report(wire.Host(cpu_percent=3.5), line_test()))
    numbers = range(2, 302)
    for number in numbers:
        body = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        pc.say(number, bytes(body))
    said = kit.until(lambda: len(pc.stored | set(pc.held)) == len(numbers) and pc.stored)
    stored = {number for _, _, number in city.reports()}
    kept = {int(row.topic.rsplit("/", 1)[1]) for row in aside(city)}
    assert said == stored | kept
    assert not stored & kept
    assert set(pc.held.values()) <= {"future_version"}


def test_unknown_schools_and_future_versions_are_held_and_told_so(
    city: Any, voice: Any, kit: Any
) -> None:
    city.start()
    stranger, early = voice(school=OTHER, machine="cd" * 16), voice()
    stranger.say(2, kit.report())
    body = json.loads(wire.encode(kit.report())) | {"v": 2, "readings": "otherwise"}
    early.say(2, json.dumps(body).encode())
    kit.until(lambda: stranger.held and early.held)
    assert stranger.held == {2: "unknown_school"}
    assert early.held == {2: "future_version"}
    assert stranger.receipts[-1].held[0].retry_s == 3600
    assert city.reports() == []
    assert aside(city) == []
    assert stranger.policies == []


def test_held_reports_of_an_imported_school_arrive_by_themselves(
    city: Any, tmp_path: Path, kit: Any
) -> None:
    collector = city.start()
    agent = FleetAgent(OTHER, "ef" * 16, lambda: (wire.Host(cpu_percent=1.0),))
    fleet = Fleet(city.settings, [agent], tmp_path, report_s=3600.0)
    fleet.start()
    try:
        numbers = {fleet.put("ef" * 16, (wire.Host(),)) for _ in range(3)}
        kit.until(lambda: collector.counts["held"] >= len(numbers), what="held")
        assert city.reports() == []
        city.register = kit.register(SCHOOL, OTHER)
        kit.until(lambda: fleet.waiting() == 0, what="drained after the import")
        assert set(city.reports()) >= {key for key in fleet.produced() if key[2] in numbers}
        assert len(city.reports()) == len(set(city.reports()))
    finally:
        fleet.stop()


@pytest.mark.parametrize("year", [2010, 2040])
def test_a_pc_with_a_wrong_clock_gives_evidence_of_the_right_day(
    city: Any, voice: Any, tmp_path: Path, kit: Any, year: int
) -> None:
    city.start()
    heard = voice(machine="cd" * 16).overhear()
    shift = int(dt.datetime(year, 6, 1, tzinfo=dt.UTC).timestamp() * 1000) - now_ms()
    agent = FleetAgent(
        SCHOOL, "ef" * 16, lambda: (), clock=lambda: Clock(wall=lambda: now_ms() + shift)
    )
    fleet = Fleet(city.settings, [agent], tmp_path, report_s=3600.0, simulated=False)
    fleet.start()
    try:
        started = now_ms()
        fleet.put("ef" * 16, (line_test(),), evidence=True)
        kit.until(lambda: fleet.waiting() == 0, what="drained")
        [point] = city.points("line_test")
        assert started - SLACK_MS <= point.time // 1_000_000 <= now_ms() + SLACK_MS
        [agent_point] = [p for p in city.points("agent") if p.fields["evidence"]]
        assert abs(int(agent_point.fields["offset_ms"]) + shift) < SLACK_MS
        assert "uncertain" not in agent_point.fields
        before = city.reports()
        [(topic, sealed)] = [item for item in heard if b"line_test" in item[1]][:1]
        voice().publish(topic, sealed)
        kit.until(lambda: city.collector.counts["duplicates"] == 1)
        assert city.reports() == before
        assert city.points("line_test") == [point]
    finally:
        fleet.stop()


def test_presence_is_stored_and_a_late_will_is_not(city: Any, voice: Any, kit: Any) -> None:
    city.start()
    pc = voice()

    def say(boot: str, online: bool) -> None:
        said = wire.Presence(v=1, boot=boot * 16, online=online)
        pc.publish(presence_topic(SCHOOL, pc.machine), wire.encode(said))

    for boot, online in (("a", True), ("b", True), ("a", False), ("b", False)):
        say(boot, online)
    kit.until(lambda: len(city.points("presence")) >= 3)
    found = [(str(p.fields["boot"])[0], p.fields["online"]) for p in city.points("presence")]
    assert found == [("a", True), ("b", True), ("b", False)]


def test_presence_of_an_imported_school_is_heard_again(city: Any, voice: Any, kit: Any) -> None:
    collector = city.start()
    pc = voice(school=OTHER)
    said = wire.encode(wire.Presence(v=1, boot="a" * 16, online=True))
    pc.publish(presence_topic(OTHER, pc.machine), said, retain=True)
    kit.until(lambda: collector.counts["ignored"], what="passed over")
    city.register = kit.register(SCHOOL, OTHER)
    kit.until(lambda: city.points("presence"), what="heard again")
    assert [point.tags["school"] for point in city.points("presence")] == [OTHER]


def now_ms() -> int:
    return time.time_ns() // 1_000_000
