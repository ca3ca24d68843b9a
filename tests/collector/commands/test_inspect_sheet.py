"""`schoolpulse inspect sheet`: the form says what the register says, for a school or a district."""
# ruff: noqa: E501  (a case a row reads as the table it is)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openpyxl import load_workbook

from inspection_forms import CODE, ROOM, Desk


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
