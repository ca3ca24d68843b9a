"""Workbooks: read as CSV is, and what only they can hold is told with sheet, row and column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.roster.problems import Problem
from collector.roster.rows import Rows
from collector.roster.sheets import errors, hashes, read_folder, records, warnings
from collector.roster.sheets.workbook import sheets as sheets_of
from register_books import TITLES, write_book
from register_faults import CELLS

Sheets = dict[str, str]


@pytest.fixture
def good(folder: Path) -> Rows:
    rows, problems = read_folder(folder)
    assert not errors(problems)
    return rows


def _only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def _place(book: Any, sheet: str, row: int, heading: str) -> Any:
    """The cell of (sheet, spreadsheet row, heading)."""
    found = book[TITLES[sheet]]
    headings = [cell.value for cell in found[1]]
    return found.cell(row, headings.index(heading) + 1)


def _read(tmp_path: Path, sheets: Sheets, change: Callable[[Any], None]) -> Any:
    return read_folder(write_book(tmp_path / "book", sheets, change))


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


@pytest.mark.parametrize(("sheet", "row", "column", "text", "said"), CELLS)
def test_a_wrong_cell_is_told_as_in_csv(
    tmp_path: Path, sheets: Sheets, sheet: str, row: int, column: str, text: str, said: str
) -> None:
    def spoil(book: Any) -> None:
        cell = _place(book, sheet, row, column)
        cell.value = text or None
        cell.data_type = "s" if text else "n"

    rows, problems = _read(tmp_path, sheets, spoil)
    assert rows == Rows()
    label = f"台账.xlsx「{TITLES[sheet]}」表"
    here = [p for p in errors(problems) if p.file == label and _named(said) in str(p)]
    assert (row, column) in {(p.row, p.column) for p in here}, "\n".join(map(str, problems))
    assert all(p.fix for p in here)


def _named(said: str) -> str:
    """Messages name a sheet as its keeper does."""
    return TITLES.get(said, said.replace("「schools」", "「学校」"))


def _number(value: float, form: str = "General") -> Callable[[Any], None]:
    def put(cell: Any) -> None:
        cell.value, cell.number_format = value, form

    return put


def _day(value: dt.date, form: str = "yyyy-mm-dd") -> Callable[[Any], None]:
    return lambda cell: (setattr(cell, "value", value), setattr(cell, "number_format", form))[0]


@pytest.mark.parametrize(
    ("sheet", "row", "column", "put", "field", "value"),
    [
        pytest.param(
            "schools", 2, "学校标识码", _number(9963020001), "code", "9963020001", id="a code"
        ),
        pytest.param("rooms", 2, "教室编号", _number(101, "0000"), "room", "0101", id="zeros"),
        pytest.param("rooms", 4, "教室编号", _number(201), "room", "201", id="a number"),
        pytest.param("rooms", 2, "座位数", _number(45.0, "0.00"), "seats", 45, id="a decimal"),
        pytest.param("campuses", 2, "纬度", _number(36.61), "latitude", 36.61, id="degrees"),
        pytest.param("lines", 2, "合同带宽", _number(1e2), "contract_mbps", 100, id="a rate"),
        pytest.param(
            "schools", 2, "开办日期", _day(dt.date(2012, 9, 1)), "opened",
            dt.date(2012, 9, 1), id="day",
        ),
        pytest.param(
            "schools", 2, "开办日期", _day(dt.date(2012, 9, 1), "m/d/yy"), "opened",
            dt.date(2012, 9, 1), id="a day in another form",
        ),
    ],
)  # fmt: skip
def test_numbers_and_days_are_read_as_what_they_show(
    tmp_path: Path, sheets: Sheets, sheet: str, row: int, column: str, put: Any, field: str,
    value: Any,
) -> None:  # fmt: skip
    rows, problems = _read(tmp_path, sheets, lambda book: put(_place(book, sheet, row, column)))
    assert not errors(problems), "\n".join(map(str, problems))
    assert getattr(getattr(rows, sheet)[row - 2], field) == value


@pytest.mark.parametrize(
    ("sheet", "row", "column", "put", "said"),
    [
        ("schools", 2, "学校标识码", _number(21101234), "8 位"),
        ("rooms", 2, "教室编号", _day(dt.date(2026, 1, 1), "m-d"), "原来多半是 1-1"),
        ("rooms", 2, "教室编号", _day(dt.date(2026, 6, 12), "mmm-yy"), "原来多半是 6-12"),
        ("classes", 2, "班级", _day(dt.date(2026, 3, 2)), "改成了日期"),
        ("rooms", 2, "座位数", _day(dt.date(2026, 3, 2)), "改成了日期"),
        ("equipment", 2, "序列号", _number(123456789012345678), "科学计数"),
        ("rooms", 2, "教室编号", _number(1.01e21), "科学计数"),
        ("schools", 2, "开办日期", _number(46266), "日期序号"),
        (
            "schools",
            2,
            "开办日期",
            _day(dt.datetime(2012, 9, 1, 8, 30), "yyyy-m-d h:mm"),
            "不是日期",
        ),
        ("rooms", 2, "座位数", _number(45.5), "整数"),
        ("rooms", 2, "座位数", lambda cell: setattr(cell, "value", True), "整数"),
    ],
)
def test_what_a_spreadsheet_made_of_a_cell_is_told_with_the_fix(
    tmp_path: Path, sheets: Sheets, sheet: str, row: int, column: str, put: Any, said: str
) -> None:
    rows, problems = _read(tmp_path, sheets, lambda book: put(_place(book, sheet, row, column)))
    assert rows == Rows()
    found = [p for p in errors(problems) if said in str(p)]
    assert [(p.file, p.row, p.column) for p in found] == [
        (f"台账.xlsx「{TITLES[sheet]}」表", row, column)
    ]
    assert found[0].fix


def test_a_formula_without_a_saved_value(tmp_path: Path, sheets: Sheets) -> None:
    """As programs write them that do not compute."""
    rows, problems = _read(
        tmp_path, sheets, lambda b: setattr(_place(b, "rooms", 2, "座位数"), "value", "=40+5")
    )
    found = _only(errors(problems))
    assert (found.file, found.row, found.column) == ("台账.xlsx「教室」表", 2, "座位数")
    assert "公式" in found.wrong
    assert "粘贴为数值" in found.fix
    assert rows == Rows()


@pytest.mark.parametrize("value", ["#REF!", "#N/A", "#DIV/0!", "#NAME?"])
def test_an_error_value(tmp_path: Path, sheets: Sheets, value: str) -> None:
    def spoil(book: Any) -> None:
        cell = _place(book, "campuses", 2, "地址")
        cell.value, cell.data_type = value, "e"

    found = _only(errors(_read(tmp_path, sheets, spoil)[1]))
    assert (found.row, found.column, found.value) == (2, "地址", value)


def test_merged_cells_are_told_once_and_not_as_empty_ones(tmp_path: Path, sheets: Sheets) -> None:
    def merge(book: Any) -> None:
        book["班级"].merge_cells("A3:A4")
        book["班级"].merge_cells("H1:J1")  # beside the table
        book["班级"].merge_cells("A20:C20")  # below it

    found = _only(errors(_read(tmp_path, sheets, merge)[1]))
    assert (found.file, found.row, found.column) == ("台账.xlsx「班级」表", 3, "学校标识码")
    assert "A3:A4" in found.wrong
    assert "取消合并" in found.fix


def test_a_title_above_the_headings(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def title(book: Any) -> None:
        for sheet in book.worksheets:
            sheet.insert_rows(1, 2)
            sheet["A1"] = f"西宁市{sheet.title}信息统计表"
            sheet["A2"] = "单位：所、间、台"
            sheet.merge_cells("A1:E1")

    assert _read(tmp_path, sheets, title) == (good, [])


def test_rows_are_counted_with_the_title(tmp_path: Path, sheets: Sheets) -> None:
    def title(book: Any) -> None:
        book["教室"].insert_rows(1, 3)
        book["教室"]["A2"] = "教室信息统计表"
        book["教室"]["F5"] = "很多"

    found = _only(errors(_read(tmp_path, sheets, title)[1]))
    assert (found.row, found.column) == (5, "座位数")


def test_sums_and_signatures_below_are_not_read(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def sign(book: Any) -> None:
        book["设备"].append(["合计", None, None, 3])
        book["设备"].append([None, "填表人：张", None, "审核："])
        book["学校"].append(["注：撤并的学校也要填"])

    rows, problems = _read(tmp_path, sheets, sign)
    assert rows == good
    assert [(p.file, p.row, p.warning) for p in problems] == [
        ("台账.xlsx「学校」表", 5, True), ("台账.xlsx「设备」表", 5, True),
        ("台账.xlsx「设备」表", 6, True),
    ]  # fmt: skip


def test_blank_cells_that_are_formatted(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def format_(book: Any) -> None:
        for sheet in book.worksheets:
            for row in (30, 5000):
                for column in range(1, 40):
                    sheet.cell(row, column).number_format = "@"
            sheet.cell(3000, 2).value = " "

    assert _read(tmp_path, sheets, format_) == (good, [])


def test_hidden_columns_rows_and_sheets_are_read_and_told(
    tmp_path: Path, sheets: Sheets, good: Rows
) -> None:
    def hide(book: Any) -> None:
        book["教室"].column_dimensions["F"].hidden = True
        book["教室"].column_dimensions["Z"].hidden = True
        book["班级"].row_dimensions[3].hidden = True
        book["设备"].sheet_state = "hidden"

    rows, problems = _read(tmp_path, sheets, hide)
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

    rows, problems = _read(tmp_path, sheets, copy)
    assert rows == good
    assert "隐藏的没有读" in _only(problems).fix


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

    rows, problems = _read(tmp_path, sheets, rename)
    assert rows == good
    assert all(p.warning and "按列名" in p.wrong and name in p.file for p in problems)


def test_messages_use_the_names_of_the_keeper(tmp_path: Path, sheets: Sheets) -> None:
    def rename(book: Any) -> None:
        book["学校"].title, book["教室"].title = "学校信息表", "房间"
        book["房间"]["C1"], book["房间"]["C2"] = "房间号", None
        book["班级"]["A2"], book["班级"]["C3"] = "9963020002", "999"

    said = [str(p) for p in errors(_read(tmp_path, sheets, rename)[1])]
    assert any("不在「学校信息表」表中" in text for text in said)
    assert any("不在「房间」表这所学校的教室里" in text for text in said)
    assert any("台账.xlsx「房间」表 第 2 行 「房间号」列" in text for text in said)


def test_the_same_sheet_in_two_files(folder: Path, sheets: Sheets) -> None:
    write_book(folder, {"rooms": sheets["rooms"]}, name="补.xlsx")
    found = _only(errors(read_folder(folder)[1]))
    assert "是同一张表" in found.wrong
    assert "补.xlsx" in str(found)
    assert "rooms.csv" in str(found)


def test_a_sheet_of_something_else_is_named_and_left(
    tmp_path: Path, sheets: Sheets, good: Rows
) -> None:
    def add(book: Any) -> None:
        book.create_sheet("食堂").append(["日期", "菜名"])
        book.create_sheet("填表说明").append(["每所学校一行"])

    rows, problems = _read(tmp_path, sheets, add)
    assert rows == good
    found = _only(warnings(problems))
    assert ("食堂" in found.file, found.wrong) == (True, "不是台账的表，已忽略")


def test_a_missing_sheet_of_a_workbook(tmp_path: Path, sheets: Sheets) -> None:
    found = _only(errors(_read(tmp_path, sheets, lambda book: book.remove(book["班级"]))[1]))
    assert "班级" in found.wrong
    assert "工作簿里命名为「班级」" in found.fix


def test_rows_beyond_the_limit_are_refused_whole(
    tmp_path: Path, sheets: Sheets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_ROWS", 2)
    rows, problems = _read(tmp_path, sheets, lambda book: None)
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


def test_a_cell_far_to_the_right(tmp_path: Path, sheets: Sheets) -> None:
    found = _read(tmp_path, sheets, lambda book: book["教室"].cell(3, 5000, "x"))[1]
    assert any("第 3 行在第 1024 列以后" in p.wrong and "右边" in p.fix for p in errors(found))
