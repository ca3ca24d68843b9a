"""Workbooks: read as CSV is, and what only they can hold is told with sheet, row and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.roster.rows import Rows
from collector.roster.sheets import errors, hashes, read_folder, records, warnings
from collector.roster.sheets.workbook import sheets as sheets_of
from register_books import write_book

from .conftest import Sheets, only, read


def test_a_workbook_gives_what_the_files_give(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    path = write_book(tmp_path / "book", sheets)
    assert read_folder(path) == (good, [])
    assert read_folder(path.parent) == (good, []), "a folder that holds it"
    assert list(hashes(path)) == ["台账.xlsx"]


def test_several_workbooks_and_a_csv(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    names = list(sheets)
    write_book(tmp_path / "b", {name: sheets[name] for name in names[:3]}, name="一.xlsx")
    write_book(tmp_path / "b", {name: sheets[name] for name in names[3:7]}, name="二.xlsx")
    (tmp_path / "b" / "校历.csv").write_bytes(sheets["calendar"].encode("gbk"))
    (tmp_path / "b" / "~$一.xlsx").write_bytes(b"\x03root")  # Excel's mark that it is open
    assert read_folder(tmp_path / "b") == (good, [])
    assert list(hashes(tmp_path / "b")) == ["一.xlsx", "二.xlsx", "校历.csv"]


def test_a_title_above_the_headings(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def title(book: Any) -> None:
        for sheet in book.worksheets:
            sheet.insert_rows(1, 2)
            sheet["A1"] = f"西宁市{sheet.title}信息统计表"
            sheet["A2"] = "单位：所、间、台"
            sheet.merge_cells("A1:E1")

    assert read(tmp_path, sheets, title) == (good, [])


def test_rows_are_counted_with_the_title(tmp_path: Path, sheets: Sheets) -> None:
    def title(book: Any) -> None:
        book["教室"].insert_rows(1, 3)
        book["教室"]["A2"] = "教室信息统计表"
        book["教室"]["F5"] = "很多"

    found = only(errors(read(tmp_path, sheets, title)[1]))
    assert (found.row, found.column) == (5, "座位数")


def test_sums_and_signatures_below_are_not_read(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def sign(book: Any) -> None:
        book["设备"].append(["合计", None, None, 3])
        book["设备"].append([None, "填表人：张", None, "审核："])
        book["学校"].append(["注：撤并的学校也要填"])

    rows, problems = read(tmp_path, sheets, sign)
    assert rows == good
    assert [(p.file, p.row, p.warning) for p in problems] == [
        ("台账.xlsx「学校」表", 5, True), ("台账.xlsx「设备」表", 5, True),
        ("台账.xlsx「设备」表", 6, True),
    ]  # fmt: skip


def test_hidden_columns_rows_and_sheets_are_read_and_told(
    tmp_path: Path, sheets: Sheets, good: Rows
) -> None:
    def hide(book: Any) -> None:
        book["教室"].column_dimensions["F"].hidden = True
        book["教室"].column_dimensions["Z"].hidden = True
        book["班级"].row_dimensions[3].hidden = True
        book["设备"].sheet_state = "hidden"

    rows, problems = read(tmp_path, sheets, hide)
    assert rows == good
    assert {(p.file, p.row, p.column) for p in problems} == {
        ("台账.xlsx「教室」表", 1, "座位数"), ("台账.xlsx「班级」表", 3, ""),
        ("台账.xlsx「设备」表", None, ""),
    }  # fmt: skip
    assert all(p.warning and "隐藏" in p.wrong for p in problems)


def test_a_hidden_old_copy_is_not_read(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def copy(book: Any) -> None:
        old = book.copy_worksheet(book["学校"])
        old.title, old.sheet_state = "学校 2025", "hidden"
        book.move_sheet(old, -8)
        book.create_sheet("列表").sheet_state = "veryHidden"

    rows, problems = read(tmp_path, sheets, copy)
    assert rows == good
    assert "隐藏的没有读" in only(problems).fix


@pytest.mark.parametrize(
    "name",
    [
        "1.学校",
        "学校信息表",
        "2026年学校基本情况一览表",
        "学校（2026）",
        "Schools",
        "Sheet1",
        "总表",
    ],
)
def test_a_sheet_is_known_by_its_name_or_headings(
    tmp_path: Path, sheets: Sheets, good: Rows, name: str
) -> None:
    def rename(book: Any) -> None:
        book["学校"].title = name
        book.create_sheet("Sheet2")

    rows, problems = read(tmp_path, sheets, rename)
    assert rows == good
    assert all(p.warning and "按列名" in p.wrong and name in p.file for p in problems)


def test_messages_use_the_names_of_the_keeper(tmp_path: Path, sheets: Sheets) -> None:
    def rename(book: Any) -> None:
        book["学校"].title, book["教室"].title = "学校信息表", "房间"
        book["房间"]["C1"], book["房间"]["C2"] = "房间号", None
        book["班级"]["A2"], book["班级"]["C3"] = "9963020002", "999"

    said = [str(p) for p in errors(read(tmp_path, sheets, rename)[1])]
    assert any("不在「学校信息表」表中" in text for text in said)
    assert any("不在「房间」表这所学校的教室里" in text for text in said)
    assert any("台账.xlsx「房间」表 第 2 行 「房间号」列" in text for text in said)


def test_the_same_sheet_in_two_files(folder: Path, sheets: Sheets) -> None:
    write_book(folder, {"rooms": sheets["rooms"]}, name="补.xlsx")
    found = only(errors(read_folder(folder)[1]))
    assert "是同一张表" in found.wrong
    assert "补.xlsx" in str(found)
    assert "rooms.csv" in str(found)


def test_a_sheet_of_something_else_is_named_and_left(
    tmp_path: Path, sheets: Sheets, good: Rows
) -> None:
    def add(book: Any) -> None:
        book.create_sheet("食堂").append(["日期", "菜名"])
        book.create_sheet("填表说明").append(["每所学校一行"])

    rows, problems = read(tmp_path, sheets, add)
    assert rows == good
    found = only(warnings(problems))
    assert ("食堂" in found.file, found.wrong) == (True, "不是台账的表，已忽略")


def test_a_missing_sheet_of_a_workbook(tmp_path: Path, sheets: Sheets) -> None:
    found = only(errors(read(tmp_path, sheets, lambda book: book.remove(book["班级"]))[1]))
    assert "班级" in found.wrong
    assert "工作簿里命名为「班级」" in found.fix


def test_rows_beyond_the_limit_are_refused_whole(
    tmp_path: Path, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_ROWS", 2)
    rows, problems = read(tmp_path, sheets, lambda book: None)
    assert rows == Rows()
    assert {(p.file, p.row) for p in errors(problems) if "超过 2 行" in p.wrong} >= {
        ("台账.xlsx「学校」表", 4)
    }


def test_rows_are_given_one_by_one(tmp_path: Path, sheets: Sheets) -> None:
    """Nothing of a sheet is held but the row that is read."""
    path = write_book(tmp_path, sheets, lambda book: book["学校"].cell(9, 1, "x"))
    (first, *_), problems = sheets_of(path)
    assert not problems
    assert [number for number, _ in first.rows()] == [1, 2, 3, 4, 9]
