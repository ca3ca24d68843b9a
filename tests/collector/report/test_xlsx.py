"""The workbook, read back by openpyxl, which did not write it."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from agent.common import language as lang
from agent.common.vocabulary.verdicts import VERDICTS
from collector import report
from collector.compliance.model import Verdict
from collector.config import City
from collector.report import xlsx_sheet
from collector.report.actions import plan
from office_files import book, rows
from report_cases import ODD_NAMES, almost, odd, with_past


def read(figure: Any, **more: Any) -> Any:
    return book(report.render(figure, "xlsx", **more))


def test_its_sheets_and_every_unit(town: Any) -> None:
    figure = town.figure()
    found = read(figure)
    assert found.sheetnames == [
        "汇总", "要做的事", "合同与实测", "区县", "学校", "班级", "线路", "依据",
    ]  # fmt: skip
    classes = [unit for unit in figure.units if unit.indicator == "multimedia"]
    assert len(rows(found["班级"], "责任单位")) == len(classes)
    assert len(rows(found["线路"], "责任单位")) == len(figure.lines)
    assert len(rows(found["学校"], "责任单位")) == 3
    assert len(rows(found["要做的事"], "责任单位")) == len(plan(figure).actions)
    steps = [step for unit in figure.units for step in unit.steps]
    assert len(rows(found["依据"], "学校标识码")) == len(steps)


def test_what_to_do_comes_first(town: Any) -> None:
    texts = [row[0] for row in read(town.figure())["汇总"].values if row[0]]
    order = [texts.index(head) for head in ("一、要做什么", "二、指标", "三、必须同时阅读")]
    assert order == sorted(order)
    assert texts.index("西宁市") < order[1]


def test_a_share_is_the_shown_number(town: Any) -> None:
    """79.96% is 79.9, a number with one decimal: no other program makes 80 of it."""
    found = read(almost(town.figure()))
    row = next(row for row in found["汇总"].iter_rows() if row[0].value == "10M 以上带宽接入比例")
    share = row[2]
    assert (share.value, share.data_type, share.number_format) == (79.9, "n", "0.0")
    assert 1999 in [cell.value for cell in row]
    assert 2500 in [cell.value for cell in row]


def test_no_units_is_no_number(new_town: Any) -> None:
    found = read(new_town().figure())["汇总"]
    row = next(row for row in found.values if row[0] == "学校计算机教室配备率")
    assert row[2] is None


def test_no_cell_is_a_formula_and_none_is_lost(town: Any) -> None:
    found = read(odd(town))
    cells = [cell for sheet in found for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    names = [row[3] for row in found["班级"].iter_rows()]
    for name in ODD_NAMES:
        (cell,) = [cell for cell in names if _same(cell.value, name)]
        assert cell.data_type == "s"
        assert cell.quotePrefix == name.startswith(("=", "+", "-", "@", "\t"))


def _same(value: object, name: str) -> bool:
    """A control character is shown by its escape; a tab of its own is Excel's."""
    return str(value).replace("\\x01", "\x01").replace("_x0009_", "\t") == name


def test_codes_are_text(town: Any) -> None:
    town.school("0012345678")
    codes = [row["学校标识码"] for row in rows(read(town.figure())["学校"], "责任单位")]
    assert "0012345678" in codes
    assert all(isinstance(code, str) for code in codes)


def test_every_sheet_prints_and_filters(town: Any) -> None:
    for sheet in read(town.figure()):
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        high = sheet.page_setup.fitToHeight
        assert high in ((None, 1) if sheet.title == "汇总" else (0,))
        assert "&P" in (sheet.oddFooter.center.text or "")
        if sheet.title != "汇总":
            assert sheet.freeze_panes is not None
            assert sheet.auto_filter.ref.startswith("A1:")
            assert sheet.print_title_rows == "$1:$1"


def test_fonts_are_named(town: Any) -> None:
    cells = (cell for sheet in read(town.figure()) for row in sheet.iter_rows() for cell in row)
    assert {cell.font.name for cell in cells if cell.value is not None} == {"宋体", "黑体"}


def test_every_sheet_is_marked_where_simulated(town: Any) -> None:
    town.saw("103", (1,), simulated=True)
    for sheet in read(town.figure()):
        assert "模拟数据" in sheet.oddHeader.center.text
        assert any("模拟数据" in str(row[0]) for row in itertools.islice(sheet.values, 3))


def test_an_ampersand_in_head_and_foot_is_one(town: Any) -> None:
    town.city = City(town.city.code, "A&B市")
    assert all("A&&B市" in sheet.oddHeader.left.text for sheet in read(town.figure()))


def test_the_past_and_the_signature(town: Any) -> None:
    figure = town.figure()
    found = read(figure, context=with_past(figure))
    trend = rows(found["趋势"], "时间")
    assert [(row["时间"], row["核实率（%）"]) for row in trend] == [
        ("2024", 30.0), ("2025", 70.0), ("2026-03-31", 100.0),
    ]  # fmt: skip
    text = [cell for row in found["汇总"].values for cell in row if cell]
    for part in ("填报单位甲", "填报人乙", "0971-0000000", "ab" * 32, "schoolpulse-2026.zip"):
        assert part in text
    assert "abab" in found["班级"].oddFooter.right.text


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(town: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(xlsx_sheet, "_ROWS", 3)
    figure = town.figure()
    found = read(figure)
    names = [name for name in found.sheetnames if name.startswith("班级")]
    assert names == ["班级", "班级 2"]
    listed = [row["班级"] for name in names for row in rows(found[name], "责任单位")]
    assert len(listed) == sum(unit.indicator == "multimedia" for unit in figure.units)


def test_in_english(town: Any) -> None:
    lang.choose("en")
    found = read(town.figure())
    assert found.sheetnames[:2] == ["Summary", "To do"]
    for sheet in found.worksheets[1:]:
        heads = "".join(str(cell) for cell in next(iter(sheet.values)))
        assert not re.search("[\u4e00-\u9fff]", heads)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_districts_count_as_the_figure(town: Any, verdict: Verdict) -> None:
    figure = town.figure()
    listed = rows(read(figure)["区县"], "代码")
    titles = {"multimedia": "中小学班级多媒体设备配备率", "line": "10M 以上带宽接入比例"}
    for indicator, title in titles.items():
        total = sum(row[VERDICTS[verdict].zh] for row in listed if row["指标"] == title)
        assert total == figure.tallies[figure.areas[0].code, indicator].counts[verdict]
