"""Values as people write them: read as they are meant, in files and in workbooks alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.roster.problems import UnfitError
from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder, warnings
from collector.roster.sheets.kinds import UncountedError, parse_kind
from collector.roster.sheets.texts import folded, tidy
from collector.roster.sheets.values import PARSERS
from register_books import TITLES, write_book

Spoil = Callable[[str, int, str, str], Path]
Sheets = dict[str, str]

READ = [
    # sheet, row, column, the text, field, value
    ("lines", 2, "合同带宽", "百兆", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "千兆", "contract_mbps", 1000),
    ("lines", 2, "合同带宽", "万兆光纤", "contract_mbps", 10_000),
    ("lines", 2, "合同带宽", "1千兆", "contract_mbps", 1000),
    ("lines", 2, "合同带宽", "100M光纤", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "光纤 200M", "contract_mbps", 200),
    ("lines", 2, "合同带宽", "电信50兆宽带", "contract_mbps", 50),
    ("lines", 2, "合同带宽", "100M/20M", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "100/20", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "上行20M/下行100M", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "下行100M上行20M", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "100M（下行）/20M（上行）", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "100Mbps", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "100 Mbit/s", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "100Mb/s", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "10M/s", "contract_mbps", 10),
    ("lines", 2, "合同带宽", "１００Ｍ", "contract_mbps", 100),
    ("lines", 2, "合同带宽", "2.5G", "contract_mbps", 2500),
    ("lines", 2, "合同带宽", "512K", "contract_mbps", 0.512),
    ("lines", 2, "出口网段", "192.0.2.7；2001:db8::/32", "network", "192.0.2.7/32, 2001:db8::/32"),
    ("lines", 2, "出口网段", "192.0.2.9/24", "network", "192.0.2.0/24"),
    ("schools", 2, "学校类型", "完小", "type", "小学"),
    ("schools", 2, "学校类型", "九年一贯制学校", "type", "九年一贯制"),
    ("schools", 2, "学校标识码", "\u202d9963020001\u202c", "code", "9963020001"),
    ("schools", 2, "学校标识码", "\u200e9963\u200b020001\ufeff", "code", "9963020001"),
    ("schools", 2, "学校标识码", "９９６３０２０００１", "code", "9963020001"),
    ("schools", 2, "开办日期", "2012年9月1日", "opened", dt.date(2012, 9, 1)),
    ("schools", 2, "开办日期", "2012.9.1", "opened", dt.date(2012, 9, 1)),
    ("schools", 2, "开办日期", "2012年09月01号", "opened", dt.date(2012, 9, 1)),
    ("schools", 2, "开办日期", "—", "opened", None),
    ("rooms", 2, "座位数", "45座", "seats", 45),
    ("rooms", 2, "座位数", "45 个", "seats", 45),
    ("rooms", 3, "教室类型", "计算机教室", "type", "计算机教室"),
    ("equipment", 2, "数量", "1台", "count", 1),
    ("equipment", 2, "设备种类", "86寸触摸一体机", "kind", "panel"),
    ("equipment", 2, "设备种类", "智慧黑板", "kind", "panel"),
    ("equipment", 2, "设备种类", "智慧黑板（不含电脑）", "kind", "panel_without_pc"),
    ("equipment", 2, "设备种类", "一体机(无内置电脑)", "kind", "panel_without_pc"),
    ("equipment", 2, "设备种类", "触控一体机 无OPS", "kind", "panel_without_pc"),
    ("equipment", 2, "设备种类", "一体机（含电脑）", "kind", "panel"),
    ("equipment", 3, "设备种类", "台式计算机", "kind", "computer"),
    ("equipment", 3, "设备种类", "教师用电脑", "kind", "computer"),
    ("equipment", 2, "设备种类", "希沃交互智能平板", "kind", "panel"),
    ("equipment", 2, "设备种类", "短焦投影仪", "kind", "projector"),
    ("calendar", 3, "日期", "2026.10.1-2026.10.7", "last", dt.date(2026, 10, 7)),
    ("calendar", 3, "日期", "2026年10月1日至7日", "last", dt.date(2026, 10, 7)),
    ("calendar", 3, "日期", "2026年10月1日（周四）至10月7日（周三）", "last", dt.date(2026, 10, 7)),
    ("calendar", 3, "日期", "2026-10-01 - 2026-10-07", "last", dt.date(2026, 10, 7)),
    ("calendar", 3, "日期", "20261001-20261007", "last", dt.date(2026, 10, 7)),
    ("calendar", 3, "日期", "2026-10-01—10-07", "last", dt.date(2026, 10, 7)),
]


def _is_read(read: tuple[Rows, Any], sheet: str, row: int, field: str, value: Any) -> None:
    rows, problems = read
    assert not errors(problems), "\n".join(map(str, problems))
    assert getattr(getattr(rows, sheet)[row - 2], field) == value


@pytest.mark.parametrize(("sheet", "row", "column", "text", "field", "value"), READ)
def test_as_people_write_it(
    spoil: Spoil, sheet: str, row: int, column: str, text: str, field: str, value: Any
) -> None:
    _is_read(read_folder(spoil(sheet, row, column, text)), sheet, row, field, value)


@pytest.mark.parametrize(("sheet", "row", "column", "text", "field", "value"), READ)
def test_the_same_in_a_workbook(
    tmp_path: Path, sheets: Sheets, sheet: str, row: int, column: str, text: str, field: str,
    value: Any,
) -> None:  # fmt: skip
    def put(book: Any) -> None:
        found = book[TITLES[sheet]]
        at = [cell.value for cell in found[1]].index(column) + 1
        found.cell(row, at, text).data_type = "s"

    _is_read(read_folder(write_book(tmp_path, sheets, put)), sheet, row, field, value)


@pytest.mark.parametrize(
    "kind",
    [
        "空调",
        "交换机",
        "电脑桌",
        "投影仪支架",
        "平板电脑",
        "电动幕布",
        "格力空调",
        "电子班牌",
        "学校沙盘",
    ],
)
def test_what_no_indicator_counts_is_skipped_and_named(
    write: Callable[[Sheets], Path], sheets: Sheets, kind: str
) -> None:
    """Its row may hold anything: a room that is no classroom, a count in other units."""
    whole = read_folder(write(sheets))[0]
    sheets["equipment"] += f"9963020001,传达室,{kind},2匹,\n"
    rows, problems = read_folder(write(sheets))
    assert rows == whole
    (found,) = problems
    assert (found.file, found.row, found.value, found.warning) == ("equipment.csv", 5, kind, True)
    assert "跳过" in found.wrong


@pytest.mark.parametrize("word", ["投影机吊架", "计算机桌", "ups", "键盘"])
def test_a_part_of_a_word_makes_no_kind(word: str) -> None:
    with pytest.raises(UncountedError):
        parse_kind(word)


@pytest.mark.parametrize(
    "mark",
    ["\u202d", "\u202c", "\u200b", "\u200e", "\u2060", "\ufeff", "\u00ad", "\u00a0", "\u3000"],
)
def test_marks_without_a_shape_around_a_code(mark: str) -> None:
    assert tidy(f"{mark}9963020001{mark}") == "9963020001"


@pytest.mark.parametrize("name", sorted(set(PARSERS) - {"school"}))
def test_every_kind_of_cell_refuses_with_a_fix(name: str) -> None:
    with pytest.raises(UnfitError) as found:
        PARSERS[name]("\ufffd????")
    assert found.value.fix


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("七（1）班", "七(1)班"), ("七（1）班", "七 1 班"), ("七（1）班", "七1班"),
        ("1（1）班", "1(1)班"), ("七（1）班", "七年级1班"), ("7（1）班", "7年级（1）班"),
        ("第3机房", "3号机房"), ("Line1", "line１"), ("北校区", "北 校 区"), ("[A]楼", "【A】楼"),
    ],
)  # fmt: skip
def test_two_spellings_of_one_name(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1（1）班", "11班"),
        ("1 1", "11"),
        ("1年级1班", "11班"),
        ("七（1）班", "七（2）班"),
        ("101", "0101"),
        ("东校区", "西校区"),
    ],
)  # fmt: skip
def test_two_names(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def _said(write: Callable[[Sheets], Path], sheets: Sheets) -> set[tuple[str, int | None, str]]:
    found = warnings(read_folder(write(sheets))[1])
    return {(p.file, p.row, p.column) for p in found}


def test_what_is_seldom_meant_is_asked_about(
    write: Callable[[Sheets], Path], sheets: Sheets
) -> None:
    sheets["rooms"] = sheets["rooms"].replace("微机室,50", "微机室,9")
    sheets["lines"] = sheets["lines"].replace(",本部,100,", ",本部,0,").replace("1G", "10G")
    sheets["schools"] += "9963020005,城东区 示例小学,城东区,小学,,,,\n"
    sheets["classes"] += "".join(f"9963030001,八（{n}）班,201,,\n" for n in (1, 2, 3))
    sheets["equipment"] = sheets["equipment"].replace("201,一体机,0", "301,一体机,1")
    assert _said(write, sheets) == {
        ("rooms.csv", 3, "座位数"),
        ("lines.csv", 2, "合同带宽"),
        ("lines.csv", 3, "合同带宽"),
        ("schools.csv", 5, "学校标识码"),  # no campus, no line, no class
        ("schools.csv", 5, "学校名称"),
        ("classes.csv", 7, "教室编号"),
        ("equipment.csv", 4, "设备种类"),
    }


@pytest.mark.parametrize("kind", ["一体机（含电脑）", "一体机(无OPS)", "一体机+电脑"])
def test_a_panel_that_says_whether_it_has_a_pc(
    write: Callable[[Sheets], Path], sheets: Sheets, kind: str
) -> None:
    sheets["equipment"] = sheets["equipment"].replace("201,一体机,0", f"301,{kind},1")
    assert _said(write, sheets) == set()


def test_a_panel_beside_a_computer(write: Callable[[Sheets], Path], sheets: Sheets) -> None:
    sheets["equipment"] += "9963020001,0101,一体机,1,\n"
    assert _said(write, sheets) == set()


def test_classes_of_other_years_do_not_crowd_a_room(
    write: Callable[[Sheets], Path], sheets: Sheets
) -> None:
    sheets["classes"] += "".join(
        f"9963030001,{2010 + n}级,301,{2010 + n}-09-01,{2011 + n}-07-31\n" for n in range(8)
    )
    assert _said(write, sheets) == set()


def test_a_campus_far_from_its_district(write: Callable[[Sheets], Path], sheets: Sheets) -> None:
    """A wrong digit, 101.8 as 108.1, and no district's own size."""
    places = ["36.60,101.80", "36.61,101.82", "36.80,101.60", "36.62,101.81", "36.61,108.18"]
    for number, place in enumerate(places):
        code = f"996302001{number}"
        sheets["schools"] += f"{code},示例{number}小,城东区,小学,,,2026-07-31,\n"
        sheets["campuses"] += f"{code},本部,,{place}\n"
    assert _said(write, sheets) == {("campuses.csv", 10, "纬度")}


