"""The keys that rows of other sheets may refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from collector.roster.sheets.layout import SHEETS
from collector.roster.sheets.records import Record, Table


class Index:
    """Keys of all sheets; references can be checked only to sheets read in full, in `whole`."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.whole = frozenset(name for name, table in tables.items() if table.whole)
        self.schools = {r.key("code")[0]: r for r in _records(tables, "schools")}
        self.campuses = _by_school(tables, "campuses", "campus")
        self.lines = _by_school(tables, "lines", "line")
        self.rooms = _by_school(tables, "rooms", "room")
        self._titles = {name: table.title for name, table in tables.items()}
        self._near: dict[str, str] = {}

    def title(self, sheet: str) -> str:
        """What its keeper named a sheet."""
        return self._titles.get(sheet) or SHEETS[sheet].title

    def nearest_school(self, code: str) -> str:
        """The registered code one typing error away; empty if there is none, or several."""
        if code not in self._near:
            near = [known for known in self.schools if one_typing_error(code, known)]
            self._near[code] = near[0] if len(near) == 1 else ""
        return self._near[code]


def one_typing_error(one: str, other: str) -> bool:
    """Whether one digit is wrong, missing or extra, or two neighbours are swapped."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) == 1:
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    wrong = [at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b]
    if len(short) != len(long) or len(wrong) > 2:  # the usual case, decided early
        return False
    at = wrong[0] if wrong else 0
    swapped = short[:at] + short[at + 1 : at + 2] + short[at : at + 1] + short[at + 2 :]
    return len(wrong) < 2 or swapped == long


def _records(tables: Mapping[str, Table], name: str) -> list[Record]:
    return tables[name].records if name in tables else []


def _by_school(tables: Mapping[str, Table], name: str, key: str) -> dict[str, dict[str, Record]]:
    found: dict[str, dict[str, Record]] = defaultdict(dict)
    for record in _records(tables, name):
        school, own = record.key("school", key)
        found[school].setdefault(own, record)
    return found
