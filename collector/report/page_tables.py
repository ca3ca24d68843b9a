"""The tables of pdf and html as plain values: headings, rows of text, widths. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common.language import chosen, say
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.verdicts import SHORT, VERDICTS
from collector.compliance.model import Area, Figure, Step, Verdict
from collector.report import doubts as doubts_of
from collector.report import sentences, todo, view
from collector.report.actions import Plan, responsible
from collector.report.context import Context
from collector.report.rows import Row
from collector.report.trend import Trend
from collector.report.view import Tree

#: Schools named in a group of the city's report, and classes of each; an area's names them all.
_SCHOOLS, _CLASSES, _ALL = 12, 4, 10_000
_SHARES = ("verified_share", "reported_share", "ceiling_share", "unknown_share")
_MOST_LINES = 12
_MOST_DOUBTS = 40
_MOST_YEARS = 5  # abreast in a table of districts


def share(code: str) -> str:
    """A share's name for a narrow column."""
    return str(SHORT_SHARES[code])


def said(step: Step) -> str:
    """A step in the language in force."""
    return step.zh if chosen() == "zh" else step.en


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], widths: str, align: str,
    strong: Sequence[int] = (),
) -> Tree:  # fmt: skip
    """`widths` are shares of the page or `auto`, `strong` the numbers of rows (1 is the first)."""
    return {
        "title": title,
        "head": list(head),
        "rows": [list(row) for row in rows],
        "widths": widths.split(),
        "align": align,
        "strong": list(strong),
        "rest": [],
    }


def areas(figure: Figure, found: Sequence[Row]) -> list[Tree]:
    """A table an indicator: the city and its districts; none for a district or school alone."""
    shown = [area for area in figure.areas if area.level != "school"]
    if len(shown) < 2:
        return []
    head = [say("区域", "Area"), *(share(code) for code in _SHARES)]
    head += [str(SHORT[verdict]) for verdict in Verdict] + [say("全部", "All")]
    return [
        _table(
            row.name + (say(f"（{row.remark}）", f" ({row.remark})") if row.remark else ""),
            head,
            [[area.name, *_shares(row, area.code), *_counts(row, area.code)] for area in shown],
            "1 " + "auto " * (len(head) - 1),
            "l" + "r" * (len(head) - 1),
            (1,),
        )
        for row in found
    ]


def _shares(row: Row, area: str) -> list[str]:
    tally = row.tally(area)
    sign = {True: " ✓", False: " ✗", None: ""}[row.passed(area)]
    return [
        row.shown(tally.verified) + sign,
        row.shown(tally.reported),
        row.shown(tally.ceiling),
        row.shown_alone(tally.unknown),
    ]


def _counts(row: Row, area: str) -> list[str]:
    tally = row.tally(area)
    return [*(str(tally.counts[verdict]) for verdict in Verdict), str(tally.all)]


def parts(figure: Figure, plan: Plan, found: Sequence[Row], context: Context) -> list[Tree]:
    """A part a district, or the one of the district or school that the report is of."""
    districts = [area for area in figure.areas if area.level == "district"]
    return [_part(figure, plan, found, area, context) for area in districts or figure.areas[:1]]


def _part(figure: Figure, plan: Plan, found: Sequence[Row], area: Area, context: Context) -> Tree:
    whole = bool(context.selection.code)
    tables = [_own(found, area), *deeds(plan, found, area, whole=whole)]
    if context.selection.school:
        tables.append(_units(figure, found))
    return {
        "title": area.name,
        "responsible": say("责任单位：", "Responsible: ") + responsible(figure, area),
        "lines": list(sentences.todo(plan, area.code)),
        "note": "" if whole else say(
            "每组先列最接近达标的学校；全部班级见 xlsx 与 html，或用 --area 单出本区县。",
            "Each group names the schools nearest to their target first; all classes are in xlsx "
            "and html, or in the report of --area.",
        ),
        "tables": tables,
    }  # fmt: skip


def deeds(plan: Plan, found: Sequence[Row], area: Area, *, whole: bool) -> list[Tree]:
    """What an area has to do, and its lines to look at; `whole`: with every school and class."""
    mine = [row for row in plan.actions if area.code in (row.district, row.school)]
    grouped = todo.groups(mine, found)
    district = area.district if area.level == "school" else area.code
    lists = todo.line_lists(plan, district)
    return [
        *([_groups(grouped, whole=whole)] if grouped else []),
        *(_lines(lines, whole=whole) for lines in lists),
    ]


def _own(found: Sequence[Row], area: Area) -> Tree:
    """The area's indicators, a row each."""
    head = [say("指标", "Indicator"), share("target"), *(share(code) for code in _SHARES)]
    head += [str(SHORT[verdict]) for verdict in Verdict] + [say("全部", "All")]
    rows = [
        [row.name, row.shown(row.goal), *_shares(row, area.code), *_counts(row, area.code)]
        for row in found
    ]
    return _table("", head, rows, "1 " + "auto " * (len(head) - 1), "l" + "r" * (len(head) - 1))


