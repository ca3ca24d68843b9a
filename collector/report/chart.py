"""Bars as inline SVG: verified solid, declared hatched, the ceiling outlined, the target marked.

Told apart by texture and line, not by colour alone. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup, escape

from agent.common.language import say
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance.model import Figure, Indicator, Tally
from collector.compliance.shares import shown
from collector.compliance.targets import goal, name, remark, target

_LEFT, _WIDTH, _RIGHT = 14.0, 540.0, 136.0
_ROW, _BAR, _TOP = 74.0, 24.0, 30.0

#: Referred to by every bar of the page.
PATTERN = Markup(
    '<svg width="0" height="0" aria-hidden="true" class="defs"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="5" height="5" class="paper"/>'
    '<rect width="2" height="5" class="ink"/></pattern></defs></svg>'
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One indicator's shares in an area; all None where there are no units."""

    name: str
    goal: Fraction | None
    note: str
    tally: Tally


def bars(figure: Figure, area: str) -> list[Bar]:
    """The indicators of an area."""
    return [_bar(figure, area, indicator) for indicator in figure.indicators]


def _bar(figure: Figure, area: str, indicator: Indicator) -> Bar:
    row = target(figure, indicator)
    note = remark(row, figure.year)
    return Bar(name(figure, indicator), goal(row), note, figure.tallies[area, indicator])


def chart(rows: Sequence[Bar]) -> Markup:
    """The bars one below the other, over one scale from 0 to 100%."""
    height = _TOP + _ROW * len(rows) + 24
    label = "; ".join(f"{row.name} {shown(row.tally.verified, row.goal)}" for row in rows)
    parts = [
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _number(_LEFT + _WIDTH + _RIGHT), _number(height), label
        ),
        _legend(rows),
        *(_row(row, _TOP + _ROW * place) for place, row in enumerate(rows)),
        _scale(_TOP + 12, _TOP + _ROW * len(rows) - 6),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def small(tally: Tally, goal: Fraction | None) -> Markup:
    """One bar for a table's cell."""
    head = Markup('<svg class="small" viewBox="-1 -1 102 12" aria-hidden="true">')
    return head + _shares(tally, 0, 0, 100, 10) + _goal(goal, 0, -1, 100, 12) + Markup("</svg>")


def _row(row: Bar, top: float) -> Markup:
    y = top + 28
    side = _LEFT + _WIDTH + 14
    goal = row.goal
    shares = (
        ("big", -1, SHORT_SHARES["verified_share"], row.tally.verified),
        ("fine", 15, SHORT_SHARES["reported_share"], row.tally.reported),
        ("fine", 30, SHORT_SHARES["ceiling_share"], row.tally.ceiling),
    )
    return Markup("").join(
        [
            _text(_LEFT, top + 20, row.name, "name"),
            _shares(row.tally, _LEFT, y, _WIDTH, _BAR),
            _goal(goal, _LEFT, y - 5, _WIDTH, _BAR + 10),
            _goal_label(goal, y),
            *(
                _text(side, y + down, f"{words} {shown(share, goal)}", kind)
                for kind, down, words, share in shares
            ),
        ]
    )


def _shares(tally: Tally, x: float, y: float, width: float, height: float) -> Markup:
    """The three shares, the ceiling as the frame of all."""
    if tally.verified is None or tally.reported is None or tally.ceiling is None:
        return _rect("track", x, y, width, height)
    verified, reported, ceiling = (
        float(share) * width for share in (tally.verified, tally.reported, tally.ceiling)
    )
    return Markup("").join(
        [
            _rect("track", x, y, width, height),
            _rect("hatched", x + verified, y, reported - verified, height),
            _rect("solid", x, y, verified, height),
            _rect("ceiling", x, y, ceiling, height),
        ]
    )


def _goal(goal: Fraction | None, x: float, y: float, width: float, height: float) -> Markup:
    """The target's mark; nothing where there is no target."""
    if goal is None:
        return Markup("")
    at = _number(x + float(goal) * width)
    return Markup('<line class="goal" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
        at, _number(y), _number(y + height)
    )


def _goal_label(goal: Fraction | None, y: float) -> Markup:
    if goal is None:
        return Markup("")
    at = _LEFT + float(goal) * _WIDTH
    text = f"{SHORT_SHARES['target']} {shown(goal)}"
    tip = Markup('<path class="tip" d="M{} {}l-5 -7h10z"/>').format(_number(at), _number(y - 5))
    return tip + _text(at - 8, y - 7, text, "target")


def _scale(top: float, bottom: float) -> Markup:
    marks = []
    for percent in range(0, 101, 20):
        x = _LEFT + _WIDTH * percent / 100
        marks.append(_text(x, bottom + 20, f"{percent}%", "tick"))
    return Markup("").join(marks)


def _legend(rows: Sequence[Bar]) -> Markup:
    items = (
        ("solid", _either("verified", "inspected"), 158.0),
        ("hatched", str(VERDICTS["declared"]), 84.0),
        ("ceiling", _ceiling(), 176.0),
    )
    x, parts = _LEFT, []
    for kind, text, step in items:
        parts.append(_rect(kind, x, 6, 18, 11))
        parts.append(_text(x + 24, 16, text, "fine"))
        x += step + 24
    parts.append(Markup('<line class="goal" x1="{0}" x2="{0}" y1="4" y2="19"/>').format(x + 4))
    note = next((row.note for row in rows if row.note and row.goal is not None), "")
    parts.append(_text(x + 12, 16, note or str(SHORT_SHARES["target"]), "fine"))
    return Markup("").join(parts)


def _either(*verdicts: str) -> str:
    return say("或", " or ").join(str(VERDICTS[verdict]) for verdict in verdicts)


def _ceiling() -> str:
    ceiling, unknown = SHORT_SHARES["ceiling_share"], VERDICTS["unknown"]
    return say(
        f"{ceiling.zh}（{unknown.zh}全算达标）", f"{ceiling.en}: {unknown.en} counted as good"
    )


def _rect(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, _number(x), _number(y), _number(width), _number(height)
    )


def _text(x: float, y: float, text: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        kind, _number(x), _number(y), escape(text)
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
