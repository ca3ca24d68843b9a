"""What stands at the cut-off, against its definition: every window of every day, one by one."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.compliance.standing import Opinion, Standing, overruled, standing

START = dt.date(2026, 1, 1)
LENGTH = 10  # days of a window


class Row(NamedTuple):
    """A reading, good or bad."""

    day: dt.date
    good: bool


class Unit:
    """Yes: 3 readings, a third of them good. No: 3 readings, fewer."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: row.day)
        self.days = [row.day for row in self.rows]
        self.asked = 0

    def ask(self, lo: int, hi: int) -> Opinion | None:
        self.asked += 1
        return word(self.rows[lo:hi])

    def at(self, cutoff: dt.date) -> Standing:
        return standing(self.days, self.ask, first, cutoff)


def word(rows: list[Row]) -> Opinion | None:
    good = [row.day for row in rows if row.good]
    if len(rows) < 3:
        return None
    if 3 * len(good) >= len(rows):
        return Opinion(True, max(good))
    return Opinion(False, max(row.day for row in rows if not row.good))


def first(last: dt.date) -> dt.date:
    return last - dt.timedelta(days=LENGTH - 1)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


def rows_of(text: str) -> list[Row]:
    """A character a day: + good, - bad, 3 of each good or bad by * and =; a blank is silence."""
    readings = {"+": (True,), "-": (False,), "*": (True,) * 3, "=": (False,) * 3}
    return [Row(day(n), good) for n, char in enumerate(text) for good in readings.get(char, ())]


def defined(rows: list[Row], cutoff: dt.date) -> tuple[dt.date | None, ...]:
    """(yes, no, cleared) by the sentences of the method, without a thought for time."""
    granted: dict[dt.date, Opinion] = {}
    at = START
    while at <= cutoff:
        inside = [row for row in rows if first(at) <= row.day <= at]
        opinion = word(inside)
        if opinion:
            granted[at] = opinion
        at += dt.timedelta(days=1)
    now = granted.get(cutoff)
    if now and now.yes:
        return now.day, None, None
    yes = max((at for at, opinion in granted.items() if opinion.yes), default=None)
    noes = [o.day for o in granted.values() if not o.yes and (yes is None or o.day > yes)]
    if noes:
        return None, max(noes), None
    return None, None, granted[yes].day if yes else None


readings = st.lists(st.builds(Row, st.integers(0, 60).map(day), st.booleans()), max_size=25)
cutoffs = st.integers(0, 90).map(day)


@given(readings, cutoffs)
@settings(max_examples=400, deadline=None)
def test_it_is_what_the_method_says(rows: list[Row], cutoff: dt.date) -> None:
    stands = Unit(rows).at(cutoff)
    assert (stands.yes, stands.no, stands.cleared) == defined(rows, cutoff)


@given(readings, cutoffs)
@settings(max_examples=200, deadline=None)
def test_a_day_without_evidence_never_turns_a_yes_into_a_no(
    rows: list[Row], cutoff: dt.date
) -> None:
    unit = Unit([row for row in rows if row.day <= cutoff])
    was_yes = False
    for later in range(120):
        stands = unit.at(cutoff + dt.timedelta(days=later))
        assert not (was_yes and stands.no)
        was_yes |= stands.yes is not None


@given(readings, cutoffs, st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_rows_is_nothing(rows: list[Row], cutoff: dt.date, random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert Unit(rows).at(cutoff) == Unit(shuffled).at(cutoff)


def test_a_yes_that_left_the_window_ends_the_no_before_it() -> None:
    """Good readings first or last: after silence both orders say the same, which is nothing."""
    for order in ("=          +--", "=          --+", "=          -+-"):
        unit = Unit(rows_of(order))
        assert unit.at(day(10)).no == day(0)
        assert unit.at(day(13)).yes
        late = unit.at(day(60))
        assert (late.yes, late.no) == (None, None)
        assert late.cleared == day(order.index("+"))


def test_what_slides_out_of_the_window_makes_no_no() -> None:
    """Good readings leave first: what remains says no, and is older than the yes."""
    unit = Unit(rows_of("**==="))
    assert unit.at(day(4)).yes == day(1)
    assert unit.at(day(11)).no is None
    assert unit.at(day(11)).cleared == day(1)


def test_new_evidence_after_a_yes_denies_again() -> None:
    unit = Unit(rows_of("*   ==="))
    assert unit.at(day(4)).yes == day(0)
    assert unit.at(day(6)).no == day(6)
    assert unit.at(day(200)).no == day(6)


def test_a_no_stands_however_old() -> None:
    assert Unit(rows_of("=")).at(day(3000)).no == day(0)
    assert Unit([]).at(day(0)) == Standing(None)


def test_nothing_before_a_school_opened_counts() -> None:
    rows = rows_of("***   -")
    stands = standing(
        [row.day for row in rows],
        Unit(rows).ask,
        lambda last: max(first(last), day(5)),
        day(9),
    )
    assert stands == Standing(None)


def test_what_a_yes_ended_can_be_asked() -> None:
    unit = Unit(rows_of("=     *"))
    assert overruled(unit.days, unit.ask, first, day(6)) == Opinion(False, day(0))
    assert overruled(unit.days, unit.ask, first, day(40)) == Opinion(False, day(0))
    unit = Unit(rows_of("*   ==="))
    assert overruled(unit.days, unit.ask, first, day(6)) is None


def test_the_rule_is_asked_twice_a_reporting_day_at_most() -> None:
    """A unit of a year's days that never comes to a word: the dearest one."""
    unit = Unit(rows_of("+" + "    -" * 73))
    unit.at(day(365))
    assert unit.asked <= 2 * len(unit.rows) + 1
    settled = Unit(rows_of("*" * 365))
    settled.at(day(364))
    assert settled.asked == 1
