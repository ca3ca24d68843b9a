"""The SQLite store's tables and statements, generated from `collector.schema`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.common.sqlite import transaction, use_wal
from collector.schema import MEASUREMENTS, Measurement
from collector.store.base import MisconfiguredError

_COLUMN = {"int": "INTEGER", "bool": "INTEGER", "float": "REAL", "str": "TEXT"}

#: Real rows lack the field, so its index has simulated rows only and a look-up costs little.
CAN_BE_SIMULATED = tuple(
    name for name, measurement in MEASUREMENTS.items() if "simulated" in measurement.fields
)


def whose(measurement: str) -> str:
    """The tag of a measurement that says whose its rows are: a school, or an area."""
    return "school" if "school" in MEASUREMENTS[measurement].tags else "area"


@dataclass(frozen=True, slots=True)
class Table:
    """One measurement's columns, in the order of `upsert`'s values: time, tags, fields."""

    tags: tuple[str, ...]
    fields: tuple[str, ...]
    upsert: str


def _upsert(measurement: Measurement) -> str:
    """The later value of a field wins; fields that the later point lacks stay."""
    key = ["time", *measurement.tags]
    names = [*key, *measurement.fields]
    merged = ", ".join(f'"{f}" = coalesce(excluded."{f}", "{f}")' for f in measurement.fields)
    return (
        f'INSERT INTO "{measurement.name}" ({_quoted(names)}) '  # noqa: S608
        f"VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({_quoted(key)}) DO UPDATE SET {merged}"
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


TABLES = {
    name: Table(measurement.tags, tuple(measurement.fields), _upsert(measurement))
    for name, measurement in MEASUREMENTS.items()
}


def prepare(db: sqlite3.Connection) -> None:
    """Create missing tables, columns and indexes; writes nothing if none is missing.

    Raises:
        sqlite3.Error: the file is not a database, or cannot be written.
        MisconfiguredError: its tables have other tags.
    """
    db.execute("PRAGMA journal_size_limit = 67108864")
    use_wal(db)
    if not [*_missing(db)]:
        return
    # If two processes open it at once, one creates all tables and the other finds them.
    with transaction(db):
        for statement in [*_missing(db)]:
            db.execute(statement)


def _missing(db: sqlite3.Connection) -> Iterable[str]:
    indexes = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for measurement in MEASUREMENTS.values():
        columns = {row[1]: row[5] for row in db.execute(f'PRAGMA table_info("{measurement.name}")')}
        yield from _table(measurement, columns) if columns else (_create(measurement),)
        yield from (sql for name, sql in _indexes(measurement) if name not in indexes)


def _create(measurement: Measurement) -> str:
    tags = "".join(f"\"{tag}\" TEXT NOT NULL DEFAULT '', " for tag in measurement.tags)
    fields = "".join(f"{_column(measurement, name)}, " for name in measurement.fields)
    key = _quoted(["time", *measurement.tags])
    return (
        f'CREATE TABLE IF NOT EXISTS "{measurement.name}" '
        f"(time INTEGER NOT NULL, {tags}{fields}PRIMARY KEY ({key})) WITHOUT ROWID"
    )


def _column(measurement: Measurement, name: str) -> str:
    return f'"{name}" {_COLUMN[measurement.fields[name].type]}'


def _table(measurement: Measurement, columns: Mapping[str, int]) -> Iterable[str]:
    if {name for name, key in columns.items() if key} != {"time", *measurement.tags}:
        raise MisconfiguredError(f"table {measurement.name} has the tags of another version")
    for name in measurement.fields:
        if name not in columns:
            yield f'ALTER TABLE "{measurement.name}" ADD COLUMN {_column(measurement, name)}'


def _indexes(measurement: Measurement) -> Iterable[tuple[str, str]]:
    """Indexes (name, statement) for one school's rows and for simulated rows."""
    table = measurement.name
    if "school" in measurement.tags:
        name = f"{table}_school"
        yield name, f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" (school, time)'
    if table in CAN_BE_SIMULATED:
        name = f"{table}_simulated"
        yield (
            name,
            f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" (simulated) WHERE simulated = 1',
        )


def select(
    measurement: Measurement,
    fields: Sequence[str],
    start: int,
    stop: int,
    tags: Mapping[str, str | Iterable[str]],
) -> tuple[str, list[object]]:
    """The statement that reads time, tags and `fields`, and its values.

    Raises:
        KeyError: the schema has no such tag or field.
    """
    where = ["time >= ?", "time < ?"]
    values: list[object] = [_bounded(start), _bounded(stop)]
    for name, wanted in tags.items():
        if name not in measurement.tags:
            raise KeyError(f"{measurement.name}: no tag {name}")
        condition, value = _condition(name, wanted)
        where.append(condition)
        values.append(value)
    for name in fields:
        measurement.fields[name]
    some = " OR ".join(f'"{name}" IS NOT NULL' for name in fields) or "0"
    where += [f'"{name}" IS NOT NULL' for name in measurement.required]
    order = _quoted(["time", *measurement.tags])
    return (
        f"SELECT {_quoted(['time', *measurement.tags, *fields])} "  # noqa: S608
        f'FROM "{measurement.name}" WHERE {" AND ".join(where)} AND ({some}) ORDER BY {order}',
        values,
    )


def _condition(tag: str, wanted: str | Iterable[str]) -> tuple[str, str]:
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    if len(listed) == 1:  # by "=", an index gives the rows in order; by "IN", they are sorted
        return f'"{tag}" = ?', listed[0]
    return f'"{tag}" IN (SELECT value FROM json_each(?))', json.dumps(listed)  # noqa: S608


def _bounded(time: int) -> int:
    return max(-(2**63), min(time, 2**63 - 1))


def some_of(
    measurement: Measurement, start: int, stop: int, tags: Mapping[str, str], limit: int
) -> tuple[str, list[object]]:
    """The statement that deletes the first `limit` rows, and its values.

    Rows of the same time go together, so it may be a few more.

    Raises:
        KeyError: the schema has no such tag.
    """
    where, values = ["time >= ?", "time < ?"], [_bounded(start), _bounded(stop)]
    held: list[object] = [*values]
    for name, value in tags.items():
        if name not in measurement.tags:
            raise KeyError(f"{measurement.name}: no tag {name}")
        where.append(f'"{name}" = ?')
        held.append(value)
    asked, table = " AND ".join(where), measurement.name
    first = f'SELECT time FROM "{table}" WHERE {asked} ORDER BY time LIMIT {limit}'  # noqa: S608
    return (
        f'DELETE FROM "{table}" WHERE {asked} AND time <= (SELECT max(time) FROM ({first}))',  # noqa: S608
        [*held, *held],
    )
