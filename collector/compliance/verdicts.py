"""The verdict rule: telemetry, inspection, register. Pure.

With a yes from evidence a unit is verified or inspected, whatever the register says. With a no it
is contradicted if the register says yes, else short. Without evidence the register decides. Of
several findings the latest counts, by its newest day; of the same day, the no. A no counts until a
later yes, even if that yes has expired since. A unit of several parts (campuses) is judged by what
each part's own evidence says, and by the register where a part has none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.common.vocabulary.verdicts import MEANINGS, VERDICTS
from collector.compliance import inspected
from collector.compliance.inspected import Visit
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


Part = tuple[Finding, bool | None]
"""A part of a unit: its own evidence, and what the register says about it."""


def decide(
    finding: Finding,
    inspections: Iterable[Inspection],
    declared: Declared,
    cutoff: dt.date,
    months: int,
    threshold: float | None = None,
    parts: Sequence[Part] = (),
) -> tuple[Verdict, tuple[Step, ...]]:
    """The verdict of a unit, and every rule that led to it.

    `inspections` are those of the unit and the indicator, which last `months`. `threshold` is the
    indicator's, in Mbit/s, if it has one: those made by another one say only what follows from
    them. `parts` are the unit's, if its finding was combined from several.
    """
    visits = inspected.visits(inspections, cutoff, threshold)
    speaking = [visit for visit in visits if visit.says is not None]
    verdict, because = _verdict(finding, speaking, declared.says, cutoff, months, parts)
    seen = tuple(inspected.step(visit, cutoff, months) for visit in visits)
    ended = _ended(finding, speaking)
    return verdict, (*finding.steps, *seen, *ended, *declared.steps, conclusion(verdict, because))


def _verdict(
    finding: Finding,
    visits: Sequence[Visit],
    says: bool | None,
    cutoff: dt.date,
    months: int,
    parts: Sequence[Part],
) -> tuple[Verdict, Because]:
    no = _newest([finding.no, _denied(visits)])
    if _later(finding.yes, no):
        return Verdict.VERIFIED, "telemetry"
    found = _found(visits)
    if _later(found, no) and found and cutoff <= months_after(found, months):
        return Verdict.INSPECTED, "inspection"
    by_parts = every([True if part.yes else word for part, word in parts]) if parts else says
    if no and not _later(_newest([finding.cleared, finding.yes, found]), no):
        if no == finding.no:
            return (Verdict.CONTRADICTED if by_parts else Verdict.SHORT), "telemetry"
        return (Verdict.CONTRADICTED if says else Verdict.SHORT), "inspection"
    if by_parts is None:
        return Verdict.UNKNOWN, "register"
    return (Verdict.DECLARED if by_parts else Verdict.SHORT), "register"


def _denied(visits: Iterable[Visit]) -> dt.date | None:
    return _newest(visit.row.day for visit in visits if visit.says is False)


def _found(visits: Iterable[Visit]) -> dt.date | None:
    return _newest(visit.row.day for visit in visits if visit.says)


def _ended(finding: Finding, visits: Sequence[Visit]) -> tuple[Step, ...]:
    """What ended an inspection's no, if it no longer counts."""
    no = _denied(visits)
    telemetry = _newest([finding.yes, finding.cleared])
    yes = _newest([telemetry, _found(visits)])
    if no is None or yes is None or yes <= no:
        return ()
    by = ("遥测", "telemetry") if yes == telemetry else (VERDICTS["inspected"].zh, "inspection")
    return (
        Step(
            "cleared",
            f"{no} 现场核查的不达标，由 {yes} 的{by[0]}达标证据消除",
            f"the inspection's no of {no} was cleared by the yes of {by[1]} of {yes}",
            {"no": no.isoformat(), "yes": yes.isoformat(), "by": by[1]},
        ),
    )


def _newest(days: Iterable[dt.date | None]) -> dt.date | None:
    return max((day for day in days if day is not None), default=None)


def _later(yes: dt.date | None, no: dt.date | None) -> bool:
    """Whether the yes is later than the no, or there is no no."""
    return yes is not None and (no is None or yes > no)


def conclusion(verdict: Verdict, because: Because) -> Step:
    """The last step of every unit: its verdict, and on what it rests."""
    (zh, en), (why_zh, why_en) = VERDICTS[verdict], MEANINGS[verdict]
    return Step(
        "verdict",
        f"结论：{zh}（{why_zh}）",
        f"Verdict: {en} ({why_en})",
        {"verdict": str(verdict), "because": because},
    )
