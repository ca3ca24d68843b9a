"""Which presences are stored: changes, once, and offline only of the boot last online."""

from __future__ import annotations

from agent.wire import Presence
from collector.service.pipeline.presences import Presences
from collector.store.base import Point

SCHOOL, OTHER = "9900000001", "9900000002"
PC, FIRST, SECOND = "ab" * 16, "1" * 16, "2" * 16


def presence(boot: str, online: bool) -> Presence:
    return Presence(v=1, boot=boot, online=online)


def stored(boot: str, online: bool) -> list[Point]:
    return [
        Point("presence", {"school": SCHOOL, "machine": PC}, {"boot": boot, "online": online}, 1)
    ]


def test_the_will_of_an_earlier_boot_is_not_stored() -> None:
    known = Presences()
    assert known.is_new(SCHOOL, PC, presence(FIRST, True), retained=False)
    assert known.is_new(SCHOOL, PC, presence(SECOND, True), retained=False)
    assert not known.is_new(SCHOOL, PC, presence(FIRST, False), retained=False)
    assert known.is_new(SCHOOL, PC, presence(SECOND, False), retained=False)


def test_what_the_store_has_is_not_stored_again() -> None:
    known = Presences(lambda: stored(FIRST, True))
    known.load()
    assert not known.is_new(SCHOOL, PC, presence(FIRST, True), retained=True)
    assert known.is_new(SCHOOL, PC, presence(FIRST, False), retained=True)


def test_in_a_group_a_retained_presence_that_another_stored_is_not_stored() -> None:
    known = Presences(shared=True)
    known.stored_elsewhere(SCHOOL, PC, presence(FIRST, True))
    assert not known.is_new(SCHOOL, PC, presence(FIRST, True), retained=True)


def test_in_a_group_a_live_presence_is_stored_though_its_copy_came_first() -> None:
    """The copy for all members may overtake the one that is for this collector to store."""
    known = Presences(shared=True)
    known.stored_elsewhere(SCHOOL, PC, presence(FIRST, True))
    assert known.is_new(SCHOOL, PC, presence(FIRST, True), retained=False)


def test_an_outdated_will_received_elsewhere_changes_nothing() -> None:
    known = Presences(shared=True)
    known.stored_elsewhere(SCHOOL, PC, presence(SECOND, True))
    known.stored_elsewhere(SCHOOL, PC, presence(FIRST, False))
    assert not known.is_new(SCHOOL, PC, presence(SECOND, True), retained=True)


def test_one_school_has_no_say_about_another_schools_pc() -> None:
    known = Presences()
    assert known.is_new(SCHOOL, PC, presence(FIRST, True), retained=False)
    # A holder of the other school's credential says the same of the same machine id.
    assert known.is_new(OTHER, PC, presence(FIRST, True), retained=False)
    assert known.is_new(OTHER, PC, presence(SECOND, True), retained=False)
    assert known.is_new(SCHOOL, PC, presence(FIRST, False), retained=False), "it went off for real"
    known.stored_elsewhere(OTHER, PC, presence(FIRST, False))
    assert known.is_new(OTHER, PC, presence(SECOND, False), retained=True)


def test_what_a_school_invents_takes_no_memory_from_others() -> None:
    known = Presences(most=3)
    new = [
        known.is_new(SCHOOL, f"{n:032x}", presence(FIRST, True), retained=False) for n in range(9)
    ]
    assert new == [True] * 3 + [False] * 6
    assert not known.is_new(SCHOOL, f"{0:032x}", presence(FIRST, True), retained=False)
    assert known.is_new(OTHER, PC, presence(FIRST, True), retained=False)
