"""Cells of a workbook: what a spreadsheet made of them is read rightly, or told with the fix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.roster.rows import Rows
from collector.roster.sheets import errors
from register_books import TITLES
from register_faults import CELLS

from .conftest import Sheets, only, place, read


@pytest.mark.parametrize(("sheet", "row", "column", "text", "said"), CELLS)
def test_a_wrong_cell_is_told_as_in_csv(
    tmp_path: Path, sheets: Sheets, sheet: str, row: int, column: str, text: str, said: str
) -> None:
    def spoil(book: Any) -> None:
        cell = place(book, sheet, row, column)
        cell.value = text or None
        cell.data_type = "s" if text else "n"

    rows, problems = read(tmp_path, sheets, spoil)
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
    rows, problems = read(tmp_path, sheets, lambda book: put(place(book, sheet, row, column)))
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
    rows, problems = read(tmp_path, sheets, lambda book: put(place(book, sheet, row, column)))
    assert rows == Rows()
    found = [p for p in errors(problems) if said in str(p)]
    assert [(p.file, p.row, p.column) for p in found] == [
        (f"台账.xlsx「{TITLES[sheet]}」表", row, column)
    ]
    assert found[0].fix


def test_a_formula_without_a_saved_value(tmp_path: Path, sheets: Sheets) -> None:
    """As programs write them that do not compute."""
    rows, problems = read(
        tmp_path, sheets, lambda b: setattr(place(b, "rooms", 2, "座位数"), "value", "=40+5")
    )
    found = only(errors(problems))
    assert (found.file, found.row, found.column) == ("台账.xlsx「教室」表", 2, "座位数")
    assert "公式" in found.wrong
    assert "粘贴为数值" in found.fix
    assert rows == Rows()


@pytest.mark.parametrize("value", ["#REF!", "#N/A", "#DIV/0!", "#NAME?"])
def test_an_error_value(tmp_path: Path, sheets: Sheets, value: str) -> None:
    def spoil(book: Any) -> None:
        cell = place(book, "campuses", 2, "地址")
        cell.value, cell.data_type = value, "e"

    found = only(errors(read(tmp_path, sheets, spoil)[1]))
    assert (found.row, found.column, found.value) == (2, "地址", value)


def test_merged_cells_are_told_once_and_not_as_empty_ones(tmp_path: Path, sheets: Sheets) -> None:
    def merge(book: Any) -> None:
        book["班级"].merge_cells("A3:A4")
        book["班级"].merge_cells("H1:J1")  # beside the table
        book["班级"].merge_cells("A20:C20")  # below it

    found = only(errors(read(tmp_path, sheets, merge)[1]))
    assert (found.file, found.row, found.column) == ("台账.xlsx「班级」表", 3, "学校标识码")
    assert "A3:A4" in found.wrong
    assert "取消合并" in found.fix


def test_blank_cells_that_are_formatted(tmp_path: Path, sheets: Sheets, good: Rows) -> None:
    def format_(book: Any) -> None:
        for sheet in book.worksheets:
            for row in (30, 5000):
                for column in range(1, 40):
                    sheet.cell(row, column).number_format = "@"
            sheet.cell(3000, 2).value = " "

    assert read(tmp_path, sheets, format_) == (good, [])


def test_a_cell_far_to_the_right(tmp_path: Path, sheets: Sheets) -> None:
    found = read(tmp_path, sheets, lambda book: book["教室"].cell(3, 5000, "x"))[1]
    assert any("第 3 行在第 1024 列以后" in p.wrong and "右边" in p.fix for p in errors(found))
