"""What stands in a frozen year's archive, in short: for lists, trends and sums."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import msgspec

from agent.common import decoding
from collector.archive.errors import DamagedError
from collector.archive.opened import no_archive, opened
from collector.compliance.model import Tally, Verdict

SUMMARY = "summary.json"
ENDING = ".zip"


@dataclass(frozen=True, slots=True)
class FrozenIndicator:
    """An indicator as it was named and judged that year."""

    id: str
    zh: str  # its title
    en: str
    target: str | None = None  # an exact fraction such as `4/5`; None: no document asks for one
    target_year: int | None = None
    document: str | None = None  # which asks for it

    @property
    def goal(self) -> Fraction | None:
        """The target as a fraction of 1."""
        return None if self.target is None else Fraction(self.target)


@dataclass(frozen=True, slots=True)
class FrozenArea:
    """The city or a district, with its units by indicator and verdict."""

    level: str  # city or district
    code: str
    name: str
    counts: Mapping[str, Mapping[str, int]]  # indicator -> verdict -> units; zeros are left out
    contract: Mapping[str, int] = field(default_factory=dict)  # the same of 登记接入带宽

    def tally(self, indicator: str) -> Tally:
        """The units of an indicator; empty where it was not counted that year."""
        found = self.counts.get(indicator, {})
        return Tally(Counter({Verdict(verdict): n for verdict, n in found.items()}))


@dataclass(frozen=True, slots=True)
class FrozenYear:
    """One frozen year: a revision of it."""

    year: int
    revision: int  # 1, 2, …; the last one is in force
    city: str  # code
    city_name: str
    cutoff: dt.date
    frozen_at: dt.datetime  # UTC
    method: int  # number of the method, see `collector.archive.method`
    version: str  # of the software
    threshold_mbps: float
    indicators: Sequence[FrozenIndicator]
    areas: Sequence[FrozenArea]  # the city first, then the districts
    simulated: bool = False
    reason: str = ""  # of a revision after the first
    before: str = ""  # root hash of the revision before this one
    parts: tuple[str, ...] = ()  # of a sum of archives: their root hashes
    root: str = ""  # root hash: the SHA-256 of the archive's manifest, hex
    file: str = ""  # the archive's name


def read(path: Path) -> FrozenYear:
    """An archive's summary, checked against its manifest; the rest is `verify`'s.

    Raises:
        ArchiveError: the file cannot be read, or is damaged.
    """
    with opened(path) as archive:
        try:
            found = decoding.decode(archive.checked(SUMMARY), FrozenYear)
        except msgspec.DecodeError as error:
            raise DamagedError(no_archive(path, f"{SUMMARY}: {error}")) from error
        return replace(found, root=archive.root, file=path.name)


def frozen(folder: Path) -> list[FrozenYear]:
    """Every archive of a folder, by year and revision; empty where there is no folder.

    A damaged one is an error: left out, its year would silently count as not frozen.

    Raises:
        ArchiveError: an archive cannot be read, or is damaged.
    """
    found = [read(path) for path in sorted(folder.glob(f"*{ENDING}"))]
    return sorted(found, key=lambda row: (row.year, row.revision, row.file))


def in_force(rows: Iterable[FrozenYear], *, simulated: bool = False) -> dict[int, FrozenYear]:
    """The last revision of each year, by year; of simulated data if asked for. Sums are none."""
    known = [row for row in rows if row.simulated == simulated and not row.parts]
    return {row.year: row for row in sorted(known, key=lambda row: (row.year, row.revision))}
