"""The register: schools, classes, rooms, lines, equipment, PCs, calendar and inspections."""

from __future__ import annotations

from collector.roster.register import (
    CalendarRow,
    Campus,
    Equipment,
    Inspection,
    Line,
    Machine,
    Register,
    Room,
    School,
    SchoolClass,
)

__all__ = [
    "CalendarRow",
    "Campus",
    "Equipment",
    "Inspection",
    "Line",
    "Machine",
    "Register",
    "Room",
    "School",
    "SchoolClass",
]
