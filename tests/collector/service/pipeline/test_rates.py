"""A school's allowances of reports and bytes: for minutes, and those that last."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.roster.limits import LASTING, LASTING_SAVED, Limits, limits
from collector.roster.register import Register, Room, School
from collector.service.pipeline.rates import Rate, Rates

SCHOOL, OTHER = "9900000001", "9900000002"
#: Of a school with a room for two PCs, each of which reports once an hour.
HOURLY = limits(
    Register(
        schools={SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        rooms=[Room(SCHOOL, "本部", "6-1", "6-1", "普通教室", 2)],
    ),
    SCHOOL,
    3600,
)
A_DAY = HOURLY.max_machines * 24  # reports


def test_a_school_saves_up_and_then_has_its_rate() -> None:
    rates = Rates({SCHOOL: Limits(1, 2, 10**6), OTHER: Limits(1, 2, 10**6)}.get)
    assert sum(rates.take(SCHOOL, 100, 0.0) for _ in range(5000)) == 1500
    assert sum(rates.take(SCHOOL, 100, 60.0) for _ in range(5000)) == 2
    assert rates.take(OTHER, 100, 60.0), "another school's allowance is its own"
    assert all(rates.take("9900000009", 100, 0.0) for _ in range(5000)), "held anyhow"


def test_large_messages_use_the_bytes_up() -> None:
    rates = Rates({SCHOOL: Limits(1, 10**6, 1)}.get)
    assert sum(rates.take(SCHOOL, 250 * 1024, 0.0) for _ in range(50)) == 3


def hourly(rates: Rates, hours: int) -> list[int]:
    """How many reports a holder brings in each hour that sends as much as it may."""
    return [
        sum(iter(lambda at=hour * 3600.0: rates.take(SCHOOL, 100, at), False))
        for hour in range(hours)
    ]


def test_a_holder_that_never_stops_has_twice_what_its_pcs_send_in_the_end() -> None:
    taken = hourly(Rates({SCHOOL: HOURLY}.get), 90 * 24)
    assert sum(taken) <= (60 + 2 * 90) * A_DAY * 1.05  # a rate is whole reports a minute
    assert sum(taken[-24 * 30 :]) == pytest.approx(2 * 30 * A_DAY, rel=0.05)
    assert max(sum(taken[d : d + 24]) for d in range(0, len(taken), 24)) < 32 * A_DAY


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 20)), max_size=4))
def test_whatever_an_outage_left_on_all_pcs_is_taken(outages: list[tuple[int, int]]) -> None:
    """Pairs of days offline and days online. PCs keep the reports of 60 days."""
    lasting, day = Rate({SCHOOL: HOURLY}.get, LASTING, LASTING_SAVED), 0
    for offline, online in outages:
        day += offline
        sent = [A_DAY * min(offline, 60), *[A_DAY] * online]
        for reports in sent:
            assert all(lasting.take(SCHOOL, 4096, day * 86400.0) for _ in range(reports))
            day += 1
