"""The tables of what to do: each school's deeds, tasks, and lines in dispute. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from agent.common.vocabulary import actions as vocabulary
from agent.common.vocabulary.lines import COLUMNS as LINE_COLUMNS
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Words
from collector.compliance.model import Indicator
from collector.report import kinds
from collector.report.actions import Plan, responsible
from collector.report.tables import SCHOOL, Cell, Column, Table, column, rate


def deeds(plan: Plan) -> Table:
    """What to do about it, a row an action."""
    columns = (
        *SCHOOL,
        column("指标", "indicator", "text", 14),
        column("数量", "units", "count", 8),
        column("结论", "verdict", "text", 11),
        column("原因", "why", "long", 36),
        column("怎么办", "what to do", "long", 36),
        column("班级", "classes", "long", 30),
    )
    return Table("actions", Words("要做的事", "To do"), columns, lambda: _deed_rows(plan))


def _deed_rows(plan: Plan) -> Iterator[Sequence[Cell]]:
    for row in plan.actions:
        yield (
            row.responsible,
            row.school,
            row.name,
            kinds.short(plan.figure, row.indicator),
            row.count,
            str(VERDICTS[row.verdict]),
            str(row.why),
            str(row.todo),
            row.named(40),
        )


def tasks(plan: Plan) -> Table:
    """The deeds of many schools together, a row a responsible unit, indicator and reason."""
    columns = (
        SCHOOL[0],
        column("指标", "indicator", "text", 12),
        column("原因", "why", "long", 30),
        column("怎么办", "what to do", "long", 40),
        column("学校", "schools", "count", 8),
        column("单位数", "units", "count", 8),
    )
    return Table("tasks", Words("任务", "Tasks"), columns, lambda: _task_rows(plan))


def _task_rows(plan: Plan) -> Iterator[Sequence[Cell]]:
    units: Counter[tuple[str, Indicator, str]] = Counter()
    schools: dict[tuple[str, Indicator, str], set[str]] = defaultdict(set)
    for row in plan.actions:
        key = row.responsible, row.indicator, row.reason
        units[key] += row.count
        schools[key].add(row.school)
    order = {unit: place for place, unit in enumerate(dict.fromkeys(key[0] for key in units))}
    every, prices = kinds.every(plan.figure), vocabulary.PRICE
    for key in sorted(units, key=lambda k: (order[k[0]], every.index(k[1]), prices[k[2]])):
        unit, indicator, code = key
        why, todo = vocabulary.REASONS[code]
        name = kinds.short(plan.figure, indicator)
        yield unit, name, str(why), str(todo), len(schools[key]), units[key]


def disputes(plan: Plan) -> Table:
    """Contract against measurement, and 达标但拥塞."""
    columns = (
        *SCHOOL,
        Column(LINE_COLUMNS["line"], "text", 12),
        column("问题", "problem", "long", 28),
        column("合同带宽 Mbit/s", "contract, Mbit/s", "rate", 14),
        column("实测 Mbit/s", "measured, Mbit/s", "rate", 14),
        column("中位数 Mbit/s", "median, Mbit/s", "rate", 14),
    )
    title = Words("合同与实测", "Contract and measurement")
    return Table("disputes", title, columns, lambda: _dispute_rows(plan))


def _dispute_rows(plan: Plan) -> Iterator[Sequence[Cell]]:
    names = {area.code: area for area in plan.figure.areas}
    found = [(miss.line, vocabulary.CONTRACTS[miss.kind]) for miss in plan.mismatches]
    found += [(line, LINE_COLUMNS["congested"]) for line in plan.congested]
    for line, problem in found:
        yield (
            responsible(plan.figure, names[line.school]),
            line.school,
            names[line.school].name,
            line.line,
            str(problem),
            line.contract_mbps,
            rate(line.statistic),
            rate(line.median),
        )
