"""One device is one device: carried about, cloned, of unknown kind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from carried_displays import (
    EVENING,
    MORNING,
    NOON,
    OWNED,
    C,
    D,
    U,
    V,
    one,
    rooms_of,
    saw,
    values,
    verdicts,
)
from collector.compliance import displays
from collector.compliance.homes import seen_in_several
from collector.compliance.model import Verdict
from collector.compliance.rooms import by_room
from collector.compliance.window import Windows
from collector.config import Figure as Settings


def doubts(town: Any) -> Any:
    rules = Settings()
    windows = Windows(town.calendar, rules)
    return seen_in_several(by_room(town.room_days, town.cutoff), windows, town.cutoff)


def test_one_projector_carried_through_ten_rooms_equips_one_class(town: Any) -> None:
    for n, room in enumerate(rooms_of(town, 10)):
        saw(town, room, range(3 * n + 1, 3 * n + 4 + (n == 9)), one())
    assert values(town) == [D] * 9 + [V]
    (shared,) = doubts(town)[town.code]
    assert (len(shared.days), shared.at_once, shared.schools) == (10, 1, {town.code})
    assert shared.homes == {(town.code, "10010")}


def test_carried_through_two_schools(town: Any) -> None:
    other = town.school("9901020002")
    for n, room in enumerate(rooms_of(town, 5)):
        saw(town, room, (n + 1, n + 6, n + 11), one())
    for n, room in enumerate(rooms_of(town, 5, other)):
        saw(town, room, range(4 * n + 16, 4 * n + 20), one(), code=other)
        if not n:
            saw(town, room, (36,), one(), code=other)
    found = verdicts(town)
    assert [key for key, verdict in found.items() if verdict is V] == [(other, "101")]
    assert set(found.values()) == {V, D}
    assert set(doubts(town)) == {town.code, other}


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (range(1, 6), range(6, 11), [D, D]),  # a tie: none
        (range(1, 7), range(6, 11), [V, D]),
        (range(1, 4), (), [V, U]),
        # one day on which it was in both rooms, one after the other, is a day of both
        (range(1, 6), range(1, 6), [D, D]),
        (range(1, 6), range(3, 6), [V, D]),
    ],
)
def test_it_counts_where_it_was_on_most_days(
    town: Any, first: Any, second: Any, found: Any
) -> None:
    rooms_of(town, 1)
    town.taught("二", town.room("102", **(OWNED if second else {})))
    saw(town, "101", first, one())
    saw(town, "102", second, one(half_hours=EVENING))
    assert values(town) == found


def test_open_is_never_a_no_and_a_third_room_says_its_own_no(town: Any) -> None:
    rooms_of(town, 3)
    saw(town, "101", range(1, 10), one())
    saw(town, "202", range(10, 16), one())
    saw(town, "303", range(1, 4))
    assert values(town) == [V, D, C]


def test_a_borrowed_display_makes_no_yes_of_days_before_a_no(town: Any) -> None:
    """Equipped until the projector went; then one of another room's for a day."""
    rooms_of(town, 2)
    saw(town, "101", (10, 11, 12), one("b"))
    saw(town, "101", (7, 8, 9))
    assert values(town) == [C, D]
    saw(town, "101", (1,), one())
    saw(town, "202", range(2, 9), one())
    assert values(town) == [C, V]
    saw(town, "101", (0,), one("b"))
    assert values(town) == [V, V]


def test_at_one_time_in_two_rooms_it_is_two(town: Any) -> None:
    """Two TVs of one batch and one filler serial: neither takes the other's class."""
    rooms_of(town, 3)
    saw(town, "101", range(1, 20), one())
    saw(town, "202", range(5, 12), one(half_hours=MORNING | NOON))
    assert values(town) == [V, V, D]
    # Two, and no third: a clone that is carried about equips no more than there are devices.
    saw(town, "303", range(20, 24), one())
    assert values(town) == [V, V, D]
    (shared,) = doubts(town)[town.code]
    assert (shared.at_once, shared.homes) == (2, {(town.code, "101"), (town.code, "202")})


def test_one_day_at_one_time_tells_for_the_window(town: Any) -> None:
    rooms_of(town, 2)
    saw(town, "101", range(1, 10), one())
    saw(town, "202", range(10, 16), one())
    assert values(town) == [V, D]
    saw(town, "202", (1,), one())
    assert values(town) == [V, V]


def test_different_displays_of_one_serial_never_meet(town: Any) -> None:
    """Their identities differ by model or date: the keeper made two of them."""
    rooms_of(town, 2)
    saw(town, "101", range(1, 6), one("a"))
    saw(town, "202", range(6, 11), one("b"))
    assert values(town) == [V, V]
    assert doubts(town) == {}


def test_a_display_without_an_identity_is_its_own(town: Any) -> None:
    rooms_of(town, 2)
    saw(town, "101", range(1, 6), one(""))
    saw(town, "202", range(6, 11), one(""))
    assert values(town) == [V, V]


