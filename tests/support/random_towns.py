"""Random towns to judge: rooms and lines that spoke, were inspected, or fell silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

from hypothesis import strategies as st

from collector.compliance.model import Tally
from collector.roster.register import COMPUTER_ROOM

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
