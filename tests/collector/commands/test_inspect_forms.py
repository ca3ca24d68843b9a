"""The form of a school: written, filled in, spoiled in every way, read back by the commands."""
# ruff: noqa: E501  (a case a row reads as the table it is)

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl import Workbook, load_workbook

from agent.common.calendar import CITY_TIME
from collector.roster.book import RegisterBook
from typed import Typed

CODE = "9963030001"  # two classes: 七（1）班 in row 9, 七（2）班 in row 10
ROOM, LINE, FIRST, SECOND = 7, 8, 9, 10
INDICATOR, CLASS, FOUND, NOTE = "A", "B", "E", "F"
DAY = dt.date(2026, 10, 12)
TODAY = dt.datetime.now(CITY_TIME).date()


class Desk(NamedTuple):
    """Where forms are filled in."""

    typed: Typed
    book: RegisterBook
    path: Path  # an empty form

    def filled(self, change: Callable[[Any], None] | None = None) -> Path:
        """The form as it should be filled in, then changed."""
        book = load_workbook(self.path)
        sheet = book.active
        sheet["B3"], sheet["F3"] = dt.datetime(DAY.year, DAY.month, DAY.day), "核查组"
        for row, answer in ((ROOM, "是"), (LINE, "否"), (FIRST, "是"), (SECOND, "否")):
            sheet[f"{FOUND}{row}"] = answer
        if change:
            change(book)
        path = self.path.with_name("填好.xlsx")
        book.save(path)
        return path

    def read(self, path: Path, *words: str) -> tuple[int, str]:
        return self.typed("inspect", "import", path, *words)

    def answers(self) -> list[tuple[str, str, bool]]:
        return [(row.indicator, row.unit, row.found) for row in self.book.inspections()]


@pytest.fixture
def desk(typed: Typed, folder: Path, tmp_path: Path) -> Desk:
    assert typed("roster", "import", folder)[0] == 0
    code, text = typed("inspect", "sheet", "--school", CODE, "--out", tmp_path / "forms")
    assert code == 0, text
    (path,) = (tmp_path / "forms").iterdir()
    return Desk(typed, RegisterBook(typed.data / "register.db"), path)


WHOLE = [
    ("computer_room", "", True),
    ("line", "", False),
    ("multimedia", "七（1）班", True),
    ("multimedia", "七（2）班", False),
]


def test_the_form_says_what_the_register_says(desk: Desk) -> None:
    rows = [[cell.value for cell in row] for row in load_workbook(desk.path).active.iter_rows()]
    assert desk.path.name == f"{CODE}-城中区示例中学-核查表.xlsx"
    assert [row[:4] for row in rows[ROOM - 1 :]] == [
        ["计算机教室", None, None, "没有登记计算机教室"],
        ["带宽（10M 以上）", None, None, "南校区 a 合同 1000 兆；南校区 b 合同 8 兆；北校区 c 带宽未填"],
        ["多媒体", "七（1）班", "201、301", "交互平板 0；没有登记设备"],
        ["多媒体", "七（2）班", None, "没有登记教室"],
    ]  # fmt: skip
    assert (rows[1][5], rows[3][1]) == (CODE, f"{CODE}-0001-3")


def test_a_filled_form_is_shown_asked_for_and_recorded(desk: Desk) -> None:
    path = desk.filled()
    code, text = desk.read(path)
    assert code == 2
    assert f"  新增 {CODE} 城中区示例中学 带宽 10M：否, 2026-10-12 核查组" in text.splitlines()
    assert "会登记新增 4 条、更改 0 条，什么也没有改。确要登记，加 --yes" in text
    assert desk.read(path, "--dry-run")[0] == 0
    assert desk.answers() == []
    code, text = desk.typed.at_terminal("inspect", "import", path, "--by", "甲", answer="y")
    assert (code, "编号 0001-3 至 0004-8" in text) == (0, True), text
    rows = desk.book.inspections()
    assert desk.answers() == WHOLE
    assert {(row.day, row.inspector, row.entered_by, row.file) for row in rows} == {
        (DAY, "核查组", "甲", "填好.xlsx")
    }
    assert [row.threshold_mbps for row in rows] == [None, 10.0, None, None]
    path.unlink()
    assert desk.typed("inspect", "check")[0] == 0, "the form itself is kept"


def test_the_same_form_twice_adds_nothing(desk: Desk) -> None:
    path = desk.filled()
    desk.read(path, "--yes")
    code, text = desk.read(path, "--yes")
    assert (code, "4 行早已登记" in text, len(desk.answers())) == (0, True, 4)


def test_a_corrected_form_replaces_what_it_changes(desk: Desk) -> None:
    desk.read(desk.filled(), "--yes")
    path = desk.filled(lambda book: put(book, f"{FOUND}{SECOND}", "是"))
    code, text = desk.read(path)
    assert (code, "更改 0004-8" in text, "（原为 否）" in text) == (2, True, True)
    code, text = desk.read(path, "--yes", "--json")
    told = json.loads(text)
    assert (told["new"], told["changed"], told["known"], told["added"]) == (0, 1, 3, 1)
    old = desk.book.inspection("4-8")
    assert (old.void, old.found) == ("→ 0005-6", False)


