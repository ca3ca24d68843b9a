"""What came out: the figure's counts, verdicts and lines as members of an archive. Pure.

Words stand beside the codes for whoever reads the files; only codes and numbers are compared when
a figure is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import msgspec

from agent.common.vocabulary.verdicts import VERDICTS
from collector.archive import table
from collector.archive.inputs import json
from collector.compliance.model import Area, Figure, Indicator, JudgedLine, Tally, Unit, Verdict
from collector.compliance.shares import shown
from collector.compliance.targets import goal, target
from collector.report import view

FIGURE, VERDICTS_CSV, LINES, UNITS = "figure.json", "verdicts.csv", "lines.csv", "units.jsonl"
Tree = dict[str, object]
_T = TypeVar("_T")
Key = tuple[str, str, str]  # indicator, school, and its class; empty for the school


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A unit's verdict, and why, for people."""

    indicator: str
    school: str
    school_name: str
    district: str  # the responsible unit
    district_name: str
    unit: str  # the class; empty for the school, which may get another name
    verdict: str
    verdict_zh: str
    simulated: bool
    reason_zh: str
    reason_en: str

    @property
    def key(self) -> Key:
        """Which unit it is."""
        return self.indicator, self.school, self.unit


def members(figure: Figure) -> Iterator[tuple[str, bytes]]:
    """The figure as files, by name."""
    yield FIGURE, json(numbers(figure))
    yield VERDICTS_CSV, table.write(VerdictRow, verdicts(figure))
    yield LINES, table.write(JudgedLine, figure.lines)
    yield UNITS, b"".join(msgspec.json.encode(view.unit(row)) + b"\n" for row in figure.units)


def verdicts(figure: Figure) -> list[VerdictRow]:
    """Every unit, in the figure's order."""
    return [_verdict(figure, unit) for unit in figure.units]


def _verdict(figure: Figure, unit: Unit) -> VerdictRow:
    reasons = view.reasons(unit)
    school = figure.register.schools[unit.school].name
    return VerdictRow(
        unit.indicator,
        unit.school,
        school,
        unit.district,
        figure.register.area_name(unit.district),
        "" if unit.name == school else unit.name,
        str(unit.verdict),
        VERDICTS[unit.verdict].zh,
        unit.simulated,
        "；".join(step.zh for step in reasons),
        "; ".join(step.en for step in reasons),
    )


def numbers(figure: Figure) -> Tree:
    """Every count and share of every area, without words."""
    return {
        "year": figure.year,
        "cutoff": figure.cutoff.isoformat(),
        "simulated": figure.simulated,
        "areas": [_area(figure, area) for area in figure.areas],
        "apart": dict(figure.apart),
        "notes": dict(figure.notes),
    }


def indicators(figure: Figure) -> list[Indicator]:
    """Those that were counted, in their order."""
    return list(dict.fromkeys(indicator for _, indicator in figure.tallies))


def _area(figure: Figure, area: Area) -> Tree:
    counted: dict[str, Tree] = {}
    for indicator in indicators(figure):
        tally = figure.tallies[area.code, indicator]
        counted[indicator] = _tally(tally, goal(target(figure, indicator)))
    contract = figure.contract.get(area.code)
    return {
        "level": area.level,
        "code": area.code,
        "name": area.name,
        "district": area.district,
        "indicators": counted,
        "contract": {} if contract is None else counts(contract),
    }


def _tally(tally: Tally, asked: Fraction | None) -> Tree:
    shares = {
        "verified": (tally.verified, asked),
        "reported": (tally.reported, asked),
        "ceiling": (tally.ceiling, asked),
        "unknown": (tally.unknown, None),
    }
    exact = {name: None if share is None else str(share) for name, (share, _) in shares.items()}
    seen = {name: shown(*pair) for name, pair in shares.items()}
    return {"all": tally.all, "counts": counts(tally), "exact": exact, "shown": seen}


def counts(tally: Tally) -> dict[str, int]:
    """Units by verdict, without zeros."""
    return {str(verdict): tally.counts[verdict] for verdict in Verdict if tally.counts[verdict]}


def disagreements(found: Mapping[str, bytes], figure: Figure) -> Iterator[str]:
    """What the archive's results say otherwise than the figure made again, one text each."""
    if VERDICTS_CSV in found or figure.units:  # a sum of archives has no units
        yield from _tables(VERDICTS_CSV, found, table.write(VerdictRow, verdicts(figure)), _JUDGED)
        yield from _tables(LINES, found, table.write(JudgedLine, figure.lines), None)
    said = msgspec.json.decode(found[FIGURE])
    yield from differ(FIGURE, said, msgspec.json.decode(json(numbers(figure))))


#: The columns of a verdict that are no words.
_JUDGED = ("indicator", "school", "district", "unit", "verdict", "simulated")


def _tables(
    name: str, found: Mapping[str, bytes], now: bytes, columns: Sequence[str] | None
) -> Iterator[str]:
    """Rows that differ in the columns that the archive has."""
    kept = table.selected(found[name], columns)
    again = table.selected(now, list(kept[0]) if kept else columns)
    for before, after in _pairs(kept, again):
        yield f"{name}: {_cells(before)} / {_cells(after)}"


def _cells(row: Mapping[str, str] | None) -> str:
    return "—" if row is None else ",".join(row.values())


def _pairs(kept: Iterable[_T], now: Iterable[_T]) -> Iterator[tuple[_T | None, _T | None]]:
    """Rows of one place that are not equal; None where one side has no more."""
    first, second = list(kept), list(now)
    for at in range(max(len(first), len(second))):
        pair = _at(first, at), _at(second, at)
        if pair[0] != pair[1]:
            yield pair


def _at(rows: list[_T], at: int) -> _T | None:
    return rows[at] if at < len(rows) else None


def differ(path: str, kept: object, now: object) -> Iterator[str]:
    """Where two trees differ; what only the newer one has is no difference."""
    if isinstance(kept, dict) and isinstance(now, dict):
        for key in kept:
            yield from differ(f"{path} {key}", kept[key], now.get(key))
    elif isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        for at, (one, other) in enumerate(zip(kept, now, strict=True)):
            yield from differ(f"{path} {at}", one, other)
    elif kept != now:
        yield f"{path}: {kept} / {now}"
