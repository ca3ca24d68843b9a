"""The rule for a line's valid tests, against its definition by counting."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collector.compliance.line_rule import opinion
from collector.compliance.lines import LineDays
from collector.config import Figure as Settings

TESTS = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.sampled_from([6.0, 9.7, 20.0]),
              st.sampled_from([0.0, 10.0, 1000.0])),
    min_size=8, max_size=30,
)  # fmt: skip
Row = tuple[int, bool, float, float]


def history(rows: list[Row]) -> LineDays:
    """A line's valid tests: day, quiet, rate, and what the PC can show."""
    made = LineDays()
    for day, quiet, rate, pc in sorted(rows):
        made.days.append(dt.date(2026, 12, 1) + dt.timedelta(days=day))
        made.rates.append(rate)
        made.quiet.append(quiet)
        made.pc_mbps.append(pc)
    return made


def word(rows: list[Row], **more: Any) -> bool | None:
    said = opinion([history(rows)], dt.date(2026, 12, 1), dt.date(2026, 12, 31), Settings(**more))
    return None if said is None else said.yes


def spelled_out(rows: list[Row]) -> bool | None:
    """The rule by counting, once more."""
    free = [row for row in rows if row[3] >= 11]
    quiet = [row for row in rows if row[1] and (row[3] >= 11 or row[2] >= 9.7)]
    both = [row for row in rows if row[3] >= 11 or row[2] >= 9.7]

    def enough(tests: list[Row]) -> bool:
        return len(tests) >= 10 and len({row[0] for row in tests}) >= 5

    def reaches(tests: list[Row]) -> bool:
        return enough(tests) and 10 * sum(row[2] < 9.7 for row in tests) < 9 * len(tests)

    if reaches(quiet) or reaches(both):
        return True
    return False if enough([row for row in free if row[1]]) else None


@given(TESTS)
def test_the_rule_is_what_the_method_says(rows: list[Row]) -> None:
    assert word(rows) == spelled_out(rows)


@given(TESTS)
def test_fcc80_is_what_the_method_says(rows: list[Row]) -> None:
    """At least 80% of the quiet tests reach 8; those of limiting PCs only where they do."""
    free = [row for row in rows if row[1] and row[3] >= 11]
    quiet = [row for row in rows if row[1] and (row[3] >= 11 or row[2] >= 8)]
    yes, no = (len(some) >= 10 and len({row[0] for row in some}) >= 5 for some in (quiet, free))
    if yes and 5 * sum(row[2] >= 8 for row in quiet) >= 4 * len(quiet):
        assert word(rows, rule="fcc80") is True
    else:
        assert word(rows, rule="fcc80") is (False if no else None)


BONDED = st.lists(TESTS, min_size=2, max_size=3)


@given(BONDED)
def test_bonded_lines_are_their_sum(lines: list[list[Row]]) -> None:
    """Of lines whose PCs are free and whose tests are all quiet: the sum of their percentiles."""
    free = [[(day, True, rate, 1000.0) for day, _, rate, _ in rows] for rows in lines]
    total, every = 0.0, True
    for rows in free:
        enough = len(rows) >= 10 and len({row[0] for row in rows}) >= 5
        every &= enough
        total += sorted(row[2] for row in rows)[-(-9 * len(rows) // 10) - 1] if enough else 0
    days = dt.date(2026, 12, 1), dt.date(2026, 12, 31)
    said = opinion([history(rows) for rows in free], *days, Settings(threshold_mbps=30.0))
    yes = round(total, 6) >= 29.1
    assert (said and said.yes) == (True if yes else False if every else None)


RANK = {False: 0, None: 1, True: 2}


@given(TESTS, st.data())
def test_only_evidence_of_a_no_can_be_removed_to_raise(rows: list[Row], data: Any) -> None:
    """That is: a low test, and where the rule says no, a quiet test that counts for it."""
    gone = data.draw(st.sampled_from(rows))
    kept = list(rows)
    kept.remove(gone)
    before, after = word(rows), word(kept)
    denied = before is False and gone[1] and gone[3] >= 11
    if gone[2] >= 9.7 and not denied:
        assert RANK[after] <= RANK[before]


@given(TESTS, st.integers(0, 6), st.booleans(), st.sampled_from([0.0, 5.0, 10.0]))
def test_a_low_test_of_a_limiting_pc_is_nothing(
    rows: list[Row], day: int, quiet: bool, pc: float
) -> None:
    assert word([*rows, (day, quiet, 9.69, pc)]) == word(rows)


@given(TESTS, st.integers(0, 6), st.booleans(), st.sampled_from([0.0, 10.0, 1000.0]))
def test_a_high_test_never_lowers(rows: list[Row], day: int, quiet: bool, pc: float) -> None:
    """Except from nothing to a no, where it is the quiet test that was missing."""
    before, after = word(rows), word([*rows, (day, quiet, 9.7, pc)])
    assert RANK[after] >= RANK[before] or (before is None and quiet and pc >= 11)
