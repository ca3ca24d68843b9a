"""The verdict rule: telemetry, inspection, register. Pure.

With a yes from evidence a unit is verified or inspected, whatever the register says. With a no it
is contradicted if the register says yes, else short. Without evidence the register decides. Of
several findings the latest counts, by its newest day; of the same day, the no. A no counts until a
later yes, even if that yes has expired since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.common.vocabulary.verdicts import MEANINGS, VERDICTS
from collector.compliance.model import Step, Verdict
from collector.compliance.window import months_after
from collector.roster.register import Inspection

Because = Literal["telemetry", "inspection", "register"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What telemetry says about a unit; each day is that of its newest evidence.

    At most one of `yes` and `no` is set.
    """

    yes: dt.date | None = None  # the window shows it
    no: dt.date | None = None  # the window denies it, or an older no without a later yes
    cleared: dt.date | None = None  # shown before the window, expired
    steps: tuple[Step, ...] = ()
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """What the register says about a unit: yes, no, or nothing (None)."""

    says: bool | None
    steps: tuple[Step, ...] = ()


def every(says: Sequence[bool | None]) -> bool | None:
    """False if one is False; True if all are True and there are any; else None."""
    if any(word is False for word in says):
        return False
    return True if says and all(says) else None


def decide(
    finding: Finding,
    inspections: Iterable[Inspection],
    declared: Declared,
    cutoff: dt.date,
    months: int,
) -> tuple[Verdict, tuple[Step, ...]]:
    """The verdict of a unit, and every rule that led to it."""
    known = sorted((row for row in inspections if row.day <= cutoff), key=lambda row: row.day)
    verdict, because = _verdict(finding, known, declared.says, cutoff, months)
    seen = tuple(_inspection(row, cutoff, months) for row in known)
    return verdict, (*finding.steps, *seen, *declared.steps, _conclusion(verdict, because))


def _verdict(
    finding: Finding,
    known: Sequence[Inspection],
    says: bool | None,
    cutoff: dt.date,
    months: int,
) -> tuple[Verdict, Because]:
    denied = _newest(row.day for row in known if not row.found)
    no = _newest([finding.no, denied])
    if _later(finding.yes, no):
        return Verdict.VERIFIED, "telemetry"
    found = _newest(row.day for row in known if row.found)
    if _later(found, no) and found and cutoff <= months_after(found, months):
        return Verdict.INSPECTED, "inspection"
    if no and not _later(_newest([finding.cleared, finding.yes, found]), no):
        because: Because = "telemetry" if no == finding.no else "inspection"
        return (Verdict.CONTRADICTED if says else Verdict.SHORT), because
    if says is None:
        return Verdict.UNKNOWN, "register"
    return (Verdict.DECLARED if says else Verdict.SHORT), "register"


def _newest(days: Iterable[dt.date | None]) -> dt.date | None:
    return max((day for day in days if day is not None), default=None)


def _later(yes: dt.date | None, no: dt.date | None) -> bool:
    """Whether the yes is later than the no, or there is no no."""
    return yes is not None and (no is None or yes > no)


def _inspection(row: Inspection, cutoff: dt.date, months: int) -> Step:
    until = months_after(row.day, months)
    numbers = {"day": row.day.isoformat(), "found": row.found, "inspector": row.inspector}
    if not row.found:
        zh, en = "不达标，直到以后有达标证据为止", "found missing; stands until a later yes"
    elif cutoff <= until:
        zh, en = f"达标，有效至 {until}", f"found, valid until {until}"
    else:
        zh, en = f"达标，但已于 {until} 过期", f"found, but expired on {until}"
    note = f"（{row.note}）" if row.note else ""
    return Step(
        "inspection",
        f"现场核查 {row.day}，{row.inspector}：{zh}{note}",
        f"Inspection {row.day}, {row.inspector}: {en}{f' ({row.note})' if row.note else ''}",
        {**numbers, "valid_until": until.isoformat(), "note": row.note},
    )


def _conclusion(verdict: Verdict, because: Because) -> Step:
    (zh, en), (why_zh, why_en) = VERDICTS[verdict], MEANINGS[verdict]
    return Step(
        "verdict",
        f"结论：{zh}（{why_zh}）",
        f"Verdict: {en} ({why_en})",
        {"verdict": str(verdict), "because": because},
    )