def _groups(grouped: Sequence[todo.Group], *, whole: bool) -> Tree:
    """A row a group; `rest` has the schools that a row of the city's report does not name."""
    most, classes = (_ALL, _ALL) if whole else (_SCHOOLS, _CLASSES)
    comma = say("、", ", ")
    rows, rest = [], []
    for group in grouped:
        named = list(group.schools(classes, numbers=whole))
        text, more = comma.join(named[:most]), len(named) - most
        if more > 0:
            text += say(f"，另有 {more} 所", f", and {more} more schools")
        rows.append([group.column, group.why, group.todo, str(group.count), text])
        rest.append(comma.join(named[most:]))
    head = [
        say("指标", "Indicator"), say("原因", "Reason"), say("怎么做", "What to do"),
        say("数量", "Count"), say("学校（班级）", "Schools (classes)"),
    ]  # fmt: skip
    title = say("要做的事，最省事的在前", "What to do, the cheapest first")
    return _table(title, head, rows, "0.95 1.25 1.7 auto 5", "lllrl") | {"rest": rest}


def _lines(lines: todo.LineList, *, whole: bool) -> Tree:
    shown = lines.rows[: _ALL if whole else _MOST_LINES]
    rows = [list(row) for row in shown]
    if len(lines.rows) > len(shown):
        more = len(lines.rows) - len(shown)
        rows.append([say(f"另有 {more} 条", f"and {more} more"), "", ""])
    head = [say("学校", "School"), say("线路名", "Line"), "Mbit/s"]
    return _table(f"{lines.title} · {len(lines.rows)}", head, rows, "2 1 4", "lll")


def _units(figure: Figure, found: Sequence[Row]) -> Tree:
    """Every unit of the only school, with what its verdict rests on."""
    names = {row.indicator: row.short for row in found}
    rows = [
        [
            names[unit.indicator],
            unit.name,
            str(VERDICTS[unit.verdict]),
            say("；", "; ").join(said(step) for step in view.reasons(unit)),
        ]
        for unit in figure.units
    ]
    head = [
        say("指标", "Indicator"),
        say("单位", "Unit"),
        say("结论", "Verdict"),
        say("依据", "Why"),
    ]
    title = say("逐项结论与依据", "Every verdict, and what it rests on")
    return _table(title, head, rows, "0.8 1.2 0.9 5", "llll")


def doubts(figure: Figure, *, whole: bool) -> list[Tree]:
    """The schools with signs of doubt, a row a sign; none without any. `whole`: all of them."""
    found = [list(map(str, row)) for row in doubts_of.table(figure).rows()]
    if not found:
        return []
    shown = found if whole else found[:_MOST_DOUBTS]
    rows = [[*row[:1], f"{row[2]} {row[1]}", *row[3:]] for row in shown]
    if len(found) > len(shown):
        more = len(found) - len(shown)
        rows.append(["", say(f"另有 {more} 条，见 xlsx", f"{more} more: see xlsx"), "", ""])
    head = [
        say("责任单位", "Responsible"),
        say("学校", "School"),
        say("疑点", "Sign of doubt"),
        say("数量", "Count"),
    ]
    title = say("有疑点的学校", "Schools with signs of doubt")
    return [_table(title, head, rows, "1 2 3 auto", "lllr")]


def trend(found: Trend) -> list[Tree]:
    """The years and the months of the report's area."""
    tables = []
    if found.years:
        rows = [
            [str(year.year), str(year.cutoff), *_headlines(year.rows, found.area), year.state]
            for year in found.years
        ]
        head = [say("年度", "Year"), say("截止日", "Cut-off")]
        head += [row.short for row in found.years[-1].rows] + [say("冻结", "Frozen")]
        tables.append(_trend_table(say("各年度", "By year"), head, rows))
        tables += _by_district(found) if found.districts else []
    if found.months:
        rows = [
            [f"{month.day:%Y-%m}", str(month.day), *_headlines(month.rows, found.area)]
            for month in found.months
        ]
        head = [say("月份", "Month"), say("取自", "Of")]
        head += [row.short for row in found.months[-1].rows]
        tables.append(_trend_table(say("本年各月", "This year by month"), head, rows))
    return tables


def _by_district(found: Trend) -> list[Tree]:
    """A table an indicator: the districts below each other, the years side by side."""
    years = found.years[-_MOST_YEARS:]
    head = [say("区县", "District"), *(str(year.year) for year in years)]
    return [
        _table(
            say(f"各区县{share('verified_share')}：", "Districts, verified: ") + row.name,
            head,
            [
                [area.name, *_headlines([year.rows[place] for year in years], area.code)]
                for area in found.districts
            ],
            "1.2" + " 1" * len(years),
            "l" + "r" * len(years),
        )
        for place, row in enumerate(years[-1].rows)
    ]


def _trend_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Tree:
    count = len(head)
    widths = "auto auto" + " 1" * (count - 3) + " 1.6"  # the last one names what is frozen
    return _table(title, head, rows, widths, "l" * count)


def _headlines(rows: Sequence[Row], area: str) -> list[str]:
    """核实率, and in brackets the units it is made of."""
    cells = []
    for row in rows:
        tally = row.tally(area)
        good = tally.counts[Verdict.VERIFIED] + tally.counts[Verdict.INSPECTED]
        counts = f" ({good}/{tally.all})" if tally.all else ""
        cells.append(row.shown(tally.verified) + counts)
    return cells
