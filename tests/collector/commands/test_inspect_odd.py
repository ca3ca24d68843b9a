"""Forms filled in oddly are read rightly."""
# ruff: noqa: E501  (a case a row reads as the table it is)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inspection_forms import CODE, DAY, FIRST, WHOLE, Desk, cells, copied, swapped


def without(row: int) -> Callable[[Any], None]:
    return lambda book: book.active.delete_rows(row)


def lowered(book: Any) -> None:
    """Two lines above all; openpyxl leaves merged cells where they were."""
    sheet = book.active
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(span.coord)
    sheet.insert_rows(1, 2)
    sheet["A1"] = "城东区教育局 2026 年检查"


ODD: list[tuple[str, Callable[[Any], None], list[int], str]] = [
    ("half filled", cells(E7=None, E9=None), [1, 3], "2 行没有填"),
    ("a row deleted", without(FIRST), [0, 1, 3], ""),
    ("a row of blanks between", lambda book: book.active.insert_rows(FIRST), [0, 1, 2, 3], ""),
    ("a date as text", cells(B3="2026年10月12日"), [0, 1, 2, 3], ""),
    ("a date with dots, blanks around", cells(B3=" 2026.10.12 ", F3=" 核查组 "), [0, 1, 2, 3], ""),
    ("answers as ticks, words, letters", cells(E7="✓", E8="✗", E9="符合", E10="N"), [0, 1, 2, 3], ""),
    ("a class with narrow brackets", cells(B9="七(1)班", B10="七 （2） 班"), [0, 1, 2, 3], ""),
    ("the school's code as a number", cells(F2=int(CODE)), [0, 1, 2, 3], ""),
    ("a note without an answer", cells(E9=None, F9="锁着门"), [0, 1, 3], "有备注而没有答案"),
    ("a copy of the sheet", copied(), [0, 1, 2, 3], "相同，只登记一次"),
    ("an empty copy", copied(B3=None, E7=None, E8=None, E9=None, E10=None), [0, 1, 2, 3], "4 行没有填"),
    ("another sheet beside it", lambda book: book.create_sheet("成绩").append(["姓名", "分"]),
     [0, 1, 2, 3], ""),
    ("a heading in other words", cells(E6="是否符合（是/否）", B6="班级名称"), [0, 1, 2, 3], ""),
    ("two lines above", lowered, [0, 1, 2, 3], ""),
    ("columns in another order", swapped(6), [0, 1, 2, 3], ""),
    ("a day as Excel keeps it", cells(B3=46307), [0, 1, 2, 3], ""),
    ("a line of words below", cells(A12="以上核查属实，签名：张三"), [0, 1, 2, 3], ""),
    ("label and value in one cell", cells(E3="核查人：核查组", F3=None), [0, 1, 2, 3], ""),
    ("no number", cells(B4=None), [0, 1, 2, 3], "没有表号"),
    ("a hidden row", lambda book: setattr(book.active.row_dimensions[9], "hidden", True),
     [0, 1, 2, 3], ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rows", "said"), [case[1:] for case in ODD],
                         ids=[case[0] for case in ODD])  # fmt: skip
def test_an_odd_form_is_read_rightly(
    desk: Desk, change: Callable[[Any], None], rows: list[int], said: str
) -> None:
    code, text = desk.read(desk.filled(change), "--yes")
    assert (code, desk.answers()) == (0, [WHOLE[row] for row in rows]), text
    assert said in text
    assert {(row.day, row.inspector) for row in desk.book.inspections()} == {(DAY, "核查组")}
