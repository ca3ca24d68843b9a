"""report.html: one self-contained page, printable on A4."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from agent.common.language import chosen, say
from agent.common.vocabulary import indicators, verdicts
from agent.common.vocabulary.indicators import UNITS
from agent.common.vocabulary.schools import TYPES
from agent.common.vocabulary.words import word
from agent.version import VERSION
from collector.compliance.model import Figure, Step, Tally, Verdict
from collector.compliance.shares import shown
from collector.compliance.targets import documents, goal, name, passed, remark, short, target, unit
from collector.compliance.window import Windows
from collector.report import caveats, chart, view

_FOLDER = Path(__file__).parent
#: Shown before the word, so that a verdict is read without colour.
SIGNS = {
    Verdict.VERIFIED: "●",
    Verdict.INSPECTED: "◆",
    Verdict.DECLARED: "○",
    Verdict.CONTRADICTED: "✕",
    Verdict.SHORT: "−",
    Verdict.UNKNOWN: "?",
}


def render(figure: Figure) -> bytes:
    """The page in UTF-8; the same bytes for the same figure and language."""
    text = _template().render(
        figure=figure,
        lang=chosen(),
        version=VERSION,
        mark=view.watermark(figure),
        city=figure.areas[0],
        window=Windows(figure.register.calendar, figure.settings).up_to(figure.cutoff),
        rows=[_Row(figure, indicator) for indicator in figure.indicators],
        areas=[area for area in figure.areas if area.level != "school"],
        chart=chart.chart(chart.bars(figure, figure.areas[0].code)),
        pattern=chart.PATTERN,
        caveats=list(caveats.sentences(figure)),
        districts=_districts(figure),
        documents=documents(figure) + say("。", "."),
        compared=any(
            target(figure, name) and remark(target(figure, name), figure.year)
            for name in figure.indicators
        ),
        rules=figure.settings,
    )
    return text.encode()


class _Row:
    """An indicator as the template asks for it."""

    def __init__(self, figure: Figure, indicator: str) -> None:
        self._figure = figure
        self.indicator = indicator
        self.name = name(figure, indicator)
        self.short = short(figure, indicator)
        self.unit = UNITS[unit(indicator)]
        self.target = target(figure, self.indicator)
        self.goal = goal(self.target)
        self.remark = remark(self.target, figure.year)

    def tally(self, area: str) -> Tally:
        """An area's units by verdict."""
        return self._figure.tallies[area, self.indicator]

    def passed(self, area: str) -> bool | None:
        """Whether the area reaches the target, where that can be said."""
        return passed(self.tally(area).verified, self.target, self._figure.year)


def _districts(figure: Figure) -> list[tuple[str, list[view.SchoolView]]]:
    """The schools by district, in the figure's order."""
    schools = view.schools(figure)
    found = [
        (area.name, [row for row in schools if row.area.district == area.code])
        for area in figure.areas
        if area.level == "district"
    ]
    return [(title, rows) for title, rows in found if rows]


def said(step: Step) -> str:
    """A step in the language in force."""
    return step.zh if chosen() == "zh" else step.en


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["said"] = said
    environment.filters["school_type"] = lambda code: word(TYPES, code)
    environment.globals.update(
        t=say,
        shown=shown,
        small=chart.small,
        reasons=view.reasons,
        said=said,
        signs=SIGNS,
        verdicts=list(Verdict),
        verdict_name=verdicts.VERDICTS.__getitem__,
        short_name=verdicts.SHORT.__getitem__,
        share_name=indicators.SHORT_SHARES.__getitem__,
        css=(_FOLDER / "report.css").read_text(encoding="utf-8"),
    )
    return environment.from_string((_FOLDER / "report.html.j2").read_text(encoding="utf-8"))
