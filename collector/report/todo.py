"""What to do about the figure as pages show it: lists to act on. Pure.

The lists are grouped by what is missing, and name in each group the schools with the fewest open
units first: one visit, one order, one letter a group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.common.language import say
from agent.common.vocabulary.actions import CONTRACTS, PRICE, REASONS
from agent.common.vocabulary.lines import CONGESTED
from agent.common.vocabulary.words import Words
from collector.compliance.line_text import mbps
from collector.compliance.model import Figure, Indicator, JudgedLine
from collector.report.actions import Action, Plan
from collector.report.rows import Row

#: Where what is missing is named by its detail: a display is another order than a computer.
_BY_PIECE = ("missing", "lacking")
#: Whose numbers stand in a list of lines too.
_LISTED = ("slow",)


@dataclass(slots=True)
class Group:
    """Units of one indicator that one deed would end, of all schools of a list."""

    indicator: Indicator
    reason: str
    column: str  # the indicator's short name
    why: str
    todo: str
    actions: list[Action] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Units in it."""
        return sum(action.count for action in self.actions)

    def schools(self, classes: int, *, numbers: bool) -> Iterator[str]:
        """Each school with its classes, at most so many named, and with its numbers.

        Without `numbers` those of slow lines are left to their own list (`line_lists`).
        """
        told = self.reason not in _BY_PIECE and (numbers or self.reason not in _LISTED)
        for action in self.actions:
            parts = (action.named(classes), str(action.detail) if told else "")
            note = say("；", "; ").join(part for part in parts if part)
            yield (
                say(f"{action.name}（{note}）", f"{action.name} ({note})") if note else action.name
            )


def groups(actions: Sequence[Action], order: Sequence[Row]) -> list[Group]:
    """The actions by indicator and deed, the cheapest first."""
    short = {row.indicator: row.short for row in order}
    found: dict[tuple[str, ...], Group] = {}
    for action in actions:
        detail = str(action.detail) if action.reason in _BY_PIECE else ""
        key = (action.indicator, action.reason, detail)
        if key not in found:
            why = str(action.why) if detail else str(REASONS[action.reason].why)
            head = (action.indicator, action.reason, short[action.indicator], why)
            found[key] = Group(*head, str(action.todo))
        found[key].actions.append(action)
    places = {row.indicator: place for place, row in enumerate(order)}
    return sorted(
        found.values(),
        key=lambda group: (places[group.indicator], PRICE[group.reason], -group.count),
    )


@dataclass(frozen=True, slots=True)
class LineList:
    """Lines that somebody should look at, although no verdict says so."""

    title: str
    rows: Sequence[tuple[str, str, str]]  # school, line, its rates


def line_lists(plan: Plan, district: str = "") -> list[LineList]:
    """Contract against measurement, and 达标但拥塞; of all districts or of one."""
    areas = {area.code: area for area in plan.figure.areas}

    def here(line: JudgedLine) -> bool:
        return not district or areas[line.school].district == district

    lists = [
        LineList(
            str(words),
            _rows(plan.figure, [one.line for one in plan.mismatches if one.kind == kind], here),
        )
        for kind, words in CONTRACTS.items()
    ]
    lists.append(LineList(str(CONGESTED), _rows(plan.figure, plan.congested, here)))
    return [found for found in lists if found.rows]


def _rows(
    figure: Figure, lines: Sequence[JudgedLine], here: Callable[[JudgedLine], bool]
) -> list[tuple[str, str, str]]:
    names = {area.code: area.name for area in figure.areas}
    return [(names[line.school], line.line, str(_rates(line))) for line in lines if here(line)]


def _rates(line: JudgedLine) -> Words:
    contract = "—" if line.contract_mbps is None else f"{line.contract_mbps:g}"
    if line.statistic is None:
        return Words(
            f"合同 {contract}，窗口内有效测试 {line.tests} 次，不够；以前的结果仍有效",
            f"contract {contract}, valid tests in the window: {line.tests}, too few; "
            "an earlier result stands",
        )
    return Words(
        f"合同 {contract}，实测 {mbps(line.statistic)}，中位数 {mbps(line.median)}",
        f"contract {contract}, measured {mbps(line.statistic)}, median {mbps(line.median)}",
    )
