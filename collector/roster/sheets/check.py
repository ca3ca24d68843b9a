"""Checks the sheets against each other and in themselves: duplicates, references, ranges.

Pure. Every rule yields all the problems it finds. A wrong row is reported once, not again for
each row that refers to it. `defaults` fills in cells that a sheet may leave empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import check_calendar, check_names, check_rows, check_sense, defaults
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.references import Index
from collector.roster.sheets.values import parse_code

#: Columns whose values together must be unique in a sheet.
_KEYS = {
    "schools": ("code",),
    "campuses": ("school", "campus"),
    "lines": ("school", "line"),
    "rooms": ("school", "room"),
    "machines": ("school", "pattern"),
}


def check(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Apply every rule to every sheet that could be read; fills in cells that may be empty."""
    index = Index(tables)
    yield from defaults.areas(tables)
    for name, keys in _KEYS.items():
        if name in tables:
            yield from _duplicates(tables[name], keys)
    for table in tables.values():
        yield from _schools(table, index)
    yield from check_names.spellings(tables)
    yield from defaults.campuses(tables, index)
    yield from defaults.lines(tables, index)
    yield from _references(tables, index)
    yield from check_rows.check(tables)
    yield from check_sense.check(tables, index)
    if "calendar" in tables:
        yield from check_calendar.check(tables["calendar"])


def _duplicates(table: Table, keys: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[tuple[str, ...], int] = {}
    for record in table.records:
        key = record.key(*keys)
        if record.bad.intersection(keys) or not all(key):
            continue
        row = first.setdefault(key, record.row)
        if row != record.row:
            wrong = say(f"与第 {row} 行重复", f"is in row {row} already")
            yield record.problem(
                keys[-1], wrong, say("删去一行，或改正编号", "remove one, or correct it")
            )


def _schools(table: Table, index: Index) -> Iterator[Problem]:
    name = "successor" if table.sheet.name == "schools" else "school"
    if "schools" not in index.whole or all(column.name != name for column in table.sheet.columns):
        return
    for record in table.records:
        code = record.get(name)
        if code and code not in index.schools:
            record.bad.add(name)
            wrong, fix = _no_school(code, index)
            yield record.problem(name, wrong, fix)


def _no_school(code: str, index: Index) -> tuple[str, str]:
    try:
        parse_code(code)
    except UnfitError as error:
        if not re.fullmatch(r"\D*", code):
            return error.wrong, error.fix
    title, near = index.title("schools"), index.nearest_school(code)
    hint = say(f"是不是 {near}？", f"did you mean {near}? ") if near else ""
    return (
        say(f"不在「{title}」表中", f"is not in {title}"),
        hint + say(f"改正，或在「{title}」表里加上它", f"correct it, or add it to {title}"),
    )


def _references(tables: Mapping[str, Table], index: Index) -> Iterator[Problem]:
    for sheet in ("equipment", "machines"):
        for record in tables[sheet].records if sheet in tables else ():
            yield from _room(record, index, [record.get("room")])
    for record in tables["classes"].records if "classes" in tables else ():
        yield from _room(record, index, record.get("rooms") or ())


def _room(record: Record, index: Index, rooms: Iterable[str]) -> Iterator[Problem]:
    if "rooms" not in index.whole or "school" in record.bad:
        return
    known, title = index.rooms.get(record.get("school"), {}), index.title("rooms")
    name = "rooms" if record.table.sheet.name == "classes" else "room"
    for room in rooms:
        if room and room not in known:
            wrong = say(f"不在「{title}」表这所学校的教室里", "is not among this school's rooms")
            fix = say(f"改正编号，或在「{title}」表里加上它", f"correct it, or add it to {title}")
            wrong, fix = check_names.unknown(room, known, "room", wrong, fix)
            yield record.problem(name, wrong, fix, value=room)
