"""Numbers: exact until shown; one decimal, half up; never across a target nor to 0 or 100."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.vocabulary.targets import target
from collector.compliance.shares import exact, shown, shown_value
from collector.compliance.targets import passed, remark

T80 = Fraction(80, 100)
shares = st.builds(
    lambda all_, part: Fraction(min(part, all_), all_),
    st.integers(1, 20_000),
    st.integers(0, 20_000),
)
targets = st.sampled_from([Fraction(n, 100) for n in range(1, 101)])


@pytest.mark.parametrize(
    ("share", "goal", "text"),
    [
        (Fraction(7996, 10_000), T80, "79.9%"),  # "79.96% is shown 79.9%"
        (Fraction(13, 16), None, "81.3%"),  # "81.25% is 81.3%"
        (Fraction(7996, 10_000), None, "80.0%"),
        (Fraction(80, 100), T80, "80.0%"),
        (Fraction(8001, 10_000), T80, "80.0%"),
        (Fraction(79_949, 100_000), T80, "79.9%"),
        (Fraction(1, 20_000), None, "0.1%"),  # "never to 0"
        (Fraction(19_999, 20_000), None, "99.9%"),  # "or 100"
        (Fraction(19_999, 20_000), Fraction(1), "99.9%"),
        (Fraction(0), T80, "0.0%"),
        (Fraction(1), T80, "100.0%"),
        (None, T80, "—"),  # "No units, no figure"
    ],
)
def test_shown(share: Fraction | None, goal: Fraction | None, text: str) -> None:
    assert shown(share, goal) == text


def test_no_units_have_no_number() -> None:
    assert shown_value(None, T80) is None


@given(shares, targets)
def test_never_across_a_target(share: Fraction, goal: Fraction) -> None:
    value = shown_value(share, goal)
    assert value is not None
    assert (exact(value) >= goal * 100) == (share >= goal)


@given(shares)
def test_never_to_0_or_100(share: Fraction) -> None:
    value = shown_value(share)
    assert (value == 0) == (share == 0)
    assert (value == 100) == (share == 1)


@given(shares, st.none() | targets)
def test_never_a_tenth_away(share: Fraction, goal: Fraction | None) -> None:
    value = shown_value(share, goal)
    assert value is not None
    assert abs(exact(value) - share * 100) < Fraction(1, 10)


@given(shares, shares, st.none() | targets)
def test_keeps_the_order(one: Fraction, other: Fraction, goal: Fraction | None) -> None:
    low, high = sorted([one, other])
    assert (shown_value(low, goal) or 0) <= (shown_value(high, goal) or 0)


@given(shares)
def test_text_and_number_agree(share: Fraction) -> None:
    assert shown(share) == f"{shown_value(share):.1f}%"


def test_a_setting_is_the_decimal_it_was_written_as() -> None:
    assert exact(0.97) * exact(10.0) == Fraction(97, 10)


def test_targets_of_2020() -> None:
    rows = [target(name, 2020, 10.0) for name in ("multimedia", "computer_room", "line")]
    assert [row and row.value for row in rows] == [1, 1, Fraction(4, 5)]
    assert [row and row.threshold_mbps for row in rows] == [None, None, 10]


@pytest.mark.parametrize(
    ("year", "share", "threshold", "reached"),
    [
        (2020, Fraction(80, 100), 10, True),  # "以上" includes the number itself
        (2020, Fraction(7999, 10_000), 10, False),
        (2026, Fraction(1), 10, None),  # no row: no pass or fail
        (2019, Fraction(1), 10, None),
        (2020, Fraction(1), 100, None),  # of this threshold no document speaks
        (2020, None, 10, None),
    ],
)
def test_pass_or_fail(
    year: int, share: Fraction | None, threshold: int, reached: bool | None
) -> None:
    assert passed(share, target("line", year, threshold), year) is reached


@pytest.mark.parametrize(
    ("year", "threshold", "text"),
    [(2020, 10, ""), (2026, 10, "对照 2020 年目标"), (2020, 100, "没有目标")],
)
def test_remark(year: int, threshold: int, text: str) -> None:
    assert remark(target("line", year, threshold), year) == text
