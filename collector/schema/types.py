"""What a measurement of the store is, and how a table of them is written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Retention = Literal["telemetry", "evidence"]
Type = Literal["int", "float", "bool", "str"]
_TYPES: dict[str, Type] = {name: name for name in get_args(Type)}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a measurement."""

    name: str
    type: Type
    unit: str
    meaning: str

    @property
    def codes(self) -> str:
        """The table of `collector.schema.codes` whose codes it holds; empty for free values."""
        return codes_of(self.meaning)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement: its retention class, tags, and fields by name."""

    name: str
    retention: Retention
    tags: tuple[str, ...]
    point: str
    fields: dict[str, Field]
    #: Fields that every row of it has: one without them is not yet written, or half of it.
    required: tuple[str, ...] = ()
    #: Whether the keeper computes it: then the values of a row change while its time stays.
    derived: bool = False


def codes_of(meaning: str) -> str:
    """The table that a meaning names as `code of X` or `codes of X`; empty where it names none."""
    found = re.search(r"\bcodes? of ([A-Z]+)\b", meaning)
    return found[1] if found else ""


def measurement(
    name: str, retention: Retention, tags: str, point: str, rows: str, *, derived: bool = False
) -> Measurement:
    """Read the rows `name type unit meaning`, one field a line; `-` is no unit.

    The name of a field that every row has ends in `!`.
    """
    fields, required = {}, []
    for row in filter(None, rows.splitlines()):
        marked, kind, unit, meaning = row.split(None, 3)
        field = marked.rstrip("!")
        required += [field] if marked != field else []
        fields[field] = Field(field, _TYPES[kind], "" if unit == "-" else unit, meaning)
    every = tuple(required)
    return Measurement(name, retention, tuple(tags.split()), point, fields, every, derived)
