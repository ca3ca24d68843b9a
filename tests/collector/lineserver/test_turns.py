"""Turns: tests of one line never overlap, whatever is requested when."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME
from collector.lineserver.turns import (
    MAX_A_MINUTE,
    MAX_OF_SCHOOL,
    MAX_TESTS,
    Answer,
    Later,
    Limits,
    Past,
    Turn,
    Turns,
    Wish,
)

WISH = Wish(school="9963010001", machine="ab" * 16, line="主线", max_seconds=15)
NOON = dt.datetime(2026, 9, 7, 12, 0, tzinfo=CITY_TIME).timestamp()
MANY = Limits(by_hand=1000)


def wish(school: str = WISH.school, line: str = WISH.line, seconds: float = 15) -> Wish:
    return Wish(school=school, machine=WISH.machine, line=line, max_seconds=seconds)


def test_one_test_of_a_line_at_a_time():
    turns = Turns(lambda _: MANY)
    first = turns.ask(WISH, 0.0)
    assert isinstance(first, Turn)
    assert first.until == 25.0
    assert turns.ask(WISH, 10.0) == Later("busy", 15)
    turns.close(first)
    assert isinstance(turns.ask(WISH, 10.0), Turn)


def test_lines_are_named_within_their_school():
    turns = Turns(lambda _: MANY)
    assert isinstance(turns.ask(WISH, 0.0), Turn)
    assert isinstance(turns.ask(wish(school="9963010002"), 0.0), Turn)
    assert isinstance(turns.ask(wish(line="备线"), 0.0), Turn)


def test_a_lease_ends_by_itself():
    turns = Turns(lambda _: MANY)
    first = turns.ask(WISH, 0.0)
    assert isinstance(turns.ask(WISH, 24.999), Later)
    second = turns.ask(WISH, 25.0)
    assert isinstance(second, Turn)
    turns.close(first)  # too late: the line is another's now
    assert isinstance(turns.ask(WISH, 26.0), Later)


def test_ids_are_new_each_time():
    turns = Turns(lambda _: MANY)
    ids = set()
    for i in range(50):
        turn = turns.ask(WISH, i * 10.0)
        ids.add(turn.id)
        turns.close(turn)
    assert len(ids) == 50


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.sampled_from("ab"), st.floats(0.1, 60), st.booleans()),
        max_size=40,
    )
)
def test_grants_of_one_line_never_overlap(events):
    turns, now = Turns(lambda _: MANY), 0.0
    ends: dict[Turn, float] = {}  # every grant in order, and when it ended
    unclosed: list[Turn] = []
    for pause, line, seconds, close in events:
        now += pause
        if close and unclosed:
            turn = unclosed.pop(0)
            turns.close(turn)
            ends[turn] = min(now, turn.until)
            continue
        answer = turns.ask(wish(line=line, seconds=seconds), now)
        if isinstance(answer, Turn):
            unclosed.append(answer)
            ends[answer] = answer.until
        else:
            assert answer.retry_s >= 1
    for name in "ab":
        granted = [turn for turn in ends if turn.wish.line == name]
        for before, after in pairwise(granted):
            assert ends[before] <= after.started


def asks(machine: str, window: str = "q0", left_s: float | None = None) -> Wish:
    return Wish(WISH.school, machine * 32, WISH.line, 15, window, left_s)


def served(turns: Turns, wish: Wish, now: float, outcome: str = "ok") -> Turn:
    turn = turns.ask(wish, now)
    assert isinstance(turn, Turn), turn
    turns.close(turn, outcome)  # type: ignore[arg-type]
    return turn


def test_a_window_is_served_once() -> None:
    turns = Turns()
    served(turns, asks("a"), NOON)
    assert turns.ask(asks("b"), NOON + 60) == Later("enough", 12 * 3600 - 60)
    assert turns.ask(asks("b", left_s=100), NOON + 60) == Later("enough", 100)
    assert isinstance(turns.ask(asks("b", "q1"), NOON + 60), Turn)


def test_windows_beyond_the_policys_number_are_none() -> None:
    turns = Turns(lambda _: Limits(quiet=2, lesson=1))
    for window in ("q2", "l1", "q99"):
        assert isinstance(turns.ask(asks("a", window), NOON), Later)
    served(turns, asks("a", "q1"), NOON)
    served(turns, asks("b", "l0"), NOON)


def test_a_failed_test_leaves_its_window_open_three_times() -> None:
    turns = Turns()
    for _ in range(3):
        served(turns, asks("a"), NOON, "abandoned")
    assert isinstance(turns.ask(asks("b"), NOON), Later)


def test_who_has_tested_today_waits_for_who_has_not() -> None:
    turns = Turns()
    served(turns, asks("a"), NOON)
    assert turns.ask(asks("a", "q1"), NOON + 3600) == Later("later", 300)
    served(turns, asks("b", "q1"), NOON + 3660)
    assert turns.ask(asks("b", "q2"), NOON + 7200) == Later("later", 300)
    served(turns, asks("b", "q2"), NOON + 7500)  # nobody else came


def test_nobody_waits_where_the_window_is_about_to_close() -> None:
    turns = Turns()
    served(turns, asks("a"), NOON)
    served(turns, asks("a", "q1", left_s=500), NOON + 3600)


def test_tests_by_hand_have_a_number_of_their_own() -> None:
    turns = Turns(lambda _: Limits(by_hand=2))
    for _ in range(2):
        served(turns, asks("a", ""), NOON)
    assert turns.ask(asks("a", ""), NOON) == Later("enough", 12 * 3600)
    served(turns, asks("a", "q0", left_s=300), NOON)
    served(turns, asks("a", ""), NOON + 86_400)  # another day


def test_the_months_bytes_end_the_months_tests() -> None:
    turns = Turns(lambda _: Limits(month_bytes=1000))
    first = turns.ask(asks("a"), NOON)
    assert isinstance(first, Turn)
    turns.close(first, "ok", 1000)
    assert isinstance(turns.ask(asks("b", "q1"), NOON), Later)
    assert isinstance(turns.ask(asks("b", "q1"), NOON + 23 * 86_400), Later)
    served(turns, asks("b", "q1"), NOON + 24 * 86_400)  # October


def test_one_test_a_week_is_long_and_has_the_time() -> None:
    turns = Turns()
    assert not served(turns, asks("a", "l0"), NOON).long
    assert not served(turns, asks("a", ""), NOON).long
    first = served(turns, asks("a", "q0", left_s=60), NOON)
    assert first.long
    assert first.until - first.started == 40
    later = [served(turns, asks("b", "q1", 60), NOON + day * 86_400).long for day in range(1, 15)]
    assert later == [day in (7, 14) for day in range(1, 15)]


def test_a_long_test_that_failed_comes_again() -> None:
    turns = Turns()
    assert served(turns, asks("a"), NOON, "expired").long
    assert served(turns, asks("b"), NOON).long


def test_what_was_kept_counts_after_a_restart() -> None:
    turns = Turns()
    done = served(turns, asks("a"), NOON)
    running = turns.ask(asks("b", "q1"), NOON + 60)
    assert isinstance(running, Turn)
    again = Turns(past=[Past(done, "ok", 5), Past(running, None)])
    assert isinstance(again.ask(asks("c", "q2"), NOON + 61), Later)  # the lease still runs
    assert isinstance(again.ask(asks("c", "q0"), NOON + 200), Later)  # served before
    assert again.ask(asks("a", "q1"), NOON + 200) == Later("later", 300)
    assert not served(again, asks("c", "q1"), NOON + 200).long


def test_turns_of_a_clock_that_was_ahead_hold_nothing_up() -> None:
    ahead = Turn("0" * 32, asks("a"), NOON + 365 * 86_400, NOON + 365 * 86_400 + 40, True)
    for outcome in (None, "ok"):
        turns = Turns(past=[Past(ahead, outcome)])
        assert served(turns, asks("b"), NOON).long
        assert not served(turns, asks("c", "q1"), NOON).long


def test_one_school_cannot_fill_the_server() -> None:
    turns = Turns()
    asked = [turns.ask(wish(line=f"line {i}"), NOON) for i in range(MAX_TESTS)]
    assert sum(isinstance(answer, Turn) for answer in asked) == MAX_OF_SCHOOL
    assert set(asked[MAX_OF_SCHOOL:]) == {Later("school_full", 30)}
    assert isinstance(turns.ask(wish(school="9963010002"), NOON), Turn)


def test_a_key_gets_so_many_grants_a_minute() -> None:
    turns = Turns(lambda _: MANY)
    for second in range(MAX_A_MINUTE):
        turn = turns.ask(WISH, NOON + second)
        assert isinstance(turn, Turn)
        turns.close(turn)
    assert turns.ask(WISH, NOON + 20) == Later("too_often", 40)
    assert isinstance(turns.ask(wish(school="9963010002"), NOON + 20), Turn)
    assert isinstance(turns.ask(WISH, NOON + 60), Turn)


def test_who_waits_longest_gets_the_next_place_however_often_others_ask() -> None:
    turns = Turns(lambda _: MANY)
    holders = [f"99630100{n:02}" for n in range(20)]
    first = [turns.ask(wish(school, f"line {n}"), NOON) for n in range(2) for school in holders]
    assert all(isinstance(turn, Turn) for turn in first)
    assert turns.ask(wish("9963020001"), NOON + 1) == Later("full", 30)
    for tick in range(20):  # those that have tests already ask for more, all the time
        for school in holders[1:]:
            assert isinstance(turns.ask(wish(school, f"more {tick}"), NOON + 1 + tick), Later)
    assert isinstance(first[0], Turn)
    turns.close(first[0])
    for school in holders:
        assert isinstance(turns.ask(wish(school, "again"), NOON + 22), Later)
    assert isinstance(turns.ask(wish("9963020001"), NOON + 31), Turn)


def test_who_does_not_come_back_holds_no_place() -> None:
    turns = Turns(lambda _: MANY)
    asked = [turns.ask(wish(f"99630{n:05}"), NOON) for n in range(MAX_TESTS + 1)]
    assert asked[-1] == Later("full", 30)
    assert isinstance(asked[0], Turn)
    turns.close(asked[0])
    other = wish("9963020001")
    assert turns.ask(other, NOON + 1) == Later("full", 30)
    assert isinstance(turns.ask(other, NOON + 24.5), Later)
    later = [turns.ask(wish(f"99630{n:05}"), NOON + 95) for n in range(MAX_TESTS)]
    assert all(isinstance(turn, Turn) for turn in later)


def test_a_line_that_is_not_known_is_not_tested() -> None:
    for why, retry_s in (("unknown_line", 3600), ("no_lines", 60)):
        reason: Answer = why  # type: ignore[assignment]
        turns = Turns(lambda _, reason=reason: reason)  # type: ignore[misc]
        assert turns.ask(WISH, NOON) == Later(reason, retry_s)


def test_the_servers_own_seconds_bound_a_test() -> None:
    turns = Turns(lambda _: Limits(max_seconds=15.0))
    turn = turns.ask(wish(seconds=120), NOON)
    assert isinstance(turn, Turn)
    assert turn.until == NOON + 70, "a far line's test may take a minute"


def test_a_test_has_what_is_left_of_the_months_bytes() -> None:
    turns = Turns(lambda _: Limits(month_bytes=1000))
    first = turns.ask(asks("a"), NOON)
    assert isinstance(first, Turn)
    turns.close(first, "ok", 400)
    second = turns.ask(asks("b", "q1"), NOON)
    assert isinstance(second, Turn)
    assert (first.max_bytes, second.max_bytes) == (1000, 600)
