"""The collector's own clock, held against the servers' and most PCs'."""

from __future__ import annotations

import logging

import pytest

from collector.service.clock_watch import ClockWatch
from collector.store.clocks import Majority, ahead_of, of_pcs

NOW = 1_795_564_800.0
DATE = "Wed, 25 Nov 2026 00:00:00 GMT"
EIGHT_DAYS = 8 * 86_400


def test_a_date_of_http_against_this_clock() -> None:
    assert ahead_of(DATE, NOW + 0.5) == 0
    assert ahead_of(DATE, NOW + EIGHT_DAYS + 0.5) == EIGHT_DAYS
    assert ahead_of(DATE.replace(" GMT", " -0000"), NOW - 60 + 0.5) == -60


@pytest.mark.parametrize("date", [None, "", "yesterday", "Wed, 99 Nov 2026 00:00:00 GMT"])
def test_a_malformed_date_gives_none(date: str | None) -> None:
    assert ahead_of(date, NOW) is None


def test_most_pcs_agree_and_one_wrong_pc_changes_nothing() -> None:
    assert of_pcs([200, -900, 10**12, 0]) == Majority(0.1, 3, 4)
    ahead = [EIGHT_DAYS * 1000 + ms for ms in (0, 40, -3000, 900)]
    assert of_pcs([*ahead, -(10**9)]) == Majority(EIGHT_DAYS, 4, 5)


def test_few_pcs_or_pcs_that_do_not_agree_say_nothing() -> None:
    assert of_pcs([10**9, 10**9]) is None
    assert of_pcs([0, 10**7, 10**8, 10**9]) is None


def test_the_event_comes_once_when_the_clocks_part_and_once_when_they_agree(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    told = iter([None, 0.4, 11.0, 691_200.0, -11.0, 0.2, 0.3])
    watch = ClockWatch(lambda: next(told))
    heard = [watch.ahead_s() for _ in range(7)]
    assert heard == [None, 0.4, 11.0, 691_200.0, -11.0, 0.2, 0.3]
    assert [line.split()[0] for line in caplog.messages] == ["clock_apart", "clock_agrees"]
    assert "ahead_s=11.0" in caplog.messages[0]
    assert "NTP" in caplog.messages[0]
