"""report.pdf as another program reads it: text, headings of pages, hash, watermark."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from agent.common import language as lang
from collector import report
from collector.compliance.model import Figure, Verdict
from collector.report.context import Context, Selection
from collector.report.selection import narrowed
from office_files import pages
from report_past import ROOT, past


def read(figure: Figure, context: Context | None = None) -> list[str]:
    return pages(report.render(figure, "pdf", context or Context()))


@pytest.fixture
def busy(town: Any) -> Any:
    """Two districts; the first with 40 schools that lack the same thing."""
    for number in range(40):
        code = town.school(f"99020200{number:02d}", name=f"某某第{number:02d}小学")
        town.line(code=code, contract=4)
        for name in ("一班", "二班", "三班", "四班", "五班", "六班"):
            town.taught(name, code=code)
    return town


def test_first_page_says_what_it_is_what_to_do_and_who_signs(town: Any) -> None:
    figure = town.figure()
    first = read(figure, past(figure))[0]
    for part in (
        "西宁市2026年教育信息化达标情况报告", "截止日2026-12-31", "核实率", "上报率", "上限",
        "10M以上带宽接入比例", "33.3%", "66.7%", "20.0%", "对照2020年目标", "先做什么",
        "还差4个班级",        "示例市教育局", "0971-0000000", ROOT,
    ):  # fmt: skip
        assert part in first, part


def test_every_page_has_its_number_its_title_and_its_district(busy: Any) -> None:
    found = read(busy.figure())
    for place, text in enumerate(found, 1):
        assert f"第{place}页共{len(found)}页" in text
        assert text.startswith("西宁市2026年教育信息化达标情况报告")
    parts = [re.match("西宁市2026年教育信息化达标情况报告(.*?区|西宁市)", text) for text in found]
    named = [part[1] for part in parts if part]
    assert named[0] == "西宁市"
    assert {"城东区", "城中区"} <= set(named)


def test_a_long_table_repeats_its_headings_on_each_page(busy: Any) -> None:
    selection = Selection(area="630102")
    figure = narrowed(busy.figure(), selection)
    many = dataclasses.replace(figure, lines=[
        dataclasses.replace(line, congested=True, line=f"第{nth}条")
        for nth in range(40) for line in figure.lines[:3]
    ])  # fmt: skip
    found = [text for text in read(many, Context(selection=selection)) if "条合同" in text]
    assert len(found) > 1
    assert all("学校线路名Mbit/s" in text for text in found)


def test_the_city_names_the_nearest_schools_and_a_district_all(busy: Any) -> None:
    figure = busy.figure()
    whole = "".join(read(figure))
    assert "另有" in whole
    assert "某某第39小学" not in whole
    selection = Selection(area="630102")
    district = "".join(read(narrowed(figure, selection), Context(selection=selection)))
    assert all(f"某某第{number:02d}小学" in district for number in range(40))
    assert "一班、二班、三班、四班、五班、六班" in district


def test_a_school_s_report_has_every_verdict_and_its_reason(town: Any) -> None:
    selection = Selection(school=town.code)
    text = "".join(read(narrowed(town.figure(), selection), Context(selection=selection)))
    assert "责任单位：城东区" in text
    for part in ("一班", "二班", "教室102", "与申报不符", "9.80Mbit/s"):
        assert part in text


def test_counts_of_every_area_stand_in_it(town: Any) -> None:
    figure = town.figure()
    text = "".join(read(figure))
    for area in figure.areas:
        if area.level == "school":
            continue
        tally = figure.tallies[area.code, "computer_room"]
        counts = "".join(str(tally.counts[verdict]) for verdict in Verdict) + str(tally.all)
        assert counts in text


def test_years_and_months_stand_side_by_side(town: Any) -> None:
    figure = town.figure()
    text = "".join(read(figure, past(figure)))
    assert "79.9%(7996/10000)" in text
    line = re.search(r"2025-12-31(.*?)已冻结", text)
    assert line
    assert line[1].endswith("79.9%(7996/10000)")  # not 80.0%, which is its target
    assert "81.3%" in text  # 81.25%, half up
    assert re.search(r"2024-12-31.*?已冻结，第2版", text)
    assert re.search(r"2026-12-31.*?未冻结", text)


def test_simulated_is_written_over_every_page(town: Any) -> None:
    town.saw("103", (1,), simulated=True)
    assert all("模拟数据" in text for text in read(town.figure()))
    assert "不得作为上报依据" in read(town.figure())[0]


def test_real_has_no_watermark_and_says_that_it_is_not_frozen(town: Any) -> None:
    found = read(town.figure())
    assert not any("模拟" in text for text in found)
    assert all("未冻结" in text for text in found)


def test_english(town: Any) -> None:
    lang.choose("en")
    figure = town.figure()
    found = read(figure, past(figure))
    assert f"page1of{len(found)}" in found[0]
    assert "comparedwiththetargetof2020" in found[0]
    assert not re.search("[、：；，。（）]|核实率|带宽", "".join(found))


def test_markup_in_a_name_is_text(town: Any) -> None:
    """Names are data to the typesetter, never its language."""
    name = "#panic() $x$ [甲] *乙* `丙` \\ 〔U+0041〕"
    town.school("9901020009", name=name)
    town.line(code="9901020009", contract=1)
    assert "".join(name.split()) in "".join(read(town.figure()))


def test_a_character_that_no_font_has_is_written_as_its_code(town: Any) -> None:
    town.school("9901020009", name="示例\U00031fff小学")
    town.line(code="9901020009", contract=1)
    assert "示例〔U+31FFF〕小学" in "".join(read(town.figure()))
