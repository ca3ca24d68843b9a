"""One school or one sheet of the register imported by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.roster.book import RegisterBook
from collector.roster.sheets import write_book
from register_sheets import SHEETS
from typed import Typed

from .conftest import new_school


def test_one_school_of_a_folder(typed: Typed, book: RegisterBook, city: Path) -> None:
    """The folder has a wrong row of another school, and lacks a school: neither matters."""
    before = book.rows()
    for name, text in SHEETS.items():
        kept = [line for line in text.splitlines() if not line.startswith("9963020009")]
        changed = "\n".join(kept).replace("100,示例运营商", "500,示例运营商").replace("1G", "坏")
        (city / f"{name}.csv").write_text(changed + "\n", encoding="utf-8")
    code, text = typed("roster", "import", city, "--school", "9963020001")
    assert code == 0, text
    first, *rest = before.lines
    changed_line = dataclasses.replace(first, contract_mbps=500.0)
    assert book.rows() == dataclasses.replace(before, lines=(changed_line, *rest))
    assert book.history()[-1].part == {"schools": ["9963020001"]}
    assert "部分：9963020001" in typed("roster", "history")[1]


def test_a_new_school_beside_the_others(
    typed: Typed, book: RegisterBook, city: Path, tmp_path: Path
) -> None:
    before = book.rows()
    one = new_school(tmp_path / "one")
    assert typed("roster", "import", one, "--school", "9963020005")[0] == 0
    after = book.rows()
    assert after.schools[:-1] == before.schools
    assert after.schools[-1].name == "城东区新校"
    assert after.calendar == before.calendar, "a calendar is of no school"
    assert after.rooms[:-1] == before.rooms


def test_a_school_that_is_in_no_sheet(typed: Typed, city: Path, book: RegisterBook) -> None:
    code, text = typed("roster", "import", city, "--school", "9963020008")
    assert (code, len(book.history())) == (1, 1)
    assert "--school: 「9963020008」各表里没有这所学校的行" in text


@pytest.mark.parametrize(
    "words", [("rooms.csv",), (".", "--sheet", "教室"), (".", "--sheet", "rooms")]
)
def test_one_sheet(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path], words: tuple[str, ...]
) -> None:
    before = book.rows()
    spoil("rooms", 3, "座位数", "60")
    spoil("lines", 2, "合同带宽", "5")
    path, *rest = words
    code, text = typed("roster", "import", city / path, *rest)
    assert code == 0, text
    rooms = [dataclasses.replace(row, seats=60) if row.seats == 50 else row for row in before.rooms]
    assert book.rows() == dataclasses.replace(before, rooms=tuple(rooms))
    assert book.history()[-1].part == {"sheets": ["rooms"]}


def test_a_part_of_a_workbook(typed: Typed, book: RegisterBook, city: Path, tmp_path: Path) -> None:
    before = book.rows()
    lines = tuple(dataclasses.replace(row, contract_mbps=7.0) for row in before.lines)
    seats = tuple(dataclasses.replace(row, seats=9) for row in before.rooms)
    path = tmp_path / "全市.xlsx"
    write_book(path, dataclasses.replace(before, lines=lines, rooms=seats))
    code, text = typed("roster", "import", path, "--sheet", "线路")
    assert code == 0, text
    assert book.rows() == dataclasses.replace(before, lines=lines)
    assert list(book.history()[-1].sheets) == ["全市.xlsx"]
    code, text = typed("roster", "import", path, "--sheet", "rooms", "--school", "9963020001")
    assert code == 0, text
    assert {(row.school, row.seats == 9) for row in book.rows().rooms} == {
        ("9963020001", True), ("9963030001", False)
    }  # fmt: skip
    assert book.rows().lines == lines
    part = {"schools": ["9963020001"], "sheets": ["rooms"]}
    assert book.history()[-1].part == part


def test_one_sheet_must_fit_the_register_in_force(
    typed: Typed, book: RegisterBook, city: Path, spoil: Callable[..., Path]
) -> None:
    spoil("rooms", 2, "教室编号", "0102")
    code, text = typed("roster", "import", city / "rooms.csv", "--remove")
    assert (code, len(book.history())) == (1, 1)
    assert "现行台账「班级」表 第 2 行 「教室编号」列: 「0101」" in text
    spoil("rooms", 2, "教室编号", "0101")
    spoil("rooms", 3, "校区", "东校区")
    code, text = typed("roster", "import", city / "rooms.csv")
    assert (code, "rooms.csv 第 3 行 「校区」列: 「东校区」" in text) == (1, True)


def test_a_sheet_that_is_none(typed: Typed, city: Path, tmp_path: Path) -> None:
    code, text = typed("roster", "import", city, "--sheet", "教师")
    assert (code, "教室" in text) == (2, True)
    (tmp_path / "成绩.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    code, text = typed("roster", "import", tmp_path / "成绩.csv")
    assert (code, "没有读到台账的表" in text) == (1, True)
    (city / "machines.csv").unlink()
    code, text = typed("roster", "import", city, "--sheet", "machines")
    assert (code, "没有读到这张表" in text) == (1, True)
