"""The schools of a list: their verdicts of the last judged day, and how they are heard of now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from agent.common.calendar import local_day, midnight_ns
from collector.compliance.figure import exists_on
from collector.roster.register import Register, School
from collector.schema import MEASUREMENTS
from collector.store import Store

_SEEN_DAYS = 30
_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS


class SchoolRow(NamedTuple):
    """A school in a list."""

    code: str
    name: str
    district: str
    type: str
    verdicts: Mapping[str, str]
    hearing: str  # code of HEARING
    last_day: dt.date | None
    pcs: int  # that reported in the last full hour or this one
    missing: int
    faults: int
    classes: int
    classes_verified: int
    p90: float | None  # of its slowest line, Mbit/s


def school_rows(
    store: Store,
    register: Register,
    today: dt.date,
    day: dt.date | None,
    now: dt.datetime,
    *,
    open_now: bool,
) -> list[SchoolRow]:
    """Every school that exists today, by code; `day` is the last one that was judged.

    Raises:
        StoreError: the store cannot be read.
    """
    judged = _day_rows(store, "school_day", day)
    hours = _hours(store, now)
    last = _last_seen(store, today)
    lines = _slowest(store, day)
    return [
        _row(register, school, judged.get(school.code, {}), hours.get(school.code, _NOTHING),
             last.get(school.code), lines.get(school.code), open_now=open_now)
        for school in sorted(register.schools.values(), key=lambda row: row.code)
        if exists_on(school, today)
    ]  # fmt: skip


class _Hours(NamedTuple):
    pcs: int
    missing: int
    faults: int


_NOTHING = _Hours(0, 0, 0)


def _row(
    register: Register,
    school: School,
    fields: Mapping[str, Any],
    hours: _Hours,
    last: dt.date | None,
    slowest: float | None,
    *,
    open_now: bool,
) -> SchoolRow:
    verdicts = {name: str(fields[name]) for name in _VERDICTS if name in fields}
    return SchoolRow(
        school.code, school.name, school.responsible, school.type, verdicts,
        _hearing(hours.pcs, last, open_now=open_now), last, hours.pcs, hours.missing,
        hours.faults, int(fields.get("classes", 0)), int(fields.get("classes_verified", 0)),
        slowest,
    )  # fmt: skip


#: A field for each indicator that the schema knows, whichever the settings have.
_VERDICTS = tuple(
    field.name for field in MEASUREMENTS["school_day"].fields.values() if field.codes == "VERDICTS"
)


def _hearing(pcs: int, last: dt.date | None, *, open_now: bool) -> str:
    if pcs:
        return "reporting"
    if last is None:
        return "never"
    return "silent" if open_now else "closed"


def _day_rows(store: Store, name: str, day: dt.date | None) -> dict[str, Mapping[str, Any]]:
    """A day's rows of a measurement with one series a school, by school."""
    if day is None:
        return {}
    start = midnight_ns(day)
    fields = ("classes", "classes_verified", *_VERDICTS)
    found = store.read(name, start, start + 1, None, fields)
    return {point.tags["school"]: point.fields for point in found}


def _hours(store: Store, now: dt.datetime) -> dict[str, _Hours]:
    """This hour and the one before, the higher number of both."""
    stop = int(now.timestamp()) * 10**9
    start = stop - stop % _HOUR_NS - _HOUR_NS
    found: dict[str, _Hours] = {}
    for _, school, _, *numbers in store.rows(
        "school_hour", start, stop, None, ("pcs", "missing", "faults")
    ):
        old = found.get(school, _NOTHING)
        found[school] = _Hours(*(max(a, b or 0) for a, b in zip(old, numbers, strict=True)))
    return found


def _last_seen(store: Store, today: dt.date) -> dict[str, dt.date]:
    """The last day on which each school's PCs reported."""
    stop = midnight_ns(today) + _DAY_NS
    found: dict[str, dt.date] = {}
    for time, school, _, pcs in store.rows(
        "school_day", stop - _SEEN_DAYS * _DAY_NS, stop, None, ("pcs",)
    ):
        if pcs:
            found[school] = local_day(time // 10**9)
    return found


def _slowest(store: Store, day: dt.date | None) -> dict[str, float]:
    if day is None:
        return {}
    start, found = midnight_ns(day), dict[str, float]()
    for _, school, _, _, p90 in store.rows("line_day", start, start + 1, None, ("p90_mbps",)):
        if p90 is not None:
            found[school] = min(p90, found.get(school, p90))
    return found
