"""Tests that a PC limits, and tests from another network or PC than expected."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from collector.compliance.model import JudgedLine, Verdict

V, N, D, C, S, U = Verdict
FIVE = (1, 2, 3, 7, 8)


def line(town: Any) -> JudgedLine:
    (judged,) = town.figure().lines
    assert isinstance(judged, JudgedLine)
    return judged


@pytest.mark.parametrize(
    ("rate", "more", "verdict", "refused"),
    [
        (12.0, {"pc_limited": True}, V, 0),  # it proves
        (6.0, {"pc_limited": True}, D, 10),  # and never denies
        (6.0, {"pc_limited": None}, D, 10),  # an older agent's: not shown to be free
        (12.0, {"pc_limited": None, "nic_mbps": None}, V, 0),
        (6.0, {"nic_mbps": None}, D, 10),
        (6.0, {"nic_mbps": 0.0}, D, 10),
        (6.0, {"nic_mbps": 10.9}, D, 10),  # a card below 1.1 T
        (6.0, {"nic_mbps": 11.0}, C, 0),
        (9.7, {"nic_mbps": 10.0}, V, 0),
        (6.0, {"reason": "pc_limited"}, D, 10),  # by the agent's own word
        (12.0, {"reason": "pc_limited"}, V, 0),
    ],
)
def test_a_test_that_its_pc_limits_proves_and_never_denies(
    town: Any, rate: float, more: dict[str, Any], verdict: Verdict, refused: int
) -> None:
    town.line()
    town.tested(rate, FIVE, times=2, **more)
    assert town.unit("line").verdict is verdict
    assert dict(line(town).refused) == ({"pc_limited": refused} if refused else {})


def test_a_slow_pc_makes_no_school_short_at_a_higher_threshold(town: Any) -> None:
    """A card of 100 limits at 100 and 1000, not at 10."""
    town.line(contract=1000)
    town.tested(94.0, FIVE, times=2, nic_mbps=100.0)
    assert town.unit("line").verdict is V
    assert town.unit("line", threshold_mbps=100.0).verdict is D
    assert town.unit("line", threshold_mbps=1000.0).verdict is D
    town.tested(94.0, FIVE, times=2, at=dt.time(18, 0), nic_mbps=1000.0)
    assert town.unit("line", threshold_mbps=100.0).verdict is C
    assert town.unit("line", threshold_mbps=1000.0).verdict is D
    town.tested(94.0, FIVE, times=2, at=dt.time(19, 0), nic_mbps=2500.0)
    assert town.unit("line", threshold_mbps=1000.0).verdict is C


def test_limited_tests_of_a_bonded_campus_lower_no_sum(town: Any) -> None:
    """Two lines of 60 by free tests; many of a slow PC that read half of 97, no more."""
    for name in ("1", "2"):
        town.line(name)
        town.tested(60.0, FIVE, name, times=2)
        town.tested(48.5, FIVE, name, times=20, at=dt.time(18, 0), pc_limited=True)
    assert town.unit("line", bonded=True, threshold_mbps=100.0).verdict is V


def test_a_long_test_that_its_pc_held_back_shows_no_burst(town: Any) -> None:
    town.line()
    town.tested(10.0, FIVE, times=2)
    town.tested(5.0, (2,), at=dt.time(17, 45), long=True, burst=True, pc_limited=True)
    assert town.unit("line").verdict is V


@pytest.mark.parametrize(("rate", "verdict"), [(12.0, V), (6.0, C)])
def test_a_lossy_line_s_tests_count_and_are_told(town: Any, rate: float, verdict: Verdict) -> None:
    """What was delivered is what was read: it proves and denies, and --explain names the losses."""
    town.line()
    town.tested(rate, FIVE, times=2, lossy=True)
    unit = town.unit("line")
    assert unit.verdict is verdict
    assert dict(line(town).doubts) == {"lossy": 10}
    assert any("有丢包而没有排队" in step.zh for step in unit.steps)


@pytest.mark.parametrize(
    ("network", "address", "verdict"),
    [
        ("", "198.51.100.7", V),
        ("192.0.2.0/24", "192.0.2.200", V),
        ("192.0.2.0/24", "::ffff:192.0.2.200", V),
        ("192.0.2.0/24", "198.51.100.7", D),
        ("192.0.2.0/24, 198.51.100.0/30；2001:db8::/32", "198.51.100.2", V),
        ("192.0.2.0/24 2001:db8::/32", "2001:db8::9", V),
        ("192.0.2.9", "192.0.2.9", V),
        ("192.0.2.0/24", "", V),  # an older server's record: nothing shows another network
        ("192.0.2.0/24", "?", D),
    ],
)
def test_a_test_from_outside_the_line_s_network_is_no_evidence(
    town: Any, network: str, address: str, verdict: Verdict
) -> None:
    town.line(network=network)
    town.tested(12.0, FIVE, times=2, record={"address": address})
    assert town.unit("line").verdict is verdict
    assert dict(line(town).refused) == ({} if verdict is V else {"other_network": 10})


def test_a_network_that_is_none_names_its_line(town: Any) -> None:
    town.line("7", network="192.0.2.0/33")
    with pytest.raises(ValueError, match=r"line 7 of 9901020001.*192\.0\.2\.0/33"):
        town.figure()


def test_another_machine_than_the_record_s_is_in_doubt_and_counts(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2, record={"machine": "b" * 32})
    judged = line(town)
    assert (judged.verdict, dict(judged.doubts)) == (V, {"other_machine": 10})
    assert any(step.rule == "doubts" for step in town.unit("line").steps)
