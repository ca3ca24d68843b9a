"""The further indicators, from what the three of the method have found. Pure.

Each counts schools. A school's word is that of its classes or lines together, so none of these asks
for evidence of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance import verdicts
from collector.compliance.lines import UNTESTED, LineDays, Lines
from collector.compliance.model import Indicator, Step, Unit, Verdict
from collector.compliance.verdicts import Declared, Finding
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from collector.roster.register import Line, Register, School

#: Every class must be met: the school has the verdict that comes last here.
_ALL = (
    Verdict.VERIFIED, Verdict.INSPECTED, Verdict.DECLARED, Verdict.UNKNOWN, Verdict.CONTRADICTED,
    Verdict.SHORT,
)  # fmt: skip
_BECAUSE: Mapping[Verdict, verdicts.Because] = {
    Verdict.VERIFIED: "telemetry",
    Verdict.INSPECTED: "inspection",
    Verdict.CONTRADICTED: "telemetry",
}


def all_classes(
    indicator: Indicator, school: School, district: str, classes: Sequence[Unit]
) -> Unit:
    """全部班级配备多媒体: as good as its worst class; unknown without classes."""
    return _of_classes(indicator, school, district, classes, worst=True)


def any_room(indicator: Indicator, school: School, district: str, classes: Sequence[Unit]) -> Unit:
    """拥有多媒体教室: as good as its best class; unknown without classes."""
    return _of_classes(indicator, school, district, classes, worst=False)


def _of_classes(
    indicator: Indicator, school: School, district: str, classes: Sequence[Unit], *, worst: bool
) -> Unit:
    found = [unit.verdict for unit in classes]
    choose = max if worst else min
    verdict = choose(found, key=_ALL.index, default=Verdict.UNKNOWN)
    counts = {str(one): found.count(one) for one in Verdict if one in found}
    zh = "，".join(f"{VERDICTS[one].zh} {found.count(one)}" for one in Verdict if one in found)
    en = ", ".join(f"{VERDICTS[one].en} {found.count(one)}" for one in Verdict if one in found)
    rule_zh, rule_en = ("最差", "worst") if worst else ("最好", "best")
    steps = (
        Step(
            "register",
            f"班级 {len(found)} 个：{zh or '台账没有班级'}；以{rule_zh}的为准",
            f"{len(found)} classes: {en or 'the register has none'}; the {rule_en} decides",
            {"classes": len(found), **counts},
        ),
        verdicts.conclusion(verdict, _BECAUSE.get(verdict, "register")),
    )
    simulated = any(unit.simulated for unit in classes)
    return Unit(indicator, school.code, district, school.name, verdict, steps, simulated)


def connected(
    indicator: Indicator,
    school: School,
    register: Register,
    lines: Lines,
    windows: Windows,
    settings: Settings,
    cutoff: dt.date,
) -> Unit:
    """学校联网: any valid test of any line, in lessons or not, or an inspection that found a line.

    Never denied by telemetry: a line that is not tested may be there.
    """
    owned = register.lines_of.get(school.code, [])
    histories = [lines.get((school.code, line.line), UNTESTED) for line in owned]
    finding = _tested(histories, windows.first(cutoff, school.opened), cutoff)
    inspections = [
        row
        for row in register.inspections_of.get(school.code, ())
        if row.indicator == "line" and row.found
    ]
    verdict, steps = verdicts.decide(
        finding, inspections, _registered(owned), cutoff, settings.inspection_months
    )
    district = register.district_of(school.code)
    return Unit(indicator, school.code, district, school.name, verdict, steps, finding.simulated)


def _tested(histories: Iterable[LineDays], first: dt.date, cutoff: dt.date) -> Finding:
    days = [day for history in histories for day in history.days if day <= cutoff]
    window = [day for day in days if day >= first]
    newest = max(window, default=None)
    zh = f"窗口内有效的测试 {len(window)} 次" + (f"，最近 {newest}" if newest else "")
    en = f"{len(window)} valid tests in the window" + (f", the last on {newest}" if newest else "")
    numbers = {"tests": len(window), "day": newest.isoformat() if newest else None}
    step = Step("line", zh, en, numbers)
    cleared = None if newest else max(days, default=None)
    simulated = any(history.simulated for history in histories)
    return Finding(yes=newest, cleared=cleared, steps=(step,), simulated=simulated)


def _registered(owned: Sequence[Line]) -> Declared:
    """Yes with a line in the register; no only if each is registered with a contract of 0."""
    says = None if not owned else any(line.contract_mbps != 0 for line in owned)
    zh, en = f"台账：线路 {len(owned)} 条", f"Register: {len(owned)} lines"
    return Declared(says, (Step("register", zh, en, {"lines": len(owned), "says": says}),))
