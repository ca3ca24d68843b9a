"""The list of schools: searched, filtered and sorted as the address says. Pure."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from agent.common.vocabulary.hearing import HEARING
from agent.common.vocabulary.verdicts import VERDICTS
from collector.web.city import ORDER
from collector.web.schoolrows import SchoolRow

_HEARING = {name: at for at, name in enumerate(HEARING)}
_LONGEST = 100


class Asked(NamedTuple):
    """What a reader asked for; what makes no sense is as if it was not asked."""

    text: str = ""
    district: str = ""
    indicator: str = ""
    verdict: str = ""
    hearing: str = ""
    trouble: str = ""  # missing or faults
    sort: str = "name"
    down: bool = False


def asked(args: Mapping[str, str], indicators: Iterable[str]) -> Asked:
    """From the query of an address."""

    def among(name: str, known: Iterable[str]) -> str:
        value = args.get(name, "")
        return value if value in set(known) else ""

    columns = {*_KEYS, *indicators}
    return Asked(
        args.get("q", "")[:_LONGEST].strip(),
        args.get("district", "") if args.get("district", "").isdecimal() else "",
        among("indicator", indicators),
        among("verdict", VERDICTS),
        among("hearing", HEARING),
        among("trouble", ("missing", "faults")),
        among("sort", columns) or "name",
        args.get("down") == "1",
    )


def listed(
    rows: Iterable[SchoolRow], wanted: Asked, counts: Callable[[SchoolRow], tuple[int, int]]
) -> list[SchoolRow]:
    """The rows that fit, in order; `counts` gives a school's missing and faulty devices."""
    words = _plain(wanted.text).split()
    found = [row for row in rows if _fits(row, wanted, words, counts)]
    return sorted(found, key=lambda row: _key(row, wanted, counts), reverse=wanted.down)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _fits(
    row: SchoolRow,
    wanted: Asked,
    words: list[str],
    counts: Callable[[SchoolRow], tuple[int, int]],
) -> bool:
    text = _plain(f"{row.name} {row.code}") if words else ""
    if not all(word in text for word in words):
        return False
    if wanted.district not in ("", row.district) or wanted.hearing not in ("", row.hearing):
        return False
    if wanted.verdict:
        own = row.verdicts
        among = [own.get(wanted.indicator)] if wanted.indicator else [*own.values()]
        if wanted.verdict not in among:
            return False
    return not wanted.trouble or bool(counts(row)[wanted.trouble == "faults"])


#: The columns beside the indicators. What is not known sorts last.
_KEYS: Mapping[str, Callable[[SchoolRow], Any]] = {
    "name": lambda row: row.name,
    "code": lambda row: row.code,
    "district": lambda row: row.district,
    "type": lambda row: row.type,
    "hearing": lambda row: (_HEARING[row.hearing], row.last_day or dt.date.min),
    "pcs": lambda row: row.pcs,
    "missing": lambda row: 0,
    "faults": lambda row: 0,
    "p90": lambda row: (row.p90 is None, row.p90 or 0.0),
}


def _key(
    row: SchoolRow, wanted: Asked, counts: Callable[[SchoolRow], tuple[int, int]]
) -> tuple[Any, str]:
    if wanted.sort in ("missing", "faults"):
        return counts(row)[wanted.sort == "faults"], row.code
    if wanted.sort in _KEYS:
        return _KEYS[wanted.sort](row), row.code
    return ORDER.get(row.verdicts.get(wanted.sort, ""), len(ORDER)), row.code