def test_a_line_that_says_the_separator(write: Callable[[Sheets], Path], sheets: Sheets) -> None:
    whole = read_folder(write(sheets))
    marks = {"schools": ";", "rooms": "\t", "classes": ","}
    for name, mark in marks.items():
        sheets[name] = f"sep={mark}\r\n" + sheets[name].replace(",", mark)
    assert read_folder(write(sheets)) == whole
    sheets["rooms"] = sheets["rooms"].replace("微机室\t50", "微机室\tx")
    (found,) = errors(read_folder(write(sheets))[1])
    assert found.row == 3, "no spreadsheet shows that line"


def test_a_title_above_the_headings_of_a_file(
    write: Callable[[Sheets], Path], sheets: Sheets
) -> None:
    whole = read_folder(write(sheets))
    titled = {name: f"西宁市学校信息统计表\n单位：所\n\n{text}" for name, text in sheets.items()}
    assert read_folder(write(titled)) == whole


def test_data_above_the_headings_is_told(write: Callable[[Sheets], Path], sheets: Sheets) -> None:
    head, *rest = sheets["machines"].splitlines()
    sheets["machines"] = "\n".join([rest[0], head, *rest[1:]]) + "\n"
    assert ("machines.csv", 1, "") in _said(write, sheets)


def test_sums_below_a_file(write: Callable[[Sheets], Path], sheets: Sheets) -> None:
    whole = read_folder(write(sheets))[0]
    sheets["equipment"] += "合计,,,3,\n填表人：张三,,,,\n"
    rows, problems = read_folder(write(sheets))
    assert rows == whole
    assert [p.row for p in problems] == [5, 6]


def test_headings_that_an_ansi_save_destroyed(
    write: Callable[[Sheets], Path], sheets: Sheets
) -> None:
    """One error that says what happened, and none of columns that are missing."""
    sheets["rooms"] = sheets["rooms"].encode("latin-1", "replace").decode("latin-1")
    (found,) = errors(read_folder(write(sheets))[1])
    assert (found.file, found.row) == ("rooms.csv", 1)
    assert "ANSI" in found.wrong
    assert "CSV UTF-8" in found.fix
