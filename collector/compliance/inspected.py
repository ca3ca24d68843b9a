"""On-site records: what each says about one unit at one threshold. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.verdicts import VERDICTS
from collector.compliance.model import Step
from collector.compliance.window import months_after
from collector.roster.register import Inspection

#: What records of the line were judged by before they named a threshold, in Mbit/s.
OLD_THRESHOLD = 10.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A record, and what it says: yes, no, or nothing (None)."""

    row: Inspection
    says: bool | None
    late: bool  # entered after the cut-off


def _order(row: Inspection) -> tuple[dt.date, str, bool, str]:
    """By day; of one day the same order whatever order they come in."""
    return row.day, row.id, row.found, row.inspector


def visits(
    inspections: Iterable[Inspection], cutoff: dt.date, threshold: float | None
) -> list[Visit]:
    """The records up to the cut-off, oldest first, void ones too.

    A line that met 100 meets 10, and one that did not meet 10 does not meet 100; the other way
    round a record says nothing. `threshold` is in Mbit/s, None for an indicator without one.
    """
    known = sorted((row for row in inspections if row.day <= cutoff), key=_order)
    return [Visit(row, _says(row, threshold), _late(row, cutoff)) for row in known]


def _says(row: Inspection, threshold: float | None) -> bool | None:
    if row.void:
        return None
    if threshold is None:
        return row.found
    asked = _threshold(row)
    follows = asked >= threshold if row.found else asked <= threshold
    return row.found if follows else None


def _threshold(row: Inspection) -> float:
    return OLD_THRESHOLD if row.threshold_mbps is None else row.threshold_mbps


def _late(row: Inspection, cutoff: dt.date) -> bool:
    """Whether it was entered on a later day than the cut-off, in the city."""
    return row.entered is not None and row.entered.astimezone(CITY_TIME).date() > cutoff


def step(visit: Visit, cutoff: dt.date, months: int) -> Step:
    """A record in words: what was found, and until when it counts."""
    row = visit.row
    until = months_after(row.day, months)
    zh, en = _word(visit, cutoff, until)
    zh += f"（{row.note}）" if row.note else ""
    en += f" ({row.note})" if row.note else ""
    if visit.late and row.entered is not None:
        entered = row.entered.astimezone(CITY_TIME).date()
        zh += f"；补录于 {entered}，在截止日之后"
        en += f"; entered late, on {entered}, after the cut-off"
    number = f" {row.id}" if row.id else ""
    return Step(
        "inspection",
        f"{VERDICTS['inspected'].zh}{number} {row.day}，{row.inspector}：{zh}",
        f"Inspection{number} {row.day}, {row.inspector}: {en}",
        {
            "id": row.id,
            "day": row.day.isoformat(),
            "found": row.found,
            "says": visit.says,
            "inspector": row.inspector,
            "threshold_mbps": row.threshold_mbps,
            "valid_until": until.isoformat(),
            "void": row.void,
            "late": visit.late,
            "note": row.note,
        },
    )


def _word(visit: Visit, cutoff: dt.date, until: dt.date) -> tuple[str, str]:
    row = visit.row
    if row.void:
        return f"已作废，不再有效：{row.void}", f"void, it says nothing: {row.void}"
    if visit.says is None:
        asked = f"{_threshold(row):g}"
        if row.found:
            return f"达到 {asked}M，不能说明更高的门限", f"met {asked}M, which proves no higher one"
        return (
            f"未达到 {asked}M，不能否定更低的门限",
            f"short of {asked}M, which denies no lower one",
        )
    if not row.found:
        return "不达标，直到以后有达标证据为止", "found missing; stands until a later yes"
    if cutoff <= until:
        return f"达标，有效至 {until}", f"found, valid until {until}"
    return f"达标，但已于 {until} 过期", f"found, but expired on {until}"
