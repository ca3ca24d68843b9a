"""A figure's indicators as tables and pictures ask for them, also of an earlier year. Pure."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from agent.common.language import say
from agent.common.vocabulary import indicators
from collector.compliance.model import Figure, Indicator, Tally
from collector.compliance.shares import shown
from collector.compliance.targets import goal, name, passed, remark, target
from collector.report import kinds
from collector.report.context import Tallies


@dataclass(frozen=True, slots=True)
class Row:
    """An indicator in a figure: its names, its target, and the tally of every area."""

    indicator: Indicator
    name: str
    short: str
    goal: Fraction | None
    remark: str  # 「对照 2020 年目标」, empty in the target's own year
    document: str
    target_year: int | None
    of_schools: bool  # its unit is a school; else a school may have many
    tallies: Tallies
    _figure: Figure

    def tally(self, area: str) -> Tally:
        """An area's units by verdict; an area without any has an empty one."""
        return self.tallies.get((area, self.indicator), Tally(Counter()))

    def passed(self, area: str) -> bool | None:
        """Whether the area reaches the target, None where that cannot be said."""
        row = target(self._figure, self.indicator)
        return passed(self.tally(area).verified, row, self._figure.year)

    def shown(self, share: Fraction | None) -> str:
        """A share of this indicator, never rounded across its target."""
        return shown(share, self.goal)

    def shown_alone(self, share: Fraction | None) -> str:
        """A share that has no target, such as the unknown one."""
        return shown(share)

    def goal_line(self, area: str) -> str:
        """The target beside an area's headline, and where it can be said whether it is reached."""
        parts = [f"{indicators.SHORT_SHARES['target']} {shown(self.goal)}"] if self.goal else []
        verdicts = {
            True: say("✓ 达标", "✓ reached"),
            False: say("✗ 未达标", "✗ not reached"),
            None: "",
        }
        parts += [self.remark or verdicts[self.passed(area)]]
        return say("，", ", ").join(part for part in parts if part)


def rows(figure: Figure) -> list[Row]:
    """The indicators of the figure, in its order."""
    return [_row(figure, indicator, figure.tallies) for indicator in kinds.every(figure)]


def of_year(figure: Figure, year: int, threshold_mbps: float, tallies: Tallies) -> list[Row]:
    """The same indicators in another year, with that year's targets and threshold."""
    settings = msgspec.structs.replace(figure.settings, threshold_mbps=threshold_mbps)
    then = dataclasses.replace(figure, year=year, settings=settings)
    return [_row(then, indicator, tallies) for indicator in kinds.every(figure)]


def noted(found: Iterable[Row]) -> str:
    """The one note that all targets share, empty where they differ."""
    notes = {row.remark for row in found if row.goal is not None}
    return notes.pop() if len(notes) == 1 else ""


def documents(found: Sequence[Row]) -> list[tuple[str, int]]:
    """The documents that the targets stand in, and the year they ask for, each once."""
    named = [(row.document, row.target_year) for row in found]
    return list(dict.fromkeys((title, year) for title, year in named if year is not None))


def _row(figure: Figure, indicator: Indicator, tallies: Tallies) -> Row:
    row = target(figure, indicator)
    return Row(
        indicator=indicator,
        name=name(figure, indicator),
        short=kinds.short(figure, indicator),
        goal=goal(row),
        remark=remark(row, figure.year),
        document=row.document if row else "",
        target_year=row.year if row else None,
        of_schools=kinds.of_schools(indicator),
        tallies=tallies,
        _figure=figure,
    )
