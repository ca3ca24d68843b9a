"""The figure as plain values: counts, exact shares, and what is shown. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from agent.common.language import say
from agent.version import VERSION
from collector.compliance.model import (
    Area,
    Figure,
    Indicator,
    Step,
    Tally,
    Unit,
    Verdict,
)
from collector.compliance.shares import shown, shown_value
from collector.compliance.targets import applies, goal, name, passed, remark, target
from collector.compliance.window import Windows

Tree = dict[str, object]
WATERMARK = "模拟数据"


def watermark(figure: Figure) -> str:
    """What every output must say, empty where the figure is real."""
    return say(WATERMARK, f"{WATERMARK} SIMULATED") if figure.simulated else ""


def document(figure: Figure) -> Tree:
    """All but the units, for JSON."""
    windows = Windows(figure.register.calendar, figure.settings)
    window = windows.up_to(figure.cutoff)
    return {
        "watermark": watermark(figure) or None,
        "simulated": figure.simulated,
        "year": figure.year,
        "cutoff": figure.cutoff.isoformat(),
        "window": {
            "first": window.first.isoformat(),
            "last": window.last.isoformat(),
            "open_days": window.open_days,
        },
        "version": VERSION,
        "settings": msgspec.to_builtins(figure.settings),
        "targets": {indicator: _target(figure, indicator) for indicator in figure.indicators},
        "areas": [_area(figure, area) for area in figure.areas],
        "apart": dict(sorted(figure.apart.items())),
        "notes": dict(figure.notes),
        "doubts": {code: dict(found) for code, found in sorted(figure.doubts.items())},
        **({"frozen": {"revision": figure.revision, "root": figure.root}} if figure.root else {}),
    }


def _target(figure: Figure, indicator: Indicator) -> Tree:
    row = target(figure, indicator)
    mbps = None if row is None else row.threshold_mbps
    return {
        "name": name(figure, indicator),
        "document": None if row is None else row.document,
        "year": None if row is None else row.year,
        "value": None if row is None else str(row.value),
        "shown": shown(goal(row)),
        "threshold_mbps": None if mbps is None else float(mbps),
        "applies": applies(row, figure.year),
        "remark": remark(row, figure.year),
    }


def _area(figure: Figure, area: Area) -> Tree:
    contract = figure.contract.get(area.code, Tally(Counter()))
    return {
        "level": area.level,
        "code": area.code,
        "name": area.name,
        "district": area.district,
        "indicators": {
            indicator: _tally(figure, indicator, figure.tallies[area.code, indicator])
            for indicator in figure.indicators
        },
        "contract": {**_counts(contract), "share": _share(contract.reported, None)},
    }


def _tally(figure: Figure, indicator: Indicator, tally: Tally) -> Tree:
    row = target(figure, indicator)
    return {
        **_counts(tally),
        "shares": {
            "verified": _share(tally.verified, goal(row)),
            "reported": _share(tally.reported, goal(row)),
            "ceiling": _share(tally.ceiling, goal(row)),
            "unknown": _share(tally.unknown, None),
        },
        "passed": passed(tally.verified, row, figure.year),
    }


def percent(figure: Figure, indicator: Indicator, tally: Tally) -> float | None:
    """核实率 in percent, as it is shown; None without units."""
    return shown_value(tally.verified, goal(target(figure, indicator)))


def _counts(tally: Tally) -> Tree:
    return {"all": tally.all, **{str(verdict): tally.counts[verdict] for verdict in Verdict}}


def _share(share: Fraction | None, goal: Fraction | None) -> Tree:
    return {
        "exact": None if share is None else str(share),
        "percent": shown_value(share, goal),
        "shown": shown(share, goal),
    }


def unit(row: Unit) -> Tree:
    """A unit with all its steps, in both languages."""
    return {
        "indicator": row.indicator,
        "school": row.school,
        "district": row.district,
        "name": row.name,
        "verdict": str(row.verdict),
        "simulated": row.simulated,
        **({"count": row.count} if row.count != 1 else {}),
        "steps": [
            {"rule": step.rule, "zh": step.zh, "en": step.en, "numbers": dict(step.numbers)}
            for step in row.steps
        ],
    }


_EVIDENCE = ("room", "device", "computer_room", "line", "refused", "earlier")


def reasons(row: Unit) -> list[Step]:
    """The steps that made the verdict; for one by the register, also why evidence did not."""
    because = row.steps[-1].numbers["because"]
    evidence = [step for step in row.steps if step.rule in _EVIDENCE]
    if row.verdict is Verdict.VERIFIED:
        return [step for step in evidence if step.rule != "refused"]
    if because == "telemetry":
        return evidence
    if because == "inspection":
        seen = [step for step in row.steps if step.rule == "inspection"]
        return [step for step in seen if step.numbers.get("says", True) is not None][-1:]
    register = [step for step in row.steps if step.rule == "register"]
    return [*register, *evidence] if row.verdict is Verdict.DECLARED else register or evidence


@dataclass(frozen=True, slots=True)
class SchoolView:
    """A school's units by indicator."""

    area: Area
    units: Mapping[Indicator, Sequence[Unit]]

    def one(self, indicator: Indicator) -> Unit | None:
        """The school's own unit of an indicator that counts schools."""
        return next(iter(self.units.get(indicator, ())), None)

    @property
    def simulated(self) -> bool:
        """Whether any of its units was judged by an invented row."""
        return any(row.simulated for rows in self.units.values() for row in rows)


def schools(figure: Figure) -> list[SchoolView]:
    """The schools that count, in the figure's order."""
    units: dict[str, dict[Indicator, list[Unit]]] = defaultdict(lambda: defaultdict(list))
    for row in figure.units:
        units[row.school][row.indicator].append(row)
    return [
        SchoolView(area, units[area.code])
        for area in figure.areas
        if area.level == "school" and area.code in units
    ]
