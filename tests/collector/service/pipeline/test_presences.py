"""Which presences are stored: changes, once, and offline only of the boot last online."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from collector.service.pipeline.presences import Presences, of_last_day
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
from said import PC, SCHOOL, said

OTHER = "9900000002"
DAY_NS = 86_400 * 10**9
FIRST, SECOND = "1" * 16, "2" * 16


def stored(boot: str, online: bool, at: int = 1) -> list[Point]:
    return list(said(boot, online, at).points)


def test_the_will_of_an_earlier_boot_is_not_stored() -> None:
    known = Presences()
    assert known.is_new(said(FIRST, True), retained=False)
    assert known.is_new(said(SECOND, True), retained=False)
    assert not known.is_new(said(FIRST, False), retained=False)
    assert known.is_new(said(SECOND, False), retained=False)


def test_what_the_store_has_is_not_stored_again() -> None:
    known = Presences(lambda: stored(FIRST, True))
    known.load()
    assert not known.is_new(said(FIRST, True), retained=True)
    assert known.is_new(said(FIRST, False), retained=True)


def test_alone_the_order_counts_and_not_the_clock_which_may_be_set_back() -> None:
    known = Presences()
    assert known.is_new(said(FIRST, True, at=9), retained=False)
    assert known.is_new(said(FIRST, False, at=5), retained=True)
    assert not known.is_new(said(FIRST, False, at=6), retained=False)


def test_in_a_group_what_was_only_heard_may_not_be_stored_yet() -> None:
    """The member that it was for may have ended first."""
    known = Presences(shared=True)
    known.heard(said(FIRST, True))
    assert known.lacks(said(FIRST, True, at=2))


def test_in_a_group_a_live_presence_is_stored_though_its_copy_came_first() -> None:
    """The copy for all members may overtake the one that is for this collector to store."""
    known = Presences(shared=True)
    known.heard(said(FIRST, True))
    assert known.is_new(said(FIRST, True), retained=False)


def test_in_a_group_a_live_presence_is_stored_though_the_state_was_known() -> None:
    """It went off and on again, and the going off was for another member."""
    known = Presences(lambda: stored(FIRST, True), shared=True)
    known.load()
    assert known.is_new(said(FIRST, True, at=3), retained=False)


def test_an_old_will_is_told_by_a_boot_that_was_only_heard() -> None:
    known = Presences(shared=True)
    assert known.is_new(said(FIRST, True), retained=False)
    known.heard(said(SECOND, True, at=2))
    assert not known.is_new(said(FIRST, False, at=3), retained=False)
    assert not known.lacks(said(FIRST, False, at=3))
    known.heard(said(FIRST, False, at=3))
    assert known.is_new(said(SECOND, False, at=4), retained=False)


def test_in_a_group_a_retained_presence_is_older_than_what_was_stored_since() -> None:
    known = Presences(lambda: stored(FIRST, True, at=7), shared=True)
    assert known.lacks(said(FIRST, False, at=6))
    known.load()
    assert not known.lacks(said(FIRST, False, at=6))
    assert known.lacks(said(FIRST, False, at=8))


def test_what_the_store_does_not_show_yet_stays_known() -> None:
    rows = stored(FIRST, False, at=1)
    known = Presences(lambda: rows, shared=True)
    assert known.is_new(said(SECOND, True, at=2), retained=False), "and is being written"
    known.load()
    assert not known.lacks(said(SECOND, True, at=3))
    assert not known.lacks(said(FIRST, False, at=3)), "the will of the boot before"


def test_what_is_older_than_the_store_is_read_for_stays_known() -> None:
    rows = stored(FIRST, False)
    known = Presences(lambda: rows, shared=True)
    known.load()
    rows.clear()
    known.load()
    assert not known.lacks(said(FIRST, False, at=9))


def test_one_school_has_no_say_about_another_schools_pc() -> None:
    known = Presences()
    assert known.is_new(said(FIRST, True), retained=False)
    # A holder of the other school's credential says the same of the same machine id.
    assert known.is_new(said(FIRST, True, school=OTHER), retained=False)
    assert known.is_new(said(SECOND, True, school=OTHER), retained=False)
    assert known.is_new(said(FIRST, False), retained=False), "it went off for real"
    known.heard(said(FIRST, True, school=OTHER))
    assert not known.is_new(said(SECOND, False, school=OTHER), retained=True)
    assert known.is_new(said(FIRST, True), retained=False)


def test_what_a_school_invents_takes_no_memory_from_others() -> None:
    known = Presences(most=3)
    new = [known.is_new(said(FIRST, True, machine=f"{n:032x}"), retained=False) for n in range(9)]
    assert new == [True] * 3 + [False] * 6
    assert not known.is_new(said(FIRST, True, machine=f"{0:032x}"), retained=False)
    assert known.is_new(said(FIRST, True, school=OTHER, machine=PC), retained=False)


def test_schools_and_machines_are_those_of_the_store() -> None:
    known = Presences(lambda: stored(FIRST, True))
    known.load()
    assert not known.lacks(said(FIRST, True, school=SCHOOL))
    assert known.lacks(said(FIRST, True, school=OTHER))
    assert known.lacks(said(FIRST, True, machine="cd" * 16))


def test_a_row_older_than_what_was_heard_does_not_bring_the_earlier_boot_back() -> None:
    known = Presences(lambda: stored(FIRST, True, at=5), shared=True)
    known.heard(said(SECOND, True, at=10))
    known.load()
    assert known.is_new(said(SECOND, False, at=11), retained=False)


def test_rows_of_a_clock_that_is_ahead_are_not_read_before_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteStore(tmp_path / "store.db", telemetry_days=36500) as store:
        store.write([*stored(FIRST, True, at=9 * DAY_NS), *stored(SECOND, True, at=10 * DAY_NS)])
        for now, boots in ((9 * DAY_NS + 10**9, [FIRST]), (10 * DAY_NS, [FIRST, SECOND])):
            monkeypatch.setattr(time, "time_ns", lambda now=now: now)
            assert [row.fields["boot"] for row in of_last_day(store)] == boots
