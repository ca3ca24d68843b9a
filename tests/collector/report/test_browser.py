"""report.html in a real browser: search, filters, keyboard, two widths, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import Tab, tab
from collector import report
from collector.report.context import Context, Selection
from collector.report.selection import narrowed
from office_files import pages
from report_past import past

pytestmark = pytest.mark.chromium

SHOWN = "[...document.querySelectorAll('tr.school')].filter(row => row.checkVisibility())"
NAMES = f"{SHOWN}.map(row => row.querySelector('strong').textContent)"
HANDY = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def tab_(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of this file."""
    with tab(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(town: Any, tmp_path: Path) -> Path:
    for number in range(70):
        code = town.school(f"99020300{number:02d}", name=f"长名字的某某某某某第{number}小学")
        town.line(code=code)
        town.taught("一班", code=code)
    figure = town.figure()
    made = tmp_path / "report.html"
    made.write_bytes(report.render(figure, "html", past(figure)))
    return made


def choose(page: Tab, name: str, value: str) -> None:
    page.run(
        f"(() => {{ const one = document.forms[0].elements[{name!r}]; one.value = {value!r}; "
        "one.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )


def test_search_and_filters(tab_: Tab, page: Path) -> None:
    tab_.open(page, 1280)
    assert tab_.run(f"{SHOWN}.length") == 73
    tab_.press("/", "/")
    tab_.type("第6 9902")
    assert tab_.run(NAMES) == ["长名字的某某某某某第6小学"] + [
        f"长名字的某某某某某第{number}小学" for number in range(60, 70)
    ]
    assert tab_.run("document.querySelector('output').textContent") == "11 所，共 73 所"
    choose(tab_, "text", "")
    choose(tab_, "district", "630103")
    assert tab_.run(NAMES) == ["示例0001"]
    choose(tab_, "district", "")
    choose(tab_, "i1", "inspected")
    assert tab_.run(NAMES) == ["示例0002"]
    choose(tab_, "text", "没有这所")
    assert tab_.run(f"{SHOWN}.length") == 0
    assert tab_.run("document.querySelector('.none').checkVisibility()")
    tab_.run("document.forms[0].reset()")
    tab_.run("new Promise(done => setTimeout(done))")
    assert tab_.run(f"{SHOWN}.length") == 73
    assert tab_.complaints == []


def test_it_asks_for_nothing_but_itself(tab_: Tab, page: Path) -> None:
    tab_.asked.clear()
    tab_.open(page, 1280)
    choose(tab_, "text", "小学")
    assert set(tab_.asked) == {page.as_uri()}


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_nothing_is_wider_than_the_window(tab_: Tab, page: Path, width: int) -> None:
    tab_.open(page, width)
    assert tab_.run(HANDY)
    tab_.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab_.run(HANDY)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_every_control(tab_: Tab, page: Path, width: int) -> None:
    tab_.open(page, width)
    wanted = tab_.run(
        "[...document.querySelectorAll('a, summary, input, select, button')]"
        ".filter(one => one.checkVisibility()).length"
    )
    seen = "window.seen = window.seen || new Set(); seen.add(document.activeElement); seen.size"
    for _ in range(wanted + 10):
        tab_.press("Tab")
        tab_.run(seen)
    reached = tab_.run(
        "[...seen].filter(one => one.matches('a, summary, input, select, button')).length"
    )
    assert reached == wanted
    tab_.run("document.querySelector('.part > summary').focus()")
    tab_.press("Enter", "\r")
    assert tab_.run("document.querySelector('.part').open")


def test_printed_it_is_not_a_book(tab_: Tab, page: Path) -> None:
    tab_.open(page, 1280)
    found = pages(tab_.printed())
    text = "".join(found)
    assert len(found) <= 8
    assert "79.9%(7996/10000)" in text
    assert "先做什么" in found[0]
    assert "未筛选时不打印本表" in text
    choose(tab_, "text", "示例0001")
    text = "".join(pages(tab_.printed()))
    assert "未筛选时不打印本表" not in text
    assert "9901020001" in text


def test_a_district_and_a_school_have_a_page_of_their_own(
    tab_: Tab, town: Any, tmp_path: Path
) -> None:
    made = tmp_path / "report.html"
    for selection, schools in ((Selection(area="630102"), 2), (Selection(school=town.code), 1)):
        figure = narrowed(town.figure(), selection)
        made.write_bytes(report.render(figure, "html", Context(selection=selection)))
        tab_.open(made, 390)
        assert tab_.run(f"{SHOWN}.length") == schools
        assert tab_.run("document.querySelector('h1').textContent").startswith(figure.areas[0].name)
        assert "责任单位：城东区" in tab_.run("document.querySelector('.sub').textContent")
        assert tab_.run("!!document.querySelector('.deeds').checkVisibility()")
        assert tab_.run(HANDY)
        assert tab_.complaints == []
