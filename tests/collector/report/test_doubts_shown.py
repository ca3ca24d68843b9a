"""Signs of doubt in every format: of each school, and as one sentence."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from agent.common import language as lang
from collector import report
from collector.report.context import Selection
from collector.report.selection import narrowed
from office_files import book, pages, rows, sheets, words

SIGN = "机器号多出登记座位和教室所能容纳的（一天最多）"


@pytest.fixture
def doubted(town: Any) -> Any:
    """A town whose second school shows one sign and whose first shows two."""
    figure = town.figure()
    first, second = [area.code for area in figure.areas if area.level == "school"][:2]
    found = {first: {"ids_beyond": 37, "late": 5}, second: {"ids_beyond": 41}}
    return dataclasses.replace(figure, doubts=found)


def text(figure: Any, name: str) -> str:
    data = report.render(figure, name)
    if name == "docx":
        return "".join(words(data).split())
    if name == "pdf":
        return "".join(pages(data))
    return "".join(data.decode().split())


@pytest.mark.parametrize("name", ["docx", "pdf", "html"])
def test_papers_and_page_name_the_schools_and_the_total(doubted: Any, name: str) -> None:
    found = text(doubted, name)
    total = "".join(f"{SIGN} 78（2 所）".split())
    assert total in found
    for area in doubted.areas:
        for number in doubted.doubts.get(area.code, {}).values():
            assert "".join(area.name.split()) in found
            assert str(number) in found.replace(total, "")
    assert found.count("".join(SIGN.split())) == 3  # in the sentence, and of each school


@pytest.mark.parametrize("name", ["docx", "pdf", "html"])
def test_nothing_is_said_without_any(town: Any, name: str) -> None:
    assert "疑点" not in text(town.figure(), name)


def test_sheets_and_json_have_them_too(doubted: Any) -> None:
    codes = [code for code, found in doubted.doubts.items() for _ in found]
    numbers = [37, 5, 41]
    made = rows(book(report.render(doubted, "xlsx"))["疑点"], "责任单位")
    assert [row["学校标识码"] for row in made] == codes
    assert [row["数量"] for row in made] == numbers
    _, *lines = sheets(report.render(doubted, "csv"))["doubts"]
    assert [line[1] for line in lines] == codes
    tree = json.loads(report.render(doubted, "json"))
    assert tree["doubts"] == {code: dict(found) for code, found in doubted.doubts.items()}


def test_a_city_s_papers_name_the_first_and_a_school_s_all(doubted: Any, town: Any) -> None:
    for number in range(60):
        town.school(f"99020300{number:02d}", name=f"某某第{number:02d}小学")
    figure = town.figure()
    many = {area.code: {"late": 2} for area in figure.areas if area.level == "school"}
    figure = dataclasses.replace(figure, doubts=many)
    rest = len(many) - 40
    assert f"另有{rest}条，见xlsx" in text(figure, "pdf")
    assert f"其余{rest}行见附件2" in text(figure, "docx")
    assert "另有" not in text(figure, "html").partition("有疑点的学校")[2].partition("</table>")[0]
    alone = narrowed(figure, Selection(school="9902030059"))
    assert "某某第59小学9902030059" in text(alone, "pdf")


def test_in_english(doubted: Any) -> None:
    lang.choose("en")
    assert "Schoolswithsignsofdoubt" in text(doubted, "html")
    assert "Schoolswithsignsofdoubt" in text(doubted, "pdf")
