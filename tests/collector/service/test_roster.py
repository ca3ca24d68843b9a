"""Policies: merged from the register, published on every connect and every change."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest

from agent import wire
from agent.wire.topics import policy_topic
from collector.config import Config, Figure, Lines
from collector.roster.register import Decision, Line, Machine, Register, Room, School
from collector.service import roster as roster_module
from collector.service.policies import issue, policies, policy
from collector.service.roster import Roster

A, B = "9900000001", "9900000002"
CONFIG = Config(lines=Lines(server="http://10.0.0.1:8808", quiet_per_day=2), report_s=60)
CALENDAR = wire.Calendar(holidays=frozenset({dt.date(2026, 1, 1)}))


def school(code: str) -> School:
    return School(code, "示例小学", "630102", "小学", "630102")


def register(*codes: str) -> Register:
    return Register(
        schools={code: school(code) for code in codes},
        lines=[Line(A, "l1", "c1", 10.0), Line(A, "l2", "c1")],
        rooms=[Room(A, "c1", "r1", "一班", "教室", line="l1"), Room(A, "c1", "r2", "", "教室")],
        machines=[Machine(A, "r1", "pc-1-*"), Machine(B, "x", "other")],
        calendar=CALENDAR,
    )


class FakeLink:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        assert retain
        if self.up:
            self.sent.append((topic, payload))
        return self.up


def test_a_policy_holds_the_threshold_of_the_figure() -> None:
    hundred = Config(figure=Figure(threshold_mbps=100.0))
    assert policy(register(A), hundred, A).threshold_mbps == 100.0
    assert policy(register(A), CONFIG, A).threshold_mbps == 10.0


def test_a_policy_holds_its_own_school_only() -> None:
    made = policy(register(A, B), CONFIG, A)
    assert made.school == A
    assert made.calendar == CALENDAR
    assert made.report_s == 60
    assert made.rooms == {"pc-1-*": "r1"}
    assert made.room_lines == {"r1": "l1"}
    assert [(line.line, line.contract_mbps) for line in made.lines] == [("l1", 10.0), ("l2", None)]
    assert {line.server for line in made.lines} == {"http://10.0.0.1:8808"}
    assert {line.quiet_per_day for line in made.lines} == {2}
    assert wire.decode_policy(issue(made, 99)).issued == 99


def test_only_what_changed_is_told_and_all_on_a_connect() -> None:
    now = {"register": register(A)}
    link, roster = FakeLink(), Roster(CONFIG, lambda: now["register"])
    tell(roster, link)
    assert topics(link) == [policy_topic(A)]
    tell(roster, link)
    assert topics(link) == []
    now["register"] = register(A, B)
    tell(roster, link)
    assert topics(link) == [policy_topic(B)]
    assert roster.known(B)
    roster.publish_all()
    tell(roster, link)
    assert sorted(topics(link)) == [policy_topic(A), policy_topic(B)]


def test_a_school_that_left_has_its_policy_cleared() -> None:
    now = {"register": register(A, B)}
    link, roster = FakeLink(), Roster(CONFIG, lambda: now["register"])
    tell(roster, link)
    topics(link)
    now["register"] = register(A)
    tell(roster, link)
    assert link.sent == [(policy_topic(B), b"")]
    assert not roster.known(B)


def test_nothing_is_taken_as_told_while_the_broker_is_away() -> None:
    link, roster = FakeLink(), Roster(CONFIG, lambda: register(A))
    link.up = False
    tell(roster, link)
    link.up = True
    tell(roster, link)
    assert topics(link) == [policy_topic(A)]


def test_no_policy_before_somebody_listens() -> None:
    """A policy makes agents send: unheard, they would wait a whole backoff for nothing."""
    link, roster = FakeLink(), Roster(CONFIG, lambda: register(A))
    roster._receiving = lambda: False
    tell(roster, link)
    assert link.sent == []
    roster._receiving = lambda: True
    tell(roster, link)
    assert topics(link) == [policy_topic(A)]


def test_the_register_is_read_only_when_its_version_changes() -> None:
    reads, version = [], {"now": 1}

    def load() -> Register:
        reads.append(1)
        return register(A)

    roster = Roster(CONFIG, load, lambda: version["now"])
    for _ in range(3):
        roster.refresh()
    assert len(reads) == 1
    version["now"] = 2
    roster.refresh()
    assert len(reads) == 2


def test_a_register_that_cannot_be_read_leaves_the_one_in_force(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: list[Callable[[], Register]] = [lambda: register(A)]
    roster = Roster(CONFIG, lambda: answers[0]())
    roster.refresh()

    def broken() -> Register:
        raise OSError("torn")

    answers[0] = broken
    roster.refresh()
    roster.refresh()
    assert roster.known(A)
    assert sum("register_unreadable" in text for text in caplog.messages) == 1


def test_the_thread_tells_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_module, "POLL_S", 0.01)
    told = threading.Event()
    link = FakeLink()
    real = link.publish

    def publish(topic: str, payload: bytes, *, retain: bool = False) -> bool:
        told.set()
        return real(topic, payload, retain=retain)

    link.publish = publish  # type: ignore[method-assign]
    roster = Roster(CONFIG, lambda: register(A))
    roster.start(link)  # type: ignore[arg-type]
    try:
        assert told.wait(120)
    finally:
        roster.stop()


def test_policies_of_a_whole_city_are_small_enough_for_the_wire() -> None:
    machines = [Machine(A, f"r{n}", f"pc-{n}-*") for n in range(500)]
    rooms = [Room(A, "c", f"r{n}", "", "教室", line="l1") for n in range(500)]
    big = Register(schools={A: school(A)}, machines=machines, rooms=rooms)
    assert len(issue(policies(big, CONFIG)[A], 0)) < wire.MAX_PAYLOAD


def tell(roster: Roster, link: FakeLink) -> None:
    roster.refresh()
    roster._publish(link)  # type: ignore[arg-type]


def topics(link: FakeLink) -> list[str]:
    found = [topic for topic, _ in link.sent]
    link.sent.clear()
    return found


def test_a_pc_that_was_merged_stands_where_the_one_does_that_it_is() -> None:
    """A new board under the old id: without its room the PC would test no line of its room."""
    ids = [f"{n:032x}" for n in range(6)]
    bound, by_sheet, by_name, retired, first, second = ids
    decisions = [
        Decision(A, bound, "bind", "r1"), Decision(A, retired, "retire"),
        Decision(A, first, "merge", bound), Decision(A, second, "merge", first),
    ]  # fmt: skip

    def rooms(*more: Decision) -> dict[str, str]:
        machines = [Machine(A, "r2", by_sheet), Machine(A, "r3", "pc-*")]
        told = Register(schools={A: school(A)}, machines=machines, decisions=[*decisions, *more])
        return policy(told, Config(), A).rooms

    assert rooms() == {by_sheet: "r2", "pc-*": "r3", **dict.fromkeys(ids[4:], "r1"), bound: "r1",
                       retired: ""}  # fmt: skip
    assert rooms(Decision(A, first, "merge", by_sheet))[second] == "r2"
    assert first not in rooms(Decision(A, first, "merge", by_name))  # its host name tells
    assert rooms(Decision(A, first, "merge", retired))[second] == ""
