"""One thing, one name: two spellings of a class, room, campus or line are an error. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.references import one_typing_error
from collector.roster.sheets.texts import folded

#: The columns that name something of a school, by sheet.
_NAMES = {"campuses": "campus", "lines": "line", "rooms": "room", "classes": "class"}
_ALIKE = 0.75


def spellings(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Names of one school that differ in brackets, blanks, width or case only."""
    for sheet, column in _NAMES.items():
        seen: dict[tuple[str, str], Record] = {}
        for record in tables[sheet].records if sheet in tables else ():
            name = record.get(column)
            if not name or "school" in record.bad:
                continue
            first = seen.setdefault((record.get("school"), folded(name)), record)
            if first.get(column) != name:
                yield record.problem(
                    column,
                    _two_spellings(first, column, same_sheet=True),
                    say(
                        "统一写法，重复的删去一行；确是两个的，起分得清的名字",
                        "write it one way and remove the second; if there are two, "
                        "name them clearly",
                    ),
                )


def unknown(
    name: str, known: Mapping[str, Record], column: str, wrong: str, fix: str
) -> tuple[str, str]:
    """What is wrong with a reference that names none of the `known`, and the fix.

    Where it is another spelling of one of them, both are shown; a near one is asked about.
    """
    for own, record in known.items():
        if folded(own) == folded(name):
            return _two_spellings(record, column, same_sheet=False), say(
                f"改成「{own}」", f"write {own!r}"
            )
    near = _nearest(name, known)
    return wrong, (say(f"是不是「{near}」？", f"did you mean {near!r}? ") if near else "") + fix


def _nearest(name: str, known: Mapping[str, Record]) -> str:
    """The only one a typing error away, else the most alike; empty: none."""
    slips = [own for own in known if one_typing_error(folded(name), folded(own))]
    if len(slips) == 1:
        return slips[0]
    alike = difflib.get_close_matches(name, known, 2, cutoff=_ALIKE)
    return alike[0] if len(alike) == 1 else ""


def _two_spellings(other: Record, column: str, *, same_sheet: bool) -> str:
    name = other.get(column)
    where = say(f"第 {other.row} 行", f"row {other.row}")
    if not same_sheet:
        where = f"{say(' ', '')}{other.table.file} {where}"
    return say(
        f"与{where}的「{name}」是同一个名字的两种写法",
        f"is another spelling of {name!r} in {where}",
    )
