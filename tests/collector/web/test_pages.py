"""Every page: what it shows, in which language, with which headers, and that it only reads."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from agent.common.vocabulary.schools import ROOM_TYPES
from collector.status import words as standing
from collector.web import static
from collector.web.children import Ended
from web_city import HOSTILE, Place, Rig

PAGES = ("/", "/districts", "/schools", "/faults", "/reports", "/health", f"/schools/{HOSTILE}")
CHINESE = re.compile("[\u3400-\u9fff]")
#: What a register holds, and a title of a document.
NAMES = re.compile(
    "模拟\\w*|[市城湟大]\\w*[直东中西北县区]\\w*|西宁市|中文|\\w*教室\\w*|《[^》]*》[^<]*"
)


class Words(HTMLParser):
    """What a reader reads: text and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skip += tag in ("script", "style")
        self.found += [v or "" for k, v in attrs if k in ("aria-label", "title", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.found.append(data.strip())


def words(html: str) -> list[str]:
    reader = Words()
    reader.feed(html)
    return [one for one in reader.found if one]


def test_every_page_answers(rig: Rig, place: Place) -> None:
    for path in (*PAGES, *(f"/schools/{row.code}" for row in place.city.schools)):
        answer = rig.get(path)
        assert answer.status_code == 200, path
        assert "模拟数据" in answer.text
        assert len(gzip.compress(answer.data)) < 300_000


def test_the_overview_has_the_stores_numbers(rig: Rig) -> None:
    city = rig.site.city()
    page = rig.get("/").text
    top = city.areas[0]
    for title in city.titles:
        share = top.shares[title.id]
        assert f"{share.verified:.1f}%" in page
        assert str(title.title) in page
        if share.lacking:
            assert f"还差 {share.lacking} " in page
    assert {area.level for area in city.areas} == {"city", "district"}
    for area in city.areas[1:]:
        assert area.name in page


def test_a_school_shows_tests_rooms_pcs_and_why(rig: Rig, place: Place) -> None:
    tested = next(line for line in place.city.lines if line.script.flaw == "")
    page = rig.get(f"/schools/{tested.school}").text
    assert page.count("<circle") > 20
    assert 'class="lesson"' in page
    mine = [pc for pc in place.city.pcs if pc.school == tested.school]
    assert sum(pc.hostname in page for pc in mine) > len(mine) / 2
    figure = rig.site.explained(tested.school)
    for unit in figure.units:
        assert unit.steps[-1].zh.replace("&", "&amp;")[:20] in page


def test_why_tests_do_not_count_is_said(rig: Rig) -> None:
    page = rig.get(f"/schools/{HOSTILE}").text
    assert "为什么不计" in page


def test_faults_are_those_of_the_command(stocked: Rig) -> None:
    found = stocked.site.stock()
    total = sum(len(one) for one in found.faults.values())
    assert found.done == found.of > 10
    assert total > 20
    assert f"坏的和不见的设备 {total} 台" in stocked.get("/faults").text
    kinds = {one.kind for each in found.faults.values() for one in each}
    for kind in kinds:
        few = sum(one.kind == kind for each in found.faults.values() for one in each)
        assert f"设备 {few} 台" in stocked.get(f"/faults?kind={kind}").text


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("q=第1", lambda row: "第1" in row.name),
        ("q=9901020001", lambda row: row.code == "9901020001"),
        ("district=630103", lambda row: row.district == "630103"),
        ("indicator=line&verdict=verified", lambda row: row.verdicts.get("line") == "verified"),
        ("verdict=short", lambda row: "short" in row.verdicts.values()),
        ("hearing=reporting", lambda row: row.hearing == "reporting"),
        ("hearing=nonsense&sort=nonsense&verdict=%00", lambda row: True),
    ],
)
def test_schools_are_found(rig: Rig, query: str, fits: Any) -> None:
    wanted = {row.code for row in rig.site.city().schools if fits(row)}
    page = rig.get(f"/schools?{query}").text
    assert set(re.findall(r"/schools/(\d{10})\"", page)) == wanted
    assert wanted


@pytest.mark.parametrize("key", ["name", "district", "line", "p90", "hearing", "pcs", "missing"])
def test_sorting_down_is_the_other_way_round(rig: Rig, key: str) -> None:
    up, down = (
        re.findall(r"/schools/(\d{10})\"", rig.get(f"/schools?sort={key}&down={down}").text)
        for down in ("", "1")
    )
    assert up == down[::-1]
    assert len(up) > 10


@pytest.mark.parametrize("path", PAGES[:-1])
def test_an_english_page_has_no_chinese_but_names(rig: Rig, path: str) -> None:
    rig.client.set_cookie("lang", "en", domain="127.0.0.1")
    found = [NAMES.sub("", one) for one in words(rig.get(path).text)]
    assert [one for one in found if CHINESE.search(one) and "<" not in one] == []


def test_a_rooms_type_is_in_the_pages_language(rig: Rig, place: Place) -> None:
    rig.client.set_cookie("lang", "en", domain="127.0.0.1")
    pages = [rig.get(f"/schools/{row.code}").text for row in place.city.schools]
    cells = [one for page in pages for one in re.findall('<td class="soft">([^<]*)</td>', page)]
    assert any("classroom" in one for one in cells)
    assert not any(kind in one for one in cells for kind in ROOM_TYPES)


