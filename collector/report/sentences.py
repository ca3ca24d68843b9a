"""The figure in sentences, as a written report says it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agent.common.language import say
from agent.common.vocabulary.actions import REASONS
from agent.common.vocabulary.indicators import SHARES
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Words
from collector.compliance.model import Figure, Indicator, Tally, Verdict
from collector.compliance.shares import shown
from collector.compliance.targets import goal, name, passed, remark, target
from collector.report import kinds
from collector.report.actions import DONE, Gap, Plan
from collector.report.area_tables import cheapest


def units(indicator: Indicator, count: int) -> str:
    """So many of its units: classes, schools or teachers."""
    return f"{count} {kinds.unit_words(indicator)}"


def todo(plan: Plan, area: str = "") -> Iterator[str]:
    """What an area lacks, the report's own unless named: one sentence an indicator."""
    own = area or plan.figure.areas[0].code
    return (_gap(plan.figure, gap) for gap in plan.gaps if gap.area.code == own)


def _gap(figure: Figure, gap: Gap) -> str:
    title = name(figure, gap.indicator)
    asked = goal(target(figure, gap.indicator))
    if not gap.tally.all:
        return say(f"{title}：没有计入的单位。", f"{title}: no units.")
    if gap.needed is None:
        return say(
            f"{title}：没有目标；未落实 {units(gap.indicator, gap.open)}。",
            f"{title}: no target; {units(gap.indicator, gap.open)} open.",
        )
    if not gap.open:
        return say(f"{title}：全部核实达标。", f"{title}: all are verified.")
    if not gap.needed:
        return say(
            f"{title}：已达到 {shown(asked)}；未落实 {units(gap.indicator, gap.open)}。",
            f"{title}: {shown(asked)} is reached; {units(gap.indicator, gap.open)} open.",
        )
    return say(
        f"{title}：距 {shown(asked)} 还差 {units(gap.indicator, gap.needed)}，"
        f"先易后难：{cheapest(gap)}。",
        f"{title}: {units(gap.indicator, gap.needed)} short of {shown(asked)}; "
        f"easiest first: {cheapest(gap)}.",
    )


def unknown(plan: Plan) -> Iterator[str]:
    """Why units are unknown, one sentence an indicator that has some."""
    for indicator in kinds.every(plan.figure):
        found: Counter[str] = Counter()
        for row in plan.actions:
            if row.indicator == indicator and row.verdict is Verdict.UNKNOWN:
                found[row.reason] += row.count
        if found:
            reasons = [f"{REASONS[code].why} {count}" for code, count in found.most_common()]
            yield say(
                f"{name(plan.figure, indicator)}未知的原因：{'、'.join(reasons)}。",
                f"{name(plan.figure, indicator)}, why unknown: {', '.join(reasons)}.",
            )


def figures(figure: Figure) -> Iterator[str]:
    """The report's own area: one sentence an indicator, with all shares that belong together."""
    for indicator in kinds.every(figure):
        tally = figure.tallies[figure.areas[0].code, indicator]
        if tally.all:
            yield _shares(figure, indicator, tally)


def _shares(figure: Figure, indicator: Indicator, tally: Tally) -> str:
    asked = goal(target(figure, indicator))
    good = sum(tally.counts[verdict] for verdict in DONE)
    verified, reported = shown(tally.verified, asked), shown(tally.reported, asked)
    ceiling, unknown = shown(tally.ceiling, asked), shown(tally.unknown)
    zh = {key: SHARES[f"{key}_share"].zh for key in ("verified", "reported", "ceiling", "unknown")}
    said = say(
        f"{name(figure, indicator)}：应计 {units(indicator, tally.all)}，核实 {good}，"
        f"{zh['verified']} {verified}；{zh['reported']} {reported}，{zh['ceiling']} {ceiling}，"
        f"{zh['unknown']} {unknown}。",
        f"{name(figure, indicator)}: of {units(indicator, tally.all)} {good} are verified, "
        f"{verified}; reported {reported}, ceiling {ceiling}, unknown {unknown}. ",
    )
    return said + _verdicts(tally) + _passed(figure, indicator, tally)


def _verdicts(tally: Tally) -> str:
    parts = (f"{VERDICTS[verdict]} {tally.counts[verdict]}" for verdict in Verdict)
    return say("其中", "") + say("、", ", ").join(parts) + say("。", ". ")


def _passed(figure: Figure, indicator: Indicator, tally: Tally) -> str:
    row = target(figure, indicator)
    word = passed(tally.verified, row, figure.year)
    if row is None:
        return remark(row, figure.year) + say("。", ".")
    verdict = {
        True: Words("达标", "reached"),
        False: Words("未达标", "not reached"),
        None: Words(*(remark(row, figure.year),) * 2),
    }[word]
    return say(
        f"目标 {shown(row.value)}（{row.document}），{verdict}。",
        f"Target {shown(row.value)} ({row.document}): {verdict}.",
    )
