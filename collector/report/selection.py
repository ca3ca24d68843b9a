"""A figure restricted to one district or one school: the same verdicts of fewer units. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.compliance.computer_room import with_few_seats
from collector.compliance.figure import DIRECT, exists_on
from collector.compliance.model import Area, Figure, JudgedLine, Unit
from collector.report.context import Selection
from collector.roster.register import Register


def narrowed(figure: Figure, selection: Selection) -> Figure:
    """The figure of the selection's area, which becomes `areas[0]`; the whole one without any.

    Raises:
        RefusedError: the figure has no such district or school.
    """
    if not selection.code:
        return figure
    areas = _school(figure, selection.school) if selection.school else _district(figure, selection)
    schools = {area.code for area in areas if area.level == "school"}
    lines = [line for line in figure.lines if line.school in schools]
    units = [unit for unit in figure.units if unit.school in schools]
    return dataclasses.replace(
        figure,
        areas=areas,
        units=units,
        lines=lines,
        notes=_notes(figure.register, lines, units),
        apart=_apart(figure, schools),
        doubts={code: found for code, found in figure.doubts.items() if code in schools},
    )


def resolved(figure: Figure, area: str, school: str) -> Selection:
    """The selection that was asked for; a district by its code, its name, or the city's code.

    Raises:
        RefusedError: there is no such district or school.
    """
    if school:
        _school(figure, school)
        return Selection(school=school)
    if not area:
        return Selection()
    if area == figure.areas[0].code:
        area = DIRECT
    for row in figure.areas:
        if row.level == "district" and area in (row.code, row.name):
            return Selection(area=row.code)
    districts = (row for row in figure.areas if row.level == "district")
    known = say("、", ", ").join(f"{row.code} {row.name}" for row in districts)
    raise RefusedError(
        say(f"没有区县 {area}；可用：{known}", f"no district {area}; there are: {known}")
    )


def _school(figure: Figure, code: str) -> Sequence[Area]:
    found = [area for area in figure.areas if area.level == "school" and area.code == code]
    if not found:
        raise RefusedError(
            say(
                f"台账在 {figure.cutoff} 没有学校 {code}；用 schoolpulse roster export 查看",
                f"the register has no school {code} on {figure.cutoff}; "
                "see schoolpulse roster export",
            )
        )
    return found


def _district(figure: Figure, selection: Selection) -> Sequence[Area]:
    own = [a for a in figure.areas if a.level == "district" and a.code == selection.area]
    below = [a for a in figure.areas if a.level == "school" and a.district == selection.area]
    return [*own, *below]


def _notes(
    register: Register, lines: Sequence[JudgedLine], units: Sequence[Unit]
) -> Mapping[str, int]:
    """As of the whole figure, but for what only judging anew would tell."""
    codes = dict.fromkeys(unit.school for unit in units if unit.indicator == "computer_room")
    small = with_few_seats(register, (register.schools[code] for code in codes))
    return {
        "computer_rooms_few_seats": len(small),
        "lines": len(lines),
        "lines_measured": sum(bool(line.tests or line.lesson_tests) for line in lines),
        "lines_congested": sum(line.congested for line in lines),
        "lines_between": sum(line.between for line in lines),
    }


def _apart(figure: Figure, schools: set[str]) -> Mapping[str, int]:
    register, settings = figure.register, figure.settings
    return Counter(
        row.type
        for row in register.schools.values()
        if row.code in schools and exists_on(row, figure.cutoff) and row.type not in settings.types
    )
