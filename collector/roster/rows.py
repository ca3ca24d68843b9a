"""All rows of a register: what is imported, stored and written to sheets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields

from agent.common.calendar import Calendar, Hours
from collector.roster.areas import XINING
from collector.roster.register import (
    CalendarRow,
    Campus,
    Decision,
    Equipment,
    Inspection,
    Line,
    Machine,
    Register,
    Room,
    School,
    SchoolClass,
)


@dataclass(frozen=True)
class Rows:
    """The sheets of one register, in the order of their files, and the names of its areas."""

    schools: tuple[School, ...] = ()
    campuses: tuple[Campus, ...] = ()
    lines: tuple[Line, ...] = ()
    rooms: tuple[Room, ...] = ()
    classes: tuple[SchoolClass, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    machines: tuple[Machine, ...] = ()
    calendar: tuple[CalendarRow, ...] = ()
    areas: Mapping[str, str] = field(default_factory=lambda: dict(XINING))

    def counts(self) -> dict[str, int]:
        """Rows by sheet."""
        names = (item.name for item in fields(self) if item.name != "areas")
        return {name: len(getattr(self, name)) for name in names}

    def register(
        self,
        inspections: Sequence[Inspection] = (),
        hours: Hours | None = None,
        decisions: Sequence[Decision] = (),
    ) -> Register:
        """The register of these rows, with what is kept apart from the sheets."""
        return Register(
            schools={school.code: school for school in self.schools},
            campuses=self.campuses,
            lines=self.lines,
            rooms=self.rooms,
            classes=self.classes,
            equipment=self.equipment,
            machines=self.machines,
            inspections=tuple(inspections),
            calendar=calendar_of(self.calendar, hours or Hours()),
            areas=self.areas,
            decisions=tuple(decisions),
        )


def rows_of(register: Register) -> Rows:
    """The rows of a register that was not read from sheets, such as a simulated one."""
    calendar = register.calendar
    return Rows(
        schools=tuple(register.schools.values()),
        campuses=tuple(register.campuses),
        lines=tuple(register.lines),
        rooms=tuple(register.rooms),
        classes=tuple(register.classes),
        equipment=tuple(register.equipment),
        machines=tuple(register.machines),
        calendar=(
            *(CalendarRow(first, last, "term") for first, last in calendar.terms),
            *(CalendarRow(day, day, "holiday") for day in sorted(calendar.holidays)),
            *(CalendarRow(day, day, "makeup") for day in sorted(calendar.makeup)),
        ),
        areas=dict(register.areas),
    )


def calendar_of(rows: Sequence[CalendarRow], hours: Hours) -> Calendar:
    """The calendar of these rows; holidays and make-up days become single days."""
    return Calendar(
        terms=tuple((row.first, row.last) for row in rows if row.kind == "term"),
        holidays=frozenset(_days(rows, "holiday")),
        makeup=frozenset(_days(rows, "makeup")),
        hours=hours,
    )


def _days(rows: Sequence[CalendarRow], kind: str) -> Iterator[dt.date]:
    for row in rows:
        if row.kind == kind:
            for number in range((row.last - row.first).days + 1):
                yield row.first + dt.timedelta(days=number)