def put(book: Any, cell: str, value: object) -> None:
    book.active[cell] = value


def cells(**values: object) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for cell, value in values.items():
            book.active[cell] = value

    return change


def copied(**values: object) -> Callable[[Any], None]:
    """The sheet copied within the workbook, and cells of the copy changed."""

    def change(book: Any) -> None:
        sheet = book.copy_worksheet(book.active)
        for cell, value in values.items():
            sheet[cell] = value

    return change


def merged(where: str) -> Callable[[Any], None]:
    return lambda book: book.active.merge_cells(where)


def without(row: int) -> Callable[[Any], None]:
    return lambda book: book.active.delete_rows(row)


def swapped(first: int) -> Callable[[Any], None]:
    """Answers and indicators in each other's columns, from a row on."""

    def change(book: Any) -> None:
        sheet = book.active
        for row in range(first, SECOND + 1):
            one, other = sheet[f"{FOUND}{row}"], sheet[f"{INDICATOR}{row}"]
            one.value, other.value = other.value, one.value

    return change


def lowered(book: Any) -> None:
    """Two lines above all; openpyxl leaves merged cells where they were."""
    sheet = book.active
    for span in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(span.coord)
    sheet.insert_rows(1, 2)
    sheet["A1"] = "城东区教育局 2026 年检查"


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


@pytest.mark.parametrize("encoding", ["gbk", "utf-8-sig"])
def test_a_csv_made_of_the_form(desk: Desk, encoding: str) -> None:
    sheet = load_workbook(desk.filled()).active
    text = io.StringIO()
    for row in sheet.iter_rows(values_only=True):
        csv.writer(text).writerow(
            [value.strftime("%Y/%m/%d") if isinstance(value, dt.datetime) else value or ""
             for value in row]
        )  # fmt: skip
    path = desk.path.with_suffix(".csv")
    path.write_bytes(text.getvalue().encode(encoding))
    assert desk.read(path, "--yes")[0] == 0
    assert desk.answers() == WHOLE


def test_an_older_form_says_what_has_changed_since(
    desk: Desk, folder: Path, spoil: Callable[..., Path]
) -> None:
    path = desk.filled()
    spoil("classes", 4, "班级", "七（3）班")
    desk.typed("roster", "import", folder, "--remove")
    code, text = desk.read(path, "--yes")
    assert (code, desk.answers()) == (1, [])
    assert "按第 1 次导入做的，此后这所学校的班级变了：多了 七（3）班，少了 七（2）班" in text
    assert "「七（2）班」不是这所学校的班级" in text


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


def test_in_english(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "en"
    code, text = desk.typed("--lang", "en", "inspect", "sheet", "--school", CODE, "--out", out)
    assert code == 0, text
    (path,) = out.iterdir()
    book = load_workbook(path)
    sheet = book.active
    sheet["B3"], sheet["F3"], sheet["E9"], sheet["E8"] = "2026-10-12", "a", "yes", "No"
    sheet["B10"], sheet["E10"] = "7-2", "no"
    book.save(path)
    code, text = desk.typed("--lang", "en", "inspect", "import", path, "--yes")
    assert code == 1
    assert f"{path.name} sheet 'Inspection' row 10 column 'Class': '7-2' is not a class" in text
    book.active["B10"] = "七（2）班"
    book.save(path)
    assert desk.typed("--lang", "en", "inspect", "import", path, "--yes")[0] == 0
    assert desk.answers() == [WHOLE[1], WHOLE[2], WHOLE[3]]


def test_a_district_gets_a_form_a_school(desk: Desk, tmp_path: Path) -> None:
    out = tmp_path / "many"
    assert desk.typed("inspect", "sheet", "--district", "城东", "--out", out)[0] == 0
    (one,) = out.iterdir()
    assert one.name.startswith("9963020001"), "the other one of the district is closed"
    code, text = desk.typed("inspect", "sheet", "--district", "630102", "--out", out)
    assert (code, "不覆盖" in text) == (2, True)
    assert desk.typed("inspect", "sheet", "--district", "城南区", "--out", tmp_path / "x")[0] == 2
    assert desk.typed("inspect", "sheet", "--school", "1", "--out", tmp_path / "x")[0] == 2
    assert not (tmp_path / "x").exists()


def test_a_name_that_looks_like_a_formula_is_none(
    desk: Desk, folder: Path, spoil: Callable[..., Path], tmp_path: Path
) -> None:
    spoil("schools", 3, "学校名称", "'=1+1/校\\名?")
    desk.typed("roster", "import", folder)
    code, text = desk.typed("inspect", "sheet", "--school", CODE, "--out", tmp_path / "odd")
    assert code == 0, text
    (path,) = (tmp_path / "odd").iterdir()
    cell = load_workbook(path).active["B2"]
    assert (cell.data_type, cell.value) == ("s", "=1+1/校\\名?")
