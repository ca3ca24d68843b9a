"""Signs of doubt in words: the sentence beside a figure, a school's list, and the table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.common.language import counted, say
from agent.common.vocabulary.doubts import SIGNS
from agent.common.vocabulary.words import Words, word
from collector.compliance.doubts import totals
from collector.compliance.model import Figure
from collector.report.actions import responsible
from collector.report.tables import SCHOOL, Cell, Table, column


def sentences(figure: Figure) -> Iterator[str]:
    """One sentence with every sign of the figure's schools; none without a sign."""
    found = totals(figure.doubts)
    if found:
        parts = (_total(sign, *numbers) for sign, numbers in found.items())
        listed, schools = say("；", "; ").join(parts), len(figure.doubts)
        yield say(
            f"疑点（不改变结论，应到校核对）涉及学校 {schools} 所：{listed}",
            f"Signs of doubt (they change no verdict; visit the school) at "
            f"{counted(schools, 'school')}: "
            f"{listed}",
        )


def _total(sign: str, number: int, schools: int) -> str:
    name = word(SIGNS, sign)
    return say(f"{name} {number}（{schools} 所）", f"{name}: {number} (schools: {schools})")


def of_school(figure: Figure, code: str) -> Iterator[str]:
    """A school's signs, one a line under a heading; nothing without any."""
    found = figure.doubts.get(code, {})
    if found:
        yield say("【疑点】不改变结论，应到校核对", "[Signs of doubt] change no verdict; visit it")
        yield from (
            say(f"  · {word(SIGNS, sign)}：{number}", f"  · {word(SIGNS, sign)}: {number}")
            for sign, number in found.items()
        )


def table(figure: Figure) -> Table:
    """One row a school and sign."""
    columns = (
        *SCHOOL,
        column("疑点", "sign of doubt", "long", 60),
        column("数量", "number", "count", 8),
    )
    return Table("doubts", Words("疑点", "Doubts"), columns, lambda: _rows(figure))


def _rows(figure: Figure) -> Iterator[Sequence[Cell]]:
    for area in figure.areas:
        for sign, number in figure.doubts.get(area.code, {}).items():
            place = responsible(figure, area), area.code, area.name
            yield (*place, word(SIGNS, sign), number)
