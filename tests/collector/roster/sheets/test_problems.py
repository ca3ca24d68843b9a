"""Every kind of fault is reported with its file, row, column, value and fix, and all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.common import language
from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder
from register_faults import CELLS

from .conftest import only

Spoil = Callable[[str, int, str, str], Path]
Write = Callable[[dict[str, str]], Path]


@pytest.mark.parametrize(("sheet", "row", "column", "text", "said"), CELLS)
def test_a_wrong_cell(
    spoil: Spoil, sheet: str, row: int, column: str, text: str, said: str
) -> None:
    rows, problems = read_folder(spoil(sheet, row, column, text))
    assert rows == Rows()
    here = [p for p in errors(problems) if p.file == f"{sheet}.csv" and said in str(p)]
    assert here, "\n".join(map(str, problems))
    where = {(p.row, p.column) for p in here}
    assert (row, column) in where
    assert all(p.fix for p in here)
    assert all(f"第 {p.row} 行" in str(p) and p.column in str(p) for p in here)


@pytest.mark.parametrize(
    ("sheet", "row", "column", "text", "told"),
    [
        pytest.param("lines", 3, "线路", "b", (4, "线路"), id="the later of two alike"),
        pytest.param("calendar", 2, "日期", "2027-02-01", (2, "结束日期"), id="ends before"),
        pytest.param("calendar", 3, "类别", "学期", (3, "日期"), id="two terms overlap"),
    ],
)
def test_a_cell_that_makes_another_wrong(
    spoil: Spoil, sheet: str, row: int, column: str, text: str, told: tuple[int, str]
) -> None:
    _, problems = read_folder(spoil(sheet, row, column, text))
    assert told in {(p.row, p.column) for p in errors(problems) if p.file == f"{sheet}.csv"}


def test_one_error_is_reported_once_and_not_for_all_rows_that_refer_to_it(spoil: Spoil) -> None:
    _, problems = read_folder(spoil("schools", 2, "学校类型", "小雪"))
    assert len(errors(problems)) == 1


def test_a_school_without_campuses_is_told_the_row_to_add(
    write: Write, sheets: dict[str, str]
) -> None:
    header = sheets["campuses"].splitlines()[0]
    folder = write({name: header if name == "campuses" else text for name, text in sheets.items()})
    _, problems = read_folder(folder)
    fixes = {p.fix for p in errors(problems) if p.file == "lines.csv" and p.column == "校区"}
    assert any("加一行：9963020001 | 本部" in fix for fix in fixes), fixes


def test_a_bad_code_that_all_sheets_share_is_reported_where_it_is_defined(
    write: Write, sheets: dict[str, str]
) -> None:
    folder = write({name: text.replace("9963020001", "963020001") for name, text in sheets.items()})
    _, problems = read_folder(folder)
    assert {(p.file, p.row) for p in errors(problems)} == {("schools.csv", 2)}


def test_all_errors_come_at_once_in_the_order_of_sheets_and_rows(spoil: Spoil) -> None:
    spoil("equipment", 3, "数量", "x")
    spoil("schools", 4, "学校类型", "x")
    spoil("schools", 2, "开办日期", "x")
    _, problems = read_folder(spoil("rooms", 2, "座位数", "x"))
    assert [(p.file, p.row, p.column, p.value) for p in errors(problems)] == [
        ("schools.csv", 2, "开办日期", "x"),
        ("schools.csv", 4, "学校类型", "x"),
        ("rooms.csv", 2, "座位数", "x"),
        ("equipment.csv", 3, "数量", "x"),
    ]


def test_a_slip_in_a_code_names_the_only_code_it_can_be(spoil: Spoil) -> None:
    _, problems = read_folder(spoil("campuses", 3, "学校标识码", "9963300001"))
    assert any("是不是 9963030001" in p.fix for p in errors(problems))


@pytest.mark.parametrize(
    ("sheet", "row", "column", "text", "said"),
    [
        ("schools", 2, "所在区县", "湟中县", "湟中区（630106）"),
        ("schools", 2, "所在区县", "630122", "湟中区（630106）"),
        ("schools", 2, "责任单位", "310104", "没有名称"),
        ("campuses", 2, "纬度", "1.5", "不在中国"),
        ("lines", 2, "合同带宽", "20000", "少见"),
        ("rooms", 2, "教室类型", "走廊", "不会当作计算机教室"),
        ("rooms", 3, "座位数", "", "无法核实"),
        ("machines", 2, "主机名或机器号", "*", "全校"),
        ("calendar", 4, "日期", "2026-10-12", "工作日"),
        ("calendar", 4, "日期", "2027-02-20", "不在任何学期"),
    ],
)
def test_what_is_odd_is_a_warning_and_forbids_nothing(
    spoil: Spoil, sheet: str, row: int, column: str, text: str, said: str
) -> None:
    rows, problems = read_folder(spoil(sheet, row, column, text))
    assert errors(problems) == []
    assert [(p.file, p.row, p.column) for p in problems if said in p.wrong] == [
        (f"{sheet}.csv", row, column)
    ]
    assert rows.schools


def test_an_unknown_column_is_warned_of_with_its_nearest(
    write: Write, sheets: dict[str, str]
) -> None:
    sheets["schools"] = sheets["schools"].replace("开办日期", "开办日斯")
    rows, problems = read_folder(write(sheets))
    found = only(problems)
    assert found.warning
    assert (found.file, found.row, found.column) == ("schools.csv", 1, "开办日斯")
    assert "开办日期" in found.fix
    assert rows.schools[0].opened is None


@pytest.mark.parametrize("heading", ["学校标识码", "学校名称", "所在区县", "学校类型"])
def test_a_missing_heading_is_one_error_and_no_flood(
    write: Write, sheets: dict[str, str], heading: str
) -> None:
    sheets["schools"] = sheets["schools"].replace(heading, "某列", 1)
    _, problems = read_folder(write(sheets))
    found = only(errors(problems))
    assert (found.file, found.row, found.column) == ("schools.csv", 1, heading)


def test_a_heading_that_comes_twice(write: Write, sheets: dict[str, str]) -> None:
    sheets["machines"] = sheets["machines"].replace("主机名或机器号", "主机名,机器号", 1)
    found = only(errors(read_folder(write(sheets))[1]))
    assert (found.file, found.row, found.column) == ("machines.csv", 1, "机器号")


def test_more_cells_than_headings(write: Write, sheets: dict[str, str]) -> None:
    sheets["machines"] += "9963020001,0101,PC,1\n"
    found = only(errors(read_folder(write(sheets))[1]))
    assert (found.file, found.row, found.value) == ("machines.csv", 4, "1")


def test_equipment_that_is_listed_twice(write: Write, sheets: dict[str, str]) -> None:
    sheets["equipment"] += "9963020001,0101,计算机,2,\n9963030001,201,电视,2,S9\n"
    found = errors(read_folder(write(sheets))[1])
    assert [(p.row, p.column) for p in found] == [(5, "设备种类"), (6, "序列号")]


def test_a_class_may_come_again_in_another_year(write: Write, sheets: dict[str, str]) -> None:
    sheets["classes"] += "9963030001,七（1）班,201,2027-09-01,\n"
    assert read_folder(write(sheets))[1] == []


def test_a_pattern_or_an_id_in_two_places(write: Write, sheets: dict[str, str]) -> None:
    sheets["machines"] += (
        "9963020001,C01,SL1-0101-*\n9963020001,C01,0123456789abcdef0123456789abcdef\n"
    )
    found = errors(read_folder(write(sheets))[1])
    assert {(p.row, p.column) for p in found} == {(4, "主机名或机器号"), (5, "主机名或机器号")}


def test_a_campus_without_a_line_names_the_fix(write: Write, sheets: dict[str, str]) -> None:
    sheets["lines"] = sheets["lines"].replace("9963030001,c,北校区,,,\n", "")
    found = only(errors(read_folder(write(sheets))[1]))
    assert (found.file, found.row, found.column) == ("rooms.csv", 5, "线路")
    assert "0 兆" in found.fix


def test_rows_are_numbered_as_the_spreadsheet_shows_them(
    write: Write, sheets: dict[str, str]
) -> None:
    sheets["machines"] = "\n" + sheets["machines"].replace("\n", "\n,,\n") + "9963020001,X,pc\n"
    found = only(errors(read_folder(write(sheets))[1]))
    assert (found.file, found.row) == ("machines.csv", 8)


def test_a_register_without_schools(write: Write, sheets: dict[str, str]) -> None:
    heads = {name: text.splitlines()[0] + "\n" for name, text in sheets.items()}
    assert "一所学校也没有" in only(errors(read_folder(write(heads))[1])).wrong


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("campus", ["", "东校区"])
def test_a_school_without_a_campus_is_told_which_row_to_add(
    write: Write, sheets: dict[str, str], lang: str, campus: str
) -> None:
    language.choose(lang)
    rows = sheets["campuses"].splitlines(keepends=True)
    sheets["campuses"] = "".join(row for row in rows if not row.startswith("9963020001"))
    sheets["lines"] = sheets["lines"].replace("line1,本部", f"line1,{campus}")
    _, problems = read_folder(write(sheets))
    (found,) = (p for p in errors(problems) if p.file == "lines.csv" and p.row == 2)
    assert f"9963020001 | {campus or '本部'}" in found.fix
    assert "(none)" not in found.fix
    assert "没有）" not in found.fix