@pytest.mark.parametrize(("number", "said"), [(1, "school silent"), (2, "schools silent")])
def test_one_school_is_not_several(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    rig.client.set_cookie("lang", "en", domain="127.0.0.1")
    rows = [row._replace(hearing="silent") for row in rig.site.city().schools[:number]]
    city = dataclasses.replace(rig.site.city(), schools=tuple(rows))
    monkeypatch.setattr(rig.site, "city", lambda: city)
    assert f"<b>{number}</b> {said} during school hours" in rig.get("/").text


def test_a_chinese_page_is_chinese(rig: Rig) -> None:
    said = " ".join(words(rig.get("/").text + rig.get("/schools").text))
    for word in ("verified", "missing", "short by", "search", "Overview", "district"):
        assert word not in said


def test_language_and_theme_are_kept(rig: Rig) -> None:
    answer = rig.get("/set?lang=en&back=/schools?q=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/schools?q=1")
    assert 'lang="en"' in rig.get("/").text
    rig.get("/set?theme=dark")
    assert 'data-theme="dark"' in rig.get("/").text
    rig.get("/set?theme=%22onload&lang=xx")
    assert 'data-theme="dark"' in rig.get("/").text


def test_the_browser_is_asked_for_a_language(rig: Rig) -> None:
    for header, lang in (("en-GB,en;q=0.9", "en"), ("zh-TW,en;q=0.5", "zh-CN"), ("fr", "zh-CN")):
        page = rig.get("/", headers={"Accept-Language": header}).text
        assert f'<html lang="{lang}"' in page


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "\n/x", "javascript:x"]
)
def test_a_way_back_leads_nowhere_else(rig: Rig, back: str) -> None:
    answer = rig.get("/set", query_string={"lang": "zh", "back": back})
    assert answer.headers["Location"] == "/"


def test_headers(rig: Rig) -> None:
    for path in (*PAGES, "/nope", "/healthz", static.url("pages.js")):
        headers = rig.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert rig.get("/").headers["Cache-Control"] == "no-store"
    assert "immutable" in rig.get(static.url("pages.css")).headers["Cache-Control"]


def test_no_page_has_script_or_style_of_its_own(stocked: Rig) -> None:
    for path in PAGES:
        page = stocked.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", _tags(page)), path
        assert set(re.findall(r'(?:src|href)="(https?:|//)', page)) == set()


def _tags(page: str) -> str:
    return " ".join(re.findall(r"<[^>]*>", re.sub(r'"[^"]*"', '""', page)))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(rig: Rig, method: str) -> None:
    for path in (*PAGES, "/set", "/metrics"):
        answer = rig.client.open(path, method=method, base_url="http://127.0.0.1:8080",
                                 environ_base={"REMOTE_ADDR": "127.0.0.1"})  # fmt: skip
        assert answer.status_code == 405, path


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/x/pages.css", "/static/",
        "/archives/..%2f..%2fregister.db", "/archives/register.db", "/archives/%00",
        "/reports/zh/2026/..%2fmade", "/reports/zh/2026/made", "/reports/xx/2026/a.xlsx",
        "/reports/zh/1/a.xlsx", "/schools/0000000000", "/schools/..%2f..", "/schools/%00%1b",
        "/%ff%fe", "/nope",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(rig: Rig, path: str) -> None:
    answer = rig.get(path)
    assert answer.status_code == 404, answer.headers
    assert b"root:" not in answer.data


def test_packed_answers_unpack(rig: Rig) -> None:
    answer = rig.get("/schools", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(answer.data)


def test_healthz_and_metrics(rig: Rig) -> None:
    assert rig.get("/healthz").text == "ok\n"
    rig.get("/nope")
    text = rig.get("/metrics").text
    assert 'schoolpulse_web_requests_total{code="404"} 1' in text
    assert re.search(r"schoolpulse_web_memory_bytes [1-9]\d{6}", text)


def test_a_store_that_fails_is_said_and_logged(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from collector.store import UnavailableError

    def fail(*_: object) -> None:
        raise UnavailableError("the disk is <gone>")

    monkeypatch.setattr("collector.web.city.load", fail)
    answer = rig.get("/")
    assert answer.status_code == 503
    assert "&lt;gone&gt;" in answer.text
    assert "schoolpulse doctor" in answer.text


def test_health_shows_what_the_real_commands_find(rig: Rig, place: Place) -> None:
    """`doctor` and `status` run as children, as for a reader, and every line of theirs is there."""
    rig.site._doctor._ask("zh")
    health = rig.site._doctor.health("zh")
    assert not health.error
    assert {check.name for check in health.checks} >= {"配置", "存储", "台账"}
    assert {row.school for row in health.schools} <= {row.code for row in place.city.schools}
    shown = words(rig.get("/health").text)
    for school in health.schools:
        assert set(standing.problems(school) + standing.fixes(school)) <= set(shown)


def test_what_the_doctor_found_stands_where_status_fails(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is down: then the doctor's fix is what is needed most."""

    def run(lang: str, arguments: tuple[str, ...], seconds: float) -> Ended:
        if arguments[0] == "status":
            return Ended(1, "", "the store cannot be read\n")
        check = {"name": "store", "ok": False, "detail": "silent", "fix": "start it"}
        return Ended(1, json.dumps({"ok": False, "checks": [check]}), "")

    monkeypatch.setattr(rig.site._doctor._children, "run", run)
    rig.site._doctor._ask("zh")
    shown = words(rig.get("/health").text)
    assert "→ start it" in shown
    assert any("the store cannot be read" in one for one in shown)
    assert "没有有问题的学校" not in " ".join(shown)
