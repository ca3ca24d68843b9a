"""Whose turn it is: tests of one line never overlap, whatever is asked when."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.lineserver.turns import Busy, Turn, Turns, Wish

WISH = Wish(school="9963010001", machine="ab" * 16, line="主线", max_seconds=15)


def wish(school: str = WISH.school, line: str = WISH.line, seconds: float = 15) -> Wish:
    return Wish(school=school, machine=WISH.machine, line=line, max_seconds=seconds)


def test_one_test_of_a_line_at_a_time():
    turns = Turns()
    first = turns.ask(WISH, 0.0)
    assert isinstance(first, Turn)
    assert first.until == 25.0
    assert turns.ask(WISH, 10.0) == Busy(15)
    turns.close(first)
    assert isinstance(turns.ask(WISH, 10.0), Turn)


def test_lines_are_named_within_their_school():
    turns = Turns()
    assert isinstance(turns.ask(WISH, 0.0), Turn)
    assert isinstance(turns.ask(wish(school="9963010002"), 0.0), Turn)
    assert isinstance(turns.ask(wish(line="备线"), 0.0), Turn)


def test_a_lease_ends_by_itself():
    turns = Turns()
    first = turns.ask(WISH, 0.0)
    assert isinstance(turns.ask(WISH, 24.999), Busy)
    second = turns.ask(WISH, 25.0)
    assert isinstance(second, Turn)
    turns.close(first)  # too late: the line is another's now
    assert isinstance(turns.ask(WISH, 26.0), Busy)


def test_ids_are_new_each_time():
    turns = Turns()
    ids = set()
    for i in range(50):
        turn = turns.ask(WISH, float(i))
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
    turns, now = Turns(), 0.0
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
