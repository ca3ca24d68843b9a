"""What one school may send, from how many PCs; and that no other feels it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agent import wire
from agent.common.vocabulary.held import FIXES, REASONS
from agent.wire.topics import presence_topic, report_topic
from collector.config import Config
from collector.ingest import Held, Source
from collector.roster.layers import Layer
from collector.roster.limits import Limits, limits
from collector.roster.register import Decision, Equipment, Line, Machine, Register, Room, School
from collector.service.pipeline.gate import Gate
from collector.service.pipeline.held_book import HeldBook
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.known_devices import KnownDevices
from collector.service.pipeline.known_machines import KEPT_DAYS, KnownMachines
from collector.service.pipeline.receipts import Entry, merge
from collector.service.pipeline.sorter import Sorter, school_of
from collector.service.policies import limits_of, values

SCHOOL, OTHER, MACHINE, BOOT = "9900000001", "9900000002", "ab" * 16, "0123456789abcdef"
DAY, NOW = 86_400_000, 1_780_000_000_000


def town(**more: Any) -> Register:
    schools = {c: School(c, "示例小学", "630102", "小学", "630102") for c in (SCHOOL, OTHER)}
    return Register(schools=schools, **more)


def room(name: str = "6-1", seats: int | None = None) -> Room:
    return Room(SCHOOL, "本部", name, name, "普通教室", seats)


def pc(n: int) -> str:
    return f"{n:032x}"


# Limits


def test_limits_follow_from_the_register() -> None:
    assert limits(town(), SCHOOL, 300).max_machines == 100, "it says nothing"
    rooms = [room("a", 40), room("b"), room("c")]
    owned = [Equipment(SCHOOL, "b", "computer", 7)]
    rows = [Machine(SCHOOL, "c", f"c-{n}") for n in range(3)]
    found = limits(town(rooms=rooms, equipment=owned, machines=rows), SCHOOL, 300)
    assert found.max_machines == (40 + 7 + 3) * 3 // 2 + 20
    assert found.max_reports == found.max_machines * 4
    assert found.max_kb == found.max_reports * 4
    assert limits(town(), SCHOOL, 5).max_reports == 60 * limits(town(), SCHOOL, 300).max_reports


def test_a_policy_sets_them_for_a_school_or_the_city() -> None:
    layers = {"city": Layer(max_reports=7), f"school:{SCHOOL}": Layer(max_machines=3, max_kb=9)}
    register = town(policies=layers)
    assert limits_of(register, Config(), SCHOOL) == Limits(3, 7, 9, usual=12)
    assert limits_of(register, Config(), OTHER) == Limits(100, 7, 28, usual=400)
    assert values(register, Config(), SCHOOL)["max_machines"].scope == f"school:{SCHOOL}"
    assert values(register, Config(), OTHER)["max_machines"].scope == "default"


# PCs


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[KnownMachines]:
    made = KnownMachines(tmp_path / "machines.db", lambda: town())
    made.learn(())
    yield made
    made.close()


def test_a_hundred_thousand_ids_take_as_many_places_as_there_are(machines: KnownMachines) -> None:
    admitted = [machines.admit(SCHOOL, pc(n), 20, NOW) for n in range(100_000)]
    assert sum(admitted) == machines.count(SCHOOL) == 20
    assert machines.admit(SCHOOL, pc(3), 20, NOW + DAY), "who has a place keeps it"
    assert machines.admit(SCHOOL, pc(3), 1, NOW + 2 * DAY), "also under a lower limit"
    assert machines.admit(OTHER, pc(0), 20, NOW)


def test_places_survive_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        machines = KnownMachines(tmp_path / "machines.db", lambda: town())
        machines.learn(())
        assert [machines.admit(SCHOOL, pc(n), 2, NOW) for n in range(3)] == [True, True, False]
        machines.close()


def test_who_was_not_seen_for_long_makes_room(machines: KnownMachines) -> None:
    assert [machines.admit(SCHOOL, pc(n), 2, NOW) for n in (1, 2, 3)] == [True, True, False]
    later = NOW + (KEPT_DAYS + 1) * DAY
    assert machines.admit(SCHOOL, pc(1), 2, later)
    assert machines.admit(SCHOOL, pc(3), 2, later)
    assert not machines.admit(SCHOOL, pc(2), 2, later), "its place is taken"


def test_what_the_store_knows_has_a_place_before_anybody_new(tmp_path: Path) -> None:
    machines = KnownMachines(tmp_path / "machines.db", lambda: town())
    assert not machines.learnt
    assert machines.admit(SCHOOL, pc(99), 1, NOW), "before the store was read, all are let in"
    machines.learn((SCHOOL, pc(n), NOW - 30 * DAY) for n in range(5))
    assert machines.learnt
    assert not machines.admit(SCHOOL, pc(99), 3, NOW)
    assert all(machines.admit(SCHOOL, pc(n), 3, NOW) for n in range(5))
    machines.close()


def test_what_the_register_names_is_always_let_in(tmp_path: Path) -> None:
    named = [Machine(SCHOOL, "6-1", pc(7))]
    bound = [Decision(SCHOOL, pc(8), "bind", "6-1"), Decision(SCHOOL, pc(1), "retire")]
    current = [town()]
    machines = KnownMachines(tmp_path / "machines.db", lambda: current[0])
    machines.learn(())
    assert [machines.admit(SCHOOL, pc(n), 1, NOW) for n in (1, 7, 8)] == [True, False, False]
    current[0] = town(machines=named, decisions=bound)
    assert [machines.admit(SCHOOL, pc(n), 1, NOW) for n in (7, 8, 9)] == [True, True, False]
    current[0] = town(decisions=bound)
    assert machines.admit(SCHOOL, pc(9), 4, NOW), "a scrapped PC needs no place"
    machines.close()


def test_a_disk_that_is_full_loses_no_place_in_memory(
    machines: KnownMachines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk full")

    machines.admit(SCHOOL, pc(1), 1, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(machines, "_write", fail)
        machines.save()
    assert not machines.admit(SCHOOL, pc(2), 1, NOW)
    machines.save()
    again = KnownMachines(tmp_path / "machines.db", lambda: town())
    assert again.count(SCHOOL) == 1
    again.close()


# The whole gate, in the pipeline


def gate(tmp_path: Path, register: Register, **most: int) -> Gate:
    known = KnownMachines(tmp_path / "gate.db", lambda: register)
    known.learn(())
    chosen = {"max_machines": 100, "max_reports": 1000, "max_kb": 10**6} | most
    return Gate(lambda: register, lambda *_: Limits(**chosen), known)


def message(n: int, number: int = 2, school: str = SCHOOL, **more: Any) -> Message:
    report = wire.Report(v=1, time=NOW, readings=(wire.Host(cpu_percent=1.0),), sent=5, **more)
    topic = report_topic(school, pc(n), BOOT, number)
    return Message(topic, wire.encode(report), NOW * 1_000_000)


def gated(bench: Any, gate: Gate, book: HeldBook | None = None) -> Sorter:
    answers = bench.worker._sorter._answers
    answers._book = book
    sorter = Sorter({SCHOOL, OTHER}.__contains__, answers, bench.counts, gate=gate)
    bench.worker._sorter = sorter
    return sorter


def test_pcs_beyond_the_limit_are_held_and_the_others_stored(bench: Any, tmp_path: Path) -> None:
    gated(bench, gate(tmp_path, town(), max_machines=2))
    bench.hand(*(message(n) for n in range(5)), message(4, school=OTHER))
    held = {topic.split("/")[3]: r.held for topic, r in bench.sent if r.held}
    assert set(held) == {pc(2), pc(3), pc(4)}
    assert {one.reason for found in held.values() for one in found} == {"too_many_machines"}
    assert len(bench.store.of("agent")) == 3
    assert bench.counts["held_too_many_machines"] == bench.counts["held"] == 3


def test_devices_beyond_the_limit_are_held_and_what_is_known_is_not() -> None:
    known, month = KnownDevices(), 31 * 86_400_000
    assert known.admit(SCHOOL, ["a", "b"], 3, NOW)
    assert not known.admit(SCHOOL, ["b", "c", "d"], 3, NOW), "all of a report, or none of it"
    assert known.admit(SCHOOL, ["b", "c"], 3, NOW)
    assert known.admit(SCHOOL, ["a", "b", "c"], 2, NOW), "a lower limit takes no place away"
    assert known.admit(OTHER, ["d"], 3, NOW)
    assert known.admit(SCHOOL, ["d", "e", "f"], 3, NOW + month), "those of a month ago are gone"
    assert not known.admit(SCHOOL, ["a"], 3, NOW + month)


def test_a_presence_of_one_pc_too_many_is_no_point(bench: Any, tmp_path: Path) -> None:
    gated(bench, gate(tmp_path, town(), max_machines=2))
    said = wire.encode(wire.Presence(v=1, boot=BOOT, online=True))
    bench.hand(*(Message(presence_topic(SCHOOL, pc(n)), said, NOW * 10**6) for n in range(5)))
    assert len(bench.store.of("presence")) == 2


def test_what_is_retained_of_a_pc_that_is_gone_keeps_no_place(bench: Any, tmp_path: Path) -> None:
    """It is sent again each hour, for years."""
    one = gate(tmp_path, town(), max_machines=2)
    gated(bench, one)
    on, off = (
        wire.encode(wire.Presence(v=1, boot=BOOT, online=online)) for online in (True, False)
    )

    def retained(n: int, said: bytes, at: int) -> Message:
        return Message(presence_topic(SCHOOL, pc(n)), said, at * 10**6, True)

    bench.hand(*(retained(n, on, NOW) for n in (1, 2, 3)))
    assert [one.machines.knows(SCHOOL, pc(n)) for n in (1, 2, 3)] == [True, True, False]
    later = NOW + (KEPT_DAYS + 1) * DAY
    bench.hand(*(retained(n, off, later) for n in (1, 2, 3)))
    assert one.machines.admit(SCHOOL, pc(4), 2, later), "theirs"
    states = [(p.tags["machine"], p.fields["online"]) for p in bench.store.of("presence")]
    assert states == [(pc(1), True), (pc(2), True), (pc(1), False), (pc(2), False)]


def test_a_flood_is_held_without_being_read_and_others_pass(bench: Any, tmp_path: Path) -> None:
    gated(bench, gate(tmp_path, town(), max_reports=1))
    flood = [message(1, n) for n in range(2, 1002)]
    junk = [Message(report_topic(SCHOOL, pc(1), BOOT, 2000), b"junk", NOW * 10**6)]
    bench.hand(*flood, *junk, message(1, 2, OTHER))
    assert bench.counts["stored"] == 750 + 1
    assert bench.counts["held_too_many_reports"] == 251
    assert bench.quarantine.size()[0] == 0


def test_bounds_reach_the_pipeline(bench: Any, tmp_path: Path) -> None:
    register = town(lines=[Line(SCHOOL, "主线", "本部")])
    gated(bench, gate(tmp_path, register))
    line = wire.encode(
        wire.Report(v=1, time=NOW, readings=(wire.LineTest(test="t", line="副线", outcome="ok"),))
    )
    topic = report_topic(SCHOOL, pc(1), BOOT, 4)
    bench.hand(message(1, 2), message(1, 3, simulated=True), Message(topic, line, NOW * 10**6))
    assert bench.stored() == {2}
    assert bench.held() == {3: "simulated", 4: "unknown_line"}
    assert bench.store.of("line_test") == []


def test_the_school_of_a_topic() -> None:
    assert school_of(report_topic(SCHOOL, MACHINE, BOOT, 2)) == SCHOOL
    assert school_of(report_topic(wire.LINESERVER, MACHINE, BOOT, 2)) == wire.LINESERVER
    assert [school_of(text) for text in ("", "x/y", "schoolpulse/v1/1/2")] == ["", "", ""]


# What is told


def test_every_reason_has_words_and_a_fix() -> None:
    assert REASONS.keys() == FIXES.keys()
    for words in FIXES.values():
        assert words.zh.format(school=SCHOOL)
        assert words.en.format(school=SCHOOL)


def test_older_agents_still_read_what_is_stored() -> None:
    """They refuse a receipt with a reason that they do not know: those go by themselves."""
    source = Source(SCHOOL, MACHINE, BOOT, 2)
    held = [
        Held(replace(source, number=3), "unknown_school"),
        Held(replace(source, number=4), "simulated"),
    ]
    found = [wire.decode_receipt(p) for _, p in merge([Entry(source, 5)], held, NOW)]
    assert [[one.reason for one in receipt.held] for receipt in found] == [
        ["unknown_school"],
        ["simulated"],
    ]
    assert [bool(receipt.stored) for receipt in found] == [True, False]
