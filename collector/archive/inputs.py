"""All that a figure is made of, as members of an archive, and back. Pure.

Tables follow the dataclasses of the register and the evidence: a field or a table that is added
there is in the archives from then on, without a change here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from agent.common import decoding
from agent.common.calendar import Hours
from collector import config
from collector.archive import table
from collector.compliance.model import Evidence, Figure
from collector.roster.register import Decision, Inspection, Register
from collector.roster.rows import Rows, rows_of

EVIDENCE, REGISTER, SETTINGS = "evidence", "register", "settings.json"
INSPECTIONS, DECISIONS = "inspections.csv", "register/decisions.csv"
_OTHER = "other.json"  # what a group holds beside its tables
_T = TypeVar("_T")


@dataclass(frozen=True)
class Inputs:
    """What a figure is made of: judged again, they give it again."""

    year: int
    cutoff: dt.date
    register: Register
    evidence: Evidence
    settings: config.Figure
    city: config.City

    @classmethod
    def of(cls, figure: Figure, evidence: Evidence) -> Inputs:
        """Those that a figure was made of."""
        area = figure.areas[0]
        city = config.City(area.code, area.name)
        return cls(figure.year, figure.cutoff, figure.register, evidence, figure.settings, city)


class Settings(msgspec.Struct, frozen=True):
    """The settings that the figure was made with."""

    year: int
    cutoff: dt.date
    city: config.City
    hours: Hours
    figure: config.Figure


def members(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    """The inputs as files, by name."""
    register = inputs.register
    # Not sorted: the order of the indicators is a setting too.
    yield SETTINGS, indented(msgspec.json.encode(_settings(inputs)))
    yield INSPECTIONS, table.write(Inspection, register.inspections)
    yield from _group(REGISTER, rows_of(register), ordered=True)
    yield DECISIONS, table.write(Decision, register.decisions)
    yield from _group(EVIDENCE, inputs.evidence, ordered=False)


def of_members(found: Mapping[str, bytes]) -> Inputs:
    """The inputs that `members` wrote.

    Raises:
        TableError, msgspec.DecodeError, msgspec.ValidationError: a file that is not known here,
            or cannot be read.
        KeyError: a file is missing.
    """
    settings = decoding.decode(found[SETTINGS], Settings)
    rows = _of_group(REGISTER, Rows, found)
    decisions = table.read(Decision, found[DECISIONS])
    inspections = table.read(Inspection, found[INSPECTIONS])
    return Inputs(
        settings.year,
        settings.cutoff,
        rows.register(inspections, settings.hours, decisions),
        _of_group(EVIDENCE, Evidence, found),
        settings.figure,
        settings.city,
    )


def json(tree: object) -> bytes:
    """Indented UTF-8 JSON, the same bytes for the same values."""
    return indented(msgspec.json.encode(tree, order="deterministic"))


def indented(data: bytes) -> bytes:
    """JSON for people too, with a newline at its end."""
    return msgspec.json.format(data, indent=1) + b"\n"


def _settings(inputs: Inputs) -> Settings:
    hours = inputs.register.calendar.hours
    return Settings(inputs.year, inputs.cutoff, inputs.city, hours, inputs.settings)


def _group(name: str, value: Any, *, ordered: bool) -> Iterator[tuple[str, bytes]]:
    """A dataclass of tables: each as a file, everything else in one more."""
    kinds = _tables(type(value))
    for field, kind in kinds.items():
        yield f"{name}/{field}.csv", table.write(kind, getattr(value, field), ordered=ordered)
    rest = {item.name: getattr(value, item.name) for item in fields(value)}
    yield f"{name}/{_OTHER}", json({key: rest[key] for key in rest if key not in kinds})


def _of_group(name: str, kind: type[_T], found: Mapping[str, bytes]) -> _T:
    kinds = _tables(kind)
    mine = {key.removeprefix(f"{name}/") for key in found if key.startswith(f"{name}/")}
    unknown = mine - {f"{field}.csv" for field in kinds} - {_OTHER} - {*_BESIDE.get(name, ())}
    if unknown:
        raise table.TableError(f"unknown tables: {', '.join(sorted(unknown))}")
    hints = get_type_hints(kind)
    rest = decoding.decode(found[f"{name}/{_OTHER}"], dict[str, msgspec.Raw])
    values = {key: decoding.decode(raw, hints[key]) for key, raw in rest.items()}
    for field, row in kinds.items():
        if f"{field}.csv" in mine:  # a table that is newer than the archive gets its default
            values[field] = tuple(table.read(row, found[f"{name}/{field}.csv"]))
    return kind(**values)


#: Files of a group's folder that are not part of it.
_BESIDE = {REGISTER: ("decisions.csv", "imports.csv")}


def _tables(kind: type[Any]) -> dict[str, type[Any]]:
    """The fields that hold rows, with the rows' type."""
    hints = get_type_hints(kind)
    found = ((item.name, _row(hints[item.name])) for item in fields(kind))
    return {name: row for name, row in found if row is not None}


def _row(hint: Any) -> type[Any] | None:
    if not _is_sequence(get_origin(hint)):
        return None
    row = get_args(hint)[0]
    return row if isinstance(row, type) and is_dataclass(row) else None


def _is_sequence(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence)
