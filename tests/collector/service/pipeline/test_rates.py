"""A school's allowances of reports and bytes: for minutes, and those that last."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.roster.limits import LASTING_SAVED, Limits, lasting, limits
from collector.roster.register import Register, Room, School
from collector.service.pipeline.allowances import Allowances
from collector.service.pipeline.rates import Left, Rate, Rates

SCHOOL, OTHER = "9900000001", "9900000002"
#: A school with a room for two PCs.
REGISTER = Register(
    schools={SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
    rooms=[Room(SCHOOL, "本部", "6-1", "6-1", "普通教室", 2)],
)
#: Where each reports once an hour.
HOURLY = limits(REGISTER, SCHOOL, 3600)
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


def test_a_policy_bounds_minutes_and_takes_no_part_of_the_long_run() -> None:
    """Eight reports a minute, day and night for three weeks, where it allows twenty."""
    rates = Rates({SCHOOL: limits(REGISTER, SCHOOL, 300, max_reports=20)}.get)
    assert all(rates.take(SCHOOL, 4000, n * 7.5) for n in range(21 * 24 * 60 * 8))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 20)), max_size=4))
def test_whatever_an_outage_left_on_all_pcs_is_taken(outages: list[tuple[int, int]]) -> None:
    """Pairs of days offline and days online. PCs keep the reports of 60 days."""
    rate, day = Rate({SCHOOL: HOURLY}.get, lasting, LASTING_SAVED), 0
    for offline, online in outages:
        day += offline
        sent = [A_DAY * min(offline, 60), *[A_DAY] * online]
        for reports in sent:
            rate.left(day * 86400.0, 0.0)  # as each minute does
            assert all(rate.take(SCHOOL, 4096, day * 86400.0) for _ in range(reports))
            day += 1


# Kept over a restart


def used_up(rates: Rate | Rates, now: float) -> int:
    """All that a school may send at this moment."""
    return sum(iter(lambda: rates.take(SCHOOL, 100, now), False))


@given(
    st.lists(st.tuples(st.floats(0, 40), st.integers(0, 3 * A_DAY), st.booleans()), max_size=12),
    st.integers(-(10**6), 10**6),
)
def test_a_collector_that_starts_again_gives_no_more_and_no_less(
    steps: list[tuple[float, int, bool]], boot: int
) -> None:
    """Days, reports then, and whether it starts again; its monotonic clock starts anew too."""
    whole = Rate({SCHOOL: HOURLY}.get, lasting, LASTING_SAVED)
    again, day, begun = Rate({SCHOOL: HOURLY}.get, lasting, LASTING_SAVED), 0.0, 0.0
    for days, reports, restarted in steps:
        day += days
        now = day * 86400
        if restarted:
            whole.left(now, 0.0)  # it fills them up, as each minute does
            left = again.left(now - begun, 1.8e9 + now)
            begun, again = now + boot, Rate({SCHOOL: HOURLY}.get, lasting, LASTING_SAVED)
            again.restore(left, now - begun, 1.8e9 + now)
        sent = range(reports)
        taken = [sum(of.take(SCHOOL, 100, at) for _ in sent)
                 for of, at in ((whole, now), (again, now - begun))]  # fmt: skip
        assert abs(taken[0] - taken[1]) <= 1  # by rounding
    last = day * 86400 + 60
    assert abs(used_up(whole, last) - used_up(again, last - begun)) <= 1


@pytest.mark.parametrize("spent", range(58, 68))
def test_a_clock_that_is_wrong_at_the_start_holds_no_ordinary_school(spent: int) -> None:
    """Whatever its PCs have sent since it was full: as much as a full allowance has, too."""
    rates = Rates({SCHOOL: HOURLY}.get)
    for day in range(spent):
        assert all(rates.take(SCHOOL, 4096, day * 86400.0) for _ in range(A_DAY))
    left = rates.left(spent * 86400.0, 1.8e9)
    for off_s in (-(10**8), -3600, 86400):
        again = Rates({SCHOOL: HOURLY}.get)
        again.restore(left, 0.0, 1.8e9 + off_s)
        for day in range(3):
            assert all(again.take(SCHOOL, 4096, day * 86400.0) for _ in range(A_DAY))


def test_the_time_without_a_collector_adds_what_it_should_and_a_clock_set_back_nothing() -> None:
    left = {SCHOOL: Left(1.8e9, 5.0, 1e6)}
    for clock, days in ((1.8e9 - 10**8, 0), (1.8e9, 0), (1.8e9 + 86400, 1)):
        again = Rate({SCHOOL: HOURLY}.get, lasting, LASTING_SAVED)
        again.restore(left, 1000.0, clock)
        assert used_up(again, 1000.0) == pytest.approx(5 + days * 2 * A_DAY, rel=0.05)


def test_the_file_is_read_again_and_a_broken_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, rates = tmp_path / "allowances.json", Rates({SCHOOL: HOURLY}.get)
    kept = Allowances(file, rates)
    kept.save_when_due()
    assert not file.exists(), "once a minute"
    used_up(rates, time.monotonic())
    before = rates.left(time.monotonic(), 0.0)[SCHOOL]
    kept.save()
    Allowances(file, again := Rates({SCHOOL: HOURLY}.get))
    assert again.left(time.monotonic(), 0.0)[SCHOOL][1:] == pytest.approx(before[1:], rel=0.001)
    assert not caplog.records
    for broken in (b"", b"[]", b'{"9900000001": [1, 2]}', b'{"9900000001": [1, 2, "x"]}', b"\xff"):
        file.write_bytes(broken)
        Allowances(file, fresh := Rates({SCHOOL: HOURLY}.get))
        assert fresh.left(0.0, 0.0) == {}
        assert "allowances.json" in caplog.records.pop().getMessage()