def test_a_room_that_lends_its_display_and_has_another_is_equipped(town: Any) -> None:
    rooms_of(town, 2)
    saw(town, "101", range(1, 9), one("a"), one("b", kind="tv"))
    saw(town, "202", range(9, 20), one("a"))
    assert values(town) == [V, V]


def test_a_day_in_two_series_is_one_day(town: Any) -> None:
    """The school changed its district: the day's rows stand under both."""
    rooms_of(town, 2)
    for _ in range(2):
        saw(town, "101", (1, 2), one())
        saw(town, "202", (3, 4, 5), one())
    assert values(town) == [D, V]
    saw(town, "101", (1, 2), one(half_hours=NOON))
    (shared,) = doubts(town)[town.code]
    assert shared.days == {(town.code, "101"): 2, (town.code, "202"): 3}


def test_days_before_the_window_do_not_count(town: Any) -> None:
    rooms_of(town, 2)
    saw(town, "101", range(42, 80), one())
    saw(town, "202", range(1, 6), one())
    assert values(town) == [D, V]


def test_a_school_open_twelve_days_shares_with_one_that_was_open_before(town: Any) -> None:
    other = town.school("9901020002", opened=town.ago(12))
    rooms_of(town, 1)
    rooms_of(town, 1, other)
    saw(town, "101", range(13, 30), one())
    saw(town, "101", range(1, 12), one(), code=other)
    assert values(town) == [V, D]
    town.room_days.clear()
    saw(town, "101", range(13), one("b"), code=other)
    assert values(town) == [D, V]


def test_a_leap_day_is_a_day(town: Any) -> None:
    town.cutoff = dt.date(2028, 3, 1)
    rooms_of(town, 1)
    saw(town, "101", (0, 1, 2), one())  # 1 March, 29 and 28 February
    assert values(town) == [V]


def test_a_device_that_silence_would_bring_home_stays_open(town: Any) -> None:
    """It was in 101 on ten days, then in 202 on nine: only when the window has left the ten behind
    would it be 202's, without any new evidence."""
    rooms_of(town, 2)
    saw(town, "101", range(60, 70), one())
    saw(town, "202", range(30, 39), one())
    assert values(town) == [D, D]
    saw(town, "202", (1,), one())  # now it says so itself
    assert values(town) == [D, V]


def test_the_steps_say_where_a_device_is_and_counts(town: Any) -> None:
    town.school("9901020002", name="借用小学")
    rooms_of(town, 1)
    rooms_of(town, 1, "9901020002")
    saw(town, "101", range(1, 8), one())
    saw(town, "101", range(8, 12), one(), code="9901020002")
    here, there = (
        next(step for step in unit.steps if step.rule == "device")
        for unit in town.figure().units
        if unit.indicator == "multimedia"
    )
    assert here.numbers == {
        "room": "101", "identity": "a00000000000", "kind": "projector", "days_here": 7,
        "rooms": 2, "at_once": 1, "counts": True,
    }  # fmt: skip
    assert "窗口内在这里 7 天，也在 借用小学 101（4 天）" in here.zh
    assert "计在这里" in here.zh
    assert "不计在这里" in there.zh
    assert "which does not count here" in there.en
    room = next(step for step in town.figure().units[1].steps if step.rule == "room")
    assert "4 天看到的显示设备不计在这里，既不算有也不算缺" in room.zh
    assert town.figure().notes["classes_display_elsewhere"] == 1


def test_two_rows_of_a_day_together() -> None:
    first = (one(half_hours=1), one("", 0, "display"))
    second = (one("", 0, "display"), one(half_hours=2), one("b"))
    assert displays.both(first, second) == displays.both(second, first)
    assert displays.both(first, second) == (one("", 0, "display"), one(half_hours=3), one("b"))
    assert displays.read(displays.written(first)) == tuple(sorted(first))


# Over random towns: two schools of three rooms, four identities, days with and without.


def test_no_day_comes_to_count_by_silence_beside_days_that_did(town: Any) -> None:
    """The newest full day once gave a yes, by days that have left; another room's leave later."""
    first, second = rooms_of(town, 2)
    saw(town, first, (50, 49, 20), one("a"))
    saw(town, first, (23, 22), one("b"))
    saw(town, second, (38, 37, 36), one("b"))
    met = town.cutoff - dt.timedelta(days=20)
    now = verdicts_at(town, met)
    assert now[town.code, first] is V
    for days in range(40):
        later = verdicts_at(town, town.cutoff + dt.timedelta(days=days))
        assert later[town.code, first] is D


def verdicts_at(town: Any, cutoff: dt.date) -> dict[tuple[str, str], Verdict]:
    return {
        (unit.school, unit.name): unit.verdict
        for unit in town.figure(cutoff=cutoff).units
        if unit.indicator == "multimedia"
    }
