"""Rows as CSV: what other programs see, and that the same rows come back."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.archive import table
from collector.archive.table import TableError
from collector.compliance.model import Verdict
from collector.roster.register import Inspection, SchoolClass

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
DAY = dt.date(2024, 2, 29)


@dataclass(frozen=True)
class Odd:
    """Every type that a field of ours may have."""

    name: str = ""
    note: str | None = None
    count: int | None = None
    rate: float | None = None
    sure: bool | None = None
    verdict: Verdict = Verdict.SHORT
    rooms: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()
    why: Mapping[str, int] = field(default_factory=dict)
    at: dt.datetime | None = None
    day: dt.date | None = None
    time: int = 0


ODD = st.builds(
    Odd,
    name=TEXT,
    note=st.none() | TEXT,
    count=st.none() | st.integers(-(2**70), 2**70),
    rate=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    sure=st.none() | st.booleans(),
    verdict=st.sampled_from(Verdict),
    rooms=st.lists(TEXT, max_size=3).map(tuple),
    seen=st.frozensets(TEXT, max_size=3),
    why=st.dictionaries(TEXT, st.integers(0, 9), max_size=3),
    at=st.none() | st.datetimes(timezones=st.just(dt.UTC)),
    day=st.none() | st.dates(),
    time=st.integers(0, 4 * 10**18),
)


@given(st.lists(ODD, max_size=4))
def test_the_same_rows_come_back(rows: list[Odd]) -> None:
    assert table.read(Odd, table.write(Odd, rows)) == rows


@given(st.lists(ODD, max_size=4), st.randoms())
def test_the_order_of_evidence_is_no_matter(rows: list[Odd], dice: object) -> None:
    data = table.write(Odd, rows, ordered=False)
    getattr(dice, "shuffle")(rows)  # noqa: B009
    assert table.write(Odd, rows, ordered=False) == data


@given(st.lists(ODD, max_size=4))
def test_a_spreadsheet_sees_the_columns_and_no_formula(rows: list[Odd]) -> None:
    data = table.write(Odd, rows)
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert lines[0] == [item.name for item in dataclasses.fields(Odd)]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert not any(line[0].startswith(("=", "+", "-", "@")) for line in lines)


def test_what_people_read() -> None:
    row = Odd("七(1)班", None, 2, 9.7, False, seen=frozenset({"sound", "computer"}), day=DAY)
    moment = dataclasses.replace(row, name="=1+1", time=1_709_179_200_000_000_123)
    assert table.write(Odd, [row, moment]).decode("utf-8-sig").splitlines() == [
        "name,note,count,rate,sure,verdict,rooms,seen,why,at,day,time",
        '七(1)班,,2,9.7,false,short,[],"[""computer"",""sound""]",{},,2024-02-29,'
        "1970-01-01 08:00:00.000000000",
        """'=1+1,,2,9.7,false,short,[],"[""computer"",""sound""]",{},,2024-02-29,"""
        "2024-02-29 12:00:00.000000123",
    ]


def test_a_column_that_is_older_than_the_field_gets_its_default() -> None:
    data = "school,name\r\n1,一班\r\n".encode()
    assert table.read(SchoolClass, data) == [SchoolClass("1", "一班")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("school,name,colour\r\n1,一班,red\r\n", "colour"),
        ("", "unknown"),
        ("school,name,start\r\n1,一班,yesterday\r\n", "yesterday"),
        ("school\r\n1\r\n", "name"),
        ("school,name\r\n1\r\n", "shorter"),
        ('school,name\r\n1,"一班\r\n', "end of data"),
    ],
)
def test_what_cannot_be_read_is_said(data: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        table.read(SchoolClass, data.encode())


def test_a_wrong_word_for_yes_is_no_silent_no() -> None:
    data = table.write(Inspection, [Inspection("1", "line", "", DAY, "x", True)])
    with pytest.raises(TableError, match="yes"):
        table.read(Inspection, data.replace(b"true", b"yes"))


def test_bytes_that_are_no_utf_8_are_said() -> None:
    with pytest.raises(TableError, match="utf-8"):
        table.read(SchoolClass, b"school,name\r\n1,\xff\r\n")
