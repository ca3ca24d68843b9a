"""The form of a school, filled in and read back: once, corrected, older, as csv, in English."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from inspection_forms import CODE, DAY, FOUND, SECOND, WHOLE, Desk


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
