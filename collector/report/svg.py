"""report.svg: the figure as bars, and below them the trend; one picture that needs nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from markupsafe import Markup

from agent.common.language import say
from collector.compliance.model import Figure
from collector.report import chart, trend_chart, view
from collector.report.context import Context
from collector.report.drawing import FAMILIES, PATTERN, number, text
from collector.report.rows import rows
from collector.report.trend import trend

_HEAD, _FOOT, _BETWEEN = 56.0, 24.0, 44.0


def render(figure: Figure, context: Context) -> bytes:
    """The picture in UTF-8; text stays text, in whichever Chinese font its reader has."""
    return picture(figure, context, FAMILIES).encode()


def picture(figure: Figure, context: Context, families: tuple[str, ...]) -> str:
    """The whole picture as SVG, with the fonts named by which its text is set."""
    found, past = rows(figure), trend(figure, context)
    area = figure.areas[0]
    parts = [
        PATTERN,
        text(14, 26, _title(figure), "title"),
        text(14, 45, f"{say('截止日', 'Cut-off')} {figure.cutoff}", "fine"),
        _moved(_HEAD, chart.bars(found, area.code)),
    ]
    tall = _HEAD + chart.height(found)
    if past:
        parts.append(text(14, tall + 24, say("趋势", "Trend"), "title"))
        parts.append(_moved(tall + _BETWEEN, trend_chart.panels(past)))
        tall += _BETWEEN + trend_chart.height(past)
    parts += _watermarks(view.watermark(figure), tall)
    return _svg(tall + _FOOT, Markup("").join(parts), families)


def description(figure: Figure) -> str:
    """What the picture shows, for who cannot see it and for a search."""
    area = figure.areas[0].code
    shares = [f"{row.name} {row.shown(row.tally(area).verified)}" for row in rows(figure)]
    parts = [view.watermark(figure), _title(figure), *shares]
    return say("；", "; ").join(part for part in parts if part)


def standalone(marks: Markup, height: float, families: tuple[str, ...]) -> str:
    """Marks of `chart` or `trend_chart` as a picture of its own."""
    return _svg(height, PATTERN + marks, families)


def _title(figure: Figure) -> str:
    return figure.areas[0].name + say(
        f" {figure.year} 年度教育信息化达标情况", f": informatization compliance {figure.year}"
    )


def _moved(down: float, marks: Markup) -> Markup:
    return Markup('<g transform="translate(0 {})">{}</g>').format(number(down), marks)


def _watermarks(words: str, tall: float) -> list[Markup]:
    """Across every 400 units of the picture's height."""
    if not words:
        return []
    return [
        Markup('<g transform="translate({} {}) rotate(-24)">{}</g>').format(
            number(chart.WIDTH / 2), number(y), text(0, 0, words, "watermark")
        )
        for y in range(200, max(int(tall), 201), 360)
    ]


def _svg(height: float, marks: Markup, families: tuple[str, ...]) -> str:
    width, tall = number(chart.WIDTH), number(height)
    named = ", ".join(f"'{name}'" for name in families)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width} {tall}" '
        f'width="{width}" height="{tall}">\n<style>\n{_css()}'
        f"text {{ font-family: {named}, sans-serif; }}\n</style>\n"
    )
    return f'{head}<rect width="100%" height="100%" fill="#fff"/>{marks}</svg>\n'


@cache
def _css() -> str:
    return (Path(__file__).parent / "chart.css").read_text(encoding="utf-8")
