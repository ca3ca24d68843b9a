"""Adds frozen archives up, and keeps the sum as an archive, which can be verified and added too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.files import replace as put
from agent.version import VERSION
from collector.archive import integrity, readme, results, writing
from collector.archive.container import Members, pack
from collector.archive.errors import DamagedError
from collector.archive.inputs import SETTINGS, Settings, indented, json
from collector.archive.opened import MANIFEST, digest, mapped, no_archive
from collector.archive.parts import Part, added, frozen_at
from collector.archive.summary import SUMMARY, FrozenYear
from collector.compliance.model import Figure

PARTS = "parts.json"


class _Area(msgspec.Struct):
    level: str
    code: str
    name: str


class _Numbers(msgspec.Struct):
    """What a sum takes from figure.json."""

    areas: list[_Area]
    apart: dict[str, int]
    notes: dict[str, int]


def part(path: Path) -> Part:
    """What an archive gives to a sum; each of its bytes is checked first.

    Raises:
        ArchiveError: the file cannot be read, or is damaged.
    """
    with mapped(path) as data:
        entries, faults = integrity.faults(data)
        if faults:
            raise DamagedError(no_archive(path, "; ".join(faults)))
        try:
            return _part(Members(data, entries), path)
        except (msgspec.DecodeError, KeyError) as error:
            raise DamagedError(no_archive(path, str(error))) from error


def _part(found: Mapping[str, bytes], path: Path) -> Part:
    summary = decoding.decode(found[SUMMARY], FrozenYear)
    numbers = decoding.decode(found[results.FIGURE], _Numbers)
    named = replace(summary, root=digest(found[MANIFEST]), file=path.name)
    if summary.parts:
        inner = of_members(found)
        schools = {code: name for one in inner for code, name in one.schools.items()}
        return Part(named, inner[0].settings, schools, numbers.apart, numbers.notes)
    settings = decoding.decode(found[SETTINGS], Settings).figure
    schools = {area.code: area.name for area in numbers.areas if area.level == "school"}
    return Part(named, settings, schools, numbers.apart, numbers.notes)


def of_members(found: Mapping[str, bytes]) -> list[Part]:
    """The parts that the archive of a sum holds.

    Raises:
        KeyError, msgspec.DecodeError: it holds none.
    """
    return decoding.decode(found[PARTS], list[Part])


def again(found: Mapping[str, bytes], summary: FrozenYear) -> Figure:
    """The sum made again from its parts; raises as `of_members` and `added`."""
    return added(of_members(found), summary.city, summary.city_name)


def write(figure: Figure, parts: Sequence[Part], path: Path) -> FrozenYear:
    """Keep the sum as an archive.

    Raises:
        OSError: it cannot be written; what stood there before stands.
    """
    summary = _summary(figure, parts)
    members = writing.with_manifest(_members(figure, parts, summary))
    put(path, pack(members), mode=0o444)
    return replace(summary, root=digest(members[MANIFEST]), file=path.name)


def _members(
    figure: Figure, parts: Sequence[Part], summary: FrozenYear
) -> Iterable[tuple[str, bytes]]:
    yield "README.txt", readme.of_sum(summary)
    yield SUMMARY, json(replace(summary, root="", file=""))
    yield results.FIGURE, json(results.numbers(figure))
    yield PARTS, indented(msgspec.json.encode(list(parts)))


def _summary(figure: Figure, parts: Sequence[Part]) -> FrozenYear:
    first = parts[0].summary
    return FrozenYear(
        year=figure.year,
        revision=1,
        city=figure.areas[0].code,
        city_name=figure.areas[0].name,
        cutoff=figure.cutoff,
        frozen_at=frozen_at(parts),
        method=first.method,
        version=VERSION,
        threshold_mbps=figure.settings.threshold_mbps,
        indicators=first.indicators,
        areas=writing.areas(figure),
        simulated=figure.simulated,
        parts=tuple(part.summary.root for part in parts),
    )
