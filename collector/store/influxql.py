"""InfluxQL: statements that read points, and replies turned into points. Pure.

InfluxDB 1.8, 2.x and 3.x all answer InfluxQL over /query. Its JSON writes the float 1.0 and the
integer 1 alike, so the types come from the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from collector.schema import MEASUREMENTS, Measurement
from collector.store.base import Point, Row, Value
from collector.store.check import MAX_TIME, MIN_TIME

_LONGEST = 1500  # bytes of one tag's condition; proxies refuse URLs over 8 kB
_CAST: dict[str, Callable[[Any], Value]] = {"int": int, "float": float, "bool": bool, "str": str}


def select(
    measurement: Measurement,
    fields: Sequence[str],
    start: int,
    stop: int,
    tags: Mapping[str, frozenset[str]],
) -> str:
    """The statement for time, `fields`, required fields and all tags, oldest first.

    A tag with very many values is left to `points` to filter, so that the URL stays short.

    Raises:
        KeyError: the schema has no such tag or field.
    """
    for name in fields:
        measurement.fields[name]
    first, last = (max(MIN_TIME, min(time, MAX_TIME + 1)) for time in (start, stop))
    # Not `time < last`: the server does not accept one past the largest time.
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
    """Statements that find one simulated row of each measurement."""
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

    `tags` are checked again (see `select`). A row without a required field is skipped: InfluxDB
    has stored only a part of it so far.
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


def rows(
    measurement: Measurement,
    series: Mapping[str, Any],
    tags: Mapping[str, frozenset[str]],
    names: Sequence[str],
) -> Iterator[Row]:
    """The same points as `points`, each as (time, all tags, `names`)."""
    at = {name: place for place, name in enumerate(series["columns"])}
    wanted = itemgetter(*(at[name] for name in ("time", *measurement.tags, *names)))
    required = [at[name] for name in measurement.required]
    checks = [(at[name], values) for name, values in tags.items()]
    first = 1 + len(measurement.tags)
    for row in series["values"]:
        if any(row[place] is None for place in required):
            continue
        if all((row[place] or "") in values for place, values in checks):
            found: Row = wanted(row)
            if any(value is not None for value in found[first:]):
                yield found


def whole(results: Iterable[Mapping[str, Any]], statements: int) -> Iterator[Mapping[str, Any]]:
    """The series of all results of a reply to that many statements.

    Behind a proxy that uses HTTP/1.0, a reply cut off by a dying server looks like a complete one:
    only its content shows whether more was to come.

    Raises:
        ValueError: the reply was cut off.
    """
    last: Mapping[str, Any] = {"partial": True}
    for last in results:
        yield from last.get("series", ())
    if last.get("partial") or last.get("statement_id", statements - 1) != statements - 1:
        raise ValueError("the reply was cut off")


def known(name: str) -> Measurement:
    """A measurement of the schema.

    Raises:
        KeyError: the schema has no such measurement.
    """
    return MEASUREMENTS[name]
