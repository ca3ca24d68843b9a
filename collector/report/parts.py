"""The report in parts: one for each district, and for each school that must answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from collector.compliance.model import Area, Figure
from collector.report.actions import Gap, Plan, plan
from collector.report.context import Selection
from collector.report.selection import narrowed

#: What a folder must not be called, on Windows or elsewhere.
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]+$')


class Part(NamedTuple):
    """A district or a school: what is selected, and the folder its files go into."""

    selection: Selection
    folder: str
    figure: Figure


def parts(figure: Figure) -> Iterator[Part]:
    """Each district that has something to do, then its schools that have, in its folder."""
    answering = plan(figure)
    for area in figure.areas:
        if area.level == "district" and any(gap.open for gap in _gaps(answering, area)):
            selection = Selection(area=area.code)
            district = narrowed(figure, selection)
            yield Part(selection, _folder(area), district)
            yield from _schools(district, answering, area)


def _gaps(answering: Plan, area: Area) -> Iterator[Gap]:
    return (gap for gap in answering.gaps if gap.area.code == area.code)


def _schools(figure: Figure, answering: Plan, district: Area) -> Iterator[Part]:
    """From the district's figure: the city's would be read through for each of 600 schools."""
    for area in figure.areas:
        if area.level == "school" and area.code in answering.school_gaps:
            selection = Selection(school=area.code)
            yield Part(selection, _folder(district), narrowed(figure, selection))


def _folder(area: Area) -> str:
    return _UNFIT.sub("_", f"{area.code}-{area.name}")
