"""Forms spoiled in every way, and files that are none: told with their place, nothing recorded."""
# ruff: noqa: E501  (a case a row reads as the table it is)

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from agent.common.calendar import CITY_TIME
from inspection_forms import ROOM, Desk, cells, copied, swapped

TODAY = dt.datetime.now(CITY_TIME).date()


def merged(where: str) -> Callable[[Any], None]:
    return lambda book: book.active.merge_cells(where)


def twice(book: Any) -> None:
    book.active.append(["多媒体", "七(1)班", "", "", "否"])


SPOILED: list[tuple[str, Callable[[Any], None], str]] = [
    ("another school's code", cells(F2="9963020001"),
     "「学校标识码」列: 「9963020001」与表号不符：这张表是 9963030001 的。"),
    ("no such school", cells(F2="9963999999", B4=None), "第 2 行 「学校标识码」列: 「9963999999」台账里没有"),
    ("the number edited", cells(B4="9963030001-0001-4"), "第 4 行 「表号」列: 「9963030001-0001-4」不是表号"),
    ("a form of another register", cells(B4="9963030001-0007-2"), "是另一份台账的表"),
    ("a heading edited", cells(E6="合格与否？"), "第 6 行 「现场是否符合」列: 没有这一列"),
    ("the classes' heading gone", cells(B6=None), "第 6 行 「班级」列: 没有这一列"),
    ("answers merged", merged("E9:E10"), "第 9 行 「现场是否符合」列: E9:E10 是合并单元格"),
    ("classes merged", merged("B9:B10"), "第 9 行 「班级」列: B9:B10 是合并单元格"),
    ("no inspector", cells(F3=None), "第 3 行 「核查人」列: 是空的"),
    ("no date", cells(B3=None), "第 3 行 「核查日期」列: 是空的"),
    ("a future date", cells(B3=TODAY + dt.timedelta(days=1)), "第 3 行 「核查日期」列: 「"),
    ("no date at all", cells(B3="上周三"), "第 3 行 「核查日期」列: 「上周三」不是日期"),
    ("a date that computes itself", cells(B3="=TODAY()"), "第 3 行 「核查日期」列: 是公式"),
    ("an answer that computes itself", cells(E9='=IF(1,"是","否")'), "第 9 行 「现场是否符合」列: 是公式"),
    ("an answer that nobody knows", cells(E9="大概有"), "第 9 行 「现场是否符合」列: 「大概有」不认识这个词"),
    ("a class renamed", cells(B9="七（1）斑"), "第 9 行 「班级」列: 「七（1）斑」不是这所学校的班级。办法：是不是「七（1）班」"),
    ("a class's name gone", cells(B9=None), "第 9 行 「班级」列: 多媒体指标要填班级"),
    ("an indicator gone", cells(A9=None), "第 9 行 「指标」列: 是空的"),
    ("an indicator of their own", cells(A9="投影"), "第 9 行 「指标」列: 「投影」不认识这个词"),
    ("a row that says otherwise", twice, "第 11 行 「现场是否符合」列: 「否」与第 9 行（是）说的不一样"),
    ("a copy that says otherwise", copied(E9="否"),
     "「核查表 Copy」表 第 9 行 「现场是否符合」列: 「否」与填好.xlsx 「核查表」表 第 9 行（是）说的不一样"),
    ("Excel's number as text", cells(B3="46307"), "「46307」是 Excel 的日期序号"),
    ("a label gone", cells(E3=None, F3=None), "「核查人」列: 表头里没有这一项"),
    ("columns moved without their headings", swapped(ROOM), "第 7 行 「现场是否符合」列: 「计算机教室」不认识这个词"),
    ("nothing filled in", cells(E7=None, E8=None, E9=None, E10=None), "一行也没有填（4 行都空着）"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in SPOILED],
                         ids=[case[0] for case in SPOILED])  # fmt: skip
def test_a_spoiled_form_is_told_with_its_place_and_nothing_recorded(
    desk: Desk, change: Callable[[Any], None], said: str
) -> None:
    code, text = desk.read(desk.filled(change), "--yes")
    assert said in text
    assert (code, desk.answers()) == (1, [])
    assert not (desk.typed.data / "inspections").exists()


def _hostile(large: str = "") -> bytes:
    """A workbook that declares an entity, or whose parts unpack to much."""
    types = f"<x>{large}</x>" if large else '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///">]><x>&a;</x>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", types)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK\x03\x04 cut off", "文件已损坏"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "有打开密码"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0 old", "旧格式"),
        ("a.xlsx", _hostile(), "声明了外部实体"),
        ("a.xlsx", _hostile("x" * (17 << 20)), "太大"),
        ("a.xls", b"\xd0\xcf\x11\xe0 old", "Excel"),
        ("a.xlsx", None, "没有这个文件"),
        ("a.csv", "姓名,分数\n张三,9\n".encode(), "没有核查表"),
        ("a.csv", b"", "是空文件"),
    ],
)
def test_a_file_that_is_no_form(desk: Desk, name: str, content: bytes | None, said: str) -> None:
    path = desk.path.with_name(name)
    if content is not None:
        path.write_bytes(content)
    code, text = desk.read(path, "--yes")
    assert (code, said in text, desk.answers()) == (1, True, []), text


def test_a_workbook_of_something_else(desk: Desk) -> None:
    book = Workbook()
    book.active.append(["学校标识码", "学校名称"])
    path = desk.path.with_name("学校.xlsx")
    book.save(path)
    code, text = desk.read(path, "--yes")
    assert (code, "里没有核查表" in text) == (1, True)
