"""A frozen year as members: what it is, what came out, what it was made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.version import VERSION
from collector.archive import changes, inputs, readme, results, table
from collector.archive.inputs import Inputs, json
from collector.archive.method import METHOD
from collector.archive.opened import MANIFEST, digest
from collector.archive.results import VerdictRow
from collector.archive.summary import SUMMARY, FrozenArea, FrozenIndicator, FrozenYear
from collector.compliance.model import Area, Figure, Indicator
from collector.compliance.targets import target, words
from collector.roster.book import Import

README, CHANGES, LEFT = "README.txt", "changes.csv", "left.csv"
IMPORTS = "register/imports.csv"


@dataclass(frozen=True)
class Before:
    """What was frozen before: the revision before this one, and the last freeze of all."""

    revision: FrozenYear | None = None  # of the same year
    verdicts: Sequence[VerdictRow] = ()  # of that revision
    last: FrozenYear | None = None  # of any year
    last_verdicts: Sequence[VerdictRow] = ()


def members(
    figure: Figure,
    made_of: Inputs,
    imports: Sequence[Import],
    summary: FrozenYear,
    before: Before,
) -> dict[str, bytes]:
    """All files of the archive in their order, the manifest last."""
    return with_manifest(_members(figure, made_of, imports, summary, before))


def with_manifest(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """The files in their order, and the manifest of them."""
    found = dict(files)
    lines = (f"{digest(data)}  {name}\n" for name, data in found.items())
    return {**found, MANIFEST: "".join(lines).encode("ascii")}


def _members(
    figure: Figure,
    made_of: Inputs,
    imports: Sequence[Import],
    summary: FrozenYear,
    before: Before,
) -> Iterator[tuple[str, bytes]]:
    now = results.verdicts(figure)
    yield README, readme.text(summary)
    yield SUMMARY, json(replace(summary, root="", file=""))
    yield from results.members(figure)
    if before.revision:
        yield CHANGES, table.write(changes.Change, changes.between(before.verdicts, now))
    if before.last:
        left = changes.left(before.last_verdicts, now, before.last)
        yield LEFT, table.write(changes.Left, left)
    yield from inputs.members(made_of)
    yield IMPORTS, table.write(Import, imports)


def summary(figure: Figure, before: Before, now: dt.datetime, reason: str) -> FrozenYear:
    """The summary of the archive to be written."""
    earlier = before.revision
    return FrozenYear(
        figure.year,
        earlier.revision + 1 if earlier else 1,
        figure.areas[0].code,
        figure.areas[0].name,
        figure.cutoff,
        now.astimezone(dt.UTC).replace(microsecond=0),
        METHOD,
        VERSION,
        figure.settings.threshold_mbps,
        [_indicator(figure, name) for name in results.indicators(figure)],
        areas(figure),
        figure.simulated,
        reason,
        earlier.root if earlier else "",
    )


def areas(figure: Figure) -> list[FrozenArea]:
    """The city and its districts with their counts."""
    return [
        FrozenArea(
            area.level, area.code, area.name, _counts(figure, area.code), _paper(figure, area)
        )
        for area in figure.areas
        if area.level != "school"
    ]


def _counts(figure: Figure, code: str) -> Mapping[str, Mapping[str, int]]:
    found = results.indicators(figure)
    return {name: results.counts(figure.tallies[code, name]) for name in found}


def _paper(figure: Figure, area: Area) -> Mapping[str, int]:
    tally = figure.contract.get(area.code)
    return {} if tally is None else results.counts(tally)


def _indicator(figure: Figure, name: Indicator) -> FrozenIndicator:
    title = words(figure, name)
    row = target(figure, name)
    if row is None:
        return FrozenIndicator(name, title.zh, title.en)
    return FrozenIndicator(name, title.zh, title.en, str(row.value), row.year, row.document)
