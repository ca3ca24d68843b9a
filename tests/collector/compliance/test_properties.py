"""Silence never flatters, and the figure is a plain count: over random towns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import chain
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.indicators import INDICATORS
from collector.compliance.model import Evidence, LineTest, Tally, Verdict
from collector.compliance.window import months_after
from collector.roster.register import COMPUTER_ROOM, Inspection

OPEN_DAYS, BACK = 30, 120
#: Later than this after its last word, a unit's whole window is silent.
LONG = BACK + 1


class Room(NamedTuple):
    """A class's room: days before the cut-off -> whether the display was seen; what is owned."""

    days: dict[int, bool]
    owned: int | None
    visits: list[tuple[int, bool]]
    pcs: int
    seats: int | None


class LineDays(NamedTuple):
    """A line: (day, slot, rate), the contract, inspections of the school."""

    tests: list[tuple[int, int, float]]
    contract: float | None
    visits: list[tuple[int, bool]]


ago = st.one_of(st.integers(0, 12), st.integers(35, 60), st.integers(0, 420))
visits = st.lists(st.tuples(st.integers(0, 800), st.booleans()), max_size=2)
rooms = st.builds(
    Room, st.dictionaries(ago, st.booleans(), max_size=9), st.sampled_from([1, 0, None]),
    st.just([]) | visits, st.sampled_from([1, 7, 8, 10]), st.sampled_from([10, None]),
)  # fmt: skip
stretch = st.builds(
    lambda first, rates: [(first + n // 3, n % 3, rate) for n, rate in enumerate(rates)],
    ago,
    st.lists(st.sampled_from([6.0, 9.7, 9.8, 20.0]), max_size=24),
)
lines = st.builds(
    LineDays, st.lists(stretch, max_size=3).map(lambda parts: list(chain.from_iterable(parts))),
    st.sampled_from([4.0, 10.0, None]), st.just([]) | visits,
)  # fmt: skip
schools = st.lists(st.tuples(rooms, lines), min_size=1, max_size=3)
Schools = list[tuple[Room, LineDays]]
SLOTS = (dt.time(7, 0), dt.time(12, 30), dt.time(9, 0))


def build(new_town: Callable[[], Any], rows: Schools) -> Any:
    town = new_town()
    for number, (room, line) in enumerate(rows):
        code = town.school(f"990102{number:04d}", responsible=("630102", "630103")[number % 2])
        owned = {} if room.owned is None else {"computer": 1, "projector": room.owned}
        town.taught("一班", town.room("101", code=code, **owned), code=code)
        town.room("机房", code=code, kind=COMPUTER_ROOM, seats=room.seats)
        for day, display in room.days.items():
            town.saw("101", (day,), *(["display"] if display else []), code=code)
            town.saw("机房", (day,), pcs=room.pcs, code=code)
        town.line(contract=line.contract, code=code)
        for nth, (day, slot, rate) in enumerate(line.tests):
            at = SLOTS[slot].replace(second=nth % 60)
            town.tested(rate, (day,), at=at, code=code)
        for day, found in room.visits:
            town.inspected("multimedia", day, found, "一班", code)
            town.inspected("computer_room", day, found, code=code)
        for day, found in line.visits:
            town.inspected("line", day, found, code=code)
    return town


def shares(tally: Tally) -> tuple[Fraction, Fraction, Fraction]:
    assert tally.verified is not None
    assert tally.reported is not None
    assert tally.ceiling is not None
    return tally.verified, tally.reported, tally.ceiling


@given(st.tuples(rooms, lines), st.integers(0, 200))
@settings(max_examples=25, deadline=None)
def test_falling_silent_never_raises_a_share(
    new_town: Callable[[], Any], row: tuple[Room, LineDays], spoke_last: int
) -> None:
    """Let a school fall silent `spoke_last` days before the cut-off, nobody inspecting it after.
    Judged when its whole window is silent, no share is above all that it was since it last spoke,
    while its last evidence was in the window."""
    town = build(new_town, [row])
    last = town.ago(spoke_last)
    town.room_days = [row for row in town.room_days if row.day <= last]
    end = int(dt.datetime.combine(last, dt.time(16, 0), dt.UTC).timestamp()) * 10**9
    town.tests = [row for row in town.tests if row.time < end]
    town.records = [row for row in town.records if row.time < end]
    town.inspections = [row for row in town.inspections if row.day <= last]
    late = town.figure(last + dt.timedelta(days=LONG))
    spoken = cache(lambda days: town.figure(last + dt.timedelta(days=days)).tallies)
    for key, tally in late.tallies.items():
        for nth, silent in enumerate(shares(tally) if tally.all else ()):
            assert any(silent <= shares(spoken(day)[key])[nth] for day in range(LONG)), key


@given(schools)
@settings(max_examples=60, deadline=None)
def test_what_a_silent_unit_said_long_ago_never_raises_a_share(
    new_town: Callable[[], Any], rows: Schools
) -> None:
    """Let no unit be inspected and every unit be silent through its whole window. Then each
    share is at most what the register alone gives, whatever was said before the window."""
    town = build(new_town, rows)
    town.inspections = []
    cutoff = town.cutoff + dt.timedelta(days=LONG)
    spoken = town.figure(cutoff)
    town.room_days, town.tests, town.records = [], [], []
    for key, tally in town.figure(cutoff).tallies.items():
        if tally.all:
            pairs = zip(shares(spoken.tallies[key]), shares(tally), strict=True)
            assert all(said <= register for said, register in pairs), key


@given(schools, st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_removing_all_telemetry_of_a_unit_never_raises_the_headline(
    new_town: Callable[[], Any], rows: Schools, which: int
) -> None:
    """Of a unit without inspection; the areas that count it are its school, district, city."""
    town = build(new_town, rows)
    code = f"990102{which % len(rows):04d}"
    town.inspections = [row for row in town.inspections if row.school != code]
    before = town.figure()
    for name in ("room_days", "tests", "records"):
        setattr(town, name, [row for row in getattr(town, name) if row.school != code])
    for key, tally in town.figure().tallies.items():
        if tally.all:
            assert shares(tally)[0] <= shares(before.tallies[key])[0], key


@given(schools, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_evidence_is_nothing(
    new_town: Callable[[], Any], rows: Schools, random: Random
) -> None:
    town = build(new_town, rows)
    figure = town.figure()
    for stream in (town.room_days, town.tests, town.records, town.inspections, town.equipment):
        random.shuffle(stream)
    assert town.figure().units == figure.units
    assert town.figure().lines == figure.lines


@given(st.lists(st.integers(0, 59), min_size=12, max_size=12, unique=True))
@settings(max_examples=40, deadline=None)
def test_the_order_within_a_day_is_nothing(new_town: Callable[[], Any], minutes: list[int]) -> None:
    """Twelve tests of six days, at any minutes of the hour: two of them good, or a no."""
    town = new_town()
    town.school()
    town.line()
    for nth, minute in enumerate(minutes):
        rate = 20.0 if nth in (3, 7) else 6.0
        town.tested(rate, [60 + nth // 2], at=dt.time(18, minute))
    assert town.figure(town.ago(50)).lines[0].verdict is Verdict.VERIFIED
    assert town.figure().lines[0].verdict is Verdict.DECLARED


@given(st.tuples(rooms, lines))
@settings(max_examples=15, deadline=None)
def test_a_day_without_evidence_never_turns_a_yes_into_a_no(
    new_town: Callable[[], Any], row: tuple[Room, LineDays]
) -> None:
    town = build(new_town, [row])
    good: set[tuple[str, str]] = set()
    for days in range(0, LONG, 4):
        for unit in town.figure(town.ago(-days)).units:
            key = unit.indicator, unit.name
            denied = unit.steps[-1].numbers["because"] != "register"
            if unit.verdict in (Verdict.VERIFIED, Verdict.INSPECTED):
                good.add(key)
            elif unit.verdict in (Verdict.CONTRADICTED, Verdict.SHORT):
                assert not (denied and key in good), (key, days)


RANKS = {Verdict.VERIFIED: 5, Verdict.INSPECTED: 4, Verdict.DECLARED: 3, Verdict.UNKNOWN: 2}


def is_good(row: Any) -> bool:
    """Whether a row says yes and nothing else.

    A quiet test, though high, is among those of which a no needs ten: it is evidence of that no.
    """
    if isinstance(row, LineTest):
        at = dt.datetime.fromtimestamp(row.time // 10**9, CITY_TIME)
        in_lesson = at.weekday() < 5 and at.time() >= SLOTS[2] and at.time() < SLOTS[1]
        return in_lesson and (row.down_mbps or 0.0) >= 9.7
    return bool(row.found) if isinstance(row, Inspection) else row.room == "机房"


@given(st.tuples(rooms, lines), st.data())
@settings(max_examples=80, deadline=None)
def test_no_good_evidence_can_be_removed_to_raise(
    new_town: Callable[[], Any], row: tuple[Room, LineDays], data: Any
) -> None:
    town = build(new_town, [row])
    before = town.figure().units
    good = list(filter(is_good, [*town.tests, *town.inspections, *town.room_days]))
    if not good:
        return
    gone = data.draw(st.sampled_from(good))
    for name in ("tests", "inspections", "room_days"):
        setattr(town, name, [row for row in getattr(town, name) if row is not gone])
    for old, new in zip(before, town.figure().units, strict=True):
        assert RANKS.get(new.verdict, 1) <= RANKS.get(old.verdict, 1), (gone, old, new)


# The same method, once more and slowly: one day after the other, no memory, no shortcut.


@cache
def first_day(last: dt.date) -> dt.date:
    weekdays = [d for n in range(BACK + 1) if (d := last - dt.timedelta(days=n)).weekday() < 5]
    return weekdays[OPEN_DAYS - 1]


Word = tuple[str, dt.date] | None


def last_word(cutoff: dt.date, word: Callable[[dt.date], Word]) -> dict[str, dt.date | None]:
    said: dict[str, dt.date | None] = {"yes": None, "no": None, "cleared": None}
    now = word(cutoff)
    if now and now[0] == "yes":
        return said | {"yes": now[1]}
    denied = []
    for day in (cutoff - dt.timedelta(days=back) for back in range(600)):
        then = word(day)
        if then and then[0] == "yes":
            later = [no for no in denied if no > day]
            return said | ({"no": max(later)} if later else {"cleared": then[1]})
        denied += [then[1]] if then else []
    return said | {"no": max(denied, default=None)}


def ruled(
    said: dict[str, dt.date | None], visits: list[tuple[dt.date, bool]], says: bool | None,
    cutoff: dt.date,
) -> Verdict:  # fmt: skip
    never = dt.date.min
    known = [(day, found) for day, found in visits if day <= cutoff]
    no = max([said["no"] or never, *(day for day, found in known if not found)])
    yes = max([never, *(day for day, found in known if found)])
    if (said["yes"] or never) > no:
        return Verdict.VERIFIED
    if yes > no and months_after(yes, 12) >= cutoff:
        return Verdict.INSPECTED
    if no > never and max(yes, said["yes"] or never, said["cleared"] or never) <= no:
        return Verdict.CONTRADICTED if says else Verdict.SHORT
    return {True: Verdict.DECLARED, False: Verdict.SHORT, None: Verdict.UNKNOWN}[says]


def room_word(room: Room, cutoff: dt.date) -> Callable[[dt.date], Word]:
    days = {cutoff - dt.timedelta(days=n): seen for n, seen in room.days.items()}

    def word(last: dt.date) -> Word:
        inside = {d: seen for d, seen in days.items() if first_day(last) <= d <= last}
        good = [d for d, seen in inside.items() if seen]
        bad = [d for d, seen in inside.items() if not seen and d > max([dt.date.min, *good])]
        if len(bad) >= 3:
            return "no", max(bad)
        return ("yes", max(good)) if len(good) >= 3 else None

    return word


def line_word(line: LineDays, cutoff: dt.date) -> Callable[[dt.date], Word]:
    tests = [(cutoff - dt.timedelta(days=n), slot, rate) for n, slot, rate in line.tests]

    def word(last: dt.date) -> Word:
        inside = [t for t in tests if first_day(last) <= t[0] <= last]
        quiet = [t for t in inside if t[1] != 2 or t[0].weekday() >= 5]
        for rows, can_deny in ((quiet, True), (inside, False)):
            if len(rows) < 10 or len({t[0] for t in rows}) < 5:
                continue
            rates = sorted(t[2] for t in rows)
            p90 = next(r for r in rates if sum(x <= r for x in rates) * 10 >= 9 * len(rates))
            if p90 >= 9.7:
                return "yes", max(t[0] for t in inside if t[2] >= 9.7)
            return ("no", max(t[0] for t in inside if t[2] < 9.7)) if can_deny else None
        return None

    return word


def expected(room: Room, line: LineDays, cutoff: dt.date) -> dict[str, Verdict]:
    def dated(rows: list[tuple[int, bool]]) -> list[tuple[dt.date, bool]]:
        return [(cutoff - dt.timedelta(days=n), found) for n, found in rows]

    owned = None if room.owned is None else room.owned > 0
    contract = None if line.contract is None else line.contract >= 10
    proof = [cutoff - dt.timedelta(days=n) for n in room.days if room.seats and room.pcs >= 8]
    newest = max(proof, default=None)
    fresh = newest is not None and newest >= first_day(cutoff)
    pcs = {"yes": newest if fresh else None, "no": None, "cleared": None if fresh else newest}
    by_room = last_word(cutoff, room_word(room, cutoff))
    by_line = last_word(cutoff, line_word(line, cutoff))
    return {
        "multimedia": ruled(by_room, dated(room.visits), owned, cutoff),
        "computer_room": ruled(pcs, dated(room.visits), True, cutoff),
        "line": ruled(by_line, dated(line.visits), contract, cutoff),
    }


@given(schools)
@settings(max_examples=80, deadline=None)
def test_the_figure_is_a_brute_force_count(new_town: Callable[[], Any], rows: Schools) -> None:
    town = build(new_town, rows)
    count: dict[tuple[str, str], Counter[Verdict]] = {}
    for number, (room, line) in enumerate(rows):
        district = ("630102", "630103")[number % 2]
        for indicator, verdict in expected(room, line, town.cutoff).items():
            for area in ("630100", district, f"990102{number:04d}"):
                count.setdefault((area, indicator), Counter())[verdict] += 1
    tallies = town.figure().tallies
    assert {key: tally.counts for key, tally in tallies.items()} == count
    for tally in tallies.values():
        by_telemetry = tally.share(Verdict.VERIFIED)
        assert by_telemetry is not None
        assert list(shares(tally)) == sorted(shares(tally))
        assert by_telemetry <= shares(tally)[0]


#: All of it met: three days with a display, its PCs on at once, ten quiet tests on ten days.
MET = (
    Room(days=dict.fromkeys((1, 2, 3), True), pcs=10, seats=10, owned=1, visits=[]),
    LineDays(tests=[(day, 0, 10.0) for day in range(1, 11)], contract=10.0, visits=[]),
)


@given(schools)
@settings(max_examples=40, deadline=None)
def test_a_school_that_is_met_never_lowers_a_headline(
    new_town: Callable[[], Any], rows: Schools
) -> None:
    before = build(new_town, rows).figure().tallies
    after = build(new_town, [*rows, MET]).figure().tallies
    for key, tally in before.items():
        own = after[key]
        assert shares(own)[0] >= shares(tally)[0]
        if own.all > tally.all:
            assert own.counts - tally.counts == {Verdict.VERIFIED: own.all - tally.all}
    for indicator in INDICATORS:
        assert after["630100", indicator].all == before["630100", indicator].all + 1


@pytest.mark.parametrize("indicator", INDICATORS)
def test_an_empty_town_has_no_figure(new_town: Callable[[], Any], indicator: str) -> None:
    tally = new_town().figure().tallies["630100", indicator]
    assert (tally.verified, tally.reported, tally.ceiling, tally.unknown) == (None,) * 4
    assert Evidence().simulated is False
