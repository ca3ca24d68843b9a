"""The trend drawn: a bar a frozen year on the left, the months of this one on the right. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from markupsafe import Markup

from agent.common.language import say
from agent.common.vocabulary.indicators import SHORT_SHARES
from collector.compliance.model import Tally
from collector.report.chart import WIDTH
from collector.report.drawing import circle, line, mark, number, path, rect, shares, text
from collector.report.rows import Row
from collector.report.trend import Trend

_LEFT, _YEAR, _BARS, _STEP, _BAR = 14.0, 44.0, 170.0, 22.0, 13.0
_MONTHS_LEFT, _MONTHS_RIGHT, _PLOT, _HEAD, _GAP = 370.0, 676.0, 96.0, 40.0, 34.0
_MOST_YEARS = 6
_LEGEND = 24.0


def height(trend: Trend) -> float:
    """Of `chart`, in its own units."""
    return _LEGEND + len(_indicators(trend)) * _panel_height(trend)


def chart(trend: Trend) -> Markup:
    """A panel an indicator, one below the other."""
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        number(WIDTH), number(height(trend)), say("趋势", "Trend")
    )
    return head + panels(trend) + Markup("</svg>")


def panels(trend: Trend) -> Markup:
    """The marks of `chart` alone."""
    tall = _panel_height(trend)
    tops = [_LEGEND + nth * tall for nth in range(len(_indicators(trend)))]
    found = (_panel(trend, nth, top) for nth, top in enumerate(tops))
    return Markup("").join([_legend(trend), *found])


def pieces(trend: Trend) -> list[tuple[Markup, float]]:
    """The same in pieces that may stand on several pages: each one's marks and height.

    The first has the legend.
    """
    first, *others = range(len(_indicators(trend)))
    tall = _panel_height(trend)
    head = _legend(trend) + _panel(trend, first, _LEGEND)
    return [(head, _LEGEND + tall), *((_panel(trend, nth, 0.0), tall) for nth in others)]


def _indicators(trend: Trend) -> Sequence[Row]:
    return (trend.months or trend.years)[-1].rows


def _panel_height(trend: Trend) -> float:
    years = len(trend.years[-_MOST_YEARS:]) * _STEP
    return _HEAD + max(years, _PLOT if trend.months else 0) + _GAP


def _panel(trend: Trend, nth: int, top: float) -> Markup:
    name = text(_LEFT, top + 16, _indicators(trend)[nth].name, "name")
    return name + _years(trend, nth, top + _HEAD) + _months(trend, nth, top + _HEAD)


def _legend(trend: Trend) -> Markup:
    """The curves of the months; the bars are explained with the figure's own."""
    if not trend.months:
        return Markup("")
    parts, x = [], _MONTHS_LEFT
    for kind, share in (
        ("curve", "verified_share"),
        ("floor", "reported_share"),
        ("roof", "ceiling_share"),
        ("goal-line", "target"),
    ):
        words = str(SHORT_SHARES[share])
        parts += [line(kind, x, 10, x + 20, 10), text(x + 25, 14, words, "fine")]
        x += 78
    return Markup("").join(parts)


def _years(trend: Trend, nth: int, top: float) -> Markup:
    """The newest years, oldest above; older ones stand in the table only."""
    parts = []
    for place, year in enumerate(trend.years[-_MOST_YEARS:]):
        row, y = year.rows[nth], top + place * _STEP
        tally = row.tally(trend.area)
        parts += [
            text(_LEFT, y + 11, str(year.year), "fine"),
            shares(tally, _LEFT + _YEAR, y, _BARS, _BAR),
            mark(row.goal, _LEFT + _YEAR, y - 2, _BARS, _BAR + 4),
            text(_LEFT + _YEAR + _BARS + 10, y + 11, row.shown(tally.verified), "name"),
        ]
    return Markup("").join(parts)


def _months(trend: Trend, nth: int, top: float) -> Markup:
    if not trend.months:
        return Markup("")
    row = trend.months[-1].rows[nth]
    return Markup("").join(
        [
            rect("track", _MONTHS_LEFT, top, _MONTHS_RIGHT - _MONTHS_LEFT, _PLOT),
            *(_level(percent, top) for percent in (0, 50, 100)),
            _goal(row.goal, top),
            *(_curve(trend, nth, top, kind, of) for kind, of in _CURVES),
            _dots(trend, nth, top),
            *(
                text(_x(month), top + _PLOT + 14, say(f"{month} 月", str(month)), "tick")
                for month in range(1, 13)
            ),
        ]
    )


_CURVES: Sequence[tuple[str, Callable[[Tally], Fraction | None]]] = (
    ("roof", lambda tally: tally.ceiling),
    ("floor", lambda tally: tally.reported),
    ("curve", lambda tally: tally.verified),
)


def _x(month: int) -> float:
    return _MONTHS_LEFT + (month - 0.5) * (_MONTHS_RIGHT - _MONTHS_LEFT) / 12


def _y(share: Fraction, top: float) -> float:
    return top + _PLOT * (1 - float(share))


def _level(percent: int, top: float) -> Markup:
    y = _y(Fraction(percent, 100), top)
    return line("grid", _MONTHS_LEFT, y, _MONTHS_RIGHT, y) + text(
        _MONTHS_LEFT - 5, y + 3.5, f"{percent}%", "right"
    )


def _goal(goal: Fraction | None, top: float) -> Markup:
    if goal is None:
        return Markup("")
    return line("goal-line", _MONTHS_LEFT, _y(goal, top), _MONTHS_RIGHT, _y(goal, top))


def _curve(
    trend: Trend, nth: int, top: float, kind: str, of: Callable[[Tally], Fraction | None]
) -> Markup:
    """One share over the months that are there; a month without any is bridged."""
    known = [(row.day.month, of(row.rows[nth].tally(trend.area))) for row in trend.months]
    points = [(_x(month), _y(share, top)) for month, share in known if share is not None]
    return path(kind, points) if len(points) > 1 else Markup("")


def _dots(trend: Trend, nth: int, top: float) -> Markup:
    """Each month's headline, the first and the last with its number."""
    parts = []
    for place, month in enumerate(trend.months):
        row: Row = month.rows[nth]
        share = row.tally(trend.area).verified
        if share is None:
            continue
        x, y = _x(month.day.month), _y(share, top)
        parts.append(circle("dot", x, y, 3))
        if place in (0, len(trend.months) - 1):
            parts.append(
                text(x, y - 6 if share < Fraction(4, 5) else y + 13, row.shown(share), "point")
            )
    return Markup("").join(parts)
