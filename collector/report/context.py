"""What a report shows beside the figure: signature block, frozen years, months, selection. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collector.compliance.model import Indicator, Tally

#: By area code (as `Area.code`) and indicator.
Tallies = Mapping[tuple[str, Indicator], Tally]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for the report; an empty field is a line to be filled in by hand."""

    unit: str = ""
    person: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class FrozenYear:
    """A frozen year's summary, for the trend."""

    year: int
    cutoff: dt.date
    tallies: Tallies
    threshold_mbps: float
    archive: str = ""  # the file's name
    root: str = ""  # the manifest's root hash, in hex
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Month:
    """The figure as it stood on the last day of a month that has one, for the trend."""

    day: dt.date
    tallies: Tallies


@dataclass(frozen=True, slots=True)
class Selection:
    """What the report is restricted to: one district, one school, or nothing."""

    area: str = ""  # code of the district
    school: str = ""  # code of the school; its district is then not named

    @property
    def code(self) -> str:
        """The code of the only area shown; empty for the whole city."""
        return self.school or self.area


@dataclass(frozen=True, slots=True)
class Context:
    """Everything beside the figure; the default is a report of today without a past.

    `root` and `archive` are empty where the year is not frozen. A selection has already been
    applied to the figure that comes with it: its `areas[0]` is the area of the report.
    """

    signature: Signature = field(default_factory=Signature)
    root: str = ""
    archive: str = ""
    frozen: Sequence[FrozenYear] = ()  # by year, this report's own included if it is frozen
    months: Sequence[Month] = ()  # of the figure's year, by day
    selection: Selection = field(default_factory=Selection)
    font: str = ""  # of pdf and png, as `collector.report.fonts.find` takes it
