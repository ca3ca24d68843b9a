"""report.html: one self-contained page, printable on A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from agent.common.language import chosen, say
from agent.common.printable import block
from agent.common.vocabulary import indicators, verdicts
from agent.version import VERSION
from collector.compliance.model import Area, Figure, Indicator, Unit, Verdict
from collector.report import (
    caveats,
    chart,
    method_text,
    page_tables,
    sentences,
    text,
    trend_chart,
    view,
)
from collector.report.actions import Plan, plan, responsible
from collector.report.context import Context
from collector.report.drawing import PATTERN, small
from collector.report.rows import Row, rows
from collector.report.trend import trend

_FOLDER = Path(__file__).parent
_STYLES = ("chart.css", "report.css")
#: Shown before the word, so that a verdict is read without colour.
SIGNS = {
    Verdict.VERIFIED: "●",
    Verdict.INSPECTED: "◆",
    Verdict.DECLARED: "○",
    Verdict.CONTRADICTED: "✕",
    Verdict.SHORT: "−",
    Verdict.UNKNOWN: "?",
}


def render(figure: Figure, context: Context) -> bytes:
    """The page in UTF-8; the same bytes for the same figure, context and language."""
    found, doing, past = rows(figure), plan(figure), trend(figure, context)
    area = figure.areas[0]
    page = _template().render(
        figure=figure,
        lang=chosen(),
        version=VERSION,
        mark=view.watermark(figure),
        warning=text.warning(view.watermark(figure)),
        title=text.title(figure),
        subtitle=text.dated(figure),
        city=area,
        responsible=responsible(figure, area),
        rows=found,
        first=list(sentences.todo(doing, area.code)),
        parts=_parts(figure, doing, found),
        areas=[area for area in figure.areas if area.level != "school"],
        chart=chart.chart(found, area.code),
        pattern=PATTERN,
        caveats=list(caveats.sentences(figure)),
        doubts=page_tables.doubts(figure, whole=True),
        signature=list(text.signature(context)),
        trend=past,
        trend_chart=trend_chart.chart(past) if past else "",
        trend_tables=page_tables.trend(past),
        method=list(method_text.sentences(figure)),
        districts=_districts(figure, doing),
    )
    return page.encode()


class _Part(NamedTuple):
    """What a district, or the only area of the report, has to do."""

    name: str
    lines: Sequence[str]
    tables: Sequence[view.Tree]


def _parts(figure: Figure, doing: Plan, found: Sequence[Row]) -> list[_Part]:
    districts = [area for area in figure.areas if area.level == "district"]
    parts = [
        _Part(
            area.name,
            list(sentences.todo(doing, area.code)),
            page_tables.deeds(doing, found, area, whole=not districts or len(districts) == 1),
        )
        for area in districts or figure.areas[:1]
    ]
    return [part for part in parts if part.tables]


class _School:
    """A school's row, and what the filters ask about it."""

    def __init__(self, school: view.SchoolView, *, open_: bool) -> None:
        self.area, self.simulated, self.open = school.area, school.simulated, open_
        self.one = school.one
        self._units = school.units

    def classes(self, indicator: Indicator) -> Mapping[Verdict, Sequence[Unit]]:
        """The classes by verdict, best known first."""
        found = {
            verdict: [unit for unit in self._units.get(indicator, ()) if unit.verdict is verdict]
            for verdict in Verdict
        }
        return {verdict: units for verdict, units in found.items() if units}

    def verdicts(self, indicator: Indicator) -> str:
        """The verdicts of its units, parted by spaces."""
        return " ".join(sorted({str(unit.verdict) for unit in self._units.get(indicator, ())}))


def _districts(figure: Figure, doing: Plan) -> list[tuple[Area, list[_School]]]:
    """The schools by district, in the figure's order; those of a school's own report by itself."""
    busy = {action.school for action in doing.actions}
    schools = [_School(row, open_=row.area.code in busy) for row in view.schools(figure)]
    districts = [area for area in figure.areas if area.level == "district"]
    if not districts:
        return [(figure.areas[0], schools)]
    found = [
        (area, [row for row in schools if row.area.district == area.code]) for area in districts
    ]
    return [(area, rows) for area, rows in found if rows]


def _clean(value: object) -> object:
    """Every value that the page shows goes through here; marks of ours are clean."""
    return block(value) if type(value) is str else value


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["said"] = page_tables.said
    environment.globals.update(
        t=say,
        small=small,
        units=sentences.units,
        reasons=view.reasons,
        said=page_tables.said,
        signs=SIGNS,
        verdicts=list(Verdict),
        verdict_name=verdicts.VERDICTS.__getitem__,
        short_name=verdicts.SHORT.__getitem__,
        share_name=indicators.SHORT_SHARES.__getitem__,
        css="".join((_FOLDER / name).read_text(encoding="utf-8") for name in _STYLES),
        script=(_FOLDER / "report.js").read_text(encoding="utf-8"),
    )
    return environment.from_string((_FOLDER / "report.html.j2").read_text(encoding="utf-8"))
