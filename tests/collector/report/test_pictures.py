"""The figure and its trend as pictures: svg and png."""

from __future__ import annotations

import dataclasses
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections import Counter
from typing import Any

import pytest

from agent.common import language as lang
from agent.common.vocabulary.indicators import INDICATORS
from collector import report
from collector.compliance.model import Figure
from collector.report import png
from collector.report.context import Context
from office_files import pages
from report_past import BELOW, past, tallies

SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure: Figure, context: Context | None = None) -> ET.Element:
    return ET.fromstring(report.render(figure, "svg", context or Context()))


def texts(picture: ET.Element) -> list[str]:
    return [one.text or "" for one in picture.iter(f"{SVG}text")]


def of_class(picture: ET.Element, kind: str, tag: str = "rect") -> list[ET.Element]:
    return [one for one in picture.iter(f"{SVG}{tag}") if one.get("class") == kind]


def invented(town: Any) -> Figure:
    town.saw("103", (1,), simulated=True)
    made: Figure = town.figure()
    return made


def test_the_picture_has_every_indicator_with_target_floor_and_ceiling(town: Any) -> None:
    found = texts(drawn(town.figure()))
    for words in ("核实率 33.3%", "上报率 66.7%", "上限 66.7%", "目标 80.0%", "对照 2020 年目标"):
        assert words in found
    assert {"10M 以上带宽接入比例", "学校计算机教室配备率"} <= set(found)


def test_without_a_past_there_is_no_trend(town: Any) -> None:
    picture = drawn(town.figure())
    assert "趋势" not in texts(picture)
    assert len(of_class(picture, "solid")) == len(INDICATORS) + 1  # and one in the legend


def test_years_are_bars_and_months_a_curve(town: Any) -> None:
    figure = town.figure()
    picture = drawn(figure, past(figure))
    found = texts(picture)
    years = ["2024", "2025", "2026"]
    assert [text for text in found if text in years] == years * len(INDICATORS)
    assert len(of_class(picture, "curve", "path")) == len(INDICATORS)
    assert len(of_class(picture, "dot", "circle")) == 2 * len(INDICATORS)
    assert found.count("79.9%") == 1  # of the line, whose target is 80%
    assert {"81.3%", "50.0%"} <= set(found)


def test_one_month_is_a_dot_without_a_curve(town: Any) -> None:
    figure = town.figure()
    beside = past(figure)
    picture = drawn(figure, Context(months=beside.months[:1]))
    assert of_class(picture, "curve", "path") == []
    assert len(of_class(picture, "dot", "circle")) == len(INDICATORS)


def test_no_units_draw_no_bar(new_town: Any) -> None:
    picture = drawn(new_town().figure())
    assert len(of_class(picture, "solid")) == 1
    assert "核实率 —" in texts(picture)


def test_nothing_lies_outside_the_picture(town: Any) -> None:
    figure = town.figure()
    picture = drawn(figure, past(figure))
    _, _, width, height = map(float, str(picture.get("viewBox")).split())
    groups = [
        (float(re.findall(r"[\d.]+", group.get("transform", "0 0"))[1]), group)
        for group in picture.iter(f"{SVG}g")
    ]
    assert len(groups) == 2
    for down, group in groups:
        for one in group.iter(f"{SVG}rect"):
            assert float(one.get("x", 0)) + float(one.get("width", 0)) <= width
            assert down + float(one.get("y", 0)) + float(one.get("height", 0)) <= height


def test_the_picture_stands_alone(town: Any) -> None:
    text = report.render(town.figure(), "svg").decode()
    assert re.findall(r"@import|href|<script|<image", text) == []
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_a_name_is_text_not_markup(town: Any) -> None:
    town.city = type(town.city)(name="</svg><script>&")
    assert "</svg><script>& 2026" in "".join(texts(drawn(town.figure())))


def test_simulated_is_written_across(town: Any) -> None:
    figure = invented(town)
    assert texts(drawn(figure, past(figure))).count("模拟数据") >= 2
    lang.choose("en")
    assert "模拟数据 SIMULATED" in texts(drawn(figure))


def pixels(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of RGBA of a PNG of 8 bits without interlacing."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed, size = 8, b"", (0, 0)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack_from(">I", data, at + 8 + length)[0]
        if kind == b"IHDR":
            *size_, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlaced) == (8, 6, 0)
            size = (size_[0], size_[1])
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    return *size, _unfiltered(zlib.decompress(packed), *size)


def _unfiltered(raw: bytes, width: int, height: int) -> list[bytes]:
    step, rows, above = 4 * width, [], bytes(4 * width)
    for nth in range(height):
        kind, row = raw[nth * (step + 1)], bytearray(raw[nth * (step + 1) + 1 :][:step])
        for x in range(step):
            left, up = (row[x - 4] if x > 3 else 0), above[x]
            corner = above[x - 4] if x > 3 else 0
            row[x] = row[x] + (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind] & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))


def colours(figure: Figure) -> Counter[bytes]:
    width, _, rows = pixels(report.render(figure, "png"))
    return Counter(row[4 * x : 4 * x + 3] for row in rows for x in range(width))


@pytest.fixture
def coarse(monkeypatch: Any) -> None:
    """Few pixels: they are decoded by hand."""
    monkeypatch.setattr(png, "_PPI", 40)


@pytest.mark.usefixtures("coarse")
def test_the_png_shows_bars_and_the_target(town: Any) -> None:
    found = colours(town.figure())
    assert bytes.fromhex("0b5fa5") in found
    assert bytes.fromhex("ffffff") in found


@pytest.mark.usefixtures("coarse")
def test_the_png_is_tinted_where_invented(town: Any) -> None:
    def tinted(figure: Figure) -> int:
        """Pixels of a pale red; the target's mark has some at its edges."""
        found = colours(figure).items()
        return sum(n for one, n in found if one[0] > 235 and 15 < one[0] - one[2] < 40)

    plain = tinted(town.figure())
    assert tinted(invented(town)) > 5 * plain + 200


def test_the_png_is_as_wide_as_a_screen_and_says_what_it_shows(town: Any) -> None:
    data = report.render(town.figure(), "png")
    width, height = struct.unpack_from(">II", data, 16)
    assert 1900 <= width <= 1940
    assert height > 500
    assert "10M 以上带宽接入比例 33.3%".encode() in data


def test_the_png_needs_no_markup_of_ours(town: Any) -> None:
    """A name that is markup to the typesetter stays a name."""
    town.city = type(town.city)(name="#panic() $ [甲]")
    assert report.render(town.figure(), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["html", "pdf", "svg", "png"])
def test_a_share_just_below_its_target_is_shown_below_it(town: Any, name: str) -> None:
    """79.96% against 80%; against 100% it is 80.0%."""
    judged = town.figure()
    figure = dataclasses.replace(judged, tallies=tallies(judged, BELOW))
    made = report.render(figure, name)
    text = "".join(pages(made)) if name == "pdf" else made.decode("utf-8", "ignore")
    for share, indicator in (("79.9%", "10M 以上带宽接入比例"), ("80.0%", "学校计算机教室配备率")):
        title = "".join(indicator.split()) if name == "pdf" else indicator
        between = "(?:(?!核实率).)*核实率 " if name == "svg" else "[^%]*?"
        assert re.search(f"{title}{between}{share}", text, re.DOTALL), share
