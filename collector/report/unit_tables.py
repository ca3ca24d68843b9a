"""The tables of schools, classes, lines, and the evidence of every unit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.common.language import say
from agent.common.vocabulary import actions as vocabulary
from agent.common.vocabulary.lines import COLUMNS
from agent.common.vocabulary.reasons import REASONS
from agent.common.vocabulary.rules import RULES
from agent.common.vocabulary.schools import TYPES
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Words, word
from collector.compliance.model import (
    Area,
    Figure,
    Indicator,
    JudgedLine,
    Unit,
    Verdict,
)
from collector.report import kinds, view
from collector.report.actions import DONE, Plan, responsible
from collector.report.reasons import reason
from collector.report.tables import SCHOOL, VERDICT_COUNTS, Cell, Column, Kind, Table, column, rate
from collector.report.view import SchoolView


def schools(figure: Figure, plan: Plan) -> Table:
    """Every school that counts: its classes by verdict, and the verdicts of the school."""
    columns = (
        *SCHOOL,
        column("类型", "type", "text", 12),
        *(part for indicator in kinds.every(figure) for part in _of_school(figure, indicator)),
        column("要做的事", "to do", "count", 10),
    )
    title = Words("学校", "Schools")
    return Table("schools", title, columns, lambda: _school_rows(figure, plan))


def _of_school(figure: Figure, indicator: Indicator) -> Sequence[Column]:
    name = kinds.short_words(figure, indicator)
    if kinds.of_schools(indicator):
        return (Column(name, "text", 13),)
    share = column(f"{name.zh}核实率（%）", f"{name.en} verified (%)", "share", 12)
    return (
        share,
        *VERDICT_COUNTS,
        Column(_CLASSES if kinds.of_classes(indicator) else _TEACHERS, "count", 8),
    )


_CLASSES, _TEACHERS = Words("班级", "classes"), Words("教师", "teachers")


def _school_rows(figure: Figure, plan: Plan) -> Iterator[Sequence[Cell]]:
    for row in view.schools(figure):
        school = figure.register.schools[row.area.code]
        cells: list[Cell] = [*_school(figure, row.area), word(TYPES, school.type)]
        for indicator in kinds.every(figure):
            cells += _indicator_cells(figure, row, indicator)
        gaps = plan.school_gaps.get(row.area.code, ())
        yield (*cells, sum(gap.open for gap in gaps))


def _school(figure: Figure, area: Area) -> Sequence[Cell]:
    return responsible(figure, area), area.code, area.name


def _indicator_cells(figure: Figure, row: SchoolView, indicator: Indicator) -> Sequence[Cell]:
    if kinds.of_schools(indicator):
        unit = row.one(indicator)
        return (str(VERDICTS[unit.verdict]) if unit else None,)
    tally = figure.tallies[row.area.code, indicator]
    share = view.percent(figure, indicator, tally)
    return (share, *(tally.counts[verdict] for verdict in Verdict), tally.all)


def classes(figure: Figure) -> Table:
    """Every class with its verdict and why."""
    columns = (
        *SCHOOL,
        column("班级", "class", "text", 16),
        Column(COLUMNS["verdict"], "text", 12),
        column("原因", "why", "long", 60),
    )
    return Table("classes", Words("班级", "Classes"), columns, lambda: _class_rows(figure))


def _class_rows(figure: Figure) -> Iterator[Sequence[Cell]]:
    areas = {area.code: area for area in figure.areas}
    for unit in _by_area(figure):
        if kinds.of_classes(unit.indicator):
            school = _school(figure, areas[unit.school])
            yield (*school, unit.name, str(VERDICTS[unit.verdict]), _why(unit))


def _by_area(figure: Figure) -> Sequence[Unit]:
    """The units in the order of their schools: by district."""
    order = {area.code: place for place, area in enumerate(figure.areas)}
    return sorted(figure.units, key=lambda unit: order[unit.school])


def _why(unit: Unit) -> str | None:
    if unit.verdict in DONE:
        return None
    code, detail = reason(unit)
    why = str(vocabulary.REASONS[code].why)
    return say(f"{why}（{detail.zh}）", f"{why} ({detail.en})") if detail.zh else why


def lines(figure: Figure) -> Table:
    """Every line with its numbers; rates in Mbit/s."""
    columns = (
        *SCHOOL,
        column("校区", "campus", "text", 14),
        *(Column(COLUMNS[key], kind, width) for key, kind, width in _LINE_COLUMNS),
        column("课内测试", "tests in lessons", "count", 10),
        column("只在容差内达标", "within tolerance only", "text", 10),
        column("不作证据的测试", "refused tests", "long", 40),
    )
    title = Words("线路", "Lines")
    return Table("lines", title, columns, lambda: _line_rows(figure))


_LINE_COLUMNS: tuple[tuple[str, Kind, int], ...] = (
    ("line", "text", 12), ("contract_mbps", "rate", 11), ("p90_mbps", "rate", 13),
    ("median_mbps", "rate", 11), ("lesson_mbps", "rate", 11), ("tests", "count", 10),
    ("days", "count", 10), ("verdict", "text", 12), ("congested", "text", 12),
)  # fmt: skip


def _line_rows(figure: Figure) -> Iterator[Sequence[Cell]]:
    areas = {area.code: area for area in figure.areas}
    order = {code: place for place, code in enumerate(areas)}
    for row in sorted(figure.lines, key=lambda row: order[row.school]):
        yield (
            *_school(figure, areas[row.school]),
            row.campus,
            row.line,
            row.contract_mbps,
            rate(row.p90),
            rate(row.quiet_median),
            rate(row.lesson_median),
            row.tests,
            row.days,
            str(VERDICTS[row.verdict]),
            _yes(row.congested),
            row.lesson_tests,
            _yes(row.between),
            _refused(row),
        )


def _yes(word: bool) -> str | None:
    return say("是", "yes") if word else None


def _refused(row: JudgedLine) -> str | None:
    parts = (f"{word(REASONS, why)} {count}" for why, count in sorted(row.refused.items()))
    return say("；", "; ").join(parts) or None


def evidence(figure: Figure) -> Table:
    """Every step of every unit: each rule, and its result in words."""
    columns = (
        column("学校标识码", "school code", "code", 13),
        column("学校", "school", "text", 26),
        column("指标", "indicator", "text", 12),
        column("单位", "unit", "text", 18),
        Column(COLUMNS["verdict"], "text", 12),
        column("规则", "rule", "text", 14),
        column("依据", "evidence", "long", 100),
    )
    title = Words("依据", "Evidence")
    return Table("evidence", title, columns, lambda: _evidence_rows(figure))


def _evidence_rows(figure: Figure) -> Iterator[Sequence[Cell]]:
    names = {area.code: area.name for area in figure.areas}
    for unit in _by_area(figure):
        verdict, indicator = str(VERDICTS[unit.verdict]), kinds.short(figure, unit.indicator)
        for step in unit.steps:
            text = say(step.zh, step.en)
            where = (unit.school, names[unit.school], indicator, unit.name)
            yield (*where, verdict, word(RULES, step.rule), text)
