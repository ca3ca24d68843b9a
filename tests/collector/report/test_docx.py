"""The document, read back."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from agent.common import language as lang
from collector import report
from collector.report.context import Context, Selection
from collector.report.selection import narrowed
from office_files import document, words
from report_cases import almost, odd, with_past

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def made(figure: Any, **more: Any) -> bytes:
    return report.render(figure, "docx", **more)


def test_headings_are_headings_and_what_to_do_comes_first(town: Any) -> None:
    found = document(made(town.figure()))
    heads = [p.text for p in found.paragraphs if p.style.name == "Heading 1"]
    assert heads[:4] == ["一、要做什么", "二、总体情况", "三、各区县情况", "四、合同与实测"]
    (title,) = [p.text for p in found.paragraphs if p.style.name == "Title"]
    assert "西宁市 2026 年" in title


def test_the_figures_stand_in_sentences(town: Any) -> None:
    text = words(made(town.figure()))
    assert "应计 5 个班级，核实 1，核实率 20.0%" in text
    assert "距 100.0% 还差 4 个班级" in text
    assert "登记接入带宽" in text
    assert "附件：1." in text


def test_almost_is_not_reached(town: Any) -> None:
    text = words(made(almost(town.figure())))
    assert "核实率 79.9%" in text
    assert "核实率 80" not in text


def test_tables_repeat_their_head_and_break_no_row(town: Any) -> None:
    tables = document(made(town.figure())).tables
    assert len(tables) >= 3
    for table in tables:
        rows = list(table._tbl.iter(f"{W}tr"))
        assert rows[0].find(f"{W}trPr/{W}tblHeader") is not None
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)


def test_pages_are_numbered_by_a_field(town: Any) -> None:
    section = document(made(town.figure())).sections[0]
    assert 'instr="PAGE"' in section.footer._element.xml
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)


def test_fonts_and_what_stands_in_for_them(town: Any) -> None:
    with zipfile.ZipFile(io.BytesIO(made(town.figure()))) as source:
        fonts = source.read("word/fontTable.xml").decode()
        styles = source.read("word/styles.xml").decode()
    for name in ("方正小标宋简体", "仿宋_GB2312", "黑体"):
        assert re.search(f'<w:font w:name="{name}"><w:altName', fonts)
        assert f'w:eastAsia="{name}"' in styles
    assert 'w:eastAsia="zh-CN"' in styles


def test_odd_names_are_text(town: Any) -> None:
    figure = odd(town)
    selection = Selection(school=town.code)
    text = words(made(narrowed(figure, selection), context=Context(selection=selection)))
    assert "<b>&\"'" in text
    assert "一年级\\x01班" in text  # XML cannot hold the character itself


def test_a_district_s_report_lists_its_schools(town: Any) -> None:
    selection = Selection(area="630102")
    figure = narrowed(town.figure(), selection)
    text = words(made(figure, context=Context(selection=selection)))
    assert "城东区 2026 年" in text
    assert "整改清单" in text
    assert "schoolpulse-2026-630102.xlsx" in text
    assert "城中区" not in text


def test_the_past_and_the_signature(town: Any) -> None:
    figure = town.figure()
    text = words(made(figure, context=with_past(figure)))
    for part in ("填报单位甲", "0971-0000000", "ab" * 32, "2025", "历年和逐月"):
        assert part in text
    assert "＿＿" in text  # the signature itself


def test_marked_where_simulated(town: Any) -> None:
    assert "模拟数据" not in words(made(town.figure()))
    town.saw("103", (1,), simulated=True)
    data = made(town.figure())
    assert "模拟数据" in words(data)
    header = document(data).sections[0].header
    assert "模拟数据" in header.paragraphs[0].text
    assert "textpath" in header._element.xml


def test_in_english(town: Any) -> None:
    lang.choose("en")
    text = words(made(town.figure()))
    assert "1. What to do" in [p.text for p in document(made(town.figure())).paragraphs]
    assert not re.search("核实率|还差|附件|台账", text)


def test_page_numbers_stand_at_the_outer_edges(town: Any) -> None:
    found = document(made(town.figure()))
    assert found.settings.odd_and_even_pages_header_footer
    section = found.sections[0]
    for foot, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        assert 'instr="PAGE"' in foot._element.xml
        assert f'w:jc w:val="{side}"' in foot._element.xml


def test_the_watermark_is_on_even_pages_too(town: Any) -> None:
    town.saw("103", (1,), simulated=True)
    header = document(made(town.figure())).sections[0].even_page_header
    assert "模拟数据" in header.paragraphs[0].text
    assert "textpath" in header._element.xml


def test_the_order_of_a_letter(town: Any) -> None:
    """Text, list of annexes, unit and date at the right, then the annex from the edge."""
    figure = town.figure()
    lines = document(made(figure, context=with_past(figure))).paragraphs
    heads = ("附件：1.", "2. 学校", "填报单位（盖章）", "日期", "附件 1", "整改任务表")
    places = [next(p for p in lines if p.text.startswith(head)) for head in heads]
    assert [lines.index(place) for place in places] == sorted(map(lines.index, places))
    _, _, unit, date, annex, title = places
    assert 'w:jc w:val="right"' in unit._p.xml
    assert 'w:jc w:val="right"' in date._p.xml
    assert 'w:firstLine="0"' in annex._p.xml
    assert 'w:jc w:val="center"' in title._p.xml
