"""The verdict rule, a case a sentence of the methodology."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from collector.compliance.model import Verdict
from collector.compliance.verdicts import Declared, Finding, Part, decide, every
from collector.roster.register import Inspection

END = dt.date(2026, 12, 31)
V, N, D, C, S, U = Verdict


def ago(days: int) -> dt.date:
    return END - dt.timedelta(days=days)


def yes(days: int) -> Finding:
    return Finding(yes=ago(days))


def no(days: int) -> Finding:
    return Finding(no=ago(days))


def once(days: int) -> Finding:
    return Finding(cleared=ago(days))


CASES = [
    ("verified: telemetry shows it", yes(1), [], True, V),
    ("a yes holds whatever the register says", yes(1), [], False, V),
    ("a yes holds where the register is silent", yes(1), [], None, V),
    ("inspected: a dated on-site record shows it", Finding(), [(9, True)], True, N),
    ("inspected, whatever the register says", Finding(), [(9, True)], False, N),
    ("inspection valid 12 months, the last day included", Finding(), [(365, True)], True, N),
    ("after 12 months it is no evidence", Finding(), [(366, True)], True, D),
    ("expired, the register decides: short", Finding(), [(366, True)], False, S),
    ("expired, the register decides: unknown", Finding(), [(366, True)], None, U),
    ("declared: neither telemetry nor an inspection speaks", Finding(), [], True, D),
    ("contradicted: telemetry says no", no(1), [], True, C),
    ("contradicted: an inspection says no", Finding(), [(9, False)], True, C),
    ("a no where the register says no is short", no(1), [], False, S),
    ("a no where the register says nothing is short", no(1), [], None, S),
    ("short: the register itself says no", Finding(), [], False, S),
    ("unknown: nothing says anything", Finding(), [], None, U),
    ("the later holds: telemetry's yes after a no", yes(1), [(9, False)], True, V),
    ("the later holds: an inspection's no after a yes", yes(9), [(1, False)], True, C),
    ("the later holds: an inspection's yes after a no", no(9), [(1, True)], True, N),
    ("the later holds: telemetry's no after a yes", no(1), [(9, True)], True, C),
    ("on one day the no holds", yes(5), [(5, False)], True, C),
    ("the later of two inspections holds: yes", Finding(), [(9, False), (5, True)], True, N),
    ("the later of two inspections holds: no", Finding(), [(9, True), (5, False)], True, C),
    ("the order of the rows is nothing", Finding(), [(5, True), (9, False)], True, N),
    ("a no, however old, stands", Finding(), [(3000, False)], True, C),
    ("a telemetry no, however old, stands", no(3000), [], True, C),
    ("until a later yes, even an expired one", Finding(), [(900, False), (800, True)], True, D),
    ("until telemetry clears it", once(200), [(300, False)], True, D),
    ("an older yes clears nothing", once(400), [(300, False)], True, C),
    ("what was shown once is no evidence now", once(200), [], True, D),
    ("an inspection clears telemetry's old no", no(500), [(400, True)], True, D),
    ("telemetry beside a valid inspection", yes(9), [(1, True)], True, V),
    ("inspections after the cut-off do not exist", Finding(), [(-1, True)], True, D),
]


@pytest.mark.parametrize(
    ("finding", "inspections", "says", "verdict"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_rule(
    finding: Finding, inspections: list[tuple[int, bool]], says: bool | None, verdict: Verdict
) -> None:
    rows = [Inspection("1", "line", "", ago(day), "核查员", ok) for day, ok in inspections]
    given, steps = decide(finding, rows, Declared(says), END, 12)
    assert given is verdict
    assert steps[-1].numbers["verdict"] == str(verdict)
    assert sum(step.rule == "inspection" for step in steps) == sum(d >= 0 for d, _ in inspections)


def line_record(found: bool, threshold: float | None, **more: Any) -> Inspection:
    return Inspection("1", "line", "", ago(9), "核查员", found, threshold_mbps=threshold, **more)


@pytest.mark.parametrize(
    ("found", "asked", "threshold", "verdict"),
    [
        (True, 10.0, 10.0, N),
        (True, 100.0, 10.0, N),  # what met 100 meets 10
        (True, 10.0, 100.0, D),  # what met 10 may be no 100
        (False, 10.0, 10.0, C),
        (False, 10.0, 100.0, C),  # what was short of 10 is short of 100
        (False, 100.0, 10.0, D),
        (True, None, 10.0, N),  # an old record, by 10
        (True, None, 100.0, D),
        (False, None, 100.0, C),
        (False, None, 4.0, D),
    ],
)
def test_a_record_speaks_by_its_threshold(
    found: bool, asked: float | None, threshold: float, verdict: Verdict
) -> None:
    rows = [line_record(found, asked)]
    given, steps = decide(Finding(), rows, Declared(True), END, 12, threshold)
    assert given is verdict
    (seen,) = [step for step in steps if step.rule == "inspection"]
    assert seen.numbers["says"] is (None if verdict is D else found)


@generated(st.booleans(), st.floats(1, 1000), st.floats(1, 1000), st.floats(1, 1000))
def test_no_record_says_yes_above_and_no_below(
    found: bool, asked: float, one: float, other: float
) -> None:
    """At a higher threshold the verdict is never better."""
    rows = [line_record(found, asked)]
    low, high = (
        decide(Finding(), rows, Declared(True), END, 12, threshold)[0]
        for threshold in sorted((one, other))
    )
    order = [N, D, C]
    assert order.index(low) <= order.index(high)


@pytest.mark.parametrize("found", [True, False])
def test_a_void_record_is_silent_and_shown(found: bool) -> None:
    rows = [line_record(found, 10.0, id="7", void="记错学校")]
    given, steps = decide(Finding(), rows, Declared(True), END, 12, 10.0)
    assert given is D
    (seen,) = [step for step in steps if step.rule == "inspection"]
    assert "记错学校" in seen.zh
    assert "记错学校" in seen.en
    assert seen.numbers["void"] == "记错学校"


def test_a_replacement_speaks_where_the_old_record_is_void() -> None:
    rows = [line_record(False, 10.0, id="7", void="见 8"), line_record(True, 10.0, replaces="7")]
    given, steps = decide(Finding(), rows, Declared(True), END, 12, 10.0)
    assert given is N
    assert sum(step.rule == "inspection" for step in steps) == 2


@pytest.mark.parametrize(
    ("entered", "late"),
    [
        (None, False),
        (dt.datetime(2026, 12, 31, 15, 59, tzinfo=dt.UTC), False),  # 23:59 in the city
        (dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC), True),  # its midnight
    ],
)
def test_one_entered_after_the_cutoff_counts_and_is_marked(
    entered: dt.datetime | None, late: bool
) -> None:
    rows = [line_record(True, 10.0, entered=entered)]
    given, steps = decide(Finding(), rows, Declared(True), END, 12, 10.0)
    assert given is N
    (seen,) = [step for step in steps if step.rule == "inspection"]
    assert seen.numbers["late"] is late
    assert ("补录" in seen.zh) is late


@pytest.mark.parametrize(
    ("finding", "by"), [(yes(1), "telemetry"), (once(1), "telemetry"), (Finding(), "inspection")]
)
def test_what_cleared_an_inspection_s_no_is_said(finding: Finding, by: str) -> None:
    rows = [Inspection("1", "line", "", ago(9), "核查员", False)]
    rows += [Inspection("1", "line", "", ago(2), "核查员", True)] if by == "inspection" else []
    steps = decide(finding, rows, Declared(True), END, 12)[1]
    (cleared,) = [step for step in steps if step.rule == "cleared"]
    assert cleared.numbers["by"] == by
    assert cleared.numbers["no"] == ago(9).isoformat()


def test_a_no_that_stands_is_not_said_to_be_cleared() -> None:
    rows = [Inspection("1", "line", "", ago(1), "核查员", False)]
    for finding in (yes(1), yes(9), no(2), Finding()):
        steps = decide(finding, rows, Declared(True), END, 12)[1]
        assert not any(step.rule == "cleared" for step in steps)


SHOWN, DENIED, SILENT = yes(5), no(5), Finding()


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([(SHOWN, False), (SILENT, True)], D),  # what is shown needs no word of the register
        ([(SHOWN, None), (SILENT, True)], D),
        ([(SHOWN, False), (SILENT, False)], S),
        ([(SHOWN, False), (SILENT, None)], U),
        ([(SHOWN, False), (DENIED, True)], C),
        ([(SHOWN, True), (DENIED, False)], S),
        ([(once(400), False), (SILENT, True)], S),  # shown long ago: the register decides again
        ([(SILENT, True), (SILENT, True)], D),
        ([(SILENT, True), (SILENT, None)], U),
    ],
)
def test_each_part_is_judged_by_its_own_evidence(parts: list[Part], verdict: Verdict) -> None:
    denied = any(finding.no for finding, _ in parts)
    declared = Declared(every([word for _, word in parts]))
    finding = no(5) if denied else Finding()
    assert decide(finding, (), declared, END, 12, None, parts)[0] is verdict
