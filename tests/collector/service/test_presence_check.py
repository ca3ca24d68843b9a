"""What the broker retains, held against the store: after a wait, and by what the store has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from agent.wire import LINESERVER
from collector.ingest import Noted
from collector.service import presence_check as module
from collector.service.pipeline.presences import Presences
from collector.service.presence_check import EVERY_S, WAIT_S, PresenceCheck
from collector.store.base import Point, StoreError, UnavailableError
from said import PC, said

BOOT, NEXT = "1" * 16, "2" * 16


@dataclass
class Desk:
    """A check, its clock, and the store that it reads."""

    rows: list[Point] = field(default_factory=list)
    now: float = 100.0
    reads: int = 0
    schools: list[str] = field(default_factory=list)
    asked: list[Sequence[str]] = field(default_factory=list)
    errors: list[StoreError] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)
    admitted: list[str] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.presences = Presences(self._read, shared=True)
        self.check = PresenceCheck(
            self.presences,
            lambda: self.schools,
            self.asked.append,
            self._admits,
            clock=lambda: self.now,
            draw=lambda: 0.5,
        )

    def _read(self) -> Iterable[Point]:
        self.reads += 1
        if self.errors:
            raise self.errors.pop(0)
        self.during()
        return list(self.rows)

    def _admits(self, noted: Noted, now_ms: int) -> bool:
        self.admitted.append(noted.machine)
        return noted.machine not in self.strangers

    def due(self, after_s: float = 2 * WAIT_S) -> list[Point]:
        """What is stored when so much time has passed."""
        self.now += after_s
        found = list(self.check.due())
        self.rows += found
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_the_store_lacks_is_stored_once_it_has_waited(desk: Desk) -> None:
    one = said(BOOT, True, at=5)
    desk.check.heard(one, retained=True)
    assert desk.due(WAIT_S) == []
    assert desk.reads == 0, "the store is asked when it can have been stored"
    assert desk.due() == list(one.points), "with the time at which it came"
    assert desk.due() == []
    assert desk.reads == 1


def test_a_live_one_that_comes_after_it_takes_its_place(desk: Desk) -> None:
    """It is for another member, or for this one by its other connection."""
    desk.check.heard(said(BOOT, False), retained=True)
    desk.check.heard(said(BOOT, True, at=2), retained=False)
    assert desk.due() == []
    assert desk.reads == 0


def test_one_that_came_before_it_does_not(desk: Desk) -> None:
    desk.check.heard(said(BOOT, True), retained=False)
    desk.check.heard(said(BOOT, False, at=2), retained=True)
    assert desk.due() == list(said(BOOT, False, at=2).points)


def test_what_another_member_stored_meanwhile_is_not_stored_again(desk: Desk) -> None:
    desk.check.heard(said(BOOT, True), retained=True)
    desk.rows += said(BOOT, True, at=2).points
    assert desk.due() == []


def test_a_live_one_that_another_member_lost_is_stored(desk: Desk) -> None:
    desk.check.heard(said(BOOT, True), retained=False)
    desk.check.heard(said(BOOT, True, at=2), retained=True)
    assert desk.due() == list(said(BOOT, True, at=2).points)


def test_what_this_member_stored_meanwhile_is_newer(desk: Desk) -> None:
    desk.check.heard(said(BOOT, False), retained=True)
    assert desk.presences.is_new(said(BOOT, True, at=2), retained=False)
    assert desk.due() == [], "its copy is late, or was lost with its connection"


def test_the_newest_retained_one_counts(desk: Desk) -> None:
    desk.check.heard(said(BOOT, False), retained=True)
    desk.now += WAIT_S
    desk.check.heard(said(BOOT, True, at=2), retained=True)
    assert desk.due(WAIT_S) == [], "it has not waited itself"
    assert desk.due() == list(said(BOOT, True, at=2).points)


def test_the_will_of_an_earlier_boot_is_not_stored(desk: Desk) -> None:
    desk.rows += said(NEXT, True).points
    desk.check.heard(said(BOOT, False, at=2), retained=True)
    assert desk.due() == []


def test_a_pc_that_is_off_for_long_gets_one_row(desk: Desk) -> None:
    for hour in range(200):
        desk.check.heard(said(BOOT, False, at=hour), retained=True)
        assert len(desk.due()) == (hour == 0)
        if hour > 24:
            desk.rows.clear()  # the store is read for a day


def test_a_store_that_cannot_be_read_is_asked_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.errors = [UnavailableError("down")] * 3
    desk.check.heard(said(BOOT, True), retained=True)
    for _ in range(3):
        assert desk.due(60) == []
    assert desk.due(60) == list(said(BOOT, True).points)
    assert caplog.text.count("presences_unknown") == 1


def test_one_that_comes_while_the_store_is_read_waits_for_the_next_time(desk: Desk) -> None:
    late = said(BOOT, True, at=2, machine="cd" * 16)

    def meanwhile() -> None:
        desk.during = lambda: None
        desk.now += 1
        desk.check.heard(late, retained=True)

    desk.check.heard(said(BOOT, True), retained=True)
    desk.during = meanwhile
    assert desk.due() == list(said(BOOT, True).points)
    assert desk.due() == list(late.points)


def test_a_live_one_that_comes_while_the_store_is_read_counts_too(desk: Desk) -> None:
    desk.check.heard(said(BOOT, False), retained=True)
    desk.during = lambda: desk.check.heard(said(BOOT, True, at=2), retained=False)
    assert desk.due() == []


def test_only_what_is_to_be_stored_takes_a_place_in_its_school(desk: Desk) -> None:
    desk.rows += said(BOOT, False).points
    desk.strangers = {"cd" * 16}
    desk.check.heard(said(BOOT, False, at=2), retained=True)
    desk.check.heard(said(BOOT, True, at=3, machine="cd" * 16), retained=True)
    assert desk.due() == []
    assert desk.admitted == ["cd" * 16], "a PC that is gone gives its place up"
    desk.strangers.clear()
    desk.check.heard(said(BOOT, True, at=4, machine="cd" * 16), retained=True)
    assert [point.time for point in desk.due()] == [4]


def test_of_a_school_only_so_many_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for n in range(9):
        desk.check.heard(said(BOOT, True, machine=f"{n:032x}"), retained=True)
    desk.check.heard(said(BOOT, True, school="9900000002", machine=PC), retained=True)
    assert len(desk.due()) == 3 + 1


def test_within_each_hour_all_are_asked_for_and_not_by_all_members_at_once(desk: Desk) -> None:
    desk.due(EVERY_S / 2 - 1)
    assert desk.asked == []
    desk.due(1)
    assert desk.asked == [[LINESERVER]]
    desk.due(EVERY_S * 3 / 4 - 1)
    assert desk.asked == [[LINESERVER], []], "and then of none any more"
    desk.due(1)
    assert desk.asked[2:] == [[LINESERVER]]


def test_schools_are_asked_for_in_parts_that_the_broker_can_queue(desk: Desk) -> None:
    desk.schools = [f"{n:010d}" for n in range(25)]
    desk.check.again()
    for _ in range(9):
        desk.due(0.2)
    assert [len(part) for part in desk.asked] == [10, 10, 6, 0]
    assert sorted(school for part in desk.asked for school in part) == [*desk.schools, LINESERVER]


def test_who_may_have_missed_some_again_asks_for_all_again_after_the_last(desk: Desk) -> None:
    """However often that is, the last schools are asked for too."""
    desk.schools = [f"{n:010d}" for n in range(15)]
    for _ in range(6):
        desk.check.again()
        desk.due(1)
    first, last = desk.schools[:10], [*desk.schools[10:], LINESERVER]
    assert desk.asked == [first, last, []] * 2


def test_of_very_many_that_never_end_those_that_waited_are_judged(desk: Desk) -> None:
    found: list[Point] = []
    for n in range(200):
        desk.check.heard(said(BOOT, True, machine=f"{n:032x}"), retained=True)
        found += desk.due(0.5)
    assert len(found) >= 100


def test_a_store_that_cannot_be_read_is_not_asked_at_every_turn(desk: Desk) -> None:
    desk.errors = [UnavailableError("down")] * 9
    desk.check.heard(said(BOOT, True), retained=True)
    for n in range(30):
        desk.check.heard(said(BOOT, True, machine=f"{n:032x}"), retained=True)
        desk.due(2 * WAIT_S)
    assert desk.reads <= 6


def test_what_finds_no_room_is_not_stored() -> None:
    now, presences = 0.0, Presences(shared=True, most=2)
    check = PresenceCheck(
        presences, list, lambda _: None, lambda *_: True, clock=lambda: now, draw=lambda: 0
    )
    for n in range(3):
        check.heard(said(BOOT, True, machine=f"{n:032x}"), retained=True)
    now = WAIT_S
    assert len(check.due()) == 2


def test_a_store_that_shows_rows_late_is_waited_for() -> None:
    now = 0.0
    presences = Presences(shared=True)
    check = PresenceCheck(
        presences,
        list,
        lambda _: None,
        lambda *_: True,
        readable_s=10,
        clock=lambda: now,
        draw=lambda: 0,
    )
    check.heard(said(BOOT, True), retained=True)
    now = WAIT_S + 9
    assert check.due() == ()
    now = WAIT_S + 10
    assert len(check.due()) == 1
