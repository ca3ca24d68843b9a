"""The figure as bars: verified solid, declared hatched, the ceiling outlined, the target marked.

Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup

from agent.common.language import say
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance.shares import shown
from collector.report.drawing import line, mark, number, rect, shares, text
from collector.report.rows import Row, noted

WIDTH = 690.0
_LEFT, _BAR_WIDTH = 14.0, 540.0
_ROW, _BAR, _TOP = 74.0, 24.0, 30.0


def height(rows: Sequence[Row]) -> float:
    """Of `chart`, in its own units."""
    return _TOP + _ROW * len(rows) + 24


def chart(rows: Sequence[Row], area: str) -> Markup:
    """The bars of an area one below the other, over one scale from 0 to 100%, as a page has it."""
    label = "; ".join(f"{row.name} {row.shown(row.tally(area).verified)}" for row in rows)
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        number(WIDTH), number(height(rows)), label
    )
    return head + bars(rows, area) + Markup("</svg>")


def bars(rows: Sequence[Row], area: str) -> Markup:
    """The marks of `chart` alone."""
    bottom = _TOP + _ROW * len(rows) - 6
    return Markup("").join(
        [
            legend(noted(rows)),
            *(_row(row, area, _TOP + _ROW * place) for place, row in enumerate(rows)),
            *(
                text(_LEFT + _BAR_WIDTH * percent / 100, bottom + 20, f"{percent}%", "tick")
                for percent in range(0, 101, 20)
            ),
        ]
    )


def legend(note: str) -> Markup:
    """What the textures mean; `note` says whose target the mark is."""
    items = (
        ("solid", _either("verified", "inspected"), 158.0),
        ("hatched", str(VERDICTS["declared"]), 84.0),
        ("ceiling", _ceiling(), 176.0),
    )
    x, parts = _LEFT, []
    for kind, words, step in items:
        parts.append(rect(kind, x, 6, 18, 11))
        parts.append(text(x + 24, 16, words, "fine"))
        x += step + 24
    parts.append(line("goal", x + 4, 4, x + 4, 19))
    parts.append(text(x + 12, 16, note or str(SHORT_SHARES["target"]), "fine"))
    return Markup("").join(parts)


def _row(row: Row, area: str, top: float) -> Markup:
    y = top + 28
    side = _LEFT + _BAR_WIDTH + 14
    tally = row.tally(area)
    labels = (
        ("big", -1, "verified_share", tally.verified),
        ("fine", 15, "reported_share", tally.reported),
        ("fine", 30, "ceiling_share", tally.ceiling),
    )
    return Markup("").join(
        [
            text(_LEFT, top + 20, row.name, "name"),
            shares(tally, _LEFT, y, _BAR_WIDTH, _BAR),
            mark(row.goal, _LEFT, y - 5, _BAR_WIDTH, _BAR + 10),
            _goal_label(row.goal, y),
            *(
                text(side, y + down, f"{SHORT_SHARES[share]} {row.shown(value)}", kind)
                for kind, down, share, value in labels
            ),
        ]
    )


def _goal_label(goal: Fraction | None, y: float) -> Markup:
    if goal is None:
        return Markup("")
    at = _LEFT + float(goal) * _BAR_WIDTH
    words = f"{SHORT_SHARES['target']} {shown(goal)}"
    tip = Markup('<path class="tip" d="M{} {}l-5 -7h10z"/>').format(number(at), number(y - 5))
    return tip + text(at - 8, y - 7, words, "target")


def _either(*verdicts: str) -> str:
    return say("或", " or ").join(str(VERDICTS[verdict]) for verdict in verdicts)


def _ceiling() -> str:
    ceiling, unknown = SHORT_SHARES["ceiling_share"], VERDICTS["unknown"]
    return say(
        f"{ceiling.zh}（{unknown.zh}全算达标）", f"{ceiling.en}: {unknown.en} counted as good"
    )
