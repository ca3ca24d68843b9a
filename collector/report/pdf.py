"""report.pdf: A4 with page numbers, each page with its district, first what to do about it.

Set by typst. A city of 600 schools, the same text by each, on one core: typst 0.6 s and 122 MB,
fpdf2 6 s and 159 MB (12,000 rows: 5 s against 56), WeasyPrint 15 s and 248 MB (193 s, 1,182 MB, and
Pango of the system), ReportLab cannot read the outlines of fonts-noto-cjk at all. Its wheel brings
all it needs (81 MB), and draws the png too. The lists name what to act on, grouped by what is
missing; every class stands in xlsx and html.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import typst

from agent.common.language import chosen, say
from agent.common.printable import tree as clean
from agent.version import VERSION
from collector.compliance.model import Figure
from collector.report import chart, fonts, page_tables, svg, trend_chart, view
from collector.report.actions import plan
from collector.report.caveats import sentences as caveats
from collector.report.context import Context
from collector.report.method_text import sentences as method
from collector.report.rows import Row, rows
from collector.report.sentences import todo, units
from collector.report.text import SHORT_ROOT, dated, signature, title, warning
from collector.report.trend import Trend, trend
from collector.report.view import Tree


def render(figure: Figure, context: Context) -> bytes:
    """The whole document, the same bytes for the same figure, context, language and font.

    Raises:
        FontError: this machine has no Chinese font, or not the one that the settings name.
    """
    font = fonts.find(context.font)
    tree = json.dumps(clean(_tree(figure, context, font.family)), ensure_ascii=False)
    page = typst.compile(
        _template(),
        format="pdf",
        font_paths=font.fonts,
        sys_inputs={"report": font.without_boxes(tree)},
    )
    assert isinstance(page, bytes)
    return page


def _tree(figure: Figure, context: Context, family: str) -> Tree:
    found, doing, area = rows(figure), plan(figure), figure.areas[0]
    mark = view.watermark(figure)
    return {
        "font": family,
        "lang": chosen(),
        "title": title(figure),
        "author": context.signature.unit or area.name,
        "area": area.name,
        "sub": dated(figure),
        "mark": mark,
        "mark_size": 80 if chosen() == "zh" else 44,
        "banner": warning(mark),
        "foot": _foot(context),
        "pages": say("第 {page} 页 共 {all} 页", "page {page} of {all}"),
        "cards": [_card(row, area.code) for row in found],
        "first": {"title": say("先做什么", "What to do first"), "lines": list(todo(doing))},
        "chart": _chart(found, area.code, family),
        "alt": svg.description(figure),
        "sign": _sign(context),
        "areas_title": say("全市与各区县", "City and districts"),
        "areas": page_tables.areas(figure, found),
        "parts": page_tables.parts(figure, doing, found, context),
        "rest_title": say("：说明与办法", ": notes and method"),
        "caveats": _notes(figure),
        "trend": _trend(trend(figure, context), family),
        "method": {"title": say("办法摘要", "The method in short"), "lines": list(method(figure))},
    }


def _notes(figure: Figure) -> Tree:
    """What must be read with the figure; of a district or school with every sign of doubt."""
    return {
        "title": say("数据说明", "Notes on the data"),
        "lines": list(caveats(figure)),
        "tables": page_tables.doubts(figure, whole=figure.areas[0].level != "city"),
    }


def _foot(context: Context) -> str:
    *_, (asked, root) = signature(context)
    short = f"{root[:SHORT_ROOT]}…" if context.root else root
    return f"SchoolPulse {VERSION} · {asked} {short}"


def _card(row: Row, area: str) -> Tree:
    tally = row.tally(area)
    return {
        "name": row.name,
        "verified": row.shown(tally.verified),
        "label": page_tables.share("verified_share"),
        "goal": row.goal_line(area),
        "more": [
            (page_tables.share("reported_share"), row.shown(tally.reported)),
            (page_tables.share("ceiling_share"), row.shown(tally.ceiling)),
            (page_tables.share("unknown_share"), row.shown_alone(tally.unknown)),
            (say("单位数", "units"), units(row.indicator, tally.all)),
        ],
    }


def _chart(found: list[Row], area: str, family: str) -> str:
    return svg.standalone(chart.bars(found, area), chart.height(found), (family,))


def _sign(context: Context) -> Tree:
    """Asked and known by turns; the root hash, too long for a cell, by itself."""
    *fields, (asked, root) = signature(context)
    return {"cells": [text for pair in fields for text in pair], "root": [asked, root]}


def _trend(found: Trend, family: str) -> Tree | None:
    if not found:
        return None
    drawn = [
        svg.standalone(marks, height, (family,)) for marks, height in trend_chart.pieces(found)
    ]
    return {
        "title": say("趋势", "Trend"),
        "charts": drawn,
        "tables": page_tables.trend(found),
        "remarks": " ".join(found.remarks),
    }


@cache
def _template() -> bytes:
    return (Path(__file__).parent / "report.typ").read_bytes()
