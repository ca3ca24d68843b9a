"""One school explained: every rule applied, and every number used."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from agent.common.command_line import RefusedError
from agent.common.language import chosen, say
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.targets import Target
from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance.model import Figure, Indicator, Step, Tally, Unit
from collector.compliance.shares import shown
from collector.compliance.targets import goal, name, remark, target
from collector.compliance.window import Window, Windows
from collector.report import doubts
from collector.report.json import line
from collector.report.view import Tree, document, unit, watermark


def text(figure: Figure, code: str) -> Iterator[str]:
    """Line by line, in the language in force.

    Raises:
        RefusedError: the figure has no such school.
    """
    units = _units(figure, code)
    school = figure.register.schools[code]
    mark = watermark(figure)
    if mark:
        yield f"▒▒▒ {mark} ▒▒▒"
    yield f"{school.name} {code}"
    window = _window(figure, code)
    yield say(
        f"截止日 {figure.cutoff}；窗口 {window.first} 至 {window.last}，"
        f"其中开放日 {window.open_days} 天（最近 {figure.settings.open_days} 个开放日，"
        f"最多回溯 {figure.settings.calendar_days} 天）",
        f"Cut-off {figure.cutoff}; window {window.first} to {window.last} with "
        f"{window.open_days} open days (the last {figure.settings.open_days} open days, "
        f"at most {figure.settings.calendar_days} days back)",
    )
    for indicator in figure.indicators:
        yield ""
        yield from _indicator(
            figure, code, indicator, [u for u in units if u.indicator == indicator]
        )
    if figure.doubts.get(code):
        yield ""
        yield from doubts.of_school(figure, code)
    if mark:
        yield f"▒▒▒ {mark} ▒▒▒"


def as_json(figure: Figure, code: str) -> Tree:
    """The same for machines: the school's area, units with steps and numbers, and lines.

    Raises:
        RefusedError: the figure has no such school.
    """
    units = _units(figure, code)
    tree = document(figure)
    areas = tree["areas"]
    assert isinstance(areas, list)
    return {
        **tree,
        "areas": [area for area in areas if area["code"] == code],
        "window": msgspec.to_builtins(_window(figure, code)),
        "doubts": {code: dict(figure.doubts[code])} if code in figure.doubts else {},
        "units": [unit(row) for row in units],
        "lines": [line(row) for row in figure.lines if row.school == code],
    }


def _units(figure: Figure, code: str) -> list[Unit]:
    units = [row for row in figure.units if row.school == code]
    if units:
        return units
    school = figure.register.schools.get(code)
    if school is None:
        raise RefusedError(_no_school(figure, code))
    raise RefusedError(
        say(
            f"{school.name}（{school.type}）在 {figure.cutoff} 不计入指标",
            f"{school.name} ({school.type}) does not count on {figure.cutoff}",
        )
    )


def _no_school(figure: Figure, text: str) -> str:
    """The fix too: whoever writes a name is told the codes of the schools that have it."""
    named = [row.code for row in figure.register.schools.values() if row.name == text]
    codes = "、".join(named)
    return say(
        f"台账中没有学校 {text}；要写 10 位学校标识码" + (f"：{codes}" if named else ""),
        f"the register has no school {text}; write the 10-digit code"
        + (f": {', '.join(named)}" if named else ""),
    )


def _window(figure: Figure, code: str) -> Window:
    windows = Windows(figure.register.calendar, figure.settings)
    return windows.up_to(figure.cutoff, figure.register.schools[code].opened)


def _indicator(figure: Figure, code: str, indicator: Indicator, units: list[Unit]) -> Iterator[str]:
    row = target(figure, indicator)
    yield say(
        f"【{name(figure, indicator)}】{_goal(row, figure.year)}",
        f"[{name(figure, indicator)}] {_goal(row, figure.year)}",
    )
    yield "  " + _shares(figure.tallies[code, indicator], goal(row))
    for each in units:
        yield f"  · {each.name}: {VERDICTS[each.verdict]}" + (
            say("（模拟数据）", " (模拟数据 simulated)") if each.simulated else ""
        )
        yield from (f"      {_said(step)}" for step in each.steps)


def _goal(row: Target | None, year: int) -> str:
    note = remark(row, year)
    if row is None:
        return note
    return say(
        f"目标 {shown(row.value)}（{row.document}，{row.year} 年{'；' + note if note else ''}）",
        f"target {shown(row.value)} ({row.document}, {row.year}{'; ' + note if note else ''})",
    )


def _shares(tally: Tally, asked: Fraction | None) -> str:
    found = {
        "verified_share": shown(tally.verified, asked),
        "reported_share": shown(tally.reported, asked),
        "ceiling_share": shown(tally.ceiling, asked),
        "unknown_share": shown(tally.unknown),
    }
    text = say("，", ", ").join(f"{SHORT_SHARES[share]} {said}" for share, said in found.items())
    return text + say(f"；共 {tally.all}", f"; of {tally.all}")


def _said(step: Step) -> str:
    return step.zh if chosen() == "zh" else step.en
