"""InfluxQL: the statements that read points, and the replies as points. Pure.

InfluxQL over /query is what InfluxDB 1.8, 2.x and 3.x all speak. Its JSON writes the float
1.0 and the integer 1 alike, so types come from the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from collector.schema import MEASUREMENTS, Measurement
from collector.store.base import Point, Value
from collector.store.check import MAX_TIME, MIN_TIME

_LONGEST = 1500  # characters of one tag's condition; proxies refuse addresses over 8 kB
_CAST: dict[str, Callable[[Any], Value]] = {"int": int, "float": float, "bool": bool, "str": str}


def select(
    measurement: Measurement,
    fields: Sequence[str],
    start: int,
    stop: int,
    tags: Mapping[str, frozenset[str]],
) -> str:
    """The statement for time, `fields` and the required ones, and all tags, oldest first.

    A tag with very many values is left to `kept`, so that the address stays short.

    Raises:
        KeyError: the schema has no such tag or field.
    """
    for name in fields:
        measurement.fields[name]
    first, last = (max(MIN_TIME, min(time, MAX_TIME + 1)) for time in (start, stop))
    # Not `time < last`: one past the largest time is no time to the server.
    where = [f"time >= {first} AND time <= {last - 1}"]
    for name, values in tags.items():
        if name not in measurement.tags:
            raise KeyError(f"{measurement.name}: no tag {name}")
        asked = " OR ".join(f"{_name(name)} = {_text(value)}" for value in sorted(values))
        if len(asked.encode()) <= _LONGEST:
            where.append(f"({asked})")
    named = dict.fromkeys((*fields, *measurement.required, *measurement.tags))
    columns = ", ".join(map(_name, named))
    return f"SELECT {columns} FROM {_name(measurement.name)} WHERE {' AND '.join(where)}"  # noqa: S608


def any_simulated(names: Iterable[str]) -> str:
    """Statements, one a measurement, that find one invented row each."""
    return "; ".join(
        f'SELECT "simulated" FROM {_name(name)} WHERE "simulated" = true LIMIT 1'  # noqa: S608
        for name in names
    )


def _name(name: str) -> str:
    return f'"{name}"'


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def values_of(tags: Mapping[str, str | Iterable[str]] | None) -> dict[str, frozenset[str]]:
    """The values that each tag may have."""
    return {
        name: frozenset((wanted,) if isinstance(wanted, str) else wanted)
        for name, wanted in (tags or {}).items()
    }


def points(
    measurement: Measurement,
    series: Mapping[str, Any],
    tags: Mapping[str, frozenset[str]],
    names: Sequence[str],
) -> Iterator[Point]:
    """The points of one series of a reply, with the fields `names`.

    `tags` are checked again (see `select`). A row without its measurement's required fields is
    one of which InfluxDB shows as yet only a part.
    """
    columns, required = series["columns"], measurement.required
    casts = {name: _CAST[measurement.fields[name].type] for name in names}
    for row in series["values"]:
        cells = dict(zip(columns, row, strict=True))
        found = {name: cells[name] for name in measurement.tags if cells.get(name)}
        if any(cells[name] is None for name in required):
            continue
        if all(found.get(name, "") in values for name, values in tags.items()):
            fields = {n: cast(cells[n]) for n, cast in casts.items() if cells[n] is not None}
            if fields:
                yield Point(measurement.name, found, fields, cells["time"])


def whole(results: Iterable[Mapping[str, Any]], statements: int) -> Iterator[Mapping[str, Any]]:
    """The series of all results of a reply to so many statements.

    A server that dies amid its reply ends it as it ends a whole one, where a proxy asks it in
    HTTP/1.0: only the reply's own words tell whether more was to come.

    Raises:
        ValueError: it was cut off.
    """
    last: Mapping[str, Any] = {"partial": True}
    for last in results:
        yield from last.get("series", ())
    if last.get("partial") or last.get("statement_id", statements - 1) != statements - 1:
        raise ValueError("the reply was cut off")


def known(name: str) -> Measurement:
    """A measurement of the schema.

    Raises:
        KeyError: there is none of that name.
    """
    return MEASUREMENTS[name]
