"""What the folder of archives says about a year: the frozen figure, and what differs from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from collector.archive import changes, results
from collector.archive.changes import Change, Left
from collector.archive.checking import Tell, check, silent
from collector.archive.errors import DamagedError
from collector.archive.freezing import verdicts_of
from collector.archive.opened import no_archive
from collector.archive.summary import FrozenYear, frozen, in_force
from collector.compliance.model import Figure
from collector.config import Config


@dataclass(frozen=True)
class Since:
    """What became of a figure since it was frozen, and of the units since the last freeze."""

    frozen: FrozenYear | None = None  # the same year's last revision
    changes: list[Change] = field(default_factory=list)
    last: FrozenYear | None = None  # the last freeze up to that year
    left: list[Left] = field(default_factory=list)


def years(settings: Config, *, simulated: bool) -> dict[int, FrozenYear]:
    """The last revision of each frozen year of this city.

    Years of simulated data are among them only where `simulated` accepts these, and only where
    the real year is not frozen.

    Raises:
        ArchiveError: an archive of the folder cannot be read, or is damaged.
    """
    rows = [row for row in frozen(settings.archive_folder) if row.city == settings.city.code]
    invented = in_force(rows, simulated=True) if simulated else {}
    return {**invented, **in_force(rows)}


def figure(settings: Config, row: FrozenYear, tell: Tell = silent) -> Figure:
    """The figure of a frozen year, judged again from its archive and equal to what was frozen.

    Raises:
        ArchiveError: the archive does not verify.
    """
    path = settings.archive_folder / row.file
    checked = check(path, row.root, tell)
    if checked.figure is None:
        raise DamagedError(no_archive(path, "; ".join(checked.faults)))
    return checked.figure


def since(settings: Config, live: Figure) -> Since:
    """How a live figure differs from what was frozen.

    Raises:
        ArchiveError: as `years`.
    """
    known = years(settings, simulated=live.simulated)
    earlier = [year for year in known if year <= live.year]
    if not earlier:
        return Since()
    now = results.verdicts(live)
    last = known[max(earlier)]
    before = verdicts_of(settings.archive_folder / last.file)
    left = changes.left(before, now, last)
    if last.year != live.year:
        return Since(None, [], last, left)
    return Since(last, changes.between(before, now), last, left)


def named(row: FrozenYear) -> str:
    """A frozen year in a line, with its root hash."""
    day = row.frozen_at.astimezone(CITY_TIME).date()
    return say(
        f"{row.year} 年已冻结：第 {row.revision} 版，截止日 {row.cutoff}，"
        f"冻结于 {day}，根哈希 {row.root}（{row.file}）",
        f"{row.year} is frozen: revision {row.revision}, cut-off {row.cutoff}, "
        f"frozen on {day}, root hash {row.root} ({row.file})",
    )
