"""The Chinese font: found, named by the settings, or missing with the fix."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typst

from agent.common import language as lang
from collector import report
from collector.report import fonts
from collector.report.context import Context
from collector.report.glyphs import characters


def bare(more: Sequence[Path]) -> typst.Fonts:
    """A machine without any font of its own."""
    return typst.Fonts(include_system_fonts=False, font_paths=list(more))


def latin() -> Path:
    """A font file without Chinese."""
    found = typst.Fonts().fonts()
    return next(Path(info.path) for info in found if info.path and "DejaVu" in info.family)


@pytest.fixture
def font() -> fonts.Font:
    return fonts.find()


def test_a_format_that_looks_for_a_font_is_marked_as_drawn() -> None:
    texts = {
        name: Path(importlib.import_module(module).__file__ or "").read_text("utf-8")
        for name, module in report.FORMATS.items()
    }
    assert {name for name, text in texts.items() if "fonts.find(" in text} == report.DRAWN


def test_a_font_with_chinese_is_found(font: fonts.Font) -> None:
    assert font.lacking("西宁市大通回族土自治县湟源㛃𠮷 abc 0-9 ✓✗●◆○✕−") == []


@pytest.mark.parametrize(
    ("system", "fix"),
    [("linux", "apt install fonts-noto-cjk"), ("win32", "简体中文补充字体"), ("darwin", "字体册")],
)
def test_without_one_the_fix_is_named(monkeypatch: Any, system: str, fix: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(fonts.FontError, match=fix) as caught:
        fonts.find("", bare)
    assert "[report]" in str(caught.value)
    assert "--format" in str(caught.value)


def test_without_one_the_fix_is_named_in_english(monkeypatch: Any) -> None:
    lang.choose("en")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(fonts.FontError, match="apt install fonts-noto-cjk"):
        fonts.find("", bare)


@pytest.mark.parametrize("name", sorted(report.DRAWN))
def test_nothing_is_rendered_without_one(town: Any, monkeypatch: Any, name: str) -> None:
    find = fonts.find
    monkeypatch.setattr(fonts, "find", lambda wanted: find(wanted, bare))
    with pytest.raises(fonts.FontError):
        report.render(town.figure(), name)
    assert report.render(town.figure(), "html")


def test_the_settings_name_a_family_or_a_file(font: fonts.Font) -> None:
    info = next(info for info in font.fonts.fonts() if info.family == font.family and info.path)
    assert fonts.find(font.family.lower()).family == font.family
    assert info.path is not None
    by_file = fonts.find(info.path, bare)
    assert by_file.lacking("西宁市") == []


@pytest.mark.parametrize("wanted", ["No Such Font", "/nowhere/font.ttf"])
@pytest.mark.parametrize("name", sorted(report.DRAWN))
def test_a_font_that_is_not_there_is_named(town: Any, name: str, wanted: str) -> None:
    with pytest.raises(fonts.FontError, match=wanted):
        report.render(town.figure(), name, Context(font=wanted))


def test_a_font_without_chinese_is_refused() -> None:
    with pytest.raises(fonts.FontError, match=r"没有中文.*fonts-noto-cjk"):
        fonts.find(str(latin()))


def test_a_file_that_is_no_font_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "broken.ttf"
    for content in (b"no font at all", b""):
        made.write_bytes(content)
        fonts.find.cache_clear()
        with pytest.raises(fonts.FontError):
            fonts.find(str(made), bare)


def test_the_character_map_is_read() -> None:
    found = characters(latin())
    assert all(one in found for one in "azAZ09é")
    assert "西" not in found
    assert "\U0010fffd" not in found


@pytest.mark.parametrize("kept", [1, 3, 12, 60, 400])
def test_a_font_cut_short_is_an_error_of_its_own(tmp_path: Path, kept: int) -> None:
    cut = tmp_path / "cut.ttf"
    cut.write_bytes(latin().read_bytes()[:kept])
    with pytest.raises(ValueError, match="font"):
        characters(cut)
