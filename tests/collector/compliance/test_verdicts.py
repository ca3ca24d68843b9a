"""The verdict rule, a case a sentence of the methodology."""

from __future__ import annotations

import datetime as dt

import pytest

from collector.compliance.model import Verdict
from collector.compliance.verdicts import Declared, Finding, decide
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
