"""Names that mean harm: on every page, in both languages, they are text and no more."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest

import hostile_text
from collector.web import passwords
from collector.web.text import clean, moment, name
from web_city import HOSTILE, Place, Rig

PATHS = ("/", "/districts", "/schools", "/faults", "/reports", "/health", f"/schools/{HOSTILE}")
_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class Shape(HTMLParser):
    """The kinds of tags with their attributes, and all text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[tuple[str, str]] = set()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {(tag, key) for key, _ in attrs} | {(tag, "")}
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.values.append(data)


def shape(html: str) -> Shape:
    found = Shape()
    found.feed(html)
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_they_are_text(stocked: Rig, place: Place, path: str, lang: str) -> None:
    stocked.client.set_cookie("lang", lang, domain="127.0.0.1")
    page = stocked.get(path).text
    found = shape(page)
    known = set()
    for other in (*PATHS[:-1], f"/schools/{place.city.schools[0].code}", "/login"):
        known |= shape(stocked.get(other).text).tags if other not in ("/faults",) else set()
    scripts = [tag for tag in found.tags if tag[0] in ("script", "img", "iframe", "object")]
    assert set(scripts) <= {("script", ""), ("script", "src"), ("script", "defer")}
    assert not [tag for tag in found.tags if tag[1].startswith("on")]
    assert page.count("<script") == 1
    for value in found.values:
        odd = [char for char in value if unicodedata.category(char) == "Cc" and char not in "\n\t"]
        assert odd == []
        assert not {unicodedata.bidirectional(char) for char in value} & _BIDI
        assert len(value) < 60_000
    for link in re.findall(r'href="([^"]*)"', page):
        assert link.startswith(("/", "#", "?")), link


def test_they_are_there(stocked: Rig) -> None:
    """Not by leaving them out: what is harmless of them is shown."""
    page = stocked.get(f"/schools/{HOSTILE}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "=1+1" in page
    assert "[/x]" in page
    assert "{{ 7 * 7 }}" in page
    assert "😀" in page
    assert "A" * 10_000 not in page
    assert stocked.get(f"/schools/{HOSTILE}").status_code == 200


@pytest.mark.parametrize("hostile", hostile_text.ALL)
def test_they_are_harmless_in_an_address(rig: Rig, hostile: str) -> None:
    for path in ("/schools", "/faults", "/set", "/login"):
        keys = ("q", "district", "kind", "page", "back", "lang", "sort")
        answer = rig.get(path, query_string=dict.fromkeys(keys, hostile[:3000]))
        assert answer.status_code in (200, 303), path
        assert "\n" not in answer.headers.get("Location", "")
        if answer.status_code == 200:
            assert answer.text.count("<script") == 1
            assert "onmouseover=" not in re.sub(r'"[^"]*"', '""', answer.text)
    assert rig.get(f"/schools/{hostile[:50]}").status_code in (404, 308)


@pytest.mark.parametrize("hostile", hostile_text.ALL)
def test_they_are_harmless_on_the_log_in_page(place: Place, tmp_path: Path, hostile: str) -> None:
    passwords.add(tmp_path / "p", "admin", "*", "correct horse battery")
    locked = Rig(place, password_file=str(tmp_path / "p"))
    sent = {"user": hostile[:3000], "password": hostile[:3000], "back": hostile[:3000]}
    for answer in (locked.get("/login", query_string=sent), locked.post("/login", sent)):
        assert answer.status_code in (200, 401, 413)
        assert answer.text.count("<script") == 1
        assert "onmouseover=" not in re.sub(r'"[^"]*"', '""', answer.text)
        assert not {unicodedata.bidirectional(char) for char in answer.text} & _BIDI


@pytest.mark.parametrize("hostile", hostile_text.ALL)
def test_they_are_harmless_in_a_header(rig: Rig, hostile: str) -> None:
    sent = hostile.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
    for header in ("Cookie", "Accept-Language", "X-SchoolPulse-User", "X-Forwarded-Proto"):
        assert rig.get("/", headers={header: sent.replace("\0", "")}).status_code == 200


def test_cleaning_keeps_what_people_write() -> None:
    for text in ("西宁市第1小学", "Zoë’s Höhe", "བོད་ལྗོངས", "七（1）班", "a\nb\tc"):
        assert clean(text) == text
    assert name("长" * 3500) == "长" * 59 + "…"
    assert clean("a\x1b[2Jb\u202ec\x00") == r"a\x1b[2Jb\u202ec\x00"
    assert clean("\ud800") == r"\ud800"


@pytest.mark.parametrize("ms", [0, -5, None, True, "x", 10**30, 2**62])
def test_a_time_that_is_none_is_empty(ms: object) -> None:
    assert moment(ms) in ("", "1970-01-01")
