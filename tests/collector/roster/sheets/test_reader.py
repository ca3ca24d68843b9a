"""Reading a folder: what a good one gives, and that headings, order and marks do not matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.roster.register import COMPUTER_ROOM, CalendarRow, Room, School
from collector.roster.rows import Rows
from collector.roster.sheets import SHEETS, errors, read_folder

Write = Callable[[dict[str, str]], Path]


def good(folder: Path) -> Rows:
    rows, problems = read_folder(folder)
    assert not errors(problems), "\n".join(map(str, problems))
    return rows


def test_a_good_register_gives_its_rows_and_no_problem(folder: Path) -> None:
    rows, problems = read_folder(folder)
    assert problems == []
    assert rows.schools[0] == School(
        "9963020001", "城东区示例小学", "630102", "小学", "630102", dt.date(2012, 9, 1)
    )
    assert rows.schools[1].responsible == "630100"
    assert (rows.schools[2].closed, rows.schools[2].successor) == (
        dt.date(2026, 7, 31), "9963020001",
    )  # fmt: skip
    assert [line.contract_mbps for line in rows.lines] == [100, 1000, 8, None]
    assert rows.rooms[0] == Room(
        "9963020001", "本部", "0101", "一（1）班教室", "普通教室", 45, "line1"
    )
    assert (rows.rooms[1].type, rows.rooms[1].name) == (COMPUTER_ROOM, "C01")
    assert rows.rooms[3].line == "c"
    assert rows.classes[1].rooms == ("201", "301")
    assert [(row.kind, row.count) for row in rows.equipment] == [
        ("projector", 1), ("computer", 1), ("panel", 0),
    ]  # fmt: skip
    assert rows.machines[1].pattern == "0123456789abcdef" * 2
    holiday = CalendarRow(dt.date(2026, 10, 1), dt.date(2026, 10, 7), "holiday", "国庆节")
    assert rows.calendar[1] == holiday


def test_the_register_of_the_rows_answers(folder: Path) -> None:
    register = good(folder).register()
    assert register.room_for("9963020001", "", "sl1-0101-07") == "0101"
    assert register.calendar.is_open_day(dt.date(2026, 10, 10))
    assert not register.calendar.is_open_day(dt.date(2026, 10, 7))
    assert register.area_name(register.district_of("9963030001")) == "市直属"


def _english(sheet: str, text: str) -> str:
    head, *rest = text.splitlines()
    names = {column.zh: column.name for column in SHEETS[sheet].columns}
    return "\n".join([",".join(names[cell] for cell in head.split(",")), *rest])


def _reversed_columns(text: str) -> str:
    return "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_english, id="English headings"),
        pytest.param(lambda _, text: _reversed_columns(text), id="another order"),
        pytest.param(lambda _, text: "\ufeff" + text, id="byte order mark"),
        pytest.param(lambda _, text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda _, text: text.replace("\n", "\r"), id="CR"),
        pytest.param(lambda _, text: text.replace("\n", "\n\n ,, \n"), id="blank rows"),
        pytest.param(lambda _, text: "\n\n" + text, id="headings lower down"),
        pytest.param(lambda _, text: text.replace(",", ";"), id="semicolons"),
        pytest.param(lambda _, text: text.replace(",", "\t"), id="tabs"),
        pytest.param(lambda _, text: text.replace(",", " , "), id="spaces"),
        pytest.param(lambda _, text: text.replace(",", "\u3000,\u200b"), id="odd spaces"),
        pytest.param(lambda _, text: text.replace("9963", "９９６３"), id="full-width digits"),
        pytest.param(lambda _, text: text.replace("9963", "'9963"), id="apostrophes"),
        pytest.param(lambda _, text: text.replace("合同带宽", "合同带宽（Mbps）"), id="a unit"),
    ],
)  # fmt: skip
def test_how_it_is_written_does_not_matter(
    write: Write, sheets: dict[str, str], change: Callable[[str, str], str]
) -> None:
    before = good(write(sheets))
    after = good(write({name: change(name, text) for name, text in sheets.items()}))
    assert after == before


def test_files_may_bear_chinese_names(folder: Path) -> None:
    before = good(folder)
    for sheet in SHEETS.values():
        (folder / sheet.file).rename(folder / f"{sheet.zh[0]}.CSV")
    assert good(folder) == before


@pytest.mark.parametrize("separator", ["、", ";", "；", "，", " 、 "])
def test_rooms_of_a_walking_class(write: Write, sheets: dict[str, str], separator: str) -> None:
    sheets["classes"] = sheets["classes"].replace("201、301", f"201{separator}301{separator}201")
    assert good(write(sheets)).classes[1].rooms == ("201", "301")


def test_another_city_by_code_and_name(write: Write, sheets: dict[str, str]) -> None:
    sheets["schools"] += (
        "9931040001,示例小学,310104 徐汇区,小学,,,,\n9931040002,示例二小,310104,小学,徐汇区,,,\n"
    )
    sheets["campuses"] += "9931040001,本部,,,\n9931040002,本部,,,\n"
    rows = good(write(sheets))
    assert {(s.district, s.responsible) for s in rows.schools[3:]} == {("310104", "310104")}
    assert rows.register().area_name("310104") == "徐汇区"


def test_rows_of_a_wrong_folder_are_none(tmp_path: Path) -> None:
    rows, problems = read_folder(tmp_path / "nowhere")
    assert rows == Rows()
    assert "nowhere" in problems[0].file
    assert errors(problems)
