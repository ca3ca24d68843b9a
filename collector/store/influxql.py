"""InfluxQL: statements that read points, and replies turned into points. Pure.

InfluxDB 1.8, 2.x and 3.x all answer InfluxQL over /query. Its JSON writes the float 1.0 and the
integer 1 alike, so the types come from the schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from collector.schema import MEASUREMENTS, Measurement
from collector.store.base import Point, Row, SimulatedRows, Value
from collector.store.check import MAX_TIME, MIN_TIME
from collector.store.tables import whose

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
    first, last = span(start, stop)
    where = [f"time >= {first} AND time <= {last}"]
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


def span(start: int, stop: int) -> tuple[int, int]:
    """The first and the last time of start <= time < stop.

    The server does not accept one past the largest time, so it is not asked for `time < stop`.
    """
    first, end = (max(MIN_TIME, min(time, MAX_TIME + 1)) for time in (start, stop))
    return first, end - 1


def delete(measurement: Measurement, first: int, last: int, tags: Mapping[str, str]) -> str:
    """The statement of 1.x that deletes from `first` to `last`; "" stands for no such tag."""
    named = "".join(f" AND {_name(name)} = {_text(value)}" for name, value in tags.items())
    where = f"time >= {first} AND time <= {last}{named}"
    return f"DELETE FROM {_name(measurement.name)} WHERE {where}"  # noqa: S608


def count_simulated(name: str) -> str:
    """Statements that count the simulated rows by school or area, and find first and last."""
    rest = f'FROM {_name(name)} WHERE "simulated" = true GROUP BY {_name(whose(name))}'
    return "; ".join(f'SELECT {what}("simulated") {rest}' for what in ("count", "first", "last"))


def simulated_rows(name: str, replies: Iterable[Mapping[str, Any]]) -> list[SimulatedRows]:
    """What `count_simulated` found.

    A row that comes between its statements may be in some of them only: it counts.
    """
    found: dict[str, dict[str, int]] = {}
    for series in replies:
        what = series["columns"][1]
        value = series["values"][0][1 if what == "count" else 0]
        found.setdefault(series["tags"][whose(name)], {})[what] = value
    return [
        SimulatedRows(
            name,
            school,
            of.get("count", 1),
            of.get("first", of.get("last", 0)),
            of.get("last", of.get("first", 0)),
        )
        for school, of in sorted(found.items())
    ]


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
    missing = set(range(statements))  # openGemini answers statements without rows in any order
    last: Mapping[str, Any] = {"partial": True}
    for last in results:
        yield from last.get("series", ())
        missing -= {last["statement_id"]} if "statement_id" in last else missing
    if missing or last.get("partial"):
        raise ValueError("the reply was cut off")


def known(name: str) -> Measurement:
    """A measurement of the schema.

    Raises:
        KeyError: the schema has no such measurement.
    """
    return MEASUREMENTS[name]
